"""The page where the user chooses the IdP: buttons, the e-mail address, the last choice."""

from __future__ import annotations

import re
from html import unescape

import pytest

from sallyport_testing.browser import Browser
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.saml_idp import TestIdp
from sallyport_testing.site import SamlSite

COOKIE = "__Host-saml_session.last"


class Choice:
    """A site with so many IdPs beside `test`, each with a domain of its own."""

    def __init__(self, site: SamlSite, keys: KeyStore) -> None:
        self.site, self._key = site, keys.get("other")
        self.idps: dict[str, TestIdp] = {}

    def start(self, count: int, *, domains: str = "email_domains {name}.test .{name}.test;", **parts: str) -> "Choice":
        self.idps = {
            f"org{number}": TestIdp(self._key, f"https://idp.org{number}.test/", f"https://idp.org{number}.test/sso")
            for number in range(count)
        }
        blocks = ""
        for name, idp in self.idps.items():
            file = idp.write_metadata(self.site.nginx.folder / f"{name}.xml")
            blocks += f'saml_idp {name} {{ metadata {file}; display_name "{name.title()}"; {domains.format(name=name)} }}\n'
        self.site.start(http=blocks + parts.pop("http", ""), auth_saml=" ".join(["test", *self.idps]), **parts)
        return self

    def find(self, email: str, *, browser: Browser | None = None, path: str = "/page?a=1") -> Response:
        """Write an address into the login page's form."""
        browser = browser or Browser()
        page = browser.get(self.site.url(path))
        return browser.submit(page.form(having="email"), {"email": email})


@pytest.fixture
def choice(site: SamlSite, keys: KeyStore) -> Choice:
    return Choice(site, keys)


def buttons(page: Response) -> list[str]:
    return [unescape(re.sub(r"<[^>]*>", " ", each)).strip() for each in re.findall(r"<a [^>]*>(.*?)</a>", page.text)]


@pytest.mark.parametrize("count", [1, 7])
def test_a_button_for_each_up_to_eight(choice: Choice, browser: Browser, count: int) -> None:
    page = choice.start(count).site
    shown = browser.get(page.url("/page"))
    assert buttons(shown) == ["Log in using test SSO", *(f"Log in using Org{number} SSO" for number in range(count))]
    assert shown.form(having="email").fields == {"email": "", "return": "/page"}


def test_more_than_eight_write_their_addresses(choice: Choice, browser: Browser) -> None:
    """The page tells nobody who is a customer."""
    choice.start(8)
    for path in ("/page", "/saml/login?return=/page"):
        shown = browser.get(choice.site.url(path))
        assert shown.status == 200 and buttons(shown) == [] and "org" not in shown.text.lower().replace("organization", "")


@pytest.mark.parametrize(
    ("domains", "says"),
    [("", "a long list is shown"), ("{domain}", "nobody can choose it")], ids=["none", "one_missing"],
)  # fmt: skip
def test_an_idp_that_nobody_can_find_is_warned_of(choice: Choice, domains: str, says: str) -> None:
    choice.start(9, domains=domains.replace("{domain}", "email_domains {name}.test;"))
    output = choice.site.nginx.test().output
    assert "[warn]" in output and says in output and 'saml_idp "test" has no "email_domains"' in output


def test_without_domains_there_is_nothing_to_find(choice: Choice, browser: Browser) -> None:
    shown = browser.get(choice.start(9, domains="").site.url("/page"))
    assert len(buttons(shown)) == 10 and 'name="email"' not in shown.text


