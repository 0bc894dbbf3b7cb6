"""Load by wrk: keep-alive connections, each request the next of a list of cookies."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .pinning import LOAD_CPU, beside_server, on_cpu

CONNECTIONS = 64
HEADERS = (
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language: en-US,en;q=0.5",
    "Accept-Encoding: gzip, deflate",
)
HOST = "app.example.com"


def request_head(path: str) -> str:
    """The request up to its cookies, as a browser sends it."""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n" + "".join(f"{line}\r\n" for line in HEADERS)


# One whole request as text is fastest; joining three strings is the least that a cookie costs.
_SCRIPT = """
local head, tail = {head}, "\\r\\n\\r\\n"
local cookies = {{}}
for line in io.lines({cookies}) do cookies[#cookies + 1] = line end
local count, at = #cookies, 0
function request()
  if count == 0 then return head .. "\\r\\n" end
  at = at % count + 1
  return head .. "Cookie: theme=dark; " .. cookies[at] .. tail
end
function done(summary)
  local e = summary.errors
  print(string.format("RESULT %d %d %d", summary.requests, summary.duration,
                      e.connect + e.read + e.write + e.timeout + e.status))
end
"""


@dataclass(frozen=True)
class Load:
    """What wrk did."""

    requests: int
    seconds: float


class Wrk:
    """wrk with one list of cookies (`NAME=VALUE` lines; an empty list sends none); `beside`: on the server's
    core."""

    def __init__(
        self, folder: Path, cookies: list[str], *, path: str = "/page?a=1", beside: bool = False,
        connections: int = CONNECTIONS,
    ) -> None:  # fmt: skip
        self._connections = connections
        self._place = beside_server if beside else lambda command: on_cpu(LOAD_CPU, command)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "cookies").write_text("".join(f"{cookie}\n" for cookie in cookies))
        self._script = folder / "load.lua"
        self._script.write_text(
            _SCRIPT.format(head=_lua(request_head(path)), cookies=_lua(str(folder / "cookies")))
        )

    def run(self, port: int, seconds: float) -> Load:
        """Load one server; any failed request is an error of the measurement."""
        command = [
            "wrk", "-t1", f"-c{self._connections}", f"-d{max(1, round(seconds))}s", "-s", str(self._script),
            f"http://127.0.0.1:{port}",
        ]  # fmt: skip
        done = subprocess.run(self._place(command), stdout=subprocess.PIPE, check=True, text=True)
        found = re.search(r"^RESULT (\d+) (\d+) (\d+)$", done.stdout, re.MULTILINE)
        if not found or int(found.group(3)) or int(found.group(1)) < self._connections:
            raise RuntimeError(f"wrk failed:\n{done.stdout}")
        return Load(int(found.group(1)), int(found.group(2)) / 1e6)

    def cost(self, port: int, seconds: float, cpu: Callable[[], float]) -> float:
        """Microseconds of CPU per request, `cpu` being the server's total so far."""
        before = cpu()
        load = self.run(port, seconds)
        return (cpu() - before) / load.requests * 1e6


def _lua(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\r", "\\r").replace("\n", "\\n")
    return f'"{escaped}"'
