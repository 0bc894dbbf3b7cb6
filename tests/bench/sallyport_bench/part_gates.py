"""What messages cost that are made to cost much (SECURITY: 10 ms of CPU each, refused or not)."""

from __future__ import annotations

from .context import Context
from .report import Report, verdict
from .rounds import progress

GOAL_MS = 10.0
_SHOWN = 10
_ORDINARY = "an ordinary login"


def measure(context: Context) -> Report:
    report = Report("gates")
    progress("gates: every costly message")
    taken = context.benchmarks.costs("gates_bench", seconds=0.01 if context.quick else 0.1)
    ordinary = next(cost for cost in taken if cost.name == _ORDINARY)
    messages = sorted((cost for cost in taken if cost is not ordinary), key=lambda cost: -cost.microseconds)
    refused = [cost for cost in messages if cost.label != "accepted"]
    report.table(
        ["message", "bytes posted", "comes to", "CPU, ms", "goal", ""],
        [
            [cost.name, f"{cost.bytes:,}", cost.label, f"{cost.microseconds / 1000:.1f}",
             f"{GOAL_MS:.0f}", verdict(cost.microseconds / 1000, GOAL_MS)]
            for cost in [*refused[:_SHOWN], messages[0]]
        ],
    )  # fmt: skip
    report.text(
        f"The {_SHOWN} dearest of {len(refused)} messages that are refused, and the dearest of all {len(messages)}, "
        f"signed by the IdP. An ordinary login: {ordinary.microseconds / 1000:.2f} ms."
    )
    return report
