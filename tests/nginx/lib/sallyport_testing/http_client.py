"""One HTTP request to 127.0.0.1 under any host name: HTTP/1.1 or HTTP/2, plain or TLS."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import h2.exceptions

from .http_response import Response

Headers = Sequence[tuple[str, str]]
TIMEOUT = 30


def connect(url: str, *, alpn: Sequence[str] = (), timeout: float = TIMEOUT) -> socket.socket:
    """A connection to the URL's port on 127.0.0.1; TLS by scheme, any certificate will do."""
    parts = urlsplit(url)
    tls = parts.scheme in ("https", "wss")
    connection = socket.create_connection(("127.0.0.1", parts.port or (443 if tls else 80)), timeout=timeout)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if not tls:
        return connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # the default one reads all root certificates: 30 ms
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    if alpn:
        context.set_alpn_protocols(list(alpn))
    return context.wrap_socket(connection, server_hostname=parts.hostname)


def target_of(url: str) -> str:
    """Path and query as they stand in the URL."""
    parts = urlsplit(url)
    return (parts.path or "/") + (f"?{parts.query}" if parts.query or url.endswith("?") else "")


class _Connection(http.client.HTTPConnection):
    def __init__(self, url: str, timeout: float) -> None:
        super().__init__("127.0.0.1", timeout=timeout)
        self._url = url

    def connect(self) -> None:
        self.sock = connect(self._url, timeout=self.timeout)


def http1(method: str, url: str, headers: Headers, body: bytes | None = None, timeout: float = TIMEOUT) -> Response:
    """An HTTP/1.1 request on a connection of its own; `headers` are sent as they stand, Host first."""
    connection = _Connection(url, timeout)
    try:
        connection.putrequest(method, target_of(url), skip_host=True, skip_accept_encoding=True)
        names = {name.lower() for name, _ in headers}
        if "host" not in names:
            connection.putheader("Host", urlsplit(url).netloc)
        for name, value in headers:
            connection.putheader(name, value.encode("latin-1"))
        if body is not None and not names & {"content-length", "transfer-encoding"}:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Response(url, method, answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


def http2(method: str, url: str, headers: Headers, body: bytes | None = None, timeout: float = TIMEOUT) -> Response:
    """An HTTP/2 request on a connection of its own; header names and values are not validated."""
    parts = urlsplit(url)
    with connect(url, alpn=["h2"], timeout=timeout) as connection:
        if isinstance(connection, ssl.SSLSocket):
            assert connection.selected_alpn_protocol() == "h2", "the server did not choose h2"
        config = h2.config.H2Configuration(
            header_encoding="latin-1",
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
        )
        state = h2.connection.H2Connection(config)
        state.initiate_connection()
        names = {name.lower() for name, _ in headers}
        pseudo = [
            (":method", method),
            (":scheme", parts.scheme),
            (":authority", parts.netloc),
            (":path", target_of(url)),
        ]  # fmt: skip
        if body is not None and "content-length" not in names:
            headers = [*headers, ("content-length", str(len(body)))]
        stream = state.get_next_available_stream_id()
        fields = [*pseudo, *((name, value) for name, value in headers if name.lower() != "host")]
        encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in fields]
        state.send_headers(stream, encoded, end_stream=not body)
        connection.sendall(state.data_to_send())
        return _http2_exchange(connection, state, stream, url, method, body or b"")


def _http2_exchange(
    connection: socket.socket, state: h2.connection.H2Connection, stream: int, url: str, method: str, body: bytes
) -> Response:
    received: list[tuple[str, str]] = []
    content = b""
    while True:
        while body:
            size = min(len(body), state.local_flow_control_window(stream), state.max_outbound_frame_size)
            if size == 0:
                break
            state.send_data(stream, body[:size], end_stream=size == len(body))
            body = body[size:]
        connection.sendall(state.data_to_send())
        data = connection.recv(65536)
        if not data:
            raise ConnectionError("the HTTP/2 connection was closed")
        for event in state.receive_data(data):
            if isinstance(event, h2.events.ResponseReceived):
                received = list(event.headers)
            elif isinstance(event, h2.events.DataReceived):
                content += event.data
                state.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                status = int(dict(received)[":status"])
                shown = [pair for pair in received if not pair[0].startswith(":")]
                return Response(url, method, status, shown, content)
            elif isinstance(event, h2.events.StreamReset):
                body = b""
                if not received:
                    raise ConnectionError(f"the HTTP/2 stream was reset ({event.error_code})")
            elif isinstance(event, h2.events.ConnectionTerminated):
                raise ConnectionError(f"the HTTP/2 connection was terminated ({event.error_code})")
