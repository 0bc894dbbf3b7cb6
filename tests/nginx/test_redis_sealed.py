"""Who reads Redis sees no user, who writes it makes no session; and what is there expires."""

from __future__ import annotations

import os
import time

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import holder_of, is_in, log_in, log_out, wait_for_subscribers
from sallyport_testing.saml_response import Attribute
from sallyport_testing.waiting import wait_until

PEOPLE = ("ada.lovelace@example.com", "grace.hopper@example.com")
ATTRIBUTES = [
    Attribute("email", ["ada.lovelace@example.com"]),
    Attribute("firstname", ["Augusta"]),
    Attribute("lastname", ["Lovelace"]),
    Attribute("groups", ["Difference Engine", "Analytical Engine"]),
    Attribute("space_name", ["Trial Space", "\r\n*1\r\n$8\r\nFLUSHALL\r\n"]),
]  # fmt: skip


@pytest.mark.parametrize("profile", ["", "saml_policy main { profile first_login; }"])
def test_redis_inj_a_dump_shows_nobody(redis: RedisServer, redis_sites: RedisSites, profile: str) -> None:
    """SID-STORE, REDIS-INJ: keys are hashes, whatever an identity holds."""
    site = redis_sites.make(redis, http=profile, **(
        {"idp_block": f"metadata {redis_sites.metadata()}; policy main;"} if profile else {}
    ))
    browser = Browser()
    request = site.idp.read_request(browser.get(site.url("/page?deep=link")))
    message = site.idp.answer(request, name_id=PEOPLE[0], attributes=ATTRIBUTES)
    assert site.idp.post(browser, message).status == 303
    cookie = browser.cookies.get("__Host-saml_session")
    assert cookie is not None
    everything = redis.dump()
    assert {key.split(":")[1] for key in everything} == {"sess", "seen", "who", "idx", "profile"}
    text = b"\n".join(key.encode() + b"\n" + value for key, value in everything.items())
    secrets = [
        cookie.value, *PEOPLE, "ada.lov", "lovelace", "Lovelace", "Augusta", "Engine", "Trial Space", "example.com", "okta", "page",
        "saml", "groups", site.idp.entity_id, site.entity_id, request.id,
    ]  # fmt: skip
    for secret in secrets:
        assert secret.encode() not in text, secret
    for part in message.xml.split(b'ID="')[1:]:
        assert part.split(b'"')[0] not in text, "an ID of the message"


def test_every_key_expires(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis)
    for number in range(3):
        log_in(site, name_id=f"user{number}@example.com")
    times = {key: int(redis.command("PTTL", key)) for key in redis.keys()}
    assert min(times.values()) > 0, times
    kinds = {key.split(":")[1]: left for key, left in times.items()}
    assert kinds["sess"] <= 3600_000
    assert kinds["who"] <= 8 * 3600_000 and kinds["idx"] <= 8 * 3600_000
    assert kinds["seen"] <= 2 * 3600_000


