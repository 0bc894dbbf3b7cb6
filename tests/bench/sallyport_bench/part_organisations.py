"""Ten thousand organisations as files of saml_idp_directory: start, memory, choosing one, and refreshing the metadata of all."""

from __future__ import annotations

import os
import re
import resource
import shutil
import subprocess
import time
from pathlib import Path

from sallyport_testing.metadata_server import MetadataServer
from sallyport_testing.nginx import Nginx

from .context import Context
from .part_loop import latency_beside
from .pinning import LOAD_CPU, SERVER_CPU, affinity, on_cpu
from .process import cpu_seconds, memory_of
from .report import Report, verdict
from .rounds import progress, take_pairs
from .servers import cpu_of, running

CHOOSING_GOAL_US = 1.0
_MANY = 10_000
_SCRIPT = """
math.randomseed(1)
function request()
  return "GET /page HTTP/1.1\\r\\nHost: o" .. math.random(0, %d) .. ".example.com\\r\\n\\r\\n"
end
function done(summary)
  print(string.format("RESULT %%d %%d", summary.requests, summary.errors.status))
end
"""


def measure(context: Context) -> Report:
    report = Report("organisations")
    count = 1000 if context.quick else _MANY
    _start(context, report, count)
    _choosing(context, report, count)
    _refresh(context, report, count)
    return report


class Organisations:
    """An nginx whose organisations `o0`, `o1`, ... are files, with a metadata file each or by `url`."""

    def __init__(self, context: Context, folder: Path, count: int, url: str = "", *, pin: bool = True) -> None:
        (folder / "idps").mkdir(parents=True)
        document = context.idp.metadata().decode()
        for number in range(count):
            source = f"{url}/o{number}" if url else str(folder / f"o{number}.xml")
            if not url:
                Path(source).write_text(document.replace(context.idp.entity_id, entity_of(number)))
            (folder / "idps" / f"o{number}.conf").write_text(f"metadata {source};\nemail_domains o{number}.test;\n")
        self.nginx = Nginx(folder, module=context.module, workers=1)
        self.nginx.configure(
            f"""
    access_log off;
    keepalive_requests 1000000000;
    map $host $org {{ default ''; ~^(?<name>o[0-9]+)[.] $name; }}
    saml_idp_directory {folder}/idps;
    saml_cache_path {folder}/cache;
    server {{
        listen 127.0.0.1:%%port:site%%;
        server_name *.example.com;
        saml_entity_id https://sp.example.com;
        saml_base_url http://app.example.com;
        location / {{ auth_saml $org; return 200 ok; }}
        location = /static {{ return 200 ok; }}
    }}""",
            main=affinity(SERVER_CPU) if pin else "",
        )

    def cpu_of_test(self) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert self.nginx.test().ok
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def entity_of(number: int) -> str:
    return f"https://o{number}.example.org/metadata"


def _start(context: Context, report: Report, count: int) -> None:
    progress("organisations: start")
    rows = []
    for number in (1, count):
        some = Organisations(context, context.folder / f"organisations-{number}", number)
        taken = min(some.cpu_of_test() for _ in range(3))
        with running(some.nginx):
            time.sleep(3)
            (worker,) = some.nginx.workers()
            master = memory_of(some.nginx.master)
            private = memory_of(worker)
            before = cpu_seconds([worker])
            time.sleep(10)
            looking = (cpu_seconds([worker]) - before) / 10
        rows.append([f"{number:,}", f"{taken:.2f}", f"{master.resident / 2**20:.0f}", f"{private.private / 2**20:.1f}",
                     f"{looking * 100:.1f}"])  # fmt: skip
    report.table(
        ["files", "`nginx -t`, s of CPU", "master resident, MiB", "worker private, MiB", "CPU of looking at the folder, %"], rows
    )


def _choosing(context: Context, report: Report, count: int) -> None:
    progress("organisations: choosing one")
    sides, nginxes = [], []
    for number in (1, count):
        folder = context.folder / f"choosing-{number}"
        some = Organisations(context, folder, number)
        script = folder / "load.lua"
        script.write_text(_SCRIPT % (number - 1))
        nginxes.append(some.nginx)
        sides.append((some.nginx, script))
    with running(*nginxes):
        time.sleep(2)
        costs = [lambda side=side: _cost(context, *side) for side in sides]
        for cost in costs:
            cost()  # warm
        pairs = take_pairs(context.rounds, *costs)
    report.table(
        ["requests without a session, sent to log in", "one organisation, us", f"a random one of {count:,}, us", "ratio",
         "more, us", "goal", ""],
        [["CPU per request", *pairs.cells(), f"{pairs.difference:+.2f}", f"+{CHOOSING_GOAL_US:.0f}",
          verdict(pairs.difference, CHOOSING_GOAL_US)]],
    )  # fmt: skip
    report.text(f"Ratio of every round: {pairs.rounds()}.")


def _cost(context: Context, nginx: Nginx, script: Path) -> float:
    cpu = cpu_of(nginx)
    before = cpu()
    command = ["wrk", "-t1", "-c32", f"-d{max(1, round(context.seconds))}s", "-s", str(script), f"http://127.0.0.1:{nginx.port()}"]
    done = subprocess.run(on_cpu(LOAD_CPU, command), stdout=subprocess.PIPE, check=True, text=True)
    found = re.search(r"RESULT (\d+) (\d+)", done.stdout)
    if not found or int(found.group(2)):
        raise RuntimeError(f"wrk failed:\n{done.stdout}")
    return (cpu() - before) / int(found.group(1)) * 1e6


def _refresh(context: Context, report: Report, count: int) -> None:
    """All copies are there; after a start they are refreshed by and by, as in every hour after that."""
    progress("organisations: refresh")
    seconds = 5 if context.quick else 20
    folder = context.folder / "refresh"
    document = context.idp.metadata().decode()
    with MetadataServer(context.keys.get("metadata-tls", "ec256", hosts=("localhost",))) as server:
        for number in range(count):
            server.documents[f"/o{number}"] = document.replace(context.idp.entity_id, entity_of(number)).encode()
        some = Organisations(context, folder, count, server.url("").rstrip("/"))
        file = some.nginx.config_file
        file.write_text(f"env SSL_CERT_FILE={server.tls.certificate_file};\n" + file.read_text())
        with running(some.nginx):
            while len(os.listdir(folder / "cache")) < count + 1:
                time.sleep(0.5)
            time.sleep(3)
            port = some.nginx.port()
            quiet = [latency_beside(port, seconds, lambda: time.sleep(seconds)) for _ in range(2)]
        some.nginx.start()
        time.sleep(3)
        before = len(server.requests)
        busy = [latency_beside(port, seconds, lambda: time.sleep(seconds)) for _ in range(2)]
        rate = (len(server.requests) - before) / (2 * seconds)
        some.nginx.stop()
    shutil.rmtree(folder / "cache", ignore_errors=True)
    report.table(
        ["metadata of all by URL, 500 requests a second beside", "p99 at rest, ms", "p99 with the refresh, ms", "documents a second"],
        [["each run", " ".join(f"{each:.2f}" for each in quiet), " ".join(f"{each:.2f}" for each in busy), f"{rate:.0f}"]],
    )
