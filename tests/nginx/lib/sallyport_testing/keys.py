"""RSA and EC keys with self-signed certificates, made once per test session and kept as files."""

from __future__ import annotations

import base64
import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

_CURVES = {"ec": ec.SECP256R1, "ec256": ec.SECP256R1, "ec384": ec.SECP384R1, "ec521": ec.SECP521R1}


@dataclass(frozen=True)
class KeyPair:
    """A private key and its certificate, in memory and as PEM files."""

    private: PrivateKey
    certificate: x509.Certificate
    key_file: Path
    certificate_file: Path

    @property
    def is_ec(self) -> bool:
        return isinstance(self.private, ec.EllipticCurvePrivateKey)

    @property
    def key_pem(self) -> bytes:
        return self.key_file.read_bytes()

    @property
    def certificate_pem(self) -> bytes:
        return self.certificate_file.read_bytes()

    @property
    def certificate_base64(self) -> str:
        """The DER certificate in base64, as it stands in metadata."""
        return base64.b64encode(self.certificate.public_bytes(serialization.Encoding.DER)).decode()


class KeyStore:
    """Keys by name, generated at the first call."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._made: dict[tuple[object, ...], KeyPair] = {}

    def get(
        self,
        name: str = "idp",
        kind: str = "rsa2048",
        *,
        hosts: Sequence[str] = (),
        not_before: datetime.timedelta = datetime.timedelta(days=-1),
        not_after: datetime.timedelta = datetime.timedelta(days=3650),
    ) -> KeyPair:
        """A key pair: `kind` is `rsaBITS`, `rsaBITSe3` (public exponent 3) or `ec256`, `ec384`, `ec521`; times are
        relative to now."""
        wanted = (name, kind, tuple(hosts), not_before, not_after)
        if wanted not in self._made:
            self._made[wanted] = self._make(f"{name}-{kind}-{len(self._made)}", *wanted)
        return self._made[wanted]

    def tls(self, *hosts: str) -> KeyPair:
        """A key and certificate for TLS servers of these names (browsers of this library trust any)."""
        return self.get("tls", "ec256", hosts=hosts or ("app.example.com",))

    def _make(
        self,
        stem: str,
        name: str,
        kind: str,
        hosts: Sequence[str],
        not_before: datetime.timedelta,
        not_after: datetime.timedelta,
    ) -> KeyPair:
        private = make_private_key(kind)
        certificate = make_certificate(private, name, hosts, not_before, not_after)
        key_file, certificate_file = self._folder / f"{stem}.key", self._folder / f"{stem}.crt"
        key_file.write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        key_file.chmod(0o600)
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return KeyPair(private, certificate, key_file, certificate_file)


def make_private_key(kind: str) -> PrivateKey:
    """A new private key of a kind that `KeyStore.get` knows."""
    if kind.startswith("rsa"):
        bits, _, exponent = kind[3:].partition("e")
        return rsa.generate_private_key(public_exponent=int(exponent or 65537), key_size=int(bits or 2048))
    return ec.generate_private_key(_CURVES[kind]())


def make_certificate(
    private: PrivateKey,
    name: str,
    hosts: Sequence[str] = (),
    not_before: datetime.timedelta = datetime.timedelta(days=-1),
    not_after: datetime.timedelta = datetime.timedelta(days=3650),
) -> x509.Certificate:
    """A self-signed certificate."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, hosts[0] if hosts else name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + not_before)
        .not_valid_after(now + not_after)
    )
    if hosts:
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts])
        builder = builder.add_extension(names, critical=False)
    return builder.sign(private, hashes.SHA256())
