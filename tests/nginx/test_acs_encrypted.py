"""Encrypted answers that real identity providers send: each is a login, with the identity that was signed."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from sallyport_testing import encryption as enc
from sallyport_testing.browser import Browser
from sallyport_testing.encryption import Encryption, EncryptedAnswer, Wrapping, encrypted
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.refusals import Refusals
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import SAML, SAMLP, tag
from sallyport_testing.saml_response import Attribute, new_id
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import at
from sallyport_testing.xml_signature import sign as sign_element

_users = itertools.count(1)
SIGNS = ("assertion", "response", "both")
STRICT = ("aes128-gcm", "aes256-gcm")
METADATA = "metadata %%folder%%/idp-metadata.xml;"


@pytest.fixture(scope="module")
def own(keys: KeyStore) -> KeyPair:
    """The service provider's key that IdPs encrypt for."""
    return keys.get("sp")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore, own: KeyPair) -> Iterator[SamlSite]:
    """`/` takes the default algorithms, `/loose` all there are, `/must` refuses what is not encrypted. The key is
    one of three, behind an older RSA one and an EC one."""
    pairs = [keys.get("sp-ec", "ec256"), keys.get("sp-old"), own]
    server = "".join(
        f"saml_certificate {each.certificate_file}; saml_certificate_key {each.key_file};\n" for each in pairs
    )
    http = (
        f"saml_idp loose {{ {METADATA} encryption_algorithms aes192-gcm aes128-gcm aes256-gcm aes128-cbc aes192-cbc "
        "aes256-cbc rsa-oaep rsa-1_5; }\n"
        f"saml_idp must {{ {METADATA} require_encrypted on; }}\n"
    )
    locations = "".join(
        f"location /{name} {{ auth_saml {name}; proxy_pass http://%%upstream%%; }}\n" for name in ("loose", "must")
    )
    folder = tmp_path_factory.mktemp("encrypted")
    recipients = [own, keys.get("sp-old")]
    with running_site(folder, keys, recipients=recipients, http=http, server=server, locations=locations) as running:
        yield running


@pytest.fixture(scope="module")
def answer(keys: KeyStore) -> EncryptedAnswer:
    return EncryptedAnswer(keys.get("idp"))


def logs_in(site: SamlSite, path: str = "/", **changes: object) -> None:
    """A login whose user is the one of this answer."""
    name = f"user{next(_users)}@example.com"
    echo = site.login(Browser(), path, name_id=name, **changes).echo()
    assert echo.header("X-SSO-User") == name


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("cipher", list(enc.CIPHERS), ids=lambda name: f"ENC-ALG-{name}")
def test_every_cipher_that_is_named(
    site: SamlSite, own: KeyPair, answer: EncryptedAnswer, cipher: str, sign: str
) -> None:
    how = enc.to(own, cipher=cipher)
    logs_in(site, "/loose", **answer(how, sign))
    if cipher in STRICT:
        logs_in(site, "/", **answer(how, sign))
    else:
        refusal = Refusals(site).answer(Browser(), "/", **answer(how, sign))
        assert refusal.reason == "algorithm_not_allowed" and enc.CIPHERS[cipher][0] in refusal.line


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(
    ("method", "digest", "mask"),
    [
        (enc.OAEP_MGF1P, None, None), (enc.OAEP_MGF1P, "sha1", None), (enc.OAEP_MGF1P, "sha256", None),
        (enc.OAEP_11, None, None), (enc.OAEP_11, "sha256", "sha1"), (enc.OAEP_11, "sha256", "sha256"),
        (enc.OAEP_11, "sha384", "sha384"), (enc.OAEP_11, "sha512", "sha512"),
    ],
)  # fmt: skip
def test_every_oaep(
    site: SamlSite, own: KeyPair, answer: EncryptedAnswer, method: str, digest: str | None, mask: str | None, sign: str
) -> None:
    for label in (None, b"label"):
        logs_in(site, "/", **answer(Encryption([Wrapping(own, method, digest, mask, label)]), sign))


def test_rsa_15_where_it_is_named(site: SamlSite, own: KeyPair, answer: EncryptedAnswer) -> None:
    for cipher in enc.CIPHERS:
        logs_in(site, "/loose", **answer(Encryption([Wrapping(own, enc.RSA_15)], cipher)))


