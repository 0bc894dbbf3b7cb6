"""Messages that are no SAML: a 4xx with its reason, at little cost, and never a session."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.worker_cpu import cheap

Spoil = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[PendingAttempt]:
    with running_site(tmp_path_factory.mktemp("bad_input"), keys) as site, PendingAttempt(site) as attempt:
        yield attempt


@pytest.fixture(scope="module")
def generous(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[PendingAttempt]:
    """A site that takes messages of up to 16 MB."""
    folder = tmp_path_factory.mktemp("generous")
    with running_site(folder, keys, server="saml_max_message_size 16m;") as site, PendingAttempt(site) as attempt:
        yield attempt


def refused(pending: PendingAttempt, message: bytes) -> str:
    """The reason for which the pending attempt's answer is refused when these are its bytes."""
    form = {"SAMLResponse": base64.b64encode(message).decode(), "RelayState": pending.request.relay_state or ""}
    with cheap(pending.site.nginx):
        return pending.refusals.message(pending.browser, form).reason


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


def test_truncated(pending: PendingAttempt) -> None:
    """XML-TRUNC: prefixes of a good message."""
    message = good(pending)
    for size in [1, 2, 5, *range(7, len(message), len(message) // 60), len(message) - 1]:
        assert refused(pending, message[:size]) == "xml_invalid", size


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
    "XML-DTDATTR": (before_root(SUBSET % b"<!ATTLIST saml:NameID note ID #IMPLIED>"), "xml_forbidden"),
    "XML-DTDATTR-namespace": (before_root(SUBSET % b'<!ATTLIST x xmlns CDATA "urn:x">'), "xml_forbidden"),
    "XML-ENTITY-laughs": (
        before_root(SUBSET % b'<!ENTITY a "haha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">'),
        "xml_forbidden",
    ),
    "XML-ENTITY-undefined": (in_name_id(b"&admin;"), "xml_invalid"),
    "XML-ENTITY-zero": (in_name_id(b"a&#0;b"), "xml_invalid"),
    "XML-ENTITY-control": (in_name_id(b"a&#1;b"), "xml_invalid"),
    "XML-ENTITY-surrogate": (in_name_id(b"a&#xD800;b"), "xml_invalid"),
    "XML-ENTITY-beyond": (in_name_id(b"a&#x110000;b"), "xml_invalid"),
    "XML-ENTITY-bare": (in_name_id(b"a&b"), "xml_invalid"),
    "XML-XXE-stylesheet": (before_root(b'<?xml-stylesheet href="http://{listener}/x"?>'), "xml_forbidden"),
    "XML-XXE-xinclude": (
        in_name_id(b'<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="http://{listener}/x"/>'),
        "structure_invalid|signature_invalid",
    ),
    "NAMEID-COMMENT-inside": (in_name_id(b"student@example.com<!---->.evil.com"), "xml_forbidden"),
    "NAMEID-COMMENT-first": (in_name_id(b"<!-- -->student@example.com"), "xml_forbidden"),
    "NAMEID-COMMENT-split": (in_name_id(b"student<!---->@example.com"), "xml_forbidden"),
    "NAMEID-COMMENT-last": (in_name_id(b"student@example.com<!---->"), "xml_forbidden"),
    "NAMEID-PI": (in_name_id(b"<?x not-an-?>student@example.com"), "xml_forbidden"),
    "COMMENT-before": (before_root(b"<!-- x -->"), "xml_forbidden"),
    "COMMENT-behind": (lambda m: m + b"<!-- x -->", "xml_forbidden"),
    "COMMENT-audience": (lambda m: m.replace(b"/saml/metadata</", b"/saml/metadata<!----></", 1), "xml_forbidden"),
    "XML-MULTIROOT-behind": (lambda m: m + b"<evil/>", "xml_invalid"),
    "XML-MULTIROOT-before": (before_root(b"<evil/>"), "xml_invalid"),
    "XML-MULTIROOT-twice": (lambda m: m + m, "xml_invalid"),
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
    "XML-ENC-ebcdic": (recoded("cp037", declared="IBM037"), "xml_invalid|xml_forbidden"),
    "XML-ENC-lying": (in_name_id("\u00e9".encode("latin-1")), "xml_invalid"),
    "XML-ENC-two_declarations": (declared('<?xml version="1.0"?><?xml version="1.0"?>'), "xml_forbidden"),
    "XML-ENC-late_declaration": (declared('\n<?xml version="1.0"?>'), "xml_forbidden|xml_invalid"),
    "XML-ENC-version": (declared('<?xml version="1.1"?>'), "xml_forbidden"),
    "XML-ENC-version12": (declared('<?xml version="1.2" encoding="UTF-8"?>'), "xml_forbidden"),
    "XML-UTF8-overlong": (in_name_id(b"a\xc0\x80b"), "xml_invalid"),
    "XML-UTF8-overlong_bracket": (in_name_id(b"a\xc0\xbcb"), "xml_invalid"),
    "XML-UTF8-surrogate": (in_name_id(b"a\xed\xa0\x80b"), "xml_invalid"),
    "XML-UTF8-beyond": (in_name_id(b"a\xf4\x90\x80\x80b"), "xml_invalid"),
    "XML-UTF8-continuation": (in_name_id(b"a\x80b"), "xml_invalid"),
    "XML-UTF8-no_character": (in_name_id(b"a\xef\xbf\xbeb"), "xml_invalid"),
    "XML-UTF8-truncated": (lambda m: m + b"\xe2\x82", "xml_invalid"),
    "XML-control": (in_name_id(b"a\x0bb"), "xml_invalid"),
    "XML-cdata_end": (in_name_id(b"a]]>b"), "xml_invalid|signature_invalid"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_bytes(pending: PendingAttempt, name: str) -> None:
    spoil, reasons = SPOILT[name]
    message = spoil(good(pending)).replace(b"{listener}", pending.site.upstream.address.encode())
    assert refused(pending, message) in reasons.split("|")
    assert "root:" not in pending.site.nginx.error_log(), "a file's content in the log"


# Large ones


def deep(levels: int) -> bytes:
    return b"<a>" * levels + b"</a>" * levels


def wide(attributes: int) -> bytes:
    return b"<a " + b" ".join(b'a%d=""' % number for number in range(attributes)) + b"/>"


def many(elements: int) -> bytes:
    return b"<x>" + b"<a/>" * elements + b"</x>"


def declarations(count: int) -> bytes:
    return b"<x " + b" ".join(b'xmlns:a%d="urn:a%d"' % (number, number) for number in range(count)) + b"/>"


def namespaces_in_levels(levels: int, each: int) -> bytes:
    opened = b"".join(
        b"<a " + b" ".join(b'xmlns:n%d_%d="urn:%d"' % (level, number, number) for number in range(each)) + b">"
        for level in range(levels)
    )
    return opened + b"<b/>" * 20_000 + b"</a>" * levels


LARGE = {
    "a_megabyte": (b"<x>" + b"y" * 1_000_000 + b"</x>", "too_large"),
    "XML-DEPTH-33": (deep(33), "xml_limits"),
    "XML-DEPTH-257": (deep(257), "xml_limits"),
    "XML-DEPTH-30000": (deep(30_000), "xml_limits"),
    "XML-WIDE-33": (wide(33), "xml_limits"),
    "XML-WIDE-20000": (wide(20_000), "xml_limits"),
    "XML-WIDE-elements": (many(20_001), "xml_limits"),
    "XML-WIDE-elements_65000": (many(65_000), "xml_limits"),
    "XML-WIDE-declarations": (declarations(17), "xml_limits"),
    "XML-WIDE-declarations_10000": (declarations(10_000), "xml_limits"),
    "DOS-C14N-levels": (namespaces_in_levels(20, 12), "xml_limits"),
    "XML-ENTITY-ampersands": (b"<x>" + b"&amp;" * 50_000 + b"</x>", "structure_invalid"),
    "one_long_name": (b"<" + b"a" * 200_000 + b"/>", "xml_limits"),
    "one_long_attribute": (b"<x a='" + b"a" * 200_000 + b"'/>", "structure_invalid"),
}


@pytest.mark.parametrize("name", LARGE)
def test_large(pending: PendingAttempt, name: str) -> None:
    message, reasons = LARGE[name]
    assert refused(pending, message) in reasons.split("|")


VERY_LARGE = {
    "ten_megabytes": (b"<x>" + b"y" * 10_000_000 + b"</x>", "structure_invalid|xml_invalid"),
    "million_attributes": (wide(1_000_000), "xml_limits"),
    "hundred_thousand_levels": (deep(100_000), "xml_limits"),
    "million_elements": (many(1_000_000), "xml_limits"),
    "million_declarations": (declarations(500_000), "xml_limits"),
    "one_attribute": (b"<x a='" + b"a" * 9_000_000 + b"'/>", "structure_invalid"),
}


@pytest.mark.parametrize("name", VERY_LARGE)
def test_very_large(pending: PendingAttempt, generous: PendingAttempt, name: str) -> None:
    """With the usual limit on size, and where an operator allows as much."""
    message, reasons = VERY_LARGE[name]
    assert refused(pending, message) == "too_large"
    assert refused(generous, message) in reasons.split("|")


def test_memory_does_not_stay(generous: PendingAttempt) -> None:
    def resident() -> int:
        return max(
            int(line.split()[1]) for pid in generous.site.nginx.workers()
            for line in open(f"/proc/{pid}/status") if line.startswith("VmRSS")
        )  # fmt: skip

    def once() -> None:
        refused(generous, b"<x>" + b"y" * 5_000_000 + b"</x>")

    once(), once()
    before = resident()
    for _ in range(6):
        once()
    assert resident() - before < 20_000, "kB"


# Base64


def without_padding(text: bytes) -> bytes:
    return text.rstrip(b"=")


BASE64: dict[str, tuple[Spoil, str]] = {
    "no_padding": (without_padding, "base64_invalid"),
    "more_padding": (lambda text: text + b"=", "base64_invalid"),
    "padding_inside": (lambda text: text[:40] + b"==" + text[40:], "base64_invalid"),
    "url_alphabet": (lambda text: b"-_" + text[2:], "base64_invalid"),
    "blank_inside": (lambda text: text[:10] + b"*" + text[10:], "base64_invalid"),
    "percent": (lambda text: text[:8] + b"%" + text[8:], "base64_invalid"),
    "behind_padding": (lambda text: text + b"AAAA", "base64_invalid"),
    "twice": (lambda text: base64.b64encode(text), "xml_invalid"),
    "one_character": (lambda text: b"A", "base64_invalid"),
    "blanks": (lambda text: b" \r\n ", "base64_invalid|xml_invalid"),
    "nothing": (lambda text: b"", "response_missing"),
    "nul": (lambda text: text[:8] + b"\0" + text[8:], "base64_invalid"),
    "not_ascii": (lambda text: "\u00e9".encode() + text, "base64_invalid"),
}


def padded(message: bytes) -> bytes:
    """Base64 that ends in two padding characters."""
    return base64.b64encode(message + b" " * ((1 - len(message)) % 3))


@pytest.mark.parametrize("name", BASE64)
def test_base64(pending: PendingAttempt, name: str) -> None:
    spoil, reasons = BASE64[name]
    text = spoil(padded(good(pending))).decode()
    form = {"SAMLResponse": text, "RelayState": pending.request.relay_state or ""}
    with cheap(pending.site.nginx):
        assert pending.refusals.message(pending.browser, form).reason in reasons.split("|")


@pytest.mark.parametrize("line_end", ["\r\n", "\n", " \r\n"])
def test_base64_in_lines(pending: PendingAttempt, line_end: str) -> None:
    """B64: the line breaks of RFC 2045."""
    browser = Browser()
    request = pending.site.idp.read_request(browser.get(pending.site.url("/")))
    text = base64.b64encode(pending.site.idp.answer(request).xml).decode()
    folded = line_end.join(text[at : at + 76] for at in range(0, len(text), 76)) + line_end
    form = {"SAMLResponse": folded, "RelayState": request.relay_state or ""}
    assert browser.post_from(pending.site.idp.sso_url, pending.site.acs_url, form).status == 303
