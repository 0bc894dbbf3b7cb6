"""A policy behind real identity providers: people log in through their forms, the application reads what is theirs."""

from __future__ import annotations

import pytest

from idps.provider import IdentityProvider
from idps.settings import ServiceProvider, User
from sallyport_testing.browser import Browser
from sallyport_testing.echoed import EchoedRequest
from sallyport_testing.http_response import Response
from sallyport_testing.policy_site import ECHO
from sallyport_testing.real_idp import log_in, log_in_at
from sallyport_testing.site import SamlSite

pytestmark = pytest.mark.real_idp

POLICY = """
    space Trial; space DevOps; role "Space Admin"; role "Space Developer"; role "Space Member" default;
    group Engineers idp_id=Engineering; group Worldwide; group Manual;
    map_group groups exact "R&D, worldwide" Worldwide; map_group urn:oid:2.5.4.11 contains Res Worldwide;
"""
USERS = "user ada@example.com group=Manual space=DevOps; user employee@example.com disabled;"
LOCATIONS = f"location ~ ^/in/(?<space>[^/]+)/ {{ auth_saml test; saml_space $space; {ECHO} }}"


@pytest.fixture(params=["simplesamlphp", "samlp_idp", "pysaml2_idp"])
def real_idp(request: pytest.FixtureRequest, site: SamlSite) -> IdentityProvider:
    """A real IdP whose users the site's policy resolves."""
    real: IdentityProvider = request.getfixturevalue(request.param)
    metadata = real.write_metadata(site.nginx.folder / "real.xml")
    users = site.nginx.folder / "users.conf"
    users.write_text(USERS)
    site.start(
        http=f"saml_policy main {{ {POLICY} users {users}; }}", locations=LOCATIONS,
        idp_block=f"metadata {metadata}; email_domains example.com; policy main;",
    )  # fmt: skip
    real.register(ServiceProvider.from_metadata(Browser().get(site.url("/saml/metadata")).body))
    return real


def entitlements(echo: EchoedRequest) -> dict[str, str | None]:
    return {name: echo.header(f"X-SSO-{name}") for name in ("Spaces", "Roles", "Groups", "Email")}


def answered(site: SamlSite, browser: Browser, path: str, user: str, password: str | None = None) -> Response:
    """What the ACS says to this user's answer."""
    page = log_in_at(browser, browser.get(site.url(path)), user, password)
    return browser.submit(page.form(having="SAMLResponse"))


def test_spaces_roles_and_groups(site: SamlSite, browser: Browser, real_idp: IdentityProvider) -> None:
    echo = log_in(browser, site.url("/in/DevOps/deep?a=b"), "student").echo()
    assert echo.uri == "/in/DevOps/deep?a=b"
    assert entitlements(echo) == {
        "Spaces": "Trial=Space Member,DevOps=Space Developer", "Roles": "Space Member,Space Developer",
        "Groups": "Engineers", "Email": "student@example.com",
    }  # fmt: skip
    assert (echo.header("X-SSO-Space"), echo.header("X-SSO-Role")) == ("DevOps", "Space Developer")
    assert browser.get(site.url("/in/Trial/")).echo().header("X-SSO-Role") == "Space Member"
    assert browser.get(site.url("/in/Secret/")).status == 403


def test_whom_the_operator_disabled(site: SamlSite, browser: Browser, real_idp: IdentityProvider) -> None:
    page = answered(site, browser, "/", "employee")
    assert page.status == 403 and "Your account is disabled" in page.text
    site.nginx.wait_for_log("saml: login refused reason=user_disabled idp=test")
    assert site.upstream.requests == []


def test_what_changes_at_the_idp_arrives_with_the_next_login(site: SamlSite, real_idp: IdentityProvider) -> None:
    """With what is given by hand beside it; the log tells what was granted and revoked."""
    for attributes, expected in (
        ({"groups": ["R&D, worldwide"], "space_name": ["Trial,Nowhere"], "space_role": ["Space Admin"]},
         {"Spaces": "Trial=Space Admin,DevOps=Space Member", "Groups": "Worldwide,Manual"}),
        ({"groups": ["Engineering", "Manual"], "space_name": ["DevOps"], "space_role": ["Owner"]},
         {"Spaces": "DevOps=Space Member", "Groups": "Engineers,Manual"}),
        ({"urn:oid:2.5.4.11": ["Research"]}, {"Spaces": "DevOps=Space Member", "Groups": "Worldwide,Manual"}),
    ):  # fmt: skip
        real_idp.set_user("ada", User("secret", {"email": ["ada@example.com"], **attributes}))
        browser = Browser()
        echo = browser.follow(answered(site, browser, "/page", "ada", "secret")).echo()
        assert {name: echo.header(f"X-SSO-{name}") for name in expected} == expected
    site.nginx.wait_for_log(
        r'user=ada@example\.com .*received_groups=Engineering,Manual \+Engineers -Worldwide "-Trial=Space Admin"'
    )
    site.nginx.wait_for_log(r"user=ada@example\.com .*received_groups= \+Worldwide -Engineers")


def test_an_address_of_another_domain(site: SamlSite, browser: Browser, real_idp: IdentityProvider) -> None:
    real_idp.set_user("eve", User("secret", {"email": ["eve@example.org"], "groups": ["Engineering"]}))
    page = answered(site, browser, "/", "eve", "secret")
    assert page.status == 403 and "This e-mail address cannot be used here" in page.text
