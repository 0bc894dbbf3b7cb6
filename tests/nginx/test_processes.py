"""Workers as processes: what they share after a fork, clocks that jump, upgrades, time that tells, costs."""

from __future__ import annotations

import os
import re
import signal
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http_client import http1
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx, preload
from sallyport_testing.paths import nginx_binary
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.ports import accepts
from sallyport_testing.raw_http import RawConnection
from sallyport_testing.running import running_site
from sallyport_testing.saml_response import SamlResponse, now
from sallyport_testing.site import SamlSite
from sallyport_testing.waiting import wait_until
from sallyport_testing.worker_cpu import cpu_seconds

SESSION = "__Host-saml_session"
HOUR = 3600
SANITIZED = bool(os.environ.get("SALLYPORT_PRELOAD"))
MOST_SECONDS = 0.1 if SANITIZED else 0.01  # of CPU for one hostile message


# Forks


def test_fork_no_worker_repeats_anothers_random_bytes(http_site: SamlSite) -> None:
    """FORK: the first that each worker makes after a fork: request ids, handles, sealed cookies, sessions."""
    http_site.nginx.workers_wanted = 4
    log = http_site.nginx.folder / "pids.log"
    http_site.start(http=f"log_format pids '$pid'; access_log {log} pids;")
    made: list[str] = []
    for _ in range(10):
        http_site.nginx.reload()
        begun = len(log.read_text().splitlines()) if log.exists() else 0
        for _ in range(40):
            browser = Browser()
            request = http_site.idp.read_request(browser.get(http_site.url("/page")))
            (attempt,) = browser.cookies.named("saml_session.")
            made += [request.id, request.relay_state or "", attempt.value]
            if len(set(log.read_text().splitlines()[begun:])) >= 3:
                break
    for _ in range(20):
        browser = Browser()
        http_site.login(browser)
        session = browser.cookies.get("saml_session")
        assert session
        made.append(session.value)
    pids = set(log.read_text().split())
    assert len(pids) >= 25, "not enough workers were asked"
    assert len(set(made)) == len(made) >= 80
    # Nor do they begin alike: a counter behind the same bytes would.
    assert len({each[:9] for each in made if each.startswith("_")}) == len([each for each in made if each[0] == "_"])


def test_fork_workers_share_no_descriptor_but_nginxs_own(http_site: SamlSite) -> None:
    """FORK: after reloads neither master nor workers hold files of keys or metadata, or more than at first."""

    def open_files(pid: int) -> list[str]:
        links = []
        for each in Path(f"/proc/{pid}/fd").iterdir():
            try:
                links.append(os.readlink(each))
            except FileNotFoundError:
                pass
        return links

    http_site.start()
    first = len(open_files(http_site.nginx.master))
    for _ in range(8):
        http_site.nginx.reload()
        http_site.login(Browser())
    for pid in [http_site.nginx.master, *http_site.nginx.workers()]:
        files = open_files(pid)
        assert not [each for each in files if each.endswith((".xml", ".key", ".crt", ".pem", ".conf"))], files
        logs = {"error.log", "access.log", "output.log"}
        known = [each for each in files if Path(each).name in logs or each.startswith(("socket:", "anon_inode:", "/dev/"))]
        assert sorted(known) == sorted(files)
    # Two for each worker that still drains.
    wait_until(lambda: len(open_files(http_site.nginx.master)) <= first + 1, 15, "the master to close what old workers had")


# Clocks


def test_clock_an_hour_back_and_forth(clocked_site: SamlSite) -> None:
    """CLOCK: nobody comes back whose session had ended, nobody is thrown out, replays stay replays."""
    site = clocked_site.start(server="saml_session_timeout 2h; saml_session_idle_timeout 30m;")
    clock = site.nginx.clock

    def is_in(browser: Browser) -> bool:
        return browser.get(site.url("/page")).status == 200

    def fields(seconds: int) -> dict[str, object]:
        return {
            **dict.fromkeys(("response_instant", "assertion_instant", "authn_instant"), now(seconds)),
            **dict.fromkeys(("confirmation_not_on_or_after", "not_on_or_after"), now(seconds + 300)),
        }

    early, used = Browser(), Browser()
    site.login(early)
    request = site.idp.read_request(used.get(site.url("/page")))
    message = site.idp.answer(request)
    assert site.idp.post(used, message).status == 303 and is_in(used)
    clock.shift(-HOUR)
    assert is_in(early), "a clock set back ends no session"
    clock.shift(0)
    assert is_in(used), "nor does one that goes right again, where nothing was asked meanwhile"
    clock.shift(HOUR)
    assert not is_in(used), "idle for an hour by the only clock that there is"
    later = Browser()
    site.login(later, **fields(HOUR))
    clock.shift(0)
    assert not is_in(used), "an ended session came back"
    assert is_in(later)
    thief = Browser()
    for name in ("saml_session.",):
        for cookie in used.cookies.named(name):
            thief.cookies.put(site.url(), f"{cookie.name}={cookie.value}; Path=/; Secure; SameSite=None")
    assert site.idp.post(thief, message).status in (303, 403)
    assert thief.cookies.get(SESSION) is None, "an answer was taken twice"


