"""Groups of a policy: who is in them by identifier and by rule, anew at each login, and what the log tells of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.header_values import encoded_list
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.policy_site import ECHO, USER, PolicySite, Tenant, parts_of, sent
from sallyport_testing.refusals import Refusals
from sallyport_testing.running import running_site
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite
from sallyport_testing.upstream import EchoUpstream

GUID = "3f2b0c1e-5a4b-4c9d-8e7f-abcdef012345"
LDAP = "cn=rd,ou=groups,dc=example,dc=com"
TEAM = "http://schemas.example.com/claims/team"
CLAIM = "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups"
LINK = "http://schemas.microsoft.com/claims/groups.link"
LINKED = {LINK: "https://graph.windows.net/x/users/y/getMemberObjects"}

GROUPS = f"""
    group Platform     idp_id={GUID};
    group Engineering;
    group "R&D, worldwide" idp_id={LDAP};
    group Operators    idp_id=ops "idp_id=on call";
    group Upper        idp_id=3F2B0C1E-0000-4C9D-8E7F-ABCDEF012345;
    group Manual;
    map_group department exact "R&D" Engineering;
    map_group groups contains admin Platform;
    map_group {TEAM} exact Blue Engineering;
    map_group {TEAM} contains lue Operators;
"""
TENANTS = [
    Tenant("main", GROUPS),
    Tenant("same", GROUPS),
    Tenant("named", f"group Blue; group Red idp_id=red; map_group groups exact x Blue; groups_from {TEAM};"),
    Tenant("none"),
    Tenant("without", GROUPS + "group_overage without;"),
    Tenant("refuse", GROUPS + "group_overage refuse;"),
    *(
        Tenant(
            f"refuse-{name}", f"group A; map_group {attribute} exact 1234 A; groups_from roles; group_overage refuse;",
            f"attribute team {CLAIM};",
        )
        for name, attribute in (("claim", CLAIM), ("groups", "groups"), ("alias", "team"), ("other", "department"))
    ),
    Tenant("department", GROUPS, "attribute department ou division;"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    parts = parts_of(TENANTS)
    parts["server"] = "saml_max_message_size 4m;"
    parts["locations"] += f"location /engineers/ {{ auth_saml none; saml_require group=Engineering; {ECHO} }}"
    with running_site(tmp_path_factory.mktemp("groups"), keys, **parts) as started:
        yield started


def groups_of(site: SamlSite, attributes: list[Attribute], policy: str = "main", user: str = USER) -> str | None:
    return site.login(Browser(), f"/{policy}/", name_id=user, attributes=attributes).echo().header("X-SSO-Groups")


@dataclass(frozen=True)
class Case:
    name: str
    sent: dict[str, str | list[str]]
    groups: str | None  # the header
    policy: str = "main"


CASES = [
    Case("id", {"groups": GUID}, "Platform"),
    Case("id-upper", {"groups": GUID.upper()}, "Platform"),
    Case("id-mixed", {"groups": GUID.replace("abc", "aBc").replace("f2b", "F2b")}, "Platform"),
    Case("id-written-upper", {"groups": "3f2b0c1e-0000-4c9d-8e7f-abcdef012345"}, "Upper"),
    Case("id-in-braces", {"groups": f"{{{GUID}}}"}, None),
    Case("id-without-hyphens", {"groups": GUID.replace("-", "")}, None),
    Case("id-with-blanks", {"groups": [f" {GUID}", f"{GUID}\n"]}, None),
    Case("id-with-more", {"groups": [GUID + "0", GUID[:-1]]}, None),
    Case("id-full-width", {"groups": GUID.replace("a", "\uff41")}, None),
    Case("id-in-another-attribute", {"memberships": GUID, "department": GUID, TEAM: GUID}, None),
    Case("id-of-ldap", {"groups": LDAP}, "R&D%2C worldwide"),
    Case("id-of-ldap-upper", {"groups": LDAP.upper()}, None),
    Case("id-second", {"groups": "on call"}, "Operators"),
    Case("id-other-letters", {"groups": ["OPS", "Ops", "ops "]}, None),
    Case("never-split", {"groups": [f"{GUID},ops", "ops,x", "x, ops", f"x;{GUID}"]}, None),
    Case("later-value", {"groups": ["a", "b", "", "ops"]}, "Operators"),
    Case("exact-by-alias", {"department": "R&D"}, "Engineering"),
    Case("exact-by-the-aliases-name", {"urn:oid:2.5.4.11": ["Sales", "R&D"]}, "Engineering"),
    Case("exact-other-letters", {"department": ["r&d", "R&D ", "R&amp;D", "R&D,", "XR&D"]}, None),
    Case("exact-never-split", {"department": "R&D,Sales"}, None),
    Case("exact-by-name", {TEAM: "Blue"}, "Engineering,Operators"),
    Case("exact-by-another-name", {"team": "Blue", TEAM.upper(): "Blue", TEAM + "/": "Blue"}, None),
    Case("alias-of-ones-own", {"division": "R&D"}, "Engineering", "department"),
    Case("alias-of-ones-own-first-wins", {"division": "R&D", "ou": "Sales"}, None, "department"),
    Case("alias-of-ones-own-replaces", {"department": "R&D"}, None, "department"),
    Case("contains", {"groups": "Site-admins, all"}, "Platform"),
    Case("contains-across-a-comma", {"groups": "x,admin,y"}, "Platform"),
    Case("contains-other-letters", {"groups": ["Admin", "ADMIN", "ad min", "adm", "in"]}, None),
    Case("contains-by-name", {TEAM: "navy blue, glue"}, "Operators"),
    Case("union", {"groups": ["x", GUID, "ops", LDAP], "department": "R&D"},
         "Platform,Engineering,R&D%2C worldwide,Operators"),
    Case("union-once", {"groups": [GUID, "admin", "admins", "on call", "ops"], TEAM: "Blue"},
         "Platform,Engineering,Operators"),
    Case("own-name", {"groups": ["Engineering", "Platform", "Operators", "Manual", "R&D, worldwide"]}, None),
    Case("nothing", {"first_name": "Stu"}, None),
    Case("empty", {"groups": ["", " "], "department": "", TEAM: ""}, None),
    Case("source-by-name", {TEAM: "red"}, "Red", "named"),
    Case("source-by-name-only", {"groups": ["red", "x"]}, "Blue", "named"),
    Case("as-sent", {"groups": ["Engineering", "R&D, worldwide", "Engineering", ""]},
         "Engineering,R&D%2C worldwide", "none"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_groups(site: SamlSite, case: Case) -> None:
    assert groups_of(site, sent(**case.sent), case.policy) == case.groups


def test_a_friendly_name_is_no_name(site: SamlSite) -> None:
    attributes = [
        Attribute("urn:x:1", ["R&D"], friendly_name="department"), Attribute("urn:x:2", [GUID], friendly_name="groups"),
    ]  # fmt: skip
    assert groups_of(site, attributes) is None


def test_ten_thousand_values_of_a_users_groups(site: SamlSite) -> None:
    many = ["ops", *(f"{number:04}" for number in range(9_998)), "an admin"]
    assert groups_of(site, [Attribute("groups", many, value_type=None)]) == "Platform,Operators"


PRETENDERS = [
    "Engineering,Platform", "Engineering%2CPlatform", "Engineering\r\nX-SSO-Groups: Platform", "\u202egnireenignE",
    "Engineering\u200b", "Eng\u0456neering", "Engineering=", '"Engineering"', "Engineering ", "\U0001f680",
    '["Engineering"]', "Engineering\u2028", "engineering",
]  # fmt: skip


def test_hdr_sep_a_pretender_is_no_other_group(site: SamlSite) -> None:
    """Where all groups are known, each arrives to the letter, and no requirement takes it for another one."""
    for value in PRETENDERS:
        browser = Browser()
        echo = site.login(browser, "/none/", attributes=sent(groups=[value, "plain"])).echo()
        assert echo.header("X-SSO-Groups") == encoded_list([value, "plain"])
        assert browser.get(site.url("/engineers/")).status == 403, value
    assert groups_of(site, sent(groups=PRETENDERS)) is None


# From login to login


def valid_logins(site: SamlSite, user: str) -> list[str]:
    """The ends of the log lines of this user's logins: from `groups=` on."""
    log = site.nginx.error_log()
    return re.findall(rf"\[notice\].*saml: valid login idp=\S+ user={re.escape(user)} spaces=\S* (.*), client: ", log)


