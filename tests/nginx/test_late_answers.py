"""Messages that cannot be decrypted are refused a fixed time after they came, whatever is wrong with them."""

from __future__ import annotations

import os
import re
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from sallyport_testing import encryption as enc
from sallyport_testing.encryption import EncryptedAnswer
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.posted_answer import PostedAnswer
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.browser import Browser
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_until

PERIOD = 0.02


def spoilt(value: bytes) -> bytes:
    return value[:-1] + bytes([value[-1] ^ 1])


@pytest.fixture
def own(keys: KeyStore, http_site: SamlSite) -> KeyPair:
    pair = keys.get("sp")
    http_site.idp.recipients = [pair]
    return pair


def start(site: SamlSite, own: KeyPair, **parts: str) -> None:
    keys = f"saml_certificate {own.certificate_file}; saml_certificate_key {own.key_file};"
    site.nginx.workers_wanted = 1
    site.start(server=keys, **parts)


def spoilt_answer(site: SamlSite, own: KeyPair) -> PostedAnswer:
    how = enc.to(own, change=spoilt)
    return PostedAnswer(site, **EncryptedAnswer(site.idp.key)(how, "assertion"))


def kernel_timers(site: SamlSite) -> int:
    (worker,) = site.nginx.workers()
    folder = Path(f"/proc/{worker}/fd")
    return sum(os.readlink(each) == "anon_inode:[timerfd]" for each in folder.iterdir())


def test_none_comes_early_enc_cbc_oracle(http_site: SamlSite, own: KeyPair) -> None:
    start(http_site, own)
    post = spoilt_answer(http_site, own)
    with RawConnection(http_site.url("/")) as connection:
        for _ in range(5):
            sent = time.monotonic()
            assert connection.send(post.whole).response().status == 403
            assert time.monotonic() - sent >= PERIOD
    assert kernel_timers(http_site) == 1
    assert "reason=decryption_failed" in http_site.nginx.error_log()
    assert PostedAnswer(http_site).send() == 303


def test_many_at_once_are_all_told_enc_cbc_oracle(http_site: SamlSite, own: KeyPair) -> None:
    start(http_site, own)
    post = spoilt_answer(http_site, own)
    connections = [RawConnection(http_site.url("/")).send(post.whole) for _ in range(60)]
    for connection in connections[::-1]:
        assert connection.response().status == 403
        connection.close()
    http_site.login(Browser())


@pytest.mark.parametrize("reset", [False, True], ids=["fin", "reset"])
def test_clients_that_leave_meanwhile_enc_cbc_oracle(http_site: SamlSite, own: KeyPair, reset: bool) -> None:
    start(http_site, own)
    workers = http_site.nginx.workers()
    post = spoilt_answer(http_site, own)
    for number in range(40):
        connection = RawConnection(http_site.url("/")).send(post.whole)
        time.sleep(number % 8 * PERIOD / 6)
        connection.reset() if reset else connection.close()
    assert post.send() == 403
    assert http_site.nginx.workers() == workers


@pytest.mark.parametrize("how", ["reload", "quit", "term"])
def test_workers_that_go_meanwhile_enc_cbc_oracle(http_site: SamlSite, own: KeyPair, how: str) -> None:
    start(http_site, own)
    nginx = http_site.nginx
    post = spoilt_answer(http_site, own)
    connections = [RawConnection(http_site.url("/")).send(post.whole[:-1]) for _ in range(20)]
    for _ in range(2):  # one that comes later is answered: the worker has begun to read all of these
        assert Browser().get(http_site.url("/saml/metadata")).status == 200
    for connection in connections:
        connection.send(post.whole[-1:])
    time.sleep(PERIOD / 4)
    ways = {"reload": lambda: nginx.reload(wait_for_old=False), "quit": nginx.stop, "term": lambda: nginx.stop(fast=True)}
    going = threading.Thread(target=ways[how])
    going.start()
    for connection in connections:
        if how != "term":
            assert connection.response().status == 403
        connection.close()
    going.join()


def test_without_a_timer_of_the_kernel_they_come_all_the_same_enc_cbc_oracle(http_site: SamlSite, own: KeyPair) -> None:
    """No connection is left for it, and none whose client only waits, which nginx would take instead."""
    start(http_site, own, events="worker_connections 24;")
    nginx = http_site.nginx
    nginx.allow_in_log("worker_connections are not enough")
    post = spoilt_answer(http_site, own).whole
    with ExitStack() as connections:

        def connect(sends: bytes) -> RawConnection:
            return connections.enter_context(RawConnection(http_site.url("/"))).send(sends)

        def is_full() -> bool:
            connect(b"GET / HTTP/1.1\r\n")
            return re.search(r"\[alert\].*worker_connections are not enough", nginx.error_log()) is not None

        connection = connect(post[:-1])
        wait_until(is_full, 10, "all connections to be taken")
        assert connection.send(post[-1:]).response().status == 403
        assert kernel_timers(http_site) == 0
    assert PostedAnswer(http_site).send() == 303
