"""Encrypted answers that are signed by nobody, wrapped, or hold something else: none opens a session."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

import pytest
from lxml import etree

from sallyport_testing import encryption as enc
from sallyport_testing.encryption import Encryption, EncryptedAnswer
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.message_parts import ADMIN, Genuine
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import SAML, SAMLP, tag
from sallyport_testing.saml_response import new_id
from sallyport_testing.tree_edits import Edit, at
from sallyport_testing.xml_signature import sign as sign_element

SIGNS = ("assertion", "response", "both")
ENCRYPTED = tag("saml:EncryptedAssertion")


@pytest.fixture(scope="module")
def own(keys: KeyStore) -> KeyPair:
    return keys.get("sp")


@pytest.fixture(scope="module")
def idp_key(keys: KeyStore) -> KeyPair:
    return keys.get("idp")


@pytest.fixture(scope="module")
def answer(idp_key: KeyPair) -> EncryptedAnswer:
    return EncryptedAnswer(idp_key)


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore, own: KeyPair) -> Iterator[PendingAttempt]:
    """A site with one RSA key and the default algorithms; in the end it takes the honest encrypted answer."""
    folder = tmp_path_factory.mktemp("encrypted-attacks")
    server = f"saml_certificate {own.certificate_file}; saml_certificate_key {own.key_file};"
    honest = EncryptedAnswer(keys.get("idp"))(enc.to(own))
    with running_site(folder, keys, recipients=[own], server=server) as site, PendingAttempt(site, honest=honest) as attempt:
        yield attempt


def encrypted_tree(how: Encryption, element: etree._Element) -> etree._Element:
    return etree.fromstring(how.holder(enc.text_of(element)))


# Signatures


@pytest.mark.parametrize("cipher", ["aes128-gcm", "aes256-gcm"])
@pytest.mark.parametrize("beside", [False, True], ids=["ENC-UNSIGNED-inside", "ENC-UNSIGNED-beside"])
def test_signed_nowhere(
    pending: PendingAttempt, answer: EncryptedAnswer, own: KeyPair, cipher: str, beside: bool
) -> None:
    """Anybody can encrypt for us."""
    how = enc.to(own, cipher=cipher, beside=beside)
    assert pending.refuse(**answer(how, "none"), name_id=ADMIN) == "decryption_failed"


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("inner", ["NAMEID", "KEY", "VALUE", "POSITION", "SIGNEDINFO"], ids=lambda x: f"ENC-BADSIG-{x}")
def test_a_bad_signature_inside(
    pending: PendingAttempt, answer: EncryptedAnswer, keys: KeyStore, own: KeyPair, idp_key: KeyPair, inner: str,
    sign: str,
) -> None:  # fmt: skip
    """Whether or not the one outside is good."""

    def spoiled(assertion: etree._Element) -> bytes:
        for signature in assertion.findall(tag("ds:Signature")):
            assertion.remove(signature)
        sign_element(assertion, keys.get("other-idp") if inner == "KEY" else idp_key)
        signature = assertion.find(tag("ds:Signature"))
        if inner == "NAMEID":
            at(assertion, "saml:Subject/saml:NameID").text = ADMIN
        elif inner == "VALUE":
            signature.find(tag("ds:SignatureValue")).text = enc.encoded(b"x" * 256)
        elif inner == "POSITION":
            assertion.append(signature)
        elif inner == "SIGNEDINFO":
            signature.find(tag("ds:SignedInfo")).addnext(copy.deepcopy(signature.find(tag("ds:SignedInfo"))))
        return enc.text_of(assertion)

    assert pending.refuse(**answer(enc.to(own), sign, plaintext=spoiled)) == "decryption_failed"


@pytest.mark.parametrize("change", ["ciphertext", "attribute"], ids=["ENC-ORDER-ciphertext", "ENC-ORDER-attribute"])
@pytest.mark.parametrize("sign", ["response", "both"])
def test_the_signed_ciphertext_is_changed(
    pending: PendingAttempt, answer: EncryptedAnswer, own: KeyPair, change: str, sign: str
) -> None:
    """The Response's signature is checked as received, before anything is decrypted."""

    def after(root: etree._Element) -> None:
        data = root.find(f"{ENCRYPTED}/{{{enc.XENC}}}EncryptedData")
        if change == "attribute":
            data.set("MimeType", "text/xml")
        else:
            value = data.find(f"{{{enc.XENC}}}CipherData/{{{enc.XENC}}}CipherValue")
            value.text = enc.encoded(b"x" * 600)

    assert pending.refuse(**answer(enc.to(own), sign), mutate_after_sign=after) == "signature_invalid"


