#!/usr/bin/python3
"""Makes what the fuzz targets and the mutation run begin with: genuine/ (signed responses and the
certificates of their signers) and seeds in corpus/ (the same, metadata of the real identity providers, and
the attacks of the black-box tests).

    /usr/bin/python3 tests/fuzz/make_genuine.py

The private keys live in a temporary folder and are gone afterwards: nobody can sign anything else with
them. Each run makes new keys and new messages.
"""

from __future__ import annotations

import base64
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parent), str(_HERE.parent / "nginx" / "lib")]

from cryptography.hazmat.primitives import serialization  # noqa: E402
from cryptography.hazmat.primitives.asymmetric import ec  # noqa: E402
from lxml import etree  # noqa: E402

from idps.provider import IdentityProvider  # noqa: E402
from idps.samlp import SamlpIdp  # noqa: E402
from idps.settings import ServiceProvider  # noqa: E402
from idps.simplesamlphp import SimpleSamlPhp  # noqa: E402
from sallyport_testing import authn_request, saml_names as names  # noqa: E402
from sallyport_testing.browser import Browser  # noqa: E402
from sallyport_testing.http_response import Response  # noqa: E402
from sallyport_testing.idp_metadata import MetadataKey, aggregate_xml, entity_descriptor  # noqa: E402
from sallyport_testing.keys import KeyPair, KeyStore, make_certificate  # noqa: E402
from sallyport_testing.ports import free_port  # noqa: E402
from sallyport_testing.real_idp import log_in_at  # noqa: E402
from sallyport_testing.saml_idp import TestIdp  # noqa: E402
from sallyport_testing.saml_names import tag  # noqa: E402
from sallyport_testing.saml_response import Attribute, build, new_id  # noqa: E402
from sallyport_testing.wrapping import Genuine, all_attacks  # noqa: E402

ACS = "https://app.example.com/saml/acs"
ENTITY_ID = "https://app.example.com/saml/metadata"
SIGNED = ("response", "assertion", "both")
ATTRIBUTES = (
    Attribute("email", ["student@example.com"], value_type="xs:string"),
    Attribute("groups", ["Engineering", "R&D, worldwide", "Ployée"]),
)


def asked(idp: IdentityProvider, signed: str) -> bytes:
    """The real IdP's answer to a login."""
    idp.register(
        ServiceProvider(ENTITY_ID, ACS, sign_response=signed != "assertion", sign_assertion=signed != "response")
    )
    request = (
        f'<samlp:AuthnRequest xmlns:samlp="{names.SAMLP}" xmlns:saml="{names.SAML}" ID="{new_id()}" Version="2.0"'
        f' IssueInstant="2026-01-01T00:00:00Z" Destination="{idp.sso_url}" AssertionConsumerServiceURL="{ACS}"'
        f' ProtocolBinding="{names.POST}"><saml:Issuer>{ENTITY_ID}</saml:Issuer></samlp:AuthnRequest>'
    )
    location = f"{idp.sso_url}?{authn_request.redirect_query(request.encode(), relay_state='state')}"
    page = log_in_at(Browser(), Response(ACS, "GET", 302, [("Location", location)], b""))
    return base64.b64decode(page.form(having="SAMLResponse").fields["SAMLResponse"])


def real_messages(idp: IdentityProvider) -> Iterator[tuple[str, bytes]]:
    for signed in SIGNED:
        yield signed, asked(idp, signed)


def made(key: KeyPair, style: str, signed: str) -> bytes:
    """An answer of the test IdP."""
    fields = TestIdp(key).fields(
        None,
        destination=ACS,
        recipient=ACS,
        in_response_to="_q",
        response_in_response_to="_q",
        audiences=[ENTITY_ID],
        attributes=ATTRIBUTES,
        session_index="_s",
        sp_name_qualifier=ENTITY_ID,
        name_qualifier="https://idp.example.com/metadata",
        one_time_use=signed == "both",
        style=style,
        indent=style == "default",
        declaration=style == "numbered",
        sign=signed,
    )
    return build(fields)


def attacks(message: bytes) -> Iterator[tuple[str, bytes]]:
    genuine = Genuine(etree.fromstring(message))
    for name, attack in all_attacks():
        yield name, etree.tostring(attack(genuine))


