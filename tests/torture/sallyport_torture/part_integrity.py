"""A hundred million requests of a hundred thousand users over shared connections: every answer is for whom it was
asked. The application says for whom it took the request, the client knows who asked."""

from __future__ import annotations

import random
import threading

from .context import Context, Outcome, Progress
from .gate import Gate, running_gate
from .pipeline import Pipeline, Streams
from .users import HOST, Logins, User, page_request, user_seen

FULL = 100_000_000
USERS = 100_000
# A batch of up to so many requests is in flight on a connection at once.
PIPELINED = 48


def integrity(context: Context) -> Outcome:
    outcome = Outcome()
    count = context.count(FULL, least=2000)
    with running_gate(context.folder / "integrity", context.module, context.idp.metadata(), zone="512m") as gate:
        with Logins(context, gate) as logins:
            users = logins.log_in(max(20, min(USERS, count // 1000)))
        progress = Progress("integrity", count)
        asked = [0, 0]
        threads = [
            threading.Thread(target=_ask, args=(gate, outcome, users, count // 2, kind, asked, progress))
            for kind in (0, 1)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    outcome.expect(sum(asked) >= count // 2 * 2, f"only {sum(asked):,} of {count:,} requests were answered")
    outcome.figure(
        f"{asked[0]:,} requests over HTTP/1 and {asked[1]:,} over HTTP/2 of {len(users):,} users in "
        f"{progress.seconds:.0f} s: {len(outcome.violations)} for the wrong user"
    )
    return outcome


def _ask(
    gate: Gate, outcome: Outcome, users: list[User], count: int, kind: int, asked: list[int], progress: Progress
) -> None:
    """Batches of random users, some of them nobody, over four connections in turn."""
    rng = random.Random(kind)
    nobody = User("", b"theme=dark")
    make = (lambda: Pipeline(gate.port)) if kind == 0 else (lambda: Streams(gate.h2_port, HOST))
    connections = [make() for _ in range(4)]
    while asked[kind] < count:
        batch = rng.choices(users, k=rng.randint(1, PIPELINED))
        if len(batch) > 3:
            batch[rng.randrange(len(batch))] = nobody
        connection = connections[asked[kind] % len(connections)]
        requests = [page_request(user.cookie) if kind == 0 else user.cookie for user in batch]
        for user, answer in zip(batch, connection.ask(requests), strict=True):
            seen = user_seen(answer) or ""
            if seen != user.name:
                outcome.violated(f"{user.name or 'nobody'} became {seen or 'nobody'}")
        asked[kind] += len(batch)
        progress.at(sum(asked))
    for each in connections:
        each.close()
