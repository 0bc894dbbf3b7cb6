"""HTTP itself as the attacker bends it: methods, hosts, floods of frames, smuggled requests, early data."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import h2.config
import h2.connection
import h2.events
import pytest
from hyperframe.frame import ContinuationFrame, HeadersFrame

from sallyport_testing.browser import Browser
from sallyport_testing.http2_streams import exchange, pseudo_headers
from sallyport_testing.http_client import connect
from sallyport_testing.keys import KeyStore
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.running import running_site
from sallyport_testing.site import SamlSite
from sallyport_testing.worker_cpu import cheap

FORM = "application/x-www-form-urlencoded"
KEPT_ALIVE = 'proxy_http_version 1.1; proxy_set_header Connection "";'
SERVER = """
    server {
        listen 127.0.0.1:%%port:other%%; server_name other.example.com;
        location / { proxy_pass http://%%upstream%%; }
    }
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    with running_site(
        tmp_path_factory.mktemp("framing"), keys, tls=False, location=KEPT_ALIVE,
        http="keepalive_requests 100000;" + SERVER,
        server="listen 127.0.0.1:%%port:h2%% http2; saml_base_url http://app.example.com:%%port:site%%;",
    ) as running:  # fmt: skip
        yield running


@pytest.fixture(scope="module")
def session(site: SamlSite) -> str:
    browser = Browser()
    site.login(browser)
    return browser.cookies.header_for(site.url("/")) or ""


def h2_url(site: SamlSite) -> str:
    return f"http://{site.host}:{site.nginx.port('h2')}"


def lives_on(site: SamlSite, session: str) -> None:
    """Both workers serve, and nothing that was sent before has reached the application."""
    for _ in range(4):
        answer = Browser().request("GET", site.url("/after"), headers=[("Cookie", session)])
        assert answer.echo().header("X-SSO-User") == "student@example.com"
        assert Browser().request("GET", site.url("/after")).status == 302


# Methods

METHODS = [
    "GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH", "PROPFIND", "PROPPATCH", "MKCOL",
    "COPY", "MOVE", "LOCK", "UNLOCK", "REPORT", "SEARCH", "PURGE", "LINK", "BREW", "get", "Get", "GET_X", "X-GET",
    "G", "A" * 1000,
]  # fmt: skip


@pytest.mark.parametrize("method", METHODS, ids=[f"METHOD-{method[:10]}" for method in METHODS])
def test_every_method_is_behind_the_gate(site: SamlSite, method: str) -> None:
    site.upstream.clear()
    for path in ("/", "/page", "/saml/acs", "/saml/login", "/saml/logout", "/saml/session"):
        with RawConnection(site.base_url) as connection:
            connection.send(f"{method} {path} HTTP/1.1\r\nHost: {site.host}\r\nX-HTTP-Method-Override: GET\r\n\r\n")
            status = connection.response(method).status
        # A page of ours: that you are logged out, or where to log in.
        is_page = status == 200 and path in ("/saml/logout", "/saml/login")
        assert status in (302, 400, 401, 405, 415) or is_page, (path, status)
    (answer,) = exchange(h2_url(site), [pseudo_headers(h2_url(site), "/page", method)])
    assert answer is None or answer.status in (302, 400, 401, 405)
    assert site.upstream.requests == []


def test_method_of_a_megabyte(site: SamlSite, session: str) -> None:
    with cheap(site.nginx), RawConnection(site.base_url) as connection:
        try:
            connection.send(b"X" * (1 << 20))
        except OSError:
            pass  # nginx closes before it has read all
        connection.rest()
    lives_on(site, session)


# Hosts

HOSTS = {
    "evil": "evil.example", "ip": "127.0.0.1", "ipv6": "[::1]", "upper": "APP.EXAMPLE.COM", "dot": "app.example.com.",
    "port": "app.example.com:1", "underscore": "app_x.example.com", "other_server": "other.example.com",
    "userinfo": "app.example.com@evil.example", "two": "app.example.com, evil.example", "empty": "",
    "slash": "app.example.com/x", "backslash": "app.example.com\\x", "nul": "app.example.com\0",
    "long": "a" * 2000, "quote": 'app"x', "letters": "\xe4pp.example.com",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTS, ids=[f"HOST-{name}" for name in HOSTS])
def test_the_host_decides_nothing(site: SamlSite, session: str, name: str) -> None:
    """Neither whom the answer is for, nor whether a session is asked for."""
    host = HOSTS[name]
    site.upstream.clear()
    with RawConnection(site.base_url) as connection:
        answer = connection.send(f"GET /page HTTP/1.1\r\nHost: {host}\r\n\r\n").response()
    if answer.status == 302:
        request = site.idp.read_request(answer)
        assert (request.acs_url, request.issuer) == (site.acs_url, site.entity_id)
        told = "".join(value for _, value in answer.headers)
        assert "evil" not in told and ".1:1" not in told
    else:
        assert answer.status == 400
    url = h2_url(site)
    fields = [(":method", "GET"), (":scheme", "http"), (":authority", host), (":path", "/page")]
    both = [*pseudo_headers(url, "/page"), ("host", host)]
    for each in exchange(url, [fields]) + exchange(url, [both]):
        assert each is None or each.status in (302, 400)
        if each is not None and each.status == 302:
            assert site.idp.read_request(each).acs_url == site.acs_url
    assert site.upstream.requests == []


def test_host_of_the_server_name_indication(tmp_path: Path, keys: KeyStore) -> None:
    """HOST: the name in the TLS handshake is another server's: who is asked for is who answers, with its gate."""
    with running_site(
        tmp_path, keys, http="""
            server {
                listen 127.0.0.1:%%port:site%% ssl; server_name open.example.com;
                ssl_certificate $ssl_certificate_file; ssl_certificate_key $ssl_key_file;
                location / { proxy_pass http://%%upstream%%; }
            }
        """.replace("$ssl_certificate_file", str(keys.tls("open.example.com").certificate_file)).replace(
            "$ssl_key_file", str(keys.tls("open.example.com").key_file)
        ),
    ) as site:  # fmt: skip
        port = site.nginx.port("site")
        for sni, host, statuses in (
            ("open.example.com", "app.example.com", (302, 400, 421)), ("app.example.com", "app.example.com", (302,)),
            ("app.example.com", "open.example.com", (200, 400, 421)), ("other.example.com", "app.example.com", (302,)),
        ):  # fmt: skip
            with RawConnection(f"https://{sni}:{port}") as connection:
                answer = connection.send(f"GET / HTTP/1.1\r\nHost: {host}\r\n\r\n").response()
            assert answer.status in statuses, (sni, host, answer.status)
            if answer.status == 200:
                assert answer.echo().with_prefix("X-SSO-") == {}


# Smuggling and pipelines

SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: app.example.com\r\nX-SSO-User: admin\r\n\r\n"


def smuggling(name: str) -> str:
    """Requests whose end is a matter of opinion; each has SMUGGLED where one opinion sees a request."""
    head = "POST PATH HTTP/1.1\r\nHost: app.example.com\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    chunk = f"0\r\n\r\n{SMUGGLED}"
    chunked = {
        "te_cl": "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "cl_te": f"Content-Length: {len(chunk)}\r\nTransfer-Encoding: chunked",
        "te_blank": "Transfer-Encoding : chunked",
        "te_tab": "Transfer-Encoding:\tchunked",
        "te_case": "Transfer-Encoding: cHuNkEd",
        "te_twice": "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
        "te_list": "Transfer-Encoding: identity, chunked",
        "te_x": "Transfer-Encoding: xchunked",
        "te_quoted": 'Transfer-Encoding: "chunked"',
        "te_folded": "Transfer-Encoding:\r\n chunked",
        "te_line": "X: y\nTransfer-Encoding: chunked",
        "te_nul": "Transfer-Encoding: chunked\0",
        "te_underscore": "Transfer_Encoding: chunked",
        "cl_twice": f"Content-Length: 0\r\nContent-Length: {len(chunk)}",
        "cl_same": f"Content-Length: {len(chunk)}\r\nContent-Length: {len(chunk)}",
        "cl_list": f"Content-Length: 0, {len(chunk)}",
        "cl_plus": f"Content-Length: +{len(chunk)}",
        "cl_hex": "Content-Length: 0x10",
        "cl_huge": "Content-Length: 18446744073709551616",
        "cl_minus": "Content-Length: -1",
        "cl_none": "X-None: 1",
        "http10": "Transfer-Encoding: chunked",
    }[name]
    text = f"{head}{chunked}\r\n\r\n{chunk}"
    return text.replace("HTTP/1.1", "HTTP/1.0", 1) if name == "http10" else text


SMUGGLES = [
    "te_cl", "cl_te", "te_blank", "te_tab", "te_case", "te_twice", "te_list", "te_x", "te_quoted", "te_folded", "te_line",
    "te_nul", "te_underscore", "cl_twice", "cl_same", "cl_list", "cl_plus", "cl_hex", "cl_huge", "cl_minus", "cl_none",
    "http10",
]  # fmt: skip


@pytest.mark.parametrize("name", SMUGGLES, ids=[f"H2/H1-{name}" for name in SMUGGLES])
def test_no_request_passes_inside_another(site: SamlSite, session: str, name: str) -> None:
    """At the ACS, at a page without a session, and with one: what reaches the application is what nginx gated."""
    for path, cookie in (("/saml/acs", ""), ("/saml/logout", ""), ("/page", ""), ("/page", session)):
        site.upstream.clear()
        data = smuggling(name).replace("PATH", path)
        if cookie:
            data = data.replace("Host: app.example.com\r\n", f"Host: app.example.com\r\nCookie: {cookie}\r\n", 1)
        with RawConnection(site.base_url, timeout=0.3) as connection:
            connection.send(data)
            try:
                connection.rest()
            except TimeoutError:
                pass  # a body that never ends is waited for
        for seen in site.upstream.requests:
            assert cookie and seen.uri == "/page" and seen.header("X-SSO-User") == "student@example.com", seen
    lives_on(site, session)


# Floods


def test_h2_h1_rapid_reset_at_the_acs(site: SamlSite, session: str) -> None:
    """Thousands of POSTs with an answer, each cancelled at once: cheap, and no worker dies of one."""
    body = urlencode({"SAMLResponse": "QUFB"}).encode()
    url = h2_url(site)
    for path in ("/saml/acs", "/page", "/saml/login"):
        workers = site.nginx.workers()
        with connect(url) as connection:
            state = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
            state.initiate_connection()
            try:
                for _ in range(1000):
                    stream = state.get_next_available_stream_id()
                    fields = [*pseudo_headers(url, path, "POST"), ("content-type", FORM)]
                    state.send_headers(stream, fields)
                    state.send_data(stream, body)
                    state.reset_stream(stream)
                    connection.sendall(state.data_to_send())
            except OSError:
                pass  # nginx ended the connection
        assert site.nginx.workers() == workers, "a worker died"
    lives_on(site, session)


def test_h2_h1_continuation_flood(site: SamlSite, session: str) -> None:
    """A header block that never ends: nothing of it is kept, and others are served meanwhile."""
    url = h2_url(site)
    encoder = h2.connection.H2Connection(h2.config.H2Configuration()).encoder
    lives_on(site, session)
    workers, before = site.nginx.workers(), resident(site)
    with connect(url) as connection:
        state = h2.connection.H2Connection()
        state.initiate_connection()
        first = HeadersFrame(1, encoder.encode([*pseudo_headers(url, "/saml/acs", "POST")]))
        connection.sendall(state.data_to_send() + first.serialize())
        try:
            for number in range(16000):
                block = encoder.encode([(f"x-sso-user{number}", "spoofed" * 100)])
                connection.sendall(ContinuationFrame(1, block).serialize())
        except OSError:
            pass  # nginx ended the connection
        lives_on(site, session)
        assert resident(site) - before < 4 << 20, "of some 10 MB that were sent"
    assert site.nginx.workers() == workers, "a worker died"


def resident(site: SamlSite) -> int:
    """Bytes of memory of their own that the workers hold."""
    found = [re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text()) for pid in site.nginx.workers()]
    return sum(int(each[1]) * 1024 for each in found if each)


