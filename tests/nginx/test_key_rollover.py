"""A new key, the service provider's own or the IdP's, without a login lost: docs/operations.md#keys."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from sallyport_testing import encryption as enc
from sallyport_testing.browser import Browser
from sallyport_testing.encryption import EncryptedAnswer
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.saml_names import tag
from sallyport_testing.site import SamlSite


class Rollover:
    def __init__(self, site: SamlSite, keys: KeyStore) -> None:
        self.site = site
        self.old, self.new = keys.get("sp"), keys.get("sp-new")
        self._answer = EncryptedAnswer(site.idp.key)

    def configure(self, *pairs: KeyPair) -> None:
        lines = "".join(f"saml_certificate {each.certificate_file}; saml_certificate_key {each.key_file};" for each in pairs)
        self.site.configure(server=f"{lines} saml_sign_requests on;")
        self.site.nginx.reload() if self.site.nginx.workers() else self.site.nginx.start()

    def published(self) -> list[str]:
        root = etree.fromstring(Browser().get(self.site.url("/saml/metadata")).body)
        return ["".join(each.text.split()) for each in root.iter(tag("ds:X509Certificate"))]

    def status(self, encrypted_for: KeyPair, signed_by: KeyPair) -> int:
        """A login whose request must be signed by the one and whose answer is encrypted for the other."""
        browser = Browser()
        request = self.site.idp.read_request(browser.get(self.site.url("/")))
        request.verify_signature(signed_by)
        self.site.idp.recipients = [encrypted_for]
        return self.site.idp.post(browser, self.site.idp.answer(request, **self._answer(enc.to(encrypted_for)))).status


@pytest.fixture
def rollover(site: SamlSite, keys: KeyStore) -> Rollover:
    return Rollover(site, keys)


def test_a_new_key_step_by_step(rollover: Rollover) -> None:
    old, new = rollover.old, rollover.new
    rollover.configure(old)
    assert rollover.published() == [old.certificate_base64]
    assert rollover.status(old, signed_by=old) == 303
    # Both are known to IdPs, and nothing depends on the new one yet.
    rollover.configure(old, new)
    assert rollover.published() == [old.certificate_base64, new.certificate_base64]
    assert [rollover.status(each, signed_by=old) for each in (old, new)] == [303, 303]
    # IdPs know the new one; some encrypt for the old one still.
    rollover.configure(new, old)
    assert rollover.published() == [new.certificate_base64, old.certificate_base64]
    assert [rollover.status(each, signed_by=new) for each in (old, new)] == [303, 303]
    rollover.configure(new)
    assert rollover.published() == [new.certificate_base64]
    assert [rollover.status(each, signed_by=new) for each in (old, new)] == [403, 303]
    rollover.site.nginx.wait_for_log("reason=decryption_failed")


def test_answers_on_their_way_during_a_reload(rollover: Rollover) -> None:
    rollover.configure(rollover.old)
    browser, site = Browser(), rollover.site
    request = site.idp.read_request(browser.get(site.url("/page")))
    rollover.configure(rollover.new, rollover.old)
    answer = site.idp.answer(request, **EncryptedAnswer(site.idp.key)(enc.to(rollover.old)))
    assert browser.follow(site.idp.post(browser, answer)).url == site.url("/page")


def test_the_idps_old_and_new_key_in_one_file(site: SamlSite, keys: KeyStore, tmp_path: Path) -> None:
    old, new = keys.get("idp"), keys.get("idp-new")
    both = tmp_path / "both.pem"
    both.write_bytes(old.certificate_pem + new.certificate_pem)
    idp = site.idp
    site.start(idp_block=f"entity_id {idp.entity_id}; sso_url {idp.sso_url}; certificate {both};")
    for key in (old, new):
        assert site.login(Browser(), "/page", key=key).status == 200
    site.refused(Browser(), key=keys.get("idp-other"))
