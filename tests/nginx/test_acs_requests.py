"""Requests to the ACS that are no form of a SAML answer: methods, types, fields, bodies, cookies."""

from __future__ import annotations

import gzip
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from urllib.parse import quote, urlencode

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.running import running_site
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite
from sallyport_testing.upstream import EchoUpstream
from sallyport_testing.worker_cpu import cheap

FORM = "application/x-www-form-urlencoded"
SESSION = "__Host-saml_session"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    with running_site(tmp_path_factory.mktemp("requests"), keys, listen="http2") as running:
        yield running


@pytest.fixture(scope="module")
def pending(site: SamlSite) -> Iterator[PendingAttempt]:
    with PendingAttempt(site) as attempt:
        yield attempt


def answer_to(pending: PendingAttempt) -> dict[str, str]:
    return pending.site.idp.answer(pending.request).form


# Methods and types


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "post"])
def test_acs_get_and_other_methods(pending: PendingAttempt, method: str) -> None:
    """ACS-GET: with a good answer in the query and in the body."""
    query = urlencode(answer_to(pending))
    form = urlencode(answer_to(pending)).encode()
    with cheap(pending.site.nginx):
        if method == "post":
            url, headers = pending.site.acs_url, [("Content-Type", FORM)]
            answer = pending.browser.request(method, url, body=form, headers=headers)
            assert answer.status in (400, 405), "nginx does not know the method"
            return
        refusal = pending.refusals.request(
            pending.browser, method, b"" if method in ("GET", "HEAD") else form,
            acs_url=f"{pending.site.acs_url}?{query}", headers=[("Content-Type", FORM)],
        )  # fmt: skip
    assert (refusal.reason, refusal.response.status) == ("method_not_allowed", 405)
    assert refusal.response.header("Allow") == "POST"


@pytest.mark.parametrize(
    "content_type",
    ["multipart/form-data; boundary=x", "text/plain", "application/xml", "application/json", "", "a", None,
     "application/x-www-form-urlencodedx", "application/x-www-form-urlencoded, text/plain"],
)  # fmt: skip
def test_form_other_types(pending: PendingAttempt, content_type: str | None) -> None:
    body = urlencode(answer_to(pending)).encode()
    if content_type and content_type.startswith("multipart"):
        parts = "".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
            for name, value in answer_to(pending).items()
        )
        body = (parts + "--x--\r\n").encode()
    headers = [] if content_type is None else [("Content-Type", content_type)]
    with cheap(pending.site.nginx):
        refusal = pending.refusals.request(pending.browser, "POST", body, headers=headers)
    assert (refusal.reason, refusal.response.status) == ("content_type_invalid", 415)


@pytest.mark.parametrize(
    "content_type", [f"{FORM}; charset=UTF-8", FORM.upper(), f" {FORM} ;x=y", f"{FORM};charset=UTF-16"]
)
def test_form_types_with_parameters(site: SamlSite, content_type: str) -> None:
    browser = Browser()
    request = site.idp.read_request(browser.get(site.url("/")))
    body = urlencode(site.idp.answer(request).form).encode()
    answered = browser.post_from(site.idp.sso_url, site.acs_url, body, headers=[("Content-Type", content_type)])
    assert answered.status == 303


# Fields


def body_of(pending: PendingAttempt, template: str) -> bytes:
    """`{response}` and `{state}` are the fields' values, encoded."""
    fields = answer_to(pending)
    return template.format(response=quote(fields["SAMLResponse"], safe=""), state=fields["RelayState"]).encode()


