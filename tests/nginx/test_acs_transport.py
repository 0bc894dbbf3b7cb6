"""How a message is packed: base64, compression, and the bindings that the ACS does not speak."""

from __future__ import annotations

import base64
import gzip
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.running import running_site
from sallyport_testing.worker_cpu import cheap

Spoil = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[PendingAttempt]:
    with running_site(tmp_path_factory.mktemp("transport"), keys) as site, PendingAttempt(site) as attempt:
        yield attempt


def good(pending: PendingAttempt) -> bytes:
    return pending.site.idp.answer(pending.request, sign="both").xml


def deflated(data: bytes, *, window: int = -15) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return packer.compress(data) + packer.flush()


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
    "percent_encoded_twice": (lambda text: quote(text.decode() + "+").encode(), "base64_invalid"),
    "blank_for_plus": (lambda text: text[:40] + b" " + text[41:], "base64_invalid"),
    "data_url": (lambda text: b"data:text/xml;base64," + text, "base64_invalid"),
    "quoted": (lambda text: b'"' + text + b'"', "base64_invalid"),
    "mark_before": (lambda text: b"\xef\xbb\xbf" + text, "base64_invalid"),
    "cut": (lambda text: text[:-1], "base64_invalid"),
    "other_last_bits": (lambda text: text[:-3] + bytes([text[-3] + 1]) + b"==", "base64_invalid"),
    "hex": (lambda text: base64.b64decode(text).hex().encode() + b"=", "base64_invalid"),
    "plain_xml": (lambda text: base64.b64decode(text), "base64_invalid"),
    "one_character": (lambda text: b"A", "base64_invalid"),
    "blanks": (lambda text: b" \r\n ", "xml_invalid"),
    "nothing": (lambda text: b"", "response_missing"),
    "nul": (lambda text: text[:8] + b"\0" + text[8:], "base64_invalid"),
    "not_ascii": (lambda text: "\u00e9".encode() + text, "base64_invalid"),
}


def padded(message: bytes) -> bytes:
    """Base64 that ends in two padding characters."""
    return base64.b64encode(message + b" " * ((1 - len(message)) % 3))


@pytest.mark.parametrize("name", BASE64)
def test_b64(pending: PendingAttempt, name: str) -> None:
    spoil, reason = BASE64[name]
    text = spoil(padded(good(pending))).decode()
    with cheap(pending.site.nginx):
        assert pending.refuse_text(text) == reason


@pytest.mark.parametrize("line_end", ["\r\n", "\n", " \r\n"])
def test_b64_in_lines(pending: PendingAttempt, line_end: str) -> None:
    """The line breaks of RFC 2045."""
    browser = Browser()
    request = pending.site.idp.read_request(browser.get(pending.site.url("/")))
    text = base64.b64encode(pending.site.idp.answer(request).xml).decode()
    folded = line_end.join(text[at : at + 76] for at in range(0, len(text), 76)) + line_end
    form = {"SAMLResponse": folded, "RelayState": request.relay_state or ""}
    assert browser.post_from(pending.site.idp.sso_url, pending.site.acs_url, form).status == 303


# Compression: nothing that is posted is ever inflated

STORED_BLOCK = b"\0\xff\xff\0\0" + bytes(65_535)
BOMBS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a_hundred_megabytes": (lambda: deflated(bytes(100_000_000)), "xml_invalid"),
    "of_xml": (lambda: deflated(b"<x>" + b" " * 50_000_000 + b"</x>"), "xml_invalid"),
    "nested": (lambda: deflated(deflated(bytes(100_000_000))), "xml_invalid"),
    "zlib_header": (lambda: deflated(bytes(10_000_000), window=15), "xml_invalid"),
    "gzip": (lambda: gzip.compress(bytes(10_000_000)), "xml_invalid"),
    "bytes_behind": (lambda: deflated(b"<x/>") + b"x" * 1000, "xml_invalid"),
    "distance_beyond_window": (lambda: bytes.fromhex("4bfe3f") + b"\xff" * 100, "xml_invalid"),
    "endless_stored_blocks": (lambda: STORED_BLOCK * 3, "xml_forbidden"),
}


@pytest.mark.parametrize("name", BOMBS)
def test_deflate_bomb(pending: PendingAttempt, name: str) -> None:
    make, reason = BOMBS[name]
    message = make()
    assert len(message) < 262_144
    with cheap(pending.site.nginx):
        assert pending.refuse_bytes(message) == reason


@pytest.mark.parametrize("window", [-15, 15, 31], ids=["raw", "zlib", "gzip"])
def test_deflate_post(pending: PendingAttempt, window: int) -> None:
    """A good answer, compressed as for the Redirect binding."""
    assert pending.refuse_bytes(deflated(good(pending), window=window)) == "xml_invalid"


# The Redirect binding: no answer comes that way


