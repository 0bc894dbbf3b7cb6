"""A million visitors without a session, from many addresses, leave not a byte behind (DOS-STATE, DOS-PENDING)."""

from __future__ import annotations

from sallyport_testing.zone_memory import read_zone

from .context import Context, Outcome, Progress
from .gate import running_gate
from .part_logins import private_memory
from .pipeline import Pipeline
from .users import Logins, page_request, user_seen

FULL = 1_000_000
ADDRESSES = 200
BATCH = 50


def state(context: Context) -> Outcome:
    outcome = Outcome()
    count = context.count(FULL, least=ADDRESSES * BATCH)
    progress = Progress("state", count)
    with running_gate(context.folder / "state", context.module, context.idp.metadata(), zone="4m") as gate:
        with Logins(context, gate) as logins:
            users = logins.log_in(50)
        clients = [Pipeline(gate.port, f"127.0.{number >> 8}.{2 + (number & 127)}") for number in range(ADDRESSES)]
        asked = 0

        def hit(total: int) -> None:
            nonlocal asked
            while asked < total:
                requests = [page_request(b"saml_session=" + b"A" * 43) if n % 3 == 0 else page_request()
                            for n in range(BATCH)]  # fmt: skip
                for answer in clients[asked // BATCH % ADDRESSES].ask(requests):
                    if answer.status != 302:
                        outcome.violated(f"a visitor got {answer.status}")
                asked += BATCH
                progress.at(asked)

        hit(count // 10)  # the workers' own pools and buffers find their sizes
        zone, memory = read_zone(gate.nginx, gate.zone_bytes), private_memory(gate)
        hit(count)
        changed = sum(a != b for a, b in zip(zone, read_zone(gate.nginx, gate.zone_bytes), strict=True))
        grown = private_memory(gate) - memory
        outcome.expect(changed == 0, f"{changed} bytes of the zone changed")
        outcome.expect(gate.sanitized or grown < 2 << 20, f"the workers grew by {grown >> 10} KB")
        for client in clients:
            client.close()
        with Pipeline(gate.port) as pipeline:
            for user, answer in zip(users, pipeline.ask([user.request for user in users]), strict=True):
                outcome.expect(user_seen(answer) == user.name, f"{user.name} became {user_seen(answer)}")
    outcome.figure(
        f"{asked:,} visitors from {ADDRESSES} addresses in {progress.seconds:.0f} s: {changed} bytes of the zone changed, "
        f"the workers grew by {grown >> 10} KB"
    )
    return outcome
