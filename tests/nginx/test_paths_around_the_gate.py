"""PATH-NORM: whatever spelling a path has, who is not logged in never reaches what a location protects.

A prober sends every spelling over HTTP/1 (as a path and as a whole address) and HTTP/2, without and with a
session, and compares what reached the upstream with what nginx's log says that it took the path for."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.echoed import EchoedRequest
from sallyport_testing.http2_streams import exchange, pseudo_headers
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.running import running_site
from sallyport_testing.site import SamlSite

ECHO = "proxy_set_header X-Number $request_id; proxy_pass http://%%upstream%%;"
LOG = """
    log_format taken escape=json '{"number": "$request_id", "path": "$uri"}';
    access_log %%folder%%/taken.log taken;
"""
USER = "student@example.com"

# All but the health check and a folder is behind the gate; and: nothing but some folders is.
WALL = f"""
    auth_saml test;
    location = /health {{ auth_saml off; {ECHO} }}
    location /public/ {{ auth_saml off; {ECHO} }}
    location / {{ {ECHO} }}
"""
ISLANDS = f"""
    location / {{ {ECHO} }}
    location /admin {{ auth_saml test; {ECHO} }}
    location ^~ /private/ {{ auth_saml test; {ECHO} }}
    location ~ ^/secret(/|$) {{ auth_saml test; {ECHO} }}
    location ~* \\.key$ {{ auth_saml test; {ECHO} }}
    location = /exact {{ auth_saml test; {ECHO} }}
"""
SERVER = """
    server {
        listen 127.0.0.1:%%port:NAME%%; listen 127.0.0.1:%%port:NAME-h2%% http2;
        server_name app.example.com;
        saml_entity_id https://app.example.com/saml/metadata;
        saml_base_url http://app.example.com:%%port:site%%;
        merge_slashes MERGE;
        LOCATIONS
    }
