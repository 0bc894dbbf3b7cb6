"""Mutations of a message's tree for `mutate_before_sign` and `mutate_after_sign`.

A path is that of `saml_names`: "saml:Assertion/saml:Subject"; empty is the Response itself.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

from lxml import etree

from .saml_names import DS, SAML, SAMLP, XS, XSI, tag

Edit = Callable[[etree._Element], None]

_DECLARATIONS = f'xmlns:saml="{SAML}" xmlns:samlp="{SAMLP}" xmlns:ds="{DS}" xmlns:xs="{XS}" xmlns:xsi="{XSI}"'


def at(root: etree._Element, path: str) -> etree._Element:
    """The element at a path; an error when it is not there."""
    if not path:
        return root
    found = root.find("/".join(tag(name) for name in path.split("/")))
    assert found is not None, f"the message has no {path}"
    return found


def fragment(xml: str) -> etree._Element:
    """An element from text, with the usual prefixes declared around it."""
    return etree.fromstring(f"<x {_DECLARATIONS}>{xml}</x>")[0]


def edits(*all_of_them: Edit) -> Edit:
    """One edit after the other."""

    def apply(root: etree._Element) -> None:
        for each in all_of_them:
            each(root)

    return apply


def attribute(path: str, name: str, value: str | None) -> Edit:
    """Set an attribute, or remove it (None)."""

    def apply(root: etree._Element) -> None:
        element = at(root, path)
        if value is None:
            element.attrib.pop(name, None)
        else:
            element.set(name, value)

    return apply


def text(path: str, value: str) -> Edit:
    """Replace an element's text."""

    def apply(root: etree._Element) -> None:
        at(root, path).text = value

    return apply


def removed(path: str) -> Edit:
    """Remove an element."""

    def apply(root: etree._Element) -> None:
        element = at(root, path)
        element.getparent().remove(element)

    return apply


def doubled(path: str) -> Edit:
    """Put a copy right behind an element."""

    def apply(root: etree._Element) -> None:
        element = at(root, path)
        element.addnext(copy.deepcopy(element))

    return apply


def added(path: str, xml: str, place: int = -1) -> Edit:
    """Put an element into another one, at the end or at a place among its children."""

    def apply(root: etree._Element) -> None:
        parent = at(root, path)
        parent.insert(len(parent) if place < 0 else place, fragment(xml))

    return apply


def behind(path: str, xml: str) -> Edit:
    """Put an element right behind another one."""

    def apply(root: etree._Element) -> None:
        at(root, path).addnext(fragment(xml))

    return apply


def renamed(path: str, name: str) -> Edit:
    """Give an element another name, `{namespace}local`."""

    def apply(root: etree._Element) -> None:
        at(root, path).tag = name

    return apply
