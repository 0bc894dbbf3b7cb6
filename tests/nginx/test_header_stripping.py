"""What a client sends under our names never reaches an application, and everything else does, exactly."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.cgi_upstreams import FastCgiUpstream, ScgiUpstream, UwsgiUpstream
from sallyport_testing.echoed import EchoedRequest
from sallyport_testing.grpc_upstream import GrpcUpstream, grpc_message
from sallyport_testing.nginx import Nginx
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.site import SamlSite
from sallyport_testing.upstream import EchoUpstream

ANY_NAME = "underscores_in_headers on; ignore_invalid_headers off;"
FIELDS = (
    "User", "Email", "First-Name", "Last-Name", "Display-Name", "Picture", "Timezone", "Spaces", "Roles", "Groups",
    "Space", "Role", "Account-Role", "Idp", "Overflow", "Assertion", "Login",
)  # fmt: skip
IDENTITY = {
    "X-SSO-User": "student@example.com",
    "X-SSO-Email": "student@example.com",
    "X-SSO-First-Name": "Stu",
    "X-SSO-Last-Name": "Dent",
    "X-SSO-Groups": "Engineering,Platform",
    "X-SSO-Idp": "test",
}
PUBLIC = "location /public/ { proxy_pass http://%%upstream%%; }"
Pairs = list[tuple[str, str]]


def raw(connection: RawConnection, path: str, headers: Sequence[tuple[str, str]]) -> EchoedRequest:
    """One request on a connection that stays; names and values go out as they stand."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return connection.send(f"GET {path} HTTP/1.1\r\n{lines}\r\n").response().echo()


def misspell(name: str, rng: random.Random, separators: str = "-_.~!+|") -> str:
    """The name in another case, with other bytes where it has no letter or digit."""
    return "".join(
        rng.choice((each.lower(), each.upper())) if each.isalnum() else rng.choice(separators) for each in name
    )


# One spelling at a time


@pytest.mark.parametrize("path", ["/page", "/public/"])
@pytest.mark.parametrize("strict_names", [True, False], ids=["default_names", "any_names"])
def test_hdr_spoof_every_standard_name(http_site: SamlSite, browser: Browser, path: str, strict_names: bool) -> None:
    http_site.start(http="" if strict_names else ANY_NAME, locations=PUBLIC)
    http_site.login(browser)
    rng = random.Random(path)
    for field in FIELDS:
        spellings = [f"X-SSO-{field}", *(misspell(f"X-SSO-{field}", rng) for _ in range(5))]
        headers = [(each, "spoofed") for each in spellings]
        echo = browser.request("GET", http_site.url(path), headers=[*headers, ("X-Kept", "1")]).echo()
        assert "spoofed" not in [value for _, value in echo.headers], f"{spellings} -> {echo.headers}"
        assert echo.header("X-Kept") == "1"
        assert echo.with_prefix("X-SSO-") == (IDENTITY if path == "/page" else {})


@pytest.mark.parametrize("name", ["X-SSO-User", "X-Sso_User", "X-Extra", "Remote-Groups", "remote.groups"])
@pytest.mark.parametrize("values", [[""], ["a"], ["a", "b"], ["a", "", "c"]], ids=["empty", "one", "two", "three"])
def test_hdr_spoof_duplicates_and_empty_values(
    http_site: SamlSite, browser: Browser, name: str, values: list[str]
) -> None:
    http_site.start(
        http=ANY_NAME,
        location="saml_header X-Extra $saml_idp;",
        locations="location /other/ { auth_saml test; saml_headers Remote-; proxy_pass http://%%upstream%%; }" + PUBLIC,
    )
    http_site.login(browser)
    for path, identity in (("/page", {**IDENTITY, "X-Extra": "test"}), ("/public/", {})):
        headers = [("X-Before", "1"), *((name, value) for value in values), ("X-Behind", "2")]
        echo = browser.request("GET", http_site.url(path), headers=headers).echo()
        shown = [(key, value) for key, value in echo.headers if key.lower()[:6] in ("x-sso-", "x-extr", "remote")]
        assert dict(shown) == identity and len(shown) == len(identity), echo.headers
        assert (echo.header("X-Before"), echo.header("X-Behind")) == ("1", "2")


