"""One ACS for all tenants at a host of its own: each host ends with its own host-only cookie (DESIGN 5.2)."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.cookies import parse_set_cookie
from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.http_client import http1, target_of
from sallyport_testing.http_response import Form, Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.shifted_clock import ShiftedClock
from sallyport_testing.tenants import BASE, HOSTS, Tenants
from sallyport_testing.upstream import EchoUpstream
from sallyport_testing.waiting import wait_until

NAMES = sorted(HOSTS)


@pytest.fixture
def tenants(nginx: Nginx, upstream: EchoUpstream, tmp_path: Path, keys: KeyStore) -> Tenants:
    return Tenants(nginx, upstream, tmp_path, keys)


@pytest.fixture
def clocked(make_nginx: Callable[..., Nginx], upstream: EchoUpstream, tmp_path: Path, keys: KeyStore) -> Tenants:
    return Tenants(make_nginx(clock=ShiftedClock(tmp_path / "clock")), upstream, tmp_path, keys)


def get(url: str, browser: Browser, *, also: str = "") -> Response:
    """As a copy of the browser's cookies elsewhere would ask: the browser itself learns nothing."""
    cookie = "; ".join(filter(None, [browser.cookies.header_for(url), also]))
    return http1("GET", url, [("Cookie", cookie), ("Sec-Fetch-Mode", "navigate"), ("Accept", "text/html")])


def is_refused(answer: Response, tenants: Tenants, reason: str) -> bool:
    tenants.nginx.wait_for_log(f"reason={reason} ")
    return answer.status == 403 and not any("saml_session=" in line for line in answer.all("Set-Cookie"))


@pytest.mark.parametrize("name", NAMES)
def test_each_host_gets_its_own_session(tenants: Tenants, browser: Browser, name: str) -> None:
    tenant = tenants.start()[name]
    page = tenant.login(browser, "/deep/link?a=1&b=%20x", name_id=f"ada@{name}.test")
    assert page.url == tenant.url("/deep/link?a=1&b=%20x")
    assert page.echo().header("X-SSO-User") == f"ada@{name}.test"
    assert page.echo().header("X-SSO-Idp") == name
    sessions = [each for each in browser.cookies if each.name == "__Host-saml_session"]
    assert [(each.host, each.host_only, each.http_only) for each in sessions] == [(tenant.host, True, True)]
    assert tenant.is_in(browser)


def test_the_idp_sees_one_service_provider(tenants: Tenants, browser: Browser) -> None:
    tenants.start()
    seen = {(request.issuer, request.acs_url) for request in (tenants[name].begin(browser) for name in NAMES)}
    assert seen == {(f"https://{BASE}/saml/metadata", tenants.base("/saml/acs"))}
    metadata = browser.get(tenants.base("/saml/metadata")).text
    assert metadata.count("<md:AssertionConsumerService") == 1 and tenants.base("/saml/acs") in metadata


def test_post_binding_signed_requests_and_step_up(tenants: Tenants, browser: Browser, keys: KeyStore) -> None:
    key = keys.get("sp")
    tenants["acme"].idp.bindings = ["urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"]
    tenants.start(http=f"""saml_certificate {key.certificate_file}; saml_certificate_key {key.key_file};
        saml_sign_requests on;""", location="saml_force_authn 5m;")  # fmt: skip
    request = tenants["acme"].begin(browser, "/page")
    assert request.force_authn and request.issuer == f"https://{BASE}/saml/metadata"
    assert tenants["acme"].login(Browser(), "/page").status == 200


def test_idp_mix_sid_store_a_session_of_one_is_nothing_at_another(tenants: Tenants, browser: Browser) -> None:
    """IDP-MIX, SID-STORE"""
    tenants.start()
    tenants["acme"].login(browser)
    stolen = tenants["acme"].session(browser)
    for name in ("globex", "initech"):
        other = tenants[name]
        assert get(other.url("/page"), Browser(), also=f"__Host-saml_session={stolen}").status == 302
        assert not other.is_in(browser)
    assert tenants["acme"].is_in(browser)