"""


def is_protected(layout: str, path: str) -> bool:
    """What the configuration says of a path as nginx has taken it."""
    if layout == "wall":
        return path != "/health" and not path.startswith("/public/")
    return (
        path.startswith(("/admin", "/private/", "/secret/")) or path in ("/secret", "/exact")
        or path.lower().endswith(".key")
    )  # fmt: skip


# Spellings

PLAIN = ["/admin", "/admin/panel", "/private/x", "/secret/x", "/exact", "/a.key", "/health", "/public/x", "/other"]
HANDMADE = [
    "/a/../admin", "/a/%2e%2e/admin", "/a/.%2e/admin", "/a/%2E./admin", "//admin", "///admin", "/./admin", "/%2e/admin",
    "/admin/.", "/admin/..", "/admin/../admin", "/%61dmin", "/%61%64%6d%69%6e", "/admin%2f..", "/admin%2fpanel",
    "/admin%2Fpanel", "/admin;x", "/admin;x/panel", "/;/admin", "/..;/admin", "/.;/admin", "/admin..;/", "/ADMIN",
    "/Admin", "/admin%20", "/admin%09", "/admin%0a", "/admin%0d%0a", "/admin%00", "/admin%00.css", "/admin%252f",
    "/%2561dmin", "/admin%252e%252e", "/admin\\x", "/\\admin", "/%5cadmin", "/public\\..\\admin", "/public%5c..%5cadmin",
    "/admin?x#y", "/admin#y", "/admin?", "/admin??", "/admin?/../public/", "/?/admin", "/admin.", "/admin~", "/admin//",
    "/admin/./.", "/%2fadmin", "/%2f%2fadmin", "//%2fadmin", "/x%2f..%2fadmin", "/x%2f..%2f..%2fadmin", "/..%2fadmin",
    "/../admin", "/../../admin", "/%2e%2e/admin", "/..", "/.", "//", "/", "/%c0%aeadmin", "/%c0%afadmin",
    "/%e0%80%afadmin", "/%ef%bc%8fadmin", "/\xc3\xa1dmin", "/%u0061dmin", "/%zzadmin", "/%admin", "/adm%69", "/adm%",
    "/health/", "/health/..", "/health/../admin", "/health%2f", "/health%20", "/Health", "/health;x", "/healthx",
    "/health%00", "/health%2f..%2fadmin", "/health?x=/admin", "/x/../health", "/%68ealth", "/./health", "//health",
    "/public/../admin", "/public/%2e%2e/admin", "/public/..%2fadmin", "/public%2f..%2fadmin", "/public//../../admin",
    "/public//../admin", "/public/./../admin", "/public/.%2e%2fadmin", "/public", "/PUBLIC/x", "/public/%61", "/public/.",
    "/public/..;/admin", "/public/..;/..;/admin", "/public/;/../admin", "/public;/../admin", "/public/x/../../admin",
    "/public/%252e%252e/admin", "/public/..%252fadmin", "/public/..%00/admin", "/public/../private/x",
    "/public/../secret/x", "/public/x.key", "/public/../a.key", "/x/a.KEY", "/a.key/", "/a.key/.", "/a.key;", "/a%2ekey",
    "/a.key%00", "/a.key?x", "/private", "/private/", "/private/..", "/private%2fx", "//private/x", "/./private//x",
    "/x/../private/./x", "/secret", "/secret/", "/secretx", "/secret%2fx", "/secret/..", "/%73ecret/x", "/exact/",
    "/exact/.", "/./exact", "/exact%2f", "/e%78act", "//exact", "/exact?x", "/exactx", "/x/../exact",
    "/saml/acs/", "/saml/acs/x", "/saml/other", "/saml/metadata/..", "/saml", "/saml/", "/SAML/login", "/saml/login/",
    "/saml/acs%00", "/saml/../admin", "/saml/session/../../admin", "/saml/%2e%2e/admin",
]  # fmt: skip
PIECES = [
    "admin", "panel", "public", "private", "secret", "exact", "health", "a.key", "x", "..", ".", "", "%2e%2e", "%2E",
    ".%2e", "a;b", ";", "..;", "%61dmin", "admin%2fpanel", "..%2fadmin", "%2fadmin", "ADMIN", "admin%00", "..%5c",
    "public%2f..", "%2e%2e%2fsecret", "%70rivate", "..%2f..%2fexact", "%2f", "%252e%252e",
]  # fmt: skip


def spellings() -> list[str]:
    rng = random.Random(143)
    made = ["/" + "/".join(rng.choices(PIECES, k=rng.randint(2, 6))) for _ in range(700)]
    return list(dict.fromkeys([*PLAIN, *HANDMADE, *made]))


SPELLINGS = spellings()


def as_an_upstream_reads(uri: str, *, merge: bool) -> str:
    """The path that a server finds in a request target when it decodes once and then resolves it."""
    path = unquote_to_bytes(uri.partition("#")[0].partition("?")[0]).decode("latin-1")
    if merge:
        while "//" in path:
            path = path.replace("//", "/")
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == ".." and kept:
            kept.pop()
        elif segment not in (".", ".."):
            kept.append(segment)
    return "/" + "/".join([*kept, ""] if segments[-1] in (".", "..") and kept else kept)


# The prober


@dataclass(frozen=True)
class Probe:
    """One request that was sent, and what came back."""

    target: str
    response: Response | None  # None: refused below HTTP


class Prober:
    """Sends all spellings to a server in one of the ways in which HTTP can name a path."""

    def __init__(self, site: SamlSite, server: str, cookie: str = "a=1") -> None:
        self.site, self.server, self.cookie = site, server, cookie

    def port(self, suffix: str = "") -> int:
        return self.site.nginx.port(self.server + suffix)

    def http1(self, prefix: str = "") -> Iterator[Probe]:
        """`prefix`: of an absolute form."""
        url = f"http://{self.site.host}:{self.port()}"
        connection = RawConnection(url)
        for spelling in SPELLINGS:
            target = prefix + spelling
            head = f"GET {target} HTTP/1.1\r\nHost: {self.site.host}\r\nCookie: {self.cookie}\r\n\r\n"
            response = connection.send(head).response()
            if response.header("Connection") == "close":
                connection.close()
                connection = RawConnection(url)
            yield Probe(target, response)
        connection.close()

    def http2(self) -> Iterator[Probe]:
        url = f"http://{self.site.host}:{self.port('-h2')}"
        for start in range(0, len(SPELLINGS), 50):
            batch = SPELLINGS[start : start + 50]
            fields = [[*pseudo_headers(url, path), ("cookie", self.cookie)] for path in batch]
            yield from map(Probe, batch, exchange(url, fields))

    def all(self, way: str) -> Iterator[Probe]:
        prefixes = {"path": "", "address": f"http://{self.site.host}", "foreign_address": "http://evil.example:81"}
        return self.http2() if way == "http2" else self.http1(prefixes[way])


WAYS = ["path", "address", "foreign_address", "http2"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    servers = "".join(
        SERVER.replace("NAME", f"{layout}-{merge}").replace("MERGE", merge).replace("LOCATIONS", locations)
        for layout, locations in (("wall", WALL), ("islands", ISLANDS))
        for merge in ("on", "off")
    )
    http = LOG + "keepalive_requests 100000; http2_max_concurrent_streams 128;" + servers
    with running_site(tmp_path_factory.mktemp("paths"), keys, tls=False, http=http) as running:
        yield running


@pytest.fixture(scope="module")
def session(site: SamlSite) -> str:
    browser = Browser()
    site.login(browser)
    return browser.cookies.header_for(site.url("/")) or ""


@dataclass(frozen=True)
class Passed:
    """What the upstream saw of a probe, and for which path nginx took it."""

    target: str
    echo: EchoedRequest
    path: str


def passed(site: SamlSite, probes: Iterator[Probe]) -> tuple[list[Passed], int]:
    """The probes that reached the upstream, and how many were refused (or redirected) on their way."""
    site.upstream.clear()
    echoes: dict[str, tuple[str, EchoedRequest]] = {}
    refused = 0
    for probe in probes:
        if probe.response is not None and probe.response.status == 200:
            echo = probe.response.echo()
            echoes[echo.header("X-Number") or ""] = (probe.target, echo)
            continue
        refused += 1
        status = None if probe.response is None else probe.response.status
        assert status in (None, 301, 302, 400, 401, 405), f"{probe.target}: {status}"
    assert len(site.upstream.requests) == len(echoes), "requests that were refused reached the upstream"
    paths = taken_for(site, set(echoes))
    return [Passed(target, echo, paths[number]) for number, (target, echo) in echoes.items()], refused


def taken_for(site: SamlSite, numbers: set[str]) -> dict[str, str]:
    """The paths in nginx's log, which the last worker may just be writing."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        text = (site.nginx.folder / "taken.log").read_text("latin-1")
        paths = {each["number"]: each["path"] for each in map(json.loads, text.rpartition("\n")[0].splitlines())}
        if numbers <= paths.keys():
            return paths
        time.sleep(0.01)
    raise AssertionError("requests are not in nginx's log")


