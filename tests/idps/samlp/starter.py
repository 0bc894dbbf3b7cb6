"""Installs samlp under the build folder and runs our server around it."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from ..provider import IdentityProvider

_HERE = Path(__file__).resolve().parent
_BUILD = _HERE.parents[2] / "build" / "npm" / "samlp"


def install(folder: Path = _BUILD) -> Path:
    """Install what package-lock.json names, unless it is there; returns node_modules."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = (_HERE / "package-lock.json").read_bytes()
        done = folder / ".installed"
        if not (done.exists() and done.read_bytes() == wanted):
            for name in ("package.json", "package-lock.json"):
                shutil.copy(_HERE / name, folder)
            command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            made = subprocess.run(command, cwd=folder, capture_output=True, check=False, timeout=300)
            if made.returncode != 0:
                raise RuntimeError(f"npm ci failed:\n{made.stderr.decode('utf-8', 'replace')}")
            done.write_bytes(wanted)
    return folder / "node_modules"


class SamlpIdp(IdentityProvider):
    """The npm package samlp. `samlp_options` go to the package as they are."""

    metadata_path = "/metadata"
    sso_path = "/sso"

    def __init__(
        self, folder: Path, port: int, *, samlp_options: Mapping[str, object] | None = None, **options
    ) -> None:
        super().__init__(folder, port, more_settings={"samlp_options": dict(samlp_options or {})}, **options)

    def command(self) -> list[str]:
        return ["node", str(_HERE / "server.js"), str(self.port)]

    def environment(self) -> dict[str, str]:
        return {"NODE_PATH": str(install()), "NODE_NO_WARNINGS": "1"}