@pytest.mark.parametrize("sign", SIGNS)
def test_signatures_that_are_required(
    tmp_path_factory: pytest.TempPathFactory, keys: KeyStore, own: KeyPair, answer: EncryptedAnswer, sign: str
) -> None:
    """ENC-UNSIGNED: require_signed counts what is inside of the ciphertext too."""
    server = f"saml_certificate {own.certificate_file}; saml_certificate_key {own.key_file};"
    folder = tmp_path_factory.mktemp("required")
    blocks = "".join(
        f"saml_idp {name} {{ metadata %%folder%%/idp-metadata.xml; require_signed {name}; }}\n"
        for name in ("response", "assertion", "both")
    )
    locations = "".join(
        f"location /{name} {{ auth_saml {name}; proxy_pass http://%%upstream%%; }}\n"
        for name in ("response", "assertion", "both")
    )
    with running_site(folder, keys, recipients=[own], server=server, http=blocks, locations=locations) as site:
        for required in ("response", "assertion", "both"):
            good = answer(enc.to(own), "both")
            with PendingAttempt(site, f"/{required}", honest=good) as attempt:
                if sign not in (required, "both"):
                    expected = "signature_missing"
                    assert attempt.refuse(**answer(enc.to(own), sign)) == expected


# Wrapping


def forged(root: etree._Element) -> etree._Element:
    """An assertion for the attacker beside an encrypted one."""
    made = etree.fromstring(
        f'<saml:Assertion xmlns:saml="{SAML}" ID="{new_id()}" Version="2.0" IssueInstant="2026-01-01T00:00:00Z"/>'
    )
    issuer = etree.SubElement(made, tag("saml:Issuer"))
    issuer.text = root.findtext(tag("saml:Issuer"))
    return made


def beside(how: Encryption, first: bool) -> Edit:
    def apply(root: etree._Element) -> None:
        genuine = root.find(ENCRYPTED)
        (genuine.addprevious if first else genuine.addnext)(forged(root))

    return apply


def wraps(own: KeyPair) -> dict[str, Edit]:
    """Applied to a Response with its EncryptedAssertion."""

    def second_encrypted(root: etree._Element) -> None:
        root.append(encrypted_tree(enc.to(own), forged(root)))

    def doubled(root: etree._Element) -> None:
        root.append(copy.deepcopy(root.find(ENCRYPTED)))

    def moved(holder: str) -> Edit:
        def apply(root: etree._Element) -> None:
            genuine = root.find(ENCRYPTED)
            made = etree.fromstring(
                f'<samlp:Extensions xmlns:samlp="{SAMLP}"/>' if holder == "Extensions"
                else f'<saml:Advice xmlns:saml="{SAML}"/>'
            )  # fmt: skip
            if holder == "Extensions":
                root.find(tag("samlp:Status")).addprevious(made)
            else:
                other = forged(root)
                root.append(other)
                other.append(made)
            made.append(genuine)

        return apply

    def emptied(root: etree._Element) -> None:
        root.remove(root.find(ENCRYPTED))
        root.append(forged(root))
        root.append(etree.Element(ENCRYPTED))

    def nested(root: etree._Element) -> None:
        genuine = root.find(ENCRYPTED)
        outer = etree.Element(ENCRYPTED)
        genuine.addprevious(outer)
        outer.append(genuine)

    return {
        "plain_first": beside(enc.to(own), True), "plain_last": beside(enc.to(own), False),
        "two_encrypted": second_encrypted, "doubled": doubled, "Extensions": moved("Extensions"),
        "Advice": moved("Advice"), "empty_one": emptied, "nested": nested,
    }  # fmt: skip


