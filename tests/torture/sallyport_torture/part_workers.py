"""Workers that are killed, and reloads, while users work and log in (SHM-CRASH, RELOAD, FORK)."""

from __future__ import annotations

import os
import random
import re
import signal
import time
from pathlib import Path

from sallyport_bench.process import cpu_seconds

from .context import Context, Outcome, Progress
from .gate import Gate, running_gate
from .load import Load
from .users import Logins

KILLS = 10_000
RELOADS = 1_000
IN_FLIGHT = 1_000
# How nginx says that it unlocks a zone for a dead worker.
LOCKED = r"shared memory zone \S+ was locked by"


def sigkill(context: Context) -> Outcome:
    outcome = Outcome()
    kills = context.count(KILLS, least=20)
    rng = random.Random(166)
    with running_gate(context.folder / "sigkill", context.module, context.idp.metadata(), zone="64m") as gate:
        gate.nginx.allow_in_log(r"worker process \d+ exited on signal 9")
        gate.nginx.allow_in_log(r"\[alert\].*(connections? aborting|open socket)")
        gate.nginx.allow_in_log(LOCKED)
        with Logins(context, gate) as logins:
            users = logins.log_in(100)
            progress = Progress("sigkill", kills)
            load = Load(gate, outcome, users, may_lose=True)
            with load.running():
                done = 0
                while done < kills:
                    if not load.waiting:
                        load.waiting += _prepared(logins, 40)
                    time.sleep(rng.uniform(0, 0.02))
                    workers = gate.nginx.workers()
                    if workers:
                        os.kill(rng.choice(workers), signal.SIGKILL)
                        done += 1
                    progress.at(done)
        _settled(gate, outcome)
        with Logins(context, gate) as logins:
            after = logins.log_in(50)
        final = Load(gate, outcome, after)
        with final.running(2):
            time.sleep(1)
        alive = final.counts.requests
        locked = len(re.findall(LOCKED, gate.nginx.error_log()))
        outcome.expect(alive > 0, "nobody was served behind the last death")
    outcome.figure(
        f"{done:,} workers killed ({locked:,} while they held the zone's mutex) in {progress.seconds:.0f} s under {load.counts.requests:,} requests and "
        f"{load.counts.logins:,} logins: {load.counts.lost:,} connections lost, {load.counts.sent_to_login:,} requests sent "
        f"to a login, then {alive:,} requests served"
    )
    return outcome


def _prepared(logins: Logins, count: int) -> list:
    """Attempts are begun at workers that may die meanwhile."""
    while True:
        try:
            return logins.prepare(count)
        except (OSError, RuntimeError, ValueError):
            continue


def _settled(gate: Gate, outcome: Outcome) -> None:
    deadline = time.monotonic() + 20
    while len(gate.nginx.workers()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    workers = gate.nginx.workers()
    outcome.expect(len(workers) == 2, f"{len(workers)} workers are left")
    before = cpu_seconds(workers)
    time.sleep(0.5)
    spent = cpu_seconds(workers) - before
    outcome.expect(spent < 0.2, f"idle workers computed for {spent:.2f} s of half a second")


def reloads(context: Context) -> Outcome:
    """Reloads under load: no session is lost, every attempt that was begun before still ends well, nothing is left."""
    outcome = Outcome()
    wanted = context.count(RELOADS, least=10)
    with running_gate(context.folder / "reloads", context.module, context.idp.metadata()) as gate:
        with Logins(context, gate) as logins:
            users = logins.log_in(200)
            load = Load(gate, outcome, users, waiting=logins.prepare(context.count(IN_FLIGHT, least=100)))
            progress = Progress("reloads", wanted)
            gate.nginx.reload()
            first = _left_over(gate)
            with load.running():
                for done in range(wanted):
                    gate.nginx.reload()
                    if len(load.waiting) < 20:
                        load.waiting += logins.prepare(40)
                    progress.at(done)
        last = _left_over(gate)
        outcome.expect(last[0] <= first[0] + 2, f"the master held {first[0]} descriptors, then {last[0]}")
        outcome.expect(last[1] - first[1] < 8 << 20, f"the master grew by {(last[1] - first[1]) >> 10} KB")
        outcome.expect(load.counts.sent_to_login == 0, f"{load.counts.sent_to_login} sessions were lost")
        outcome.expect(load.counts.logins > 0, "no login ended")
    outcome.figure(
        f"{wanted:,} reloads in {progress.seconds:.0f} s under {load.counts.requests:,} requests and {load.counts.logins:,} "
        f"logins begun before: {load.counts.sent_to_login} sessions lost, {load.counts.lost:,} connections ended; "
        f"the master has {last[0]} descriptors ({first[0]} before) and grew by {(last[1] - first[1]) >> 10} KB"
    )
    return outcome


def _left_over(gate: Gate) -> tuple[int, int]:
    """Descriptors and private memory of the master."""
    master = Path(f"/proc/{gate.nginx.master}")
    lines = (master / "smaps_rollup").read_text().splitlines()
    private = sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
    return len(list((master / "fd").iterdir())), private * 1024
