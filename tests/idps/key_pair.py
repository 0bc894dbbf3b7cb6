"""An RSA key and certificate for an identity provider, made with the openssl command."""

from __future__ import annotations

import subprocess
from pathlib import Path


def make_key_pair(folder: Path, name: str = "idp") -> tuple[Path, Path]:
    """Key file and certificate file; made when they are not there yet."""
    key, certificate = folder / f"{name}.key", folder / f"{name}.crt"
    if not (key.exists() and certificate.exists()):
        subprocess.run(
            [
                "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-sha256", "-days", "3650",
                "-subj", f"/CN={name}", "-keyout", str(key), "-out", str(certificate),
            ],
            check=True, capture_output=True,
        )  # fmt: skip
    return key, certificate
