"""Ten thousand answers that are posted a byte a second: others are served, and none holds its connection for long
(DOS-SLOWPOST)."""

from __future__ import annotations

import contextlib
import select
import socket
import statistics
import time

from sallyport_bench.wrk import HOST

from .context import Context, Outcome
from .gate import running_gate
from .part_logins import private_memory
from .pipeline import Pipeline
from .users import Logins, user_seen

FULL = 10_000
ANNOUNCED = 500_000  # bytes of body, nearly as many as are taken
MOST_SECONDS = 90  # a minute is what a body may take; then nginx lingers
MOST_BYTES = 32 << 10  # of the workers' memory for one sender
MOST_WAIT = 1.0  # seconds, of a user


class Senders:
    """Connections whose bodies come a byte at a time."""

    def __init__(self, port: int, count: int) -> None:
        head = (
            f"POST /saml/acs HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {ANNOUNCED}\r\n\r\nSAMLResponse="
        ).encode()
        self.left: set[socket.socket] = set()
        self.answers: dict[bytes, int] = {}
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=60)
            connection.sendall(head)
            connection.setblocking(False)
            self.left.add(connection)

    def drip(self) -> None:
        """A byte more from each; those that were answered or closed leave."""
        poll = select.poll()
        by_number = {each.fileno(): each for each in self.left}
        for number in by_number:
            poll.register(number, select.POLLIN)
        for number, _ in poll.poll(0):
            self._end(by_number[number])
        for connection in list(self.left):
            with contextlib.suppress(BlockingIOError):
                try:
                    connection.send(b"A")
                except ConnectionError:
                    self._end(connection)

    def _end(self, connection: socket.socket) -> None:
        try:
            status = connection.recv(4096)[9:12]
        except ConnectionError:
            status = b"---"
        self.answers[status] = self.answers.get(status, 0) + 1
        connection.close()
        self.left.discard(connection)

    def close(self) -> None:
        for connection in self.left:
            connection.close()


def slowpost(context: Context) -> Outcome:
    outcome = Outcome()
    count = context.count(FULL, least=100)
    gate_folder = context.folder / "slowpost"
    with running_gate(gate_folder, context.module, context.idp.metadata(), connections=count + 512) as gate:
        with Logins(context, gate) as logins:
            (user,) = logins.log_in(1)

        def wait_of_user(client: Pipeline) -> float:
            began = time.monotonic()
            (answer,) = client.ask([user.request])
            outcome.expect(user_seen(answer) == user.name, f"{user.name} became {user_seen(answer)}")
            return time.monotonic() - began

        with Pipeline(gate.port) as client:
            idle = [wait_of_user(client) for _ in range(200)]
            before = private_memory(gate)
            senders = Senders(gate.port, count)
            began = time.monotonic()
            busy: list[float] = []
            each = 0
            while senders.left and time.monotonic() - began < MOST_SECONDS:
                senders.drip()
                busy += [wait_of_user(client) for _ in range(20)]
                each = max(each, (private_memory(gate) - before) // count)
                time.sleep(1)
            seconds = time.monotonic() - began
        outcome.expect(not senders.left, f"{len(senders.left)} senders are still connected after {seconds:.0f} s")
        outcome.expect(set(senders.answers) <= {b"408", b"---", b""}, f"the senders got {senders.answers}")
        outcome.expect(max(busy) < MOST_WAIT, f"a user waited for {max(busy):.1f} s")
        outcome.expect(gate.sanitized or each <= MOST_BYTES, f"{each:,} bytes for a sender")
        senders.close()
        with Logins(context, gate) as logins:
            logins.log_in(1)
    outcome.figure(
        f"{count:,} senders for {seconds:.0f} s, {each:,} bytes of memory each; a user's requests took {_p99(busy):.1f} ms "
        f"(99th of a hundred; {_p99(idle):.1f} ms without)"
    )
    return outcome


def _p99(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] * 1000