FIELDS = {
    "FORM-nothing": ("", "response_missing"),
    "FORM-ampersands": ("&&&", "response_missing"),
    "FORM-no_response": ("RelayState={state}", "response_missing"),
    "FORM-empty_response": ("SAMLResponse=&RelayState={state}", "response_missing"),
    "FORM-no_value": ("SAMLResponse&RelayState={state}", "response_missing"),
    "FORM-lower_case": ("samlresponse={response}&RelayState={state}", "response_missing"),
    "FORM-twice": ("SAMLResponse={response}&SAMLResponse={response}&RelayState={state}", "form_invalid"),
    "FORM-twice_bad_first": ("SAMLResponse=AAAA&SAMLResponse={response}&RelayState={state}", "form_invalid"),
    "FORM-twice_bad_last": ("SAMLResponse={response}&RelayState={state}&SAMLResponse=AAAA", "form_invalid"),
    "FORM-twice_other_spelling": ("SAMLResponse={response}&%53AMLResponse=AAAA&RelayState={state}", "form_invalid"),
    "FORM-state_twice": ("SAMLResponse={response}&RelayState={state}&RelayState=x", "form_invalid"),
    "FORM-semicolons": ("SAMLResponse={response};RelayState={state}", "unsolicited"),
    "FORM-bad_escape": ("SAMLResponse={response}%&RelayState={state}", "form_invalid"),
    "FORM-bad_escape_hex": ("SAMLResponse={response}%zz&RelayState={state}", "form_invalid"),
    "FORM-bad_escape_in_name": ("SAMLResponse={response}&RelayState={state}&%q=1", "form_invalid"),
    "XML-NUL-in_name": ("SAML%00Response={response}&RelayState={state}", "form_invalid"),
    "XML-NUL-raw_in_name": ("SAML\0Response={response}&RelayState={state}", "form_invalid"),
    "XML-NUL-raw_in_value": ("SAMLResponse=\0{response}&RelayState={state}", "base64_invalid"),
    "FORM-blank_in_name": ("+SAMLResponse={response}&RelayState={state}", "response_missing"),
    "FORM-blank_behind_name": ("SAMLResponse+={response}&RelayState={state}", "response_missing"),
    "FORM-array": ("SAMLResponse[]={response}&RelayState={state}", "response_missing"),
    "FORM-upper_case": ("SAMLRESPONSE={response}&RelayState={state}", "response_missing"),
    "FORM-utf16": ("S\0A\0M\0L\0Response={response}&RelayState={state}", "form_invalid"),
    "FORM-three": ("&".join(["SAMLResponse={response}"] * 3) + "&RelayState={state}", "form_invalid"),
    "FORM-escaped_ampersand": ("SAMLResponse={response}%26RelayState={state}", "unsolicited"),
    "FORM-nul_in_name": ("SAMLResponse={response}&RelayState={state}&a%00=1", "form_invalid"),
    "FORM-nul_behind_name": ("SAMLResponse%00={response}&RelayState={state}", "form_invalid"),
    "FORM-nul_in_state": ("SAMLResponse={response}&RelayState={state}%00", "form_invalid"),
    "FORM-line_in_state": ("SAMLResponse={response}&RelayState={state}%0d%0aX:y", "form_invalid"),
    "FORM-long_name": ("SAMLResponse={response}&RelayState={state}&" + "a" * 200 + "=1", "form_invalid"),
    "FORM-ten_thousand": ("&".join(f"a{n}=1" for n in range(10_000)) + "&SAMLResponse={response}", "form_invalid"),
    "FORM-ten_thousand_empty": ("&" * 10_000 + "SAMLResponse={response}&RelayState={state}", "form_invalid"),
    "SIMPLESIGN": ("SAMLResponse={response}&RelayState={state}&Signature=AAAA&SigAlg=x", "form_invalid"),
    "SIMPLESIGN-alone": ("SAMLResponse={response}&RelayState={state}&Signature=AAAA", "form_invalid"),
    "FORM-artifact": ("SAMLart=AAQAAMFbLinlXaCM", "form_invalid"),
    "FORM-request_too": ("SAMLResponse={response}&SAMLRequest=AAAA&RelayState={state}", "form_invalid"),
    "FORM-encoding": ("SAMLResponse={response}&RelayState={state}&SAMLEncoding=x", "form_invalid"),
    "FORM-no_state": ("SAMLResponse={response}", "unsolicited"),
    "FORM-empty_state": ("SAMLResponse={response}&RelayState=", "unsolicited"),
    "RELAY-OPEN-state_of_anything": ("SAMLResponse={response}&RelayState=https://evil.example.com/", "unsolicited"),
    "FORM-state_short": ("SAMLResponse={response}&RelayState=AAAA", "unsolicited"),
    "FORM-state_long": ("SAMLResponse={response}&RelayState={state}A", "unsolicited"),
    "FORM-state_blank": ("SAMLResponse={response}&RelayState={state}+", "unsolicited"),
    "FORM-state_huge": ("SAMLResponse={response}&RelayState=" + "A" * 100_000, "unsolicited"),
    "FORM-state_retry_alone": ("SAMLResponse={response}&RelayState=.r", "unsolicited"),
    "FORM-state_script": ("SAMLResponse={response}&RelayState=%3Cscript%3E", "unsolicited"),
}