def test_each_login_computes_the_groups_anew(site: SamlSite) -> None:
    """What no longer matches is gone, and the log says what was granted and revoked since the previous login."""
    user = "changing@example.com"
    for attributes, groups in (
        ({"groups": GUID}, "Platform"),
        ({"department": "R&D"}, "Engineering"),
        ({"department": "R&D"}, "Engineering"),
        ({"department": "R&D", "groups": ["ops", LDAP]}, "Engineering,R&D%2C worldwide,Operators"),
        ({}, None),
        ({"groups": ["Engineering"]}, None),
    ):  # fmt: skip
        assert groups_of(site, sent(**attributes), user=user) == groups
    assert valid_logins(site, user) == [
        f"groups=Platform received_groups={GUID} +Platform",
        "groups=Engineering received_groups= +Engineering -Platform",
        "groups=Engineering received_groups=",
        'groups="Engineering,R&D%2C worldwide,Operators" received_groups=ops,cn%3Drd%2Cou%3Dgroups%2Cdc%3Dexample%2Cdc'
        '%3Dcom "+R&D%2C worldwide" +Operators',
        'groups= received_groups= -Engineering "-R&D%2C worldwide" -Operators',
        "groups= received_groups=Engineering",
    ]


def test_an_attribute_that_no_longer_comes_is_told(site: SamlSite) -> None:
    """Most often somebody changed the IdP's settings, and nobody wonders why a group is gone."""
    user = "missing@example.com"
    for attributes in (sent(groups=GUID, department="R&D", other="x"), sent(groups=GUID), sent(groups=GUID)):
        groups_of(site, attributes, user=user)
    told = re.findall(rf"\[warn\].*saml: login of user={user}: the attribute (\S+), which came", site.nginx.error_log())
    assert told == ["department"]


