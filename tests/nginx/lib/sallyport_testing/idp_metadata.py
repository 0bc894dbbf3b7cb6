"""Metadata documents of identity providers, in the variants that the field shows."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from lxml import etree

from . import saml_names as names
from .keys import KeyPair
from .xml_signature import sign
from .xml_writer import XmlWriter


@dataclass(frozen=True)
class MetadataKey:
    """A KeyDescriptor; `use` None leaves the attribute out."""

    key: KeyPair
    use: str | None = "signing"


def metadata_xml(
    entity_id: str,
    sso: Sequence[tuple[str, str]],
    keys: Sequence[MetadataKey],
    *,
    slo: Sequence[tuple[str, str]] = (),
    want_requests_signed: bool | None = None,
    name_id_formats: Sequence[str] = (names.EMAIL,),
    valid_until: datetime.datetime | str | None = None,
    cache_duration: str | None = None,
    style: str = "usual",
    indent: bool = True,
    declaration: bool = True,
    sign_with: KeyPair | None = None,
    role: str = "IDPSSODescriptor",
) -> bytes:
    """An EntityDescriptor; `sso` and `slo` are pairs of binding and location."""
    root = entity_descriptor(
        entity_id, sso, keys, slo=slo, want_requests_signed=want_requests_signed, name_id_formats=name_id_formats,
        style=style, role=role,
    )  # fmt: skip
    if valid_until is not None:
        root.set("validUntil", valid_until if isinstance(valid_until, str) else format_instant(valid_until))
    if cache_duration is not None:
        root.set("cacheDuration", cache_duration)
    return _finished(root, indent, declaration, sign_with)


def aggregate_xml(
    entities: Sequence[etree._Element], *, indent: bool = True, sign_with: KeyPair | None = None
) -> bytes:
    """An EntitiesDescriptor around these."""
    root = XmlWriter().element("md:EntitiesDescriptor", {"Name": "urn:example:federation"})
    root.extend(entities)
    return _finished(root, indent, True, sign_with)


def entity_descriptor(
    entity_id: str,
    sso: Sequence[tuple[str, str]],
    keys: Sequence[MetadataKey],
    *,
    slo: Sequence[tuple[str, str]] = (),
    want_requests_signed: bool | None = None,
    name_id_formats: Sequence[str] = (names.EMAIL,),
    style: str = "usual",
    role: str = "IDPSSODescriptor",
) -> etree._Element:
    """The EntityDescriptor element."""
    writer = XmlWriter(style)
    root = writer.element("md:EntityDescriptor", {"entityID": entity_id})
    wants = None if want_requests_signed is None else str(want_requests_signed).lower()
    descriptor = writer.child(
        root, f"md:{role}", {"protocolSupportEnumeration": names.SAMLP, "WantAuthnRequestsSigned": wants}
    )
    for each in keys:
        holder = writer.child(descriptor, "md:KeyDescriptor", {"use": each.use})
        info = writer.child(holder, "ds:KeyInfo")
        data = writer.child(info, "ds:X509Data")
        writer.child(data, "ds:X509Certificate", text=_folded(each.key.certificate_base64))
    for binding, location in slo:
        writer.child(descriptor, "md:SingleLogoutService", {"Binding": binding, "Location": location})
    for name_id_format in name_id_formats:
        writer.child(descriptor, "md:NameIDFormat", text=name_id_format)
    for binding, location in sso:
        writer.child(descriptor, "md:SingleSignOnService", {"Binding": binding, "Location": location})
    return root


def format_instant(instant: datetime.datetime) -> str:
    """A UTC instant as SAML writes it."""
    return instant.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def _folded(text: str) -> str:
    return "\n" + "\n".join(text[start : start + 64] for start in range(0, len(text), 64)) + "\n"


def _finished(root: etree._Element, indent: bool, declaration: bool, sign_with: KeyPair | None) -> bytes:
    if indent:
        etree.indent(root)
    if sign_with is not None:
        root.set("ID", "_metadata")
        sign(root, sign_with)
    return etree.tostring(root, xml_declaration=declaration, encoding="UTF-8")
