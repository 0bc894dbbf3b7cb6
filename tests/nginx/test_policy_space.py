"""The active space of a request (`saml_space`): from path, argument or cookie; only for its members."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from html import unescape
from urllib.parse import quote

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.header_values import encoded
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.policy_site import ECHO, USER, Tenant, sent
from sallyport_testing.running import running_site
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite
from sallyport_testing.upstream import EchoUpstream

ADMIN, MEMBER = "Space Admin", "Space Member"
POLICY = """
    space Trial; space DevOps; space "Data Science"; space "R&D=x%"; space Caf\u00e9; space "a:Space Admin"; space Secret;
    role "Space Admin"; role "Space Member"; role \u00c4dmin; role urn:x:admin; group Engineering idp_id=e;
"""
ITS = {"space_name": ["Trial", "DevOps", "Data Science", "R&D=x%", "Caf\u00e9", "a:Space Admin"],
       "space_role": [MEMBER, ADMIN, "", MEMBER, "\u00c4dmin", MEMBER], "groups": "e"}  # fmt: skip
PATH = "location ~ ^/{0}/(?<{0}>[^/]*)/ {{ auth_saml main; saml_space ${0}; {1} {2} }}\n"
LOCATIONS = "".join(
    [
        PATH.format("s", "ssi on;", ECHO),
        PATH.format("json", "saml_header_format json;", ECHO),
        PATH.format("bare", 'saml_headers off; saml_header X-Own "$saml_role in $saml_space";', ECHO),
        PATH.format("optional", "auth_saml_mode optional;", ECHO),
        PATH.format("admins", 'saml_require "role=Space Admin";', ECHO),
        PATH.format("colon", "saml_require role=urn:x:admin;", ECHO),
        PATH.format("page", "error_page 403 = /own403;", ECHO),
        f"location /arg/ {{ auth_saml main; saml_space $arg_space; {ECHO} }}\n",
        f"location /header/ {{ auth_saml main; saml_space $http_x_tenant; {ECHO} }}\n",
        f"location /fixed/ {{ auth_saml main; saml_space DevOps; {ECHO} }}\n",
        f"location /joined/ {{ auth_saml main; saml_space ${{arg_first}}${{arg_second}}; {ECHO} }}\n",
        f"location /cookie/ {{ auth_saml main; saml_space $chosen; {ECHO} }}\n",
        f'location /any/ {{ auth_saml main; saml_require "role=Space Admin"; {ECHO} }}\n',
        f'location /pair/ {{ auth_saml main; saml_require "space=$arg_space:Space Admin"; {ECHO} }}\n',
        f"location /public/ {{ ssi on; {ECHO} }}\n",
        f"location /limited/ {{ auth_saml main; saml_space $arg_space; limit_req zone=spaces; {ECHO} }}\n",
        "location = /own403 { internal; return 403 'own page: $saml_error $saml_space'; }\n",
        f"""location /outer/ {{
            auth_saml main; saml_space $arg_space; {ECHO}
            location /outer/inner/ {{ {ECHO} }}
            location /outer/other/ {{ saml_space $arg_other; {ECHO} }}
            location /outer/off/ {{ saml_space off; {ECHO} }}
        }}\n""",
    ]
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    folder = tmp_path_factory.mktemp("space")
    main = Tenant("main", POLICY)
    http = f"""
        {main.http()}
        map $cookie_tenant $chosen {{ default Trial; ~. $cookie_tenant; }}
        limit_req_zone $saml_space zone=spaces:1m rate=1r/m;
        log_format spaces '$request_uri|$saml_space|$saml_role'; access_log {folder}/spaces.log spaces;
    """
    with running_site(folder, keys, http=http, locations=main.locations() + LOCATIONS) as started:
        yield started


@pytest.fixture
def member(site: SamlSite) -> Browser:
    """Who is in all spaces but Secret."""
    browser = Browser()
    site.login(browser, "/main/", attributes=sent(**ITS))
    site.upstream.clear()
    return browser


def active(site: SamlSite, browser: Browser, path: str) -> tuple[str | None, str | None]:
    """Space and role as the application sees them."""
    echo = browser.get(site.url(path)).echo()
    return echo.header("X-SSO-Space"), echo.header("X-SSO-Role")


def is_refused(site: SamlSite, browser: Browser, path: str, missing: str) -> Response:
    """403 with a page that says what is missing; the application hears nothing of it."""
    page = browser.get(site.url(path))
    assert page.status == 403, f"{path}: {page.status}"
    assert site.upstream.requests == []
    assert f"Access that you need: <strong>{missing}</strong>." in unescape(page.text)
    assert page.header("Cache-Control") == "no-store"
    return page


def in_access_log(site: SamlSite, path: str) -> list[str]:
    """What the log has of a path; nginx writes it when the answer is out."""
    deadline = time.monotonic() + 5
    while True:
        lines = (site.nginx.folder / "spaces.log").read_text("utf-8").splitlines()
        found = [line.partition("|")[2] for line in lines if line.startswith(f"{path}|")]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.005)


# Whose it is


def test_space_by_path(site: SamlSite, member: Browser) -> None:
    for space, role in zip(ITS["space_name"], ITS["space_role"], strict=True):
        expected = (encoded(space, item=False), encoded(role, item=False) or None)
        path = f"/s/{quote(space, safe='')}/x"
        assert active(site, member, path) == expected
        assert in_access_log(site, path)[-1] == f"{expected[0]}|{expected[1] or '-'}"
    echo = member.get(site.url("/s/Trial/x?a=1")).echo()
    assert echo.uri == "/s/Trial/x?a=1"
    assert echo.header("X-SSO-Spaces") and echo.header("X-SSO-Roles"), "the others are there too"


@pytest.mark.parametrize(
    "space",
    ["Secret", "trial", "TRIAL", "Trial ", " Trial", "Tria", "Trialx", "Trial,DevOps", "Trial=Space Member", "Caf\u00c9",
     "R&D%3Dx%25", "R&D", "Nowhere", "%54rial", "Tr*", "Space Member", "<script>alert(1)", '"', "a", "a:Space",
     "\u202elairT", "\U0001f680", "\xff", "x" * 4000],
    ids=lambda space: ascii(space)[:30],
)  # fmt: skip
def test_space_that_the_user_lacks(site: SamlSite, member: Browser, space: str) -> None:
    path = f"/s/{quote(space, safe='', encoding='latin-1' if space == chr(255) else 'utf-8')}/x"
    shown = "\ufffd" if space == "\xff" else space
    page = is_refused(site, member, path, f'the space "{shown}"')
    assert "<script>" not in page.text
    assert in_access_log(site, path)[-1] == "-|-"


def test_a_role_with_a_colon_is_required_in_the_active_space(site: SamlSite) -> None:
    browser = Browser()
    site.login(browser, "/main/", attributes=sent(space_name=["Trial", "DevOps"], space_role=["urn:x:admin", MEMBER]))
    site.upstream.clear()
    is_refused(site, browser, "/colon/DevOps/x", 'the role "urn:x:admin" in the space "DevOps"')
    assert active(site, browser, "/colon/Trial/x") == ("Trial", encoded("urn:x:admin", item=False))


def test_what_the_log_says_of_a_space_that_is_missing(
    make_nginx: Callable[..., Nginx], upstream: EchoUpstream, idp: TestIdp, keys: KeyStore
) -> None:
    own = SamlSite(make_nginx(), upstream, idp, keys.tls("app.example.com"))
    own.start(locations=PATH.format("s", "", ECHO).replace("auth_saml main", "auth_saml test"))
    browser = Browser()
    own.login(browser)
    upstream.clear()
    page = is_refused(own, browser, "/s/Secret%0d%0a2026%20saml:/x", 'the space "Secret\r\n2026 saml:"')
    reference = page.text.partition("<code>")[2][:8]
    line = own.nginx.wait_for_log(rf".*ref={reference}.*")[0]
    assert "[error]" in line and f"saml: access refused reason=forbidden user={USER} " in line
    assert "saml_space: space=Secret\\x0D\\x0A2026 saml:" in line


def test_no_space_at_all(site: SamlSite, member: Browser) -> None:
    for path in ("/arg/", "/arg/?space=", "/arg/?other=Trial", "/header/", "/joined/"):
        is_refused(site, member, path, "a space, and the address that you opened names none")


def test_space_by_argument_header_and_literal(site: SamlSite, member: Browser) -> None:
    assert active(site, member, "/arg/?space=Trial") == ("Trial", MEMBER)
    assert active(site, member, "/arg/?x=1&space=DevOps") == ("DevOps", ADMIN)
    assert active(site, member, "/fixed/?space=Trial") == ("DevOps", ADMIN)
    assert active(site, member, "/joined/?first=Dev&second=Ops") == ("DevOps", ADMIN)
    site.upstream.clear()
    for path in ("/arg/?space=Secret", "/joined/?first=Se&second=cret"):
        is_refused(site, member, path, 'the space "Secret"')
    echo = member.get(site.url("/header/"), headers=[("X-Tenant", "DevOps")]).echo()
    assert (echo.header("X-SSO-Space"), echo.header("X-SSO-Role")) == ("DevOps", ADMIN)


def test_space_by_cookie_with_a_default(site: SamlSite, member: Browser) -> None:
    assert active(site, member, "/cookie/") == ("Trial", MEMBER)
    member.cookies.put(site.url(), "tenant=DevOps; Path=/; Secure")
    assert active(site, member, "/cookie/") == ("DevOps", ADMIN)
    assert site.upstream.last.cookies() == {"tenant": "DevOps"}
    member.cookies.put(site.url(), "tenant=Secret; Path=/; Secure")
    site.upstream.clear()
    is_refused(site, member, "/cookie/", 'the space "Secret"')


def test_space_without_a_session_leads_to_the_login(site: SamlSite, browser: Browser) -> None:
    for path in ("/s/Trial/x", "/s/Secret/x", "/arg/"):
        assert browser.get(site.url(path)).redirects
    answer = site.idp.login(browser, site.url("/s/Secret/x"), attributes=sent(**ITS))
    assert answer.status == 303
    assert browser.follow(answer).status == 403, "who is in needs the space all the same"


def test_space_where_a_login_is_optional(site: SamlSite, browser: Browser, member: Browser) -> None:
    for path in ("/optional/Trial/x", "/optional/Secret/x"):
        echo = browser.get(site.url(path), headers=[("X-SSO-Space", "Trial"), ("X-SSO-Role", ADMIN)]).echo()
        assert echo.with_prefix("X-SSO-") == {}
        assert in_access_log(site, path)[-1] == "-|-"
    assert active(site, member, "/optional/Trial/x") == ("Trial", MEMBER)
    site.upstream.clear()
    is_refused(site, member, "/optional/Secret/x", 'the space "Secret"')


# What is written


def test_hdr_spoof_space_and_role_of_the_client(site: SamlSite, browser: Browser, member: Browser) -> None:
    names = ["X-SSO-Space", "X-SSO-Role", "x-sso-space", "X_SSO_Role", "x.sso.role", "X-Sso-Space"]
    spoofed = [(name, "spoofed") for name in names]
    for who, path, space, role in (
        (member, "/s/Trial/x", "Trial", MEMBER),
        (member, "/s/Data%20Science/x", "Data Science", None),
        (member, "/main/", None, None),
        (member, "/outer/off/", None, None),
        (member, "/bare/Trial/x", None, None),
        (member, "/public/x", None, None),
        (browser, "/public/x", None, None),
    ):
        echo = who.get(site.url(path), headers=spoofed).echo()
        assert (echo.header("X-SSO-Space"), echo.header("X-SSO-Role")) == (space, role), path
        assert "spoofed" not in [value for _, value in echo.headers]


def test_space_and_role_are_single_values(site: SamlSite, member: Browser) -> None:
    """Never JSON; headers of one's own hold them too, though saml_headers is off."""
    assert active(site, member, "/json/Caf%C3%A9/x") == ("Caf%C3%A9", "%C3%84dmin")
    echo = member.get(site.url("/bare/DevOps/x")).echo()
    assert echo.with_prefix("X-") == {"X-Own": f"{ADMIN} in DevOps"}