def test_logins_are_compared_by_idp_and_user(site: SamlSite) -> None:
    for policy, user in (("main", "one@example.com"), ("same", "one@example.com"), ("main", "One@example.com")):
        assert groups_of(site, sent(groups=GUID), policy, user) == "Platform"
        assert valid_logins(site, user)[-1].endswith("+Platform"), f"a first login of {user} at {policy}"


def test_grants_are_remembered_over_a_reload(site: SamlSite) -> None:
    user = "reloaded@example.com"
    groups_of(site, sent(groups=GUID), user=user)
    site.nginx.reload()
    groups_of(site, sent(groups="ops"), user=user)
    assert valid_logins(site, user)[-1].endswith(" +Operators -Platform")


def test_what_changed_is_told_however_many_groups_came(site: SamlSite) -> None:
    """A hundred and fifty of Entra ID's identifiers leave room for it in the line."""
    user = "many@example.com"
    guids = [f"{number:08x}-5a4b-4c9d-8e7f-000000000000" for number in range(150)]
    groups_of(site, sent(groups=[*guids, "ops"]), user=user)
    groups_of(site, sent(groups=[*guids, GUID]), user=user)
    log = site.nginx.error_log()
    first, second = re.findall(rf"saml: valid login idp=main user={user} .*", log)
    assert " +Operators" in first and " +Platform -Operators" in second


def test_a_login_writes_one_line_that_cannot_be_forged(site: SamlSite) -> None:
    user = 'x groups="Platform"\r\n2026/01/01 [notice] saml: valid login user=admin'
    groups = ['a +Platform', 'b" +Platform "', "c\n+Platform"]
    before = len(site.nginx.error_log().splitlines())
    site.login(Browser(), "/none/", name_id=user, attributes=sent(groups=groups))
    added = site.nginx.error_log().splitlines()[before:]
    lines = [line for line in added if "saml: " in line]
    assert len(lines) == 1 and lines[0].startswith("20") and " saml: valid login idp=none " in lines[0]
    said = lines[0].partition(" saml: valid login ")[2].partition(", client: ")[0]
    words = re.findall(r'(?:[^\s"]|"[^"]*")+', said)
    assert " ".join(words) == said, "quotes close where they open"
    assert [word.partition("=")[0] for word in words[:5]] == ["idp", "user", "spaces", "groups", "received_groups"]
    assert words[5:] == [f'"+{groups[0]}"', r'"+b\x22 +Platform \x22"', "+c%0A+Platform"]


