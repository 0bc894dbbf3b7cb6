"""The state of login attempts in the browser: tabs, cookies, lost attempts, answers posted again, loops."""

from __future__ import annotations


import pytest

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.refusals import LOG_FORMAT, Refusals
from sallyport_testing.saml_response import now
from sallyport_testing.site import SamlSite

SESSION = "__Host-saml_session"
MOST_BYTES = 4096


def times(seconds: int) -> dict[str, object]:
    """Fields of an answer that is honest for a clock so far ahead."""
    return {
        "response_instant": now(seconds), "assertion_instant": now(seconds), "authn_instant": now(seconds),
        "confirmation_not_on_or_after": now(seconds + 300), "not_before": now(seconds - 30),
        "not_on_or_after": now(seconds + 300),
    }  # fmt: skip


def session_of(browser: Browser) -> str | None:
    cookie = browser.cookies.get(SESSION)
    return cookie.value if cookie else None


def attempts_of(browser: Browser) -> list[str]:
    """Names and values of the attempts' cookies."""
    return [each.name + each.value for each in browser.cookies.named("saml_session.")]


def started_again(site: SamlSite, answered: object) -> bool:
    return answered.status == 303 and answered.location.startswith(site.idp.sso_url)


# Set-Cookie, byte for byte


@pytest.mark.parametrize(
    ("directive", "session", "attempt"),
    [
        ("", "__Host-saml_session=V; Path=/; Secure; HttpOnly; SameSite=Lax",
         "__Host-saml_session.H=V; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=None"),
        ("saml_cookie sid samesite=strict;", "__Host-sid=V; Path=/; Secure; HttpOnly; SameSite=Strict",
         "__Host-sid.H=V; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=None"),
        ("saml_cookie sid samesite=none;", "__Host-sid=V; Path=/; Secure; HttpOnly; SameSite=None",
         "__Host-sid.H=V; Path=/; Max-Age=3600; Secure; HttpOnly; SameSite=None"),
        ("saml_cookie sid domain=example.com;", "sid=V; Path=/; Domain=example.com; Secure; HttpOnly; SameSite=Lax",
         "sid.H=V; Path=/; Domain=example.com; Max-Age=3600; Secure; HttpOnly; SameSite=None"),
        ("saml_cookie sid secure=off;", "sid=V; Path=/; HttpOnly; SameSite=Lax",
         "sid.H=V; Path=/; Max-Age=3600; HttpOnly"),
    ],
    ids=["default", "strict", "none", "domain", "not_secure"],
)  # fmt: skip
def test_cookie_attr_over_https(
    site: SamlSite, browser: Browser, directive: str, session: str, attempt: str
) -> None:
    """COOKIE-ATTR"""
    site.start(server=directive)
    check_set_cookies(site, browser, session, attempt)


def test_cookie_attr_over_http(http_site: SamlSite, browser: Browser) -> None:
    http_site.start()
    session = "saml_session=V; Path=/; HttpOnly; SameSite=Lax"
    check_set_cookies(http_site, browser, session, "saml_session.H=V; Path=/; Max-Age=3600; HttpOnly")


def check_set_cookies(site: SamlSite, browser: Browser, session: str, attempt: str) -> None:
    started = browser.get(site.url("/page"))
    request = site.idp.read_request(started)
    assert shape(started.header("Set-Cookie") or "", request.relay_state) == attempt
    answered = site.idp.post(browser, site.idp.answer(request))
    assert answered.status in (200, 303)
    cookies = [shape(each, request.relay_state) for each in answered.all("Set-Cookie")]
    assert cookies == [session, attempt.replace("Max-Age=3600", "Max-Age=600")]


def shape(set_cookie: str, handle: str | None) -> str:
    """A Set-Cookie with H for the attempt's handle and V for the value."""
    pair, _, attributes = set_cookie.partition("; ")
    name = pair.partition("=")[0]
    assert handle
    return f"{name.replace(handle, 'H')}=V; {attributes}"


# Many attempts


def test_state_forge_the_browser_holds_four_kilobytes_of_attempts(site: SamlSite, browser: Browser) -> None:
    """STATE-FORGE: 60 tabs; the latest ones work, the oldest ones went first."""
    site.start()
    tabs = [browser.new_tab() for _ in range(60)]
    requests = []
    for number, tab in enumerate(tabs):
        requests.append(site.idp.read_request(tab.get(site.url(f"/tab/{number}"))))
        held = attempts_of(browser)
        assert sum(map(len, held)) <= MOST_BYTES
        assert any(requests[-1].relay_state in each for each in held)
    alive = [any(request.relay_state in each for each in attempts_of(browser)) for request in requests]
    assert alive == sorted(alive), "not the oldest went"
    for number in range(59, 49, -1):
        answered = site.idp.post(tabs[number], site.idp.answer(requests[number]))
        assert answered.location == site.url(f"/tab/{number}")
        assert sum(map(len, attempts_of(browser))) <= MOST_BYTES
    assert started_again(site, site.idp.post(tabs[0], site.idp.answer(requests[0])))


