"""What the application sees: prefixes, headers of one's own, encoding, limits and variables (DESIGN section 3)."""

from __future__ import annotations

import json
from urllib.parse import unquote

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.header_values import encoded
from sallyport_testing.saml_names import PERSISTENT
from sallyport_testing.saml_response import Attribute, nil_value
from sallyport_testing.site import SamlSite

ECHO = "proxy_pass http://%%upstream%%;"
USER = "student@example.com"


# Which headers


def test_prefixes_are_inherited(site: SamlSite, browser: Browser) -> None:
    site.start(
        http="saml_headers Http-;",
        server=f"""
            auth_saml test;
            location /inherited/ {{ {ECHO} }}
            location /own/ {{ saml_headers Own-; {ECHO} location /own/inner/ {{ {ECHO} }} }}
            location /off/ {{ saml_headers off; {ECHO} location /off/on/ {{ saml_headers X-Again-; {ECHO} }} }}
        """,
    )
    site.login(browser)
    prefixes = ["Http-", "Own-", "X-Again-", "X-SSO-"]
    for path, prefix in (
        ("/", "Http-"), ("/inherited/", "Http-"), ("/own/", "Own-"), ("/own/inner/", "Own-"), ("/off/", None),
        ("/off/on/", "X-Again-"),
    ):  # fmt: skip
        spoofed = [(f"{each}Role", "spoofed") for each in prefixes]
        echo = browser.get(site.url(path), headers=spoofed).echo()
        found = {each: echo.with_prefix(each).get(f"{each}User") for each in prefixes}
        assert found == {each: USER if each == prefix else None for each in prefixes}, path
        assert "spoofed" not in [value for _, value in echo.headers]


def test_headers_of_ones_own_are_inherited_as_a_whole(site: SamlSite, browser: Browser) -> None:
    site.start(
        http="saml_header X-A http; saml_header X-B http;",
        server="auth_saml test;",
        locations=f"""
            location /own/ {{
                saml_header X-B own; saml_header X-C own;
                {ECHO}
                location /own/inner/ {{ {ECHO} }}
                location /own/other/ {{ saml_header X-D $uri; {ECHO} }}
            }}
        """,
    )
    site.login(browser)
    for path, headers in {
        "/": {"X-A": "http", "X-B": "http"},
        "/own/": {"X-B": "own", "X-C": "own"},
        "/own/inner/": {"X-B": "own", "X-C": "own"},
        "/own/other/": {"X-D": "/own/other/"},
    }.items():
        spoofed = [(f"X-{each}", "spoofed") for each in "ABCD"]
        echo = browser.get(site.url(path), headers=spoofed).echo()
        assert {name: value for name, value in echo.headers if name in ("X-A", "X-B", "X-C", "X-D")} == headers, path


def test_values_of_ones_own(site: SamlSite, browser: Browser) -> None:
    site.start(
        http='map $uri $mapped { default ""; /mapped "yes"; }',
        location=r"""
            set $text "a\tb\r\nX-Evil: 1\n%25 \"q\"";
            saml_header X-Text $text;
            saml_header X-Literal "two words";
            saml_header X-Mapped $mapped;
            saml_header X-Query "$request_method $uri?$args";
            saml_header Authorization "Bearer $saml_user";
            saml_header Accept-Language en;
            saml_header X-Forwarded-For $saml_user;
        """,
    )
    site.login(browser)
    sent = [("Authorization", "Basic eDp5"), ("Accept-Language", "de"), ("X-Forwarded-For", "192.0.2.1")]
    echo = browser.get(site.url("/page?x=%0d%0a"), headers=sent).echo()
    assert echo.header("X-Text") == 'a%09b%0D%0AX-Evil: 1%0A%25 "q"'
    assert echo.header("X-Evil") is None
    assert echo.header("X-Literal") == "two words"
    assert echo.header("X-Mapped") is None
    assert echo.header("X-Query") == "GET /page?x=%0d%0a"
    assert echo.header("Authorization") == f"Bearer {USER}"
    assert echo.header("Accept-Language") == "en"
    assert echo.header("X-Forwarded-For") == USER
    assert browser.get(site.url("/mapped")).echo().header("X-Mapped") == "yes"


