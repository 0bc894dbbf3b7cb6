"""An identity provider for load: answers are written in canonical form, so that signing one is two
digests and two RSA operations and no XML library."""

from __future__ import annotations

import base64
import hashlib
import os
import time

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from sallyport_testing import saml_names as names
from sallyport_testing.keys import KeyPair

# Ten attributes and twenty groups, as a company's IdP sends them.
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"
FIXTURE: tuple[tuple[str, tuple[str, ...]], ...] = (
    (_CLAIMS + "emailaddress", ("robin.sample@example.com",)),
    ("http://schemas.microsoft.com/identity/claims/displayname", ("Robin Sample",)),
    ("timezone", ("Europe/Berlin",)),
    ("space_name", ("Trial,DevOps",)),
    ("space_role", ("Space Member,Space Developer",)),
    ("http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
     tuple(f"Engineering Team {number}" for number in range(20))),
    ("department", ("Research",)),
    ("urn:oid:2.5.4.7", ("Berlin",)),
    ("urn:oid:2.5.4.10", ("Example Company",)),
    ("urn:oid:2.5.4.12", ("Engineer",)),
)  # fmt: skip

_DSIG_DECLARED = f' xmlns:ds="{names.DS}"'


def _instant(offset: int = 0) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))


def _new_id() -> str:
    return "_" + os.urandom(16).hex()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


class FixtureIdp:
    """Signs Response and Assertion with RSA-SHA256."""

    def __init__(self, key: KeyPair, entity_id: str, user: str | None = None) -> None:
        self._user = user  # None: another one each time
        self._private = key.private
        self._certificate = key.certificate_base64
        self._entity_id = entity_id

    def answer(self, request_id: str, acs_url: str, audience: str) -> bytes:
        """The answer to one request."""
        head, tail = self._assertion(request_id, acs_url, audience)
        assertion = self._signed(head, tail)
        return self._signed(*self._response(request_id, acs_url, assertion)).encode()

    def _signed(self, head: str, tail: str) -> str:
        """An element with its signature between `head` (up to Issuer) and `tail`."""
        identifier = head.split(' ID="', 1)[1].split('"', 1)[0]
        digest = _base64(hashlib.sha256((head + tail).encode()).digest())
        info = (
            f'<ds:CanonicalizationMethod Algorithm="{names.EXCLUSIVE_C14N}"></ds:CanonicalizationMethod>'
            f'<ds:SignatureMethod Algorithm="{names.RSA_SHA256}"></ds:SignatureMethod>'
            f'<ds:Reference URI="#{identifier}"><ds:Transforms>'
            f'<ds:Transform Algorithm="{names.ENVELOPED}"></ds:Transform>'
            f'<ds:Transform Algorithm="{names.EXCLUSIVE_C14N}"></ds:Transform></ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{names.SHA256}"></ds:DigestMethod>'
            f"<ds:DigestValue>{digest}</ds:DigestValue></ds:Reference></ds:SignedInfo>"
        )
        value = self._private.sign(
            f"<ds:SignedInfo{_DSIG_DECLARED}>{info}".encode(), padding.PKCS1v15(), hashes.SHA256()
        )
        return (
            f"{head}<ds:Signature{_DSIG_DECLARED}><ds:SignedInfo>{info}"
            f"<ds:SignatureValue>{_base64(value)}</ds:SignatureValue><ds:KeyInfo><ds:X509Data>"
            f"<ds:X509Certificate>{self._certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
            f"</ds:Signature>{tail}"
        )

    def _response(self, request_id: str, acs_url: str, assertion: str) -> tuple[str, str]:
        head = (
            f'<samlp:Response xmlns:samlp="{names.SAMLP}" Destination="{acs_url}" ID="{_new_id()}" '
            f'InResponseTo="{request_id}" IssueInstant="{_instant()}" Version="2.0">'
            f'<saml:Issuer xmlns:saml="{names.SAML}">{self._entity_id}</saml:Issuer>'
        )
        tail = (
            f'<samlp:Status><samlp:StatusCode Value="{names.SUCCESS}"></samlp:StatusCode></samlp:Status>'
            f"{assertion}</samlp:Response>"
        )
        return head, tail

    def _assertion(self, request_id: str, acs_url: str, audience: str) -> tuple[str, str]:
        now, end = _instant(), _instant(600)
        head = (
            f'<saml:Assertion xmlns:saml="{names.SAML}" ID="{_new_id()}" IssueInstant="{now}" '
            f'Version="2.0"><saml:Issuer>{self._entity_id}</saml:Issuer>'
        )
        tail = (
            f'<saml:Subject><saml:NameID Format="{names.PERSISTENT}">{self._user or _new_id()}</saml:NameID>'
            f'<saml:SubjectConfirmation Method="{names.BEARER}"><saml:SubjectConfirmationData '
            f'InResponseTo="{request_id}" NotOnOrAfter="{end}" Recipient="{acs_url}">'
            "</saml:SubjectConfirmationData></saml:SubjectConfirmation></saml:Subject>"
            f'<saml:Conditions NotBefore="{_instant(-30)}" NotOnOrAfter="{end}">'
            f"<saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience>"
            "</saml:AudienceRestriction></saml:Conditions>"
            f'<saml:AuthnStatement AuthnInstant="{now}" SessionIndex="{_new_id()}"><saml:AuthnContext>'
            f"<saml:AuthnContextClassRef>{names.PASSWORD_TRANSPORT}</saml:AuthnContextClassRef>"
            f"</saml:AuthnContext></saml:AuthnStatement>{_statement()}</saml:Assertion>"
        )
        return head, tail


def _statement() -> str:
    attributes = "".join(
        f'<saml:Attribute Name="{name}">'
        + "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
        + "</saml:Attribute>"
        for name, values in FIXTURE
    )
    return f"<saml:AttributeStatement>{attributes}</saml:AttributeStatement>"
