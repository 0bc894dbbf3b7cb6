"""Subrequests and internal redirects: each location asks anew, and nothing of an earlier one is left."""

from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.echoed import EchoedRequest
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx, module_under_test
from sallyport_testing.policy_site import sent
from sallyport_testing.redis_nodes import RedisSites
from sallyport_testing.redis_server import RedisServer
from sallyport_testing.redis_steps import holder_of, log_in
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite
from sallyport_testing.upstream import EchoUpstream

ECHO = "proxy_pass http://%%upstream%%;"
USER = "student@example.com"


def seen(site: SamlSite, uri: str) -> list[EchoedRequest]:
    """What the upstream got under this URI."""
    return [each for each in site.upstream.requests if each.uri == uri]


def included(text: str) -> EchoedRequest:
    """The echo inside an SSI page of the upstream."""
    found = re.search(r"before (\{.*\}) after", text)
    assert found is not None, text
    return EchoedRequest.from_json(found[1])


# Subrequests, which nginx lets pass the access phase

SSI = f"""
    location /public/ {{ ssi on; {ECHO} }}
    location /own/ {{ auth_saml test; saml_headers Own-; saml_header Authorization "Own $saml_user"; ssi on; {ECHO} }}
    location /strict/ {{ auth_saml test; saml_require group=Nobody; {ECHO} }}
    location /maybe/ {{ auth_saml test; auth_saml_mode optional; {ECHO} }}
    location /open/ {{ {ECHO} }}
"""


@pytest.mark.parametrize("target", ["/page", "/own/x", "/strict/x"])
def test_subreq_ssi_into_a_protected_location_without_a_session(site: SamlSite, browser: Browser, target: str) -> None:
    site.start(locations=SSI)
    page = browser.get(site.url(f"/public/ssi?include={target}"))
    assert page.status == 200
    assert '"headers"' not in page.text
    assert seen(site, target) == []
    site.nginx.wait_for_log(rf'\[error\].*saml: subrequest to "{target}" refused')


def test_subreq_ssi_with_a_session(site: SamlSite, browser: Browser) -> None:
    site.start(location='ssi on; saml_header Authorization "Main $saml_user";', locations=SSI)
    site.login(browser)
    sent = [("Authorization", "Basic eDp5"), ("X-Forwarded-For", "192.0.2.1"), ("X-Kept", "1"), ("Accept", "text/html")]
    for main, target, main_headers, target_headers in (
        ("/public/ssi", "/page", {}, {"X-SSO-User": USER, "Authorization": f"Main {USER}"}),
        ("/public/ssi", "/own/x", {}, {"Own-User": USER, "Authorization": f"Own {USER}"}),
        ("/public/ssi", "/maybe/x", {}, {"X-SSO-User": USER}),
        ("/public/ssi", "/open/x", {}, {}),
        ("/ssi", "/page", {"X-SSO-User": USER, "Authorization": f"Main {USER}"},
         {"X-SSO-User": USER, "Authorization": f"Main {USER}"}),
        ("/ssi", "/own/x", {"X-SSO-User": USER, "Authorization": f"Main {USER}"},
         {"Own-User": USER, "Authorization": f"Own {USER}"}),
        ("/own/ssi", "/page", {"Own-User": USER, "Authorization": f"Own {USER}"},
         {"X-SSO-User": USER, "Authorization": f"Main {USER}"}),
        ("/ssi", "/open/x", {"X-SSO-User": USER, "Authorization": f"Main {USER}"}, {}),
    ):  # fmt: skip
        site.upstream.clear()
        page = browser.get(site.url(f"{main}?include={target}"), headers=sent)
        assert included(page.text).uri == target
        for uri, headers in ((f"{main}?include={target}", main_headers), (target, target_headers)):
            (echo,) = seen(site, uri)
            names = ("X-SSO-User", "Own-User", "Authorization")
            found = {name: value for name in names for value in echo.all(name)}
            assert found == headers, f"{main} including {target}: {uri}"
            assert sum(len(echo.all(name)) for name in names) == len(headers)
            assert (echo.header("X-Kept"), echo.header("X-Forwarded-For")) == ("1", "192.0.2.1")
            assert echo.header("Cookie") is None


