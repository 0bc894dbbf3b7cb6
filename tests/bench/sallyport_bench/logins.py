"""Many logins: attempts begun and answers signed beforehand, so that only the POSTs are measured."""

from __future__ import annotations

import base64
import multiprocessing
import re
import zlib
from dataclasses import dataclass
from urllib.parse import parse_qs, quote_plus, urlsplit

from .client import Client, header_of, status_of
from .fixture_idp import FixtureIdp
from .wrk import HOST, request_head


@dataclass(frozen=True)
class Attempt:
    """A login as the browser holds it on its way to the IdP."""

    request_id: str
    relay_state: str
    cookie: str


def begin(client: Client) -> Attempt:
    """Ask for a protected page."""
    head, _ = client.ask(request_head("/page?a=1").encode() + b"\r\n")
    if status_of(head) != 302:
        raise RuntimeError(f"no redirect to the IdP:\n{head.decode()}")
    query = parse_qs(urlsplit(header_of(head, "Location")).query)
    request = zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15).decode()
    found = re.search(r'\bID="([^"]+)"', request)
    assert found, request
    return Attempt(found.group(1), query["RelayState"][0], header_of(head, "Set-Cookie").split(";")[0])


class Signer:
    """Makes whole POST requests to the ACS; pickled to processes of its own."""

    def __init__(self, idp: FixtureIdp, base_url: str, entity_id: str) -> None:
        self._idp = idp
        self._base_url = base_url
        self._entity_id = entity_id

    def message(self, attempt: Attempt) -> bytes:
        return self._idp.answer(attempt.request_id, f"{self._base_url}/saml/acs", self._entity_id)

    def post(self, attempt: Attempt) -> bytes:
        return post_of(attempt, self.message(attempt))


def post_of(attempt: Attempt, message: bytes) -> bytes:
    """The whole POST of a message, as the browser with that attempt sends it."""
    response = quote_plus(base64.b64encode(message))
    body = f"SAMLResponse={response}&RelayState={quote_plus(attempt.relay_state)}"
    return (
        f"POST /saml/acs HTTP/1.1\r\nHost: {HOST}\r\nOrigin: https://idp.example.com\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
        f"Cookie: {attempt.cookie}\r\n\r\n{body}"
    ).encode()


_signer: Signer | None = None


def _sign_one(attempt: Attempt) -> bytes:
    assert _signer is not None
    return _signer.post(attempt)


class LoginMaker:
    """Prepares POSTs for one running gate."""

    def __init__(self, port: int, signer: Signer, processes: int = 2) -> None:
        global _signer
        _signer = signer  # the children inherit it, keys cannot be pickled
        self._port = port
        self._pool = multiprocessing.get_context("fork").Pool(processes)

    def prepare(self, count: int) -> list[bytes]:
        with Client(self._port) as client:
            attempts = [begin(client) for _ in range(count)]
        return self._pool.map(_sign_one, attempts, chunksize=32)

    def close(self) -> None:
        self._pool.terminate()
        self._pool.join()

    def __enter__(self) -> "LoginMaker":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def log_in(client: Client, post: bytes) -> str:
    """Post one answer; returns the session's cookie."""
    head, body = client.ask(post)
    found = re.search(rb"^Set-Cookie: (saml_session=[^;]+)", head, re.MULTILINE)
    if status_of(head) != 303 or not found:
        raise RuntimeError(f"a login failed:\n{head.decode()}\n{body[:500].decode()}")
    return found.group(1).decode()


def log_in_all(port: int, posts: list[bytes]) -> None:
    with Client(port) as client:
        for post in posts:
            log_in(client, post)
