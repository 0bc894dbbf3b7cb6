"""On what machine the figures were taken, and how busy it was."""

from __future__ import annotations

import datetime
import os
import re
import subprocess
from pathlib import Path


def _first(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    return found.group(1).strip() if found else "unknown"


def _output(*command: str) -> str:
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    return done.stdout.decode("utf-8", "replace")


def load_average() -> str:
    return f"{os.getloadavg()[0]:.1f}"


def describe(nginx: str) -> str:
    """One line: when, CPU, kernel, versions, the load that others make."""
    cpu = _first(r"^model name\s*:(.*)$", Path("/proc/cpuinfo").read_text())
    system = _first(r'^PRETTY_NAME="(.*)"', Path("/etc/os-release").read_text())
    versions = [
        "nginx " + _first(r"nginx/(\S+)", _output(nginx, "-v")),
        _first(r"^(OpenSSL \S+)", _output("openssl", "version")),
        "libxml2 " + _output("pkg-config", "--modversion", "libxml-2.0").strip(),
    ]
    when = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
    return (
        f"{when}; {os.cpu_count()} cores of {cpu}, Linux {os.uname().release}, {system}; "
        f"{', '.join(versions)}; load average at the start {load_average()}"
    )
