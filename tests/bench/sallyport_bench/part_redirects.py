"""Requests without a session: the redirect to the IdP beside `return 302`."""

from __future__ import annotations

import statistics

from . import callgrind
from .client import Client, header_of, status_of
from .context import Context
from .report import Report, verdict
from .rounds import progress, take_pairs
from .servers import application, cpu_of, gate, plain_redirect, running
from .wrk import HOST, Wrk, request_head

UNSIGNED_GOAL = 1.35
UNSIGNED_LIMIT = 1.5
SIGNED_GOAL = 6.0
SIGNED_LIMIT = 10.0
SIGNED_PIECES = 3
# What is under way when wrk stops has cost the server something and is not counted.
SIGNED_CONNECTIONS = 8


def measure(context: Context) -> Report:
    report = Report("redirects")
    app = application(context.folder / "redirects-application")
    gated = gate(
        context.folder / "redirects-gate", context.module, context.idp, app.port(),
        more_servers=_signing_server(context, "rsa", "rsa2048") + _signing_server(context, "ec", "ec256"),
    )  # fmt: skip
    with running(app, gated):
        plain = plain_redirect(context.folder / "redirects-plain", _location(gated.port()))
        with running(plain):
            _compare(context, report, plain, gated)
    _instructions(context, report)
    return report


def _compare(context: Context, report: Report, plain, gated) -> None:
    rows, rounds = [], []
    for label, port, raw_name in (
        ("unsigned", "site", None),
        ("signed, RSA-2048", "rsa", "signature_rsa"),
        ("signed, ECDSA P-256", "ec", "signature_ec"),
    ):
        progress(f"redirects: {label}")
        raw: list[float] = []
        # wrk waits for most signed answers: see pinning.beside_server.
        few = {"connections": SIGNED_CONNECTIONS} if raw_name else {}
        wrk = Wrk(context.folder / f"redirects-wrk-{port}", [], beside=raw_name is not None, **few)

        # A neighbour of the machine moves a signature's time by more than what is looked for: many short rounds, each with
        # the raw signature before and behind ours.
        pieces = SIGNED_PIECES if raw_name else 1
        seconds = context.seconds / pieces

        def ours(
            wrk: Wrk = wrk, port: str = port, raw_name: str | None = raw_name, raw: list[float] = raw, seconds: float = seconds
        ) -> float:
            if raw_name is None:
                return wrk.cost(gated.port(port), seconds, cpu_of(gated))
            before = _raw(context, raw_name)
            cost = wrk.cost(gated.port(port), seconds, cpu_of(gated))
            raw.append((before + _raw(context, raw_name)) / 2)
            return cost

        def base(wrk: Wrk = wrk, seconds: float = seconds) -> float:
            return wrk.cost(plain.port(), seconds, cpu_of(plain))

        base(), wrk.cost(gated.port(port), seconds, cpu_of(gated))  # warm
        pairs = take_pairs(context.rounds * pieces, base, ours)
        if raw_name is None:
            figure = [f"ratio {pairs.ratio:.3f}", f"{UNSIGNED_GOAL}, at most {UNSIGNED_LIMIT}",
                      _both(pairs.ratio, UNSIGNED_GOAL, UNSIGNED_LIMIT)]  # fmt: skip
            rounds.append(f"Ratio of every round: {pairs.rounds()}.")
        else:
            # What `return 302` costs is part of a redirect too: the gate's share is the rest.
            beside = [ours - base - one for ours, base, one in zip(pairs.ours, pairs.base, raw)]
            more = statistics.median(beside)
            figure = [f"{statistics.median(raw):.1f} raw {more:+.1f}",
                      f"raw + {SIGNED_GOAL:.0f}, at most + {SIGNED_LIMIT:.0f}",
                      _both(more, SIGNED_GOAL, SIGNED_LIMIT)]  # fmt: skip
            rounds.append(f"{label}, beside the raw signature: " + " ".join(f"{each:+.1f}" for each in beside) + ".")
        rows.append([label, *pairs.cells()[:2], f"{pairs.difference:.2f}", *figure])
    report.table(["redirect", "`return 302`, us", "gate, us", "difference, us", "figure", "goal", ""], rows)
    report.text(" ".join(rounds))


def _both(figure: float, goal: float, limit: float) -> str:
    return verdict(figure, goal) if figure <= goal else f"goal missed, limit {verdict(figure, limit)}"


def _raw(context: Context, name: str) -> float:
    """One signature, on the core where the server runs."""
    return context.benchmarks.median("authn_request_bench", name, repetitions=5, seconds=0.1)


def _signing_server(context: Context, name: str, kind: str) -> str:
    key = context.keys.get(name, kind)
    return f"""
    server {{
        listen 127.0.0.1:%%port:{name}%%;
        server_name {HOST};
        saml_entity_id http://{HOST}/saml/metadata;
        saml_certificate {key.certificate_file};
        saml_certificate_key {key.key_file};
        saml_sign_requests on;
        location / {{ auth_saml test; proxy_pass http://application; }}
    }}"""


def _location(port: int) -> str:
    with Client(port) as client:
        head, _ = client.ask(request_head("/page?a=1").encode() + b"\r\n")
    location = header_of(head, "Location")
    assert status_of(head) == 302 and "SAMLRequest=" in location, head
    return location


def _instructions(context: Context, report: Report) -> None:
    progress("redirects: instructions")
    times = 300 if context.quick else 2000
    folder = context.folder / "redirect-instructions"
    request = request_head("/page?a=1").encode() + b"\r\n"
    gated = gate(folder / "gate", context.module, context.idp, 1, pin=False)
    with callgrind.CountedNginx(gated) as counted:
        location = _location(counted.port)
        counted.count(request, times, 302)
    with callgrind.CountedNginx(plain_redirect(folder / "plain", location)) as counted_plain:
        counted_plain.count(request, times, 302)
    ours, base = (callgrind.total(each.out) / times for each in (counted, counted_plain))
    report.table(
        ["instructions per redirect, unsigned", "`return 302`", "gate", "ratio"],
        [["whole request", f"{base:,.0f}", f"{ours:,.0f}", f"{ours / base:.3f}"]],
    )