def test_attempts_with_long_addresses(site: SamlSite, browser: Browser) -> None:
    site.start()
    for number in range(6):
        path = f"/{number}?" + "q" * 1490
        request = site.idp.read_request(browser.get(site.url(path)))
        assert sum(map(len, attempts_of(browser))) <= MOST_BYTES
    assert site.idp.post(browser, site.idp.answer(request)).location == site.url(path)


# Attempts that are lost


def test_a_lost_attempt_begins_once_more(site: SamlSite, browser: Browser) -> None:
    site.start(http=LOG_FORMAT)
    request = site.idp.read_request(browser.get(site.url("/page")))
    browser.cookies.clear()
    answered = site.idp.post(browser, site.idp.answer(request))
    assert started_again(site, answered)
    again = site.idp.read_request(answered)
    assert again.relay_state.endswith(".r") and len(again.relay_state) <= 80
    assert again.id != request.id
    # With its cookie, the second one works.
    assert site.idp.post(browser, site.idp.answer(again)).location == site.url("/")
    assert browser.get(site.url("/")).echo().header("X-SSO-User") == "student@example.com"


def test_an_attempt_lost_twice_is_a_page(site: SamlSite, browser: Browser) -> None:
    site.start(http=LOG_FORMAT)
    request = site.idp.read_request(browser.get(site.url("/page")))
    browser.cookies.clear()
    again = site.idp.read_request(site.idp.post(browser, site.idp.answer(request)))
    browser.cookies.clear()
    refusal = Refusals(site).message(browser, site.idp.answer(again).form)
    assert (refusal.reason, refusal.response.status) == ("attempt_lost", 403)
    assert "cookie" in refusal.response.text.lower()
    assert refusal.response.all("Set-Cookie") == []


def test_a_lost_attempt_by_post_binding(site: SamlSite, browser: Browser) -> None:
    site.idp.bindings = [names.POST]
    site.start()
    request = site.idp.read_request(browser.get(site.url("/page")))
    browser.cookies.clear()
    again = site.idp.read_request(site.idp.post(browser, site.idp.answer(request)))
    assert again.relay_state.endswith(".r")
    assert site.idp.post(browser, site.idp.answer(again)).status == 303


def test_state_forge_an_attempt_lasts_an_hour(clocked_site: SamlSite, browser: Browser) -> None:
    clocked_site.start()
    requests = [clocked_site.idp.read_request(browser.get(clocked_site.url(f"/{number}"))) for number in range(2)]
    for seconds, lasts in ((3590, True), (3601, False)):
        clocked_site.nginx.clock.shift(seconds)
        request = requests.pop()
        answered = clocked_site.idp.post(browser, clocked_site.idp.answer(request, **times(seconds)))
        assert answered.status == 303
        assert started_again(clocked_site, answered) is not lasts
        assert (session_of(browser) is not None) is lasts
        browser.cookies.remove(SESSION)


def test_reload_an_attempt_survives(site: SamlSite, browser: Browser) -> None:
    """RELOAD"""
    site.start()
    request = site.idp.read_request(browser.get(site.url("/page")))
    site.nginx.reload()
    assert site.idp.post(browser, site.idp.answer(request)).location == site.url("/page")


def test_an_attempt_does_not_survive_a_restart_without_a_secret_file(site: SamlSite, browser: Browser) -> None:
    site.start()
    request = site.idp.read_request(browser.get(site.url("/page")))
    site.nginx.stop()
    site.nginx.start()
    assert started_again(site, site.idp.post(browser, site.idp.answer(request)))


def test_an_idp_that_is_gone(site: SamlSite, browser: Browser, keys: KeyStore) -> None:
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml")
    site.start(http=LOG_FORMAT)
    request = site.idp.read_request(browser.get(site.url("/page")))
    block = f"saml_idp renamed {{ metadata {metadata}; }}"
    site.configure(http=LOG_FORMAT + block, auth_saml="renamed")
    site.nginx.reload()
    assert Refusals(site).message(browser, site.idp.answer(request).form).reason == "unknown_idp"


# The same answer again


