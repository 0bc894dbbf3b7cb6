"""Slow, broken and leaving clients: nobody else notices, nothing is left behind."""

from __future__ import annotations

import signal
import threading
import time
from pathlib import Path

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.nginx import preload
from sallyport_testing.paths import nginx_binary
from sallyport_testing.posted_answer import PostedAnswer
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite

ECHO = "proxy_pass http://%%upstream%%;"
LIMIT = 2 * 256 * 1024 + 8192  # what a form may hold, with the default saml_max_message_size


def chunked(body: bytes, size: int, extension: str = "", trailers: str = "") -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    data = b"".join(f"{len(piece):x}{extension}\r\n".encode() + piece + b"\r\n" for piece in pieces)
    return data + f"0\r\n{trailers}\r\n".encode()


def leave(connection: RawConnection, *, reset: bool) -> None:
    connection.reset() if reset else connection.close()


def memory(site: SamlSite) -> int:
    """Private memory of all workers, in bytes."""
    total = 0
    for pid in site.nginx.workers():
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_"):
                total += int(line.split()[1]) * 1024
    return total


# Whole answers in odd pieces


@pytest.mark.parametrize(
    ("size", "pause"), [(1, 0.0), (7, 0.0005), (1000, 0.01), (100_000, 0.0)], ids=["bytes", "sevens", "parts", "whole"]
)
def test_slow_senders_log_in(http_site: SamlSite, size: int, pause: float) -> None:
    http_site.start()
    post = PostedAnswer(http_site)
    with RawConnection(http_site.url("/")) as connection:
        assert connection.send_slowly(post.whole, size=size, pause=pause).response().status == 303


def test_the_seam_between_head_and_body(http_site: SamlSite) -> None:
    http_site.start()
    for extra in (-1, 0, 1, 2, 100):
        post = PostedAnswer(http_site)
        cut = len(post.whole) - len(post.body) + extra
        with RawConnection(http_site.url("/")) as connection:
            connection.send(post.whole[:cut])
            time.sleep(0.05)
            assert connection.send(post.whole[cut:]).response().status == 303


@pytest.mark.parametrize("size", [1, 100, 4096, 1_000_000])
@pytest.mark.parametrize("extras", [("", ""), (";a=b", "X-Trailer: 1\r\n")], ids=["plain", "extensions"])
@pytest.mark.parametrize("at_once", [True, False], ids=["at_once", "in_pieces"])
def test_chunked_bodies(http_site: SamlSite, size: int, extras: tuple[str, str], at_once: bool) -> None:
    http_site.start()
    post = PostedAnswer(http_site)
    data = post.head("Transfer-Encoding: chunked") + chunked(post.body, size, *extras)
    with RawConnection(http_site.url("/")) as connection:
        connection.send_slowly(data, size=len(data) if at_once else 997, pause=0.002)
        assert connection.response().status == 303
        connection.send(f"GET /saml/session HTTP/1.1\r\nHost: {http_site.host}\r\n\r\n")
        assert connection.response().status == 401, "the connection goes on"


def test_expect_100_continue(http_site: SamlSite) -> None:
    http_site.start()
    for coding in (False, True):
        post = PostedAnswer(http_site)
        length = "Transfer-Encoding: chunked" if coding else f"Content-Length: {len(post.body)}"
        with RawConnection(http_site.url("/")) as connection:
            connection.send(post.head(length, "Expect: 100-continue"))
            assert connection.reader.until(b"\r\n\r\n").startswith(b"HTTP/1.1 100")
            connection.send(chunked(post.body, 500) if coding else post.body)
            assert connection.response().status == 303


def test_over_http2_in_frames(site: SamlSite) -> None:
    site.start(listen="http2")
    browser = Browser(http2=True)
    assert site.login(browser, "/page").status == 200


EARLY = "client_body_early_read"
READ_BEFORE = {
    "mirror": {"locations": "location /saml/ { saml_endpoints; mirror /copy; } location = /copy { internal; return 204; }"},
    "early_read": {"server": f"{EARLY} 1;"},
}


@pytest.mark.parametrize("reader", READ_BEFORE)
def test_a_body_that_nginx_has_read_before(http_site: SamlSite, browser: Browser, reader: str) -> None:
    """What is longer than client_body_buffer_size (16k) is in a file then."""
    if reader == "early_read" and EARLY.encode() not in Path(nginx_binary()).read_bytes():
        pytest.skip("this nginx reads no body early")
    http_site.start(**READ_BEFORE[reader])
    large = [Attribute("note", ["x" * 40_000])]
    assert http_site.login(browser, attributes=large).status == 200
    post = PostedAnswer(http_site)
    body = b"SAMLResponse=" + b"x" * (LIMIT - 13)
    for data, status in ((body, 403), (body + b"x", 413)):
        assert post.send(post.head("Transfer-Encoding: chunked") + chunked(data, 60_000)) == status


# Too much, too slow, never finished