def test_a_page_of_the_operators(site: SamlSite, member: Browser) -> None:
    page = member.get(site.url("/page/Secret/x"))
    assert (page.status, page.text) == (403, "own page: forbidden ")


def test_other_modules_limit_by_space(site: SamlSite, member: Browser) -> None:
    statuses = [member.get(site.url(f"/limited/?space={each}")).status for each in ("Trial", "Trial", "DevOps", "DevOps")]
    assert statuses == [200, 503, 200, 503]


# Roles


def test_role_in_the_active_space(site: SamlSite, member: Browser) -> None:
    assert active(site, member, "/admins/DevOps/x") == ("DevOps", ADMIN)
    site.upstream.clear()
    for space in ("Trial", "R%26D%3Dx%25", "Data%20Science", "a%3ASpace%20Admin"):
        shown = {"R%26D%3Dx%25": "R&D=x%", "Data%20Science": "Data Science", "a%3ASpace%20Admin": "a:Space Admin"}
        wanted = f'the role "{ADMIN}" in the space "{shown.get(space, space)}"'
        is_refused(site, member, f"/admins/{space}/x", wanted)
    is_refused(site, member, "/admins/Secret/x", 'the space "Secret"')


def test_role_in_any_space(site: SamlSite, member: Browser) -> None:
    assert active(site, member, "/any/") == (None, None)
    browser = Browser()
    site.login(browser, "/main/", attributes=sent(space_name="Trial", space_role=MEMBER))
    site.upstream.clear()
    is_refused(site, browser, "/any/", f'the role "{ADMIN}"')


