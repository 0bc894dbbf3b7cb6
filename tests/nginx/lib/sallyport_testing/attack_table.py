"""Reads `tests/ATTACKS.md`: which attack is tried by which test.

`python3 -m sallyport_testing.attack_table` (in `tests/nginx/lib`) prints how many cases carry each id.
"""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).resolve().parents[3]
TABLE = TESTS / "ATTACKS.md"

_LINE = re.compile(r"^\| ([0-9]+|-) \| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]*) \|$")
_HEADER = re.compile(r"^\| (?:#|---) \|")
_GTEST = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.MULTILINE)


@dataclass(frozen=True)
class Row:
    """A line of the table."""

    number: int | None  # None: one of the standards' duties
    ids: tuple[str, ...]
    what: str
    verdict: str
    tests: str  # as it is written

    @property
    def named(self) -> list[str]:
        """The tests between backticks."""
        return re.findall(r"`([^`]+)`", self.tests)

    @property
    def rows(self) -> list[int]:
        """The lines that prove this one, "row 12"."""
        return [int(number) for number in re.findall(r"\brow (\d+)", self.tests)]

    @property
    def name(self) -> str:
        return f"{self.number or ''} {' / '.join(self.ids)}".strip()


def read_table() -> list[Row]:
    """All lines; an error when one begins as a line of the table does and is none."""
    found = []
    for line in TABLE.read_text("utf-8").splitlines():
        if not line.startswith("|") or _HEADER.match(line):
            continue
        parts = _LINE.match(line)
        assert parts, f"not a line of the table:\n{line}"
        number, ids, what, verdict, tests = (each.strip() for each in parts.groups())
        found.append(Row(int(number) if number != "-" else None, tuple(ids.split(" / ")), what, verdict, tests))
    return found


@functools.cache
def collected() -> dict[str, list[str]]:
    """The names of all black-box cases by `nginx/FILE.py::TEST` (`browser/FILE.py::TEST`)."""
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "nginx", "browser"]
    done = subprocess.run(command, cwd=TESTS, stdout=subprocess.PIPE, text=True, timeout=60, check=False)
    nodes: dict[str, list[str]] = {}
    for line in done.stdout.splitlines():
        if re.match(r"[\w/]+\.py::", line):
            nodes.setdefault(line.partition("[")[0], []).append(line)
    return nodes


@functools.cache
def unit_tests() -> frozenset[str]:
    """`Suite.Name` of all unit tests."""
    sources = [source for folder in ("unit", "allocation") for source in (TESTS / folder).glob("*.cpp")]
    return frozenset(f"{suite}.{name}" for path in sources for suite, name in _GTEST.findall(path.read_text("utf-8")))


def _words(text: str) -> str:
    return f" {' '.join(re.findall('[a-z0-9]+', text.lower()))} "


def cases_with(identifier: str, test: str) -> int:
    """How many cases of a test carry an id in their name: words of the id, one behind the other."""
    if "::" not in test:
        letters = re.sub("[^a-z0-9]", "", identifier.lower())
        return int(letters in re.sub("[^a-z0-9]", "", test.lower()))
    return sum(_words(identifier) in _words(node.partition("::")[2]) for node in collected().get(test, ()))


def main() -> None:
    """Print each line with the number of cases that carry its ids."""
    for row in read_table():
        counts = [f"{each} {sum(cases_with(each, test) for test in row.named)}" for each in row.ids]
        print(f"{row.number or '-':>3}  {', '.join(counts)}")


if __name__ == "__main__":
    main()