@pytest.mark.parametrize("name", ["globex", "initech"])
def test_idp_mix_an_answer_of_another_tenants_idp(tenants: Tenants, browser: Browser, name: str) -> None:
    """IDP-MIX: what one tenant's IdP signs opens no other tenant's host."""
    tenants.start()
    request = tenants["acme"].begin(browser)
    forger = tenants[name].idp
    for issuer in (forger.entity_id, tenants["acme"].idp.entity_id):
        answer = forger.post(browser, forger.answer(request, issuer=issuer, response_issuer=issuer))
        assert answer.status == 403 and not answer.location
    assert not tenants["acme"].is_in(browser)


def test_a_login_at_two_tenants_at_once(tenants: Tenants, browser: Browser) -> None:
    tenants.start()
    requests = {name: tenants[name].begin(browser, f"/{name}") for name in NAMES}
    for name, request in reversed(requests.items()):
        page = browser.follow(tenants[name].idp.post(browser, tenants[name].idp.answer(request)))
        assert page.url == tenants[name].url(f"/{name}") and page.status == 200
    assert all(tenants[name].is_in(browser) for name in NAMES)


def test_an_unknown_organisation_gets_a_page(tenants: Tenants, browser: Browser) -> None:
    tenants.start()
    answer = browser.get(f"https://nobody.example.com:{tenants.nginx.port('site')}/page")
    assert is_refused(answer, tenants, "unknown_idp") and "<html" in answer.text
    assert tenants["acme"].upstream.requests == []
    assert not any(host in answer.text for host in HOSTS.values())
    tenants.nginx.wait_for_log(r"access refused reason=unknown_idp .*detail: auth_saml \$org is empty")
    assert browser.get(f"https://nobody.example.com:{tenants.nginx.port('site')}/saml/login").status == 403
    tenants.nginx.wait_for_log(r"login refused reason=unknown_idp .*detail: auth_saml \$org is empty")


def test_host_a_name_that_is_nobodys(tenants: Tenants) -> None:
    """HOST: the default server takes any Host header, but no login begins or ends there."""
    text = tenants.text(names="*.example.com").replace("auth_saml $org", "auth_saml acme")
    tenants.nginx.configure(text, upstream=tenants["acme"].upstream.address)
    tenants.nginx.start()
    port = tenants.nginx.port("site")
    assert Browser().get(f"https://x.example.com:{port}/page").status == 302
    for host in ("evil.test", "127.0.0.1", "example.com", 'a"b.example.com', "a:b.example.com"):
        for path in ("/page", "/saml/login", "/saml/login?idp=acme"):
            answer = http1("GET", f"https://127.0.0.1:{port}{path}", [("Host", f"{host}:{port}")])
            assert answer.status in (400, 403), (host, path, answer.status)
            assert not answer.location and not answer.all("Set-Cookie")
        # An answer whose attempt is lost begins none there either.
        form = [("Host", f"{host}:{port}"), ("Content-Type", "application/x-www-form-urlencoded")]
        lost = http1("POST", f"https://127.0.0.1:{port}/saml/acs", form, b"SAMLResponse=eA&RelayState=AZaz09-_AZaz09-_")
        assert lost.status in (400, 403) and not lost.location and not lost.all("Set-Cookie"), (host, lost.status)
    for what in ("access", "login"):
        tenants.nginx.wait_for_log(rf"{what} refused reason=unknown_idp .*: the host <evil\.test> of the request is no server_name")


def test_state_forge_tickets(tenants: Tenants, browser: Browser) -> None:
    """STATE-FORGE: a ticket is for one host and one browser, and cannot be made or changed."""
    tenants.start()
    acme = tenants["acme"]
    url = acme.ticket_url(browser, "/page")
    # In another browser: login CSRF, and a ticket out of a log.
    assert is_refused(Browser().get(url), tenants, "attempt_lost")
    # At another tenant, with an attempt of that one's or the cookies of this one.
    other = Browser()
    tenants["globex"].begin(other)
    elsewhere = url.replace(acme.host, HOSTS["globex"])
    assert is_refused(get(elsewhere, other, also=browser.cookies.header_for(url) or ""), tenants, "attempt_expired")
    # In a browser that began another login at the same host.
    second = Browser()
    acme.begin(second)
    assert is_refused(get(url, second), tenants, "attempt_lost")
    # Changed, empty, an order instead.
    where, _, ticket = url.partition("?t=")
    order = parse_qs(urlsplit(Browser().get(acme.url("/page")).location or "").query)["order"][0]
    for bad in (ticket[:-2] + ("AA" if ticket[-2:] != "AA" else "BB"), ticket[4:], "", "%00", order, "A" * 5000):
        assert get(f"{where}?t={bad}", browser).status in (403, 414)
    assert get(where, browser).status == 403
    assert http1("POST", url, [("Cookie", browser.cookies.header_for(url) or ""), ("Content-Length", "0")]).status == 405
    # And it is still good for its own.
    assert browser.open(url).echo().header("X-SSO-User")


