"""`users redis`: the operator's list as hashes, which count at logins and for running sessions without a reload."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.fault_proxy import FaultProxy
from sallyport_testing.policy_site import sent
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import SESSION, holder_of, log_in, value_of
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_until

GROUPS = "group Engineering; group Ops; space Trial; space QA; role Admin; role Member default;"
ADA = {"name_id": "00u4k2f9", "attributes": sent(email="ada@example.com")}
KEY = "sso:user:00u4k2f9"


class Listed:
    """One or two nodes with a policy whose list of users is in Redis."""

    def __init__(self, redis: RedisServer, sites: RedisSites) -> None:
        self.redis = redis
        self.sites = sites

    def node(self, policy: str = "", *, lines: str = "cache_time 0;", at: str | None = None, idp: str = "", **parts: str) -> SamlSite:
        return self.sites.make(
            at or self.redis, lines=lines, http=f"saml_policy main {{ {GROUPS} users redis; {policy} }}\n",
            idp_block=f"metadata {self.sites.metadata()}; policy main; {idp}", **parts,
        )  # fmt: skip

    def set(self, key: str, **fields: str) -> None:
        self.redis.command("HSET", key, *(word for pair in fields.items() for word in pair))


@pytest.fixture
def listed(redis: RedisServer, redis_sites: RedisSites) -> Listed:
    return Listed(redis, redis_sites)


def refusal(site: SamlSite, **changes: object) -> tuple[int, str]:
    answer = site.idp.login(Browser(), site.url("/page"), **{**ADA, **changes})
    if answer.status == 303:
        return 303, ""
    return answer.status, site.nginx.wait_for_log(r"login refused reason=(\w+)").group(1)


def given(site: SamlSite, cookie: str) -> tuple[str | None, str | None]:
    echo = holder_of(cookie, site).get(site.url("/page")).echo()
    return echo.header("X-SSO-Groups"), echo.header("X-SSO-Spaces")


def status(site: SamlSite, cookie: str) -> tuple[int, int]:
    """Of a page and of /saml/session."""
    holder = holder_of(cookie, site)
    return holder.get(site.url("/page")).status, holder.get(site.url("/saml/session")).status


IN, OUT, UNKNOWN = (200, 200), (302, 401), (503, 503)


def test_who_is_not_listed_is_not_provisioned(listed: Listed) -> None:
    site = listed.node("provisioning required;")
    assert refusal(site) == (403, "not_provisioned")
    listed.set(KEY, disabled="0")
    assert refusal(site) == (303, "")


def test_groups_and_spaces_of_the_hash(listed: Listed) -> None:
    listed.set(KEY, group="Engineering, Unknown", space="Trial:Admin,QA,Other:Admin")
    site = listed.node()
    assert given(site, log_in(site, **ADA)) == ("Engineering", "Trial=Admin,QA=Member")


def test_a_list_is_percent_decoded(listed: Listed) -> None:
    listed.set(KEY, group="Ops%2C West,Sales%20%25")
    site = listed.sites.make(
        listed.redis, http="saml_policy main { users redis; }",
        idp_block=f"metadata {listed.sites.metadata()}; policy main;",
    )  # fmt: skip
    assert given(site, log_in(site, **ADA))[0] == "Ops%2C West,Sales %25"


def test_who_is_disabled_is_refused(listed: Listed) -> None:
    site = listed.node()
    listed.set(KEY, disabled="1", group="Engineering")
    assert refusal(site) == (403, "user_disabled")


def test_an_address_counts_where_the_idp_may_name_it(listed: Listed) -> None:
    listed.set("sso:user:ada@example.com", group="Engineering")
    covered = listed.node("provisioning required;", idp="email_domains example.com;")
    assert given(covered, log_in(covered, name_id="00u1", attributes=sent(email="Ada@Example.com")))[0] == "Engineering"
    foreign = listed.node("provisioning required;")
    assert refusal(foreign, name_id="00u1") == (403, "not_provisioned")


def test_who_is_disabled_by_address_does_not_get_in_by_another_spelling(listed: Listed) -> None:
    listed.set("sso:user:ada@example.com", disabled="yes")
    site = listed.node()
    assert refusal(site, name_id="ADA@example.com", attributes=[]) == (403, "user_disabled")
    assert refusal(site, name_id="00u4k2f9") == (403, "user_disabled")


def test_the_hash_of_another_idp_is_not_ours(listed: Listed) -> None:
    listed.set(KEY, idp="other", group="Engineering")
    site = listed.node("provisioning required;")
    assert refusal(site) == (403, "not_provisioned")


# Running sessions


@pytest.mark.parametrize("change", ["disabled", "removed"])
def test_running_sessions_end_at_both_nodes(listed: Listed, change: str) -> None:
    listed.set(KEY, group="Engineering")
    a, b = listed.node("provisioning required;"), listed.node("provisioning required;")
    cookie, other = log_in(a, **ADA), log_in(a, **ADA)
    assert status(a, cookie) == status(b, cookie) == status(b, other) == IN
    if change == "disabled":
        listed.set(KEY, disabled="1")
    else:
        listed.redis.command("DEL", KEY)
    assert status(a, cookie) == status(b, other) == OUT
    assert status(b, cookie) == status(a, other) == OUT
    reason = "user_disabled" if change == "disabled" else "not_provisioned"
    a.nginx.wait_for_log(f"session ended by changed rules reason={reason} idp=test user=00u4k2f9")


def test_what_is_given_and_taken_counts_at_the_next_request(listed: Listed) -> None:
    a, b = listed.node(), listed.node()
    cookie = log_in(a, **ADA)
    assert given(a, cookie) == given(b, cookie) == (None, None)
    listed.set(KEY, group="Engineering")
    assert given(a, cookie) == given(b, cookie) == ("Engineering", None)
    a.nginx.wait_for_log(r"session resolved by changed rules idp=test user=00u4k2f9 \+Engineering")
    listed.set(KEY, group="Ops", space="Trial:Admin")
    assert given(a, cookie) == given(b, cookie) == ("Ops", "Trial=Admin")
    listed.redis.command("DEL", KEY)
    assert given(a, cookie) == given(b, cookie) == (None, None)


def test_within_cache_time(listed: Listed) -> None:
    """The list is asked for once in cache_time, and what it says counts then, on every worker."""
    site = listed.node(lines="cache_time 1s;", workers=2)
    cookie = log_in(site, **ADA)
    wait_until(lambda: given(site, cookie) == (None, None), 1, "an answer")
    listed.set(KEY, disabled="1")
    wait_until(lambda: status(site, cookie) == OUT, 3, "the end of the session")


def test_a_login_counts_before_what_a_worker_remembers(listed: Listed) -> None:
    """Who was not listed a moment ago, and logs in as somebody who is, is not thrown out by it."""
    site = listed.node("provisioning required;", lines="cache_time 1h;")
    listed.set(KEY, group="Engineering")
    cookie = log_in(site, **ADA)
    assert given(site, cookie)[0] == "Engineering"
    listed.set(KEY, group="Ops")
    later = log_in(site, **ADA)
    assert given(site, later)[0] == "Ops"
    assert given(site, cookie)[0] in ("Engineering", "Ops")
    listed.redis.command("DEL", KEY)
    assert refusal(site) == (403, "not_provisioned")


def test_on_change_login(listed: Listed) -> None:
    site = listed.node("on_change login;")
    cookie = log_in(site, **ADA)
    listed.set(KEY, group="Engineering", disabled="1")
    listed.redis.reset_calls()
    assert given(site, cookie) == (None, None)
    assert "hmget" not in listed.redis.calls()
    assert refusal(site) == (403, "user_disabled")


def test_a_warm_session_asks_nothing(listed: Listed) -> None:
    site = listed.node(lines="cache_time 1h;")
    listed.set(KEY, group="Engineering")
    cookie = log_in(site, **ADA)
    assert given(site, cookie)[0] == "Engineering"
    listed.redis.reset_calls()
    for _ in range(20):
        assert given(site, cookie)[0] == "Engineering"
    assert {"hmget", "get"} & set(listed.redis.calls()) == set()


def test_many_at_once_ask_once(listed: Listed, proxy: FaultProxy) -> None:
    site = listed.node(lines="cache_time 1h; timeout 2s;", at=proxy.address)
    listed.set(KEY, group="Engineering")
    cookie = log_in(site, **ADA)
    proxy.delay = 0.3
    listed.redis.reset_calls()
    with ThreadPoolExecutor(40) as pool:
        groups = set(pool.map(lambda _: given(site, cookie)[0], range(40)))
    assert groups == {"Engineering"}
    assert listed.redis.calls().get("hmget", 0) <= 4


# When Redis does not tell


def test_a_key_of_another_type_lets_nobody_in(listed: Listed) -> None:
    site = listed.node()
    cookie = log_in(site, **ADA)
    listed.redis.command("SET", KEY, "text")
    assert status(site, cookie) == UNKNOWN
    assert refusal(site) == (503, "store_unavailable")
    site.nginx.wait_for_log('redis "main": Redis could not be asked for the user: WRONGTYPE')
    listed.redis.command("DEL", KEY)
    assert status(site, cookie) == IN


def test_no_permission_lets_nobody_in(listed: Listed) -> None:
    site = listed.node()
    cookie = log_in(site, **ADA)
    listed.redis.command("ACL", "SETUSER", "default", "-hmget")
    assert status(site, cookie) == UNKNOWN
    assert refusal(site) == (503, "store_unavailable")
    site.nginx.wait_for_log('redis "main": Redis could not be asked for the user: NOPERM')
    listed.redis.command("ACL", "SETUSER", "default", "+hmget")
    assert status(site, cookie) == IN


def test_known_sessions_live_for_grace(listed: Listed, proxy: FaultProxy) -> None:
    site = listed.node("provisioning required;", lines="cache_time 0; grace 1h; timeout 300ms;", at=proxy.address)
    listed.set(KEY, group="Engineering")
    cookie = log_in(site, **ADA)
    assert given(site, cookie)[0] == "Engineering"
    proxy.refuse()
    assert given(site, cookie)[0] == "Engineering"
    assert refusal(site) == (503, "store_unavailable")
    listed.set(KEY, disabled="1")
    proxy.heal()
    wait_until(lambda: status(site, cookie) == OUT, 3, "the end of the session")


def test_subrequests_wait_too(listed: Listed) -> None:
    """A public page with a part that needs a session, and so the list."""
    site = listed.node(
        locations="location /public/ { ssi on; proxy_pass http://%%upstream%%/; } "
        "location /part { auth_saml test; proxy_pass http://%%upstream%%; }"
    )
    cookie = log_in(site, **ADA)
    listed.set(KEY, group="Engineering")
    holder_of(cookie, site).get(site.url("/public/ssi?include=/part"))
    assert site.upstream.last.header("X-SSO-Groups") == "Engineering"
    listed.set(KEY, disabled="1")
    before = len(site.upstream.requests)
    holder_of(cookie, site).get(site.url("/public/ssi?include=/part"))
    assert [request.uri for request in site.upstream.requests[before:]] == ["/ssi?include=/part"]


# Profiles of first logins


def test_a_changed_policy_finds_the_first_profile_in_redis(redis: RedisServer, redis_sites: RedisSites) -> None:
    """Also what the policy did not know when the session was made."""

    def parts(spaces: str) -> dict[str, str]:
        return {
            "http": f"saml_policy main {{ {spaces} role Member default; profile first_login; }}",
            "idp_block": f"metadata {redis_sites.metadata()}; policy main;",
        }

    def spaces(site: SamlSite, cookie: str) -> str | None:
        return given(site, cookie)[1]

    a = redis_sites.make(redis, lines="cache_time 0;", **parts("space Trial; space QA;"))
    first = {"name_id": "00u1", "attributes": sent(space_name=["Trial", "QA"], space_role=["Member", "Member"])}
    assert spaces(a, log_in(a, **first)) == "Trial=Member,QA=Member"
    b = redis_sites.make(redis, lines="cache_time 0;", **parts("space Trial;"))
    browser = Browser()
    later = {"name_id": "00u1", "attributes": sent(space_name="Other", space_role="Member")}
    assert b.login(browser, "/page", **later).echo().header("X-SSO-Spaces") == "Trial=Member"
    # The other node's policy knows both.
    assert spaces(a, value_of(browser)) == "Trial=Member,QA=Member"


def test_two_nodes_whose_files_are_of_different_times(redis: RedisServer, redis_sites: RedisSites, tmp_path: Path) -> None:
    """Neither a file's time nor a node's start says anything about the list."""
    nodes = []
    for name in ("earlier", "later"):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "acme.conf").write_text(f"metadata {redis_sites.metadata()}; policy main;\n")
        policy = f"saml_policy main {{ {GROUPS} users redis; }} saml_idp_directory {folder};"
        nodes.append(redis_sites.make(redis, lines="cache_time 0;", http=policy, auth_saml="acme"))
        time.sleep(2.1)
    earlier, later = nodes
    redis.command("HSET", KEY, "idp", "acme", "group", "Engineering")
    cookie = log_in(later, **ADA)
    assert given(earlier, cookie)[0] == given(later, cookie)[0] == "Engineering"
    redis.command("HSET", KEY, "group", "Ops")
    assert given(earlier, cookie)[0] == given(later, cookie)[0] == "Ops"
    redis.command("HSET", KEY, "disabled", "1")
    assert status(earlier, cookie) == OUT


def test_a_memory_that_is_too_large_keeps_nobody_out(redis: RedisServer, redis_sites: RedisSites) -> None:
    site = redis_sites.make(
        redis, lines="cache_time 0;", http="saml_policy main { profile first_login; }", server="saml_header_overflow cut;",
        idp_block=f"metadata {redis_sites.metadata()}; policy main;",
    )  # fmt: skip
    spaces = ",".join(f"s{number}" for number in range(250))
    large = {"name_id": "00u1", "attributes": sent(space_name=spaces, space_role="R" * 200)}
    for _ in range(3):
        assert site.idp.login(Browser(), site.url("/page"), **large).status == 303
    (memory,) = redis.keys("sso:profile:*")
    assert int(redis.command("STRLEN", memory)) < 64 * 1024


def test_who_cannot_be_asked_about_lives_on_for_grace(listed: Listed, proxy: FaultProxy) -> None:
    """As where the user's hash lies on a server of a cluster that is away, and the session on another."""
    site = listed.node(lines="cache_time 0; grace 2s;", at=f"127.0.0.1:{proxy.port}")
    cookie = log_in(site, **ADA)
    listed.set(KEY, disabled="1")
    fault = proxy.add("HMGET", cut=True)

    def page() -> int:
        return holder_of(cookie, site).get(site.url("/page")).status

    assert page() == 200
    wait_until(lambda: page() == 503, 10, "the end of grace")
    for _ in range(20):
        assert page() == 503
        time.sleep(0.1)
    assert len(fault.hits) > 2, "the session itself was confirmed again and again"
    proxy.heal()
    wait_until(lambda: page() != 503, 10, "Redis to be asked again")
    assert page() == 302


