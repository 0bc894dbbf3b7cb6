"""Messages that are no SAML: a 4xx with its reason, at little cost, and never a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from lxml import etree

from sallyport_testing.keys import KeyStore
from sallyport_testing.pending_attempt import TAMPERED, PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import tag
from sallyport_testing.worker_cpu import cheap

Spoil = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[PendingAttempt]:
    with running_site(tmp_path_factory.mktemp("bad_input"), keys) as site, PendingAttempt(site) as attempt:
        yield attempt


def refused(pending: PendingAttempt, message: bytes) -> str:
    with cheap(pending.site.nginx):
        return pending.refuse_bytes(message)


def good(pending: PendingAttempt) -> bytes:
    return pending.site.idp.answer(pending.request, sign="both").xml


# No XML, or of another kind

NO_RESPONSE = {
    "text": (b"hello", "xml_invalid"),
    "blanks": (b" \n ", "xml_invalid"),
    "zero": (b"\0", "xml_forbidden"),
    "json": (b'{"saml": "Response"}', "xml_invalid"),
    "html": (b"<!doctype html><html><body><p>Sorry<br></body></html>", "xml_forbidden"),
    "html_without_doctype": (b"<html><body><p>Sorry<br></body></html>", "xml_invalid"),
    "gzip": (b"\x1f\x8b\x08" + bytes(20), "xml_invalid"),
    "deflated": (bytes.fromhex("789c4bcc494dcecf4d0100"), "xml_invalid"),
    "empty_element": (b"<x/>", "structure_invalid"),
    "declaration_alone": (b'<?xml version="1.0"?>', "xml_invalid"),
    "unclosed": (b"<x>", "xml_invalid"),
    "other_protocol": (b'<Response xmlns="urn:oasis:names:tc:SAML:1.0:protocol"/>', "structure_invalid"),
    "request": (
        b'<samlp:AuthnRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="_x" Version="2.0"/>',
        "structure_invalid",
    ),
    "empty_response": (b'<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"/>', "version_mismatch"),
    "undeclared_prefix": (b"<samlp:Response/>", "xml_invalid"),
    "angle_brackets": (b"<" * 200_000, "xml_invalid"),
    "attribute_twice": (b"<x a='1' a='2'/>", "xml_invalid"),
}


@pytest.mark.parametrize("name", NO_RESPONSE)
def test_no_response(pending: PendingAttempt, name: str) -> None:
    message, reason = NO_RESPONSE[name]
    assert refused(pending, message) == reason


def test_xml_trunc(pending: PendingAttempt) -> None:
    message = good(pending)
    for size in [1, 2, 5, *range(7, len(message), 97), len(message) - 1]:
        assert refused(pending, message[:size]) == "xml_invalid", size


# What an unsigned part may be called that is looked at before any signature.
BEFORE_SIGNATURES = {"version_mismatch", "status_not_success"}


def meaning(message: bytes) -> bytes | None:
    """The canonical form, and without the line breaks of SignatureValue, which nothing signs."""
    try:
        root = etree.fromstring(message)
    except etree.XMLSyntaxError:
        return None
    for value in root.iter(tag("ds:SignatureValue")):
        value.text = "".join((value.text or "").split())
    return etree.tostring(root, method="c14n", exclusive=True)


@pytest.mark.parametrize("what", ["left_out", "doubled", "flipped", "zero", "bracket"])
def test_xml_trunc_sig_tamper(pending: PendingAttempt, what: str) -> None:
    """One byte of each hundred; the unit tests do the same with every byte."""
    message = pending.site.idp.answer(pending.request, sign="both", certificate=False).xml
    for place in range(len(what), len(message), 97):
        byte = message[place : place + 1]
        changed = {
            "left_out": b"", "doubled": byte * 2, "flipped": bytes([byte[0] ^ 1]), "zero": b"\0", "bracket": b"<",
        }  # fmt: skip
        other = changed[what]
        spoilt = message[:place] + other + message[place + 1 :]
        if meaning(spoilt) != meaning(message):
            assert refused(pending, spoilt) in TAMPERED | BEFORE_SIGNATURES, place


# Bytes of a good message, spoilt

NAME_ID = b"student@example.com"


def before_root(text: bytes) -> Spoil:
    return lambda message: text + message


def in_name_id(text: bytes) -> Spoil:
    return lambda message: message.replace(NAME_ID, text, 1)


def recoded(encoding: str, *, declared: str | None = None, mark: bytes = b"") -> Spoil:
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    return lambda message: mark + (declaration + message.decode()).encode(encoding)


def declared(text: str) -> Spoil:
    return lambda message: text.encode() + message


SUBSET = b"<!DOCTYPE samlp:Response [%s]>"
SPOILT: dict[str, tuple[Spoil, str]] = {
    "XML-DTD-empty": (before_root(b"<!DOCTYPE samlp:Response>"), "xml_forbidden"),
    "XML-DTD-internal": (before_root(SUBSET % b""), "xml_forbidden"),
    "XML-DTD-public": (before_root(b'<!DOCTYPE samlp:Response PUBLIC "a" "http://{listener}/">'), "xml_forbidden"),
    "XML-DTD-system": (before_root(b'<!DOCTYPE samlp:Response SYSTEM "http://{listener}/x.dtd">'), "xml_forbidden"),
    "XML-DTD-lower_case": (before_root(b"<!doctype samlp:Response>"), "xml_forbidden"),
    "XML-DTD-behind_declaration": (before_root(b'<?xml version="1.0"?>\n<!DOCTYPE x>'), "xml_forbidden"),
    "XML-DTD-behind_comment": (before_root(b"<!-- x --><!DOCTYPE x>"), "xml_forbidden"),
    "XML-DTD-inside": (in_name_id(b"<!DOCTYPE x>"), "xml_forbidden"),
    "XML-DTD-in_cdata": (in_name_id(b"<![CDATA[<!DOCTYPE x>]]>"), "xml_forbidden"),
    "XML-XXE-file": (
        lambda m: SUBSET % b'<!ENTITY x SYSTEM "file:///etc/passwd">' + m.replace(NAME_ID, b"&x;"), "xml_forbidden",
    ),
    "XML-XXE-http": (
        lambda m: SUBSET % b'<!ENTITY x SYSTEM "http://{listener}/x">' + m.replace(NAME_ID, b"&x;"), "xml_forbidden",
    ),
    "XML-XXE-parameter": (
        before_root(SUBSET % b'<!ENTITY %x SYSTEM "http://{listener}/x"> %x;'),
        "xml_forbidden",
    ),
    **{
        f"XML-XXE-{scheme}": (
            lambda m, scheme=scheme: SUBSET % b'<!ENTITY x SYSTEM "%s://{listener}/x">' % scheme.encode()
            + m.replace(NAME_ID, b"&x;"),
            "xml_forbidden",
        )
        for scheme in ("ftp", "php", "jar", "expect", "gopher", "https", "netdoc", "data")
    },
    "XML-XXE-parameter_file": (
        before_root(
            SUBSET % b'<!ENTITY %x SYSTEM "file:///etc/passwd">'
            b'<!ENTITY %y "<!ENTITY z SYSTEM \'http://{listener}/%x;\'>">%y;'
        ),
        "xml_forbidden",
    ),
    "XML-XXE-public": (
        lambda m: SUBSET % b'<!ENTITY x PUBLIC "a" "http://{listener}/x">' + m.replace(NAME_ID, b"&x;"),
        "xml_forbidden",
    ),
    "XML-XXE-unparsed": (
        before_root(
            SUBSET % b'<!NOTATION n SYSTEM "http://{listener}/n"><!ENTITY x SYSTEM "http://{listener}/x" NDATA n>'
        ),
        "xml_forbidden",
    ),
    "XML-XXE-xinclude_text": (
        in_name_id(b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" parse="text" href="file:///etc/passwd"/>'),
        "signature_invalid",
    ),
    "XML-DTD-blanks": (before_root(b"<!DOCTYPE\n\tx\n>"), "xml_forbidden"),
    "XML-DTD-split_by_comment": (before_root(b"<!--><!DOCTYPE x>-->"), "xml_forbidden"),
    "XML-DTD-half": (before_root(b"<!DOCTYPE x ["), "xml_forbidden"),
    "XML-DTD-two": (before_root(b"<!DOCTYPE x><!DOCTYPE y>"), "xml_forbidden"),
    "XML-DTD-behind_root": (lambda m: m + b"<!DOCTYPE x>", "xml_forbidden"),
    "XML-DTD-utf16": (
        lambda m: ("\ufeff<!DOCTYPE samlp:Response>" + m.decode()).encode("utf-16-le"), "xml_forbidden",
    ),
    "XML-DTD-behind_mark": (before_root(b"\xef\xbb\xbf<!DOCTYPE x>"), "xml_forbidden"),
    "XML-DTD-in_attribute": (lambda m: m.replace(b' Destination="', b' Destination="<!DOCTYPE x>', 1), "xml_forbidden"),
    "XML-DTD-element": (before_root(b"<!ELEMENT x ANY>"), "xml_forbidden"),
    "XML-DTDATTR-default_id": (before_root(SUBSET % b'<!ATTLIST saml:Assertion ID CDATA "_x">'), "xml_forbidden"),
    "XML-DTDATTR-id_type": (before_root(SUBSET % b"<!ATTLIST saml:Assertion ID ID #REQUIRED>"), "xml_forbidden"),
    "XML-DTDATTR-format": (before_root(SUBSET % b'<!ATTLIST saml:NameID Format CDATA "urn:x">'), "xml_forbidden"),
    "XML-DTDATTR": (before_root(SUBSET % b"<!ATTLIST saml:NameID note ID #IMPLIED>"), "xml_forbidden"),
    "XML-DTDATTR-namespace": (before_root(SUBSET % b'<!ATTLIST x xmlns CDATA "urn:x">'), "xml_forbidden"),
    "XML-ENTITY-laughs": (
        before_root(SUBSET % b'<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">'),
        "xml_forbidden",
    ),
    "XML-ENTITY-quadratic": (
        lambda m: SUBSET % (b'<!ENTITY a "' + b"a" * 30_000 + b'">') + m.replace(NAME_ID, b"&a;" * 3000),
        "xml_forbidden",
    ),
    "XML-ENTITY-in_name": (
        lambda m: SUBSET % b'<!ENTITY a "admin">' + m.replace(NAME_ID, b"&a;@example.com"), "xml_forbidden",
    ),
    "XML-ENTITY-in_attribute": (
        lambda m: SUBSET % b'<!ENTITY a "admin">' + m.replace(b' Destination="', b' Destination="&a;', 1),
        "xml_forbidden",
    ),
    "XML-ENTITY-alone": (before_root(b'<!ENTITY a "x">'), "xml_forbidden"),
    "XML-ENTITY-undefined_in_attribute": (
        lambda m: m.replace(b' Destination="', b' Destination="&nosuch;', 1), "xml_invalid",
    ),
    "XML-ENTITY-undefined": (in_name_id(b"&admin;"), "xml_invalid"),
    "XML-ENTITY-zero_hex": (in_name_id(b"a&#x00;b"), "xml_invalid"),
    "XML-ENTITY-no_digits": (in_name_id(b"a&#;b"), "xml_invalid"),
    "XML-ENTITY-huge_number": (in_name_id(b"a&#" + b"9" * 40 + b";b"), "xml_limits"),
    "XML-ENTITY-wraps_around": (in_name_id(b"a&#x100000041;b"), "xml_limits"),
    "XML-ENTITY-no_semicolon": (in_name_id(b"a&#65 b"), "xml_invalid"),
    "XML-NUL-reference": (in_name_id(b"admin&#0;@example.com"), "xml_invalid"),
    "XML-ENTITY-zero": (in_name_id(b"a&#0;b"), "xml_invalid"),
    "XML-ENTITY-control": (in_name_id(b"a&#1;b"), "xml_invalid"),
    "XML-ENTITY-surrogate": (in_name_id(b"a&#xD800;b"), "xml_invalid"),
    "XML-ENTITY-beyond": (in_name_id(b"a&#x110000;b"), "xml_invalid"),
    "XML-ENTITY-bare": (in_name_id(b"a&b"), "xml_invalid"),
    "XML-XXE-stylesheet": (before_root(b'<?xml-stylesheet href="http://{listener}/x"?>'), "xml_forbidden"),
    "XML-XXE-xinclude": (
        in_name_id(b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="http://{listener}/x"/>'),
        "signature_invalid",
    ),
    "NAMEID-COMMENT-inside": (in_name_id(b"student@example.com<!---->.evil.com"), "xml_forbidden"),
    "NAMEID-COMMENT-first": (in_name_id(b"<!-- -->student@example.com"), "xml_forbidden"),
    "NAMEID-COMMENT-split": (in_name_id(b"student<!---->@example.com"), "xml_forbidden"),
    "NAMEID-COMMENT-last": (in_name_id(b"student@example.com<!---->"), "xml_forbidden"),
    "NAMEID-PI": (in_name_id(b"<?x not-an-?>student@example.com"), "xml_forbidden"),
    "NAMEID-COMMENT-before_root": (before_root(b"<!-- x -->"), "xml_forbidden"),
    "NAMEID-COMMENT-behind_root": (lambda m: m + b"<!-- x -->", "xml_forbidden"),
    "NAMEID-COMMENT-audience": (
        lambda m: m.replace(b"/saml/metadata</", b"/saml/metadata<!----></", 1), "xml_forbidden",
    ),
    "XML-MULTIROOT-behind": (lambda m: m + b"<evil/>", "xml_invalid"),
    "XML-MULTIROOT-before": (before_root(b"<evil/>"), "xml_invalid"),
    "XML-MULTIROOT-twice": (lambda m: m + m, "xml_invalid"),
    "XML-MULTIROOT-empty_behind": (lambda m: m + b"<samlp:Response/>", "xml_invalid"),
    "XML-MULTIROOT-two_with_declaration": (lambda m: m + b'<?xml version="1.0"?>' + m, "xml_forbidden"),
    "XML-MULTIROOT-cdata": (lambda m: m + b"<![CDATA[x]]>", "xml_invalid"),
    "XML-MULTIROOT-reference": (lambda m: m + b"&#65;", "xml_invalid"),
    "XML-MULTIROOT-text": (lambda m: m + b"text", "xml_invalid"),
    "XML-MULTIROOT-text_before": (before_root(b"text"), "xml_invalid"),
    "XML-NUL-behind": (lambda m: m + b"\0", "xml_forbidden"),
    "XML-NUL-behind_with_root": (lambda m: m + b"\0<evil/>", "xml_forbidden"),
    "XML-NUL-before": (before_root(b"\0"), "xml_forbidden"),
    "XML-NUL-inside": (in_name_id(b"admin\0@example.com"), "xml_forbidden"),
    "XML-ENC-utf16": (recoded("utf-16-le", mark=b"\xff\xfe"), "xml_forbidden"),
    "XML-ENC-utf16be": (recoded("utf-16-be", mark=b"\xfe\xff"), "xml_forbidden"),
    "XML-ENC-utf16_no_mark": (recoded("utf-16-le", declared="UTF-16"), "xml_forbidden"),
    "XML-ENC-utf16be_no_mark": (recoded("utf-16-be"), "xml_forbidden"),
    "XML-ENC-utf32": (recoded("utf-32-le", mark=b"\xff\xfe\0\0"), "xml_forbidden"),
    "XML-ENC-utf7": (recoded("utf-7", declared="UTF-7"), "xml_forbidden"),
    "XML-ENC-latin1": (recoded("latin-1", declared="ISO-8859-1"), "xml_forbidden"),
    "XML-ENC-cp1252": (recoded("cp1252", declared="windows-1252"), "xml_forbidden"),
    "XML-ENC-ascii_with_more": (
        lambda m: b'<?xml version="1.0" encoding="US-ASCII"?>' + in_name_id("\u00e9".encode())(m), "xml_forbidden",
    ),
    "XML-ENC-ebcdic": (recoded("cp037", declared="IBM037"), "xml_invalid"),
    "XML-ENC-ebcdic_500": (recoded("cp500", declared="IBM500"), "xml_invalid"),
    "XML-ENC-ebcdic_undeclared": (recoded("cp037"), "xml_invalid"),
    "XML-ENC-ebcdic_1140": (recoded("cp1140", declared="IBM1140"), "xml_invalid"),
    "XML-ENC-utf32be": (recoded("utf-32-be", mark=b"\0\0\xfe\xff"), "xml_forbidden"),
    "XML-ENC-utf32_no_mark": (recoded("utf-32-le"), "xml_forbidden"),
    "XML-ENC-utf7_undeclared": (lambda m: b"+/v8-" + m, "xml_invalid"),
    "XML-ENC-utf16_declared_only": (declared('<?xml version="1.0" encoding="UTF-16"?>'), "xml_forbidden"),
    **{
        f"XML-ENC-declared_{name or 'empty'}": (declared(f'<?xml version="1.0" encoding="{name}"?>'), "xml_forbidden")
        for name in ("ISO-8859-1", "latin1", "windows-1252", "UTF-7", "UCS-4", "EBCDIC-CP-US", "HTML", "UTF-8;x",
                     "UTF8", "unknown", "", " UTF-8", "Shift_JIS", "GB18030", "EUC-JP")
    },
    "XML-ENC-mark_and_lie": (
        lambda m: b'\xef\xbb\xbf<?xml version="1.0" encoding="ISO-8859-1"?>' + m, "xml_forbidden",
    ),
    "XML-ENC-two_marks": (before_root(b"\xef\xbb\xbf\xef\xbb\xbf"), "xml_invalid"),
    "XML-ENC-version_missing": (declared('<?xml encoding="UTF-8"?>'), "xml_invalid"),
    "XML-ENC-version_empty": (declared('<?xml version=""?>'), "xml_forbidden"),
    "XML-ENC-version_2": (declared('<?xml version="2.0"?>'), "xml_forbidden"),
    "XML-ENC-version_10": (declared('<?xml version="1.00"?>'), "xml_forbidden"),
    "XML-ENC-upper_case": (declared('<?XML version="1.0"?>'), "xml_forbidden"),
    "XML-ENC-unclosed_declaration": (declared('<?xml version="1.0"'), "xml_invalid"),
    "XML-ENC-unknown_part": (declared('<?xml version="1.0" x="y"?>'), "xml_invalid"),
    "XML-ENC-lying": (in_name_id("\u00e9".encode("latin-1")), "xml_invalid"),
    "XML-ENC-two_declarations": (declared('<?xml version="1.0"?><?xml version="1.0"?>'), "xml_forbidden"),
    "XML-ENC-late_declaration": (declared('\n<?xml version="1.0"?>'), "xml_forbidden"),
    "XML-ENC-version": (declared('<?xml version="1.1"?>'), "xml_forbidden"),
    "XML-ENC-version12": (declared('<?xml version="1.2" encoding="UTF-8"?>'), "xml_forbidden"),
    "XML-UTF8-overlong": (in_name_id(b"a\xc0\x80b"), "xml_invalid"),
    "XML-UTF8-overlong_bracket": (in_name_id(b"a\xc0\xbcb"), "xml_invalid"),
    "XML-UTF8-surrogate": (in_name_id(b"a\xed\xa0\x80b"), "xml_invalid"),
    "XML-UTF8-beyond": (in_name_id(b"a\xf4\x90\x80\x80b"), "xml_invalid"),
    "XML-UTF8-continuation": (in_name_id(b"a\x80b"), "xml_invalid"),
    "XML-UTF8-no_character": (in_name_id(b"a\xef\xbf\xbeb"), "xml_invalid"),
    "XML-UTF8-overlong_3": (in_name_id(b"a\xe0\x80\x80b"), "xml_invalid"),
    "XML-UTF8-overlong_4": (in_name_id(b"a\xf0\x80\x80\xafb"), "xml_invalid"),
    "XML-UTF8-five_octets": (in_name_id(b"a\xf8\x88\x80\x80\x80b"), "xml_invalid"),
    "XML-UTF8-high_surrogate": (in_name_id(b"a\xed\xbf\xbfb"), "xml_invalid"),
    "XML-UTF8-pair": (in_name_id(b"a\xed\xa0\xbd\xed\xb8\x80b"), "xml_invalid"),
    "XML-UTF8-ff": (in_name_id(b"a\xffb"), "xml_invalid"),
    "XML-UTF8-fe": (in_name_id(b"a\xfeb"), "xml_invalid"),
    "XML-UTF8-cut_in_text": (in_name_id(b"a\xe2\x82"), "xml_invalid"),
    "XML-UTF8-no_character_ffff": (in_name_id(b"a\xef\xbf\xbfb"), "xml_invalid"),
    "XML-UTF8-mark_in_tag": (lambda m: m.replace(b"<saml:Subject>", b"<\xef\xbb\xbfsaml:Subject>", 1), "xml_invalid"),
    "XML-UTF8-in_attribute": (lambda m: m.replace(b' Version="', b' Version="\xc0\xae', 1), "xml_invalid"),
    "XML-UTF8-truncated": (lambda m: m + b"\xe2\x82", "xml_invalid"),
    "PARSER-DIFF-attribute_without_quotes": (lambda m: m.replace(b' Version="2.0"', b" Version=2.0", 1), "xml_invalid"),
    "PARSER-DIFF-attribute_without_value": (lambda m: m.replace(b' Version="2.0"', b" Version", 1), "xml_invalid"),
    "PARSER-DIFF-attributes_without_blank": (
        lambda m: m.replace(b' Version="2.0" ', b' Version="2.0"', 1), "xml_invalid",
    ),
    "PARSER-DIFF-less_than_in_attribute": (
        lambda m: m.replace(b' Destination="', b' Destination="<', 1), "xml_invalid",
    ),
    "PARSER-DIFF-attribute_twice": (
        lambda m: m.replace(b' Version="2.0"', b' Version="2.0" Version="2.0"', 1), "xml_invalid",
    ),
    "PARSER-DIFF-attribute_twice_by_prefix": (
        lambda m: m.replace(b' Version="2.0"', b' xmlns:a="urn:x" xmlns:b="urn:x" a:c="1" b:c="2" Version="2.0"', 1),
        "xml_invalid",
    ),
    "PARSER-DIFF-end_tag_with_attribute": (
        lambda m: m.replace(b"</saml:NameID>", b'</saml:NameID x="">', 1), "xml_invalid",
    ),
    "PARSER-DIFF-end_tag_case": (lambda m: m.replace(b"</saml:NameID>", b"</saml:nameid>", 1), "xml_invalid"),
    "PARSER-DIFF-end_tag_prefix": (
        lambda m: m.replace(b"<saml:Subject>", b'<saml:Subject xmlns:t="urn:oasis:names:tc:SAML:2.0:assertion">', 1)
        .replace(b"</saml:Subject>", b"</t:Subject>", 1),
        "xml_invalid",
    ),
    "PARSER-DIFF-blank_in_tag": (lambda m: m.replace(b"<saml:Subject>", b"< saml:Subject>", 1), "xml_invalid"),
    "PARSER-DIFF-two_colons": (in_name_id(b"<a:b:c/>"), "xml_invalid"),
    "PARSER-DIFF-empty_prefix": (in_name_id(b"<:c/>"), "xml_invalid"),
    "PARSER-DIFF-empty_namespace": (in_name_id(b'<a:c xmlns:a=""/>'), "xml_invalid"),
    "PARSER-DIFF-xmlns_prefix": (in_name_id(b'<c xmlns:xmlns="urn:x"/>'), "xml_invalid"),
    "PARSER-DIFF-xml_prefix": (in_name_id(b'<c xmlns:xml="urn:x"/>'), "xml_invalid"),
    "PARSER-DIFF-xmlns_namespace": (in_name_id(b'<c xmlns:x="http://www.w3.org/2000/xmlns/"/>'), "xml_invalid"),
    "PARSER-DIFF-default_xmlns_namespace": (
        in_name_id(b'<c xmlns="http://www.w3.org/XML/1998/namespace"/>'), "xml_invalid",
    ),
    "PARSER-DIFF-cdata_unclosed": (in_name_id(b"<![CDATA[x"), "xml_invalid"),
    "PARSER-DIFF-cdata_lower_case": (in_name_id(b"<![cdata[x]]>"), "xml_forbidden"),
    "PARSER-DIFF-comment_with_dashes": (in_name_id(b"<!-- a -- b -->"), "xml_forbidden"),
    "PARSER-DIFF-comment_odd_end": (in_name_id(b"<!-->student@example.com-->"), "xml_forbidden"),
    "PARSER-DIFF-instruction_named_xml": (in_name_id(b'<?xml version="1.0"?>'), "xml_forbidden"),
    "PARSER-DIFF-instruction_odd_end": (in_name_id(b"<?x >student@example.com?>"), "xml_forbidden"),
    "PARSER-DIFF-nested_cdata_end": (in_name_id(b"<![CDATA[a]]]]>b"), "signature_invalid"),
    "PARSER-DIFF-bracket_reference": (in_name_id(b"]]&gt;"), "signature_invalid"),
    "PARSER-DIFF-control": (in_name_id(b"a\x0bb"), "xml_invalid"),
    "PARSER-DIFF-control_1f": (in_name_id(b"a\x1fb"), "xml_invalid"),
    "PARSER-DIFF-next_line": (lambda m: m.replace(b" Version=", b"\xc2\x85Version=", 1), "xml_invalid"),
    "PARSER-DIFF-no_break_space": (lambda m: m.replace(b" Version=", b"\xc2\xa0Version=", 1), "xml_invalid"),
    "PARSER-DIFF-cdata_end": (in_name_id(b"a]]>b"), "xml_invalid"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_bytes(pending: PendingAttempt, name: str) -> None:
    spoil, reason = SPOILT[name]
    message = spoil(good(pending)).replace(b"{listener}", pending.site.upstream.address.encode())
    assert refused(pending, message) == reason
    assert "root:" not in pending.site.nginx.error_log(), "a file's content in the log"


