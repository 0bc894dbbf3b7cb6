"""FastCGI, SCGI and uwsgi responders that answer with the parameters they received, as JSON."""

from __future__ import annotations

import socket
import struct

from .echoed import EchoedRequest, from_cgi_params
from .servers import Reader, ThreadedServer

_FCGI_BEGIN, _FCGI_END, _FCGI_PARAMS, _FCGI_STDIN, _FCGI_STDOUT = 1, 3, 4, 5, 6


class CgiUpstream(ThreadedServer):
    """What the three have in common; `requests` holds all that it saw."""

    def __init__(self, port: int | None = None) -> None:
        self.requests: list[EchoedRequest] = []
        super().__init__(port)

    @property
    def last(self) -> EchoedRequest:
        assert self.requests, "nothing reached the upstream"
        return self.requests[-1]

    def answer(self, params: list[tuple[str, str]], body: bytes) -> bytes:
        """Remember the request and make the CGI answer."""
        request = from_cgi_params(params, body)
        self.requests.append(request)
        return b"Status: 200 OK\r\nContent-Type: application/json\r\n\r\n" + request.to_json()


class FastCgiUpstream(CgiUpstream):
    def serve(self, connection: socket.socket) -> None:
        reader = Reader(connection)
        while True:
            params, body, request_id, keep = _read_fastcgi(reader)
            answer = self.answer(_fastcgi_pairs(params), body)
            for start in range(0, len(answer), 32768):
                connection.sendall(_fastcgi_record(_FCGI_STDOUT, request_id, answer[start : start + 32768]))
            connection.sendall(_fastcgi_record(_FCGI_STDOUT, request_id, b""))
            connection.sendall(_fastcgi_record(_FCGI_END, request_id, bytes(8)))
            if not keep:
                return


def _read_fastcgi(reader: Reader) -> tuple[bytes, bytes, int, bool]:
    params, body, keep = b"", b"", False
    while True:
        _, kind, request_id, size, padding, _ = struct.unpack("!BBHHBB", reader.exactly(8))
        content = reader.exactly(size)
        reader.exactly(padding)
        if kind == _FCGI_BEGIN:
            keep = bool(content[2] & 1)
        elif kind == _FCGI_PARAMS:
            params += content
        elif kind == _FCGI_STDIN:
            if not content:
                return params, body, request_id, keep
            body += content


def _fastcgi_pairs(data: bytes) -> list[tuple[str, str]]:
    pairs, at = [], 0
    while at < len(data):
        sizes = []
        for _ in range(2):
            if data[at] < 128:
                sizes.append(data[at])
                at += 1
            else:
                sizes.append(int.from_bytes(data[at : at + 4], "big") & 0x7FFFFFFF)
                at += 4
        name = data[at : at + sizes[0]]
        value = data[at + sizes[0] : at + sizes[0] + sizes[1]]
        at += sizes[0] + sizes[1]
        pairs.append((name.decode("latin-1"), value.decode("latin-1")))
    return pairs


def _fastcgi_record(kind: int, request_id: int, content: bytes) -> bytes:
    return struct.pack("!BBHHBB", 1, kind, request_id, len(content), 0, 0) + content


class ScgiUpstream(CgiUpstream):
    def serve(self, connection: socket.socket) -> None:
        reader = Reader(connection)
        fields = reader.exactly(int(reader.until(b":"))).split(b"\0")[:-1]
        reader.exactly(1)
        names = [field.decode("latin-1") for field in fields]
        params = list(zip(names[::2], names[1::2], strict=True))
        body = reader.exactly(int(dict(params).get("CONTENT_LENGTH") or 0))
        connection.sendall(self.answer(params, body))


class UwsgiUpstream(CgiUpstream):
    def serve(self, connection: socket.socket) -> None:
        reader = Reader(connection)
        _, size, _ = struct.unpack("<BHB", reader.exactly(4))
        data, params = reader.exactly(size), []
        while data:
            pair = []
            for _ in range(2):
                (length,) = struct.unpack("<H", data[:2])
                pair.append(data[2 : 2 + length].decode("latin-1"))
                data = data[2 + length :]
            params.append((pair[0], pair[1]))
        body = reader.exactly(int(dict(params).get("CONTENT_LENGTH") or 0))
        connection.sendall(self.answer(params, body))