# Rules that change


def spaces(site: SamlSite, cookie: str) -> str | None:
    return given(site, cookie)[1]


def keeping_first_profiles(sites: RedisSites, proxy: FaultProxy, policy: str) -> SamlSite:
    return sites.make(
        proxy.address, lines="cache_time 0;",
        http=f"saml_policy main {{ role Member default; profile first_login; {policy} }}",
        idp_block=f"metadata {sites.metadata()}; policy main;",
    )  # fmt: skip


def test_a_listed_space_is_not_of_the_first_profile(
    redis: RedisServer, redis_sites: RedisSites, proxy: FaultProxy, tmp_path: Path
) -> None:
    """Not even where the answer about the first profile is lost, which the session stands in for."""
    users = tmp_path / "users.conf"
    users.write_text("user 00u1 space=QA:Admin;\n")
    site = keeping_first_profiles(redis_sites, proxy, f"space Trial; space QA; role Admin; users {users};")
    cookie = log_in(site, name_id="00u1", attributes=sent(space_name="Trial", space_role="Member"))
    assert spaces(site, cookie) == "Trial=Member,QA=Admin"
    users.write_text("user 00u1;\n")
    proxy.add("GET", key="profile", cut=True, times=2)
    site.nginx.reload()
    assert spaces(site, cookie) == "Trial=Member"
    proxy.heal()
    wait_until(lambda: spaces(site, cookie) == "Trial=Member", 5, "Redis to be back")


