"""Enveloped XML signatures: made and checked with xmlsec, made by hand where xmlsec does not know the algorithm."""

from __future__ import annotations

import base64
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

import xmlsec
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from . import saml_names as names
from .keys import KeyPair
from .saml_names import tag

_SIGNATURES = {
    names.RSA_SHA1: xmlsec.Transform.RSA_SHA1,
    names.RSA_SHA256: xmlsec.Transform.RSA_SHA256,
    names.RSA_SHA384: xmlsec.Transform.RSA_SHA384,
    names.RSA_SHA512: xmlsec.Transform.RSA_SHA512,
    names.ECDSA_SHA1: xmlsec.Transform.ECDSA_SHA1,
    names.ECDSA_SHA256: xmlsec.Transform.ECDSA_SHA256,
    names.ECDSA_SHA384: xmlsec.Transform.ECDSA_SHA384,
    names.ECDSA_SHA512: xmlsec.Transform.ECDSA_SHA512,
}
_DIGESTS = {
    names.SHA1: xmlsec.Transform.SHA1,
    names.SHA256: xmlsec.Transform.SHA256,
    names.SHA384: xmlsec.Transform.SHA384,
    names.SHA512: xmlsec.Transform.SHA512,
}
_PSS = {names.PSS_SHA256: hashes.SHA256, names.PSS_SHA384: hashes.SHA384, names.PSS_SHA512: hashes.SHA512}
_HASHES = {
    names.SHA1: hashes.SHA1,
    names.SHA256: hashes.SHA256,
    names.SHA384: hashes.SHA384,
    names.SHA512: hashes.SHA512,
}
_C14N = {names.EXCLUSIVE_C14N: xmlsec.Transform.EXCL_C14N, names.INCLUSIVE_C14N: xmlsec.Transform.C14N}


class SignatureError(AssertionError):
    """A signature that should verify does not."""


def sign(
    element: etree._Element,
    key: KeyPair,
    *,
    algorithm: str | None = None,
    digest: str = names.SHA256,
    c14n: str = names.EXCLUSIVE_C14N,
    prefix: str | None = "ds",
    certificate: KeyPair | None | bool = True,
    prefix_list: Sequence[str] = (),
) -> etree._Element:
    """Sign an element that has an ID, with an enveloped signature right after its Issuer (else first).

    `certificate`: whether KeyInfo holds the key's certificate, or the KeyPair whose certificate it holds.
    `prefix_list`: the InclusiveNamespaces of what is signed.
    """
    algorithm = algorithm or (names.ECDSA_SHA256 if key.is_ec else names.RSA_SHA256)
    template = _template(element, algorithm, digest, c14n, prefix, prefix_list)
    issuer = element.find(tag("saml:Issuer"))
    element.insert(0 if issuer is None else element.index(issuer) + 1, template)
    if certificate:
        shown = key if certificate is True else certificate
        _add_certificate(template, shown, prefix)
    if algorithm in _PSS:
        _fill_by_hand(template, element, key, _PSS[algorithm](), digest)
    else:
        xmlsec.tree.add_ids(element, ["ID"])
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_memory(key.key_pem, xmlsec.KeyFormat.PEM)
        context.sign(template)
    return template


def _template(
    element: etree._Element, algorithm: str, digest: str, c14n: str, prefix: str | None, prefix_list: Sequence[str]
) -> etree._Element:
    method = _SIGNATURES.get(algorithm, xmlsec.Transform.RSA_SHA256)
    signature = xmlsec.template.create(element, _C14N[c14n], method, ns=prefix)
    reference = xmlsec.template.add_reference(signature, _DIGESTS[digest], uri="#" + element.get("ID", ""))
    xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
    transform = xmlsec.template.add_transform(reference, _C14N[c14n])
    if prefix_list:
        xmlsec.template.transform_add_c14n_inclusive_namespaces(transform, list(prefix_list))
    signature.find(".//" + tag("ds:SignatureMethod")).set("Algorithm", algorithm)
    return signature


def _add_certificate(signature: etree._Element, key: KeyPair, prefix: str | None) -> None:
    info = etree.SubElement(signature, tag("ds:KeyInfo"))
    data = etree.SubElement(info, tag("ds:X509Data"))
    etree.SubElement(data, tag("ds:X509Certificate")).text = key.certificate_base64


def _fill_by_hand(
    signature: etree._Element, element: etree._Element, key: KeyPair, algorithm: hashes.HashAlgorithm, digest: str
) -> None:
    bare = etree.fromstring(etree.tostring(element, method="c14n", exclusive=True))
    for each in bare.findall(tag("ds:Signature")):
        bare.remove(each)
    octets = etree.tostring(bare, method="c14n", exclusive=True)
    digester = hashes.Hash(_HASHES[digest]())
    digester.update(octets)
    signature.find(".//" + tag("ds:DigestValue")).text = base64.b64encode(digester.finalize()).decode()
    signed_info = etree.tostring(signature.find(tag("ds:SignedInfo")), method="c14n", exclusive=True)
    pss = padding.PSS(mgf=padding.MGF1(algorithm), salt_length=algorithm.digest_size)
    value = key.private.sign(signed_info, pss, algorithm)
    signature.find(tag("ds:SignatureValue")).text = base64.b64encode(value).decode()


def verify(element: etree._Element, certificate_pem: bytes) -> None:
    """Check the element's own enveloped signature: it must refer to this element and verify with this key."""
    signatures = element.findall(tag("ds:Signature"))
    if len(signatures) != 1:
        raise SignatureError(f"{element.tag} has {len(signatures)} signatures of its own")
    references = signatures[0].findall(f"{tag('ds:SignedInfo')}/{tag('ds:Reference')}")
    uris = [each.get("URI") for each in references]
    if uris != ["#" + element.get("ID", "")]:
        raise SignatureError(f"the signature refers to {uris}, not to {element.get('ID')}")
    xmlsec.tree.add_ids(element, ["ID"])
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(certificate_pem, xmlsec.KeyFormat.CERT_PEM)
    try:
        context.verify(signatures[0])
    except xmlsec.Error as error:
        raise SignatureError(f"the signature of {element.tag} does not verify: {error}") from error


def verify_with_command(
    document: bytes, certificate_file: Path, elements: Sequence[str] = ("samlp:Response", "saml:Assertion")
) -> None:
    """Check every signature of a document with the xmlsec1 command, each by itself."""
    tree = etree.fromstring(document)
    signatures = tree.findall(".//" + tag("ds:Signature"))
    if not signatures:
        raise SignatureError("there is no signature")
    id_attributes = [["--id-attr:ID", tag(name)[1:].replace("}", ":")] for name in elements]
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(document)
        file.flush()
        for number in range(1, len(signatures) + 1):
            command = [
                "xmlsec1", "--verify", "--pubkey-cert-pem", str(certificate_file),
                *(part for pair in id_attributes for part in pair),
                "--node-xpath", f"(//*[local-name()='Signature'])[{number}]", file.name,
            ]  # fmt: skip
            done = subprocess.run(command, capture_output=True, check=False, timeout=30)
            if done.returncode != 0:
                raise SignatureError(f"xmlsec1: {done.stderr.decode('utf-8', 'replace')}")