def test_acs_dup_back_button(site: SamlSite, browser: Browser) -> None:
    """ACS-DUP: posted again by the same browser, an answer leads to its page."""
    site.start()
    request = site.idp.read_request(browser.get(site.url("/page?a=b")))
    message = site.idp.answer(request)
    assert site.idp.post(browser, message).status == 303
    session = session_of(browser)
    for _ in range(4):
        again = site.idp.post(browser, message)
        assert (again.status, again.location) == (303, site.url("/page?a=b"))
        assert again.all("Set-Cookie") == []
    assert session_of(browser) == session
    assert browser.follow(again).echo().uri == "/page?a=b"
    assert site.nginx.error_log().count("saml: valid login") == 1


def test_acs_dup_after_the_logout_opens_no_session(site: SamlSite, browser: Browser) -> None:
    site.start()
    request = site.idp.read_request(browser.get(site.url("/page")))
    message = site.idp.answer(request)
    site.idp.post(browser, message)
    browser.cookies.remove(SESSION)
    again = site.idp.post(browser, message)
    assert (again.status, again.location) == (303, site.url("/page"))
    assert session_of(browser) is None
    assert site.idp.read_request(browser.follow_once(again)).id != request.id


def test_back_button_later(clocked_site: SamlSite, browser: Browser) -> None:
    clocked_site.start()
    request = clocked_site.idp.read_request(browser.get(clocked_site.url("/page")))
    message = clocked_site.idp.answer(request)
    clocked_site.idp.post(browser, message)
    clocked_site.nginx.clock.shift(590)
    assert clocked_site.idp.post(browser, message).location == clocked_site.url("/page")
    clocked_site.nginx.clock.shift(601)
    assert started_again(clocked_site, clocked_site.idp.post(browser, message))


def test_irt_another_answer_to_the_same_request(site: SamlSite, browser: Browser) -> None:
    """Back at the IdP's form and once more: a new attempt begins, and it ends at the page that was asked for."""
    site.start()
    request = site.idp.read_request(browser.get(site.url("/page?a=b")))
    site.idp.post(browser, site.idp.answer(request))
    answered = site.idp.post(browser, site.idp.answer(request, name_id="other@example.com"))
    assert started_again(site, answered)
    again = site.idp.read_request(answered)
    assert site.idp.post(browser, site.idp.answer(again)).location == site.url("/page?a=b")


# Loops


def drops_session(browser: Browser) -> None:
    browser.cookies.remove(SESSION)


def test_five_logins_without_the_session_coming_back(site: SamlSite, browser: Browser) -> None:
    site.start(http=LOG_FORMAT)
    for number in range(5):
        request = site.idp.read_request(browser.get(site.url("/page")))
        assert site.idp.post(browser, site.idp.answer(request)).status == 303, number
        drops_session(browser)
    page = browser.get(site.url("/page"))
    assert page.status == 403
    assert "cookie" in page.text.lower()
    site.nginx.wait_for_log("saml: login refused reason=login_loop idp=test")
    assert browser.get(site.url("/saml/login")).status == 403
    assert Browser().get(site.url("/page")).status == 302, "others are not concerned"


def test_a_lost_attempt_among_many_tabs_is_no_loop(site: SamlSite, browser: Browser) -> None:
    """A page of another site posts no session cookie, however many logins have ended well."""
    site.idp.sso_url = "https://login.idp.test/sso"
    site.start()
    tabs = [browser.new_tab() for _ in range(25)]
    requests = [site.idp.read_request(tab.get(site.url(f"/tab/{number}"))) for number, tab in enumerate(tabs)]
    for number in range(24, 18, -1):
        assert site.idp.post(tabs[number], site.idp.answer(requests[number])).status == 303
    again = site.idp.post(tabs[0], site.idp.answer(requests[0]))
    assert again.status == 303 and site.idp.read_request(again)


def test_the_loop_ends_after_a_minute(clocked_site: SamlSite, browser: Browser) -> None:
    clocked_site.start()
    for _ in range(5):
        clocked_site.login(browser, "/page")
        drops_session(browser)
    assert browser.get(clocked_site.url("/page")).status == 403
    clocked_site.nginx.clock.shift(61)
    assert clocked_site.login(browser, "/page", **times(61)).echo().uri == "/page"


def test_ten_logins_with_sessions_are_no_loop(site: SamlSite, browser: Browser) -> None:
    site.start()
    for number in range(10):
        tab = browser.new_tab()
        answered = site.idp.login(tab, site.url(f"/saml/login?return=/{number}"))
        assert answered.status == 303, f"login {number}"
        assert tab.follow(answered).echo().uri == f"/{number}"


def test_logging_in_and_out_is_no_login_loop(site: SamlSite, browser: Browser) -> None:
    site.start()
    for _ in range(6):
        site.login(browser)
        response = browser.post(site.url("/saml/logout"), {})
        assert response.status == 200
        kept = [cookie.name for cookie in browser.cookies.named("saml_session")]
        assert kept == []
    assert browser.get(site.url("/")).status == 302
