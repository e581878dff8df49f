#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak
# Covers: tools/labyrinth/src/top tools/labyrinth/src/failures/overview
# Takes: 12 s
"""The live view of the tool on a terminal shows the counts of the module, and restores the
terminal, however it ends."""

import contextlib
import json
import os
import signal
import subprocess
import time

from lib import consumer, ktap, metrics, module, tool
from lib.vt import Terminal

CONTEXT = "timer_softirq"
FAILING = "labyrinth_failing"
SECONDS = ktap.soak(5, 60)
# The largest relative difference between a rate on the screen and the rate of the module's
# counters, which are read at another time.
SHARE = 0.15


def top(*arguments, columns=80, rows=24, told=True, term="vt100"):
    """Runs the view on a terminal."""
    return Terminal(tool.path(), "top", *arguments, columns=columns, rows=rows, told=told,
                    TERM=term, LANG="C.UTF-8")


@contextlib.contextmanager
def exercised():
    """The module with an exercise that runs."""
    with module.loaded(), module.running(CONTEXT, period_us=10_000, batch=16):
        yield


def shown(terminal):
    """The rate of the exercise on the screen, in pages per second, or None."""
    row = terminal.screen.line(CONTEXT)
    return float(row[2]) if row and row[2] != "-" else None


def rates(samples):
    """The rates over about a second in samples of time and count."""
    for index, (start, before) in enumerate(samples):
        for end, after in samples[index + 1:]:
            if end - start >= 0.9:
                yield (after - before) / (end - start)
                break


def the_rates_are_true():
    """The screen shows the rate of the module's counters. The CPU time of ten updates a second is
    printed."""
    with exercised(), top("--interval", "100") as terminal:
        terminal.look_until(lambda: shown(terminal), "rate")
        terminal.look_until(lambda: terminal.screen.line("failures"), "count of failures")
        samples, seen = [], []
        start, used, written = time.monotonic(), tool.cpu_time(terminal.process.pid), terminal.bytes
        while time.monotonic() < start + SECONDS:
            samples.append((time.monotonic(), metrics.Metrics().allocated(context=CONTEXT)))
            terminal.look(0.2)
            if len(samples) > 5:
                seen.append(shown(terminal))
        passed = time.monotonic() - start
        used = tool.cpu_time(terminal.process.pid) - used
        written = terminal.bytes - written
        true = list(rates(samples))
        ktap.note(f"{used / passed * 100:.2f} % of a CPU, {used / passed / 10 * 1e3:.2f} ms for "
                  f"each update if there were 10 a second, {written / passed:.0f} bytes/s")
        ktap.note(f"shown {min(seen):.0f} to {max(seen):.0f} pages/s, true {min(true):.0f} to "
                  f"{max(true):.0f}")
        assert used > 0 and min(true) > 0, f"{used} s, {true}"
        assert min(true) * (1 - SHARE) <= min(seen) and max(seen) <= max(true) * (1 + SHARE), \
            f"shown {seen}, true {true}"
        lines = terminal.screen.lines()
        for word in ("labyrinth", "headroom", "failures", "context", "pool", "default"):
            assert terminal.screen.line(word), f"no {word}:\n" + "\n".join(lines)
        assert not terminal.screen.cursor_shown and not terminal.is_as_before()
        frozen(terminal)
        resized(terminal)
        terminal.press("q")
        assert terminal.end() == 0
        assert terminal.screen.cursor_shown and terminal.is_as_before()


def frozen(terminal):
    """Freezes the screen for a second, and asks for help."""
    terminal.press("p")
    terminal.look_until(lambda: "paused" in terminal.screen.lines()[0], "paused screen")
    before = terminal.screen.lines()
    terminal.look(0.5)
    assert terminal.screen.lines() == before, "it goes on although it is frozen"
    terminal.press("p?")
    terminal.look_until(lambda: "keys" in terminal.screen.lines()[0], "help")
    terminal.press("?r")
    terminal.look_until(lambda: shown(terminal), "rate after the help")


def resized(terminal):
    """Makes the terminal small, and large again."""
    for columns, rows in ((40, 12), (120, 40)):
        terminal.resize(columns, rows)
        terminal.look_until(lambda: terminal.screen.line(CONTEXT), f"{columns}x{rows}")
        assert terminal.screen.lines()[0].endswith("? help"), terminal.screen.lines()
        assert len(terminal.screen.lines()[0]) == columns


