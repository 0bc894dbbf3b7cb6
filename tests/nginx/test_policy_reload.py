"""A changed policy and the sessions that run: `on_change`, once per session, and never back by an older worker."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http_response import Response
from sallyport_testing.policy_site import ECHO, USER, PolicySite, sent
from sallyport_testing.site import SamlSite

RESOLVED = "saml: session resolved by changed rules"
ENDED = "saml: session ended by changed rules"

RULES = """
    space Trial; space DevOps; role "Space Admin"; role "Space Member" default;
    group Platform idp_id=platform; group Engineering; map_group department exact R&D Engineering;
"""
FEWER = RULES.replace("idp_id=platform", "idp_id=other").replace("space DevOps;", "")
SENT = {"groups": "platform", "department": "R&D", "space_name": "Trial,DevOps", "space_role": "Space Admin,Space Admin"}


@pytest.fixture
def policies(site: SamlSite) -> PolicySite:
    return PolicySite(site)


def login_is_refused(policies: PolicySite, reason: str, user: str = USER, **values: str) -> Response:
    answer = policies.site.refused(Browser(), name_id=user, attributes=sent(**values))
    policies.nginx.wait_for_log(f"saml: login refused reason={reason} idp=test")
    return answer


# Groups, spaces and roles


def test_a_reload_takes_and_gives_at_the_next_request(policies: PolicySite, browser: Browser) -> None:
    policies.start(RULES)
    policies.login(browser=browser, **SENT)
    all_of_it = ("Platform,Engineering", "Trial=Space Admin,DevOps=Space Admin")
    assert policies.given(browser) == all_of_it
    policies.change(policy=FEWER)
    assert policies.given(browser) == ("Engineering", "Trial=Space Admin")
    policies.change(policy=RULES.replace('role "Space Admin";', ""))
    assert policies.given(browser) == ("Platform,Engineering", "Trial=Space Member,DevOps=Space Member")
    policies.change(policy=RULES)
    assert policies.given(browser) == all_of_it
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
    before = policies.given(browser)
    policies.change(policy=FEWER + "on_change login;")
    assert policies.given(browser) == before
    assert policies.logged(RESOLVED) == []
    echo = policies.login(**SENT)
    assert (echo.header("X-SSO-Groups"), echo.header("X-SSO-Spaces")) == ("Engineering", "Trial=Space Admin")
    assert policies.given(browser) == before, "another session's login is not this one's"
    policies.change(policy=FEWER + "on_change resolve;")
    assert policies.given(browser) == ("Engineering", "Trial=Space Admin")


def test_a_policy_comes_and_goes(policies: PolicySite, browser: Browser) -> None:
    """A saml_idp without a policy that gets one, and the other way."""
    policies.start(None)
    policies.login(browser=browser, **SENT)
    assert policies.given(browser) == ("platform", "Trial=Space Admin,DevOps=Space Admin")
    policies.change(policy=FEWER)
    assert policies.given(browser) == ("Engineering", "Trial=Space Admin")
    policies.change(policy=None)
    assert policies.given(browser) == ("platform", "Trial=Space Admin,DevOps=Space Admin")
    assert len(policies.logged(RESOLVED)) == 2


def test_nothing_is_lost_by_a_resolution(policies: PolicySite, browser: Browser) -> None:
    """Values are the IdP's own to the letter, however often."""
    odd = ["a,b", "x=y", " both ", "100%", "%2C", "\u202egnat", "\U0001f680", "a\r\nb", "", '"q"', "\\"]
    policies.start("group_overage without;")
    policies.login("id,\u00e9 %", browser=browser, groups=odd, space_name=odd, space_role=odd, first_name=" \u00e9,% ",
                   picture="https://example.com/?a=b,c", account_role="a,b", email=" odd@example.com ")  # fmt: skip
    before = policies.page(browser).with_prefix("X-SSO-")
    for number, word in enumerate(("refuse", "without", "refuse"), 1):
        policies.change(policy=f"group_overage {word};")
        assert policies.page(browser).with_prefix("X-SSO-") == before
        assert len(policies.logged(RESOLVED)) == number
        said = policies.logged(RESOLVED)[-1].partition("user=")[2].partition(", client: ")[0]
        assert said.strip() == '"id,\\xC3\\xA9 %"', "nothing was granted or revoked"


def test_more_than_headers_hold(policies: PolicySite, browser: Browser) -> None:
    """A page says so; the session is still there for other rules."""
    policies.start("group A idp_id=group-0001;")
    policies.login(browser=browser, groups=[f"group-{number:04}" for number in range(400)])
    policies.change(policy=None)
    before = len(policies.site.upstream.requests)
    page = browser.get(policies.site.url("/page"))
    assert page.status == 403 and "Your account holds more than this site can pass on" in page.text
    assert len(policies.site.upstream.requests) == before
    policies.change(policy="group A idp_id=group-0001;")
    assert policies.given(browser) == ("A", None)


