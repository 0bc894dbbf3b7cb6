"""Where an identity must be, and must not be: inherited headers, connection headers, odd moments, odd clients."""

from __future__ import annotations

import socket

import pytest

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.idp_metadata import MetadataKey
from sallyport_testing.keys import KeyStore
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.saml_response import now
from sallyport_testing.site import SamlSite

ECHO = "proxy_pass http://%%upstream%%;"
USER = "student@example.com"
SESSION = "__Host-saml_session"
SPOOFED = [("X-SSO-User", "admin"), ("x_sso_groups", "root")]


# What the operator's own lines cannot undo

LEVELS = {
    "none": "",
    "http": "proxy_set_header X-Other 1;",
    "clears": 'proxy_set_header X-SSO-User ""; proxy_set_header X-Other 1;',
    "passes": "proxy_set_header X-Other $http_x_sso_user;",
    "copies": "proxy_set_header Host $host; proxy_set_header Connection \"\"; proxy_set_header Cookie $http_cookie;",
    "off": "proxy_pass_request_headers off; proxy_set_header X-Seen $saml_user;",
}


@pytest.mark.parametrize("outer", LEVELS, ids=[f"HDR-INHERIT-{name}" for name in LEVELS])
def test_proxy_set_header_at_any_level(http_site: SamlSite, browser: Browser, outer: str) -> None:
    """`proxy_set_header` of an inner level drops those of outer ones: identity headers stand on none of them."""
    http_site.start(
        http="underscores_in_headers on;" + LEVELS[outer],
        locations="".join(
            f"location /{inner}/ {{ auth_saml test; {LEVELS[inner]} {ECHO} }}"
            f"location /{inner}-public/ {{ {LEVELS[inner]} {ECHO} }}"
            for inner in LEVELS
        ),
    )
    http_site.login(browser)
    for inner in LEVELS:
        lines = LEVELS[inner] or LEVELS[outer]
        echo = browser.get(http_site.url(f"/{inner}/"), headers=SPOOFED).echo()
        assert not {"admin", "root"} & {value for _, value in echo.headers}, inner
        gone = 'X-SSO-User ""' in lines or "request_headers off" in LEVELS[inner] + LEVELS[outer]
        assert echo.header("X-SSO-User") == (None if gone else USER), inner
        assert "saml_session" not in (echo.header("Cookie") or "")
        public = browser.get(http_site.url(f"/{inner}-public/"), headers=SPOOFED).echo()
        assert public.with_prefix("X-SSO-") == {}, inner
        assert not {"admin", "root", USER} & {value for _, value in public.headers}, inner


# What a client can do around a header