def test_role_in_a_space_by_name(site: SamlSite, member: Browser) -> None:
    assert active(site, member, "/pair/?space=DevOps") == (None, None)
    site.upstream.clear()
    for space in ("Trial", "Secret", "DevOps:Space", "a"):
        is_refused(site, member, f"/pair/?space={space}", f'the role "{ADMIN}" in the space "{space}"')
    assert member.get(site.url("/pair/")).status == 403 and site.upstream.requests == []


# Levels and subrequests


def test_space_is_inherited(site: SamlSite, member: Browser) -> None:
    for path, expected in (
        ("/outer/?space=Trial", ("Trial", MEMBER)), ("/outer/inner/?space=DevOps", ("DevOps", ADMIN)),
        ("/outer/other/?space=Secret&other=Trial", ("Trial", MEMBER)), ("/outer/off/", (None, None)),
        ("/outer/off/?space=Secret", (None, None)),
    ):  # fmt: skip
        assert active(site, member, path) == expected, path
    site.upstream.clear()
    for path in ("/outer/?space=Secret", "/outer/inner/?space=Secret", "/outer/other/?space=Trial&other=Secret"):
        is_refused(site, member, path, 'the space "Secret"')


def seen(site: SamlSite, uri: str) -> list[tuple[str | None, str | None]]:
    echoes = [each for each in site.upstream.requests if each.uri == uri]
    return [(each.header("X-SSO-Space"), each.header("X-SSO-Role")) for each in echoes]


