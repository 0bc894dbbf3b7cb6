"""Many requests as streams of one HTTP/2 connection, at once; header blocks are sent as they are given."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.events

from .http_client import connect
from .http_response import Response

Fields = Sequence[tuple[str, str]]


@dataclass
class _Answer:
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def pseudo_headers(url: str, path: str, method: str = "GET") -> list[tuple[str, str]]:
    scheme, _, authority = url.partition("://")
    return [(":method", method), (":scheme", scheme), (":authority", authority), (":path", path)]


def exchange(url: str, requests: Sequence[Fields]) -> list[Response | None]:
    """The responses, in order; None for a stream that was reset, and for all that were open when the server
    ended the connection."""
    config = h2.config.H2Configuration(
        header_encoding="latin-1", validate_outbound_headers=False, normalize_outbound_headers=False,
        validate_inbound_headers=False,
    )  # fmt: skip
    with connect(url, alpn=["h2"]) as connection:
        if isinstance(connection, ssl.SSLSocket):
            assert connection.selected_alpn_protocol() == "h2", "the server did not choose h2"
        state = h2.connection.H2Connection(config)
        state.initiate_connection()
        answers: dict[int, _Answer | None] = {}
        for fields in requests:
            stream = state.get_next_available_stream_id()
            encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
            state.send_headers(stream, encoded, end_stream=True)
            answers[stream] = _Answer()
        connection.sendall(state.data_to_send())
        waiting = set(answers)
        while waiting and (data := connection.recv(65536)):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.ConnectionTerminated):
                    answers.update(dict.fromkeys(waiting))
                    waiting.clear()
                    break
                stream = getattr(event, "stream_id", None)
                if stream not in waiting:
                    continue
                if isinstance(event, h2.events.ResponseReceived):
                    answers[stream].headers = list(event.headers)  # type: ignore[union-attr]
                elif isinstance(event, h2.events.DataReceived):
                    answers[stream].body += event.data  # type: ignore[union-attr]
                    state.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, h2.events.StreamEnded):
                    waiting.discard(stream)
                elif isinstance(event, h2.events.StreamReset):
                    answers[stream] = None
                    waiting.discard(stream)
            connection.sendall(state.data_to_send())
        answers.update(dict.fromkeys(waiting))
    methods = [dict(fields).get(":method", "") for fields in requests]
    return [_response(url, method, each) for method, each in zip(methods, answers.values(), strict=True)]


def _response(url: str, method: str, answer: _Answer | None) -> Response | None:
    if answer is None:
        return None
    status = int(dict(answer.headers)[":status"])
    return Response(url, method, status, [pair for pair in answer.headers if pair[0][0] != ":"], answer.body)
