"""Encrypted elements (XML Encryption), made with python3-cryptography: honest by default, of any shape on demand.

Edits are for `mutate_before_sign` (see `encrypted_answer`), so that the Response is signed over the ciphertext.
"""

from __future__ import annotations

import base64
import os
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from lxml import etree

from .keys import KeyPair
from .saml_names import DS, SAML, tag
from .tree_edits import Edit, at
from .xml_signature import sign as sign_element

XENC = "http://www.w3.org/2001/04/xmlenc#"
XENC11 = "http://www.w3.org/2009/xmlenc11#"
CIPHERS = {
    "aes128-gcm": (f"{XENC11}aes128-gcm", 16),
    "aes192-gcm": (f"{XENC11}aes192-gcm", 24),
    "aes256-gcm": (f"{XENC11}aes256-gcm", 32),
    "aes128-cbc": (f"{XENC}aes128-cbc", 16),
    "aes192-cbc": (f"{XENC}aes192-cbc", 24),
    "aes256-cbc": (f"{XENC}aes256-cbc", 32),
}
OAEP_MGF1P = f"{XENC}rsa-oaep-mgf1p"
OAEP_11 = f"{XENC11}rsa-oaep"
RSA_15 = f"{XENC}rsa-1_5"
_DIGESTS = {
    "sha1": (f"{DS}sha1", hashes.SHA1),
    "sha256": (f"{XENC}sha256", hashes.SHA256),
    "sha384": ("http://www.w3.org/2001/04/xmldsig-more#sha384", hashes.SHA384),
    "sha512": (f"{XENC}sha512", hashes.SHA512),
}


@dataclass(frozen=True)
class Wrapping:
    """How the content's key is wrapped for a recipient. `said` are other XML contents of EncryptionMethod
    than what was done; `value` makes the wrapped key from the key's bytes instead of us."""

    recipient: KeyPair
    method: str = OAEP_MGF1P
    digest: str | None = None  # None: SHA-1, and nothing said
    mask: str | None = None
    label: bytes | None = None
    said: str | None = None
    attributes: str = ""
    key_info: str = ""
    behind: str = ""
    value: Callable[[bytes], bytes] | None = None

    def wrapped(self, secret: bytes) -> bytes:
        """The key's bytes, encrypted."""
        if self.value is not None:
            return self.value(secret)
        public = self.recipient.private.public_key()
        if self.method == RSA_15:
            return public.encrypt(secret, padding.PKCS1v15())
        digest, mask = (_DIGESTS[name or "sha1"][1]() for name in (self.digest, self.mask))
        return public.encrypt(secret, padding.OAEP(padding.MGF1(mask), digest, self.label))

    def xml(self, secret: bytes) -> str:
        """The EncryptedKey."""
        said = self.said
        if said is None:
            said = "" if self.label is None else f"<xenc:OAEPparams>{encoded(self.label)}</xenc:OAEPparams>"
            if self.digest:
                said += f'<ds:DigestMethod Algorithm="{_DIGESTS[self.digest][0]}"/>'
            if self.mask:
                said += f'<xenc11:MGF xmlns:xenc11="{XENC11}" Algorithm="{XENC11}mgf1{self.mask}"/>'
        return (
            f'<xenc:EncryptedKey{self.attributes}><xenc:EncryptionMethod Algorithm="{self.method}">{said}'
            f"</xenc:EncryptionMethod>{self.key_info}{cipher_data(self.wrapped(secret))}{self.behind}"
            "</xenc:EncryptedKey>"
        )


@dataclass(frozen=True)
class Encryption:
    """What an element is encrypted with, and where its keys stand."""

    wrappings: Sequence[Wrapping]
    cipher: str = "aes256-gcm"
    uri: str | None = None  # another algorithm than the cipher's is said
    beside: bool = False
    key_info: str = ""  # in KeyInfo, before the keys
    method: str = ""  # inside EncryptionMethod
    attributes: str = f' Type="{XENC}Element"'
    change: Callable[[bytes], bytes] | None = None  # of IV, ciphertext and tag

    def but(self, **changes: object) -> "Encryption":
        return replace(self, **changes)  # type: ignore[arg-type]

    def holder(self, plaintext: bytes, name: str = "saml:EncryptedAssertion") -> str:
        """The XML of the element that holds the ciphertext."""
        uri, size = CIPHERS[self.cipher]
        secret = os.urandom(size)
        keys = "".join(each.xml(secret) for each in self.wrappings)
        bytes_ = encrypt(plaintext, secret, self.cipher)
        inside = self.key_info + ("" if self.beside else keys)
        key_info = f"<ds:KeyInfo>{inside}</ds:KeyInfo>" if inside else ""
        return (
            f'<{name} xmlns:saml="{SAML}" xmlns:xenc="{XENC}" xmlns:ds="{DS}"><xenc:EncryptedData{self.attributes}>'
            f'<xenc:EncryptionMethod Algorithm="{self.uri or uri}">{self.method}</xenc:EncryptionMethod>'
            f"{key_info}{cipher_data(self.change(bytes_) if self.change else bytes_)}</xenc:EncryptedData>"
            f"{keys if self.beside else ''}</{name}>"
        )


def to(*recipients: KeyPair, **how: object) -> Encryption:
    """The usual encryption for these keys; `how` are fields of Encryption."""
    return Encryption([Wrapping(each) for each in recipients], **how)  # type: ignore[arg-type]


def encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


def cipher_data(data: bytes) -> str:
    return f"<xenc:CipherData><xenc:CipherValue>{encoded(data)}</xenc:CipherValue></xenc:CipherData>"


def certificate_info(key: KeyPair) -> str:
    """A KeyInfo that names the key's certificate."""
    return (
        f"<ds:KeyInfo><ds:X509Data><ds:X509Certificate>{key.certificate_base64}</ds:X509Certificate></ds:X509Data>"
        "</ds:KeyInfo>"
    )


def encrypt(plaintext: bytes, secret: bytes, cipher: str) -> bytes:
    """IV, ciphertext and tag; CBC padded as XML Encryption says."""
    if cipher.endswith("gcm"):
        iv = os.urandom(12)
        encryptor = Cipher(algorithms.AES(secret), modes.GCM(iv)).encryptor()
        return iv + encryptor.update(plaintext) + encryptor.finalize() + encryptor.tag
    iv = os.urandom(16)
    count = 16 - len(plaintext) % 16
    padded = plaintext + os.urandom(count - 1) + bytes([count])
    encryptor = Cipher(algorithms.AES(secret), modes.CBC(iv)).encryptor()
    return iv + encryptor.update(padded) + encryptor.finalize()


def raw_rsa(recipient: KeyPair, block: bytes) -> bytes:
    """A padded block of our own, as the public key's operation leaves it."""
    numbers = recipient.private.public_key().public_numbers()
    size = (numbers.n.bit_length() + 7) // 8
    return pow(int.from_bytes(block, "big"), numbers.e, numbers.n).to_bytes(size, "big")


def text_of(element: etree._Element) -> bytes:
    """An element by itself, with the declarations that it needs."""
    return etree.tostring(element, method="c14n", exclusive=True)


Plaintext = Callable[[etree._Element], bytes]


def encrypted(
    how: Encryption, *, inside: KeyPair | None = None, path: str = "saml:Assertion",
    name: str = "saml:EncryptedAssertion", plaintext: Plaintext = text_of,
) -> Edit:  # fmt: skip
    """Puts an element's ciphertext in its place. `inside` signs it first; `plaintext` makes other bytes of it."""

    def apply(root: etree._Element) -> None:
        element = at(root, path)
        if inside is not None:
            sign_element(element, inside)
        holder = etree.fromstring(how.holder(plaintext(element), name), etree.XMLParser(huge_tree=True))
        element.getparent().replace(element, holder)

    return apply


@dataclass(frozen=True)
class EncryptedAnswer:
    """Makes fields of answers whose assertion is encrypted, signed as `sign` says."""

    key: KeyPair
    more: dict[str, object] = field(default_factory=dict)

    def __call__(
        self, how: Encryption, sign: str = "both", *, plaintext: Plaintext = text_of, edit: Edit | None = None,
        **changes: object,
    ) -> dict[str, object]:  # fmt: skip
        """`edit` changes the Response between encrypting and signing it."""
        hide = encrypted(how, inside=self.key if sign in ("assertion", "both") else None, plaintext=plaintext)

        def mutate(root: etree._Element) -> None:
            hide(root)
            if edit is not None:
                edit(root)

        outside = "response" if sign in ("response", "both") else "none"
        return {"mutate_before_sign": mutate, "sign": outside, **self.more, **changes}


def encrypt_with_command(plaintext: bytes, certificate_file: Path, cipher: str, transport: str = OAEP_MGF1P) -> bytes:
    """An EncryptedAssertion by the xmlsec1 command."""
    uri, size = CIPHERS[cipher]
    template = (
        f'<xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element"><xenc:EncryptionMethod Algorithm="{uri}"/>'
        f'<ds:KeyInfo xmlns:ds="{DS}"><xenc:EncryptedKey><xenc:EncryptionMethod Algorithm="{transport}"/>'
        "<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
        "<xenc:CipherData><xenc:CipherValue/></xenc:CipherData></xenc:EncryptedData>"
    )
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "template.xml").write_text(template)
        (Path(folder) / "plain.xml").write_bytes(plaintext)
        command = [
            "xmlsec1", "--encrypt", "--pubkey-cert-pem", str(certificate_file), "--session-key", f"aes-{8 * size}",
            "--binary-data", f"{folder}/plain.xml", f"{folder}/template.xml",
        ]  # fmt: skip
        made = subprocess.run(command, capture_output=True, check=False, timeout=30)
        assert made.returncode == 0, made.stderr.decode("utf-8", "replace")
    data = etree.fromstring(made.stdout)
    holder = etree.Element(tag("saml:EncryptedAssertion"), nsmap={"saml": SAML})
    holder.append(data)
    return etree.tostring(holder)


def decrypt_with_command(document: bytes, key: KeyPair) -> bytes:
    """A document with what xmlsec1 finds in the place of its first EncryptedData."""
    with tempfile.NamedTemporaryFile(suffix=".xml") as file:
        file.write(document)
        file.flush()
        command = ["xmlsec1", "--decrypt", "--privkey-pem", str(key.key_file), file.name]
        made = subprocess.run(command, capture_output=True, check=False, timeout=30)
    assert made.returncode == 0, made.stderr.decode("utf-8", "replace")
    return made.stdout
