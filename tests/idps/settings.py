"""What an identity provider must know: its users, and the service providers that it serves."""

from __future__ import annotations

import base64
import json
import xml.etree.ElementTree as ElementTree
from dataclasses import asdict, dataclass, field
from pathlib import Path

_MD = "{urn:oasis:names:tc:SAML:2.0:metadata}"
_DS = "{http://www.w3.org/2000/09/xmldsig#}"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


@dataclass(frozen=True)
class User:
    """A user who logs in by name and password; every attribute has a list of values."""

    password: str
    attributes: dict[str, list[str]]


@dataclass(frozen=True)
class ServiceProvider:
    """A service provider and what it wants signed and encrypted."""

    entity_id: str
    acs_url: str
    slo_url: str | None = None
    certificate: str | None = None  # base64 of the DER, as in metadata
    sign_response: bool = True
    sign_assertion: bool = True
    encrypt_assertion: bool = False
    validate_requests: bool = False

    @classmethod
    def from_metadata(cls, document: bytes, **changes: object) -> "ServiceProvider":
        """Read entity ID, ACS, SLO and the first certificate from the SP's own metadata."""
        root = ElementTree.fromstring(document)
        descriptor = root.find(f"{_MD}SPSSODescriptor")
        if descriptor is None:
            raise ValueError("the metadata has no SPSSODescriptor")
        acs = [
            each.attrib["Location"]
            for each in descriptor.findall(f"{_MD}AssertionConsumerService")
            if each.get("Binding") == _POST
        ]
        slo = descriptor.find(f"{_MD}SingleLogoutService")
        certificate = descriptor.find(f".//{_DS}X509Certificate")
        values: dict[str, object] = {
            "entity_id": root.attrib["entityID"],
            "acs_url": acs[0],
            "slo_url": None if slo is None else slo.attrib["Location"],
            "certificate": None if certificate is None else "".join((certificate.text or "").split()),
        }
        return cls(**{**values, **changes})  # type: ignore[arg-type]


USERS = {
    "student": User(
        "studentpass",
        {
            "email": ["student@example.com"],
            "first_name": ["Stu"],
            "last_name": ["Dent"],
            "groups": ["Engineering"],
            "space_name": ["Trial", "DevOps"],
            "space_role": ["Space Member", "Space Developer"],
        },
    ),
    "employee": User(
        "employeepass",
        {
            "email": ["employee@example.com"],
            "first_name": ["Em"],
            "last_name": ["Ployée"],
            "groups": ["Engineering", "Platform", "R&D, worldwide"],
            "space_name": ["Trial"],
            "space_role": ["Space Admin"],
        },
    ),
}


def read_users(path: Path) -> dict[str, User]:
    """Users from a JSON file: `{"name": {"password": "...", "attributes": {"email": ["..."]}}}`."""
    return {name: User(**values) for name, values in json.loads(path.read_text("utf-8")).items()}


def pem_to_base64(pem: str) -> str:
    """The base64 of a PEM certificate."""
    lines = pem.split("-----BEGIN CERTIFICATE-----")[1].split("-----END")[0].split()
    return base64.b64encode(base64.b64decode("".join(lines))).decode()


@dataclass
class Settings:
    """What an IdP process reads from its settings file at every request."""

    users: dict[str, User] = field(default_factory=lambda: dict(USERS))
    service_providers: dict[str, ServiceProvider] = field(default_factory=dict)
    values: dict[str, object] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        """Replace the file as a whole, so that no request reads half of it."""
        content = {
            **self.values,
            "users": {name: asdict(user) for name, user in self.users.items()},
            "service_providers": {name: asdict(each) for name, each in self.service_providers.items()},
        }
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(content, indent=2), "utf-8")
        fresh.replace(path)
