"""Every check of the Web Browser SSO profile: validly signed answers with one fault each.

Case names begin with the name of the attack."""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest

from sallyport_testing import saml_names as names
from sallyport_testing.answer_cases import ALL, BOTH, Case, by_sign, edited, fields
from sallyport_testing.browser import Browser
from sallyport_testing.encryption import encrypted, to
from sallyport_testing.keys import KeyStore
from sallyport_testing.refusals import Refusal, Refusals
from sallyport_testing.running import running_site
from sallyport_testing.saml_response import Attribute, Confirmation, now
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import added, attribute, doubled, edits, removed, renamed, text

OTHER_SP = "https://other.example.com/saml/metadata"
OTHER_IDP = "https://other-idp.example.com/metadata"
DAY = 24 * 3600


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    with running_site(tmp_path_factory.mktemp("conditions"), keys) as running:
        yield running


@pytest.fixture(scope="module")
def refusals(site: SamlSite) -> Refusals:
    return Refusals(site)


DESTINATION = [
    Case(f"DST-{name}", fields(destination=value), "destination_mismatch", r"expected <https://app\.", BOTH)
    for name, value in {
        "other_host": "https://other.example.com/saml/acs",
        "other_path": "{acs}/1",
        "prefix": "https://app.example.com/saml/ac",
        "default_port": "https://app.example.com/saml/acs",
        "case_of_path": "https://app.example.com/SAML/acs",
        "slash": "{acs}/",
        "query": "{acs}?a=b",
        "blank": "{acs} ",
        "empty": "",
    }.items()
] + [
    Case(
        "DST-EMPTY-absent", fields(destination=None), "destination_mismatch", r"received <\(none\)>",
        ("response", "both"),
    ),
]

RECIPIENT = [
    Case(f"SC-RECIPIENT-{name}", fields(recipient=value), reason, detail)
    for name, value, reason, detail in [
        ("other_host", "https://other.example.com/saml/acs", "recipient_mismatch", r"received <https://other\."),
        ("longer", "{acs}/1", "recipient_mismatch", r"/saml/acs/1>"),
        ("query", "{acs}?", "recipient_mismatch", r"/saml/acs\?>"),
        ("empty", "", "recipient_mismatch", "received <>"),
        ("absent", None, "recipient_mismatch", r"received <\(none\)>"),
    ]
]

AUDIENCE = [
    Case("AUD-other", fields(audiences=[OTHER_SP]), "audience_mismatch", f"received <{OTHER_SP}>"),
    Case("AUD-ours_as_prefix", fields(audiences=["https://app.example.com/saml/metadata/x"]), "audience_mismatch"),
    Case("AUD-prefix_of_ours", fields(audiences=["https://app.example.com/saml"]), "audience_mismatch"),
    Case("AUD-blank_around", fields(audiences=[" https://app.example.com/saml/metadata"]), "audience_mismatch"),
    Case("AUD-none", fields(audiences=None), "audience_mismatch", r"received <\(none\)>"),
    Case("AUD-no_audience", fields(audiences=[]), "structure_invalid", "AudienceRestriction without Audience"),
    Case("AUD-empty", fields(audiences=[""]), "structure_invalid", "Audience is empty"),
    Case("AUD-both_must_hold", fields(more_audience_restrictions=[[OTHER_SP]]), "audience_mismatch"),
    Case("COND-NONE", fields(with_conditions=False), "audience_mismatch"),
    Case("NAMEID-SPNQ", fields(sp_name_qualifier=OTHER_SP), "audience_mismatch", "SPNameQualifier"),
]

IN_RESPONSE_TO = [
    Case(
        "IRT-response_unknown", fields(response_in_response_to="_other"), "in_response_to_mismatch", "<_other>",
        BOTH,
    ),
    Case("IRT-response_none", fields(response_in_response_to=None), "in_response_to_mismatch", r"<\(none\)>", BOTH),
    Case("IRT-confirmation_unknown", fields(in_response_to="_other"), "in_response_to_mismatch", "<_other>", BOTH),
    Case("IRT-confirmation_none", fields(in_response_to=None), "in_response_to_mismatch", r"<\(none\)>", BOTH),
    Case("IRT-none", fields(in_response_to=None, response_in_response_to=None), "in_response_to_mismatch"),
    Case("IRT-empty", fields(in_response_to=""), "in_response_to_mismatch", "received <>"),
]

