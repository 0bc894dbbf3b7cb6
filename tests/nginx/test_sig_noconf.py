"""SIG-NOCONF: every configuration that could leave signatures unchecked, and none of them passes `nginx -t`."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.idp_metadata import MetadataKey
from sallyport_testing.keys import KeyPair, KeyStore, make_certificate
from sallyport_testing.nginx import Nginx, NginxError
from sallyport_testing.refusals import LOG_FORMAT, Refusals
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite

SSO = "https://idp.example.com/sso"
BY_HAND = f"entity_id https://idp.example.com/metadata; sso_url {SSO};"
SERVER = """
    saml_idp test { LINES }
    server {
        listen 127.0.0.1:%%port:site%%;
        server_name app.example.com;
        saml_entity_id https://app.example.com/saml/metadata;
        saml_base_url https://app.example.com;
        location / { auth_saml test; return 204; }
    }
"""


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Path:
    """The files that the lines below name."""
    folder = tmp_path_factory.mktemp("noconf")
    good, weak = keys.get("idp"), keys.get("weak", "rsa1024")
    public = good.private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    certificates = {
        "good.crt": good.certificate_pem,
        "empty.crt": b"",
        "blank.crt": b" \n\n",
        "text.crt": b"not a certificate\n",
        "private.crt": good.key_pem,
        "public.crt": public,
        "cut.crt": good.certificate_pem[:-60],
        "header.crt": b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n",
        "zeros.crt": b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
        "rsa1024.crt": weak.certificate_pem,
        "rsa512.crt": keys.get("weak", "rsa512").certificate_pem,
        "rsa2047.crt": keys.get("weak", "rsa2047").certificate_pem,
        "ec192.crt": pem(make_certificate(ec.generate_private_key(ec.SECP192R1()), "weak")),
        "ec224.crt": pem(make_certificate(ec.generate_private_key(ec.SECP224R1()), "weak")),
        "ec256k1.crt": pem(make_certificate(ec.generate_private_key(ec.SECP256K1()), "other")),
        "brainpool.crt": pem(make_certificate(ec.generate_private_key(ec.BrainpoolP256R1()), "other")),
        "dsa.crt": pem(make_certificate(dsa.generate_private_key(2048), "dsa")),
        "ed25519.crt": _ed25519_certificate(),
    }
    for name, content in certificates.items():
        (folder / name).write_bytes(content)
    (folder / "folder.crt").mkdir()
    _write_metadata(folder, TestIdp(good), weak)
    return folder


def _ed25519_certificate() -> bytes:
    key = ed25519.Ed25519PrivateKey.generate()
    like = make_certificate(ec.generate_private_key(ec.SECP256R1()), "ed25519")
    made = (
        x509.CertificateBuilder().subject_name(like.subject).issuer_name(like.issuer).serial_number(1)
        .not_valid_before(like.not_valid_before).not_valid_after(like.not_valid_after).public_key(key.public_key())
    )  # fmt: skip
    return pem(made.sign(key, None))


def _write_metadata(folder: Path, idp: TestIdp, weak: KeyPair) -> None:
    good = idp.metadata()
    certificate = idp.key.certificate_base64
    text = good.decode()
    begin, end = text.index("<ds:X509Data>"), text.index("</ds:X509Data>") + len("</ds:X509Data>")
    shown = text[begin:end]
    modulus = idp.key.private.public_key().public_numbers().n.to_bytes(256, "big")
    documents = {
        "good.xml": good,
        "empty.xml": b"",
        "text.xml": b"no metadata",
        "cut.xml": good[:-20],
        "no_keys.xml": idp.metadata(keys=[]),
        "encryption_only.xml": idp.metadata(keys=[MetadataKey(idp.key, "encryption")]),
        "empty_use.xml": idp.metadata(keys=[MetadataKey(idp.key, "")]),
        "unknown_use.xml": idp.metadata(keys=[MetadataKey(idp.key, "all")]),
        "upper_case_use.xml": idp.metadata(keys=[MetadataKey(idp.key, "Signing")]),
        "weak_key.xml": idp.metadata(keys=[MetadataKey(weak)]),
        "service_provider.xml": idp.metadata(role="SPSSODescriptor"),
        "attribute_authority.xml": idp.metadata(role="AttributeAuthorityDescriptor"),
        "no_certificate.xml": text.replace(shown, "").encode(),
        "empty_x509_data.xml": text.replace(shown, "<ds:X509Data/>").encode(),
        "empty_certificate.xml": text.replace(
            shown, "<ds:X509Data><ds:X509Certificate/></ds:X509Data>"
        ).encode(),
        "zeros_certificate.xml": text.replace(
            shown, "<ds:X509Data><ds:X509Certificate>AAAA</ds:X509Certificate></ds:X509Data>"
        ).encode(),
        "no_base64_certificate.xml": text.replace(
            shown, f"<ds:X509Data><ds:X509Certificate>?{certificate}</ds:X509Certificate></ds:X509Data>"
        ).encode(),
        "key_name.xml": text.replace(shown, "<ds:KeyName>key</ds:KeyName>").encode(),
        "key_value.xml": text.replace(
            shown,
            f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{base64.b64encode(modulus).decode()}</ds:Modulus>"
            "<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>",
        ).encode(),
        "retrieval_method.xml": text.replace(shown, '<ds:RetrievalMethod URI="/etc/passwd"/>').encode(),
        "key_outside_role.xml": _key_outside_role(text),
        "doctype.xml": b"<!DOCTYPE x>" + good.partition(b"?>")[2],
    }
    for name, content in documents.items():
        (folder / name).write_bytes(content)


def _key_outside_role(text: str) -> bytes:
    begin, end = text.index("<md:KeyDescriptor"), text.index("</md:KeyDescriptor>") + len("</md:KeyDescriptor>")
    role_end = "</md:IDPSSODescriptor>"
    return text.replace(text[begin:end], "").replace(role_end, role_end + text[begin:end]).encode()


GOOD = f"{BY_HAND} certificate %%files%%/good.crt;"
CERTIFICATES = [
    "empty", "blank", "text", "private", "public", "cut", "header", "zeros", "rsa1024", "rsa512", "rsa2047", "ec192",
    "ec224", "ec256k1", "brainpool", "dsa", "ed25519", "folder", "missing",
]  # fmt: skip
DOCUMENTS = [
    "empty", "text", "cut", "no_keys", "encryption_only", "empty_use", "unknown_use", "upper_case_use", "weak_key",
    "service_provider", "attribute_authority", "no_certificate", "empty_x509_data", "empty_certificate",
    "zeros_certificate", "no_base64_certificate", "key_name", "key_value", "retrieval_method", "key_outside_role",
    "doctype", "missing",
]  # fmt: skip
LINES = {
    "nothing": "",
    "no_certificate": BY_HAND,
    "certificate_without_value": f"{BY_HAND} certificate;",
    "certificate_of_no_name": f'{BY_HAND} certificate "";',
    "certificate_off": f"{BY_HAND} certificate off;",
    "certificate_none": f"{BY_HAND} certificate none;",
    "only_a_bad_one_of_two": f"{GOOD} certificate %%files%%/rsa1024.crt;",
    "metadata_of_no_name": 'metadata "";',
    "metadata_off": "metadata off;",
    **{f"certificate_{each}": f"{BY_HAND} certificate %%files%%/{each}.crt;" for each in CERTIFICATES},
    **{f"metadata_{each}": f"metadata %%files%%/{each}.xml;" for each in DOCUMENTS},
    **{
        f"require_signed_{each or 'empty'}": f'{GOOD} require_signed "{each}";'
        for each in ("none", "no", "off", "0", "false", "optional", "", "message", "NONE", "Off")
    },
    "require_signed_without_value": f"{GOOD} require_signed;",
    "require_signed_twice": f"{GOOD} require_signed both; require_signed any;",
    **{
        f"algorithms_{each or 'empty'}": f'{GOOD} signature_algorithms "{each}";'
        for each in ("none", "", "*", "any", "all", "off", "hmac-sha256", "hmac-sha1", "rsa-md5", "dsa-sha1",
                     "RSA-SHA256")
    },
    "algorithms_without_value": f"{GOOD} signature_algorithms;",
    **{
        f"switch_{line.partition(' ')[0]}": f"{GOOD} {line};"
        for line in ("allow_unsigned on", "verify off", "verify_signature off", "insecure on", "signed off",
                     "want_assertions_signed off", "allow_weak on", "key_info on", "trust_key_info on")
    },
}  # fmt: skip


@pytest.mark.parametrize("name", LINES)
def test_sig_noconf(nginx: Nginx, files: Path, name: str) -> None:
    """The way out is named: the message stands at this block."""
    result = nginx.configure(SERVER.replace("LINES", LINES[name]), files=files).test()
    assert not result.ok, result.output
    assert "[emerg]" in result.output and f"{nginx.config_file}:" in result.output
    for trouble in ("ERROR: AddressSanitizer", "runtime error:", "internal failure", "sallyport::"):
        assert trouble not in result.output, result.output


@pytest.mark.parametrize(
    "lines",
    [GOOD, "metadata %%files%%/good.xml;", f"{GOOD} require_signed any;", f"{GOOD} signature_algorithms rsa-sha1;"],
    ids=["by_hand", "metadata", "require_signed", "algorithms"],
)
def test_sig_noconf_what_they_are_made_of_is_good(nginx: Nginx, files: Path, lines: str) -> None:
    result = nginx.configure(SERVER.replace("LINES", lines), files=files).test()
    assert result.ok, result.output


def test_sig_noconf_at_a_reload(site: SamlSite, keys: KeyStore) -> None:
    """Metadata that lost its keys is not taken: the last good keys go on to count, and no message without one."""
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml")
    site.start(idp_block=f"metadata {metadata};", http=LOG_FORMAT)
    site.nginx.allow_in_log(r"\[emerg\].*idp\.xml")
    workers = site.nginx.workers()
    for bad in (site.idp.metadata(keys=[]), site.idp.metadata(keys=[MetadataKey(site.idp.key, "encryption")]), b""):
        metadata.write_bytes(bad)
        with pytest.raises(NginxError, match="the reload failed"):
            site.nginx.reload()
        assert site.nginx.workers() == workers
        refusals = Refusals(site)
        assert refusals.answer(Browser(), sign="none").reason == "signature_missing"
        assert refusals.answer(Browser(), key=keys.get("attacker")).reason == "signature_invalid"
        assert site.login(Browser()).status == 200


def test_sig_noconf_a_good_key_beside_a_weak_one(site: SamlSite, keys: KeyStore) -> None:
    """A metadata key that is too weak does not count, wherever a good one stands beside it."""
    weak = keys.get("weak", "rsa1024")
    listed = [MetadataKey(weak), MetadataKey(site.idp.key)]
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml", keys=listed)
    site.start(idp_block=f"metadata {metadata};", http=LOG_FORMAT)
    refusal = Refusals(site).answer(Browser(), key=weak, signature_algorithm=names.RSA_SHA256)
    assert refusal.reason == "signature_invalid"
    assert site.login(Browser()).status == 200
