"""Algorithms and keys: what is not allowed, not known, or not the identity provider's."""

from __future__ import annotations

import hmac
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.hand_signature import METHOD, PLACES, Place, hand_signed, place
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import DS
from sallyport_testing.tree_edits import Edit, at, attribute, fragment

PSS_PARAMETERS = "http://www.w3.org/2007/05/xmldsig-more#"


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[PendingAttempt]:
    others = [keys.get("idp", "ec256")]
    folder = tmp_path_factory.mktemp("algorithms")
    with running_site(folder, keys, more_idp_keys=others) as site, PendingAttempt(site) as attempt:
        yield attempt


@pytest.fixture(params=PLACES)
def signed(request: pytest.FixtureRequest, keys: KeyStore) -> Place:
    """The path of the element whose signature is tried."""
    return place(request.param, keys.get("idp"))


UNKNOWN_METHODS = [
    f"{names.DS}hmac-sha1", f"{names.MORE}hmac-sha256", f"{names.DS}dsa-sha1",
    "http://www.w3.org/2009/xmldsig11#dsa-sha256", f"{names.MORE}rsa-md5", f"{names.MORE}rsa-ripemd160",
    f"{names.MORE}rsa-sha224", f"{names.MORE}ecdsa-sha224", f"{names.MORE}ecdsa-ripemd160",
    "http://www.w3.org/2007/05/xmldsig-more#rsa-pss", "http://www.w3.org/2007/05/xmldsig-more#sha1-rsa-MGF1",
    "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519", f"{names.RSA_SHA256} ", names.RSA_SHA256.upper(),
    names.RSA_SHA256.replace("http:", "https:"), names.SHA256, "http://example.com/none", "none", "", None,
]  # fmt: skip
UNKNOWN_DIGESTS = [
    f"{names.MORE}md5", "http://www.w3.org/2001/04/xmlenc#ripemd160", f"{names.MORE}sha224",
    "http://www.w3.org/2007/05/xmldsig-more#sha3-256", f"{names.SHA256} ", names.RSA_SHA256, "none", "", None,
]  # fmt: skip


DOWNGRADES = [("SignatureMethod", uri) for uri in UNKNOWN_METHODS] + [
    ("Reference/ds:DigestMethod", uri) for uri in UNKNOWN_DIGESTS
]


@pytest.mark.parametrize(("element", "uri"), DOWNGRADES, ids=lambda value: str(value).rpartition("/")[2])
def test_sig_downgrade(pending: PendingAttempt, signed: str, element: str, uri: str | None) -> None:
    """The value is made over the SignedInfo that says so."""
    signing = hand_signed(signed, pending.site.idp.key, attribute(f"ds:SignedInfo/ds:{element}", "Algorithm", uri))
    reason = "signature_malformed" if uri is None else "algorithm_not_allowed"
    assert pending.refuse(sign="none", mutate_before_sign=signing) == reason


@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
@pytest.mark.parametrize("kind", ["rsa512", "rsa1024", "rsa2047", "rsa2048", "rsa4096", "ec256", "ec384", "ec521"])
@pytest.mark.parametrize("shown", ["own", "idp", "none"])
def test_sig_wrongkey(pending: PendingAttempt, keys: KeyStore, sign: str, kind: str, shown: str) -> None:
    """The attacker's certificate in KeyInfo counts for nothing. Some keys are too short for any configuration."""
    certificate = {"own": True, "idp": pending.site.idp.key, "none": False}[shown]
    changes = {"sign": sign, "key": keys.get("attacker", kind), "certificate": certificate}
    if kind == "rsa512":
        changes["signature_algorithm"] = names.RSA_SHA256
    assert pending.refuse(**changes) == "signature_invalid"


PSS = {
    "SHA256": (names.PSS_SHA256, hashes.SHA256(), 32),
    "SHA384": (names.PSS_SHA384, hashes.SHA384(), 48),
    "SHA512": (names.PSS_SHA512, hashes.SHA512(), 64),
}
MASKS = {"SHA1": hashes.SHA1(), "SHA256": hashes.SHA256(), "SHA384": hashes.SHA384(), "SHA512": hashes.SHA512()}


def pss_signed(path: str, key: KeyPair, name: str, mask: str, salt: int) -> Edit:
    uri, digest, _ = PSS[name]
    pss = padding.PSS(padding.MGF1(MASKS[mask]), salt)
    return hand_signed(
        path, key, attribute(METHOD, "Algorithm", uri), value=lambda text: key.private.sign(text, pss, digest)
    )


