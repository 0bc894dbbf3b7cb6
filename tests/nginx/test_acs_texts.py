"""What may hide inside of texts: comments, instructions, elements; attributes of XML itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree

from sallyport_testing.browser import Browser
from sallyport_testing.echoed import EchoedRequest
from sallyport_testing.keys import KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import XSI, tag
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import at, attribute, fragment
from sallyport_testing.xml_signature import verify_with_command

SIGNS = ("assertion", "response", "both")
ASSERTION = "saml:Assertion"
NAME_ID = f"{ASSERTION}/saml:Subject/saml:NameID"
VALUE = f"{ASSERTION}/saml:AttributeStatement/saml:Attribute/saml:AttributeValue"
# Every element whose text we read.
TEXTS = {
    "NameID": NAME_ID,
    "Issuer": f"{ASSERTION}/saml:Issuer",
    "Issuer_of_Response": "saml:Issuer",
    "Audience": f"{ASSERTION}/saml:Conditions/saml:AudienceRestriction/saml:Audience",
    "AuthnContextClassRef": f"{ASSERTION}/saml:AuthnStatement/saml:AuthnContext/saml:AuthnContextClassRef",
    "AttributeValue": VALUE,
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    with running_site(tmp_path_factory.mktemp("texts"), keys) as running:
        yield running


@pytest.fixture(scope="module")
def pending(site: SamlSite) -> Iterator[PendingAttempt]:
    with PendingAttempt(site) as attempt:
        yield attempt


def split_by(node: etree._Element, element: etree._Element, where: str) -> None:
    """Put a comment or an instruction into an element's text."""
    text = element.text or ""
    place = {"first": 0, "inside": len(text) // 2, "last": len(text)}[where]
    element.text, node.tail = text[:place], text[place:]
    element.insert(0, node)


def node_of(kind: str) -> etree._Element:
    return {
        "empty_comment": etree.Comment(""),
        "comment": etree.Comment("admin@evil.example.com"),
        "instruction": etree.ProcessingInstruction("p", "not-an-admin@evil.example.com"),
        "empty_instruction": etree.ProcessingInstruction("p"),
    }[kind]


def places() -> list[object]:
    return [
        pytest.param(text, kind, id=f"{'NAMEID-COMMENT' if 'comment' in kind else 'NAMEID-PI'}-{text}-{kind}")
        for text in TEXTS
        for kind in ("empty_comment", "comment", "instruction", "empty_instruction")
    ]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(("text", "kind"), places())
def test_text_in_two_parts(pending: PendingAttempt, text: str, kind: str, sign: str) -> None:
    """CVE-2017-11427 and its relatives: put in after signing, and signed with it inside."""
    for where in ("first", "inside", "last"):
        for when in ("mutate_after_sign", "mutate_before_sign"):
            change = {when: lambda root, where=where: split_by(node_of(kind), at(root, TEXTS[text]), where)}
            assert pending.refuse(sign=sign, **change) == "xml_forbidden", (where, when)


@pytest.mark.parametrize("where", ["first", "inside", "last"])
def test_nameid_comment_is_real(pending: PendingAttempt, where: str) -> None:
    """Whoever only asks xmlsec1 whether the signature holds is told that all is well."""
    message = pending.site.idp.answer(
        pending.request, sign="both",
        mutate_after_sign=lambda root: split_by(node_of("comment"), at(root, NAME_ID), where),
    )  # fmt: skip
    verify_with_command(message.xml, pending.site.idp.key.certificate_file)


CHILDREN = {
    "foreign": '<x xmlns="urn:x">admin</x>',
    "empty": '<x xmlns="urn:x"/>',
    "same": "<saml:NameID>admin</saml:NameID>",
    "issuer": "<saml:Issuer>https://idp.example.com/metadata</saml:Issuer>",
    "signature_name": '<SignatureValue xmlns="urn:x"/>',
}


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("child", CHILDREN)
@pytest.mark.parametrize("text", [name for name in TEXTS if name != "AttributeValue"])
def test_nameid_child(pending: PendingAttempt, text: str, child: str, sign: str) -> None:
    """Validly signed: an element before, behind and instead of the text."""
    for where in ("before", "behind", "instead"):

        def put(root: etree._Element, where: str = where) -> None:
            element, made = at(root, TEXTS[text]), fragment(CHILDREN[child])
            if where == "before":
                made.tail, element.text = element.text, None
            elif where == "instead":
                made.text, element.text = element.text, None
            element.append(made)

        assert pending.refuse(sign=sign, mutate_before_sign=put) == "structure_invalid", where


def identity(echo: EchoedRequest) -> list[tuple[str, str]]:
    return [pair for pair in echo.headers if pair[0].startswith("X-SSO-")]


@pytest.mark.parametrize("child", CHILDREN)
def test_nameid_child_of_a_value_is_skipped(site: SamlSite, child: str) -> None:
    """Values may be of any type (eduPersonTargetedID holds a NameID): one that is no text is none."""

    def with_children(*values: str) -> list[tuple[str, str]]:
        def put(root: etree._Element) -> None:
            parent = at(root, f"{ASSERTION}/saml:AttributeStatement/saml:Attribute")
            for text in values:
                etree.SubElement(parent, tag("saml:AttributeValue")).append(fragment(text))

        attributes = [Attribute("groups", ["users"]), Attribute("email", ["student@example.com"])]
        return identity(site.login(Browser(), attributes=attributes, mutate_before_sign=put).echo())

    assert with_children(CHILDREN[child], CHILDREN[child]) == with_children()


# Attributes of XML itself and of schemas: they never change who it is

XML = "{http://www.w3.org/XML/1998/namespace}"
HARMLESS = {
    "XML-BASE-lang": (f"{XML}lang", "en"),
    "XML-BASE-nil": (f"{{{XSI}}}nil", "true"),
    "XML-BASE-not_nil": (f"{{{XSI}}}nil", "false"),
    "XML-BASE-type_string": (f"{{{XSI}}}type", "xs:string"),
    "XML-BASE-type_integer": (f"{{{XSI}}}type", "xs:integer"),
    "XML-BASE-type_of_assertion": (f"{{{XSI}}}type", "saml:AssertionType"),
    "XML-BASE-type_of_no_namespace": (f"{{{XSI}}}type", "nosuch:x"),
    "XML-XXE-schema_location": (f"{{{XSI}}}schemaLocation", "urn:x http://{listener}/x.xsd"),
    "XML-XXE-schema_location_of_none": (f"{{{XSI}}}noNamespaceSchemaLocation", "http://{listener}/x.xsd"),
    "XML-XXE-schema_file": (f"{{{XSI}}}schemaLocation", "urn:oasis:names:tc:SAML:2.0:assertion file:///etc/passwd"),
}


@pytest.mark.parametrize("path", ["", ASSERTION, NAME_ID, VALUE], ids=["Response", "Assertion", "NameID", "Value"])
@pytest.mark.parametrize("name", HARMLESS)
def test_attributes_that_mean_nothing_to_us(site: SamlSite, name: str, path: str) -> None:
    key, value = HARMLESS[name]
    value = value.format(listener=site.upstream.address)
    honest = identity(site.login(Browser(), sign="both").echo())
    changed = identity(site.login(Browser(), sign="both", mutate_before_sign=attribute(path, key, value)).echo())
    assert changed == honest
    assert not [each for each in site.upstream.requests if each.uri == "/x.xsd"], "it was fetched"
