"""Paired measurements: A B A B, the ratio of each pair, and their median."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Pairs:
    """Microseconds of CPU per request of two systems, taken by turns."""

    base: list[float] = field(default_factory=list)
    ours: list[float] = field(default_factory=list)

    @property
    def ratios(self) -> list[float]:
        return [ours / base for base, ours in zip(self.base, self.ours)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def difference(self) -> float:
        """Median of what ours takes more, in microseconds."""
        return statistics.median(ours - base for base, ours in zip(self.base, self.ours))

    def cells(self) -> list[str]:
        """Both medians and the ratio."""
        return [
            f"{statistics.median(self.base):.2f}",
            f"{statistics.median(self.ours):.2f}",
            f"{self.ratio:.3f}",
        ]

    def rounds(self) -> str:
        """The ratio of every round in the order taken."""
        return " ".join(f"{ratio:.3f}" for ratio in self.ratios)


def take_pairs(count: int, base: Callable[[], float], ours: Callable[[], float]) -> Pairs:
    """Run both by turns; which goes first changes with each round, so that a drift favours neither."""
    pairs = Pairs()
    for number in range(count):
        if number % 2 == 0:
            pairs.base.append(base())
            pairs.ours.append(ours())
        else:
            pairs.ours.append(ours())
            pairs.base.append(base())
        progress(f"  round {number + 1}: {pairs.base[-1]:.2f} and {pairs.ours[-1]:.2f} us, "
                 f"{pairs.ratios[-1]:.3f}")  # fmt: skip
    return pairs


def progress(text: str) -> None:
    """One line about what is going on; results go to the report."""
    print(text, file=sys.stderr, flush=True)
