"""A thousand hostile answers a second that look good up to their signature: bounded work, others are served
(DOS-CRYPTO)."""

from __future__ import annotations

import statistics
import threading
import time

from sallyport_bench.process import cpu_seconds

from .context import Context, Outcome
from .gate import running_gate
from .pipeline import Pipeline
from .users import Logins, user_seen

SECONDS = 60
PER_SECOND = 1000
MOST_MILLISECONDS = 10  # of CPU for one answer


def hostile(context: Context) -> Outcome:
    outcome = Outcome()
    count = context.count(SECONDS * PER_SECOND, least=200)
    attacker = context.keys.get("attacker")
    with running_gate(context.folder / "hostile", context.module, context.idp.metadata()) as gate:
        with Logins(context, gate) as logins:
            (user,) = logins.log_in(1)
        with Logins(context, gate, key=attacker) as forgeries:
            forged = [each.post for each in forgeries.prepare(100)]

        def latencies(until) -> list[float]:
            taken = []
            with Pipeline(gate.port) as pipeline:
                while not until(len(taken)):
                    began = time.monotonic()
                    (answer,) = pipeline.ask([user.request])
                    taken.append(time.monotonic() - began)
                    outcome.expect(user_seen(answer) == user.name, f"{user.name} became {user_seen(answer)}")
            return taken

        idle = latencies(lambda done: done >= 300)
        over = threading.Event()
        busy: list[float] = []
        watcher = threading.Thread(target=lambda: busy.extend(latencies(lambda done: over.is_set() and done > 20)))
        watcher.start()
        workers, before, began = gate.nginx.workers(), cpu_seconds(gate.nginx.workers()), time.monotonic()
        with Pipeline(gate.port) as pipeline:
            for number in range(count):
                due = began + number / PER_SECOND
                if (pause := due - time.monotonic()) > 0:
                    time.sleep(pause)
                (answer,) = pipeline.ask([forged[number % len(forged)]])
                if answer.status != 403 or b"Set-Cookie: saml_session=" in answer.head:
                    outcome.violated(f"a forged answer came to {answer.status}")
        seconds = time.monotonic() - began
        over.set()
        watcher.join()
        cost = (cpu_seconds(workers) - before) / count * 1000
        outcome.expect(gate.nginx.workers() == workers, "a worker died")
        outcome.expect(cost <= MOST_MILLISECONDS, f"a hostile answer cost {cost:.1f} ms")
    outcome.figure(
        f"{count:,} forged answers at {count / seconds:,.0f}/s, all refused, at most {cost:.2f} ms of CPU each with the other "
        f"requests; these took {_p99(busy):.1f} ms (99th of a hundred; {_p99(idle):.1f} ms when idle)"
    )
    return outcome


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1000
