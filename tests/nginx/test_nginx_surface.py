"""Beside the rest of nginx: phases, caches, connections, WebSocket, HTTP/2 and other modules."""

from __future__ import annotations

import base64
import os
import random
import socket
from collections.abc import Callable
from urllib.parse import urlencode

import h2.config
import h2.connection
import h2.events
import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.echoed import EchoedRequest
from sallyport_testing.http_client import connect
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import DEBIAN_MODULES, Nginx, module_under_test
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite
from sallyport_testing.upstream import EchoUpstream, read_websocket_frame, websocket_frame

ECHO = "proxy_pass http://%%upstream%%;"
USER = "student@example.com"
KEPT_ALIVE = 'proxy_http_version 1.1; proxy_set_header Connection "";'


def people(site: SamlSite, count: int) -> dict[str, str]:
    """Users who are logged in, with their Cookie header; one is nobody."""
    found = {"": "a=1"}
    for number in range(count):
        browser = Browser()
        name = f"user{number}@example.com"
        site.login(browser, "/saml/login?return=/", name_id=name, attributes=())
        found[name] = browser.cookies.header_for(site.url("/")) or ""
    return found


# What nginx does before anybody is asked


def test_rewrite_phase_comes_first(site: SamlSite, browser: Browser) -> None:
    """`return` and `rewrite` answer before any access module: what must be protected must not be in them."""
    site.start(
        locations=f"""
            location /returned {{ auth_saml test; return 200 "said before the gate\n"; }}
            location /moved {{ auth_saml test; return 301 /elsewhere; }}
            location /if/ {{ auth_saml test; if ($arg_x) {{ return 204; }} {ECHO} }}
            location /to-public {{ auth_saml test; rewrite ^ /open/x last; }}
            location /to-protected {{ rewrite ^ /page last; }}
            location /break {{ auth_saml test; rewrite ^ /other break; {ECHO} }}
            location /open/ {{ {ECHO} }}
        """
    )
    for path, status in {
        "/returned": 200, "/moved": 301, "/if/?x=1": 204, "/if/": 302, "/to-public": 200, "/to-protected": 302,
        "/break": 302,
    }.items():  # fmt: skip
        assert browser.get(site.url(path)).status == status, path
    site.login(browser)
    assert browser.get(site.url("/to-public")).echo().with_prefix("X-SSO-") == {}
    assert browser.get(site.url("/to-protected")).echo().header("X-SSO-User") == USER
    assert browser.get(site.url("/break")).echo().header("X-SSO-User") == USER


@pytest.mark.parametrize("content", ["return_in_named", "static", "autoindex", "empty_gif", "stub_status", "dav"])
def test_all_content_handlers_are_behind_the_gate(site: SamlSite, browser: Browser, content: str) -> None:
    folder = site.nginx.folder / "files"
    folder.mkdir()
    (folder / "secret.txt").write_text("secret")
    proxy = {
        "return_in_named": "try_files /none @named;",
        "static": "root %%folder%%/files;",
        "autoindex": "root %%folder%%/files; autoindex on;",
        "empty_gif": "empty_gif;",
        "stub_status": "stub_status;",
        "dav": "root %%folder%%/files; dav_methods PUT DELETE;",
    }[content]
    site.start(proxy=proxy, locations='location @named { auth_saml test; add_header X-Named 1; empty_gif; }')
    path = {"static": "/secret.txt", "dav": "/secret.txt"}.get(content, "/")
    assert browser.get(site.url(path)).status == 302
    for method in ("HEAD", "PUT", "DELETE", "POST"):
        assert browser.request(method, site.url(path), body=b"x").status in (302, 401), method
    assert (folder / "secret.txt").read_text() == "secret"
    site.idp.login(browser, site.url(path))
    assert browser.get(site.url(path)).status == 200


# Caches

CACHE = "proxy_cache_path %%folder%%/cache keys_zone=answers:1m;"
CACHED = (
    "proxy_cache answers; proxy_cache_key $uri; proxy_cache_valid any 1m;"
    " add_header X-Cache $upstream_cache_status always;"
)


def test_cache_does_not_store_an_answer_to_a_session(site: SamlSite) -> None:
    site.start(http=CACHE, location=f"auth_saml_mode optional; {CACHED}")
    first, second, nobody = (dict(Cookie=cookie) for cookie in list(people(site, 2).values())[1:] + ["a=1"])

    def get(who: dict[str, str], path: str = "/cacheable") -> tuple[str | None, str | None]:
        answer = Browser().request("GET", site.url(path), headers=list(who.items()))
        return answer.header("X-Cache"), answer.echo().header("X-SSO-User")

    assert get(first) == ("MISS", "user0@example.com")
    assert get(first) == ("MISS", "user0@example.com")
    assert get(second) == ("MISS", "user1@example.com")
    assert get(nobody) == ("MISS", None)
    assert get(nobody) == ("HIT", None), "what was made for nobody may be stored"
    assert get(first) == ("HIT", None)
    assert get(second, "/cacheable/page") == ("MISS", "user1@example.com")
    assert get(nobody, "/cacheable/page") == ("MISS", None)


