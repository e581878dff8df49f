# SPDX-License-Identifier: GPL-2.0
"""Takes CPUs offline and online, and finds the CPUs on which an exercise works."""

import glob
import os
import re
import time

from lib import module, tracing
from lib.exercises import SHAPES
from lib.ktap import Skip

FOLDER = "/sys/devices/system/cpu"
WATCHED = {
    "pages": ("labyrinth/page_alloc", "common_cpu,context"),
    "timers": ("timer/timer_expire_entry", "common_cpu,function.sym"),
    "hard_timers": ("timer/hrtimer_expire_entry", "common_cpu,function.sym"),
}


def _numbers(text):
    """Parses a list of CPUs as the kernel writes it."""
    numbers = set()
    for part in filter(None, text.strip().split(",")):
        first, _, last = part.partition("-")
        numbers |= set(range(int(first), int(last or first) + 1))
    return numbers


def online():
    """The CPUs that are online."""
    return _numbers(module.read(FOLDER + "/online"))


def present():
    """The CPUs that are present, online or not."""
    return _numbers(module.read(FOLDER + "/present"))


def movable():
    """The CPUs that can be taken offline. Skips the case if there are none."""
    numbers = sorted(int(re.search(r"cpu(\d+)/", path).group(1))
                     for path in glob.glob(FOLDER + "/cpu[0-9]*/online"))
    if not numbers:
        raise Skip("there is no CPU that could go offline")
    return numbers


def switch(cpu, on):
    """Brings a CPU online, or takes it offline."""
    path = f"{FOLDER}/cpu{cpu}/online"
    module.write(path, int(on))
    assert module.read(path) == f"{int(on)}\n"


def threads(name):
    """How often each of the threads NAME/CPU has slept, by CPU. Each may run only on its own
    CPU."""
    found = {}
    for process in filter(str.isdigit, os.listdir("/proc")):
        try:
            if not module.read(f"/proc/{process}/comm").startswith(name + "/"):
                continue
            status = dict(line.split(":\t", 1) for line in
                          module.read(f"/proc/{process}/status").splitlines() if ":\t" in line)
        except (FileNotFoundError, ProcessLookupError):
            continue
        cpu = int(status["Name"].rpartition("/")[2])
        assert cpu not in found, f"two threads {name}/{cpu}"
        allowed = _numbers(status["Cpus_allowed_list"])
        assert allowed == {cpu}, f"{name}/{cpu} may run on {allowed}"
        found[cpu] = int(status["voluntary_ctxt_switches"])
    return found


def _counted(kernel):
    """The work of the exercises since the histograms began, as a set of (exercise, what, CPU)."""
    done = set()
    for what, histogram in kernel.items():
        for keys, _ in histogram.entries():
            cpu = int(re.search(r"common_cpu:\s*(\d+)", keys).group(1))
            for context, shape in SHAPES.items():
                if what == "pages":
                    number = int(re.search(r"context:\s*(\d+)", keys).group(1))
                    if number == shape.number:
                        done.add((context, "page", cpu))
                elif "[labyrinth]" in keys and context in keys:
                    done.add((context, "timer", cpu))
        histogram.go_on()
    return done


def check_at_work(*contexts, seconds=60):
    """Checks that each of these exercises works on each CPU that is online, and on no other: pages
    are allocated there, its timers expire there, and its threads sleep and wake there. No other
    exercise works anywhere. Leaves out exercises without a row in lib/exercises.py."""
    cpus = online()
    contexts = [context for context in contexts if context in SHAPES]
    wanted = {(context, "page", cpu) for context in contexts for cpu in cpus} \
        | {(context, "timer", cpu) for context in contexts if SHAPES[context].timer for cpu in cpus}
    names = {context: f"labyrinth/{context}" for context in contexts if SHAPES[context].thread}
    before = {context: threads(name) for context, name in names.items()}
    for context, name in names.items():
        assert before[context].keys() == cpus, \
            f"CPUs {cpus} are online, {name} has threads for {set(before[context])}"

    with tracing.histograms(**WATCHED) as kernel:
        end = time.monotonic() + seconds
        while True:
            time.sleep(0.2)
            done = _counted(kernel)
            now = {context: threads(name) for context, name in names.items()}
            asleep = {(context, cpu) for context in names for cpu in cpus
                      if now[context].get(cpu, 0) <= before[context][cpu]}
            if (wanted <= done and not asleep) or time.monotonic() > end:
                break
    assert wanted <= done, f"CPUs {cpus} are online; not seen: {sorted(wanted - done)}"
    assert done <= wanted, f"CPUs {cpus} are online; seen as well: {sorted(done - wanted)}"
    assert not asleep, f"threads that did nothing: {sorted(asleep)}"
