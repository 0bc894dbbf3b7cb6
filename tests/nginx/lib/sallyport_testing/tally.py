"""How many messages were refused and accepted in a run of the tests: a figure that is printed at its end."""

from __future__ import annotations

from collections import Counter

REFUSED = "messages refused as they must be"
ACCEPTED = "answers accepted that are good"

# This process's; conftest.py adds up those of all.
counts: Counter[str] = Counter()