def test_subrequests_see_what_is_resolved(policies: PolicySite, browser: Browser) -> None:
    policies.start(RULES, locations=f"location /public/ {{ ssi on; {ECHO} }}")
    policies.login(browser=browser, **SENT)
    policies.change(policy=FEWER)
    assert browser.get(policies.site.url("/public/ssi?include=/inner")).status == 200
    inner = policies.site.upstream.last
    assert (inner.uri, inner.header("X-SSO-Groups")) == ("/inner", "Engineering")
    assert len(policies.logged(RESOLVED)) == 1


def test_a_resolution_is_no_activity(clocked_site: SamlSite, browser: Browser) -> None:
    """Nor does it move the session's end."""
    policies = PolicySite(clocked_site)
    policies.start(RULES, server="saml_session_timeout 20m; saml_session_idle_timeout 10m;")
    other = Browser()
    for each in (browser, other):
        policies.login(browser=each, **SENT)
    clocked_site.nginx.clock.shift(9 * 60)
    policies.given(other)
    policies.change(policy=FEWER)
    assert browser.fetch(clocked_site.url("/saml/session")).json()["groups"] == ["Engineering"]
    clocked_site.nginx.clock.shift(10 * 60 + 5)
    assert policies.is_out(browser) and not policies.is_out(other)
    clocked_site.nginx.clock.shift(20 * 60 + 5)
    assert policies.is_out(other)


def test_attributes_that_mean_something_else(policies: PolicySite, browser: Browser) -> None:
    policies.start(RULES)
    policies.login(browser=browser, team="platform", **SENT)
    policies.change(policy=RULES + "groups_from team; spaces_from nothing;")
    assert policies.given(browser) == ("Platform,Engineering", None)
    policies.change(idp="attribute department team;")
    assert policies.given(browser) == ("Platform", None)


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
    assert policies.is_out(browser) and policies.is_out(browser)
    (line,) = policies.logged(ENDED)
    assert f"reason={reason} idp=test user={USER} " in line and "[notice]" in line
    login_is_refused(policies, reason)
    assert policies.is_out(other) == (users == NOBODY)
    policies.change(users=LISTED)
    assert policies.is_out(browser), "what has ended stays ended"
    assert policies.login(browser=browser).header("X-SSO-Groups") == "Manual"


def test_who_is_no_longer_listed_where_that_is_optional(policies: PolicySite, browser: Browser) -> None:
    policies.start("group Manual;", users=LISTED)
    policies.login(browser=browser)
    policies.change(users=NOBODY)
    assert policies.given(browser) == (None, None)
    policies.change(users=LISTED.replace("group=Manual", "space=Some:Boss group=Manual"))
    assert policies.given(browser) == ("Manual", "Some=Boss")


def test_who_is_disabled_stays_in_until_the_next_login(policies: PolicySite, browser: Browser) -> None:
    policies.start("group Manual; on_change login;", users=LISTED)
    policies.login(browser=browser)
    policies.change(users=LISTED.replace("group=Manual", "disabled"))
    assert policies.given(browser) == ("Manual", None)
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
        assert policies.is_out(visitor)
        assert f"reason={reason} idp=test user=ada@example.com " in policies.logged(ENDED)[-1]
        policies.change(idp="")


# Once


def many_requests(policies: PolicySite, browsers: list[Browser], times: int) -> set[tuple[str | None, str | None]]:
    with ThreadPoolExecutor(8) as pool:
        return set(pool.map(lambda browser: policies.given(browser), browsers * times))


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
    before = policies.given(browser)
    policies.nginx.reload()
    assert policies.given(browser) == before
    policies.change(policy="\n# text\n" + RULES.replace("R&D", '"R&D"'), users="# x\nuser 'x';user y  group='Platform';")
    assert policies.given(browser) == before
    assert policies.logged(RESOLVED) == []


def test_reload_a_broken_list_changes_nothing(policies: PolicySite, browser: Browser) -> None:
    policies.start("group Manual; provisioning required;", users=LISTED)
    policies.login(browser=browser)
    policies.nginx.allow_in_log(r"\[emerg\].*saml_policy")
    with pytest.raises(AssertionError, match="the reload failed"):
        policies.change(users=LISTED + "user")
    assert policies.given(browser) == ("Manual", None)
    policies.change(users=LISTED)
    assert policies.given(browser) == ("Manual", None)
