"""A keep-alive HTTP client that does as little as possible."""

from __future__ import annotations

import re
import socket

_LENGTH = re.compile(rb"\r\nContent-Length: (\d+)", re.IGNORECASE)


class Client:
    """One connection; requests are bytes, answers are head and body."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ask(self, request: bytes) -> tuple[bytes, bytes]:
        self._socket.sendall(request)
        received = b""
        while (end := received.find(b"\r\n\r\n")) < 0:
            received += self._more()
        head, body = received[: end + 2], received[end + 4 :]
        length = int(found.group(1)) if (found := _LENGTH.search(head)) else 0
        while len(body) < length:
            body += self._more()
        return head, body

    def _more(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

    def close(self) -> None:
        self._socket.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def status_of(head: bytes) -> int:
    return int(head.split(b" ", 2)[1])


def header_of(head: bytes, name: str) -> str:
    """The first header of that name; empty when there is none."""
    found = re.search(rb"^" + name.encode() + rb": (.*?)\r$", head, re.MULTILINE | re.IGNORECASE)
    return found.group(1).decode() if found else ""
