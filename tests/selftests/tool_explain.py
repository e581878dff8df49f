#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: soak old
# Covers: tools/labyrinth/src/explain
# Takes: 50 s
"""The tool understands the reports of this kernel about failed allocations."""

import json
import os
import re
import subprocess
import time

from lib import consumer, kmsg, ktap, module, tool

MODULE = "labyrinth_failing"
FAIL = f"/sys/module/{MODULE}/parameters/fail"
# See tool_failures.py.
ORDER = 8
FLAGS = "GFP_ATOMIC|GFP_DMA"
KIB = os.sysconf("SC_PAGE_SIZE") // 1024


def reported(context):
    """Makes a request fail. Returns the kernel's report."""
    # The kernel reports one failure in ten seconds.
    time.sleep(10.5)
    marker = f"labyrinth-test: a request fails in {context}"
    with consumer.loaded(MODULE), kmsg.Provoked() as log, kmsg.off_the_console():
        module.write("/dev/kmsg", f"<6>{marker}")
        module.write(FAIL, f"{context} {ORDER} 1 warn")
        log.expect(re.compile(""))
    text = subprocess.run(["dmesg"], check=True, capture_output=True, text=True).stdout
    return text.rpartition(marker)[2].partition("\n")[2]


def explained(text):
    """The tool's answer for the only report in a text, as JSON and as text."""
    answers = [subprocess.run([tool.path(), "explain", *more], input=text, capture_output=True,
                              text=True, timeout=60, check=False) for more in (["--json"], [])]
    assert all(answer.returncode == 0 for answer in answers), answers
    document = json.loads(answers[0].stdout)
    assert document["reports_count"] == 1, f"{document}: {text}"
    return document["reports"][0], " ".join(answers[1].stdout.split())


def zones():
    """The zones with memory, with their managed pages and their min watermark."""
    found = {}
    for zone in module.read("/proc/zoneinfo").split("Node ")[1:]:
        name, least, managed = (re.search(pattern, zone).group(1) for pattern in
                              (r"zone +(\w+)", r"\n +min +(\d+)", r"\n +managed +(\d+)"))
        if int(managed):
            found[name] = (int(managed) * KIB, int(least) * KIB)
    return found


def check(context):
    """Requires that the tool understands each part of the report."""
    text = reported(context)
    assert FLAGS in text, text
    report, words = explained(text)
    ktap.note(f"{context}: {report['reason']}")
    assert report["unread"] == [], report["unread"]
    assert (report["kind"], report["order"], report["flags"]) == ("page", ORDER, FLAGS), report
    assert report["kernel"] == os.uname().release, report
    assert report["caller"] == f"labyrinth_fail [{MODULE}]", report
    seen = {zone["name"]: (zone["managed_kib"], zone["min_kib"]) for zone in report["zones"]}
    # Since 6.1 the kernel leaves out zones that the request may not use.
    assert "DMA" in seen and seen.items() <= zones().items(), f"{seen}, {zones()}: {report}"
    verdicts = {zone["name"]: zone["verdict"] for zone in report["zones"]}
    # The module has taken all blocks of this order in the zone, and the request may use no other.
    assert verdicts.pop("DMA") in ("no-block", "too-low"), report
    assert set(verdicts.values()) <= {"barred"}, report

    # If the names of the flags are missing, the tool decodes their number as this kernel does.
    number = re.search(r"mode:(0x[0-9a-f]+)\(", text).group(1)
    other, _ = explained(text.replace(f"{number}({FLAGS})", number))
    assert other["flags"] == number and other["zones"] == report["zones"], other
    assert other["reason"] == report["reason"], other
    return report, words


def a_task():
    """A request of a task."""
    report, words = check("task")
    assert report["pid"] == os.getpid() and " from an interrupt" not in words, report


def a_softirq():
    """A request of a softirq, in an interrupt or in the thread that runs softirqs."""
    report, words = check("softirq")
    assert report["comm"].startswith("ksoftirqd/") or " from an interrupt" in words, words


def a_hard_irq():
    """A request of a hard irq."""
    if os.path.exists("/sys/kernel/realtime") or os.path.exists("/proc/lockdep"):
        raise ktap.Skip("a hard irq must not allocate here")
    _, words = check("hard_irq")
    assert " from an interrupt" in words, words


ktap.main(a_task, a_softirq, a_hard_irq)
