"""Who the user is, read from the request headers that nginx adds. Copy this into your own application.

The rule for every value is the same: a list is split at its commas, a pair at its first `=`, and each piece is
then percent-decoded as UTF-8.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote

PREFIX = "X-SSO-"


def decode_list(value: str) -> list[str]:
    """`Engineering,R%26D%2C worldwide` -> ["Engineering", "R&D, worldwide"]."""
    return [unquote(item) for item in value.split(",")] if value else []


def decode_pairs(value: str) -> dict[str, str]:
    """`Trial=Space Member,DevOps=` -> {"Trial": "Space Member", "DevOps": ""}."""
    pairs = [item.partition("=") for item in value.split(",")] if value else []
    return {unquote(name): unquote(role) for name, _, role in pairs}


@dataclass(frozen=True)
class Identity:
    """One user as the headers describe it; `user` is empty when nobody is logged in."""

    user: str = ""
    email: str = ""
    first_name: str = ""
    last_name: str = ""
    display_name: str = ""
    idp: str = ""
    spaces: dict[str, str] = field(default_factory=dict)
    roles: list[str] = field(default_factory=list)
    groups: list[str] = field(default_factory=list)

    @classmethod
    def from_headers(cls, headers: Mapping[str, str]) -> "Identity":
        """Read the standard headers; names are compared without regard to case."""
        sent = {name.lower(): value for name, value in headers.items()}

        def raw(name: str) -> str:
            return sent.get((PREFIX + name).lower(), "")

        return cls(
            user=unquote(raw("User")),
            email=unquote(raw("Email")),
            first_name=unquote(raw("First-Name")),
            last_name=unquote(raw("Last-Name")),
            display_name=unquote(raw("Display-Name")),
            idp=unquote(raw("Idp")),
            spaces=decode_pairs(raw("Spaces")),
            roles=decode_list(raw("Roles")),
            groups=decode_list(raw("Groups")),
        )

    @property
    def name(self) -> str:
        """What to call the user."""
        return self.display_name or f"{self.first_name} {self.last_name}".strip() or self.email or self.user
