"""The test identity provider: honest by default, as hostile as a test wants it to be."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from . import authn_request, saml_names as names, tally
from .authn_request import AuthnRequest
from .browser import Browser
from .http_response import Response
from .idp_metadata import MetadataKey, metadata_xml
from .keys import KeyPair
from .saml_response import Attribute, ResponseFields, SamlResponse, build
from .second_opinion import confirm

ATTRIBUTES = (
    Attribute("email", ["student@example.com"]),
    Attribute("first_name", ["Stu"]),
    Attribute("last_name", ["Dent"]),
    Attribute("groups", ["Engineering", "Platform"]),
)


@dataclass
class TestIdp:
    """An IdP in this process: no server, it reads what the SP sent and makes what the browser posts.

    `defaults` holds fields that every answer of this IdP has. What an SP accepts of it must hold for a second opinion
    too: signed by `key`, by `more_keys` or by the one that the answer names; `recipients` decrypt.
    """

    __test__ = False  # not a test class, whatever its name

    key: KeyPair
    entity_id: str = "https://idp.example.com/metadata"
    sso_url: str = "https://idp.example.com/sso"
    slo_url: str | None = None
    bindings: Sequence[str] = (names.REDIRECT, names.POST)
    defaults: dict[str, object] = field(default_factory=lambda: {"attributes": ATTRIBUTES})
    more_keys: Sequence[KeyPair] = ()
    recipients: Sequence[KeyPair] = ()

    # What the SP is given

    def metadata(self, **changes: object) -> bytes:
        """Metadata XML; changes are arguments of `metadata_xml` (`keys`, `valid_until`, `style`, ...)."""
        arguments: dict[str, object] = {
            "sso": [(binding, self.sso_url) for binding in self.bindings],
            "slo": [(names.REDIRECT, self.slo_url)] if self.slo_url else [],
            "keys": [MetadataKey(self.key)],
            **changes,
        }
        return metadata_xml(self.entity_id, **arguments)  # type: ignore[arg-type]

    def write_metadata(self, path: Path, **changes: object) -> Path:
        """Write the metadata to a file and return its path."""
        path.write_bytes(self.metadata(**changes))
        return path

    # What the SP sends

    def read_request(self, response: Response) -> AuthnRequest:
        """The AuthnRequest in the SP's redirect or self-posting form, sent to this IdP's SSO URL."""
        request = authn_request.read(response)
        assert request.endpoint == self.sso_url, f"{request.endpoint} instead of {self.sso_url}"
        return request

    # What the IdP answers

    def fields(self, request: AuthnRequest | None, **changes: object) -> ResponseFields:
        """The fields of an honest answer to this request, with changes."""
        asked: dict[str, object] = {}
        if request is not None:
            asked = {
                "destination": request.acs_url,
                "recipient": request.acs_url,
                "in_response_to": request.id,
                "response_in_response_to": request.id,
                "audiences": [request.issuer],
            }
        own = {"issuer": self.entity_id, "response_issuer": self.entity_id, "key": self.key}
        return ResponseFields(**{**own, **asked, **self.defaults, **changes})  # type: ignore[arg-type]

    def answer(self, request: AuthnRequest, **changes: object) -> SamlResponse:
        """The answer to this request, for the ACS that it names; changes are `ResponseFields`."""
        return self._made(self.fields(request, **changes), request.acs_url or "", request.relay_state)

    def unsolicited(
        self, acs_url: str, audience: str, *, relay_state: str | None = None, **changes: object
    ) -> SamlResponse:
        """An answer that nobody asked for."""
        own: dict[str, object] = {"destination": acs_url, "recipient": acs_url, "audiences": [audience]}
        return self._made(self.fields(None, **{**own, **changes}), acs_url, relay_state)

    @staticmethod
    def _made(fields: ResponseFields, acs_url: str, relay_state: str | None) -> SamlResponse:
        return SamlResponse(build(fields), acs_url, relay_state, fields.key)

    def post(self, browser: Browser, message: SamlResponse, **changed_form_fields: str) -> Response:
        """Post a message to its ACS as the browser does from a page of this IdP; no redirect followed."""
        form = {**message.form, **changed_form_fields}
        response = browser.post_from(self.sso_url, message.acs_url, form)
        if response.status == 303:
            signers = [each for each in (message.signer, self.key, *self.more_keys) if each is not None]
            confirm(base64.b64decode(form["SAMLResponse"]), signers, self.recipients)
            tally.counts[tally.ACCEPTED] += 1
        return response

    def login(self, browser: Browser, url: str, **changes: object) -> Response:
        """Open a protected page and answer: what the ACS says (a 303 to the page when all is well)."""
        request = self.read_request(browser.get(url))
        return self.post(browser, self.answer(request, **changes))
