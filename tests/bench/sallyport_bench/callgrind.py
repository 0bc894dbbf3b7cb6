"""Instructions per request, counted by callgrind: the figure that repeats on any machine."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path

from sallyport_testing.nginx import Nginx
from sallyport_testing.paths import nginx_binary
from sallyport_testing.ports import accepts

from .client import Client, status_of

# The phases of the gate.
HANDLERS = ("post_read_handler", "rewrite_handler", "preaccess_handler", "access_handler")


class CountedNginx:
    """An nginx as a single process under callgrind, which counts only while told."""

    def __init__(self, nginx: Nginx) -> None:
        self._nginx = nginx
        self.out = nginx.folder / "callgrind.out"
        text = nginx.config_file.read_text().replace("master_process on;", "master_process off;")
        nginx.config_file.write_text(re.sub(r"^\s*worker_cpu_affinity.*$", "", text, flags=re.M))
        self._log = (nginx.folder / "valgrind.log").open("wb")
        self._process: subprocess.Popen | None = None

    @property
    def port(self) -> int:
        return self._nginx.port("site")

    def __enter__(self) -> "CountedNginx":
        command = [
            "valgrind", "--tool=callgrind", f"--callgrind-out-file={self.out}", "--instr-atstart=no",
            nginx_binary(), "-p", str(self._nginx.folder), "-c", str(self._nginx.config_file),
            "-e", str(self._nginx.error_log_file),
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=self._log, stderr=subprocess.STDOUT)
        for _ in range(600):
            if accepts(self.port):
                return self
            if self._process.poll() is not None:
                break
            time.sleep(0.1)
        self.__exit__()
        raise RuntimeError(f"nginx under valgrind did not start, see {self._log.name}")

    def __exit__(self, *_: object) -> None:
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(60)
        self._log.close()

    def count(self, request: bytes, times: int, status: int = 200) -> None:
        """Ask so many times over one connection, counting."""
        with Client(self.port) as client:
            for _ in range(50):
                assert status_of(client.ask(request)[0]) == status
            self._switch("on")
            for _ in range(times):
                client.ask(request)
            self._switch("off")

    def _switch(self, state: str) -> None:
        assert self._process is not None
        subprocess.run(
            ["callgrind_control", "-i", state, str(self._process.pid)], check=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip


def total(out: Path) -> int:
    """All instructions counted; read after the process has ended."""
    found = re.search(r"^totals: (\d+)", out.read_text(), re.MULTILINE)
    assert found, f"no total in {out}"
    return int(found.group(1))


def inclusive(out: Path, functions: tuple[str, ...]) -> int:
    """Instructions in these functions of the module and in what they call."""
    done = subprocess.run(
        ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(out)],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True,
    )  # fmt: skip
    names = "|".join(functions)
    counted: dict[str, int] = {}
    for line in done.stdout.splitlines():
        found = re.match(rf"\s*([\d,]+) .*\bsallyport::ngx::({names})\(", line)
        if found:
            counted.setdefault(found.group(2), int(found.group(1).replace(",", "")))
    return sum(counted.values())