def test_replay_of_a_ticket(tenants: Tenants, browser: Browser) -> None:
    """REPLAY: it works once; the browser that used it goes on to its page."""
    tenants.start()
    acme = tenants["acme"]
    url = acme.ticket_url(browser, "/page")
    before = browser.cookies.header_for(url) or ""
    assert browser.open(url).status == 200
    again = browser.get(url)
    assert again.status == 303 and again.location == acme.url("/page") and not again.all("Set-Cookie")
    copied = http1("GET", url, [("Cookie", before)])
    assert is_refused(copied, tenants, "replayed")


def test_old_tickets_and_orders(clocked: Tenants, browser: Browser) -> None:
    clocked.start()
    acme = clocked["acme"]
    url = acme.ticket_url(browser, "/page")
    order = browser.get(acme.url("/page")).location or ""
    clocked.nginx.clock.shift(61)
    assert is_refused(get(url, browser), clocked, "attempt_expired")
    assert Browser().get(order).status == 302
    clocked.nginx.clock.shift(3700)
    assert is_refused(Browser().get(order), clocked, "attempt_expired")


@pytest.mark.parametrize("shift", [-30, 30])
def test_clocks_may_differ_a_little(clocked: Tenants, browser: Browser, shift: int) -> None:
    clocked.start()
    url = clocked["acme"].ticket_url(browser, "/page")
    clocked.nginx.clock.shift(shift)
    assert browser.open(url).status == 200


def test_state_forge_orders(tenants: Tenants, browser: Browser) -> None:
    tenants.start()
    url = browser.get(tenants["acme"].url("/page")).location or ""
    where, _, order = url.partition("?order=")
    ticket = tenants["acme"].ticket_url(Browser()).partition("?t=")[2]
    for bad in (order[:-2] + ("AA" if order[-2:] != "AA" else "BB"), order[4:], "", ticket, "x", "A" * 5000):
        answer = Browser().get(f"{where}?order={bad}")
        assert answer.status in (403, 414) and not answer.all("Set-Cookie"), bad
    # A tenant's host carries nothing out.
    at_tenant = Browser().get(url.replace(BASE, HOSTS["globex"]))
    assert (at_tenant.location or "").startswith(tenants.base("/saml/login?order=")) and order not in at_tenant.location


def test_swapped_somebody_elses_order(tenants: Tenants, browser: Browser) -> None:
    """SWAPPED: an attacker's order in a victim's browser ends without a session, in either browser."""
    tenants.start()
    acme, attacker = tenants["acme"], Browser()
    order = attacker.get(acme.url("/page")).location or ""
    request = acme.idp.read_request(browser.get(order))
    done = acme.idp.post(browser, acme.idp.answer(request, name_id="victim@acme.test"))
    assert done.status == 303
    assert is_refused(browser.follow(done), tenants, "attempt_lost")
    assert not acme.is_in(browser) and not acme.is_in(attacker)


def test_replay_the_answer_posted_again(tenants: Tenants, browser: Browser) -> None:
    """REPLAY: the Back button leads to the page, another browser nowhere."""
    tenants.start()
    acme = tenants["acme"]
    message = acme.idp.answer(acme.begin(browser, "/page?x=1"))
    assert browser.follow(acme.idp.post(browser, message)).status == 200
    again = acme.idp.post(browser, message)
    assert again.status == 303 and again.location == acme.url("/page?x=1")
    assert acme.idp.post(Browser(), message).status == 403


def test_another_answer_to_a_finished_attempt(tenants: Tenants, browser: Browser) -> None:
    """It is refused, with a way back to the tenant's page."""
    tenants.start()
    acme = tenants["acme"]
    request = acme.begin(browser, "/page?x=1")
    assert browser.follow(acme.idp.post(browser, acme.idp.answer(request))).status == 200
    answer = acme.idp.post(browser, acme.idp.answer(request))
    assert is_refused(answer, tenants, "attempt_lost") and f'href="{acme.url("/page?x=1")}"' in answer.text


