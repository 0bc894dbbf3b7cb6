"""SignatureValue, DigestValue and their keys: forged numbers, paddings, parameters, and what hides in text."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from sallyport_testing import saml_names as names
from sallyport_testing.hand_signature import ecdsa_value, hand_signed
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import DS, tag
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import at, attribute, fragment

PATHS = {"assertion": "saml:Assertion", "response": ""}
METHOD = "ds:SignedInfo/ds:SignatureMethod"
DIGEST_VALUE = "ds:SignedInfo/ds:Reference/ds:DigestValue"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    with running_site(tmp_path_factory.mktemp("values"), keys, more_idp_keys=[keys.get("idp", "ec256")]) as running:
        yield running


@pytest.fixture(scope="module")
def pending(site: SamlSite) -> Iterator[PendingAttempt]:
    with PendingAttempt(site) as attempt:
        yield attempt


@pytest.fixture(params=PATHS)
def signed(request: pytest.FixtureRequest) -> str:
    """The path of the element that is signed."""
    return PATHS[request.param]


LEAVES = ("ds:SignatureValue", DIGEST_VALUE)
SPOILS: dict[str, Callable[[str], str]] = {
    "comment": lambda text: f"<!--evil-->{text}",
    "comment_inside": lambda text: f"{text[:4]}<!---->{text[4:]}",
    "instruction": lambda text: f"<?evil x?>{text}",
    "child": lambda text: f'<x xmlns="urn:x">AAAA</x>{text}',
    "child_behind": lambda text: f'{text}<x xmlns="urn:x"/>',
    "empty": lambda text: "",
    "blanks": lambda text: "  \n ",
    "not_base64": lambda text: text[:-4] + "!!!!",
    "url_alphabet": lambda text: "-_" + text[2:],
    "no_padding": lambda text: text.rstrip("=") + "A",
    "behind_padding": lambda text: text + "AAAA",
    "shorter": lambda text: text[:-8] + "AAA=",
}


@pytest.mark.parametrize("leaf", LEAVES, ids=["SignatureValue", "DigestValue"])
@pytest.mark.parametrize("name", SPOILS)
def test_spoilt_values(pending: PendingAttempt, signed: str, leaf: str, name: str) -> None:
    """SIG-DIGESTCOMMENT, SIG-RSA-PAD"""

    def spoil(signature: etree._Element) -> None:
        element = at(signature, leaf)
        spoilt = fragment(f"<ds:x>{SPOILS[name](element.text)}</ds:x>")
        element.text = spoilt.text
        element.extend(list(spoilt))

    reason = pending.refuse(
        sign="none", mutate_before_sign=hand_signed(signed, pending.site.idp.key, after=spoil)
    )
    assert reason in ("signature_malformed", "signature_invalid", "xml_forbidden")


@pytest.mark.parametrize("name", ["comment", "instruction"])
def test_comments_in_key_info(pending: PendingAttempt, name: str) -> None:
    def spoil(root: etree._Element) -> None:
        node = etree.Comment("x") if name == "comment" else etree.ProcessingInstruction("x", "y")
        next(root.iter(tag("ds:X509Certificate"))).insert(0, node)

    assert pending.refuse(mutate_after_sign=spoil) == "xml_forbidden"


VALUES: dict[str, Callable[[KeyPair, bytes], bytes]] = {
    "SIG-RSA-PAD-longer": lambda key, text: _rsa(key, text) + b"\0",
    "SIG-RSA-PAD-zero_first": lambda key, text: b"\0" + _rsa(key, text),
    "SIG-RSA-PAD-shorter": lambda key, text: _rsa(key, text)[:-1],
    "SIG-RSA-PAD-zeros": lambda key, text: bytes(256),
    "SIG-RSA-PAD-ones": lambda key, text: b"\xff" * 256,
    "SIG-RSA-PAD-one": lambda key, text: bytes(255) + b"\1",
    "SIG-RSA-PAD-random": lambda key, text: secrets.token_bytes(256),
    "SIG-RSA-PAD-other_digest": lambda key, text: key.private.sign(text, padding.PKCS1v15(), hashes.SHA512()),
    "SIG-RSA-PAD-pss": lambda key, text: key.private.sign(
        text, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()
    ),
}


def _rsa(key: KeyPair, text: bytes) -> bytes:
    return key.private.sign(text, padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("name", VALUES)
def test_rsa_values(pending: PendingAttempt, signed: str, name: str) -> None:
    key = pending.site.idp.key
    signing = hand_signed(signed, key, value=lambda text: VALUES[name](key, text))
    assert pending.refuse(sign="none", mutate_before_sign=signing) == "signature_invalid"


@pytest.mark.parametrize("salt", [0, 20, 31, 33, padding.PSS.MAX_LENGTH])
@pytest.mark.parametrize("mask", [hashes.SHA256(), hashes.SHA1(), hashes.SHA512()], ids=lambda mask: mask.name)
def test_pss_parameters(pending: PendingAttempt, signed: str, salt: object, mask: hashes.HashAlgorithm) -> None:
    """SIG-PSS: the salt is as long as the digest, the mask of the same digest."""
    key = pending.site.idp.key
    value = lambda text: key.private.sign(text, padding.PSS(padding.MGF1(mask), salt), hashes.SHA256())  # noqa: E731
    signing = hand_signed(signed, key, attribute(METHOD, "Algorithm", names.PSS_SHA256), value=value)
    assert pending.refuse(sign="none", mutate_before_sign=signing) == "signature_invalid"


ECDSA: dict[str, Callable[[bytes], bytes]] = {
    "zeros": lambda der: bytes(64),
    "der": lambda der: der,
    "empty_r": lambda der: bytes(32) + secrets.token_bytes(32),
    "empty_s": lambda der: secrets.token_bytes(32) + bytes(32),
    "short": lambda der: secrets.token_bytes(63),
    "long": lambda der: secrets.token_bytes(65),
    "one": lambda der: b"\1",
    "order": lambda der: bytes.fromhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551") * 2,
    "random": lambda der: secrets.token_bytes(64),
}


@pytest.mark.parametrize("name", ECDSA)
def test_ecdsa_values(pending: PendingAttempt, keys: KeyStore, signed: str, name: str) -> None:
    """SIG-ECDSA-ZERO"""
    key = keys.get("idp", "ec256")
    make = ecdsa_value(key.private)
    signing = hand_signed(
        signed, key, attribute(METHOD, "Algorithm", names.ECDSA_SHA256), value=lambda text: ECDSA[name](make(text))
    )
    assert pending.refuse(sign="none", mutate_before_sign=signing) == "signature_invalid"


def public_forms(key: KeyPair) -> dict[str, bytes]:
    public = key.private.public_key()
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return {
        "public_der": public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        ),
        "public_pem": pem,
        "public_pem_no_newline": pem.rstrip(),
        "certificate_der": key.certificate.public_bytes(serialization.Encoding.DER),
        "certificate_pem": key.certificate_pem,
        "modulus": public.public_numbers().n.to_bytes(256, "big"),
        "empty": b"",
    }


@pytest.mark.parametrize("form", ["public_der", "public_pem", "public_pem_no_newline", "certificate_der",
                                  "certificate_pem", "modulus", "empty"])  # fmt: skip
@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_hmac_with_what_is_public(pending: PendingAttempt, signed: str, digest: str, form: str) -> None:
    """SIG-HMAC"""
    key = pending.site.idp.key
    uri = f"{DS}hmac-sha1" if digest == "sha1" else "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256"
    secret = public_forms(key)[form]
    signing = hand_signed(
        signed, key, attribute(METHOD, "Algorithm", uri), value=lambda text: hmac.digest(secret, text, digest)
    )
    assert pending.refuse(sign="none", mutate_before_sign=signing) == "algorithm_not_allowed"
