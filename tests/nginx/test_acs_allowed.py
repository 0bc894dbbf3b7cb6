"""What the Web Browser SSO profile leaves to the sender, and times at the bounds: accepted."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sallyport_testing import saml_names as names
from sallyport_testing.answer_cases import BOTH, Case, by_sign, edited, fields
from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.running import running_site
from sallyport_testing.saml_response import Confirmation, now
from sallyport_testing.site import SamlSite
from sallyport_testing.tree_edits import added, behind, doubled

OTHER_SP = "https://other.example.com/saml/metadata"
DAY = 24 * 3600
ADVICE = "<saml:Advice><saml:AssertionIDRef>_x</saml:AssertionIDRef></saml:Advice>"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    with running_site(tmp_path_factory.mktemp("allowed"), keys) as running:
        yield running


VALID = [
    Case("AUD-several", fields(audiences=[OTHER_SP, "https://app.example.com/saml/metadata"])),
    Case(
        "AUD-two_restrictions",
        fields(more_audience_restrictions=[["https://app.example.com/saml/metadata", OTHER_SP]]),
    ),
    Case("TIME-NB-in_skew", lambda: {"not_before": now(175)}),
    Case("TIME-NOOA-in_skew", lambda: {"not_before": now(-600), "not_on_or_after": now(-170)}),
    Case("SC-EXPIRED-in_skew", lambda: {"confirmation_not_on_or_after": now(-170)}),
    Case("TIME-LIFE-a_day", lambda: {"confirmation_not_on_or_after": now(DAY + 120)}),
    Case("TIME-LIFE-issued_a_day_ago", lambda: {"assertion_instant": now(-DAY), "response_instant": now(-DAY)}),
    Case("TIME-issued_in_skew", lambda: {"assertion_instant": now(170), "response_instant": now(170)}),
    Case("TIME-fractions", fields(not_before="2026-01-01T00:00:00.123456789012345678901234567890Z")),
    Case("COND-NOTIME", fields(not_before=None, not_on_or_after=None)),
    Case("COND-far", fields(not_on_or_after="9999-12-31T23:59:59Z")),
    Case("COND-onetimeuse", fields(one_time_use=True)),
    Case("COND-proxy", edited(added("saml:Assertion/saml:Conditions", '<saml:ProxyRestriction Count="0"/>'))),
    Case("STMT-no_session_index", fields(session_index=None)),
    Case("STMT-two", edited(doubled("saml:Assertion/saml:AuthnStatement"))),
    Case("STMT-no_class", fields(authn_context=None)),
    Case("SC-ADDRESS", fields(address="192.0.2.1")),
    Case("DST-EMPTY-unsigned", fields(destination=None)),
    Case("ISS-entity_format", fields(issuer_format=names.ENTITY, response_issuer_format=names.ENTITY), sign=BOTH),
    Case("NAMEID-SPNQ-ours", fields(sp_name_qualifier="https://app.example.com/saml/metadata", name_qualifier="x")),
    Case("NAMEID-blanks_around", fields(name_id="student@example.com")),
    Case("STATUS-message", fields(status_message="all is well")),
    Case("SESS-NOOA-later", lambda: {"session_not_on_or_after": now(3600)}),
    Case(
        "ADVICE",
        edited(behind("saml:Assertion/saml:Conditions", ADVICE)),
    ),
    Case(
        "EXTENSIONS",
        edited(behind("saml:Issuer", '<samlp:Extensions><x xmlns="urn:x">y</x></samlp:Extensions>')), sign=BOTH,
    ),
]  # fmt: skip


@pytest.mark.parametrize(("case", "sign"), by_sign(VALID))
def test_what_the_profile_allows_is_accepted(site: SamlSite, browser: Browser, case: Case, sign: str) -> None:
    echo = site.login(browser, "/page", **{"sign": sign, **case.made(site)}).echo()
    assert echo.header("X-SSO-User") == "student@example.com"


def test_an_unsigned_response_needs_no_issuer(site: SamlSite, browser: Browser) -> None:
    assert site.login(browser, response_issuer=None).echo().header("X-SSO-User") == "student@example.com"


def test_one_good_confirmation_of_several_is_enough(site: SamlSite, browser: Browser) -> None:
    request = site.idp.read_request(browser.get(site.url("/page")))
    good = Confirmation(recipient=site.acs_url, in_response_to=request.id, not_on_or_after=now(300))
    others = [
        Confirmation(method=names.HOLDER_OF_KEY),
        Confirmation(recipient="https://other.example.com/acs", in_response_to=request.id, not_on_or_after=now(300)),
        Confirmation(recipient=site.acs_url, in_response_to=request.id, not_on_or_after=now(-1000)),
        Confirmation(data=False),
    ]
    answered = site.idp.post(browser, site.idp.answer(request, confirmations=[*others, good]))
    assert answered.status == 303
    assert browser.follow(answered).echo().uri == "/page"


ODD_NAMES = {
    "two_alphabets": ("p\u0430ypal@example.com", "p%D0%B0ypal@example.com"),
    "right_to_left": ("\u202eadmin", "%E2%80%AEadmin"),
    "joiner": ("ad\u200dmin", "ad%E2%80%8Dmin"),
    "full_width": ("admin\uff20example.com", "admin%EF%BC%A0example.com"),
    "mark_inside": ("ad\ufeffmin", "ad%EF%BB%BFmin"),
    "line_separator": ("a\u2028b", "a%E2%80%A8b"),
    "beyond_the_basic_plane": ("\U0001f600", "%F0%9F%98%80"),
    "last_of_all": ("\U0010fffd", "%F4%8F%BF%BD"),
    "composed": ("\u00e9", "%C3%A9"),
    "decomposed": ("e\u0301", "e%CC%81"),
    "blanks_around": (" admin ", "%20admin%20"),
    "lines": ("admin\r\nX-SSO-Groups: root", "admin%0D%0AX-SSO-Groups: root"),
    "tab": ("a\tb", "a%09b"),
    "next_line": ("a\u0085b", "a%C2%85b"),
    "markup": ("<b>&amp;</b>", "<b>&amp;</b>"),
    "percent": ("50%20", "50%2520"),
}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_xml_utf8_hdr_crlf_hdr_utf8_odd_names_stay_what_they_are(site: SamlSite, browser: Browser, name: str) -> None:
    """The bytes that were signed, in the encoding of all headers."""
    sent, seen = ODD_NAMES[name]
    echo = site.login(browser, name_id=sent, name_id_format=names.PERSISTENT, attributes=()).echo()
    assert echo.header("X-SSO-User") == seen
    assert echo.header("X-SSO-Groups") is None


WRITTEN = {
    "XML-CDATA": (b"<![CDATA[student@example.com]]>", "student@example.com"),
    "XML-CDATA-part": (b"student<![CDATA[@example]]>.com", "student@example.com"),
    "XML-CDATA-markup": (b"<![CDATA[<saml:NameID>admin</saml:NameID>]]>", "<saml:NameID>admin</saml:NameID>"),
    "XML-CDATA-empty": (b"<![CDATA[]]>student@example.com", "student@example.com"),
    "XML-CDATA-two": (b"<![CDATA[student]]><![CDATA[@example.com]]>", "student@example.com"),
    "charref": (b"student&#64;example.com", "student@example.com"),
    "entity": (b"a&lt;b&amp;c", "a<b&c"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_xml_cdata_text_written_otherwise(site: SamlSite, browser: Browser, name: str) -> None:
    """The canonical form is signed, which knows no CDATA: the whole text counts."""
    written, seen = WRITTEN[name]
    echo = site.login(
        browser, name_id=seen, name_id_format=names.PERSISTENT,
        mutate_bytes=lambda xml: re.sub(rb"(<saml:NameID[^>]*>).*(</saml:NameID>)", rb"\1" + written + rb"\2", xml),
    ).echo()  # fmt: skip
    assert echo.header("X-SSO-User") == seen


STARTS = [
    b"\xef\xbb\xbf", b" \n", b"\r\n\t", b'\xef\xbb\xbf<?xml version="1.0" encoding="utf-8"?>\n',
    b"<?xml version='1.0'?>", b'<?xml version="1.0" encoding="UTF-8"?>', b"<?xml version='1.0' encoding='UTF-8'?>\r\n",
    b'<?xml version="1.0" encoding="Utf-8" standalone="no"?>', b'<?xml version="1.0" standalone="yes"?>',
    b'<?xml  version = "1.0"  encoding = "UTF-8" ?>', b'<?xml version="1.0" encoding="US-ASCII"?>',
]  # fmt: skip


@pytest.mark.parametrize("start", STARTS)
def test_xml_enc_what_may_stand_before_the_root(site: SamlSite, browser: Browser, start: bytes) -> None:
    assert site.login(browser, mutate_bytes=lambda message: start + message).status == 200
