"""Requests with a session: the gate beside a plain proxy that sets the same headers."""

from __future__ import annotations

import random

from . import callgrind
from .client import Client, status_of
from .context import Context
from .logins import LoginMaker, log_in
from .report import Report, verdict
from .rounds import progress, take_pairs
from .servers import (
    IDENTITY_HEADERS, application, cpu_of, environment, gate, plain_proxy, running, session_cookie,
)  # fmt: skip
from .wrk import Wrk, request_head

# Sessions: goals of the handler's median in microseconds and of the CPU ratio.
GOALS = {1: (0.5, 1.05), 100_000: (1.0, 1.08), 1_000_000: (1.5, 1.15)}
INSTRUCTION_GOAL = 1.15
HANDLER_INSTRUCTION_GOAL = 4500
_MOST_COOKIES = 200_000
_BYTES_PER_SESSION = 2147


def measure(context: Context) -> Report:
    report = Report("requests")
    counts = [1, 100_000] if context.quick else list(GOALS)
    rows, rounds = [], []
    for sessions in counts:
        row, ratios = _with_sessions(context, sessions)
        rows.append(row)
        rounds.append(f"{sessions:,} sessions: {ratios}")
    report.table(
        ["sessions", "plain, us", "gate, us", "ratio", "goal", "", "handler p50, us", "goal", "", "p99, us"],
        rows,
    )
    report.text("Ratio of every round. " + "; ".join(rounds) + ".")
    _instructions(context, report)
    return report


def _with_sessions(context: Context, sessions: int) -> tuple[list[str], str]:
    progress(f"requests: {sessions:,} sessions")
    folder = context.folder / f"requests-{sessions}"
    zone = f"{max(sessions * _BYTES_PER_SESSION // 1_000_000 + 1, 16)}m"
    chosen = random.Random(1).sample(range(sessions), min(sessions, _MOST_COOKIES))
    wrk = Wrk(folder / "wrk", [session_cookie(number) for number in chosen])
    app = application(folder / "application")
    with running(app):
        gated = gate(
            folder / "gate", context.test_module, context.idp, app.port(), zone=zone, sessions=True
        )
        with environment(SALLYPORT_TEST_SESSIONS=str(sessions)), running(gated):
            _wait_for_sessions(gated, sessions)
            plain = plain_proxy(folder / "plain", app.port(), _identity(gated.port(), sessions // 2))
            with running(plain):
                sides = [lambda n=n: wrk.cost(n.port(), context.seconds, cpu_of(n)) for n in (plain, gated)]
                for side in sides:
                    side()  # warm
                pairs = take_pairs(context.rounds, *sides)
        p50, p99 = _handler(context, folder, app.port(), zone, sessions, wrk)
    handler_goal, ratio_goal = GOALS[sessions]
    row = [
        f"{sessions:,}", *pairs.cells(), f"{ratio_goal}", verdict(pairs.ratio, ratio_goal),
        f"{p50:.2f}", f"{handler_goal}", verdict(p50, handler_goal), f"{p99:.2f}",
    ]  # fmt: skip
    return row, pairs.rounds()


def _handler(context: Context, folder, upstream: int, zone: str, sessions: int, wrk: Wrk) -> tuple[float, float]:
    """The stopwatch's 50th and 99th percentile, in a run of its own: it costs time itself."""
    timed = gate(folder / "timed", context.test_module, context.idp, upstream, zone=zone, sessions=True)
    with environment(SALLYPORT_TEST_SESSIONS=str(sessions), SALLYPORT_TEST_STOPWATCHES="1"), running(timed):
        _wait_for_sessions(timed, sessions)
        wrk.run(timed.port(), 2 * context.seconds)
    _, p50, p99, _ = stopwatch(timed, "gate")
    return p50 / 1000, p99 / 1000


def stopwatch(nginx, name: str) -> tuple[int, float, float, float]:
    """Count, p50, p99, p99.9 in nanoseconds, of a worker that has exited."""
    found = nginx.wait_for_log(rf"saml: stopwatch {name} n=(\d+) p50=(\d+) p99=(\d+) p999=(\d+)")
    return tuple(int(text) for text in found.groups())  # type: ignore[return-value]


def _wait_for_sessions(nginx, sessions: int) -> None:
    found = nginx.wait_for_log(r"saml: test sessions made=(\d+) evicted=(\d+)", seconds=120)
    assert (int(found.group(1)), int(found.group(2))) == (sessions, 0), found.group()


def _identity(port: int, number: int) -> list[str]:
    """What the gate tells the application about one session; all eight headers must be there."""
    request = request_head("/identity") + f"Cookie: {session_cookie(number)}\r\n\r\n"
    with Client(port) as client:
        head, body = client.ask(request.encode())
    values = body.decode().splitlines()
    assert status_of(head) == 200 and len(values) == len(IDENTITY_HEADERS) and all(values), (head, body)
    return values


def _instructions(context: Context, report: Report) -> None:
    """One real login, then the very same bytes to both."""
    progress("requests: instructions")
    folder = context.folder / "instructions"
    times = 300 if context.quick else 2000
    app = application(folder / "application")
    with running(app):
        gated = gate(folder / "gate", context.module, context.idp, app.port(), pin=False)
        with callgrind.CountedNginx(gated) as counted:
            port = counted.port
            with LoginMaker(port, context.signer(port), processes=1) as maker, Client(port) as client:
                cookie = log_in(client, maker.prepare(1)[0])
                request = f"Cookie: theme=dark; {cookie}\r\n\r\n"
                _, body = client.ask((request_head("/identity") + request).encode())
            values = body.decode().splitlines()
            assert len(values) == len(IDENTITY_HEADERS) and all(values), body
            request = (request_head("/page?a=1") + request).encode()
            counted.count(request, times)
        plain = plain_proxy(folder / "plain", app.port(), values)
        with callgrind.CountedNginx(plain) as counted_plain:
            counted_plain.count(request, times)
    ours = callgrind.total(counted.out) / times
    base = callgrind.total(counted_plain.out) / times
    handler = callgrind.inclusive(counted.out, callgrind.HANDLERS) / times
    report.table(
        ["instructions per request", "plain", "gate", "figure", "goal", ""],
        [
            ["whole request", f"{base:,.0f}", f"{ours:,.0f}", f"{ours / base:.3f}",
             f"{INSTRUCTION_GOAL}", verdict(ours / base, INSTRUCTION_GOAL)],
            ["the gate's handlers", "", f"{handler:,.0f}", f"{handler:,.0f}",
             f"{HANDLER_INSTRUCTION_GOAL:,}", verdict(handler, HANDLER_INSTRUCTION_GOAL)],
        ],
    )  # fmt: skip
