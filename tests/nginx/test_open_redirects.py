"""RELAY-OPEN: no address that a client or an IdP names leads a browser to another site.

The addresses are in tests/data/open_redirects.txt; each is tried at every place that takes one."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import quote, unquote_to_bytes, urljoin

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http_client import http2
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.paths import REPOSITORY
from sallyport_testing.pending_attempt import PendingAttempt
from sallyport_testing.raw_http import raw_request
from sallyport_testing.running import running_site
from sallyport_testing.saml_names import RESPONDER
from sallyport_testing.site import SamlSite

TABLE = REPOSITORY / "tests/data/open_redirects.txt"
# A server whose login page asks for the IdP, one that takes what nobody asked for, and one whose ACS answers with a page
# instead of a redirect.
SERVERS = """
    large_client_header_buffers 8 32k;
    saml_idp other { metadata %%folder%%/idp-metadata.xml; }
    server {
        listen 127.0.0.1:%%port:site%%; server_name choice.example.com;
        saml_entity_id https://choice.example.com/;
        location / { auth_saml test other; proxy_pass http://%%upstream%%; }
    }
    saml_idp tile { metadata %%folder%%/idp-metadata.xml; allow_unsolicited on; }
    server {
        listen 127.0.0.1:%%port:site%%; server_name tile.example.com;
        saml_entity_id https://tile.example.com/;
        location / { auth_saml tile; proxy_pass http://%%upstream%%; }
    }
    server {
        listen 127.0.0.1:%%port:site%%; server_name strict.example.com;
        saml_entity_id https://strict.example.com/; saml_cookie saml_session samesite=strict;
        location / { auth_saml test; proxy_pass http://%%upstream%%; }
    }
"""


@dataclass(frozen=True)
class Address:
    """A line of the table: as it stands behind `return=`, and what that means."""

    away: bool
    written: str

    @property
    def meant(self) -> str:
        return unquote_to_bytes(self.written).decode("latin-1")


def read_table() -> list[Address]:
    lines = [line for line in TABLE.read_text("ascii").splitlines() if line and not line.startswith("#")]
    found = [Address(kind == "away", written) for kind, _, written in (line.partition(" ") for line in lines)]
    assert {line.split(" ")[0] for line in lines} == {"away", "local"}
    return found


# A return address may have 1,500 bytes.
LONG = [Address(False, "%2F" + "p" * 1499), Address(True, "%2F" + "p" * 1500), Address(True, "%2F" + "p" * 10_000)]
ADDRESSES = read_table() + LONG


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[SamlSite]:
    server = """
        merge_slashes off;
        listen 127.0.0.1:%%port:h2%% http2;
        saml_base_url http://app.example.com:%%port:site%%;
    """
    folder = tmp_path_factory.mktemp("redirects")
    with running_site(folder, keys, tls=False, http=SERVERS, server=server) as running:
        yield running


def at(site: SamlSite, server: str, path: str = "") -> str:
    return site.base_url.replace("//app.", f"//{server}.") + path


def leads(base: str, target: str | None) -> str:
    """Where a target leads on this site: its path; any way off the site fails."""
    assert target is not None and target.isascii() and target.isprintable(), repr(target)
    assert "\\" not in target and " " not in target, repr(target)
    assert target.startswith(base + "/"), f"{target!r} leaves the site"
    return target.removeprefix(base)


def links(page: Response) -> list[str]:
    return [urljoin(page.url, unescape(each)) for each in re.findall(r'(?:href|action|src)="([^"]*)"', page.text)]


def check_page(page: Response, base: str) -> None:
    """Nothing on a page of ours leads elsewhere, or holds what the client asked for elsewhere."""
    for link in links(page):
        leads(base, link)
    assert "evil.example" not in page.text, "the page names the other site"


def expected(address: Address) -> str:
    return "/" if address.away else address.meant


# The places that take an address


def login(site: SamlSite, address: Address) -> None:
    answer = site.idp.login(Browser(), site.url(f"/saml/login?return={address.written}"))
    assert answer.status == 303
    assert leads(site.base_url, answer.header("Location")) == expected(address)


def login_with_strict_cookies(site: SamlSite, address: Address) -> None:
    base = at(site, "strict")
    answer = site.idp.login(Browser(), f"{base}/saml/login?return={address.written}")
    assert answer.status == 200
    assert leads(base, answer.refresh) == expected(address)
    if address.away:
        check_page(answer, base)


def choice_of_the_idp(site: SamlSite, address: Address) -> None:
    base = at(site, "choice")
    page = Browser().get(f"{base}/saml/login?return={address.written}")
    assert page.status == 200
    if address.away:
        check_page(page, base)
    (chosen,) = [link for link in links(page) if "idp=other" in link]
    answer = site.idp.login(Browser(), chosen)
    assert leads(base, answer.header("Location")) == expected(address)


def idp_initiated(site: SamlSite, address: Address) -> None:
    base = at(site, "tile")
    tile = site.idp.unsolicited(f"{base}/saml/acs", "https://tile.example.com/", relay_state=address.meant)
    answer = site.idp.post(Browser(), tile)
    if answer.status == 400:
        assert address.away
        check_page(answer, base)
    else:
        assert leads(base, answer.header("Location")) == expected(address)


def logout(site: SamlSite, address: Address) -> None:
    answer = Browser().request("POST", site.url(f"/saml/logout?return={address.written}"))
    if address.away:
        assert (answer.status, answer.header("Location"), answer.refresh) == (200, None, None)
        check_page(answer, site.base_url)
    else:
        assert answer.status == 303
        assert leads(site.base_url, answer.header("Location")) == address.meant


def logout_page(site: SamlSite, address: Address) -> None:
    browser = Browser()
    page = browser.get(site.url(f"/saml/logout?return={address.written}"))
    assert page.status == 200
    # Its form passes the argument on, encoded: it is checked when the form comes.
    for link in links(page):
        leads(site.base_url, link)
    answer = browser.submit(page.form())
    if address.away:
        assert (answer.status, answer.header("Location"), answer.refresh) == (200, None, None)
    else:
        assert leads(site.base_url, answer.header("Location")) == address.meant


def target_of(address: Address) -> str:
    """As a path that is asked for: what HTTP cannot carry raw is encoded."""
    text = address.meant if address.meant.startswith("/") else "/" + address.meant
    return "".join(each if "!" <= each <= "~" or each >= "\x80" else f"%{ord(each):02x}" for each in text)


def asked_for(site: SamlSite, address: Address) -> None:
    path = target_of(address)
    answers = [raw_request(site.base_url, f"GET {path} HTTP/1.1\r\nHost: {site.host}\r\n\r\n")]
    if path.isascii():
        h2 = f"http://{site.host}:{site.nginx.port('h2')}"
        answers.append(http2("GET", h2 + path.partition("#")[0], []))
    for answer in answers:
        if answer.status == 400:
            continue
        browser = Browser()
        for cookie in answer.all("Set-Cookie"):
            browser.cookies.store(site.base_url, cookie)
        request = site.idp.read_request(answer)
        refused = site.idp.post(browser, site.idp.answer(request, status=[RESPONDER]))
        assert refused.status == 403
        for link in links(refused):
            leads(site.base_url, link)
        answered = site.idp.post(browser, site.idp.answer(request))
        assert answered.status == 303
        leads(site.base_url, answered.header("Location"))


PLACES = {
    place.__name__: place
    for place in (
        login, login_with_strict_cookies, choice_of_the_idp, idp_initiated, logout, logout_page, asked_for,
    )
}  # fmt: skip


@pytest.mark.parametrize("place", PLACES.values(), ids=[f"RELAY-OPEN-{name}" for name in PLACES])
def test_no_address_leads_to_another_site(site: SamlSite, place: Callable[[SamlSite, Address], None]) -> None:
    every_address(lambda address: place(site, address))


@pytest.mark.parametrize("how", ["RELAY-OPEN-alone", "RELAY-OPEN-behind_the_handle", "RELAY-OPEN-as_a_retry_mark"])
def test_no_relay_state_leads_anywhere(site: SamlSite, how: str) -> None:
    """In place of the handle of a pending attempt, and behind it: refused, with a page of ours."""
    with PendingAttempt(site) as pending:
        message = site.idp.answer(pending.request)
        before = {"alone": "", "behind_the_handle": "{0}", "as_a_retry_mark": "{0}."}[how.removeprefix("RELAY-OPEN-")]

        def post(address: Address) -> None:
            value = before.format(pending.request.relay_state) + address.meant
            refusal = pending.refusals.message(pending.browser, {**message.form, "RelayState": value})
            assert refusal.reason in ("unsolicited", "form_invalid"), refusal.reason
            assert refusal.response.header("Location") is None
            for link in links(refusal.response):
                leads(site.base_url, link)
            if address.away:
                check_page(refusal.response, site.base_url)

        every_address(post)


def every_address(check: Callable[[Address], None]) -> None:
    problems = []
    for address in ADDRESSES:
        try:
            check(address)
        except AssertionError as problem:
            problems.append(f"{address.written}: {problem}")
    assert not problems, "\n".join(problems)


def test_relay_open_the_table_is_large() -> None:
    assert len([each for each in ADDRESSES if each.away]) >= 80
    assert len([each for each in ADDRESSES if not each.away]) >= 10
    assert len(set(ADDRESSES)) == len(ADDRESSES)


# Whole addresses


@pytest.mark.parametrize("domain", ["", "example.com"])
def test_whole_addresses_of_ones_own(tmp_path: Path, keys: KeyStore, domain: str) -> None:
    """RELAY-OPEN: of this site, and of the hosts that share the cookie; no other scheme, port, host or spelling."""
    cookie = f"saml_cookie saml_session domain={domain};" if domain else ""
    with running_site(tmp_path, keys, server=cookie) as site:
        port = site.nginx.port("site")

        def leads_to(target: str) -> str | None:
            return site.idp.login(Browser(), site.url("/saml/login?return=" + quote(target, safe=""))).location

        here, other = f"https://app.example.com:{port}", f"https://other.example.com:{port}"
        assert leads_to(f"{here}/deep?x=1&y=%20") == f"{here}/deep?x=1&y=%20"
        shared = f"{other}/deep?x=1"
        assert leads_to(shared) == (shared if domain else f"{here}/")
        for away in (
            f"http://other.example.com:{port}/x", "https://other.example.com/x", f"https://evil.test:{port}/x",
            f"https://example.com.evil.test:{port}/x", f"https://evilexample.com:{port}/x", f"{other}@evil.test/x",
            f"https://evil.test@other.example.com:{port}/x", f"{other}//evil.test", f"{other}\\@evil.test/", other,
            f"{other}/\r\nX: y", f"{here}//evil.test", f"{here}.evil.test/x", f"{other}/x#y", f"//other.example.com:{port}/x",
        ):  # fmt: skip
            assert leads_to(away) == f"{here}/", away