BAD_FIELDS = {
    "upper_case": [("X-SSO-User", "admin")],
    "colon": [(":x-sso-user", "admin")],
    "line": [("x-a", "b\r\nX-SSO-User: admin")],
    "line_in_name": [("x-a\r\nx-sso-user", "admin")],
    "newline_in_name": [("x-a: b\nx-sso-user", "admin")],
    "nul": [("x-sso-user\0", "admin")],
    "blank": [("x-sso-user ", "admin")],
    "blank_before": [(" x-sso-user", "admin")],
    "empty_name": [("", "admin")],
    "connection": [("connection", "x-sso-user"), ("x-sso-user", "admin")],
    "transfer_encoding": [("transfer-encoding", "chunked")],
    "te": [("te", "trailers, chunked")],
    "underscore": [("x_sso_user", "admin")],
    "two_cookies": [("cookie", "a=1"), ("cookie", "b=2\r\nX-SSO-User: admin")],
    "content_length": [("content-length", "10")],
}


@pytest.mark.parametrize("name", BAD_FIELDS, ids=[f"H2/H1-field-{name}" for name in BAD_FIELDS])
def test_fields_that_http1_could_not_say(site: SamlSite, session: str, name: str) -> None:
    url = h2_url(site)
    for cookie in (session, ""):
        site.upstream.clear()
        fields = [*pseudo_headers(url, "/page"), *([("cookie", cookie)] if cookie else []), *BAD_FIELDS[name]]
        (answer,) = exchange(url, [fields])
        assert answer is None or answer.status in ((200, 302, 400, 501) if cookie else (302, 400, 501)), answer
        for seen in site.upstream.requests:
            assert cookie and seen.header("X-SSO-User") == "student@example.com"
            assert "admin" not in [value for _, value in seen.headers]
    lives_on(site, session)