def test_hdr_anon_requests_get_no_header_of_ours(site: SamlSite, browser: Browser) -> None:
    site.start(location="auth_saml_mode optional; saml_header X-Always here; saml_header X-User $saml_user;")
    echo = browser.get(site.url("/"), headers=[("X-Always", "spoofed"), ("X-SSO-User", "spoofed")]).echo()
    assert echo.with_prefix("X-SSO-") == {}
    assert (echo.header("X-Always"), echo.header("X-User")) == (None, None)
    site.login(browser, "/saml/login?return=/")
    echo = browser.get(site.url("/")).echo()
    assert (echo.header("X-Always"), echo.header("X-User"), echo.header("X-SSO-User")) == ("here", USER, USER)


# How values are written


HOSTILE = [
    "a\r\nX-Evil: 1",
    "\ttab\t",
    "100%",
    "%41%2C%00",
    "a,b",
    "a=b,c=d",
    "=",
    ",",
    " both ends ",
    "inner  blanks",
    "\x7f",
    "\x85\u2028\u2029",
    "\u202eevil\u202c",
    "\u00a0nbsp\u00a0",
    "Stra\u00dfe \u4f60\u597d \U0001f600",
    "e\u0301 \u00e9",
    "\ufeffbom\u200b",
    "\"quoted\" 'single' \\ back",
    "<script>&amp;</script>",
    ";:$(){}[]|~`^",
    "http://[::1]/?a=b#c",
    "x" * 2000,
]


@pytest.fixture
def sending(site: SamlSite):
    """Logs a new user in with these values, and returns what the application gets."""

    def send(**parts: object):
        return site.login(Browser(), "/", **parts).echo()

    return send


def test_hdr_crlf_hdr_sep_hdr_utf8_values_are_written_exactly(site: SamlSite, sending) -> None:
    site.start(location="saml_header X-Attr $saml_attr_custom; saml_header X-Mixed \"<$saml_first_name>\";")
    for value in HOSTILE:
        attributes = [
            Attribute("first_name", [value]),
            Attribute("groups", [value, "plain"]),
            Attribute("custom", [value, "second"]),
        ]
        user = f"id {value[:200]} id"
        echo = sending(attributes=attributes, name_id=user)
        assert echo.header("X-SSO-User") == encoded(user, item=False)
        assert echo.header("X-SSO-First-Name") == encoded(value, item=False)
        assert echo.header("X-Mixed") == f"<{encoded(value, item=False)}>"
        groups = echo.header("X-SSO-Groups") or ""
        assert groups == f"{encoded(value, item=True)},plain"
        assert [unquote(item) for item in groups.split(",")] == [value, "plain"], "must be exact"
        assert echo.header("X-Attr") == f"{encoded(value, item=True)},second"
        assert echo.header("X-Evil") is None


def test_hdr_crlf_hdr_sep_hdr_utf8_values_as_json(site: SamlSite, sending) -> None:
    site.start(location="saml_header_format json; saml_header X-Attr $saml_attr_custom;")
    for value in HOSTILE:
        values = [value, 'q"\\']
        attributes = [Attribute("groups", values), Attribute("custom", values), Attribute("first_name", [value])]
        echo = sending(attributes=attributes)
        text = echo.header("X-SSO-Groups") or ""
        assert text.isascii() and text.isprintable()
        assert json.loads(text) == values
        assert echo.header("X-SSO-First-Name") == encoded(value, item=False), "single values are not JSON"


@pytest.mark.parametrize("value", ["", "  ", "\r\n\t"], ids=["empty", "blanks", "controls"])
def test_a_blank_value_is_none(sending, site: SamlSite, value: str) -> None:
    site.start()
    echo = sending(attributes=[Attribute("first_name", [value]), Attribute("groups", [value, "plain"])])
    assert (echo.header("X-SSO-First-Name"), echo.header("X-SSO-Groups")) == (None, "plain")


def test_nil_values_are_none(sending, site: SamlSite) -> None:
    """Neither alone nor beside others do they become a group, an address, or a header."""
    site.start(location="saml_header X-Attr $saml_attr_custom; saml_header X-Own $saml_attr_groups;")
    names = ["first_name", "email", "groups", "custom", "timezone", "account_role"]
    for alone in ([nil_value], [nil_value, nil_value]):
        echo = sending(attributes=[Attribute(name, [make() for make in alone]) for name in names], name_id_format=PERSISTENT)
        assert echo.with_prefix("X-") == {"X-SSO-User": "student@example.com", "X-SSO-Idp": "test"}
    beside = [Attribute(name, [nil_value(), f"{name}@example.com"]) for name in ("first_name", "email", "groups")]
    echo = sending(attributes=beside)
    assert echo.header("X-SSO-First-Name") == "first_name@example.com"
    assert (echo.header("X-SSO-Email"), echo.header("X-SSO-Groups")) == ("email@example.com", "groups@example.com")


