"""conf-examples/multi-tenant.conf as it stands, with three real identity providers of different makers."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from idps.provider import IdentityProvider
from idps.settings import ServiceProvider, User
from sallyport_testing.browser import Browser
from sallyport_testing.http_response import Response
from sallyport_testing.keys import KeyStore
from sallyport_testing.nginx import Nginx
from sallyport_testing.paths import REPOSITORY
from sallyport_testing.real_idp import log_in_at
from sallyport_testing.upstream import EchoUpstream

pytestmark = pytest.mark.real_idp

EXAMPLE = REPOSITORY / "conf-examples/multi-tenant.conf"


@dataclass
class Organisation:
    """Its host, its IdP, and a user there with a name, an address and what the IdP tells of it."""

    host: str
    file: str
    idp: IdentityProvider
    attributes: dict[str, list[str]]
    wants: dict[str, object]

    @property
    def email(self) -> str:
        return self.attributes["email"][0]


class Example:
    def __init__(self, nginx: Nginx, upstream: EchoUpstream, keys: KeyStore, organisations: dict[str, Organisation]) -> None:
        self.nginx, self.organisations = nginx, organisations
        folder = nginx.folder / "etc"
        folder.mkdir()
        for each in organisations.values():
            each.idp.write_metadata(folder / each.file)
        sp, tls = keys.get("sp"), keys.tls("auth.example.com")
        for source, name in ((sp.certificate_file, "sp.crt"), (sp.key_file, "sp.key"),
                             (tls.certificate_file, "app.example.com.crt"), (tls.key_file, "app.example.com.key")):  # fmt: skip
            shutil.copy(source, folder / name)
        nginx.configure(self._text(folder, upstream)).start()
        metadata = Browser().get(self.url("auth.example.com", "/saml/metadata")).body
        for each in organisations.values():
            each.idp.register(ServiceProvider.from_metadata(metadata, **each.wants))
            each.idp.set_user("ada", User("secret", each.attributes))

    @staticmethod
    def _text(folder: Path, upstream: EchoUpstream) -> str:
        text = EXAMPLE.read_text()
        text = text[text.index("\nhttp {") + 7 : text.rindex("}")]
        for old, new in (
            ("/etc/nginx", str(folder)), ("listen 443 ssl", "listen 127.0.0.1:%%port:site%% ssl"),
            ("https://auth.example.com;", "https://auth.example.com:%%port:site%%;"), ("127.0.0.1:8080", upstream.address),
        ):  # fmt: skip
            assert old in text
            text = text.replace(old, new)
        return text

    def url(self, host: str, path: str) -> str:
        return f"https://{host}:{self.nginx.port('site')}{path}"

    def answered(self, name: str, browser: Browser, path: str = "/deep?a=b") -> Response:
        """What the ACS says to the answer of the organisation's IdP."""
        start = browser.get(self.url(self.organisations[name].host, path))
        page = log_in_at(browser, start, "ada", "secret")
        return browser.submit(page.form(having="SAMLResponse"))


@pytest.fixture
def example(
    nginx: Nginx, upstream: EchoUpstream, keys: KeyStore, simplesamlphp: IdentityProvider, samlp_idp: IdentityProvider,
    pysaml2_idp: IdentityProvider,
) -> Iterator[Example]:  # fmt: skip
    groups = "http://schemas.xmlsoap.org/claims/Group"
    organisations = {
        "acme": Organisation("acme.example.com", "okta-metadata.xml", samlp_idp,
                             {"email": ["ada@acme.example.com"], "space_name": ["Trial", "DevOps"], "space_role": ["Space Admin"]},
                             {"encrypt_assertion": True}),
        "globex": Organisation("globex.example.com", "entra-metadata.xml", simplesamlphp,
                               {"email": ["ada@globex.example.com"], "department": ["R&D"], "groups": ["nobody-knows"]}, {}),
        "initech": Organisation("portal.initech.test", "adfs-metadata.xml", pysaml2_idp,
                                {"email": ["ada@initech.test"], groups: ["initech-all"]}, {"sign_response": False}),
    }  # fmt: skip
    yield Example(nginx, upstream, keys, organisations)


GIVEN = {
    "acme": ("Trial=Space Admin,DevOps=Space Admin", None),
    "globex": (None, "Engineering"),
    "initech": (None, "Staff"),
}


def test_each_organisation_logs_in_at_its_own_idp(example: Example) -> None:
    browsers = {}
    for name, (spaces, groups) in GIVEN.items():
        organisation, browser = example.organisations[name], Browser()
        page = browser.follow(example.answered(name, browser))
        assert page.url == example.url(organisation.host, "/deep?a=b"), page.text
        echo = page.echo()
        assert echo.header("X-SSO-Idp") == name and echo.header("X-SSO-Email") == organisation.email
        assert (echo.header("X-SSO-Spaces"), echo.header("X-SSO-Groups")) == (spaces, groups)
        browsers[name] = browser
    for name, browser in browsers.items():
        inside = {other for other, each in example.organisations.items() if browser.get(example.url(each.host, "/")).status == 200}
        assert inside == {name}


def test_one_browser_at_all_of_them(example: Example, browser: Browser) -> None:
    for name in GIVEN:
        assert browser.follow(example.answered(name, browser)).status == 200
    for each in example.organisations.values():
        assert browser.get(example.url(each.host, "/")).echo().header("X-SSO-Email") == each.email


def test_what_an_organisation_wants_for_itself(example: Example) -> None:
    """Acme: both signed, encrypted, its own addresses; each refused where the IdP does otherwise."""
    acme = example.organisations["acme"]
    metadata = Browser().get(example.url("auth.example.com", "/saml/metadata")).body
    for wants, reason in (
        ({"encrypt_assertion": True, "sign_response": False}, "signature_missing"),
        ({"encrypt_assertion": False}, "encryption_missing"),
    ):
        acme.idp.register(ServiceProvider.from_metadata(metadata, **wants))
        assert example.answered("acme", Browser()).status == 403
        example.nginx.wait_for_log(f"reason={reason} idp=acme")
    acme.idp.register(ServiceProvider.from_metadata(metadata, **acme.wants))
    acme.idp.set_user("ada", User("secret", {**acme.attributes, "email": ["ada@globex.example.com"]}))
    assert example.answered("acme", Browser()).status == 403
    example.nginx.wait_for_log("reason=email_domain_not_allowed idp=acme")