def test_cache_shared_is_asked_for(site: SamlSite) -> None:
    site.start(http=CACHE, location=f"saml_cache_shared on; {CACHED}")
    first, second = [[("Cookie", cookie)] for cookie in list(people(site, 2).values())[1:]]
    for headers, state in ((first, "MISS"), (second, "HIT")):
        answer = Browser().request("GET", site.url("/cacheable"), headers=headers)
        assert answer.header("X-Cache") == state
    nobody = Browser().request("GET", site.url("/cacheable"))
    assert nobody.status == 302, "a cached page is behind the gate all the same"


def test_cache_behind_a_subrequest(site: SamlSite, browser: Browser) -> None:
    site.start(
        http=CACHE,
        locations=f"location /public/ {{ ssi on; {ECHO} }} location /part/ {{ auth_saml test; {CACHED} {ECHO} }}",
    )
    for name in ("first@example.com", "second@example.com"):
        browser = Browser()
        site.login(browser, name_id=name, attributes=())
        assert name in browser.get(site.url("/public/ssi?include=/part/cacheable")).text


def test_cache_never_stores_pages_of_ours(site: SamlSite) -> None:
    site.start(
        http=CACHE + "upstream self { server 127.0.0.1:%%port:site%%; }",
        locations=f"""
            location /front/ {{ proxy_pass https://self/; proxy_set_header Host app.example.com:%%port:site%%;
                                proxy_ssl_session_reuse off; {CACHED} }}
        """,
    )
    starts = [Browser().get(site.url("/front/page")) for _ in range(3)]
    assert [each.header("X-Cache") for each in starts] == ["MISS"] * 3
    assert len({site.idp.read_request(each).id for each in starts}) == 3


# Connections


def users_by_connection(site: SamlSite) -> dict[int, set[str | None]]:
    """Whose requests came over each of the upstream's connections."""
    users: dict[int, set[str | None]] = {}
    for each in site.upstream.requests:
        users.setdefault(each.connection, set()).add(each.header("X-SSO-User"))
    return users


def test_h2_h1_users_on_one_connection_never_mix(http_site: SamlSite) -> None:
    http_site.start(
        http="upstream app { server %%upstream%%; keepalive 1; } keepalive_requests 10000;",
        location=f"auth_saml_mode optional; {KEPT_ALIVE}",
        proxy="proxy_pass http://app;",
    )
    everybody = people(http_site, 5)
    http_site.upstream.clear()
    rng = random.Random(1)
    with RawConnection(http_site.url("/")) as connection:
        for batch in range(20):
            asked = [rng.choice(list(everybody)) for _ in range(rng.randint(1, 25))]
            lines = [
                f"GET /{batch}/{number} HTTP/1.1\r\nHost: app.example.com\r\nCookie: {everybody[who]}\r\n\r\n"
                for number, who in enumerate(asked)
            ]
            connection.send("".join(lines))  # pipelined
            for number, who in enumerate(asked):
                echo = connection.response().echo()
                assert echo.uri == f"/{batch}/{number}"
                assert echo.header("X-SSO-User") == (who or None)
    shared = users_by_connection(http_site)
    assert [*shared.values()] == [{who or None for who in everybody}], f"not all over one connection: {shared}"


def test_h2_h1_a_login_and_pages_in_one_pipeline(http_site: SamlSite, browser: Browser) -> None:
    http_site.start()
    message = http_site.idp.answer(http_site.idp.read_request(browser.get(http_site.url("/page"))))
    cookies = browser.cookies.header_for(message.acs_url, method="POST", cross_site=True)
    body = urlencode(message.form)
    head = f"Host: app.example.com\r\nCookie: {cookies}\r\n"
    form = "Content-Type: application/x-www-form-urlencoded"
    with RawConnection(http_site.url("/")) as connection:
        connection.send(
            f"GET /a HTTP/1.1\r\n{head}\r\n"
            f"POST /saml/acs HTTP/1.1\r\n{head}{form}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
            f"GET /b HTTP/1.1\r\n{head}\r\n"
            f"GET /saml/session HTTP/1.1\r\n{head}\r\n"
        )
        assert [connection.response().status for _ in range(4)] == [302, 303, 302, 401]


def test_h2_h1_streams_of_one_connection_never_mix(site: SamlSite) -> None:
    site.start(
        http="upstream app { server %%upstream%%; keepalive 4; }",
        location=f"auth_saml_mode optional; {KEPT_ALIVE}",
        proxy="proxy_pass http://app;",
        listen="http2",
    )
    everybody = people(site, 5)
    site.upstream.clear()
    rng = random.Random(2)
    asked = [rng.choice(list(everybody)) for _ in range(100)]
    bodies = many_streams(site, [everybody[who] for who in asked], at_once=10)
    for number, (who, body) in enumerate(zip(asked, bodies, strict=True)):
        echo = EchoedRequest.from_json(body)
        assert (echo.uri, echo.header("X-SSO-User")) == (f"/{number}", who or None)
    shared = [users - {None} for users in users_by_connection(site).values()]
    assert max(map(len, shared)) >= 2, f"no connection was of several users: {shared}"


