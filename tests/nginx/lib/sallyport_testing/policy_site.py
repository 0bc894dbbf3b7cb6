"""Sites whose users a `saml_policy` resolves: many policies on one nginx, or one that changes while it runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .browser import Browser
from .echoed import EchoedRequest
from .saml_response import Attribute
from .site import SamlSite

ECHO = "proxy_pass http://%%upstream%%;"
USER = "student@example.com"  # of the test IdP's answers, where a test names no other


def sent(**values: str | Sequence[str]) -> list[Attribute]:
    """Attributes by name; a text is one value."""
    return [Attribute(name, [each] if isinstance(each, str) else list(each)) for name, each in values.items()]


@dataclass(frozen=True)
class Tenant:
    """A saml_idp of the test IdP's metadata with a saml_policy of its own, both called `name`, who enter at
    /NAME/. `policy` None: without; `shared`: the name of another tenant's policy instead."""

    name: str
    policy: str | None = ""
    idp: str = ""
    location: str = ""
    shared: str = ""

    def http(self) -> str:
        policy = "" if self.policy is None or self.shared else f"saml_policy {self.name} {{ {self.policy} }}"
        line = "" if self.policy is None else f"policy {self.shared or self.name};"
        return f"{policy} saml_idp {self.name} {{ metadata %%folder%%/idp-metadata.xml; {self.idp} {line} }}\n"

    def locations(self) -> str:
        return f"location /{self.name}/ {{ auth_saml {self.name}; {self.location} {ECHO} }}\n"


def parts_of(tenants: Iterable[Tenant]) -> dict[str, str]:
    """What `SamlSite.configure` takes to have them all."""
    known = list(tenants)
    return {"http": "".join(each.http() for each in known), "locations": "".join(each.locations() for each in known)}


class PolicySite:
    """The smallest site with a policy, which `change` replaces by a reload; what is not given stays.

    `policy` is the inside of the block (None: the saml_idp has no policy), `users` the text of its list of
    users, `idp` further lines of the saml_idp; the rest is as for `SamlSite.configure`.
    """

    def __init__(self, site: SamlSite) -> None:
        self.site = site
        self.nginx = site.nginx
        self.users_file = site.nginx.folder / "users.conf"
        self._given: dict[str, str | None] = {}

    def start(self, policy: str | None = "", **given: str | None) -> "PolicySite":
        self._configure(policy=policy, **given)
        self.nginx.start()
        return self

    def change(self, *, wait_for_old: bool = True, **given: str | None) -> None:
        self._configure(**given)
        self.nginx.reload(wait_for_old=wait_for_old)

    def _configure(self, **given: str | None) -> None:
        self._given.update(given)
        parts = dict(self._given)
        policy, users, idp = parts.pop("policy"), parts.pop("users", None), parts.pop("idp", "")
        block = f"metadata {self.site.idp.write_metadata(self.nginx.folder / 'idp-metadata.xml')}; {idp}"
        if users is not None:
            self.users_file.write_text(users, "utf-8")
            policy = f"{policy} users {self.users_file};"
        if policy is not None:
            parts["http"] = f"saml_policy main {{ {policy} }}\n{parts.get('http', '')}"
            block += " policy main;"
        self.site.configure(idp_block=block, **parts)  # type: ignore[arg-type]

    def login(self, user: str = USER, *, browser: Browser | None = None, **values: str | Sequence[str]) -> EchoedRequest:
        """Log in with these attributes: what the application sees."""
        return self.site.login(browser or Browser(), "/page", name_id=user, attributes=sent(**values)).echo()

    def page(self, browser: Browser, path: str = "/page") -> EchoedRequest:
        """A page of somebody who is in."""
        return browser.get(self.site.url(path)).echo()

    def given(self, browser: Browser) -> tuple[str | None, str | None]:
        """Groups and spaces, as a page sees them."""
        echo = self.page(browser)
        return echo.header("X-SSO-Groups"), echo.header("X-SSO-Spaces")

    def is_out(self, browser: Browser) -> bool:
        """Whether pages lead to the login again; /saml/session says the same."""
        before = len(self.site.upstream.requests)
        page, session = browser.get(self.site.url("/page")), browser.fetch(self.site.url("/saml/session"))
        assert (page.status, session.status) in ((302, 401), (200, 200)), f"{page.status}, {session.status}"
        assert len(self.site.upstream.requests) == before + (page.status == 200)
        return page.status == 302

    def logged(self, text: str) -> list[str]:
        """The lines of the error log with this text."""
        return [line for line in self.nginx.error_log().splitlines() if text in line]
