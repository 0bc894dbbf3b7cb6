"""XML trees in the prefix styles that identity providers write."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from .saml_names import NAMESPACES, tag

STYLES = ("usual", "numbered", "default")


class XmlWriter:
    """Makes elements named `prefix:Local` in one style.

    `usual`: saml, samlp, ds, md prefixes; `numbered`: ns0, ns1, ... (pysaml2); `default`: each element
    declares its namespace as the default one where it changes (ADFS, samlp).
    """

    def __init__(self, style: str = "usual") -> None:
        assert style in STYLES, style
        self._style = style

    def element(
        self, name: str, attributes: Mapping[str, str | None] | None = None, text: str | None = None
    ) -> etree._Element:
        """A root element; attributes that are None are left out."""
        made = etree.Element(tag(name), nsmap=self._declared_at(name))
        return _fill(made, attributes, text)

    def child(
        self,
        parent: etree._Element,
        name: str,
        attributes: Mapping[str, str | None] | None = None,
        text: str | None = None,
    ) -> etree._Element:
        """A child element, appended."""
        made = etree.SubElement(parent, tag(name), nsmap=self._declared_at(name))
        return _fill(made, attributes, text)

    @property
    def signature_prefix(self) -> str | None:
        return {"usual": "ds", "numbered": "ns2", "default": None}[self._style]

    def _declared_at(self, name: str) -> dict[str | None, str]:
        prefix = name.partition(":")[0]
        if self._style == "usual":
            return {prefix: NAMESPACES[prefix]}
        if self._style == "default":
            return {None: NAMESPACES[prefix]}
        numbers = {"samlp": "ns0", "saml": "ns1", "ds": "ns2", "md": "ns0"}
        return {numbers.get(prefix, prefix): NAMESPACES[prefix]}


def _fill(made: etree._Element, attributes: Mapping[str, str | None] | None, text: str | None) -> etree._Element:
    for key, value in (attributes or {}).items():
        if value is not None:
            made.set(key, value)
    made.text = text
    return made