ISSUER = [
    Case("ISS-response", fields(response_issuer=OTHER_IDP), "issuer_mismatch", f"received <{OTHER_IDP}>", ALL),
    Case("ISS-assertion", fields(issuer=OTHER_IDP), "issuer_mismatch", f"received <{OTHER_IDP}>", ALL),
    Case("ISS-both", fields(issuer=OTHER_IDP, response_issuer=OTHER_IDP), "issuer_mismatch", "", ALL),
    Case("ISS-blank", fields(issuer="https://idp.example.com/metadata "), "issuer_mismatch"),
    Case("ISS-case", fields(issuer="https://IDP.example.com/metadata"), "issuer_mismatch"),
    Case("ISS-format", fields(issuer_format=names.PERSISTENT), "issuer_mismatch", "Issuer Format"),
    Case("ISS-response_format", fields(response_issuer_format=names.EMAIL), "issuer_mismatch", "Issuer Format"),
    Case("ISS-qualifier", edited(attribute("saml:Assertion/saml:Issuer", "NameQualifier", "x")), "issuer_mismatch"),
    Case("ISS-NONE", fields(issuer=None, sign="response"), "structure_invalid", "does not begin with Issuer"),
    Case("ISS-empty", fields(issuer=" "), "structure_invalid", "Issuer is empty"),
    Case("ISS-two", edited(doubled("saml:Assertion/saml:Issuer")), "structure_invalid", "Issuer"),
    Case("ISS-two_in_response", edited(doubled("saml:Issuer")), "structure_invalid", "Status at its place"),
]


TIMES = [
    Case(
        "TIME-NB", lambda: {"not_before": now(183)}, "not_yet_valid",
        r"Conditions NotBefore \S+Z, now \S+Z, clock skew 180 s",
    ),
    Case(
        "TIME-NOOA", lambda: {"not_before": None, "not_on_or_after": now(-181)}, "expired",
        r"Conditions NotOnOrAfter \S+Z, now \S+Z",
    ),
    Case(
        "TIME-turned", lambda: {"not_before": now(10), "not_on_or_after": now(5)}, "structure_invalid",
        "not before NotOnOrAfter",
    ),
    Case(
        "TIME-equal", fields(not_before="2026-01-01T00:00:00Z", not_on_or_after="2026-01-01T00:00:00Z"),
        "structure_invalid",
    ),
    Case(
        "SC-EXPIRED", lambda: {"confirmation_not_on_or_after": now(-181)}, "expired",
        "SubjectConfirmationData NotOnOrAfter",
    ),
    Case("SC-NOTBEFORE", lambda: {"confirmation_not_before": now(-60)}, "confirmation_invalid", "with NotBefore"),
    Case("SC-NONOOA", fields(confirmation_not_on_or_after=None), "confirmation_invalid", "no NotOnOrAfter"),
    Case(
        "TIME-LIFE-confirmation", lambda: {"confirmation_not_on_or_after": now(100 * 365 * DAY)},
        "lifetime_too_long",
    ),
    Case("TIME-LIFE-over_a_day", lambda: {"confirmation_not_on_or_after": now(DAY + 240)}, "lifetime_too_long"),
    Case(
        "TIME-LIFE-issued", lambda: {"assertion_instant": now(-DAY - 240)}, "lifetime_too_long",
        "IssueInstant of the Assertion",
    ),
    Case(
        "TIME-LIFE-response_issued", lambda: {"response_instant": now(-DAY - 240)}, "lifetime_too_long",
        "IssueInstant of the Response",
    ),
    Case(
        "TIME-issued_in_future", lambda: {"assertion_instant": now(190)}, "not_yet_valid",
        "IssueInstant of the Assertion",
    ),
    Case("TIME-response_issued_in_future", lambda: {"response_instant": now(190)}, "not_yet_valid", "", BOTH),
    Case("TIME-authn_in_future", lambda: {"authn_instant": now(190)}, "not_yet_valid", "AuthnInstant"),
    Case("SESS-NOOA", lambda: {"session_not_on_or_after": now(-200)}, "expired", "SessionNotOnOrAfter"),
    Case("SESS-NOOA-within_skew", lambda: {"session_not_on_or_after": now(-5)}, "expired", "SessionNotOnOrAfter"),
] + [
    Case(f"TIME-FORMAT-{number}", fields(not_on_or_after=value), "structure_invalid", "a UTC time")
    for number, value in enumerate(
        [
            "2030-01-01T24:00:00Z", "2030-12-31T23:59:60Z", "0000-01-01T00:00:00Z", "292277026597-01-01T00:00:00Z",
            "-2030-01-01T00:00:00Z", "2030-01-01T00:00:00", "2030-01-01T00:00:00+14:00", "2030-02-30T00:00:00Z",
            "2030-01-01T00:00:00z", "2030-01-01 00:00:00Z", "2030-1-1T0:0:0Z", "2030-01-01T00:00:00.Z", "", "never",
            "2030-01-01T00:00:00Z2031", "2030-01-01t00:00:00Z", "20300101T000000Z", "2030-01-01",
        ]
    )
]  # fmt: skip

