"""A small threaded TCP server, the base of all fake upstreams."""

from __future__ import annotations

import socket
import threading

from .ports import free_port


class ThreadedServer:
    """Accepts on 127.0.0.1 and runs `serve(connection)` in a thread per connection."""

    def __init__(self, port: int | None = None) -> None:
        self.port = port or free_port()
        self._listener = socket.socket()
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._listener.bind(("127.0.0.1", self.port))
        self._listener.listen(128)
        self._connections: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def serve(self, connection: socket.socket) -> None:
        """Handle one connection until it is done; the caller closes it."""
        raise NotImplementedError

    def close(self) -> None:
        """Stop accepting and close what is open."""
        self._closed = True
        for each in (self._listener, *self._connections_now()):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()

    def _connections_now(self) -> list[socket.socket]:
        with self._lock:
            return list(self._connections)

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._connections.add(connection)
            threading.Thread(target=self._run, args=(connection,), daemon=True).start()

    def _run(self, connection: socket.socket) -> None:
        try:
            self.serve(connection)
        except (OSError, EOFError):
            pass
        finally:
            with self._lock:
                self._connections.discard(connection)
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Reader:
    """Buffered exact reads from a socket; EOFError when the peer is gone."""

    def __init__(self, connection: socket.socket, buffered: bytes = b"") -> None:
        self._connection = connection
        self._buffer = bytearray(buffered)

    def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            self._more()
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken

    def until(self, mark: bytes) -> bytes:
        """Everything before the mark; the mark is consumed."""
        while (at := self._buffer.find(mark)) < 0:
            self._more()
        taken = bytes(self._buffer[:at])
        del self._buffer[: at + len(mark)]
        return taken

    def _more(self) -> None:
        data = self._connection.recv(65536)
        if not data:
            raise EOFError
        self._buffer += data
