"""What every part is given, and what it gives back."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from sallyport_testing.keys import KeyStore
from sallyport_testing.saml_idp import TestIdp


@dataclass(frozen=True)
class Context:
    folder: Path
    module: Path
    asan_module: Path | None
    asan_preload: str
    scale: float
    keys: KeyStore
    idp: TestIdp

    def count(self, full: int, least: int = 1) -> int:
        """So much of a part's full volume."""
        return max(least, round(full * self.scale))


@dataclass
class Outcome:
    """Figures for people, and violations, of which there must be none."""

    figures: list[str] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)

    def figure(self, text: str) -> None:
        self.figures.append(text)

    def violated(self, text: str) -> None:
        """The first hundred are kept."""
        if len(self.violations) < 100:
            self.violations.append(text)

    def expect(self, good: bool, text: str) -> None:
        if not good:
            self.violated(text)


class Progress:
    """One line a few seconds on stderr."""

    def __init__(self, part: str, total: int) -> None:
        self._part, self._total = part, total
        self._began = self._told = time.monotonic()

    def at(self, done: int) -> None:
        now = time.monotonic()
        if now - self._told > 10:
            self._told = now
            rate = done / (now - self._began)
            print(f"{self._part}: {done:,} of {self._total:,}, {rate:,.0f}/s", file=sys.stderr, flush=True)

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began