CONFIRMATION = [
    Case("SC-METHOD-holder", fields(confirmation_method=names.HOLDER_OF_KEY), "confirmation_invalid", "no bearer"),
    Case(
        "SC-METHOD-sender", fields(confirmation_method="urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"),
        "confirmation_invalid",
    ),
    Case("SC-METHOD-unknown", fields(confirmation_method="urn:example:cm"), "confirmation_invalid"),
    Case("SC-METHOD-case", fields(confirmation_method=names.BEARER.upper()), "confirmation_invalid"),
    Case("SC-METHOD-none", fields(confirmation_method=None), "structure_invalid", "without Method"),
    Case("SC-none", fields(confirmations=[]), "confirmation_invalid", "no bearer"),
    Case(
        "SC-NODATA", fields(confirmations=[Confirmation(data=False)]), "confirmation_invalid",
        "without SubjectConfirmationData",
    ),
    Case("SC-no_subject", fields(with_subject=False), "confirmation_invalid"),
]

STRUCTURE = [
    Case(
        "STRUCT-VERSION-response", fields(response_version="2.1"), "version_mismatch",
        "expected <2.0>, received <2.1>", BOTH,
    ),
    Case("STRUCT-VERSION-response_none", fields(response_version=None), "version_mismatch", "", BOTH),
    Case("STRUCT-VERSION-assertion", fields(assertion_version="1.1"), "version_mismatch", "received <1.1>", BOTH),
    Case("STRUCT-VERSION-assertion_none", fields(assertion_version=None), "version_mismatch"),
    Case("STRUCT-NOID-response", fields(response_id=None), "structure_invalid", "Response without ID"),
    Case(
        "STRUCT-NOID-assertion", fields(assertion_id=None, sign="response"), "structure_invalid",
        "Assertion without ID",
    ),
    Case("STRUCT-no_issue_instant", fields(assertion_instant=None), "structure_invalid", "without IssueInstant"),
    Case("STRUCT-no_response_instant", fields(response_instant=None), "structure_invalid", "without IssueInstant"),
    Case("STRUCT-SCHEMA-order", edited(lambda root: root[-1].append(root[-1][1])), "structure_invalid"),
    Case("STRUCT-SCHEMA-unknown_child", edited(added("saml:Assertion", "<saml:Extra/>")), "structure_invalid"),
    Case("STRUCT-SCHEMA-unknown_in_response", edited(added("", "<samlp:Extra/>")), "structure_invalid"),
    Case("STRUCT-SCHEMA-text", edited(text("saml:Assertion/saml:Subject", "text")), "structure_invalid"),
    Case("STRUCT-two_subjects", edited(doubled("saml:Assertion/saml:Subject")), "structure_invalid"),
    Case("STRUCT-two_conditions", edited(doubled("saml:Assertion/saml:Conditions")), "structure_invalid"),
    Case("STRUCT-two_status", edited(doubled("samlp:Status")), "structure_invalid"),
    Case(
        "STRUCT-NOASSERT", fields(with_assertion=False, sign="response"), "structure_invalid", "without assertion",
    ),
    Case("STMT-NOAUTHN", fields(with_authn_statement=False), "structure_invalid", "without AuthnStatement"),
    Case(
        "STMT-no_context", edited(removed("saml:Assertion/saml:AuthnStatement/saml:AuthnContext")),
        "structure_invalid",
    ),
    Case("ATTR-no_name", fields(attributes=[Attribute("", ["x"])]), "structure_invalid", "without Name"),
    Case("ATTR-two_subject_names", edited(doubled("saml:Assertion/saml:Subject/saml:NameID")), "structure_invalid"),
]

