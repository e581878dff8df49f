# SPDX-License-Identifier: GPL-2.0
"""A terminal: a pty, and a screen with the control sequences of a VT100."""

import fcntl
import os
import re
import select
import signal
import struct
import subprocess
import termios
import time

_TOKEN = re.compile(rb"\x1b\[(\??)([0-9;]*)([A-Za-z])|([ -~]+)|\r|\n")
# An incomplete sequence at the end.
_PARTIAL = re.compile(rb"\x1b(\[[0-9;?]*)?\Z")


class Screen:
    """The contents of a terminal. An unknown sequence is an error."""

    def __init__(self, columns, rows):
        self.columns, self.rows = columns, rows
        self.row = self.column = 0
        self.cursor_shown = True
        self._rest = b""
        self.cells = []
        self._clear()

    def _clear(self):
        self.cells = [[" "] * self.columns for _ in range(self.rows)]

    def feed(self, data):
        """Takes bytes that were written to the terminal."""
        data = self._rest + data
        partial = _PARTIAL.search(data)
        self._rest = data[partial.start():] if partial else b""
        data = data[:len(data) - len(self._rest)]
        at = 0
        while at < len(data):
            match = _TOKEN.match(data, at)
            assert match, f"a VT100 does not know {data[at:at + 20]!r}"
            at = match.end()
            private, numbers, command, text = match.groups()
            if text:
                self._write(text.decode())
            elif command:
                self._command(private, [int(n or 0) for n in numbers.split(b";")], command)
            elif match.group() == b"\r":
                self.column = 0
            else:
                self.row = min(self.row + 1, self.rows - 1)

    def _write(self, text):
        assert self.column + len(text) <= self.columns, f"beyond the last column: {text!r}"
        self.cells[self.row][self.column:self.column + len(text)] = text
        self.column += len(text)

    def _command(self, private, numbers, command):
        if private:
            assert numbers == [25] and command in b"hl", f"private {numbers} {command}"
            self.cursor_shown = command == b"h"
        elif command == b"H":
            self.row, self.column = (min(max(n, 1), most) - 1 for n, most
                                     in zip(numbers, (self.rows, self.columns)))
        elif command == b"J":
            assert numbers == [2], numbers
            self._clear()
        else:
            # The only styles are bold and reversed; there are no colours.
            assert command == b"m" and set(numbers) <= {0, 1, 7}, f"{numbers} {command}"

    def lines(self):
        """The lines, without spaces at their ends."""
        return ["".join(line).rstrip() for line in self.cells]

    def line(self, start):
        """The words of the first line that begins with this word, or None."""
        for line in self.lines():
            words = line.lstrip("> ").split()
            if words[:1] == [start]:
                return words
        return None


class Terminal:
    """A program on a terminal."""

    def __init__(self, *command, columns=80, rows=24, told=True, **environment):
        self.screen = Screen(columns, rows)
        self._master, self._slave = os.openpty()
        if told:
            self.set_size(columns, rows)
        self.before = termios.tcgetattr(self._slave)
        self.bytes = 0
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            command, stdin=self._slave, stdout=self._slave, stderr=self._slave,
            env={"PATH": os.environ["PATH"], **environment})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self._master)
        os.close(self._slave)

    def set_size(self, columns, rows):
        """Sets the size of the pty."""
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def resize(self, columns, rows):
        """Changes the size, and tells the program."""
        self.screen = Screen(columns, rows)
        self.set_size(columns, rows)
        self.process.send_signal(signal.SIGWINCH)

    def press(self, keys):
        """Presses keys."""
        os.write(self._master, keys.encode())

    def look(self, seconds):
        """Takes what the program writes in this time."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if select.select([self._master], [], [], left)[0]:
                data = os.read(self._master, 65536)
                self.bytes += len(data)
                self.screen.feed(data)

    def look_until(self, condition, what, seconds=20):
        """Looks until a condition is true."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"no {what}:\n" + "\n".join(self.screen.lines())
            self.look(0.05)

    def end(self, seconds=20):
        """Waits until the program has ended, and returns its status."""
        self.look_until(lambda: self.process.poll() is not None, "end", seconds)
        self.look(0.1)
        return self.process.returncode

    def is_as_before(self):
        """Whether the terminal has the settings from before the program."""
        return termios.tcgetattr(self._slave) == self.before
