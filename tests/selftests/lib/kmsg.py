# SPDX-License-Identifier: GPL-2.0
"""Reads the kernel log from a moment on."""

import contextlib
import os
import re
import time

WARNING = 4

# Warnings of a healthy kernel: about signatures, once; about time, if a guest shares its CPU with
# others; and about interrupts that arrived while a CPU was offline.
HARMLESS = re.compile(
    r"module verification failed|out-of-tree module taints"
    r"|clocksource|timekeeping|tsc: |TSC found unstable|perf: interrupt took|hrtimer: interrupt took"
    r"|APIC: Stale IRR"
    r"|sched: RT throttling activated|kauditd|systemd-journald|udevd"
    r"|Test should be marked slow|Automounting of tracing to debugfs is deprecated")

# A harmless warning of debugfs, see scripts/machine/console-verdict.sh. The lines of such warnings
# from several CPUs can be mixed.
_BEGINS, _ENDS = "------------[ cut here ]", "---[ end trace"
_WARNING = re.compile(r"WARNING: ")
_HARMLESS_WARNING = re.compile(r"WARNING: fs/debugfs/file\.c:\d+ at (full|open)_proxy_open")

# Messages that a case has provoked on purpose, and has checked.
_expected = set()


def _without_harmless_warnings(records):
    """The records without harmless warnings, from their first to their last line."""
    kept, block, depth = [], [], 0
    for record in records:
        text = record[1]
        depth += text.startswith(_BEGINS)
        (block if depth else kept).append(record)
        depth -= bool(depth) and text.startswith(_ENDS)
        if block and not depth:
            warnings = [text for _, text in block if _WARNING.match(text)]
            if not warnings or not all(_HARMLESS_WARNING.match(text) for text in warnings):
                kept += block
            block = []
    return kept + block


class Watch:
    """The records logged since it was entered."""

    def __enter__(self):
        self._fd = os.open("/dev/kmsg", os.O_RDONLY | os.O_NONBLOCK)
        os.lseek(self._fd, 0, os.SEEK_END)
        self._records = []
        return self

    def __exit__(self, *_):
        os.close(self._fd)

    def records(self):
        """All records so far, as (level, text)."""
        while True:
            try:
                record = os.read(self._fd, 16384)
            except BlockingIOError:
                return self._records
            except BrokenPipeError:
                self._records.append((WARNING, "(the log overflowed; some of it was not seen)"))
                continue
            head, _, text = record.decode(errors="replace").partition(";")
            self._records.append((int(head.split(",")[0]) & 7, text.split("\n")[0]))

    def complaint(self):
        """The records that should not be in the log, or None."""
        bad = [text for level, text in _without_harmless_warnings(self.records())
               if level <= WARNING and text not in _expected and not HARMLESS.search(text)]
        return "the kernel log is not clean:\n" + "\n".join(bad[:30]) if bad else None


class Provoked(Watch):
    """Watches the errors that a block provokes on purpose. Other watches do not complain about
    these."""

    def errors(self):
        """The module's own messages at error level."""
        texts = [text for level, text in self.records()
                 if level <= 3 and text.startswith("labyrinth: ")]
        _expected.update(texts)
        return texts

    def expect(self, pattern):
        """Returns the matches of messages that begin with a pattern, of the module or of others."""
        matches = [match for _, text in self.records() if (match := pattern.match(text))]
        _expected.update(match.string for match in matches)
        return matches


@contextlib.contextmanager
def off_the_console():
    """Keeps warnings that a block provokes off the console, where they would be taken for bugs.
    They are still in the log."""
    path = "/proc/sys/kernel/printk"
    with open(path, encoding="ascii") as file:
        before = file.read()
    with open(path, "w", encoding="ascii") as file:
        file.write(str(WARNING))
    try:
        yield
        # Some kernels print to the console with a delay.
        time.sleep(0.5)
    finally:
        with open(path, "w", encoding="ascii") as file:
            file.write(before)
