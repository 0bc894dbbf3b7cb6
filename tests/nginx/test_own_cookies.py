"""Our cookies stay between the browser and nginx; the cookies of others pass untouched."""

from __future__ import annotations

from pathlib import Path

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.cookies import parse_set_cookie
from sallyport_testing.http_client import http1
from sallyport_testing.paths import nginx_binary
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.site import SamlSite

NAME = "__Host-saml_session"
ATTEMPT = f"{NAME}.{'A' * 16}"
PUBLIC = "location /public/ { proxy_pass http://%%upstream%%; }"


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        ("SESSION", None),
        ("SESSION; a=1", "a=1"),
        ("a=1; SESSION", "a=1"),
        ("a=1; SESSION; b=2", "a=1; b=2"),
        ("a=1;SESSION;b=2", "a=1;b=2"),
        (f"{ATTEMPT}=x; SESSION", None),
        (f"{ATTEMPT}=x; a=1;  b=2; SESSION", "a=1;  b=2"),
        (f'a="x y"; {ATTEMPT}=; b=%20=; SESSION', 'a="x y"; b=%20='),
        (f"{NAME}s=1; SESSION; x{NAME}=2; {NAME}.short=3", f"{NAME}s=1; x{NAME}=2; {NAME}.short=3"),
        ("SESSION; b; =c; d=", "b; =c; d="),
    ],
    ids=lambda value: str(value)[:40],
)
@pytest.mark.parametrize("path", ["/page", "/public/"])
def test_cookie_strip_what_the_upstream_sees_of_a_cookie_header(
    site: SamlSite, browser: Browser, path: str, sent: str, seen: str | None
) -> None:
    site.start(locations=PUBLIC)
    site.login(browser)
    session = browser.cookies.get(NAME)
    assert session is not None
    header = sent.replace("SESSION", f"{NAME}={session.value}")
    echo = browser.request("GET", site.url(path), headers=[("Cookie", header), ("X-Behind", "1")]).echo()
    assert echo.header("Cookie") == seen
    assert echo.header("X-Behind") == "1"
    assert (echo.header("X-SSO-User") is not None) == (path == "/page")


def test_cookie_strip_several_cookie_headers(site: SamlSite, browser: Browser) -> None:
    site.start()
    site.login(browser)
    session = f"{NAME}={browser.cookies.get(NAME).value}"  # type: ignore[union-attr]
    for lines, seen in (
        (["a=1", session, "b=2"], ["a=1", "b=2"]),
        ([session, f"{ATTEMPT}=x"], []),
        ([f"a=1; {session}", f"{ATTEMPT}=x; b=2"], ["a=1", "b=2"]),
        (["a=1", "b=2", f"c=3; {session}"], ["a=1", "b=2", "c=3"]),
    ):
        headers = [("Cookie", line) for line in lines]
        echo = browser.request("GET", site.url("/"), headers=headers).echo()
        assert echo.all("Cookie") == seen, lines
        assert echo.header("X-SSO-User") == "student@example.com"


def test_cookie_strip_http2_crumbs(site: SamlSite) -> None:
    site.start(listen="http2")
    browser = Browser(http2=True)
    site.login(browser)
    session = f"{NAME}={browser.cookies.get(NAME).value}"  # type: ignore[union-attr]
    for crumbs, seen in (
        (["a=1", session, "b=2"], "a=1; b=2"),
        ([session], None),
        ([session, f"{ATTEMPT}=x"], None),
        ([f"{ATTEMPT}=x", "a=1", session], "a=1"),
    ):
        headers = [("cookie", crumb) for crumb in crumbs]
        echo = browser.request("GET", site.url("/"), headers=headers).echo()
        assert echo.header("cookie") == seen, crumbs
        assert echo.header("x-sso-user") == "student@example.com"


@pytest.mark.parametrize("order", [("SESSION", "evil"), ("evil", "SESSION"), ("SESSION", "SESSION")])
@pytest.mark.parametrize("lines", [1, 2], ids=["one_line", "two_lines"])
def test_cookie_multi_a_doubled_session_cookie_counts_as_none(
    site: SamlSite, browser: Browser, order: tuple[str, str], lines: int
) -> None:
    site.start()
    site.login(browser)
    session = browser.cookies.get(NAME)
    assert session is not None
    cookies = [f"{NAME}={session.value if each == 'SESSION' else 'x' * 43}" for each in order]
    headers = [("Cookie", each) for each in (cookies if lines == 2 else ["; ".join(cookies)])]
    assert browser.request("GET", site.url("/"), headers=headers).status == 302


def test_cookie_multi_logging_out_ends_all_of_them(site: SamlSite, browser: Browser) -> None:
    """Nobody can tell which is the user's: "you are logged out" must be true."""
    site.start()
    site.login(browser)
    session = browser.cookies.get(NAME)
    assert session is not None
    both = [("Cookie", f"{NAME}={'A' * 43}; {NAME}={session.value}")]
    assert http1("POST", site.url("/saml/logout"), both).status == 200
    assert browser.get(site.url("/")).status == 302


def test_a_cookie_name_of_ones_own(site: SamlSite, browser: Browser) -> None:
    site.start(server="saml_cookie who;")
    site.login(browser)
    browser.cookies.put(site.url("/"), "saml_session=other; Path=/")
    assert browser.cookies.get("__Host-who") is not None
    assert browser.get(site.url("/")).echo().cookies() == {"saml_session": "other"}


