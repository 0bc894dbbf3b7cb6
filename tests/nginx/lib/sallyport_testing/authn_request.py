"""AuthnRequests as an identity provider receives them: decoded, and their signatures checked."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote_plus, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, utils
from lxml import etree

from . import saml_names as names
from .http_response import Response
from .keys import KeyPair
from .saml_names import tag
from .xml_signature import SignatureError, verify

_REDIRECT_HASHES = {
    names.RSA_SHA256: hashes.SHA256,
    names.RSA_SHA384: hashes.SHA384,
    names.RSA_SHA512: hashes.SHA512,
    names.ECDSA_SHA256: hashes.SHA256,
    names.ECDSA_SHA384: hashes.SHA384,
    names.ECDSA_SHA512: hashes.SHA512,
}


@dataclass(frozen=True)
class AuthnRequest:
    """A received AuthnRequest."""

    xml: bytes
    root: etree._Element
    binding: str
    endpoint: str
    relay_state: str | None
    raw_query: str = ""

    @property
    def id(self) -> str:
        return self.root.get("ID", "")

    @property
    def issuer(self) -> str | None:
        return self.root.findtext(tag("saml:Issuer"))

    @property
    def acs_url(self) -> str | None:
        return self.root.get("AssertionConsumerServiceURL")

    @property
    def destination(self) -> str | None:
        return self.root.get("Destination")

    @property
    def protocol_binding(self) -> str | None:
        return self.root.get("ProtocolBinding")

    @property
    def issue_instant(self) -> str | None:
        return self.root.get("IssueInstant")

    @property
    def force_authn(self) -> bool:
        return self.root.get("ForceAuthn") in ("true", "1")

    @property
    def name_id_format(self) -> str | None:
        policy = self.root.find(tag("samlp:NameIDPolicy"))
        return None if policy is None else policy.get("Format")

    @property
    def allow_create(self) -> bool:
        policy = self.root.find(tag("samlp:NameIDPolicy"))
        return policy is not None and policy.get("AllowCreate") in ("true", "1")

    @property
    def authn_contexts(self) -> list[str]:
        return [
            each.text or ""
            for each in self.root.findall(f"{tag('samlp:RequestedAuthnContext')}/{tag('saml:AuthnContextClassRef')}")
        ]

    @property
    def comparison(self) -> str | None:
        asked = self.root.find(tag("samlp:RequestedAuthnContext"))
        return None if asked is None else asked.get("Comparison")

    @property
    def signed(self) -> bool:
        if self.binding == names.REDIRECT:
            return "Signature" in _raw_parameters(self.raw_query)
        return self.root.find(tag("ds:Signature")) is not None

    @property
    def signature_algorithm(self) -> str | None:
        if self.binding == names.REDIRECT:
            raw = _raw_parameters(self.raw_query).get("SigAlg")
            return None if raw is None else unquote_plus(raw)
        method = self.root.find(".//" + tag("ds:SignatureMethod"))
        return None if method is None else method.get("Algorithm")

    def verify_signature(self, key: KeyPair) -> None:
        """Check the detached (Redirect) or enveloped (POST) signature with the SP's certificate."""
        if not self.signed:
            raise SignatureError("the AuthnRequest is not signed")
        if self.binding == names.POST:
            verify(etree.fromstring(self.xml), key.certificate_pem)
        else:
            _verify_query(self.raw_query, key)


def from_redirect(url_or_response: str | Response) -> AuthnRequest:
    """Read the AuthnRequest from a redirect's URL."""
    if isinstance(url_or_response, Response):
        assert url_or_response.redirects, (
            f"{url_or_response.url}: {url_or_response.status} is no redirect\n{url_or_response.text[:2000]}"
        )
        url = url_or_response.location or ""
    else:
        url = url_or_response
    parts = urlsplit(url)
    raw = _raw_parameters(parts.query)
    assert "SAMLRequest" in raw, f"no SAMLRequest in {url}"
    assert raw.get("SAMLEncoding") is None
    deflated = base64.b64decode(unquote_plus(raw["SAMLRequest"]), validate=True)
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    xml = inflater.decompress(deflated) + inflater.flush()
    assert inflater.eof and not inflater.unused_data, "the DEFLATE stream has no clean end"
    relay_state = unquote_plus(raw["RelayState"]) if "RelayState" in raw else None
    endpoint = f"{parts.scheme}://{parts.netloc}{parts.path}"
    return AuthnRequest(xml, _parse(xml), names.REDIRECT, endpoint, relay_state, parts.query)


