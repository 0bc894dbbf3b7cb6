"""Waiting for what comes at its own time."""

from __future__ import annotations

import time
from collections.abc import Callable

WAIT = 30  # seconds
LATER = 2.2  # seconds after one worker in which the others follow


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> float:
    """Seconds until it holds."""
    begin = time.monotonic()
    while not condition():
        assert time.monotonic() - begin < seconds, f"waited {seconds} s for {what}"
        time.sleep(0.01)
    return time.monotonic() - begin


def wait_for_all_workers(condition: Callable[[], bool], what: str) -> None:
    """For what each does by itself: until it has held for so long, asked over and over, that the others followed. On a
    busy machine they are late: whoever still answers as before begins the wait anew."""
    deadline = time.monotonic() + WAIT
    holds_since: float | None = None
    while holds_since is None or time.monotonic() < holds_since + LATER:
        if not condition():
            assert time.monotonic() < deadline, f"waited {WAIT} s for {what}"
            holds_since = None
        elif holds_since is None:
            holds_since = time.monotonic()
        time.sleep(0.1)
