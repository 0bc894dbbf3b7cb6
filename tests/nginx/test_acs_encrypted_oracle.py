"""Changed ciphertexts teach nothing: every answer to them looks the same, whatever went wrong inside."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sallyport_testing import encryption as enc
from sallyport_testing.encryption import Encryption, EncryptedAnswer, Wrapping
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.refusals import REFERENCE
from sallyport_testing.running import running_site
from sallyport_testing.worker_cpu import cpu_seconds

SAML = 'xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"'
BLOCK = 16
KEY = os.urandom(32)  # of every ciphertext here, as an attacker who records one keeps it


@pytest.fixture(scope="module")
def own(keys: KeyStore) -> KeyPair:
    return keys.get("sp")


@pytest.fixture(scope="module")
def pending(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore, own: KeyPair) -> Iterator[PendingAttempt]:
    """A site that takes CBC and RSA 1.5. One worker: what is logged too often is counted per worker."""
    idp = (
        "saml_idp loose { metadata %%folder%%/idp-metadata.xml; "
        "encryption_algorithms aes256-cbc aes256-gcm rsa-oaep rsa-1_5; }\n"
    )
    locations = "location /loose { auth_saml loose; proxy_pass http://%%upstream%%; }"
    server = f"saml_certificate {own.certificate_file}; saml_certificate_key {own.key_file};"
    honest = EncryptedAnswer(keys.get("idp"))(enc.to(own, cipher="aes256-cbc"), "assertion")
    folder = tmp_path_factory.mktemp("oracle")
    with (
        running_site(
            folder, keys, workers=1, recipients=[own], http=idp, server=server, locations=locations
        ) as site,
        PendingAttempt(site, "/loose", honest=honest) as attempt,
    ):
        yield attempt


@dataclass(frozen=True)
class Seen:
    """All that a sender can see of an answer."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def of(cls, response: Response) -> "Seen":
        """Without what differs between any two answers: the reference number and the date."""
        body = REFERENCE.sub("Reference number: <code>x</code>", response.text)
        headers = [(name, value) for name, value in response.headers if name.lower() not in ("date", "set-cookie")]
        assert len(headers) + 1 == len(response.headers), "a cookie"
        return cls(response.status, tuple(headers), body)


@dataclass(frozen=True)
class Attacker:
    """Who has recorded an answer with an unsigned Response, and sends other ciphertexts in it."""

    attempt: PendingAttempt
    answer: EncryptedAnswer

    def form(self, how: Encryption) -> dict[str, str]:
        return self.attempt.site.idp.answer(self.attempt.request, **self.answer(how, "assertion")).form

    def send(self, how: Encryption) -> tuple[Seen, str]:
        refusal = self.attempt.refusals.message(self.attempt.browser, self.form(how))
        return Seen.of(refusal.response), refusal.reason


@pytest.fixture(scope="module")
def attacker(pending: PendingAttempt, keys: KeyStore) -> Attacker:
    return Attacker(pending, EncryptedAnswer(keys.get("idp")))


def ciphertext(own: KeyPair, value: bytes, cipher: str = "aes256-cbc", method: str = enc.OAEP_MGF1P) -> Encryption:
    """This ciphertext, with the key that all of them have here."""
    wrapped = Wrapping(own, method, value=lambda _: Wrapping(own, method).wrapped(KEY))
    return Encryption([wrapped], cipher, change=lambda _: value)


def same(answers: list[tuple[Seen, str]]) -> None:
    """All one and the same."""
    assert {reason for _, reason in answers} == {"decryption_failed"}
    assert len({seen for seen, _ in answers}) == 1


def last_byte(value: bytes, byte: int, block: int = -1) -> bytes:
    """The ciphertext whose block before `block` ends in another byte: that block's plaintext ends in another."""
    blocks = [value[i : i + BLOCK] for i in range(0, len(value), BLOCK)]
    blocks[block - 1] = blocks[block - 1][:-1] + bytes([blocks[block - 1][-1] ^ byte])
    return b"".join(blocks)


def test_each_last_byte_enc_cbc_oracle(attacker: Attacker, own: KeyPair) -> None:
    """One to sixteen are paddings that exist, the others are not."""
    value = enc.encrypt(f"<saml:Assertion {SAML}/>".encode(), KEY, "aes256-cbc")
    same([attacker.send(ciphertext(own, last_byte(value, byte))) for byte in range(256)])


def test_each_block_enc_cbc_oracle(attacker: Attacker, own: KeyPair) -> None:
    """Each block of the ciphertext put last, changed, left out, doubled."""
    value = enc.encrypt(b"<a>" + b"x" * 150 + b"</a>", KEY, "aes256-cbc")
    blocks = [value[i : i + BLOCK] for i in range(0, len(value), BLOCK)]
    variants = [b"".join(blocks[:count]) for count in range(1, len(blocks))]
    variants += [b"".join(blocks[:i] + blocks[i + 1 :]) for i in range(len(blocks))]
    variants += [b"".join(blocks[: i + 1] + blocks[i:]) for i in range(len(blocks))]
    variants += [last_byte(value, 1 << bit, block) for block in range(-len(blocks) + 1, 0) for bit in range(8)]
    variants += [value[:-1], value + b"x", value[:15], b"x"]
    same([attacker.send(ciphertext(own, each)) for each in variants])


