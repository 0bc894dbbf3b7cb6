"""One IdP out of a federation's metadata file (`metadata FILE` with `metadata_entity ID`)."""

from __future__ import annotations

import datetime
import os
from pathlib import Path

import pytest
from lxml import etree

from sallyport_testing.browser import Browser
from sallyport_testing.idp_metadata import MetadataKey, aggregate_xml, entity_descriptor
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_for_all_workers
from sallyport_testing.xml_signature import sign

SECONDS = 20  # a busy machine is slow
SMALLEST = 1024 * 1024  # from there on a file is looked through instead of read as a whole


class Federation:
    """A site whose IdP stands among many in one file."""

    def __init__(self, site: SamlSite, keys: KeyStore) -> None:
        self.site, self.nginx, self.keys = site, site.nginx, keys
        self.file = site.nginx.folder / "federation.xml"
        self.signer = keys.get("federation")
        idp = site.idp
        self.ours = entity_descriptor(idp.entity_id, [(binding, idp.sso_url) for binding in idp.bindings], [MetadataKey(idp.key)])
        other = MetadataKey(keys.get("others"))
        self.others = [
            entity_descriptor(f"https://idp{number}.example.org/metadata", [(idp.bindings[0], f"https://idp{number}.example.org/sso")],
                              [other])
            for number in range(700)
        ]  # fmt: skip

    def document(self, *, key: KeyPair | None = None, valid_until: str | None = None) -> bytes:
        """With our IdP in the middle of it; signed by `key`."""
        root = etree.fromstring(aggregate_xml([*self.others[:350], self.ours, *self.others[350:]]))
        if valid_until:
            root.set("validUntil", valid_until)
        if key is not None:
            root.set("ID", "_federation")
            sign(root, key)
        document = etree.tostring(root)
        assert len(document) > SMALLEST
        return document

    def write(self, document: bytes) -> None:
        fresh = self.file.with_suffix(".new")
        fresh.write_bytes(document)
        fresh.rename(self.file)

    def lines(self, entity_id: str | None = None, *, is_signed: bool = False) -> str:
        entity = entity_id or self.site.idp.entity_id
        certificate = f"metadata_certificate {self.signer.certificate_file};" if is_signed else ""
        return f"metadata {self.file}; metadata_entity {entity}; {certificate}"

    def refused(self, **parts: str) -> str:
        self.site.configure(**parts)
        result = self.nginx.test()
        assert not result.ok
        assert "nginx.conf:" in result.output
        return result.output


@pytest.fixture
def federation(site: SamlSite, keys: KeyStore) -> Federation:
    return Federation(site, keys)


@pytest.mark.parametrize("is_signed", [False, True], ids=["unsigned", "signed"])
def test_one_out_of_many(federation: Federation, is_signed: bool) -> None:
    federation.write(federation.document(key=federation.signer if is_signed else None))
    others = "".join(
        f"saml_idp o{number} {{ {federation.lines(f'https://idp{number}.example.org/metadata', is_signed=is_signed)} }}"
        for number in (0, 699)
    )
    federation.site.start(idp_block=federation.lines(is_signed=is_signed), http=others, auth_saml="test o0 o699")
    browser = Browser()
    page = browser.get(federation.site.url("/page"))
    assert page.text.count("SSO") >= 3
    answer = federation.site.idp.login(browser, federation.site.url("/saml/login?idp=test&return=/page"))
    assert browser.follow(answer).status == 200
    other = Browser().get(federation.site.url("/saml/login?idp=o699"))
    assert (other.location or "").startswith("https://idp699.example.org/sso")
    assert not list(Path("/var/tmp").glob("sallyport-*")), "the signed octets have no name"


