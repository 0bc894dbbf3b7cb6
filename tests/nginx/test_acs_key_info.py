"""KeyInfo: whatever it offers, a signature is checked with the keys of the metadata, and nothing in it is read."""

from __future__ import annotations

import base64
import datetime
import functools
from collections.abc import Callable, Iterator

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509.oid import NameOID

from sallyport_testing.browser import Browser
from sallyport_testing.hand_signature import METHOD, PLACES, Place, hand_signed, place
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import DS, ECDSA_SHA256
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import Edit, added, attribute, edits
from sallyport_testing.worker_cpu import cheap

DSIG11 = "http://www.w3.org/2009/xmldsig11#"
XENC = "http://www.w3.org/2001/04/xmlenc#"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    folder = tmp_path_factory.mktemp("key_info")
    (folder / "authority.pem").write_bytes(trusted_authority()[0].public_bytes(serialization.Encoding.PEM))
    trusts = "".join(
        f"{directive} {folder}/authority.pem;\n"
        for directive in ("ssl_client_certificate", "ssl_trusted_certificate", "proxy_ssl_trusted_certificate")
    )
    with running_site(folder, keys, server=trusts) as running:
        yield running


@pytest.fixture(scope="module")
def pending(site: SamlSite) -> Iterator[PendingAttempt]:
    with PendingAttempt(site) as attempt:
        yield attempt


@pytest.fixture(params=PLACES)
def signed(request: pytest.FixtureRequest, keys: KeyStore) -> Place:
    """The path of the element whose signature is tried."""
    return place(request.param, keys.get("idp"))


def twin_of(genuine: KeyPair, private: object) -> bytes:
    """DER of a certificate of the same subject, issuer, serial number and dates over another key."""
    old = genuine.certificate
    made = (
        x509.CertificateBuilder()
        .subject_name(old.subject).issuer_name(old.issuer).serial_number(old.serial_number)
        .not_valid_before(old.not_valid_before).not_valid_after(old.not_valid_after)
        .public_key(private.public_key())
        .sign(private, hashes.SHA256())
    )  # fmt: skip
    return made.public_bytes(serialization.Encoding.DER)


def text_of(number: int) -> str:
    return base64.b64encode(number.to_bytes((number.bit_length() + 7) // 8, "big")).decode()


def certificates(*ders: bytes) -> str:
    shown = "".join(f"<ds:X509Certificate>{base64.b64encode(der).decode()}</ds:X509Certificate>" for der in ders)
    return f"<ds:X509Data>{shown}</ds:X509Data>"


def rsa_key_value(modulus: int, exponent: int) -> str:
    return (
        f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{text_of(modulus)}</ds:Modulus>"
        f"<ds:Exponent>{text_of(exponent)}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    )


def der(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82, size >> 8, size & 255])
    return bytes([tag]) + length + content


def explicit_curve(modulus: int) -> bytes:
    """DER of an EC public key whose curve is spelled out, over a modulus that is no prime: a compressed generator
    makes naive readers look for a square root without end (CVE-2022-0778)."""
    size = (modulus.bit_length() + 7) // 8
    number = lambda value: der(2, b"\0" + value.to_bytes(size, "big"))  # noqa: E731
    octets = lambda value: der(4, value.to_bytes(size, "big"))  # noqa: E731
    prime_field, ec_public_key = bytes.fromhex("06072a8648ce3d0101"), bytes.fromhex("06072a8648ce3d0201")
    generator = der(4, b"\2" + (5).to_bytes(size, "big"))
    curve = der(
        0x30, der(2, b"\1"), der(0x30, prime_field, number(modulus)), der(0x30, octets(23), octets(0)), generator,
        number(modulus - 1), der(2, b"\1"),
    )  # fmt: skip
    return der(0x30, der(0x30, ec_public_key, curve), der(3, b"\0\2" + (5).to_bytes(size, "big")))


def explicit_curve_certificate() -> bytes:
    """Enough of a certificate around that key for whoever reads the key first."""
    name = der(0x30)
    algorithm = der(0x30, bytes.fromhex("06082a8648ce3d040302"))
    validity = der(0x30, der(0x17, b"260101000000Z"), der(0x17, b"360101000000Z"))
    body = der(
        0x30, der(0xA0, der(2, b"\2")), der(2, b"\1"), algorithm, name, validity, name, explicit_curve(697 * 10007)
    )
    return der(0x30, body, algorithm, der(3, b"\0" + der(0x30, der(2, b"\1"), der(2, b"\1"))))


@functools.cache
def trusted_authority() -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """An authority that this nginx trusts for other purposes, as it does those of the system."""
    private = ec.generate_private_key(ec.SECP256R1())
    return certified("A public authority", private.public_key(), "A public authority", private), private


def certified(name: str, public: object, issuer: str, private: object) -> x509.Certificate:
    """Every certificate here may issue others."""
    named = lambda text: x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])  # noqa: E731
    now = datetime.datetime.now(datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(named(name)).issuer_name(named(issuer)).serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1)).not_valid_after(now + datetime.timedelta(days=90))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .public_key(public)
        .sign(private, hashes.SHA256())
    )  # fmt: skip


