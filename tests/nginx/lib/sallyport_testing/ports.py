"""Free TCP ports on 127.0.0.1, below the range that outgoing connections draw from."""

from __future__ import annotations

import random
import socket
import time

_FIRST, _LAST = 12000, 32000
_BLOCK = 200  # ports of one process, that no other takes
_blocks: list[socket.socket] = []
_left: list[int] = []
_random = random.SystemRandom()


def free_port() -> int:
    """A port that nothing listens on. This process hands it out once, while the range lasts, and other tests never: some
    time passes until somebody listens on it."""
    for _ in range(2 * (_LAST - _FIRST)):
        if not _left:
            _left.extend(_take_block())
        port = _left.pop()
        if _is_free(port):
            return port
    raise RuntimeError("no free port found")


def _take_block() -> list[int]:
    """The ports of a block that no process has taken yet; when all are taken, those of one of ours again."""
    starts = list(range(_FIRST, _LAST, _BLOCK))
    _random.shuffle(starts)
    for start in starts:
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(_name(start))
        except OSError:
            claim.close()
            continue
        _blocks.append(claim)
        break
    else:
        ours = [start for start in starts if any(claim.getsockname() == _name(start).encode() for claim in _blocks)]
        start = ours[0] if ours else starts[0]
    ports = list(range(start, start + _BLOCK))
    _random.shuffle(ports)
    return ports


def _name(start: int) -> str:
    # In Linux's abstract name space: it is free again when the process is gone.
    return f"\0sallyport-ports-{start}"


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


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
