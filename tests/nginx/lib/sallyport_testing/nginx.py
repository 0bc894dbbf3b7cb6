"""A real nginx with a configuration and a folder of its own; stopping it is a test too."""

from __future__ import annotations

import hashlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from idps.child_process import ChildProcess

from .paths import nginx_binary, saml_module
from .ports import accepts, free_port
from .shifted_clock import ShiftedClock

STOP_SECONDS = 10
DEBIAN_MODULES = Path("/usr/lib/nginx/modules")

_SUPPRESSIONS = Path(__file__).resolve().parents[1] / "lsan.supp"
_TEMPORARY_PATHS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
_LISTEN = re.compile(r"^[^#\n]*\blisten\s+127\.0\.0\.1:(\d+)(?![^;]*\budp\b)", re.MULTILINE)
_PLACEHOLDER = re.compile(r"%%([a-z_]+)(?::([A-Za-z0-9_.-]+))?%%")
_BAD_LINE = re.compile(
    r"\[(?:alert|emerg)\]"
    r"|AddressSanitizer|LeakSanitizer|UndefinedBehaviorSanitizer|ThreadSanitizer"
    r"|runtime error:|SUMMARY: "
    r"|exited on signal \d+"
)
_CHECKER_CRASHED = "LeakSanitizer has encountered a fatal error"


class NginxError(AssertionError):
    """nginx did not start, reload or stop as it should, or its log holds what it must not."""


@dataclass(frozen=True)
class ConfigTest:
    """What `nginx -t` said."""

    ok: bool
    output: str


