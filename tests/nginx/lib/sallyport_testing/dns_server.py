"""A name server that knows A records of the tests' making."""

from __future__ import annotations

import socket
import struct
import threading

from .ports import free_port


class DnsServer:
    """`names` may change while it runs; who is not among them does not exist."""

    def __init__(self) -> None:
        self.port = free_port()
        self.names: dict[str, str] = {}
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", self.port))
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> "DnsServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                query, sender = self._socket.recvfrom(512)
                self._socket.sendto(self._answer(query), sender)
            except OSError:
                return

    def _answer(self, query: bytes) -> bytes:
        labels, at = [], 12
        while query[at]:
            labels.append(query[at + 1 : at + 1 + query[at]].decode())
            at += 1 + query[at]
        question = query[12 : at + 5]
        kind = struct.unpack(">H", question[-4:-2])[0]
        address = self.names.get(".".join(labels))
        has_record = address is not None and kind == 1
        flags = 0x8180 if address is not None else 0x8183
        header = query[:2] + struct.pack(">HHHHH", flags, 1, int(has_record), 0, 0)
        if not has_record:
            return header + question
        record = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 1, 4) + socket.inet_aton(str(address))
        return header + question + record
