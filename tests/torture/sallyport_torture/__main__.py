"""Runs parts, prints their figures, and ends non-zero when anything was violated."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from sallyport_testing.keys import KeyStore
from sallyport_testing.saml_idp import TestIdp

from .context import Context, Outcome
from .part_hostile import hostile
from .part_integrity import integrity
from .part_logins import ids, logins
from .part_slowpost import slowpost
from .part_state import state
from .part_workers import reloads, sigkill

PARTS = {
    "ids": ids, "state": state, "sigkill": sigkill, "reloads": reloads, "hostile": hostile, "integrity": integrity,
    "logins": logins, "slowpost": slowpost,
}  # fmt: skip


def run_part(name: str, context: Context) -> Outcome:
    try:
        return PARTS[name](context)
    except (AssertionError, RuntimeError) as problem:  # of nginx's log or exit; a login that failed
        return Outcome(violations=[str(problem)])


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/torture", description=__doc__)
    parser.add_argument("--part", action="append", choices=PARTS, help="one part; may be repeated (default: all)")
    parser.add_argument("--scale", type=float, default=1.0, help="fraction of the full volume (CI: 0.01)")
    parser.add_argument("--module", type=Path, required=True)
    parser.add_argument("--asan-module", type=Path)
    parser.add_argument("--asan-preload", default="")
    arguments = parser.parse_args()

    bad = 0
    for name in arguments.part or PARTS:
        folder = Path(tempfile.mkdtemp(prefix="sallyport-torture-"))
        keys = KeyStore(folder / "keys")
        context = Context(
            folder, arguments.module, arguments.asan_module, arguments.asan_preload, arguments.scale, keys,
            TestIdp(keys.get("idp")),
        )  # fmt: skip
        outcome = run_part(name, context)
        for figure in outcome.figures:
            print(f"{name}: {figure}", flush=True)
        for violation in outcome.violations:
            print(f"{name}: VIOLATION: {violation}", flush=True)
        bad += len(outcome.violations)
        if not outcome.violations:
            shutil.rmtree(folder, ignore_errors=True)
    print(f"{bad} violations")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
