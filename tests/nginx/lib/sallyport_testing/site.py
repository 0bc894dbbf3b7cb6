"""The smallest protected site: one nginx, one echo upstream, the test IdP, over TLS."""

from __future__ import annotations

from .browser import Browser
from .http_response import Response
from .keys import KeyPair
from .nginx import Nginx
from .saml_idp import TestIdp
from .upstream import EchoUpstream


class SamlSite:
    """DESIGN section 1 as a running site, with places to put more configuration.

        site.start(location="saml_headers X-Auth-;")
        site.login(browser, "/page?a=1").echo().header("X-Auth-User")

    The `saml_idp` block is called `test`. Text given to `start` may hold `%%upstream%%` and what
    `Nginx.configure` knows.
    """

    def __init__(
        self, nginx: Nginx, upstream: EchoUpstream, idp: TestIdp, tls_key: KeyPair, *, host: str = "app.example.com",
        tls: bool = True,
    ) -> None:  # fmt: skip
        self.nginx = nginx
        self.upstream = upstream
        self.idp = idp
        self.host = host
        self.tls = tls
        self._tls_key = tls_key

    @property
    def base_url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.host}:{self.nginx.port('site')}"

    @property
    def entity_id(self) -> str:
        return f"https://{self.host}/saml/metadata"

    @property
    def acs_url(self) -> str:
        return self.url("/saml/acs")

    def url(self, path: str = "/") -> str:
        return self.base_url + path

    def configure(
        self,
        *,
        http: str = "",
        server: str = "",
        location: str = "",
        locations: str = "",
        idp_block: str | None = None,
        auth_saml: str = "test",
        proxy: str = "proxy_pass http://%%upstream%%;",
        listen: str = "",
        **values: object,
    ) -> "SamlSite":
        """Write the configuration: `location` goes into `/`, `locations` beside it, `idp_block` replaces
        the inside of `saml_idp test` (its metadata file)."""
        if idp_block is None:
            idp_block = f"metadata {self.idp.write_metadata(self.nginx.folder / 'idp-metadata.xml')};"
        parameters = f"{'ssl' if self.tls else ''} {listen}".strip()
        certificate = (
            f"ssl_certificate {self._tls_key.certificate_file};\n"
            f"            ssl_certificate_key {self._tls_key.key_file};"
        ) if self.tls else ""  # fmt: skip
        text = f"""
        saml_idp test {{
            {idp_block}
        }}
        {http}
        server {{
            listen 127.0.0.1:%%port:site%% {parameters};
            server_name {self.host};
            {certificate}
            saml_entity_id {self.entity_id};
            {server}

            location / {{
                auth_saml {auth_saml};
                {location}
                {proxy}
            }}
            {locations}
        }}
        """
        self.nginx.configure(text, upstream=self.upstream.address, **values)
        return self

    def start(self, **parts: str) -> "SamlSite":
        """Configure (see `configure`) and start."""
        self.configure(**parts)
        self.nginx.start()
        return self

    def login(self, browser: Browser, path: str = "/", **changes: object) -> Response:
        """Open a protected page, log in at the test IdP, and return the page that was asked for."""
        answer = self.idp.login(browser, self.url(path), **changes)
        assert answer.status == 303, f"the ACS said {answer.status}\n{answer.text[:2000]}\n{self._log()}"
        return browser.follow(answer)

    def refused(self, browser: Browser, path: str = "/", **changes: object) -> Response:
        """Log in with an answer that must be refused; returns the error page."""
        before = len(self.upstream.requests)
        answer = self.idp.login(browser, self.url(path), **changes)
        assert 400 <= answer.status < 500, f"the ACS said {answer.status}, not 4xx\n{self._log()}"
        assert len(self.upstream.requests) == before, "a refused login reached the upstream"
        return answer

    def _log(self) -> str:
        return "\n".join(self.nginx.error_log().splitlines()[-20:])
