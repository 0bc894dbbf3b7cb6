"""What a process has used: CPU and memory, from /proc."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of these processes so far, of all threads that they have.

    From schedstat, which counts nanoseconds; utime and stime in stat are the same time in ticks of
    10 ms.
    """
    total = 0
    for pid in pids:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            total += int((thread / "schedstat").read_text().split()[0])
    return total / 1e9


@dataclass(frozen=True)
class Memory:
    """Bytes of a process, its shared zones left out."""

    private: int  # what only this process has
    resident: int  # with what it still shares with the master since fork, and the libraries


def memory_of(pid: int) -> Memory:
    """Zones are left out by their mapping: a page of one that no other process has touched yet would count
    as private."""
    private = resident = 0
    counts = False
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if mapping := re.match(r"[0-9a-f]+-[0-9a-f]+ ...([ps]) ", line):
            counts = mapping.group(1) == "p"
        elif counts and (size := re.match(r"(Rss|Private_Clean|Private_Dirty):\s+(\d+) kB", line)):
            if size.group(1) == "Rss":
                resident += int(size.group(2)) * 1024
            else:
                private += int(size.group(2)) * 1024
    return Memory(private, resident)
