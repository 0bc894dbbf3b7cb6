"""The module's own paths: login, logout, session and metadata; methods, and where they answer."""

from __future__ import annotations

import datetime
import re
import subprocess
import time
from pathlib import Path
from urllib.parse import quote

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.raw_http import raw_request
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite

ECHO = "proxy_pass http://%%upstream%%;"
USER = "student@example.com"
SESSION = "__Host-saml_session"


def test_odd_arguments_of_the_login(http_site: SamlSite) -> None:
    http_site.start()
    for query, path in {
        "return=/a&return=/b": "/a", "return=%2Fa%3Fx%3D1%26y%3D2": "/a?x=1&y=2", "Return=/a": "/a", "xreturn=/a": "/",
        "return": "/", "return=%zz": "/", "return=/%zz": "/%zz", "x&return=/a": "/a", "return=/a+b": "/a%20b",
    }.items():  # fmt: skip
        answer = http_site.idp.login(Browser(), http_site.url("/saml/login?" + query))
        assert answer.status == 303
        location = (answer.header("Location") or "").removeprefix(http_site.base_url)
        assert location in (path, "/"), query
        assert location == path or query in ("return=/a+b", "return=/%zz", "Return=/a"), query


def test_the_login_endpoint(site: SamlSite, browser: Browser) -> None:
    site.start()
    assert site.idp.read_request(browser.get(site.url("/saml/login?idp=test"))).issuer == site.entity_id
    assert site.idp.read_request(browser.request("HEAD", site.url("/saml/login"))).issuer == site.entity_id
    for name in ("nobody", "", "TEST", "<script>", "test%00"):
        refused = browser.get(site.url(f"/saml/login?idp={quote(name)}"))
        assert refused.status in (400, 403, 404), name
        assert "<script>alert" not in refused.text and "nobody" not in refused.text
        assert refused.all("Set-Cookie") == []
    site.nginx.wait_for_log(r"saml: login refused reason=unknown_idp idp=nobody")


# Logout


def test_logout_by_post(site: SamlSite, browser: Browser) -> None:
    site.start()
    site.login(browser)
    stolen = [("Cookie", f"{SESSION}={browser.cookies.get(SESSION).value}")]  # type: ignore[union-attr]
    assert Browser().request("GET", site.url("/"), headers=stolen).status == 200
    answer = browser.post(site.url("/saml/logout"), {})
    assert (answer.status, answer.header("Cache-Control")) == (200, "no-store")
    assert browser.cookies.get(SESSION) is None and browser.cookies.refused == []
    for _ in range(4):
        status = Browser().request("GET", site.url("/"), headers=stolen).status
        assert status == 302, "the session must end, not only the cookie"
    again = browser.post(site.url("/saml/logout"), {})
    assert again.status == 200, "without a session too"


def test_logout_csrf_by_get_asks_first(site: SamlSite, browser: Browser) -> None:
    site.start()
    site.login(browser)
    page = browser.get(site.url("/saml/logout?return=/bye%3Fx%3D%22%3E%3Cscript%3E"))
    assert page.status == 200 and page.all("Set-Cookie") == []
    assert '"><script>' not in page.text
    assert browser.get(site.url("/")).status == 200, "asking ends nothing"
    browser.get(site.url("/saml/logout?return=/bye%3Fx%3D1"))
    form = browser.page.form()  # type: ignore[union-attr]
    assert form.method == "POST"
    answer = browser.submit(form)
    assert (answer.status, answer.location) == (303, site.url("/bye?x=1"))
    assert browser.get(site.url("/")).status == 302


@pytest.mark.parametrize(
    ("headers", "ends"),
    [
        ([("Sec-Fetch-Site", "cross-site"), ("Origin", "https://evil.example")], False),
        ([("Sec-Fetch-Site", "cross-site")], False),
        ([("Sec-Fetch-Site", "cross-site"), ("Origin", "OWN")], False),
        ([("Sec-Fetch-Site", "same-site"), ("Origin", "https://sibling.example.com")], False),
        ([("Sec-Fetch-Site", "same-site"), ("Origin", "OWN:1")], False),
        ([("Sec-Fetch-Site", "same-site"), ("Origin", "null")], False),
        ([("Sec-Fetch-Site", "same-site")], False),
        ([("Sec-Fetch-Site", "unheard-of"), ("Origin", "OWN")], False),
        ([("Origin", "https://evil.example")], False),
        ([("Origin", "null")], False),
        ([("Origin", "http://app.example.com")], False),
        ([("Sec-Fetch-Site", "same-origin"), ("Origin", "OWN")], True),
        ([("Sec-Fetch-Site", "same-origin"), ("Origin", "null")], True),
        ([("Sec-Fetch-Site", "same-site"), ("Origin", "OWN")], True),
        ([("Sec-Fetch-Site", "none")], True),
        ([("Origin", "OWN")], True),
        ([], True),
    ],
)
def test_logout_csrf_posted_by_others(site: SamlSite, browser: Browser, headers: list[tuple[str, str]], ends: bool) -> None:
    site.start(server="saml_cookie saml_session samesite=none;")
    site.login(browser)
    sent = [(name, value.replace("OWN", site.base_url)) for name, value in headers]
    answer = browser.request("POST", site.url("/saml/logout"), headers=sent, body=b"")
    assert answer.status == (200 if ends else 403)
    assert browser.get(site.url("/")).status == (302 if ends else 200)


