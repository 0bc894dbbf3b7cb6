"""auth_saml beside allow/deny, auth_basic and auth_request, with satisfy any and all: a table of every combination."""

from __future__ import annotations

import itertools

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.site import SamlSite

ECHO = "proxy_pass http://%%upstream%%;"
PASSWORD = ("Authorization", "Basic dXNlcjpzZWNyZXQ=")  # user:secret
USER = "student@example.com"

ACCESS = {"-": "", "allow": "allow all;", "deny": "deny all;"}
BASIC = {"-": "", "basic": "auth_basic realm; auth_basic_user_file %%folder%%/users;"}
ASKED = {"-": "", "200": "auth_request /ask/200;", "401": "auth_request /ask/401;", "403": "auth_request /ask/403;"}
COMBINATIONS = list(itertools.product(ACCESS, BASIC, ASKED))


def location(satisfy: str, number: int, saml: str) -> str:
    """One location; the order of its directives differs from location to location."""
    access, basic, asked = COMBINATIONS[number]
    lines = [f"satisfy {satisfy};", saml, ACCESS[access], BASIC[basic], ASKED[asked]]
    order = list(itertools.permutations(lines))[number * 5 % 120]
    return f"location /{satisfy}/{number}/ {{ {' '.join(order)} {ECHO} }}"


def started(site: SamlSite, saml: str = "auth_saml test;") -> SamlSite:
    (site.nginx.folder / "users").write_text("user:{PLAIN}secret\n")
    return site.start(
        locations="location /ask/ { internal; proxy_pass_request_body off; proxy_pass http://%%upstream%%/status/; }"
        "location /ask/200 { internal; proxy_pass_request_body off; proxy_pass http://%%upstream%%; }"
        + "".join(location(each, number, saml) for each in ("any", "all") for number in range(len(COMBINATIONS)))
    )


def votes(number: int, session: bool, password: bool) -> list[int]:
    """What each module of the location would say, ours first."""
    access, basic, asked = COMBINATIONS[number]
    said = [200 if session else 302]
    if access != "-":
        said.append(200 if access == "allow" else 403)
    if basic != "-":
        said.append(200 if password else 401)
    if asked != "-":
        said.append(int(asked))
    return said


@pytest.mark.parametrize("session", [False, True], ids=["anonymous", "session"])
@pytest.mark.parametrize("password", [False, True], ids=["no_password", "password"])
def test_satisfy(site: SamlSite, browser: Browser, session: bool, password: bool) -> None:
    started(site)
    if session:
        site.login(browser)
    headers = [PASSWORD] if password else []
    for number in range(len(COMBINATIONS)):
        said = votes(number, session, password)
        for satisfy in ("any", "all"):
            site.upstream.clear()
            answer = browser.get(site.url(f"/{satisfy}/{number}/"), headers=headers)
            where = f"satisfy {satisfy} {COMBINATIONS[number]}: {answer.status}"
            granted = 200 in said if satisfy == "any" else set(said) == {200}
            reached = [each for each in site.upstream.requests if each.uri.startswith(f"/{satisfy}/")]
            assert (answer.status == 200) == granted == bool(reached), where
            if granted:
                assert answer.echo().header("X-SSO-User") == (USER if session else None), where
                assert answer.all("Set-Cookie") == [] and answer.header("X-SSO-Login") is None, where
                assert answer.header("WWW-Authenticate") is None, where
            elif not session:
                # Ours is asked first and a redirect is how the request ends, whatever the others said.
                assert answer.status == 302, where
                site.idp.read_request(answer)
                assert answer.header("WWW-Authenticate") is None, where
                assert answer.header("Cache-Control") == "no-store", where
            else:
                assert answer.status in set(said) - {200}, where


def test_programs_are_told(site: SamlSite, browser: Browser) -> None:
    started(site)
    for number in range(len(COMBINATIONS)):
        for satisfy in ("any", "all"):
            answer = browser.fetch(site.url(f"/{satisfy}/{number}/"))
            said = votes(number, False, False)
            if satisfy == "any" and 200 in said:
                assert answer.status == 200 and answer.header("X-SSO-Login") is None
                continue
            assert answer.status == 401, COMBINATIONS[number]
            assert answer.header("X-SSO-Login") == site.url("/saml/login")
            assert "SAML" in answer.all("WWW-Authenticate")
            assert answer.all("Set-Cookie") == []


def test_who_lacks_a_group_may_be_let_in_by_another(site: SamlSite, browser: Browser) -> None:
    started(site, saml="auth_saml test; saml_require group=Nobody;")
    site.login(browser)
    for number in range(len(COMBINATIONS)):
        said = [403, *votes(number, True, False)[1:]]
        for satisfy in ("any", "all"):
            answer = browser.get(site.url(f"/{satisfy}/{number}/"))
            granted = satisfy == "any" and 200 in said
            assert (answer.status == 200) == granted, COMBINATIONS[number]
            if not granted:
                assert answer.status in (401, 403)
                assert answer.location is None, "a login would not help"


@pytest.mark.parametrize("intercept", ["", "proxy_intercept_errors on;"], ids=["plain", "intercepted"])
def test_an_applications_own_401_is_its_own(site: SamlSite, browser: Browser, intercept: str) -> None:
    site.start(location=f"satisfy any; allow all; {intercept}", server="" if not intercept else "error_page 500 /x;")
    answer = browser.get(site.url("/status/401"))
    assert (answer.status, answer.location) == (401, None)
    assert answer.all("Set-Cookie") == []
    answer = browser.fetch(site.url("/status/401"))
    assert (answer.status, answer.header("X-SSO-Login")) == (401, None)


@pytest.mark.parametrize(
    ("error_page", "navigation"),
    [
        ("error_page 401 /hint;", 302),
        ("error_page 401 =401 /hint;", 302),
        ("error_page 401 =200 /hint;", 200),
        ("error_page 401 @hint;", 302),
    ],
)
def test_error_pages_with_satisfy_any(site: SamlSite, browser: Browser, error_page: str, navigation: int) -> None:
    site.start(
        server=error_page,
        location="satisfy any; deny all;",
        locations=f"location = /hint {{ {ECHO} }} location @hint {{ {ECHO} }}",
    )
    answer = browser.get(site.url("/page?x=1"))
    assert answer.status == navigation
    if navigation == 302:
        answered = site.idp.post(browser, site.idp.answer(site.idp.read_request(answer)))
        assert browser.follow(answered).echo().uri == "/page?x=1"
    else:
        assert answer.all("Set-Cookie") == [] and answer.location is None
        assert answer.echo().uri == "/hint"


def test_forms_and_choices_with_satisfy_any(site: SamlSite, browser: Browser) -> None:
    """What needs a page of ours goes through the login endpoint."""
    site.start(location="satisfy any; deny all; saml_login_page always;", server="saml_login_page always;")
    answer = browser.get(site.url("/page?x=1"))
    assert answer.status == 302
    page = browser.follow(answer)
    assert page.status == 200 and "/saml/login?" in page.text
    posted = browser.post(site.url("/page"), {"a": "b"})
    assert posted.status == 401 and posted.header("X-SSO-Login") == site.url("/saml/login")
