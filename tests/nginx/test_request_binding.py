"""What an AuthnRequest says comes from the configuration, never from what the client sends (REQ-BIND)."""

from __future__ import annotations

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.site import SamlSite

FORWARDED = [
    ("X-Forwarded-Host", "evil.example.net"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-Port", "81"),
    ("X-Forwarded-Prefix", "/evil"),
    ("X-Original-URL", "/evil"),
    ("X-Rewrite-URL", "/evil"),
    ("Forwarded", "host=evil.example.net;proto=http"),
]


HOSTS = ["evil.example.net", "app.example.com.evil.example.net", "app.example.com:1", "x_y", "[::1]"]


@pytest.mark.parametrize("host", HOSTS)
def test_req_bind_a_poisoned_host(site: SamlSite, browser: Browser, host: str) -> None:
    site.start()
    answer = browser.request("GET", site.url("/page"), headers=[("Host", host), ("Accept", "text/html")])
    assert answer.status == 302
    request = site.idp.read_request(answer)
    assert (request.acs_url, request.issuer) == (site.acs_url, site.entity_id)
    assert "evil" not in (answer.header("Location") or "") + (answer.header("Set-Cookie") or "")
    answered = site.idp.post(browser, site.idp.answer(request))
    assert answered.location == site.url("/page")


@pytest.mark.parametrize(("name", "value"), FORWARDED, ids=[f"FORWARDED-{name}" for name, _ in FORWARDED])
def test_req_bind_forwarded_headers(site: SamlSite, browser: Browser, name: str, value: str) -> None:
    site.start()
    request = site.idp.read_request(browser.get(site.url("/page"), headers=[(name, value)]))
    assert request.acs_url == site.acs_url
    answered = site.idp.post(browser, site.idp.answer(request))
    assert answered.location == site.url("/page")
    page = browser.fetch(site.url("/saml/metadata"), headers=[(name, value)])
    assert b"evil" not in page.body


def test_req_bind_identifiers_and_handles_are_random(site: SamlSite) -> None:
    site.start()
    requests = [site.idp.read_request(Browser().get(site.url("/"))) for _ in range(40)]
    site.nginx.reload()
    requests += [site.idp.read_request(Browser().get(site.url("/"))) for _ in range(10)]
    assert len({each.id for each in requests}) == 50
    assert len({each.relay_state for each in requests}) == 50
    assert all(len(each.id) >= 1 + 128 // 4 and each.id.startswith("_") for each in requests)
    for place in range(1, 33):
        assert len({each.id[place] for each in requests}) > 5, "a place that hardly varies"


def test_dos_state_dos_pending_no_request_leaves_anything_behind(site: SamlSite) -> None:
    """DOS-STATE: attempts are in the browser: no session can be evicted by them."""
    site.start(http="saml_session_zone saml:256k;")
    user = Browser()
    site.login(user)
    for _ in range(300):
        assert Browser().request("GET", site.url("/x"), headers=[("Accept", "text/html")]).status == 302
    assert user.get(site.url("/page")).status == 200
    assert "zone is full" not in site.nginx.error_log()
