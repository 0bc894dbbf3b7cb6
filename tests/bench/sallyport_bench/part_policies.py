"""Large policies and lists of users: what a login's resolution costs, and reading the configuration."""

from __future__ import annotations

import random
import resource
import subprocess
import uuid
from pathlib import Path

from .context import Context
from .report import Report, verdict
from .rounds import progress

RESOLUTION_GOAL_US = 300.0
READING_GOAL_S = 1.0
_GROUPS, _EXACT, _CONTAINS = 10_000, 9_000, 1_000
_USERS = 1_000_000
_RESOLUTIONS = {
    "match_200_guids": "groups by identifiers: 200 GUIDs",
    "match_200_names": "groups by rules: 200 LDAP names of 80 bytes",
    "match_200_names_cold": "the same with cold caches",
    "resolve_login_with_200_names": "the whole resolution, with spaces, roles and names",
}
_LOOK_UPS = {
    "find_by_user_and_email": "found by user id and e-mail address",
    "find_nobody": "not listed",
}


def measure(context: Context) -> Report:
    report = Report("policies")
    _resolution(context, report)
    _reading(context, report)
    _users(context, report)
    return report


def _resolution(context: Context, report: Report) -> None:
    progress("policies: resolution")
    rounds = 3 if context.quick else 9
    seconds = 0.05 if context.quick else 0.3
    rows = []
    for name, text in _RESOLUTIONS.items():
        name += "/iterations:100" if name.endswith("_cold") else ""
        cost = context.benchmarks.median("rules_bench", name, repetitions=rounds, seconds=seconds)
        rows.append([text, f"{cost:.0f}", f"{RESOLUTION_GOAL_US:.0f}", verdict(cost, RESOLUTION_GOAL_US)])
    report.table(
        [f"{_GROUPS:,} groups with identifiers, {_EXACT:,} exact and {_CONTAINS:,} contains rules", "us", "goal", ""],
        rows,
    )


def _reading(context: Context, report: Report) -> None:
    progress("policies: reading the configuration")
    folder = context.folder / "policies"
    folder.mkdir()
    empty = _cpu_of_test(context, folder, "saml_policy large { }")
    rows = []
    rules = _cpu_of_test(context, folder, _large_policy())
    rows.append([f"{_GROUPS:,} groups, {_EXACT + _CONTAINS:,} rules", f"{rules - empty:.2f}", f"{READING_GOAL_S:.0f}",
                 verdict(rules - empty, READING_GOAL_S)])  # fmt: skip
    (folder / "users.conf").write_text(_user_lines())
    users = _cpu_of_test(context, folder, "saml_policy large { users users.conf; }")
    rows.append([f"a list of {_USERS:,} users", f"{users - empty:.2f}", "", ""])
    report.table(["`nginx -t` with", "more than without, s of CPU", "goal", ""], rows)


def _users(context: Context, report: Report) -> None:
    progress("policies: look-ups of users")
    rows = []
    for name, text in _LOOK_UPS.items():
        costs = [
            context.benchmarks.median("users_bench", f"{name}/{count}", repetitions=3, seconds=0.1)
            for count in (1000, _USERS)
        ]
        rows.append([text, *(f"{cost * 1000:.0f}" for cost in costs)])
    report.table(["look-up of a user", "1,000 users, ns", f"{_USERS:,} users, ns"], rows)
    held = context.benchmarks.counter("users_bench", f"parse_users/{_USERS}", "held_bytes_per_user")
    size = context.benchmarks.counter("users_bench", f"parse_users/{_USERS}", "file_bytes_per_user")
    report.text(
        f"Two groups and a space each: {size:.0f} bytes a user in the file, {held:.0f} in memory, all tables included; "
        "the workers share the master's."
    )


def _cpu_of_test(context: Context, folder: Path, inside: str) -> float:
    """Seconds of CPU of one `nginx -t`."""
    (folder / "nginx.conf").write_text(
        f"load_module {context.module};\npid {folder}/pid;\nerror_log {folder}/error.log;\nevents {{}}\n"
        f"http {{\naccess_log off;\n{inside}\n}}\n"
    )
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        ["nginx", "-t", "-p", str(folder), "-c", str(folder / "nginx.conf")], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"nginx -t failed:\n{done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _large_policy() -> str:
    dice = random.Random(1)
    lines = [f'group "Group {n}" idp_id={uuid.UUID(int=dice.getrandbits(128))};' for n in range(_GROUPS)]
    lines += [f'map_group department exact "Unit {n}" "Group {n}";' for n in range(_EXACT)]
    lines += [f'map_group groups contains "-app-{n}-" "Group {n}";' for n in range(_CONTAINS)]
    return "saml_policy large {\n" + "\n".join(lines) + "\n}"


def _user_lines() -> str:
    return "".join(
        f"user user{n}@example.com group=Group-{n % 500} group=Team-{n % 37} space=Trial:Member;\n" for n in range(_USERS)
    )
