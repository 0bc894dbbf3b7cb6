"""The server under test on one core, everything else on another."""

from __future__ import annotations

import os

_CPUS = sorted(os.sched_getaffinity(0))
SERVER_CPU = _CPUS[0]
LOAD_CPU = _CPUS[-1]


def on_cpu(cpu: int, command: list[str]) -> list[str]:
    return ["taskset", "-c", str(cpu), *command]


def beside_server(command: list[str]) -> list[str]:
    """On the server's own core, without ever taking it away from the server: an answer then wakes nobody on
    another core, which costs the one who wakes several microseconds."""
    return ["chrt", "--batch", "0", *on_cpu(SERVER_CPU, command)]


def affinity(cpu: int) -> str:
    """nginx's line for its (only) worker."""
    return f"worker_cpu_affinity {1 << cpu:b};"
