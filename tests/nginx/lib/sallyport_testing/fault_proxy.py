"""A TCP proxy in front of a Redis that fails as networks and servers do, switched at run time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from .ports import free_port

Words = list[bytes]


@dataclass
class Fault:
    """What happens to commands of a name whose first key holds a text.

    `answer`: bytes instead of the server's; `execute`: whether the server gets it; `cut`: the connection ends instead of
    an answer; `times`: how often.
    """

    name: str
    key: str = ""
    answer: bytes | None = None
    execute: bool = False
    cut: bool = False
    times: int = 1000
    hits: list[Words] = field(default_factory=list)

    def fits(self, words: Words) -> bool:
        key = words[1] if len(words) > 1 else b""
        return len(self.hits) < self.times and words[0].decode().upper() == self.name and self.key.encode() in key


class FaultProxy:
    """`delay` seconds before each answer, `hang`: nothing passes, `hang_at`: no command of this
    name, and none behind it on its connection, `replace`: bytes instead of each answer, `cut_after`: so
    many bytes of the next answer, then the end. `commands` are those that came."""

    def __init__(self, target_port: int) -> None:
        self.port = free_port()
        self.target_port = target_port
        self.delay = 0.0
        self.hang = False
        self.hang_at = ""
        self.replace: bytes | None = None
        self.cut_after: int | None = None
        self.faults: list[Fault] = []
        self.commands: list[Words] = []
        self._listener: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> "FaultProxy":
        listener = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        return self

    def refuse(self) -> None:
        """No more connections, and those there are end."""
        with self._lock:
            listener, self._listener = self._listener, None
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.drop_all()

    def drop_all(self) -> None:
        with self._lock:
            sockets = list(self._open)
        for each in sockets:
            _end(each)

    def heal(self) -> None:
        """Everything passes again."""
        self.delay, self.hang, self.hang_at, self.replace, self.cut_after, self.faults = 0.0, False, "", None, None, []
        if self._listener is None:
            self.start()

    def add(self, *args: object, **options: object) -> Fault:
        fault = Fault(*args, **options)  # type: ignore[arg-type]
        self.faults.append(fault)
        return fault

    def __enter__(self) -> "FaultProxy":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.refuse()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            with self._lock:
                is_wanted = self._listener is listener
                if is_wanted:
                    self._open.add(client)
            if is_wanted:
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()
            else:
                _end(client)

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target_port), timeout=5)
        except OSError:
            with self._lock:
                self._open.discard(client)
            return _end(client)
        server.settimeout(None)
        with self._lock:
            self._open.add(server)
        threading.Thread(target=self._answers, args=(server, client), daemon=True).start()
        try:
            self._requests(client, server)
        except (OSError, ValueError):
            pass
        _end(client)
        _end(server)
        with self._lock:
            self._open -= {client, server}

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        file = client.makefile("rb")
        while True:
            header = file.readline()
            if not header:
                return
            raw, words = header, []
            for _ in range(int(header[1:])):
                line = file.readline()
                body = file.read(int(line[1:]) + 2)
                raw += line + body
                words.append(body[:-2])
            self.commands.append(words)
            name = words[0].decode().upper()
            self._wait_while(lambda: self.hang or self.hang_at == name)
            fault = next((each for each in self.faults if each.fits(words)), None)
            if fault is None:
                server.sendall(raw)
                continue
            fault.hits.append(words)
            if fault.execute:
                _execute(self.target_port, raw)
            if fault.cut:
                return
            if fault.answer is not None:
                client.sendall(fault.answer)

    def _answers(self, server: socket.socket, client: socket.socket) -> None:
        try:
            while data := server.recv(65536):
                self._wait_while(lambda: self.hang)
                if self.delay:
                    time.sleep(self.delay)
                if self.cut_after is not None:
                    client.sendall(data[: self.cut_after])
                    break
                client.sendall(data if self.replace is None else self.replace)
        except OSError:
            pass
        _end(client)

    @staticmethod
    def _wait_while(condition: Callable[[], bool]) -> None:
        while condition():
            time.sleep(0.01)


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    connection.close()


def _execute(port: int, raw: bytes) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        connection.sendall(raw)
        connection.recv(65536)
