"""ORDER: beside modules that work on the same requests, loaded before ours or behind it: the same answers.

Of Debian's modules: one that edits headers in any phase, one that makes subrequests and redirects in the content
phase, one that decides on access too, and one that shares libxml2 (test_nginx_surface.py)."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import DEBIAN_MODULES, Nginx, module_under_test
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite
from sallyport_testing.upstream import EchoUpstream

pytestmark = pytest.mark.skipif("SALLYPORT_NGINX" in os.environ, reason="Debian's modules fit Debian's nginx")

ECHO = "proxy_pass http://%%upstream%%;"
USER = "student@example.com"
HEADERS_MORE, ECHO_MODULE, PAM = (
    f"ngx_http_{name}_module.so" for name in ("headers_more_filter", "echo", "auth_pam")
)
ORDERS = pytest.mark.parametrize("ours_first", [False, True], ids=["ORDER-ours_last", "ORDER-ours_first"])


@pytest.fixture
def site_with(
    make_nginx: Callable[..., Nginx], upstream: EchoUpstream, idp: TestIdp, keys: KeyStore
) -> Iterator[Callable[[str, bool], SamlSite]]:
    """A site, not started, with one of Debian's modules loaded before ours or behind it."""

    def make(name: str, ours_first: bool) -> SamlSite:
        if not (DEBIAN_MODULES / name).exists():
            pytest.skip(f"{name} is not installed")
        ours = str(module_under_test())
        nginx = make_nginx(saml=False, debian_modules=[ours, name] if ours_first else [name, ours])
        return SamlSite(nginx, upstream, idp, keys.tls("app.example.com"))

    yield make


@ORDERS
def test_a_module_that_edits_headers(site_with: Callable[[str, bool], SamlSite], ours_first: bool) -> None:
    """What it sets in the request cannot become an identity, what it clears costs us no cookie of ours, and what
    a client sends under our names is gone in both orders."""
    site = site_with(HEADERS_MORE, ours_first)
    site.start(
        location="more_set_input_headers 'X-Set: by the operator'; more_set_headers 'X-Out: 1';",
        locations=f"""
            location /public/ {{ more_set_input_headers 'X-Set: $http_x_sso_user'; {ECHO} }}
            location /copies/ {{ auth_saml test; more_set_input_headers -r 'X-Client: $http_x_sso_user'; {ECHO} }}
            location /clears/ {{ auth_saml test; more_clear_headers 'Set-Cookie' 'X-Out'; {ECHO} }}
        """,
    )
    spoofed = [("X-SSO-User", "admin"), ("x-sso-groups", "root")]
    public = Browser().get(site.url("/public/"), headers=spoofed).echo()
    assert public.with_prefix("X-SSO-") == {}
    browser = Browser()
    refused = browser.get(site.url("/page"), headers=spoofed)
    assert (refused.status, refused.header("Cache-Control")) == (302, "no-store")
    echo = site.login(browser, "/page").echo()
    assert (echo.header("X-SSO-User"), echo.header("X-Set")) == (USER, "by the operator")
    for path in ("/page", "/copies/", "/clears/"):
        answer = browser.get(site.url(path), headers=spoofed)
        seen = answer.echo()
        assert seen.header("X-SSO-User") == USER and "root" not in [value for _, value in seen.headers], path
        assert seen.header("X-Client") is None or "admin" not in (seen.header("X-Client") or ""), path
        assert seen.header("Cookie") is None