@pytest.mark.parametrize(
    "lines",
    [
        "Connection: X-SSO-User\r\n", "Connection: close, X-SSO-User, X-SSO-Groups\r\n",
        "Connection: keep-alive\r\nProxy-Connection: X-SSO-User\r\n", "Keep-Alive: X-SSO-User\r\n",
        "TE: trailers, X-SSO-User\r\n", "Upgrade: X-SSO-User\r\n", "Trailer: X-SSO-User\r\n",
        "X-SSO-User: admin\r\n folded\r\n", "X-SSO-User : admin\r\n", "X-SSO-User\t: admin\r\n", " X-SSO-User: admin\r\n",
        "X-SSO-User:admin\r\n", "X-SSO-User:\tadmin\r\n", "X-SSO-User:   admin   \r\n", "X-SSO-User: admin\r\r\n",
        "X-SSO-User\r\n", ": admin\r\n", "X-SSO-User:: admin\r\n", "X-A: 1\nX-SSO-User: admin\r\n",
        "X-A: 1\rX-SSO-User: admin\r\n", "X-SSO-User: admin\nX-SSO-Groups: root\r\n", "X\x2dSSO\x2dUser: admin\r\n",
        "X-SSO-User\0: admin\r\n", "X-SSO-User: admin\0\r\n", "\xd8-SSO-User: admin\r\n", "X-SSO-Us\xe9r: admin\r\n",
    ],
    ids=lambda lines: f"HDR-SPOOF-{lines!r}"[:50],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/page", "/public/"])
def test_lines_around_our_names(http_site: SamlSite, browser: Browser, path: str, lines: str) -> None:
    """Named as a hop's own, folded, spaced, cut: the application sees what we say, or nothing."""
    http_site.start(http="underscores_in_headers on;", locations=f"location /public/ {{ {ECHO} }}")
    http_site.login(browser)
    http_site.upstream.clear()
    cookie = browser.cookies.header_for(http_site.url("/"))
    head = f"GET {path} HTTP/1.1\r\nHost: {http_site.host}\r\nCookie: {cookie}\r\n{lines}\r\n"
    with RawConnection(http_site.base_url) as connection:
        assert connection.send(head).response().status in (200, 400)
    for seen in http_site.upstream.requests:
        assert seen.all("X-SSO-User") == ([USER] if path == "/page" else [])
        assert not [value for _, value in seen.headers if "admin" in value or "root" in value]


def test_hdr_spoof_in_trailers(http_site: SamlSite, browser: Browser) -> None:
    """Trailers of a chunked body are no headers, wherever they go."""
    http_site.start(location="proxy_http_version 1.1; proxy_request_buffering off;")
    http_site.login(browser)
    http_site.upstream.clear()
    cookie = browser.cookies.header_for(http_site.url("/"))
    with RawConnection(http_site.base_url) as connection:
        connection.send(
            f"POST /page HTTP/1.1\r\nHost: {http_site.host}\r\nCookie: {cookie}\r\nTrailer: X-SSO-User\r\n"
            "Transfer-Encoding: chunked\r\n\r\n3\r\na=b\r\n0\r\nX-SSO-User: admin\r\nX-SSO-Groups: root\r\n\r\n"
        )
        echo = connection.response().echo()
    assert (echo.body, echo.header("X-SSO-User")) == ("a=b", USER)
    assert not [value for _, value in echo.headers if value in ("admin", "root")]


def test_hdr_sign_the_reserved_name_is_nobodys(http_site: SamlSite, browser: Browser) -> None:
    """HDR-SIGN: identities are not signed yet (docs/security.md says how to place the application); the name that
    a signed one will have cannot be sent by a client meanwhile."""
    http_site.start(http="underscores_in_headers on;", locations=f"location /public/ {{ {ECHO} }}")
    http_site.login(browser)
    for path in ("/page", "/public/"):
        for name in ("X-SSO-Assertion", "x_sso_assertion", "X-Sso-ASSERTION"):
            echo = browser.get(http_site.url(path), headers=[(name, "forged")]).echo()
            assert "forged" not in [value for _, value in echo.headers]


# Moments without an identity


def test_hdr_anon_when_the_session_has_ended(clocked_site: SamlSite) -> None:
    """HDR-ANON: ended by time, by a logout, by the IdP's end: absent, never stale and never empty."""
    site = clocked_site.start(
        server="saml_session_timeout 1h;",
        location="auth_saml_mode optional; proxy_set_header X-Variable $saml_user;",
        locations=f"location /in/ {{ auth_saml test; {ECHO} }}",
    )

    def seen(browser: Browser) -> dict[str, str]:
        echo = browser.get(site.url("/page"), headers=SPOOFED).echo()
        return {**echo.with_prefix("X-SSO-"), **echo.with_prefix("X-Variable")}

    ended, left, cut = Browser(), Browser(), Browser()
    site.login(ended, "/in/")
    site.login(left, "/in/")
    site.login(cut, "/in/", session_not_on_or_after=now(600))
    assert all(seen(browser)["X-SSO-User"] == USER for browser in (ended, left, cut))
    session = left.cookies.get(SESSION)
    assert session is not None
    left.post(site.url("/saml/logout"), {})
    left.cookies.put(site.url(), f"{SESSION}={session.value}; Path=/; Secure; HttpOnly")
    assert seen(left) == {}
    site.nginx.clock.shift(605)
    assert seen(cut) == {} and seen(ended)["X-SSO-User"] == USER
    site.nginx.clock.shift(3605)
    assert seen(ended) == {} and seen(cut) == {}


def test_hdr_anon_where_another_module_let_them_in(http_site: SamlSite, browser: Browser) -> None:
    """HDR-ANON: `satisfy any` passed by address."""
    http_site.start(locations=f"location /any/ {{ satisfy any; allow 127.0.0.1; deny all; auth_saml test; {ECHO} }}")
    assert browser.get(http_site.url("/any/"), headers=SPOOFED).echo().with_prefix("X-SSO-") == {}
    http_site.login(browser)
    assert browser.get(http_site.url("/any/"), headers=SPOOFED).echo().header("X-SSO-User") == USER


# Clients that would be something special elsewhere

AGENTS = [
    "kube-probe/1.27", "GoogleHC/1.0", "ELB-HealthChecker/2.0", "HAProxy", "Consul Health Check", "curl/8", "",
    "Prometheus/2.0", "Mozilla/5.0 (compatible; bingbot/2.0)",
]  # fmt: skip
HEALTH_PATHS = ["/health", "/healthz", "/ping", "/ready", "/live", "/metrics", "/robots.txt", "/favicon.ico", "/oauth2/x"]


def test_hc_ua_nobody_is_excepted_for_what_they_say_they_are(http_site: SamlSite) -> None:
    """HC-UA: no user agent and no path is let through by itself."""
    http_site.start()
    for path in HEALTH_PATHS:
        for agent in AGENTS:
            answer = Browser().request("GET", http_site.url(path), headers=[("User-Agent", agent)])
            assert answer.status == 302, (path, agent)
    assert http_site.upstream.requests == []


def test_ecp_headers_are_ignored(http_site: SamlSite) -> None:
    """ECP: no SOAP envelope, no exception; a client that cannot show HTML is told to log in."""
    http_site.start()
    version = 'ver="urn:liberty:paos:2003-08";"urn:oasis:names:tc:SAML:2.0:profiles:SSO:ecp"'
    for accept, status in (
        ("text/html, application/vnd.paos+xml", 302), ("application/vnd.paos+xml", 401), ("*/*", 302),
    ):  # fmt: skip
        for method in ("GET", "HEAD", "POST"):
            headers = [("Accept", accept), ("PAOS", version), ("Content-Type", "application/vnd.paos+xml")]
            answer = Browser().request(method, http_site.url("/page"), headers=headers, body=None)
            assert answer.status in (status, 401), (accept, method)
            assert b"Envelope" not in answer.body and "soap" not in answer.text.lower()
    assert http_site.upstream.requests == []


# What is asked for and what is answered


@pytest.mark.parametrize("asked", [names.PERSISTENT, names.EMAIL, names.ENTITY], ids=lambda each: each[-12:])
def test_format_of_the_name_is_a_wish(site: SamlSite, asked: str) -> None:
    """FORMAT: `name_id_format` is what the request asks; an answer with another stable format is taken as it was
    signed (IdPs overrule the wish), and a transient one never is."""
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml")
    site.start(idp_block=f"metadata {metadata}; name_id_format {asked};")
    browser = Browser()
    assert site.idp.read_request(browser.get(site.url("/"))).name_id_format == asked
    for sent in (names.PERSISTENT, names.EMAIL, "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified", "urn:x", None):
        assert site.login(Browser(), name_id_format=sent).echo().header("X-SSO-User") == USER
    site.refused(Browser(), name_id_format=names.TRANSIENT)
    site.nginx.wait_for_log("reason=no_stable_user")


# Keys of metadata


def test_meta_key_what_may_verify(site: SamlSite, keys: KeyStore) -> None:
    """META-KEY: without `use`, EC, RSA of 2048 bits and more: taken. Weak ones, and KeyValue alone: an IdP without a
    key, which `nginx -t` refuses."""
    folder = site.nginx.folder
    for kind, good in (("rsa2048", True), ("rsa4096", True), ("ec256", True), ("ec521", True), ("rsa1024", False)):
        key = keys.get(f"idp-{kind}", kind)
        for use in ("signing", None):
            metadata = site.idp.write_metadata(folder / "m.xml", keys=[MetadataKey(key, use)])
            result = site.configure(idp_block=f"metadata {metadata};").nginx.test()
            assert result.ok is good, (kind, use, result.output)
            assert good or "metadata" in result.output
    certificate = keys.get("idp").certificate_base64
    xml = site.idp.metadata().decode()
    assert certificate in "".join(xml.split())
    start, end = xml.index("<ds:X509Data>"), xml.index("</ds:X509Data>") + len("</ds:X509Data>")
    value = "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus><ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    for inside in (value, "<ds:KeyName>idp</ds:KeyName>", ""):
        (folder / "m.xml").write_text(xml[:start] + inside + xml[end:])
        assert not site.configure(idp_block=f"metadata {folder / 'm.xml'};").nginx.test().ok, inside


def test_ws_event_streams_without_a_session(http_site: SamlSite) -> None:
    """WS: what stays open for long is told 401 before anything is opened."""
    http_site.start()
    for headers in (
        [("Accept", "text/event-stream")],
        [("Upgrade", "websocket"), ("Connection", "Upgrade")],
        [("Upgrade", "h2c"), ("Connection", "Upgrade, HTTP2-Settings"), ("HTTP2-Settings", "AAMAAABkAAQAAP__")],
        [("Content-Type", "application/grpc"), ("TE", "trailers")],
    ):
        method = "POST" if headers[0][0] == "Content-Type" else "GET"
        answer = Browser().request(method, http_site.url("/stream"), headers=headers)
        assert answer.status in (302, 401)
        assert answer.status == 401 or headers[0][1] == "h2c"
    assert http_site.upstream.requests == []


def test_dos_slowpost_connections_that_say_nothing(http_site: SamlSite) -> None:
    """DOS-SLOWPOST: idle connections in the middle of a head at the ACS hold nobody up."""
    http_site.start()
    held = []
    try:
        for number in range(150):
            connection = socket.create_connection(("127.0.0.1", http_site.nginx.port("site")))
            connection.sendall(b"POST /saml/acs HTTP/1.1\r\nHost: app.example.com\r\n"[: 5 + number % 40])
            held.append(connection)
        assert http_site.login(Browser(), "/page").status == 200
    finally:
        for connection in held:
            connection.close()
