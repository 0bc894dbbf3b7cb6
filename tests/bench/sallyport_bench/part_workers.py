"""Two workers beside one: readers of the session table take no lock."""

from __future__ import annotations

import re
import subprocess
import statistics

from .context import Context
from .report import Report
from .rounds import progress

GOAL = 1.8


def measure(context: Context) -> Report:
    report = Report("workers")
    rounds = 3 if context.quick else 9
    rows = []
    for sessions in (100_000,) if context.quick else (1, 100_000, 1_000_000):
        wall, cpu = [], []
        for _ in range(rounds):
            one, two = _lookups(context, sessions, 1), _lookups(context, sessions, 2)
            wall.append(two[0] / one[0])
            cpu.append(2 * one[1] / two[1])
            progress(f"workers: {sessions:,} sessions: {wall[-1]:.2f} by the clock, {cpu[-1]:.2f} by CPU time")
        reached = max(statistics.median(wall), statistics.median(cpu)) >= GOAL
        rows.append(
            [f"{sessions:,}", f"{one[1]:.0f}", f"{statistics.median(wall):.2f}",
             f"{statistics.median(cpu):.2f}", f"{GOAL}", "reached" if reached else "**missed**",
             " ".join(f"{ratio:.2f}" for ratio in cpu)]
        )  # fmt: skip
    report.table(
        ["sessions", "one lookup, CPU ns", "two / one by the clock", "by CPU time", "goal", "",
         "every round (CPU time)"],
        rows,
    )  # fmt: skip
    report.text(
        "Processes look up random sessions of one shared block. By the clock, two need two free cores; by CPU "
        "time (twice the cost of a lookup by one, over its cost by two) neighbours do not count. "
        "The verdict takes the better of the two."
    )
    return report


def _lookups(context: Context, sessions: int, processes: int) -> tuple[float, float]:
    """Lookups per second of all together, and CPU nanoseconds per lookup."""
    program = context.benchmarks.folder / "session_processes_bench"
    seconds = "0.3" if context.quick else "1"
    done = subprocess.run(
        [str(program), str(sessions), str(processes), seconds], stdout=subprocess.PIPE, check=True, text=True
    )
    found = re.fullmatch(r"lookups/s=([\d.]+) ns=([\d.]+)\s*", done.stdout)
    assert found, done.stdout
    return float(found.group(1)), float(found.group(2))
