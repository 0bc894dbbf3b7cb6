"""One request, several locations: what variables say of one is no answer for the next (DESIGN 5.2)."""

from __future__ import annotations

import http.server
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_until

ECHO = "proxy_pass http://%%upstream%%;"
MAPS = """
    map $uri $kind { ~^/static/ open; default closed; }
    map $kind $who { open off; default test; }
    map $uri $sp { ~^/m/(?<s>[^/]+)/ $s; }
    map $uri $group { ~^/m/Secret/ Admins; default Everybody; }
    map $saml_user $known { "" nobody; default somebody; }"""
LOCATIONS = f"""
    location /static/ {{ auth_saml $who; root %%folder%%/none; try_files $uri /index.php?$args; }}
    location = /index.php {{ auth_saml $who; {ECHO} }}
    location /static/inc/ {{ auth_saml $who; ssi on; {ECHO} }}
    location /priv/ {{ auth_saml $who; {ECHO} }}
    location /m/ {{ auth_saml test; saml_space $sp; ssi on; {ECHO} }}
    location /g/ {{ auth_saml test; ssi on; saml_header X-Group $group; {ECHO} }}
    location /k/ {{ auth_saml test; ssi on; proxy_set_header X-Known $known; {ECHO} }}
    location /o/ {{ auth_saml off; proxy_set_header X-Known $known; {ECHO} }}
"""
TRIAL = (Attribute("space_name", ["Trial"]), Attribute("space_role", ["Space Member"]))


@pytest.fixture
def mapped(site: SamlSite) -> SamlSite:
    return site.start(http=MAPS, locations=LOCATIONS)


def user(site: SamlSite, name: str = "ada@example.com") -> Browser:
    browser = Browser()
    site.login(browser, "/g/start", name_id=name, attributes=TRIAL)
    return browser


def test_public_by_the_path_ends_with_the_path(mapped: SamlSite) -> None:
    """`try_files`, X-Accel-Redirect and SSI lead from a public location to one that is not."""
    browser = Browser()
    assert browser.get(mapped.url("/priv/x")).status == 302
    for path in ("/static/nofile?q=1", "/static/inc/x-accel?to=/priv/secret", "/static/inc/ssi?include=/priv/secret"):
        before = len(mapped.upstream.requests)
        answer = browser.get(mapped.url(path))
        asked = [each.uri for each in mapped.upstream.requests[before:]]
        assert not any(uri.startswith(("/priv/", "/index.php")) for uri in asked), (path, answer.status, asked)
    assert user(mapped).get(mapped.url("/static/nofile?q=1")).status == 200


@pytest.mark.parametrize("way", ["x-accel?to=", "ssi?include="])
def test_a_space_by_the_path_is_that_of_each_location(mapped: SamlSite, way: str) -> None:
    browser = user(mapped)
    assert browser.get(mapped.url("/m/Trial/x")).echo().header("X-SSO-Space") == "Trial"
    assert browser.get(mapped.url("/m/Secret/x")).status == 403
    before = len(mapped.upstream.requests)
    browser.get(mapped.url(f"/m/Trial/{way}/m/Secret/y"))
    asked = [each.uri for each in mapped.upstream.requests[before:]]
    assert asked and not any(uri.startswith("/m/Secret/") for uri in asked), asked


def test_headers_of_our_own_are_computed_for_each_location(mapped: SamlSite) -> None:
    browser = user(mapped)
    before = len(mapped.upstream.requests)
    browser.get(mapped.url("/g/ssi?include=/o/page"))
    seen = {each.uri.partition("?")[0]: each for each in mapped.upstream.requests[before:]}
    assert seen["/g/ssi"].header("X-Group") == "Everybody"
    assert seen["/o/page"].header("X-SSO-User") is None and seen["/o/page"].header("X-Known") == "nobody"
    browser.get(mapped.url("/k/ssi?include=/o/page"))
    last = [each for each in mapped.upstream.requests if each.uri.startswith("/o/page")][-1]
    assert last.header("X-Known") == "nobody", "the main request's user, in a location that is public"