@pytest.mark.parametrize("sign", [*SIGNS, "none"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_wrapping_enc_wrap(
    pending: PendingAttempt, answer: EncryptedAnswer, own: KeyPair, when: str, sign: str
) -> None:
    for name, edit in wraps(own).items():
        if when == "before":
            message = answer(enc.to(own), sign, edit=edit)
        else:
            message = answer(enc.to(own), sign, mutate_after_sign=edit)
        # Where the one assertion was moved under the Response's signature, that is seen first.
        moved = when == "after" and sign in ("response", "both") and name == "Extensions"
        assert pending.refuse(**message) == ("signature_invalid" if moved else "structure_invalid"), name


def test_a_signature_over_something_else_enc_wrap(
    pending: PendingAttempt, own: KeyPair, idp_key: KeyPair
) -> None:
    """A genuinely signed assertion is kept in the message, its user is another one inside the ciphertext."""

    def attack(hide: Callable[[etree._Element], None]) -> Edit:
        def apply(root: etree._Element) -> None:
            genuine = Genuine(root)
            other = genuine.forged_assertion(signature=True)
            root.replace(at(root, "saml:Assertion"), encrypted_tree(enc.to(own), other))
            hide(root)

        return apply

    def keep_nothing(_: etree._Element) -> None:
        pass

    def swap_ids(root: etree._Element) -> None:
        root.set("ID", new_id())

    for sign in SIGNS:
        for hide in (keep_nothing, swap_ids):
            reason = pending.refuse(sign=sign, mutate_after_sign=attack(hide))
            expected = {"decryption_failed"} if sign == "assertion" else {"signature_invalid", "signature_malformed"}
            assert reason in expected


# What is inside


def plaintexts(own: KeyPair) -> dict[str, Callable[[etree._Element], bytes]]:
    def assertion(element: etree._Element) -> bytes:
        return enc.text_of(element)

    def around(before: bytes, after: bytes) -> Callable[[etree._Element], bytes]:
        return lambda element: before + assertion(element) + after

    def in_response(element: etree._Element) -> bytes:
        response = copy.deepcopy(element.getparent())
        response.set("ID", new_id())
        return enc.text_of(response)

    def with_outer_id(element: etree._Element) -> bytes:
        element.set("ID", element.getparent().get("ID"))
        return assertion(element)

    def with_advice(element: etree._Element) -> bytes:
        other = copy.deepcopy(element)
        for each in other.iter():
            each.attrib.pop("ID", None)
        other.set("ID", new_id())
        advice = etree.SubElement(element, tag("saml:Advice"))
        at(element, "saml:Conditions").addnext(advice)
        advice.append(other)
        return assertion(element)

    def renamed(name: str) -> Callable[[etree._Element], bytes]:
        def make(element: etree._Element) -> bytes:
            copied = copy.deepcopy(element)
            copied.tag = name
            return assertion(copied)

        return make

    def relative_namespace(element: etree._Element) -> bytes:
        made = assertion(element).replace(b"<saml:Subject>", b'<saml:Subject xmlns:x="relative">')
        assert b"relative" in made
        return made

    def deep(element: etree._Element) -> bytes:
        return b"<x>" * 100 + assertion(element) + b"</x>" * 100

    return {
        "Response": in_response,
        "two_assertions": lambda element: assertion(element) * 2,
        "encrypted_again": lambda element: enc.to(own).holder(assertion(element)).encode(),
        "text": lambda _: b"just text",
        "nothing": lambda _: b"",
        "blanks": lambda _: b"  \n ",
        "DOCTYPE": around(b"<!DOCTYPE x>", b""),
        "entity": around(b'<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>', b""),
        "junk_behind": around(b"", b"junk"),
        "junk_before": around(b"junk", b""),
        "element_behind": around(b"", b"<x/>"),
        "comment_behind": around(b"", b"<!-- c -->"),
        "instruction": around(b"<?p x?>", b""),
        "NUL": around(b"", b"\x00<x/>"),
        "UTF-16": lambda element: assertion(element).decode().encode("utf-16"),
        "outer_ID": with_outer_id,
        "Advice": with_advice,
        "another_name": renamed(tag("saml:Evidence")),
        "another_namespace": renamed("{urn:oasis:names:tc:SAML:1.0:assertion}Assertion"),
        "wrapped": around(b"<x>", b"</x>"),
        "deep": deep,
        "cut": lambda element: assertion(element)[:-1],
        "relative_namespace": relative_namespace,
    }  # fmt: skip


@pytest.mark.parametrize("sign", [*SIGNS, "none"])
def test_plaintext_that_is_no_single_assertion_enc_inner(
    pending: PendingAttempt, answer: EncryptedAnswer, own: KeyPair, sign: str
) -> None:
    """XML-DTD, XML-DEPTH, ID-DUP inside of a ciphertext too."""
    for name, plaintext in plaintexts(own).items():
        reason = pending.refuse(**answer(enc.to(own), sign, plaintext=plaintext))
        assert reason == "decryption_failed", name


def test_ten_megabytes_enc_inner(pending: PendingAttempt, answer: EncryptedAnswer, own: KeyPair) -> None:
    message = answer(enc.to(own), plaintext=lambda element: enc.text_of(element) + b" " * 10_000_000)
    assert pending.refuse(**message) == "too_large"
