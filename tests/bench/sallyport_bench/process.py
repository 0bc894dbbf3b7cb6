"""What a process has used: CPU and memory, from /proc."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes so far.

    From schedstat, which counts nanoseconds; utime and stime in stat are the same time in ticks of
    10 ms.
    """
    total = 0
    for pid in pids:
        total += int(Path(f"/proc/{pid}/schedstat").read_text().split()[0])
    return total / 1e9


def private_bytes(pid: int) -> int:
    """Memory that only this process has: neither shared zones nor pages still shared after fork."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return sum(int(size) * 1024 for size in re.findall(r"^Private_(?:Clean|Dirty):\s+(\d+) kB", text, re.M))
