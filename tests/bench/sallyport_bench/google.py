"""Google Benchmark programs, read as JSON."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .pinning import SERVER_CPU, on_cpu

_MICROSECONDS = {"ns": 1e-3, "us": 1.0, "ms": 1e3}


@dataclass(frozen=True)
class Cost:
    """One benchmark's CPU time per iteration, and what it says of itself."""

    name: str
    microseconds: float
    label: str
    bytes: int


class Benchmarks:
    """The programs that CMake built in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(
        self, program: str, names: str, *, repetitions: int, seconds: float,
        environment: dict[str, str] | None = None,
    ) -> dict[str, list[float]]:
        """CPU microseconds per iteration of every repetition, by name."""
        command = [
            *on_cpu(SERVER_CPU, [str(self.folder / program)]),
            f"--benchmark_filter=^({names})$",
            f"--benchmark_repetitions={repetitions}",
            f"--benchmark_min_time={seconds}",
            "--benchmark_enable_random_interleaving=true",
            "--benchmark_format=json",
        ]
        done = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False, text=True,
            env={**os.environ, **(environment or {})},
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{program} failed:\n{done.stderr}")
        found: dict[str, list[float]] = {}
        for entry in _iterations(done.stdout):
            found.setdefault(entry["run_name"], []).append(_cpu_microseconds(entry))
        return found

    def costs(self, program: str, *, seconds: float) -> list[Cost]:
        """Every benchmark of a program, once."""
        command = [str(self.folder / program), f"--benchmark_min_time={seconds}", "--benchmark_format=json"]
        done = subprocess.run(on_cpu(SERVER_CPU, command), stdout=subprocess.PIPE, check=True, text=True)
        return [
            Cost(entry["run_name"], _cpu_microseconds(entry), entry["label"], int(entry["bytes"]))
            for entry in _iterations(done.stdout)
        ]

    def counter(self, program: str, name: str, counter: str) -> float:
        """What one benchmark counts, run once."""
        command = [str(self.folder / program), f"--benchmark_filter=^{name}$", "--benchmark_format=json"]
        done = subprocess.run(on_cpu(SERVER_CPU, command), stdout=subprocess.PIPE, check=True, text=True)
        (entry,) = _iterations(done.stdout)
        return float(entry[counter])

    def median(self, program: str, name: str, *, repetitions: int, seconds: float, **options) -> float:
        taken = self.run(program, name, repetitions=repetitions, seconds=seconds, **options)
        return statistics.median(next(iter(taken.values())))


def _iterations(output: str) -> list[dict]:
    return [entry for entry in json.loads(output)["benchmarks"] if entry.get("run_type") == "iteration"]


def _cpu_microseconds(entry: dict) -> float:
    return entry["cpu_time"] * _MICROSECONDS[entry["time_unit"]]