def test_subreq_ssi_where_the_session_does_not_suffice(site: SamlSite, browser: Browser) -> None:
    site.start(locations=SSI)
    site.login(browser)
    page = browser.get(site.url("/public/ssi?include=/strict/x"))
    assert page.status == 200 and seen(site, "/strict/x") == []


def test_subreq_ssi_inside_ssi(site: SamlSite, browser: Browser) -> None:
    site.start(locations=SSI)
    site.login(browser)
    page = browser.get(site.url("/public/ssi?include=/own/ssi%3Finclude%3D/page"))
    assert included(page.text.replace("<html><body>before <html>", "<html>", 1)).header("X-SSO-User") == USER
    (outer,) = seen(site, "/public/ssi?include=/own/ssi%3Finclude%3D/page")
    (middle,) = seen(site, "/own/ssi?include=/page")
    assert outer.with_prefix("Own-") == {} and outer.with_prefix("X-SSO-") == {}
    assert middle.header("Own-User") == USER and middle.with_prefix("X-SSO-") == {}


def test_strip_off_in_subrequests(site: SamlSite, browser: Browser) -> None:
    site.start(server="saml_strip off;", locations=SSI)
    names = [(f"X-Other-{number}", str(number)) for number in range(25)]
    spoofed = [*names[:10], ("X-SSO-User", "spoofed"), *names[10:], ("x-sso-user", "spoofed")]
    page = browser.get(site.url("/public/ssi?include=/maybe/x"), headers=spoofed)
    inner = included(page.text)
    assert inner.with_prefix("X-SSO-") == {}
    assert [pair for pair in inner.headers if pair[0].startswith("X-Other-")] == names
    site.login(browser)
    inner = included(browser.get(site.url("/public/ssi?include=/page"), headers=spoofed).text)
    assert inner.all("X-SSO-User") == [USER]


def test_subreq_mirror(site: SamlSite, browser: Browser) -> None:
    site.start(
        location="mirror /copy;",
        locations=f"""
            location = /copy {{ internal; {ECHO} }}
            location = /secret-copy {{ internal; auth_saml test; {ECHO} }}
            location /public/ {{ mirror /secret-copy; {ECHO} }}
        """,
    )
    browser.get(site.url("/public/x"))
    assert seen(site, "/secret-copy") == []
    site.login(browser)
    deadline = time.monotonic() + 10
    while not seen(site, "/copy") and time.monotonic() < deadline:
        time.sleep(0.01)  # nobody waits for a mirror: the login's own must not be taken for a later one
    site.upstream.clear()
    browser.get(site.url("/page"))
    browser.get(site.url("/public/x"))
    site.nginx.stop()
    assert [each.with_prefix("X-SSO-") for each in seen(site, "/copy")] == [{}], "no identity for a public location"
    assert [each.header("X-SSO-User") for each in seen(site, "/secret-copy")] == [USER]
    assert [each.header("X-SSO-User") for each in seen(site, "/page")] == [USER]
    assert [each.header("X-SSO-User") for each in seen(site, "/public/x")] == [None]


def test_subreq_auth_request_into_a_protected_location(site: SamlSite, browser: Browser) -> None:
    site.start(
        locations=f"""
            location = /check {{ internal; auth_saml test; proxy_pass_request_body off; {ECHO} }}
            location /guarded/ {{ auth_request /check; {ECHO} }}
            location /both/ {{ auth_saml test; saml_headers Both-; auth_request /check; {ECHO} }}
        """
    )
    assert browser.get(site.url("/guarded/")).status == 403
    assert browser.get(site.url("/both/")).status == 302
    assert site.upstream.requests == []
    site.login(browser)
    site.upstream.clear()
    assert browser.get(site.url("/guarded/")).echo().with_prefix("X-SSO-") == {}
    both = browser.get(site.url("/both/")).echo()
    assert both.header("Both-User") == USER and both.with_prefix("X-SSO-") == {}
    assert [each.header("X-SSO-User") for each in seen(site, "/check")] == [USER, USER]
    assert [each.with_prefix("Both-") for each in seen(site, "/check")] == [{}, {}]


