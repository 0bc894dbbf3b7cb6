"""Where signatures stand, how many there are, and canonical forms that come to nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import pytest
from lxml import etree

from sallyport_testing.browser import Browser
from sallyport_testing.hand_signature import hand_signed
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.message_parts import ADMIN, add_extensions, digest_of, put_in, wrapped
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import SAML, tag
from sallyport_testing.tree_edits import at
from sallyport_testing.xml_signature import SignatureError, verify
from sallyport_testing.xml_signature import sign as sign_element

EMPTY_DIGEST = base64.b64encode(hashlib.sha256(b"").digest()).decode()


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[PendingAttempt]:
    with running_site(tmp_path_factory.mktemp("places"), keys) as site, PendingAttempt(site) as attempt:
        yield attempt


def put_first(path: str, root: etree._Element, signature: etree._Element) -> None:
    at(root, path).insert(0, signature)


def put_last(path: str, root: etree._Element, signature: etree._Element) -> None:
    at(root, path).append(signature)


PLACES = {
    "before_issuer": lambda root, signature: put_first("saml:Assertion", root, signature),
    "end_of_assertion": lambda root, signature: put_last("saml:Assertion", root, signature),
    "behind_subject": lambda root, signature: at(root, "saml:Assertion/saml:Subject").addnext(signature),
    "issuer": lambda root, signature: put_last("saml:Assertion/saml:Issuer", root, signature),
    "subject": lambda root, signature: put_first("saml:Assertion/saml:Subject", root, signature),
    "name_id": lambda root, signature: put_last("saml:Assertion/saml:Subject/saml:NameID", root, signature),
    "confirmation_data": lambda root, signature: put_last(
        "saml:Assertion/saml:Subject/saml:SubjectConfirmation/saml:SubjectConfirmationData", root, signature
    ),
    "conditions": lambda root, signature: put_last("saml:Assertion/saml:Conditions", root, signature),
    "attribute_value": lambda root, signature: put_last(
        "saml:Assertion/saml:AttributeStatement/saml:Attribute/saml:AttributeValue", root, signature
    ),
    "advice": lambda root, signature: at(root, "saml:Assertion/saml:Conditions").addnext(
        wrapped(tag("saml:Advice"), signature)
    ),
    "extensions": lambda root, signature: add_extensions(root, signature),
    "status_detail": lambda root, signature: put_in(root, "samlp:Status/samlp:StatusDetail", signature),
    "end_of_response": lambda root, signature: root.append(signature),
    "start_of_response": lambda root, signature: root.insert(0, signature),
    "foreign": lambda root, signature: at(root, "saml:Assertion").append(wrapped("{urn:x}x", signature)),
    "object": lambda root, signature: root.append(wrapped(tag("ds:Object"), signature)),
}


# Elements of the Response that it does not have.
NO_PLACE = {"end_of_response", "start_of_response", "object"}


def reason_at(place: str) -> str:
    return "structure_invalid" if place in NO_PLACE else "signature_malformed"


@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize("place", PLACES)
def test_sig_position(pending: PendingAttempt, place: str, sign: str) -> None:
    """The genuine signature, moved."""

    def move(root: etree._Element) -> None:
        signature = next(root.iter(tag("ds:Signature")))
        signature.getparent().remove(signature)
        PLACES[place](root, signature)

    assert pending.refuse(sign=sign, mutate_after_sign=move) == reason_at(place)


@pytest.mark.parametrize("place", PLACES)
def test_sig_multi_somewhere(pending: PendingAttempt, place: str) -> None:
    """A second signature somewhere beside the good one, inside what is signed."""

    def add(root: etree._Element) -> None:
        PLACES[place](root, wrapped(tag("ds:Signature")))

    assert pending.refuse(sign="both", mutate_before_sign=add) == reason_at(place)


@pytest.mark.parametrize("path", ["", "saml:Assertion"], ids=["response", "assertion"])
@pytest.mark.parametrize("order", ["good_first", "bad_first", "both_good", "three"])
def test_sig_multi(pending: PendingAttempt, keys: KeyStore, order: str, path: str) -> None:
    """Each refers to the same element; one by the IdP and one by the attacker."""
    good, bad = pending.site.idp.key, keys.get("attacker")
    signers = {
        "good_first": [bad, good], "bad_first": [good, bad], "both_good": [good, good], "three": [good] * 3,
    }[order]  # fmt: skip

    def sign_all(root: etree._Element) -> None:
        element = at(root, path)
        signatures = []
        for key in signers:
            signature = sign_element(element, key)
            element.remove(signature)
            signatures.append(signature)
        for each in signatures:
            element.insert(1, each)

    reason = "signature_malformed" if path else "structure_invalid"
    assert pending.refuse(sign="none", mutate_before_sign=sign_all) == reason


def with_empty_digest(path: str, pending: PendingAttempt, name: str) -> dict[str, object]:
    """A SignedInfo, signed by the IdP, over a canonical form of zero bytes, and a trigger for it."""

    def empty(signature: etree._Element) -> None:
        at(signature, "ds:SignedInfo/ds:Reference/ds:DigestValue").text = EMPTY_DIGEST

    def forge(root: etree._Element) -> None:
        hand_signed(path, pending.site.idp.key, empty)(root)
        at(root, "saml:Assertion/saml:Subject/saml:NameID").text = ADMIN

    target = {
        "response": b"<samlp:Response ", "assertion": b"<saml:Assertion ", "signature": b"<ds:Signature ",
        "signed_info": b"<ds:SignedInfo", "subject": b"<saml:Subject",
    }[name]  # fmt: skip

    def trigger(data: bytes) -> bytes:
        assert target in data
        return data.replace(target, target.rstrip() + b' xmlns:x="1" ', 1)

    return {"sign": "none", "mutate_before_sign": forge, "mutate_bytes": trigger}


@pytest.mark.parametrize("path", ["", "saml:Assertion"], ids=["response_signed", "assertion_signed"])
@pytest.mark.parametrize("name", ["response", "assertion", "signature", "signed_info", "subject"])
def test_c14n_void(pending: PendingAttempt, name: str, path: str) -> None:
    """CVE-2025-66475: a relative namespace name makes canonicalization fail."""
    assert pending.refuse(**with_empty_digest(path, pending, name)) == "xml_forbidden"


@pytest.mark.parametrize("uri", ["1", "rel", "../x", "?q", "#f", "//host/x", "%41:b", "é:x"])
def test_c14n_void_c14n_partial_by_relative_namespaces(pending: PendingAttempt, uri: str) -> None:
    declared = f' xmlns:x="{uri}"'.encode()
    for element in (b"<samlp:Status", b"<saml:Issuer"):
        changes = {"mutate_bytes": lambda data, element=element: data.replace(element, element + declared, 1)}
        reason = "xml_invalid" if uri in ("%41:b", "é:x") else "xml_forbidden"  # no URI at all, or a relative one
        assert pending.refuse(sign="assertion", **changes) == reason


XML_ATTRIBUTES = [("base", "http://evil.example.com/"), ("space", "preserve"), ("id", "_x"), ("other", "x")]


@pytest.mark.parametrize(("name", "value"), XML_ATTRIBUTES)
@pytest.mark.parametrize("path", ["", "saml:Assertion", "saml:Assertion/saml:Subject/saml:NameID"])
def test_xml_base_c14n_partial(pending: PendingAttempt, path: str, name: str, value: str) -> None:
    """Validly signed."""

    def add(root: etree._Element) -> None:
        at(root, path).set(f"{{http://www.w3.org/XML/1998/namespace}}{name}", value)

    assert pending.refuse(sign="both", mutate_before_sign=add) == "xml_forbidden"


def test_c14n_empty_signature_around(pending: PendingAttempt) -> None:
    """The enveloped-signature transform would remove everything."""

    def swallow(root: etree._Element) -> None:
        assertion = at(root, "saml:Assertion")
        sign_element(assertion, pending.site.idp.key)
        signature = at(assertion, "ds:Signature")
        root.append(signature)
        signature.append(wrapped(tag("ds:Object"), assertion))
        at(signature, "ds:SignedInfo/ds:Reference/ds:DigestValue").text = EMPTY_DIGEST

    assert pending.refuse(sign="none", mutate_before_sign=swallow) == "structure_invalid"


def test_sig_tamper_digest_of_another_element(pending: PendingAttempt) -> None:
    def other_digest(root: etree._Element) -> None:
        digest = digest_of(at(root, "saml:Assertion/saml:Subject"))

        def set_digest(signature: etree._Element) -> None:
            at(signature, "ds:SignedInfo/ds:Reference/ds:DigestValue").text = digest

        hand_signed("saml:Assertion", pending.site.idp.key, set_digest)(root)

    assert pending.refuse(sign="none", mutate_before_sign=other_digest) == "signature_invalid"


# An Assertion signed by itself, put into a Response whose default namespace reaches what had none

UNPREFIXED = {
    "attribute": b'<Attribute Name="role"><AttributeValue>admin</AttributeValue></Attribute>',
    "inside_a_value": b'<saml:Attribute Name="x"><saml:AttributeValue><x>1</x></saml:AttributeValue></saml:Attribute>',
}


def signed_within(key: KeyPair, unprefixed: bytes, alone: bool, root: etree._Element) -> etree._Element:
    """Both are signed by the IdP: the Response as it is, the Assertion alone or where it stands."""
    original = at(root, "saml:Assertion")
    end = b"</saml:AttributeStatement>"
    octets = etree.tostring(original, method="c14n", exclusive=True)
    assert octets.count(end) == 1
    assertion = etree.fromstring(octets.replace(end, unprefixed + end))
    if alone:
        sign_element(assertion, key)
    root.remove(original)
    close = b"</samlp:Response>"
    text = etree.tostring(root).replace(close, etree.tostring(assertion) + close)
    response = etree.fromstring(text.replace(b"<samlp:Response ", f'<samlp:Response xmlns="{SAML}" '.encode(), 1))
    assert response.nsmap[None] == SAML
    if not alone:
        sign_element(at(response, "saml:Assertion"), key)
    # The canonical form declares the default namespace on the root.
    sign_element(response, key, prefix_list=["#default"])
    verify(response, key.certificate_pem)
    return response


@pytest.mark.parametrize("name", UNPREFIXED)
def test_ns_confusion_by_a_default_namespace_around_the_signed(pending: PendingAttempt, name: str) -> None:
    key = pending.site.idp.key

    def build(root: etree._Element) -> etree._Element:
        response = signed_within(key, UNPREFIXED[name], True, root)
        with pytest.raises(SignatureError):
            verify(at(response, "saml:Assertion"), key.certificate_pem)
        return response

    assert pending.refuse(sign="none", mutate_before_sign=build) == "signature_invalid"


@pytest.mark.parametrize("name", UNPREFIXED)
def test_ns_confusion_by_a_default_namespace_that_is_signed(pending: PendingAttempt, name: str) -> None:
    """The same message, the Assertion signed where it stands: it says what it says there."""
    key = pending.site.idp.key

    def build(root: etree._Element) -> etree._Element:
        response = signed_within(key, UNPREFIXED[name], False, root)
        verify(at(response, "saml:Assertion"), key.certificate_pem)
        return response

    page = pending.site.login(Browser(), sign="none", mutate_before_sign=build)
    assert page.echo().header("X-SSO-User") == "student@example.com"
