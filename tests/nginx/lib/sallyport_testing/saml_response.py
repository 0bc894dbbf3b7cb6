"""SAML Responses from a dataclass of fields: every part can be changed, removed, or mutated in the tree.

A field that is None leaves its attribute or element out. Instants are datetimes, or text that is
written as it stands.
"""

from __future__ import annotations

import base64
import datetime
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from lxml import etree

from . import saml_names as names
from .idp_metadata import format_instant
from .keys import KeyPair
from .saml_names import tag
from .xml_signature import sign
from .xml_writer import XmlWriter

Instant = datetime.datetime | str | None
Mutation = Callable[[etree._Element], etree._Element | None]


def now(seconds: float = 0) -> datetime.datetime:
    """The present, moved by some seconds."""
    return datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(seconds=seconds)


def new_id() -> str:
    """A fresh XML ID."""
    return "_" + secrets.token_hex(20)


@dataclass(frozen=True)
class Attribute:
    """An attribute and its values; a value that is an element is put in as it is."""

    name: str
    values: Sequence[str | etree._Element]
    name_format: str | None = names.BASIC
    friendly_name: str | None = None
    value_type: str | None = "xs:string"


def nil_value() -> etree._Element:
    """A value that says of itself that it is none (XML Schema)."""
    value = etree.Element(tag("saml:AttributeValue"), nsmap={"saml": names.SAML, "xsi": names.XSI})
    value.set(tag("xsi:nil"), "true")
    return value


@dataclass(frozen=True)
class Confirmation:
    """A SubjectConfirmation; `data` False leaves its SubjectConfirmationData out."""

    method: str | None = names.BEARER
    recipient: str | None = None
    in_response_to: str | None = None
    not_on_or_after: Instant = None
    not_before: Instant = None
    address: str | None = None
    data: bool = True


@dataclass(frozen=True)
class ResponseFields:
    """All that goes into a Response with one Assertion."""

    # Response
    response_id: str | None = field(default_factory=new_id)
    response_version: str | None = "2.0"
    response_instant: Instant = field(default_factory=now)
    destination: str | None = None
    response_in_response_to: str | None = None
    response_issuer: str | None = None
    response_issuer_format: str | None = None
    status: Sequence[str] | None = (names.SUCCESS,)
    status_message: str | None = None
    with_assertion: bool = True

    # Assertion
    assertion_id: str | None = field(default_factory=new_id)
    assertion_version: str | None = "2.0"
    assertion_instant: Instant = field(default_factory=now)
    issuer: str | None = None
    issuer_format: str | None = None

    # Subject
    with_subject: bool = True
    name_id: str | None = "student@example.com"
    name_id_format: str | None = names.EMAIL
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None
    confirmation_method: str | None = names.BEARER
    recipient: str | None = None
    in_response_to: str | None = None
    confirmation_not_on_or_after: Instant = field(default_factory=lambda: now(300))
    confirmation_not_before: Instant = None
    address: str | None = None
    confirmations: Sequence[Confirmation] | None = None  # instead of the six fields above

    # Conditions
    with_conditions: bool = True
    not_before: Instant = field(default_factory=lambda: now(-30))
    not_on_or_after: Instant = field(default_factory=lambda: now(300))
    audiences: Sequence[str] | None = ()
    more_audience_restrictions: Sequence[Sequence[str]] = ()
    one_time_use: bool = False

    # Statements
    with_authn_statement: bool = True
    authn_instant: Instant = field(default_factory=now)
    session_index: str | None = field(default_factory=new_id)
    session_not_on_or_after: Instant = None
    authn_context: str | None = names.PASSWORD_TRANSPORT
    attributes: Sequence[Attribute] = ()

    # Form and signature
    style: str = "usual"
    indent: bool = False
    declaration: bool = False
    sign: str = "assertion"  # "assertion", "response", "both" or "none"
    key: KeyPair | None = None
    signature_algorithm: str | None = None  # None: by the kind of key
    digest_algorithm: str = names.SHA256
    c14n: str = names.EXCLUSIVE_C14N
    certificate: KeyPair | None | bool = True

    # Hooks, in this order; a mutation may change the tree it is given or return another
    mutate_before_sign: Mutation | None = None
    mutate_after_sign: Mutation | None = None
    mutate_bytes: Callable[[bytes], bytes] | None = None

    def but(self, **changes: object) -> "ResponseFields":
        """The same with some fields changed; an unknown name is an error."""
        return replace(self, **changes)


