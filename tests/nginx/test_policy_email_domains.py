"""`email_domains`: the one address of a login is in one of the IdP's domains, or the login is refused."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sallyport_testing import saml_names as names
from sallyport_testing.browser import Browser
from sallyport_testing.header_values import encoded
from sallyport_testing.keys import KeyStore
from sallyport_testing.policy_site import Tenant, parts_of, sent
from sallyport_testing.refusals import Refusals
from sallyport_testing.running import running_site
from sallyport_testing.saml_response import Attribute
from sallyport_testing.site import SamlSite

TENANTS = [
    Tenant("mail", None, "email_domains example.com .example.net b\u00fccher.example xn--mnchen-3ya.example;"),
    Tenant("renamed", None, "email_domains example.org; attribute email upn;"),
    Tenant("any", None),
]


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory, keys: KeyStore) -> Iterator[Refusals]:
    with running_site(tmp_path_factory.mktemp("domains"), keys, **parts_of(TENANTS)) as started:
        yield Refusals(started)


def is_in(site: SamlSite, email: str | None, attributes: list[Attribute], idp: str = "mail", **fields: object) -> None:
    """The login is good, and this is the address that the application sees."""
    echo = site.login(Browser(), f"/{idp}/", attributes=attributes, **fields).echo()
    assert echo.header("X-SSO-Email") == (email and encoded(email, item=False))


def is_refused(refusals: Refusals, attributes: list[Attribute], idp: str = "mail", **fields: object) -> str:
    refusal = refusals.answer(Browser(), f"/{idp}/", attributes=attributes, **fields)
    assert (refusal.reason, refusal.response.status) == ("email_domain_not_allowed", 403)
    assert "This e-mail address cannot be used here" in refusal.response.text
    assert refusal.response.header("Cache-Control") == "no-store"
    return refusal.line


ALLOWED = [
    "ada@example.com", "ADA@EXAMPLE.COM", "Ada@Example.Com", "ada+tag@example.com", "a.d.a@example.com",
    "o'neill@example.com", "ada@www.example.net", "ada@a.b.c.example.net", "ada@A.EXAMPLE.NET",
    "ada@b\u00fccher.example", "ada@xn--bcher-kva.example", "ada@XN--BCHER-KVA.EXAMPLE", "ada@B\u00dcCHER.example",
    "ada@m\u00fcnchen.example", "ada@xn--mnchen-3ya.example", "j\u00f6rg@example.com", "\u7528\u6237@example.com",
]  # fmt: skip


def test_addresses_in_the_domains(refusals: Refusals) -> None:
    """Exactly these and, behind a leading dot, what is below; letters of a domain do not count."""
    for address in ALLOWED:
        is_in(refusals.site, address, sent(email=address))


OTHERS = [
    # domains that are none of these
    "ada@example.org", "ada@sub.example.com", "ada@example.net", "ada@example.com.example.org", "ada@notexample.com",
    "ada@not-example.com", "ada@example.co", "ada@example.comm", "ada@com", "ada@fake-example.net", "ada@.example.net",
    "ada@a..example.net", "ada@bucher.example", "ada@xn--bcher.example", "ada@www.b\u00fccher.example",
    # what looks like them
    "ada@example.com.", "ada@example.com\u200b", "ada@\u200bexample.com", "ada@ex\u0430mple.com",
    "ada@\uff45xample.com", "ada@example\u3002com", "ada@example\uff0ecom", "ada@example.\u0441om",
    "ada@e\u0301xample.com", "ada@exam\u00adple.com", "ada@\u202emoc.elpmaxe", "ada@example.com\u2028",
    # more than one @, and other ways of two readings
    "ada@example.org@example.com", "ada@example.com@example.org", "ada@@example.com", "@example.com", "@",
    '"ada@example.org"@example.com', '"ada"@example.com', "ada@example.com(comment)", "(x)ada@example.com",
    "Ada <ada@example.com>", "<ada@example.com>", "ada@example.com <eve@example.org>",
    "eve@example.org, ada@example.com", "ada@example.com,eve@example.org", "ada@example.com;eve@example.org",
    "ada@example.com eve@example.org", "ada@example.com\r\nX: eve@example.org", "ada@example.com\n",
    " ada@example.com", "ada@example.com ", "ada @example.com", "ada@ example.com", "ada@example.com\t",
    "mailto:ada@example.com", "ada%40example.org@example.com\x7f", "ada@example.com%00", "ada@example.com\\",
    "ada@[192.0.2.1]", "ada@192.0.2.1", "ada@example.com:25", "ada@example.com/", "ada!example.org!x@example.com,",
    ".ada@example.com", "ada.@example.com", "a..da@example.com", "\u202eada@example.com", "ada\uff20example.com",
    "eve@example.org\uff20example.com", "ada\u200b@example.com", "ada", "example.com",
    # too long to be one
    "a" * 300 + "@example.com", "ada@" + "a." * 120 + "example.net",
]  # fmt: skip


@pytest.mark.parametrize("address", OTHERS, ids=[ascii(each)[:40] for each in OTHERS])
def test_other_addresses(refusals: Refusals, address: str) -> None:
    is_refused(refusals, sent(email=address))


def test_several_addresses(refusals: Refusals) -> None:
    """Nobody guesses which one is meant, though all of them would do."""
    for values in (["ada@example.com", "eve@example.org"], ["eve@example.org", "ada@example.com"],
                   ["ada@example.com", "bob@example.com"], ["ada@example.com", "ada@example.com"]):  # fmt: skip
        assert "received 2" in is_refused(refusals, sent(email=values))


def test_no_address(refusals: Refusals) -> None:
    for attributes in (sent(groups="A"), sent(email=""), sent(email=[" ", ""]), []):
        assert "received 0" in is_refused(refusals, attributes, name_id="ada-1", name_id_format=names.PERSISTENT)
    # A NameID that only looks like an address does not say that it is one.
    is_refused(refusals, [], name_id="ada@example.com", name_id_format=names.UNSPECIFIED)


def test_the_name_id_as_address(refusals: Refusals) -> None:
    is_in(refusals.site, "ada@example.com", [], name_id="ada@example.com")
    is_refused(refusals, [], name_id="ada@example.org")
    # It counts only where no address was sent as an attribute.
    is_refused(refusals, sent(email="ada@example.org"), name_id="ada@example.com")
    is_in(refusals.site, "ada@example.com", sent(email="ada@example.com"), name_id="ada@example.org")


def test_the_address_that_counts_is_the_one_that_the_application_sees(refusals: Refusals) -> None:
    """By the IdP's own alias, and by the first attribute of the built-in one; the others are nothing."""
    is_in(refusals.site, "ada@example.org", sent(upn="ada@example.org", email="eve@example.com"), "renamed")
    is_refused(refusals, sent(upn="eve@example.com", email="ada@example.org"), "renamed")
    is_in(refusals.site, "ada@example.com", sent(mail="eve@example.org", email="ada@example.com"))
    is_refused(refusals, sent(mail="ada@example.com", email="eve@example.org"))


def test_without_domains_any_address_will_do(refusals: Refusals) -> None:
    for address in ("eve@example.org", "Ada <ada@example.com>", "none"):
        is_in(refusals.site, address, sent(email=address), "any")
    is_in(refusals.site, "eve@example.org", sent(email=["eve@example.org", "ada@example.com"]), "any")


def test_an_address_cannot_write_into_the_log(refusals: Refusals) -> None:
    line = is_refused(refusals, sent(email="eve@example.org> idp=other\r\n2026/01/01 [notice] saml: valid login"))
    assert "\\x0D\\x0A" in line and line.count("\n") == 0