@pytest.mark.parametrize("name", FIELDS)
def test_fields(pending: PendingAttempt, name: str) -> None:
    template, reason = FIELDS[name]
    with cheap(pending.site.nginx):
        refusal = pending.refusals.message(pending.browser, body_of(pending, template))
    assert refusal.reason == reason
    assert "evil.example.com" not in refusal.response.text and "<script>" not in refusal.response.text


@pytest.mark.parametrize("template", ["submit=Continue&SAMLResponse={response}&RelayState={state}&x=",
                                      "&SAMLResponse={response}&&RelayState={state}&",
                                      "SAMLResponse={response}&SAMLResponse[]=AAAA&RelayState={state}"])  # fmt: skip
def test_form_fields_of_a_login_page_do_no_harm(site: SamlSite, template: str) -> None:
    browser = Browser()
    request = site.idp.read_request(browser.get(site.url("/")))
    fields = site.idp.answer(request).form
    body = template.format(response=quote(fields["SAMLResponse"], safe=""), state=fields["RelayState"]).encode()
    assert browser.post_from(site.idp.sso_url, site.acs_url, body).status == 303


def test_form_redir_sig_an_answer_in_the_query_only(pending: PendingAttempt) -> None:
    refusal = pending.refusals.message(
        pending.browser, b"", acs_url=f"{pending.site.acs_url}?{urlencode(answer_to(pending))}"
    )
    assert refusal.reason == "response_missing"


def test_form_a_compressed_body(pending: PendingAttempt) -> None:
    body = gzip.compress(urlencode(answer_to(pending)).encode())
    headers = [("Content-Type", FORM), ("Content-Encoding", "gzip")]
    refusal = pending.refusals.request(pending.browser, "POST", body, headers=headers)
    assert refusal.reason == "form_invalid"


# Bodies


def head(site: SamlSite, *headers: str, method: str = "POST", path: str = "/saml/acs") -> str:
    host = site.base_url.removeprefix("https://")
    return "\r\n".join([f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Type: {FORM}", *headers, "", ""])


def test_huge_a_gigabyte_is_refused_before_it_is_sent(site: SamlSite) -> None:
    with cheap(site.nginx), RawConnection(site.acs_url) as connection:
        assert connection.send(head(site, "Content-Length: 1073741824")).response().status == 413


def test_huge_endless_chunks(site: SamlSite) -> None:
    with cheap(site.nginx), RawConnection(site.acs_url) as connection:
        connection.send(head(site, "Transfer-Encoding: chunked"))
        chunk = b"4000\r\n" + b"A" * 0x4000 + b"\r\n"
        try:
            for _ in range(100):
                connection.send(chunk)
        except OSError:
            pass  # it is closed behind the answer
        assert connection.response().status == 413


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


@pytest.mark.parametrize("size", [1, 7, 4096, 100_000])
def test_form_chunked_answers(site: SamlSite, size: int) -> None:
    browser = Browser()
    request = site.idp.read_request(browser.get(site.url("/")))
    body = urlencode(site.idp.answer(request).form).encode()
    answered = browser.request(
        "POST", site.acs_url, body=chunked(body, size),
        headers=[("Content-Type", FORM), ("Transfer-Encoding", "chunked")],
    )  # fmt: skip
    assert answered.status == 303, answered.text


@pytest.mark.parametrize("header", ["Transfer-Encoding: gzip", "Content-Length: 5\r\nTransfer-Encoding: chunked",
                                    "Content-Length: -1", "Content-Length: x", "Content-Length: 1, 1"])  # fmt: skip
def test_form_bodies_that_nginx_refuses(site: SamlSite, header: str) -> None:
    with RawConnection(site.acs_url) as connection:
        assert connection.send(head(site, header) + "0\r\n\r\n").response().status in (400, 411, 501)


def test_form_bad_chunks(site: SamlSite) -> None:
    with RawConnection(site.acs_url) as connection:
        connection.send(head(site, "Transfer-Encoding: chunked") + "zz\r\nSAMLResponse=A")
        assert connection.response().status == 400


@pytest.mark.parametrize("sent", [0, 1, 100])
def test_form_clients_that_leave_in_the_body(site: SamlSite, sent: int) -> None:
    with cheap(site.nginx):
        for _ in range(20):
            with RawConnection(site.acs_url) as connection:
                connection.send(head(site, "Content-Length: 1000") + "A" * sent)
    assert Browser().get(site.url("/")).status == 302


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        ("POST", (), 400),
        ("PUT", (), 405),
        ("POST", ("Content-Type: text/plain",), 415),
    ],
)  # fmt: skip
def test_h2_h1_the_next_request_of_a_connection(
    site: SamlSite, method: str, headers: tuple[str, ...], status: int
) -> None:
    """H2/H1: the body of a refused request is no request."""
    host = site.base_url.removeprefix("https://")
    smuggled = f"GET /smuggled HTTP/1.1\r\nHost: {host}\r\n\r\n"
    first = head(site, f"Content-Length: {len(smuggled)}", method=method)
    if headers:
        first = first.replace(f"Content-Type: {FORM}", headers[0])
    second = f"GET /saml/session HTTP/1.1\r\nHost: {host}\r\n\r\n"
    with RawConnection(site.acs_url) as connection:
        connection.send(first + smuggled + second)
        assert connection.response().status == status
        assert connection.response().status == 401
    assert "smuggled" not in site.nginx.access_log()