@dataclass(frozen=True)
class SamlResponse:
    """A finished message and how it is posted."""

    xml: bytes
    acs_url: str
    relay_state: str | None = None
    signer: KeyPair | None = None

    @property
    def form(self) -> dict[str, str]:
        """The fields of the POST."""
        fields = {"SAMLResponse": base64.b64encode(self.xml).decode()}
        if self.relay_state is not None:
            fields["RelayState"] = self.relay_state
        return fields

    @property
    def tree(self) -> etree._Element:
        return etree.fromstring(self.xml)


def build(fields: ResponseFields) -> bytes:
    """The message: built, mutated, signed, mutated, serialized, mutated."""
    root = unsigned_tree(fields)
    root = _mutated(root, fields.mutate_before_sign)
    sign_tree(root, fields)
    root = _mutated(root, fields.mutate_after_sign)
    data = etree.tostring(root, xml_declaration=fields.declaration, encoding="UTF-8")
    return fields.mutate_bytes(data) if fields.mutate_bytes else data


def unsigned_tree(fields: ResponseFields) -> etree._Element:
    """The Response element without any signature."""
    writer = XmlWriter(fields.style)
    root = writer.element(
        "samlp:Response",
        {
            "ID": fields.response_id,
            "Version": fields.response_version,
            "IssueInstant": _instant(fields.response_instant),
            "Destination": fields.destination,
            "InResponseTo": fields.response_in_response_to,
        },
    )
    if fields.response_issuer is not None:
        writer.child(root, "saml:Issuer", {"Format": fields.response_issuer_format}, fields.response_issuer)
    if fields.status is not None:
        _add_status(writer, root, fields)
    if fields.with_assertion:
        root.append(assertion_tree(fields))
    if fields.indent:
        etree.indent(root)
    return root


def assertion_tree(fields: ResponseFields) -> etree._Element:
    """An Assertion element by itself, without a signature."""
    writer = XmlWriter(fields.style)
    assertion = writer.element(
        "saml:Assertion",
        {
            "ID": fields.assertion_id,
            "Version": fields.assertion_version,
            "IssueInstant": _instant(fields.assertion_instant),
        },
    )
    if fields.issuer is not None:
        writer.child(assertion, "saml:Issuer", {"Format": fields.issuer_format}, fields.issuer)
    if fields.with_subject:
        _add_subject(writer, assertion, fields)
    if fields.with_conditions:
        _add_conditions(writer, assertion, fields)
    if fields.with_authn_statement:
        _add_authn_statement(writer, assertion, fields)
    if fields.attributes:
        _add_attributes(writer, assertion, fields)
    return assertion


def sign_tree(root: etree._Element, fields: ResponseFields) -> None:
    """Sign the first Assertion and/or the Response, as `fields.sign` says; the Assertion comes first."""
    assert fields.sign in ("assertion", "response", "both", "none"), fields.sign
    targets = []
    if fields.sign in ("assertion", "both") and (assertion := root.find(tag("saml:Assertion"))) is not None:
        targets.append(assertion)
    if fields.sign in ("response", "both"):
        targets.append(root)
    for target in targets:
        assert fields.key is not None, "no key to sign with"
        sign(
            target,
            fields.key,
            algorithm=fields.signature_algorithm,
            digest=fields.digest_algorithm,
            c14n=fields.c14n,
            prefix=XmlWriter(fields.style).signature_prefix,
            certificate=fields.certificate,
        )


def _mutated(root: etree._Element, mutation: Mutation | None) -> etree._Element:
    if mutation is None:
        return root
    other = mutation(root)
    return root if other is None else other


