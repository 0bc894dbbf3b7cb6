"""The sample application: it trusts the headers that nginx adds and knows nothing about SAML.

It answers every path: with a page for people, and with JSON where `Accept: application/json` asks for it.
"""

from __future__ import annotations

import json
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .identity import Identity
from .page import render


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "sample-application"

    def do_GET(self) -> None:
        identity = Identity.from_headers(dict(self.headers.items()))
        received = [(name, value) for name, value in self.headers.items() if name.lower().startswith("x-")]
        if self.headers.get("Accept", "") == "application/json":
            content = {"request": self.path, "identity": asdict(identity), "headers": dict(received)}
            self._send("application/json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")
        else:
            self._send("text/html; charset=utf-8", render(self.requestline, self.path, identity, received))

    do_HEAD = do_GET

    def _send(self, content_type: str, text: str) -> None:
        body = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """nginx keeps the access log."""


class Application:
    """The application on a free port of 127.0.0.1, in threads of this process."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return self._server.server_address[1]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