def test_a_long_target_is_cut_after_the_login_only(tenants: Tenants, browser: Browser) -> None:
    tenants.start()
    acme = tenants["acme"]
    path = "/page?" + "x" * 1400
    message = acme.idp.answer(acme.begin(browser, path))
    assert browser.follow(acme.idp.post(browser, message)).url == acme.url(path)
    assert acme.idp.post(browser, message).location == acme.url("/")


def test_fixation_the_earlier_session_ends(tenants: Tenants, browser: Browser) -> None:
    """FIXATION: a login makes a new session and ends the one that the browser had, at that host alone."""
    tenants.start()
    acme = tenants["acme"]
    acme.login(browser, name_id="ada@acme.test")
    tenants["globex"].login(browser)
    first = acme.session(browser)
    request = acme.idp.read_request(browser.follow_once(browser.get(acme.url("/saml/login?return=/page"))))
    assert browser.follow(acme.idp.post(browser, acme.idp.answer(request, name_id="grace@acme.test"))).status == 200
    assert acme.session(browser) != first
    assert get(acme.url("/page"), Browser(), also=f"__Host-saml_session={first}").status == 302
    assert tenants["globex"].is_in(browser)


def test_fixation_strict_cookies_at_a_host(tenants: Tenants, browser: Browser) -> None:
    """FIXATION: the last redirect began at the IdP's site, so that a strict cookie does not come with it."""
    tenants.start(http="saml_cookie saml_session samesite=strict;")
    acme = tenants["acme"]
    acme.login(browser, name_id="ada@acme.test")
    first = acme.session(browser)
    request = acme.idp.read_request(browser.follow_once(browser.get(acme.url("/saml/login?return=/page"))))
    assert browser.follow(acme.idp.post(browser, acme.idp.answer(request, name_id="grace@acme.test"))).status == 200
    assert acme.session(browser) != first
    assert get(acme.url("/page"), Browser(), also=f"__Host-saml_session={first}").status == 302


def test_fixation_a_login_in_another_tab_at_a_host(tenants: Tenants, browser: Browser) -> None:
    """FIXATION: neither tab knew a session; that of another host lives on."""
    tenants.start(http="saml_cookie saml_session samesite=strict;")
    acme = tenants["acme"]
    tenants["globex"].login(browser)
    tabs = {path: browser.new_tab() for path in ("/a", "/b")}
    requests = {path: acme.begin(tab, path) for path, tab in tabs.items()}
    ended = []
    for path in ("/b", "/a"):
        assert tabs[path].follow(acme.idp.post(tabs[path], acme.idp.answer(requests[path]))).status == 200
        ended.append(acme.session(browser))
    assert get(acme.url("/page"), Browser(), also=f"__Host-saml_session={ended[0]}").status == 302
    assert acme.is_in(browser) and tenants["globex"].is_in(browser)


def test_refusals_offer_the_tenants_own_login(tenants: Tenants, browser: Browser) -> None:
    tenants.start()
    acme = tenants["acme"]
    page = acme.refused(browser, "/page", audiences=["https://other.example.com"])
    assert acme.url("/saml/login?return=" + quote("/page", safe="")) in page.text
    assert tenants.base("/saml/login") not in page.text


def test_lost_attempts_end_with_a_page(tenants: Tenants, browser: Browser) -> None:
    """The host of the ACS does not know for whom a login was whose cookie is gone."""
    tenants.start()
    acme = tenants["acme"]
    message = acme.idp.answer(acme.begin(browser, "/page"))
    answer = acme.idp.post(Browser(), message)
    assert is_refused(answer, tenants, "attempt_lost") and "/saml/login" not in answer.text


