"""A cookie jar that obeys the rules a browser obeys where a login depends on them (RFC 6265bis)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

LAX_ALLOWS_POST_SECONDS = 120


@dataclass
class Cookie:
    """A stored cookie."""

    name: str
    value: str
    host: str
    path: str
    host_only: bool
    secure: bool
    http_only: bool
    same_site: str  # "strict", "lax", "none", or "" when the server did not say
    expires: float | None
    created: float


@dataclass(frozen=True)
class SetCookie:
    """A parsed Set-Cookie header."""

    name: str
    value: str
    attributes: dict[str, str]

    def has(self, attribute: str) -> bool:
        return attribute.lower() in self.attributes


def parse_set_cookie(header: str) -> SetCookie:
    """Name, value and attributes (names in lower case) of a Set-Cookie value."""
    first, *rest = header.split(";")
    name, _, value = first.strip().partition("=")
    attributes = {}
    for part in rest:
        key, _, argument = part.strip().partition("=")
        attributes[key.strip().lower()] = argument.strip()
    return SetCookie(name.strip(), value.strip(), attributes)


def site_of(url: str) -> str:
    """Scheme and registrable domain (taken as the last two labels): what "same site" compares."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    if not host.replace(".", "").isdigit():
        host = ".".join(host.split(".")[-2:])
    return f"{parts.scheme.replace('ws', 'http', 1)}://{host}"


class CookieJar:
    """Cookies by host, name and path; ports share them, as in a browser."""

    def __init__(self) -> None:
        self._cookies: dict[tuple[str, str, str], Cookie] = {}
        self.refused: list[str] = []

    def __iter__(self) -> Iterator[Cookie]:
        self._expire()
        return iter(list(self._cookies.values()))

    def get(self, name: str, host: str | None = None) -> Cookie | None:
        """The cookie of this name (at this host); None when there is none."""
        found = [each for each in self if each.name == name and host in (None, each.host)]
        return found[0] if found else None

    def named(self, prefix: str) -> list[Cookie]:
        """All cookies whose name starts so (a `__Host-` or `__Secure-` before it does not count)."""
        return [
            each for each in self
            if each.name.removeprefix("__Host-").removeprefix("__Secure-").startswith(prefix)
        ]  # fmt: skip

    def put(self, url: str, header: str) -> None:
        """Store by hand what a server at this URL might have set."""
        self.store(url, header, cross_site=False)

    def remove(self, name: str) -> None:
        for key in [key for key, each in self._cookies.items() if each.name == name]:
            del self._cookies[key]

    def clear(self) -> None:
        self._cookies.clear()

    def store(self, url: str, header: str, *, cross_site: bool = False, top_level: bool = True) -> None:
        """Handle a Set-Cookie header of a response from this URL; what is refused goes to `refused`."""
        why = self._store(url, parse_set_cookie(header), cross_site and not top_level)
        if why:
            self.refused.append(f"{header}: {why}")

    def _store(self, url: str, cookie: SetCookie, foreign: bool) -> str | None:
        parts = urlsplit(url)
        host, https = (parts.hostname or "").lower(), parts.scheme in ("https", "wss")
        domain = cookie.attributes.get("domain", "").lower().lstrip(".")
        path = cookie.attributes.get("path", "")
        secure, same_site = cookie.has("secure"), cookie.attributes.get("samesite", "").lower()
        if not cookie.name and not cookie.value:
            return "empty"
        if len(cookie.name) + len(cookie.value) > 4096:
            return "larger than 4096 bytes"
        if domain and domain != host and (not host.endswith("." + domain) or "." not in domain):
            return "the domain is not the host's"
        if secure and not https:
            return "Secure over http"
        if same_site == "none" and not secure:
            return "SameSite=None without Secure"
        if foreign and same_site in ("strict", "lax", ""):
            return "SameSite from a cross-site subresource"
        lowered = cookie.name.lower()
        if lowered.startswith("__secure-") and not secure:
            return "__Secure- without Secure"
        if lowered.startswith("__host-") and (not secure or "domain" in cookie.attributes or path != "/"):
            return "__Host- without Secure and Path=/, or with Domain"
        if not path.startswith("/"):
            path = parts.path.rpartition("/")[0] or "/"
        stored_host = domain or host
        key = (stored_host, cookie.name, path)
        if not https and key in self._cookies and self._cookies[key].secure:
            return "would overwrite a Secure cookie from http"
        now = time.time()
        created = self._cookies[key].created if key in self._cookies else now
        self._cookies[key] = Cookie(
            name=cookie.name,
            value=cookie.value,
            host=stored_host,
            path=path,
            host_only=not domain,
            secure=secure,
            http_only=cookie.has("httponly"),
            same_site=same_site if same_site in ("strict", "lax", "none") else "",
            expires=_expiry(cookie, now),
            created=created,
        )
        self._expire()
        return None

    def header_for(
        self, url: str, *, method: str = "GET", cross_site: bool = False, top_level: bool = True
    ) -> str | None:
        """The Cookie header that a browser sends with this request."""
        parts = urlsplit(url)
        host, https = (parts.hostname or "").lower(), parts.scheme in ("https", "wss")
        safe = method in ("GET", "HEAD", "OPTIONS", "TRACE")

        def goes(each: Cookie) -> bool:
            at_host = host == each.host or (not each.host_only and host.endswith("." + each.host))
            if not at_host or (each.secure and not https) or not _path_matches(parts.path or "/", each.path):
                return False
            if not cross_site or each.same_site == "none":
                return True
            if each.same_site == "strict" or not top_level:
                return False
            fresh = each.same_site == "" and time.time() - each.created < LAX_ALLOWS_POST_SECONDS
            return safe or fresh

        chosen = sorted((each for each in self if goes(each)), key=lambda each: (-len(each.path), each.created))
        return "; ".join(f"{each.name}={each.value}" for each in chosen) or None

    def _expire(self) -> None:
        now = time.time()
        for key in [key for key, each in self._cookies.items() if each.expires is not None and each.expires <= now]:
            del self._cookies[key]


def _expiry(cookie: SetCookie, now: float) -> float | None:
    if "max-age" in cookie.attributes:
        try:
            return now + int(cookie.attributes["max-age"])
        except ValueError:
            pass
    if "expires" in cookie.attributes:
        try:
            return parsedate_to_datetime(cookie.attributes["expires"]).timestamp()
        except ValueError:
            pass
    return None


def _path_matches(path: str, wanted: str) -> bool:
    return path == wanted or (
        path.startswith(wanted) and (wanted.endswith("/") or path[len(wanted) : len(wanted) + 1] == "/")
    )
