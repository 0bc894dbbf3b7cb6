"""The operator's list of users: who is provisioned, disabled, or given something by hand, and by whose word."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.echoed import EchoedRequest
from sallyport_testing.keys import KeyStore
from sallyport_testing.policy_site import Tenant, parts_of, sent
from sallyport_testing.refusals import Refusals
from sallyport_testing.running import running_site
from sallyport_testing.site import SamlSite

UNLISTED = "not_provisioned"
DISABLED = "user_disabled"
OTHER_DOMAIN = "email_domain_not_allowed"

# Three organisations with one list. Gamma has no e-mail domains: it names nobody by an address.
LIST = """
    # KEY            whose                  what
    user ceo@beta.example                   group=Board;
    user "cfo@beta.example" idp=beta        group="Board";
    user left@alpha.example                 disabled;
    user 1001 idp=alpha                     group=Alpha;
    user 1001 idp=beta                      group=Beta;
    user 1002 idp=*                         group=All;
    user 1002 idp=gamma                     group=Gamma;
    user 1003 idp=beta                      disabled;
    user 1004 idp=beta disabled; user 1004 idp=*;
    user 'two words; and more' idp=alpha    group=Alpha;
    user ada@sub.alpha.example              group=Alpha;
    user eve@gamma.example idp=gamma        group=Gamma;
