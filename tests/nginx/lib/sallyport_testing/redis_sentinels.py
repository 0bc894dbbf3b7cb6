"""A Redis master with a replica, and three sentinels that watch it: real processes."""

from __future__ import annotations

import time
from pathlib import Path

from idps.child_process import ChildProcess

from .ports import free_port
from .redis_server import RedisClient, RedisError, RedisServer

MASTER = "mymaster"


class Sentinel:
    """redis-sentinel in a folder; it writes into its own configuration."""

    def __init__(self, folder: Path, lines: list[str], password: str | None, tls: tuple[str, ...]) -> None:
        folder.mkdir(parents=True)
        self.plain_port = free_port()
        self.port = free_port() if tls else self.plain_port
        self._password = password
        configuration = folder / "sentinel.conf"
        own = [f"port {self.plain_port}", "bind 127.0.0.1", f"dir {folder}", f"logfile {folder}/sentinel.log", "protected-mode no"]
        if password:
            own += [f"requirepass {password}", f"sentinel sentinel-pass {password}"]
        if tls:
            own += [f"tls-port {self.port}", "tls-replication yes", *tls]
        configuration.write_text("\n".join([*own, *lines]) + "\n")
        self._process = ChildProcess(["redis-sentinel", str(configuration)], folder / "output.log")

    def client(self) -> RedisClient:
        return RedisClient(self.plain_port, password=self._password)

    def command(self, *words: str | int) -> object:
        client = self.client()
        try:
            return client.command(*words)
        finally:
            client.close()

    def stop(self) -> None:
        self._process.end_group(grace=0)


class RedisSentinels:
    """`tls` are lines that name certificates: all then speak TLS alone, but for the tests' own questions to servers."""

    def __init__(
        self, folder: Path, *, password: str | None = None, sentinel_password: str | None = None,
        tls: tuple[str, ...] = (),
    ) -> None:  # fmt: skip
        self._folder = folder
        auth = [f"masterauth {password}"] if password else []
        self._tls = tls
        self._tls_ports = [free_port() for _ in range(2)] if tls else []
        self.servers = [
            RedisServer(folder / f"server{i}", "repl-diskless-sync-delay 0", *auth, *self._tls_lines(i), password=password)
            for i in range(2)
        ]
        self._password = password
        self._sentinel_password = sentinel_password
        self.sentinels: list[Sentinel] = []

    def start(self) -> "RedisSentinels":
        first, second = (server.start() for server in self.servers)
        second.command("REPLICAOF", "127.0.0.1", self._port_of(first))
        lines = [
            f"sentinel monitor {MASTER} 127.0.0.1 {self._port_of(first)} 2",
            f"sentinel down-after-milliseconds {MASTER} 500",
            f"sentinel failover-timeout {MASTER} 3000",
            *([f"sentinel auth-pass {MASTER} {self._password}"] if self._password else []),
        ]  # fmt: skip
        self.sentinels = [
            Sentinel(self._folder / f"sentinel{i}", lines, self._sentinel_password, self._tls) for i in range(3)
        ]
        self._wait(self._is_whole, "the sentinels to know each other and the replica")
        return self

    def stop(self) -> None:
        for one in [*self.sentinels, *self.servers]:
            one.stop()

    def server_lines(self, ports: list[int] | None = None) -> str:
        """The rest of the `server` line that RedisSites writes, and the others, and the mode."""
        first, *others = ports or [sentinel.port for sentinel in self.sentinels]
        more = "".join(f"server 127.0.0.1:{port};" for port in others)
        return f"127.0.0.1:{first}; {more} mode sentinel {MASTER}"

    def master(self) -> RedisServer:
        """As the sentinels say."""
        found = self.sentinels[0].command("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
        assert isinstance(found, list)
        return next(server for server in self.servers if self._port_of(server) == int(found[1]))

    def replica(self) -> RedisServer:
        master = self.master()
        return next(server for server in self.servers if server is not master)

    def fail_over(self) -> None:
        """A planned change; the old master goes on as a replica."""
        before = self.master()
        self.sentinels[0].command("SENTINEL", "FAILOVER", MASTER)
        self.wait_for_other_than(before)

    def wait_for_other_than(self, before: RedisServer) -> None:
        self._wait(lambda: self.master() is not before and _is(self.master(), b"role:master"), "another master")

    def _port_of(self, server: RedisServer) -> int:
        """The one that it is known by."""
        return self._tls_ports[self.servers.index(server)] if self._tls_ports else server.port

    def _tls_lines(self, i: int) -> list[str]:
        return [f"tls-port {self._tls_ports[i]}", "tls-replication yes", *self._tls] if self._tls else []

    def _is_whole(self) -> bool:
        for sentinel in self.sentinels:
            try:
                answer = sentinel.command("SENTINEL", "MASTER", MASTER)
            except (OSError, RedisError, ConnectionError):
                return False
            assert isinstance(answer, list)
            facts = dict(zip(answer[::2], answer[1::2], strict=True))
            if facts[b"num-other-sentinels"] != b"2" or facts[b"num-slaves"] != b"1" or facts[b"flags"] != b"master":
                return False
        return _is(self.servers[1], b"master_link_status:up")

    @staticmethod
    def _wait(condition: object, what: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():  # type: ignore[operator]
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
            time.sleep(0.05)

    def __enter__(self) -> "RedisSentinels":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _is(server: RedisServer, fact: bytes) -> bool:
    try:
        answer = server.command("INFO", "replication")
    except (OSError, RedisError, ConnectionError):
        return False
    assert isinstance(answer, bytes)
    return fact in answer
