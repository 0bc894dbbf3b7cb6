"""Duties of a service provider that no attack stands for: what is sent, and what must be taken as it comes."""

from __future__ import annotations

import pytest
from lxml import etree

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.idp_metadata import MetadataKey
from sallyport_testing.keys import KeyStore
from sallyport_testing.refusals import LOG_FORMAT, Refusals
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.saml_names import tag
from sallyport_testing.saml_response import Attribute, now
from sallyport_testing.site import SamlSite

ECHO = "proxy_pass http://%%upstream%%;"


def test_sdp_sp04_no_format_is_asked_for_by_itself(site: SamlSite, browser: Browser) -> None:
    """SDP-SP04: NameIDPolicy absent, or AllowCreate without a Format; no index of an ACS (SDP-SP05)."""
    site.start()
    request = site.idp.read_request(browser.get(site.url("/")))
    policy = request.root.find(tag("samlp:NameIDPolicy"))
    assert policy is None or (policy.get("Format") is None and policy.get("AllowCreate") in ("true", "1"))
    assert request.root.get("AssertionConsumerServiceIndex") is None
    metadata = etree.fromstring(browser.fetch(site.url("/saml/metadata")).body)
    services = metadata.findall(f".//{tag('md:AssertionConsumerService')}")
    assert [each.get("Location") for each in services] == [request.acs_url]


def test_sdp_sp02_requests_go_by_redirect(site: SamlSite, browser: Browser) -> None:
    """SDP-SP02: by HTTP-Redirect where the IdP has it, whatever else it has and in which order."""
    for bindings in ([names.POST, names.REDIRECT], [names.REDIRECT, names.POST]):
        site.idp.bindings = bindings
        site.configure()
        if site.nginx.running:
            site.nginx.reload()
        else:
            site.nginx.start()
        assert site.idp.read_request(Browser().get(site.url("/"))).binding == names.REDIRECT


def test_sdp_sp08_answers_come_by_post_over_tls(site: SamlSite, browser: Browser) -> None:
    """SDP-SP08: what the metadata says of the ACS, and that plain http is warned of."""
    site.start()
    document = etree.fromstring(browser.fetch(site.url("/saml/metadata")).body)
    (service,) = document.findall(f".//{tag('md:AssertionConsumerService')}")
    assert service.get("Binding") == names.POST and service.get("Location", "").startswith("https://")
    site.tls = False
    plain = site.configure().nginx.test()
    assert plain.ok and "[warn]" in plain.output


def test_bind_3_5_3_relay_state_is_short_and_random(site: SamlSite) -> None:
    """BIND-3.5.3: 80 bytes at most, saying nothing of where it leads."""
    site.start()
    states = [site.idp.read_request(Browser().get(site.url(f"/secret/{'x' * n}"))).relay_state or "" for n in (1, 1400)]
    assert all(0 < len(state) <= 80 for state in states) and states[0] != states[1]
    assert not [state for state in states if "secret" in state or "/" in state or "xxx" in state]


@pytest.mark.parametrize("length", [255, 256, 257, 1000, 1024])
def test_iip_g02_long_strings_are_not_cut(site: SamlSite, length: int) -> None:
    """IIP-G02: names, values and identifiers of 256 characters and more come through whole."""
    site.start(location="saml_header X-Long $saml_attr_long;", server="saml_header_limit 16k 32k;")
    name = "u" * (length - 12) + "@example.com"
    value = "".join(chr(ord("a") + number % 26) for number in range(length * 8))
    echo = site.login(
        Browser(), name_id=name, session_index="_" + "i" * length,
        attributes=[Attribute("long", [value]), Attribute("urn:x:" + "n" * length, ["v"]), Attribute("groups", [value])],
    ).echo()  # fmt: skip
    assert (echo.header("X-SSO-User"), echo.header("X-Long")) == (name, value)
    assert echo.header("X-SSO-Groups") == value


def test_sdp_g01_the_skew_is_180_seconds(site: SamlSite) -> None:
    """SDP-G01: three minutes both ways unless told otherwise, to be set from 0 to 5 minutes."""
    site.start(http=LOG_FORMAT)
    refusals = Refusals(site)
    for seconds, good in ((-170, True), (-190, False)):
        fields = {"not_before": None, "not_on_or_after": now(seconds)}
        if good:
            assert site.login(Browser(), **fields).status == 200
        else:
            assert refusals.answer(Browser(), **fields).reason == "expired"
    for text in ("0s", "60s", "300s"):
        assert site.configure(server=f"saml_clock_skew {text};").nginx.test().ok, text


def test_sdp_sp20_deep_links_and_several_idps(site: SamlSite, keys: KeyStore) -> None:
    """SDP-SP20: the page that was asked for, whichever of the IdPs of a page answers (SDP-SP22)."""
    other = TestIdp(keys.get("idp-other"), "https://other.example.net/idp", "https://other.example.net/sso")
    metadata = other.write_metadata(site.nginx.folder / "other.xml", keys=[MetadataKey(other.key)])
    site.start(http=f"saml_idp other {{ metadata {metadata}; }}", auth_saml="test other")
    deep = "/a/b?c=d&e=%20f"
    for name, idp in (("test", site.idp), ("other", other)):
        browser = Browser()
        page = browser.get(site.url(deep))
        (link,) = [each for each in page.text.split('"') if f"idp={name}" in each]
        answer = idp.login(browser, link.replace("&amp;", "&"))
        echo = browser.follow(answer).echo()
        assert (echo.uri, echo.header("X-SSO-Idp")) == (deep, name)
