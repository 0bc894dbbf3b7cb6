"""A site whose organisations are files of `saml_idp_directory`."""

from __future__ import annotations

from pathlib import Path

from .browser import Browser
from .keys import KeyStore
from .saml_idp import TestIdp
from .site import SamlSite
from .waiting import wait_for_all_workers

MAP = "map $uri $org { default ''; ~^/(?<name>[a-z0-9]+)/ $name; }"


def user(email: str) -> dict[str, object]:
    return {"name_id": email, "attributes": ()}


class Directory:
    """A site whose pages `/NAME/...` belong to the IdP of the name; `idps` are what stands behind the files."""

    def __init__(self, site: SamlSite, keys: KeyStore) -> None:
        self.site, self.nginx, self._keys = site, site.nginx, keys
        self.folder = site.nginx.folder / "idps"
        self.folder.mkdir()
        self.idps: dict[str, TestIdp] = {}

    def idp(self, name: str) -> TestIdp:
        if name not in self.idps:
            base = f"https://{name}.example.org"
            self.idps[name] = TestIdp(self._keys.get(f"directory-{name}"), f"{base}/idp", f"{base}/sso")
            self.idps[name].write_metadata(self.metadata(name))
        return self.idps[name]

    def metadata(self, name: str) -> Path:
        return self.nginx.folder / f"{name}.xml"

    def file(self, name: str) -> Path:
        return self.folder / f"{name}.conf"

    def write(self, name: str, lines: str = "", *, metadata: str | None = None) -> None:
        """As a whole, like everybody who deploys files should."""
        self.idp(name)
        text = (f"metadata {self.metadata(name)};\n" if metadata is None else metadata) + lines
        fresh = self.folder / f"{name}.new"
        fresh.write_text(text)
        fresh.rename(self.file(name))

    def configure(self, *, http: str = "", auth_saml: str = "$org", **parts: str) -> "Directory":
        self.site.configure(http=f"{MAP} saml_idp_directory {self.folder}; {http}", auth_saml=auth_saml, **parts)
        return self

    def start(self, **parts: str) -> "Directory":
        self.configure(**parts)
        self.nginx.start()
        return self

    def status(self, name: str) -> int:
        return Browser().get(self.site.url(f"/{name}/page")).status

    def comes(self, name: str) -> None:
        wait_for_all_workers(lambda: self.status(name) == 302, f"{name} to be in force")

    def goes(self, name: str) -> None:
        wait_for_all_workers(lambda: self.status(name) == 403, f"{name} to be gone")

    def login(self, browser: Browser, name: str, **changes: object) -> int:
        """200, or the status of the refusal."""
        answer = self.idp(name).login(browser, self.site.url(f"/{name}/page"), **changes)
        return browser.follow(answer).status if answer.status == 303 else answer.status

    def takes(self, name: str, email: str) -> bool:
        """Whether the ACS does; by the next request another worker may have other rules."""
        status = self.idp(name).login(Browser(), self.site.url(f"/{name}/page"), **user(email)).status
        assert status in (303, 403)
        return status == 303

    def is_in(self, browser: Browser, name: str) -> bool:
        return browser.get(self.site.url(f"/{name}/page")).status == 200
