"""An answer opens one session on all nodes together, and a Redis that fails in between burns none."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta, timezone
from pathlib import Path
from urllib.parse import urlencode

import pytest

from sallyport_testing.copied_answer import Copied, session_of
from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.http_client import http1
from sallyport_testing.http_response import Response
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import log_out
from sallyport_testing.shifted_clock import ShiftedClock
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_until

FORM = "application/x-www-form-urlencoded"
ONE_ACS = "saml_base_url https://app.example.com;"
OOM = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"


def test_replay_at_the_other_node(redis: RedisServer, redis_sites: RedisSites) -> None:
    """REPLAY"""
    a, b = redis_sites.pair(redis, server=ONE_ACS)
    copied = Copied(a)
    assert session_of(copied.post(a))
    for site in (a, b, a, b):
        again = copied.post(site)
        assert again.status == 403 and session_of(again) is None
    b.nginx.wait_for_log("login refused reason=replayed")


def test_fifty_at_once_open_one_session(redis: RedisServer, redis_sites: RedisSites) -> None:
    """REPLAY"""
    nodes = redis_sites.pair(redis, server=ONE_ACS)
    copied = Copied(nodes[0])
    with ThreadPoolExecutor(50) as pool:
        answers = list(pool.map(lambda number: copied.post(nodes[number % 2]), range(50)))
    assert sum(session_of(answer) is not None for answer in answers) == 1
    assert {answer.status for answer in answers} <= {303, 403, 503}
    assert len(redis.keys("sso:sess:*")) == 1


def test_replay_after_the_logout(redis: RedisServer, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(redis, server=ONE_ACS)
    copied = Copied(a)
    session = session_of(copied.post(a))
    assert session
    wait_until(lambda: redis.calls().get("set", 0) >= 4, 3, "the claim to be closed")
    log_out(a, session)
    wait_until(lambda: redis.keys("sso:sess:*") == [], 3, "the session to go")
    time.sleep(3)  # longer than any lease
    for site in (a, b):
        again = copied.post(site)
        assert again.status == 403 and session_of(again) is None


def test_replay_after_restarts_of_nginx(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, server=ONE_ACS)
    copied = Copied(site)
    assert session_of(copied.post(site))
    site.nginx.stop()
    site.nginx.start()
    assert copied.post(site).status == 403


FAILURES = {
    "error": {"answer": OOM},
    "lost": {"cut": True},
    "answer_lost": {"cut": True, "execute": True},
    "hangs": {},
}


@pytest.mark.parametrize("how", FAILURES)
@pytest.mark.parametrize(("name", "key"), [("SET", "seen:"), ("SET", "sess:"), ("ZADD", "who:"), ("SET", "profile:"), ("GET", "profile:")])
def test_no_answer_is_burnt(
    redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites, name: str, key: str, how: str
) -> None:
    site = redis_sites.make(proxy.address, server=ONE_ACS, lines="timeout 300ms; connect_timeout 300ms;")
    copied = Copied(site)
    fault = proxy.add(name, key, times=1, **FAILURES[how])
    failed = copied.post(site)
    assert len(fault.hits) == 1
    if name == "GET" and how != "error" and failed.status == 303:
        return  # a question may be asked twice
    assert failed.status == 503 and failed.header("Retry-After")
    assert session_of(failed) is None
    assert all("Max-Age=0" not in line for line in failed.all("Set-Cookie")), "the attempt's cookie stays"
    answers: list[Response] = []

    def goes_on() -> bool:
        answers.append(copied.post(site))
        assert answers[-1].status in (303, 503), answers[-1].text
        return answers[-1].status == 303

    wait_until(goes_on, 8, "the same answer to be accepted")
    assert session_of(answers[-1])
    assert copied.post(site).status == 403


def test_a_closed_redis_lets_nobody_in_twice(redis: RedisServer, redis_sites: RedisSites) -> None:
    """REDIS-DOWN: without a replay memory there is no login."""
    site = redis_sites.make(redis, server=ONE_ACS)
    copied = Copied(site)
    redis.stop()
    for _ in range(3):
        refused = copied.post(site)
        assert refused.status == 503 and session_of(refused) is None
    redis.start()
    wait_until(lambda: copied.post(site).status == 303, 5, "a login")
    assert copied.post(site).status == 403


def test_replay_at_a_node_whose_clock_is_behind(redis: RedisServer, redis_sites: RedisSites, tmp_path: Path) -> None:
    """REPLAY. An answer that is over at the node that took it, and not yet at the other: allowed by saml_clock_skew."""
    clock = ShiftedClock(tmp_path / "clock")
    clock.shift(9)
    parts = {
        "server": f"{ONE_ACS} saml_clock_skew 10s;",
        "idp_block": f"metadata {redis_sites.metadata()}; allow_unsolicited on;",
    }
    ahead = redis_sites.make(redis, clock=clock, **parts)
    behind = redis_sites.make(redis, **parts)
    end = datetime.now(timezone.utc) + timedelta(seconds=1)
    ends = {"not_on_or_after": end, "confirmation_not_on_or_after": end}
    acs = "https://app.example.com/saml/acs"
    form = ahead.idp.unsolicited(acs, ahead.entity_id, relay_state="/page", **ends).form

    def post(site: SamlSite) -> Response:
        return http1("POST", site.url("/saml/acs"), [("Content-Type", FORM)], urlencode(form).encode())

    assert session_of(post(ahead))
    over = time.monotonic() + 5
    while time.monotonic() < over:
        assert session_of(post(behind)) is None
        time.sleep(0.5)
    assert behind.nginx.error_log().count("login refused reason=replayed") > 5
