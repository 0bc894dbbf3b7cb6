"""`mode sentinel`: the module goes where the sentinels say that the master is, and nobody notices a failover but logins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.keys import KeyStore
from sallyport_testing.ports import free_port
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_sentinels import MASTER, RedisSentinels
from sallyport_testing.redis_steps import (
    ConstantRequests,
    holder_of,
    is_in,
    log_in,
    log_in_when_possible,
    log_out,
    wait_for_logins,
    wait_for_subscribers,
)
from sallyport_testing.waiting import wait_until

ASKS = "cache_time 0;"


@pytest.fixture
def sentinels(tmp_path: Path) -> Iterator[RedisSentinels]:
    with RedisSentinels(tmp_path / "sentinels") as running:
        yield running


def test_one_session_on_both_nodes(sentinels: RedisSentinels, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(sentinels.server_lines(), lines=ASKS)
    cookie = log_in(a)
    assert is_in(a, cookie) and is_in(b, cookie)
    log_out(a, cookie)
    assert not is_in(a, cookie) and not is_in(b, cookie)
    assert "set" not in sentinels.replica().calls() or sentinels.master().keys("sso:sess:*") == []


def test_a_dead_sentinel_is_passed_over(sentinels: RedisSentinels, redis_sites: RedisSites) -> None:
    ports = [free_port(), sentinels.sentinels[1].port]
    site = redis_sites.make(sentinels.server_lines(ports), lines=ASKS)
    assert is_in(site, log_in(site))


@pytest.mark.parametrize("how", ["planned", "killed"])
def test_redis_down_failover_under_load(sentinels: RedisSentinels, redis_sites: RedisSites, how: str) -> None:
    """REDIS-DOWN: known sessions notice nothing, logins work again, and Redis tells both nodes of logouts again."""
    a, b = redis_sites.pair(sentinels.server_lines(), lines=ASKS)
    cookies = [log_in(a) for _ in range(5)]
    assert all(is_in(b, cookie) for cookie in cookies)
    before = sentinels.master()
    with ConstantRequests(a, cookies) as of_a, ConstantRequests(b, cookies) as of_b:
        if how == "planned":
            sentinels.fail_over()
        else:
            before.stop()
            sentinels.wait_for_other_than(before)
        wait_for_logins(a, 10)
        wait_for_logins(b, 10)
    of_a.assert_all_were(200)
    of_b.assert_all_were(200)
    after = sentinels.master()
    assert after is not before
    wait_for_subscribers(after, 2)
    log_out(a, cookies[0])
    wait_until(lambda: not is_in(b, cookies[0]), 0.5, "the logout to reach the other node")
    # A login in the very moment may be lost with the old master; those before and after are not.
    assert len(after.keys("sso:sess:*")) >= len(cookies) - 1
    assert a.nginx.error_log().count("is gone") == a.nginx.error_log().count("is back") >= 1


def test_a_master_that_comes_back_is_a_replica(sentinels: RedisSentinels, redis_sites: RedisSites) -> None:
    site = redis_sites.make(sentinels.server_lines(), lines=ASKS)
    log_in(site)
    before = sentinels.master()
    before.stop()
    sentinels.wait_for_other_than(before)
    wait_for_logins(site, 10)
    before.start()
    cookie = log_in(site)
    key = next(iter(sentinels.master().keys("sso:sess:*")))
    assert sentinels.master() is not before and key
    wait_until(lambda: sentinels.replica() is before and before.keys("sso:sess:*") != [], 40, "the old master to follow")
    assert is_in(site, cookie)


def test_a_replica_is_never_taken_for_the_master(sentinels: RedisSentinels, redis_sites: RedisSites) -> None:
    """What a sentinel says is checked at the server: one that is behind the times cannot make us write to a replica."""
    replica = sentinels.replica()
    with FaultProxy(sentinels.sentinels[0].port) as liar:
        port = str(replica.port)
        says = f"*2\r\n$9\r\n127.0.0.1\r\n${len(port)}\r\n{port}\r\n".encode()
        liar.add("SENTINEL", answer=says)
        alone = redis_sites.make(sentinels.server_lines([liar.port]), lines="grace 0;")
        assert holder_of("A" * 43, alone).get(alone.url("/page")).status == 503
        alone.nginx.wait_for_log(rf'redis "main" is gone: 127.0.0.1:{port} is not a master')
        # With an honest one beside it the master is found all the same.
        both = redis_sites.make(sentinels.server_lines([liar.port, sentinels.sentinels[1].port]), lines=ASKS)
        cookie = log_in_when_possible(both)
        with ConstantRequests(both, [cookie]) as requests:
            wait_until(lambda: len(requests.statuses) > 1000, 20, "many requests")
        requests.assert_all_were(200)
        assert both.nginx.error_log().count("is gone") <= 1
    assert "set" not in replica.calls() or replica.command("ROLE")[0] == b"slave"


def test_sentinels_that_die_later_are_not_missed(sentinels: RedisSentinels, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(sentinels.server_lines(), lines=ASKS)
    cookie = log_in(a)
    for sentinel in sentinels.sentinels:
        sentinel.stop()
    # Longer than the round in which they are asked.
    with ConstantRequests(a, [cookie]) as requests:
        wait_until(lambda: len(requests.statuses) > 50, 10, "some requests")
        assert is_in(b, log_in(a))
        wait_until(lambda: len(requests.statuses) > 1500, 20, "many requests")
    requests.assert_all_were(200)
    assert "is gone" not in a.nginx.error_log() + b.nginx.error_log()


def test_unknown_master(sentinels: RedisSentinels, redis_sites: RedisSites) -> None:
    lines = sentinels.server_lines().replace(f"mode sentinel {MASTER}", "mode sentinel other")
    site = redis_sites.make(lines, lines="grace 0;")
    assert holder_of("A" * 43, site).get(site.url("/page")).status == 503
    site.nginx.wait_for_log('redis "main" is gone: no sentinel names the master; .* it knows no master "other"')


def password_file(folder: Path, name: str, password: str) -> Path:
    path = folder / name
    path.write_text(password + "\n")
    path.chmod(0o600)
    return path


def test_passwords(tmp_path: Path, redis_sites: RedisSites) -> None:
    with RedisSentinels(tmp_path / "sentinels", password="word-of-data", sentinel_password="word-of-sentinels") as sentinels:
        files = f"""password_file {password_file(tmp_path, "data", "word-of-data")};
            sentinel_password_file {password_file(tmp_path, "sentinel", "word-of-sentinels")};"""
        a, b = redis_sites.pair(sentinels.server_lines(), lines=ASKS + files)
        assert is_in(b, log_in(a))
        sentinels.sentinels[0].command("ACL", "SETUSER", "watcher", "on", ">word", "+sentinel|get-master-addr-by-name", "+ping")
        named = redis_sites.make(
            sentinels.server_lines([sentinels.sentinels[0].port]),
            lines=f"""password_file {tmp_path}/data;
                sentinel_username watcher; sentinel_password_file {password_file(tmp_path, "word", "word")};""",
        )
        assert is_in(named, log_in(named))


def test_redis_tls_auth_wrong_sentinel_password(tmp_path: Path, redis_sites: RedisSites) -> None:
    with RedisSentinels(tmp_path / "sentinels", sentinel_password="word-of-sentinels") as sentinels:
        wrong = password_file(tmp_path, "wrong", "something else")
        site = redis_sites.make(sentinels.server_lines(), lines=f"grace 0; sentinel_password_file {wrong};")
        assert holder_of("A" * 43, site).get(site.url("/page")).status == 503
        site.nginx.wait_for_log('redis "main" is gone: no sentinel names the master; .*WRONGPASS')
        assert "something else" not in site.nginx.error_log()


def test_redis_tls_auth_towards_sentinels_and_servers(tmp_path: Path, keys: KeyStore, redis_sites: RedisSites) -> None:
    pair = keys.tls("redis.example.com")
    files = (
        f"tls-cert-file {pair.certificate_file}", f"tls-key-file {pair.key_file}",
        f"tls-ca-cert-file {pair.certificate_file}", "tls-auth-clients no",
    )  # fmt: skip
    with RedisSentinels(tmp_path / "sentinels", tls=files) as sentinels:
        name = "ssl_name redis.example.com;"
        trust = f"ssl on; ssl_trusted_certificate {pair.certificate_file};"
        a, b = redis_sites.pair(sentinels.server_lines(), lines=ASKS + trust + name)
        assert is_in(b, log_in(a))
        other = redis_sites.make(sentinels.server_lines(), lines=f"grace 0; {trust} ssl_name other.example.com;")
        assert holder_of("A" * 43, other).get(other.url("/page")).status == 503
        other.nginx.wait_for_log('redis "main" is gone: no sentinel names the master; .*certificate is refused')
