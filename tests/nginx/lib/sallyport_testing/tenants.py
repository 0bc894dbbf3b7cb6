"""Organisations behind one nginx: a host and an IdP for each, one ACS at a host of its own (DESIGN 5.2)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from .authn_request import AuthnRequest
from .browser import Browser
from .http_response import Response
from .keys import KeyPair, KeyStore
from .nginx import Nginx
from .saml_idp import TestIdp
from .saml_response import SamlResponse
from .site import SamlSite
from .upstream import EchoUpstream

BASE = "auth.example.com"
HOSTS = {"acme": "acme.example.com", "globex": "globex.example.com", "initech": "portal.initech.test"}


class Tenant(SamlSite):
    """One organisation's host: `login`, `refused`, `url` and so on as of any site, through the shared ACS."""

    @property
    def entity_id(self) -> str:
        return f"https://{BASE}/saml/metadata"

    def begin(self, browser: Browser, path: str = "/") -> AuthnRequest:
        """Open a protected page, as far as the IdP."""
        there = browser.get(self.url(path))
        assert (there.location or "").startswith(f"https://{BASE}:"), f"{there.status} to {there.location}"
        return self.idp.read_request(browser.follow_once(there))

    def answer(self, browser: Browser, path: str = "/", **changes: object) -> Response:
        """What the ACS says to an answer of the IdP."""
        return self.idp.post(browser, self.idp.answer(self.begin(browser, path), **changes))

    def ticket_url(self, browser: Browser, path: str = "/", **changes: object) -> str:
        answer = self.answer(browser, path, **changes)
        assert answer.status == 303, f"the ACS said {answer.status}\n{self._log()}"
        assert (answer.location or "").startswith(self.url("/saml/finish?t=")), answer.location
        return answer.location or ""

    def login(self, browser: Browser, path: str = "/", **changes: object) -> Response:
        answer = self.answer(browser, path, **changes)
        assert answer.status == 303, f"the ACS said {answer.status}\n{self._log()}"
        return browser.follow(answer)

    def refused(self, browser: Browser, path: str = "/", **changes: object) -> Response:
        before = len(self.upstream.requests)
        answer = self.answer(browser, path, **changes)
        assert 400 <= answer.status < 500, f"the ACS said {answer.status}, not 4xx\n{self._log()}"
        assert len(self.upstream.requests) == before, "a refused login reached the upstream"
        return answer

    def is_in(self, browser: Browser) -> bool:
        status = browser.get(self.url("/page")).status
        assert status in (200, 302), status
        return status == 200

    def session(self, browser: Browser) -> str | None:
        """The session cookie that the browser has for this host."""
        cookie = next(
            (each for each in browser.cookies if each.name == "__Host-saml_session" and each.host == self.host), None
        )
        return cookie.value if cookie else None


class Tenants:
    """The nginx and its tenants. `start(...)` takes more text for http, the tenants' server and the ACS's server."""

    def __init__(self, nginx: Nginx, upstream: EchoUpstream, folder: Path, keys: KeyStore) -> None:
        self.nginx = nginx
        self._folder = folder
        self._tls = keys.tls(BASE)
        self.by_name = {
            name: Tenant(nginx, upstream, self._idp(name, keys.get(f"idp-{name}")), self._tls, host=host)
            for name, host in HOSTS.items()
        }

    @staticmethod
    def _idp(name: str, key: KeyPair) -> TestIdp:
        return TestIdp(key, entity_id=f"https://idp.{name}.test/metadata", sso_url=f"https://idp.{name}.test/sso")

    def __getitem__(self, name: str) -> Tenant:
        return self.by_name[name]

    def base(self, path: str = "/") -> str:
        return f"https://{BASE}:{self.nginx.port('site')}{path}"

    def text(self, *, http: str = "", server: str = "", acs: str = "", location: str = "", names: str = "") -> str:
        blocks = "".join(
            f"saml_idp {name} {{ metadata {each.idp.write_metadata(self._folder / f'{name}.xml')}; }}\n"
            for name, each in self.by_name.items()
        )
        organisations = "".join(f"{host} {name};\n" for name, host in HOSTS.items())
        listen = f"""listen 127.0.0.1:%%port:site%% ssl;
            ssl_certificate {self._tls.certificate_file};
            ssl_certificate_key {self._tls.key_file};"""
        return f"""
        {blocks}
        map $host $org {{ default ""; {organisations} }}
        saml_entity_id https://{BASE}/saml/metadata;
        saml_base_url https://{BASE}:%%port:site%%;
        {http}
        server {{
            {listen}
            server_name {names or "*.example.com " + HOSTS["initech"]};
            {server}
            location / {{
                auth_saml $org;
                {location}
                proxy_pass http://%%upstream%%;
            }}
        }}
        server {{
            {listen}
            server_name {BASE};
            {acs}
            location / {{ return 200 "not protected\\n"; }}
        }}
        """

    def start(self, **parts: str) -> "Tenants":
        self.nginx.configure(self.text(**parts), upstream=self["acme"].upstream.address)
        self.nginx.start()
        return self


def moved(message: SamlResponse, acs_url: str) -> SamlResponse:
    """The same answer, to be posted elsewhere."""
    return replace(message, acs_url=acs_url)