# Overage


def test_overage_without_groups(site: SamlSite) -> None:
    """Never "no groups" in silence: a warning says what happened and what to do, the log what was revoked."""
    for policy in ("main", "without", "none"):
        user = f"{policy}@example.com"
        ids = "Platform" if policy == "none" else GUID
        assert groups_of(site, sent(groups=ids), policy, user) == "Platform"
        assert groups_of(site, sent(**LINKED), policy, user) is None
        assert valid_logins(site, user)[-1].endswith(" -Platform")
        warning = site.nginx.wait_for_log(rf"\[warn\].*saml: login of user={re.escape(user)}: .*link.*")[0]
        assert "groups" in warning and "assigned to the application" in warning


def test_overage_leaves_what_other_attributes_give(site: SamlSite) -> None:
    assert groups_of(site, sent(**LINKED, department="R&D"), "without") == "Engineering"


def test_overage_refused(site: SamlSite) -> None:
    refusals = Refusals(site)
    for attributes in (sent(**LINKED), sent(**LINKED, department="R&D")):
        refusal = refusals.answer(Browser(), "/refuse/", attributes=attributes)
        assert (refusal.reason, refusal.response.status) == ("group_overage", 403)
        assert "Your groups could not be read" in refusal.response.text
        assert "assigned to the application" in refusal.line, "the administrator learns what to do"


def test_overage_refused_for_rules_about_the_claim(site: SamlSite) -> None:
    """By its Name, and by an alias that means it; those of another attribute have nothing to do with it."""
    for name in ("claim", "groups", "alias"):
        refusal = Refusals(site).answer(Browser(), f"/refuse-{name}/", attributes=sent(**LINKED, roles="r"))
        assert refusal.reason == "group_overage", name
        assert groups_of(site, sent(**{CLAIM: "1234", "roles": "r"}), f"refuse-{name}") == "A", name
    assert groups_of(site, sent(**LINKED, roles="r", department="1234"), "refuse-other") == "A"


def test_overage_is_none_where_groups_came(site: SamlSite) -> None:
    user = "both@example.com"
    assert groups_of(site, sent(**LINKED, groups=["ops"]), "refuse", user) == "Operators"
    assert groups_of(site, sent(groups=["x"]), "refuse", user) is None
    assert f"saml: login of user={user}: the IdP sent a link" not in site.nginx.error_log()


# Why


def test_why_is_told_at_level_debug(
    make_nginx: Callable[..., Nginx], upstream: EchoUpstream, idp: TestIdp, keys: KeyStore
) -> None:
    site = PolicySite(SamlSite(make_nginx(log_level="debug"), upstream, idp, keys.tls("app.example.com")))
    site.start(GROUPS + 'space Trial; role "Space Member" default;')
    site.login(groups=[GUID.upper(), "a\r\nb"], department="R&D", space_name="Trial,Nowhere", space_role="Owner")
    conf = re.escape(str(site.nginx.config_file))
    told = "\n".join(site.logged(" saml: "))
    for line in (
        rf'saml: group "Platform" given: .*{conf}:\d+.*"{GUID.upper()}"',
        rf'saml: group "Engineering" given: map_group at {conf}:\d+: department is "R&D"',
        r'saml: group "Manual" not given: ',
        r'saml: group "Operators" not given: ',
        rf'saml: space "Trial" given: .*{conf}:\d+',
        r'saml: space "Nowhere" not given: ',
        r'saml: role "Trial:Owner" not given: ',
        r'saml: role "Trial:Space Member" given: the default role',
    ):
        assert re.search(rf"\[debug\].*{line}", told), f"{line} is not in\n{told}"


def test_why_is_not_told_otherwise(site: SamlSite) -> None:
    groups_of(site, sent(groups=GUID))
    assert not re.search(r"saml: (group|space|role) ", site.nginx.error_log())
