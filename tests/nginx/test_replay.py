"""An answer opens one session, whoever posts it, wherever and however often."""

from __future__ import annotations

import base64
import re
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlencode

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http_client import http1
from sallyport_testing.http_response import Response
from sallyport_testing.refusals import LOG_FORMAT
from sallyport_testing.saml_response import SamlResponse, new_id, now
from sallyport_testing.site import SamlSite

SESSION = "__Host-saml_session="


class Stolen:
    """A login whose answer and attempt's cookie somebody has copied before it was posted."""

    def __init__(self, site: SamlSite, **changes: object) -> None:
        self.site = site
        self.browser = Browser()
        self.request = site.idp.read_request(self.browser.get(site.url("/page")))
        self.message = site.idp.answer(self.request, **changes)
        self._cookie = self.browser.cookies.header_for(site.acs_url) or ""

    def post_by_its_owner(self) -> None:
        assert self.site.idp.post(self.browser, self.message).status == 303

    def post(self, message: SamlResponse | None = None) -> Response:
        """Post it from elsewhere, with the copied cookie, on a new connection."""
        body = urlencode((message or self.message).form).encode()
        headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", self._cookie)]
        return http1("POST", self.site.acs_url, headers, body)


def opened(answered: Response) -> bool:
    return any(each.startswith(SESSION) for each in answered.all("Set-Cookie"))


def assert_replayed(answered: Response) -> None:
    """Refused; the reason is looked up where it is not plain."""
    assert answered.status == 403, answered.text
    assert answered.all("Set-Cookie") == []


def test_replay_at_any_worker(site: SamlSite) -> None:
    """REPLAY"""
    pids = site.nginx.folder / "pids.log"
    site.start(http=f"log_format pids '$pid $saml_error'; access_log {pids} pids;")
    stolen = Stolen(site)
    stolen.post_by_its_owner()
    for _ in range(30):
        assert_replayed(stolen.post())
        if len({line for line in pids.read_text().splitlines() if line.endswith(" replayed")}) == 2:
            break
    else:
        raise AssertionError("one worker answered everything")
    site.nginx.wait_for_log("saml: login refused reason=replayed idp=test")


def test_replay_after_a_reload(site: SamlSite) -> None:
    site.start()
    stolen = Stolen(site)
    stolen.post_by_its_owner()
    for _ in range(2):
        site.nginx.reload()
        assert_replayed(stolen.post())


def test_replay_after_the_logout(site: SamlSite) -> None:
    site.start()
    stolen = Stolen(site)
    stolen.post_by_its_owner()
    page = stolen.browser.get(site.url("/saml/logout"))
    assert stolen.browser.submit(page.form()).status == 200
    assert_replayed(stolen.post())


def test_replay_after_a_workers_death(site: SamlSite) -> None:
    site.start()
    stolen = Stolen(site)
    stolen.post_by_its_owner()
    for _ in range(2):
        site.nginx.kill_worker()
        assert_replayed(stolen.post())


def test_replay_in_another_envelope(site: SamlSite) -> None:
    """The signed assertion counts, not what is around it."""
    site.start()
    stolen = Stolen(site)
    stolen.post_by_its_owner()
    xml = stolen.message.xml
    root_id = re.search(rb'<samlp:Response[^>]* ID="([^"]+)"', xml)
    assert root_id
    for changed in (
        xml.replace(root_id[1], new_id().encode()),
        re.sub(rb' Destination="[^"]*"', b"", xml),
        xml.replace(b"<samlp:Status>", b"<samlp:Extensions/><samlp:Status>"),
        b'<?xml version="1.0" encoding="UTF-8"?>' + xml,
        xml.replace(b"><samlp:Status", b">\n  <samlp:Status"),
    ):
        assert changed != xml
        message = SamlResponse(changed, stolen.message.acs_url, stolen.message.relay_state)
        assert_replayed(stolen.post(message))


def test_replay_in_another_encoding(site: SamlSite) -> None:
    site.start()
    stolen = Stolen(site)
    stolen.post_by_its_owner()
    text = base64.b64encode(stolen.message.xml + b"\n").decode()
    body = urlencode({"RelayState": stolen.message.relay_state, "SAMLResponse": text + "\r\n"}).encode()
    assert site.idp.post(Browser(), stolen.message, SAMLResponse=text).status == 303, "without the cookie: again"
    headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", stolen._cookie)]
    assert_replayed(http1("POST", site.acs_url, headers, body))


def test_replay_when_the_thief_comes_first(site: SamlSite) -> None:
    """One of the two is in; the other one is told."""
    site.start()
    stolen = Stolen(site)
    assert opened(stolen.post())
    answered = site.idp.post(stolen.browser, stolen.message)
    assert_replayed(answered)