@pytest.mark.parametrize(
    ("sent", "passed_on"),
    [
        (["close, X-SSO-User"], ["close"]),
        (["X-SSO-User"], []),
        (["x_sso_groups ,\tKeep-Alive,X-SSO-Space,, upgrade"], ["Keep-Alive, upgrade"]),
        (["Remote-Email", "x-extra, keep-alive"], ["keep-alive"]),
        (["keep-alive, X-SSO-Users,  X-SSO"], ["keep-alive, X-SSO-Users,  X-SSO"]),
        ([","], [","]),
    ],
)
def test_hdr_spoof_connection_names_none_of_ours(
    http_site: SamlSite, browser: Browser, sent: list[str], passed_on: list[str]
) -> None:
    """A further proxy would take out what it names; nginx's own reading of it (close) stays."""
    every = "proxy_pass_request_headers on; proxy_http_version 1.1; proxy_set_header Connection $http_connection;"
    other = f"location /other/ {{ auth_saml test; saml_headers Remote-; {every} proxy_pass http://%%upstream%%; }}"
    http_site.start(http=ANY_NAME, location=f"saml_header X-Extra $saml_idp; {every}", locations=other + PUBLIC)
    http_site.login(browser)
    headers = [("Connection", value) for value in sent]
    for path in ("/page", "/other/"):
        echo = browser.request("GET", http_site.url(path), headers=headers).echo()
        assert echo.all("Connection") == [", ".join(passed_on)][: len(passed_on)]


def test_names_that_only_look_alike_are_kept(http_site: SamlSite) -> None:
    names = ["X-SSO", "X-SSO-", "X-SSO-Users", "X-SSO-Use", "XX-SSO-User", "XSSO-User", "X-SSOUser", "X-SSO--User"]
    http_site.start(http=ANY_NAME, locations=PUBLIC)
    echo = Browser().request("GET", http_site.url("/public/"), headers=[(name, "kept") for name in names]).echo()
    assert [name for name, value in echo.headers if value == "kept"] == names


def test_hdr_spoof_servers_without_auth_saml_strip_too(http_site: SamlSite) -> None:
    http_site.start(
        http=ANY_NAME + """
            server { listen 127.0.0.1:%%port:plain%%; location / { proxy_pass http://%%upstream%%; } }
            server { listen 127.0.0.1:%%port:open%%; saml_strip off; location / { proxy_pass http://%%upstream%%; } }
        """,
        location="saml_header X-Extra $saml_idp;",
    )
    headers = [("X-SSO-User", "a"), ("x_sso_groups", "b"), ("X-Extra", "c"), ("X-Kept", "d")]

    def seen(port: str) -> list[str]:
        url = f"http://127.0.0.1:{http_site.nginx.port(port)}/"
        values = [value for _, value in Browser().request("GET", url, headers=headers).echo().headers]
        return [value for value in values if value in "abcd"]

    assert seen("plain") == ["d"]
    assert seen("open") == ["a", "b", "c", "d"], "saml_strip off leaves the server's requests alone"


def test_hdr_anon_with_strip_off_nothing_stands_beside_ours(http_site: SamlSite, browser: Browser) -> None:
    http_site.start(
        server="saml_strip off;",
        locations=PUBLIC
        + "location /both/ { auth_saml test; auth_saml_mode optional; proxy_pass http://%%upstream%%; }",
    )
    spoofed = [("X-SSO-User", "spoofed"), ("x-sso-timezone", "spoofed")]
    anonymous = Browser().request("GET", http_site.url("/both/"), headers=spoofed).echo()
    assert anonymous.with_prefix("X-SSO-") == {}, "an anonymous request must not look like somebody"
    http_site.login(browser)
    assert browser.request("GET", http_site.url("/page"), headers=spoofed).echo().with_prefix("X-SSO-") == IDENTITY
    assert browser.request("GET", http_site.url("/public/"), headers=spoofed).echo().with_prefix("X-SSO-") != {}


def test_without_auth_saml_anywhere_nothing_is_touched(nginx: Nginx, upstream: EchoUpstream) -> None:
    nginx.configure(
        "server { listen 127.0.0.1:%%port:site%%; location / { proxy_pass http://%%upstream%%; } }",
        upstream=upstream.address,
    ).start()
    headers = [("X-SSO-User", "kept"), ("Cookie", "saml_session=kept")]
    echo = Browser().request("GET", f"http://127.0.0.1:{nginx.port()}/", headers=headers).echo()
    assert (echo.header("X-SSO-User"), echo.header("Cookie")) == ("kept", "saml_session=kept")


# All together, against a model

