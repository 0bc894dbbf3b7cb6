"""Workers that still drain with an older policy, beside those with a newer one: nothing goes back."""

from __future__ import annotations

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.policy_site import USER, PolicySite
from sallyport_testing.posted_answer import PostedAnswer
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.site import SamlSite

RESOLVED = "saml: session resolved by changed rules"
ENDED = "saml: session ended by changed rules"
SESSION = "__Host-saml_session"

RULES = "group Platform idp_id=platform; group Engineering; map_group department exact R&D Engineering;"
FEWER = RULES.replace("idp_id=platform", "idp_id=other")
SENT = {"groups": "platform", "department": "R&D"}
LISTED = f"user {USER} group=Manual;"
DISABLED = f"user {USER} disabled;"
OLD, NEW = ("Platform,Engineering", None), ("Engineering", None)


@pytest.fixture
def policies(site: SamlSite) -> PolicySite:
    return PolicySite(site)


def draining(policies: PolicySite, browser: Browser, change: dict[str, str]) -> RawConnection:
    """A request of this browser that has begun at a worker which goes on with the old configuration."""
    cookie = browser.cookies.header_for(policies.site.url("/page"))
    connection = RawConnection(policies.site.url())
    connection.send(f"GET /old HTTP/1.1\r\nHost: {policies.site.host}\r\nCookie: {cookie}\r\n")
    old = set(policies.nginx.workers())
    policies.change(wait_for_old=False, **change)
    assert old & set(policies.nginx.workers(shutting_down=True)), "no worker waits for the request"
    return connection


def test_a_draining_worker_never_overwrites(policies: PolicySite, browser: Browser) -> None:
    """What a newer worker has resolved stays, and the older one shows the same."""
    policies.start(RULES)
    policies.login(browser=browser, **SENT)
    with draining(policies, browser, {"policy": FEWER}) as connection:
        assert policies.given(browser) == NEW
        echo = connection.send("Connection: close\r\n\r\n").response().echo()
        assert echo.header("X-SSO-Groups") == NEW[0]
    for _ in range(4):
        assert policies.given(browser) == NEW
    assert len(policies.logged(RESOLVED)) == 1


def test_a_draining_worker_goes_first(policies: PolicySite, browser: Browser) -> None:
    policies.start(RULES)
    policies.login(browser=browser, **SENT)
    with draining(policies, browser, {"policy": FEWER}) as connection:
        echo = connection.send("Connection: close\r\n\r\n").response().echo()
        assert echo.header("X-SSO-Groups") == OLD[0], "by its own rules"
    assert policies.logged(RESOLVED) == []
    assert policies.given(browser) == NEW
    assert len(policies.logged(RESOLVED)) == 1


def test_a_draining_worker_brings_no_session_back(policies: PolicySite, browser: Browser) -> None:
    policies.start("group Manual;", users=LISTED)
    policies.login(browser=browser)
    with draining(policies, browser, {"users": DISABLED}) as connection:
        assert policies.is_out(browser)
        assert connection.send("Connection: close\r\n\r\n").response().status == 302
    assert policies.is_out(browser)


def test_a_login_that_ends_at_a_draining_worker(policies: PolicySite) -> None:
    """Its session is of the old rules, and resolved by the new ones at the next request."""
    policies.start("group Manual;", users=LISTED)
    answer = PostedAnswer(policies.site)
    with RawConnection(policies.site.url()) as connection:
        connection.send(answer.whole[:-10])
        policies.change(wait_for_old=False, users=DISABLED)
        finished = connection.send(answer.whole[-10:]).response()
        assert finished.status == 303
    browser = Browser()
    for each in finished.all("Set-Cookie"):
        browser.cookies.store(policies.site.url(), each, cross_site=False, top_level=True)
    assert browser.cookies.get(SESSION) is not None
    assert policies.is_out(browser)
    assert f"reason=user_disabled idp=test user={USER} " in policies.logged(ENDED)[-1]