def test_clock_when_nginx_sees_a_leap_second(clocked_site: SamlSite) -> None:
    """CLOCK: the same second twice, and one left out, in the middle of a login."""
    site = clocked_site.start()
    for before, after in ((0, -1), (0, 1), (-1, 0), (1, 0)):
        browser = Browser()
        site.nginx.clock.shift(before)
        request = site.idp.read_request(browser.get(site.url("/page")))
        site.nginx.clock.shift(after)
        assert site.idp.post(browser, site.idp.answer(request)).status == 303
        assert browser.get(site.url("/page")).status == 200
    site.nginx.clock.shift(0)


# Upgrades


class Upgrade:
    """nginx as a daemon, which starts a new one of itself (USR2) and leaves one of the two."""

    def __init__(self, nginx: Nginx) -> None:
        self._nginx = nginx
        self._pid_file, self._old_file = nginx.folder / "nginx.pid", nginx.folder / "nginx.pid.oldbin"
        self._masters: list[int] = []
        # A master whose parent still waits for it ignores the signal; a new one gets the environment it is told.
        environment = "".join(f"env {name};\n" for name in ("LD_PRELOAD", "LSAN_OPTIONS", "ASAN_OPTIONS"))
        config = nginx.config_file.read_text().replace("daemon off;", "daemon on;\n" + environment)
        nginx.config_file.write_text(config)

    def __enter__(self) -> "Upgrade":
        nginx = self._nginx
        command = [*preload(), nginx_binary(), "-p", str(nginx.folder), "-c", str(nginx.config_file)]
        subprocess.run([*command, "-e", str(nginx.error_log_file)], check=True, timeout=30)
        wait_until(lambda: self._pid_file.exists() and accepts(nginx.port("site")), 15, "the old nginx")
        self._masters.append(int(self._pid_file.read_text()))
        return self

    def begin(self) -> None:
        os.kill(self._masters[0], signal.SIGUSR2)
        started = lambda: self._old_file.exists() and self._pid_file.exists() and self._pid_file.read_text().strip()  # noqa: E731
        wait_until(lambda: bool(started()), 15, "the new one")
        self._masters.append(int(self._pid_file.read_text()))
        assert self._masters[0] != self._masters[1]

    def leave(self, which: int) -> None:
        """The old (0) or the new (1) one ends."""
        os.kill(pid := self._masters.pop(which), signal.SIGQUIT)
        wait_until(lambda: not self._old_file.exists() and not Path(f"/proc/{pid}").exists(), 15, "one to leave")

    def __exit__(self, *_: object) -> None:
        for master in self._masters:
            os.kill(master, signal.SIGQUIT)
        for master in self._masters:
            wait_until(lambda pid=master: not Path(f"/proc/{pid}").exists(), 15, "nginx to leave")


def test_reload_by_upgrade_of_the_binary(http_site: SamlSite) -> None:
    """RELOAD: two generations of nginx serve side by side, each with a zone of its own: whoever is asked, nobody
    becomes another; back with the old one, all sessions are there."""
    nginx = http_site.configure().nginx
    with Upgrade(nginx) as upgrade:
        browsers = [Browser() for _ in range(5)]
        for number, browser in enumerate(browsers):
            http_site.login(browser, name_id=f"user{number}@example.com")

        def users() -> list[str | None]:
            answers = [browser.get(http_site.url("/page")) for browser in browsers]
            assert {answer.status for answer in answers} <= {200, 302}
            return [answer.echo().header("X-SSO-User") if answer.status == 200 else None for answer in answers]

        expected = [f"user{number}@example.com" for number in range(5)]
        upgrade.begin()
        for _ in range(20):
            assert all(seen in (None, user) for seen, user in zip(users(), expected, strict=True))
        upgrade.leave(1)  # back to the old one
        wait_until(lambda: users() == expected, 15, "only the old one to serve")
    nginx.check_log()


