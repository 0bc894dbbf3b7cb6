"""An HTTP response with what tests ask of it."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import lxml.html

from .echoed import EchoedRequest


def resolve(base: str, reference: str) -> str:
    """The reference as an absolute URL, as a browser reads it: backslashes are slashes; what is absolute or
    a path on this host stays as it is (urljoin would drop an empty query)."""
    path = reference.partition("?")[0]
    reference = path.replace("\\", "/") + reference[len(path) :]
    if re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*:", reference):
        return reference
    if reference.startswith("/") and not reference.startswith("//"):
        parts = urlsplit(base)
        return f"{parts.scheme}://{parts.netloc}{reference}"
    return urljoin(base, reference)


@dataclass(frozen=True)
class Form:
    """An HTML form, ready to submit."""

    action: str
    method: str
    fields: dict[str, str]


@dataclass(frozen=True)
class Response:
    """Status, headers in order, and body; header values are text, one character per byte."""

    url: str
    method: str
    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """Every value of this header."""
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def header(self, name: str) -> str | None:
        """The header's only value, None when absent; more than one is an error."""
        values = self.all(name)
        assert len(values) <= 1, f"{name} came {len(values)} times: {values}"
        return values[0] if values else None

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    def json(self):
        return json.loads(self.body)

    @property
    def location(self) -> str | None:
        """Where a redirect leads, as an absolute URL."""
        value = self.header("Location")
        return resolve(self.url, value) if value is not None else None

    @property
    def redirects(self) -> bool:
        return self.status in (301, 302, 303, 307, 308) and self.location is not None

    @property
    def refresh(self) -> str | None:
        """Where a meta refresh leads, as an absolute URL."""
        found = re.search(
            r"""<meta[^>]+http-equiv=["']?refresh["']?[^>]*content=["']?\d+;\s*url=([^"'>]+)""", self.text, re.I
        )
        return resolve(self.url, html.unescape(found[1])) if found else None

    def echo(self) -> EchoedRequest:
        """The request as the echo upstream saw it."""
        assert self.status == 200, f"{self.url}: {self.status}\n{self.text[:2000]}"
        return EchoedRequest.from_json(self.body)

    def forms(self) -> list[Form]:
        """All forms of the page, with the values that a submit would send."""
        if not self.body.strip():
            return []
        parser = lxml.html.HTMLParser(encoding="utf-8")
        found = []
        for form in lxml.html.document_fromstring(self.body, parser=parser).forms:
            fields = {each.name: each.value or "" for each in form.inputs if _is_sent(each)}
            action = resolve(self.url, form.action or self.url)
            found.append(Form(action, form.method.upper(), fields))
        return found

    def form(self, having: str | None = None) -> Form:
        """The form that has this field (the only form when not given)."""
        found = [each for each in self.forms() if having is None or having in each.fields]
        assert len(found) == 1, f"{self.url}: {len(found)} such forms in {self.status}\n{self.text[:2000]}"
        return found[0]


def _is_sent(element: lxml.html.HtmlElement) -> bool:
    """Whether a field is part of a submit by script or by the Enter key (no button)."""
    kind = element.get("type", "text").lower()
    if not element.name or "disabled" in element.attrib or element.tag == "button":
        return False
    if kind in ("checkbox", "radio"):
        return bool(element.checked)
    return kind not in ("submit", "button", "image", "reset", "file")
