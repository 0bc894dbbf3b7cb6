"""Runs parts, prints their tables and, with --write, keeps them in docs/PERFORMANCE.md."""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

from sallyport_testing.keys import KeyStore
from sallyport_testing.paths import REPOSITORY, nginx_binary
from sallyport_testing.saml_idp import TestIdp

from . import (
    machine,
    part_failover,
    part_gates,
    part_logins,
    part_loop,
    part_memory,
    part_organisations,
    part_policies,
    part_redirects,
    part_redis,
    part_requests,
    part_workers,
)
from .context import Context
from .google import Benchmarks
from .report import write_into

PARTS = {
    "requests": part_requests.measure,
    "workers": part_workers.measure,
    "redirects": part_redirects.measure,
    "logins": part_logins.measure,
    "memory": part_memory.measure,
    "loop": part_loop.measure,
    "gates": part_gates.measure,
    "policies": part_policies.measure,
    "redis": part_redis.measure,
    "failover": part_failover.measure,
    "organisations": part_organisations.measure,
}
PAGE = REPOSITORY / "docs/PERFORMANCE.md"


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="few and short rounds: does it run")
    parser.add_argument("--full", action="store_true", help="100,000 logins in `memory`")
    parser.add_argument("--write", action="store_true", help=f"put the tables into {PAGE.name}")
    parser.add_argument("--module", type=Path, required=True)
    parser.add_argument("--test-module", type=Path, required=True)
    parser.add_argument("--benchmarks", type=Path, required=True)
    arguments = parser.parse_args()

    folder = Path(tempfile.mkdtemp(prefix="sallyport-bench-"))
    keys = KeyStore(folder / "keys")
    context = Context(
        folder, arguments.module, arguments.test_module, Benchmarks(arguments.benchmarks), keys,
        TestIdp(keys.get("idp")), quick=arguments.quick, full=arguments.full,
    )  # fmt: skip
    for name in arguments.parts or PARTS:
        where = machine.describe(nginx_binary())
        report = PARTS[name](context)
        length = "--quick, for trying out only" if arguments.quick else ""
        report.text("; ".join(filter(None, [f"Taken {where}, at the end {machine.load_average()}", length])) + ".")
        print(f"\n## {name}\n\n{report.markdown}", flush=True)
        if arguments.write:
            write_into(PAGE, report)
    shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