class PartsHandler(http.server.BaseHTTPRequestHandler):
    """Answers each byte range with the name of the user that asks."""

    protocol_version = "HTTP/1.1"
    SIZE = 60

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        user = self.headers.get("X-SSO-User", "-")
        self.server.asked.append((self.path, user, self.headers.get("X-Own", "-")))  # type: ignore[attr-defined]
        body = user.ljust(20, ".").encode() * 3
        first, last = 0, self.SIZE - 1
        wanted = re.match(r"bytes=(\d+)-(\d+)", self.headers.get("Range", ""))
        if wanted:
            first, last = int(wanted[1]), min(int(wanted[2]), last)
        self.send_response(206 if wanted else 200)
        if wanted:
            self.send_header("Content-Range", f"bytes {first}-{last}/{self.SIZE}")
        self.send_header("ETag", '"x"')
        self.send_header("Content-Length", str(last + 1 - first))
        self.end_headers()
        self.wfile.write(body[first : last + 1])


@contextmanager
def parts() -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), PartsHandler)
    server.asked = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_subreq_slices_know_their_user(site: SamlSite) -> None:
    """A slice is fetched by a copy of the request, which the gate is not asked about."""
    with parts() as server:
        site.start(
            http="proxy_cache_path %%folder%%/cache keys_zone=answers:1m;",
            location="""saml_cache_shared on; slice 20; proxy_set_header Range $slice_range; proxy_set_header X-Own $saml_user;
                proxy_cache answers; proxy_cache_key $saml_user$uri$slice_range; proxy_cache_valid any 1m;""",
            proxy="proxy_pass http://%%other%%;",
            other=f"127.0.0.1:{server.server_port}",
        )
        for name in ("alice@example.com", "mallory@example.com"):
            browser = Browser()
            site.login(browser, "/saml/login?return=/", name_id=name, attributes=())
            server.asked.clear()  # type: ignore[attr-defined]
            assert browser.get(site.url("/file")).text == name.ljust(20, ".") * 3
            assert server.asked == [("/file", name, name)] * 3  # type: ignore[attr-defined]


def test_a_background_update_knows_its_user(site: SamlSite) -> None:
    with parts() as server:
        site.start(
            http="proxy_cache_path %%folder%%/cache keys_zone=answers:1m;",
            location="""auth_saml_mode optional; saml_cache_shared on; proxy_cache answers; proxy_cache_key $saml_user$uri;
                proxy_cache_valid any 1s; proxy_cache_use_stale updating; proxy_cache_background_update on;
                add_header X-Cache $upstream_cache_status;""",
            proxy="proxy_pass http://%%other%%;",
            other=f"127.0.0.1:{server.server_port}",
        )
        alice = Browser()
        site.login(alice, "/saml/login?return=/", name_id="alice@example.com", attributes=())
        assert alice.get(site.url("/file")).status == 200
        asked = server.asked  # type: ignore[attr-defined]
        # Once the answer is old, a request gets it all the same and has it fetched anew.
        wait_until(lambda: alice.get(site.url("/file")).header("X-Cache") in ("STALE", "UPDATING"), 10, "a stale answer")
        wait_until(lambda: len(asked) >= 2, 10, "the update")
        assert {user for _, user, _ in asked} == {"alice@example.com"}
        time.sleep(0.3)  # it is being stored
        assert "alice" not in Browser().get(site.url("/file")).text


def test_proxy_store_keeps_nothing_that_was_made_for_a_user(site: SamlSite) -> None:
    site.start(location="root %%folder%%/stored; proxy_store on; proxy_temp_path %%folder%%/temp;")
    browser = Browser()
    site.login(browser, "/page", attributes=())
    assert browser.get(site.url("/page")).status == 200
    time.sleep(0.2)
    stored = site.nginx.folder / "stored"
    assert not stored.exists() or not any(each.is_file() for each in stored.rglob("*"))