KNOWN = [
    ("User-Agent", "agent/1"), ("Authorization", "Bearer a.b.c"), ("Accept", "*/*"), ("Accept-Language", "de, en"),
    ("Referer", "http://other.example.com/"), ("Via", "1.1 other"), ("X-Real-IP", "192.0.2.1"), ("Range", "bytes=0-9"),
    ("If-Modified-Since", "Sat, 01 Jan 2022 00:00:00 GMT"), ("If-None-Match", '"tag"'), ("Accept-Encoding", "gzip"),
    ("Content-Type", "text/plain"), ("Date", "Sat, 01 Jan 2022 00:00:00 GMT"),
]  # fmt: skip
OWN_COOKIES = ["saml_session=spoofed", "saml_session." + "A" * 16 + "=x", "saml_session." + "b" * 16 + "="]
OTHER_COOKIES = ["a=1", "b", "=c", "saml_sessions=2", "xsaml_session=3", 'q="x y"', "", "d=saml_session=4", "e=\xe9"]
SEEN = {
    "Agent": "User-Agent", "Referer": "Referer", "Via": "Via", "Host": "Host", "Cookie": "Cookie",
    "For": "X-Forwarded-For", "Auth": "Authorization",
}  # fmt: skip
# nginx's own knowledge of these headers must stay right.
SHOWN = "".join(
    f"proxy_set_header Seen-{short} $http_{name.lower().replace('-', '_')};" for short, name in SEEN.items()
)


def cookie_header(rng: random.Random) -> str:
    parts = rng.choices(OWN_COOKIES + OTHER_COOKIES, k=rng.randint(1, 6))
    return rng.choice(["; ", ";", " ;  "]).join(parts).strip()


def kept_cookies(value: str) -> str | None:
    """The model: the other cookies as they stand; None where ours were all."""
    parts = value.split(";")
    kept = [part for part in parts if not part.strip().startswith(("saml_session=", "saml_session."))]
    return value if len(kept) == len(parts) else ";".join(kept).lstrip(" \t;") or None


def random_headers(rng: random.Random) -> Pairs:
    headers = rng.sample(KNOWN, rng.randint(0, len(KNOWN)))
    headers += [(f"X-Other-{number}", str(number)) for number in range(rng.randint(0, 18))]
    headers += [("X-Forwarded-For", f"192.0.2.{number}") for number in range(rng.choice((0, 0, 1, 3)))]
    headers += [("Cookie", cookie_header(rng)) for _ in range(rng.choice((0, 1, 1, 3)))]
    headers += [
        (misspell("X-SSO-" + rng.choice(FIELDS), rng, "-_.~\xa0"), rng.choice(["spoofed", ""]))
        for _ in range(rng.randint(0, 20))
    ]
    rng.shuffle(headers)
    headers.insert(rng.randint(0, len(headers)), ("Host", "app.example.com"))
    return headers


def expected(headers: Pairs) -> Pairs:
    """The model: what proxy_pass hands on, with its own three in front."""

    kept: Pairs = []
    for name, value in headers:
        left = kept_cookies(value) if name == "Cookie" else value
        if left is not None and not is_spoofed(name):
            kept.append((name, left))

    def seen(name: str) -> str:
        return ("; " if name == "Cookie" else ", ").join(value for key, value in kept if key == name)

    shown = [(f"Seen-{short}", seen(name)) for short, name in SEEN.items()]
    return [pair for pair in shown if pair[1]] + [pair for pair in kept if pair[0] != "Host"]


def is_spoofed(name: str) -> bool:
    folded = "".join(each.lower() if each.isalnum() and each.isascii() else "-" for each in name)
    return folded in {f"x-sso-{field.lower()}" for field in FIELDS}


@pytest.mark.parametrize("seed", range(3))
def test_hdr_spoof_any_mixture_of_headers(http_site: SamlSite, browser: Browser, seed: int) -> None:
    http_site.start(
        http=ANY_NAME + "keepalive_requests 10000; large_client_header_buffers 8 16k;" + SHOWN, locations=PUBLIC
    )
    http_site.login(browser)
    session = browser.cookies.header_for(http_site.url("/")) or ""
    rng = random.Random(seed)
    with RawConnection(http_site.base_url) as connection:
        for round_number in range(150):
            headers = random_headers(rng)
            echo = raw(connection, "/public/", headers)
            assert got(echo) == expected(headers), f"round {round_number}: {headers}"
            # The same with a session, whose cookie is all that may stand under its name.
            headers = [pair for pair in headers if pair[0] != "Cookie"]
            own = "; ".join(each for each in session.split("; ") if each.startswith("saml_session="))
            headers.insert(rng.randint(0, len(headers)), ("Cookie", rng.choice([own, f"x=1; {own}", f"{own};y=2"])))
            echo = raw(connection, "/page", headers)
            client = expected(headers)
            assert got(echo)[: len(client)] == client, f"round {round_number}: {headers}"
            assert sorted(got(echo)[len(client) :]) == sorted(IDENTITY.items())