def test_logout_ends_this_session_only(site: SamlSite) -> None:
    site.start()
    first, second = Browser(), Browser()
    site.login(first)
    site.login(second)
    assert first.post(site.url("/saml/logout"), {}).status == 200
    assert (first.get(site.url("/")).status, second.get(site.url("/")).status) == (302, 200)


# Session


def test_the_session_as_json(site: SamlSite, browser: Browser) -> None:
    site.start(server="saml_session_timeout 1h;")
    site.login(
        browser, name_id="e,1%", name_id_format=None,
        attributes=[
            Attribute("email", ["Em@example.com"]), Attribute("first_name", ['Ployée "x"']),
            Attribute("groups", ["R&D, worldwide", "a=b"]), Attribute("space_name", ["Trial"]),
            Attribute("space_role", ["Admin"]),
        ],
    )  # fmt: skip
    answer = browser.fetch(site.url("/saml/session"))
    assert (answer.status, answer.header("Content-Type")) == (200, "application/json")
    assert (answer.header("Cache-Control"), answer.header("X-Content-Type-Options")) == ("no-store", "nosniff")
    assert answer.body.isascii()
    found = answer.json()
    login, expires = (datetime.datetime.fromisoformat(found.pop(name)[:19]) for name in ("login", "expires"))
    assert expires - login == datetime.timedelta(hours=1)
    assert abs((datetime.datetime.utcnow() - login).total_seconds()) < 60
    assert found == {
        "user": "e,1%", "email": "Em@example.com", "first_name": 'Ployée "x"', "idp": "test",
        "spaces": {"Trial": "Admin"}, "roles": ["Admin"], "groups": ["R&D, worldwide", "a=b"],
    }  # fmt: skip
    head = browser.request("HEAD", site.url("/saml/session"))
    assert head.status == 200 and head.header("Content-Length") == str(len(answer.body))


def test_no_session_as_json(site: SamlSite, browser: Browser) -> None:
    site.start()
    for headers in ([], [("Accept", "text/html")], [("Cookie", f"{SESSION}={'A' * 43}")]):
        answer = browser.request("GET", site.url("/saml/session"), headers=headers)
        assert (answer.status, answer.header("WWW-Authenticate")) == (401, "SAML")
        assert answer.header("X-SSO-Login") == site.url("/saml/login")
        assert answer.json() == {"error": "login_required", "login": site.url("/saml/login")}
        assert answer.header("Cache-Control") == "no-store"