def from_form(page: Response) -> AuthnRequest:
    """Read the AuthnRequest from a page with a self-posting form."""
    form = page.form(having="SAMLRequest")
    assert form.method == "POST"
    return from_fields(form.action, form.fields)


def from_fields(action: str, fields: Mapping[str, str]) -> AuthnRequest:
    """Read the AuthnRequest from the fields of a POST."""
    xml = base64.b64decode(fields["SAMLRequest"], validate=True)
    return AuthnRequest(xml, _parse(xml), names.POST, action, fields.get("RelayState"))


def read(response: Response) -> AuthnRequest:
    """Read the AuthnRequest from whatever the SP answered: a redirect or a form."""
    return from_redirect(response) if response.redirects else from_form(response)


def _parse(xml: bytes) -> etree._Element:
    root = etree.fromstring(xml)
    assert root.tag == tag("samlp:AuthnRequest"), root.tag
    return root


def _raw_parameters(query: str) -> dict[str, str]:
    """Parameters as the octets on the wire; a name that comes twice is an error."""
    found: dict[str, str] = {}
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        assert name not in found, f"{name} comes twice in {query}"
        found[name] = value
    return found


def _verify_query(query: str, key: KeyPair) -> None:
    raw = _raw_parameters(query)
    covered = [name for name in ("SAMLRequest", "RelayState", "SigAlg") if name in raw]
    octets = "&".join(f"{name}={raw[name]}" for name in covered).encode("ascii")
    algorithm = unquote_plus(raw["SigAlg"])
    signature = base64.b64decode(unquote_plus(raw["Signature"]), validate=True)
    if algorithm not in _REDIRECT_HASHES:
        raise SignatureError(f"unknown SigAlg {algorithm}")
    digest = _REDIRECT_HASHES[algorithm]()
    public = key.certificate.public_key()
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            if "ecdsa" not in algorithm:
                raise SignatureError(f"{algorithm} with an EC key")
            public.verify(_ecdsa_as_der(signature, public.curve.key_size), octets, ec.ECDSA(digest))
        else:
            if "rsa" not in algorithm:
                raise SignatureError(f"{algorithm} with an RSA key")
            public.verify(signature, octets, padding.PKCS1v15(), digest)
    except InvalidSignature as error:
        raise SignatureError("the query's signature does not verify") from error


def _ecdsa_as_der(signature: bytes, bits: int) -> bytes:
    """XML signature's fixed-width r || s as DER (RFC 4051: the form that SigAlg's URI names)."""
    size = (bits + 7) // 8
    if len(signature) != 2 * size:
        raise SignatureError(f"an ECDSA signature of {len(signature)} bytes, not r || s of {2 * size}")
    return utils.encode_dss_signature(
        int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    )


def redirect_query(xml: bytes, *, relay_state: str | None = None, sign_with: KeyPair | None = None) -> str:
    """The query of an HTTP-Redirect message, as a reference SP makes it: encoded as encodeURIComponent does,
    since some identity providers check the signature over their own encoding of the values."""
    deflater = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    deflated = deflater.compress(xml) + deflater.flush()
    parameters = {"SAMLRequest": base64.b64encode(deflated).decode()}
    if relay_state is not None:
        parameters["RelayState"] = relay_state
    if sign_with is None:
        return _encoded(parameters)
    parameters["SigAlg"] = names.ECDSA_SHA256 if sign_with.is_ec else names.RSA_SHA256
    octets = _encoded(parameters)
    signature = _sign_octets(octets.encode("ascii"), sign_with)
    return octets + "&" + _encoded({"Signature": base64.b64encode(signature).decode()})


def _encoded(parameters: Mapping[str, str]) -> str:
    return urlencode(parameters, quote_via=quote, safe="!'()*")


def _sign_octets(octets: bytes, key: KeyPair) -> bytes:
    if not isinstance(key.private, ec.EllipticCurvePrivateKey):
        return key.private.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    size = (key.private.curve.key_size + 7) // 8
    r, s = utils.decode_dss_signature(key.private.sign(octets, ec.ECDSA(hashes.SHA256())))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")
