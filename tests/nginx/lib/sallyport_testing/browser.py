"""A small browser: cookies, redirects, forms and the request headers that tell a navigation from a fetch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlencode, urlsplit

from .cookies import CookieJar, site_of
from .http_client import Headers, http1, http2
from .http_response import Form, Response

USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"
MAX_REDIRECTS = 15


class Browser:
    """One tab. `new_tab` gives another that shares the cookies.

    `get`, `post` and `submit` make one request and do not follow redirects; `open` and `follow` do.
    Every host name is 127.0.0.1. A request made by the current page (a redirect, a form, `fetch`) is
    cross-site when that page is of another site; `get`, `post` and `open` are as if typed.
    """

    def __init__(self, *, http2: bool = False, cookies: CookieJar | None = None) -> None:
        self.cookies = cookies if cookies is not None else CookieJar()
        self.http2 = http2
        self.page: Response | None = None
        self.history: list[Response] = []
        self._initiator: str | None = None
        self._last_body: bytes | None = None

    def new_tab(self) -> "Browser":
        """Another tab of the same browser."""
        return Browser(http2=self.http2, cookies=self.cookies)

    # As if typed into the address bar

    def get(self, url: str, *, headers: Headers = ()) -> Response:
        """One navigation, no redirect followed."""
        return self._navigate("GET", url, None, headers, initiator=None)

    def post(self, url: str, fields: Mapping[str, str] | bytes, *, headers: Headers = ()) -> Response:
        """One urlencoded POST navigation as if by a page of the same site, no redirect followed."""
        return self.post_from(url, url, fields, headers=headers)

    def post_from(
        self, page_url: str, url: str, fields: Mapping[str, str] | bytes, *, headers: Headers = ()
    ) -> Response:
        """One urlencoded POST navigation from a page at `page_url`, no redirect followed."""
        return self._navigate("POST", url, _encode(fields), headers, initiator=page_url)

    def open(self, url: str, *, headers: Headers = ()) -> Response:
        """A navigation with all redirects followed."""
        return self.follow(self.get(url, headers=headers))

    # As the page that is shown does

    def follow(self, response: Response | None = None) -> Response:
        """Follow redirects (and a meta refresh) from this response, or the current page, to the end."""
        response = response or self.page
        assert response is not None, "no page is open"
        for _ in range(MAX_REDIRECTS):
            if response.redirects:
                response = self._redirect(response)
            elif target := response.refresh:
                response = self._navigate("GET", target, None, (), initiator=response.url)
            else:
                return response
        raise AssertionError(f"more than {MAX_REDIRECTS} redirects, now at {response.url}")

    def follow_once(self, response: Response | None = None) -> Response:
        """Follow one redirect."""
        response = response or self.page
        assert response is not None and response.redirects, "no redirect to follow"
        return self._redirect(response)

    def submit(self, form: Form, fields: Mapping[str, str] | None = None, *, headers: Headers = ()) -> Response:
        """Submit a form of the current page, with some fields changed; no redirect followed."""
        values = {**form.fields, **(fields or {})}
        initiator = self.page.url if self.page else form.action
        if form.method == "GET":
            url = form.action.partition("?")[0] + "?" + urlencode(values)
            return self._navigate("GET", url, None, headers, initiator=initiator)
        return self._navigate("POST", form.action, _encode(values), headers, initiator=initiator)

    def fetch(
        self, url: str, *, method: str = "GET", headers: Headers = (), body: bytes | None = None
    ) -> Response:
        """What `fetch()` in the current page sends (in a page of the same site when none is open)."""
        initiator = self.page.url if self.page else url
        return self._request(
            method, url, body, headers, initiator=initiator, top_level=False, accept="*/*", mode="cors", dest="empty"
        )

    def request(self, method: str, url: str, *, headers: Headers = (), body: bytes | None = None) -> Response:
        """A bare request: Host, Cookie and the given headers, nothing else; the page stays."""
        given = {name.lower() for name, _ in headers}
        cookie = None if "cookie" in given else self.cookies.header_for(url, method=method)
        sent = [*headers, *([("Cookie", cookie)] if cookie else [])]
        response = self._send(method, url, sent, body)
        self._store(response, cross_site=False, top_level=True)
        return response

    # Within

    def _redirect(self, response: Response) -> Response:
        target = response.location
        assert target is not None
        if response.status in (307, 308) and response.method == "POST":
            return self._navigate("POST", target, self._last_body, (), initiator=self._initiator)
        return self._navigate("GET", target, None, (), initiator=self._initiator)

    def _navigate(
        self, method: str, url: str, body: bytes | None, headers: Headers, *, initiator: str | None
    ) -> Response:
        self._initiator, self._last_body = initiator, body
        if body is not None and "content-type" not in {name.lower() for name, _ in headers}:
            headers = [("Content-Type", "application/x-www-form-urlencoded"), *headers]
        accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
        response = self._request(
            method, url, body, headers, initiator=initiator, top_level=True, accept=accept, mode="navigate",
            dest="document",
        )  # fmt: skip
        self.page = response
        self.history.append(response)
        return response

    def _request(
        self,
        method: str,
        url: str,
        body: bytes | None,
        headers: Headers,
        *,
        initiator: str | None,
        top_level: bool,
        accept: str,
        mode: str,
        dest: str,
    ) -> Response:
        cross_site = initiator is not None and site_of(initiator) != site_of(url)
        sent = [("User-Agent", USER_AGENT), ("Accept", accept)]
        if mode == "navigate":
            sent.append(("Upgrade-Insecure-Requests", "1"))
        if initiator is not None and (method not in ("GET", "HEAD") or (mode == "cors" and cross_site)):
            parts = urlsplit(initiator)
            sent.append(("Origin", f"{parts.scheme}://{parts.netloc}"))
        if urlsplit(url).scheme == "https":
            site = "none" if initiator is None else "cross-site" if cross_site else _relation(initiator, url)
            sent += [("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", dest)]
        cookie = self.cookies.header_for(url, method=method, cross_site=cross_site, top_level=top_level)
        if cookie:
            sent.append(("Cookie", cookie))
        given = {name.lower() for name, _ in headers}
        sent = [pair for pair in sent if pair[0].lower() not in given] + list(headers)
        response = self._send(method, url, sent, body)
        self._store(response, cross_site=cross_site, top_level=top_level)
        return response

    def _send(self, method: str, url: str, headers: Headers, body: bytes | None) -> Response:
        fragmentless = url.partition("#")[0]
        if self.http2 and urlsplit(url).scheme == "https":
            lowered = [(name.lower(), value) for name, value in headers]
            return replace(http2(method, fragmentless, lowered, body), url=url)
        return replace(http1(method, fragmentless, headers, body), url=url)

    def _store(self, response: Response, *, cross_site: bool, top_level: bool) -> None:
        for header in response.all("Set-Cookie"):
            self.cookies.store(response.url, header, cross_site=cross_site, top_level=top_level)


def _relation(initiator: str, url: str) -> str:
    """Sec-Fetch-Site within one site."""
    return "same-origin" if urlsplit(initiator)[:2] == urlsplit(url)[:2] else "same-site"


def _encode(fields: Mapping[str, str] | bytes) -> bytes:
    return fields if isinstance(fields, bytes) else urlencode(fields).encode("ascii")