def test_asking_for_the_session_is_no_activity(site: SamlSite, browser: Browser) -> None:
    site.start(server="saml_session_idle_timeout 2s;")
    site.login(browser)

    def lasts(path: str, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if browser.request("GET", site.url(path)).status != 200:
                return False
            time.sleep(0.2)
        return True

    assert lasts("/page", 3), "activity keeps the session"
    assert not lasts("/saml/session", 4), "asking does not"


# Metadata

SCHEMAS = Path("/usr/share/simplesamlphp/schemas")


def schema_errors(document: bytes, folder: Path) -> str:
    file = folder / "metadata.xml"
    file.write_bytes(document)
    done = subprocess.run(
        ["xmllint", "--nonet", "--noout", "--schema", str(SCHEMAS / "saml-schema-metadata-2.0.xsd"), str(file)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return "" if done.returncode == 0 else done.stderr


@pytest.mark.skipif(not (SCHEMAS / "saml-schema-metadata-2.0.xsd").exists(), reason="package simplesamlphp")
@pytest.mark.parametrize("kinds", [[], ["rsa2048"], ["ec256", "rsa2048"]], ids=["no_key", "rsa", "ec_and_rsa"])
@pytest.mark.parametrize("query", ["", "?signed=1"])
def test_metadata_is_valid(site: SamlSite, browser: Browser, keys: KeyStore, kinds: list[str], query: str) -> None:
    lines = "".join(
        f"saml_certificate {each.certificate_file}; saml_certificate_key {each.key_file};"
        for each in (keys.get("sp", kind) for kind in kinds)
    )
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml")
    site.start(server=lines, idp_block=f"metadata {metadata}; attribute email urn:x:mail mail; attribute team a&b<c;")
    answer = browser.get(site.url("/saml/metadata" + query))
    assert answer.status == 200
    assert schema_errors(answer.body, site.nginx.folder) == ""
    assert (b"SignatureValue" in answer.body) == bool(query and kinds)
    for name in ("urn:x:mail", "a&amp;b&lt;c"):
        assert f'Name="{name}"'.encode() in answer.body


# Where and how they answer


@pytest.mark.parametrize(
    ("endpoint", "allowed"),
    [
        ("login", "GET, HEAD, POST"), ("metadata", "GET, HEAD"), ("session", "GET, HEAD"), ("logout", "GET, HEAD, POST"),
        ("acs", "POST"), ("finish", "GET"),
    ],
)  # fmt: skip
def test_methods(site: SamlSite, browser: Browser, endpoint: str, allowed: str) -> None:
    site.start()
    for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "BREW", "get"):
        if method in allowed.split(", "):
            continue
        answer = browser.request(method, site.url(f"/saml/{endpoint}?SAMLResponse=x"), body=b"x=y")
        if method in ("BREW", "get") and answer.status == 400:
            continue  # nginx's own
        assert answer.status == 405, method
        assert (answer.header("Allow"), answer.header("Cache-Control")) == (allowed, "no-store"), method
        assert answer.all("Set-Cookie") == []
    assert site.upstream.requests == []


def test_only_the_listed_paths_are_ours(site: SamlSite, browser: Browser) -> None:
    site.start(locations=f"location /saml/ {{ {ECHO} }}", server="rewrite ^/saml/login /elsewhere;")
    for path in (
        "/saml/", "/saml/login/", "/saml/loginx", "/saml/acs/x", "/saml/jwks", "/saml/Login", "/SAML/login",
        "/x/saml/login", "/saml/x/login",
    ):  # fmt: skip
        answer = browser.get(site.url(path))
        assert answer.status in (200, 302)
        if path.startswith("/saml/") and path not in ("/saml/login/", "/saml/loginx"):
            assert answer.echo().uri == path
    for path in ("/saml/login", "/saml/./login", "/x/../saml/login", "/%73aml/login", "//saml//login"):
        site.idp.read_request(raw(site, path))


def raw(site: SamlSite, path: str) -> Response:
    return raw_request(site.base_url, f"GET {path} HTTP/1.1\r\nHost: {site.host}\r\n\r\n")


def test_another_prefix(site: SamlSite, browser: Browser) -> None:
    site.start(server="saml_endpoint /auth/sso;")
    answer = site.idp.login(browser, site.url("/page"))
    assert answer.location == site.url("/page")
    assert browser.follow(answer).echo().header("X-SSO-User") == USER
    assert browser.get(site.url("/saml/session")).echo().uri == "/saml/session"
    assert browser.get(site.url("/auth/sso/session")).json()["user"] == USER


def test_servers_without_auth_saml_have_none(http_site: SamlSite) -> None:
    http_site.start(http=f"server {{ listen 127.0.0.1:%%port:open%%; location / {{ {ECHO} }} }}")
    url = f"http://127.0.0.1:{http_site.nginx.port('open')}/saml/login"
    assert Browser().get(url).echo().uri == "/saml/login"


def test_a_location_for_the_endpoints(site: SamlSite, browser: Browser) -> None:
    log = site.nginx.folder / "endpoints.log"
    site.start(
        http="limit_req_zone $binary_remote_addr zone=logins:1m rate=100r/s; access_log off;",
        locations=f"""
            location /saml/ {{
                saml_endpoints;
                limit_req zone=logins burst=50 nodelay;
                client_max_body_size 100k;
                access_log {log} combined;
                add_header X-Here 1 always;
            }}
        """,
    )
    answer = site.idp.login(browser, site.url("/page?x=1"))
    assert (answer.status, answer.header("X-Here")) == (303, "1")
    assert browser.follow(answer).echo().uri == "/page?x=1"
    assert browser.get(site.url("/saml/session")).json()["user"] == USER
    assert browser.get(site.url("/saml/metadata")).header("X-Here") == "1"
    for path in ("/saml/", "/saml/other", "/saml/login/"):
        assert browser.get(site.url(path)).status == 404
    too_large = browser.request(
        "POST", site.url("/saml/acs"), headers=[("Content-Type", "application/x-www-form-urlencoded")],
        body=b"x" * 103_000,
    )  # fmt: skip
    assert too_large.status == 413
    assert browser.post(site.url("/saml/logout"), {}).status == 200
    site.nginx.stop()
    assert len(re.findall(r'"(?:GET|POST) /saml/', log.read_text())) == 8