def test_a_good_answer_and_the_page_in_one_packet(site: SamlSite) -> None:
    browser = Browser()
    request = site.idp.read_request(browser.get(site.url("/page")))
    body = urlencode(site.idp.answer(request).form)
    cookie = f"Cookie: {browser.cookies.header_for(site.acs_url)}"
    host = site.base_url.removeprefix("https://")
    with RawConnection(site.acs_url) as connection:
        answer = head(site, cookie, f"Content-Length: {len(body)}") + body
        connection.send(answer + f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n")
        assert connection.response().status == 303
        assert connection.response().status == 302, "the second request has no session cookie"


# The log


def test_dos_log_a_flood_of_refusals_is_counted(
    make_nginx: Callable[..., Nginx], upstream: EchoUpstream, idp: TestIdp, keys: KeyStore
) -> None:
    """DOS-LOG: ten lines a second; the rest is counted and told with the next line."""
    nginx = make_nginx(workers=1)
    site = SamlSite(nginx, upstream, idp, keys.tls("app.example.com"), tls=False).start()
    with RawConnection(site.base_url) as connection:
        connection.send(f"GET /saml/acs HTTP/1.1\r\nHost: {site.host}\r\n\r\n" * 60)
        for _ in range(60):
            assert connection.response().status == 405
    time.sleep(1.1)
    assert Browser().request("GET", site.acs_url).status == 405
    site.nginx.wait_for_log("refusals were not logged(.|\n)*reason=")
    log = site.nginx.error_log()
    seconds = Counter(line[:19] for line in log.splitlines() if "saml: login refused" in line)
    assert max(seconds.values()) <= 11, "ten of one second, and maybe one that was written later"
    counted = sum(map(int, re.findall(r"saml: (\d+) refusals were not logged", log)))
    assert seconds.total() + counted == 61


# Cookies


def cookies_of(pending: PendingAttempt) -> tuple[str, str]:
    """Name and value of the pending attempt's cookie."""
    cookie = pending.browser.cookies.named("saml_session.")[0]
    return cookie.name, cookie.value


def other_value(value: str) -> str:
    return ("B" if value[0] != "B" else "C") + value[1:]


COOKIES = {
    "none": lambda name, value: [],
    "of_no_one": lambda name, value: [f"{name}={'A' * len(value)}"],
    "empty": lambda name, value: [f"{name}="],
    "no_value": lambda name, value: [name],
    "cut": lambda name, value: [f"{name}={value[:-1]}"],
    "longer": lambda name, value: [f"{name}={value}A"],
    "changed": lambda name, value: [f"{name}={other_value(value)}"],
    "quoted": lambda name, value: [f'{name}="{value}"'],
    "huge": lambda name, value: [f"{name}={value}{'A' * 6000}"],
    "twice": lambda name, value: [f"{name}={value}; {name}={value}"],
    "twice_good_first": lambda name, value: [f"{name}={value}; {name}=x"],
    "twice_good_last": lambda name, value: [f"{name}=x; {name}={value}"],
    "twice_in_two_headers": lambda name, value: [f"{name}={value}", f"{name}=x"],
    "lower_case": lambda name, value: [f"{name.lower()}={value}"],
    "without_prefix": lambda name, value: [f"{name.removeprefix('__Host-')}={value}"],
    "odd_prefix": lambda name, value: [f"\u2000{name}={value}".encode().decode("latin-1"), f"$Version=1,{name}=x"],
    "nameless": lambda name, value: [f"={name}={value}"],
    "other_handle": lambda name, value: [f"{name[:-16]}{'A' * 16}={value}"],
    "as_session": lambda name, value: [f"{SESSION}={value}"],
    "two_hundred": lambda name, value: [
        "; ".join(f"{SESSION}.{n:016d}={'A' * 40}" for n in range(start, start + 50)) for start in range(0, 200, 50)
    ],
    "two_hundred_foreign": lambda name, value: ["; ".join(f"c{n}={'x' * 60}" for n in range(100))] * 2,
}


@pytest.mark.parametrize("name", COOKIES)
def test_state_forge_cookie_multi_an_answer_with_such_cookies(pending: PendingAttempt, name: str) -> None:
    """STATE-FORGE, COOKIE-MULTI: never accepted; once, a new attempt begins."""
    site = pending.site
    headers = [("Cookie", line) for line in COOKIES[name](*cookies_of(pending))]
    body = urlencode(answer_to(pending)).encode()
    with cheap(site.nginx):
        answered = Browser().request(
            "POST", site.acs_url, body=body, headers=[("Content-Type", FORM), *headers]
        )
    assert answered.status == 303, answered.text
    assert answered.header("Location").startswith(site.idp.sso_url)
    assert not [each for each in answered.all("Set-Cookie") if each.startswith(f"{SESSION}=")]
    assert len(answered.all("Set-Cookie")) <= 33, "more than a balancer's buffer holds"
    assert site.idp.read_request(answered).relay_state.endswith(".r")


def test_more_cookies_than_nginx_takes(pending: PendingAttempt) -> None:
    body = urlencode(answer_to(pending)).encode()
    for line in ("x=" + "A" * 65_536, "; ".join(f"{SESSION}.{n:016d}={'A' * 300}" for n in range(200))):
        answered = Browser().request(
            "POST", pending.site.acs_url, body=body, headers=[("Content-Type", FORM), ("Cookie", line)]
        )
        assert answered.status in (400, 413, 431)


def test_good_among_two_hundred(site: SamlSite) -> None:
    browser = Browser()
    request = site.idp.read_request(browser.get(site.url("/")))
    for number in range(200):
        browser.cookies.put(site.url(), f"c{number}={'x' * 20}; Path=/; Secure; SameSite=None")
    with cheap(site.nginx):
        assert site.idp.post(browser, site.idp.answer(request)).status == 303


def test_swapped_irt_into_someone_elses_browser(pending: PendingAttempt) -> None:
    """SWAPPED (login CSRF): the attacker's answer in the victim's browser, which has an attempt of its own."""
    site, victim = pending.site, Browser()
    own = site.idp.read_request(victim.get(site.url("/")))
    attackers = answer_to(pending)
    refusal = pending.refusals.message(victim, {**attackers, "RelayState": own.relay_state or ""})
    assert refusal.reason == "in_response_to_mismatch"
    answered = victim.post_from(site.idp.sso_url, site.acs_url, attackers)
    assert answered.status == 303 and (answered.location or "").startswith(site.idp.sso_url)
    assert victim.cookies.get(SESSION) is None
    assert site.idp.post(victim, site.idp.answer(own)).status == 303
