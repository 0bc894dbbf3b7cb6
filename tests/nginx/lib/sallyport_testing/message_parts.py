"""Parts of a genuinely signed message, to be put together in other ways."""

from __future__ import annotations

import base64
import copy
import hashlib

from lxml import etree

from .saml_names import tag
from .saml_response import new_id

ADMIN = "admin@evil.example.com"


class Genuine:
    """A good Response; every method gives copies."""

    def __init__(self, root: etree._Element) -> None:
        self._root = root

    def response(self) -> etree._Element:
        return copy.deepcopy(self._root)

    def assertion(self) -> etree._Element:
        return copy.deepcopy(self._root.find(tag("saml:Assertion")))

    def signature(self) -> etree._Element:
        """The Assertion's signature, or the Response's when only that is signed."""
        found = self._root.find(f"{tag('saml:Assertion')}/{tag('ds:Signature')}")
        return copy.deepcopy(self._root.find(tag("ds:Signature")) if found is None else found)

    def response_signature(self) -> etree._Element:
        """The Response's signature, or the Assertion's when only that is signed."""
        found = self._root.find(tag("ds:Signature"))
        return self.signature() if found is None else copy.deepcopy(found)

    def bare_response(self) -> etree._Element:
        return without_signature(self.response())

    def bare_assertion(self) -> etree._Element:
        return without_signature(self.assertion())

    def forged_assertion(self, *, same_id: bool = False, signature: bool = False) -> etree._Element:
        """A copy for another user, with another ID unless told otherwise, with or without a signature."""
        forged = self.bare_assertion()
        forged.find(f"{tag('saml:Subject')}/{tag('saml:NameID')}").text = ADMIN
        if not same_id:
            forged.set("ID", new_id())
        if signature:
            forged.insert(1, self.signature())
        return forged

    def empty_response(self, *, signature: bool = False) -> etree._Element:
        """A Response without an Assertion, with another ID."""
        response = self.bare_response()
        response.remove(response.find(tag("saml:Assertion")))
        response.set("ID", new_id())
        if signature:
            response.insert(1, self.response_signature())
        return response

    def forged_response(self, *, signature: bool = False) -> etree._Element:
        response = self.empty_response(signature=signature)
        response.append(self.forged_assertion())
        return response

    def response_around(self, *children: etree._Element) -> etree._Element:
        """A Response as received (with its signature, when it has one) around other children."""
        response = self.response()
        response.remove(response.find(tag("saml:Assertion")))
        response.extend(children)
        return response


def without_signature(element: etree._Element) -> etree._Element:
    for each in element.findall(tag("ds:Signature")):
        element.remove(each)
    return element


def digest_of(element: etree._Element, digest: str = "sha256") -> str:
    """What DigestValue holds for an element that is signed as usual."""
    bare = without_signature(etree.fromstring(etree.tostring(element, method="c14n", exclusive=True)))
    octets = etree.tostring(bare, method="c14n", exclusive=True)
    return base64.b64encode(hashlib.new(digest, octets).digest()).decode()


def wrapped(name: str, *children: etree._Element) -> etree._Element:
    """An element around others."""
    holder = etree.Element(name)
    holder.extend(children)
    return holder


def add_extensions(response: etree._Element, *children: etree._Element) -> etree._Element:
    """Put `samlp:Extensions` in its place in a Response."""
    status = response.find(tag("samlp:Status"))
    status.addprevious(wrapped(tag("samlp:Extensions"), *children))
    return response


def put_in(parent: etree._Element, path: str, child: etree._Element) -> etree._Element:
    """Append a child to the element at a path, made where it is missing."""
    for name in path.split("/"):
        found = parent.find(tag(name))
        parent = etree.SubElement(parent, tag(name)) if found is None else found
    parent.append(child)
    return parent