def test_the_login_endpoint_of_a_tenant(tenants: Tenants, browser: Browser) -> None:
    """It knows its own IdP alone, and tells of no other."""
    tenants.start()
    acme = tenants["acme"]
    for path in ("/saml/login", "/saml/login?idp=acme", "/saml/login?return=/x"):
        assert (Browser().get(acme.url(path)).location or "").startswith(tenants.base("/saml/login?order="))
    for name in ("globex", "nobody"):
        answer = browser.get(acme.url(f"/saml/login?idp={name}"))
        assert is_refused(answer, tenants, "unknown_idp")
    unknown = browser.get(f"https://nobody.example.com:{tenants.nginx.port('site')}/saml/login")
    assert unknown.status == 403 and not any(name in unknown.text for name in NAMES)


def test_the_login_endpoint_of_the_acs_host(tenants: Tenants, browser: Browser) -> None:
    tenants.start()
    for path in ("/saml/login", "/saml/login?idp=acme"):
        answer = browser.get(tenants.base(path))
        assert is_refused(answer, tenants, "unknown_idp") and not any(name in answer.text for name in NAMES)
    assert browser.get(tenants.base("/")).text == "not protected\n"
    assert browser.get(tenants.base("/saml/finish?t=x")).status == 403


def test_programs_are_told_the_tenants_address(tenants: Tenants, browser: Browser) -> None:
    tenants.start()
    acme = tenants["acme"]
    answer = browser.fetch(acme.url("/api"))
    assert answer.status == 401 and (answer.header("X-SSO-Login") or "").startswith(acme.url("/saml/login"))
    session = browser.fetch(acme.url("/saml/session"))
    assert session.status == 401 and json.loads(session.body)["login"].startswith(acme.url("/saml/login"))


def test_logout_csrf_at_a_tenant(tenants: Tenants, browser: Browser) -> None:
    """LOGOUT-CSRF: the tenant's own pages may end its session, those of other tenants and of the ACS's host may not."""
    tenants.start()
    acme = tenants["acme"]
    for name in ("acme", "globex"):
        tenants[name].login(browser)
    cookie = ("Cookie", browser.cookies.header_for(acme.url("/")) or "")
    for origin in (tenants["globex"].base_url, f"https://{BASE}:{tenants.nginx.port('site')}", "null"):
        for sent in ([("Origin", origin)], [("Origin", origin), ("Sec-Fetch-Site", "same-site")]):
            assert http1("POST", acme.url("/saml/logout"), [cookie, *sent], b"").status == 403
    assert acme.is_in(browser)
    own = [("Origin", acme.base_url), ("Sec-Fetch-Site", "same-origin")]
    done = http1("POST", acme.url("/saml/logout?return=/bye"), [cookie, *own], b"")
    assert done.status == 303 and done.location == acme.url("/bye")
    assert not acme.is_in(browser) and tenants["globex"].is_in(browser)


def test_a_link_of_another_host_asks_first(tenants: Tenants, browser: Browser) -> None:
    """What is no form of one's own may lead to the logout all the same: there the user is asked."""
    tenants.start()
    acme = tenants["acme"]
    acme.login(browser)
    browser.get(tenants.base("/"))
    asked = browser.submit(Form(acme.url("/saml/logout"), "GET", {"return": "/bye"}))
    assert asked.status == 200 and acme.is_in(browser.new_tab())
    done = browser.submit(asked.form())
    assert done.location == acme.url("/bye") and not acme.is_in(browser)


def test_many_tenants_in_a_minute_are_no_loop(tenants: Tenants, browser: Browser) -> None:
    tenants.start()
    for number in range(7):
        tenant = tenants[NAMES[number % 3]]
        browser.request("POST", tenant.url("/saml/logout"), headers=[("Origin", tenant.base_url)])
        assert tenant.login(browser).status == 200


def test_a_browser_that_keeps_no_cookies_of_the_tenant(tenants: Tenants, browser: Browser) -> None:
    """It gets a page, not a loop of redirects."""
    tenants.start()
    url = tenants["acme"].ticket_url(browser, "/page")
    answer = http1("GET", url, [])
    assert is_refused(answer, tenants, "attempt_lost") and "reference" in answer.text.lower()


def test_cookie_attr_of_the_way(tenants: Tenants, browser: Browser) -> None:
    """COOKIE-ATTR: that of the tenant's attempt needs no SameSite=None, that of the ACS's host does."""
    tenants.start()
    there = browser.get(tenants["acme"].url("/page"))
    (own,) = [parse_set_cookie(line) for line in there.all("Set-Cookie")]
    (acs,) = [parse_set_cookie(line) for line in browser.follow_once(there).all("Set-Cookie")]
    for cookie, same_site in ((own, "Lax"), (acs, "None")):
        assert cookie.name.startswith("__Host-saml_session.") and cookie.attributes["samesite"] == same_site
        assert cookie.has("Secure") and cookie.has("HttpOnly") and not cookie.has("Domain")


