# SPDX-License-Identifier: GPL-2.0
"""Runs the command line tool."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import tempfile

from lib import module
from lib.ktap import Skip

TRACING = "/sys/kernel/tracing"


def path():
    """The program LABYRINTH_TOOL. Skips the case if there is none."""
    program = os.environ.get("LABYRINTH_TOOL")
    if not program:
        raise Skip("LABYRINTH_TOOL does not name the tool (make tool)")
    return program


def needs_module():
    """Skips the case if labyrinth.ko is not installed, as on old kernels, which have no Rust."""
    if not os.path.exists(module.path()):
        raise Skip("this case is about labyrinth.ko, which needs a kernel with Rust")


def run(*arguments, **keywords):
    """Runs the tool to its end, and returns the result."""
    return subprocess.run([path(), *arguments], capture_output=True, text=True, timeout=60,
                          check=False, **keywords)


def run_as_nobody(*arguments):
    """Runs the tool to its end without any rights, and returns the result."""
    def nobody():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)

    with tempfile.NamedTemporaryFile(dir="/tmp", delete_on_close=False) as copy:
        # Other users may have no access to the folder of the tool.
        with open(path(), "rb") as program:
            shutil.copyfileobj(program, copy)
        os.fchmod(copy.fileno(), 0o755)
        copy.close()
        return subprocess.run([copy.name, *arguments], text=True, capture_output=True, check=False,
                              preexec_fn=nobody, timeout=60)


class Counting:
    """`labyrinth failures` in the background, with --json."""

    def __init__(self, *arguments):
        # pylint: disable=consider-using-with
        self._process = subprocess.Popen([path(), "failures", "--json", *arguments], text=True,
                                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        # It says when it counts.
        self.said = self._process.stderr.readline()
        if not self.said.startswith("labyrinth: counting"):
            self.said += self._process.communicate()[1]
        self.pid = self._process.pid
        self.status = None

    def end(self, number=signal.SIGINT):
        """Ends it, and returns the summary. The lines before are in `lines`."""
        self._process.send_signal(number)
        output, errors = self._process.communicate(timeout=60)
        self.status = self._process.returncode
        assert self.status in (0, 1), f"status {self.status}: {self.said}{errors}"
        if output.startswith("{\n"):
            return json.loads(output)
        self.lines = [json.loads(line) for line in output.splitlines()]
        return self.lines.pop()

    def kill(self):
        """Kills it."""
        self._process.kill()
        self._process.communicate()


@contextlib.contextmanager
def counting(*arguments):
    """Counts failures for the length of a block."""
    process = Counting(*arguments)
    try:
        assert process.said.startswith("labyrinth: counting"), process.said
        yield process
    finally:
        process.kill()


def traces():
    """What the tool could leave behind in tracefs."""
    state = {}
    for name in ("kprobe_events", "uprobe_events", "dynamic_events", "set_event", "tracing_on",
                 "current_tracer", "events/kmem/mm_page_alloc/trigger",
                 "events/kmem/mm_page_alloc/filter", "events/kmem/mm_page_alloc/enable"):
        file = f"{TRACING}/{name}"
        if os.path.exists(file):
            with open(file, encoding="utf-8") as text:
                state[name] = text.read()
    state["instances"] = sorted(os.listdir(TRACING + "/instances"))
    state["groups"] = sorted(os.listdir(TRACING + "/events"))
    return state


def cpu_time(pid):
    """The CPU time of a process in seconds, from the scheduler's clock."""
    return int(module.read(f"/proc/{pid}/schedstat").split()[0]) / 1e9 \
        if os.path.exists(f"/proc/{pid}/schedstat") \
        else sum(map(int, module.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[11:13])) \
        / os.sysconf("SC_CLK_TCK")
