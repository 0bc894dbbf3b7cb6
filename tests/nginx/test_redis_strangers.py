"""Logouts of sessions that never were: what anybody may ask for costs no session its end."""

from __future__ import annotations

import secrets
import time

import pytest

from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.http_client import http1
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import SESSION, Ear, is_in, log_in, log_out, wait_for_subscribers
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_until

QUICK = "timeout 300ms; connect_timeout 300ms; cache_time 0;"
SMALL = "saml_session_zone saml:512k;"


def made_up() -> str:
    return secrets.token_urlsafe(32)


def log_out_of(site: SamlSite, *cookies: str) -> int:
    """A logout with several cookies of the session's name, of which none counts; the status."""
    header = "; ".join(f"{SESSION}={cookie}" for cookie in cookies)
    return http1("POST", site.url("/saml/logout"), [("Cookie", header)], b"").status


def flood(site: SamlSite, requests: int) -> None:
    """503: more wait for an answer of Redis than the small zone has room for, as on a busy machine."""
    for _ in range(requests):
        assert log_out_of(site, *(made_up() for _ in range(4))) in (200, 503)


def put_back(redis: RedisServer, site: SamlSite, cookie: str) -> None:
    """Log out; then Redis is a replica that took over before it heard."""
    key = redis.keys("sso:sess:*")[0]
    record = redis.command("GET", key)
    assert isinstance(record, bytes)
    log_out(site, cookie)
    wait_until(lambda: redis.keys("sso:sess:*") == [], 5, "Redis to hear of the logout")
    redis.command("SET", key, record, "PX", 600_000)


@pytest.mark.parametrize("strangers", [0, 400])
def test_logout_partial_a_failover_brings_no_ended_session_back_whatever_strangers_log_out(
    redis: RedisServer, redis_sites: RedisSites, strangers: int
) -> None:
    """LOGOUT-PARTIAL, DOS-LOG"""
    site = redis_sites.make(redis, lines="cache_time 0;", http=SMALL)
    wait_for_subscribers(redis, 1)
    cookie = log_in(site)
    assert is_in(site, cookie)
    flood(site, strangers)
    time.sleep(0.5)
    put_back(redis, site, cookie)
    assert not is_in(site, cookie)
    assert "no room for the tombstone" not in site.nginx.error_log()


def test_logout_partial_other_nodes_keep_room_for_sessions_that_exist(redis: RedisServer, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(redis, lines="cache_time 0;", http=SMALL)
    wait_for_subscribers(redis, 2)
    ear = Ear(redis)
    cookie = log_in(a)
    assert is_in(b, cookie)
    flood(a, 400)
    put_back(redis, a, cookie)
    assert ear.next().startswith(b"1 end "), "nothing is told of what never was"
    wait_until(lambda: not is_in(b, cookie), 5, "the other node to hear of the logout")
    assert "no room for the tombstone" not in b.nginx.error_log()


def test_logout_partial_other_nodes_keep_room_for_sessions_that_exist_when_redis_was_away(
    redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites
) -> None:
    """Nobody could tell then which ones those are: they are told, as what may never have been."""
    a = redis_sites.make(proxy.address, lines=QUICK + "grace 60s;")
    b = redis_sites.make(redis, lines="cache_time 0;", http=SMALL)
    wait_for_subscribers(redis, 2)
    cookie = log_in(a)
    assert is_in(b, cookie)
    ear = Ear(redis)
    proxy.refuse()
    flood(a, 400)
    proxy.heal()
    assert all(ear.next().startswith(b"1 end-unknown ") for _ in range(1600))
    put_back(redis, a, cookie)
    assert ear.next().startswith(b"1 end ")
    wait_until(lambda: not is_in(b, cookie), 5, "the other node to hear of the logout")
    assert "no room for the tombstone" not in b.nginx.error_log()


def test_one_of_several_cookies_ends_everywhere(redis: RedisServer, redis_sites: RedisSites) -> None:
    """Which of them is the user's, Redis says; what an answer on its way brings back ends again."""
    a, b = redis_sites.pair(redis, lines="cache_time 1h;")
    wait_for_subscribers(redis, 2)
    cookie = log_in(b)
    assert is_in(b, cookie)
    key = redis.keys("sso:sess:*")[0]
    record = redis.command("GET", key)
    assert isinstance(record, bytes)
    assert log_out_of(a, made_up(), cookie) == 200
    wait_until(lambda: not is_in(b, cookie), 5, "the other node to hear of the logout")
    redis.command("SET", key, record, "PX", 600_000)
    assert not is_in(a, cookie) and not is_in(b, cookie)


@pytest.mark.parametrize("is_carried_out", [False, True])
def test_one_of_several_cookies_ends_where_the_answer_is_lost(
    redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites, is_carried_out: bool
) -> None:
    a = redis_sites.make(proxy.address, lines=QUICK)
    b = redis_sites.make(redis, lines="cache_time 1h;")
    wait_for_subscribers(redis, 2)
    cookie = log_in(b)
    assert is_in(b, cookie)
    fault = proxy.add("DEL", "sess:", cut=True, execute=is_carried_out, times=1)
    assert log_out_of(a, made_up(), cookie, made_up()) == 200
    wait_until(lambda: len(fault.hits) == 1, 5, "Redis to be asked")
    wait_until(lambda: not is_in(b, cookie), 5, "the other node to hear of the logout")
    assert not is_in(a, cookie)
    wait_until(lambda: redis.keys("sso:sess:*") == [], 5, "Redis to hear of it")


def test_dos_log_logouts_that_cannot_be_remembered_are_counted(
    redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites
) -> None:
    """DOS-LOG"""
    site = redis_sites.make(proxy.address, lines=QUICK, http=SMALL)
    proxy.refuse()
    statuses = [log_out_of(site, made_up(), made_up()) for _ in range(200)]
    assert statuses[-100:] == [503] * 100
    assert site.nginx.error_log().count("no room to remember") == 1