def test_cookie_strip_servers_that_share_the_host(http_site: SamlSite, browser: Browser) -> None:
    """A cookie knows no port: the application behind the open server must not see the session either."""
    http_site.start(
        http="""
            server { listen 127.0.0.1:%%port:open%%; location / { proxy_pass http://%%upstream%%; } }
            server {
                listen 127.0.0.1:%%port:other%%; server_name app.example.com; saml_cookie other;
                saml_entity_id https://app.example.com/other; saml_base_url http://app.example.com:%%port:other%%;
                location / { auth_saml test; auth_saml_mode optional; proxy_pass http://%%upstream%%; }
            }
        """
    )
    http_site.login(browser)
    session = browser.cookies.get("saml_session")
    assert session is not None
    sent = f"=x; a=1; saml_session={session.value}; other={session.value}; saml_session.{'A' * 16}=x; .b=2"
    for port in ("open", "other", "site"):
        url = f"http://app.example.com:{http_site.nginx.port(port)}/"
        echo = browser.request("GET", url, headers=[("Cookie", sent)]).echo()
        assert echo.header("Cookie") == "=x; a=1; .b=2", port
        assert (echo.header("X-SSO-User") is not None) == (port == "site")


PLANTED = [
    (f"{NAME}=evil; Path=/; Secure", False),
    (f"{NAME} =evil; Path=/; Secure", False),
    (f"{NAME}=", False),
    (f"{NAME}", False),
    (f"={NAME}=evil; Path=/; Secure", False),
    (f"{ATTEMPT}=evil; Path=/; Secure", False),
    ("app=1; Path=/", True),
    (f"{NAME}s=1; Path=/", True),
    (f"x={NAME}; Path=/", True),
    (f"x=1; Path=/{NAME}=", True),
    ("=nameless", True),
]


@pytest.mark.parametrize("path", ["/set-cookie", "/public/set-cookie"])
def test_cookie_strip_the_upstream_cannot_set_our_cookies(site: SamlSite, browser: Browser, path: str) -> None:
    site.start(locations=PUBLIC)
    site.login(browser)
    raw = [line.replace("=", "%3D").replace(";", "%3B").replace(" ", "%20") for line, _ in PLANTED]
    answer = browser.get(site.url(path + "?" + "&".join(f"raw={line}" for line in raw)))
    assert answer.all("Set-Cookie") == [line for line, kept in PLANTED if kept]
    assert browser.get(site.url("/page")).echo().header("X-SSO-User") == "student@example.com"


def test_cookie_strip_early_hints(http_site: SamlSite, browser: Browser) -> None:
    if b"early_hints" not in Path(nginx_binary()).read_bytes():
        pytest.skip("this nginx passes no early hints on")
    http_site.start(locations="location /public/ { early_hints 1; proxy_http_version 1.1; proxy_pass http://%%upstream%%; }")
    with RawConnection(http_site.url("/")) as connection:
        for line, kept in (("saml_session=planted; Path=/", False), ("app=1", True)):
            connection.send(f"GET /public/early-hints?raw={line.replace(' ', '%20')} HTTP/1.1\r\nHost: {http_site.host}\r\n\r\n")
            early = connection.reader.until(b"\r\n\r\n").decode("latin-1")
            assert early.startswith("HTTP/1.1 103 ") and "\r\nLink: " in early
            assert (f"\r\nSet-Cookie: {line}" in early) == kept and ("Set-Cookie" in early) == kept
            assert connection.response().status == 200


@pytest.mark.parametrize(
    ("locations", "path"),
    [
        ("location /away/ { proxy_pass http://%%upstream%%; }", "/away/x-accel?to=/page"),
        (
            "location /away/ { proxy_intercept_errors on; error_page 404 = /page; proxy_pass http://%%upstream%%; }",
            "/away/status/404",
        ),
        (
            "location /away/ { proxy_intercept_errors on; error_page 401 = /saml/login;"
            " proxy_pass http://%%upstream%%; }",
            "/away/status/401",
        ),
    ],
    ids=["x_accel", "error_page", "login_endpoint"],
)
def test_an_upstream_on_the_way_does_not_cost_us_our_own_cookies(
    site: SamlSite, browser: Browser, locations: str, path: str
) -> None:
    site.start(locations=locations)
    started = browser.get(site.url(path))
    request = site.idp.read_request(started)
    names = [parse_set_cookie(line).name for line in started.all("Set-Cookie")]
    assert len(names) == 1 and names[0].startswith(NAME + "."), "the attempt's cookie was lost"
    assert site.idp.post(browser, site.idp.answer(request)).status == 303


def test_cookie_strip_an_upstream_without_auth_saml_cannot_set_our_cookies(
    http_site: SamlSite, browser: Browser
) -> None:
    http_site.start(http="""
        server {
            listen 127.0.0.1:%%port:other%%;
            server_name app.example.com;
            location / { proxy_pass http://%%upstream%%; }
        }""")
    other = f"http://app.example.com:{http_site.nginx.port('other')}"
    answer = browser.get(f"{other}/set-cookie?raw=saml_session%3Devil&raw=theme%3Ddark")
    assert answer.all("Set-Cookie") == ["theme=dark"]