@pytest.mark.parametrize("way", WAYS, ids=[f"PATH-NORM-{way}" for way in WAYS])
@pytest.mark.parametrize("merge", ["on", "off"], ids=["merged", "not_merged"])
@pytest.mark.parametrize("layout", ["wall", "islands"])
def test_no_spelling_passes_the_gate(site: SamlSite, layout: str, merge: str, way: str) -> None:
    found, refused = passed(site, Prober(site, f"{layout}-{merge}").all(way))
    for each in found:
        assert each.echo.with_prefix("X-SSO-") == {}, each.target
        assert not is_protected(layout, each.path), f"{each.target} was taken for {each.path}"
        assert not is_protected(layout, as_an_upstream_reads(each.echo.uri, merge=merge == "on")), (
            f"{each.target} reached the application as {each.echo.uri}, which means a protected path to it"
        )
    assert len(found) > 10 and refused > 100, (len(found), refused)


@pytest.mark.parametrize("way", WAYS, ids=[f"PATH-NORM-{way}" for way in WAYS])
@pytest.mark.parametrize("merge", ["on", "off"], ids=["merged", "not_merged"])
@pytest.mark.parametrize("layout", ["wall", "islands"])
def test_with_a_session_every_spelling_has_its_identity(
    site: SamlSite, session: str, layout: str, merge: str, way: str
) -> None:
    """Behind the gate always, outside of it never."""
    found, _ = passed(site, Prober(site, f"{layout}-{merge}", session).all(way))
    for each in found:
        identity = {"X-SSO-User": USER} if is_protected(layout, each.path) else {}
        assert each.echo.with_prefix("X-SSO-User") == identity, each.target
    assert {is_protected(layout, each.path) for each in found} == {True, False}


