"""Sessions in the shared memory zone: every worker knows them, and they end when they must."""

from __future__ import annotations

import secrets
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http_client import http1
from sallyport_testing.keys import KeyStore
from sallyport_testing.saml_response import Attribute, SamlResponse, now
from sallyport_testing.site import SamlSite

SESSION = "__Host-saml_session"
HOUR = 3600


def is_in(site: SamlSite, browser: Browser) -> bool:
    """Whether a page opens; that counts as activity."""
    answer = browser.get(site.url("/page"))
    assert answer.status in (200, 302), answer.text
    return answer.status == 200


def knows_session(site: SamlSite, browser: Browser) -> bool:
    """Whether /saml/session knows the session; that is no activity."""
    answer = browser.fetch(site.url("/saml/session"))
    assert answer.status in (200, 401), answer.text
    return answer.status == 200


def with_session(site: SamlSite, value: str, name: str = SESSION) -> Browser:
    """A browser that holds this session cookie."""
    browser = Browser()
    browser.cookies.put(site.url(), f"{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax")
    return browser


def value_of(browser: Browser) -> str:
    cookie = browser.cookies.get(SESSION)
    assert cookie is not None
    return cookie.value


# Every worker


def test_every_worker_knows_every_session(site: SamlSite) -> None:
    pids = site.nginx.folder / "pids.log"
    site.start(http=f"log_format pids '$pid $saml_user'; access_log {pids} pids;")
    browsers = [Browser() for _ in range(4)]
    for number, browser in enumerate(browsers):
        site.login(browser, name_id=f"user{number}@example.com")
    for _ in range(50):
        for number, browser in enumerate(browsers):
            assert browser.get(site.url("/")).echo().header("X-SSO-User") == f"user{number}@example.com"
        served = {line.split()[0] for line in pids.read_text().splitlines() if line.endswith("@example.com")}
        if len(served) == 2:
            return
    raise AssertionError("one worker answered everything")


def test_no_request_ever_sees_another_user(site: SamlSite) -> None:
    """Logins, logouts and requests of many users at once."""
    site.start(server="saml_session_idle_timeout 5m;")

    def one_user(number: int) -> int:
        seen = 0
        for login in range(3):
            name = f"user-{number}-{login}@example.com"
            browser = Browser()
            group = f"group-{number}-{login}"
            attributes = [Attribute("groups", [group]), Attribute("note", ["x" * 97 * number])]
            echo = site.login(browser, f"/{number}", name_id=name, attributes=attributes).echo()
            for _ in range(5):
                assert echo.header("X-SSO-User") == name
                assert echo.header("X-SSO-Groups") == group
                shown = browser.fetch(site.url("/saml/session")).json()
                assert (shown["user"], shown["groups"]) == (name, [group])
                echo = browser.get(site.url("/again")).echo()
                seen += 1
            if number % 2:
                browser.submit(browser.get(site.url("/saml/logout")).form())
                assert not is_in(site, browser)
        return seen

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one_user, range(8))) == 8 * 3 * 5


# Identifiers


@pytest.mark.parametrize(
    "value",
    ["", "A", "A" * 42, "A" * 43, "A" * 44, "A" * 4000, "+" * 43, "A" * 42 + "=", '"' + "A" * 41 + '"'],
    ids=["empty", "one", "short", "unknown", "long", "huge", "alphabet", "padded", "quoted"],
)
def test_sid_guess_other_identifiers_are_no_session(site: SamlSite, value: str) -> None:
    """SID-GUESS"""
    site.start()
    site.login(Browser())
    browser = with_session(site, value)
    assert not is_in(site, browser) and not knows_session(site, browser)


def test_sid_guess_a_changed_identifier_is_no_session(site: SamlSite, browser: Browser) -> None:
    """The last of 43 characters carries four bits: its other spellings are not the same identifier."""
    site.start()
    site.login(browser)
    good = value_of(browser)
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    others = [good[:-1] + letter for letter in alphabet if letter != good[-1]]
    others += [good.swapcase(), good[::-1], good[:20] + ("A" if good[20] != "A" else "B") + good[21:]]
    for value in others:
        assert not knows_session(site, with_session(site, value)), value
    assert knows_session(site, with_session(site, good))


def test_sid_guess_identifiers_do_not_repeat(site: SamlSite) -> None:
    site.start()
    values = []
    for _ in range(30):
        browser = Browser()
        site.idp.login(browser, site.url("/"))
        values.append(value_of(browser))
    site.nginx.reload()
    for _ in range(10):
        browser = Browser()
        site.idp.login(browser, site.url("/"))
        values.append(value_of(browser))
    assert len(set(values)) == 40
    assert all(len(value) == 43 for value in values)
    # Every place of the text varies.
    assert all(len({value[place] for value in values}) > 8 for place in range(42))