def test_a_first_profile_that_could_not_be_asked_is_asked_again(
    redis: RedisServer, redis_sites: RedisSites, proxy: FaultProxy, tmp_path: Path
) -> None:
    """What only stood in for it is no resolution: a space that becomes known is the user's when Redis tells."""
    policy = tmp_path / "policy.conf"
    policy.write_text("space Trial; space QA;")
    site = keeping_first_profiles(redis_sites, proxy, f"include {policy};")
    cookie = log_in(site, name_id="00u1", attributes=sent(space_name=["Trial", "QA"]))
    policy.write_text("space Trial;")
    site.nginx.reload()
    assert spaces(site, cookie) == "Trial=Member"
    policy.write_text("space Trial; space QA;")
    proxy.add("GET", key="profile", cut=True, times=2)
    site.nginx.reload()
    assert spaces(site, cookie) == "Trial=Member"
    proxy.heal()
    wait_until(lambda: spaces(site, cookie) == "Trial=Member,QA=Member", 5, "the first profile")


def test_a_draining_worker_leaves_what_a_newer_one_resolved(listed: Listed, tmp_path: Path) -> None:
    policy = tmp_path / "policy.conf"
    policy.write_text("group Platform idp_id=platform;\n")
    site = listed.sites.make(
        listed.redis, lines="cache_time 0;", http=f"saml_policy main {{ users redis; include {policy}; }}",
        idp_block=f"metadata {listed.sites.metadata()}; policy main;",
    )  # fmt: skip
    cookie = log_in(site, **{**ADA, "attributes": sent(groups="platform")})
    assert given(site, cookie)[0] == "Platform"
    half = f"GET /page HTTP/1.1\r\nHost: {site.host}\r\nCookie: {SESSION}={cookie}\r\n"
    with RawConnection(site.url()) as old, RawConnection(site.url()) as disabled:
        old.send(half)
        disabled.send(half)
        policy.write_text("group Platform idp_id=other;\n")
        site.nginx.reload(wait_for_old=False)
        assert given(site, cookie)[0] is None
        assert old.send("Connection: close\r\n\r\n").response().echo().header("X-SSO-Groups") is None
        assert given(site, cookie)[0] is None
        listed.set(KEY, disabled="1")
        assert disabled.send("Connection: close\r\n\r\n").response().status == 302, "the list counts there too"


