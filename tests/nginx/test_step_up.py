"""`saml_force_authn`: some pages want a login that is not old, wherever the session comes from."""

from __future__ import annotations

import html
import re
import time
from datetime import datetime, timedelta, timezone
from urllib.parse import parse_qs, urlsplit

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.site import SamlSite

STEP_UP = """
    location /admin { auth_saml test; saml_force_authn 10m; proxy_pass http://%%upstream%%; }
    location /admin/log { auth_saml test; saml_force_authn off; proxy_pass http://%%upstream%%; }
    location /greeted { auth_saml test; auth_saml_mode optional; saml_force_authn 10m; proxy_pass http://%%upstream%%; }
    location /any { satisfy any; deny all; auth_saml test; saml_force_authn 10m; proxy_pass http://%%upstream%%; }
    location /button { auth_saml test; saml_force_authn 10m; saml_login_page always; proxy_pass http://%%upstream%%; }
    location /mirrored { auth_saml test; mirror /admin/mirror; proxy_pass http://%%upstream%%; }
"""
LIMIT = timedelta(minutes=10)
FRESH = "fresh=600"


def ago(age: timedelta) -> datetime:
    return datetime.now(timezone.utc) - age


def old_session(site: SamlSite, browser: Browser) -> None:
    """A session whose login at the IdP was an hour ago (the IdP remembered its user)."""
    site.start(locations=STEP_UP)
    site.login(browser, authn_instant=ago(timedelta(hours=1)))


def test_an_old_login_is_asked_for_again_and_only_where_that_is_wanted(site: SamlSite, browser: Browser) -> None:
    old_session(site, browser)
    for path in ("/page", "/admin/log"):
        assert browser.get(site.url(path)).echo().header("X-SSO-User") == "student@example.com"
    request = site.idp.read_request(browser.get(site.url("/admin?x=1")))
    assert request.force_authn
    old_cookie = browser.cookies.header_for(site.url("/"))
    answer = site.idp.post(browser, site.idp.answer(request))
    assert (answer.status, answer.header("Location")) == (303, site.url("/admin?x=1"))
    assert browser.get(site.url("/admin?x=1")).echo().header("X-SSO-User") == "student@example.com"
    assert browser.cookies.header_for(site.url("/")) != old_cookie


@pytest.mark.parametrize("path", ["/admin", "/any", "/saml/login?return=%2Fadmin&" + FRESH])
def test_without_a_session_a_fresh_login_is_asked_for(site: SamlSite, browser: Browser, path: str) -> None:
    site.start(locations=STEP_UP)
    assert site.idp.read_request(browser.get(site.url(path))).force_authn
    assert not site.idp.read_request(browser.get(site.url("/page"))).force_authn


def test_the_age_is_counted_to_the_second(site: SamlSite) -> None:
    site.start(locations=STEP_UP)
    young, old = Browser(), Browser()
    site.login(young, authn_instant=ago(LIMIT - timedelta(seconds=20)))
    assert young.get(site.url("/admin")).status == 200
    site.login(old, authn_instant=ago(LIMIT + timedelta(seconds=1)))
    assert old.get(site.url("/admin")).status == 302


@pytest.mark.parametrize("behind", [-170, 0, 170])
def test_a_short_age_is_not_lengthened_by_the_clock_skew(site: SamlSite, browser: Browser, behind: int) -> None:
    """Whether the IdP's clock is behind or ahead: the login counts from when its answer came, and nobody is sent round."""
    site.start(locations="location /now { auth_saml test; saml_force_authn 2s; proxy_pass http://%%upstream%%; }")
    begun = time.monotonic()
    assert site.login(browser, "/now", authn_instant=ago(timedelta(seconds=behind))).status == 200
    assert browser.get(site.url("/now")).status == 200 or time.monotonic() - begun > 1.9
    time.sleep(max(0.0, 2.1 - (time.monotonic() - begun)))
    assert site.idp.read_request(browser.get(site.url("/now"))).force_authn


def test_an_answer_that_is_still_too_old_is_refused_and_not_sent_round(site: SamlSite, browser: Browser) -> None:
    """An IdP that ignores ForceAuthn, or a user who took it out of the (unsigned) request."""
    old_session(site, browser)
    kept = browser.cookies.header_for(site.url("/"))
    page = site.refused(browser, "/admin", authn_instant=ago(LIMIT + timedelta(seconds=2)))
    assert page.status == 403 and FRESH in page.text
    site.nginx.wait_for_log("reason=authn_too_old idp=test .*must not be older than 600 s")
    assert (kept or "") in (browser.cookies.header_for(site.url("/")) or ""), "the old session lives on"
    assert browser.get(site.url("/page")).status == 200


def test_programs_are_told_where_to_log_in(site: SamlSite, browser: Browser) -> None:
    old_session(site, browser)
    for path in ("/admin", "/any"):
        answer = browser.get(site.url(path), headers=[("X-Requested-With", "XMLHttpRequest")])
        assert answer.status == 401
        assert parse_qs(urlsplit(answer.header("X-SSO-Login") or "").query) == {"fresh": ["600"]}
    assert site.upstream.requests[-1].uri != "/admin"


def test_forms_are_not_lost_in_silence(site: SamlSite, browser: Browser) -> None:
    old_session(site, browser)
    page = browser.post(site.url("/admin"), {"a": "b"}, headers=[("Accept", "text/html")])
    assert page.status == 401 and FRESH in page.text


def test_an_old_login_is_nobody_where_nobody_may_come(site: SamlSite, browser: Browser) -> None:
    old_session(site, browser)
    assert browser.get(site.url("/greeted")).echo().with_prefix("X-SSO-") == {}
    site.login(browser, "/admin")
    assert browser.get(site.url("/greeted")).echo().header("X-SSO-User") == "student@example.com"


def test_the_page_with_the_button_keeps_the_age(site: SamlSite, browser: Browser) -> None:
    old_session(site, browser)
    page = browser.get(site.url("/button"))
    link, = re.findall(r'href="([^"]*/saml/login[^"]*)"', page.text)
    assert site.idp.read_request(browser.get(html.unescape(link))).force_authn


def test_subrequests_do_not_get_there_either(site: SamlSite, browser: Browser) -> None:
    old_session(site, browser)
    site.upstream.clear()
    assert browser.get(site.url("/mirrored")).status == 200
    assert [request.uri for request in site.upstream.requests] == ["/mirrored"]
    site.nginx.wait_for_log('subrequest to "/admin/mirror" refused')


@pytest.mark.parametrize("value", ["-1", "x", "0", "99999999999", "1e3", "", "600%20"])
def test_an_age_of_somebodys_own_asks_for_nothing_or_more(site: SamlSite, browser: Browser, value: str) -> None:
    site.start(locations=STEP_UP)
    assert not site.idp.read_request(browser.get(site.url(f"/saml/login?fresh={value}"))).force_authn
