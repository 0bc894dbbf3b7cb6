"""Whether the kernel puts large pages under shared memory, and how many a process sees."""

from __future__ import annotations

import ctypes
import mmap
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LARGE = 2 * 1024 * 1024
_COLLAPSE = 25
_PR_SET_THP_DISABLE = 41
_libc = ctypes.CDLL(None, use_errno=True)


def are_to_be_had() -> bool:
    """Tried in this process, with memory that nobody else sees."""
    with mmap.mmap(-1, 4 * LARGE) as memory:
        view = ctypes.c_char.from_buffer(memory)
        begin = (ctypes.addressof(view) + LARGE - 1) // LARGE * LARGE
        wanted = (mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS | 0x10)
        _libc.mmap.restype = ctypes.c_void_p
        placed = _libc.mmap(ctypes.c_void_p(begin), ctypes.c_size_t(LARGE), *wanted, -1, ctypes.c_long(0)) == begin
        assert placed
        ctypes.c_char.from_address(begin).value = b"x"
        done = _libc.madvise(ctypes.c_void_p(begin), ctypes.c_size_t(LARGE), _COLLAPSE) == 0
        del view
        return done


def shared_kilobytes(pid: int) -> int:
    """How much of the process's shared memory it sees by large pages."""
    text = Path(f"/proc/{pid}/smaps").read_text()
    return sum(map(int, re.findall(r"^ShmemPmdMapped: +(\d+) kB", text, re.M)))


@contextmanager
def refused() -> Iterator[None]:
    """What is started meanwhile gets none."""
    assert _libc.prctl(_PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        _libc.prctl(_PR_SET_THP_DISABLE, 0, 0, 0, 0)
