"""A real Redis server with a folder and a port of its own."""

from __future__ import annotations

import signal
import socket
import time
from pathlib import Path

from idps.child_process import ChildProcess

from .ports import free_port

Value = None | int | bytes | list["Value"]


class RedisError(Exception):
    """What the server answered instead."""


class RedisClient:
    """One connection, one command at a time (RESP2)."""

    def __init__(self, port: int, *, password: str | None = None, timeout: float = 5, host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port), timeout=timeout)
        self._file = self._socket.makefile("rb")
        if password is not None:
            self.command("AUTH", password)

    def command(self, *words: str | bytes | int) -> Value:
        self.send(*words)
        return self.read()

    def send(self, *words: str | bytes | int) -> None:
        encoded = [word if isinstance(word, bytes) else str(word).encode() for word in words]
        parts = [b"*%d\r\n" % len(encoded)] + [b"$%d\r\n%s\r\n" % (len(word), word) for word in encoded]
        self._socket.sendall(b"".join(parts))

    def read(self) -> Value:
        line = self._file.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        kind, text = line[:1], line[1:-2]
        if kind == b"+":
            return text
        if kind == b"-":
            raise RedisError(text.decode())
        if kind == b":":
            return int(text)
        size = int(text)
        if size < 0:
            return None
        if kind == b"$":
            return self._file.read(size + 2)[:-2]
        return [self.read() for _ in range(size)]

    def close(self) -> None:
        self._file.close()
        self._socket.close()


class RedisServer:
    """redis-server in a folder. `options` are lines of its configuration."""

    def __init__(
        self, folder: Path, *options: str, password: str | None = None, port: int | None = None, bind: str = "127.0.0.1"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = port or free_port()
        self.bind = bind
        self.password = password
        self.options = list(options)
        self._process: ChildProcess | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None, "this Redis does not run"
        return self._process.pid

    @property
    def socket_file(self) -> Path:
        return self.folder / "redis.sock"

    def start(self, *, wait: bool = True) -> "RedisServer":
        lines = [
            f"port {self.port}", f"bind {self.bind}", f"dir {self.folder}", "save ''", "appendonly no",
            f"unixsocket {self.socket_file}", "daemonize no", f"logfile {self.folder}/redis.log",
            *([f"requirepass {self.password}"] if self.password else []), *self.options,
        ]  # fmt: skip
        configuration = self.folder / "redis.conf"
        configuration.write_text("\n".join(lines) + "\n")
        self._process = ChildProcess(["redis-server", str(configuration)], self.folder / "output.log")
        if wait:
            self.wait()
        return self

    def wait(self, seconds: float = 10) -> None:
        """Until it answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                client = self.client()
                client.command("PING")
                return client.close()
            except (OSError, RedisError, ConnectionError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)

    def client(self) -> RedisClient:
        return RedisClient(self.port, password=self.password, host=self.bind)

    def command(self, *words: str | bytes | int) -> Value:
        client = self.client()
        try:
            return client.command(*words)
        finally:
            client.close()

    def stop(self) -> None:
        """Ends it at once, as a crash does."""
        process, self._process = self._process, None
        if process is not None:
            process.send_signal(signal.SIGCONT)
            process.end_group(grace=0)

    def pause(self) -> None:
        """It hangs: connections stay, nothing is answered."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def keys(self, pattern: str = "*") -> list[str]:
        found = self.command("KEYS", pattern)
        assert isinstance(found, list)
        return sorted(bytes(key).decode("utf-8", "replace") for key in found if isinstance(key, bytes))

    def calls(self) -> dict[str, int]:
        """How often each command was carried out since the last reset_calls()."""
        text = self.command("INFO", "commandstats")
        assert isinstance(text, bytes)
        counts = {}
        for line in text.decode().splitlines():
            if line.startswith("cmdstat_"):
                name, _, rest = line.removeprefix("cmdstat_").partition(":calls=")
                counts[name] = int(rest.split(",")[0])
        return counts

    def reset_calls(self) -> None:
        self.command("CONFIG", "RESETSTAT")

    def dump(self) -> dict[str, bytes]:
        """Every key with all that is stored under it, its name included."""
        client = self.client()
        everything = {}
        for key in self.keys():
            kind = client.command("TYPE", key)
            if kind == b"string":
                value = client.command("GET", key)
            elif kind == b"zset":
                value = client.command("ZRANGE", key, 0, -1, "WITHSCORES")
            elif kind == b"hash":
                value = client.command("HGETALL", key)
            else:
                value = client.command("DUMP", key)
            everything[key] = _flat(value)
        client.close()
        return everything

    def __enter__(self) -> "RedisServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _flat(value: Value) -> bytes:
    if isinstance(value, list):
        return b"\n".join(_flat(item) for item in value)
    return value if isinstance(value, bytes) else str(value).encode()
