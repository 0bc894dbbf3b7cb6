"""An answer as bytes, for tests that post by hand: slowly, in pieces, all at once."""

from __future__ import annotations

from urllib.parse import urlencode

from .browser import Browser
from .raw_http import RawConnection
from .site import SamlSite

_FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


class PostedAnswer:
    """The POST to the ACS that ends a login which has begun; an honest one, but for the `changes` (see TestIdp.answer)."""

    def __init__(self, site: SamlSite, name: str = "student@example.com", **changes: object) -> None:
        self.site = site
        browser = Browser()
        message = site.idp.answer(site.idp.read_request(browser.get(site.url("/page"))), name_id=name, **changes)
        cookie = browser.cookies.header_for(message.acs_url, method="POST", cross_site=not site.tls)
        cookie = cookie or browser.cookies.header_for(message.acs_url)
        self.body = urlencode(message.form).encode()
        self.start = f"POST /saml/acs HTTP/1.1\r\nHost: {site.host}\r\n{_FORM}Cookie: {cookie}\r\n"

    def head(self, *lines: str) -> bytes:
        return (self.start + "".join(f"{line}\r\n" for line in lines) + "\r\n").encode()

    @property
    def whole(self) -> bytes:
        return self.head(f"Content-Length: {len(self.body)}") + self.body

    def send(self, data: bytes | None = None) -> int:
        with RawConnection(self.site.url("/")) as connection:
            return connection.send(data or self.whole).response().status
