"""An https server for metadata documents that fails as servers do."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .keys import KeyPair
from .ports import free_port


@dataclass
class MetadataServer:
    """`documents` by path; a document may be a function that makes it. Other paths are 404. `delay` before each answer."""

    tls: KeyPair
    documents: dict[str, bytes | Callable[[], bytes]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    delay: float = 0.0
    requests: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.port = free_port()
        self._server: ThreadingHTTPServer | None = None

    def url(self, path: str = "/metadata") -> str:
        return f"https://localhost:{self.port}{path}"

    def start(self) -> "MetadataServer":
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.requests.append(self.path)
                time.sleep(outer.delay)
                if self.path in outer.redirects:
                    self.send_response(302)
                    self.send_header("Location", outer.redirects[self.path])
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                document = outer.documents.get(self.path)
                if document is None:
                    return self.send_error(404)
                body = document() if callable(document) else document
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """Clients may leave."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.tls.certificate_file, self.tls.key_file)
        self._server = Server(("127.0.0.1", self.port), Handler)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def stop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.shutdown()
            server.server_close()

    def __enter__(self) -> "MetadataServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()