def answers(key: KeyPair) -> Iterator[tuple[str, bytes]]:
    """What identity providers send beside the usual, and what they should not send."""
    statement, value, data = "saml:AuthnStatement", "<saml:AttributeValue", "<saml:SubjectConfirmationData"
    edits: dict[str, tuple[str, str]] = {
        "advice": (
            f"<{statement}",
            f"<saml:Advice><saml:AssertionIDRef>_x</saml:AssertionIDRef></saml:Advice><{statement}",
        ),
        "authz": (f"<{statement}", f'<saml:AuthzDecisionStatement Resource="r" Decision="Permit"/><{statement}'),
        "encrypted-id": ("<saml:NameID", "<saml:EncryptedID/><saml:NameID"),
        "encrypted-attribute": ("<saml:Attribute ", "<saml:EncryptedAttribute/><saml:Attribute "),
        "locality": ("<saml:AuthnContext>", '<saml:SubjectLocality Address="192.0.2.1"/><saml:AuthnContext>'),
        "authority": (
            "</saml:AuthnContext>",
            "<saml:AuthnContextDeclRef>urn:x</saml:AuthnContextDeclRef><saml:AuthenticatingAuthority>urn:y"
            "</saml:AuthenticatingAuthority></saml:AuthnContext>",
        ),
        "proxy": ("</saml:Conditions>", '<saml:ProxyRestriction Count="0"/></saml:Conditions>'),
        "unknown-condition": ("</saml:Conditions>", "<saml:Condition/></saml:Conditions>"),
        "nil": (value, f'{value} xmlns:xsi="{names.XSI}" xsi:nil="1"/>{value}'),
        "elements": (value, f"{value}><saml:NameID>x</saml:NameID></saml:AttributeValue>{value}"),
        "confirmation-by-name": (data, f"<saml:NameID>x</saml:NameID>{data}"),
        "prefix-list": (
            '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>',
            '<ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"><ec:InclusiveNamespaces'
            ' xmlns:ec="http://www.w3.org/2001/10/xml-exc-c14n#" PrefixList="#default xs"/></ds:Transform>',
        ),
    }
    message = made(key, "usual", "both").decode()
    for name, (find, put) in edits.items():
        assert find in message, name
        yield name, message.replace(find, put, 1).encode()
    end = "</samlp:Response>"
    second = 'ID="_second" Version="2.0" IssueInstant="2026-11-21T21:30:00Z"'
    for word, changed in {
        "version": message.replace('Version="2.0"', 'Version="1.1"', 1),
        "denied": message.replace(
            'status:Success"/>',
            'status:Responder"><samlp:StatusCode Value="urn:x"/></samlp:StatusCode>'
            "<samlp:StatusMessage>no</samlp:StatusMessage>",
        ),
        "no-assertion": message[: message.index("<saml:Assertion")] + end,
        "encrypted": message.replace(end, f'<saml:EncryptedAssertion xmlns:saml="{names.SAML}"/>{end}'),
        "two": message.replace(end, f'<saml:Assertion xmlns:saml="{names.SAML}" {second}/>{end}'),
    }.items():
        yield word, changed.encode()


def to_encrypt(message: bytes) -> Iterator[tuple[str, bytes]]:
    """The message with parts put where the target `encrypted` encrypts them before it reads them."""
    holders = {"Assertion": "EncryptedAssertion", "NameID": "EncryptedID", "Attribute": "EncryptedAttribute"}
    for parts in (("Assertion",), ("NameID",), ("Attribute",), ("NameID", "Attribute"), tuple(holders)):
        root = etree.fromstring(message)
        for part in parts:
            element = next(root.iter(tag(f"saml:{part}")))
            holder = etree.Element(tag(f"saml:{holders[part]}"))
            element.getparent().replace(element, holder)
            holder.append(element)
            holder.tail, element.tail = element.tail, None
        yield "-".join(parts), etree.tostring(root)


