"""The channel of ended sessions: whoever may write to it ends nothing and fills no log, and its loss is bounded by cache_time."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import Ear, is_in, log_in, log_out, wait_for_subscribers
from sallyport_testing.waiting import wait_until

CACHED = "cache_time 1h;"


def test_redis_poison_strangers_end_nothing_and_fill_no_log(redis: RedisServer, redis_sites: RedisSites) -> None:
    """REDIS-POISON"""
    site = redis_sites.make(redis, lines=CACHED)
    wait_for_subscribers(redis, 1)
    cookie = log_in(site)
    key = redis.keys("sso:sess:*")[0].removeprefix("sso:sess:")
    until = int(time.time() * 1000) + 3_600_000
    for i in range(300):
        for junk in (f"1 end {key} {until} {i:032x}".encode(), b"\xff\x1b[31m\n\x00", b"1 end " + b"x" * 60000):
            redis.command("PUBLISH", "sso:events", junk)
    site.nginx.wait_for_log("not from nodes with our secret")
    assert is_in(site, cookie)
    lines = site.nginx.error_log().splitlines()
    assert len([line for line in lines if "not from nodes with our secret" in line]) == 1
    assert not any("\x1b" in line for line in lines)


def test_too_large_a_message_costs_the_connection_alone(redis: RedisServer, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(redis, lines=CACHED)
    wait_for_subscribers(redis, 2)
    cookie = log_in(a)
    assert is_in(b, cookie)
    redis.command("PUBLISH", "sso:events", b"x" * 200_000)
    wait_until(lambda: redis.command("PUBSUB", "NUMSUB", "sso:events")[1] == 2, 5, "new subscriptions")  # type: ignore
    assert is_in(b, cookie)
    log_out(a, cookie)
    wait_until(lambda: not is_in(b, cookie), 1, "the logout to reach the other node")


def test_an_end_that_is_said_again_ends_nothing_else(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines=CACHED)
    wait_for_subscribers(redis, 1)
    ear = Ear(redis)
    first = log_in(site)
    log_out(site, first)
    message = ear.next()
    second = log_in(site)
    for _ in range(3):
        redis.command("PUBLISH", "sso:events", message)
    assert not is_in(site, first)
    assert is_in(site, second)


def test_redis_poison_an_end_is_of_the_session_that_it_names(redis: RedisServer, redis_sites: RedisSites) -> None:
    """REDIS-POISON: who heard one end cannot make another of it."""
    site = redis_sites.make(redis, lines=CACHED)
    wait_for_subscribers(redis, 1)
    ear = Ear(redis)
    log_out(site, log_in(site))
    message = ear.next()
    cookie = log_in(site)
    key = redis.keys("sso:sess:*")[0].removeprefix("sso:sess:").encode()
    words = message.split(b" ")
    assert len(words[2]) == len(key)
    redis.command("PUBLISH", "sso:events", b" ".join([*words[:2], key, *words[3:]]))
    site.nginx.wait_for_log("not from nodes with our secret")
    assert is_in(site, cookie)


def test_a_channel_that_nobody_may_hear(redis: RedisServer, redis_sites: RedisSites) -> None:
    redis.command("ACL", "SETUSER", "default", "resetchannels", "&other")
    a, b = redis_sites.pair(redis, lines="cache_time 1s;")
    cookie = log_in(a)
    assert is_in(b, cookie)
    a.nginx.wait_for_log('redis "main": no subscription to events: the server says: NOPERM', 20)
    log_out(a, cookie)
    wait_until(lambda: not is_in(b, cookie), 3, "cache_time")
    assert a.nginx.error_log().count("no subscription to events") == 1
    redis.command("ACL", "SETUSER", "default", "allchannels")
    a.nginx.wait_for_log('redis "main": subscribed to events again', 20)


def test_dos_log_what_redis_says_to_the_subscriber(redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites) -> None:
    """DOS-LOG"""
    proxy.add("SUBSCRIBE", answer=b"-ERR \x1b[31mred\ttab \xff; reason=ok\r\n")
    site = redis_sites.make(proxy.address, lines=CACHED)
    found = site.nginx.wait_for_log("no subscription to events: .*", 20).group(0)
    assert "\x1b" not in found and "\t" not in found and "ERR" in found


def test_helper_processes_stay_away(redis: RedisServer, redis_sites: RedisSites, tmp_path: Path) -> None:
    """The cache manager and loader are no workers: they hold no connections."""
    site = redis_sites.make(redis, http=f"proxy_cache_path {tmp_path}/cache keys_zone=pages:1m loader_sleep=1s;", workers=2)
    assert is_in(site, log_in(site))
    master = (site.nginx.folder / "nginx.pid").read_text().strip()
    names = subprocess.run(["ps", "-o", "args=", "--ppid", master], capture_output=True, text=True, check=True).stdout
    assert "cache manager" in names
    wait_for_subscribers(redis, 1)
    time.sleep(1)
    wait_for_subscribers(redis, 1)