def test_replay_across_an_upgrade_of_the_binary(http_site: SamlSite, tmp_path: Path) -> None:
    """REPLAY, RELOAD: what was used at one nginx counts at the other neither while both serve nor afterwards."""
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef" * 4 + "\n")
    secret.chmod(0o600)
    metadata = http_site.idp.write_metadata(http_site.nginx.folder / "metadata.xml")
    site = http_site.configure(
        idp_block=f"metadata {metadata}; allow_unsolicited on;", http=f"saml_secret_file {secret}; saml_clock_skew 3s;"
    )
    tile = lambda: site.idp.unsolicited(site.acs_url, site.entity_id)  # noqa: E731

    def opened(message: SamlResponse) -> bool:
        answered = site.idp.post(Browser(), message)
        assert answered.status in (303, 403), answered.text
        return any(each.startswith("saml_session=") for each in answered.all("Set-Cookie"))

    with Upgrade(site.nginx) as upgrade:
        before = tile()
        assert opened(before)
        browser = Browser()
        message = site.idp.answer(site.idp.read_request(browser.get(site.url("/page"))))
        cookie = browser.cookies.header_for(site.acs_url) or ""
        assert site.idp.post(browser, message).status == 303
        upgrade.begin()
        between = tile()
        assert sum(opened(between) for _ in range(40)) <= 1
        assert not any(opened(before) for _ in range(20))
        for _ in range(20):
            body = urlencode(message.form).encode()
            headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", cookie)]
            answered = http1("POST", site.acs_url, headers, body)
            assert not any(each.startswith("saml_session=") for each in answered.all("Set-Cookie"))
        upgrade.leave(0)
        assert not any(opened(used) for used in (before, between) for _ in range(4))
        time.sleep(4.5)
        assert opened(tile()), "alone, with the skew behind it, the new one takes them"
    site.nginx.check_log()


# Time that tells


def test_timing_of_lookups_tells_nothing_of_near_misses(http_site: SamlSite) -> None:
    """TIMING: an identifier that shares its beginning with a real one costs what any other costs: the table knows
    hashes only. Medians of interleaved samples, over one connection."""
    http_site.start(http="keepalive_requests 1000000;")
    browser = Browser()
    http_site.login(browser)
    session = browser.cookies.get("saml_session")
    assert session is not None
    good = session.value
    values = {
        "near": good[:-2] + ("BA" if good[-2:] != "BA" else "CA"),
        "far": ("B" if good[0] != "B" else "C") + good[1:-2][::-1] + "AA",
    }

    def medians(connection: RawConnection) -> list[float]:
        taken: dict[str, list[float]] = {name: [] for name in values}
        for number in range(3000):
            # In pairs of either order: whatever comes around every so many requests meets both.
            name = "near" if number % 4 in (1, 2) else "far"
            request = f"GET / HTTP/1.1\r\nHost: {http_site.host}\r\nCookie: saml_session={values[name]}\r\n\r\n"
            began = time.perf_counter()
            assert connection.send(request).response().status == 302
            taken[name].append(time.perf_counter() - began)
        return [statistics.median(each) for each in taken.values()]

    with RawConnection(http_site.base_url) as connection:
        # A difference in the module would show every time, a busy machine does not.
        rounds = [medians(connection)]
        while max(rounds[-1]) > min(rounds[-1]) * 1.1 and len(rounds) < 5:
            rounds.append(medians(connection))
    assert max(rounds[-1]) <= min(rounds[-1]) * 1.1, rounds


# What a message may cost


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    listed = [keys.get("idp-second"), keys.get("idp-third"), keys.get("idp-fourth", "ec256")]
    with running_site(tmp_path_factory.mktemp("costs"), keys, tls=False, more_idp_keys=listed) as running:
        yield running


def prefixes(count: int, elements: int) -> str:
    """InclusiveNamespaces with so many prefixes over so many elements."""
    names = " ".join(f"p{number}" for number in range(count))
    return (
        '<x xmlns="urn:x"><ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" '
        f'PrefixList="{names}"/>' + "<y/>" * elements + "</x>"
    )


def declarations(count: int, depth: int, leaves: int) -> str:
    """So many namespace declarations over so many levels around so many leaves."""
    per_level = count // depth
    opened = "".join(
        f"<l{level} " + " ".join(f'xmlns:n{level}_{number}="urn:{number}"' for number in range(per_level)) + ">"
        for level in range(depth)
    )
    return opened + "<z/>" * leaves + "".join(f"</l{level}>" for level in reversed(range(depth)))


def attributes(count: int) -> str:
    return "<x " + " ".join(f'a{number}="v"' for number in range(count)) + "/>"


BOMBS = {
    "prefix_list": prefixes(800, 4000),
    "prefix_list_long": prefixes(3000, 5000),
    "namespaces": declarations(2000, 20, 8000),
    "namespaces_deep": declarations(2000, 200, 2000),
    "attributes": attributes(16_000),
    "elements": "<x>" + "<y/>" * 40_000 + "</x>",
    "depth": "<x>" * 5000 + "</x>" * 5000,
    "entities": "<x>" + "&amp;" * 40_000 + "</x>",
}
PLACES_OF_BOMBS = {"in_the_response": b"</samlp:Status>", "in_the_signature": b"</ds:SignedInfo>"}


