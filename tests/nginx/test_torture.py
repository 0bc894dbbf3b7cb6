"""A hundredth of `scripts/torture`, and that its checks can fail."""

from __future__ import annotations

import base64
import os
import sys
from pathlib import Path

import pytest

from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import module_under_test
from sallyport_testing.paths import REPOSITORY
from sallyport_testing.saml_idp import TestIdp

sys.path[:0] = [str(REPOSITORY / "tests/bench"), str(REPOSITORY / "tests/torture")]

from sallyport_torture.__main__ import PARTS, run_part  # noqa: E402
from sallyport_torture.context import Context, Outcome  # noqa: E402
from sallyport_torture.part_logins import Identifiers  # noqa: E402

SANITIZED = os.environ.get("SALLYPORT_PRELOAD", "")
# Rows of the attack table by part. Sanitizers run what they are for at a hundredth, the rest shorter still.
ROWS = {
    "state": ("DOS-STATE-DOS-PENDING", 0.01, 0.01),
    "sigkill": ("SHM-CRASH", 0.01, 0.005),
    "reloads": ("RELOAD-FORK", 0.01, 0.01),
    "hostile": ("DOS-CRYPTO", 0.01, 0.01),
    "slowpost": ("DOS-SLOWPOST", 0.01, 0.01),
    "integrity": ("H2/H1", 0.001, 0.0002),  # a figure of its own, no row: a hundredth would take minutes
    "logins": ("SID-GUESS-MEM", 0.01, 0.002),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", ROWS, ids=[f"{ROWS[name][0]}-{name}" for name in ROWS])
def test_a_part_of_the_torture(tmp_path: Path, keys: KeyStore, part: str) -> None:
    scale = ROWS[part][2 if SANITIZED else 1]
    asan = module_under_test() if SANITIZED else None
    context = Context(tmp_path / "part", module_under_test(), asan, SANITIZED, scale, keys, TestIdp(keys.get("idp")))
    outcome = run_part(part, context)
    print("\n".join(outcome.figures))
    assert outcome.violations == []
    assert outcome.figures


def test_every_part_is_run() -> None:
    assert {*ROWS, "ids"} == set(PARTS), "ids is logins without sanitizers: what a plain run of logins is"


def test_identifiers_that_are_not_random_are_found() -> None:
    good = [os.urandom(32) for _ in range(2000)]
    spoilt = {
        "repeated": [*good, good[7]],
        "stuck bit": [bytes([raw[0] | 1, *raw[1:]]) for raw in good],
        "rare bit": [raw if number % 4 else raw[:5] + b"\0" + raw[6:] for number, raw in enumerate(good)],
        "short": [*good, b"x" * 31],
    }
    assert _violations(good) == []
    for name, values in spoilt.items():
        assert _violations(values), name


def _violations(values: list[bytes]) -> list[str]:
    outcome, seen = Outcome(), Identifiers()
    for raw in values:
        outcome.expect(seen.add(base64.urlsafe_b64encode(raw).rstrip(b"=")), "not fresh")
    seen.check(outcome)
    return outcome.violations