def test_spaces_and_roles(site: SamlSite) -> None:
    site.start(locations=f"location /json {{ auth_saml test; saml_header_format json; {ECHO} }}")
    cases = [
        (["Trial"], ["Admin"], "Trial=Admin", "Admin", {"Trial": "Admin"}),
        (["Trial,DevOps"], ["Admin"], "Trial=Admin,DevOps=Admin", "Admin", {"Trial": "Admin", "DevOps": "Admin"}),
        (["A", "B"], ["Admin,Guest"], "A=Admin,B=Guest", "Admin,Guest", {"A": "Admin", "B": "Guest"}),
        (["Trial"], [], "Trial=", None, {"Trial": ""}),
        ([" a=b ", "c%d"], ["x=y", "\u00e9"], "a%3Db=x%3Dy,c%25d=%C3%A9", "x%3Dy,%C3%A9",
         {"a=b": "x=y", "c%d": "\u00e9"}),
    ]  # fmt: skip
    for spaces, roles, header, role_header, pairs in cases:
        browser = Browser()
        attributes = [Attribute("space_name", spaces), *([Attribute("space_role", roles)] if roles else [])]
        echo = site.login(browser, attributes=attributes).echo()
        assert echo.header("X-SSO-Spaces") == header
        assert echo.header("X-SSO-Roles") == role_header
        as_json = browser.get(site.url("/json")).echo()
        assert json.loads(as_json.header("X-SSO-Spaces") or "") == pairs
        distinct = list(dict.fromkeys(role for role in pairs.values() if role))
        assert json.loads(as_json.header("X-SSO-Roles") or "[]") == distinct


# Limits

MANY = [f"group-{number:04}" for number in range(400)]  # 11 bytes each with its comma


def grouped(count: int, name: str = "groups") -> list[Attribute]:
    return [Attribute(name, MANY[:count])]


def test_hdr_size_too_large_an_identity_is_refused_at_login(site: SamlSite, browser: Browser) -> None:
    site.start()
    site.refused(browser, "/", attributes=grouped(400))
    site.nginx.wait_for_log(r"\[error\].*saml: login refused reason=identity_too_large .*Groups")
    site.refused(Browser(), "/", attributes=[Attribute("picture", ["https://example.com/" + "x" * 4100])])


def test_hdr_size_limits_at_their_edge(site: SamlSite, sending) -> None:
    site.start(server="saml_header_limit 109 1k;")
    assert len(",".join(MANY[:10])) == 109
    assert sending(attributes=grouped(10)).header("X-SSO-Groups") == ",".join(MANY[:10])
    site.upstream.clear()
    site.refused(Browser(), "/", attributes=grouped(11))


def test_a_location_with_smaller_limits(site: SamlSite, browser: Browser) -> None:
    site.start(
        locations=f"""
            location /small/ {{ auth_saml test; saml_header_limit 50 1k; {ECHO} }}
            location /cut/ {{ auth_saml test; saml_header_limit 50 1k; saml_header_overflow cut; {ECHO} }}
            location /none/ {{ auth_saml test; saml_header_limit 50 1k; saml_headers off; {ECHO} }}
        """
    )
    site.login(browser, "/", attributes=grouped(10))
    refused = browser.get(site.url("/small/"))
    assert refused.status == 403 and refused.header("Cache-Control") == "no-store"
    site.nginx.wait_for_log(r"\[error\].*saml: access refused reason=identity_too_large user=student@example\.com")
    echo = browser.get(site.url("/cut/")).echo()
    assert (echo.header("X-SSO-Groups"), echo.header("X-SSO-Overflow")) == (",".join(MANY[:4]), "Groups")
    assert browser.get(site.url("/none/")).status == 200


