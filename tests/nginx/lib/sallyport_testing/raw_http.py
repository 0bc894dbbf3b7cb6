"""Bytes to a server and bytes back, for requests that no proper client sends."""

from __future__ import annotations

import socket
import struct
import time

from .http_client import connect
from .http_response import Response
from .servers import Reader


class RawConnection:
    """A plain or TLS connection that sends what it is told, when it is told."""

    def __init__(self, url: str, timeout: float = 15) -> None:
        self.url = url
        self.socket = connect(url, timeout=timeout)
        self._reader = Reader(self.socket)

    def send(self, data: bytes | str) -> "RawConnection":
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def send_slowly(self, data: bytes, *, size: int = 1, pause: float = 0.01) -> "RawConnection":
        """Send in pieces with a pause between them."""
        for start in range(0, len(data), size):
            self.socket.sendall(data[start : start + size])
            time.sleep(pause)
        return self

    def response(self, method: str = "GET") -> Response:
        """Read one response; interim 1xx are passed over."""
        while True:
            lines = self._reader.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
            status = int(lines[0].split(" ")[1])
            headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
            if status >= 200 or status == 101:
                break
        lowered = {name.lower(): value for name, value in headers}
        if method == "HEAD" or status in (101, 204, 304):
            body = b""
        elif "chunked" in lowered.get("transfer-encoding", ""):
            body = b""
            while size := int(self._reader.until(b"\r\n"), 16):
                body += self._reader.exactly(size)
                self._reader.exactly(2)
            self._reader.until(b"\r\n")
        elif "content-length" in lowered:
            body = self._reader.exactly(int(lowered["content-length"]))
        else:
            body = self.rest()
        return Response(self.url, method, status, headers, body)

    def rest(self) -> bytes:
        """Everything until the server closes."""
        data = b""
        try:
            while True:
                data += self._reader.exactly(1)
        except (EOFError, ConnectionError):
            return data

    @property
    def reader(self) -> Reader:
        return self._reader

    def closed_by_peer(self, seconds: float = 5) -> bool:
        """Whether the server closes the connection in time (what it still sends is dropped)."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                if not self.socket.recv(65536):
                    return True
            except TimeoutError:
                return False
            except OSError:
                return True
        return False

    def close(self) -> None:
        self.socket.close()

    def reset(self) -> None:
        """Close with RST, as a client that is gone at once."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close()

    def __enter__(self) -> "RawConnection":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def raw_request(url: str, data: bytes | str, timeout: float = 15) -> Response:
    """Send these bytes to the URL's host and port, and read one response."""
    with RawConnection(url, timeout) as connection:
        return connection.send(data).response()
