"""A Redis as it is with a million sessions: each with what a login leaves, of a user of its own."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from sallyport_testing.redis_server import RedisServer

_AT_ONCE = 2000
_DAY = 86_400_000


def used_memory(redis: RedisServer) -> int:
    text = redis.command("INFO", "memory")
    assert isinstance(text, bytes)
    return int(text.split(b"used_memory:")[1].split(b"\r")[0])


@dataclass(frozen=True)
class Sizes:
    """Bytes of Redis that one login costs."""

    session: float  # with its indexes
    user: float     # what is remembered of a user
    answer: float   # the mark of a used answer


def fill(redis: RedisServer, count: int) -> Sizes:
    """Adds sessions like those that are there."""
    model = {key.split(":")[1]: value for key, value in redis.dump().items()}
    sizes = []
    for kinds in (("sess", "who", "idx", "idx2"), ("profile",), ("seen",)):
        before = used_memory(redis)
        _send(redis, (command for number in range(count) for kind in kinds for command in _write(model, kind, number)))
        sizes.append((used_memory(redis) - before) / count)
    return Sizes(*sizes)


def _send(redis: RedisServer, commands: Iterator[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", redis.port)) as connection:
        replies = connection.makefile("rb")
        while batch := list(islice(commands, _AT_ONCE)):
            connection.sendall(b"".join(batch))
            for _ in batch:
                line = replies.readline()
                assert line[:1] in b"+:", line


def _write(model: dict[str, bytes], kind: str, number: int) -> Iterator[bytes]:
    key = f"sso:{kind.rstrip('2')}:{hashlib.sha256(f'{kind} {number}'.encode()).hexdigest()}"
    if kind in model and kind not in ("who", "idx"):
        yield _command("SET", key, model[kind], "PX", _DAY)
        return
    yield _command("ZADD", key, 9_999_999_999_999, hashlib.sha256(f"session {number}".encode()).digest())
    yield _command("PEXPIRE", key, _DAY)


def _command(*words: str | bytes | int) -> bytes:
    encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