@pytest.mark.parametrize("main", ["/public/", "/s/Trial/"])
def test_subreq_into_a_space(site: SamlSite, member: Browser, main: str) -> None:
    """Each gets its own, and none into a space that the user lacks."""
    for target, expected in (
        ("/s/DevOps/y", [("DevOps", ADMIN)]), ("/s/Secret/y", []), ("/admins/Trial/y", []),
        ("/admins/DevOps/y", [("DevOps", ADMIN)]), ("/outer/off/y", [(None, None)]),
    ):  # fmt: skip
        site.upstream.clear()
        page = member.get(site.url(f"{main}ssi?include={target}"))
        assert page.status == 200
        assert seen(site, target) == expected, target
        assert seen(site, f"{main}ssi?include={target}") == [("Trial", MEMBER) if main.startswith("/s") else (None, None)]
    site.nginx.wait_for_log(r'\[error\].*saml: subrequest to "/s/Secret/y" refused')


def test_internal_redirects_change_the_space(site: SamlSite, member: Browser) -> None:
    page = member.get(site.url("/s/Trial/x-accel?to=/s/DevOps/y"))
    assert page.echo().uri == "/s/DevOps/y"
    assert seen(site, "/s/Trial/x-accel?to=/s/DevOps/y") == [("Trial", MEMBER)]
    assert seen(site, "/s/DevOps/y") == [("DevOps", ADMIN)]
    assert member.get(site.url("/s/Trial/x-accel?to=/s/Secret/y")).status == 403
    assert seen(site, "/s/Secret/y") == []
