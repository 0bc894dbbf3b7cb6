"""What must hold of every refused login: page, log line, `$saml_error`, no session, nothing at the upstream."""

from __future__ import annotations

import itertools
import re
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from . import tally
from .browser import Browser
from .http_response import Response
from .site import SamlSite

# In the http block of a site whose refusals are looked at.
LOG_FORMAT = (
    "log_format refusals '$http_x_case $status $saml_error'; access_log %%folder%%/refusals.log refusals;"
)
REFERENCE = re.compile(r"Reference number: <code>([0-9a-f]{8})</code>")

# The module logs at most ten refusals a second.
_LOGGED_PER_SECOND = 10
_case_numbers = itertools.count(1)


@dataclass(frozen=True)
class Refusal:
    """A refused login, seen from all sides."""

    response: Response
    reason: str
    line: str  # of the error log
    reference: str


class Refusals:
    """Posts answers to a running site that has `LOG_FORMAT`, and checks how they are refused.

    `logged` False: more than the module logs in a second; the error log is not looked at.
    """

    def __init__(self, site: SamlSite, *, logged: bool = True) -> None:
        self.site = site
        self._logged = logged
        self._case = 0
        self._recent: deque[float] = deque(maxlen=_LOGGED_PER_SECOND - 1)

    def answer(self, browser: Browser, path: str = "/", **changes: object) -> Refusal:
        """Begin a login, answer with these fields, and expect a refusal."""
        request = self.site.idp.read_request(browser.get(self.site.url(path)))
        return self.message(browser, self.site.idp.answer(request, **changes).form)

    def message(self, browser: Browser, form: Mapping[str, str] | bytes, *, acs_url: str | None = None) -> Refusal:
        """Post this form and expect a refusal."""
        return self.request(browser, "POST", form, acs_url=acs_url)

    def request(
        self,
        browser: Browser,
        method: str,
        form: Mapping[str, str] | bytes,
        *,
        acs_url: str | None = None,
        headers: list[tuple[str, str]] | None = None,
    ) -> Refusal:
        """Send a request to the ACS and expect a refusal; `headers` replace the form's Content-Type."""
        if self._logged:
            self._wait_for_the_log()
        self._case = next(_case_numbers)
        before = len(self.site.upstream.requests)
        url = acs_url or self.site.acs_url
        case = [("X-Case", f"case{self._case}")]
        if method == "POST" and headers is None:
            response = browser.post_from(self.site.idp.sso_url, url, form, headers=case)
        else:
            assert isinstance(form, bytes)
            response = browser.request(method, url, body=form, headers=[*(headers or []), *case])
        refusal = self._seen_from_all_sides(response)
        assert len(self.site.upstream.requests) == before, "a refused login reached the upstream"
        tally.counts[tally.REFUSED] += 1
        return refusal

    def _wait_for_the_log(self) -> None:
        now = time.monotonic()
        if len(self._recent) == self._recent.maxlen and now - self._recent[0] < 1.1:
            time.sleep(1.1 - (now - self._recent[0]))
        self._recent.append(time.monotonic())

    def _seen_from_all_sides(self, response: Response) -> Refusal:
        status, reason = self._logged_access()
        assert 400 <= response.status < 500, f"{response.status}, {reason}\n{response.text[:1000]}"
        assert status == response.status
        assert not [each for each in response.all("Set-Cookie") if "saml_session=" in each], "a session cookie"
        assert response.header("Cache-Control") == "no-store"
        if response.method == "HEAD":
            return Refusal(response, reason, "", "")
        found = REFERENCE.search(response.text)
        assert found, f"no reference number in {response.status}\n{response.text[:1000]}"
        if not self._logged:
            return Refusal(response, reason, "", found[1])
        line = self.site.nginx.wait_for_log(rf".*saml: login refused reason=\w+ .*ref={found[1]}.*")[0]
        assert f"reason={reason} " in line, f"$saml_error is {reason}, the log says\n{line}"
        assert "[error]" in line
        return Refusal(response, reason, line, found[1])

    def _logged_access(self) -> tuple[int, str]:
        log = self.site.nginx.folder / "refusals.log"
        pattern = re.compile(rf"^case{self._case} (\d+) (\S+)$", re.MULTILINE)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            if found := pattern.search(log.read_text("utf-8", "replace")):
                return int(found[1]), found[2]
            time.sleep(0.005)
        raise AssertionError(f"case {self._case} is not in the access log")