"""
ORGANISATIONS = [
    Tenant("alpha", "{lines}", "email_domains alpha.example .alpha.example;"),
    Tenant("beta", idp="email_domains beta.example;", shared="alpha"),
    Tenant("gamma", shared="alpha"),
]
NAMES = "".join(f"group {name};" for name in ("Board", "Alpha", "Beta", "All", "Gamma"))


@dataclass(frozen=True)
class Login:
    """What an IdP says, and whose line that is: its group, or the reason of a refusal."""

    name: str
    idp: str
    user: str
    email: str | list[str]
    is_: str


HONEST = [
    Login("by-email", "beta", "b-17", "ceo@beta.example", "Board"),
    Login("by-email-in-other-letters", "beta", "b-17", "CEO@Beta.Example", "Board"),
    Login("by-email-of-its-own", "beta", "b-17", "cfo@beta.example", "Board"),
    Login("by-user-id", "beta", "ceo@beta.example", "someone@beta.example", "Board"),
    Login("by-a-sub-domain", "alpha", "a-1", "ada@sub.alpha.example", "Alpha"),
    Login("by-id-at-alpha", "alpha", "1001", "x@alpha.example", "Alpha"),
    Login("by-id-at-beta", "beta", "1001", "x@beta.example", "Beta"),
    Login("by-id-at-neither", "gamma", "1001", "x@gamma.example", UNLISTED),
    Login("by-id-of-all", "alpha", "1002", "x@alpha.example", "All"),
    Login("by-its-own-before-all", "gamma", "1002", "x@gamma.example", "Gamma"),
    Login("by-a-quoted-id", "alpha", "two words; and more", "x@alpha.example", "Alpha"),
    Login("by-an-address-as-id", "gamma", "eve@gamma.example", "eve@gamma.example", "Gamma"),
    Login("ids-keep-their-letters", "gamma", "Eve@gamma.example", "x@gamma.example", UNLISTED),
    Login("ids-keep-their-blanks", "alpha", " 1001", "x@alpha.example", UNLISTED),
    Login("disabled-by-email", "alpha", "a-9", "Left@ALPHA.example", DISABLED),
    Login("disabled-by-id", "alpha", "left@alpha.example", "x@alpha.example", DISABLED),
    Login("disabled-by-id-in-other-letters", "alpha", "LEFT@Alpha.example", "x@alpha.example", DISABLED),
    Login("disabled-at-beta", "beta", "1003", "x@beta.example", DISABLED),
    Login("disabled-beside-all", "beta", "1004", "x@beta.example", DISABLED),
    Login("disabled-by-email-though-listed-by-id", "alpha", "1001", "left@alpha.example", DISABLED),
    Login("disabled-at-beta-is-another-at-alpha", "alpha", "1003", "x@alpha.example", UNLISTED),
]

# An organisation's IdP says what another's users are called.
CLAIMED = [
    Login("id", "alpha", "ceo@beta.example", "x@alpha.example", UNLISTED),
    Login("id-in-other-letters", "alpha", "CEO@BETA.EXAMPLE", "x@alpha.example", UNLISTED),
    Login("id-of-its-own", "alpha", "cfo@beta.example", "x@alpha.example", UNLISTED),
    Login("id-with-a-blank", "alpha", "ceo@beta.example ", "x@alpha.example", UNLISTED),
    Login("id-without-domains", "gamma", "ceo@beta.example", "x@gamma.example", UNLISTED),
    Login("id-of-its-own-without-domains", "gamma", "cfo@beta.example", "x@gamma.example", UNLISTED),
    Login("email", "alpha", "a-1", "ceo@beta.example", OTHER_DOMAIN),
    Login("email-in-other-letters", "alpha", "a-1", "CEO@BETA.EXAMPLE", OTHER_DOMAIN),
    Login("email-of-its-own", "alpha", "a-1", "cfo@beta.example", OTHER_DOMAIN),
    Login("email-without-domains", "gamma", "g-1", "ceo@beta.example", UNLISTED),
    Login("email-of-its-own-without-domains", "gamma", "g-1", "cfo@beta.example", UNLISTED),
    Login("email-in-other-letters-without-domains", "gamma", "g-1", "Ceo@Beta.Example", UNLISTED),
    Login("both-without-domains", "gamma", "ceo@beta.example", "ceo@beta.example", UNLISTED),
    Login("both", "alpha", "ceo@beta.example", "ceo@beta.example", OTHER_DOMAIN),
    Login("two-signs", "alpha", "a-1", "ceo@beta.example@alpha.example", OTHER_DOMAIN),
    Login("two-signs-as-id", "alpha", "ceo@beta.example@alpha.example", "x@alpha.example", UNLISTED),
    Login("quoted", "alpha", "a-1", '"ceo@beta.example"@alpha.example', OTHER_DOMAIN),
    Login("display-name", "alpha", "a-1", "ceo@beta.example <x@alpha.example>", OTHER_DOMAIN),
    Login("beside-ones-own", "alpha", "a-1", ["x@alpha.example", "ceo@beta.example"], OTHER_DOMAIN),
    Login("in-front-of-ones-own", "alpha", "a-1", ["ceo@beta.example", "x@alpha.example"], OTHER_DOMAIN),
    Login("list", "alpha", "a-1", "x@alpha.example,ceo@beta.example", OTHER_DOMAIN),
    Login("by-the-id-of-another-idp", "gamma", "1003", "x@gamma.example", UNLISTED),
]


@pytest.fixture(scope="module", params=["optional", "required"])
def organisations(
    tmp_path_factory: pytest.TempPathFactory, keys: KeyStore, request: pytest.FixtureRequest
) -> Iterator[tuple[Refusals, bool]]:
    """Logins that are refused at a site, and whether only listed users may enter there."""
    folder = tmp_path_factory.mktemp("users")
    (folder / "users.conf").write_text(LIST, "utf-8")
    parts = parts_of(ORGANISATIONS)
    lines = f"{NAMES} users users.conf; provisioning {request.param};"
    parts["http"] = parts["http"].replace("{lines}", lines)
    with running_site(folder, keys, **parts) as started:
        yield Refusals(started), request.param == "required"


@pytest.mark.parametrize("login", [*HONEST, *CLAIMED], ids=lambda login: login.name)
def test_idp_mix_whose_line_counts(organisations: tuple[Refusals, bool], login: Login) -> None:
    """IDP-MIX: a line counts for whom it means, by that IdP's word only; whoever is not listed gets nothing of it."""
    refusals, only_listed = organisations
    fields = {"name_id": login.user, "name_id_format": None, "attributes": sent(email=login.email)}
    if login.is_ in (DISABLED, OTHER_DOMAIN) or (login.is_ == UNLISTED and only_listed):
        refusal = refusals.answer(Browser(), f"/{login.idp}/", **fields)
        assert (refusal.reason, refusal.response.status) == (login.is_, 403)
        return
    echo = refusals.site.login(Browser(), f"/{login.idp}/", **fields).echo()
    assert echo.header("X-SSO-Groups") == (None if login.is_ == UNLISTED else login.is_)