# Requests over HTTP/2 whose pseudo headers name more than one path, or none.
PSEUDO = {
    "two_paths": [(":method", "GET"), (":scheme", "http"), (":path", "/public/x"), (":path", "/admin")],
    "path_behind_fields": [(":method", "GET"), (":scheme", "http"), ("x", "y"), (":path", "/admin")],
    "no_path": [(":method", "GET"), (":scheme", "http")],
    "empty_path": [(":method", "GET"), (":scheme", "http"), (":path", "")],
    "no_slash": [(":method", "GET"), (":scheme", "http"), (":path", "admin")],
    "address": [(":method", "GET"), (":scheme", "http"), (":path", "http://app.example.com/admin")],
    "star": [(":method", "OPTIONS"), (":scheme", "http"), (":path", "*")],
    "blank": [(":method", "GET"), (":scheme", "http"), (":path", "/admin x")],
    "line": [(":method", "GET"), (":scheme", "http"), (":path", "/public/x\r\nX-SSO-User: admin")],
    "nul": [(":method", "GET"), (":scheme", "http"), (":path", "/public/\0/../admin")],
    "two_methods": [(":method", "GET"), (":method", "OPTIONS"), (":scheme", "http"), (":path", "/admin")],
    "no_method": [(":scheme", "http"), (":path", "/admin")],
    "odd_method": [(":method", "GET /public/x HTTP/1.1\r\n"), (":scheme", "http"), (":path", "/admin")],
    "odd_scheme": [(":method", "GET"), (":scheme", "http://evil.example/public/x?"), (":path", "/admin")],
    "unknown": [(":method", "GET"), (":scheme", "http"), (":path", "/admin"), (":status", "200")],
    "connect": [(":method", "CONNECT"), (":authority", "127.0.0.1:1")],
    "protocol": [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/admin")],
    "other_authority": [
        (":method", "GET"), (":scheme", "http"), (":authority", "evil.example"), (":path", "/admin"),
        ("host", "app.example.com"),
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", PSEUDO, ids=[f"PATH-NORM-pseudo-{name}" for name in PSEUDO])
def test_pseudo_headers(site: SamlSite, name: str) -> None:
    url = f"http://{site.host}:{site.nginx.port('wall-on-h2')}"
    fields = PSEUDO[name]
    if name not in ("connect", "other_authority"):
        fields = [*fields[:1], (":authority", site.host), *fields[1:]]
    site.upstream.clear()
    (answer,) = exchange(url, [fields])
    assert answer is None or answer.status in (302, 400, 401, 405), answer
    assert site.upstream.requests == []
    (good,) = exchange(url, [pseudo_headers(url, "/public/x")])
    assert good is not None and good.echo().uri == "/public/x"