@pytest.mark.parametrize(
    "email", ["ada@org3.test", "Ada.Lovelace@ORG3.Test", " ada@org3.test ", "ada+x@org3.test", "ada@mail.eu.org3.test"]
)  # fmt: skip
def test_the_address_leads_to_its_idp(choice: Choice, browser: Browser, email: str) -> None:
    choice.start(9)
    answer = choice.find(email, browser=browser)
    assert answer.status == 303 and answer.header("Cache-Control") == "no-store"
    idp = choice.idps["org3"]
    done = browser.follow(idp.post(browser, idp.answer(idp.read_request(answer), attributes=(), name_id="ada@org3.test",
                          name_id_format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")))  # fmt: skip
    assert done.url == choice.site.url("/page?a=1") and done.echo().header("X-SSO-Idp") == "org3"


@pytest.mark.parametrize(
    "email", ["ada@nowhere.test", "ada", "", "@org3.test", "ada@org3.test.evil.test", "ada@xorg3.test", "a@b@org3.test",
              '"><script>alert(1)</script>@x', "x" * 5000 + "@org3.test"],
    ids=lambda text: repr(text)[:24],
)  # fmt: skip
def test_other_addresses_lead_nowhere(choice: Choice, email: str) -> None:
    answer = choice.start(9).find(email)
    assert answer.status == 200 and not answer.all("Set-Cookie") and not answer.location
    assert ("No login was found" in answer.text) == bool(email) and "<script" not in answer.text
    assert answer.form(having="email").fields["return"] == "/page?a=1"


def test_only_idps_of_the_request_are_found(choice: Choice) -> None:
    """The IdP of another location's or tenant's visitors is not to be found here."""
    choice.start(3, http='map $host $org { default ""; }', locations="location /t/ { auth_saml $org; return 200; }")
    text = choice.site.nginx.folder / "nginx.conf"
    text.write_text(text.read_text().replace("auth_saml test org0 org1 org2;", "auth_saml test org0 org1;"))
    choice.site.nginx.reload()
    assert choice.find("ada@org1.test").status == 303
    assert choice.find("ada@org2.test").status == 200


def test_relay_open_the_forms_return_address(choice: Choice) -> None:
    """RELAY-OPEN"""
    choice.start(2)
    away = ("https://evil.test/", "//evil.test", "", "/" + "x" * 1500)
    for written, target in (("/x?y=1", "/x?y=1"), *((each, "/") for each in away)):
        browser, idp = Browser(), choice.idps["org1"]
        page = browser.get(choice.site.url("/"))
        answer = browser.submit(page.form(having="email"), {"email": "ada@org1.test", "return": written})
        message = idp.answer(idp.read_request(answer), attributes=(), name_id="ada@org1.test",
                             name_id_format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress")  # fmt: skip
        assert idp.post(browser, message).location == choice.site.url(target)


def test_a_fresh_login_stays_one(choice: Choice) -> None:
    choice.start(2, location="saml_force_authn 5m;")
    assert choice.idps["org1"].read_request(choice.find("ada@org1.test")).force_authn


def test_a_broken_form_is_refused(choice: Choice, browser: Browser) -> None:
    choice.start(2)
    url = choice.site.url("/saml/login")
    assert browser.post(url, b"email=" + b"x" * 9000).status == 413
    for body in (b"", b"&&&", b"email=%zz", b"email", b"\x00\xff"):
        assert Browser().post(url, body).status == 200
    assert browser.request("PUT", url).status == 405


def test_the_last_choice_is_remembered(choice: Choice, browser: Browser) -> None:
    choice.start(3)
    site, idp = choice.site, choice.idps["org2"]
    chosen = idp.read_request(browser.get(site.url("/saml/login?idp=org2&return=/page")))
    answer = idp.post(browser, idp.answer(chosen, attributes=(), name_id="ada@org2.test",
                      name_id_format="urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"))  # fmt: skip
    (line,) = [each for each in answer.all("Set-Cookie") if each.startswith(COOKIE + "=")]
    assert line.startswith(f"{COOKIE}=org2;") and "HttpOnly" in line and "Secure" in line and "SameSite=Lax" in line
    echo = browser.follow(answer).echo()
    assert not echo.header("Cookie"), "it is ours, and no upstream's business"
    browser.request("POST", site.url("/saml/logout"), headers=[("Origin", site.base_url)])
    assert buttons(browser.get(site.url("/page")))[0].split() == "Log in using Org2 SSO Used last time".split()


def test_of_many_the_last_one_has_a_button(choice: Choice, browser: Browser) -> None:
    choice.start(12)
    page = browser.request("GET", choice.site.url("/saml/login"), headers=[("Cookie", f"{COOKIE}=org7")])
    assert buttons(page) == ["Log in using Org7 SSO Used last time"] and page.form(having="email")


@pytest.mark.parametrize("value", ["nobody", "", "org1; x=y", '"org1"', "x" * 3000])
def test_a_planted_last_choice_shows_nothing(choice: Choice, browser: Browser, value: str) -> None:
    choice.start(9)
    page = browser.request("GET", choice.site.url("/saml/login"), headers=[("Cookie", f"{COOKIE}={value}")])
    assert page.status == 200 and [each for each in buttons(page) if "Org1" not in each] == []
    twice = browser.request("GET", choice.site.url("/saml/login"), headers=[("Cookie", f"{COOKIE}=org1; {COOKIE}=org2")])
    assert buttons(twice) == []


def test_one_idp_needs_no_memory(site: SamlSite, browser: Browser) -> None:
    answer = site.start().idp.login(browser, site.url("/page"))
    assert not any(COOKIE in line for line in answer.all("Set-Cookie"))


@pytest.mark.parametrize("place", ["server", "location"])
@pytest.mark.parametrize("by", ["name", "variable"])
def test_always_shows_it_for_a_single_one(site: SamlSite, by: str, place: str) -> None:
    """The button leads on to the IdP, not back to the page."""
    site.start(**{place: "saml_login_page always;"}, http="map $host $org { default test; }", auth_saml="test" if by == "name" else "$org")
    browser = Browser()
    page = browser.get(site.url("/page?a=1"))
    assert page.status == 200 and buttons(page) == ["Log in using test SSO"]
    link = re.search(r'<a [^>]*href="([^"]*)"', page.text)
    assert link
    there = browser.get(unescape(link.group(1)))
    assert there.status == 302, there.text[:300]
    answer = site.idp.post(browser, site.idp.answer(site.idp.read_request(there)))
    assert browser.follow(answer).echo().uri == "/page?a=1"
