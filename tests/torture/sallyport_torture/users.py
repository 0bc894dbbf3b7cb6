"""Users who log in: answers are signed in processes of their own, and who they are for is known beforehand."""

from __future__ import annotations

import multiprocessing
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sallyport_bench.client import Client
from sallyport_bench.fixture_idp import FixtureIdp
from sallyport_bench.logins import Attempt, Signer, begin, post_of
from sallyport_bench.wrk import HOST
from sallyport_testing.keys import KeyPair

from .context import Context
from .gate import Gate
from .pipeline import Answer, Pipeline

_NAME_ID = re.compile(rb"<saml:NameID[^>]*>([^<]+)<")
_SESSION = re.compile(rb"^Set-Cookie: (saml_session=([^;]*))", re.MULTILINE)
_BATCH = 512

_signer: Signer | None = None


@dataclass(frozen=True)
class PreparedLogin:
    """An answer that was not posted yet, and whom it makes of its poster."""

    user: str
    post: bytes


@dataclass(frozen=True)
class User:
    name: str
    cookie: bytes  # NAME=VALUE

    @property
    def request(self) -> bytes:
        return page_request(self.cookie)


def page_request(cookie: bytes = b"") -> bytes:
    line = b"Cookie: " + cookie + b"\r\n" if cookie else b""
    return b"GET / HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\n" + line + b"\r\n"


def user_seen(answer: Answer) -> str | None:
    """For whom the application took a request; None when it did not reach it."""
    return answer.body.removeprefix(b"user=").decode() if answer.status == 200 else None


def session_of(answer: Answer) -> bytes | None:
    """The session cookie that an answer of the ACS sets."""
    found = _SESSION.search(answer.head)
    return found[1] if found and answer.status == 303 else None


def _sign(attempt: Attempt) -> PreparedLogin:
    assert _signer is not None
    message = _signer.message(attempt)
    name = _NAME_ID.search(message)
    assert name
    return PreparedLogin(name[1].decode(), post_of(attempt, message))


class Logins:
    """Prepares logins at a gate."""

    def __init__(self, context: Context, gate: Gate, *, key: KeyPair | None = None, processes: int = 2) -> None:
        global _signer
        idp = FixtureIdp(key or context.idp.key, context.idp.entity_id)
        # The children inherit it: keys cannot be pickled.
        _signer = Signer(idp, gate.base_url, f"http://{HOST}/saml/metadata")
        self._gate = gate
        self._pool = multiprocessing.get_context("fork").Pool(processes)

    def prepare(self, count: int) -> list[PreparedLogin]:
        with Client(self._gate.port) as client:
            attempts = [begin(client) for _ in range(count)]
        return self._pool.map(_sign, attempts, chunksize=16)

    def batches(self, count: int) -> Iterator[list[PreparedLogin]]:
        for start in range(0, count, _BATCH):
            yield self.prepare(min(_BATCH, count - start))

    def log_in(self, count: int) -> list[User]:
        """Users with their sessions; a login that fails is an error."""
        users = []
        for batch in self.batches(count):
            users += log_in_all(self._gate, batch)
        return users

    def __enter__(self) -> "Logins":
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.terminate()
        self._pool.join()


def log_in_all(gate: Gate, logins: list[PreparedLogin]) -> list[User]:
    users = []
    with Pipeline(gate.port) as pipeline:
        for start in range(0, len(logins), 16):
            some = logins[start : start + 16]
            for login, answer in zip(some, pipeline.ask([each.post for each in some]), strict=True):
                cookie = session_of(answer)
                if cookie is None:
                    raise RuntimeError(f"a login failed:\n{answer.head.decode()}\n{answer.body[:500].decode()}")
                users.append(User(login.user, cookie))
    return users
