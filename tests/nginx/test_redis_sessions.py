"""Sessions in Redis: one session on every node, and the zone as a cache in front."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import holder_of, is_in, log_in, log_out, value_of, wait_for_subscribers
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.waiting import wait_until

# Several nodes


def test_known_at_once_on_the_other_node(redis: RedisServer, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(redis)
    cookie = log_in(a, name_id="ada@example.com")
    answer = holder_of(cookie, b).get(b.url("/page"))
    assert answer.echo().header("X-SSO-User") == "ada@example.com"


def test_the_answer_is_the_same_on_both(redis: RedisServer, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(redis)
    cookie = log_in(a)
    headers = [
        sorted(pair for pair in holder_of(cookie, site).get(site.url("/page")).echo().headers if "sso" in pair[0].lower())
        for site in (a, b)
    ]  # fmt: skip
    assert headers[0] == headers[1] != []


def test_logout_reaches_the_other_node_within_100_ms(redis: RedisServer, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(redis, lines="cache_time 60s;")
    wait_for_subscribers(redis, 2)
    cookie = log_in(a)
    assert is_in(b, cookie)
    redis.reset_calls()
    assert is_in(b, cookie)
    assert "get" not in redis.calls()
    log_out(a, cookie)
    time.sleep(0.1)
    assert not is_in(b, cookie)
    assert not is_in(a, cookie)
    assert redis.keys("sso:sess:*") == []


def test_fixation_a_login_in_another_tab_ends_on_all_nodes(
    redis: RedisServer, redis_sites: RedisSites, idp: TestIdp, browser: Browser
) -> None:
    """FIXATION: a page of another site posts no session cookie, but the mark of the other tab's login."""
    idp.sso_url = "https://login.idp.test/sso"
    a, b = redis_sites.pair(redis, lines="cache_time 60s;")
    wait_for_subscribers(redis, 2)
    first, second = (idp.read_request(browser.new_tab().get(a.url(path))) for path in ("/a", "/b"))
    assert idp.post(browser, idp.answer(second)).status == 303
    overwritten = value_of(browser)
    assert is_in(b, overwritten)
    assert idp.post(browser, idp.answer(first)).status == 303
    wait_until(lambda: not is_in(b, overwritten), 2, "the other node to hear of it")
    assert not is_in(a, overwritten)
    assert is_in(a, value_of(browser)) and is_in(b, value_of(browser))


def test_logout_reaches_the_other_node_without_the_channel(redis: RedisServer, redis_sites: RedisSites) -> None:
    redis.command("ACL", "SETUSER", "default", "resetchannels")
    a, b = redis_sites.pair(redis, lines="cache_time 2s;")
    cookie = log_in(a)
    assert is_in(b, cookie)
    log_out(a, cookie)
    wait_until(lambda: not is_in(b, cookie), 4, "the end of cache_time")


def test_a_new_subscription_voids_what_was_cached(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="cache_time 10m;")
    wait_for_subscribers(redis, 1)
    cookie = log_in(site)
    assert is_in(site, cookie)
    redis.command("CLIENT", "KILL", "TYPE", "pubsub")
    redis.command("DEL", redis.keys("sso:sess:*")[0])
    wait_until(lambda: not is_in(site, cookie), 5, "a new subscription")


def test_a_message_that_no_node_sent_ends_nothing(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="cache_time 60s;")
    wait_for_subscribers(redis, 1)
    cookie = log_in(site)
    key = redis.keys("sso:sess:*")[0].removeprefix("sso:sess:")
    until = int(time.time() * 1000) + 3600_000
    for message in (f"1 end {key} {until} {'0' * 32}", f"1 end {key} {until}", key, "", "x" * 5000):
        redis.command("PUBLISH", "sso:events", message)
    site.nginx.wait_for_log("not from nodes with our secret")
    assert is_in(site, cookie)


# The zone in front


@pytest.mark.parametrize("workers", [1, 2])
def test_a_warm_session_costs_redis_nothing(redis: RedisServer, redis_sites: RedisSites, workers: int) -> None:
    site = redis_sites.make(redis, lines="cache_time 60s;", workers=workers)
    wait_for_subscribers(redis, 1)
    cookie = log_in(site)
    assert is_in(site, cookie)
    browser = holder_of(cookie, site)
    redis.reset_calls()
    for _ in range(50):
        assert browser.get(site.url("/page")).status == 200
    calls = redis.calls()
    assert calls.get("get", 0) + calls.get("set", 0) + calls.get("pexpire", 0) == 0, calls


def test_redis_is_asked_again_after_cache_time(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="cache_time 1s;")
    wait_for_subscribers(redis, 1)
    cookie = log_in(site)
    redis.reset_calls()
    time.sleep(1.1)
    assert is_in(site, cookie)
    assert redis.calls()["get"] == 1


def test_cache_time_0_asks_each_time(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="cache_time 0;")
    cookie = log_in(site)
    redis.reset_calls()
    for _ in range(5):
        assert is_in(site, cookie)
    assert redis.calls()["get"] == 5
    redis.command("DEL", redis.keys("sso:sess:*")[0])
    assert not is_in(site, cookie)


