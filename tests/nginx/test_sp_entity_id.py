"""sp_entity_id: what one identity provider knows us by."""

from __future__ import annotations

import pytest
from lxml import etree

from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite

OWN = "urn:example:acme:app"


@pytest.fixture
def other(site: SamlSite, keys: KeyStore) -> TestIdp:
    """The IdP `plain`, which knows us by saml_entity_id; `test` knows us by OWN."""
    idp = TestIdp(keys.get("plain"), "https://plain.example.org/idp", "https://plain.example.org/sso")
    metadata = idp.write_metadata(site.nginx.folder / "plain.xml")
    own = site.idp.write_metadata(site.nginx.folder / "own.xml")
    site.start(
        idp_block=f"metadata {own}; sp_entity_id {OWN};", http=f"saml_idp plain {{ metadata {metadata}; }}",
        locations="location /plain/ { auth_saml plain; proxy_pass http://%%upstream%%; }",
    )  # fmt: skip
    return idp


def entity_id_of(site: SamlSite, query: str) -> str:
    answer = Browser().get(site.url(f"/saml/metadata{query}"))
    assert answer.status == 200
    return etree.fromstring(answer.body).get("entityID")


def test_requests_are_issued_by_it_and_answers_are_for_it(site: SamlSite, other: TestIdp) -> None:
    browser = Browser()
    request = site.idp.read_request(browser.get(site.url("/page")))
    assert request.issuer == OWN
    answer = site.idp.post(browser, site.idp.answer(request, audiences=[OWN]))
    assert browser.follow(answer).status == 200
    assert browser.get(site.url("/page")).status == 200
    plain = Browser()
    request = other.read_request(plain.get(site.url("/plain/page")))
    assert request.issuer == site.entity_id
    assert plain.follow(other.post(plain, other.answer(request, audiences=[site.entity_id]))).status == 200


@pytest.mark.parametrize("back", [False, True])
def test_each_takes_its_own_alone(site: SamlSite, other: TestIdp, back: bool) -> None:
    idp, path, wrong = (other, "/plain/page", OWN) if back else (site.idp, "/page", site.entity_id)
    browser = Browser()
    request = idp.read_request(browser.get(site.url(path)))
    answer = idp.post(browser, idp.answer(request, audiences=[wrong]))
    assert answer.status == 403
    site.nginx.wait_for_log("reason=audience_mismatch")
    assert browser.get(site.url(path)).status == 302


def test_sessions_are_of_the_name_that_they_were_made_with(site: SamlSite, other: TestIdp) -> None:
    browser = Browser()
    request = site.idp.read_request(browser.get(site.url("/page")))
    browser.follow(site.idp.post(browser, site.idp.answer(request, audiences=[OWN])))
    file = site.nginx.config_file
    file.write_text(file.read_text().replace(f"sp_entity_id {OWN};", "sp_entity_id urn:example:another;"))
    site.nginx.reload()
    assert browser.get(site.url("/page")).status == 302


def test_metadata(site: SamlSite, other: TestIdp) -> None:
    assert entity_id_of(site, "") == site.entity_id
    assert entity_id_of(site, "?idp=test") == OWN
    # Whether there is such a name, nobody learns.
    assert entity_id_of(site, "?idp=plain") == entity_id_of(site, "?idp=nobody") == site.entity_id


@pytest.mark.parametrize("value", ["''", "'a b'", "$host", "x" * 1025])
def test_mistakes(site: SamlSite, value: str) -> None:
    metadata = site.idp.write_metadata(site.nginx.folder / "own.xml")
    site.configure(idp_block=f"metadata {metadata}; sp_entity_id {value};")
    result = site.nginx.test()
    assert not result.ok and '"sp_entity_id" wants what this IdP knows us by' in result.output