@pytest.mark.parametrize("salt", [0, 1, 20, -1, +1, "longest"])
@pytest.mark.parametrize("name", PSS)
def test_sig_pss_salts(pending: PendingAttempt, signed: str, name: str, salt: int | str) -> None:
    """The salt is as long as the digest."""
    usual = PSS[name][2]
    length = 256 - usual - 2 if salt == "longest" else usual + salt if salt in (-1, 1) else salt
    signing = pss_signed(signed, pending.site.idp.key, name, name, length)
    assert pending.refuse(sign="none", mutate_before_sign=signing) == "signature_invalid"


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", PSS)
def test_sig_pss_masks(pending: PendingAttempt, signed: str, name: str, mask: str) -> None:
    """The mask is made with the same digest: all others are refused, this one lets in."""
    signing = pss_signed(signed, pending.site.idp.key, name, mask, PSS[name][2])
    if mask != name:
        assert pending.refuse(sign="none", mutate_before_sign=signing) == "signature_invalid"
    else:
        assert pending.site.login(Browser(), sign="none", mutate_before_sign=signing).status == 200


@pytest.mark.parametrize("parameters", ["", f'<p:RSAPSSParams xmlns:p="{PSS_PARAMETERS}"/>'], ids=["none", "some"])
def test_sig_pss_with_parameters_is_no_algorithm_of_ours(
    pending: PendingAttempt, signed: str, parameters: str
) -> None:
    key = pending.site.idp.key
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)

    def method(signature: etree._Element) -> None:
        at(signature, METHOD).set("Algorithm", PSS_PARAMETERS + "rsa-pss")
        if parameters:
            at(signature, METHOD).append(fragment(parameters))

    signing = hand_signed(signed, key, method, value=lambda text: key.private.sign(text, pss, hashes.SHA256()))
    reason = "signature_malformed" if parameters else "algorithm_not_allowed"
    assert pending.refuse(sign="none", mutate_before_sign=signing) == reason


def public_forms(key: KeyPair) -> dict[str, bytes]:
    public = key.private.public_key()
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(serialization.Encoding.PEM, spki)
    forms = {
        "public_der": public.public_bytes(serialization.Encoding.DER, spki),
        "public_pem": pem,
        "public_pem_no_newline": pem.rstrip(),
        "certificate_der": key.certificate.public_bytes(serialization.Encoding.DER),
        "certificate_pem": key.certificate_pem,
        "certificate_pem_no_newline": key.certificate_pem.rstrip(),
        "certificate_base64": key.certificate_base64.encode(),
        "empty": b"",
        "zero": b"\0",
    }
    if key.is_ec:
        point = public.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
        return {**forms, "point": point}
    return {**forms, "modulus": public.public_numbers().n.to_bytes(256, "big")}


MACS = {
    "sha1": f"{DS}hmac-sha1", "sha256": f"{names.MORE}hmac-sha256", "sha384": f"{names.MORE}hmac-sha384",
    "sha512": f"{names.MORE}hmac-sha512", "md5": f"{names.MORE}hmac-md5",
}  # fmt: skip


@pytest.mark.parametrize("kind", ["rsa2048", "ec256"])
@pytest.mark.parametrize("digest", MACS)
def test_sig_hmac(pending: PendingAttempt, keys: KeyStore, signed: str, digest: str, kind: str) -> None:
    """Keyed with whatever is public of the IdP's key."""
    for form, secret in public_forms(keys.get("idp", kind)).items():
        signing = hand_signed(
            signed, pending.site.idp.key, attribute(METHOD, "Algorithm", MACS[digest]),
            value=lambda text, secret=secret: hmac.digest(secret, text, digest),
        )  # fmt: skip
        assert pending.refuse(sign="none", mutate_before_sign=signing) == "algorithm_not_allowed", form


@pytest.mark.parametrize("bits", ["0", "1", "8", "160", "-1", ""])
@pytest.mark.parametrize("method", ["hmac", "rsa"])
def test_sig_hmac_output_length(pending: PendingAttempt, signed: str, method: str, bits: str) -> None:
    """CVE-2009-0217: a MAC that is cut to nothing."""

    def shorten(signature: etree._Element) -> None:
        if method == "hmac":
            at(signature, METHOD).set("Algorithm", MACS["sha1"])
        at(signature, METHOD).append(fragment(f"<ds:HMACOutputLength>{bits}</ds:HMACOutputLength>"))

    value = {"hmac": lambda text: hmac.digest(b"", text, "sha1")[: max(1, int(bits or 8) // 8)], "rsa": None}[method]
    signing = hand_signed(signed, pending.site.idp.key, shorten, value=value)
    assert pending.refuse(sign="none", mutate_before_sign=signing) == "signature_malformed"
