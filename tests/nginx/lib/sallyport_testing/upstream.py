"""An HTTP/1.1 upstream that answers with the request it received, as JSON, and remembers it.

Paths that end in one of these answer otherwise (so that a location prefix may stand before them):

    /status/NNN            that status
    /set-cookie?a=b&c=d    Set-Cookie per pair (`raw=` gives a whole header value)
    /early-hints?raw=LINE  first a 103 with that Set-Cookie
    /slow?ms=NNN           the echo, after a while
    /x-accel?to=/path      X-Accel-Redirect; further arguments are further headers
    /redirect?to=URL       302
    /ssi?include=/path     an HTML page with an SSI include
    /html                  an HTML page
    /cacheable             the echo, with Cache-Control: max-age=60

A WebSocket handshake on any path is accepted: the first message is the echo JSON, then every message
comes back; `close` makes the server close.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import socket
import threading
import time
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

from .echoed import EchoedRequest
from .servers import Reader, ThreadedServer

_WEBSOCKET_MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class EchoUpstream(ThreadedServer):
    """The echo upstream; `requests` holds all that it saw, in order."""

    def __init__(self, port: int | None = None) -> None:
        self.requests: list[EchoedRequest] = []
        self._numbers = itertools.count(1)
        self._requests_lock = threading.Lock()
        super().__init__(port)

    @property
    def last(self) -> EchoedRequest:
        assert self.requests, "nothing reached the upstream"
        return self.requests[-1]

    def clear(self) -> None:
        self.requests.clear()

    def serve(self, connection: socket.socket) -> None:
        reader = Reader(connection)
        number = next(self._numbers)
        while True:
            request = replace(_read_request(reader), connection=number)
            with self._requests_lock:
                self.requests.append(request)
            if (request.header("Upgrade") or "").lower() == "websocket":
                _serve_websocket(connection, reader, request)
                return
            connection.sendall(_answer(request))
            if request.protocol == "HTTP/1.0" or "close" in ",".join(request.all("Connection")).lower():
                return


def _read_request(reader: Reader) -> EchoedRequest:
    lines = reader.until(b"\r\n\r\n").decode("latin-1").split("\r\n")
    method, uri, protocol = lines[0].split(" ")
    headers: list[tuple[str, str]] = []
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers.append((name, value.removeprefix(" ")))
    lowered = {name.lower(): value for name, value in headers}
    if "chunked" in lowered.get("transfer-encoding", "").lower():
        body = _read_chunks(reader)
    else:
        body = reader.exactly(int(lowered.get("content-length", "0")))
    return EchoedRequest(method, uri, protocol, headers, len(body), body[:4096].decode("latin-1"))


def _read_chunks(reader: Reader) -> bytes:
    body = bytearray()
    while size := int(reader.until(b"\r\n").split(b";")[0], 16):
        body += reader.exactly(size)
        reader.until(b"\r\n")
    while reader.until(b"\r\n"):
        pass
    return bytes(body)


def _answer(request: EchoedRequest) -> bytes:
    path, query = urlsplit(request.uri).path, urlsplit(request.uri).query
    arguments = parse_qsl(query, keep_blank_values=True)
    first = dict(reversed(arguments))
    status, body, content_type = "200 OK", request.to_json(), "application/json"
    headers: list[tuple[str, str]] = []
    before = b""

    if found := re.search(r"/status/(\d{3})$", path):
        status = f"{found[1]} Asked For"
    elif path.endswith("/set-cookie"):
        headers = [
            ("Set-Cookie", value if name == "raw" else f"{name}={value}") for name, value in arguments
        ]  # fmt: skip
    elif path.endswith("/early-hints"):
        before = f"HTTP/1.1 103 Early Hints\r\nSet-Cookie: {first['raw']}\r\nLink: </x.css>\r\n\r\n".encode("latin-1")
    elif path.endswith("/slow"):
        time.sleep(int(first.get("ms", "1000")) / 1000)
    elif path.endswith("/x-accel"):
        headers = [("X-Accel-Redirect", first.pop("to")), *first.items()]
    elif path.endswith("/redirect"):
        status, headers = "302 Found", [("Location", first["to"])]
    elif path.endswith("/ssi"):
        content_type = "text/html"
        body = f'<html><body>before <!--#include virtual="{first["include"]}" --> after</body></html>'.encode()
    elif path.endswith("/html"):
        content_type = "text/html"
        body = b"<!DOCTYPE html><html><head><title>A page</title></head><body>A page</body></html>"
    elif path.endswith("/cacheable"):
        headers = [("Cache-Control", "max-age=60")]

    bodiless = status[:3] in ("204", "304") or status[0] == "1"
    head = [f"HTTP/1.1 {status}", f"Content-Type: {content_type}"]
    head += [f"{name}: {value}" for name, value in headers]
    if not bodiless:
        head.append(f"Content-Length: {len(body)}")
    payload = b"" if bodiless or request.method == "HEAD" else body
    return before + "\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + payload


def _serve_websocket(connection: socket.socket, reader: Reader, request: EchoedRequest) -> None:
    key = (request.header("Sec-WebSocket-Key") or "").encode("latin-1")
    accept = base64.b64encode(hashlib.sha1(key + _WEBSOCKET_MAGIC).digest()).decode()
    connection.sendall(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        + f"Sec-WebSocket-Accept: {accept}\r\n\r\n".encode()
    )
    connection.sendall(websocket_frame(1, request.to_json()))
    while True:
        opcode, payload = read_websocket_frame(reader)
        if opcode == 8 or payload == b"close":
            connection.sendall(websocket_frame(8, b"\x03\xe8"))
            return
        connection.sendall(websocket_frame(10 if opcode == 9 else opcode, payload))


def websocket_frame(opcode: int, payload: bytes, mask: bytes | None = None) -> bytes:
    """One final WebSocket frame (clients must give a mask of four bytes)."""
    flag = 0x80 if mask else 0
    if len(payload) < 126:
        head = bytes([0x80 | opcode, flag | len(payload)])
    else:
        head = bytes([0x80 | opcode, flag | 127]) + len(payload).to_bytes(8, "big")
    if mask:
        payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return head + (mask or b"") + payload


def read_websocket_frame(reader: Reader) -> tuple[int, bytes]:
    """Opcode and unmasked payload of the next WebSocket frame."""
    first, second = reader.exactly(2)
    size = second & 0x7F
    if size == 126:
        size = int.from_bytes(reader.exactly(2), "big")
    elif size == 127:
        size = int.from_bytes(reader.exactly(8), "big")
    mask = reader.exactly(4) if second & 0x80 else b"\0\0\0\0"
    payload = bytes(byte ^ mask[index % 4] for index, byte in enumerate(reader.exactly(size)))
    return first & 0x0F, payload
