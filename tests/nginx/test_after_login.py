"""What follows the answer: strict cookies, warnings for the operator, our own forms without Fetch Metadata."""

from __future__ import annotations

from sallyport_testing.browser import Browser
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite

DEEP_LINK = "/reports/2026?quarter=3&x=a%20b"


def test_a_strict_cookie_comes_back_at_the_deep_link(site: SamlSite, browser: Browser) -> None:
    site.start(server="saml_cookie saml_session samesite=strict;")
    answer = site.idp.login(browser, site.url(DEEP_LINK))
    assert answer.status == 200, answer.text
    cookie = [each for each in answer.all("Set-Cookie") if each.startswith("__Host-saml_session=")]
    assert cookie and "SameSite=Strict" in cookie[0]
    assert browser.follow(answer).echo().uri == DEEP_LINK


def test_what_an_idp_sends_instead_of_groups_is_a_warning(site: SamlSite, browser: Browser) -> None:
    link = "http://schemas.microsoft.com/claims/groups.link"
    site.start()
    echo = site.login(browser, attributes=[Attribute(link, ["https://graph.example.com/groups"])]).echo()
    assert echo.header("X-SSO-Groups") is None
    site.nginx.wait_for_log(r"\[warn\].*saml: login of user=\S+: the IdP sent a link instead of groups")


def test_our_pages_keep_the_origin_of_their_forms(site: SamlSite, browser: Browser) -> None:
    """Browsers without Fetch Metadata are known by Origin, which "no-referrer" would make "null"."""
    site.start()
    site.login(browser)
    page = browser.get(site.url("/saml/logout"))
    assert page.header("Referrer-Policy") == "same-origin"
    answer = browser.request(
        "POST", page.form().action,
        headers=[("Origin", site.base_url), ("Content-Type", "application/x-www-form-urlencoded")], body=b"",
    )  # fmt: skip
    assert answer.status == 200
    assert browser.request("GET", site.url("/saml/session")).status == 401
