"""Memory: what a session takes of the zone, and what a worker keeps to itself."""

from __future__ import annotations

import re

from .context import Context
from .logins import LoginMaker, log_in_all
from .process import private_bytes
from .report import Report, verdict
from .rounds import progress
from .servers import application, environment, gate, running

SESSION_GOAL = 2048
WORKER_GOAL = 8.0
_ZONE_MIB = 64
_BATCH = 1000


def measure(context: Context) -> Report:
    report = Report("memory")
    app = application(context.folder / "memory-application")
    with running(app):
        _sessions(context, report, app.port())
        _worker(context, report, app.port())
    return report


def _sessions(context: Context, report: Report, upstream: int) -> None:
    """How many sessions a zone holds before the first is evicted: everything in it is counted."""
    progress("memory: sessions in a zone")
    asked = _ZONE_MIB * 1024
    nginx = gate(
        context.folder / "memory-zone", context.test_module, context.idp, upstream, zone=f"{_ZONE_MIB}m",
        sessions=True,
    )  # fmt: skip
    with environment(SALLYPORT_TEST_SESSIONS=str(asked)), running(nginx):
        found = nginx.wait_for_log(
            r"saml: test sessions made=(\d+) evicted=(\d+) record_bytes=(\d+)", seconds=120
        )
    made, evicted, record = (int(text) for text in found.groups())
    each = _ZONE_MIB * 1024 * 1024 / (made - evicted)
    full = "" if evicted else " (the zone was not full: at most so many)"
    report.table(
        ["zone bytes per session", "figure", "goal", ""],
        [["10 attributes, 20 groups", f"{each:,.0f}{full}", f"{SESSION_GOAL:,}", verdict(each, SESSION_GOAL)]],
    )
    report.text(
        f"A zone of {_ZONE_MIB} MiB holds {made - evicted:,} sessions of {record:,} bytes of record each: "
        f"tables, indexes and waste are part of the figure."
    )


def _worker(context: Context, report: Report, upstream: int) -> None:
    steps = [1_000, 5_000] if context.quick else [1_000, 5_000, 20_000]
    if context.full:
        steps += [50_000, 100_000]
    nginx = gate(context.folder / "memory-worker", context.module, context.idp, upstream, zone="64m")
    with running(nginx):
        (worker,) = nginx.workers()
        taken = [("idle", private_bytes(worker) / 2**20)]
        done = 0
        with LoginMaker(nginx.port(), context.signer(nginx.port())) as maker:
            for step in steps:
                while done < step:
                    log_in_all(nginx.port(), maker.prepare(min(_BATCH, step - done)))
                    done += min(_BATCH, step - done)
                taken.append((f"after {step:,} logins", private_bytes(worker) / 2**20))
                progress(f"memory: {taken[-1][0]}: {taken[-1][1]:.2f} MiB")
        evicted = len(re.findall(r"sessions of least recently", nginx.error_log()))
    report.table(
        ["private memory of a worker", "MiB", "goal", ""],
        [[when, f"{size:.2f}", f"{WORKER_GOAL:.0f}", verdict(size, WORKER_GOAL)] for when, size in taken],
    )
    if evicted:
        report.text(f"The zone was full meanwhile; {evicted:,} log lines tell of evictions.")
