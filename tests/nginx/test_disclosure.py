"""DISCLOSE, SID-STORE: pages, headers, logs and the shared zone tell nobody what opens a session, or how the
server is made."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.running import running_site
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite
from sallyport_testing.zone_memory import read_zone

SECRET = "s3cret-attribute-value"


class Visit:
    """Everything that a user, and somebody who tries, can make the server say."""

    def __init__(self, site: SamlSite, folder: Path) -> None:
        self.site, self.folder = site, folder
        self.answers: list[Response] = []
        self.cookies: list[str] = []
        self.messages: list[str] = []
        browser = self._log_in()
        for path in ("/saml/session", "/saml/metadata", "/saml/logout", "/saml/login?idp=nobody", "/saml/acs"):
            self.answers.append(browser.get(site.url(path)))
        for changes in (
            {"status": [names.RESPONDER], "status_message": "internal"}, {"audiences": ["x"]}, {"name_id": None},
            {"issuer": "https://other.example.com/"}, {"sign": "none"},
            {"mutate_bytes": lambda xml: b"<!DOCTYPE x>" + xml}, {"mutate_bytes": lambda xml: xml[:-20]},
            {"mutate_after_sign": lambda root: root[-1].set("ID", "_x")},
        ):  # fmt: skip
            self._refused(**changes)
        for method, url, body in (
            ("POST", "/saml/acs", b"SAMLResponse=%ff"), ("PUT", "/saml/acs", b"x"), ("POST", "/saml/acs", b""),
            ("GET", "/saml/logout?return=//evil", None), ("POST", "/page", b"x=y"), ("GET", "/status/500", None),
        ):  # fmt: skip
            headers = [("Content-Type", "application/x-www-form-urlencoded")]
            self.answers.append(Browser().request(method, site.url(url), body=body, headers=headers))

    def _note(self, browser: Browser, *answers: Response) -> None:
        self.answers += answers
        self.cookies += [cookie.value for cookie in browser.cookies]

    def _log_in(self) -> Browser:
        browser = Browser()
        started = browser.get(self.site.url("/page"))
        self._note(browser, started)
        message = self.site.idp.answer(
            self.site.idp.read_request(started), attributes=[Attribute("note", [SECRET]), Attribute("groups", ["G"])]
        )
        self.messages.append(message.form["SAMLResponse"])
        self._note(browser, self.site.idp.post(browser, message))
        assert browser.get(self.site.url("/page")).status == 200
        return browser

    def _refused(self, **changes: object) -> None:
        browser = Browser()
        request = self.site.idp.read_request(browser.get(self.site.url("/page")))
        message = self.site.idp.answer(request, **changes)
        self.messages.append(message.form["SAMLResponse"])
        answer = self.site.idp.post(browser, message)
        assert answer.status == 403 or answer.status == 400, answer.status
        self._note(browser, answer)


@pytest.fixture(scope="module")
def visit(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[Visit]:
    folder = tmp_path_factory.mktemp("disclosure")
    key = keys.get("sp")
    server = f"saml_certificate {key.certificate_file}; saml_certificate_key {key.key_file};"
    with running_site(folder, keys, server=server) as site:
        yield Visit(site, folder)


def test_disclose_pages_and_headers_name_nothing_internal(visit: Visit, keys: KeyStore) -> None:
    key = keys.get("sp").key_file
    internal = [
        str(visit.folder), str(key), key.name, key.read_text().splitlines()[1], "idp-metadata.xml", "nginx.conf",
        ".cpp", ".so", "libxml", "OpenSSL", "xmlsec", "Segmentation", "std::", "0x7f", "signature_", "audience_",
        "_invalid", "https://idp.example.com/metadata", "internal", SECRET,
    ]  # fmt: skip
    assert len(visit.answers) > 20
    for answer in visit.answers:
        if answer.url.endswith("/saml/metadata"):
            continue
        told = answer.text + "\n".join(f"{name}: {value}" for name, value in answer.headers if name != "Location")
        found = [each for each in internal if each in told]
        assert not found, f"{answer.method} {answer.url}: {found}\n{told}"
        assert "<saml" not in told and "urn:oasis" not in told


def test_disclose_logs_open_nothing(visit: Visit) -> None:
    """No cookie, no message, no attribute but those that are said to be logged, no line without escapes."""
    nginx = visit.site.nginx
    logs = nginx.error_log() + (nginx.folder / "refusals.log").read_text("latin-1")
    assert "saml: valid login idp=test user=student@example.com" in logs and "login refused" in logs
    assert len(visit.cookies) > 10 and len(visit.messages) > 5
    for cookie in visit.cookies:
        assert cookie not in logs
    for message in visit.messages:
        assert message[:60] not in logs and message[200:260] not in logs
    assert SECRET not in logs and "<saml" not in logs
    assert logs.isascii() and not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", logs)


# The zone


def test_sid_store_the_zone_opens_no_session(site: SamlSite) -> None:
    """Who reads the zone finds users, but no cookie, neither as text nor as bytes; nor an attempt's."""
    size = 3 << 20
    site.start(http="saml_session_zone saml:3m;")
    values = []
    for number in range(20):
        browser = Browser()
        site.idp.read_request(browser.get(site.url("/other")))
        site.login(browser, name_id=f"zone-user-{number}@example.com", attributes=())
        values += [cookie.value for cookie in browser.cookies]
    data = read_zone(site.nginx, size)
    assert b"zone-user-7@example.com" in data, "the zone was not read"
    assert len(values) >= 40
    for value in values:
        raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
        for part in (value[:20].encode(), value[-20:].encode(), raw[:16], raw[-16:], raw[:16][::-1]):
            assert part not in data


def test_disclose_nothing_of_a_session_is_left_in_the_answer_to_another(site: SamlSite) -> None:
    """One keep-alive connection, from a user with much to one with nothing: lengths and texts are their own."""
    site.start()
    rich, poor = Browser(), Browser()
    site.login(rich, attributes=[Attribute("groups", [SECRET] * 3), Attribute("note", [SECRET * 50])])
    site.login(poor, name_id="p@example.com", attributes=())
    for _ in range(20):
        assert SECRET in rich.fetch(site.url("/saml/session")).text
        assert SECRET in str(rich.get(site.url("/")).echo().headers)
        assert SECRET not in poor.fetch(site.url("/saml/session")).text
        assert SECRET not in str(poor.get(site.url("/")).echo().headers)