@pytest.mark.parametrize("organisations", ["required"], indirect=True)
@pytest.mark.parametrize(
    ("login", "page"),
    [
        (Login("", "alpha", "nobody", "x@alpha.example", UNLISTED), ("not been invited", "Ask your administrator")),
        (Login("", "beta", "1003", "x@beta.example", DISABLED), ("account is disabled", "enable it")),
        (Login("", "alpha", "a-1", "ceo@beta.example", OTHER_DOMAIN), ("e-mail address cannot be used",)),
    ],
    ids=lambda each: each.is_ if isinstance(each, Login) else "",
)
def test_what_the_user_and_the_operator_learn(
    organisations: tuple[Refusals, bool], login: Login, page: tuple[str, ...]
) -> None:
    """The page says what to do and nothing of the list; the log names the user or the line."""
    refusals, _ = organisations
    fields = {"name_id": login.user, "name_id_format": None, "attributes": sent(email=login.email)}
    refusal = refusals.answer(Browser(), f"/{login.idp}/", **fields)
    assert all(text in refusal.response.text for text in page)
    for secret in ("users.conf", "provisioning", "idp=", "beta.example"):
        assert secret not in refusal.response.text
    line = 1 + LIST.splitlines().index("    user 1003 idp=beta                      disabled;")
    told = {UNLISTED: "nobody", DISABLED: f"users.conf:{line}", OTHER_DOMAIN: "ceo@beta.example"}
    assert told[login.is_] in refusal.line and f"idp={login.idp}" in refusal.line


@pytest.mark.parametrize("organisations", ["required"], indirect=True)
def test_who_is_not_listed_cannot_write_into_the_log(organisations: tuple[Refusals, bool]) -> None:
    refusals, _ = organisations
    name = 'x> e-mail <ceo@beta.example>\r\n2026/01/01 00:00:00 [notice] saml: valid login idp=beta user="ceo"'
    refusal = refusals.answer(Browser(), "/gamma/", name_id=name, name_id_format=None, attributes=sent(email=name))
    assert refusal.reason == UNLISTED and "\\x0D\\x0A2026" in refusal.line
    assert "\n2026/01/01 00:00:00" not in refusals.site.nginx.error_log()


# What is given by hand

BY_HAND = """
    user ada@example.com group=Manual group=Synced group=Ruled
                         space="Trial:Space Admin" space=DevOps space='QA:Space Developer';
    user bob@example.com;
    user gone@example.com disabled;
"""
POLICY = """
    space Trial; space DevOps; space QA; role "Space Admin"; role "Space Developer"; role "Space Member" default;
    group Manual; group Synced idp_id=synced; group Ruled; map_group department exact R&D Ruled;
    users users.conf;
"""