def test_strict_session_cookies(tenants: Tenants, browser: Browser) -> None:
    tenants.start(http="saml_cookie saml_session samesite=strict;")
    acme = tenants["acme"]
    page = browser.open(acme.ticket_url(browser, "/page?a=1"))
    assert page.url == acme.url("/page?a=1") and page.echo().header("X-SSO-User")


def test_satisfy_any_at_a_tenant(tenants: Tenants, browser: Browser) -> None:
    tenants.start(location="satisfy any; deny all;")
    assert tenants["initech"].login(browser, "/page").status == 200


def test_one_server_for_all_names(tenants: Tenants, browser: Browser) -> None:
    """The ACS's host may be one of the server's own names, and be protected too."""
    text = tenants.text(names=f"{BASE} *.example.com {HOSTS['initech']}", http="").replace(
        'default "";', f'default ""; {BASE} acme;'
    )
    text = text[: text.rindex("server {")]
    tenants.nginx.configure(text, upstream=tenants["acme"].upstream.address)
    tenants.nginx.start()
    acme = tenants["acme"]
    for name in NAMES:
        assert tenants[name].login(browser, "/page").url == tenants[name].url("/page")
    lost = acme.idp.post(Browser(), acme.idp.answer(acme.begin(Browser())))
    assert is_refused(lost, tenants, "attempt_lost"), "whose was it?"
    for _ in range(3):
        # Logins for others are no loop at the ACS's own pages.
        browser.request("POST", tenants["globex"].url("/saml/logout"), headers=[("Origin", tenants["globex"].base_url)])
        tenants["globex"].login(browser)
    request = acme.idp.read_request(browser.get(tenants.base("/own")))
    page = browser.follow(acme.idp.post(browser, acme.idp.answer(request)))
    assert page.url == tenants.base("/own") and page.status == 200
    assert all(tenants[name].is_in(browser) for name in NAMES)


def test_names_by_regular_expression(tenants: Tenants, browser: Browser) -> None:
    names = r'"~^(acme|globex)\.example\.com$" portal.initech.*'
    tenants.start(names=names)
    for name in NAMES:
        assert tenants[name].login(browser, "/page").status == 200
    assert Browser().get(f"https://other.example.com:{tenants.nginx.port('site')}/saml/login").status == 403


def test_reload_between_the_hops(tenants: Tenants, browser: Browser) -> None:
    tenants.start()
    acme = tenants["acme"]
    request = acme.begin(browser, "/page")
    tenants.nginx.reload()
    answer = acme.idp.post(browser, acme.idp.answer(request))
    tenants.nginx.reload()
    assert browser.follow(answer).echo().header("X-SSO-User")


class TwoNodes:
    """The same tenants on two nodes with one Redis."""

    def __init__(self, redis: RedisServer, redis_address: str, folder: Path, make: Callable[..., Nginx], upstream: EchoUpstream,
                 keys: KeyStore) -> None:  # fmt: skip
        secret = folder / "secret"
        secret.write_text("0123456789abcdef0123456789abcdef\n")
        secret.chmod(0o600)
        self.redis = redis
        with (folder / "large").open("wb") as large:
            large.truncate(30_000_000)
        server = f"location = /large {{ auth_saml off; alias {folder}/large; }}"
        http = f"""saml_redis main {{ server {redis_address}; timeout 300ms; }}
            saml_session_store redis=main; saml_secret_file {secret};"""
        self.a, self.b = (Tenants(make(), upstream, folder, keys).start(http=http, server=server) for _ in range(2))

    def at_b(self, url: str) -> str:
        return url.replace(f":{self.a.nginx.port('site')}/", f":{self.b.nginx.port('site')}/")


@pytest.fixture
def two_nodes(redis: RedisServer, proxy: FaultProxy, tmp_path: Path, make_nginx: Callable[..., Nginx],
              upstream: EchoUpstream, keys: KeyStore) -> TwoNodes:  # fmt: skip
    return TwoNodes(redis, proxy.address, tmp_path, make_nginx, upstream, keys)


