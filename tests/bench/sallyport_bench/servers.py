"""The nginx instances that are compared: a plain proxy, the gate, and the application behind both."""

from __future__ import annotations

import base64
import hashlib
import os
from contextlib import contextmanager
from collections.abc import Iterator
from pathlib import Path

from sallyport_testing.nginx import Nginx
from sallyport_testing.saml_idp import TestIdp

from .pinning import LOAD_CPU, SERVER_CPU, affinity
from .process import cpu_seconds
from .wrk import HOST

# The headers that the sessions of the fixture make the gate inject.
IDENTITY_HEADERS = (
    "X-SSO-User", "X-SSO-Email", "X-SSO-Display-Name", "X-SSO-Timezone",
    "X-SSO-Spaces", "X-SSO-Roles", "X-SSO-Groups", "X-SSO-Idp",
)  # fmt: skip

_COMMON = """
    access_log off;
    keepalive_requests 1000000000;
    keepalive_timeout 1000s;
"""
_PROXY = """
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://application;
"""


def session_cookie(number: int) -> str:
    """The cookie of made-up session `number` (see test_build.h)."""
    identifier = hashlib.sha256(f"session {number}".encode()).digest()
    return "saml_session=" + base64.urlsafe_b64encode(identifier).decode().rstrip("=")


def upstream_block(port: int) -> str:
    return f"""
    upstream application {{
        server 127.0.0.1:{port};
        keepalive 128;
        keepalive_requests 1000000000;
    }}"""


def application(folder: Path) -> Nginx:
    """The application: two bytes to everything, and at /identity what it was told."""
    told = "".join(f"$http_{name.lower().replace('-', '_')}\\n" for name in IDENTITY_HEADERS)
    nginx = Nginx(folder, workers=1)
    return nginx.configure(
        f"""{_COMMON}
    server {{
        listen 127.0.0.1:%%port:site%%;
        location / {{ return 200 ok; }}
        location = /identity {{ return 200 "{told}"; }}
    }}""",
        main=affinity(LOAD_CPU),
    )


def plain_proxy(folder: Path, upstream: int, values: list[str]) -> Nginx:
    """Stock nginx with the identity headers set statically: the limit."""
    headers = "".join(
        f'            proxy_set_header {name} "{value}";\n'
        for name, value in zip(IDENTITY_HEADERS, values)
    )
    return Nginx(folder, workers=1).configure(
        f"""{_COMMON}{upstream_block(upstream)}
    server {{
        listen 127.0.0.1:%%port:site%%;
        server_name {HOST};
        location / {{
{headers}{_PROXY}        }}
    }}""",
        main=affinity(SERVER_CPU),
    )


def plain_redirect(folder: Path, location: str) -> Nginx:
    """Stock nginx answering `return 302`."""
    return Nginx(folder, workers=1).configure(
        f"""{_COMMON}
    server {{
        listen 127.0.0.1:%%port:site%%;
        server_name {HOST};
        location / {{ return 302 "{location}"; }}
    }}""",
        main=affinity(SERVER_CPU),
    )


def gate(
    folder: Path, module: Path, idp: TestIdp, upstream: int, *, workers: int = 1, zone: str = "64m",
    sessions: bool = False, server: str = "", more_servers: str = "", http: str = "", pin: bool = True,
) -> Nginx:  # fmt: skip
    """nginx with the module: everything behind a session, but `/static`."""
    nginx = Nginx(folder, module=module, workers=workers)
    metadata = idp.write_metadata(folder / "idp-metadata.xml")
    names = ("SALLYPORT_TEST_SESSIONS", "SALLYPORT_TEST_STOPWATCHES")
    main = "".join(f"env {name};\n" for name in names) if sessions else ""
    return nginx.configure(
        f"""{_COMMON}{upstream_block(upstream)}
    saml_idp test {{ metadata {metadata}; }}
    saml_session_zone bench:{zone};
    {http}
    server {{
        listen 127.0.0.1:%%port:site%%;
        server_name {HOST};
        saml_entity_id http://{HOST}/saml/metadata;
        {server}
        location / {{
            auth_saml test;
{_PROXY}        }}
        location = /static {{ return 200 ok; }}
    }}
    {more_servers}""",
        main=main + (affinity(SERVER_CPU) if pin and workers == 1 else ""),
    )


def cpu_of(nginx: Nginx):
    """The CPU that its workers have used, as a function."""
    workers = nginx.workers()
    return lambda: cpu_seconds(workers)


@contextmanager
def environment(**values: str) -> Iterator[None]:
    """Environment variables for what is started inside."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def running(*servers: Nginx) -> Iterator[None]:
    """Started inside, stopped and their logs checked at the end."""
    started: list[Nginx] = []
    try:
        for each in servers:
            each.start()
            started.append(each)
        yield
    except BaseException:
        for each in started:
            each.abort()
        raise
    for each in reversed(started):
        each.stop()
