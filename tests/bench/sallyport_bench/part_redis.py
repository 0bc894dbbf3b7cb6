"""Sessions in Redis: the gate beside a plain proxy, warm in the zone and with Redis asked at each request."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sallyport_testing.nginx import Nginx
from sallyport_testing.redis_server import RedisServer

from .client import Client
from .context import Context
from .logins import LoginMaker, log_in
from .pinning import LOAD_CPU
from .process import cpu_seconds
from .redis_filling import Sizes, fill
from .report import Report, verdict
from .rounds import Pairs, progress, take_pairs
from .servers import IDENTITY_HEADERS, application, cpu_of, gate, plain_proxy, running
from .wrk import Wrk, request_head

MANY_GOAL = 1.05  # the method's noise
WARM_GOAL, ASKED_GOAL, ASKED_WITH_REDIS_GOAL = 1.10, 1.35, 1.5
BYTES_GOAL = 2048
_SESSIONS = 400


def measure(context: Context) -> Report:
    report = Report("redis")
    rows, rounds = [], []
    with RedisServer(context.folder / "redis", port=None) as redis:
        os.sched_setaffinity(redis.pid, {LOAD_CPU})
        for cache_time in ("10m", "0"):
            row, ratios = _requests(context, redis, cache_time)
            rows += row
            rounds += ratios
    many = _many(context)
    report.table(["Redis", "CPU of", "plain, us", "gate, us", "ratio", "goal", ""], rows)
    report.text("Ratio of every round. " + "; ".join(rounds) + ".")
    report.table(
        [f"{many.count:,} sessions in Redis, each of another user", "", "goal", ""],
        [["bytes of a session with 10 attributes and 20 groups, with its three indexes",
          f"{many.sizes.session:.0f}", f"{BYTES_GOAL}", verdict(many.sizes.session, BYTES_GOAL)],
         ["bytes of what is remembered of its user (400 days)", f"{many.sizes.user:.0f}", "", ""],
         ["bytes of the mark of a used answer (while that is valid)", f"{many.sizes.answer:.0f}", "", ""],
         ["CPU of nginx and Redis, asked at each request, against a thousand sessions", f"{many.pairs.ratio:.3f}",
          f"{MANY_GOAL}", verdict(many.pairs.ratio, MANY_GOAL)]],
    )  # fmt: skip
    report.text(f"Ratio of every round, {many.count:,} sessions against a thousand: {many.pairs.rounds()}.")
    return report


@dataclass(frozen=True)
class _Many:
    count: int
    sizes: Sizes
    pairs: Pairs


def _many(context: Context) -> _Many:
    """The same load on two gates, of which one's Redis is full."""
    count = 50_000 if context.quick else 1_000_000
    progress(f"redis: {count} sessions")
    folder = context.folder / "redis-many"
    app = application(folder / "application")
    with RedisServer(folder / "few") as few, RedisServer(folder / "many") as many, running(app):
        sides, sizes = [], []
        for redis, filling in ((few, 1000 - _SESSIONS), (many, count - _SESSIONS)):
            os.sched_setaffinity(redis.pid, {LOAD_CPU})
            gated = _gate(context, folder / f"gate{filling}", redis, "0", app.port())
            sides.append((redis, gated, filling))
        with running(*(gated for _, gated, _ in sides)):
            costs = []
            for redis, gated, filling in sides:
                cookies = _log_in(context, gated.port())
                sizes.append(fill(redis, filling))
                wrk = Wrk(folder / f"wrk{filling}", cookies)
                whose = [*gated.workers(), redis.pid]
                costs.append(
                    lambda wrk=wrk, gated=gated, whose=whose: wrk.cost(
                        gated.port(), context.seconds, lambda: cpu_seconds(whose)
                    )
                )
            for cost in costs:
                cost()  # warm
            return _Many(count, sizes[1], take_pairs(context.rounds, *costs))


def _requests(context: Context, redis: RedisServer, cache_time: str) -> tuple[list[list[str]], list[str]]:
    progress(f"redis: cache_time {cache_time}")
    folder = context.folder / f"redis-{cache_time}"
    redis.command("FLUSHALL")
    app = application(folder / "application")
    with running(app):
        gated = _gate(context, folder / "gate", redis, cache_time, app.port())
        with running(gated):
            cookies = _log_in(context, gated.port())
            with Client(gated.port()) as client:
                _, body = client.ask((request_head("/identity") + f"Cookie: {cookies[0]}\r\n\r\n").encode())
            values = body.decode().splitlines()
            assert len(values) == len(IDENTITY_HEADERS) and all(values), body
            plain = plain_proxy(folder / "plain", app.port(), values)
            wrk = Wrk(folder / "wrk", cookies)
            with running(plain):
                rows, rounds = [], []
                sides = {"nginx": cpu_of(gated)}
                if cache_time == "0":
                    both = [*gated.workers(), redis.pid]
                    sides["nginx and Redis"] = lambda: cpu_seconds(both)
                for whose, cpu in sides.items():
                    row, ratios = _pairs(context, wrk, plain, gated, cache_time, whose, cpu)
                    rows.append(row)
                    rounds.append(ratios)
    return rows, rounds


def _gate(context: Context, folder: Path, redis: RedisServer, cache_time: str, upstream: int) -> Nginx:
    secret = context.folder / "redis-secret"
    secret.write_text("0123456789abcdef" * 4)
    secret.chmod(0o600)
    return gate(
        folder, context.module, context.idp, upstream,
        http=f"saml_redis main {{ server {redis.address}; cache_time {cache_time}; }} "
        f"saml_session_store redis=main; saml_secret_file {secret};",
    )  # fmt: skip


def _pairs(context: Context, wrk: Wrk, plain, gated, cache_time: str, whose: str, cpu) -> tuple[list[str], str]:
    sides = (
        lambda: wrk.cost(plain.port(), context.seconds, cpu_of(plain)),
        lambda: wrk.cost(gated.port(), context.seconds, cpu),
    )
    for side in sides:
        side()  # warm
    pairs = take_pairs(context.rounds, *sides)
    what = "asked at each request" if cache_time == "0" else "behind a warm zone"
    goal = WARM_GOAL if cache_time != "0" else ASKED_GOAL if whose == "nginx" else ASKED_WITH_REDIS_GOAL
    row = [what, whose, *pairs.cells(), f"{goal}", verdict(pairs.ratio, goal)]
    return row, f"{what}, {whose}: {pairs.rounds()}"


def _log_in(context: Context, port: int) -> list[str]:
    with LoginMaker(port, context.signer(port), processes=1) as maker, Client(port) as client:
        return [log_in(client, post) for post in maker.prepare(_SESSIONS)]