def _instant(value: Instant) -> str | None:
    return format_instant(value) if isinstance(value, datetime.datetime) else value


def _add_status(writer: XmlWriter, root: etree._Element, fields: ResponseFields) -> None:
    status = parent = writer.child(root, "samlp:Status")
    for code in fields.status or ():
        parent = writer.child(parent, "samlp:StatusCode", {"Value": code})
    if fields.status_message is not None:
        writer.child(status, "samlp:StatusMessage", text=fields.status_message)


def _add_subject(writer: XmlWriter, assertion: etree._Element, fields: ResponseFields) -> None:
    subject = writer.child(assertion, "saml:Subject")
    if fields.name_id is not None:
        qualifiers = {
            "Format": fields.name_id_format,
            "NameQualifier": fields.name_qualifier,
            "SPNameQualifier": fields.sp_name_qualifier,
        }
        writer.child(subject, "saml:NameID", qualifiers, fields.name_id)
    confirmations = fields.confirmations
    if confirmations is None:
        confirmations = [
            Confirmation(
                fields.confirmation_method,
                fields.recipient,
                fields.in_response_to,
                fields.confirmation_not_on_or_after,
                fields.confirmation_not_before,
                fields.address,
            )
        ]
    for each in confirmations:
        made = writer.child(subject, "saml:SubjectConfirmation", {"Method": each.method})
        if each.data:
            writer.child(
                made,
                "saml:SubjectConfirmationData",
                {
                    "NotBefore": _instant(each.not_before),
                    "NotOnOrAfter": _instant(each.not_on_or_after),
                    "Recipient": each.recipient,
                    "InResponseTo": each.in_response_to,
                    "Address": each.address,
                },
            )


def _add_conditions(writer: XmlWriter, assertion: etree._Element, fields: ResponseFields) -> None:
    times = {"NotBefore": _instant(fields.not_before), "NotOnOrAfter": _instant(fields.not_on_or_after)}
    conditions = writer.child(assertion, "saml:Conditions", times)
    restrictions = [] if fields.audiences is None else [fields.audiences]
    for audiences in [*restrictions, *fields.more_audience_restrictions]:
        restriction = writer.child(conditions, "saml:AudienceRestriction")
        for audience in audiences:
            writer.child(restriction, "saml:Audience", text=audience)
    if fields.one_time_use:
        writer.child(conditions, "saml:OneTimeUse")


def _add_authn_statement(writer: XmlWriter, assertion: etree._Element, fields: ResponseFields) -> None:
    statement = writer.child(
        assertion,
        "saml:AuthnStatement",
        {
            "AuthnInstant": _instant(fields.authn_instant),
            "SessionIndex": fields.session_index,
            "SessionNotOnOrAfter": _instant(fields.session_not_on_or_after),
        },
    )
    context = writer.child(statement, "saml:AuthnContext")
    if fields.authn_context is not None:
        writer.child(context, "saml:AuthnContextClassRef", text=fields.authn_context)


def _add_attributes(writer: XmlWriter, assertion: etree._Element, fields: ResponseFields) -> None:
    statement = writer.child(assertion, "saml:AttributeStatement")
    for each in fields.attributes:
        made = writer.child(
            statement,
            "saml:Attribute",
            {"Name": each.name, "NameFormat": each.name_format, "FriendlyName": each.friendly_name},
        )
        for value in each.values:
            if isinstance(value, etree._Element):
                made.append(value)
            else:
                made.append(_attribute_value(writer, value, each.value_type))


def _attribute_value(writer: XmlWriter, value: str, value_type: str | None) -> etree._Element:
    holder = etree.Element(
        tag("saml:AttributeValue"),
        nsmap={**writer.element("saml:AttributeValue").nsmap, **(
            {"xs": names.XS, "xsi": names.XSI} if value_type else {}
        )},
    )  # fmt: skip
    if value_type:
        holder.set(tag("xsi:type"), value_type)
    holder.text = value
    return holder
