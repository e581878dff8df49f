# SPDX-License-Identifier: GPL-2.0
"""Fills memory with clean page cache by reading files, as on any machine that is up for long."""

import os
import time

import kernel

STEP = 256 << 10


class Filler:
    """Reads a file larger than memory again and again, so that each read needs new pages."""

    def __init__(self, path):
        self._fd = os.open(path, os.O_RDONLY)
        self._size = os.fstat(self._fd).st_size
        self._buffer = [bytearray(STEP)]
        self._position = 0
        self.bytes_read = 0

    def _read_on(self):
        length = os.preadv(self._fd, self._buffer, self._position)
        assert length, f"nothing to read at {self._position}"
        self._position = (self._position + length) % self._size
        self.bytes_read += length

    def churn(self, bytes_):
        """Reads this number of bytes."""
        end = self.bytes_read + bytes_
        while self.bytes_read < end:
            self._read_on()

    def fill(self, slack):
        """Reads until free memory is at most the high watermark plus the protected pages and a
        slack, and, when the kernel has finished reclaiming, at least the low watermark."""
        end = self.bytes_read + 2 * self._size
        patience = 200
        while True:
            state = kernel.memory()
            usable = state["free"] - state["protected"]
            if usable > state["high"] + slack and self.bytes_read < end:
                self._read_on()
            elif usable < state["low"] and patience:
                patience -= 1
                time.sleep(0.01)
            elif state["low"] <= usable <= state["high"] + slack:
                return state
            else:
                raise RuntimeError(f"memory does not come to rest between the low and the high "
                                   f"watermark with a slack of {slack} pages: {state}")
