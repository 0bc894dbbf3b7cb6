"""Users at work in threads while something happens to the workers: everybody stays who they are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from .context import Outcome
from .gate import Gate
from .pipeline import Pipeline
from .users import PreparedLogin, User, session_of, user_seen

# What a request may end with whose worker died or was told to leave.
LOST = (OSError, ValueError)


@dataclass
class Counts:
    requests: int = 0
    logins: int = 0
    lost: int = 0
    sent_to_login: int = 0


@dataclass
class Load:
    """What the threads do. `may_lose`: a session may be gone (a worker died while it wrote it)."""

    gate: Gate
    outcome: Outcome
    users: list[User]
    waiting: list[PreparedLogin] = field(default_factory=list)
    may_lose: bool = False
    counts: Counts = field(default_factory=Counts)

    def __post_init__(self) -> None:
        self._done = threading.Event()
        self._lock = threading.Lock()

    @contextmanager
    def running(self, threads: int = 3) -> Iterator["Load"]:
        started = [threading.Thread(target=self._work, args=(number, threads)) for number in range(threads)]
        for each in started:
            each.start()
        try:
            yield self
        finally:
            self._done.set()
            for each in started:
                each.join(90)
            self.outcome.expect(not any(each.is_alive() for each in started), "a request hangs")

    def _work(self, number: int, threads: int) -> None:
        at = number
        pipeline: Pipeline | None = None
        while not self._done.is_set():
            try:
                pipeline = pipeline or Pipeline(self.gate.port)
                self._pages(pipeline, [self.users[(at + step) % len(self.users)] for step in range(10)])
                at += threads * 10
                self._login(pipeline)
            except LOST:
                with self._lock:
                    self.counts.lost += 1
                if pipeline:
                    pipeline.close()
                pipeline = None

    def _pages(self, pipeline: Pipeline, users: list[User]) -> None:
        for user, answer in zip(users, pipeline.ask([user.request for user in users]), strict=True):
            with self._lock:
                self.counts.requests += 1
                self.counts.sent_to_login += answer.status == 302
            if answer.status == 302 and self.may_lose:
                continue
            seen = user_seen(answer)
            if seen != user.name:
                self.outcome.violated(f"{user.name} became {seen} ({answer.status})")

    def _login(self, pipeline: Pipeline) -> None:
        with self._lock:
            login = self.waiting.pop() if self.waiting else None
        if login is None:
            return
        (answer,) = pipeline.ask([login.post])
        cookie = session_of(answer)
        if cookie is None:
            self.outcome.violated(f"a login ended with {answer.status}")
            return
        with self._lock:
            self.counts.logins += 1
        self._pages(pipeline, [User(login.user, cookie)])