def chain_to_an_authority(own: KeyPair) -> str:
    """The attacker's certificate, issued for the asking by an authority in between, that one's, and the root's."""
    root, root_key = trusted_authority()
    between_key = ec.generate_private_key(ec.SECP256R1())
    between = certified("An authority between", between_key.public_key(), "A public authority", root_key)
    leaf = certified("idp.example.com", own.private.public_key(), "An authority between", between_key)
    return certificates(*(each.public_bytes(serialization.Encoding.DER) for each in (leaf, between, root)))


Offer = Callable[[KeyPair, KeyPair, str], str]  # the attacker's key, the IdP's, the address of a listener
OFFERS: dict[str, Offer] = {
    "twin_certificate": lambda own, idp, listener: certificates(twin_of(idp, own.private)),
    "own_then_genuine": lambda own, idp, listener: certificates(
        twin_of(idp, own.private), idp.certificate.public_bytes(serialization.Encoding.DER)
    ),
    "genuine_then_own": lambda own, idp, listener: certificates(
        idp.certificate.public_bytes(serialization.Encoding.DER), twin_of(idp, own.private)
    ),
    "chain_to_a_public_authority": lambda own, idp, listener: chain_to_an_authority(own),
    "hundred_certificates": lambda own, idp, listener: certificates(*[twin_of(idp, own.private)] * 100),
    "issuer_serial": lambda own, idp, listener: (
        "<ds:X509Data><ds:X509IssuerSerial><ds:X509IssuerName>CN=idp</ds:X509IssuerName>"
        f"<ds:X509SerialNumber>{idp.certificate.serial_number}</ds:X509SerialNumber></ds:X509IssuerSerial>"
        "<ds:X509SubjectName>CN=idp</ds:X509SubjectName><ds:X509SKI>AAAA</ds:X509SKI></ds:X509Data>"
    ),
    "crl": lambda own, idp, listener: "<ds:X509Data><ds:X509CRL>AAAA</ds:X509CRL></ds:X509Data>",
    "no_certificate": lambda own, idp, listener: certificates(b"no certificate"),
    "RSAKeyValue": lambda own, idp, listener: rsa_key_value(
        own.private.public_key().public_numbers().n, own.private.public_key().public_numbers().e
    ),
    "RSAKeyValue_16_KB": lambda own, idp, listener: rsa_key_value((1 << 131_071) + 1, 65537),
    "RSAKeyValue_large_exponent": lambda own, idp, listener: rsa_key_value((1 << 16_383) + 1, (1 << 16_380) + 1),
    "RSAKeyValue_zero": lambda own, idp, listener: rsa_key_value(0, 0),
    "DSAKeyValue": lambda own, idp, listener: (
        "<ds:KeyValue><ds:DSAKeyValue><ds:P>AA==</ds:P><ds:Q>AA==</ds:Q><ds:G>AA==</ds:G><ds:Y>AA==</ds:Y>"
        "</ds:DSAKeyValue></ds:KeyValue>"
    ),
    "ECKeyValue": lambda own, idp, listener: (
        f'<ds:KeyValue><e:ECKeyValue xmlns:e="{DSIG11}"><e:NamedCurve URI="urn:oid:1.2.840.10045.3.1.7"/>'
        "<e:PublicKey>BAAA</e:PublicKey></e:ECKeyValue></ds:KeyValue>"
    ),
    "ECKeyValue_explicit": lambda own, idp, listener: (
        f'<ds:KeyValue><e:ECKeyValue xmlns:e="{DSIG11}"><e:ECParameters><e:FieldID><e:Prime><e:P>AK==</e:P></e:Prime>'
        "</e:FieldID><e:Curve><e:A>AA==</e:A><e:B>AA==</e:B></e:Curve><e:Base>AgU=</e:Base><e:Order>AQ==</e:Order>"
        "</e:ECParameters><e:PublicKey>BAAA</e:PublicKey></e:ECKeyValue></ds:KeyValue>"
    ),
    "explicit_curve_certificate": lambda own, idp, listener: certificates(explicit_curve_certificate()),
    "explicit_curve_DEREncodedKeyValue": lambda own, idp, listener: (
        f'<e:DEREncodedKeyValue xmlns:e="{DSIG11}">'
        f"{base64.b64encode(explicit_curve(697 * 10007)).decode()}</e:DEREncodedKeyValue>"
    ),
    "KeyName": lambda own, idp, listener: "<ds:KeyName>attacker</ds:KeyName>",
    "KeyName_file": lambda own, idp, listener: "<ds:KeyName>/etc/passwd</ds:KeyName>",
    "RetrievalMethod": lambda own, idp, listener: (
        f'<ds:RetrievalMethod URI="http://{listener}/key" Type="{DS}rawX509Certificate"/>'
    ),
    "RetrievalMethod_file": lambda own, idp, listener: (
        f'<ds:RetrievalMethod URI="file:///etc/passwd" Type="{DS}rawX509Certificate"/>'
    ),
    "RetrievalMethod_itself": lambda own, idp, listener: (
        f'<ds:RetrievalMethod URI="#xpointer(//*)" Type="{DS}X509Data"><ds:Transforms>'
        '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"/></ds:Transforms>'
        "</ds:RetrievalMethod>"
    ),
    "KeyInfoReference": lambda own, idp, listener: (
        f'<e:KeyInfoReference xmlns:e="{DSIG11}" URI="http://{listener}/key"/>'
    ),
    "SPKIData": lambda own, idp, listener: "<ds:SPKIData><ds:SPKISexp>AAAA</ds:SPKISexp></ds:SPKIData>",
    "PGPData": lambda own, idp, listener: "<ds:PGPData><ds:PGPKeyID>AAAA</ds:PGPKeyID></ds:PGPData>",
    "MgmtData": lambda own, idp, listener: "<ds:MgmtData>attacker</ds:MgmtData>",
    "EncryptedKey": lambda own, idp, listener: (
        f'<x:EncryptedKey xmlns:x="{XENC}"><x:EncryptionMethod Algorithm="{XENC}rsa-oaep-mgf1p"/>'
        "<x:CipherData><x:CipherValue>AAAA</x:CipherValue></x:CipherData></x:EncryptedKey>"
    ),
    "DerivedKey": lambda own, idp, listener: (
        '<x:DerivedKey xmlns:x="http://www.w3.org/2009/xmlenc11#">'
        '<x:KeyDerivationMethod Algorithm="http://www.w3.org/2009/xmlenc11#pbkdf2"/></x:DerivedKey>'
    ),
    "foreign": lambda own, idp, listener: f'<k xmlns="urn:x" href="http://{listener}/key">attacker</k>',
    "text": lambda own, idp, listener: "attacker",
    "nothing": lambda own, idp, listener: "",
}