def paddings(secret: bytes) -> dict[str, bytes]:
    """Blocks as RSA 1.5 pads them, and as it does not."""
    count = 256 - 3 - len(secret)
    filler = b"\x11" * count
    return {
        "good_but_another_key": b"\x00\x02" + filler + b"\x00" + os.urandom(32),
        "first": b"\x01\x02" + filler + b"\x00" + secret,
        "type": b"\x00\x01" + filler + b"\x00" + secret,
        "no_zero": b"\x00\x02" + filler + b"\x11" + secret,
        "early_zero": b"\x00\x02" + b"\x11" * 7 + b"\x00" + filler[8:] + b"\x00" + secret,
        "zero_at_once": b"\x00\x02\x00" + filler[1:] + b"\x00" + secret,
        "short_key": b"\x00\x02" + filler + b"\x11\x00" + secret[1:],
        "long_key": b"\x00\x02" + filler[1:] + b"\x00\x11" + secret,
        "key_of_16": b"\x00\x02" + filler + b"\x11" * 16 + b"\x00" + secret[16:],
        "nothing": bytes(256),
        "one": bytes(255) + b"\x01",
    }


@pytest.mark.parametrize("cipher", ["aes256-cbc", "aes256-gcm"], ids=lambda name: f"ENC-BLEICH-{name}")
def test_each_padding_of_rsa_15(attacker: Attacker, own: KeyPair, cipher: str) -> None:
    value = enc.encrypt(f"<saml:Assertion {SAML}/>".encode(), KEY, cipher)
    answers = [attacker.send(ciphertext(own, value, cipher, enc.RSA_15))]
    for block in paddings(KEY).values():
        wrapped = Wrapping(own, enc.RSA_15, value=lambda _, block=block: enc.raw_rsa(own, block))
        answers.append(attacker.send(Encryption([wrapped], cipher, change=lambda _: value)))
    same(answers)


def kinds(own: KeyPair, other: KeyPair) -> dict[str, Encryption]:
    """One ciphertext for each thing that can go wrong."""

    def holding(plaintext: bytes) -> Encryption:
        return ciphertext(own, enc.encrypt(plaintext, KEY, "aes256-cbc"))

    return {
        "wrong_key": enc.to(other, cipher="aes256-cbc"),
        "oaep_label": Encryption([Wrapping(own, label=b"x", said="")]),
        "gcm_tag": enc.to(own, change=lambda value: value[:-1] + bytes([value[-1] ^ 1])),
        "not_xml": holding(b"text"),
        "cut_xml": holding(b"<a>"),
        "another_element": holding(b"<a/>"),
        "DOCTYPE": holding(b"<!DOCTYPE a><a/>"),
        "assertion_without_signature": holding(f'<saml:Assertion {SAML} ID="_x"/>'.encode()),
        "two_assertions": holding(f"<saml:Assertion {SAML}><saml:Assertion/></saml:Assertion>".encode()),
        "too_deep": holding(b"<a>" * 50 + b"</a>" * 50),
    }


def test_every_kind_of_failure_enc_cbc_oracle(attacker: Attacker, own: KeyPair, keys: KeyStore) -> None:
    same([attacker.send(how) for how in kinds(own, keys.get("other-sp")).values()])


def test_the_log_tells_no_more_enc_cbc_oracle(attacker: Attacker, own: KeyPair, keys: KeyStore) -> None:
    """One line for each, and but for the reference number the same words."""
    nginx = attacker.attempt.site.nginx
    time.sleep(1.1)  # ten lines a second are logged
    before = len(nginx.error_log())
    every = list(kinds(own, keys.get("other-sp")).values())[:9]
    for how in every:
        attacker.send(how)
    nginx.wait_for_log(r"(?s)(reason=decryption_failed.*){%d}" % len(every))
    lines = [line for line in nginx.error_log()[before:].splitlines() if "login refused" in line]
    assert len(lines) == len(every)
    words = {re.sub(r"ref=\w+|^\S+ \S+ |\d+#\d+: \*\d+", "", line) for line in lines}
    assert len(words) == 1, words


def test_the_work_is_the_same_enc_cbc_oracle(attacker: Attacker, own: KeyPair) -> None:
    """A padding that exists and one that does not cost the worker equally much, by the scheduler's account (wall clocks
    of a busy machine tell nothing)."""
    value = enc.encrypt(b"<a>" + b"x" * 1000 + b"</a>", KEY, "aes256-cbc")
    forms = [attacker.form(ciphertext(own, last_byte(value, byte))) for byte in (0, 0x80)]
    attempt = attacker.attempt
    used = [0.0, 0.0]
    for turn in range(20):
        before = cpu_seconds(attempt.site.nginx)
        for _ in range(10):
            attempt.browser.post_from(attempt.site.idp.sso_url, attempt.site.acs_url, forms[turn % 2])
        used[turn % 2] += cpu_seconds(attempt.site.nginx) - before
    assert 0.8 < used[0] / used[1] < 1.25, used
