"""Answers that come twice, late or for somebody else: nobody ever is another user by them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import holder_of, log_in
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_until

ASKS = "cache_time 0; grace 0; timeout 500ms; keepalive 1;"
USERS = [f"user{i}@example.com" for i in range(6)]


def user_of(site: SamlSite, cookie: str) -> str | int:
    """Who a page is for, or its status."""
    answer = holder_of(cookie, site).get(site.url("/page"))
    return str(answer.echo().header("X-SSO-User")) if answer.status == 200 else answer.status


def encoded(value: bytes) -> bytes:
    return b"$%d\r\n%s\r\n" % (len(value), value)


@pytest.mark.parametrize("how", ["twice", "shifted", "nil first", "another's", "pushed"])
def test_redis_proto_nobody_is_another_user(redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites, how: str) -> None:
    """REDIS-PROTO, REDIS-POISON"""
    site = redis_sites.make(proxy.address, lines=ASKS)
    cookies = {user: log_in(site, name_id=user) for user in USERS}
    records = [value for key, value in redis.dump().items() if key.startswith("sso:sess:")]
    answer = {
        "twice": encoded(records[0]) * 2,
        "shifted": encoded(records[0]) + encoded(records[1]) + encoded(records[2]),
        "nil first": b"$-1\r\n" + encoded(records[1]),
        "another's": encoded(records[3]),
        "pushed": encoded(records[0]) + b"*3\r\n$7\r\nmessage\r\n$10\r\nsso:events\r\n$1\r\nx\r\n",
    }[how]
    proxy.add("GET", "sso:sess:", answer=answer, times=8)

    def ask(turn: int) -> tuple[str, str | int]:
        user = USERS[turn % len(USERS)]
        return user, user_of(site, cookies[user])

    with ThreadPoolExecutor(12) as pool:
        for user, seen in pool.map(ask, range(120)):
            assert seen in (user, 302, 503), (user, seen)
    proxy.heal()
    for user in USERS:
        wait_until(lambda user=user: user_of(site, cookies[user]) == user, 3, "everybody to be themselves again")