@ORDERS
def test_a_module_that_makes_subrequests(site_with: Callable[[str, bool], SamlSite], ours_first: bool) -> None:
    site = site_with(ECHO_MODULE, ours_first)
    site.start(
        locations=f"""
            location = /include {{ echo before; echo_location /page; echo after; }}
            location = /include_later {{ echo before; echo_location_async /page; echo after; }}
            location = /subrequest {{ echo_subrequest GET /page; echo done; }}
            location = /exec {{ echo_exec /page; }}
            location = /exec_named {{ echo_exec @named; }}
            location = /guarded {{ auth_saml test; echo $saml_user; }}
            location = /slow {{ auth_saml test; echo_sleep 0.05; echo $saml_user; }}
            location = /around {{ echo_before_body before; echo_after_body after; auth_saml test; {ECHO} }}
            location @named {{ auth_saml test; {ECHO} }}
        """
    )
    browser = Browser()
    for path in ("/include", "/include_later", "/subrequest"):
        page = browser.get(site.url(path))
        assert '"headers"' not in page.text and USER not in page.text, path
    for path in ("/exec", "/exec_named", "/guarded", "/slow", "/around"):
        assert browser.get(site.url(path)).status == 302, path
    assert site.upstream.requests == []
    site.login(browser)
    for path in ("/include", "/include_later", "/subrequest", "/exec", "/exec_named", "/around"):
        assert USER in browser.get(site.url(path)).text, path
    assert [browser.get(site.url(path)).text.strip() for path in ("/guarded", "/slow")] == [USER, USER]


@ORDERS
@pytest.mark.parametrize("satisfy", ["any", "all"])
def test_a_module_that_decides_on_access(
    site_with: Callable[[str, bool], SamlSite], ours_first: bool, satisfy: str
) -> None:
    """Its refusal is not our login's grant, and our login is not its."""
    site = site_with(PAM, ours_first)
    pam = 'auth_pam "Realm"; auth_pam_service_name sallyport-no-such-service;'
    site.start(locations=f"location /both/ {{ satisfy {satisfy}; auth_saml test; {pam} {ECHO} }}")
    site.nginx.allow_in_log("PAM")
    password = [("Authorization", "Basic dXNlcjpzZWNyZXQ=")]
    for headers in ([], password):
        browser = Browser()
        answer = browser.get(site.url("/both/"), headers=headers)
        assert answer.status in (302, 401, 403), answer.status
        if answer.status == 302:
            site.idp.read_request(answer)
        assert site.upstream.requests == []
    site.login(browser, "/page")
    site.upstream.clear()
    answer = browser.get(site.url("/both/"), headers=password)
    if satisfy == "any":
        assert answer.echo().header("X-SSO-User") == USER
    else:
        assert answer.status in (401, 403) and site.upstream.requests == []


@ORDERS
def test_own_order_of_phases(site_with: Callable[[str, bool], SamlSite], ours_first: bool) -> None:
    """limit_req by user sees the session; allow/deny, auth_basic and realip decide beside us as without other
    modules; ECP headers change nothing (mod_auth_mellon CVE-2019-3878)."""
    site = site_with(HEADERS_MORE, ours_first)
    site.start(
        http="limit_req_zone $saml_user zone=users:1m rate=1r/m; set_real_ip_from 127.0.0.1;",
        locations=f"""
            location /limited/ {{ auth_saml test; limit_req zone=users burst=2 nodelay; {ECHO} }}
            location /denied/ {{ auth_saml test; deny all; {ECHO} }}
            location /real/ {{ auth_saml test; real_ip_header X-Real-IP; allow 192.0.2.1; deny all; {ECHO} }}
        """,
    )
    ecp = [("Accept", "text/html, application/vnd.paos+xml"), ("PAOS", 'ver="urn:liberty:paos:2003-08"')]
    for headers in ([], ecp):
        assert Browser().get(site.url("/limited/"), headers=headers).status == 302
    for _ in range(5):
        assert Browser().get(site.url("/limited/")).status == 302, "who is nobody is not limited by user"
    browser = Browser()
    site.login(browser)
    statuses = [browser.get(site.url("/limited/")).status for _ in range(5)]
    assert statuses == [200, 200, 200, 503, 503]
    assert browser.get(site.url("/denied/")).status == 403
    assert browser.get(site.url("/real/"), headers=[("X-Real-IP", "192.0.2.1")]).status == 200
    assert browser.get(site.url("/real/"), headers=[("X-Real-IP", "192.0.2.2")]).status == 403
    assert Browser().get(site.url("/real/"), headers=[("X-Real-IP", "192.0.2.1")]).status == 302
