"""Signatures made step by step, so that a Signature of any shape holds a value that verifies."""

from __future__ import annotations

import base64
from collections.abc import Callable

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from .keys import KeyPair
from .message_parts import digest_of
from .saml_names import DS, EXCLUSIVE_C14N, INCLUSIVE_C14N, RSA_SHA256, SHA256, tag
from .tree_edits import Edit, at, fragment

SIGNED_INFO = "ds:SignedInfo"
METHOD = "ds:SignedInfo/ds:SignatureMethod"
REFERENCE = "ds:SignedInfo/ds:Reference"
TRANSFORMS = "ds:SignedInfo/ds:Reference/ds:Transforms"

SignOctets = Callable[[bytes], bytes]


class Place(str):
    """The path of the element whose signature is tried. `beside` is that of the other one, if it is signed too: as it should
    be, by `key`."""

    beside: str | None
    key: KeyPair | None

    def __new__(cls, path: str, beside: str | None = None, key: KeyPair | None = None) -> "Place":
        place = super().__new__(cls, path)
        place.beside, place.key = beside, key
        return place


# Alone, inside of a Response that is well signed, around an Assertion that is.
PLACES = {"assertion": ("saml:Assertion", None), "response": ("", None), "inner": ("saml:Assertion", ""),
          "outer": ("", "saml:Assertion")}  # fmt: skip


def place(name: str, key: KeyPair) -> Place:
    """One of PLACES; `key` signs what is not tried."""
    return Place(*PLACES[name], key)


def hand_signed(
    path: str, key: KeyPair, edit: Edit | None = None, after: Edit | None = None, value: SignOctets | None = None
) -> Edit:
    """Signs the element at a path: RSA-SHA256 over exclusive canonical forms.

    `edit` changes the Signature when its digest is there and its value is not yet, `after` when all is
    done; both see the Signature as the root. `value` makes another SignatureValue of SignedInfo's octets. A `Place` as
    path has the other element signed too, the inner one first.
    """
    beside, good_key = (path.beside, path.key) if isinstance(path, Place) else (None, None)

    def apply(root: etree._Element) -> None:
        if beside:
            hand_signed(beside, good_key)(root)
        sign_there(root)
        if beside == "":
            hand_signed(beside, good_key)(root)

    def sign_there(root: etree._Element) -> None:
        element = at(root, path)
        signature = _template(element)
        element.insert(1, signature)
        if edit is not None:
            edit(signature)
        octets = signed_info_octets(signature)
        make = value or (lambda text: key.private.sign(text, padding.PKCS1v15(), hashes.SHA256()))
        made = base64.b64encode(make(octets)).decode()
        for each in signature.findall(tag("ds:SignatureValue")):
            each.text = made
        if after is not None:
            after(signature)

    return apply


def signed_info_octets(signature: etree._Element) -> bytes:
    """The canonical form of the (first) SignedInfo, by its own method where lxml knows it."""
    info = next(signature.iter(tag("ds:SignedInfo")), None)
    if info is None:
        return b""
    method = info.find(tag("ds:CanonicalizationMethod"))
    name = EXCLUSIVE_C14N if method is None else method.get("Algorithm", "")
    inclusive = name.startswith(INCLUSIVE_C14N)
    return etree.tostring(info, method="c14n", exclusive=not inclusive, with_comments=name.endswith("WithComments"))


def reference_xml(uri: str | None, digest: str, transforms: str = "") -> str:
    """A Reference as text; the usual transforms unless told otherwise."""
    usual = transform_xml(f"{DS}enveloped-signature") + transform_xml(EXCLUSIVE_C14N)
    shown = "" if uri is None else f' URI="{uri}"'
    return (
        f"<ds:Reference{shown}><ds:Transforms>{transforms or usual}</ds:Transforms>"
        f'<ds:DigestMethod Algorithm="{SHA256}"/><ds:DigestValue>{digest}</ds:DigestValue></ds:Reference>'
    )


def transform_xml(algorithm: str, inside: str = "") -> str:
    return f'<ds:Transform Algorithm="{algorithm}">{inside}</ds:Transform>'


def _template(element: etree._Element) -> etree._Element:
    return fragment(
        f'<ds:Signature><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="{EXCLUSIVE_C14N}"/>'
        f'<ds:SignatureMethod Algorithm="{RSA_SHA256}"/>'
        f"{reference_xml('#' + element.get('ID', ''), digest_of(element))}"
        "</ds:SignedInfo><ds:SignatureValue/></ds:Signature>"
    )
