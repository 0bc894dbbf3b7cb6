"""The session zone as a process sees it that can read nginx's shared memory."""

from __future__ import annotations

from pathlib import Path

from .nginx import Nginx


def read_zone(nginx: Nginx, size: int) -> bytes:
    """The bytes of the only zone of this size."""
    found = []
    for line in Path(f"/proc/{nginx.master}/maps").read_text().splitlines():
        start, end = (int(each, 16) for each in line.split(" ", 1)[0].split("-"))
        if " rw-s " in line and end - start == size:
            found.append(start)
    assert len(found) == 1, f"{len(found)} zones of {size} bytes"
    data = bytearray()
    with open(f"/proc/{nginx.master}/mem", "rb", buffering=0) as memory:
        memory.seek(found[0])
        while len(data) < size and (piece := memory.read(size - len(data))):
            data += piece
    assert len(data) == size, "the zone could not be read"
    return bytes(data)
