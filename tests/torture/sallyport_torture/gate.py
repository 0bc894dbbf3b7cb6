"""The nginx that is tortured, and the application behind it, which says for whom it takes a request."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sallyport_bench.wrk import HOST
from sallyport_testing.nginx import Nginx

_COMMON = "access_log off; keepalive_requests 1000000000; keepalive_timeout 1000s; http2_max_concurrent_streams 128;"
_GATE = """
    %%common%%
    upstream application {
        server 127.0.0.1:%%application%%; keepalive 32; keepalive_requests 1000000000;
    }
    saml_idp test { metadata %%metadata%%; }
    saml_session_zone torture:%%zone%%;
    server {
        listen 127.0.0.1:%%port:site%% backlog=4096;
        listen 127.0.0.1:%%port:h2%% http2;
        server_name %%host%%;
        saml_entity_id http://%%host%%/saml/metadata;
        saml_base_url http://%%host%%:%%port:site%%;
        location / {
            auth_saml test;
            proxy_http_version 1.1; proxy_set_header Connection "";
            proxy_pass http://application;
        }
    }
"""
_APPLICATION = """
    %%common%%
    server { listen 127.0.0.1:%%port:site%% backlog=4096; location / { return 200 "user=$http_x_sso_user"; } }
"""


@dataclass(frozen=True)
class Gate:
    """A running gate."""

    nginx: Nginx
    zone_bytes: int
    sanitized: bool  # freed memory is held back: it says nothing how much there is

    @property
    def port(self) -> int:
        return self.nginx.port("site")

    @property
    def h2_port(self) -> int:
        return self.nginx.port("h2")

    @property
    def base_url(self) -> str:
        return f"http://{HOST}:{self.port}"


def size_in_bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+)([km])", text)
    assert found, text
    return int(found[1]) << {"k": 10, "m": 20}[found[2]]


@contextmanager
def preloaded(libraries: str) -> Iterator[None]:
    """What nginx needs to load a sanitized module; empty for a plain one."""
    before = os.environ.get("SALLYPORT_PRELOAD")
    os.environ["SALLYPORT_PRELOAD"] = libraries
    try:
        yield
    finally:
        if before is None:
            del os.environ["SALLYPORT_PRELOAD"]
        else:
            os.environ["SALLYPORT_PRELOAD"] = before


@contextmanager
def running_gate(
    folder: Path, module: Path, metadata: bytes, *, zone: str = "64m", preload: str | None = None, connections: int = 512
) -> Iterator[Gate]:
    """Started, and stopped with the checks of its log (and of leaks, under sanitizers). `preload` None: as the
    environment says. `connections`: as many of a worker."""
    folder.mkdir(parents=True)
    (folder / "idp.xml").write_bytes(metadata)
    application = Nginx(folder / "application", workers=1, log_level="error")
    application.configure(_APPLICATION, common=_COMMON)
    gate = Nginx(folder / "gate", module=module, log_level="error")
    gate.configure(
        _GATE, main=f"worker_rlimit_nofile {connections + 512};", events=f"worker_connections {connections};", common=_COMMON, application=application.port(), metadata=folder / "idp.xml", zone=zone, host=HOST
    )
    if preload is None:
        preload = os.environ.get("SALLYPORT_PRELOAD", "")
    with application, preloaded(preload), gate:
        application.start()
        gate.start()
        yield Gate(gate, size_in_bytes(zone), bool(preload))
