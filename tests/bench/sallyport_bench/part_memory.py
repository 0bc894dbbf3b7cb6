"""Memory: what a session takes of the zone, and what a worker keeps to itself."""

from __future__ import annotations

import re

from .context import Context
from .logins import LoginMaker, log_in_all
from .process import memory_of
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
    rows = [
        ["made-up sessions", *_made_up(context, upstream)],
        ["sessions of real logins", *_of_logins(context, upstream, user="one user")],
    ]
    others = _of_logins(context, upstream, user=None)
    report.table(
        ["10 attributes, 20 groups", "zone", "sessions that it holds", "zone bytes each", "goal", ""],
        [
            *([*row[:3], f"{row[3]:,.0f}", f"{SESSION_GOAL:,}", verdict(row[3], SESSION_GOAL)] for row in rows),
            ["the same, each with what is remembered of a user of its own", *others[:2], f"{others[2]:,.0f}", "", ""],
        ],
    )
    report.text(
        "The whole zone divided by the sessions in it when the first ones have been evicted: tables, indexes, "
        "replay marks and waste are part of the figure. What is remembered of a user is there once, however many "
        "sessions the user has."
    )


def _made_up(context: Context, upstream: int) -> tuple[str, str, float]:
    progress("memory: made-up sessions in a zone")
    asked = _ZONE_MIB * 1024
    nginx = gate(
        context.folder / "memory-zone", context.test_module, context.idp, upstream, zone=f"{_ZONE_MIB}m",
        sessions=True,
    )  # fmt: skip
    with environment(SALLYPORT_TEST_SESSIONS=str(asked)), running(nginx):
        found = nginx.wait_for_log(r"saml: test sessions made=(\d+) evicted=(\d+)", seconds=120)
    held = int(found.group(1)) - int(found.group(2))
    assert held < asked, "the zone did not become full"
    return f"{_ZONE_MIB} MiB", f"{held:,}", _ZONE_MIB * 2**20 / held


def _of_logins(context: Context, upstream: int, *, user: str | None) -> tuple[str, str, float]:
    progress("memory: sessions of logins in a zone")
    nginx = gate(context.folder / f"memory-logins-{'one' if user else 'many'}", context.module, context.idp, upstream, zone="4m")
    done = evicted = 0
    with running(nginx), LoginMaker(nginx.port(), context.signer(nginx.port(), user)) as maker:
        while not evicted and done < 40_000:
            log_in_all(nginx.port(), maker.prepare(500))
            done += 500
            evicted = sum(int(count) for count in re.findall(
                r"session zone is full: (\d+) sessions", nginx.error_log()
            ))  # fmt: skip
    assert evicted, "the zone did not become full"
    return "4 MiB", f"{done - evicted:,}", 4 * 2**20 / (done - evicted)


def _worker(context: Context, report: Report, upstream: int) -> None:
    steps = [1_000, 5_000] if context.quick else [1_000, 5_000, 20_000]
    if context.full:
        steps += [50_000, 100_000]
    nginx = gate(context.folder / "memory-worker", context.module, context.idp, upstream, zone="512m")
    with running(nginx):
        (worker,) = nginx.workers()
        taken = [("idle", memory_of(worker))]
        done = 0
        with LoginMaker(nginx.port(), context.signer(nginx.port())) as maker:
            for step in steps:
                while done < step:
                    log_in_all(nginx.port(), maker.prepare(min(_BATCH, step - done)))
                    done += min(_BATCH, step - done)
                taken.append((f"after {step:,} logins", memory_of(worker)))
                progress(f"memory: {taken[-1][0]}: {taken[-1][1].private / 2**20:.2f} MiB")
        evicted = len(re.findall(r"sessions of least recently", nginx.error_log()))
    report.table(
        ["a worker's memory", "private, MiB", "goal", "", "resident, MiB"],
        [
            [when, f"{memory.private / 2**20:.2f}", f"{WORKER_GOAL:.0f}",
             verdict(memory.private / 2**20, WORKER_GOAL), f"{memory.resident / 2**20:.2f}"]
            for when, memory in taken
        ],
    )  # fmt: skip
    report.text(
        "Zones are left out of both. Resident also counts what the worker shares with the master since the "
        "fork (the configuration, libxml2's and OpenSSL's tables) and the libraries' code."
    )
    if evicted:
        report.text(f"The zone was full meanwhile; {evicted:,} log lines tell of evictions.")
