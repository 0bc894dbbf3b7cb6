"""RSA signature values over any block of octets: what PKCS#1 v1.5 asks for, and what careless checks let pass."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric import rsa

# DER of DigestInfo up to the digest.
SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
SHA512_INFO = bytes.fromhex("3051300d060960864801650304020305000440")
SHA1_INFO = bytes.fromhex("3021300906052b0e03021a05000414")
SHA256_INFO_WITHOUT_PARAMETERS = bytes.fromhex("302f300b0609608648016503040201" + "0420")


def size_of(key: rsa.RSAPrivateKey) -> int:
    """Length of a value in octets."""
    return (key.key_size + 7) // 8


def raw(key: rsa.RSAPrivateKey, block: bytes) -> bytes:
    """The block to the power of the private exponent: a value that opens to this block."""
    numbers = key.private_numbers()
    made = pow(int.from_bytes(block, "big"), numbers.d, numbers.public_numbers.n)
    return made.to_bytes(size_of(key), "big")


def padded(size: int, info: bytes, *, filling: bytes | None = None, kind: int = 1, start: int = 0) -> bytes:
    """The block of PKCS#1 v1.5 around `info`, which is DigestInfo and digest."""
    ones = b"\xff" * (size - 3 - len(info)) if filling is None else filling
    return bytes([start, kind]) + ones + b"\0" + info


def cube_root_value(text: bytes, size: int, *, garbage_first: bool = False) -> bytes:
    """A value for public exponent 3 made without any private key (Bleichenbacher 2006): its cube begins with a
    good but short padding; what is behind it is garbage, which a careless check does not look at."""
    digest = SHA256_INFO + hashlib.sha256(text).digest()
    begin = b"\0\1" + b"\xff" * 8 + b"\0" + (b"" if garbage_first else digest)
    wanted = int.from_bytes(begin + b"\0" * (size - len(begin)), "big")
    root = _cube_root(wanted)
    value = (root + 1).to_bytes(size, "big")
    assert pow(root + 1, 3).to_bytes(size, "big").startswith(begin)
    return value


def _cube_root(number: int) -> int:
    low, high = 0, 1 << (number.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= number else (low, middle - 1)
    return low


def blocks(text: bytes, size: int) -> dict[str, Callable[[], bytes]]:
    """Blocks of a size that the key's owner could sign and that no one may accept, by what is wrong with them."""
    digest = hashlib.sha256(text).digest()
    good = SHA256_INFO + digest
    return {
        "garbage_behind": lambda: padded(size, good, filling=b"\xff" * 8) + b"\xaa" * (size - len(good) - 11),
        "garbage_before": lambda: b"\0\1" + b"\xff" * 8 + b"\0" + b"\xaa" * (size - len(good) - 11) + good,
        "no_info": lambda: padded(size, digest),
        "info_of_sha512": lambda: padded(size, SHA512_INFO + digest),
        "info_of_sha1": lambda: padded(size, SHA1_INFO + digest[:20]),
        "sha1": lambda: padded(size, SHA1_INFO + hashlib.sha1(text).digest()),
        "no_parameters": lambda: padded(size, SHA256_INFO_WITHOUT_PARAMETERS + digest),
        "bytes_behind_digest": lambda: padded(size, good + b"\0\0\0\0"),
        "short_digest": lambda: padded(size, SHA256_INFO + digest[:-1]),
        "filled_with_zeros": lambda: padded(size, good, filling=bytes(size - 3 - len(good))),
        "one_other_in_filling": lambda: padded(
            size, good, filling=b"\xff" * 9 + b"\xfe" + b"\xff" * (size - 13 - len(good))
        ),
        "for_encryption": lambda: padded(size, good, kind=2),
        "kind_0": lambda: padded(size, good, kind=0),
        "no_separator": lambda: b"\0\1" + b"\xff" * (size - 2 - len(good)) + good,
        "digest_alone": lambda: bytes(size - 32) + digest,
        "lengths_in_long_form": lambda: padded(
            size, bytes.fromhex("308131300d06096086480165030402010500") + b"\x04\x20" + digest
        ),
    }
