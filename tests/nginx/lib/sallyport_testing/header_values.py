"""How identity values are written into headers (DESIGN section 3), told independently of the module."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote


def encoded(value: str, *, item: bool) -> str:
    """A single value, or an item of a list."""
    data = value.encode()
    out = ""
    for at, byte in enumerate(data):
        char = chr(byte)
        blank_end = char == " " and at in (0, len(data) - 1)
        special = byte < 0x20 or byte > 0x7E or char == "%" or (item and char in ",=") or blank_end
        out += f"%{byte:02X}" if special else char
    return out


def encoded_list(items: Iterable[str]) -> str:
    return ",".join(encoded(each, item=True) for each in items)


def encoded_pairs(pairs: Iterable[tuple[str, str]]) -> str:
    return ",".join("=".join(encoded(each, item=True) for each in pair) for pair in pairs)


def decoded_pairs(text: str) -> list[tuple[str, str]]:
    """What an application makes of `Spaces`: split at the commas, then at the sign, then decode."""
    return [tuple(map(unquote, item.split("="))) for item in text.split(",")] if text else []  # type: ignore[misc]