class Nginx:
    """One nginx instance.

    Configuration text may hold `%%port:NAME%%` (a free port, the same for the same NAME),
    `%%folder%%`, and `%%KEY%%` for each keyword given to `configure`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        module: Path | None = None,
        debian_modules: Sequence[str] = (),
        workers: int = 2,
        log_level: str = "notice",
        clock: ShiftedClock | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.clock = clock
        self.folder = folder
        self.workers_wanted = workers
        self.log_level = log_level
        self._load = [str(DEBIAN_MODULES / name) for name in debian_modules]
        if module is not None:
            self._load.append(str(module))
        self._ports: dict[str, int] = {}
        self._process: ChildProcess | None = None
        self._allowed: list[re.Pattern[str]] = []

    # Configuration

    @property
    def config_file(self) -> Path:
        return self.folder / "nginx.conf"

    @property
    def error_log_file(self) -> Path:
        return self.folder / "error.log"

    @property
    def access_log_file(self) -> Path:
        return self.folder / "access.log"

    def port(self, name: str = "site") -> int:
        """The port behind `%%port:NAME%%`."""
        if name not in self._ports:
            self._ports[name] = free_port()
        return self._ports[name]

    def configure(self, http: str, *, main: str = "", events: str = "", **values: object) -> "Nginx":
        """Write nginx.conf around this inside of the http block (an `access_log` of one's own is welcome)."""
        temporary = "".join(
            f"    {name}_temp_path {self.folder}/{name}_temp;\n" for name in _TEMPORARY_PATHS
        )
        http = _with_redis(http, self.folder)
        access_log = "" if re.search(r"^\s*access_log\b", http, re.MULTILINE) else (
            f"    access_log {self.access_log_file};\n"
        )
        if "worker_connections" not in events:
            events += "worker_connections 512;"
        text = (
            "".join(f"load_module {path};\n" for path in self._load)
            + ("user root;\n" if os.geteuid() == 0 else "")
            + "daemon off;\nmaster_process on;\n"
            + f"worker_processes {self.workers_wanted};\n"
            + f"pid {self.folder}/nginx.pid;\n"
            + f"error_log {self.error_log_file} {self.log_level};\n"
            + f"lock_file {self.folder}/nginx.lock;\n"
            + f"{main}\n"
            + f"events {{\n    {events}\n}}\n"
            + f"http {{\n{temporary}{access_log}{http}\n}}\n"
        )
        self.config_file.write_text(self._fill(text, values))
        return self

    def _fill(self, text: str, values: dict[str, object]) -> str:
        def value_of(match: re.Match[str]) -> str:
            key, argument = match.groups()
            if key == "port" and argument:
                return str(self.port(argument))
            if key == "folder":
                return str(self.folder)
            if key in values and argument is None:
                return str(values[key])
            raise KeyError(f"nothing given for {match.group()} in the nginx configuration")

        return _PLACEHOLDER.sub(value_of, text)

    def test(self) -> ConfigTest:
        """Run `nginx -t` on the configuration."""
        tested = self._test_config()
        # Once in some ten thousand runs it is the leak checker that crashes, before it said anything of nginx.
        return self._test_config() if _CHECKER_CRASHED in tested.output else tested

    def _test_config(self) -> ConfigTest:
        done = subprocess.run(
            self._command("-t", log=self.folder / "test.log"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=60,
            check=False,
        )
        return ConfigTest(done.returncode == 0, done.stdout.decode("utf-8", "replace"))

    def _command(self, *arguments: str, log: Path | None = None) -> list[str]:
        return [
            *preload(self.clock),
            nginx_binary(),
            "-p", str(self.folder),
            "-c", str(self.config_file),
            "-e", str(log or self.error_log_file),
            *arguments,
        ]  # fmt: skip

    # Running

    def start(self) -> "Nginx":
        """Start, and wait until every `listen 127.0.0.1:PORT` accepts and all workers run."""
        assert self._process is None, "this nginx runs already"
        self._process = ChildProcess(self._command(), self.folder / "output.log", cwd=self.folder)
        try:
            for port in self._listening_ports():
                self._wait_for(lambda port=port: accepts(port), f"port {port}")
            self._wait_for(lambda: len(self.workers()) >= self.workers_wanted, "its workers")
        except NginxError:
            self.abort()
            raise
        return self

    def reload(self, *, wait_for_old: bool = True) -> None:
        """Reload; returns when new workers run and the old ones are gone (`wait_for_old` False: accept no more)."""
        old = set(self.workers(shutting_down=True))
        log_size = self._log_size()
        self.send_signal(signal.SIGHUP)

        def new_ones() -> bool:
            added = self._log_from(log_size)
            if "[emerg]" in added:
                raise NginxError(f"the reload failed:\n{added}")
            return len(set(self.workers()) - old) >= self.workers_wanted

        self._wait_for(new_ones, "new workers after a reload")
        self._wait_for(lambda: not old & set(self.workers(shutting_down=wait_for_old)), "the old workers to go")

    def stop(self, *, fast: bool = False) -> None:
        """Stop gracefully (`fast`: at once) and check the exit and the log."""
        process, self._process = self._process, None
        if process is None:
            return
        try:
            exited_early = not process.alive()
            if not exited_early:
                process.send_signal(signal.SIGTERM if fast else signal.SIGQUIT)
            in_time = process.wait(STOP_SECONDS)
        finally:
            process.end_group()
        if exited_early:
            raise NginxError(f"nginx had exited by itself ({process.returncode})\n{self._tail()}")
        if not in_time:
            raise NginxError(f"nginx did not exit within {STOP_SECONDS} s\n{self._tail()}")
        self.check_log()

    def abort(self) -> None:
        """End everything at once, without any check."""
        process, self._process = self._process, None
        if process is not None:
            process.end_group(grace=0.5)

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.alive()

    @property
    def master(self) -> int:
        assert self._process is not None, "this nginx does not run"
        return self._process.pid

    def send_signal(self, number: int) -> None:
        """Send a signal to the master."""
        assert self._process is not None, "this nginx does not run"
        self._process.send_signal(number)

    def workers(self, *, shutting_down: bool = False) -> list[int]:
        """Process ids of the workers (with `shutting_down`, of those too that are on their way out)."""
        if self._process is None:
            return []
        titles = ["worker process"] + (["worker process is shutting down"] if shutting_down else [])
        return [
            pid for pid in _children(self._process.pid)
            if _title(pid) in {f"nginx: {title}" for title in titles}
        ]  # fmt: skip

    def kill_worker(self, number: int = signal.SIGKILL) -> int:
        """Kill one worker and wait for its successor; the log line about it is then allowed."""
        before = set(self.workers())
        victim = min(before)
        self.allow_in_log(rf"worker process {victim} exited on signal {number}")
        os.kill(victim, number)
        self._wait_for(
            lambda: victim not in self.workers() and len(self.workers()) >= self.workers_wanted,
            "a successor of the killed worker",
        )
        return victim

    def _listening_ports(self) -> list[int]:
        return sorted({int(port) for port in _LISTEN.findall(self.config_file.read_text())})

    def _wait_for(self, condition, what: str, seconds: float = 15) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return
            if not self.running:
                raise NginxError(f"nginx exited while waiting for {what}\n{self._tail()}")
            time.sleep(0.02)
        raise NginxError(f"waited {seconds} s for {what}\n{self._tail()}")

    # Logs

    def error_log(self) -> str:
        """The whole error log; sanitizer output is there too."""
        return self._log_from(0)

    def access_log(self) -> str:
        """The whole access log of the default configuration."""
        return self.access_log_file.read_text("utf-8", "replace") if self.access_log_file.exists() else ""

    def wait_for_log(self, pattern: str, seconds: float = 5) -> re.Match[str]:
        """Wait for a line of the error log that matches, and return the match."""
        deadline = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.error_log())
            if found:
                return found
            if time.monotonic() > deadline:
                raise NginxError(f"no log line matches {pattern!r}\n{self._tail()}")
            time.sleep(0.02)

    def allow_in_log(self, pattern: str) -> None:
        """Tell that log lines matching this are expected, though they look bad."""
        self._allowed.append(re.compile(pattern))

    def check_log(self) -> None:
        """Fail on alerts, emergencies, sanitizer reports and crashed workers."""
        output = self.folder / "output.log"
        lines = self.error_log().splitlines()
        if output.exists():
            lines += output.read_text("utf-8", "replace").splitlines()
        bad = [
            line for line in lines
            if _BAD_LINE.search(line) and not any(allowed.search(line) for allowed in self._allowed)
        ]  # fmt: skip
        if bad:
            raise NginxError("bad lines in nginx's log:\n" + "\n".join(dict.fromkeys(bad)) + f"\n{self._tail()}")

    def _log_size(self) -> int:
        return self.error_log_file.stat().st_size if self.error_log_file.exists() else 0

    def _log_from(self, offset: int) -> str:
        if not self.error_log_file.exists():
            return ""
        with self.error_log_file.open("rb") as log:
            log.seek(offset)
            return log.read().decode("utf-8", "replace")

    def _tail(self, lines: int = 40) -> str:
        output = self.folder / "output.log"
        text = output.read_text("utf-8", "replace") if output.exists() else ""
        return "\n".join((text + self.error_log()).splitlines()[-lines:])

    def __enter__(self) -> "Nginx":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if kind is None:
            self.stop()
        else:
            self.abort()


def _with_redis(http: str, folder: Path) -> str:
    """The same sites with their sessions in the Redis at `SALLYPORT_TEST_REDIS` (HOST:PORT): any test becomes one of that
    store, with a prefix of its own, asked at each request."""
    address = os.environ.get("SALLYPORT_TEST_REDIS")
    if not address or "auth_saml" not in http or "saml_session_store" in http:
        return http
    prefix = hashlib.sha256(str(folder).encode()).hexdigest()[:16]
    secret = Path(__file__).resolve().parents[2] / "data" / "test-secret"
    return f"""
    saml_redis test-store {{ server {address}; cache_time 0; key_prefix {prefix}:; }}
    saml_session_store redis=test-store;
    saml_secret_file {secret};
    {http}"""


def preload(clock: ShiftedClock | None = None) -> list[str]:
    """What puts the sanitizers' runtime under a stock nginx, when `SALLYPORT_PRELOAD` names it, and a clock."""
    libraries = [each for each in (os.environ.get("SALLYPORT_PRELOAD"), clock and str(clock.library)) if each]
    if not libraries:
        return []
    leaks = os.environ.get("LSAN_OPTIONS", f"suppressions={_SUPPRESSIONS}:print_suppressions=0")
    settings = {"LD_PRELOAD": " ".join(libraries), "LSAN_OPTIONS": leaks, **(clock.environment if clock else {})}
    return ["env", *(f"{name}={value}" for name, value in settings.items())]


def module_under_test() -> Path:
    """The SAML module; an error that says what to do when it is not built."""
    path = saml_module()
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: build the module, or name it in SALLYPORT_MODULE")
    return path


def _children(parent: int) -> list[int]:
    found = []
    for entry in os.listdir("/proc"):
        if not entry.isdigit():
            continue
        try:
            stat = Path(f"/proc/{entry}/stat").read_text("ascii", "replace")
        except OSError:
            continue
        if int(stat.rpartition(")")[2].split()[1]) == parent:
            found.append(int(entry))
    return sorted(found)


def _title(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0 ").decode("ascii", "replace")
    except OSError:
        return ""