def test_h2_h1_expect_and_pipeline_behind_an_answer(site: SamlSite) -> None:
    """`Expect: 100-continue` with the body already there, and requests behind it: each is answered once."""
    browser = Browser()
    message = site.idp.answer(site.idp.read_request(browser.get(site.url("/page"))))
    body = urlencode(message.form)
    cookie = browser.cookies.header_for(site.acs_url)
    head = f"Host: {site.host}\r\nCookie: {cookie}\r\n"
    with RawConnection(site.base_url) as connection:
        connection.send(
            f"POST /saml/acs HTTP/1.1\r\n{head}Content-Type: {FORM}\r\nExpect: 100-continue\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
            + f"GET /one HTTP/1.1\r\n{head}\r\nPOST /saml/acs HTTP/1.1\r\n{head}Content-Type: {FORM}\r\n"
            + f"Content-Length: {len(body)}\r\n\r\n{body}GET /two HTTP/1.1\r\n{head}\r\n"
        )
        assert [connection.response().status for _ in range(4)] == [303, 302, 403, 302]


# Early data


def s_client(site: SamlSite, *arguments: str, data: bytes = b"") -> str:
    address = f"127.0.0.1:{site.nginx.port('site')}"
    command = ["openssl", "s_client", "-connect", address, "-servername", site.host, "-tls1_3", *arguments]
    done = subprocess.run(command, input=data, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, check=False)
    return done.stdout.decode("latin-1")


