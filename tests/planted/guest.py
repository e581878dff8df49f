#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""guest.py pool | log FAULT…: in the guest, with a fault chosen of those that are planted in the module
an ordinary case turns red and says why; with none it is green. Those of the pool the tests notice by
themselves, the others are in the kernel's log, too. The module is that of LABYRINTH_KO. Prints KTAP."""

import os
import re
import runpy
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)

from lib import books, ktap, metrics, module

# What an ordinary case says of a fault, by the fault's name in plant.rs.
COUNTERS = r"-?\d+ cached; the counters say -?\d+"
POOL = (
    ("lost_in_drain", "cpu_hotplug", "cache_is_given_back", r"the kernel saw .* before and .* after"),
    ("lost_in_drain", "shrinker", "drop_slab_empties_the_caches", "the kernel did not get them"),
    ("kept_when_dead", "cpu_hotplug", "cache_is_given_back", r"\d+ cached"),
    ("lost_at_unload", "pool", "each_page_is_in_one_place",
     r"\d+ allocated, \d+ freed after unloading"),
    ("lost_on_return", "pool", "buddy_serves", "pages unaccounted for: .*"),
    ("lost_while_returning", "hard_irq", "from_the_pool", r"the kernel says \d+"),
    ("handed_out_twice", "pool", "cache_serves", "pages were corrupted"),
    ("hit_not_counted", "pool", "cache_is_refilled_to_a_half", COUNTERS),
    ("hit_counted_twice", "pool", "cache_is_refilled_to_a_half", COUNTERS),
    ("refill_not_counted", "pool", "cache_is_refilled_to_a_half", COUNTERS),
    ("refilled_too_far", "pool", "cache_is_refilled_to_a_half", r"\d+ cached"),
    ("failure_not_counted", "pool", "lesser_requests_spare_the_reserves", r"\d+ requests, \d+ ends"),
    ("reserve_for_all", "pool", "lesser_requests_spare_the_reserves",
     r"priority 0: \d+ asked the reserve"),
    ("budget_overspent", "pool", "every_room_is_exhausted", r"33 below the min watermark"),
)
LOG = (
    ("leak", "kernel_agrees", "timer_softirq_pages", r"1 pages in flight at rest"),
    ("sleep", "kernel_agrees", "spinlock_pages",
     r"(BUG: sleeping function called|WARNING: SOFTIRQ-safe -> SOFTIRQ-unsafe lock order) .*"),
    ("use_after_free", "kernel_agrees", "timer_softirq_pages", r"BUG: KASAN: use-after-free in .*"),
)


def outcome(program, case, fault):
    """Runs one case of a program: what it printed. The log says which fault is committed."""
    module.write("/dev/kmsg", f"<6>planted: {fault or 'none'}")
    reader, writer = os.pipe()
    sys.stdout.flush()
    # A copy of this process has loaded and learnt already what each case needs.
    if not os.fork():
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.environ.update(LABYRINTH_FAULT=fault)
        sys.argv[1:] = [case]
        runpy.run_path(f"{TESTS}/{program}.py", run_name="__main__")
    os.close(writer)
    with open(reader, encoding="utf-8", errors="replace") as output:
        text = output.read()
    os.wait()
    return text


def show(text):
    """Prints what a case has printed as notes."""
    for line in text.splitlines():
        ktap.note(line)


def passed(text, case):
    """Whether the case has passed; None if it did not say, or did not run."""
    ended = re.findall(rf"^(ok|not ok) \d+ {case} *$", text, re.M)
    return ended == ["ok"] if ended else None


def green(program, case):
    """Without a fault the case passes."""
    text = outcome(program, case, "")
    if passed(text, case):
        return True
    show(text)
    return False


def red(fault, program, case, words):
    """With the fault the case fails, and for no other reason than in these words."""
    text = outcome(program, case, fault)
    said = re.findall(r"^# (?:[\w.]+(?:Error|Exception)\b.*|the kernel log is not clean:(?:\n# (?:=+)?)*\n.*)$",
                      text, re.M)
    if passed(text, case) is False and len(said) == 1 \
            and re.fullmatch(f"# (AssertionError: )?{words}", said[0].splitlines()[-1]):
        ktap.note(said[0].splitlines()[-1][2:])
        return True
    show(text)
    return False


def noticed_within_a_second():
    """Two holders of one page are counted within a second from the first page handed out twice."""
    os.environ["LABYRINTH_FAULT"] = "handed_out_twice"
    try:
        with module.loaded(pool_cache=64, prime=64):
            module.wait_until(lambda: metrics.Metrics().cached() >= 64, "full caches")
            start = time.monotonic()
            with module.running("timer_softirq", "task", period_us=1000, batch=32, pool=1):
                while not (found := metrics.Metrics().total("exercise_corruptions_total")) \
                        and time.monotonic() - start < 10:
                    time.sleep(0.01)
                took = time.monotonic() - start
    finally:
        del os.environ["LABYRINTH_FAULT"]
    ktap.note(f"{found:.0f} corrupted pages were counted after {took:.2f} s")
    return found > 0 and took < 1


def report(name, function, *arguments):
    """Prints the result of a function, and how long it took."""
    start = time.monotonic()
    result = function(*arguments)
    ktap.note(f"{name} took {time.monotonic() - start:.1f} s")
    ktap.ksft.test_result(result, f"planted_{name}")


def main(group, *faults):
    """All of the pool, or those in the log."""
    rows = POOL if group == "pool" else [row for row in LOG if row[0] in faults]
    cases = list(dict.fromkeys(row[1:3] for row in rows))
    sys.stdout.reconfigure(line_buffering=True)
    ktap.ksft.print_header()
    ktap.ksft.set_plan(len(cases) + len(rows) + (group == "pool"))
    with module.loaded():
        books.Books({}).learn()
    for case in cases:
        report(f"none_{case[1]}", green, *case)
    if group == "pool":
        report("within_a_second", noticed_within_a_second)
    for row in rows:
        report(f"{row[0]}_{row[1]}", red, *row)
    ktap.ksft.finished()


main(*sys.argv[1:])