def test_many_requests_of_one_cold_session_ask_once(redis: RedisServer, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(redis, lines="cache_time 60s; timeout 10s;")
    cookie = log_in(a)
    wait_for_subscribers(redis, 2)
    redis.reset_calls()
    redis.pause()
    with ThreadPoolExecutor(100) as pool:
        answers = [pool.submit(is_in, b, cookie) for _ in range(100)]
        time.sleep(0.25)
        redis.resume()
        assert all(answer.result() for answer in answers)
    assert redis.calls()["get"] == 1


def test_a_small_zone_loses_nobody(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, http="saml_session_zone saml:256k;")
    cookies = [log_in(site, name_id=f"user{number}@example.com") for number in range(250)]
    for number in (0, 1, 100, 249):
        answer = holder_of(cookies[number], site).get(site.url("/page"))
        assert answer.echo().header("X-SSO-User") == f"user{number}@example.com"
    assert "zone is full" not in site.nginx.error_log()


# Time


def test_idle_time_is_the_keys_time_to_live(redis: RedisServer, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(redis, lines="cache_time 0;", server="saml_session_idle_timeout 10m;")
    cookie = log_in(a)
    key = redis.keys("sso:sess:*")[0]
    redis.command("PEXPIRE", key, 300_000)
    assert is_in(b, cookie)
    wait_until(lambda: int(redis.command("PTTL", key)) > 590_000, 3, "the session's key to be prolonged")
    redis.reset_calls()
    for site in (a, b) * 5:
        assert is_in(site, cookie)
    assert "pexpire" not in redis.calls(), "at most one write for each session and minute"


def test_a_session_that_idled_out_is_gone(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="cache_time 1s;", server="saml_session_idle_timeout 3s;")
    cookie = log_in(site)
    for _ in range(5):
        time.sleep(1)
        assert is_in(site, cookie)
    time.sleep(3.5)
    assert not is_in(site, cookie)


def test_the_session_endpoint_is_no_activity(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="cache_time 0;", server="saml_session_idle_timeout 10m;")
    cookie = log_in(site)
    key = redis.keys("sso:sess:*")[0]
    redis.command("PEXPIRE", key, 300_000)
    assert holder_of(cookie, site).get(site.url("/saml/session")).status == 200
    time.sleep(0.3)
    assert int(redis.command("PTTL", key)) < 301_000


def test_no_session_outlives_its_absolute_end(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="cache_time 0;", server="saml_session_timeout 3s;")
    cookie = log_in(site)
    redis.command("PERSIST", redis.keys("sso:sess:*")[0])
    assert is_in(site, cookie)
    time.sleep(3.2)
    assert not is_in(site, cookie)


# Connections


def test_database(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="database 3;")
    assert is_in(site, log_in(site))
    assert redis.keys("sso:sess:*") == []
    client = redis.client()
    client.command("SELECT", 3)
    assert client.command("DBSIZE") > 0
    client.close()


def test_unix_socket(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(f"unix:{redis.socket_file}")
    assert is_in(site, log_in(site))


def test_key_prefix(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="key_prefix app-1:;")
    assert is_in(site, log_in(site))
    assert redis.keys() == redis.keys("app-1:*") != []


def test_acl_user_with_the_commands_of_the_documentation(redis: RedisServer, redis_sites: RedisSites, tmp_path) -> None:
    redis.command(
        "ACL", "SETUSER", "sallyport", "on", ">a secret word", "~sso:*", "&sso:events", "+get", "+set", "+del", "+exists",
        "+pttl", "+pexpire", "+zadd", "+zrem", "+zremrangebyscore", "+publish", "+subscribe", "+ping", "+select",
    )  # fmt: skip
    password = tmp_path / "password"
    password.write_text("a secret word\n")
    password.chmod(0o600)
    a, b = redis_sites.pair(redis, lines=f"username sallyport; password_file {password}; cache_time 60s;")
    wait_for_subscribers(redis, 2)
    cookie = log_in(a)
    assert is_in(b, cookie)
    log_out(a, cookie)
    time.sleep(0.1)
    assert not is_in(b, cookie)
    assert redis.command("ACL", "LOG") == []
    for site in (a, b):
        assert "a secret word" not in site.nginx.error_log()


def test_few_connections_for_each_worker(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="cache_time 0; keepalive 2;", workers=2)
    cookies = [log_in(site, name_id=f"user{number}@example.com") for number in range(8)]
    with ThreadPoolExecutor(32) as pool:
        assert all(pool.map(lambda number: is_in(site, cookies[number % 8]), range(300)))
    clients = redis.command("CLIENT", "LIST", "TYPE", "normal")
    assert isinstance(clients, bytes)
    assert len(clients.splitlines()) <= 2 * 2 + 1  # this one's own


def test_reload_keeps_users_and_leaves_no_connection(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, workers=2)
    cookie = log_in(site)
    for _ in range(3):
        site.nginx.reload()
        assert is_in(site, cookie)
    wait_for_subscribers(redis, 1)
    clients = redis.command("CLIENT", "LIST", "TYPE", "normal")
    assert isinstance(clients, bytes)
    assert len(clients.splitlines()) <= 2 + 1


def test_a_crashed_worker_is_no_logout(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis)
    cookie = log_in(site)
    site.nginx.kill_worker()
    assert is_in(site, cookie)
    wait_for_subscribers(redis, 1)


def test_another_service_provider_does_not_know_it(redis: RedisServer, redis_sites: RedisSites) -> None:
    a = redis_sites.make(redis)
    cookie = log_in(a)
    b = redis_sites.make(redis)
    text = b.nginx.config_file.read_text()
    b.nginx.config_file.write_text(text.replace(b.entity_id, "https://other.example.com/saml/metadata"))
    b.nginx.reload()
    assert not is_in(b, cookie)
    assert is_in(a, cookie)