@pytest.mark.parametrize("sso_url", ["https://idp.example.com/sso", "https://login.idp.test/sso"], ids=["same_site", "cross_site"])
def test_fixation_a_login_makes_a_new_identifier_and_ends_the_old_session(site: SamlSite, sso_url: str) -> None:
    """FIXATION: the attacker's own session, planted in the victim's browser; a page of another site posts no Lax cookie."""
    site.idp.sso_url = sso_url
    site.start()
    attacker = Browser()
    site.login(attacker, name_id="attacker@example.com")
    planted = value_of(attacker)
    victim = with_session(site, planted)
    answered = site.idp.login(victim, site.url("/saml/login?return=/page"), name_id="victim@example.com")
    assert answered.status == 303
    assert value_of(victim) != planted
    assert victim.follow(answered).echo().header("X-SSO-User") == "victim@example.com"
    assert not is_in(site, attacker), "the planted identifier is dead"


def begin_in_two_tabs(site: SamlSite, browser: Browser) -> tuple[SamlResponse, SamlResponse]:
    """Answers to two logins of which neither knows a session; pages of another site post them, without a Lax cookie."""
    site.idp.sso_url = "https://login.idp.test/sso"
    site.start()
    requests = [site.idp.read_request(browser.new_tab().get(site.url(path))) for path in ("/a", "/b")]
    first, second = (site.idp.answer(request) for request in requests)
    return first, second


def test_fixation_a_login_in_another_tab_ends_too(site: SamlSite, browser: Browser) -> None:
    """FIXATION: whose cookie the next login overwrites, in whatever order the tabs end."""
    first, second = begin_in_two_tabs(site, browser)
    assert site.idp.post(browser, second).status == 303
    overwritten = value_of(browser)
    assert knows_session(site, with_session(site, overwritten))
    assert site.idp.post(browser, first).status == 303
    assert value_of(browser) != overwritten
    assert not is_in(site, with_session(site, overwritten))
    assert is_in(site, browser)


def test_a_logout_ends_what_two_tabs_did_at_the_same_time(site: SamlSite, browser: Browser) -> None:
    first, second = begin_in_two_tabs(site, browser)
    other = Browser()
    attempts = browser.cookies.named("saml_session.")
    for each in attempts:
        other.cookies.put(site.url(), f"{each.name}={each.value}; Path=/; Secure; SameSite=None")
    assert site.idp.post(browser, first).status == 303 and site.idp.post(other, second).status == 303
    values = [value_of(browser), value_of(other)]
    # The browser has the cookies of both answers, of which neither knew of the other.
    for each in other.cookies:
        if each.value not in {attempt.value for attempt in attempts}:
            browser.cookies.put(site.url(), f"{each.name}={each.value}; Path=/; Secure; SameSite=None")
    browser.submit(browser.get(site.url("/saml/logout")).form())
    assert [knows_session(site, with_session(site, value)) for value in values] == [False, False]


def test_an_idle_end_is_of_the_sessions_own_server(site: SamlSite, browser: Browser, keys: KeyStore) -> None:
    """Cookies know no ports: another server on the host sees them too."""
    tls = keys.tls(site.host)
    listen = f"listen 127.0.0.1:%%port:two%% ssl; server_name {site.host};"
    site.start(
        server="saml_session_idle_timeout 1h;",
        http=f"""server {{
            {listen} ssl_certificate {tls.certificate_file}; ssl_certificate_key {tls.key_file};
            saml_entity_id https://two.example.com/saml/metadata; saml_session_idle_timeout 1s;
            location / {{ auth_saml test; proxy_pass http://%%upstream%%; }}
        }}""",
    )
    site.login(browser)
    time.sleep(1.2)
    assert browser.get(f"https://{site.host}:{site.nginx.port('two')}/page").status == 302
    assert is_in(site, browser)


def test_fixation_a_planted_identifier_of_no_session_is_not_taken(site: SamlSite) -> None:
    """FIXATION"""
    site.start()
    planted = "A" * 43
    victim = with_session(site, planted)
    site.login(victim)
    assert value_of(victim) != planted
    assert not is_in(site, with_session(site, planted))


# Time


def test_the_absolute_end(clocked_site: SamlSite, browser: Browser) -> None:
    clocked_site.start(server="saml_session_timeout 2h; saml_session_idle_timeout 0;")
    clocked_site.login(browser)
    for seconds in (HOUR, 2 * HOUR - 5):
        clocked_site.nginx.clock.shift(seconds)
        assert is_in(clocked_site, browser), seconds
    clocked_site.nginx.clock.shift(2 * HOUR + 5)
    assert not is_in(clocked_site, browser)