def the_terminal_is_given_back():
    """However the view ends, the terminal has its old settings, and shows the cursor. If the
    terminal does not report its size, the view has 80 columns."""
    ways = [("\x03", 0), (signal.SIGTERM, 0), (signal.SIGHUP, 0), (signal.SIGINT, 0)]
    for way, status in ways[:ktap.soak(2, 4)]:
        with top("--interval", "100", told=False) as terminal:
            terminal.look_until(lambda t=terminal: t.screen.line("headroom"), "headroom")
            assert len(terminal.screen.lines()[0]) == 80, terminal.screen.lines()
            assert not terminal.is_as_before() and not terminal.screen.cursor_shown
            if isinstance(way, str):
                terminal.press(way)
            else:
                terminal.process.send_signal(way)
            assert terminal.end() == status, f"{way}: {terminal.process.returncode}"
            assert terminal.is_as_before() and terminal.screen.cursor_shown, f"{way}"


class Lines:
    """The view as lines of JSON."""

    def __init__(self, *arguments, **keywords):
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen([tool.path(), "top", "--json", *arguments], text=True,
                                        stdout=subprocess.PIPE, **keywords)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def next(self):
        """The next view."""
        line = self.process.stdout.readline()
        assert line, "the view has ended"
        return json.loads(line)

    def until(self, condition, what):
        """The views up to the first for which a condition is true."""
        views = []
        for _ in range(200):
            views.append(self.next())
            if condition(views[-1]):
                return views
        raise AssertionError(f"no {what}: {views[-1]}")


def rate(view):
    """The rate of the exercise, if it is there."""
    for context in view["contexts"]:
        if context["context"] == CONTEXT:
            return context["successes_per_second"]
    return None


def the_module_comes_and_goes():
    """The module is loaded, reset and unloaded. No rate is ever giant, and a note says how to load
    the module."""
    with Lines("--interval", "100") as lines:
        note = lines.next()["notes"][0]
        assert "modprobe labyrinth" in note and len(note) <= 80, note
        views = []
        for _ in range(2):
            with exercised():
                views += lines.until(rate, "rate")
                for _ in range(3):
                    module.write(module.file("reset"), 1)
                    views += [lines.next() for _ in range(2)]
                views += lines.until(lambda view: view["pools"], "pool")
            views += lines.until(lambda view: not view["contexts"] and view["notes"], "end")
    found = [rate(view) for view in views if rate(view) is not None]
    cpus = os.cpu_count()
    ktap.note(f"rates: {min(found):.0f} to {max(found):.0f}")
    # 16 pages in 10 ms on each CPU, and twice as many if a reading is late.
    assert 0 < max(found) <= 2 * 1600 * cpus, found


def failures_are_counted():
    """Failures are counted by their callers, and SIGKILL leaves nothing behind."""
    before = tool.traces()
    with consumer.loaded(FAILING), Lines("--interval", "100") as lines:
        lines.until(lambda view: view["failures"], "count")
        module.write(f"/sys/module/{FAILING}/parameters/fail", "softirq 8 25 nowarn")
        view = lines.until(lambda view: view["failures"]["failures"] >= 25, "failures")[-1]
        rows = [row for row in view["failures"]["rows"] if row["caller"]["module"] == FAILING]
        assert sum(row["count"] for row in rows) == 25, view["failures"]
        assert {row["context"] for row in rows} == {"softirq"}, rows
        lines.process.kill()
        lines.process.wait()
    assert tool.traces() == before


def text_for_logs():
    """Without a terminal, each update is a screen of plain text, and --count limits the updates."""
    with exercised():
        result = tool.run("top", "--count", "2", "--interval", "1000")
    assert result.returncode == 0 and not result.stderr, result
    screens = result.stdout.split("labyrinth top")[1:]
    assert len(screens) == 2 and "\x1b" not in result.stdout, result.stdout
    for screen in screens:
        for word in ("headroom", "failures", CONTEXT, "default"):
            assert word in screen, screen
    short = tool.run("top", "--duration", "300ms", "--interval", "100", "--plain", "--ascii")
    assert short.returncode == 0 and short.stdout.isascii(), short
    assert 1 <= short.stdout.count("labyrinth top") <= 3, short.stdout


def without_root():
    """Without root, the view shows the headroom, and a note says what is missing."""
    with exercised():
        result = tool.run_as_nobody("top", "--json", "--count", "1", "--interval", "100")
    assert result.returncode == 0, result
    view = json.loads(result.stdout)
    assert view["headroom"]["requests"] > 0 and view["failures"] is None, view
    assert not view["contexts"] and not view["pools"], view
    assert len(view["notes"]) == 1 and "sudo labyrinth top" in view["notes"][0], view


ktap.main(the_rates_are_true, the_terminal_is_given_back, the_module_comes_and_goes,
          *ktap.soak((), slow := (failures_are_counted, text_for_logs, without_root)),
          by_name=slow)
