"""Runs the demo in the foreground; `scripts/demo` calls this."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from idps.settings import USERS

from .check import CheckError, check
from .page import DEEP_LINK
from .stack import Stack


def _end(number: int, _: object) -> None:
    # A second Ctrl-C must not cut the clean-up short.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, signal.SIG_IGN)
    sys.exit(128 + number)


def _introduce(stack: Stack) -> None:
    print()
    print(f"Open      {stack.base_url}{DEEP_LINK}")
    print("Log in as")
    for name, user in USERS.items():
        print(f"          {name} / {user.password}")
    print(f"Logs      {stack.error_log}")
    print(f"          {stack.access_log}")
    print(f"          {stack.idp_log}")
    print(f"Settings  {stack.folder / 'nginx.conf'}")
    print("End it with Ctrl-C.", flush=True)


def _check(stack: Stack) -> int:
    name = next(iter(USERS))
    expected = USERS[name].attributes["email"][0]
    try:
        check(stack.base_url, name, USERS[name].password, expected)
    except (CheckError, OSError, ValueError) as problem:
        log = stack.error_log.read_text("utf-8", "replace") if stack.error_log.exists() else ""
        print(f"check failed: {problem}", file=sys.stderr)
        print(f"--- the end of {stack.error_log}", *log.splitlines()[-15:], sep="\n", file=sys.stderr)
        return 1
    print("check passed")
    return 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="scripts/demo", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="log in once, say what the application saw, and end")
    parser.add_argument("--port", type=int, default=8080, help="of the site (default %(default)s, or the next free)")
    parser.add_argument("--idp-port", type=int, default=8090, help="of the identity provider (default %(default)s)")
    parser.add_argument("--module", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _end)
    try:
        with Stack(options.module, options.folder, options.port, options.idp_port) as stack:
            if options.check:
                return _check(stack)
            _introduce(stack)
            print(f"demo: {stack.wait()}", file=sys.stderr)
            return 1
    except RuntimeError as problem:
        print(f"demo: {problem}", file=sys.stderr)
        return 1


sys.exit(main())
