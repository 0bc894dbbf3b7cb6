"""A Redis as it is with a million sessions: each with what a login leaves, of a user of its own."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterator

from sallyport_testing.redis_server import RedisServer

_AT_ONCE = 2000
_DAY = 86_400_000


def used_memory(redis: RedisServer) -> int:
    text = redis.command("INFO", "memory")
    assert isinstance(text, bytes)
    return int(text.split(b"used_memory:")[1].split(b"\r")[0])


def fill(redis: RedisServer, count: int) -> float:
    """Adds sessions like those that are there, and returns the bytes that each takes."""
    model = {key.split(":")[1]: value for key, value in redis.dump().items()}
    before = used_memory(redis)
    with socket.create_connection(("127.0.0.1", redis.port)) as connection:
        replies = connection.makefile("rb")
        batch: list[bytes] = []
        for number in range(count):
            batch += _login(model, number)
            if len(batch) >= _AT_ONCE or number == count - 1:
                connection.sendall(b"".join(batch))
                for _ in batch:
                    line = replies.readline()
                    assert line[:1] in b"+:", line
                batch.clear()
    return (used_memory(redis) - before) / count


def _login(model: dict[str, bytes], number: int) -> Iterator[bytes]:
    def key(kind: str) -> str:
        return f"sso:{kind}:{hashlib.sha256(f'{kind} {number}'.encode()).hexdigest()}"

    for kind in ("sess", "profile", "seen"):
        yield _command("SET", key(kind), model[kind], "PX", _DAY)
    member = hashlib.sha256(f"session {number}".encode()).digest()
    for kind in ("who", "idx", "idx2"):
        name = key(kind).replace("idx2", "idx")
        yield _command("ZADD", name, 9_999_999_999_999, member)
        yield _command("PEXPIRE", name, _DAY)


def _command(*words: str | bytes | int) -> bytes:
    encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded)
