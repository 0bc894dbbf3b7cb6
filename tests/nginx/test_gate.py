"""Who is sent to a login, who is told, who is refused: auth_saml and what stands beside it in a location."""

from __future__ import annotations

import re

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.raw_http import RawConnection, raw_request
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite

ECHO = "proxy_pass http://%%upstream%%;"
HTML = "text/html,application/xhtml+xml,*/*;q=0.8"
Headers = list[tuple[str, str]]


def kind_of(site: SamlSite, response: Response) -> str:
    """What became of a request without a session; each kind is checked in full."""
    if response.status in (200, 403, 404):
        return str(response.status)
    assert response.header("Cache-Control") == "no-store"
    if response.status == 302:
        if response.method in ("GET", "HEAD"):
            site.idp.read_request(response)
        return "redirect"
    assert response.status == 401
    if response.header("WWW-Authenticate") is None:
        assert 'href="' in response.text and response.header("X-SSO-Login") is None
        return "form page"
    assert response.header("WWW-Authenticate") == "SAML"
    assert response.header("X-SSO-Login") == site.url("/saml/login")
    assert response.all("Set-Cookie") == []
    return "401"


# Without a session

CLIENTS: dict[str, tuple[str, Headers, str]] = {
    "bare": ("GET", [], "redirect"),
    "bare_head": ("HEAD", [], "redirect"),
    "page": ("GET", [("Accept", HTML)], "redirect"),
    "anything": ("GET", [("Accept", "*/*")], "redirect"),
    "navigation": ("GET", [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")], "redirect"),
    "iframe": ("GET", [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")], "redirect"),
    "xhr": ("GET", [("Accept", HTML), ("X-Requested-With", "XMLHttpRequest")], "401"),
    "fetch": ("GET", [("Accept", "*/*"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")], "401"),
    "fetch_same_origin": ("GET", [("Sec-Fetch-Mode", "same-origin"), ("Sec-Fetch-Dest", "empty")], "401"),
    "image": ("GET", [("Accept", "image/*"), ("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")], "401"),
    "json": ("GET", [("Accept", "application/json")], "401"),
    "json_head": ("HEAD", [("Accept", "application/json")], "401"),
    "no_html": ("GET", [("Accept", "text/html;q=0, application/json")], "401"),
    "event_stream": ("GET", [("Accept", "text/event-stream")], "401"),
    "websocket": (
        "GET",
        [("Upgrade", "websocket"), ("Connection", "Upgrade"), ("Sec-WebSocket-Key", "x" * 22 + "=="),
         ("Sec-WebSocket-Version", "13")],
        "401",
    ),
    "grpc": ("POST", [("Content-Type", "application/grpc"), ("TE", "trailers")], "401"),
    "grpc_proto": ("POST", [("Content-Type", "application/grpc+proto")], "401"),
    "put": ("PUT", [("Accept", HTML)], "401"),
    "delete": ("DELETE", [], "401"),
    "propfind": ("PROPFIND", [("Depth", "0")], "401"),
    "unknown_method": ("BREW", [], "401"),
    "options": ("OPTIONS", [], "401"),
    "preflight": ("OPTIONS", [("Origin", "https://a.example"), ("Access-Control-Request-Method", "PUT")], "401"),
    "form": ("POST", [("Accept", HTML), ("Content-Type", "application/x-www-form-urlencoded")], "form page"),
    "form_navigation": (
        "POST", [("Accept", HTML), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")], "form page",
    ),
    "json_post": ("POST", [("Accept", "application/json"), ("Content-Type", "application/json")], "401"),
    "fetch_post": ("POST", [("Accept", "*/*"), ("Sec-Fetch-Mode", "cors"), ("Sec-Fetch-Dest", "empty")], "401"),
    "ecp": ("GET", [("Accept", "application/vnd.paos+xml"), ("PAOS", 'ver="urn:liberty:paos:2003-08"')], "401"),
}  # fmt: skip


def test_cors_401_who_is_redirected_and_who_is_told(site: SamlSite) -> None:
    site.start(
        locations=f"""
            location /always/ {{ auth_saml test; saml_unauthenticated redirect; {ECHO} }}
            location /never/ {{ auth_saml test; saml_unauthenticated 401; {ECHO} }}
            location /auto/ {{ auth_saml test; saml_unauthenticated auto; {ECHO} }}
        """
    )
    for name, (method, headers, expected) in CLIENTS.items():
        body = b"a=b" if method in ("POST", "PUT") else None
        for path, result in (("/", expected), ("/auto/", expected), ("/always/", "redirect"), ("/never/", "401")):
            response = Browser().request(method, site.url(path), headers=headers, body=body)
            assert kind_of(site, response) == result, f"{name} at {path}"
    assert site.upstream.requests == [], "a request without a session reached the upstream"


def test_who_is_redirected_over_http2(site: SamlSite) -> None:
    site.start(listen="http2")
    for name, (method, headers, expected) in CLIENTS.items():
        if name in ("websocket", "unknown_method"):
            continue
        lowered = [(key.lower(), value) for key, value in headers]
        response = Browser(http2=True).request(method, site.url("/"), headers=lowered)
        assert kind_of(site, response) == expected, name
    assert site.upstream.requests == []


def test_the_login_header_has_the_prefix_of_the_location(site: SamlSite) -> None:
    site.start(
        location="saml_headers Remote-;", locations=f"location /off {{ auth_saml test; saml_headers off; {ECHO} }}"
    )
    json = [("Accept", "application/json")]
    assert Browser().request("GET", site.url("/"), headers=json).header("Remote-Login") == site.url("/saml/login")
    assert Browser().request("GET", site.url("/off"), headers=json).header("X-SSO-Login") == site.url("/saml/login")


def test_post_loss_a_form_that_was_not_sent(site: SamlSite, browser: Browser) -> None:
    site.start(server="client_max_body_size 2m;")
    page = browser.post(site.url("/orders?draft=1"), {"text": "x" * 500_000})
    assert kind_of(site, page) == "form page"
    assert "not sent" in page.text.lower()
    link = re.search(r'href="([^"]*/saml/login[^"]*)"', page.text)
    assert link is not None
    answer = site.idp.login(browser, link[1].replace("&amp;", "&"))
    assert browser.follow(answer).echo().uri == "/orders?draft=1"
    assert [each.method for each in site.upstream.requests] == ["GET"]
    assert browser.post(site.url("/orders"), {"text": "y"}).echo().body == "text=y"


def test_cors_401_preflights(site: SamlSite, browser: Browser) -> None:
    site.start(location="saml_allow_preflight on;", locations=f"location /off/ {{ auth_saml test; {ECHO} }}")
    asks = ("Access-Control-Request-Method", "PUT")
    origin = ("Origin", "https://other.example.com")
    for method, headers, status in (
        ("OPTIONS", [origin, asks], 200),
        ("OPTIONS", [origin], 401),
        ("OPTIONS", [asks], 401),
        ("OPTIONS", [], 401),
        ("GET", [origin, asks], 302),
        ("PUT", [origin, asks], 401),
        ("POST", [origin, asks, ("X-HTTP-Method-Override", "OPTIONS")], 401),
    ):
        response = browser.request(method, site.url("/"), headers=headers)
        assert response.status == status, (method, headers)
        if status == 200:
            assert response.echo().with_prefix("X-SSO-") == {}
    assert browser.request("OPTIONS", site.url("/off/"), headers=[origin, asks]).status == 401
    site.login(browser)
    echo = browser.request("OPTIONS", site.url("/"), headers=[origin, asks]).echo()
    assert echo.header("X-SSO-User") == "student@example.com"


def test_hdr_anon_optional(site: SamlSite, browser: Browser) -> None:
    site.start(location="auth_saml_mode optional;", locations=f"location /strict/ {{ auth_saml test; {ECHO} }}")
    for method, headers, _ in CLIENTS.values():
        if headers and headers[0][0] != "Upgrade":
            answer = Browser().request(method, site.url("/"), headers=headers)
            assert answer.status == 200, (method, headers)
    assert all(each.with_prefix("X-SSO-") == {} for each in site.upstream.requests)
    bad = [("Cookie", "__Host-saml_session=" + "A" * 43)]
    assert Browser().request("GET", site.url("/"), headers=bad).echo().with_prefix("X-SSO-") == {}
    site.login(browser, "/strict/")
    assert browser.get(site.url("/")).echo().header("X-SSO-User") == "student@example.com"
    browser.request("POST", site.url("/saml/logout"))
    browser.cookies.clear()
    assert browser.get(site.url("/")).echo().header("X-SSO-User") is None


@pytest.mark.parametrize(
    "cookie",
    ["", "x", "A" * 42, "A" * 43, "A" * 44, "-" * 43, "%41" * 14, "A" * 4000, '"' + "A" * 43 + '"', "A" * 42 + "="],
    ids=lambda value: value[:20] + str(len(value)),
)
def test_cookies_that_are_no_session(site: SamlSite, cookie: str) -> None:
    site.start()
    headers = [("Cookie", f"__Host-saml_session={cookie}")]
    assert Browser().request("GET", site.url("/"), headers=headers).status == 302
    assert site.upstream.requests == []


# Requirements

PERSON = [
    Attribute("email", ["Student@Example.com"]),
    Attribute("space_name", ["Trial", "DevOps", "a:b"]),
    Attribute("space_role", ["Admin", "Guest", "Owner"]),
    Attribute("groups", ["Engineering", "Platform", "R&D, worldwide", "100%"]),
    Attribute("urn:oid:2.5.4.11", ["R&D", "Sales"]),
    Attribute("title", ["Lead Engineer"]),
]
REQUIREMENTS = [
    ("user=student@example.com", True),
    ("user=Student@example.com", False),
    ("user=student@example.co", False),
    ("email=student@example.com", True),
    ("email=STUDENT@EXAMPLE.COM", True),
    ("email=example.com", False),
    ("idp=test", True),
    ("idp=$arg_idp", False),
    ("space=Trial", True),
    ("space=trial", False),
    ("space=Trial:Admin", True),
    ("space=Trial:Guest", False),
    ("space=DevOps:Guest", True),
    ("space=a:b:Owner", True),
    ("space=Trial:$arg_absent", False),
    ("role=Guest", True),
    ("role=Nobody", False),
    ("group=Engineering", True),
    ("group=engineering", False),
    ("group=Engineering,Platform", False),
    ("group=100%", True),
    ('"group=R&D, worldwide"', True),
    ('"group=R&D"', False),
    ("group=R%26D", False),
    ('"attr:urn:oid:2.5.4.11=R&D"', True),
    ("attr:urn:oid:2.5.4.11=Sales", True),
    ("attr:department=Sales", False),
    ('"attr:title=Lead Engineer"', True),
    ("attr:Title=Lead", False),
    ("attr:none=x", False),
    ("group=Nobody group=Platform", True),
    ("group=Nobody role=Nobody user=x", False),
    ("group=Platform; saml_require role=Admin", True),
    ("group=Platform; saml_require role=Nobody", False),
    ("group=Nobody; saml_require role=Admin", False),
    ("group=$arg_team", True),
    ("group=$arg_wrong", False),
    ("group=$arg_absent", False),
    ("group=$arg_empty", False),
    ("space=$arg_space:Admin", True),
    ("space=$arg_absent:Admin", False),
    ("user=$saml_user", True),
    ("group=$arg_absent group=Platform", True),
]
ARGUMENTS = "?idp=Test&team=Platform&wrong=Nobody&empty=&space=Trial"


def test_requirements(site: SamlSite, browser: Browser) -> None:
    site.start(
        locations="".join(
            f"location /r{number} {{ auth_saml test; saml_require {line}; {ECHO} }}"
            for number, (line, _) in enumerate(REQUIREMENTS)
        )
    )
    assert browser.get(site.url("/r1")).status == 302, "who is not logged in is not refused but sent to log in"
    site.login(browser, attributes=PERSON)
    results = [browser.get(site.url(f"/r{number}{ARGUMENTS}")).status for number in range(len(REQUIREMENTS))]
    wrong = [
        f"{line}: {status}"
        for (line, allowed), status in zip(REQUIREMENTS, results, strict=True)
        if status != (200 if allowed else 403)
    ]
    assert wrong == []


def test_requirements_are_inherited(site: SamlSite, browser: Browser) -> None:
    site.start(
        http="saml_require group=Engineering;",
        server="auth_saml test; saml_require group=Platform;",
        locations=f"""
            location /more/ {{ saml_require user=nobody; {ECHO}
                location /more/inner/ {{ {ECHO} }}
                location /more/off/ {{ saml_require off; {ECHO} }}
                location /more/anew/ {{ saml_require off; saml_require group=Sales; {ECHO} }}
            }}
            location /public/ {{ auth_saml off; {ECHO} }}
        """,
    )
    people = {"both": ["Engineering", "Platform"], "one": ["Platform"], "none": [], "sales": ["Sales"]}
    expected = {
        "/": ["both"], "/more/": [], "/more/inner/": [], "/more/off/": list(people), "/more/anew/": ["sales"],
        "/public/": list(people),
    }  # fmt: skip
    for person, groups in people.items():
        browser = Browser()
        site.login(browser, "/more/off/", attributes=[Attribute("groups", groups)] if groups else ())
        for path, allowed in expected.items():
            status = browser.get(site.url(path)).status
            assert status == (200 if person in allowed else 403), f"{person} at {path}"


def test_the_page_of_a_refusal(site: SamlSite, browser: Browser) -> None:
    log = site.nginx.folder / "who.log"
    site.start(
        http=f"log_format who '$uri $status $saml_user $saml_error'; access_log {log} who;",
        locations=f'location /admin {{ auth_saml test; saml_require group=Admins "attr:a<b=x\\"y"; {ECHO} }}',
    )
    site.login(browser)
    before = len(site.upstream.requests)
    page = browser.get(site.url("/admin"))
    assert (page.status, page.header("Cache-Control")) == (403, "no-store")
    assert len(site.upstream.requests) == before
    assert "Admins" in page.text and "a<b" not in page.text
    for header in ("Content-Security-Policy", "X-Content-Type-Options"):
        assert page.header(header)
    reference = re.search(r"<code>([0-9a-f]{8})</code>", page.text)
    assert reference is not None
    site.nginx.wait_for_log(
        rf"\[error\].*saml: access refused reason=forbidden user=student@example\.com ref={reference[1]} .*group=Admins"
    )
    site.nginx.stop()
    assert "/admin 403 student@example.com forbidden" in log.read_text().splitlines()


@pytest.mark.parametrize(
    ("error_page", "status"),
    [
        ("error_page 403 /sorry;", 403),
        ("error_page 403 =404 /sorry;", 404),
        ("error_page 403 = /sorry;", 200),
        ("error_page 403 @sorry;", 403),
    ],
    ids=["page", "other_status", "status_of_the_page", "named"],
)
def test_the_operators_own_403(site: SamlSite, browser: Browser, error_page: str, status: int) -> None:
    site.start(
        server=error_page,
        locations=f"""
            location /admin {{ auth_saml test; saml_require group=Admins; {ECHO} }}
            location = /sorry {{ add_header X-Why $saml_error always; {ECHO} }}
            location @sorry {{ add_header X-Why $saml_error always; {ECHO} }}
        """,
    )
    site.login(browser)
    page = browser.get(site.url("/admin"))
    assert (page.status, page.header("X-Why")) == (status, "forbidden")
    assert '"headers"' in page.text and "X-SSO-User" not in page.text, "a public page gets no identity"
    site.nginx.wait_for_log(r"saml: access refused reason=forbidden user=student@example\.com")


def test_the_operators_own_401(site: SamlSite, browser: Browser) -> None:
    site.start(
        server="error_page 401 /hint;",
        locations=f"location = /hint {{ add_header X-Why $saml_error always; {ECHO} }}",
    )
    assert browser.get(site.url("/")).status == 302, "a navigation is redirected all the same"
    told = browser.fetch(site.url("/"))
    assert (told.status, told.header("X-Why")) == (401, "login_required")
    assert told.header("X-SSO-Login") == site.url("/saml/login")
    assert '"headers"' in told.text


# Which IdP


@pytest.fixture
def other_idp(keys: KeyStore) -> TestIdp:
    return TestIdp(
        keys.get("idp-other"), entity_id="https://other.example.com/metadata", sso_url="https://other.example.com/sso"
    )


def block(site: SamlSite, idp: TestIdp, name: str = "other") -> str:
    path = idp.write_metadata(site.nginx.folder / f"{name}.xml")
    return f"saml_idp {name} {{ display_name 'The {name} one'; metadata {path}; }}"


def test_the_idp_by_variable(site: SamlSite, other_idp: TestIdp) -> None:
    site.start(
        http=block(site, other_idp) + """
            map $uri $org { ~^/test/ test; ~^/other/ other; ~^/off/ off; ~^/unknown/ nobody; ~^/OFF/ OFF; default ""; }
        """,
        auth_saml="$org",
    )
    sessions = {}
    for name, idp in (("test", site.idp), ("other", other_idp)):
        sessions[name] = Browser()
        answer = idp.login(sessions[name], site.url(f"/{name}/page"))
        echo = sessions[name].follow(answer).echo()
        assert (echo.uri, echo.header("X-SSO-Idp")) == (f"/{name}/page", name)
    for name, browser in sessions.items():
        theirs = "other" if name == "test" else "test"
        assert browser.get(site.url(f"/{theirs}/")).status == 302, "a session of one IdP counts only with that one"
        public = browser.get(site.url("/off/")).echo()
        assert public.with_prefix("X-SSO-") == {}
        for path in ("/unknown/", "/", "/OFF/"):
            refused = browser.get(site.url(path))
            assert refused.status == 403 and "<code>" in refused.text
            assert "nobody" not in refused.text
    for shown in ("<nobody>, no saml_idp of that name", "empty"):
        site.nginx.wait_for_log(rf"saml: access refused reason=unknown_idp .*detail: auth_saml \$org is {shown}")
    assert Browser().fetch(site.url("/other/")).header("X-SSO-Login") == site.url("/saml/login?idp=other")


def test_several_idps(site: SamlSite, browser: Browser, other_idp: TestIdp) -> None:
    site.start(
        http=block(site, other_idp),
        auth_saml="test other",
        locations=f"""
            location /one/ {{ auth_saml other; {ECHO} }}
            location /asks/ {{ auth_saml other; saml_login_page always; {ECHO} }}
        """,
    )
    page = browser.get(site.url("/page?x=1"))
    assert page.status == 200 and page.header("Cache-Control") == "no-store"
    links = re.findall(r'href="([^"]*)"', page.text)
    assert [link for link in links if "idp=test" in link] and [link for link in links if "idp=other" in link]
    assert "The other one" in page.text
    chosen = next(link for link in links if "idp=other" in link).replace("&amp;", "&")
    answer = other_idp.login(browser, chosen)
    echo = browser.follow(answer).echo()
    assert (echo.uri, echo.header("X-SSO-Idp")) == ("/page?x=1", "other")
    assert browser.get(site.url("/one/")).status == 200
    asks = Browser().get(site.url("/asks/"))
    assert asks.status == 200 and "idp=other" in asks.text and "idp=test" not in asks.text
    other_idp.read_request(Browser().get(site.url("/one/")))


def test_off_inside_and_on_inside(site: SamlSite, browser: Browser) -> None:
    site.start(
        server="auth_saml test;",
        locations=f"""
            location /open/ {{ auth_saml off; {ECHO} location /open/closed/ {{ auth_saml test; {ECHO} }} }}
            location /if/ {{ if ($arg_x) {{ set $y 1; }} {ECHO} }}
            location /limited/ {{ limit_except GET {{ deny all; }} {ECHO} }}
        """,
    )
    for path, status in {
        "/": 302, "/open/": 200, "/open/closed/": 302, "/if/": 302, "/if/?x=1": 302, "/limited/": 302,
    }.items():  # fmt: skip
        assert browser.get(site.url(path)).status == status, path
    assert browser.request("PUT", site.url("/limited/")).status in (401, 403)
    site.login(browser)
    assert browser.request("PUT", site.url("/limited/")).status == 403
    assert browser.get(site.url("/if/?x=1")).echo().header("X-SSO-User") == "student@example.com"


# What a client says of its request


def test_forwarded_headers_and_user_agents_do_not_count(site: SamlSite) -> None:
    site.start(server="auth_saml test;", locations=f"location /public/ {{ auth_saml off; {ECHO} }}")
    for name in ("X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Uri", "X-Forwarded-Prefix", "X-Accel-Redirect"):
        headers = [(name, "/public/"), ("User-Agent", "kube-probe/1.0")]
        assert Browser().request("GET", site.url("/"), headers=headers).status == 302, name
    for name in ("X-Forwarded-Host", "Forwarded", "X-Forwarded-Proto"):
        headers = [(name, "evil.example.com"), ("Accept", HTML)]
        started = Browser().request("GET", site.url("/"), headers=headers)
        assert site.idp.read_request(started).acs_url == site.acs_url
    assert site.upstream.requests == []


def test_the_host_header_changes_nothing(http_site: SamlSite, browser: Browser) -> None:
    http_site.start()
    for host in ("evil.example.com", "APP.example.com", "app.example.com.", "app.example.com:1", "[::1]", "10.0.0.1"):
        answer = raw_request(http_site.url("/"), f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert http_site.idp.read_request(answer).acs_url == http_site.acs_url, host
    for request in ("GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"):
        with RawConnection(http_site.url("/")) as connection:
            assert connection.send(request).response().status == 400
    assert http_site.upstream.requests == []
