"""`profile every_login | first_login`, and time zones: what stays as the first login set it up, and what follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.echoed import EchoedRequest
from sallyport_testing.keys import KeyStore
from sallyport_testing.policy_site import USER, PolicySite, Tenant, parts_of, sent
from sallyport_testing.running import running_site
from sallyport_testing.site import SamlSite
from sallyport_testing.zone_memory import read_zone

RULES = """
    space Trial; space DevOps; space QA; role "Space Admin"; role "Space Member" default;
    account_role Owner; account_role Guest default; group Platform idp_id=platform; group Manual;
"""
FIRST = {
    "first_name": "Ada", "last_name": "King", "display_name": "Ada King", "timezone": "Europe/London",
    "space_name": ["Trial", "QA"], "space_role": ["Space Admin", "Space Member"], "account_role": "Owner",
    "groups": "platform", "email": "ada@example.com", "picture": "https://example.com/1.png",
}  # fmt: skip
LATER = {
    "first_name": "Augusta", "last_name": "Lovelace", "display_name": "A. Lovelace", "timezone": "Europe/Paris",
    "space_name": "DevOps", "space_role": "Space Admin", "account_role": "Guest",
    "email": "augusta@example.com", "picture": "https://example.com/2.png",
}  # fmt: skip
KEPT = {
    "First-Name": "Ada", "Last-Name": "King", "Display-Name": "Ada King", "Timezone": "Europe/London",
    "Spaces": "Trial=Space Admin,QA=Space Member", "Roles": "Space Admin,Space Member", "Account-Role": "Owner",
}  # fmt: skip
FOLLOWS = {"Email": "augusta@example.com", "Picture": "https://example.com/2.png"}
ANEW = {
    "First-Name": "Augusta", "Last-Name": "Lovelace", "Display-Name": "A. Lovelace", "Timezone": "Europe/Paris",
    "Spaces": "DevOps=Space Admin", "Roles": "Space Admin", "Account-Role": "Guest", **FOLLOWS,
}  # fmt: skip


def shown(echo: EchoedRequest) -> dict[str, str]:
    """All that the application sees but for the user and the IdP."""
    headers = {name.removeprefix("X-SSO-"): value for name, value in echo.with_prefix("X-SSO-").items()}
    return {name: value for name, value in headers.items() if name not in ("User", "Idp")}


@pytest.fixture
def policies(site: SamlSite) -> PolicySite:
    return PolicySite(site)


@pytest.fixture
def kept(policies: PolicySite) -> PolicySite:
    """A site that keeps profiles, after a first login."""
    policies.start(RULES + "profile first_login;")
    assert shown(policies.login(**FIRST)) == {
        **KEPT, "Email": "ada@example.com", "Picture": "https://example.com/1.png", "Groups": "Platform"
    }  # fmt: skip
    return policies


@pytest.mark.parametrize("line", ["", "profile every_login;"])
def test_every_login_sets_all_of_it(policies: PolicySite, line: str) -> None:
    policies.start(RULES + line)
    policies.login(**FIRST)
    assert shown(policies.login(**LATER)) == ANEW
    assert shown(policies.login()) == {"Account-Role": "Guest", "Email": USER}


def test_first_login_keeps_what_the_first_one_set(kept: PolicySite) -> None:
    """Names, spaces, roles and time zone stay, whatever comes or does not; groups, e-mail and picture follow."""
    assert shown(kept.login(**LATER)) == {**KEPT, **FOLLOWS}
    assert shown(kept.login(groups="platform")) == {**KEPT, "Email": USER, "Groups": "Platform"}
    assert shown(kept.login(**LATER)) == {**KEPT, **FOLLOWS}


def test_what_a_first_login_did_not_set_is_kept_empty(policies: PolicySite) -> None:
    policies.start(RULES + "profile first_login;")
    policies.login(timezone="Nowhere/Else")
    assert shown(policies.login(**LATER)) == {**FOLLOWS, "Account-Role": "Guest"}


def test_profiles_are_of_one_user_at_one_idp(site: SamlSite) -> None:
    policy = RULES + "profile first_login;"
    site.start(**parts_of([Tenant("one", policy), Tenant("two", policy)]))
    site.login(Browser(), "/one/", attributes=sent(**FIRST))
    for path, user, expected in (
        ("/one/", USER, {**KEPT, **FOLLOWS}), ("/two/", USER, ANEW), ("/one/", "Student@example.com", ANEW),
        ("/one/", "two@example.com", ANEW),
    ):  # fmt: skip
        assert shown(site.login(Browser(), path, name_id=user, attributes=sent(**LATER)).echo()) == expected


def test_profile_survives_a_reload_and_a_logout(kept: PolicySite, browser: Browser) -> None:
    kept.nginx.reload()
    assert shown(kept.login(browser=browser, **LATER)) == {**KEPT, **FOLLOWS}
    browser.submit(browser.get(kept.site.url("/saml/logout")).form())
    assert shown(kept.login(browser=browser, **LATER)) == {**KEPT, **FOLLOWS}


def test_profile_forgets_what_the_policy_no_longer_knows(kept: PolicySite, browser: Browser) -> None:
    """In running sessions and at the next login; it comes back with the policy."""
    kept.login(browser=browser, **LATER)
    fewer = RULES.replace("space Trial;", "").replace("account_role Owner;", "") + "profile first_login;"
    kept.change(policy=fewer)
    expected = {**KEPT, **FOLLOWS, "Spaces": "QA=Space Member", "Roles": "Space Member", "Account-Role": "Guest"}
    assert shown(kept.page(browser)) == expected
    assert shown(kept.login(**LATER)) == expected
    kept.change(policy=RULES.replace('role "Space Admin";', "") + "profile first_login;")
    expected = {**KEPT, **FOLLOWS, "Spaces": "Trial=Space Member,QA=Space Member", "Roles": "Space Member"}
    assert shown(kept.page(browser)) == expected
    assert shown(kept.login(**LATER)) == expected
    kept.change(policy=RULES + "profile first_login;")
    assert shown(kept.page(browser)) == {**KEPT, **FOLLOWS}


def test_profile_and_running_sessions(kept: PolicySite, browser: Browser) -> None:
    """To every_login and back: a session's own words, then the first login's again."""
    kept.login(browser=browser, **LATER)
    kept.change(policy=RULES + "profile every_login;")
    assert shown(kept.page(browser)) == ANEW
    kept.change(policy=RULES + "profile first_login;")
    assert shown(kept.page(browser)) == {**KEPT, **FOLLOWS}


def test_a_login_in_between_forgets_the_profile(kept: PolicySite) -> None:
    kept.change(policy=RULES)
    assert shown(kept.login(**LATER)) == ANEW
    kept.change(policy=RULES + "profile first_login;")
    assert shown(kept.login(**LATER)) == ANEW, "a first login under these rules"
    assert shown(kept.login(**FIRST))["First-Name"] == "Augusta"


def test_what_is_given_by_hand_is_no_part_of_the_profile(policies: PolicySite) -> None:
    policies.start(RULES + "profile first_login;", users=f"user {USER} space=DevOps group=Manual;")
    assert shown(policies.login(**FIRST))["Spaces"] == "Trial=Space Admin,QA=Space Member,DevOps=Space Member"
    policies.change(users=f"user {USER};")
    echo = shown(policies.login(**LATER))
    assert (echo["Spaces"], echo.get("Groups")) == ("Trial=Space Admin,QA=Space Member", None)


def test_what_is_remembered_of_a_user_is_sealed(site: SamlSite) -> None:
    """Nothing of it can be read beside the session itself."""
    parts = parts_of([Tenant("every"), Tenant("first", "profile first_login;")])
    parts["http"] += "saml_session_zone saml:3m;"
    site.start(**parts)
    for idp in ("every", "first"):
        values = sent(first_name=f"Unmistakable-{idp}", space_name=f"Space-{idp}", groups=f"Group-{idp}")
        site.login(Browser(), f"/{idp}/", name_id=f"user-{idp}", attributes=values)
    data = read_zone(site.nginx, 3 << 20)
    for text in ("Unmistakable-", "Space-", "Group-", "user-"):
        found = data.count(f"{text}every".encode())
        assert found > 0 and data.count(f"{text}first".encode()) == found, text


def test_the_log_tells_what_is_kept(make_nginx: Callable, upstream, idp, keys: KeyStore) -> None:
    site = PolicySite(SamlSite(make_nginx(log_level="debug"), upstream, idp, keys.tls("app.example.com")))
    site.start(RULES + "profile first_login;")
    site.login(**FIRST)
    assert not [line for line in site.logged("saml: profile ") if "[debug]" in line]
    before = len(site.logged("saml: space "))
    site.login(**LATER)
    (line,) = site.logged("saml: profile ")
    assert "[debug]" in line and "first login" in line
    told = [line.partition("saml: ")[2].partition(" while ")[0] for line in site.logged("saml: space ")[before:]]
    assert told == [f'space "{name}" given: kept from the first login' for name in ("Trial", "QA")]


def test_a_default_account_role_that_comes_later(policies: PolicySite) -> None:
    """Who had none by the first login gets it, as those without a role in a space do."""
    policies.start("space Trial; profile first_login;")
    policies.login(space_name="Trial")
    policies.change(policy="space Trial; role Member default; account_role Guest default; profile first_login;")
    echo = policies.login(space_name="Trial")
    assert (echo.header("X-SSO-Spaces"), echo.header("X-SSO-Account-Role")) == ("Trial=Member", "Guest")


# Time zones


@pytest.fixture(scope="module")
def zones(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    tenants = [Tenant("usual"), Tenant("named", "timezone_from urn:x:tz;"), Tenant("none", None)]
    with running_site(tmp_path_factory.mktemp("zones"), keys, **parts_of(tenants)) as started:
        yield started


def test_time_zones(zones: SamlSite) -> None:
    for name in ("Europe/Berlin", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+5", "US/Pacific", "GMT-0",
                 "America/Port-au-Prince", "Europe/Kyiv", "EST5EDT"):  # fmt: skip
        for idp in ("usual", "none"):
            echo = zones.login(Browser(), f"/{idp}/", attributes=sent(timezone=name)).echo()
            assert echo.header("X-SSO-Timezone") == name
        echo = zones.login(Browser(), "/named/", attributes=sent(**{"urn:x:tz": name, "timezone": "UTC"})).echo()
        assert echo.header("X-SSO-Timezone") == name
    assert "timezone dropped" not in zones.nginx.error_log()


UNKNOWN = [
    "Europe/Nowhere", "europe/berlin", "Europe", "Berlin", "../../etc/passwd", "/etc/passwd", "Europe/Berlin/..",
    "Europe/Berlin\n", " Europe/Berlin", "Europe/Berlin,UTC", "GMT+25", "+02:00", "Mitteleurop\u00e4ische Zeit",
    "W. Europe Standard Time", "(UTC+01:00) Berlin", "Zone", "Link", "Europe/Berlin\r\nX-Evil: 1", "x" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN, ids=[ascii(each)[:30] for each in UNKNOWN])
def test_time_zones_that_are_none(zones: SamlSite, name: str) -> None:
    """Dropped with a warning that tells which; the login is good."""
    user = f"zone-{UNKNOWN.index(name)}"
    for idp in ("usual", "none"):
        attributes = sent(timezone=name, first_name="Stu")
        echo = zones.login(Browser(), f"/{idp}/", name_id=user, attributes=attributes).echo()
        assert (echo.header("X-SSO-Timezone"), echo.header("X-SSO-First-Name")) == (None, "Stu")
        assert echo.header("X-Evil") is None
    zones.nginx.wait_for_log(rf"\[warn\].*saml: login of user={user}: timezone dropped, it is not an IANA name: .{{3}}")


# Values that no session can keep


def test_hdr_size_a_megabyte_in_one_value(policies: PolicySite) -> None:
    """Where an operator lets such a message in: refused whole, whatever the rules would make of it."""
    policies.start(RULES + "map_group groups contains needle Platform;", server="saml_max_message_size 4m;")
    for name in ("groups", "space_name", "anything"):
        browser = Browser()
        value = "x" * 1_000_000 + "needle"
        answered = policies.site.idp.login(browser, policies.site.url("/"), attributes=sent(**{name: [value, "Trial"]}))
        assert answered.status == 403, name
        policies.nginx.wait_for_log("reason=identity_too_large")
        assert not any("saml_session" in each and "=;" not in each for each in answered.all("Set-Cookie")), name
    assert policies.login(groups="platform").header("X-SSO-Groups") == "Platform"