def test_acs_dup_by_a_browser_with_its_session(site: SamlSite) -> None:
    """ACS-DUP: even without the marker, who is logged in goes on to the page; nothing new is made."""
    site.start()
    stolen = Stolen(site)
    stolen.post_by_its_owner()
    session = stolen.browser.cookies.get("__Host-saml_session")
    assert session
    stolen._cookie += f"; {session.name}={session.value}"
    answered = stolen.post()
    assert (answered.status, answered.location) == (303, site.url("/page"))
    assert answered.all("Set-Cookie") == []


def test_replay_fifty_at_once(site: SamlSite) -> None:
    """REPLAY: concurrent posts to both workers: exactly one session."""
    site.start(http=LOG_FORMAT)
    for _ in range(3):
        stolen = Stolen(site, sign="both")
        with ThreadPoolExecutor(50) as pool:
            posts = [pool.submit(stolen.post) for _ in range(50)]
            answers = [each.result() for each in posts]
        statuses = Counter(answer.status for answer in answers)
        assert statuses == {303: 1, 403: 49}, statuses
        assert sum(map(opened, answers)) == 1
        # Against a later attempt, InResponseTo ties it to the first one.
        other = Stolen(site)
        message = SamlResponse(stolen.message.xml, site.acs_url, other.request.relay_state)
        assert_replayed(other.post(message))
    assert site.nginx.error_log().count("saml: valid login") == 3


def test_replay_remembered_as_long_as_it_is_valid(clocked_site: SamlSite) -> None:
    """REPLAY: the clock skew lengthens both."""
    site = clocked_site.start()
    clock = site.nginx.clock
    stolen = Stolen(site, confirmation_not_on_or_after=now(300), not_on_or_after=None)
    stolen.post_by_its_owner()
    for seconds, reason in ((299, "replayed"), (301, "replayed"), (470, "replayed"), (485, "expired")):
        clock.shift(seconds)
        answered = stolen.post()
        assert answered.status == 403
        site.nginx.wait_for_log(f"reason={reason} ")
    clock.shift(600)
    fields = dict.fromkeys(("response_instant", "assertion_instant", "authn_instant"), now(600))
    fields |= dict.fromkeys(("confirmation_not_on_or_after", "not_on_or_after"), now(900))
    assert site.login(Browser(), **fields).status == 200


@pytest.mark.parametrize("how", ["restart", "zone_size", "zone_name"])
def test_replay_of_a_tile_after_another_zone(site: SamlSite, browser: Browser, how: str) -> None:
    """The memory of used answers begins with the zone: from before it, no answer that nobody asked for counts."""
    metadata = site.idp.write_metadata(site.nginx.folder / "metadata.xml")
    block = f"metadata {metadata}; allow_unsolicited on;"
    site.start(idp_block=block, http="saml_clock_skew 1s;")
    message = site.idp.unsolicited(site.acs_url, site.entity_id, relay_state="/page")
    assert site.idp.post(browser, message).status == 303
    browser.request("POST", site.url("/saml/logout"), headers=[("Origin", site.base_url)])
    assert_replayed(site.idp.post(Browser(), message))
    time.sleep(2)
    if how == "restart":
        site.nginx.stop()
        site.nginx.start()
    else:
        zone = "saml:8m" if how == "zone_size" else "other:4m"
        site.configure(idp_block=block, http=f"saml_clock_skew 1s; saml_session_zone {zone};")
        site.nginx.reload()
    for _ in range(2):
        again = site.idp.post(other := Browser(), message)
        assert again.status == 303 and again.header("Location").startswith(site.idp.sso_url) and not opened(again)
        answered = site.idp.post(other, site.idp.answer(site.idp.read_request(again)))
        assert opened(answered) and answered.header("Location").endswith("/page"), "a login of our own"
    time.sleep(2 if how != "restart" else 0)
    assert opened(site.idp.post(Browser(), site.idp.unsolicited(site.acs_url, site.entity_id))), "a new one counts"


@pytest.mark.parametrize("how", ["restart", "zone_size"])
def test_replay_after_another_zone_with_a_secret_file(site: SamlSite, tmp_path: Path, how: str) -> None:
    """The secret outlives the zone, the attempt does not."""
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef" * 4 + "\n")
    secret.chmod(0o600)
    site.start(http=f"saml_secret_file {secret};")
    stolen, under_way = Stolen(site), Stolen(site)
    stolen.post_by_its_owner()
    assert_replayed(stolen.post())
    if how == "restart":
        site.nginx.stop()
        site.nginx.start()
    else:
        site.configure(http=f"saml_secret_file {secret}; saml_session_zone saml:8m;")
        site.nginx.reload()
    answered = stolen.post()
    assert answered.status == 303 and answered.header("Location").startswith(site.idp.sso_url) and not opened(answered)
    again = site.idp.post(under_way.browser, under_way.message)
    assert opened(site.idp.post(under_way.browser, site.idp.answer(site.idp.read_request(again)))), "one more redirect"
