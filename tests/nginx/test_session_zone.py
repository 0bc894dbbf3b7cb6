"""The zone of sessions: full, reloaded, resized, shared, and with workers that die."""

from __future__ import annotations

import os
import random
import re
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException

import pytest

from sallyport_testing import large_pages
from sallyport_testing.browser import Browser
from sallyport_testing.keys import KeyStore
from sallyport_testing.refusals import LOG_FORMAT
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.saml_response import Attribute, now
from sallyport_testing.site import SamlSite

SESSION = "__Host-saml_session"
SMALLEST = "saml_session_zone saml:256k;"


def is_in(site: SamlSite, browser: Browser) -> bool:
    answer = browser.get(site.url("/page"))
    assert answer.status in (200, 302), answer.text
    return answer.status == 200


def user_of(site: SamlSite, browser: Browser) -> str | None:
    return browser.get(site.url("/page")).echo().header("X-SSO-User")


# Full


def test_shm_full_the_least_recently_active_user_goes(site: SamlSite) -> None:
    """SHM-FULL: a session in use survives any number of logins; the log counts who had to go."""
    site.start(http=SMALLEST)
    large = [Attribute("note", ["x" * 12_000])]
    in_use, idle = Browser(), Browser()
    site.login(in_use, name_id="busy@example.com", attributes=large)
    site.login(idle, name_id="idle@example.com", attributes=large)
    browsers = []
    for number in range(40):
        browsers.append(Browser())
        site.login(browsers[-1], name_id=f"user{number}@example.com", attributes=large)
        assert user_of(site, in_use) == "busy@example.com", f"evicted after {number} logins"
    assert not is_in(site, idle)
    alive = [is_in(site, browser) for browser in browsers]
    assert alive == sorted(alive), "not the oldest went"
    assert alive[-5:] == [True] * 5
    lines = re.findall(r"\[warn\].*saml: session zone is full: (\d+) sessions? of least", site.nginx.error_log())
    assert sum(map(int, lines)) == 1 + alive.count(False)


@pytest.mark.parametrize("whose", ["one_user", "many_users"])
def test_shm_full_a_flood_of_one_idp_ends_no_session_of_another(site: SamlSite, keys: KeyStore, whose: str) -> None:
    """SHM-FULL: whoever has many logins when the zone is full pays with his own sessions."""
    second = TestIdp(keys.get("second"), "https://second.example.net/idp", "https://second.example.net/sso")
    metadata = second.write_metadata(site.nginx.folder / "second.xml")
    site.start(
        http=SMALLEST + f"saml_idp second {{ metadata {metadata}; }}",
        locations="location /second/ { auth_saml second; proxy_pass http://%%upstream%%; }",
    )
    idle = [Browser() for _ in range(5)]
    for number, browser in enumerate(idle):
        site.login(browser, name_id=f"idle{number}@example.com")
    large = [Attribute("note", ["x" * 6_000])]
    for number in range(60):
        browser = Browser()
        name = "flood" if whose == "one_user" else f"flood{number}"
        answered = second.login(browser, site.url("/second/"), name_id=f"{name}@example.net", attributes=large)
        assert answered.status == 303
        assert browser.get(site.url("/second/")).echo().header("X-SSO-User") == f"{name}@example.net"
    assert all(is_in(site, browser) for browser in idle)
    assert "session zone is full" in site.nginx.error_log()


