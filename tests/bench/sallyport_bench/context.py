"""What every part is given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sallyport_testing.keys import KeyStore
from sallyport_testing.saml_idp import TestIdp

from .fixture_idp import FixtureIdp
from .google import Benchmarks
from .logins import Signer
from .wrk import HOST


@dataclass(frozen=True)
class Context:
    folder: Path
    module: Path  # the ordinary build
    test_module: Path  # the build with stopwatches
    benchmarks: Benchmarks
    keys: KeyStore
    idp: TestIdp
    quick: bool = False
    full: bool = False

    @property
    def rounds(self) -> int:
        return 3 if self.quick else 9

    @property
    def seconds(self) -> float:
        """Of load per round and side."""
        return 1 if self.quick else 3

    @property
    def entity_id(self) -> str:
        return f"http://{HOST}/saml/metadata"

    def signer(self, port: int, user: str | None = None) -> Signer:
        """Of answers for the gate at this port, about this user or another one each time."""
        idp = FixtureIdp(self.idp.key, self.idp.entity_id, user)
        return Signer(idp, f"http://{HOST}:{port}", self.entity_id)
