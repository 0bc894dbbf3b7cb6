"""A login that is handed over ends with a session for the host that asked for it, and for no other (DESIGN 5.2)."""

from __future__ import annotations

from pathlib import Path

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http_client import http1
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.tenants import BASE, HOSTS, Tenants
from sallyport_testing.upstream import EchoUpstream


@pytest.fixture
def tenants(nginx: Nginx, upstream: EchoUpstream, tmp_path: Path, keys: KeyStore) -> Tenants:
    return Tenants(nginx, upstream, tmp_path, keys)


def start_with_one_idp(tenants: Tenants, names: str = "", more: str = "") -> None:
    """All hosts are acme's: nothing but the host tells them apart."""
    text = tenants.text(names=names, http=more).replace("auth_saml $org", "auth_saml acme")
    tenants.nginx.configure(text, upstream=tenants["acme"].upstream.address)
    tenants.nginx.start()


def ask(tenants: Tenants, host: str, path: str, cookie: str) -> Response:
    headers = [("Cookie", cookie), ("Sec-Fetch-Mode", "navigate"), ("Accept", "text/html")]
    return http1("GET", f"https://{host}:{tenants.nginx.port('site')}{path}", headers)


@pytest.mark.parametrize("idp", ["acme", "globex", "nobody"])
def test_idp_mix_a_host_of_nobody_orders_no_login(tenants: Tenants, idp: str) -> None:
    """IDP-MIX: a wildcard covers the name, no organisation has it. Whoever owns it would see the ticket."""
    tenants.start()
    for path in (f"/saml/login?idp={idp}", f"/saml/login?idp={idp}&return=%2Fpage", "/saml/login", "/page"):
        answer = ask(tenants, "blog.example.com", path, "")
        assert answer.status == 403 and not answer.location and not answer.all("Set-Cookie"), path
    tenants.nginx.wait_for_log("reason=unknown_idp ")


def test_idp_mix_a_session_is_for_the_host_that_asked(tenants: Tenants, browser: Browser) -> None:
    """IDP-MIX: who gets hold of another host's session, as its owner may, has nothing elsewhere."""
    start_with_one_idp(tenants)
    request = tenants["acme"].idp.read_request(browser.follow_once(browser.get(tenants["globex"].url("/page"))))
    idp = tenants["acme"].idp
    page = browser.follow(idp.post(browser, idp.answer(request, name_id="ada@acme.test")))
    assert page.url == tenants["globex"].url("/page") and page.echo().header("X-SSO-User") == "ada@acme.test"
    cookie = f"__Host-saml_session={tenants['globex'].session(browser)}"
    assert ask(tenants, HOSTS["globex"], "/page", cookie).status == 200
    for host in (HOSTS["acme"], HOSTS["initech"], "x.example.com"):
        before = len(tenants["acme"].upstream.requests)
        assert ask(tenants, host, "/page", cookie).status == 302
        assert ask(tenants, host, "/saml/session", cookie).status == 401
        assert len(tenants["acme"].upstream.requests) == before
    assert ask(tenants, HOSTS["globex"], "/saml/session", cookie).status == 200


def start_with_pages_of_the_acs_host(tenants: Tenants) -> None:
    text = tenants.text(names=f"{BASE} *.example.com {HOSTS['initech']}").replace("auth_saml $org", "auth_saml acme")
    tenants.nginx.configure(text[: text.rindex("server {")], upstream=tenants["acme"].upstream.address)
    tenants.nginx.start()


def test_idp_mix_the_acs_hosts_own_sessions(tenants: Tenants, browser: Browser) -> None:
    """IDP-MIX: neither does a session of the ACS's own pages count at the hosts, nor theirs there."""
    start_with_pages_of_the_acs_host(tenants)
    acme = tenants["acme"]
    tenants["acme"].login(browser, "/page")
    of_host = f"__Host-saml_session={acme.session(browser)}"
    other = Browser()
    request = acme.idp.read_request(other.get(tenants.base("/own")))
    assert other.follow(acme.idp.post(other, acme.idp.answer(request))).url == tenants.base("/own")
    of_base = other.cookies.header_for(tenants.base("/own")) or ""
    assert ask(tenants, BASE, "/own", of_base).status == 200 and ask(tenants, HOSTS["acme"], "/page", of_host).status == 200
    assert ask(tenants, BASE, "/own", of_host).status == 302
    assert ask(tenants, HOSTS["acme"], "/page", of_base).status == 302


def test_hosts_that_share_their_cookie_share_the_session(tenants: Tenants, browser: Browser) -> None:
    """`domain=`: siblings of one owner; a host outside of the domain has no part in it."""
    start_with_one_idp(tenants, more="saml_cookie saml_session domain=example.com;")
    acme = tenants["acme"]
    acme.login(browser, "/page")
    cookie = browser.cookies.header_for(acme.url("/page")) or ""
    assert ask(tenants, HOSTS["acme"], "/page", cookie).status == 200
    assert ask(tenants, HOSTS["globex"], "/page", cookie).status == 200
    assert ask(tenants, HOSTS["initech"], "/page", cookie).status == 302


def test_fixation_logins_at_two_hosts_that_share_their_cookie(tenants: Tenants, browser: Browser) -> None:
    """FIXATION: the later one overwrites the cookie of the other, and ends its session."""
    start_with_one_idp(tenants, more="saml_cookie saml_session domain=example.com samesite=strict;")
    idp = tenants["acme"].idp
    tabs = [browser.new_tab() for _ in range(2)]
    begun = [tab.get(tenants[name].url("/page")) for name, tab in zip(("acme", "globex"), tabs)]
    requests = [idp.read_request(tab.follow_once(there)) for tab, there in zip(tabs, begun)]
    values = []
    for tab, request in zip(tabs, requests):
        assert tab.follow(idp.post(tab, idp.answer(request))).status == 200
        cookie = browser.cookies.get("saml_session")
        assert cookie is not None
        values.append(f"saml_session={cookie.value}")
    assert [ask(tenants, HOSTS["acme"], "/page", value).status for value in values] == [302, 200]


def test_a_login_at_the_acs_host_ends_no_session_of_a_host(tenants: Tenants, browser: Browser) -> None:
    """There the browser has the mark of that login too."""
    start_with_pages_of_the_acs_host(tenants)
    acme = tenants["acme"]
    acme.login(browser, "/page")
    assert acme.idp.login(browser, tenants.base("/own")).status == 303
    assert acme.is_in(browser)