def test_replay_full_of_marks(clocked_site: SamlSite, keys: KeyStore) -> None:
    """REPLAY-FULL: logins are refused with 503, sessions and other IdPs go on; once marks expire, all is well."""
    second = TestIdp(keys.get("second"), "https://second.example.net/idp", "https://second.example.net/sso")
    site = clocked_site
    metadata = second.write_metadata(site.nginx.folder / "second.xml")
    site.start(
        http=SMALLEST + LOG_FORMAT + f"saml_idp second {{ metadata {metadata}; }}",
        locations="location /second/ { auth_saml second; proxy_pass http://%%upstream%%; }",
    )
    first = Browser()
    site.login(first)
    for _ in range(1000):
        answered = site.idp.login(Browser(), site.url("/"), attributes=())
        if answered.status != 303:
            break
    assert answered.status == 503
    assert answered.header("Retry-After") and answered.all("Set-Cookie") == []
    site.nginx.wait_for_log("saml: login refused reason=store_full idp=test .*saml_session_zone")
    assert is_in(site, first), "a live session"
    assert second.login(Browser(), site.url("/second/")).status == 303, "the other IdP"
    assert site.idp.login(Browser(), site.url("/")).status == 503
    site.nginx.clock.shift(500)
    later = dict.fromkeys(("response_instant", "assertion_instant", "authn_instant"), now(500))
    later |= dict.fromkeys(("confirmation_not_on_or_after", "not_on_or_after"), now(800))
    assert site.login(Browser(), **later).status == 200
    assert is_in(site, first)


def test_shm_full_a_session_that_does_not_fit(site: SamlSite, browser: Browser) -> None:
    site.start(http=SMALLEST + LOG_FORMAT)
    answered = site.idp.login(browser, site.url("/"), attributes=[Attribute("note", ["x" * 40_000])])
    assert answered.status == 403
    site.nginx.wait_for_log("reason=identity_too_large")
    assert browser.cookies.get(SESSION) is None


# Reloads


def test_reload_keeps_users_in(site: SamlSite) -> None:
    """RELOAD: while users work and log in."""
    site.start()
    browsers = [Browser() for _ in range(3)]
    for number, browser in enumerate(browsers):
        site.login(browser, name_id=f"user{number}@example.com")
    done = threading.Event()

    def work(number: int) -> int:
        count = 0
        while not done.is_set():
            assert user_of(site, browsers[number]) == f"user{number}@example.com"
            count += 1
        return count

    def log_in() -> int:
        count = 0
        while not done.is_set():
            assert site.login(Browser()).status == 200
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        futures = [pool.submit(work, number) for number in range(3)] + [pool.submit(log_in)]
        try:
            for _ in range(5):
                site.nginx.reload()
        finally:
            done.set()
        assert all(future.result() > 0 for future in futures)
    assert "log in again" not in site.nginx.error_log()


@pytest.mark.parametrize("changed", ["saml:32m", "other:16m"], ids=["size", "name"])
def test_reload_with_another_zone_logs_everyone_out(site: SamlSite, browser: Browser, changed: str) -> None:
    """RELOAD: and the log says so."""
    site.start(http="saml_session_zone saml:16m;")
    site.login(browser)
    site.configure(http=f"saml_session_zone {changed};")
    site.nginx.reload()
    assert not is_in(site, browser)
    site.nginx.wait_for_log(r'\[warn\].*saml: zone "(saml|other)" starts empty, .*all users log in again')
    assert site.login(Browser()).status == 200


def test_the_first_start_says_nothing_of_lost_sessions(site: SamlSite) -> None:
    site.start(http="saml_session_zone saml:16m;")
    site.login(Browser())
    assert "log in again" not in site.nginx.error_log()


def test_a_reload_that_fails_changes_nothing(site: SamlSite, browser: Browser) -> None:
    site.start()
    site.login(browser)
    site.configure(http="saml_session_zone saml:1;")
    site.nginx.allow_in_log(r"\[emerg\]")
    site.nginx.send_signal(signal.SIGHUP)
    site.nginx.wait_for_log(r"\[emerg\].*saml_session_zone")
    assert is_in(site, browser)
    assert site.login(Browser()).status == 200


# What a session is bound to


@pytest.mark.parametrize("change", ["idp_name", "idp_entity", "sp_entity"])
def test_a_session_of_what_was_renamed(site: SamlSite, browser: Browser, change: str) -> None:
    """SP entity ID, name of the saml_idp block and IdP entity ID must all be those of the login."""
    site.start()
    site.login(browser)
    if change == "idp_name":
        metadata = site.idp.write_metadata(site.nginx.folder / "again.xml")
        site.configure(http=f"saml_idp renamed {{ metadata {metadata}; }}", auth_saml="renamed")
    elif change == "idp_entity":
        site.idp.entity_id = "https://idp.example.com/new"
        site.configure()
    else:
        text = site.nginx.config_file.read_text()
        changed = text.replace(f"saml_entity_id {site.entity_id}", "saml_entity_id https://app.example.com/new")
        assert changed != text
        site.nginx.config_file.write_text(changed)
    site.nginx.reload()
    assert not is_in(site, browser)
    assert browser.fetch(site.url("/saml/session")).status == 401
    # And back again: the same session.
    site.idp.entity_id = "https://idp.example.com/metadata"
    site.configure()
    site.nginx.reload()
    assert is_in(site, browser)