def offered(site: SamlSite, own: KeyPair, name: str) -> Edit:
    return added("", f"<ds:KeyInfo>{OFFERS[name](own, site.idp.key, site.upstream.address)}</ds:KeyInfo>")


def signed_by(own: KeyPair, path: str, edit: Edit) -> Edit:
    if not own.is_ec:
        return hand_signed(path, own, edit)

    def value(text: bytes) -> bytes:
        r, s = decode_dss_signature(own.private.sign(text, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")

    return hand_signed(path, own, edits(edit, attribute(METHOD, "Algorithm", ECDSA_SHA256)), value=value)


CASES = [(name, kind) for name in OFFERS for kind in ("rsa2048", "ec256") if "RSAKeyValue" != name or "rsa" in kind]


@pytest.mark.parametrize(("name", "kind"), CASES)
def test_sig_keyinfo(pending: PendingAttempt, keys: KeyStore, signed: str, name: str, kind: str) -> None:
    """Signed with the attacker's key, which KeyInfo offers; the IdP has only an RSA key."""
    own = keys.get("attacker", kind)
    with cheap(pending.site.nginx):
        signing = signed_by(own, signed, offered(pending.site, own, name))
        assert pending.refuse(sign="none", mutate_before_sign=signing) == "signature_invalid"
    assert "attacker" not in pending.site.nginx.error_log()


@pytest.mark.parametrize("name", OFFERS)
def test_sig_keyinfo_beside_a_good_signature(site: SamlSite, keys: KeyStore, signed: str, name: str) -> None:
    """What KeyInfo holds is nobody's business: signed by the IdP, the message is good."""
    with cheap(site.nginx):
        signing = hand_signed(signed, site.idp.key, offered(site, keys.get("attacker"), name))
        echo = site.login(Browser(), sign="none", mutate_before_sign=signing).echo()
    assert echo.header("X-SSO-User") == "student@example.com"
    assert not [each for each in site.upstream.requests if each.uri == "/key"], "it was fetched"


def test_sig_keyinfo_over_the_limits(pending: PendingAttempt, signed: str) -> None:
    """A KeyInfo counts for size and shape as all else does."""
    levels = "<x>" * 40 + "</x>" * 40
    for inside, reason in [(levels, "xml_limits"), ("<x/>" * 21_000, "xml_limits"), ("x" * 300_000, "too_large")]:
        edit = added("", f"<ds:KeyInfo>{inside}</ds:KeyInfo>")
        with cheap(pending.site.nginx):
            signing = hand_signed(signed, pending.site.idp.key, edit)
            assert pending.refuse(sign="none", mutate_before_sign=signing) == reason