def test_cut_lists_leave_room_for_what_cannot_be_cut(site: SamlSite, browser: Browser) -> None:
    site.start(server="saml_header_limit 200 300; saml_header_overflow cut; saml_header X-Who $saml_user:$saml_idp;")
    attributes = [
        *grouped(60), Attribute("space_name", [f"space-{number}" for number in range(60)]),
        Attribute("space_role", ["Member"]), Attribute("account_role", ["Owner"]),
    ]  # fmt: skip
    echo = site.login(browser, attributes=attributes).echo()
    shown = echo.with_prefix("X-SSO-")
    assert shown["X-SSO-Overflow"] == "Spaces,Groups"
    assert (shown["X-SSO-Idp"], shown["X-SSO-Account-Role"], shown["X-SSO-Roles"]) == ("test", "Owner", "Member")
    assert echo.header("X-Who") == f"{USER}:test"
    assert all(item.endswith("=Member") for item in shown["X-SSO-Spaces"].split(","))
    assert len(shown["X-SSO-Spaces"]) <= 200
    assert sum(len(value) for name, value in shown.items() if name != "X-SSO-Overflow") <= 300
    site.nginx.wait_for_log(r"\[warn\].*cut to saml_header_limit: Spaces,.*Groups")


@pytest.mark.parametrize("limit", [2, 20, 109, 110, 150, 151, 152, 1000])
def test_json_is_cut_at_an_item_and_counts_as_it_is_sent(site: SamlSite, browser: Browser, limit: int) -> None:
    site.start(
        locations=f"""
            location /json {{
                auth_saml test; saml_header_format json; saml_header_limit {limit} 2k; saml_header_overflow cut;
                saml_headers J-; {ECHO}
            }}
        """
    )
    site.login(browser, "/", attributes=grouped(30), name_id="x", name_id_format=None)
    answer = browser.get(site.url("/json"))
    if limit < len("test"):
        assert answer.status == 403, "a single value is never cut"
        return
    echo = answer.echo()
    text = echo.header("J-Groups")
    whole = json.dumps(MANY[:30], separators=(",", ":"))
    if len(whole) <= limit:
        assert (text, echo.header("J-Overflow")) == (whole, None)
        return
    assert echo.header("J-Overflow") == "Groups"
    fitting = [count for count in range(1, 30) if len(json.dumps(MANY[:count], separators=(",", ":"))) <= limit]
    assert json.loads(text or "[]") == MANY[: max(fitting, default=0)]


def test_headers_of_ones_own_count_too(site: SamlSite, browser: Browser) -> None:
    site.start(location='saml_header X-Query "$args"; saml_header_limit 100 200;')
    site.login(browser)
    assert browser.get(site.url("/?" + "x" * 100)).status == 200
    assert browser.get(site.url("/?" + "x" * 101)).status == 403


# Variables


def test_variables_everywhere(site: SamlSite, browser: Browser) -> None:
    log = site.nginx.folder / "who.log"
    site.start(
        http=f"""
            log_format who '$uri|$saml_user|$saml_groups|$saml_name_id|$saml_session_index|$saml_authn_context';
            access_log {log} who;
            map $saml_groups $team {{ default none; ~Platform platform; }}
        """,
        location="""
            set $early "[$saml_user]";
            proxy_set_header X-Early $early;
            proxy_set_header X-Who $saml_user;
            proxy_set_header X-Team $team;
            proxy_set_header X-Expires $saml_session_expires;
            proxy_set_header X-Instant $saml_authn_instant;
            proxy_set_header X-Format $saml_name_id_format;
            proxy_set_header X-Nothing $saml_timezone;
            proxy_set_header X-Error $saml_error;
            add_header X-Seen-By $saml_email;
        """,
    )
    site.login(browser, session_index="_index 1")
    answer = browser.get(site.url("/page"))
    echo = answer.echo()
    assert answer.header("X-Seen-By") == USER
    assert echo.header("X-Early") == "[]", "the session is looked up after the rewrite phase"
    assert (echo.header("X-Who"), echo.header("X-Team")) == (USER, "platform")
    assert (echo.header("X-Expires") or "")[-1] == "Z" and (echo.header("X-Instant") or "")[-1] == "Z"
    assert echo.header("X-Format") == "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"
    assert (echo.header("X-Nothing"), echo.header("X-Error")) == (None, None)
    site.nginx.stop()
    lines = log.read_text().splitlines()
    context = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
    assert f"/page|{USER}|Engineering,Platform|{USER}|_index 1|{context}" in lines
    assert "/|-|-|-|-|-" in lines, "the anonymous request before the login"