# Workers that die


def test_shm_crash_a_workers_death_costs_no_session(site: SamlSite) -> None:
    """SHM-CRASH"""
    site.start()
    browsers = [Browser() for _ in range(10)]
    for number, browser in enumerate(browsers):
        site.login(browser, name_id=f"user{number}@example.com")
    for _ in range(2):
        site.nginx.kill_worker(signal.SIGKILL)
    for number, browser in enumerate(browsers):
        assert user_of(site, browser) == f"user{number}@example.com"


def test_shm_crash_fifty_deaths_under_load(site: SamlSite) -> None:
    """SHM-CRASH: workers are killed while others log in, out and work; nobody becomes another, none hangs."""
    site.nginx.allow_in_log(r"worker process \d+ exited on signal 9")
    site.nginx.allow_in_log(r"\[alert\].*(connections? aborting|open socket|was locked by)")
    site.start(http="saml_session_zone saml:1m;", server="saml_session_idle_timeout 1s;")
    done = threading.Event()
    problems: list[str] = []

    def one_user(number: int) -> None:
        login = 0
        while not done.is_set():
            login += 1
            name = f"user-{number}-{login}@example.com"
            browser = Browser()
            try:
                answered = site.idp.login(browser, site.url("/page"), name_id=name)
                for _ in range(5):
                    page = browser.get(site.url("/page"))
                    if page.status == 200 and page.echo().header("X-SSO-User") != name:
                        problems.append(f"{page.echo().header('X-SSO-User')} instead of {name}")
                    if answered.status != 303 or page.status not in (200, 302):
                        problems.append(f"{answered.status} {page.status} for {name}")
            except (OSError, EOFError, ConnectionError, ValueError):
                continue  # its worker died
            except HTTPException:
                continue  # in the middle of an answer
            except AssertionError as problem:
                problems.append(str(problem))

    threads = [threading.Thread(target=one_user, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(50):
            time.sleep(random.uniform(0.01, 0.1))
            workers = site.nginx.workers()
            if workers:
                os.kill(random.choice(workers), signal.SIGKILL)
    finally:
        done.set()
        for thread in threads:
            thread.join(60)
    assert not any(thread.is_alive() for thread in threads), "a request hangs"
    assert not problems, problems[:5]
    deadline = time.monotonic() + 10
    while len(site.nginx.workers()) < 2 and time.monotonic() < deadline:
        time.sleep(0.05)
    browser = Browser()
    assert site.login(browser).status == 200
    assert is_in(site, browser)


# The kernel's pages


def test_the_zone_is_in_large_pages_where_the_kernel_has_some(site: SamlSite, browser: Browser) -> None:
    if not large_pages.are_to_be_had():
        pytest.skip("the kernel puts no large pages under shared memory")
    # Large enough that the first record lies behind the zone's first 2 MB, which may begin anywhere.
    site.start(http="saml_session_zone saml:128m;")
    site.login(browser)
    assert is_in(site, browser)
    assert max(map(large_pages.shared_kilobytes, site.nginx.workers())) >= 2048


@pytest.mark.parametrize("size", ["256k", "64m"])
def test_without_large_pages_all_is_the_same(site: SamlSite, browser: Browser, size: str) -> None:
    with large_pages.refused():
        site.start(http=f"saml_session_zone saml:{size};")
    site.login(browser)
    assert is_in(site, browser)
    assert max(map(large_pages.shared_kilobytes, site.nginx.workers())) == 0
    site.nginx.reload()
    assert is_in(site, browser)
