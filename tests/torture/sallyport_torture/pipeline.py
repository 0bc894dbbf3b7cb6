"""Clients that ask many things at once over one connection: HTTP/1 pipelines and HTTP/2 streams."""

from __future__ import annotations

import re
import socket
import struct
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)", re.IGNORECASE)
_HEADERS, _RESET, _SETTINGS, _PING, _GOAWAY, _WINDOW = 1, 3, 4, 6, 7, 8
_END_STREAM, _END_HEADERS, _ACK = 1, 4, 1


@dataclass(frozen=True)
class Answer:
    """`head` is the status line and headers; over HTTP/2 the status is 200, or 0 for any other."""

    status: int
    head: bytes
    body: bytes


def _connect(port: int, source: str | None) -> socket.socket:
    connection = socket.create_connection(
        ("127.0.0.1", port), timeout=60, source_address=(source, 0) if source else None
    )
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class _Connection:
    def __init__(self, port: int, source: str | None = None) -> None:
        self._socket = _connect(port, source)
        self._buffer = bytearray()

    def _more(self) -> None:
        data = self._socket.recv(1 << 17)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._buffer += data

    def close(self) -> None:
        self._socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Pipeline(_Connection):
    """HTTP/1.1 keep-alive; `source` is an address of this machine to come from."""

    def ask(self, requests: list[bytes]) -> list[Answer]:
        self._socket.sendall(b"".join(requests))
        answers = []
        at = 0
        for _ in requests:
            while (end := self._buffer.find(b"\r\n\r\n", at)) < 0:
                self._more()
            head = bytes(self._buffer[at : end + 2])
            found = _LENGTH.search(head)
            at, length = end + 4, int(found[1]) if found else 0
            while len(self._buffer) < at + length:
                self._more()
            answers.append(Answer(int(head[9:12]), head, bytes(self._buffer[at : at + length])))
            at += length
        del self._buffer[:at]
        return answers


class Streams(_Connection):
    """HTTP/2 without TLS: each request is a GET of `/` with one cookie, in a stream of its own."""

    def __init__(self, port: int, host: str) -> None:
        super().__init__(port)
        self._next = 1
        authority = host.encode()
        # :method GET, :scheme http, :path /, and :authority, cookie as literals (RFC 7541, appendix A)
        self._block = b"\x82\x86\x84\x01" + bytes([len(authority)]) + authority + b"\x0f\x11"
        window = struct.pack(">I", 0x7FFFFFFF - 65535)
        self._socket.sendall(
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _frame(_SETTINGS, 0, 0, b"") + _frame(_WINDOW, 0, 0, window)
        )

    def ask(self, cookies: list[bytes]) -> list[Answer]:
        """At most 100 at once, each cookie shorter than 127 bytes."""
        out, bodies, statuses = [], {}, {}
        for cookie in cookies:
            block = self._block + bytes([len(cookie)]) + cookie
            out.append(_frame(_HEADERS, _END_STREAM | _END_HEADERS, self._next, block))
            bodies[self._next] = b""
            self._next += 2
        self._socket.sendall(b"".join(out))
        waiting = set(bodies)
        while waiting:
            kind, flags, stream, payload = self._read_frame()
            if kind in (_RESET, _GOAWAY):
                raise ConnectionError("the server ended a stream")
            if kind in (_SETTINGS, _PING) and not flags & _ACK:
                self._socket.sendall(_frame(kind, _ACK, 0, payload if kind == _PING else b""))
            if stream not in waiting:
                continue
            if kind == _HEADERS:
                statuses[stream] = 200 if payload[:1] == b"\x88" else 0
            elif kind == 0:
                bodies[stream] += payload
            if kind <= _HEADERS and flags & _END_STREAM:
                waiting.discard(stream)
        return [Answer(statuses[stream], b"", body) for stream, body in bodies.items()]

    def _read_frame(self) -> tuple[int, int, int, bytes]:
        while len(self._buffer) < 9:
            self._more()
        length = int.from_bytes(self._buffer[:3], "big")
        while len(self._buffer) < 9 + length:
            self._more()
        kind, flags = self._buffer[3], self._buffer[4]
        stream = int.from_bytes(self._buffer[5:9], "big")
        payload = bytes(self._buffer[9 : 9 + length])
        del self._buffer[: 9 + length]
        return kind, flags, stream, payload


def _frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload
