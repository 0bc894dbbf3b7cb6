"""TLS towards Redis: the server's certificate is always checked, and nothing is said to one that fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest

from sallyport_testing.keys import KeyPair, KeyStore
from sallyport_testing.ports import free_port
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import holder_of, is_in, log_in
from sallyport_testing.site import SamlSite

QUICK = "timeout 2s; connect_timeout 2s; grace 0;"


@dataclass
class TlsRedis:
    server: RedisServer
    port: int
    pair: KeyPair

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"


def start(folder: Path, pair: KeyPair, *options: str) -> TlsRedis:
    port = free_port()
    server = RedisServer(
        folder, f"tls-port {port}", f"tls-cert-file {pair.certificate_file}", f"tls-key-file {pair.key_file}",
        f"tls-ca-cert-file {pair.certificate_file}", *options,
    )  # fmt: skip
    return TlsRedis(server.start(), port, pair)


@pytest.fixture
def tls_redis(tmp_path: Path, keys: KeyStore) -> Iterator[TlsRedis]:
    """A Redis that takes TLS beside plain TCP."""
    redis = start(tmp_path / "tls-redis", keys.tls("redis.example.com"), "tls-auth-clients no")
    yield redis
    redis.server.stop()


def tls_lines(trusted: KeyPair, name: str = "ssl_name redis.example.com;") -> str:
    return f"{QUICK} ssl on; ssl_trusted_certificate {trusted.certificate_file}; {name}"


def assert_refused(site: SamlSite, tls_redis: TlsRedis, why: str) -> None:
    assert holder_of("A" * 43, site).get(site.url("/page")).status == 503
    site.nginx.wait_for_log(rf'redis "main" is gone: [^ ]+: {why}')
    assert "get" not in tls_redis.server.calls() and "auth" not in tls_redis.server.calls()


def test_over_tls(tls_redis: TlsRedis, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(tls_redis.address, lines=tls_lines(tls_redis.pair) + "cache_time 0;")
    cookie = log_in(a)
    assert is_in(a, cookie) and is_in(b, cookie)


def test_redis_tls_auth_wrong_authority(tls_redis: TlsRedis, redis_sites: RedisSites, keys: KeyStore, tmp_path: Path) -> None:
    """REDIS-TLS/AUTH"""
    password = tmp_path / "password"
    password.write_text("a secret word\n")
    site = redis_sites.make(
        tls_redis.address, lines=tls_lines(keys.tls("other.example.com")) + f"password_file {password};"
    )
    assert_refused(site, tls_redis, "the server's certificate is refused")


@pytest.mark.parametrize("name", ["ssl_name other.example.com;", "ssl_name 127.0.0.2;", "ssl_name redis.example.co;"])
def test_redis_tls_auth_wrong_name(tls_redis: TlsRedis, redis_sites: RedisSites, name: str) -> None:
    site = redis_sites.make(tls_redis.address, lines=tls_lines(tls_redis.pair, name))
    assert_refused(site, tls_redis, "the server's certificate is refused")


def test_redis_tls_auth_expired_certificate(tmp_path: Path, keys: KeyStore, redis_sites: RedisSites) -> None:
    """Trusted by name and authority, but its time is over."""
    days = {"not_before": timedelta(days=-10), "not_after": timedelta(days=-1)}
    expired = start(
        tmp_path / "expired", keys.get("redis", "ec256", hosts=["redis.example.com"], **days), "tls-auth-clients no"
    )
    try:
        assert_refused(
            redis_sites.make(expired.address, lines=tls_lines(expired.pair)), expired,
            "the server's certificate is refused",
        )  # fmt: skip
    finally:
        expired.server.stop()


def test_without_ssl_trusted_certificate_the_systems_count(tls_redis: TlsRedis, redis_sites: RedisSites) -> None:
    site = redis_sites.make(tls_redis.address, lines=f"{QUICK} ssl on; ssl_name redis.example.com;")
    assert_refused(site, tls_redis, "the server's certificate is refused")


def test_tls_to_a_server_without(tls_redis: TlsRedis, redis_sites: RedisSites) -> None:
    site = redis_sites.make(tls_redis.server, lines=tls_lines(tls_redis.pair))
    assert_refused(site, tls_redis, "")


def test_plain_to_a_tls_port(tls_redis: TlsRedis, redis_sites: RedisSites) -> None:
    site = redis_sites.make(tls_redis.address, lines=QUICK)
    assert_refused(site, tls_redis, "")


def test_redis_tls_auth_our_own_certificate(tmp_path: Path, keys: KeyStore, redis_sites: RedisSites) -> None:
    pair = keys.tls("redis.example.com")
    redis = start(tmp_path / "mutual", pair, "tls-auth-clients yes")
    try:
        without = redis_sites.make(redis.address, lines=tls_lines(pair))
        assert holder_of("A" * 43, without).get(without.url("/page")).status == 503
        with_one = redis_sites.make(
            redis.address,
            lines=tls_lines(pair) + f"ssl_certificate {pair.certificate_file}; ssl_certificate_key {pair.key_file};",
        )
        assert is_in(with_one, log_in(with_one))
    finally:
        redis.server.stop()
