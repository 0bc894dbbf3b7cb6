"""Runs our server around pysaml2, with the system's Python, where the package is."""

from __future__ import annotations

from pathlib import Path

from ..provider import IdentityProvider

_HERE = Path(__file__).resolve().parent
_PYTHON = Path("/usr/bin/python3")


class Pysaml2Idp(IdentityProvider):
    """Signs the assertion unless the registered SP says otherwise. HTTP-Redirect only."""

    metadata_path = "/metadata"
    sso_path = "/sso"

    def command(self) -> list[str]:
        return [str(_PYTHON), str(_HERE / "server.py"), str(self.port)]

    def environment(self) -> dict[str, str]:
        return {"PYTHONWARNINGS": "ignore"}