def test_a_large_body_is_refused_before_it_comes(http_site: SamlSite) -> None:
    http_site.start()
    post = PostedAnswer(http_site)
    for length in (LIMIT + 1, 10_000_000, 10**15):
        with RawConnection(http_site.url("/")) as connection:
            begun = time.monotonic()
            assert connection.send(post.head(f"Content-Length: {length}")).response().status == 413
            assert time.monotonic() - begun < 2
    http_site.nginx.wait_for_log(r"saml: login refused reason=too_large")
    assert post.send() == 303, "the attempt is not lost"


def test_a_large_body_with_expect_is_refused(http_site: SamlSite) -> None:
    http_site.start()
    post = PostedAnswer(http_site)
    with RawConnection(http_site.url("/")) as connection:
        connection.send(post.head("Content-Length: 10000000", "Expect: 100-continue"))
        assert connection.response().status == 413


def test_an_endless_body_is_refused(http_site: SamlSite) -> None:
    http_site.start()
    before = memory(http_site)
    with RawConnection(http_site.url("/")) as connection:
        connection.send(PostedAnswer(http_site).head("Transfer-Encoding: chunked"))
        connection.socket.settimeout(0.001)
        sent, answered = 0, b""
        while not answered and sent < 50_000_000:
            try:
                connection.socket.settimeout(5)
                connection.socket.sendall(b"10000\r\n" + b"x" * 65536 + b"\r\n")
                sent += 65536
                connection.socket.settimeout(0.001)
                answered = connection.socket.recv(100)
            except TimeoutError:
                continue
        assert answered.startswith(b"HTTP/1.1 413"), answered
        assert sent < 20 * LIMIT
    assert preload() or memory(http_site) - before < 4_000_000


def test_a_body_at_the_limit_is_read(http_site: SamlSite) -> None:
    http_site.start()
    body = b"SAMLResponse=" + b"x" * (LIMIT - 13)
    post = PostedAnswer(http_site)
    for data in (
        post.head(f"Content-Length: {LIMIT}") + body, post.head("Transfer-Encoding: chunked") + chunked(body, 60_000),
    ):  # fmt: skip
        assert post.send(data) == 403, "it names no attempt of ours"
    assert post.send(post.head("Transfer-Encoding: chunked") + chunked(body + b"x", 60_000)) == 413


def test_broken_chunks(http_site: SamlSite) -> None:
    http_site.start()
    for data in (b"zz\r\n", b"-1\r\n", b"5\r\nabcdefgh\r\n", b"ffffffffffffffffff\r\n", b"\0\0\0\0"):
        assert PostedAnswer(http_site).send(PostedAnswer(http_site).head("Transfer-Encoding: chunked") + data) in (400, 413), data
    for lines in (("Content-Length: x",), ("Content-Length: -1",), ("Content-Length: 1", "Transfer-Encoding: chunked")):
        assert PostedAnswer(http_site).send(PostedAnswer(http_site).head(*lines)) == 400, lines


def test_no_length_and_an_empty_body(http_site: SamlSite) -> None:
    http_site.start()
    for lines in ((), ("Content-Length: 0",), ("Transfer-Encoding: chunked",)):
        data = PostedAnswer(http_site).head(*lines) + (b"0\r\n\r\n" if lines and "chunked" in lines[0] else b"")
        assert PostedAnswer(http_site).send(data) == 400


def test_dos_slowpost_a_sender_who_stops_is_timed_out(http_site: SamlSite) -> None:
    http_site.start(server="client_body_timeout 1s;", http="lingering_timeout 1s;")
    for cut in (0, 1, 1000):
        post = PostedAnswer(http_site)
        with RawConnection(http_site.url("/")) as connection:
            connection.send(post.whole[: len(post.whole) - len(post.body) + cut])
            begun = time.monotonic()
            assert connection.closed_by_peer(5)
            assert 0.8 < time.monotonic() - begun < 3


# Clients that leave


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "reset"])
@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_clients_that_leave_at_any_point(http_site: SamlSite, reset: bool, coding: str) -> None:
    http_site.start()
    post = PostedAnswer(http_site)
    data = post.whole if coding == "length" else post.head("Transfer-Encoding: chunked") + chunked(post.body, 300)
    cuts = [*range(1, len(data) - 1, 211), len(data) - len(post.body), len(data) - 1]
    for cut in cuts:
        connection = RawConnection(http_site.url("/")).send(data[:cut])
        if cut % 2:
            time.sleep(0.005)
        leave(connection, reset=reset)
    leave(RawConnection(http_site.url("/")).send(PostedAnswer(http_site).whole), reset=reset)
    assert post.send(data) == 303, "an answer that never arrived whole is not used up"


def test_clients_that_leave_in_the_middle_of_a_login(site: SamlSite) -> None:
    site.start()
    for _ in range(20):
        browser = Browser()
        started = browser.get(site.url("/page"))
        leave(RawConnection(site.url("/")).send(f"GET /page HTTP/1.1\r\nHost: {site.host}\r\n\r\n"), reset=True)
        leave(RawConnection(site.url("/")).send(f"GET /page HTTP/1.1\r\nHost: {site.host}\r\n"), reset=False)
        answered = site.idp.post(browser, site.idp.answer(site.idp.read_request(started)))
        assert answered.status == 303  # and never comes back
    assert Browser().get(site.url("/")).status == 302


