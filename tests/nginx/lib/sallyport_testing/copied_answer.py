"""An answer of the IdP in other hands than those of the browser that it was made for."""

from __future__ import annotations

from urllib.parse import urlencode

from .browser import Browser
from .http_client import http1
from .http_response import Response
from .saml_response import SamlResponse
from .site import SamlSite

SESSION = "__Host-saml_session="


class Copied:
    """An answer and its attempt's cookie, to be posted to any node."""

    def __init__(self, site: SamlSite) -> None:
        browser = Browser()
        request = site.idp.read_request(browser.get(site.url("/page")))
        self.message: SamlResponse = site.idp.answer(request)
        self.cookie = browser.cookies.header_for(site.url("/saml/acs")) or ""

    def post(self, site: SamlSite, cookie: str | None = None) -> Response:
        body = urlencode(self.message.form).encode()
        headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Cookie", cookie or self.cookie)]
        return http1("POST", site.url("/saml/acs"), headers, body)


def session_of(answered: Response) -> str | None:
    for line in answered.all("Set-Cookie"):
        if line.startswith(SESSION):
            return line.removeprefix(SESSION).partition(";")[0]
    return None
