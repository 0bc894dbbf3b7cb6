"""The tables: printed, and kept in docs/PERFORMANCE.md between two marks per part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Report:
    """What one part has to say, in Markdown."""

    part: str
    lines: list[str] = field(default_factory=list)

    def text(self, line: str) -> None:
        self.lines += [line, ""]

    def table(self, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.lines.append("| " + " | ".join(head) + " |")
        self.lines.append("|" + " --- |" * len(head))
        self.lines += ["| " + " | ".join(row) + " |" for row in rows]
        self.lines.append("")

    @property
    def markdown(self) -> str:
        return "\n".join(self.lines).strip() + "\n"


def write_into(page: Path, report: Report) -> None:
    """Replace what stands between the part's marks."""
    begin, end = f"<!-- bench:{report.part} -->", f"<!-- /bench:{report.part} -->"
    text = page.read_text("utf-8")
    before, found, rest = text.partition(begin)
    _, ended, after = rest.partition(end)
    if not found or not ended:
        raise ValueError(f"{page} has no marks {begin} ... {end}")
    page.write_text(f"{before}{begin}\n{report.markdown}{end}{after}", "utf-8")


def verdict(figure: float, goal: float) -> str:
    """Whether a figure reaches its goal: at most that much."""
    return "reached" if figure <= goal else "**missed**"
