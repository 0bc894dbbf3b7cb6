"""Free TCP ports on 127.0.0.1, below the range that outgoing connections draw from."""

from __future__ import annotations

import random
import socket
import time

_FIRST, _LAST = 12000, 32000
_handed_out: set[int] = set()
_random = random.SystemRandom()


def free_port() -> int:
    """A port that nothing listens on; this process never hands it out twice."""
    for _ in range(1000):
        port = _random.randrange(_FIRST, _LAST)
        if port in _handed_out:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _handed_out.add(port)
        return port
    raise RuntimeError("no free port found")


def accepts(port: int) -> bool:
    """Whether something accepts connections on this port now."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def wait_until_accepts(port: int, seconds: float = 10) -> bool:
    """Wait until the port accepts; false when it did not in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if accepts(port):
            return True
        time.sleep(0.02)
    return False