def cost_of(shared: SamlSite, change: Callable[[bytes], bytes]) -> float:
    """Seconds of CPU for the refusal of an answer that was changed so, of ten."""
    with PendingAttempt(shared) as pending:
        xml = shared.idp.answer(pending.request).xml
        changed = change(xml)
        assert changed != xml
        message = shared.idp.answer(pending.request, mutate_bytes=lambda _: changed)
        before = cpu_seconds(shared.nginx)
        for _ in range(10):
            refusal = pending.refusals.message(pending.browser, message.form)
            assert refusal.response.status in (400, 403, 413)
        return (cpu_seconds(shared.nginx) - before) / 10


@pytest.mark.parametrize("place", PLACES_OF_BOMBS)
@pytest.mark.parametrize("name", BOMBS, ids=[f"DOS-C14N-{name}" for name in BOMBS])
def test_what_canonicalization_would_cost(shared: SamlSite, name: str, place: str) -> None:
    behind = PLACES_OF_BOMBS[place]
    spent = cost_of(shared, lambda xml: xml.replace(behind, behind + BOMBS[name].encode(), 1))
    assert spent < MOST_SECONDS, f"{spent * 1000:.1f} ms"


@pytest.mark.parametrize("method", [b"ds:Transform", b"ds:CanonicalizationMethod"], ids=["reference", "signed_info"])
@pytest.mark.parametrize("count", [17, 800, 3000], ids=lambda count: f"DOS-C14N-{count}_prefixes")
def test_a_prefix_list_over_thousands_of_elements(shared: SamlSite, count: int, method: bytes) -> None:
    """37 KB that cost a canonicalization 6 s, 100 KB that cost it minutes."""
    listed = " ".join(f"p{number}" for number in range(count)).encode()
    inside = b'<ec:InclusiveNamespaces xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="%s"/>' % listed
    algorithm = b'<%s Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"' % method

    def change(xml: bytes) -> bytes:
        assert algorithm + b"/>" in xml
        xml = xml.replace(algorithm + b"/>", algorithm + b">" + inside + b"</%s>" % method, 1)
        statement = b"<saml:AttributeStatement>"
        filled = b'<saml:Attribute Name="x">' + b"<saml:AttributeValue/>" * 4000 + b"</saml:Attribute>"
        return xml.replace(statement, statement + filled, 1)

    spent = cost_of(shared, change)
    assert spent < MOST_SECONDS, f"{spent * 1000:.1f} ms"


def test_dos_crypto_of_a_forgery_is_bounded_by_the_keys_of_the_idp(shared: SamlSite, keys: KeyStore) -> None:
    """DOS-CRYPTO: signed by a stranger: every configured key is tried at most once per signature, however many
    certificates the message brings along."""
    attacker = keys.get("attacker")
    with PendingAttempt(shared) as pending:
        message = shared.idp.answer(pending.request, key=attacker, sign="both")
        certificates = b"<ds:X509Certificate>" + attacker.certificate_base64.encode() + b"</ds:X509Certificate>"
        many = message.xml.replace(b"</ds:X509Data>", certificates * 50 + b"</ds:X509Data>")
        assert many != message.xml
        crowded = shared.idp.answer(pending.request, mutate_bytes=lambda _: many)
        costs = []
        for each in (message, crowded):
            before = cpu_seconds(shared.nginx)
            for _ in range(30):
                assert pending.refusals.message(pending.browser, each.form).response.status == 403
            costs.append((cpu_seconds(shared.nginx) - before) / 30)
    assert max(costs) < MOST_SECONDS, costs


def test_mem_of_refusals_is_given_back(shared: SamlSite) -> None:
    """MEM: hundreds of large and broken answers leave the workers as they were."""
    if SANITIZED:
        pytest.skip("sanitizers hold freed memory back; they look for leaks themselves")

    def memory() -> int:
        found = 0
        for pid in shared.nginx.workers():
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            found += sum(int(each) for each in re.findall(r"^Private_\w+:\s+(\d+) kB", text, re.MULTILINE))
        return found

    with PendingAttempt(shared) as pending:
        xml = shared.idp.answer(pending.request).xml
        spoilt = [xml[: len(xml) * part // 10] for part in range(1, 10)]
        spoilt += [xml.replace(b"</samlp:Status>", b"</samlp:Status>" + bomb.encode()) for bomb in BOMBS.values()]

        def post_all(times: int) -> None:
            for _ in range(times):
                for changed in spoilt:
                    message = shared.idp.answer(pending.request, mutate_bytes=lambda _, data=changed: data)
                    pending.refusals.message(pending.browser, message.form)

        post_all(6)
        before = memory()
        post_all(12)
        grown = memory() - before
    assert grown < 2048, f"{grown} KB"
