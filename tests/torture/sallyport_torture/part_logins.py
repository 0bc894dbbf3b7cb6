"""Logins and failures without end: identifiers stay unguessable, memory stays flat, nothing leaks (SID-GUESS,
MEM). `ids` runs the ordinary module, `logins` the one with sanitizers, whose leak check comes at the end."""

from __future__ import annotations

import base64
from collections import Counter
from pathlib import Path

from .context import Context, Outcome, Progress
from .gate import Gate, running_gate
from .pipeline import Pipeline
from .users import Logins, PreparedLogin, log_in_all, page_request

FULL = 1_000_000
BITS = 256


def ids(context: Context) -> Outcome:
    return _run(context, "ids", context.module, preload=None)


def logins(context: Context) -> Outcome:
    if context.asan_module is None:
        return _run(context, "logins", context.module, preload=None)
    return _run(context, "logins", context.asan_module, preload=context.asan_preload)


def _run(context: Context, part: str, module: Path, *, preload: str | None) -> Outcome:
    outcome = Outcome()
    count = context.count(FULL, least=200)
    seen = Identifiers()
    failures = 0
    progress = Progress(part, count)
    with running_gate(context.folder / part, module, context.idp.metadata(), zone="256m", preload=preload) as gate:
        with Logins(context, gate) as maker:
            memory: list[int] = []
            reload_every = max(1, count // 5)
            for batch in maker.batches(count):
                users = log_in_all(gate, batch)
                for user in users:
                    outcome.expect(seen.add(user.cookie.partition(b"=")[2]), f"no fresh identifier: {user.cookie!r}")
                failures += _failures(gate, batch, outcome)
                if seen.count // reload_every > (seen.count - len(batch)) // reload_every:
                    gate.nginx.reload()  # workers forked anew
                    memory.clear()
                memory.append(private_memory(gate))
                progress.at(seen.count)
        growth = max(memory[len(memory) // 2 :]) - max(memory[: len(memory) // 2 + 1])
        how = "under ASan and UBSan" if gate.sanitized else f"the workers' memory grew by {growth >> 10} KB"
        outcome.expect(gate.sanitized or growth < 8 << 20, how)
    seen.check(outcome)
    outcome.figure(
        f"{seen.count:,} logins and {failures:,} failures in {progress.seconds:.0f} s, {how}; each bit of the "
        f"identifiers is set in {seen.spread()} of them"
    )
    return outcome


class Identifiers:
    """All identifiers so far: distinct, of exact form, and every bit set as often as not."""

    def __init__(self) -> None:
        self._hashes: set[bytes] = set()
        self._bits = [0] * BITS
        self.count = 0

    def add(self, text: bytes) -> bool:
        if len(text) != 43:
            return False
        raw = base64.urlsafe_b64decode(text + b"=")
        fresh = raw[:16] not in self._hashes
        self._hashes.add(raw[:16])
        number = int.from_bytes(raw, "big")
        for place in range(BITS):
            self._bits[place] += number >> place & 1
        self.count += 1
        return fresh and len(raw) == BITS // 8

    def check(self, outcome: Outcome) -> None:
        # Six standard deviations: about one run in two million has such a place.
        bound = 6 * (self.count**0.5) / 2
        for place, ones in enumerate(self._bits):
            outcome.expect(abs(ones - self.count / 2) < bound, f"bit {place} is set {ones} times of {self.count}")

    def spread(self) -> str:
        return f"{min(self._bits) / self.count:.4f} to {max(self._bits) / self.count:.4f}"


def _failures(gate: Gate, batch: list[PreparedLogin], outcome: Outcome) -> int:
    """Each eighth answer again, whole, cut and changed, and requests without a session."""
    requests = []
    for login in batch[::8]:
        head, _, body = login.post.partition(b"\r\n\r\n")
        changed = body.replace(b"RelayState=", b"RelayState=x", 1)
        spoilt = body[:400] + (b"B" if body[400:401] != b"B" else b"C") + body[401:]
        requests += [login.post, head + b"\r\n\r\n" + changed, head + b"\r\n\r\n" + spoilt]
        requests[-2] = _with_length(requests[-2])
    with Pipeline(gate.port) as pipeline:
        for start in range(0, len(requests), 12):
            for answer in pipeline.ask(requests[start : start + 12]):
                outcome.expect(400 <= answer.status < 500, f"a bad answer came to {answer.status}")
                outcome.expect(b"Set-Cookie: saml_session=" not in answer.head, "a bad answer made a session")
        anonymous = pipeline.ask([page_request()] * 16)
        statuses = Counter(answer.status for answer in anonymous)
        outcome.expect(statuses == {302: 16}, f"anonymous requests: {statuses}")
    return len(requests) + len(anonymous)


def _with_length(request: bytes) -> bytes:
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.startswith(b"Content-Length:")]
    return b"\r\n".join([*lines, b"Content-Length: %d" % len(body)]) + b"\r\n\r\n" + body


def private_memory(gate: Gate) -> int:
    total = 0
    for pid in gate.nginx.workers():
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Private_Dirty"):
                total += int(line.split()[1]) * 1024
    return total
