"""IdP-initiated logins (`allow_unsolicited`): the tile on the IdP's dashboard (SAML Profiles 4.1.5)."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import quote, urlencode

import pytest

from idps.settings import ServiceProvider
from idps.simplesamlphp import SimpleSamlPhp
from sallyport_testing.browser import Browser
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.real_idp import log_in_at
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import is_in, log_out
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.saml_response import SamlResponse
from sallyport_testing.site import SamlSite
from sallyport_testing.tenants import BASE, Tenants
from sallyport_testing.upstream import EchoUpstream

TARGETS = {
    "/page?a=1&b=2": "/page?a=1&b=2",
    None: "/",
    "": "/",
    "the idp's own token": "/",
    "https://evil.example.net/x": "/",
    "//evil.example.net/x": "/",
    "/\\evil.example.net": "/",
    "/%09/evil.example.net": "/",
    "javascript:alert(1)": "/",
    "/" + "x" * 1500: "/",
}


@pytest.fixture
def open_site(site: SamlSite) -> SamlSite:
    """A running site whose IdP may send what nobody asked for."""
    metadata = site.idp.write_metadata(site.nginx.folder / "metadata.xml")
    return site.start(idp_block=f"metadata {metadata}; allow_unsolicited on;")


def tile(site: SamlSite, *, relay_state: str | None = "/page", **changes: object) -> SamlResponse:
    return site.idp.unsolicited(site.acs_url, site.entity_id, relay_state=relay_state, **changes)


def refused(site: SamlSite, browser: Browser, message: SamlResponse, reason: str) -> Response:
    before = len(site.upstream.requests)
    answer = site.idp.post(browser, message)
    assert 400 <= answer.status < 500, answer.status
    site.nginx.wait_for_log(f"reason={reason} ")
    assert not answer.all("Set-Cookie") and len(site.upstream.requests) == before
    return answer


@pytest.mark.parametrize("relay_state", TARGETS, ids=lambda text: repr(text)[:20])
def test_unsol_where_the_tile_leads(open_site: SamlSite, browser: Browser, relay_state: str | None) -> None:
    answer = open_site.idp.post(browser, tile(open_site, relay_state=relay_state))
    assert answer.status == 303 and answer.location == open_site.url(TARGETS[relay_state])
    page = browser.get(open_site.url("/page"))
    assert page.status == 200 and page.echo().header("X-SSO-User")


def test_unsol_the_whole_address_of_a_page(open_site: SamlSite, browser: Browser) -> None:
    for relay_state, target in (
        (open_site.url("/page?x=1"), "/page?x=1"),
        (open_site.base_url, "/"),
        (open_site.base_url + ".evil.test/page", "/"),
        (open_site.base_url + "@evil.test/page", "/"),
        (open_site.url("//evil.test"), "/"),
        (open_site.url("/page").replace("https", "http"), "/"),
    ):
        assert open_site.idp.post(browser, tile(open_site, relay_state=relay_state)).location == open_site.url(target)


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_unsol_is_a_login_like_any_other(open_site: SamlSite, browser: Browser, sign: str) -> None:
    answer = open_site.idp.post(browser, tile(open_site, sign=sign))
    assert answer.status == 303
    assert len(answer.all("Set-Cookie")) == 1 and "saml_session=" in answer.all("Set-Cookie")[0]
    assert browser.follow(answer).echo().header("X-SSO-Groups") == "Engineering,Platform"


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"in_response_to": "_x"}, "in_response_to_mismatch"),
        ({"response_in_response_to": "_x"}, "in_response_to_mismatch"),
        ({"in_response_to": "_x", "response_in_response_to": "_x"}, "in_response_to_mismatch"),
        ({"sign": "none"}, "signature_missing"),
        ({"audiences": ["https://other.example.com"]}, "audience_mismatch"),
        ({"recipient": "https://other.example.com/saml/acs"}, "recipient_mismatch"),
        ({"destination": "https://other.example.com/saml/acs"}, "destination_mismatch"),
        ({"response_issuer": "https://other.example.com"}, "unsolicited"),
        ({"issuer": "https://other.example.com"}, "issuer_mismatch"),
        ({"response_issuer": None, "issuer": "https://other.example.com"}, "unsolicited"),
    ],
    ids=lambda value: value if isinstance(value, str) else "-".join(value),
)  # fmt: skip
def test_unsol_is_checked_like_any_other(
    open_site: SamlSite, browser: Browser, changes: dict[str, object], reason: str
) -> None:
    refused(open_site, browser, tile(open_site, **changes), reason)


def test_unsol_the_assertions_issuer_will_do(open_site: SamlSite, browser: Browser) -> None:
    assert open_site.idp.post(browser, tile(open_site, response_issuer=None)).status == 303


@pytest.mark.parametrize("body", ["", "PD94bWw", "x" * 9, "PGEvPg=="], ids=["empty", "bad_base64", "other", "other_root"])
def test_unsol_bad_input(open_site: SamlSite, browser: Browser, body: str) -> None:
    answer = browser.post_from(open_site.idp.sso_url, open_site.acs_url, {"SAMLResponse": body, "RelayState": "/page"})
    assert answer.status == 400 and not answer.all("Set-Cookie")


def test_replay_of_a_tile(open_site: SamlSite, browser: Browser) -> None:
    """REPLAY: once; who has the session of it goes on, others and those that logged out do not."""
    message = tile(open_site)
    assert open_site.idp.post(browser, message).status == 303
    again = open_site.idp.post(browser, message)
    assert again.status == 303 and again.location == open_site.url("/page") and not again.all("Set-Cookie")
    refused(open_site, Browser(), message, "replayed")
    browser.request("POST", open_site.url("/saml/logout"), headers=[("Origin", open_site.base_url)])
    refused(open_site, browser, message, "replayed")


def test_replay_of_a_tile_in_redis(redis: RedisServer, redis_sites: RedisSites) -> None:
    """REPLAY: no attempt is the same as another, so none may go on where an earlier one failed or ended."""
    block = f"metadata {redis_sites.metadata()}; allow_unsolicited on;"
    a, b = redis_sites.pair(redis, lines="cache_time 0;", idp_block=block, server="saml_base_url https://app.example.com;")
    message = a.idp.unsolicited("https://app.example.com/saml/acs", a.entity_id, relay_state="/page")
    browser = Browser()
    posted = browser.post_from(a.idp.sso_url, a.acs_url, message.form)
    cookie = next(line for line in posted.all("Set-Cookie")).split("=", 1)[1].partition(";")[0]
    assert posted.status == 303 and is_in(a, cookie) and is_in(b, cookie)
    log_out(a, cookie)
    for site in (a, b):
        again = Browser().post_from(site.idp.sso_url, site.acs_url, message.form)
        assert again.status == 403 and not again.all("Set-Cookie")


def test_fixation_a_tile_ends_the_earlier_session(open_site: SamlSite, browser: Browser) -> None:
    """FIXATION"""
    open_site.login(browser)
    first = browser.cookies.get("__Host-saml_session")
    assert first and open_site.idp.post(browser, tile(open_site, name_id="grace@example.com")).status == 303
    old = Browser().request("GET", open_site.url("/page"), headers=[("Cookie", f"__Host-saml_session={first.value}")])
    assert old.status in (302, 401)
    assert browser.get(open_site.url("/page")).echo().header("X-SSO-User") == "grace@example.com"


def test_unsol_off_offers_a_login_of_our_own(site: SamlSite, browser: Browser) -> None:
    site.start()
    for relay_state, target in (("/page?a=1", "/page?a=1"), (site.url("/x"), "/x"), ("https://evil.example.net/", "/")):
        page = refused(site, browser, tile(site, relay_state=relay_state), "unsolicited")
        url = site.url("/saml/login?return=" + quote(target, safe=""))
        assert f'href="{url}"' in page.text and ">Log in<" in page.text
        assert "evil" not in page.text
    request = site.idp.read_request(browser.get(site.url("/saml/login?return=%2Fpage")))
    assert browser.follow(site.idp.post(browser, site.idp.answer(request))).url == site.url("/page")


def test_step_up_asks_again(site: SamlSite, browser: Browser) -> None:
    """What an IdP sends by itself counts as old as its AuthnInstant says."""
    metadata = site.idp.write_metadata(site.nginx.folder / "metadata.xml")
    site.start(idp_block=f"metadata {metadata}; allow_unsolicited on;",
               locations="location /safe { auth_saml test; saml_force_authn 5m; proxy_pass http://%%upstream%%; }")  # fmt: skip
    an_hour_ago = datetime.now(timezone.utc) - timedelta(hours=1)
    assert site.idp.post(browser, tile(site, relay_state="/safe", authn_instant=an_hour_ago)).status == 303
    assert browser.get(site.url("/page")).status == 200
    assert site.idp.read_request(browser.get(site.url("/safe"))).force_authn


class TwoIdps:
    """A site with the IdPs test (unsolicited answers allowed) and other (as the test says)."""

    def __init__(self, site: SamlSite, keys: KeyStore, *, other: str, names: str = "test other") -> None:
        self.site = site
        self.other = TestIdp(keys.get("other"), "https://other.example.org/idp", "https://other.example.org/sso")
        own, their = site.nginx.folder / "own.xml", site.nginx.folder / "other.xml"
        site.idp.write_metadata(own)
        self.other.write_metadata(their)
        site.start(auth_saml=names, idp_block=f"metadata {own}; allow_unsolicited on;",
                   http=f"saml_idp other {{ metadata {their}; {other} }}")  # fmt: skip

    def message(self, idp: TestIdp, **changes: object) -> SamlResponse:
        return idp.unsolicited(self.site.acs_url, self.site.entity_id, relay_state="/page", **changes)


def test_unsol_idp_mix_of_two_that_may(site: SamlSite, browser: Browser, keys: KeyStore) -> None:
    """IDP-MIX: the Issuer chooses whose keys count."""
    two = TwoIdps(site, keys, other="allow_unsolicited on;")
    for idp, name in ((site.idp, "test"), (two.other, "other")):
        assert site.idp.post(browser, two.message(idp)).status == 303
        assert browser.get(site.url("/page")).echo().header("X-SSO-Idp") == name
    for forger, victim in ((two.other, site.idp), (site.idp, two.other)):
        for sign in ("assertion", "response", "both"):
            claims = {"issuer": victim.entity_id, "response_issuer": victim.entity_id, "sign": sign}
            refused(site, Browser(), two.message(forger, **claims), "signature_invalid")
            refused(site, Browser(), two.message(forger, issuer=victim.entity_id, sign=sign), "issuer_mismatch")


@pytest.mark.parametrize("other", ["", "allow_unsolicited off;"], ids=["default", "off"])
def test_unsol_idp_mix_of_one_that_may_not(site: SamlSite, browser: Browser, keys: KeyStore, other: str) -> None:
    """IDP-MIX"""
    two = TwoIdps(site, keys, other=other)
    refused(site, browser, two.message(two.other), "unsolicited")
    refused(site, browser, two.message(two.other, issuer=site.idp.entity_id, response_issuer=site.idp.entity_id),
            "signature_invalid")  # fmt: skip
    assert site.idp.post(browser, two.message(site.idp)).status == 303


def test_unsol_idp_mix_of_one_that_the_server_does_not_name(site: SamlSite, browser: Browser, keys: KeyStore) -> None:
    """IDP-MIX"""
    two = TwoIdps(site, keys, other="allow_unsolicited on;", names="test")
    refused(site, browser, two.message(two.other), "unsolicited")


def test_unsol_in_a_pending_attempt(open_site: SamlSite, browser: Browser) -> None:
    """An answer that comes with a login's handle must be that login's."""
    request = open_site.idp.read_request(browser.get(open_site.url("/page")))
    refused(open_site, browser, tile(open_site, relay_state=request.relay_state), "in_response_to_mismatch")
    lost = open_site.idp.post(Browser(), tile(open_site, relay_state=request.relay_state))
    assert open_site.idp.read_request(lost).id != request.id, "a new login, once"


def test_unsol_through_the_acs_of_many_hosts(nginx: Nginx, upstream: EchoUpstream, tmp_path: Path, keys: KeyStore) -> None:
    """It is no login there, but its page leads to the tenant's own."""
    tenants = Tenants(nginx, upstream, tmp_path, keys).start()
    acme, port = tenants["acme"], nginx.port("site")
    for relay_state, url in (
        (acme.url("/page"), acme.url("/saml/login?return=%2Fpage")),
        ("/page", None),
        (f"https://nobody.test:{port}/page", None),
        ("https://acme.example.com/page", None),
    ):
        message = acme.idp.unsolicited(tenants.base("/saml/acs"), f"https://{BASE}/saml/metadata", relay_state=relay_state)
        page = acme.idp.post(Browser(), message)
        assert page.status == 403 and (f'href="{url}"' in page.text if url else "href" not in page.text), relay_state


@pytest.mark.real_idp
def test_a_tile_of_a_real_idp(site: SamlSite, simplesamlphp: SimpleSamlPhp, browser: Browser) -> None:
    metadata = site.nginx.folder / "ssp.xml"
    metadata.write_bytes(simplesamlphp.metadata())
    site.start(idp_block=f"metadata {metadata}; allow_unsolicited on;")
    simplesamlphp.register(ServiceProvider(site.entity_id, site.acs_url))
    query = urlencode({"spentityid": site.entity_id, "RelayState": site.url("/page?from=tile")})
    page = log_in_at(browser, browser.get(f"{simplesamlphp.sso_url}?{query}"))
    done = browser.follow(browser.submit(page.form(having="SAMLResponse")))
    assert done.url == site.url("/page?from=tile") and done.echo().header("X-SSO-User") == "student@example.com"
