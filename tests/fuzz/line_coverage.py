#!/usr/bin/python3
"""Line coverage of an lcov file: line_coverage.py FILE ROOT PERCENT FOLDER...

One line for each source file in these folders of ROOT, the lines that nothing reaches, and the total; fails below PERCENT.
"""

from __future__ import annotations

import sys
from pathlib import Path


def read(path: Path) -> dict[Path, dict[int, int]]:
    """Source file, line, how often it was reached."""
    files: dict[Path, dict[int, int]] = {}
    lines: dict[int, int] = {}
    for entry in path.read_text().splitlines():
        kind, _, rest = entry.partition(":")
        if kind == "SF":
            # Compiler caches write paths that go up and down.
            lines = files.setdefault(Path(rest).resolve(), {})
        elif kind == "DA":
            number, count = rest.split(",")[:2]
            lines[int(number)] = max(lines.get(int(number), 0), int(count))
    return files


def ranges(numbers: list[int]) -> str:
    """3, 4, 5, 9 as "3-5, 9"."""
    out: list[list[int]] = []
    for number in numbers:
        if out and number == out[-1][1] + 1:
            out[-1][1] = number
        else:
            out.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in out)


def main() -> int:
    files = read(Path(sys.argv[1]))
    root, wanted = Path(sys.argv[2]).resolve(), float(sys.argv[3])
    folders = [root / each for each in sys.argv[4:]]
    reached = total = 0
    for name, lines in sorted(files.items()):
        if not any(folder in name.parents for folder in folders):
            continue
        missed = sorted(number for number, count in lines.items() if count == 0)
        reached += len(lines) - len(missed)
        total += len(lines)
        percent = 100 * (len(lines) - len(missed)) / max(len(lines), 1)
        print(f"{name.relative_to(root)!s:34} {percent:6.1f} %  of {len(lines):4} lines", end="")
        print(f"  not reached: {ranges(missed)}" if missed else "")
    percent = 100 * reached / max(total, 1)
    print(f"{reached} of {total} lines reached: {percent:.1f} % ({wanted:.0f} % wanted)")
    print("1 passed, 0 failed" if percent >= wanted else "0 passed, 1 failed")
    return 0 if percent >= wanted else 1


if __name__ == "__main__":
    sys.exit(main())
