"""Many logins at once: each is worked off a piece at a turn of the event loop, so nobody waits for them all."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from pathlib import Path

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.posted_answer import PostedAnswer
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_until

LOGINS = 24


def port_of(address: str) -> int:
    return int(address.split(":")[1], 16)


def are_accepted(connections: list[RawConnection]) -> bool:
    """By the server; until then its end has no file (proc(5), /proc/net/tcp). Found by both ports: connections that have
    ended with another server may have had the same port of the client."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    files = {(port_of(row[1]), port_of(row[2])): int(row[9]) for row in rows}
    ends = [(each.socket.getpeername()[1], each.socket.getsockname()[1]) for each in connections]
    return all(files.get(end) for end in ends)


class Storm:
    """Answers that wait, whole, at a worker that stands still: it finds them all in one turn."""

    def __init__(self, site: SamlSite) -> None:
        site.nginx.workers_wanted = 1
        site.start(locations="location = /static { return 200 static; }")
        self.site = site
        self.posts = [PostedAnswer(site, f"user{number}@example.com") for number in range(LOGINS)]
        self.worker, = site.nginx.workers()
        self.connections = [RawConnection(site.url("/")) for _ in range(LOGINS)]

    def __enter__(self) -> "Storm":
        try:
            # It accepts one a turn: it has all of them before it stands still.
            wait_until(lambda: are_accepted(self.connections), 10, "the worker to accept all")
        except AssertionError:
            self.__exit__()
            raise
        os.kill(self.worker, signal.SIGSTOP)
        for connection, post in zip(self.connections, self.posts):
            connection.send(post.whole)
        return self

    def go_on(self) -> None:
        os.kill(self.worker, signal.SIGCONT)

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            self.go_on()
        for connection in self.connections:
            connection.close()


def answers(storm: Storm, connections: list[RawConnection]) -> list[int]:
    storm.go_on()
    return [connection.response("POST").status for connection in connections]


def test_every_login_of_a_storm_gets_its_answer(http_site: SamlSite) -> None:
    http_site.nginx.log_level = "debug"  # reads more of an event than its handler does
    with Storm(http_site) as storm:
        assert answers(storm, storm.connections) == [303] * LOGINS


def test_who_comes_last_does_not_wait_for_the_logins_before(http_site: SamlSite) -> None:
    with Storm(http_site) as storm:
        with RawConnection(http_site.url("/")) as other:
            other.send(f"GET /static HTTP/1.1\r\nHost: {http_site.host}\r\n\r\n")
            assert answers(storm, [other, *storm.connections]) == [200] + [303] * LOGINS
    http_site.nginx.stop()  # the log is complete
    lines = [line for line in http_site.nginx.access_log().splitlines() if " /static " in line or "/saml/acs" in line]
    assert len(lines) == LOGINS + 1
    assert " /static " in lines[0], lines


def test_a_worker_that_is_told_to_go_answers_what_it_has(http_site: SamlSite) -> None:
    with Storm(http_site) as storm:
        os.kill(storm.worker, signal.SIGQUIT)
        assert answers(storm, storm.connections) == [303] * LOGINS
        deadline = time.monotonic() + 15
        while storm.worker in http_site.nginx.workers(shutting_down=True):
            assert time.monotonic() < deadline, "the old worker does not leave"
            time.sleep(0.02)
    http_site.login(Browser())


def test_clients_that_leave_hold_up_nobody(http_site: SamlSite) -> None:
    with Storm(http_site) as storm:
        for connection in storm.connections[::2]:
            connection.reset()
        assert answers(storm, storm.connections[1::2]) == [303] * (LOGINS // 2)
    http_site.login(Browser())


def test_a_connection_that_can_be_written_to_does_not_begin_anew(http_site: SamlSite) -> None:
    """Once an answer had to wait for its client, nginx is told with whatever arrives that the connection can be
    written to; a form that was read with its headers waits for its turn then."""
    http_site.nginx.workers_wanted = 1
    http_site.nginx.log_level = "debug"
    http_site.start(locations="location = /large { alias %%folder%%/large; }")
    (http_site.nginx.folder / "large").write_bytes(bytes(16_000_000))
    worker, = http_site.nginx.workers()
    form = "SAMLResponse=abc"
    head = f"HTTP/1.1\r\nHost: {http_site.host}\r\n"
    large = f"GET /large {head}\r\n"
    post = f"POST /saml/acs {head}Content-Type: application/x-www-form-urlencoded\r\n"
    with RawConnection(http_site.url("/")) as connection:
        connection.send(large)
        time.sleep(0.1)
        assert connection.response().status == 200
        os.kill(worker, signal.SIGSTOP)
        connection.send(f"{post}Content-Length: {len(form)}\r\n\r\n{form}")
        os.kill(worker, signal.SIGCONT)
        assert connection.response().status == 403
        assert connection.send(large).response().status == 200
    log = http_site.nginx.error_log()
    if "[debug]" not in log:
        pytest.skip("this nginx has no debug log")
    # Once for the body that is read, once for the phase: another time would be a second answer in the queue.
    assert log.count('http finalize request: -4, "/saml/acs?"') == 2
