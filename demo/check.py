"""One login at the running demo, as a browser does it, with the standard library alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin

from .page import DEEP_LINK


class CheckError(Exception):
    """What was expected and what came."""


class _Forms(HTMLParser):
    """The forms of a page: action and the fields that a submit would send."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.forms.append((given.get("action") or "", {}))
        elif tag == "input" and self.forms and given.get("name") and given.get("type") != "submit":
            self.forms[-1][1][given["name"] or ""] = given.get("value") or ""

    def having(self, field: str) -> tuple[str, dict[str, str]] | None:
        return next((form for form in self.forms if field in form[1]), None)


class _Browser:
    """Keeps cookies and follows redirects."""

    def __init__(self) -> None:
        handler = urllib.request.HTTPCookieProcessor(CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), handler)
        self.url, self.text = "", ""

    def open(self, url: str, fields: dict[str, str] | None = None, **headers: str) -> "_Browser":
        body = None if fields is None else urlencode(fields).encode()
        headers = {"Accept": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
        request = urllib.request.Request(url, data=body, headers=headers)
        try:
            with self._opener.open(request, timeout=30) as answer:
                self.url, self.text = answer.geturl(), answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            text = error.read().decode("utf-8", "replace")
            raise CheckError(f"{error.geturl()} answered {error.code}:\n{text}") from None
        return self

    def submit(self, field: str, **changes: str) -> "_Browser":
        """Submit the page's form that has this field."""
        form = _Forms(self.text).having(field)
        if form is None:
            raise CheckError(f"{self.url} has no form with {field}:\n{self.text}")
        action, fields = form
        return self.open(urljoin(self.url, action), {**fields, **changes})


def _expect(what: str, expected: object, received: object) -> None:
    if expected != received:
        raise CheckError(f"{what}: expected {expected!r}, received {received!r}")
    print(f"ok: {what}: {received}")


def check(base_url: str, user: str, password: str, expected_user: str) -> None:
    """Log in through the IdP's form and ask the application what it saw; CheckError when that is not as it should be."""
    browser = _Browser()
    browser.open(base_url + DEEP_LINK)
    if browser.url.startswith(base_url):
        raise CheckError(f"{DEEP_LINK} was shown without a login, at {browser.url}")
    print(f"ok: the login form is at {browser.url.partition('?')[0]}")
    browser.submit("username", username=user, password=password)
    browser.submit("SAMLResponse")
    _expect("after the login the browser is at", base_url + DEEP_LINK, browser.url)

    seen = json.loads(browser.open(base_url + DEEP_LINK, Accept="application/json").text)
    print("the application saw:")
    print(json.dumps(seen, indent=2, ensure_ascii=False))
    _expect("request", DEEP_LINK, seen["request"])
    _expect("user", expected_user, seen["identity"]["user"])

    forged = {"Accept": "application/json", "X_SSO_User": "admin", "X_SSO_Groups": "Platform"}
    seen = json.loads(_Browser().open(base_url + "/public", **forged).text)
    _expect("headers that a client forged on a public page", {}, seen["headers"])

    browser.open(base_url + "/saml/logout", {})
    try:
        browser.open(base_url + "/saml/session", Accept="application/json")
    except CheckError as error:
        _expect("after the logout the session is gone", True, " answered 401" in str(error))
    else:
        raise CheckError("the session is still there after the logout")
