"""XML signature wrapping: a genuine signature and a forged user in one message. None opens a session."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lxml import etree

from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import PSS_SHA256, tag
from sallyport_testing.tree_edits import at
from sallyport_testing.wrapping import ADMIN, Attack, Genuine, add_extensions, all_attacks, put_in, wrapped
from sallyport_testing.xml_signature import sign as sign_element
from sallyport_testing.xml_signature import verify_with_command

ATTACKS = dict(all_attacks())
SIGNS = ("assertion", "response", "both")


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[PendingAttempt]:
    with running_site(tmp_path_factory.mktemp("wrapping"), keys) as site, PendingAttempt(site) as attempt:
        yield attempt


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("name", ATTACKS)
def test_wrapping(pending: PendingAttempt, name: str, sign: str) -> None:
    attack: Attack = ATTACKS[name]
    pending.refuse(sign=sign, mutate_after_sign=lambda root: attack(Genuine(root)))


@pytest.mark.parametrize(
    "name",
    ["XSW3", "XSW3-last", "RESP-ONLY-moved_out", "XSW-WRAP-child-other_id", "XSW-WRAP-Extensions-other_id",
     "XSW-WRAP-StatusDetail-other_id", "XSW-WRAP-AttributeValue-other_id", "XSW-WRAP-Foreign_in_Response-other_id"],
)  # fmt: skip
def test_the_attacks_are_real(pending: PendingAttempt, name: str) -> None:
    """Whoever only asks xmlsec1 whether the signature holds is deceived."""
    message = pending.site.idp.answer(pending.request, mutate_after_sign=lambda root: ATTACKS[name](Genuine(root)))
    verify_with_command(message.xml, pending.site.idp.key.certificate_file)


# Two assertions, all signed by the IdP


def second_assertion(key: KeyPair, name_id: str, signed: bool) -> Attack:
    def attack(genuine: Genuine) -> etree._Element:
        other = genuine.forged_assertion()
        at(other, "saml:Subject/saml:NameID").text = name_id
        if signed:
            sign_element(other, key)
        return other

    return attack


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("second", ["signed", "unsigned"])
@pytest.mark.parametrize("place", ["first", "last", "advice", "advice_in_foreign"])
def test_two_assertions(pending: PendingAttempt, place: str, second: str, sign: str) -> None:
    """XSW-2ASSERT, XSW-ADVICE: even where everything is validly signed by the IdP."""
    make = second_assertion(pending.site.idp.key, ADMIN, second == "signed")

    def add(root: etree._Element) -> None:
        assertion, other = at(root, "saml:Assertion"), make(Genuine(root))
        if place == "first":
            assertion.addprevious(other)
        elif place == "last":
            assertion.addnext(other)
        else:
            held = other if place == "advice" else wrapped("{urn:x}x", other)
            at(assertion, "saml:Conditions").addnext(wrapped(tag("saml:Advice"), held))

    # Signing takes the first Assertion of the Response: the genuine one, when the other one comes later.
    when = "mutate_before_sign" if place != "first" else "mutate_after_sign"
    assert pending.refuse(sign=sign, **{when: add}) == "structure_invalid"


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("place", ["before", "behind", "instead"])
def test_plain_and_encrypted(pending: PendingAttempt, place: str, sign: str) -> None:
    def add(root: etree._Element) -> None:
        data = etree.Element("{http://www.w3.org/2001/04/xmlenc#}EncryptedData")
        encrypted = wrapped(tag("saml:EncryptedAssertion"), data)
        assertion = at(root, "saml:Assertion")
        assertion.addprevious(encrypted) if place == "before" else assertion.addnext(encrypted)
        if place == "instead":
            root.remove(assertion)

    reason = pending.refuse(sign=sign, mutate_after_sign=add)
    assert reason == ("decryption_failed" if place == "instead" else "structure_invalid")


# Identifiers


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("of", ["", "saml:Assertion"], ids=["response", "assertion"])
@pytest.mark.parametrize("where", ["extensions", "status_detail", "signature", "advice", "end"])
def test_an_identifier_twice(pending: PendingAttempt, where: str, of: str, sign: str) -> None:
    """ID-DUP"""

    def add(root: etree._Element) -> None:
        twin = etree.Element("{urn:x}x", ID=at(root, of).get("ID"))
        if where == "extensions":
            add_extensions(root, twin)
        elif where == "status_detail":
            put_in(root, "samlp:Status/samlp:StatusDetail", twin)
        elif where == "signature":
            next(root.iter(tag("ds:Signature"))).append(wrapped(tag("ds:Object"), twin))
        elif where == "advice":
            at(root, "saml:Assertion/saml:Conditions").addnext(wrapped(tag("saml:Advice"), twin))
        else:
            root.append(twin)

    assert pending.refuse(sign=sign, mutate_after_sign=add) == "xml_invalid"


XML = "http://www.w3.org/XML/1998/namespace"


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("of", ["", "saml:Assertion", "saml:Assertion/saml:Subject"])
@pytest.mark.parametrize("name", ["Id", "id", "iD", f"{{{XML}}}id", tag("saml:ID"), tag("samlp:ID"), "{urn:x}ID"])
def test_attributes_that_look_like_an_identifier(pending: PendingAttempt, name: str, of: str, sign: str) -> None:
    """ID-SHAPE: validly signed, with a second attribute that another reader may take for the ID."""

    def add(root: etree._Element) -> None:
        at(root, of).set(name, "_another")

    assert pending.refuse(sign=sign, mutate_before_sign=add) == "xml_forbidden"


BAD_IDS = {
    "empty": "", "digit": "1abc", "blank": "a b", "blank_around": " _a", "quote": "_a'", "double_quote": '_a"',
    "newline": "_a\n", "hash": "#_a", "colon": "a:b", "not_ascii": "_\u00e9", "decomposed": "_e\u0301",
    "xpath": "_a')|id('_b", "long": "_" + "a" * 10_000, "over_256": "_" + "a" * 256,
}  # fmt: skip


@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize("name", BAD_IDS)
def test_identifiers_that_are_none(pending: PendingAttempt, name: str, sign: str) -> None:
    """ID-FORM: validly signed by hand, since signers refuse most of them."""
    field = "assertion_id" if sign == "assertion" else "response_id"
    pending.refuse(sign=sign, signature_algorithm=PSS_SHA256, **{field: BAD_IDS[name]})