CONDITIONS = [
    Case(
        "COND-UNKNOWN-type",
        edited(added("saml:Assertion/saml:Conditions", '<saml:Condition xsi:type="x:y" xmlns:x="urn:example:x"/>')),
        "condition_unknown", "Condition",
    ),
    Case(
        "COND-UNKNOWN-element", edited(added("saml:Assertion/saml:Conditions", "<saml:Limit/>")),
        "condition_unknown",
    ),
    Case(
        "COND-UNKNOWN-foreign", edited(added("saml:Assertion/saml:Conditions", '<l xmlns="urn:x"/>')),
        "condition_unknown",
    ),
    Case(
        "COND-two_onetimeuse", edited(*[added("saml:Assertion/saml:Conditions", "<saml:OneTimeUse/>")] * 2),
        "condition_unknown",
    ),
]  # fmt: skip

STATUS = [
    Case("STATUS-requester", fields(status=[names.REQUESTER]), "status_not_success", "Requester", ALL),
    Case(
        "STATUS-second_level", fields(status=[names.RESPONDER, names.AUTHN_FAILED]), "status_not_success",
        "Responder / AuthnFailed",
    ),
    Case("STATUS-success_inside", fields(status=[names.REQUESTER, names.SUCCESS]), "status_not_success"),
    Case("STATUS-case", fields(status=[names.SUCCESS.lower()]), "status_not_success"),
    Case("STATUS-longer", fields(status=[names.SUCCESS + "x"]), "status_not_success"),
    Case("STATUS-none", fields(status=None), "structure_invalid", "without Status"),
    Case("STATUS-two_codes", edited(doubled("samlp:Status/samlp:StatusCode")), "structure_invalid"),
    Case("STATUS-no_value", edited(attribute("samlp:Status/samlp:StatusCode", "Value", None)), "structure_invalid"),
    Case(
        "STATUS-error_alone", fields(status=[names.RESPONDER], with_assertion=False, sign="none"),
        "status_not_success",
    ),
]

NAME_ID = [
    Case("NAMEID-NONE", fields(name_id=None), "no_user", "no NameID"),
    Case("NAMEID-EMPTY", fields(name_id=""), "structure_invalid", "NameID is empty"),
    Case("NAMEID-blanks", fields(name_id=" \t "), "structure_invalid", "NameID is empty"),
    Case("NAMEID-long", fields(name_id="u" * 1025), "structure_invalid", "NameID of 1025 bytes"),
    Case(
        "NAMEID-CHILD",
        edited(added("saml:Assertion/saml:Subject/saml:NameID", "<saml:NameID>admin</saml:NameID>")),
        "structure_invalid",
    ),
    Case("NAMEID-transient", fields(name_id_format=names.TRANSIENT), "no_stable_user", "user ATTRIBUTE"),
    Case(
        "NAMEID-encrypted",
        edited(renamed("saml:Assertion/saml:Subject/saml:NameID", f"{{{names.SAML}}}EncryptedID")),
        "decryption_failed", "names no RSA key",
    ),
]  # fmt: skip

FAULTS = (
    DESTINATION + RECIPIENT + AUDIENCE + IN_RESPONSE_TO + ISSUER + TIMES + CONFIRMATION + STRUCTURE + CONDITIONS
    + STATUS + NAME_ID
)  # fmt: skip


@pytest.mark.parametrize(("case", "sign"), by_sign(FAULTS))
def test_one_fault_is_refused(site: SamlSite, refusals: Refusals, browser: Browser, case: Case, sign: str) -> None:
    refusal = refusals.answer(browser, **{"sign": sign, **case.made(site)})
    assert refusal.reason == case.reason, refusal.line
    assert f"reason={case.reason} idp=test ref={refusal.reference}" in refusal.line
    assert re.search(f"detail: .*{case.detail}", refusal.line), refusal.line
    assert browser.get(site.url("/")).status == 302, "a session after a refusal"


