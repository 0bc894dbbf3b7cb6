"""A Sentinel master dies under 500 requests a second: what known sessions and logins notice."""

from __future__ import annotations

import threading
import time
from collections import Counter
from dataclasses import dataclass, field

from sallyport_testing.redis_sentinels import RedisSentinels

from .client import Client, status_of
from .context import Context
from .logins import LoginMaker, log_in
from .report import Report, verdict
from .rounds import progress
from .servers import application, gate, running
from .wrk import request_head

RATE = 500  # requests a second
_SESSIONS, _LOGINS = 50, 400
_BETWEEN_LOGINS = 0.05


@dataclass
class _Seen:
    statuses: Counter[int] = field(default_factory=Counter)
    logins: list[tuple[float, int]] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)


def measure(context: Context) -> Report:
    report = Report("failover")
    rows = []
    for round_number in range(1 if context.quick else 3):
        progress(f"failover: round {round_number + 1}")
        rows.append(_round(context, round_number))
    report.table(
        ["requests of known sessions", "answered otherwise than 200", "goal", "", "the new master served after, s",
         "without logins, s", "logins refused meanwhile (503)", "answered otherwise"], rows,
    )  # fmt: skip
    return report


def _round(context: Context, number: int) -> list[str]:
    folder = context.folder / f"failover{number}"
    secret = folder / "secret"
    folder.mkdir()
    secret.write_text("0123456789abcdef" * 4)
    secret.chmod(0o600)
    app = application(folder / "application")
    with RedisSentinels(folder / "sentinels") as sentinels, running(app):
        gated = gate(
            folder / "gate", context.module, context.idp, app.port(), pin=False,
            http=f"saml_redis main {{ server {sentinels.server_lines()}; cache_time 0; }} "
            f"saml_session_store redis=main; saml_secret_file {secret};",
        )  # fmt: skip
        with running(gated), LoginMaker(gated.port(), context.signer(gated.port()), processes=1) as maker:
            with Client(gated.port()) as client:
                cookies = [log_in(client, post) for post in maker.prepare(_SESSIONS)]
            return _fail_over(sentinels, gated.port(), cookies, maker.prepare(_LOGINS))


def _fail_over(sentinels: RedisSentinels, port: int, cookies: list[str], posts: list[bytes]) -> list[str]:
    seen = _Seen()
    threads = [
        threading.Thread(target=_request, args=(port, cookies, seen)),
        threading.Thread(target=_log_in, args=(port, posts, seen)),
    ]
    for thread in threads:
        thread.start()
    time.sleep(2)
    master = sentinels.master()
    died = time.monotonic()
    master.stop()
    sentinels.wait_for_other_than(master)
    served = time.monotonic() - died
    time.sleep(4)
    seen.is_over.set()
    for thread in threads:
        thread.join()
    wrong = sum(count for status, count in seen.statuses.items() if status != 200)
    later = [(at, status) for at, status in seen.logins if at > died]
    refused = [at for at, status in later if status == 503]
    other = [status for _, status in seen.logins if status not in (303, 503)]
    without = next((at for at, status in later if status == 303 and at > max(refused, default=died)), float("nan")) - died
    return [str(seen.statuses.total()), str(wrong), "0", verdict(wrong, 0), f"{served:.2f}", f"{without:.2f}",
            str(len(refused)), str(len(other))]  # fmt: skip


def _request(port: int, cookies: list[str], seen: _Seen) -> None:
    requests = [(request_head("/page") + f"Cookie: {cookie}\r\n\r\n").encode() for cookie in cookies]
    begin, number = time.monotonic(), 0
    with Client(port) as client:
        while not seen.is_over.is_set():
            head, _ = client.ask(requests[number % len(requests)])
            seen.statuses[status_of(head)] += 1
            number += 1
            time.sleep(max(0.0, begin + number / RATE - time.monotonic()))


def _log_in(port: int, posts: list[bytes], seen: _Seen) -> None:
    for post in posts:
        if seen.is_over.is_set():
            return
        with Client(port) as client:
            head, _ = client.ask(post)
        seen.logins.append((time.monotonic(), status_of(head)))
        time.sleep(_BETWEEN_LOGINS)