def metadata_documents(key: KeyPair, others: list[KeyPair]) -> Iterator[tuple[str, bytes]]:
    """Metadata that is fine, and metadata that an operator must be told about."""
    idp, entity = TestIdp(key), "https://idp.example.com/metadata"
    sso = [(names.REDIRECT, idp.sso_url)]

    def one(entity_id: str = entity, role: str = "IDPSSODescriptor") -> etree._Element:
        return entity_descriptor(entity_id, sso, [MetadataKey(key)], role=role)

    def with_changes(find: str, put: str) -> bytes:
        text = idp.metadata().decode()
        assert find in text, find
        return text.replace(find, put, 1).encode()

    yield "all", idp.metadata(
        slo=[(names.REDIRECT, idp.sso_url)], want_requests_signed=True, valid_until="2099-01-01T00:00:00Z",
        cache_duration="PT4H", keys=[MetadataKey(key, None), MetadataKey(key, "encryption")], sign_with=key,
    )  # fmt: skip
    yield "expired", idp.metadata(valid_until="2020-01-01T00:00:00Z")
    yield "no-time", idp.metadata(valid_until="tomorrow")
    yield "encryption-only", idp.metadata(keys=[MetadataKey(key, "encryption")])
    yield "weak-keys", idp.metadata(keys=[MetadataKey(each) for each in others])
    yield "many-keys", idp.metadata(keys=[MetadataKey(each) for each in (key, *others)] * 5)
    yield "service-provider", idp.metadata(role="SPSSODescriptor")
    yield "no-role", idp.metadata(role="AttributeAuthorityDescriptor")
    yield "no-binding", idp.metadata(sso=[("urn:x", idp.sso_url), (names.POST, "ftp://x")])
    bare = with_changes("<ds:X509Data>", "<ds:KeyValue/><ds:X509Data>")
    yield "key-value", bare.replace(b"X509Certificate", b"X509CRL")
    yield "saml1", with_changes(names.SAMLP, "urn:oasis:names:tc:SAML:1.1:protocol")
    yield "nameless", with_changes(f'entityID="{entity}"', 'entityID=""')
    yield "long-name", with_changes(f'entityID="{entity}"', f'entityID="urn:{"x" * 1100}"')
    yield "two-idps", aggregate_xml([one(), one("urn:other")])
    yield "same-name-twice", aggregate_xml([one(), one()])
    yield "idp-beside-sp", aggregate_xml([one("urn:other", "SPSSODescriptor"), one()])
    yield "sps-only", aggregate_xml([one("urn:a", "SPSSODescriptor"), one("urn:b", "SPSSODescriptor")])
    yield "many", aggregate_xml([one(f"urn:{number}") for number in range(7)])
    yield "empty", aggregate_xml([])
    yield "other-root", b"<html><body>Log in</body></html>"


def weak_keys(keys: KeyStore) -> list[KeyPair]:
    """Keys that are refused: too short, or on a curve that is not taken."""
    private = ec.generate_private_key(ec.SECP256K1())
    odd = replace(keys.get("odd", "ec256"), certificate=make_certificate(private, "odd"))
    return [keys.get("weak", "rsa1024"), odd]


def certificate_pem(key: KeyPair) -> bytes:
    return key.certificate.public_bytes(serialization.Encoding.PEM)


def without_values(message: bytes) -> bytes:
    """For targets that make the signatures themselves: half the size."""
    for name in (b"X509Certificate", b"SignatureValue", b"DigestValue"):
        message = re.sub(rb"(<(?:\w+:)?" + name + rb">)[^<]+", rb"\g<1>AA==", message)
    return message


def write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


def main() -> None:
    genuine, corpus = _HERE / "genuine", _HERE / "corpus"
    shutil.rmtree(genuine, ignore_errors=True)
    with tempfile.TemporaryDirectory() as scratch:
        keys = KeyStore(Path(scratch))
        for kind, style in (("ec256", "usual"), ("rsa2048", "default"), ("ec384", "numbered")):
            key = keys.get(kind, kind)
            write(genuine / f"{kind}.pem", key.certificate_pem)
            for signed in SIGNED:
                message = made(key, style, signed)
                write(genuine / f"{kind}-{signed}.xml", message)
                for name, attack in attacks(message) if kind == "ec256" else ():
                    write(corpus / "tampered" / f"{name}-{signed}.xml", attack)
                    write(corpus / "resigned" / f"{name}-{signed}.xml", without_values(attack))
        for name, answer in answers(keys.get("ec256", "ec256")):
            write(corpus / "resigned" / f"{name}.xml", without_values(answer))
        weak = weak_keys(keys)
        for name, document in metadata_documents(keys.get("ec256", "ec256"), weak):
            write(corpus / "metadata" / f"{name}.xml", document)
        for number, each in enumerate(weak):
            write(corpus / "keys" / f"weak-{number}", certificate_pem(each))
        for name, made_by in (("simplesamlphp", SimpleSamlPhp), ("samlp", SamlpIdp)):
            with made_by(Path(scratch) / name, free_port()) as idp:
                write(genuine / f"{name}.pem", idp.certificate_file.read_bytes())
                write(corpus / "metadata" / f"{name}.xml", idp.metadata())
                for signed, message in real_messages(idp):
                    write(genuine / f"{name}-{signed}.xml", message)
                    body = urlencode({"SAMLResponse": base64.b64encode(message).decode(), "RelayState": "state"})
                    write(corpus / "form" / f"{name}-{signed}", body.encode())
        for path in genuine.glob("*.xml"):
            write(corpus / "tampered" / path.name, path.read_bytes())
            write(corpus / "resigned" / path.name, without_values(path.read_bytes()))
            for parts, hidden in to_encrypt(path.read_bytes()):
                write(corpus / "encrypted" / f"{path.stem}-{parts}.xml", without_values(hidden))
        for certificate in genuine.glob("*.pem"):
            write(corpus / "keys" / certificate.name, certificate.read_bytes())


if __name__ == "__main__":
    main()