def test_each_hop_at_another_node(two_nodes: TwoNodes, browser: Browser) -> None:
    url = two_nodes.a["acme"].ticket_url(browser, "/page")
    assert browser.get(two_nodes.at_b(url)).status == 303
    assert two_nodes.a["acme"].is_in(browser) and two_nodes.b["acme"].is_in(browser)


def test_replay_of_a_ticket_at_the_other_node(two_nodes: TwoNodes, browser: Browser) -> None:
    """REPLAY"""
    url = two_nodes.a["acme"].ticket_url(browser, "/page")
    before = browser.cookies.header_for(url) or ""
    assert browser.get(url).status == 303
    for node, copied in ((two_nodes.a, url), (two_nodes.b, two_nodes.at_b(url))):
        assert is_refused(http1("GET", copied, [("Cookie", before)]), node, "replayed")


@pytest.mark.parametrize("body", ["", "Content-Length: 10\r\n"], ids=["plain", "unfinished_body"])
def test_a_ticket_is_asked_for_once(
    two_nodes: TwoNodes, proxy: FaultProxy, browser: Browser, tmp_path: Path, body: str
) -> None:
    """On a connection that could not be written to for a while, the kernel tells of it with the next request."""
    acme = two_nodes.a["acme"]
    url = acme.ticket_url(browser, "/page")
    cookie = browser.cookies.header_for(url)
    with RawConnection(url) as connection:
        connection.send(f"GET /large HTTP/1.1\r\nHost: {acme.host}\r\nCookie: {cookie}\r\n\r\n")
        time.sleep(0.3)
        connection.response()
        proxy.delay = 0.1
        before = len(proxy.commands)
        connection.send(f"GET {target_of(url)} HTTP/1.1\r\nHost: {acme.host}\r\nCookie: {cookie}\r\n{body}\r\n")
        assert connection.response().status == 303
        time.sleep(0.5)
    marks = [words for words in proxy.commands[before:] if words[0].upper() == b"SET" and b"NX" in words]
    assert len(marks) == 1


def test_redis_down_between_the_hops(two_nodes: TwoNodes, proxy: FaultProxy, browser: Browser) -> None:
    """REDIS-DOWN: no session without Redis, and the same ticket works when it is back."""
    url = two_nodes.a["acme"].ticket_url(browser, "/page")
    proxy.refuse()
    answer = get(url, browser)
    assert answer.status == 503 and answer.header("Retry-After") and not answer.all("Set-Cookie")
    proxy.heal()
    wait_until(lambda: browser.get(url).status == 303, 5, "the ticket to be taken")
    assert two_nodes.a["acme"].is_in(browser)


def test_redis_down_in_the_middle_of_the_last_hop(two_nodes: TwoNodes, proxy: FaultProxy, browser: Browser) -> None:
    """REDIS-DOWN: a ticket that Redis may have heard of counts as used, and its page leads to a new login."""
    acme = two_nodes.a["acme"]
    url = acme.ticket_url(browser, "/page")
    ticket = url.partition("?t=")[2]
    lost = proxy.add("SET", "seen:" + hashlib.sha256(ticket.encode()).hexdigest(), execute=True, cut=True, times=1)
    assert get(url, browser).status == 503 and lost.hits
    answers: list[Response] = []
    wait_until(lambda: answers.append(get(url, browser)) or answers[-1].status != 503, 5, "Redis to be asked again")
    again = answers[-1]
    assert is_refused(again, two_nodes.a, "replayed") and acme.url("/saml/login?return=%2Fpage") in again.text
    assert acme.login(browser, "/page").status == 200


def test_redis_inj_a_ticket_leaves_no_trace_of_the_user(two_nodes: TwoNodes, browser: Browser) -> None:
    """REDIS-INJ"""
    url = two_nodes.a["acme"].ticket_url(browser, "/page", name_id="ada.lovelace@acme.test")
    assert browser.get(url).status == 303
    everything = b"".join(key.encode() + value for key, value in two_nodes.redis.dump().items())
    session = two_nodes.a["acme"].session(browser) or ""
    for secret in (session, url.partition("?t=")[2], "lovelace", "acme"):
        assert secret and secret.encode() not in everything
