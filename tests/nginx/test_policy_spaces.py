"""Spaces and roles of a policy: each of its rules over real logins, and values that pretend to be others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pytest
from lxml import etree

from sallyport_testing.browser import Browser
from sallyport_testing.echoed import EchoedRequest
from sallyport_testing.header_values import decoded_pairs, encoded_list, encoded_pairs
from sallyport_testing.keys import KeyStore
from sallyport_testing.policy_site import ECHO, Tenant, parts_of, sent
from sallyport_testing.refusals import Refusals
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import tag
from sallyport_testing.saml_response import Attribute, nil_value
from sallyport_testing.site import SamlSite

SPACES = "space Trial; space DevOps; space QA;"
ROLES = 'role "Space Admin"; role "Space Developer"; role "Space Member"{};'
STRICT = SPACES + ROLES.format(" default") + "account_role Admin; account_role Owner; account_role Member default;"
LARGEST = "L" * 1024  # that a name may be
CLAIM = "http://schemas.example.com/claims/space"
ADMIN, DEVELOPER, MEMBER = "Space Admin", "Space Developer", "Space Member"

TENANTS = [
    Tenant("strict", STRICT),
    Tenant("bare", SPACES + ROLES.format("") + "account_role Admin;"),
    Tenant("open"),
    Tenant("spaces", SPACES),
    Tenant("roles", ROLES.format(" default")),
    Tenant("claims", f"{STRICT} spaces_from {CLAIM}; roles_from department;", "attribute department memberRole;"),
    Tenant("large", f"space {LARGEST}; role {'R' * 1024} default;"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    parts = parts_of(TENANTS)
    for each in TENANTS:
        location = f"auth_saml {each.name}; saml_header_format json; saml_header_limit 8k 16k; {ECHO}"
        parts["locations"] += f"location /json/{each.name}/ {{ {location} }}\n"
    parts["locations"] += f"""
        location /require/space/ {{ auth_saml open; saml_require space=Trial; {ECHO} }}
        location /require/pair/ {{ auth_saml open; saml_require "space=Trial:Space Admin"; {ECHO} }}
        location /require/role/ {{ auth_saml open; saml_require "role=Space Admin"; {ECHO} }}
    """
    parts["server"] = "saml_max_message_size 4m;"
    with running_site(tmp_path_factory.mktemp("spaces"), keys, **parts) as started:
        yield started


def log_in(site: SamlSite, browser: Browser, policy: str, attributes: Sequence[Attribute]) -> EchoedRequest:
    return site.login(browser, f"/{policy}/", attributes=attributes).echo()


def check(site: SamlSite, policy: str, attributes: Sequence[Attribute], pairs: Mapping[str, str]) -> None:
    """The application sees these spaces and roles and nothing else, as a list and as JSON."""
    browser = Browser()
    echo = log_in(site, browser, policy, attributes)
    roles = list(dict.fromkeys(role for role in pairs.values() if role))
    assert echo.header("X-SSO-Spaces") == (encoded_pairs(pairs.items()) or None)
    assert echo.header("X-SSO-Roles") == (encoded_list(roles) or None)
    assert decoded_pairs(echo.header("X-SSO-Spaces") or "") == list(pairs.items())
    as_json = browser.get(site.url(f"/json/{policy}/")).echo()
    for name, expected in (("X-SSO-Spaces", pairs), ("X-SSO-Roles", roles)):
        text = as_json.header(name)
        assert text is None or text.isascii()
        assert json.loads(text or "null") == (expected or None)


@dataclass(frozen=True)
class Rule:
    """Items as they come one behind the other, in whatever values, and what they give."""

    name: str
    spaces: list[str]
    roles: list[str]
    gives: dict[str, str]
    policy: str = "strict"


RULES = [
    Rule("1-by-position", ["Trial", "DevOps"], [MEMBER, ADMIN], {"Trial": MEMBER, "DevOps": ADMIN}),
    Rule("1-order-stays", ["QA", "DevOps", "Trial"], [ADMIN, MEMBER, DEVELOPER],
         {"QA": ADMIN, "DevOps": MEMBER, "Trial": DEVELOPER}),
    Rule("1-one-of-each", ["QA"], [DEVELOPER], {"QA": DEVELOPER}),
    Rule("2-one-role", ["Trial", "DevOps", "QA"], [ADMIN], {"Trial": ADMIN, "DevOps": ADMIN, "QA": ADMIN}),
    Rule("2-beside-an-unknown-space", ["Nowhere", "Trial"], [ADMIN], {"Trial": ADMIN}),
    Rule("2-an-unknown-role", ["Trial", "QA"], ["Owner"], {"Trial": MEMBER, "QA": MEMBER}),
    Rule("2-not-with-an-empty-second", ["Trial", "QA"], [ADMIN, ""], {"Trial": ADMIN, "QA": MEMBER}),
    Rule("3-first-role", ["Trial", "QA", "Trial"], [DEVELOPER, ADMIN, ADMIN], {"Trial": DEVELOPER, "QA": ADMIN}),
    Rule("3-first-valid-role", ["Trial", "Trial", "Trial"], ["Owner", ADMIN, DEVELOPER], {"Trial": ADMIN}),
    Rule("3-empty-is-not-valid", ["Trial", "QA", "Trial"], ["", ADMIN, DEVELOPER], {"Trial": DEVELOPER, "QA": ADMIN}),
    Rule("3-none-valid", ["Trial", "Trial"], ["Owner", "Boss"], {"Trial": MEMBER}),
    Rule("3-with-one-role", ["Trial", "Trial"], [ADMIN], {"Trial": ADMIN}),
    Rule("4-unknown-role", ["Trial", "DevOps"], ["Owner", ADMIN], {"Trial": MEMBER, "DevOps": ADMIN}),
    Rule("4-letters-count", ["Trial", "QA"], ["space admin", "Space  Admin"], {"Trial": MEMBER, "QA": MEMBER}),
    Rule("4-without-default", ["Trial", "QA"], ["Owner", ADMIN], {"Trial": "", "QA": ADMIN}, "bare"),
    Rule("4-no-known-spaces", ["Some", "Any"], ["Owner", ADMIN], {"Some": MEMBER, "Any": ADMIN}, "roles"),
    Rule("5-more-spaces", ["Trial", "DevOps", "QA"], [ADMIN, DEVELOPER],
         {"Trial": ADMIN, "DevOps": DEVELOPER, "QA": MEMBER}),
    Rule("5-no-role", ["Trial", "DevOps"], [], {"Trial": MEMBER, "DevOps": MEMBER}),
    Rule("5-without-default", ["Trial", "DevOps", "QA"], [ADMIN, DEVELOPER],
         {"Trial": ADMIN, "DevOps": DEVELOPER, "QA": ""}, "bare"),
    Rule("5-no-role-without-default", ["Trial", "QA"], [], {"Trial": "", "QA": ""}, "bare"),
    Rule("6-more-roles", ["Trial"], [DEVELOPER, ADMIN, ADMIN], {"Trial": DEVELOPER}),
    Rule("6-no-space", [], [ADMIN, DEVELOPER], {}),
    Rule("7-unknown-space", ["Trial", "Nowhere", "QA"], [MEMBER, ADMIN, DEVELOPER], {"Trial": MEMBER, "QA": DEVELOPER}),
    Rule("7-letters-count", ["trial", "TRIAL", "Trial"], [ADMIN, ADMIN, DEVELOPER], {"Trial": DEVELOPER}),
    Rule("7-none-known", ["Nowhere", "Anywhere"], [ADMIN, ADMIN], {}),
    Rule("8-anything", ["Some", "Any"], ["Owner", "Boss"], {"Some": "Owner", "Any": "Boss"}, "open"),
    Rule("8-any-role", ["Some", "QA"], ["Owner", "Boss"], {"QA": "Boss"}, "spaces"),
    Rule("8-any-space", ["Some", "QA"], ["Owner", ADMIN], {"Some": MEMBER, "QA": ADMIN}, "roles"),
    Rule("empty-space", ["Trial", "", "QA"], [MEMBER, ADMIN, DEVELOPER], {"Trial": MEMBER, "QA": DEVELOPER}),
    Rule("empty-space-of-any", ["Some", "", "Any"], ["A", "B", "C"], {"Some": "A", "Any": "C"}, "open"),
    Rule("empty-role", ["Trial", "QA"], ["", ADMIN], {"Trial": MEMBER, "QA": ADMIN}),
    Rule("empty-role-of-any", ["Some", "Any"], ["", "B"], {"Some": "", "Any": "B"}, "open"),
]  # fmt: skip


def as_values(items: list[str], form: str) -> list[str]:
    """The items in one value, in a value each, or both."""
    if form == "values" or not items:
        return items
    if form == "mixed":
        return [items[0], ", ".join(items[1:])] if len(items) > 1 else [f" {items[0]}\t"]
    return [" ,\r\n".join(items)] if form == "blanks" else [",".join(items)]


@pytest.mark.parametrize("form", ["commas", "blanks", "values", "mixed"])
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule(site: SamlSite, rule: Rule, form: str) -> None:
    attributes = [
        Attribute(name, as_values(items, form))
        for name, items in (("space_name", rule.spaces), ("space_role", rule.roles)) if items
    ]  # fmt: skip
    check(site, rule.policy, attributes, rule.gives)


@pytest.mark.parametrize(
    ("spaces", "roles", "pairs"),
    [
        (["Trial", "DevOps"], [None, ADMIN], {"Trial": MEMBER, "DevOps": ADMIN}),
        (["Trial", "DevOps", "QA"], [DEVELOPER, None, ADMIN], {"Trial": DEVELOPER, "DevOps": MEMBER, "QA": ADMIN}),
        (["Trial", None, "QA"], [DEVELOPER, MEMBER, ADMIN], {"Trial": DEVELOPER, "QA": ADMIN}),
        (["Trial", "QA"], [ADMIN, None], {"Trial": ADMIN, "QA": MEMBER}),
        (["Trial", "QA"], [None, None], {"Trial": MEMBER, "QA": MEMBER}),
        ([None], [ADMIN], {}),
    ],
)
@pytest.mark.parametrize("form", ["nil", "element"])
def test_a_value_that_is_no_text_keeps_its_place(
    site: SamlSite, form: str, spaces: list[str | None], roles: list[str | None], pairs: dict[str, str]
) -> None:
    """No later role goes to another space."""

    def value(text: str | None) -> str | etree._Element:
        if text is not None:
            return text
        no_text = nil_value()
        if form == "element":
            del no_text.attrib[tag("xsi:nil")]
            etree.SubElement(no_text, tag("saml:NameID")).text = ADMIN
        return no_text

    attributes = [
        Attribute(name, [value(each) for each in items]) for name, items in (("space_name", spaces), ("space_role", roles))
    ]
    check(site, "strict", attributes, pairs)


@pytest.mark.parametrize("empty", [[""], ["", ""], [" ", "\r\n\t"]], ids=["one", "two", "blanks"])
def test_a_wholly_empty_attribute_has_no_items(site: SamlSite, empty: list[str]) -> None:
    check(site, "strict", sent(space_name=empty, space_role=ADMIN), {})
    check(site, "strict", sent(space_name=["Trial", "QA"], space_role=empty), {"Trial": MEMBER, "QA": MEMBER})
    check(site, "open", sent(space_name=empty, space_role=empty), {})


def test_sources_by_name_and_by_alias(site: SamlSite) -> None:
    """spaces_from and roles_from; what the usual attributes say is nothing then."""
    attributes = sent(**{CLAIM: "QA,Trial", "memberRole": ["Space Admin"], "space_name": "DevOps", "space_role": MEMBER})
    check(site, "claims", attributes, {"QA": ADMIN, "Trial": ADMIN})
    check(site, "claims", sent(space_name="DevOps", department=ADMIN), {})


@pytest.mark.parametrize(
    ("policy", "values", "role"),
    [
        ("strict", ["Owner"], "Owner"), ("strict", ["owner"], "Member"), ("strict", [], "Member"),
        ("strict", [""], "Member"), ("strict", ["Owner", "Admin"], "Owner"), ("strict", ["", "Admin"], "Admin"),
        ("strict", ["Owner,Admin"], "Member"), ("bare", ["Admin"], "Admin"), ("bare", ["Owner"], None),
        ("bare", [], None), ("open", ["Any, at all"], "Any, at all"), ("open", [], None),
    ],
)  # fmt: skip
def test_account_role(site: SamlSite, policy: str, values: list[str], role: str | None) -> None:
    echo = log_in(site, Browser(), policy, sent(account_role=values) if values else [])
    assert echo.header("X-SSO-Account-Role") == role
    assert (echo.header("X-SSO-Spaces"), echo.header("X-SSO-Roles")) == (None, None)


# Values that pretend

PRETENDERS = [
    "Trial=Space Admin", "Trial:Space Admin", "Trial%2CDevOps", "Trial%3DSpace Admin", "%54rial", "Trial;DevOps",
    '"Trial"', "'Trial'", "Trial\r\nX-SSO-Spaces: DevOps", "Trial\nDevOps", "Trial\rDevOps", "Tri\tal",
    "\u202elairT", "Trial\u202c", "\u200fTrial", "Trial\u200b", "\ufeffTrial", "\u00a0Trial\u00a0", "\u0422rial",
    "\uff34rial", "Trial\u0301", "Trial\u2028", "Trial\u0085", "Trial\x7f", "\U0001d413rial", "\U0001f680",
    "Trial\uff0cDevOps", "Trial\u3001DevOps", '{"Trial":"Space Admin"}', "Trial\\u002cDevOps",
    "Trial\U000e0020", "[Trial]", "<Trial/>", "&amp;", "=", "%", "%00", "Trial=", "=Trial",
]  # fmt: skip
IDS = [ascii(each) for each in PRETENDERS]


@pytest.mark.parametrize("value", PRETENDERS, ids=IDS)
def test_a_pretender_is_no_known_space_and_no_known_role(site: SamlSite, value: str) -> None:
    check(site, "strict", sent(space_name=[value, "QA"], space_role=[ADMIN, DEVELOPER]), {"QA": DEVELOPER})
    role = value.replace("Trial", ADMIN)
    check(site, "strict", sent(space_name=["Trial", "QA"], space_role=[role, ADMIN]), {"Trial": MEMBER, "QA": ADMIN})


@pytest.mark.parametrize("value", PRETENDERS, ids=IDS)
def test_hdr_crlf_hdr_sep_hdr_utf8_a_pretender_is_itself_where_all_is_known(site: SamlSite, value: str) -> None:
    """The application reads it back to the letter, and no requirement takes it for another one."""
    browser = Browser()
    attributes = sent(space_name=[value, "Any"], space_role=[value, "Some"])
    echo = log_in(site, browser, "open", attributes)
    assert echo.header("X-SSO-Spaces") == encoded_pairs([(value, value), ("Any", "Some")])
    assert echo.header("X-SSO-Roles") == encoded_list([value, "Some"])
    assert decoded_pairs(echo.header("X-SSO-Spaces") or "") == [(value, value), ("Any", "Some")]
    assert [name for name, _ in echo.headers if name.lower().startswith("x-sso-spaces")] == ["X-SSO-Spaces"]
    assert json.loads(browser.get(site.url("/json/open/")).echo().header("X-SSO-Spaces") or "")[value] == value
    for requirement in ("space", "pair", "role"):
        assert browser.get(site.url(f"/require/{requirement}/")).status == 403
    check(site, "open", attributes, {value: value, "Any": "Some"})


# Many and large

COUNT = 10_000


def plain(name: str, values: Sequence[str]) -> Attribute:
    """Without xsi:type, so that ten thousand values stay within the limits of a message."""
    return Attribute(name, values, value_type=None)


@pytest.mark.parametrize("form", ["commas", "values"])
def test_ten_thousand_values(site: SamlSite, form: str) -> None:
    many = [f"{number % 16:x}" for number in range(COUNT - 2)]
    spaces = plain("space_name", as_values(["QA", *many, "Trial"], form))
    check(site, "strict", [spaces], {"QA": MEMBER, "Trial": MEMBER})
    roles = plain("space_role", as_values([DEVELOPER, *many, ADMIN], form))
    check(site, "strict", [plain("space_name", ["QA", "Trial"]), roles], {"QA": DEVELOPER, "Trial": MEMBER})
    same = plain("space_name", as_values(["QA"] * 6000, form))
    check(site, "strict", [same, plain("space_role", [ADMIN])], {"QA": ADMIN})


def test_hdr_size_ten_thousand_spaces_are_more_than_headers_hold(site: SamlSite) -> None:
    """None of them is left out in silence: the login is refused."""
    many = [f"{number:04x}" for number in range(COUNT)]
    refused = Refusals(site, logged=False).answer(Browser(), "/open/", attributes=[plain("space_name", many)])
    assert refused.reason == "identity_too_large"


def test_hdr_size_values_at_their_limits(site: SamlSite) -> None:
    check(site, "large", sent(space_name=LARGEST), {LARGEST: "R" * 1024})
    check(site, "large", sent(space_name=[LARGEST + "L", LARGEST[1:]]), {})
    longest = "x" * (4096 - len("=y"))
    check(site, "open", sent(space_name=longest, space_role="y"), {longest: "y"})
    for longer in (longest + "x", "x" * 50_000, "\u00e9" * 2000):
        refused = Refusals(site, logged=False).answer(Browser(), "/open/", attributes=sent(space_name=longer, space_role="y"))
        assert refused.reason == "identity_too_large"
        check(site, "strict", sent(space_name=[longer, "QA"], space_role=ADMIN), {"QA": ADMIN})
