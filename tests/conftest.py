"""Adds up what the tests' processes have counted. Here, and not beside the tests: the process that only hands them out reads
no other conftest.py."""

from __future__ import annotations

import pytest

from sallyport_testing import tally


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A process of pytest-xdist reports what its tests have counted."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["tally"] = dict(tally.counts)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node) -> None:
    tally.counts.update(getattr(node, "workeroutput", {}).get("tally", {}))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if tally.counts:
        terminalreporter.line(", ".join(f"{count:,} {what}" for what, count in sorted(tally.counts.items())))
