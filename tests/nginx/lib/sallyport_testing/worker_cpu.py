"""The processor time that nginx's workers have used, for inputs that must not cost much."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from .nginx import Nginx

# What one request may cost at most. Generous: sanitizers and a busy machine's caches count too.
MOST_SECONDS = 0.25 if not os.environ.get("SALLYPORT_PRELOAD") else 2.5


def cpu_seconds(nginx: Nginx) -> float:
    """User and system time of all workers, from the scheduler's own account."""
    return sum(int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) for pid in nginx.workers()) / 1e9


@contextmanager
def cheap(nginx: Nginx) -> Iterator[None]:
    """What happens inside must cost the workers little, and none of them may die."""
    workers, before = nginx.workers(), cpu_seconds(nginx)
    yield
    used = cpu_seconds(nginx) - before
    assert nginx.workers() == workers, "a worker died"
    assert used < MOST_SECONDS, f"the workers computed for {used:.3f} s"
