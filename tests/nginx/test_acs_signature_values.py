"""SignatureValue and DigestValue: forged numbers, paddings, parameters, and what hides in text."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable, Iterator

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from lxml import etree

from sallyport_testing import rsa_paddings
from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.hand_signature import METHOD, PLACES, Place, hand_signed, place
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import tag
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import Edit, at, attribute, fragment
from sallyport_testing.worker_cpu import cheap

SECP256R1_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SECP384R1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973
SECP521R1_ORDER = int(
    "01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa"
    "51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409", 16
)  # fmt: skip

CURVES = {
    "ec256": (names.ECDSA_SHA256, hashes.SHA256(), 32, SECP256R1_ORDER),
    "ec384": (names.ECDSA_SHA384, hashes.SHA384(), 48, SECP384R1_ORDER),
    "ec521": (names.ECDSA_SHA512, hashes.SHA512(), 66, SECP521R1_ORDER),
}
DIGEST_VALUE = "ds:SignedInfo/ds:Reference/ds:DigestValue"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    others = [keys.get("idp", kind) for kind in (*CURVES, "rsa2048e3", "rsa3072")]
    with running_site(tmp_path_factory.mktemp("values"), keys, more_idp_keys=others) as running:
        yield running


@pytest.fixture(scope="module")
def pending(site: SamlSite) -> Iterator[PendingAttempt]:
    with PendingAttempt(site) as attempt:
        yield attempt


@pytest.fixture(params=PLACES)
def signed(request: pytest.FixtureRequest, keys: KeyStore) -> Place:
    """The path of the element whose signature is tried."""
    return place(request.param, keys.get("idp"))


EMPTY_DIGEST = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
LEAVES = ("ds:SignatureValue", DIGEST_VALUE)
MALFORMED, FORBIDDEN = "signature_malformed", "xml_forbidden"
SPOILS: dict[str, tuple[Callable[[str], str], str]] = {
    "SIG-DIGESTCOMMENT-comment": (lambda text: f"<!--evil-->{text}", FORBIDDEN),
    "SIG-DIGESTCOMMENT-evil_behind": (lambda text: f"<!---->{text}<!--evil-->", FORBIDDEN),
    "SIG-DIGESTCOMMENT-evil_first": (lambda text: f"{EMPTY_DIGEST}<!---->{text}", FORBIDDEN),
    "SIG-DIGESTCOMMENT-inside": (lambda text: f"{text[:4]}<!---->{text[4:]}", FORBIDDEN),
    "SIG-DIGESTCOMMENT-instruction": (lambda text: f"<?evil x?>{text}", FORBIDDEN),
    "SIG-DIGESTCOMMENT-child": (lambda text: f'<x xmlns="urn:x">AAAA</x>{text}', MALFORMED),
    "SIG-DIGESTCOMMENT-child_behind": (lambda text: f'{text}<x xmlns="urn:x"/>', MALFORMED),
    "SIG-DIGESTCOMMENT-child_around": (lambda text: f"<ds:x>{text}</ds:x>", MALFORMED),
    "SIG-NONE-empty": (lambda text: "", MALFORMED),
    "SIG-NONE-blanks": (lambda text: "  \n ", MALFORMED),
    "SIG-RSA-PAD-not_base64": (lambda text: text[:-4] + "!!!!", MALFORMED),
    "SIG-RSA-PAD-url_alphabet": (lambda text: "-_" + text[2:], MALFORMED),
    "SIG-RSA-PAD-no_padding": (lambda text: text.rstrip("=") + "A", MALFORMED),
    "SIG-RSA-PAD-behind_padding": (lambda text: text + "AAAA", MALFORMED),
    "SIG-RSA-PAD-hex": (lambda text: "0x" + base64.b64decode(text).hex(), MALFORMED),
}  # fmt: skip


@pytest.mark.parametrize("leaf", LEAVES, ids=["SignatureValue", "DigestValue"])
@pytest.mark.parametrize("name", SPOILS)
def test_spoilt_values(pending: PendingAttempt, signed: str, leaf: str, name: str) -> None:
    spoilt, reason = SPOILS[name]

    def spoil(signature: etree._Element) -> None:
        element = at(signature, leaf)
        holder = fragment(f"<ds:x>{spoilt(element.text)}</ds:x>")
        element.text = holder.text
        element.extend(list(holder))

    signing = hand_signed(signed, pending.site.idp.key, after=spoil)
    assert pending.refuse(sign="none", mutate_before_sign=signing) == reason


@pytest.mark.parametrize("node", ["comment", "instruction", "child"])
@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_sig_digestcomment_in_key_info(pending: PendingAttempt, sign: str, node: str) -> None:
    """What is in KeyInfo is not read; comments and instructions are nowhere."""

    def spoil(root: etree._Element) -> None:
        made = {
            "comment": etree.Comment("x"),
            "instruction": etree.ProcessingInstruction("x", "y"),
            "child": etree.Element(tag("saml:Assertion"), ID="_x"),
        }[node]
        next(root.iter(tag("ds:X509Certificate"))).insert(0, made)

    expected = "structure_invalid" if node == "child" else "xml_forbidden"
    assert pending.refuse(sign=sign, mutate_after_sign=spoil) == expected


@pytest.mark.parametrize("leaf", [b"SignatureValue", b"DigestValue", b"X509Certificate"], ids=bytes.decode)
@pytest.mark.parametrize("sign", ["assertion", "response", "both"])
def test_sig_digestcomment_cdata_is_text(site: SamlSite, sign: str, leaf: bytes) -> None:
    """One run of text, however it is written: nothing in it can be left out by one reader and read by another."""

    def write(data: bytes) -> bytes:
        begin, end = b"<ds:%s>" % leaf, b"</ds:%s>" % leaf
        assert begin in data
        return data.replace(begin, begin + b"<![CDATA[").replace(end, b"]]>" + end)

    assert site.login(Browser(), sign=sign, mutate_bytes=write).echo().header("X-SSO-User") == "student@example.com"


@pytest.mark.parametrize("width", [1, 64, 76])
@pytest.mark.parametrize("line_end", ["\n", "\r\n    ", "\n\t\t"], ids=["lf", "crlf", "tabs"])
def test_sig_rsa_pad_in_lines(site: SamlSite, signed: str, line_end: str, width: int) -> None:
    """White space in base64 is what many IdPs write."""

    def folded(text: str) -> str:
        lines = [text[start : start + width] for start in range(0, len(text), width)]
        return line_end + line_end.join(lines) + line_end

    def fold(leaf: str) -> Edit:
        return lambda signature: setattr(at(signature, leaf), "text", folded(at(signature, leaf).text))

    signing = hand_signed(signed, site.idp.key, fold(DIGEST_VALUE), after=fold("ds:SignatureValue"))
    assert site.login(Browser(), sign="none", mutate_before_sign=signing).status == 200


def test_sig_rsa_pad_white_space(pending: PendingAttempt, signed: str) -> None:
    """A megabyte of blanks is a message over the limit, whatever it says."""

    def spread(signature: etree._Element) -> None:
        value = at(signature, "ds:SignatureValue")
        value.text = (" " * 3000).join(value.text)

    with cheap(pending.site.nginx):
        signing = hand_signed(signed, pending.site.idp.key, after=spread)
        assert pending.refuse(sign="none", mutate_before_sign=signing) == "too_large"


VALUES: dict[str, Callable[[KeyPair, bytes], bytes]] = {
    "SIG-RSA-PAD-longer": lambda key, text: _rsa(key, text) + b"\0",
    "SIG-RSA-PAD-zero_first": lambda key, text: b"\0" + _rsa(key, text),
    "SIG-RSA-PAD-shorter": lambda key, text: _rsa(key, text)[:-1],
    "SIG-RSA-PAD-zeros": lambda key, text: bytes(256),
    "SIG-RSA-PAD-ones": lambda key, text: b"\xff" * 256,
    "SIG-RSA-PAD-one": lambda key, text: bytes(255) + b"\1",
    "SIG-RSA-PAD-random": lambda key, text: secrets.token_bytes(256),
    "SIG-RSA-PAD-nothing": lambda key, text: b"",
    "SIG-RSA-PAD-twice": lambda key, text: _rsa(key, text) * 2,
    "SIG-RSA-PAD-plus_modulus": lambda key, text: (
        int.from_bytes(_rsa(key, text), "big") + key.private.public_key().public_numbers().n
    ).to_bytes(257, "big").lstrip(b"\0"),
    "SIG-RSA-PAD-negated": lambda key, text: (
        key.private.public_key().public_numbers().n - int.from_bytes(_rsa(key, text), "big")
    ).to_bytes(256, "big"),
    "SIG-RSA-PAD-reversed": lambda key, text: _rsa(key, text)[::-1],
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
    reason = "signature_malformed" if name == "SIG-RSA-PAD-nothing" else "signature_invalid"
    assert pending.refuse(sign="none", mutate_before_sign=signing) == reason


@pytest.mark.parametrize("kind", ["rsa2048", "rsa2048e3", "rsa3072"])
@pytest.mark.parametrize("name", sorted(rsa_paddings.blocks(b"", 256)))
def test_sig_rsa_pad_blocks(pending: PendingAttempt, keys: KeyStore, signed: str, kind: str, name: str) -> None:
    """Made with the private key: only what a careless reader of the opened block takes for good."""
    private = keys.get("idp", kind).private
    signing = hand_signed(
        signed, pending.site.idp.key,
        value=lambda text: rsa_paddings.raw(
            private, rsa_paddings.blocks(text, rsa_paddings.size_of(private))[name]()
        ),
    )  # fmt: skip
    assert pending.refuse(sign="none", mutate_before_sign=signing) == "signature_invalid"


@pytest.mark.parametrize("garbage", ["behind", "before"])
def test_sig_rsa_pad_cube_roots(pending: PendingAttempt, signed: str, garbage: str) -> None:
    """No private key at all: the metadata lists a key with public exponent 3."""
    forge = lambda text: rsa_paddings.cube_root_value(text, 256, garbage_first=garbage == "before")  # noqa: E731
    signing = hand_signed(signed, pending.site.idp.key, value=forge)
    assert pending.refuse(sign="none", mutate_before_sign=signing) == "signature_invalid"


@pytest.mark.parametrize("kind", ["rsa2048", "rsa2048e3", "rsa3072"])
def test_good_rsa_values(site: SamlSite, keys: KeyStore, signed: str, kind: str) -> None:
    """What the blocks above are made with is good by itself."""
    private = keys.get("idp", kind).private

    def value(text: bytes) -> bytes:
        info = rsa_paddings.SHA256_INFO + hashlib.sha256(text).digest()
        return rsa_paddings.raw(private, rsa_paddings.padded(rsa_paddings.size_of(private), info))

    signing = hand_signed(signed, site.idp.key, value=value)
    assert site.login(Browser(), sign="none", mutate_before_sign=signing).status == 200


def pair(r: int, s: int, size: int) -> bytes:
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


# From the good r and s, the octets of each and the curve's order.
ECDSA: dict[str, Callable[[int, int, int, int], bytes]] = {
    "zeros": lambda r, s, size, order: bytes(2 * size),
    "der": lambda r, s, size, order: encode_dss_signature(r, s),
    "r_zero": lambda r, s, size, order: pair(0, s, size),
    "s_zero": lambda r, s, size, order: pair(r, 0, size),
    "orders": lambda r, s, size, order: pair(order, order, size),
    "r_plus_order": lambda r, s, size, order: pair((r + order) % (1 << 8 * size), s, size),
    "s_plus_order": lambda r, s, size, order: pair(r, (s + order) % (1 << 8 * size), size),
    "ones": lambda r, s, size, order: pair(1, 1, size),
    "turned": lambda r, s, size, order: pair(s, r, size),
    "short": lambda r, s, size, order: pair(r, s, size)[:-1],
    "long": lambda r, s, size, order: pair(r, s, size) + b"\0",
    "each_longer": lambda r, s, size, order: pair(r, s, size + 1),
    "one_octet": lambda r, s, size, order: b"\1",
    "odd": lambda r, s, size, order: b"\0" + pair(r, s, size),
    "full": lambda r, s, size, order: b"\xff" * (2 * size),
    "random": lambda r, s, size, order: secrets.token_bytes(2 * size),
}


def ecdsa_signed(path: str, key: KeyPair, kind: str, make: Callable[[int, int, int, int], bytes]) -> Edit:
    uri, digest, size, order = CURVES[kind]

    def value(text: bytes) -> bytes:
        return make(*decode_dss_signature(key.private.sign(text, ec.ECDSA(digest))), size, order)

    return hand_signed(path, key, attribute(METHOD, "Algorithm", uri), value=value)


@pytest.mark.parametrize("kind", CURVES)
@pytest.mark.parametrize("name", ECDSA)
def test_sig_ecdsa_zero(pending: PendingAttempt, keys: KeyStore, signed: str, name: str, kind: str) -> None:
    """CVE-2022-21449 and its like: numbers out of range, and other lengths than the curve's."""
    signing = ecdsa_signed(signed, keys.get("idp", kind), kind, ECDSA[name])
    assert pending.refuse(sign="none", mutate_before_sign=signing) == "signature_invalid"


@pytest.mark.parametrize("kind", CURVES)
@pytest.mark.parametrize("half", ["lower", "upper"])
def test_sig_ecdsa_zero_both_halves_are_good(
    site: SamlSite, keys: KeyStore, signed: str, half: str, kind: str
) -> None:
    """s and its negative verify alike, and signers write whichever comes out."""

    def make(r: int, s: int, size: int, order: int) -> bytes:
        return pair(r, min(s, order - s) if half == "lower" else max(s, order - s), size)

    signing = ecdsa_signed(signed, keys.get("idp", kind), kind, make)
    assert site.login(Browser(), sign="none", mutate_before_sign=signing).status == 200
