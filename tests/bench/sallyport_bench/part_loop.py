"""How long logins hold the event loop, and what other traffic feels of it."""

from __future__ import annotations

import multiprocessing
import time

from .client import Client, status_of
from .context import Context
from .logins import LoginMaker, log_in
from .part_requests import stopwatch
from .report import Report, verdict
from .rounds import progress
from .servers import application, environment, gate, running
from .wrk import request_head

HOLD_GOAL = 500.0
_REQUESTS_PER_SECOND = 500


def measure(context: Context) -> Report:
    report = Report("loop")
    app = application(context.folder / "loop-application")
    rows = []
    with running(app):
        for rate, goal in ((50, 0.3), (500, 0.6)):
            rows.append(_storm(context, app.port(), rate, goal))
    report.table(
        ["logins a second", "logins", "hold p50, us", "p99", "p99.9", "goal of p99.9", "", "p99.9 by CPU time", "",
         "others' p99 without, ms", "with", "more", "goal", ""],
        rows,
    )  # fmt: skip
    report.text(
        "Hold: the longest of the turns of the event loop that one login takes, as the clock on the wall shows "
        "it; what other processes of the machine take away in the middle counts there, but not in the CPU time."
    )
    return report


def _storm(context: Context, upstream: int, rate: int, goal: float) -> list[str]:
    seconds = 4 if context.quick else 12
    progress(f"loop: {rate} logins a second")
    nginx = gate(
        context.folder / f"loop-{rate}", context.test_module, context.idp, upstream, sessions=True
    )
    with environment(SALLYPORT_TEST_STOPWATCHES="1"), running(nginx):
        with LoginMaker(nginx.port(), context.signer(nginx.port())) as maker:
            posts = maker.prepare(rate * seconds)
        quiet = latency_beside(nginx.port(), seconds, lambda: time.sleep(seconds))
        busy = latency_beside(nginx.port(), seconds, lambda: _paced_logins(nginx.port(), posts, rate))
    count, p50, p99, p999 = stopwatch(nginx, "login")
    cpu_p999 = stopwatch(nginx, "login_cpu")[3]
    more = busy - quiet
    return [
        f"{rate}", f"{count:,}", f"{p50 / 1000:.0f}", f"{p99 / 1000:.0f}", f"{p999 / 1000:.0f}",
        f"{HOLD_GOAL:.0f}", verdict(p999 / 1000, HOLD_GOAL),
        f"{cpu_p999 / 1000:.0f}", verdict(cpu_p999 / 1000, HOLD_GOAL),
        f"{quiet:.2f}", f"{busy:.2f}", f"{more:+.2f}", f"+{goal}", verdict(more, goal),
    ]  # fmt: skip


def _paced_logins(port: int, posts: list[bytes], rate: int) -> None:
    with Client(port) as client:
        start = time.perf_counter()
        for number, post in enumerate(posts):
            wait = start + number / rate - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            log_in(client, post)


def latency_beside(port: int, seconds: float, work) -> float:
    """The 99th percentile in ms of a client that asks for /static while `work` runs."""
    context = multiprocessing.get_context("fork")
    receiving, sending = context.Pipe(duplex=False)
    process = context.Process(target=_ask_static, args=(port, seconds, sending))
    process.start()
    work()
    taken = sorted(receiving.recv())
    process.join()
    return taken[int(len(taken) * 0.99)] * 1000


def _ask_static(port: int, seconds: float, sending) -> None:
    request = request_head("/static").encode() + b"\r\n"
    taken = []
    with Client(port) as client:
        start = time.perf_counter()
        for number in range(int(seconds * _REQUESTS_PER_SECOND)):
            wait = start + number / _REQUESTS_PER_SECOND - time.perf_counter()
            if wait > 0:
                time.sleep(wait)
            asked = time.perf_counter()
            assert status_of(client.ask(request)[0]) == 200
            taken.append(time.perf_counter() - asked)
    sending.send(taken)