def test_the_signer_may_be_any_of_its_file(federation: Federation, keys: KeyStore, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes(keys.get("others").certificate_pem + federation.signer.certificate_pem)
    federation.write(federation.document(key=federation.signer))
    federation.site.start(idp_block=f"{federation.lines()} metadata_certificate {both};")
    assert federation.site.login(Browser(), "/page").status == 200


def test_what_the_signature_does_not_cover_is_not_read(federation: Federation, keys: KeyStore) -> None:
    """Every kind of change, however it parses."""
    good = federation.document(key=federation.signer)
    ours = etree.tostring(federation.ours)
    evil = ours.replace(federation.site.idp.sso_url.encode(), b"https://evil.example.org/sso")
    assert evil != ours
    end = b"</md:EntitiesDescriptor>"
    assert good.count(end) == 1
    hostile = {
        "changed": good.replace(federation.site.idp.sso_url.encode(), b"https://evil.example.org/sso"),
        "added": good.replace(end, evil + end),
        "wrapped": b'<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata">' + evil + good + b"</md:EntitiesDescriptor>",
        "other_key": federation.document(key=keys.get("others")),
        "unsigned": federation.document(),
        "comment": good.replace(federation.site.idp.sso_url.encode(), b"https://evil.example.org/<!-- -->sso"),
    }
    for name, document in hostile.items():
        assert document != good, name
        federation.write(document)
        output = federation.refused(idp_block=federation.lines(is_signed=True))
        assert "the signature of the metadata is no good" in output or "metadata cannot be read" in output, f"{name}: {output}"


def test_comments_are_not_signed_and_not_read(federation: Federation) -> None:
    """A comment changes no signature: nothing inside of one may count."""
    good = federation.document(key=federation.signer)
    evil = etree.tostring(federation.ours).replace(federation.site.idp.sso_url.encode(), b"https://evil.example.org/sso")
    at = good.index(b"<md:EntityDescriptor") if b"<md:EntityDescriptor" in good else good.index(b"<EntityDescriptor")
    federation.write(good[:at] + b"<!-- " + evil.replace(b"--", b"") + b" -->" + good[at:])
    federation.site.start(idp_block=federation.lines(is_signed=True))
    assert (Browser().get(federation.site.url("/page")).location or "").startswith(federation.site.idp.sso_url)


def test_mistakes(federation: Federation) -> None:
    federation.write(federation.document())
    output = federation.refused(idp_block=federation.lines("https://nobody.example.org"))
    assert "the metadata holds no entity <https://nobody.example.org> among 701: correct metadata_entity" in output
    federation.write(federation.document(valid_until="2020-01-01T00:00:00Z"))
    assert "the metadata expired on 2020-01-01" in federation.refused(idp_block=federation.lines())
    federation.write(federation.document()[:-1000])
    assert "is it whole?" in federation.refused(idp_block=federation.lines())
    federation.write(b"<!DOCTYPE a>" + federation.document())
    assert "a DTD" in federation.refused(idp_block=federation.lines())


def test_without_metadata_entity_a_large_file_says_how(federation: Federation) -> None:
    federation.write(federation.document().replace(b"</md:EntitiesDescriptor>", b" " * 17_000_000 + b"</md:EntitiesDescriptor>"))
    assert '"metadata_entity" chooses one' in federation.refused(idp_block=f"metadata {federation.file};")


def test_a_file_between_eight_and_sixteen_megabytes_is_read_as_a_whole(federation: Federation) -> None:
    """libxml2 stops at ten unless it is told otherwise."""
    document = etree.tostring(etree.fromstring(aggregate_xml([federation.ours])))
    federation.write(document.replace(b"</md:EntitiesDescriptor>", b" " * 12_000_000 + b"</md:EntitiesDescriptor>"))
    federation.site.start(idp_block=f"metadata {federation.file};")
    federation.site.login(Browser(), "/page")


def start_with_directory(federation: Federation, files: dict[str, str]) -> Path:
    folder = federation.nginx.folder / "idps"
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.conf").write_text(text)
    federation.site.start(
        http=f"map $uri $org {{ default ''; ~^/(?<name>[a-z0-9]+)/ $name; }} saml_idp_directory {folder};", auth_saml="$org"
    )
    return folder


def location_of(federation: Federation, name: str) -> str:
    answer = Browser().get(federation.site.url(f"/{name}/page"))
    return answer.location or str(answer.status)


def wait_for_location(federation: Federation, name: str, start: str) -> None:
    wait_for_all_workers(lambda: location_of(federation, name).startswith(start), f"{name} to go to {start}")


def test_files_of_a_directory_follow_an_unsigned_one(federation: Federation) -> None:
    federation.write(federation.document())
    lines = {f"o{number}": federation.lines(f"https://idp{number}.example.org/metadata") for number in range(100)}
    folder = start_with_directory(federation, {"ours": federation.lines(), **lines})
    assert location_of(federation, "o99").startswith("https://idp99.example.org/sso")
    (folder / "late.conf").write_text(federation.lines("https://idp500.example.org/metadata"))
    wait_for_location(federation, "late", "https://idp500.example.org/sso")
    federation.write(federation.document().replace(b"https://idp99.example.org/sso", b"https://idp99.example.org/new"))
    wait_for_location(federation, "o99", "https://idp99.example.org/new")
    assert location_of(federation, "o98").startswith("https://idp98.example.org/sso")
    federation.write(federation.document()[:-1000])
    federation.nginx.wait_for_log("o99.conf of saml_idp_directory is not taken: .*is it whole.*the one before stays in force", SECONDS)
    assert location_of(federation, "o99").startswith("https://idp99.example.org/new")


def test_files_of_a_directory_follow_a_signed_one_as_it_was_checked(federation: Federation) -> None:
    federation.write(federation.document(key=federation.signer))
    folder = start_with_directory(federation, {"ours": federation.lines(is_signed=True)})
    # Broken, hostile, or gone: nobody looks at it again before a reload.
    federation.file.unlink()
    federation.file.write_bytes(federation.document().replace(b"https://idp5.example.org/sso", b"https://evil.example.org/sso"))
    (folder / "late.conf").write_text(federation.lines("https://idp5.example.org/metadata", is_signed=True))
    wait_for_location(federation, "late", "https://idp5.example.org/sso")
    browser = Browser()
    answer = federation.site.idp.login(browser, federation.site.url("/ours/page"))
    assert browser.follow(answer).status == 200
    # Another document is none that was checked.
    other = federation.file.with_name("other.xml")
    other.write_bytes(federation.document(key=federation.signer))
    text = federation.lines("https://idp6.example.org/metadata", is_signed=True).replace(str(federation.file), str(other))
    (folder / "other.conf").write_text(text)
    federation.nginx.wait_for_log('other.conf of saml_idp_directory is not taken: .*is checked when nginx reads its configuration', SECONDS)
    federation.write(federation.document(key=federation.signer))
    federation.nginx.reload()
    assert location_of(federation, "other").startswith("https://idp6.example.org/sso")


def test_small_ones_are_read_as_before(federation: Federation) -> None:
    small = etree.fromstring(aggregate_xml([federation.others[0], federation.ours]))
    small.set("ID", "_small")
    small.set("validUntil", (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ"))
    sign(small, federation.signer)
    federation.write(etree.tostring(small))
    assert os.path.getsize(federation.file) < SMALLEST
    federation.site.start(idp_block=federation.lines(is_signed=True))
    federation.site.login(Browser(), "/page")
