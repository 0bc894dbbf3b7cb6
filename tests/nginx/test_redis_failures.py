"""Redis fails in every way: known sessions live for `grace`, others are told to come again, and nothing else is disturbed."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.http_response import Response
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import holder_of, is_in, log_in, log_out, wait_for_subscribers
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_until

QUICK = "timeout 300ms; connect_timeout 300ms; cache_time 0;"
PUBLIC = "location /public { auth_saml off; return 200 public; }"

Break = Callable[[RedisServer, FaultProxy], None]


def _refuse(redis: RedisServer, proxy: FaultProxy) -> None:
    proxy.refuse()


def _hang(redis: RedisServer, proxy: FaultProxy) -> None:
    redis.pause()


def _swallow(redis: RedisServer, proxy: FaultProxy) -> None:
    proxy.hang = True


def _slow(redis: RedisServer, proxy: FaultProxy) -> None:
    proxy.delay = 2


def _cut(redis: RedisServer, proxy: FaultProxy) -> None:
    proxy.cut_after = 3


def _replace(answer: bytes) -> Break:
    def set_answer(redis: RedisServer, proxy: FaultProxy) -> None:
        proxy.replace = answer

    return set_answer


BREAKS: dict[str, Break] = {
    "refused": _refuse,
    "sigstop": _hang,
    "swallowed": _swallow,
    "slow": _slow,
    "cut": _cut,
    "garbage": _replace(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "long_bulk": _replace(b"$2147483648\r\n"),
    "negative_bulk": _replace(b"$-2\r\n"),
    "deep_array": _replace(b"*1\r\n" * 10000),
    "resp3_push": _replace(b">2\r\n+message\r\n+x\r\n"),
    "loading": _replace(b"-LOADING Redis is loading the dataset in memory\r\n"),
    "moved": _replace(b"-MOVED 1 127.0.0.1:1\r\n"),
    "number": _replace(b":1\r\n"),
}


@pytest.fixture
def broken_site(redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites) -> SamlSite:
    return redis_sites.make(proxy.address, lines=QUICK + "grace 60s;", locations=PUBLIC)


def heal(redis: RedisServer, proxy: FaultProxy) -> None:
    redis.resume()
    proxy.heal()


def assert_told_to_come_again(answer: Response) -> None:
    assert answer.status == 503, answer.text
    assert answer.header("Retry-After")
    assert answer.all("Set-Cookie") == []
    assert answer.header("Location") is None


@pytest.mark.parametrize("how", BREAKS)
def test_redis_down_whatever_fails(redis: RedisServer, proxy: FaultProxy, broken_site: SamlSite, how: str) -> None:
    """REDIS-PROTO, REDIS-DOWN"""
    site = broken_site
    known = log_in(site)
    other = log_in(site, name_id="other@example.com")
    key = redis.keys("sso:sess:*")
    assert len(key) == 2 and is_in(site, known)
    site.nginx.reload()
    BREAKS[how](redis, proxy)
    # Known to the zone: lives, and is nobody else.
    for _ in range(3):
        answer = holder_of(known, site).get(site.url("/page"))
        assert answer.echo().header("X-SSO-User") == "student@example.com"
        answer = holder_of(other, site).get(site.url("/page"))
        assert answer.echo().header("X-SSO-User") == "other@example.com"
    # Unknown: neither a login nor anonymous.
    assert_told_to_come_again(holder_of("A" * 43, site).get(site.url("/page")))
    # No cookie: a login may begin, everything else goes on.
    assert Browser().get(site.url("/page")).status == 302
    assert Browser().get(site.url("/public")).status == 200
    heal(redis, proxy)
    wait_until(lambda: holder_of("A" * 43, site).get(site.url("/page")).status == 302, 3, "Redis to be asked again")
    assert is_in(site, known) and is_in(site, other)
    assert is_in(site, log_in(site))


def test_known_sessions_live_for_grace_and_not_longer(
    redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites
) -> None:
    site = redis_sites.make(proxy.address, lines=QUICK + "grace 3s;")
    cookie = log_in(site)
    assert is_in(site, cookie)
    begin = time.monotonic()
    proxy.refuse()
    statuses = []
    while time.monotonic() - begin < 4.5:
        statuses.append((time.monotonic() - begin, holder_of(cookie, site).get(site.url("/page")).status))
        time.sleep(0.1)
    assert all(status == 200 for at, status in statuses if at < 1.5), statuses
    assert all(status == 503 for at, status in statuses if at > 3.2), statuses
    proxy.heal()
    wait_until(lambda: holder_of(cookie, site).get(site.url("/page")).status == 200, 3, "the session to be known again")


def test_hdr_anon_optional_is_not_anonymous_when_nobody_knows(
    redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites
) -> None:
    site = redis_sites.make(proxy.address, lines=QUICK, location="auth_saml_mode optional;")
    cookie = log_in_optional(site)
    proxy.refuse()
    site.nginx.stop()
    site.nginx.start()
    assert_told_to_come_again(holder_of(cookie, site).get(site.url("/page")))
    assert Browser().get(site.url("/page")).echo().header("X-SSO-User") is None


def log_in_optional(site: SamlSite) -> str:
    browser = Browser()
    request = site.idp.read_request(browser.get(site.url("/saml/login?return=/page")))
    assert site.idp.post(browser, site.idp.answer(request)).status == 303
    cookie = browser.cookies.get("__Host-saml_session")
    assert cookie is not None
    return cookie.value


def test_satisfy_any_is_told_too(redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites) -> None:
    site = redis_sites.make(proxy.address, lines=QUICK, location="satisfy any; deny all;")
    proxy.refuse()
    wait_until(lambda: holder_of("A" * 43, site).get(site.url("/page")).status == 503, 3, "a refusal")
    assert_told_to_come_again(holder_of("A" * 43, site).get(site.url("/page")))


def test_error_page_of_the_operator(redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites) -> None:
    site = redis_sites.make(
        proxy.address, lines=QUICK, server="error_page 503 /busy;", locations="location = /busy { return 200 busy; }"
    )
    proxy.refuse()
    wait_until(lambda: "busy" in holder_of("A" * 43, site).get(site.url("/page")).text, 3, "the operator's page")
    assert holder_of("A" * 43, site).get(site.url("/page")).header("Retry-After")


def test_session_endpoint_says_that_it_does_not_know(
    redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites
) -> None:
    site = redis_sites.make(proxy.address, lines=QUICK)
    proxy.refuse()
    answer = holder_of("A" * 43, site).get(site.url("/saml/session"))
    assert answer.status == 503 and "store_unavailable" in answer.text and answer.header("Retry-After")


def test_other_traffic_does_not_wait(redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites) -> None:
    site = redis_sites.make(proxy.address, lines="timeout 2s; cache_time 0;", locations=PUBLIC)
    cookies = [log_in(site, name_id=f"user{number}@example.com") for number in range(4)]
    redis.pause()
    with ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(lambda cookie=cookie: is_in(site, cookie)) for cookie in cookies * 2]
        slowest = 0.0
        for _ in range(30):
            begin = time.monotonic()
            assert Browser().get(site.url("/public")).status == 200
            slowest = max(slowest, time.monotonic() - begin)
        redis.resume()
        assert all(each.result() for each in waiting)
    assert slowest < 1, f"a public page waited {slowest:.3f} s"


def test_the_log_says_once_that_it_is_gone_and_back(
    redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites
) -> None:
    site = redis_sites.make(proxy.address, lines=QUICK, workers=2)
    wait_for_subscribers(redis, 1)
    proxy.refuse()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: holder_of("A" * 43, site).get(site.url("/page")).status, range(60)))
    time.sleep(1)
    begin = time.monotonic()
    proxy.heal()
    site.nginx.wait_for_log(r'\[error\].*saml: redis "main" is back after [0-9]+\.[0-9]{3} s')
    assert time.monotonic() - begin < 1.5
    time.sleep(1)
    log = site.nginx.error_log()
    assert log.count('saml: redis "main" is gone') == 1, log
    assert log.count('saml: redis "main" is back') == 1, log
    assert "connect() failed" in log


def test_nginx_starts_without_redis(redis: RedisServer, redis_sites: RedisSites) -> None:
    redis.stop()
    site = redis_sites.make(redis, lines=QUICK, locations=PUBLIC)
    assert Browser().get(site.url("/public")).status == 200
    assert Browser().get(site.url("/page")).status == 302
    redis.start()
    wait_until(lambda: holder_of("A" * 43, site).get(site.url("/page")).status == 302, 3, "Redis")
    assert is_in(site, log_in(site))


def test_redis_tls_auth_wrong_password(redis: RedisServer, redis_sites: RedisSites, tmp_path) -> None:
    """REDIS-TLS/AUTH"""
    redis.command("CONFIG", "SET", "requirepass", "right")
    password = tmp_path / "password"
    password.write_text("a very wrong one\n")
    site = redis_sites.make(redis, lines=QUICK + f"password_file {password};")
    assert_told_to_come_again(holder_of("A" * 43, site).get(site.url("/page")))
    site.nginx.wait_for_log("is gone: 127.0.0.1:[0-9]+: the server says: WRONGPASS")
    assert "a very wrong one" not in site.nginx.error_log()


def test_a_full_redis_keeps_sessions_and_refuses_logins(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines=QUICK)
    cookie = log_in(site)
    redis.command("CONFIG", "SET", "maxmemory-policy", "noeviction")
    redis.command("CONFIG", "SET", "maxmemory", "1")
    for _ in range(3):
        assert is_in(site, cookie)
        answer = site.idp.login(Browser(), site.url("/page"))
        assert answer.status == 503 and answer.header("Retry-After")
    site.nginx.wait_for_log("OOM command not allowed")
    redis.command("CONFIG", "SET", "maxmemory", "0")
    assert is_in(site, log_in(site))


def test_a_read_only_replica_keeps_sessions_and_refuses_logins(
    redis: RedisServer, redis_sites: RedisSites, tmp_path
) -> None:
    site = redis_sites.make(redis, lines=QUICK)
    cookie = log_in(site)
    with RedisServer(tmp_path / "master") as master:
        client = redis.client()
        dumped = {key: client.command("DUMP", key) for key in redis.keys()}
        for key, value in dumped.items():
            assert isinstance(value, bytes)
            master.command("RESTORE", key, 3600_000, value)
        redis.command("REPLICAOF", "127.0.0.1", master.port)
        wait_until(lambda: b"master_link_status:up" in bytes(redis.command("INFO", "replication")), 10, "the replica")
        assert is_in(site, cookie)
        assert site.idp.login(Browser(), site.url("/page")).status == 503
        site.nginx.wait_for_log("READONLY")
        redis.command("REPLICAOF", "NO", "ONE")
    assert is_in(site, log_in(site))


def test_logout_partial_while_redis_is_away(redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites) -> None:
    """LOGOUT-PARTIAL: gone here at once, everywhere as soon as Redis hears of it; a reload forgets nothing."""
    a = redis_sites.make(proxy.address, lines=QUICK)
    b = redis_sites.make(redis, lines="cache_time 0;")
    cookie = log_in(a)
    assert is_in(a, cookie) and is_in(b, cookie)
    proxy.refuse()
    log_out(a, cookie)
    answer = holder_of(cookie, a).get(a.url("/page"))
    assert answer.status == 302, "a tombstone is known"
    a.nginx.reload()
    assert holder_of(cookie, a).get(a.url("/page")).status == 302
    proxy.heal()
    wait_until(lambda: not is_in(b, cookie), 5, "Redis to hear of the logout")
    assert not is_in(a, cookie)
    assert redis.keys("sso:sess:*") == []


def made_up() -> str:
    return secrets.token_urlsafe(32)


def test_logout_partial_room_is_left_for_sessions_that_exist(redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites) -> None:
    """Whoever makes up cookies while Redis is away takes a half of what can be remembered, and no more."""
    site = redis_sites.make(proxy.address, lines="cache_time 60s; grace 60s;", http="saml_session_zone saml:512k;")
    cookies = [log_in(site) for _ in range(5)]
    proxy.refuse()
    wait_until(lambda: holder_of(made_up(), site).get(site.url("/page")).status == 503, 5, "Redis to be gone")
    made = [holder_of(made_up(), site).post(site.url("/saml/logout"), {}).status for _ in range(300)]
    assert made[:20] == [200] * 20 and made[-20:] == [503] * 20
    for cookie in cookies:
        log_out(site, cookie)
        assert not is_in(site, cookie)
    proxy.heal()
    wait_until(lambda: redis.keys("sso:sess:*") == [], 10, "Redis to hear of the logouts")


def test_logout_partial_beats_an_answer_on_its_way(redis: RedisServer, proxy: FaultProxy, redis_sites: RedisSites) -> None:
    a = redis_sites.make(redis, lines="cache_time 60s;")
    b = redis_sites.make(proxy.address, lines="cache_time 60s; timeout 5s;")
    wait_for_subscribers(redis, 2)
    cookie = log_in(a)
    key = redis.keys("sso:sess:*")[0]
    record = redis.command("GET", key)
    assert isinstance(record, bytes)
    # B's question is answered with what was true before the logout, after the logout.
    fault = proxy.add("GET", "sess:", times=1)
    asked = threading.Thread(target=lambda: is_in(b, cookie))
    asked.start()
    wait_until(lambda: len(fault.hits) == 1, 5, "B to ask")
    log_out(a, cookie)
    time.sleep(0.2)
    asked.join()
    assert not is_in(b, cookie)
    redis.command("SET", key, record, "PX", 3600_000)
    assert not is_in(b, cookie), "the tombstone beats what Redis says"
    assert not is_in(a, cookie)
