"""An HTTP/2 (h2c) echo for `grpc_pass`: answers one length-prefixed message that holds the echo JSON."""

from __future__ import annotations

import socket

import h2.config
import h2.connection
import h2.events

from .echoed import EchoedRequest
from .servers import ThreadedServer


class GrpcUpstream(ThreadedServer):
    """A gRPC-like upstream; `requests` holds all that it saw."""

    def __init__(self, port: int | None = None) -> None:
        self.requests: list[EchoedRequest] = []
        super().__init__(port)

    @property
    def last(self) -> EchoedRequest:
        assert self.requests, "nothing reached the upstream"
        return self.requests[-1]

    def serve(self, connection: socket.socket) -> None:
        config = h2.config.H2Configuration(
            client_side=False, header_encoding="latin-1", validate_inbound_headers=False
        )
        http2 = h2.connection.H2Connection(config)
        http2.initiate_connection()
        connection.sendall(http2.data_to_send())
        headers: dict[int, list[tuple[str, str]]] = {}
        bodies: dict[int, bytes] = {}
        while data := connection.recv(65536):
            for event in http2.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    headers[event.stream_id] = [(name, value) for name, value in event.headers]
                    bodies[event.stream_id] = b""
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] += event.data
                    http2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    self._answer(http2, event.stream_id, headers[event.stream_id], bodies[event.stream_id])
            connection.sendall(http2.data_to_send())

    def _answer(
        self, http2: h2.connection.H2Connection, stream: int, headers: list[tuple[str, str]], body: bytes
    ) -> None:
        pseudo = {name: value for name, value in headers if name.startswith(":")}
        request = EchoedRequest(
            method=pseudo.get(":method", ""),
            uri=pseudo.get(":path", ""),
            protocol="HTTP/2.0",
            headers=[pair for pair in headers if not pair[0].startswith(":")],
            body_length=len(body),
            body=body[:4096].decode("latin-1"),
        )
        self.requests.append(request)
        message = request.to_json()
        http2.send_headers(stream, [(":status", "200"), ("content-type", "application/grpc")])
        payload = b"\0" + len(message).to_bytes(4, "big") + message
        while payload:
            size = min(len(payload), http2.max_outbound_frame_size, http2.local_flow_control_window(stream))
            http2.send_data(stream, payload[:size])
            payload = payload[size:]
        http2.send_headers(stream, [("grpc-status", "0")], end_stream=True)


def grpc_message(payload: bytes) -> bytes:
    """The content of the first length-prefixed message."""
    return payload[5 : 5 + int.from_bytes(payload[1:5], "big")]