def got(echo: EchoedRequest) -> Pairs:
    """All but what proxy_pass says for itself, in front."""
    assert len(echo.all("Host")) == 1
    return [pair for pair in echo.headers if pair[0] not in ("Host", "Connection")]


# Other ways in and out


def test_hdr_spoof_over_http2(site: SamlSite) -> None:
    site.start(http=ANY_NAME, listen="http2", locations=PUBLIC)
    browser = Browser(http2=True)
    site.login(browser)
    names = ["x-sso-user", "x_sso_user", "X-SSO-USER", "x.sso.groups", "x-sso-role", "x-sso-role"]
    spoofed = [(name, "spoofed") for name in names]
    headers = [("x-first", "1"), *spoofed, ("x-last", "2"), ("authorization", "Basic eA==")]
    for path, identity in (("/page", IDENTITY), ("/public/", {})):
        echo = browser.request("GET", site.url(path), headers=headers).echo()
        assert echo.with_prefix("X-SSO-") == identity
        assert "spoofed" not in [value for _, value in echo.headers]
        assert [echo.header(name) for name in ("x-first", "x-last", "authorization")] == ["1", "2", "Basic eA=="]


@pytest.mark.parametrize(
    ("server", "passing"),
    [
        (FastCgiUpstream, "fastcgi_pass %%other%%; fastcgi_param REQUEST_METHOD $request_method;"),
        (ScgiUpstream, "scgi_pass %%other%%; scgi_param REQUEST_METHOD $request_method;"),
        (UwsgiUpstream, "uwsgi_pass %%other%%; uwsgi_param REQUEST_METHOD $request_method;"),
    ],
    ids=["fastcgi", "scgi", "uwsgi"],
)
def test_hdr_spoof_cgi_like_upstreams(http_site: SamlSite, browser: Browser, server: type, passing: str) -> None:
    spoofed = [(name, "spoofed") for name in ("x_sso_user", "X.SSO.User", "X-SSO-User", "X-Sso-Role")]
    with server() as other:
        http_site.start(
            http=ANY_NAME,
            proxy=passing,
            locations=f"location /public/ {{ {passing} }}",
            other=other.address,
        )
        http_site.login(browser)
        for path, identity in (("/page", IDENTITY), ("/public/", {})):
            headers = [("X-First", "1"), *spoofed, ("User-Agent", "agent/1"), ("Cookie", _cookies(browser, http_site))]
            echo = browser.request("GET", http_site.url(path), headers=headers).echo()
            params = [(key, value) for key, value in echo.params if key.startswith("HTTP_X_SSO")]
            assert sorted(params) == sorted(
                ("HTTP_" + key.upper().replace("-", "_"), value) for key, value in identity.items()
            )
            assert [echo.header(name) for name in ("X-First", "User-Agent")] == ["1", "agent/1"]
            assert echo.header("Cookie") == "x=1"


def _cookies(browser: Browser, site: SamlSite) -> str:
    return f"x=1; {browser.cookies.header_for(site.url('/'))}"


def test_hdr_spoof_ws_grpc(site: SamlSite) -> None:
    with GrpcUpstream() as other:
        site.start(
            http=ANY_NAME,
            listen="http2",
            proxy="grpc_pass grpc://%%other%%;",
            locations="location /public/ { grpc_pass grpc://%%other%%; }",
            other=other.address,
        )
        browser = Browser(http2=True)
        site.idp.login(browser, site.url("/"))
        headers = [
            ("content-type", "application/grpc"), ("x-sso-user", "spoofed"), ("x_sso_user", "spoofed"),
            ("x-first", "1"),
        ]  # fmt: skip
        for path, identity in (("/service/Call", IDENTITY), ("/public/Call", {})):
            answer = browser.request("POST", site.url(path), headers=headers, body=b"\0\0\0\0\0")
            assert answer.status == 200
            echo = EchoedRequest.from_json(grpc_message(answer.body))
            found = {name: value for name, value in echo.headers if "sso" in name}
            assert found == {name.lower(): value for name, value in identity.items()}
            assert echo.header("x-first") == "1"
            assert echo.header("cookie") is None
        refused = Browser(http2=True).request("POST", site.url("/service/Call"), headers=headers, body=b"\0\0\0\0\0")
        assert refused.status == 401
        assert refused.header("x-sso-login") == site.url("/saml/login")
