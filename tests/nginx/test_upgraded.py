"""WebSocket connections end with the session that opened them."""

from __future__ import annotations

import base64
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.idp_directory import Directory
from sallyport_testing.keys import KeyStore
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite
from sallyport_testing.upstream import read_websocket_frame, websocket_frame

UPGRADE = "proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection upgrade;"
SOCKETS = """
    location /socket { auth_saml test; %%upgrade%% proxy_pass http://%%upstream%%; }
    location /lasting { auth_saml test; saml_end_upgraded off; %%upgrade%% proxy_pass http://%%upstream%%; }
    location /open { auth_saml off; %%upgrade%% proxy_pass http://%%upstream%%; }
    location /greeted { auth_saml test; auth_saml_mode optional; %%upgrade%% proxy_pass http://%%upstream%%; }
""".replace("%%upgrade%%", UPGRADE)


def open_socket(site: SamlSite, path: str, browser: Browser) -> RawConnection:
    key = base64.b64encode(bytes(16)).decode()
    cookie = browser.cookies.header_for(site.url("/")) or "a=1"
    connection = RawConnection(site.url("/"))
    connection.send(
        f"GET {path} HTTP/1.1\r\nHost: {site.host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nCookie: {cookie}\r\n\r\n"
    )
    assert connection.response().status == 101
    read_websocket_frame(connection.reader)
    return connection


def speaks(connection: RawConnection) -> bool:
    try:
        connection.send(websocket_frame(1, b"hello", mask=b"mask"))
        return read_websocket_frame(connection.reader) == (1, b"hello")
    except (OSError, EOFError):
        return False


@pytest.fixture
def sockets(site: SamlSite) -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_a_logout_closes_the_sockets_of_that_session_alone(site: SamlSite, sockets: ExitStack) -> None:
    site.start(locations=SOCKETS)
    leaving, staying = Browser(), Browser()
    for browser, name in ((leaving, "leaving@example.com"), (staying, "staying@example.com")):
        site.login(browser, name_id=name)
    ended = [sockets.enter_context(open_socket(site, path, leaving)) for path in ("/socket", "/greeted")]
    kept = [sockets.enter_context(open_socket(site, path, leaving)) for path in ("/lasting", "/open")]
    kept.append(sockets.enter_context(open_socket(site, "/greeted", Browser())))
    kept.append(sockets.enter_context(open_socket(site, "/socket", staying)))
    time.sleep(2.5)
    assert all(speaks(connection) for connection in [*ended, *kept])

    assert leaving.post(site.url("/saml/logout"), {}, headers=[("Origin", site.base_url)]).status in (200, 303)
    for connection in ended:
        assert connection.closed_by_peer(4)
    assert [speaks(connection) for connection in kept] == [True] * 4
    site.nginx.wait_for_log("upgraded connection closed: the session of user=leaving@example.com ended")


def sockets_of(directory: Directory, sockets: ExitStack, *names: str) -> list[RawConnection]:
    """One of each organisation."""
    for name in names:
        directory.write(name)
    location = f"auth_saml $org; {UPGRADE} proxy_pass http://%%upstream%%;"
    directory.start(locations=f"location ~ ^/[a-z]+/socket$ {{ {location} }}")
    found = []
    for name in names:
        browser = Browser()
        assert directory.login(browser, name) == 200
        found.append(sockets.enter_context(open_socket(directory.site, f"/{name}/socket", browser)))
    time.sleep(2.5)
    assert all(speaks(connection) for connection in found)
    return found


def test_sockets_of_an_organisation_that_goes(site: SamlSite, sockets: ExitStack, keys: KeyStore) -> None:
    directory = Directory(site, keys)
    gone, kept = sockets_of(directory, sockets, "acme", "globex")
    directory.file("acme").unlink()
    assert gone.closed_by_peer(12)
    assert speaks(kept)
    site.nginx.wait_for_log("upgraded connection closed: the session of user=student@example.com counts no more")


def test_sockets_that_outlast_a_reload(site: SamlSite, sockets: ExitStack, keys: KeyStore) -> None:
    """The worker that goes on for them alone hears of their organisation too."""
    directory = Directory(site, keys)
    gone, kept = sockets_of(directory, sockets, "acme", "globex")
    site.nginx.reload(wait_for_old=False)
    directory.write("initech")
    directory.comes("initech")
    directory.file("acme").unlink()
    assert gone.closed_by_peer(12)
    assert speaks(kept)
    directory.goes("acme")
    log = site.nginx.error_log()
    assert log.count('"acme" is gone') == 1 and log.count('"initech" of') == 1, "the new workers say so"


def test_sockets_of_an_identity_provider_that_is_exchanged(site: SamlSite, sockets: ExitStack, keys: KeyStore) -> None:
    """Another entity ID is another one; another certificate is not."""
    directory = Directory(site, keys)
    moved, rolled = sockets_of(directory, sockets, "acme", "globex")
    acme, globex = directory.idps["acme"], directory.idps["globex"]
    TestIdp(site.idp.key, globex.entity_id, globex.sso_url).write_metadata(directory.metadata("globex"))
    TestIdp(acme.key, "https://new.example.org/idp", acme.sso_url).write_metadata(directory.metadata("acme"))
    assert moved.closed_by_peer(12)
    site.nginx.wait_for_log('"globex" of .* is in force anew: .*certificate', 12)
    time.sleep(4.5)
    assert speaks(rolled)


def clocked_socket(site: SamlSite, sockets: ExitStack, timeouts: str) -> RawConnection:
    site.start(server=timeouts, locations=SOCKETS)
    browser = Browser()
    site.login(browser)
    return sockets.enter_context(open_socket(site, "/socket", browser))


def test_what_the_client_says_keeps_the_session_alive(clocked_site: SamlSite, sockets: ExitStack) -> None:
    connection = clocked_socket(clocked_site, sockets, "saml_session_idle_timeout 10m;")
    for minutes in (9, 18):
        assert speaks(connection)
        time.sleep(2.2)
        clocked_site.nginx.clock.shift(minutes * 60)
    assert speaks(connection)
    time.sleep(2.2)
    clocked_site.nginx.clock.shift((18 + 11) * 60)
    assert connection.closed_by_peer(4)


def test_a_socket_ends_at_the_sessions_absolute_end(clocked_site: SamlSite, sockets: ExitStack) -> None:
    connection = clocked_socket(
        clocked_site, sockets, "saml_session_timeout 1h; saml_session_idle_timeout 0;"
    )
    clocked_site.nginx.clock.shift(3590)
    time.sleep(2.2)
    assert speaks(connection)
    clocked_site.nginx.clock.shift(3600)
    assert connection.closed_by_peer(4)


def test_sockets_do_not_outlive_a_worker_that_is_told_to_go(site: SamlSite, sockets: ExitStack) -> None:
    site.start(locations=SOCKETS, main="worker_shutdown_timeout 1s;")
    browser = Browser()
    site.login(browser)
    connection = sockets.enter_context(open_socket(site, "/socket", browser))
    site.nginx.reload()
    assert connection.closed_by_peer(4)
    assert browser.get(site.url("/page")).echo().header("X-SSO-User") == "student@example.com"


def test_clients_that_close_first(site: SamlSite) -> None:
    site.start(locations=SOCKETS)
    browser = Browser()
    site.login(browser)
    for _ in range(20):
        with open_socket(site, "/socket", browser) as connection:
            assert speaks(connection)
    time.sleep(2.5)
    with open_socket(site, "/socket", browser) as connection:
        assert speaks(connection)