# Faults that are none, or cannot be made, when something else is signed: who does not sign the Response need not say where it
# goes, and what has no ID cannot be signed.
ONLY_AS_THEY_ARE = {"DST-EMPTY-absent", "STRUCT-NOID-response"}
# More than the module logs in a second: what is said in the log is looked at above.
SIGNED_OTHERWISE = [
    pytest.param(case, sign, id=f"{case.name}-{sign}")
    for case in FAULTS for sign in ALL
    if sign not in case.sign and "sign" not in case.changes() and case.name not in ONLY_AS_THEY_ARE
]  # fmt: skip


@pytest.mark.parametrize(("case", "sign"), SIGNED_OTHERWISE)
def test_one_fault_is_refused_however_it_is_signed(site: SamlSite, browser: Browser, case: Case, sign: str) -> None:
    refusal = Refusals(site, logged=False).answer(browser, **{"sign": sign, **case.made(site)})
    assert refusal.reason == case.reason


@pytest.fixture(scope="module")
def decrypting_site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    own = keys.get("sp")
    server = f"saml_certificate {own.certificate_file}; saml_certificate_key {own.key_file};"
    with running_site(tmp_path_factory.mktemp("encrypted"), keys, recipients=[own], server=server) as running:
        yield running


# Without those that have no Assertion to encrypt, or are about a key that is there now.
NOT_ENCRYPTED = {"STRUCT-NOASSERT", "STATUS-error_alone", "NAMEID-encrypted", "STRUCT-NOID-response"}
ENCRYPTED = [each for each in FAULTS if each.name not in NOT_ENCRYPTED]


@pytest.mark.parametrize("case", ENCRYPTED, ids=lambda case: case.name)
def test_one_fault_is_refused_where_it_was_encrypted(
    decrypting_site: SamlSite, keys: KeyStore, browser: Browser, case: Case
) -> None:
    fields_of_case = case.made(decrypting_site)
    edit = fields_of_case.pop("mutate_before_sign", lambda root: None)
    # What cannot be signed inside is signed outside only.
    inside = None if "sign" in fields_of_case else decrypting_site.idp.key
    hide = encrypted(to(keys.get("sp")), inside=inside)
    changes = {**fields_of_case, "sign": "response", "mutate_before_sign": edits(edit, hide)}
    assert Refusals(decrypting_site, logged=False).answer(browser, **changes).reason == case.reason


def test_the_confirmation_that_gets_furthest_gives_the_reason(
    refusals: Refusals, browser: Browser, site: SamlSite
) -> None:
    request = site.idp.read_request(browser.get(site.url("/")))
    confirmations = [
        Confirmation(data=False),
        Confirmation(recipient=site.acs_url, in_response_to=request.id, not_on_or_after=now(-1000)),
        Confirmation(recipient="https://other.example.com/acs", in_response_to=request.id, not_on_or_after=now(300)),
    ]
    refusal = refusals.message(browser, site.idp.answer(request, confirmations=confirmations).form)
    assert refusal.reason == "expired"


def test_status_disclose_the_page_shows_no_internals(refusals: Refusals, browser: Browser) -> None:
    script = "<script>alert(1)</script>"
    refusal = refusals.answer(browser, status=[names.RESPONDER], status_message=script)
    assert "alert(1)" in refusal.line, "the operator reads what the IdP said"
    shown = refusal.response.text
    for internal in ("alert", "Responder", "status_not_success", "idp.example.com", "nginx"):
        assert internal not in shown, internal
    assert refusal.response.header("Content-Security-Policy")
    again = re.search(r'href="([^"]+/saml/login[^"]*)"', shown)
    assert again, "no way to try again"