def query(pending: PendingAttempt, **changes: str | None) -> list[tuple[str, str]]:
    """An answer by the Redirect binding, signed as Bindings 3.4.4.1 says, with changes of its parameters."""
    message = pending.site.idp.answer(pending.request, sign="none").xml
    fields = [
        ("SAMLResponse", base64.b64encode(deflated(message)).decode()),
        ("RelayState", pending.request.relay_state or ""),
        ("SigAlg", names.RSA_SHA256),
    ]
    key = pending.site.idp.key.private
    value = key.sign(urlencode(fields).encode(), padding.PKCS1v15(), hashes.SHA256())
    fields.append(("Signature", base64.b64encode(value).decode()))
    return [(name, changes.get(name, text)) for name, text in fields if changes.get(name, text) is not None]


def without(name: str) -> Callable[[PendingAttempt], str]:
    return lambda pending: urlencode([pair for pair in query(pending) if pair[0] != name])


def twice(name: str, value: str) -> Callable[[PendingAttempt], str]:
    return lambda pending: urlencode([*query(pending), (name, value)])


QUERIES: dict[str, Callable[[PendingAttempt], str]] = {
    "signed": lambda pending: urlencode(query(pending)),
    "no_Signature": without("Signature"),
    "no_SigAlg": without("SigAlg"),
    "no_RelayState": without("RelayState"),
    "SigAlg_twice": twice("SigAlg", names.RSA_SHA1),
    "Signature_twice": twice("Signature", "AAAA"),
    "SAMLResponse_twice": twice("SAMLResponse", "AAAA"),
    "SAMLRequest_too": twice("SAMLRequest", "AAAA"),
    "turned": lambda pending: urlencode(list(reversed(query(pending)))),
    "lower_case_escapes": lambda pending: urlencode(query(pending)).replace("%2B", "%2b").replace("%2F", "%2f"),
    "escaped_letters": lambda pending: urlencode(query(pending)).replace("SAMLResponse", "%53AMLResponse"),
    "blank_for_escape": lambda pending: urlencode(query(pending)).replace("%2B", "+"),
    "empty_RelayState": lambda pending: urlencode(query(pending, RelayState="")),
    "other_encoding": twice("SAMLEncoding", "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:none"),
    "more_inside": lambda pending: urlencode([*query(pending)[:2], ("x", "y"), *query(pending)[2:]]),
    "not_deflated": lambda pending: urlencode({"SAMLResponse": base64.b64encode(b"<samlp:Response/>").decode()}),
    "bomb": lambda pending: urlencode({"SAMLResponse": base64.b64encode(deflated(bytes(4_000_000))).decode()}),
}


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("name", QUERIES)
def test_redir_sig(pending: PendingAttempt, name: str, method: str) -> None:
    """The profile has no answers by redirect, so nothing of it is looked at; REDIR-SIG, DEFLATE-POST, DEFLATE-BOMB."""
    with cheap(pending.site.nginx):
        refusal = pending.refusals.request(
            pending.browser, method, b"", acs_url=f"{pending.site.acs_url}?{QUERIES[name](pending)}", headers=[]
        )
    assert (refusal.reason, refusal.response.status) == ("method_not_allowed", 405)


@pytest.mark.parametrize("name", QUERIES)
def test_redir_sig_posted(pending: PendingAttempt, name: str) -> None:
    """The same parameters as a form, and in the query of an empty one."""
    text = QUERIES[name](pending)
    with cheap(pending.site.nginx):
        in_query = pending.refusals.message(pending.browser, b"", acs_url=f"{pending.site.acs_url}?{text}").reason
        in_form = pending.refusals.message(pending.browser, text.encode()).reason
    assert in_query == "response_missing"
    reasons = {"not_deflated": "unsolicited", "bomb": "unsolicited"}
    assert in_form == reasons.get(name, "form_invalid")


# The POST-SimpleSign binding


@pytest.mark.parametrize("sign", ["none", "assertion"])
@pytest.mark.parametrize("order", ["usual", "signature_first"])
def test_simplesign(pending: PendingAttempt, order: str, sign: str) -> None:
    """A good signature over the form, beside an unsigned answer; and beside a signed one."""
    message = pending.site.idp.answer(pending.request, sign=sign).xml
    state = pending.request.relay_state or ""
    key = pending.site.idp.key.private
    octets = b"SAMLResponse=%s&RelayState=%s&SigAlg=%s" % (message, state.encode(), names.RSA_SHA256.encode())
    fields = [
        ("SAMLResponse", base64.b64encode(message).decode()), ("RelayState", state), ("SigAlg", names.RSA_SHA256),
        ("Signature", base64.b64encode(key.sign(octets, padding.PKCS1v15(), hashes.SHA256())).decode()),
    ]  # fmt: skip
    body = urlencode(fields if order == "usual" else list(reversed(fields))).encode()
    assert pending.refusals.message(pending.browser, body).reason == "form_invalid"