def places(own: KeyPair, other: KeyPair) -> dict[str, Encryption]:
    """Where IdPs put the wrapped key."""
    named = Wrapping(own, key_info=enc.certificate_info(own))
    okta = Wrapping(
        own, attributes=' Id="_key" Recipient="https://app.example.com/saml/metadata"',
        behind='<xenc:ReferenceList><xenc:DataReference URI="#_data"/></xenc:ReferenceList>',
    )  # fmt: skip
    retrieval = f'<ds:RetrievalMethod Type="{enc.XENC}EncryptedKey" URI="#_key"/>'
    data = f' Id="_data" Type="{enc.XENC}Element"'
    carried = "<xenc:CarriedKeyName>k</xenc:CarriedKeyName>"
    token = '<o:SecurityTokenReference xmlns:o="urn:x"><o:Key>AA==</o:Key></o:SecurityTokenReference>'
    return {
        "plain": enc.to(own),
        "named": Encryption([named]),
        "beside": Encryption([okta], beside=True, attributes=data),
        "okta": Encryption([okta], beside=True, attributes=data, key_info=retrieval),
        "adfs": Encryption([Wrapping(own, key_info=f"<ds:KeyInfo>{token}</ds:KeyInfo>")]),
        "ours_second": enc.to(other, own),
        "ours_fourth": Encryption([Wrapping(other, key_info=enc.certificate_info(other))] * 3 + [named]),
        "ours_second_beside": Encryption([Wrapping(other), named], beside=True),
        "key_name": Encryption([Wrapping(own, behind=carried)], key_info="<ds:KeyName>k</ds:KeyName>"),
        "without_type": Encryption([named], attributes=""),
        "key_size": enc.to(own, method="<xenc:KeySize>256</xenc:KeySize>"),
    }


@pytest.mark.parametrize("sign", SIGNS)
def test_every_place_of_the_key_enc_keyloop(
    site: SamlSite, keys: KeyStore, own: KeyPair, answer: EncryptedAnswer, sign: str
) -> None:
    other = keys.get("other-sp", "rsa3072")
    for how in places(own, other).values():
        logs_in(site, "/", **answer(how, sign))


def test_every_own_rsa_key_opens_sdp_sp38(
    site: SamlSite, keys: KeyStore, own: KeyPair, answer: EncryptedAnswer
) -> None:
    """A key change: IdPs encrypt for the old and for the new certificate."""
    for key in (keys.get("sp-old"), own):
        logs_in(site, "/", **answer(enc.to(key)))
        logs_in(site, "/", **answer(Encryption([Wrapping(key, key_info=enc.certificate_info(key))])))


def test_the_response_is_signed_over_the_ciphertext_enc_order(
    site: SamlSite, own: KeyPair, answer: EncryptedAnswer, keys: KeyStore
) -> None:
    """What was signed first and encrypted then is not what the signature is over."""

    def signed_then_encrypted(root: etree._Element) -> None:
        sign_element(root, keys.get("idp"))
        encrypted(enc.to(own))(root)

    logs_in(site, "/", **answer(enc.to(own), "response"))
    refused = Refusals(site).answer(Browser(), "/", mutate_before_sign=signed_then_encrypted, sign="none")
    assert refused.reason == "signature_invalid"


def test_the_same_assertion_encrypted_anew_replay(site: SamlSite, own: KeyPair, answer: EncryptedAnswer) -> None:
    """Another ciphertext is no other assertion."""
    identifier = new_id()
    logs_in(site, "/", **answer(enc.to(own)), assertion_id=identifier)
    for how in (enc.to(own), enc.to(own, cipher="aes128-gcm", beside=True)):
        refusal = Refusals(site).answer(Browser(), "/", **answer(how), assertion_id=identifier)
        assert refusal.reason == "replayed"


def in_context(element: etree._Element) -> bytes:
    """As PHP and libxml2 write an element: without the declarations of what is around it."""
    text = enc.text_of(element)
    return text.replace(f' xmlns:saml="{SAML}"'.encode(), b"").replace(f' xmlns:samlp="{SAMLP}"'.encode(), b"")