def test_early_data_is_no_second_login(tmp_path: Path, keys: KeyStore) -> None:
    """EARLY: an answer in TLS early data, replayed as whoever recorded the packets can: one session."""
    with running_site(
        tmp_path, keys,
        server="ssl_protocols TLSv1.3; ssl_early_data on; ssl_session_tickets on; ssl_session_timeout 1h;",
    ) as site:  # fmt: skip
        ticket, early = tmp_path / "ticket.pem", tmp_path / "early"
        browser = Browser()
        message = site.idp.answer(site.idp.read_request(browser.get(site.url("/page"))))
        body = urlencode(message.form)
        cookie = browser.cookies.header_for(message.acs_url)
        head = f"Host: {site.host}\r\nConnection: close\r\n"
        early.write_text(
            f"POST /saml/acs HTTP/1.1\r\n{head}Cookie: {cookie}\r\nContent-Type: {FORM}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        )
        first = s_client(
            site, "-sess_out", str(ticket), "-ign_eof", data=f"GET /saml/session HTTP/1.1\r\n{head}\r\n".encode()
        )
        assert "401 Unauthorized" in first and ticket.exists()
        answers = [s_client(site, "-sess_in", str(ticket), "-early_data", str(early), "-ign_eof") for _ in range(3)]
        assert all("Early data was accepted" in answer for answer in answers), answers[0][-2000:]
        assert [re.search(r"HTTP/1\.1 (\d+)", answer)[1] for answer in answers] == ["303", "403", "403"]  # type: ignore
        assert [answer.count("Set-Cookie: __Host-saml_session=") for answer in answers] == [1, 0, 0]
