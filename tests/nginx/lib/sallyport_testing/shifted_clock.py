"""A wall clock for nginx that a test sets: what lasts an hour need not be waited for."""

from __future__ import annotations

import struct
import subprocess
from pathlib import Path

# The offset in seconds stands as a 64-bit number at the start of the file.
_SOURCE = r"""
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static volatile int64_t *offset;

__attribute__((constructor)) static void map_offset(void) {
  int file = open(getenv("SHIFTED_CLOCK"), O_RDONLY);
  void *mapped = mmap(0, sizeof *offset, PROT_READ, MAP_SHARED, file, 0);
  if (mapped != MAP_FAILED) offset = mapped;
  close(file);
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec real;
  (void)zone;
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &real);
  now->tv_sec = real.tv_sec + (offset ? *offset : 0);
  now->tv_usec = real.tv_nsec / 1000;
  return 0;
}
"""


class ShiftedClock:
    """The wall clock of one nginx: `Nginx(..., clock=clock)`, then `clock.shift(3600)`."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._offset = folder / "clock-offset"
        self.library = folder / "shifted-clock.so"
        self.seconds = 0
        self.shift(0)
        source = folder / "shifted-clock.c"
        source.write_text(_SOURCE)
        subprocess.run(
            ["gcc", "-O1", "-shared", "-fPIC", "-o", str(self.library), str(source)], check=True, timeout=60
        )

    def shift(self, seconds: int) -> None:
        """Let nginx's clock be so many seconds ahead from now on."""
        self.seconds = seconds
        with self._offset.open("r+b" if self._offset.exists() else "wb") as file:
            file.write(struct.pack("=q", seconds))

    @property
    def environment(self) -> dict[str, str]:
        return {"SHIFTED_CLOCK": str(self._offset)}
