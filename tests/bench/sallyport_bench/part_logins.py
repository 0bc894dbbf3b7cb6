"""Logins: message to record, and a whole POST to the ACS, beside the bare work on the same message."""

from __future__ import annotations

import base64
import statistics

from .client import Client
from .context import Context
from .logins import LoginMaker, begin, log_in_all
from .process import cpu_seconds
from .report import Report, verdict
from .rounds import Pairs, progress
from .servers import application, gate, running

RECORD_GOAL = 1.5
ACS_GOAL = 2.2


def measure(context: Context) -> Report:
    report = Report("logins")
    app = application(context.folder / "logins-application")
    gated = gate(context.folder / "logins-gate", context.module, context.idp, app.port())
    with running(app, gated):
        signer = context.signer(gated.port())
        with LoginMaker(gated.port(), signer) as maker:
            with Client(gated.port()) as client:
                message = signer.message(begin(client))
            bare = _BareWork(context, message)
            pairs = _whole_posts(context, gated, maker, bare)
    record = _message_to_record(context)
    report.table(
        ["", "bare work, us", "Sallyport, us", "ratio", "goal", ""],
        [
            ["message to record", *record.cells(), f"{RECORD_GOAL}", verdict(record.ratio, RECORD_GOAL)],
            ["a whole ACS POST", *pairs.cells(), f"{ACS_GOAL}", verdict(pairs.ratio, ACS_GOAL)],
        ],
    )
    report.text(
        f"Messages: {len(message):,} bytes of XML posted; that of the benchmark is its own, of the same kind. "
        f"Ratio of every round. Message to record: {record.rounds()}; whole POST: {pairs.rounds()}."
    )
    return report


class _BareWork:
    """libxml2 and libcrypto by hand on this very message."""

    def __init__(self, context: Context, message: bytes) -> None:
        self._context = context
        self._file = context.folder / "message"
        self._file.write_bytes(base64.b64encode(message))

    def microseconds(self) -> float:
        key = self._context.idp.key
        return self._context.benchmarks.median(
            "finish_login_bench", "BM_BareWork", repetitions=5, seconds=0.1,
            environment={
                "SALLYPORT_BENCH_MESSAGE": str(self._file),
                "SALLYPORT_BENCH_CERTIFICATE": str(key.certificate_file),
            },
        )  # fmt: skip


def _whole_posts(context: Context, gated, maker: LoginMaker, bare: _BareWork) -> Pairs:
    pairs = Pairs()
    batch = 100 if context.quick else 300
    workers = gated.workers()
    log_in_all(gated.port(), maker.prepare(50))  # warm
    for number in range(3 if context.quick else 9):
        posts = maker.prepare(batch)
        pairs.base.append(bare.microseconds())
        before = cpu_seconds(workers)
        log_in_all(gated.port(), posts)
        pairs.ours.append((cpu_seconds(workers) - before) / batch * 1e6)
        progress(f"logins: whole POST, round {number + 1}: {pairs.ratios[-1]:.3f}")
    return pairs


def _message_to_record(context: Context) -> Pairs:
    pairs = Pairs()
    for _ in range(3 if context.quick else 9):
        taken = context.benchmarks.run(
            "finish_login_bench", "BM_FinishLogin|BM_BareWork", repetitions=5, seconds=0.1
        )
        pairs.base.append(statistics.median(taken["BM_BareWork"]))
        pairs.ours.append(statistics.median(taken["BM_FinishLogin"]))
        progress(f"logins: message to record: {pairs.ratios[-1]:.3f}")
    return pairs
