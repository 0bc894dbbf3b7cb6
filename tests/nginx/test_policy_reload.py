"""A changed policy and the sessions that run: `on_change`, once per session, and never back by an older worker."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http_response import Response
from sallyport_testing.policy_site import ECHO, USER, PolicySite, sent
from sallyport_testing.posted_answer import PostedAnswer
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.site import SamlSite

RESOLVED = "saml: session resolved by changed rules"
ENDED = "saml: session ended by changed rules"
SESSION = "__Host-saml_session"

RULES = """
    space Trial; space DevOps; role "Space Admin"; role "Space Member" default;
    group Platform idp_id=platform; group Engineering; map_group department exact R&D Engineering;
"""
FEWER = RULES.replace("idp_id=platform", "idp_id=other").replace("space DevOps;", "")
SENT = {"groups": "platform", "department": "R&D", "space_name": "Trial,DevOps", "space_role": "Space Admin,Space Admin"}


@pytest.fixture
def policies(site: SamlSite) -> PolicySite:
    return PolicySite(site)


def seen(policies: PolicySite, browser: Browser) -> tuple[str | None, str | None]:
    echo = policies.page(browser)
    return echo.header("X-SSO-Groups"), echo.header("X-SSO-Spaces")


def is_out(policies: PolicySite, browser: Browser) -> bool:
    """Whether pages lead to the login again, and nobody is in for /saml/session either."""
    before = len(policies.site.upstream.requests)
    statuses = {browser.get(policies.site.url("/page")).status, browser.fetch(policies.site.url("/saml/session")).status}
    assert statuses in ({302, 401}, {200}), statuses
    assert (len(policies.site.upstream.requests) == before) == (statuses != {200})
    return statuses != {200}


def login_is_refused(policies: PolicySite, reason: str, user: str = USER, **values: str) -> Response:
    answer = policies.site.refused(Browser(), name_id=user, attributes=sent(**values))
    policies.nginx.wait_for_log(f"saml: login refused reason={reason} idp=test")
    return answer


# Groups, spaces and roles


def test_a_reload_takes_and_gives_at_the_next_request(policies: PolicySite, browser: Browser) -> None:
    policies.start(RULES)
    policies.login(browser=browser, **SENT)
    all_of_it = ("Platform,Engineering", "Trial=Space Admin,DevOps=Space Admin")
    assert seen(policies, browser) == all_of_it
    policies.change(policy=FEWER)
    assert seen(policies, browser) == ("Engineering", "Trial=Space Admin")
    policies.change(policy=RULES.replace('role "Space Admin";', ""))
    assert seen(policies, browser) == ("Platform,Engineering", "Trial=Space Member,DevOps=Space Member")
    policies.change(policy=RULES)
    assert seen(policies, browser) == all_of_it
    lines = [line.partition(RESOLVED)[2].partition(", client: ")[0] for line in policies.logged(RESOLVED)]
    assert lines == [
        f' idp=test user={USER} -Platform "-DevOps=Space Admin"',
        f' idp=test user={USER} +Platform "+Trial=Space Member" "+DevOps=Space Member" "-Trial=Space Admin"',
        f' idp=test user={USER} "+Trial=Space Admin" "+DevOps=Space Admin" "-Trial=Space Member" "-DevOps=Space Member"',
    ]
    assert all("[notice]" in line for line in policies.logged(RESOLVED))


def test_all_that_is_told_of_a_session_is_resolved(policies: PolicySite, browser: Browser) -> None:
    """/saml/session, variables and saml_require see the same; what is no matter of the policy stays."""
    require = f"location /engineers/ {{ auth_saml test; saml_require group=Engineering; {ECHO} }}"
    policies.start(RULES, locations=require, location="saml_header X-Groups $saml_groups;")
    echo = policies.login(browser=browser, first_name="Stu", timezone="Europe/Berlin", **SENT)
    session = browser.fetch(policies.site.url("/saml/session")).json()
    assert browser.get(policies.site.url("/engineers/")).status == 200
    policies.change(policy="group Only idp_id=platform;")
    assert browser.get(policies.site.url("/engineers/")).status == 403
    changed = browser.fetch(policies.site.url("/saml/session")).json()
    assert changed == {**session, "groups": ["Only"]}
    page = policies.page(browser)
    assert page.header("X-Groups") == "Only"
    assert page.with_prefix("X-SSO-") == {**echo.with_prefix("X-SSO-"), "X-SSO-Groups": "Only"}


def test_on_change_login_waits_for_the_next_login(policies: PolicySite, browser: Browser) -> None:
    policies.start(RULES + "on_change login;")
    policies.login(browser=browser, **SENT)
    before = seen(policies, browser)
    policies.change(policy=FEWER + "on_change login;")
    assert seen(policies, browser) == before
    assert policies.logged(RESOLVED) == []
    echo = policies.login(**SENT)
    assert (echo.header("X-SSO-Groups"), echo.header("X-SSO-Spaces")) == ("Engineering", "Trial=Space Admin")
    assert seen(policies, browser) == before, "another session's login is not this one's"
    policies.change(policy=FEWER + "on_change resolve;")
    assert seen(policies, browser) == ("Engineering", "Trial=Space Admin")


def test_a_policy_comes_and_goes(policies: PolicySite, browser: Browser) -> None:
    """A saml_idp without a policy that gets one, and the other way."""
    policies.start(None)
    policies.login(browser=browser, **SENT)
    assert seen(policies, browser) == ("platform", "Trial=Space Admin,DevOps=Space Admin")
    policies.change(policy=FEWER)
    assert seen(policies, browser) == ("Engineering", "Trial=Space Admin")
    policies.change(policy=None)
    assert seen(policies, browser) == ("platform", "Trial=Space Admin,DevOps=Space Admin")
    assert len(policies.logged(RESOLVED)) == 2


def test_attributes_that_mean_something_else(policies: PolicySite, browser: Browser) -> None:
    policies.start(RULES)
    policies.login(browser=browser, team="platform", **SENT)
    policies.change(policy=RULES + "groups_from team; spaces_from nothing;")
    assert seen(policies, browser) == ("Platform,Engineering", None)
    policies.change(idp="attribute department team;")
    assert seen(policies, browser) == ("Platform", None)


# Users


NOBODY = "# nobody is left\n"
LISTED = f"user {USER} group=Manual; user other@example.com;"


@pytest.mark.parametrize(
    ("policy", "users", "reason"),
    [
        ("provisioning optional;", LISTED.replace("group=Manual", "disabled"), "user_disabled"),
        ("provisioning required;", LISTED.replace("group=Manual", "disabled"), "user_disabled"),
        ("provisioning required;", "user other@example.com;", "not_provisioned"),
        ("provisioning required;", NOBODY, "not_provisioned"),
    ],
)
def test_who_is_disabled_or_removed_is_out(
    policies: PolicySite, browser: Browser, policy: str, users: str, reason: str
) -> None:
    policies.start("group Manual;" + policy, users=LISTED)
    assert policies.login(browser=browser).header("X-SSO-Groups") == "Manual"
    other = Browser()
    policies.login("other@example.com", browser=other)
    policies.change(users=users)
    assert is_out(policies, browser) and is_out(policies, browser)
    (line,) = policies.logged(ENDED)
    assert f"reason={reason} idp=test user={USER} " in line and "[notice]" in line
    login_is_refused(policies, reason)
    assert is_out(policies, other) == (users == NOBODY)
    policies.change(users=LISTED)
    assert is_out(policies, browser), "what has ended stays ended"
    assert policies.login(browser=browser).header("X-SSO-Groups") == "Manual"


def test_who_is_no_longer_listed_where_that_is_optional(policies: PolicySite, browser: Browser) -> None:
    policies.start("group Manual;", users=LISTED)
    policies.login(browser=browser)
    policies.change(users=NOBODY)
    assert seen(policies, browser) == (None, None)
    policies.change(users=LISTED.replace("group=Manual", "space=Some:Boss group=Manual"))
    assert seen(policies, browser) == ("Manual", "Some=Boss")


def test_who_is_disabled_stays_in_until_the_next_login(policies: PolicySite, browser: Browser) -> None:
    policies.start("group Manual; on_change login;", users=LISTED)
    policies.login(browser=browser)
    policies.change(users=LISTED.replace("group=Manual", "disabled"))
    assert seen(policies, browser) == ("Manual", None)
    login_is_refused(policies, "user_disabled")


def test_who_is_out_is_anonymous_where_that_is_allowed(policies: PolicySite, browser: Browser) -> None:
    policies.start("", users=LISTED, location="auth_saml_mode optional;")
    policies.site.login(browser, "/saml/login?return=/page")
    policies.change(users=LISTED.replace("group=Manual", "disabled"))
    assert policies.page(browser).with_prefix("X-SSO-") == {}


def test_other_rules_that_a_session_no_longer_meets(policies: PolicySite, browser: Browser) -> None:
    """Its address is in none of the domains any more; its user would be another one; its groups are a link."""
    link = {"http://schemas.microsoft.com/claims/groups.link": "https://graph.example.com/"}
    policies.start("group A idp_id=a;")
    for change, reason, values in (
        ({"idp": "email_domains example.org;"}, "email_domain_not_allowed", {"email": "ada@example.com"}),
        ({"idp": "user uid;"}, "no_user", {"uid": "ada-1"}),
        ({"policy": "group A idp_id=a; group_overage refuse;"}, "group_overage", link),
    ):
        visitor = Browser()
        policies.login("ada@example.com", browser=visitor, **values)
        policies.change(**change)
        assert is_out(policies, visitor)
        assert f"reason={reason} idp=test user=ada@example.com " in policies.logged(ENDED)[-1]
        policies.change(idp="")


# Once


def many_requests(policies: PolicySite, browsers: list[Browser], times: int) -> set[tuple[str | None, str | None]]:
    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(lambda browser: seen(policies, browser), browsers * times))


def test_a_session_is_resolved_once_by_all_workers_together(policies: PolicySite) -> None:
    pids = policies.nginx.folder / "pids.log"
    policies.start(RULES, http=f"log_format pids '$pid'; access_log {pids} pids;")
    browsers = [Browser() for _ in range(4)]
    for number, browser in enumerate(browsers):
        policies.login(f"user{number}@example.com", browser=browser, **SENT)
    for policy, groups in ((FEWER, "Engineering"), (RULES, "Platform,Engineering")):
        before = len(policies.logged(RESOLVED))
        policies.change(policy=policy)
        assert {groups for groups, _ in many_requests(policies, browsers, 20)} == {groups}
        assert {str(pid) for pid in policies.nginx.workers()} <= set(pids.read_text().split()), "one worker did all"
        users = [re.search(r"user=(\S+)", line)[1] for line in policies.logged(RESOLVED)[before:]]  # type: ignore[index]
        assert sorted(users) == [f"user{number}@example.com" for number in range(4)]


def test_a_reload_that_changes_nothing_resolves_nothing(policies: PolicySite, browser: Browser) -> None:
    """Nor do other words, another place or another order of what has none."""
    policies.start(RULES, users="user x;\nuser y group=Platform;")
    policies.login(browser=browser, **SENT)
    before = seen(policies, browser)
    policies.nginx.reload()
    assert seen(policies, browser) == before
    policies.change(policy="\n# text\n" + RULES.replace("R&D", '"R&D"'), users="# x\nuser 'x';user y  group='Platform';")
    assert seen(policies, browser) == before
    assert policies.logged(RESOLVED) == []


# Workers of the configuration before


def draining(policies: PolicySite, browser: Browser, change: dict[str, str]) -> RawConnection:
    """A request of this browser that has begun at a worker which goes on with the old configuration."""
    cookie = browser.cookies.header_for(policies.site.url("/page"))
    connection = RawConnection(policies.site.url())
    connection.send(f"GET /old HTTP/1.1\r\nHost: {policies.site.host}\r\nCookie: {cookie}\r\n")
    old = set(policies.nginx.workers())
    policies.change(wait_for_old=False, **change)
    assert old & set(policies.nginx.workers(shutting_down=True)), "no worker waits for the request"
    return connection


def test_a_draining_worker_never_overwrites(policies: PolicySite, browser: Browser) -> None:
    """What a newer worker has resolved stays, and the older one shows the same."""
    policies.start(RULES)
    policies.login(browser=browser, **SENT)
    with draining(policies, browser, {"policy": FEWER}) as connection:
        assert seen(policies, browser) == ("Engineering", "Trial=Space Admin")
        echo = connection.send("Connection: close\r\n\r\n").response().echo()
        assert echo.header("X-SSO-Groups") == "Engineering"
    for _ in range(4):
        assert seen(policies, browser) == ("Engineering", "Trial=Space Admin")
    assert len(policies.logged(RESOLVED)) == 1


def test_a_draining_worker_goes_first(policies: PolicySite, browser: Browser) -> None:
    policies.start(RULES)
    policies.login(browser=browser, **SENT)
    with draining(policies, browser, {"policy": FEWER}) as connection:
        echo = connection.send("Connection: close\r\n\r\n").response().echo()
        assert echo.header("X-SSO-Groups") == "Platform,Engineering", "by its own rules"
    assert policies.logged(RESOLVED) == []
    assert seen(policies, browser) == ("Engineering", "Trial=Space Admin")
    assert len(policies.logged(RESOLVED)) == 1


def test_a_draining_worker_brings_no_session_back(policies: PolicySite, browser: Browser) -> None:
    policies.start("group Manual;", users=LISTED)
    policies.login(browser=browser)
    with draining(policies, browser, {"users": LISTED.replace("group=Manual", "disabled")}) as connection:
        assert is_out(policies, browser)
        assert connection.send("Connection: close\r\n\r\n").response().status == 302
    assert is_out(policies, browser)


def test_a_login_that_ends_at_a_draining_worker(policies: PolicySite) -> None:
    """Its session is of the old rules, and resolved by the new ones at the next request."""
    policies.start("group Manual;", users=LISTED)
    answer = PostedAnswer(policies.site)
    with RawConnection(policies.site.url()) as connection:
        connection.send(answer.whole[:-10])
        policies.change(wait_for_old=False, users=LISTED.replace("group=Manual", "disabled"))
        finished = connection.send(answer.whole[-10:]).response()
        assert finished.status == 303
    browser = Browser()
    for each in finished.all("Set-Cookie"):
        browser.cookies.store(policies.site.url(), each, cross_site=False, top_level=True)
    assert browser.cookies.get(SESSION) is not None
    assert is_out(policies, browser)
    assert f"reason=user_disabled idp=test user={USER} " in policies.logged(ENDED)[-1]


def test_reload_a_broken_list_changes_nothing(policies: PolicySite, browser: Browser) -> None:
    policies.start("group Manual; provisioning required;", users=LISTED)
    policies.login(browser=browser)
    policies.nginx.allow_in_log(r"\[emerg\].*saml_policy")
    with pytest.raises(AssertionError, match="the reload failed"):
        policies.change(users=LISTED + "user")
    assert seen(policies, browser) == ("Manual", None)
    policies.change(users=LISTED)
    assert seen(policies, browser) == ("Manual", None)