def test_subreq_addition(site: SamlSite, browser: Browser) -> None:
    site.start(locations=f"location /public/ {{ add_before_body /page; {ECHO} }}")
    assert '"headers"' not in browser.get(site.url("/public/html")).text
    assert seen(site, "/page") == []
    site.login(browser)
    text = browser.get(site.url("/public/html")).text
    assert EchoedRequest.from_json(text[: text.index("<!DOCTYPE")]).header("X-SSO-User") == USER
    assert [each.header("X-SSO-User") for each in seen(site, "/page")] == [USER]


# Internal redirects

REDIRECTS = f"""
    location /public/ {{ {ECHO} }}
    location /accel/ {{ {ECHO} }}
    location /caught/ {{ proxy_intercept_errors on; error_page 404 /page; error_page 410 =200 /page;
                         error_page 409 = /page; error_page 418 @named; error_page 416 /open/; {ECHO} }}
    location /tried/ {{ try_files /no-such-file /page; }}
    location /named/ {{ try_files /no-such-file @named; }}
    location /dir/ {{ alias %%folder%%/dir/; index start; }}
    location = /dir/start {{ auth_saml test; {ECHO} }}
    location /rewritten/ {{ rewrite ^ /page last; }}
    location /inside/ {{ internal; auth_saml test; saml_headers In-; saml_header X-Extra inside; {ECHO} }}
    location /open/ {{ internal; {ECHO} }}
    location @named {{ auth_saml test; saml_headers Named-; {ECHO} }}
    location /own/ {{ auth_saml test; saml_headers Own-; saml_header Authorization "Own $saml_user"; {ECHO} }}
"""
# Where it starts, the status with a session, the header that then holds the user.
WAYS = [
    ("/accel/x-accel?to=/inside/x", 200, "In-User"),
    ("/accel/x-accel?to=/page", 200, "X-SSO-User"),
    ("/caught/status/404", 404, "X-SSO-User"),
    ("/caught/status/410", 200, "X-SSO-User"),
    ("/caught/status/409", 200, "X-SSO-User"),
    ("/caught/status/418", 418, "Named-User"),
    ("/tried/x", 200, "X-SSO-User"),
    ("/named/x", 200, "Named-User"),
    ("/dir/", 200, "X-SSO-User"),
    ("/rewritten/x", 200, "X-SSO-User"),
    ("/own/x-accel?to=/page", 200, "X-SSO-User"),
    ("/own/x-accel?to=/inside/x", 200, "In-User"),
]
NAMES = ("X-SSO-User", "Own-User", "In-User", "Named-User", "Authorization", "X-Extra")


def identity(echo: EchoedRequest) -> dict[str, str]:
    pairs = [(name, value) for name in NAMES for value in echo.all(name)]
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@pytest.fixture
def redirecting(site: SamlSite) -> SamlSite:
    (site.nginx.folder / "dir").mkdir()
    (site.nginx.folder / "dir/start").write_text("here")
    return site.start(locations=REDIRECTS)


def test_intredir_without_a_session(redirecting: SamlSite) -> None:
    site = redirecting
    for start, _, _ in WAYS:
        site.upstream.clear()
        browser = Browser()
        answer = browser.get(site.url(start))
        assert answer.status == 302, f"{start}: {answer.status}"
        assert answer.header("Cache-Control") == "no-store"
        assert all(identity(each) == {} for each in site.upstream.requests)
        answered = site.idp.post(browser, site.idp.answer(site.idp.read_request(answer)))
        assert answered.location == site.url(start), "back to what was asked for, not to where nginx went"


def test_intredir_with_a_session(redirecting: SamlSite, browser: Browser) -> None:
    site = redirecting
    site.login(browser)
    for start, status, header in WAYS:
        answer = browser.get(site.url(start))
        assert answer.status == status, start
        expected = {header: USER, **({"X-Extra": "inside"} if header == "In-User" else {})}
        assert identity(EchoedRequest.from_json(answer.body)) == expected, start
    for start in ("/own/x-accel?to=/open/x", "/caught/status/416"):
        site.upstream.clear()
        answer = browser.get(site.url(start))
        assert identity(EchoedRequest.from_json(answer.body)) == {}, "a public location gets no identity"


def test_intredir_programs_are_told_wherever_they_come_from(redirecting: SamlSite) -> None:
    for start, _, _ in WAYS:
        answer = Browser().fetch(redirecting.url(start))
        assert (answer.status, answer.header("Cache-Control")) == (401, "no-store"), start