@pytest.mark.parametrize("sign", SIGNS)
def test_prefixes_declared_outside_enc_nsctx(
    site: SamlSite, own: KeyPair, answer: EncryptedAnswer, sign: str
) -> None:
    logs_in(site, "/", **answer(enc.to(own), sign, plaintext=in_context))


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("path", ["/", "/loose"])
def test_encrypted_identifiers_and_attributes_enc_id_attr(
    site: SamlSite, own: KeyPair, path: str, sign: str
) -> None:
    statement = "saml:Assertion/saml:AttributeStatement/saml:Attribute"
    hide_id = encrypted(enc.to(own), path="saml:Assertion/saml:Subject/saml:NameID", name="saml:EncryptedID")
    hide_attribute = encrypted(enc.to(own), path=statement, name="saml:EncryptedAttribute")

    def both(root: etree._Element) -> None:
        hide_id(root)
        hide_attribute(root)

    attributes = [Attribute("email", ["ada@example.com"]), Attribute("groups", ["A", "B"])]
    for edit in (hide_id, hide_attribute, both):
        echo = site.login(
            Browser(), path, name_id="ada", sign=sign, mutate_before_sign=edit, attributes=attributes
        ).echo()
        shown = [echo.header(f"X-SSO-{name}") for name in ("User", "Email", "Groups")]
        assert shown == ["ada", "ada@example.com", "A,B"]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("cipher", ["aes128-gcm", "aes256-gcm", "aes128-cbc", "aes256-cbc"])
def test_what_xmlsec1_encrypts(site: SamlSite, own: KeyPair, keys: KeyStore, cipher: str, sign: str) -> None:
    for transport in (enc.OAEP_MGF1P, enc.RSA_15):

        def hide(root: etree._Element) -> None:
            assertion = at(root, "saml:Assertion")
            if sign != "response":
                sign_element(assertion, keys.get("idp"))
            made = enc.encrypt_with_command(enc.text_of(assertion), own.certificate_file, cipher, transport)
            root.replace(assertion, etree.fromstring(made))

        logs_in(site, "/loose", mutate_before_sign=hide, sign="none" if sign == "assertion" else "response")


@pytest.mark.parametrize("cipher", list(enc.CIPHERS))
def test_xmlsec1_opens_what_the_library_encrypts(own: KeyPair, cipher: str) -> None:
    plaintext = f'<saml:Assertion xmlns:saml="{SAML}" ID="_a">text</saml:Assertion>'.encode()
    for method in (enc.OAEP_MGF1P, enc.RSA_15):
        held = Encryption([Wrapping(own, method)], cipher).holder(plaintext).encode()
        opened = etree.fromstring(enc.decrypt_with_command(held, own))
        assert opened.findtext(tag("saml:Assertion")) == "text"


def test_encryption_required(site: SamlSite, own: KeyPair, answer: EncryptedAnswer) -> None:
    for sign in SIGNS:
        logs_in(site, "/must", **answer(enc.to(own), sign))
        refusal = Refusals(site).answer(Browser(), "/must", sign=sign)
        assert refusal.reason == "encryption_missing" and refusal.response.status == 403


def test_what_may_be_encrypted_with_is_published(site: SamlSite, keys: KeyStore, own: KeyPair) -> None:
    """What every IdP of the server may use, with the RSA keys only."""
    root = etree.fromstring(Browser().get(site.url("/saml/metadata")).body)
    found = {}
    for each in root.iter(tag("md:KeyDescriptor")):
        certificate = "".join(each.findtext(f".//{tag('ds:X509Certificate')}").split())
        methods = [method.get("Algorithm") for method in each.findall(tag("md:EncryptionMethod"))]
        found[certificate] = (each.get("use"), methods)
    everywhere = [enc.CIPHERS["aes256-gcm"][0], enc.CIPHERS["aes128-gcm"][0], enc.OAEP_MGF1P, enc.OAEP_11]
    for key in (keys.get("sp-old"), own):
        assert found[key.certificate_base64] == (None, everywhere)
    assert found[keys.get("sp-ec", "ec256").certificate_base64] == ("signing", [])


def test_without_an_rsa_key(tmp_path: Path, keys: KeyStore, own: KeyPair, answer: EncryptedAnswer) -> None:
    """The log says what is missing."""
    with running_site(tmp_path / "site", keys) as site:
        for sign in SIGNS:
            refusal = Refusals(site).answer(Browser(), "/", **answer(enc.to(own), sign))
            assert refusal.reason == "decryption_failed" and "saml_certificate_key names no RSA key" in refusal.line