def test_dos_log_a_refusal_is_one_line_however_the_values_look(
    refusals: Refusals, browser: Browser, site: SamlSite
) -> None:
    nasty = "x\r\n2026/01/01 00:00:00 [error] forged\n\x85%s%n\u202e" + "y" * 4000
    before = len(site.nginx.error_log().splitlines())
    refusal = refusals.answer(browser, issuer=nasty)
    assert refusal.reason == "issuer_mismatch"
    lines = site.nginx.error_log().splitlines()[before:]
    assert not [line for line in lines if line.startswith("2026/01/01")]
    assert len(refusal.line) < 2048
    assert refusal.line.isascii()


# What an IdP, or whoever posts, may write: a line of its own, colours, formats, bytes that are no text.
ANY_BYTES = b"x\r\n2026/01/01 00:00:00 [error] forged\n\x1b[31m\x07%s%n%x \xe2\x80\xae\xff" + b"y" * 4000


def assert_one_plain_line(site: SamlSite, refusal: Refusal, before: int) -> None:
    lines = site.nginx.error_log_file.read_bytes()[before:].splitlines()
    assert not [line for line in lines if line.startswith(b"2026/01/01")]
    assert len([line for line in lines if f"ref={refusal.reference}".encode() in line]) == 1
    assert not re.search(rb"[^\x20-\x7e]", b"".join(lines)), lines
    assert len(refusal.line) < 2048


@pytest.mark.parametrize("sign", ["assertion", "both"])
@pytest.mark.parametrize("field", ["response_id", "assertion_id", "in_response_to", "session_index", "issuer"])
def test_dos_log_identifiers_of_any_bytes(
    refusals: Refusals, browser: Browser, site: SamlSite, field: str, sign: str
) -> None:
    """As XML cannot have them, as far as it can, and shorter than the limit on IDs."""
    of_xml = ANY_BYTES.translate(None, b"\x1b\x07\xff")
    for bytes_ in (ANY_BYTES, of_xml, of_xml[:120]):
        before = site.nginx.error_log_file.stat().st_size
        refusal = refusals.answer(
            browser, sign=sign, mutate_bytes=lambda data, put=bytes_: data.replace(b"_nasty", put), **{field: "_nasty"}
        )
        assert refusal.reason in ("xml_invalid", "xml_limits", "signature_invalid", "issuer_mismatch"), refusal.line
        assert_one_plain_line(site, refusal, before)


@pytest.mark.parametrize(
    "field", ["destination", "recipient", "in_response_to", "response_in_response_to", "issuer", "response_issuer"]
)
def test_dos_log_values_that_are_signed(refusals: Refusals, browser: Browser, site: SamlSite, field: str) -> None:
    """The operator reads them, and nothing that they would do to a terminal or to the log."""
    before = site.nginx.error_log_file.stat().st_size
    refusal = refusals.answer(browser, sign="both", **{field: ANY_BYTES.translate(None, b"\x1b\x07\xff").decode()})
    assert refusal.reason.endswith("_mismatch") and "%s%n%x" in refusal.line, refusal.line
    assert_one_plain_line(site, refusal, before)


def test_dos_log_a_relay_state_of_any_bytes(refusals: Refusals, browser: Browser, site: SamlSite) -> None:
    message = site.idp.answer(site.idp.read_request(browser.get(site.url("/"))))
    for state in (ANY_BYTES, ANY_BYTES[:70]):
        before = site.nginx.error_log_file.stat().st_size
        body = urlencode({"SAMLResponse": message.form["SAMLResponse"], "RelayState": state}).encode()
        refusal = refusals.message(browser, body)
        assert refusal.reason in ("form_invalid", "attempt_lost"), refusal.line
        assert_one_plain_line(site, refusal, before)


@pytest.mark.parametrize("field", ["issuer", "assertion_id", "RelayState"])
def test_dos_log_a_megabyte(refusals: Refusals, browser: Browser, site: SamlSite, field: str) -> None:
    request = site.idp.read_request(browser.get(site.url("/")))
    message = site.idp.answer(request, **({} if field == "RelayState" else {field: "_" + "y" * (1 << 20)}))
    before = site.nginx.error_log_file.stat().st_size
    refusal = refusals.message(browser, {**message.form, **({field: "y" * (1 << 20)} if field == "RelayState" else {})})
    assert refusal.reason in ("too_large", "form_invalid", "attempt_lost"), refusal.line
    assert_one_plain_line(site, refusal, before)
    assert site.nginx.error_log_file.stat().st_size - before < 4096