def many_streams(site: SamlSite, cookies: list[str], *, at_once: int) -> list[bytes]:
    """One HTTP/2 connection with a stream for each of these cookies, so many at once."""
    bodies: dict[int, bytes] = {}
    with connect(site.base_url, alpn=["h2"]) as connection:
        state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
        state.initiate_connection()
        for start in range(0, len(cookies), at_once):
            opened = [
                open_stream(state, site, f"/{number}", cookies[number])
                for number in range(start, min(start + at_once, len(cookies)))
            ]
            bodies.update({stream: b"" for stream in opened})
            connection.sendall(state.data_to_send())
            read_streams(state, connection, set(opened), bodies)
    return [bodies[stream] for stream in sorted(bodies)]


def open_stream(state: h2.connection.H2Connection, site: SamlSite, path: str, cookie: str) -> int:
    stream = state.get_next_available_stream_id()
    authority = site.base_url.removeprefix("https://")
    headers = [(":method", "GET"), (":scheme", "https"), (":authority", authority), (":path", path)]
    crumbs = [("cookie", crumb) for crumb in cookie.split("; ")]
    state.send_headers(stream, [*headers, *crumbs], end_stream=True)
    return stream


def read_streams(
    state: h2.connection.H2Connection, connection: socket.socket, open_streams: set[int], bodies: dict[int, bytes]
) -> None:
    while open_streams:
        for event in state.receive_data(connection.recv(65536)):
            if isinstance(event, h2.events.DataReceived):
                bodies[event.stream_id] += event.data
                state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                open_streams.discard(event.stream_id)
            assert not isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)), event
        connection.sendall(state.data_to_send())


# WebSocket

UPGRADE = 'proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";'


def handshake(site: SamlSite, cookie: str) -> RawConnection:
    key = base64.b64encode(bytes(16)).decode()
    connection = RawConnection(site.url("/"))
    return connection.send(
        f"GET /socket HTTP/1.1\r\nHost: {site.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nCookie: {cookie}\r\nX-SSO-User: spoofed\r\n"
        f"Origin: {site.base_url}\r\n\r\n"
    )


def test_ws_websocket(site: SamlSite, browser: Browser) -> None:
    site.start(location=UPGRADE)
    with handshake(site, "a=1") as refused:
        answer = refused.response()
        assert (answer.status, answer.header("X-SSO-Login")) == (401, site.url("/saml/login"))
    assert site.upstream.requests == []
    site.login(browser)
    with handshake(site, browser.cookies.header_for(site.url("/")) or "") as connection:
        assert connection.response().status == 101
        echo = EchoedRequest.from_json(read_websocket_frame(connection.reader)[1])
        assert echo.all("X-SSO-User") == [USER] and echo.header("Cookie") is None
        for message in (b"hello", b"x" * 70_000):
            connection.send(websocket_frame(1, message, mask=b"mask"))
            assert read_websocket_frame(connection.reader) == (1, message)
        connection.send(websocket_frame(8, b"", mask=b"mask"))


# Other modules

STYLE = """<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform">
<xsl:template match="/"><xsl:value-of select="/greeting/@to"/></xsl:template></xsl:stylesheet>"""


@pytest.mark.skipif("SALLYPORT_NGINX" in os.environ, reason="Debian's modules fit Debian's nginx")
@pytest.mark.parametrize("ours_first", [False, True], ids=["ours_last", "ours_first"])
@pytest.mark.parametrize("name", sorted(each.name for each in DEBIAN_MODULES.glob("ngx_http_*.so")))
def test_order_beside_debians_modules(
    make_nginx: Callable[..., Nginx], upstream: EchoUpstream, idp: TestIdp, keys: KeyStore, name: str, ours_first: bool
) -> None:
    ours = str(module_under_test())
    nginx = make_nginx(saml=False, debian_modules=[ours, name] if ours_first else [name, ours])
    (nginx.folder / "style.xsl").write_text(STYLE)
    (nginx.folder / "greeting.xml").write_text('<!DOCTYPE greeting><greeting to="you"/>')
    site = SamlSite(nginx, upstream, idp, keys.tls("app.example.com"))
    xslt = "location = /greeting.xml { auth_saml test; root %%folder%%; types { text/xml xml; }"
    xslt += " xslt_stylesheet %%folder%%/style.xsl; }" if "xslt" in name else " }"
    site.start(locations=xslt, location="saml_require group=Platform;")
    for _ in range(3):
        browser = Browser()
        assert browser.get(site.url("/greeting.xml")).status == 302
        assert site.login(browser, "/page").echo().header("X-SSO-User") == USER
        page = browser.get(site.url("/greeting.xml"))
        assert page.status == 200
        assert "xslt" not in name or page.text.strip().endswith("you")
        upstream.clear()
        site.refused(Browser(), "/", mutate_bytes=lambda data: b"<!DOCTYPE x>" + data)
