"""Checks of the profile, each in all the spellings in which a value can be wrong. One attempt answers them all."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy

import pytest
from lxml import etree

from sallyport_testing import saml_names as names
from sallyport_testing.answer_cases import ALL
from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_response import Attribute, Confirmation, now
from sallyport_testing.site import SamlSite

DAY = 24 * 3600
SIGN = pytest.mark.parametrize("sign", ALL)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    with running_site(tmp_path_factory.mktemp("variants"), keys, tls=False) as running:
        yield running


@pytest.fixture(scope="module")
def pending(site: SamlSite) -> Iterator[PendingAttempt]:
    with PendingAttempt(site) as attempt:
        yield attempt


def reason(pending: PendingAttempt, **changes: object) -> str:
    """For which word an answer with these fields is refused."""
    message = pending.site.idp.answer(pending.request, **changes)
    return pending.refusals.message(pending.browser, message.form).reason


# Addresses: compared byte for byte


def other_spellings(url: str) -> dict[str, str]:
    scheme, _, rest = url.partition("://")
    host, _, path = rest.partition("/")
    name, _, port = host.partition(":")
    return {
        "other_host": f"{scheme}://other.example.com:{port}/{path}",
        "host_of_evil": f"{scheme}://{name}.evil.example:{port}/{path}",
        "case_of_host": f"{scheme}://{name.upper()}:{port}/{path}",
        "trailing_dot": f"{scheme}://{name}.:{port}/{path}",
        "other_scheme": f"https://{host}/{path}",
        "case_of_scheme": f"{scheme.upper()}://{host}/{path}",
        "no_scheme": f"//{host}/{path}",
        "no_port": f"{scheme}://{name}/{path}",
        "default_port": f"{scheme}://{name}:80/{path}",
        "zero_before_port": f"{scheme}://{name}:0{port}/{path}",
        "userinfo": f"{scheme}://user@{host}/{path}",
        "path_alone": f"/{path}",
        "longer": f"{url}/1",
        "shorter": url[:-1],
        "slash": f"{url}/",
        "two_slashes": f"{scheme}://{host}//{path}",
        "dots": f"{scheme}://{host}/x/../{path}",
        "case_of_path": f"{scheme}://{host}/{path.upper()}",
        "encoded": f"{scheme}://{host}/{path.replace('a', '%61')}",
        "query": f"{url}?a=b",
        "empty_query": f"{url}?",
        "fragment": f"{url}#x",
        "blank_behind": f"{url} ",
        "blank_before": f" {url}",
        "line_behind": f"{url}\n",
        "tab_inside": url.replace("/saml", "/\tsaml"),
        "list": f"{url} {url}",
        "other_endpoint": url.replace("/acs", "/slo"),
        "empty": "",
        "blank": " ",
    }


SPELLINGS = list(other_spellings("http://h:1/saml/acs"))


@SIGN
@pytest.mark.parametrize("spelling", SPELLINGS, ids=[f"DST-{name}" for name in SPELLINGS])
def test_destination(pending: PendingAttempt, spelling: str, sign: str) -> None:
    wrong = other_spellings(pending.site.acs_url)[spelling]
    assert reason(pending, destination=wrong, sign=sign) == "destination_mismatch"


@SIGN
@pytest.mark.parametrize("spelling", SPELLINGS, ids=[f"SC-RECIPIENT-{name}" for name in SPELLINGS])
def test_recipient(pending: PendingAttempt, spelling: str, sign: str) -> None:
    wrong = other_spellings(pending.site.acs_url)[spelling]
    assert reason(pending, recipient=wrong, sign=sign) == "recipient_mismatch"


AUDIENCES = {
    "slash": "https://app.example.com/saml/metadata/", "case_of_host": "https://APP.example.com/saml/metadata",
    "case_of_path": "https://app.example.com/saml/Metadata", "http": "http://app.example.com/saml/metadata",
    "port": "https://app.example.com:443/saml/metadata", "query": "https://app.example.com/saml/metadata?",
    "encoded": "https://app.example.com/saml/%6detadata", "line": "https://app.example.com/saml/metadata\n",
    "nbsp": "https://app.example.com/saml/metadata\xa0", "list": "https://app.example.com/saml/metadata x",
    "acs": "http://app.example.com/saml/acs", "host": "app.example.com",
}  # fmt: skip


@SIGN
@pytest.mark.parametrize("name", AUDIENCES, ids=[f"AUD-{name}" for name in AUDIENCES])
def test_audience(pending: PendingAttempt, name: str, sign: str) -> None:
    assert reason(pending, audiences=[AUDIENCES[name]], sign=sign) == "audience_mismatch"


@pytest.mark.parametrize("id_text", ["ID ", " ID", "ID\n", "id", "IDx", "x"], ids=lambda text: f"IRT-{text!r}")
def test_in_response_to(pending: PendingAttempt, id_text: str) -> None:
    wrong = id_text.replace("ID", pending.request.id)
    if id_text == "id":
        wrong = pending.request.id.upper()
    assert reason(pending, response_in_response_to=wrong) == "in_response_to_mismatch"
    assert reason(pending, in_response_to=wrong) == "in_response_to_mismatch"


# Times

NO_TIMES = [
    "2030-01-01T24:00:00Z", "2030-12-31T23:59:60Z", "2030-01-01T23:60:00Z", "0000-01-01T00:00:00Z",
    "292277026597-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-2030-01-01T00:00:00Z", "+2030-01-01T00:00:00Z",
    "30-01-01T00:00:00Z", "2030-01-01T00:00:00", "2030-01-01T00:00:00+00:00", "2030-01-01T00:00:00-00:00",
    "2030-01-01T00:00:00+14:00", "2030-01-01T00:00:00UTC", "2030-02-30T00:00:00Z", "2029-02-29T00:00:00Z",
    "2100-02-29T00:00:00Z", "2030-00-01T00:00:00Z", "2030-13-01T00:00:00Z", "2030-01-00T00:00:00Z",
    "2030-01-32T00:00:00Z", "2030-01-01T00:00:00z", "2030-01-01t00:00:00Z", "2030-01-01 00:00:00Z",
    "2030-1-1T0:0:0Z", "2030-01-01T00:00Z", "2030-01-01T00:00:00.Z", "2030-01-01T00:00:00,5Z",
    "2030-01-01T00:00:00.5.5Z", "2030-01-01T00:00:00.-5Z", "2030-01-01T00:00:00.5e3Z", "2030-01-01T00:00:-1Z",
    "2030-01-01T00:00:00Z2031", "2030-01-01T00:00:00ZZ", "20300101T000000Z", "2030-W01-1T00:00:00Z", "2030-001T00:00:00Z",
    "2030-01-01", "T00:00:00Z", "1893456000", "0x70DBD880", "never", "now", "", " ", "2030-01-01T00:00:00\u00a0Z",
    "\uff12\uff10\uff13\uff10-01-01T00:00:00Z", "2030\u201001\u201001T00:00:00Z", "2030-01-01T00:00:00." + "9" * 5000,
]  # fmt: skip
PLACES = {
    "Response_IssueInstant": "response_instant",
    "Assertion_IssueInstant": "assertion_instant",
    "NotBefore": "not_before",
    "NotOnOrAfter": "not_on_or_after",
    "confirmation_NotOnOrAfter": "confirmation_not_on_or_after",
    "AuthnInstant": "authn_instant",
    "SessionNotOnOrAfter": "session_not_on_or_after",
}


@pytest.mark.parametrize("place", PLACES, ids=[f"TIME-FORMAT-{name}" for name in PLACES])
def test_what_is_no_time(pending: PendingAttempt, place: str) -> None:
    found = {text: reason(pending, **{PLACES[place]: text}) for text in NO_TIMES}
    assert set(found.values()) == {"structure_invalid"}, found


FAR = {
    "TIME-NB-far_ahead": ("not_before", "9999-12-31T23:59:59Z", "structure_invalid"),  # behind NotOnOrAfter
    "TIME-NOOA-long_ago": ("not_on_or_after", "0001-01-01T00:00:00Z", "structure_invalid"),  # before NotBefore
    "SC-EXPIRED-long_ago": ("confirmation_not_on_or_after", "0001-01-01T00:00:00Z", "expired"),
    "TIME-LIFE-far_ahead": ("confirmation_not_on_or_after", "9999-12-31T23:59:59.999Z", "lifetime_too_long"),
    "TIME-LIFE-issued_long_ago": ("assertion_instant", "0001-01-01T00:00:00Z", "lifetime_too_long"),
    "TIME-LIFE-issued_far_ahead": ("assertion_instant", "9999-12-31T23:59:59Z", "not_yet_valid"),
    "TIME-LIFE-response_long_ago": ("response_instant", "1601-01-01T00:00:00Z", "lifetime_too_long"),
    "TIME-LIFE-response_far_ahead": ("response_instant", "9999-12-31T23:59:59Z", "not_yet_valid"),
    "TIME-LIFE-authenticated_far_ahead": ("authn_instant", "9999-12-31T23:59:59Z", "not_yet_valid"),
    "SESS-NOOA-long_ago": ("session_not_on_or_after", "1970-01-01T00:00:00Z", "expired"),
}


@SIGN
@pytest.mark.parametrize("name", FAR)
def test_times_at_the_ends_of_what_a_time_can_be(pending: PendingAttempt, name: str, sign: str) -> None:
    field, text, word = FAR[name]
    assert reason(pending, sign=sign, **{field: text}) == word


BOUNDS = {
    # field, seconds from now: outside of the clock skew of 180 s by three seconds, and inside by eight
    "TIME-NB": ("not_before", 183, 172, "not_yet_valid"),
    "TIME-NOOA": ("not_on_or_after", -183, -172, "expired"),
    "SC-EXPIRED": ("confirmation_not_on_or_after", -183, -172, "expired"),
    "TIME-LIFE": ("confirmation_not_on_or_after", DAY + 183, DAY + 172, "lifetime_too_long"),
}


@SIGN
@pytest.mark.parametrize("name", BOUNDS)
def test_both_sides_of_a_bound(pending: PendingAttempt, site: SamlSite, name: str, sign: str) -> None:
    """To the millisecond it is tried in tests/unit/conditions_time_test.cpp, where time stands still."""
    field, outside, inside, word = BOUNDS[name]
    others = {"not_before": None} if field == "not_on_or_after" else {}
    assert reason(pending, sign=sign, **others, **{field: now(outside)}) == word
    assert site.login(Browser(), sign=sign, **others, **{field: now(inside)}).status == 200


# Structure

VERSIONS = ["", "2", "2.", "2.00", "02.0", "2.0 ", " 2.0", "2,0", "2.1", "3.0", "1.0", "1.1", "v2.0", "\uff12.0"]


@SIGN
@pytest.mark.parametrize("field", ["response_version", "assertion_version"])
@pytest.mark.parametrize("version", VERSIONS, ids=lambda text: f"STRUCT-VERSION-{text!r}")
def test_version(pending: PendingAttempt, field: str, version: str, sign: str) -> None:
    assert reason(pending, sign=sign, **{field: version}) == "version_mismatch"


PARENTS = {
    "Response": ".", "Assertion": "saml:Assertion", "Subject": "saml:Assertion/saml:Subject",
    "Conditions": "saml:Assertion/saml:Conditions", "AuthnStatement": "saml:Assertion/saml:AuthnStatement",
    "Status": "samlp:Status", "Attribute": "saml:Assertion/saml:AttributeStatement",
}  # fmt: skip
NAMESPACES = {"saml": names.SAML, "samlp": names.SAMLP}
FOREIGN = {
    "foreign": '<x xmlns="urn:x"/>', "saml": f'<x xmlns="{names.SAML}"/>', "samlp": f'<x xmlns="{names.SAMLP}"/>',
    "no_namespace": "<x/>",
}  # fmt: skip
# What the schema leaves open: the order of statements, and of what stands under Conditions and AttributeStatement.
FREE = {("Assertion", "AuthnStatement", "AttributeStatement")}


def parent_of(root: etree._Element, name: str) -> etree._Element:
    found = root if name == "Response" else root.find(PARENTS[name], NAMESPACES)
    assert found is not None
    return found


def local(element: etree._Element) -> str:
    return etree.QName(element).localname


def refused_trees(pending: PendingAttempt, name: str, change, sign: str) -> int:
    """Try `change(parent, place)` for all places; how many there were."""
    sample = pending.site.idp.answer(pending.request, sign="none").tree
    tried = 0
    for place in range(len(parent_of(sample, name)) + 1):
        skipped = False

        def mutate(root: etree._Element, place: int = place) -> None:
            nonlocal skipped
            skipped = not change(parent_of(root, name), place)

        message = pending.site.idp.answer(pending.request, mutate_before_sign=mutate, sign=sign)
        if skipped:
            continue
        refusal = pending.refusals.message(pending.browser, message.form)
        # A signature must stand right behind the Issuer: what comes between is named for it.
        words = ("structure_invalid", "condition_unknown", "signature_malformed")
        assert refusal.reason in words, (place, refusal.reason)
        tried += 1
    return tried


@SIGN
@pytest.mark.parametrize("name", PARENTS, ids=[f"STRUCT-SCHEMA-{name}" for name in PARENTS])
@pytest.mark.parametrize("what", FOREIGN)
def test_an_unknown_element_at_every_place(pending: PendingAttempt, what: str, name: str, sign: str) -> None:
    def insert(parent: etree._Element, place: int) -> bool:
        parent.insert(place, etree.fromstring(FOREIGN[what]))
        return True

    assert refused_trees(pending, name, insert, sign) > 1


@SIGN
@pytest.mark.parametrize("name", ["Response", "Assertion", "Subject", "AuthnStatement", "Status"],
                         ids=lambda name: f"STRUCT-SCHEMA-{name}")  # fmt: skip
def test_children_in_another_order(pending: PendingAttempt, name: str, sign: str) -> None:
    def swap(parent: etree._Element, place: int) -> bool:
        if place + 1 >= len(parent) or (name, local(parent[place]), local(parent[place + 1])) in FREE:
            return False
        parent.insert(place, parent[place + 1])
        return True

    tried = refused_trees(pending, name, swap, sign)
    assert tried >= 1 or name in ("AuthnStatement", "Status")


@SIGN
@pytest.mark.parametrize("name", ["Response", "Assertion", "Status"], ids=lambda name: f"STRUCT-SCHEMA-{name}")
def test_each_child_twice(pending: PendingAttempt, name: str, sign: str) -> None:
    def double(parent: etree._Element, place: int) -> bool:
        if place >= len(parent) or local(parent[place]) in ("AuthnStatement", "AttributeStatement"):
            return False
        copy = deepcopy(parent[place])
        copy.attrib.pop("ID", None)
        parent.insert(place + 1, copy)
        return True

    assert refused_trees(pending, name, double, sign) >= 1


def test_statements_in_the_other_order_are_fine(site: SamlSite) -> None:
    """STRUCT-SCHEMA: the counterpart."""

    def swap(root: etree._Element) -> None:
        assertion = parent_of(root, "Assertion")
        assertion.insert(len(assertion) - 2, assertion[-1])

    assert site.login(Browser(), mutate_before_sign=swap).echo().header("X-SSO-Groups") == "Engineering,Platform"


# Status, subject, attributes

STATUS = "urn:oasis:names:tc:SAML:2.0:status:"
CODES = [
    "AuthnFailed", "InvalidAttrNameOrValue", "InvalidNameIDPolicy", "NoAuthnContext", "NoAvailableIDP", "NoPassive",
    "NoSupportedIDP", "PartialLogout", "ProxyCountExceeded", "RequestDenied", "RequestUnsupported",
    "RequestVersionDeprecated", "RequestVersionTooHigh", "RequestVersionTooLow", "ResourceNotRecognized",
    "TooManyResponses", "UnknownAttrProfile", "UnknownPrincipal", "UnsupportedBinding", "Requester", "Responder",
    "VersionMismatch",
]  # fmt: skip


@SIGN
@pytest.mark.parametrize("code", CODES, ids=[f"STATUS-{code}" for code in CODES])
def test_status(pending: PendingAttempt, code: str, sign: str) -> None:
    for codes in ([STATUS + code], [STATUS + "Responder", STATUS + code], [STATUS + code, names.SUCCESS]):
        for with_assertion in (True, False):
            if sign != "response" and not with_assertion:
                continue
            found = reason(pending, status=codes, with_assertion=with_assertion, sign=sign)
            assert found == "status_not_success"


@pytest.mark.parametrize("value", ["", "Success", names.SUCCESS + " ", names.SUCCESS + "#", "urn:x"],
                         ids=lambda text: f"STATUS-{text!r}")  # fmt: skip
def test_almost_success(pending: PendingAttempt, value: str) -> None:
    assert reason(pending, status=[value], sign="response") in ("status_not_success", "structure_invalid")


NAME_IDS = {
    "NAMEID-EMPTY-blank": (" ", "structure_invalid"),
    "NAMEID-EMPTY-lines": ("\r\n\t ", "structure_invalid"),
    "NAMEID-EMPTY-long": ("x" * 10_240, "structure_invalid"),
}


@SIGN
@pytest.mark.parametrize("name", NAME_IDS)
def test_name_id(pending: PendingAttempt, name: str, sign: str) -> None:
    text, word = NAME_IDS[name]
    assert reason(pending, name_id=text, sign=sign) == word


@pytest.mark.parametrize(
    "qualifier", ["x", "https://app.example.com/saml/metadata/", "HTTPS://app.example.com/saml/metadata", " "],
    ids=lambda text: f"NAMEID-SPNQ-{text}",
)  # fmt: skip
def test_name_qualifier_of_another_sp(pending: PendingAttempt, qualifier: str) -> None:
    assert reason(pending, sp_name_qualifier=qualifier) == "audience_mismatch"


ADDRESSES = ["192.0.2.1", "2001:db8::1", "not an address", ""]


@pytest.mark.parametrize("address", ADDRESSES, ids=lambda text: f"SC-ADDRESS-{text}")
def test_address_of_the_confirmation_is_not_compared(site: SamlSite, address: str) -> None:
    """Behind balancers and NAT it is not the browser's as the IdP sees it: documented as not checked."""
    assert site.login(Browser(), address=address).status == 200