def test_indexes_hold_the_sessions_by_their_end(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis)
    for _ in range(2):
        log_in(site, name_id="ada@example.com")
    log_in(site, name_id="grace@example.com")
    sessions = {bytes.fromhex(key.removeprefix("sso:sess:")) for key in redis.keys("sso:sess:*")}
    by_user = [redis.command("ZRANGE", key, 0, -1, "WITHSCORES") for key in redis.keys("sso:who:*")]
    assert sorted(len(each) // 2 for each in by_user) == [1, 2]
    indexed = {member for each in by_user for member in each[::2]}
    assert indexed == sessions
    ends = [int(score) for each in by_user for score in each[1::2]]
    assert all(abs(end - (time.time() + 8 * 3600) * 1000) < 60_000 for end in ends)
    # By subject and session at the IdP, and by subject alone.
    by_session = [redis.command("ZRANGE", key, 0, -1) for key in redis.keys("sso:idx:*")]
    assert {member for each in by_session for member in each} == sessions
    assert max(len(each) for each in by_session) == 2


def test_an_index_forgets_what_has_ended(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, server="saml_session_timeout 2s;")
    log_in(site, name_id="ada@example.com")
    time.sleep(2.1)
    log_in(site, name_id="ada@example.com")
    assert [redis.command("ZCARD", key) for key in redis.keys("sso:who:*")] == [1]
    wait_until(lambda: redis.keys("sso:who:*") == [], 5, "the index to expire")


# Who writes to Redis


def records(redis: RedisServer) -> dict[str, bytes]:
    return {key: bytes(redis.command("GET", key)) for key in redis.keys("sso:sess:*")}  # type: ignore[arg-type]


FORGED = {
    "random": lambda record: os.urandom(len(record)),
    "empty": lambda record: b"",
    "truncated": lambda record: record[:-1],
    "longer": lambda record: record + b"\0",
    "head": lambda record: b"\2" + record[1:],
    "later_end": lambda record: record[:1] + (int.from_bytes(record[1:9], "big") + 1000).to_bytes(8, "big") + record[9:],
    "changed_nonce": lambda record: record[:9] + bytes([record[9] ^ 1]) + record[10:],
    "changed_tag": lambda record: record[:-1] + bytes([record[-1] ^ 1]),
    "huge": lambda record: b"\1" * 65536,
    "text": lambda record: b'{"user":"admin"}',
}


@pytest.mark.parametrize("how", FORGED)
def test_redis_poison_a_forged_record_is_nobody(redis: RedisServer, redis_sites: RedisSites, how: str) -> None:
    """REDIS-POISON"""
    site = redis_sites.make(redis, lines="cache_time 0;")
    cookie = log_in(site)
    [(key, record)] = records(redis).items()
    redis.command("SET", key, FORGED[how](record), "PX", 3600_000)
    assert not is_in(site, cookie)
    redis.command("SET", key, record, "PX", 3600_000)
    assert is_in(site, cookie)


def test_a_changed_body_is_refused_everywhere(redis: RedisServer, redis_sites: RedisSites) -> None:
    """On a node whose zone has the session, and on one that has not."""
    a, b = redis_sites.pair(redis, lines="cache_time 0;")
    cookie = log_in(a, name_id="ada@example.com")
    [(key, record)] = records(redis).items()
    for at in (40, 60, len(record) - 20):
        redis.command("SET", key, record[:at] + bytes([record[at] ^ 1]) + record[at + 1 :], "PX", 3600_000)
        assert not is_in(a, cookie) and not is_in(b, cookie)
    redis.command("SET", key, record, "PX", 3600_000)
    assert is_in(a, cookie) and is_in(b, cookie)


def test_redis_poison_swapped_records_are_nobody(redis: RedisServer, redis_sites: RedisSites) -> None:
    """REDIS-POISON"""
    site = redis_sites.make(redis, lines="cache_time 0;")
    ada = log_in(site, name_id="ada@example.com")
    [(ada_key, ada_record)] = records(redis).items()
    grace = log_in(site, name_id="grace@example.com")
    grace_key = next(key for key in records(redis) if key != ada_key)
    redis.command("SET", grace_key, ada_record, "PX", 3600_000)
    assert not is_in(site, grace)
    assert is_in(site, ada)


def test_redis_poison_a_cookie_of_ones_choice_opens_nothing(redis: RedisServer, redis_sites: RedisSites) -> None:
    """An attacker who writes to Redis puts somebody's record under the hash of a cookie that he knows."""
    import base64
    import hashlib

    site = redis_sites.make(redis, lines="cache_time 0;")
    log_in(site)
    [(_, record)] = records(redis).items()
    identifier = os.urandom(32)
    cookie = base64.urlsafe_b64encode(identifier).decode().rstrip("=")
    redis.command("SET", f"sso:sess:{hashlib.sha256(identifier).hexdigest()}", record, "PX", 3600_000)
    assert not is_in(site, cookie)
    site.nginx.wait_for_log("a session's record in Redis is refused")


@pytest.mark.parametrize("command", [("LPUSH", "x"), ("HSET", "a", "b"), ("SADD", "x"), ("ZADD", "1", "x")])
def test_redis_poison_a_key_of_another_type_is_nobody(redis: RedisServer, redis_sites: RedisSites, command: tuple[str, ...]) -> None:
    site = redis_sites.make(redis, lines="cache_time 0; grace 0;")
    cookie = log_in(site)
    key = redis.keys("sso:sess:*")[0]
    redis.command("DEL", key)
    redis.command(command[0], key, *command[1:])
    answer = holder_of(cookie, site).get(site.url("/page"))
    assert answer.status == 503, "what is no answer tells nothing"
    redis.command("DEL", key)
    assert not is_in(site, cookie)


def test_an_older_record_of_an_ended_session_does_not_bring_it_back(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="cache_time 0;")
    cookie = log_in(site)
    [(key, record)] = records(redis).items()
    log_out(site, cookie)
    redis.command("SET", key, record, "PX", 3600_000)
    assert not is_in(site, cookie)


# The secret


def test_nodes_with_different_secrets_are_strangers(redis: RedisServer, redis_sites: RedisSites) -> None:
    a = redis_sites.make(redis)
    b = redis_sites.make(redis, secret=str(redis_sites.secret_file("another secret of at least 32 bytes", "other")))
    cookie = log_in(a)
    assert not is_in(b, cookie)
    assert is_in(a, cookie)


def test_a_changed_secret_keeps_sessions_and_attempts(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(redis, lines="cache_time 0;")
    cookie = log_in(site, name_id="ada@example.com")
    begun = Browser()
    request = site.idp.read_request(begun.get(site.url("/page")))
    new = redis_sites.secret_file("another secret of at least 32 bytes", "new")
    configured = site.nginx.config_file.read_text()
    old = redis_sites.secret_file()
    for line, lives in ((f"saml_secret_file {new} {old};", True), (f"saml_secret_file {new};", False)):
        site.nginx.config_file.write_text(configured.replace(f"saml_secret_file {old};", line))
        site.nginx.stop()
        site.nginx.start()
        assert is_in(site, cookie) is lives
        if lives:
            assert site.idp.post(begun, site.idp.answer(request)).status == 303
            renewed = log_in(site)
    assert is_in(site, renewed)


@pytest.mark.parametrize("lines", ["cache_time 0;", "cache_time 1h;"])
def test_a_secret_that_is_given_up_ends_its_sessions(redis: RedisServer, redis_sites: RedisSites, lines: str) -> None:
    """A reload is enough: copies in the zone do not outlive the secret that opened them."""
    site = redis_sites.make(redis, lines=lines)
    cookie = log_in(site)
    wait_for_subscribers(redis, 1)
    assert is_in(site, cookie)
    configured, old = site.nginx.config_file.read_text(), redis_sites.secret_file()
    new = redis_sites.secret_file("another secret of at least 32 bytes", "new")
    for line, lives in ((f"saml_secret_file {new} {old};", True), (f"saml_secret_file {new};", False)):
        site.nginx.config_file.write_text(configured.replace(f"saml_secret_file {old};", line))
        site.nginx.reload()
        wait_for_subscribers(redis, 1)
        wait_until(lambda lives=lives: is_in(site, cookie) is lives, 3, f"the session to be {lives}")


def test_the_secret_is_not_in_redis(redis: RedisServer, redis_sites: RedisSites) -> None:
    from sallyport_testing.redis_nodes import SECRET

    site = redis_sites.make(redis)
    log_in(site)
    assert all(SECRET.encode() not in value for value in redis.dump().values())
    assert SECRET not in site.nginx.error_log()


def test_first_profile_is_every_nodes(redis: RedisServer, redis_sites: RedisSites) -> None:
    policy = "saml_policy main { profile first_login; }"
    block = f"metadata {redis_sites.metadata()}; policy main;"
    a, b = redis_sites.pair(redis, http=policy, idp_block=block)
    names = [Attribute("firstname", ["Ada"]), Attribute("firstname", ["Augusta"])]
    log_in(a, name_id="ada@example.com", attributes=names[:1])
    cookie = log_in(b, name_id="ada@example.com", attributes=names[1:])
    assert holder_of(cookie, b).get(b.url("/page")).echo().header("X-SSO-First-Name") == "Ada"
