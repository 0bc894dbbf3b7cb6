"""What the module accepts must hold for others too: for xmlsec1, inside of this process, and for python3-cryptography where
xmlsec1 does not know the algorithm (RSA-PSS, before 1.3)."""

from __future__ import annotations

import base64
import copy
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import quoteattr

import xmlsec
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from . import saml_names as names
from .hand_signature import METHOD, REFERENCE, signed_info_octets
from .keys import KeyPair
from .message_parts import digest_of
from .saml_names import tag
from .tree_edits import at
from .xml_signature import SignatureError, verify

_PSS = {names.PSS_SHA256: hashes.SHA256(), names.PSS_SHA384: hashes.SHA384(), names.PSS_SHA512: hashes.SHA512()}
_XENC = "{http://www.w3.org/2001/04/xmlenc#}"
# How keys are wrapped that xmlsec1 1.2 unwraps: OAEP with SHA-1 only.
_KNOWN_WRAPPINGS = {f"{_XENC[1:-1]}rsa-oaep-mgf1p", f"{_XENC[1:-1]}rsa-1_5"}


def confirm(document: bytes, keys: Sequence[KeyPair], recipients: Sequence[KeyPair] = ()) -> None:
    """Raises SignatureError unless the Response or its Assertion is signed, and every signature of theirs is by one of the
    keys. `recipients` decrypt an Assertion, whose own signature is looked at then."""
    root = etree.fromstring(document, etree.XMLParser(huge_tree=True, resolve_entities=False, no_network=True))
    signed = [each for each in (root, *root.findall(tag("saml:Assertion"))) if _is_signed(each)]
    for each in signed:
        _confirm_one(each, keys)
    holders = root.findall(tag("saml:EncryptedAssertion"))
    opened = [each for holder in holders for each in _opened(holder, recipients)]
    for each in filter(_is_signed, opened):
        _confirm_one(each, keys)
    if not signed and not any(map(_is_signed, opened)):
        raise SignatureError("neither the Response nor its Assertion is signed, as far as it can be read")


def _is_signed(element: etree._Element) -> bool:
    return element.find(tag("ds:Signature")) is not None


def _confirm_one(element: etree._Element, keys: Sequence[KeyPair]) -> None:
    problems = []
    for key in keys:
        try:
            return _confirm_with(element, key)
        except SignatureError as problem:
            problems.append(str(problem))
    raise SignatureError(f"no second opinion for {element.tag}: {problems}")


def _confirm_with(element: etree._Element, key: KeyPair) -> None:
    signature = element.find(tag("ds:Signature"))
    algorithm = at(signature, METHOD).get("Algorithm")
    if algorithm not in _PSS:
        return verify(element, key.certificate_pem)
    if key.is_ec or at(signature, REFERENCE).get("URI") != "#" + element.get("ID", ""):
        raise SignatureError(f"{algorithm} over another element, or by an EC key")
    digest = _PSS[algorithm]
    value = base64.b64decode(at(signature, "ds:SignatureValue").text)
    pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
    try:
        key.private.public_key().verify(value, signed_info_octets(signature), pss, digest)
    except InvalidSignature as problem:
        raise SignatureError(f"{algorithm} does not verify") from problem
    name = at(signature, f"{REFERENCE}/ds:DigestMethod").get("Algorithm", "").rpartition("#")[2]
    if base64.b64decode(at(signature, f"{REFERENCE}/ds:DigestValue").text) != base64.b64decode(digest_of(element, name)):
        raise SignatureError("the digest differs")


def _opened(holder: etree._Element, recipients: Sequence[KeyPair]) -> Iterator[etree._Element]:
    """The decrypted element, in a document of its own where its prefix means what it means at the holder."""
    if not recipients:
        return
    data = holder.find(_XENC + "EncryptedData")
    for wrapped in holder.iter(_XENC + "EncryptedKey"):
        for recipient in recipients:
            plain = _decrypted(data, wrapped, recipient)
            if plain is not None:
                yield _in_context(plain, holder)
                return
    raise SignatureError("the EncryptedAssertion does not decrypt")


def _decrypted(data: etree._Element, wrapped: etree._Element, recipient: KeyPair) -> bytes | None:
    method = wrapped.find(_XENC + "EncryptionMethod")
    is_known = method.get("Algorithm") in _KNOWN_WRAPPINGS and method.find(tag("ds:DigestMethod")) is None
    try:
        return _by_xmlsec(data, wrapped, recipient) if is_known else _by_cryptography(data, wrapped, recipient)
    except (xmlsec.Error, ValueError, InvalidTag):
        return None


def _by_xmlsec(data: etree._Element, wrapped: etree._Element, recipient: KeyPair) -> bytes:
    """With that key and no other, and without the hints that may stand beside it."""
    only = copy.deepcopy(data)
    for each in only.findall(tag("ds:KeyInfo")):
        only.remove(each)
    info = etree.Element(tag("ds:KeyInfo"))
    info.append(copy.deepcopy(wrapped))
    for each in info[0].findall(tag("ds:KeyInfo")):
        info[0].remove(each)
    only.insert(1, info)
    only.attrib.pop("Type", None)  # else xmlsec1 puts an element in place that is not XML by itself
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(recipient.key_pem, xmlsec.KeyFormat.PEM))
    return xmlsec.EncryptionContext(manager).decrypt(only)


def _by_cryptography(data: etree._Element, wrapped: etree._Element, recipient: KeyPair) -> bytes:
    method = wrapped.find(_XENC + "EncryptionMethod")
    digest, mask = (
        _hash_named(method.find(name)) for name in (tag("ds:DigestMethod"), "{http://www.w3.org/2009/xmlenc11#}MGF")
    )
    label = method.find(_XENC + "OAEPparams")
    oaep = padding.OAEP(padding.MGF1(mask), digest, None if label is None else base64.b64decode(label.text))
    secret = recipient.private.decrypt(_cipher_value(wrapped), oaep)
    assert data.find(_XENC + "EncryptionMethod").get("Algorithm").endswith("-gcm"), "only GCM is known here"
    ciphertext = _cipher_value(data)
    return AESGCM(secret).decrypt(ciphertext[:12], ciphertext[12:], None)


def _hash_named(element: etree._Element | None) -> hashes.HashAlgorithm:
    name = "sha1" if element is None else element.get("Algorithm").rpartition("#")[2].removeprefix("mgf1")
    return {"sha1": hashes.SHA1, "sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}[name]()


def _cipher_value(element: etree._Element) -> bytes:
    return base64.b64decode(element.findtext(f"{_XENC}CipherData/{_XENC}CipherValue"))


def _in_context(plain: bytes, holder: etree._Element) -> etree._Element:
    declared = "".join(f" xmlns:{prefix}={quoteattr(uri)}" for prefix, uri in holder.nsmap.items() if prefix)
    start = plain.index(b"?>") + 2 if plain.startswith(b"<?xml") else 0
    return etree.fromstring(f"<w{declared}>".encode() + plain[start:] + b"</w>")[0]
