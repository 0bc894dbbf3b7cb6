"""Child processes in a group of their own, which never outlive the one that started them."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

_running: set["ChildProcess"] = set()


class ChildProcess:
    """A process group started here: ended by its own id, at the latest when Python exits.

    `setpriv --pdeathsig` ends the first process even when Python itself is killed.
    """

    def __init__(
        self,
        command: Sequence[str],
        output: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        with output.open("ab") as sink:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=dict(env) if env is not None else None,
                cwd=cwd,
                start_new_session=True,
            )
        self.output = output
        _running.add(self)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        return self._process.poll()

    def alive(self) -> bool:
        return self._process.poll() is None

    def send_signal(self, number: int) -> None:
        """Send a signal to the first process only."""
        self._process.send_signal(number)

    def wait(self, seconds: float | None) -> bool:
        """Wait for the first process to exit; false when it did not in time."""
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def end_group(self, grace: float = 3) -> None:
        """End the whole process group: TERM, then KILL after `grace` seconds."""
        self._signal_group(signal.SIGTERM)
        deadline = time.monotonic() + grace
        while time.monotonic() < deadline and self._group_exists():
            self._process.poll()
            time.sleep(0.02)
        self._signal_group(signal.SIGKILL)
        self._process.wait()
        _running.discard(self)

    def _signal_group(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            pass

    def _group_exists(self) -> bool:
        try:
            os.killpg(self._process.pid, 0)
        except ProcessLookupError:
            return False
        return True


def wait_until_accepts(process: ChildProcess, port: int, seconds: float = 30) -> None:
    """Wait until something on 127.0.0.1 accepts; an error with the output when the process exits or is slow."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.alive():
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    output = process.output.read_text("utf-8", "replace")[-4000:]
    process.end_group()
    raise RuntimeError(f"nothing accepts on port {port}\n{output}")


@atexit.register
def _end_all() -> None:
    for child in list(_running):
        child.end_group(grace=1)