@pytest.mark.parametrize("extra", ["Cache-Control: public, max-age=60", "Content-Disposition: inline", "Expires: 0"])
def test_nothing_of_the_first_answer_is_on_the_redirect(site: SamlSite, browser: Browser, extra: str) -> None:
    name, _, value = extra.partition(": ")
    site.start(locations=f"location /accel/ {{ {ECHO} }}")
    answer = browser.get(site.url(f"/accel/x-accel?to=/page&{name}={value.replace(' ', '%20').replace(',', '%2C')}"))
    assert answer.status == 302
    assert value not in answer.all(name)
    assert answer.all("Cache-Control") == ["no-store"]


# Subrequests that wait for the store

WAITING = f"""
    location /public/ {{ ssi on; {ECHO} }}
    location ~ ^/s/(?<space>[^/]+)/ {{ auth_saml test; saml_space $space; {ECHO} }}
"""


@pytest.mark.parametrize("users", ["", "users redis;"], ids=["sessions", "sessions_and_users"])
def test_subreq_that_waits_keeps_its_own_captures(redis: RedisServer, redis_sites: RedisSites, users: str) -> None:
    """Several ask at once, and each is judged by what the location's expression found in its own address."""
    site = redis_sites.make(
        redis, lines="cache_time 0;", http=f"saml_policy main {{ space A; space B; {users} }}",
        idp_block=f"metadata {redis_sites.metadata()}; policy main;", locations=WAITING,
    )  # fmt: skip
    cookie = log_in(site, attributes=sent(space_name=["A"]))
    for targets in (["/s/A/1", "/s/B/2"], ["/s/B/3", "/s/A/4"], ["/s/B/5", "/s/A/6", "/s/B/7", "/s/A/8"]):
        site.upstream.clear()
        page = "/public/ssi?" + urlencode({"include": '" --><!--#include virtual="'.join(targets)})
        assert holder_of(cookie, site).get(site.url(page)).status == 200
        for target in targets:
            mine = seen(site, target)
            assert [each.header("X-SSO-Space") for each in mine] == (["A"] if "/A/" in target else []), target


# A script beside us

SCRIPT = """
async function page(request) {
    const reply = await request.subrequest(request.args.of, {method: "GET"});
    request.return(200, JSON.stringify({status: reply.status, text: reply.responseText}));
}
export default {page};
"""


@pytest.mark.skipif("SALLYPORT_NGINX" in os.environ, reason="Debian's modules fit Debian's nginx")
def test_subreq_by_a_script(
    make_nginx: Callable[..., Nginx], upstream: EchoUpstream, idp: TestIdp, keys: KeyStore, browser: Browser
) -> None:
    """njs: a script reads nothing of a protected place for nobody, and for a user what that user may read."""
    nginx = make_nginx(saml=False, debian_modules=["ngx_http_js_module.so", str(module_under_test())])
    (nginx.folder / "page.js").write_text(SCRIPT)
    site = SamlSite(nginx, upstream, idp, keys.tls("app.example.com"))
    site.start(
        http="js_import main from %%folder%%/page.js;",
        locations=SSI + "location = /script { js_content main.page; }"
        "location = /own-script { auth_saml test; js_content main.page; }",
    )
    for target in ("/page", "/own/x", "/strict/x"):
        reply = json.loads(browser.get(site.url(f"/script?of={target}")).text)
        assert reply["status"] == 403 and '"headers"' not in reply["text"], reply
        site.nginx.wait_for_log(rf'saml: subrequest to "{target}" refused')
    assert browser.get(site.url("/own-script?of=/page")).status == 302
    assert upstream.requests == []

    site.login(browser)
    upstream.clear()
    for script in ("/script", "/own-script"):
        reply = json.loads(browser.get(site.url(f"{script}?of=/page")).text)
        assert reply["status"] == 200
        assert EchoedRequest.from_json(reply["text"]).header("X-SSO-User") == USER
        assert json.loads(browser.get(site.url(f"{script}?of=/strict/x")).text)["status"] == 403
    assert [each.uri for each in upstream.requests] == ["/page", "/page"]