@pytest.fixture(scope="module")
def by_hand(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    folder = tmp_path_factory.mktemp("by_hand")
    known = []
    for name, policy in (("synced", POLICY), ("manual", POLICY + "group_sync off;"), ("loose", "users users.conf;")):
        (folder / f"{name}.conf").write_text(BY_HAND, "utf-8")  # its own, which no other IdP uses
        known.append(Tenant(name, policy.replace("users.conf", f"{name}.conf")))
    with running_site(folder, keys, **parts_of(known)) as started:
        yield started


@pytest.mark.parametrize(
    ("user", "email"),
    [("gone@example.com", "x@example.com"), ("Gone@EXAMPLE.com", "x@example.com"), ("g-1", "gone@example.com"),
     ("g-1", "GONE@example.com")],
)  # fmt: skip
def test_disabled_by_either_name_and_any_spelling(by_hand: SamlSite, user: str, email: str) -> None:
    """At the only IdP of a list no e-mail domains are needed to be kept out."""
    fields = {"name_id": user, "name_id_format": None, "attributes": sent(email=email)}
    refusal = Refusals(by_hand, logged=False).answer(Browser(), "/synced/", **fields)
    assert (refusal.reason, refusal.response.status) == (DISABLED, 403)


def groups(echo: EchoedRequest) -> set[str]:
    return set((echo.header("X-SSO-Groups") or "").split(",")) - {""}


SYNCED = {"groups": ["synced", "Manual"], "department": "R&D"}


@pytest.mark.parametrize(
    ("idp", "user", "values", "expected"),
    [
        ("synced", "ada@example.com", {}, {"Manual"}),
        ("synced", "ada@example.com", SYNCED, {"Manual", "Synced", "Ruled"}),
        ("synced", "bob@example.com", SYNCED, {"Synced", "Ruled"}),
        ("synced", "bob@example.com", {}, set()),
        ("synced", "eve@example.com", SYNCED, {"Synced", "Ruled"}),
        ("manual", "ada@example.com", {}, {"Manual", "Synced", "Ruled"}),
        ("manual", "bob@example.com", SYNCED, set()),
        ("manual", "eve@example.com", SYNCED, set()),
        ("loose", "ada@example.com", {"groups": ["Own", "Synced"]}, {"Own", "Manual", "Synced", "Ruled"}),
        ("loose", "bob@example.com", {"groups": "Own"}, {"Own"}),
    ],
)
def test_groups_by_hand(by_hand: SamlSite, idp: str, user: str, values: dict, expected: set[str]) -> None:
    """Beside the synced ones; with group_sync off by hand alone."""
    echo = by_hand.login(Browser(), f"/{idp}/", name_id=user, attributes=sent(**values)).echo()
    assert groups(echo) == expected
    names = (echo.header("X-SSO-Groups") or "").split(",")
    assert len(names) == len(set(names))


@pytest.mark.parametrize(
    ("user", "values", "spaces"),
    [
        ("ada@example.com", {}, {"Trial=Space Admin", "DevOps=Space Member", "QA=Space Developer"}),
        ("ada@example.com", {"space_name": "Trial", "space_role": "Space Member"},
         {"Trial=Space Member", "DevOps=Space Member", "QA=Space Developer"}),
        ("ada@example.com", {"space_name": "DevOps,QA", "space_role": "Space Admin,Owner"},
         {"DevOps=Space Admin", "QA=Space Member", "Trial=Space Admin"}),
        ("bob@example.com", {"space_name": "QA"}, {"QA=Space Member"}),
        ("bob@example.com", {}, set()),
    ],
)  # fmt: skip
def test_spaces_by_hand(by_hand: SamlSite, user: str, values: dict, spaces: set[str]) -> None:
    """Beside those that the IdP gave, whose roles stay."""
    for idp in ("synced", "manual"):
        echo = by_hand.login(Browser(), f"/{idp}/", name_id=user, attributes=sent(**values)).echo()
        assert set((echo.header("X-SSO-Spaces") or "").split(",")) - {""} == spaces


def test_the_log_tells_what_is_given_by_hand(by_hand: SamlSite) -> None:
    by_hand.login(Browser(), "/synced/", name_id="ada@example.com", attributes=sent(groups="synced"))
    by_hand.nginx.wait_for_log(
        r'saml: valid login idp=synced user=ada@example\.com spaces="Trial=Space Admin,.*" groups=Synced,Manual '
        r"received_groups=synced[ ,]"
    )
