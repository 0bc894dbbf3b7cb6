"""A Redis Cluster of six real processes: three masters, each with a replica."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from .keys import KeyPair
from .ports import free_port
from .redis_server import RedisError, RedisServer

SLOTS = 16384


class RedisCluster:
    def __init__(self, folder: Path, *, password: str | None = None, tls: KeyPair | None = None) -> None:
        """With `tls` the nodes speak it to each other and at the ports of server_lines(); the tests themselves do not."""
        self._dead: set[int] = set()
        self._ports = [free_port() for _ in range(6)]
        self._bus_ports = [free_port() for _ in range(6)]
        lines = ["cluster-enabled yes", "cluster-node-timeout 1000", "repl-diskless-sync-delay 0"]
        lines += ["cluster-require-full-coverage no", *([f"masterauth {password}"] if password else [])]
        if tls:
            lines += [f"tls-cert-file {tls.certificate_file}", f"tls-key-file {tls.key_file}", "tls-auth-clients no"]
            lines += [f"tls-ca-cert-file {tls.certificate_file}", "tls-cluster yes", "tls-replication yes"]
        self.nodes = [
            RedisServer(
                folder / f"node{i}", *lines, f"cluster-port {self._bus_ports[i]}", *([f"tls-port {port}"] if tls else []), password=password,
                port=free_port() if tls else port,
            )
            for i, port in enumerate(self._ports)
        ]  # fmt: skip

    def start(self) -> "RedisCluster":
        for node in self.nodes:
            node.start()
        first, *others = self.nodes
        for i, node in enumerate(self.nodes[:3]):
            node.command("CLUSTER", "ADDSLOTSRANGE", SLOTS * i // 3, SLOTS * (i + 1) // 3 - 1)
        self._meet(first, others)
        for i, node in enumerate(self.nodes[3:]):
            master = self.id_of(self.nodes[i])
            self._wait(lambda node=node, master=master: self._replicate(node, master), "a replica")
        self.wait_until_whole()
        return self

    def _meet(self, first: RedisServer, others: list[RedisServer]) -> None:
        """Asked again and again: a handshake that takes longer than the node timeout is given up by Redis."""

        def have_met() -> bool:
            for node in others:
                if self.id_of(node) not in _ask(first, "CLUSTER", "NODES").decode():
                    first.command("CLUSTER", "MEET", "127.0.0.1", self._port_of(node), self._bus_ports[self.nodes.index(node)])
            deadline = time.monotonic() + 2
            while time.monotonic() < deadline:
                if all(len(self._lines(node)) == 6 and "handshake" not in "".join(self._lines(node)) for node in self.nodes):
                    return True
                time.sleep(0.05)
            return False

        self._wait(have_met, "the nodes to meet")

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()

    def server_lines(self, nodes: list[RedisServer] | None = None) -> str:
        """The rest of the `server` line that RedisSites writes, and the others, and the mode."""
        first, *others = [self._port_of(node) for node in nodes or self.nodes[:1]]
        return f"127.0.0.1:{first}; {''.join(f'server 127.0.0.1:{port};' for port in others)} mode cluster"

    def _port_of(self, node: RedisServer) -> int:
        """The one that it is known by."""
        return self._ports[self.nodes.index(node)]

    def id_of(self, node: RedisServer) -> str:
        return bytes(node.command("CLUSTER", "MYID")).decode()  # type: ignore[arg-type]

    def master_of(self, slot: int) -> RedisServer:
        for line in self._lines(self._alive()):
            words = line.split()
            if "master" not in words[2] or "fail" in words[2]:
                continue
            for part in words[8:]:
                if part.startswith("["):
                    continue
                low, _, high = part.partition("-")
                if int(low) <= slot <= int(high or low):
                    port = int(words[1].partition("@")[0].rpartition(":")[2])
                    return next(node for node in self.nodes if node.port == port)
        raise LookupError(f"nobody serves slot {slot}")

    def slot_of(self, key: str) -> int:
        return int(self._alive().command("CLUSTER", "KEYSLOT", key))  # type: ignore[arg-type]

    def masters(self) -> list[RedisServer]:
        return [self.master_of(SLOTS * i // 3) for i in range(3)]

    def keys(self, pattern: str = "*") -> list[str]:
        return sorted(key for node in self.masters() for key in node.keys(pattern))

    def begin_move(self, slot: int, source: RedisServer, target: RedisServer) -> None:
        target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", self.id_of(source))
        source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", self.id_of(target))

    def move_slot(self, slot: int, source: RedisServer, target: RedisServer) -> None:
        """As `redis-cli --cluster reshard` does it: with all its keys, those too that come while it moves."""
        self.begin_move(slot, source, target)
        while keys := source.command("CLUSTER", "GETKEYSINSLOT", slot, 100):
            for key in keys:  # type: ignore[union-attr]
                self.move_key(key.decode(), source, target)
        self.end_move(slot, target)

    def move_key(self, key: str, source: RedisServer, target: RedisServer) -> None:
        auth = ["AUTH", source.password] if source.password else []
        source.command("MIGRATE", "127.0.0.1", target.port, key, 0, 5000, *auth)

    def end_move(self, slot: int, target: RedisServer) -> None:
        for node in [target, *(node for node in self.masters() if node is not target)]:
            node.command("CLUSTER", "SETSLOT", slot, "NODE", self.id_of(target))

    def kill(self, node: RedisServer) -> None:
        node.stop()
        self._dead.add(node.port)

    def wait_until_whole(self, seconds: float = 30) -> None:
        """Every slot has a master, as all that live say."""
        self._wait(self._is_whole, "the cluster to serve all slots", seconds)

    def _alive(self) -> RedisServer:
        return next(node for node in self.nodes if node.port not in self._dead)

    def _is_whole(self) -> bool:
        for node in self.nodes:
            if node.port in self._dead:
                continue
            info = _ask(node, "CLUSTER", "INFO")
            if b"cluster_state:ok" not in info or b"cluster_slots_ok:16384" not in info:
                return False
            links = _ask(node, "INFO", "replication")
            if b"role:slave" in links and b"master_link_status:up" not in links:
                return False
            # All know all replicas.
            if not self._dead and sum("slave" in line.split()[2] for line in self._lines(node)) != 3:
                return False
        return True

    @staticmethod
    def _lines(node: RedisServer) -> list[str]:
        return _ask(node, "CLUSTER", "NODES").decode().splitlines()

    @staticmethod
    def _replicate(node: RedisServer, master: str) -> bool:
        try:
            return node.command("CLUSTER", "REPLICATE", master) == b"OK"
        except RedisError:
            return False

    @staticmethod
    def _wait(condition: Callable[[], bool], what: str, seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
            time.sleep(0.05)

    def __enter__(self) -> "RedisCluster":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()


def _ask(node: RedisServer, *words: str) -> bytes:
    try:
        answer = node.command(*words)
    except (OSError, RedisError, ConnectionError):
        return b""
    assert isinstance(answer, bytes)
    return answer
