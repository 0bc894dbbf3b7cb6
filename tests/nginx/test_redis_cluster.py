"""`mode cluster`: sessions lie on all masters, and slots that move or masters that die are noticed by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sallyport_testing.copied_answer import Copied, session_of
from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.keys import KeyStore
from sallyport_testing.ports import free_port
from sallyport_testing.redis_cluster import RedisCluster
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import (
    ConstantRequests,
    holder_of,
    is_in,
    log_in,
    log_in_when_possible,
    log_out,
    try_to_log_in,
)
from sallyport_testing.waiting import wait_until

ASKS = "cache_time 0;"


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[RedisCluster]:
    with RedisCluster(tmp_path / "cluster") as running:
        yield running


def sessions_on(cluster: RedisCluster, node: RedisServer) -> list[str]:
    return [key for key in node.keys("sso:sess:*") if cluster.master_of(cluster.slot_of(key)) is node]


def test_sessions_on_all_masters(cluster: RedisCluster, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(cluster.server_lines(), lines=ASKS)
    cookies = [log_in(a) for _ in range(20)]
    assert all(len(sessions_on(cluster, node)) > 0 for node in cluster.masters())
    assert len(cluster.keys("sso:sess:*")) == 20
    assert all(is_in(b, cookie) for cookie in cookies)
    wait_until(lambda: _subscribers(cluster) == 2, 5, "two subscribers")
    for cookie in cookies[:10]:
        log_out(a, cookie)
    assert not any(is_in(node, cookie) for node in (a, b) for cookie in cookies[:10])
    assert all(is_in(b, cookie) for cookie in cookies[10:])
    wait_until(lambda: len(cluster.keys("sso:sess:*")) == 10, 5, "the ended ones to be deleted")
    assert "is gone" not in a.nginx.error_log() + b.nginx.error_log()


def test_a_logout_reaches_the_other_node_by_the_channel(cluster: RedisCluster, redis_sites: RedisSites) -> None:
    a, b = redis_sites.pair(cluster.server_lines(), lines="cache_time 1h;")
    wait_until(lambda: _subscribers(cluster) == 2, 5, "two subscribers")
    for _ in range(5):
        cookie = log_in(a)
        assert is_in(b, cookie)
        log_out(a, cookie)
        wait_until(lambda cookie=cookie: not is_in(b, cookie), 0.5, "the logout to reach the other node")


def _subscribers(cluster: RedisCluster) -> int:
    return sum(int(node.command("PUBSUB", "NUMSUB", "sso:events")[1]) for node in cluster.nodes)  # type: ignore


def test_a_dead_seed_is_passed_over(cluster: RedisCluster, redis_sites: RedisSites) -> None:
    lines = f"127.0.0.1:{free_port()}; server {cluster.nodes[4].address}; mode cluster"
    site = redis_sites.make(lines, lines=ASKS)
    cookie = log_in_when_possible(site)
    assert is_in(site, cookie)


def test_replay_at_the_other_node(cluster: RedisCluster, redis_sites: RedisSites) -> None:
    """REPLAY"""
    a, b = redis_sites.pair(cluster.server_lines(), lines=ASKS, server="saml_base_url https://app.example.com;")
    for _ in range(6):
        copied = Copied(a)
        assert session_of(copied.post(a))
        for site in (a, b):
            again = copied.post(site)
            assert again.status == 403 and session_of(again) is None


def test_slots_that_move_under_load(cluster: RedisCluster, redis_sites: RedisSites) -> None:
    """MOVED is followed: no request of a known session, and no login, is answered wrongly."""
    a, b = redis_sites.pair(cluster.server_lines(), lines=ASKS)
    cookies = [log_in(a) for _ in range(12)]
    source, target, _ = cluster.masters()
    with ConstantRequests(a, cookies) as of_a, ConstantRequests(b, cookies) as of_b:
        for slot in {cluster.slot_of(key) for key in sessions_on(cluster, source)}:
            cluster.move_slot(slot, source, target)
            assert try_to_log_in(a) == 303
        wait_until(lambda: len(of_a.statuses) > 100 and len(of_b.statuses) > 100, 10, "some requests")
    of_a.assert_all_were(200)
    of_b.assert_all_were(200)
    assert "is gone" not in a.nginx.error_log() + b.nginx.error_log()


def test_half_moved_slots(cluster: RedisCluster, redis_sites: RedisSites) -> None:
    """ASK is followed: what moved already, and what has not."""
    site = redis_sites.make(cluster.server_lines(), lines=ASKS)
    source, target, _ = cluster.masters()
    cookies = [log_in(site) for _ in range(12)]
    while len(keys := sessions_on(cluster, source)) < 2:
        cookies.append(log_in(site))  # chance decides where a session lies
    for i, key in enumerate(keys):
        cluster.begin_move(cluster.slot_of(key), source, target)
        if i % 2 == 0:
            cluster.move_key(key, source, target)
    for _ in range(3):
        assert all(is_in(site, cookie) for cookie in cookies)
    # The first ASK may come before there is a connection to the other node, which a few more redirections bridge.
    assert target.calls().get("asking", 0) > 0
    assert "is gone" not in site.nginx.error_log()


def test_logins_into_slots_that_move(cluster: RedisCluster, redis_sites: RedisSites) -> None:
    """Every slot of a master is on its way to another: new keys are made at the target."""
    site = redis_sites.make(cluster.server_lines(), lines=ASKS)
    log_in(site)
    source, target, _ = cluster.masters()
    at_source, at_target = source.client(), target.client()
    source_id, target_id = cluster.id_of(source), cluster.id_of(target)
    for slot in range(5461):
        at_target.command("CLUSTER", "SETSLOT", slot, "IMPORTING", source_id)
        at_source.command("CLUSTER", "SETSLOT", slot, "MIGRATING", target_id)
    cookies = [log_in(site) for _ in range(12)]
    assert all(is_in(site, cookie) for cookie in cookies)
    assert target.calls().get("asking", 0) > 0


@pytest.mark.parametrize("how", ["planned", "killed"])
def test_redis_down_failover_under_load(cluster: RedisCluster, redis_sites: RedisSites, how: str) -> None:
    """REDIS-DOWN: known sessions notice nothing, logins work again once the replica serves."""
    a, b = redis_sites.pair(cluster.server_lines(cluster.nodes[1:3]), lines=ASKS)
    cookies = [log_in(a) for _ in range(9)]
    assert all(is_in(b, cookie) for cookie in cookies)
    master = cluster.masters()[0]
    with ConstantRequests(a, cookies) as of_a, ConstantRequests(b, cookies) as of_b:
        if how == "planned":
            _replica_of(cluster, master).command("CLUSTER", "FAILOVER")
            wait_until(lambda: cluster.masters()[0] is not master, 10, "the replica to take over")
        else:
            cluster.kill(master)
            cluster.wait_until_whole()
            for site in (a, b):
                site.nginx.wait_for_log("is back")
        for site in (a, b):
            assert [try_to_log_in(site) for _ in range(10)] == [303] * 10
    of_a.assert_all_were(200)
    of_b.assert_all_were(200)
    assert a.nginx.error_log().count("is gone") == a.nginx.error_log().count("is back")


def _replica_of(cluster: RedisCluster, master: RedisServer) -> RedisServer:
    wanted = f"master_port:{master.port}".encode()
    return next(node for node in cluster.nodes if wanted in bytes(node.command("INFO", "replication")))  # type: ignore


def test_redis_proto_endless_redirections_end(redis_sites: RedisSites, tmp_path: Path) -> None:
    """A node that sends every question back to itself is asked a few times, and the user told to come again."""
    server = RedisServer(tmp_path / "alone", "cluster-enabled yes", f"cluster-port {free_port()}")
    with server, FaultProxy(server.port) as proxy:
        server.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        everything = f"id 127.0.0.1:{proxy.port}@1 myself,master - 0 0 1 connected 0-16383\n".encode()
        proxy.add("CLUSTER", answer=b"$%d\r\n%s\r\n" % (len(everything), everything))
        moved = proxy.add("GET", answer=b"-MOVED 1 127.0.0.1:%d\r\n" % proxy.port)
        site = redis_sites.make(f"{proxy.address}; mode cluster", lines="grace 0;")
        assert holder_of("A" * 43, site).get(site.url("/page")).status == 503
        assert 1 < len(moved.hits) <= 10
        moved.times = 0
        wait_until(lambda: holder_of("A" * 43, site).get(site.url("/page")).status == 302, 5, "an answer")


def test_strangers_that_redirections_name_are_few(redis_sites: RedisSites, tmp_path: Path) -> None:
    """A node that is not one of ours cannot have us connect to everything."""
    server = RedisServer(tmp_path / "alone", "cluster-enabled yes", f"cluster-port {free_port()}")
    with server, FaultProxy(server.port) as proxy:
        server.command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
        everything = f"id 127.0.0.1:{proxy.port}@1 myself,master - 0 0 1 connected 0-16383\n".encode()
        proxy.add("CLUSTER", answer=b"$%d\r\n%s\r\n" % (len(everything), everything))
        for port in range(10000, 10060):
            proxy.add("GET", answer=b"-MOVED 1 127.0.0.1:%d\r\n" % port, times=1)
        site = redis_sites.make(f"{proxy.address}; mode cluster", lines="grace 0;")
        statuses = {holder_of("A" * 43, site).get(site.url("/page")).status for _ in range(60)}
        assert statuses <= {503, 302}


def test_a_server_that_is_no_cluster(redis_sites: RedisSites, tmp_path: Path) -> None:
    with RedisServer(tmp_path / "single") as server:
        site = redis_sites.make(f"{server.address}; mode cluster", lines="grace 0;")
        assert holder_of("A" * 43, site).get(site.url("/page")).status == 503
        site.nginx.wait_for_log('redis "main" is gone: no node tells of the cluster: the server says: ERR This instance has cluster')


def test_a_single_server_that_is_part_of_a_cluster(cluster: RedisCluster, redis_sites: RedisSites) -> None:
    """Without `mode cluster` what it sends elsewhere is no answer."""
    site = redis_sites.make(cluster.nodes[0], lines="grace 0;")
    assert 503 in {try_to_log_in(site) for _ in range(6)}


def test_redis_tls_auth(tmp_path: Path, keys: KeyStore, redis_sites: RedisSites) -> None:
    pair = keys.tls("redis.example.com")
    password = tmp_path / "password"
    password.write_text("word-of-nodes\n")
    password.chmod(0o600)
    with RedisCluster(tmp_path / "cluster", password="word-of-nodes", tls=pair) as cluster:
        lines = f"""password_file {password}; ssl on; ssl_trusted_certificate {pair.certificate_file};
            ssl_name redis.example.com; {ASKS}"""
        a, b = redis_sites.pair(cluster.server_lines(), lines=lines)
        for _ in range(6):
            assert is_in(b, log_in(a))
        wrong = redis_sites.make(cluster.server_lines(), lines=lines.replace("redis.example.com", "other.example.com") + "grace 0;")
        assert holder_of("A" * 43, wrong).get(wrong.url("/page")).status == 503
        wrong.nginx.wait_for_log('redis "main" is gone: no node tells of the cluster: .*certificate is refused')
