"""XML signature wrapping: a genuine signature and a forged user in one message. None opens a session."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from lxml import etree

from sallyport_testing.browser import Browser
from sallyport_testing.hand_signature import REFERENCE, hand_signed
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.message_parts import ADMIN, Genuine, add_extensions, put_in, wrapped
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import PSS_SHA256, tag
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import at, attribute
from sallyport_testing.wrapping import Attack, all_attacks
from sallyport_testing.xml_signature import sign as sign_element
from sallyport_testing.xml_signature import verify_with_command
from sallyport_testing.xml_writer import STYLES

ATTACKS = dict(all_attacks())
SIGNS = ("assertion", "response", "both")
# Where the reason is another one than that the message has no place for what it holds.
REASONS = {
    "XSW5-alone": "signature_invalid",
    "XSW7": "xml_invalid",  # an ID twice
    "XSW7-genuine_in_extensions": "xml_invalid",
    "XSW7-bare_in_extensions": "xml_invalid",
    "XSW-forged_response": "signature_missing",
    "XSW-forged_response_with_signature": "signature_malformed",
    "NS-CONFUSION-space": "xml_invalid",
}


def reason_of(name: str, sign: str) -> str:
    if "-same_id" in name and not name.startswith("XSW5"):
        return "xml_invalid"
    if name.startswith("XSW-SIGLOC-"):
        return "signature_malformed" if name.endswith(("-Signature", "-SignedInfo")) else "signature_invalid"
    if name.startswith("NS-CONFUSION-signature"):
        return "signature_malformed" if sign == "assertion" else "structure_invalid"
    if name == "RESP-ONLY-SIG-moved_out" and sign != "assertion":
        return "signature_invalid"
    return REASONS.get(name, "structure_invalid")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    with running_site(tmp_path_factory.mktemp("wrapping"), keys) as running:
        yield running


@pytest.fixture(scope="module")
def pending(site: SamlSite) -> Iterator[PendingAttempt]:
    with PendingAttempt(site) as attempt:
        yield attempt


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("name", ATTACKS)
def test_wrapping(pending: PendingAttempt, name: str, sign: str) -> None:
    attack: Attack = ATTACKS[name]
    # Where the namespace is the default one, a name without prefix is in it.
    for style in [each for each in STYLES if each != "default" or not name.endswith("none")]:
        changes = {"sign": sign, "style": style, "mutate_after_sign": lambda root: attack(Genuine(root))}
        assert pending.refuse(**changes) == reason_of(name, sign), style


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("sign", SIGNS)
def test_what_is_wrapped_is_good(site: SamlSite, sign: str, style: str) -> None:
    """RESP-ONLY-SIG and its like, left as it is."""
    rebuilt = lambda root: Genuine(root).response_around(Genuine(root).assertion())  # noqa: E731
    echo = site.login(Browser(), sign=sign, style=style, mutate_after_sign=rebuilt).echo()
    assert echo.header("X-SSO-User") == "student@example.com"


@pytest.mark.parametrize(
    "name",
    ["XSW3", "XSW3-last", "XSW4", "XSW9", "RESP-ONLY-SIG-moved_out", "XSW-EXT-Extensions-other_id",
     "XSW-WRAP-StatusDetail-other_id", "XSW-WRAP-AttributeValue-other_id", "XSW-WRAP-Foreign_in_Response-other_id"],
)  # fmt: skip
def test_the_attacks_are_real(pending: PendingAttempt, name: str) -> None:
    """Whoever only asks xmlsec1 whether the signature holds is deceived."""
    message = pending.site.idp.answer(pending.request, mutate_after_sign=lambda root: ATTACKS[name](Genuine(root)))
    verify_with_command(message.xml, pending.site.idp.key.certificate_file)


PREFIXES = {
    "turned": {b"samlp": b"saml", b"saml": b"samlp"},
    "as_ds": {b"samlp": b"p", b"saml": b"ds"},
    "as_xs": {b"samlp": b"xsi", b"saml": b"xs"},
    "long": {b"samlp": b"p" * 100, b"saml": b"_.-"},
    "not_ascii": {b"samlp": "\u00e9".encode(), b"saml": "\u540d".encode()},
}


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("name", PREFIXES)
def test_ns_confusion_prefixes_are_only_names(site: SamlSite, name: str, sign: str) -> None:
    """Validly signed under prefixes that suggest another namespace: the namespace counts."""

    def rename(root: etree._Element) -> etree._Element:
        data = etree.tostring(root)
        renamed = re.sub(
            rb"(</?|\bxmlns:)(samlp?)(?=[:=])", lambda found: found[1] + PREFIXES[name][found[2]], data
        )
        return etree.fromstring(renamed)

    echo = site.login(Browser(), sign=sign, attributes=(), mutate_before_sign=rename).echo()
    assert echo.header("X-SSO-User") == "student@example.com"


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
@pytest.mark.parametrize("place", ["first", "last", "advice", "advice_twice", "advice_in_foreign"])
def test_xsw_2assert_xsw_advice(pending: PendingAttempt, place: str, second: str, sign: str) -> None:
    """Even where everything is validly signed by the IdP."""
    make = second_assertion(pending.site.idp.key, ADMIN, second == "signed")

    def add(root: etree._Element) -> None:
        assertion, other = at(root, "saml:Assertion"), make(Genuine(root))
        if place == "first":
            assertion.addprevious(other)
        elif place == "last":
            assertion.addnext(other)
        else:
            held = wrapped("{urn:x}x", other) if place == "advice_in_foreign" else other
            more = [make(Genuine(root))] if place == "advice_twice" else []
            at(assertion, "saml:Conditions").addnext(wrapped(tag("saml:Advice"), held, *more))

    # Signing takes the first Assertion of the Response: the genuine one, when the other one comes later.
    when = "mutate_before_sign" if place != "first" else "mutate_after_sign"
    assert pending.refuse(sign=sign, **{when: add}) == "structure_invalid"


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("place", ["before", "behind", "instead"])
def test_xsw_2assert_plain_and_encrypted(pending: PendingAttempt, place: str, sign: str) -> None:
    def add(root: etree._Element) -> None:
        data = etree.Element("{http://www.w3.org/2001/04/xmlenc#}EncryptedData")
        encrypted = wrapped(tag("saml:EncryptedAssertion"), data)
        assertion = at(root, "saml:Assertion")
        assertion.addprevious(encrypted) if place == "before" else assertion.addnext(encrypted)
        if place == "instead":
            root.remove(assertion)

    reason = pending.refuse(sign=sign, mutate_after_sign=add)
    instead = "decryption_failed" if sign == "assertion" else "signature_invalid"
    assert reason == (instead if place == "instead" else "structure_invalid")


# Identifiers


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("of", ["", "saml:Assertion"], ids=["response", "assertion"])
@pytest.mark.parametrize("where", ["first", "extensions", "status_detail", "signature", "key_info", "advice", "end"])
def test_id_dup(pending: PendingAttempt, where: str, of: str, sign: str) -> None:
    def add(root: etree._Element) -> None:
        twin = etree.Element("{urn:x}x", ID=at(root, of).get("ID"))
        if where == "extensions":
            add_extensions(root, twin)
        elif where == "status_detail":
            put_in(root, "samlp:Status/samlp:StatusDetail", twin)
        elif where == "signature":
            next(root.iter(tag("ds:Signature"))).append(wrapped(tag("ds:Object"), twin))
        elif where == "key_info":
            next(root.iter(tag("ds:KeyInfo"))).append(twin)
        elif where == "first":
            root.insert(0, twin)
        elif where == "advice":
            at(root, "saml:Assertion/saml:Conditions").addnext(wrapped(tag("saml:Advice"), twin))
        else:
            root.append(twin)

    assert pending.refuse(sign=sign, mutate_after_sign=add) == "xml_invalid"


XML = "http://www.w3.org/XML/1998/namespace"


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("of", ["", "saml:Assertion", "saml:Assertion/saml:Subject"])
@pytest.mark.parametrize("name", ["Id", "id", "iD", f"{{{XML}}}id", tag("saml:ID"), tag("samlp:ID"), "{urn:x}ID"])
def test_id_shape(pending: PendingAttempt, name: str, of: str, sign: str) -> None:
    """Validly signed, with a second attribute that another reader may take for the ID."""

    def add(root: etree._Element) -> None:
        at(root, of).set(name, "_another")

    assert pending.refuse(sign=sign, mutate_before_sign=add) == "xml_forbidden"


@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize("name", ["Id", "id", tag("saml:ID"), tag("samlp:ID"), "{urn:x}ID"])
def test_id_shape_is_what_the_reference_means(pending: PendingAttempt, name: str, sign: str) -> None:
    """The Reference names the value of the other attribute."""
    path = "saml:Assertion" if sign == "assertion" else ""

    def refer(root: etree._Element) -> None:
        at(root, path).set(name, "_another")
        hand_signed(path, pending.site.idp.key, attribute(REFERENCE, "URI", "#_another"))(root)

    assert pending.refuse(sign="none", mutate_before_sign=refer) == "xml_forbidden"


BAD_IDS = {
    "empty": "", "digit": "1abc", "blank": "a b", "blank_around": " _a", "quote": "_a'", "double_quote": '_a"',
    "newline": "_a\n", "hash": "#_a", "colon": "a:b", "not_ascii": "_\u00e9", "decomposed": "_e\u0301",
    "xpath": "_a')|id('_b", "long": "_" + "a" * 10_000, "over_256": "_" + "a" * 256,
}  # fmt: skip


@pytest.mark.parametrize("sign", ["assertion", "response"])
@pytest.mark.parametrize("name", BAD_IDS)
def test_id_form(pending: PendingAttempt, name: str, sign: str) -> None:
    """Validly signed by hand, since signers refuse most of them."""
    field = "assertion_id" if sign == "assertion" else "response_id"
    reason = pending.refuse(sign=sign, signature_algorithm=PSS_SHA256, **{field: BAD_IDS[name]})
    assert reason == ("xml_limits" if len(BAD_IDS[name]) > 256 else "xml_invalid")


@pytest.mark.parametrize("identifier", ["_", "a", "A-b.c_1", "_" + "a" * 255])
def test_id_form_of_good_ones(site: SamlSite, identifier: str) -> None:
    answered = site.login(Browser(), sign="both", assertion_id=identifier, response_id=f"r{identifier}"[:256])
    assert answered.echo().header("X-SSO-User") == "student@example.com"
