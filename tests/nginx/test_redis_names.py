"""Servers by name, with nginx's `resolver`: a name that is not known at start, and one whose address changes."""

from __future__ import annotations

from pathlib import Path

from sallyport_testing.dns_server import DnsServer
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_sentinels import RedisSentinels
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import holder_of, is_in, log_in, log_in_when_possible, wait_for_logins
from sallyport_testing.waiting import wait_until

QUICK = "timeout 300ms; connect_timeout 300ms; cache_time 0; grace 0;"


def resolver(dns: DnsServer) -> str:
    return f"resolver 127.0.0.1:{dns.port} valid=1s ipv6=off; resolver_timeout 1s;"


def test_a_name_that_is_not_known_at_start(redis: RedisServer, redis_sites: RedisSites) -> None:
    with DnsServer() as dns:
        site = redis_sites.make(f"redis.test.invalid:{redis.port}", lines=QUICK, http=resolver(dns))
        assert holder_of("A" * 43, site).get(site.url("/page")).status == 503
        site.nginx.wait_for_log(r'redis "main" is gone: redis.test.invalid:[0-9]+: .* could not be resolved: Host not found')
        dns.names["redis.test.invalid"] = "127.0.0.1"
        assert is_in(site, log_in_when_possible(site))


def test_an_address_that_changes(redis: RedisServer, redis_sites: RedisSites, tmp_path: Path) -> None:
    with DnsServer() as dns, RedisServer(tmp_path / "second", port=redis.port, bind="127.0.0.2") as second:
        dns.names["redis.test.invalid"] = "127.0.0.1"
        site = redis_sites.make(f"redis.test.invalid:{redis.port}", lines=QUICK, http=resolver(dns))
        log_in_when_possible(site)
        dns.names["redis.test.invalid"] = "127.0.0.2"
        redis.stop()
        wait_for_logins(site, 10)
        assert len(second.keys("sso:sess:*")) == 1


def test_without_a_resolver_the_log_says_what_to_write(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(f"redis.test.invalid:{redis.port}", lines=QUICK)
    assert holder_of("A" * 43, site).get(site.url("/page")).status == 503
    site.nginx.wait_for_log(r'is gone: redis.test.invalid:[0-9]+: there is no address of .*: write "resolver ADDRESS;" in http')


def test_a_resolver_that_does_not_answer(redis: RedisServer, redis_sites: RedisSites) -> None:
    """What start found serves on."""
    with DnsServer() as dns:
        site = redis_sites.make(f"localhost:{redis.port}", lines=QUICK, http=resolver(dns))
        assert is_in(site, log_in_when_possible(site))


def test_sentinels_by_name(redis_sites: RedisSites, tmp_path: Path) -> None:
    with DnsServer() as dns, RedisSentinels(tmp_path / "sentinels") as sentinels:
        dns.names["sentinels.test.invalid"] = "127.0.0.1"
        lines = sentinels.server_lines().replace("127.0.0.1:", "sentinels.test.invalid:")
        site = redis_sites.make(lines, lines=QUICK, http=resolver(dns))
        cookie = log_in_when_possible(site)
        wait_until(lambda: is_in(site, cookie), 3, "the session")
        assert is_in(site, log_in(site))