def test_limits_by_user(site: SamlSite) -> None:
    site.start(
        http="limit_req_zone $saml_user zone=users:1m rate=1r/m; limit_req_status 429;",
        location="limit_req zone=users;",
    )
    first, second = Browser(), Browser()
    site.login(first, name_id="first@example.com", attributes=())
    site.login(second, name_id="second@example.com", attributes=())
    assert [browser.get(site.url("/")).status for browser in (first, second)] == [429, 429]
    assert [Browser().get(site.url("/")).status for _ in range(3)] == [302] * 3, "no user, no limit of a user"


def test_attributes_by_name_and_alias(site: SamlSite, browser: Browser) -> None:
    names = {
        "X-By-Alias": "department", "X-By-Own-Alias": "team", "X-By-Name": "urn_oid_2_5_4_11", "X-By-Url":
        "http___example_com_claims_cost_centre", "X-Upper": "costcentre", "X-Friendly": "friendly", "X-None": "absent",
        "X-Several": "several", "X-Groups": "groups",
    }  # fmt: skip
    metadata = site.idp.write_metadata(site.nginx.folder / "idp.xml")
    site.start(
        location="".join(f"saml_header {header} $saml_attr_{name};" for header, name in names.items()),
        idp_block=f"metadata {metadata}; attribute team urn:example:no-such urn:example:team;",
    )
    attributes = [
        Attribute("urn:oid:2.5.4.11", ["R&D"]),
        Attribute("urn:example:team", ["Blue"]),
        Attribute("http://example.com/claims/cost-centre", ["4711"]),
        Attribute("CostCentre", ["4712"], friendly_name="friendly"),
        Attribute("several", ["a,b", "c"]),
        Attribute("groups", ["Engineering"]),
    ]
    echo = site.login(browser, attributes=attributes).echo()
    assert {name: echo.header(name) for name in names} == {
        "X-By-Alias": "R&D",
        "X-By-Own-Alias": "Blue",
        "X-By-Name": "R&D",
        "X-By-Url": "4711",
        "X-Upper": "4712",
        "X-Friendly": None,
        "X-None": None,
        "X-Several": "a%2Cb,c",
        "X-Groups": "Engineering",
    }


def test_an_alias_means_what_it_means_to_policies(site: SamlSite, sending) -> None:
    """No attribute of the same Name stands in for it, and `claims/name` is one kind of name only."""
    claims = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
    shown = {"Dept": "department", "First": "first_name", "Display": "display_name"}
    site.start(
        idp_block=f"metadata {site.idp.write_metadata(site.nginx.folder / 'idp.xml')}; attribute department team; policy main;",
        http='saml_policy main { group A; map_group department exact x A; }',
        location="".join(f"saml_header X-{header} $saml_attr_{alias};" for header, alias in shown.items()),
    )

    def seen(**attributes: str) -> dict[str, str | None]:
        echo = sending(attributes=[Attribute(name, [value]) for name, value in attributes.items()])
        variables = {name: echo.header(f"X-{name}") for name in shown}
        headers = {name: echo.header(f"X-SSO-{name}-Name") for name in ("First", "Display")}
        assert {name: variables[name] for name in headers} == headers
        assert (variables["Dept"] is not None) == (echo.header("X-SSO-Groups") is not None)
        return variables

    assert seen(department="x") == {"Dept": None, "First": None, "Display": None}
    assert seen(department="y", team="x") == {"Dept": "x", "First": None, "Display": None}
    name = {f"{claims}name": "Ada"}
    assert seen(**name) == {"Dept": None, "First": None, "Display": "Ada"}
    assert seen(**name, **{f"{claims}familyname": "King"}) == {"Dept": None, "First": "Ada", "Display": None}


def test_a_header_that_nginx_reads_itself_ends_with_a_nul(site: SamlSite, browser: Browser) -> None:
    """nginx looks for names of browsers in it, to the NUL: a sanitizer sees it if there is none."""
    site.start(location="saml_header User-Agent $arg_agent; saml_header_limit 8k 32k;")
    site.login(browser)
    for size in (1, 16, 4200):
        agent = "a" * size
        assert browser.get(site.url(f"/page?agent={agent}")).echo().header("User-Agent") == agent