# Bodies that nobody reads


def test_h2_h1_unread_bodies_are_not_taken_for_requests(http_site: SamlSite, browser: Browser) -> None:
    http_site.start()
    smuggled = f"GET /evil HTTP/1.1\r\nHost: {http_site.host}\r\n\r\n".encode()
    length = f"Content-Length: {len(smuggled)}\r\n"
    cases = [("PUT /", 401), ("POST /", 401), ("GET /", 302), ("POST /saml/logout", 200), ("PUT /saml/acs", 405),
             ("GET /saml/login", 302), ("GET /saml/session", 401), ("POST /saml/metadata", 405)]  # fmt: skip
    for line, status in cases:
        for head, body in ((length, smuggled), ("Transfer-Encoding: chunked\r\n", chunked(smuggled, 10))):
            with RawConnection(http_site.url("/")) as connection:
                connection.send(f"{line} HTTP/1.1\r\nHost: {http_site.host}\r\n{head}\r\n".encode() + body)
                assert connection.response().status == status, line
                connection.send(f"GET /saml/metadata HTTP/1.1\r\nHost: {http_site.host}\r\n\r\n")
                answer = connection.response()
                assert answer.status == 200 and b"EntityDescriptor" in answer.body, line
    http_site.nginx.stop()
    assert http_site.upstream.requests == []
    assert "/evil" not in http_site.nginx.access_log()


# Many at once


def test_dos_slowpost_two_hundred_slow_senders_delay_nobody(http_site: SamlSite) -> None:
    http_site.start()
    post = PostedAnswer(http_site)
    half = post.whole[: len(post.whole) - len(post.body) // 2]
    slow = [RawConnection(http_site.url("/")).send(half) for _ in range(200)]
    done = threading.Event()

    def drip() -> None:
        while not done.wait(0.2):
            for connection in slow[1:]:
                connection.send(b"A")

    dripping = threading.Thread(target=drip)
    dripping.start()
    try:
        for number in range(5):
            begun = time.monotonic()
            http_site.login(Browser(), f"/page/{number}")
            assert time.monotonic() - begun < 2
    finally:
        done.set()
        dripping.join()
    assert slow[0].send(post.whole[len(half) :]).response().status == 303
    for connection in slow:
        connection.close()


@pytest.mark.skipif(bool(preload()), reason="sanitizers keep what was freed")
def test_mem_stays_flat(http_site: SamlSite) -> None:
    http_site.start(http="saml_session_zone saml:1m;")
    head = PostedAnswer(http_site).head("Content-Length: 500000")

    def rounds(count: int) -> int:
        for _ in range(count):
            connections = [RawConnection(http_site.url("/")).send(head + b"x" * 300_000) for _ in range(8)]
            for connection in connections:
                leave(connection, reset=True)
            http_site.login(Browser())
        time.sleep(0.3)
        return memory(http_site)

    before = rounds(10)
    assert rounds(40) - before < 3_000_000


# Workers that are told to go


@pytest.mark.parametrize("coding", ["length", "chunked"])
def test_a_reload_waits_for_a_slow_answer(http_site: SamlSite, coding: str) -> None:
    http_site.start()
    post = PostedAnswer(http_site)
    data = post.whole if coding == "length" else post.head("Transfer-Encoding: chunked") + chunked(post.body, 100)
    with RawConnection(http_site.url("/")) as connection:
        connection.send(data[:-500])
        time.sleep(0.1)
        http_site.nginx.reload(wait_for_old=False)
        http_site.login(Browser(), name_id="other@example.com")
        answer = connection.send(data[-500:]).response()
        assert answer.status == 303
        assert connection.closed_by_peer()
    browser = Browser()
    for line in answer.all("Set-Cookie"):
        browser.cookies.store(http_site.url("/"), line)
    assert browser.get(http_site.url("/page")).echo().header("X-SSO-User") == "student@example.com"


@pytest.mark.parametrize("how", [signal.SIGQUIT, signal.SIGTERM], ids=["quit", "term"])
def test_nobody_keeps_a_worker_from_leaving(http_site: SamlSite, how: int) -> None:
    http_site.start(main="worker_shutdown_timeout 1s;")
    post = PostedAnswer(http_site)
    pending = [RawConnection(http_site.url("/")).send(post.whole[:-1]) for _ in range(20)]
    pending += [RawConnection(http_site.url("/")).send(post.head("Transfer-Encoding: chunked") + b"5\r\nab")]
    pending += [RawConnection(http_site.url("/")).send(post.head("Content-Length: 5000"))]
    time.sleep(0.1)
    begun = time.monotonic()
    http_site.nginx.stop(fast=how == signal.SIGTERM)
    assert time.monotonic() - begun < 4
    for connection in pending:
        connection.close()
