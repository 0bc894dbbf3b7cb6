"""One login attempt that many bad answers answer: what is refused does not use it up."""

from __future__ import annotations

import base64
from collections.abc import Mapping

from .browser import Browser
from .refusals import Refusals
from .site import SamlSite

# What a message that was tampered with may be called.
TAMPERED = {
    "structure_invalid", "signature_missing", "signature_malformed", "signature_invalid", "xml_invalid",
    "xml_forbidden", "xml_limits", "decryption_failed", "algorithm_not_allowed", "too_large",
}  # fmt: skip


class PendingAttempt:
    """A login that waits for its answer at a running site. Afterwards the workers must be those from before,
    and the attempt still good."""

    def __init__(self, site: SamlSite, path: str = "/", honest: Mapping[str, object] | None = None) -> None:
        """`path` is the page that was asked for; `honest` are fields of the answer that is good at the end."""
        self.site = site
        self._honest = honest or {}
        self.refusals = Refusals(site, logged=False)
        self.browser = Browser()
        self.request = site.idp.read_request(self.browser.get(site.url(path)))
        self._workers = site.nginx.workers()

    def refuse(self, **changes: object) -> str:
        """Answer with these fields; the reason for which that is refused."""
        message = self.site.idp.answer(self.request, **changes)
        reason = self.refusals.message(self.browser, message.form).reason
        assert reason in TAMPERED, reason
        return reason

    def refuse_bytes(self, message: bytes) -> str:
        """Answer with these bytes as the message; the reason for which that is refused."""
        return self.refuse_text(base64.b64encode(message).decode())

    def refuse_text(self, text: str) -> str:
        """Answer with this text as SAMLResponse; the reason for which that is refused."""
        form = {"SAMLResponse": text, "RelayState": self.request.relay_state or ""}
        return self.refusals.message(self.browser, form).reason

    def __enter__(self) -> "PendingAttempt":
        return self

    def __exit__(self, *_: object) -> None:
        assert self.site.nginx.workers() == self._workers, "a worker died"
        answered = self.site.idp.post(self.browser, self.site.idp.answer(self.request, **self._honest))
        assert answered.status == 303, answered.text