@pytest.mark.parametrize("required", [True, False])
def test_another_source_of_the_address_asks_for_that_one(listed: Listed, tmp_path: Path, required: bool) -> None:
    line = tmp_path / "idp.conf"
    line.write_text("attribute email mail;\n")
    site = listed.node(
        "provisioning required;" if required else "", idp=f"email_domains example.com; include {line};"
    )
    listed.set("sso:user:old@example.com", group="Engineering")
    listed.set("sso:user:new@example.com", **({"group": "Ops"} if required else {"disabled": "1"}))
    cookie = log_in(site, name_id="00u1", attributes=sent(mail="old@example.com", work="new@example.com"))
    assert given(site, cookie)[0] == "Engineering"
    line.write_text("attribute email work;\n")
    site.nginx.reload()
    assert [status(site, cookie)[0] for _ in range(3)] == [200 if required else 302] * 3
    assert not required or given(site, cookie)[0] == "Ops"


def test_rules_that_change_during_a_login(
    redis: RedisServer, redis_sites: RedisSites, proxy: FaultProxy, tmp_path: Path
) -> None:
    """Who the user is was decided by the rules before: such a login is begun anew."""
    folder = tmp_path / "idps"
    folder.mkdir()
    file = folder / "acme.conf"
    file.write_text(f"metadata {redis_sites.metadata()}; email_domains example.com;\n")
    site = redis_sites.make(
        proxy.address, lines="cache_time 0; timeout 30s;", http=f"saml_idp_directory {folder};", auth_saml="acme"
    )
    who = {"name_id": "00u1", "attributes": sent(email="ada@example.com")}
    assert log_in(site, **who)
    browser = Browser()
    proxy.delay = 5
    with ThreadPoolExecutor(1) as pool:
        login = pool.submit(lambda: site.idp.login(browser, site.url("/page"), **who))
        time.sleep(1)
        file.write_text(f"metadata {redis_sites.metadata()}; email_domains example.org;\n")
        site.nginx.wait_for_log('saml_idp "acme" of .* is in force anew')
        proxy.delay = 0
        assert login.result().status in (403, 503)
    site.nginx.wait_for_log("the saml_idp went or changed while the login was under way")
    assert browser.get(site.url("/page")).status == 302


def test_without_grace_nobody_passes_unasked(listed: Listed, proxy: FaultProxy) -> None:
    """Not even the first request of each user and worker."""
    site = listed.node(lines="cache_time 0; grace 0;", at=f"127.0.0.1:{proxy.port}")
    cookie = log_in(site, **ADA)
    proxy.add("HMGET", cut=True)
    assert [status(site, cookie) for _ in range(3)] == [UNKNOWN] * 3
    proxy.heal()
    wait_until(lambda: status(site, cookie) == IN, 10, "Redis to be asked again")