def test_eight_hours_and_one_hour_by_default(clocked_site: SamlSite, browser: Browser) -> None:
    clocked_site.start()
    other = Browser()
    clocked_site.login(browser)
    clocked_site.login(other)
    for minutes in range(59, 8 * 60, 59):
        clocked_site.nginx.clock.shift(minutes * 60)
        assert is_in(clocked_site, browser), minutes
        assert not (minutes > 60 and knows_session(clocked_site, other)), "not used for an hour"
    clocked_site.nginx.clock.shift(8 * HOUR + 5)
    assert not is_in(clocked_site, browser)


def test_the_idle_end(clocked_site: SamlSite, browser: Browser) -> None:
    clocked_site.start(server="saml_session_idle_timeout 10m;")
    clocked_site.login(browser)
    for minutes in (9, 18, 27):
        clocked_site.nginx.clock.shift(minutes * 60)
        assert is_in(clocked_site, browser), minutes
    clocked_site.nginx.clock.shift(37 * 60 + 5)
    assert not is_in(clocked_site, browser)
    clocked_site.nginx.clock.shift(28 * 60)
    assert not is_in(clocked_site, browser), "what has ended stays ended"


def test_without_an_idle_end(clocked_site: SamlSite, browser: Browser) -> None:
    clocked_site.start(server="saml_session_idle_timeout 0;")
    clocked_site.login(browser)
    clocked_site.nginx.clock.shift(8 * HOUR - 10)
    assert is_in(clocked_site, browser)


def test_asking_for_the_session_is_no_activity(clocked_site: SamlSite, browser: Browser) -> None:
    clocked_site.start(server="saml_session_idle_timeout 10m;")
    clocked_site.login(browser)
    for minutes in range(1, 10):
        clocked_site.nginx.clock.shift(minutes * 60)
        assert knows_session(clocked_site, browser), minutes
    clocked_site.nginx.clock.shift(10 * 60 + 5)
    assert not knows_session(clocked_site, browser)
    assert not is_in(clocked_site, browser)


def test_sess_nooa_ends_the_session(clocked_site: SamlSite, browser: Browser) -> None:
    """SESS-NOOA: SessionNotOnOrAfter ends the session, without clock skew, however active the user is."""
    clocked_site.start(location="saml_header X-Expires $saml_session_expires;")
    echo = clocked_site.login(browser, session_not_on_or_after=now(1800)).echo()
    assert echo.header("X-Expires")
    for seconds in (900, 1790):
        clocked_site.nginx.clock.shift(seconds)
        assert is_in(clocked_site, browser), seconds
    clocked_site.nginx.clock.shift(1805)
    assert not is_in(clocked_site, browser)


def test_an_end_of_the_idps_behind_ours(clocked_site: SamlSite, browser: Browser) -> None:
    clocked_site.start(server="saml_session_timeout 1h; saml_session_idle_timeout 0;")
    clocked_site.login(browser, session_not_on_or_after=now(10 * HOUR))
    clocked_site.nginx.clock.shift(HOUR + 5)
    assert not is_in(clocked_site, browser)


def test_a_clock_that_is_set_back(clocked_site: SamlSite, browser: Browser) -> None:
    """CLOCK: what has ended does not come back; new sessions are made."""
    clocked_site.start(server="saml_session_timeout 1h;")
    clocked_site.login(browser)
    clocked_site.nginx.clock.shift(2 * HOUR)
    assert not is_in(clocked_site, browser)
    later = dict.fromkeys(("response_instant", "assertion_instant", "authn_instant"), now(2 * HOUR))
    later |= dict.fromkeys(("confirmation_not_on_or_after", "not_on_or_after"), now(2 * HOUR + 300))
    other = Browser()
    clocked_site.login(other, **later)
    clocked_site.nginx.clock.shift(0)
    assert not is_in(clocked_site, browser), "an ended session came back"
    assert is_in(clocked_site, other)
    # An answer that ends no later than one that was forgotten meanwhile might be that one.
    fresh = dict.fromkeys(("confirmation_not_on_or_after", "not_on_or_after"), now(330))
    assert clocked_site.login(Browser(), **fresh).status == 200


@pytest.mark.parametrize("planted", [1, 4, 63, 64])
def test_fixation_a_logout_behind_planted_cookies_ends_the_session_or_says_that_it_did_not(
    site: SamlSite, browser: Browser, planted: int
) -> None:
    """FIXATION: a sibling host's cookies of our name, which browsers send first."""
    site.start(http="large_client_header_buffers 4 16k;")
    site.login(browser)
    own = value_of(browser)
    cookies = "; ".join(f"{SESSION}={value}" for value in [secrets.token_urlsafe(32) for _ in range(planted)] + [own])
    answer = http1("POST", site.url("/saml/logout"), [("Cookie", cookies)], b"")
    if planted < 64:
        assert answer.status == 200 and not is_in(site, with_session(site, own))
    else:
        assert answer.status == 503 and is_in(site, with_session(site, own))