METHODS = [names.HOLDER_OF_KEY, "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches", "urn:x", names.BEARER + " "]


@SIGN
def test_sc_method_no_good_one_among_several(pending: PendingAttempt, sign: str) -> None:
    """SC-METHOD, SC-NODATA"""
    good = {"recipient": pending.site.acs_url, "in_response_to": pending.request.id, "not_on_or_after": now(300)}
    confirmations = [Confirmation(method=method, **good) for method in METHODS]  # type: ignore[arg-type]
    confirmations.append(Confirmation(data=False))
    assert reason(pending, confirmations=confirmations, sign=sign) == "confirmation_invalid"


def test_attr_dup_names_are_matched_by_name_only(site: SamlSite) -> None:
    """ATTR-DUP: FriendlyName is never looked at, NameFormat makes no other attribute, values are joined."""
    attributes = [
        Attribute("urn:example:other", ["evil@example.com"], friendly_name="email"),
        Attribute("email", ["good@example.com"], friendly_name="groups"),
        Attribute("urn:example:more", ["root"], friendly_name="groups"),
        Attribute("groups", ["a"], name_format=names.URI),
        Attribute("groups", ["b", "a"], name_format=None),
    ]
    echo = site.login(Browser(), attributes=attributes).echo()
    assert (echo.header("X-SSO-Email"), echo.header("X-SSO-Groups")) == ("good@example.com", "a,b")


def test_attr_dup_a_thousand_attributes(site: SamlSite) -> None:
    attributes = [Attribute(f"a{number}", ["x"], name_format=None, value_type=None) for number in range(999)]
    echo = site.login(Browser(), attributes=[*attributes, Attribute("groups", ["last"])]).echo()
    assert echo.header("X-SSO-Groups") == "last"
