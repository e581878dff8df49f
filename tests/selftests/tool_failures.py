#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak soak-debug old
# Covers: tools/labyrinth/src/failures tools/labyrinth/src/doctor
# Takes: 50 s
"""The tool counts each failed page allocation, by caller and context, and leaves nothing behind."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import time

from lib import consumer, faults, kmsg, ktap, metrics, module, pressure, symbols, tool
from lib.ktap import Skip

MODULE = "labyrinth_failing"
FAIL = f"/sys/module/{MODULE}/parameters/fail"
FAILED = f"/sys/module/{MODULE}/parameters/failed"
CONTEXTS = ("task", "softirq", "hard_irq")
# A bit less than 16 MiB, so that ZONE_DMA has few such blocks.
ORDER = 8
# A burst requests 16 MiB, and half of that is left free.
BATCH = 4096
LEAVE = BATCH * pressure.PAGE // 2
# Selects failed requests in the event kmem/mm_page_alloc.
NO_PAGE = "pfn == 18446744073709551615"
KILLS = ktap.soak(3, 200)
IDLE_SECONDS = ktap.soak(3, 10)


def sources():
    """The sources that this kernel has."""
    if os.path.exists("/sys/bus/event_source/devices/kprobe"):
        yield "kprobe"
    yield "tracepoint"


def fail(context, times, warn="nowarn", order=ORDER):
    """Makes requests of the module fail."""
    module.write(FAIL, f"{context} {order} {times} {warn}")


def no_hard_irq():
    """Whether a hard irq must not allocate: on PREEMPT_RT, and where lockdep applies its rules."""
    return os.path.exists("/sys/kernel/realtime") or os.path.exists("/proc/lockdep")


def counted(summary, **wanted):
    """The failures in the rows with these properties. `caller` is the name of a module."""
    def matches(row):
        values = row | {"caller": (row.get("caller") or {}).get("module")}
        return all(values.get(name) == value for name, value in wanted.items())

    return sum(row["count"] for row in summary["rows"] if matches(row))


def consistent(summary):
    """Checks that the numbers of a summary add up."""
    rows = sum(row["count"] for row in summary["rows"] if row["cause"] != "other")
    assert summary["failures"] == rows + summary["without_details"], summary
    for name in ("by_process", "by_node"):
        assert sum(row["count"] for row in summary[name]) == rows, summary[name]
    return summary


def each_failure_is_counted():
    """Known numbers of failures, in each context, with each source."""
    for source in sources():
        with consumer.loaded(MODULE), tool.counting("--source", source) as process:
            wanted = {}
            for number, context in enumerate(CONTEXTS):
                if context == "hard_irq" and no_hard_irq():
                    continue
                for times in (1, 100 + number):
                    fail(context, times)
                    wanted[context] = wanted.get(context, 0) + times
            total = int(module.read(FAILED))
            summary = consistent(process.end())
        ktap.note(f"{source}: {wanted} wanted, {summary['failures']} in all")
        assert summary["source"] == source and process.status == 0
        assert total == sum(wanted.values()) == counted(summary, caller=MODULE)
        for context, times in wanted.items():
            got = counted(summary, caller=MODULE, context=context, order=ORDER, cause="memory",
                          flags="GFP_ATOMIC|GFP_DMA|__GFP_NOWARN")
            assert got == times, f"{context}: {got}, not {times}: {summary['rows']}"
        assert summary["nowarn"] >= total and summary["log"]["reports"] == 0, summary


def each_failure_is_a_line():
    """With --each there is a line for each failure, with all that is known about it."""
    with consumer.loaded(MODULE), tool.counting("--each", "--stacks") as process:
        fail("softirq", 3)
        fail("task", 40)
        summary = consistent(process.end())
    # The lines of a CPU are in order.
    lines = sorted((line for line in process.lines if line["caller"]["module"] == MODULE),
                   key=lambda line: line["time"])
    assert [line["context"] for line in lines] == ["softirq"] * 3 + ["task"] * 40, lines
    assert all(line["caller"]["name"] == "labyrinth_fail" and line["order"] == ORDER
               and line["node"] == 0 and 0 <= line["cpu"] < os.cpu_count() for line in lines)
    # A softirq runs in any process.
    assert {line["process"] for line in lines[3:]} == {"python3"}, lines[3:]
    assert {line["thread"] for line in lines[3:]} == {os.getpid()}
    names = [frame["name"] for frame in lines[-1]["stack"]]
    assert "labyrinth_fail" in names, names
    assert any("write" in name for name in names), names
    stacks = [row["stack"] for row in summary["rows"] if row["caller"]["module"] == MODULE]
    assert lines[-1]["stack"] in stacks


def the_log_suppresses_most():
    """The log reports one failure in ten seconds. The tool says how many it suppressed."""
    with consumer.loaded(MODULE), kmsg.Provoked() as log, kmsg.off_the_console():
        # A report of somebody else could be less than ten seconds old.
        time.sleep(10.5)
        with tool.counting() as process:
            fail("task", 30, "warn")
            fail("task", 12, "nowarn")
            time.sleep(0.2)
            summary = consistent(process.end())
        log.expect(re.compile(""))
    assert summary["log"] == {"reports": 1, "suppressed": 29, "overflowed": False}, summary
    assert summary["nowarn"] >= 12


def a_threshold_is_crossed():
    """--fail-above decides about the exit status."""
    for times, status in ((5, 0), (6, 1)):
        with consumer.loaded(MODULE), tool.counting("--fail-above", "5") as process:
            fail("task", times)
            summary = process.end()
        if summary["failures"] == times:
            assert process.status == status and summary["crossed"] == bool(status), summary


def stopped(pid):
    """Whether a process is stopped by a signal."""
    return module.read(f"/proc/{pid}/stat").rpartition(")")[2].split()[0] == "T"


def no_details_are_lost_silently():
    """More failures than the buffer holds are still counted, and are shown as without details."""
    times = 12_000
    with consumer.loaded(MODULE), tool.counting() as process:
        # Meanwhile, the tool reads nothing.
        os.kill(process.pid, signal.SIGSTOP)
        module.wait_until(lambda: stopped(process.pid), "the stop of the tool", 20)
        fail("softirq", times)
        os.kill(process.pid, signal.SIGCONT)
        summary = consistent(process.end())
    got = counted(summary, caller=MODULE)
    ktap.note(f"{got} of {times} with details, {summary['without_details']} without")
    assert summary["without_details"] > 0, "the buffer held all; this proves nothing"
    assert got + summary["without_details"] >= times
    assert summary["failures"] - times <= 50, f"{summary['failures'] - times} too many"


def memory_is_full():
    """The counts of the module and of the tool agree when memory is really full. Only the
    tracepoint sees alloc_pages_nolock(), which the hard irq calls."""
    tool.needs_module()
    if symbols.has("kasan_report"):
        raise Skip("takes too long with KASAN")
    for source, context in (("kprobe", "timer_softirq"), ("tracepoint", "hard_irq")):
        if source not in sources():
            continue
        # The tool needs memory to start, and then follows the CPU that goes offline.
        with module.loaded(), tool.counting("--source", source) as process, \
                pressure.one_cpu(), pressure.full_memory(LEAVE):
            with module.running(context, period_us=100_000, batch=BATCH, hold_us=0):
                module.wait_until(lambda: metrics.Metrics().check().failed(context=context) > 0,
                                  "a real failure", 20)
            failed = metrics.Metrics().check_idle().failed(context=context)
            summary = consistent(process.end())
        got = counted(summary, caller="labyrinth")
        ktap.note(f"{source}: {got} of {failed} failures of {context}, "
                  f"{summary['failures']} in all, {summary['without_details']} without details")
        if summary["without_details"] == 0:
            assert got == failed, f"{context}: {got}, not {failed}: {summary}"
        assert got <= failed <= got + summary["without_details"], summary


def cpus_come_and_go():
    """Failures on CPUs that were offline at first, or were offline meanwhile, are counted."""
    if os.cpu_count() < 2:
        raise Skip("there is one CPU")
    switch = "/sys/devices/system/cpu/cpu1/online"
    for source in sources():
        with consumer.loaded(MODULE), contextlib.ExitStack() as stack:
            stack.callback(os.sched_setaffinity, 0, os.sched_getaffinity(0))
            stack.callback(lambda: module.read(switch).strip() == "1" or module.write(switch, 1))
            module.write(switch, 0)
            process = stack.enter_context(tool.counting("--source", source, "--by", "caller,cpu"))
            wanted = 0
            for _ in range(3):
                module.write(switch, 1)
                # The tool hears of it and starts its probe.
                time.sleep(1)
                os.sched_setaffinity(0, {1})
                fail("task", 7)
                wanted += 7
                os.sched_setaffinity(0, {0})
                module.write(switch, 0)
                time.sleep(0.5)
            summary = consistent(process.end())
        got = counted(summary, caller=MODULE, cpu=1)
        assert got == wanted, f"{source}: {got}, not {wanted}: {summary}"


def nothing_is_left_behind():
    """Whatever kills it, and whenever, tracefs is as before."""
    before = tool.traces()
    for number in range(KILLS):
        source = random.choice(list(sources()))
        process = subprocess.Popen([tool.path(), "failures", "--source", source],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Under emulation it needs two seconds to start.
        time.sleep(random.uniform(0, 3))
        process.kill()
        process.wait()
        after = tool.traces()
        if os.path.isdir(faults.FOLDER) and "kprobe" in sources():
            # The next process removes the event for injected failures.
            tool.run("failures", "--duration", "0")
            after = tool.traces()
        assert after == before, f"after {number + 1}: {before} became {after}"


def others_are_undisturbed():
    """A trigger, an event of a kprobe, trace-cmd and bpftrace of somebody else see all, too."""
    trigger = f"{tool.TRACING}/events/kmem/mm_page_alloc/trigger"
    own = "hist:keys=order:size=256 if " + NO_PAGE
    if not os.path.exists(os.path.dirname(trigger) + "/hist"):
        raise Skip("the kernel has no histogram triggers to compare with (CONFIG_HIST_TRIGGERS)")
    probes = f"{tool.TRACING}/kprobe_events"
    both = "kprobe" in sources() and os.path.exists(probes)
    with contextlib.ExitStack() as stack:
        recorder = os.path.exists("/usr/bin/trace-cmd")
        if recorder:
            # This also removes what others have set, so it comes last.
            stack.callback(trace_cmd, "reset")
        stack.enter_context(consumer.loaded(MODULE))
        module.write(trigger, own)
        stack.callback(module.write, trigger, "!" + own)
        if both:
            append(probes, "p:mine/failures warn_alloc")
            stack.callback(append, probes, "-:mine/failures")
            mine = f"{tool.TRACING}/events/mine/failures/trigger"
            module.write(mine, "hist:keys=common_pid")
            stack.callback(module.write, mine, "!hist:keys=common_pid")
        if recorder:
            trace_cmd("start", "-e", "kmem:mm_page_alloc", "-f", NO_PAGE)
        before = tool.traces()
        processes = [stack.enter_context(tool.counting("--source", source)) for source in sources()]
        bpf = None
        if both and os.path.exists("/usr/bin/bpftrace") and not symbols.has("kasan_report"):
            bpf = subprocess.Popen(
                ["/usr/bin/bpftrace", "-B", "none", "-e",
                 'kprobe:warn_alloc { @n++; } interval:ms:300 { printf("on\\n"); }'],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            stack.callback(bpf.kill)
            said = ""
            while "on\n" not in said:
                line = bpf.stdout.readline()
                if not line:
                    bpf = None
                    ktap.note(f"bpftrace cannot run here: {said}")
                    break
                said += line
        fail("task", 55)
        fail("softirq", 44)
        for process in processes:
            got = counted(consistent(process.end()), caller=MODULE)
            assert got == 99, f"{got}, not 99"
        histogram = module.read(os.path.dirname(trigger) + "/hist")
        assert hits(histogram) >= 99, histogram
        if both:
            assert hits(module.read(os.path.dirname(mine) + "/hist")) >= 99
        if recorder:
            lines = [line for line in trace_cmd("show").splitlines() if "mm_page_alloc" in line]
            assert len(lines) >= 99, f"trace-cmd saw {len(lines)}"
        if bpf:
            bpf.send_signal(2)
            counts = re.search(r"@n: (\d+)", bpf.communicate()[0])
            assert counts and int(counts.group(1)) >= 99, counts
            ktap.note(f"bpftrace saw {counts.group(1)}")
        after = tool.traces()
        assert before == after, f"{before} became {after}"


def trace_cmd(*arguments):
    """Runs trace-cmd, and returns what it printed."""
    return subprocess.run(["/usr/bin/trace-cmd", *arguments], check=True, text=True,
                          capture_output=True).stdout


def append(path, text):
    """Appends a command to a file of tracefs, which Python's files cannot."""
    fd = os.open(path, os.O_WRONLY | os.O_APPEND)
    try:
        os.write(fd, text.encode())
    finally:
        os.close(fd)


def hits(histogram):
    """The hits of a histogram."""
    return int(re.search(r"Hits: (\d+)", histogram).group(1))


def idle_takes_no_cpu():
    """While nothing fails, the tool does not run."""
    ticks = os.sysconf("SC_CLK_TCK")
    for source in sources():
        with tool.counting("--source", source) as process:
            time.sleep(1)
            start = tool.cpu_time(process.pid)
            time.sleep(IDLE_SECONDS)
            took = tool.cpu_time(process.pid) - start
            summary = process.end()
        ktap.note(f"{source}: {took * 1e3:.2f} ms in {IDLE_SECONDS} s, "
                  f"{summary['failures']} failures")
        # The clock of the scheduler is exact; a tick is 4 or 10 ms.
        assert took < IDLE_SECONDS * 1e-3 or summary["failures"], f"{took} s (tick {1 / ticks} s)"


def injected_failures_are_counted():
    """Failures that fail_page_alloc injects are counted, too: with a probe where there are
    kprobes, else by the limit in `times`."""
    tool.needs_module()
    times = 137
    with module.loaded(pool_reserve=0):
        metrics.wait_until_filled()
        with pressure.one_cpu(), faults.failing(50, times), tool.counting() as process:
            with module.running("timer_softirq", period_us=2000, batch=16):
                module.wait_until(lambda: faults.times_left() == 0, "all faults injected")
            failed = metrics.Metrics().check_idle().failed()
            summary = consistent(process.end())
    ktap.note(f"{failed} of {times} seen by the module, {summary['injected']} by the tool")
    assert summary["injected"] == times == failed, summary
    if "kprobe" in sources():
        got = counted(summary, caller="labyrinth", cause="injected", context="softirq")
        assert got == times, summary
    else:
        assert summary["without_details"] >= times


def obstacles_are_named():
    """Without root or tracefs, one sentence says what is wrong and one says what helps."""
    result = tool.run_as_nobody("failures", "--duration", "0")
    assert result.returncode == 3 and "only root" in result.stderr and "fix: " in result.stderr, \
        result
    script = ("umount /sys/kernel/tracing && mount -t tmpfs tmpfs /sys/kernel/debug && "
              f"exec {tool.path()} failures --duration 0 --source ")
    for source, status in (("tracepoint", 3), ("kprobe", 0 if "kprobe" in sources() else 3)):
        result = subprocess.run(["unshare", "--mount", "sh", "-c", script + source], text=True,
                                capture_output=True, check=False)
        assert result.returncode == status, result
        assert "mount -t tracefs" in result.stderr or "no kprobe events" in result.stderr, result


def the_doctor_knows():
    """`doctor` finds what works on this machine, and says so in JSON, too."""
    result = tool.run("doctor", "--json")
    document = json.loads(result.stdout)
    found = {check["name"]: check["ok"] for check in document["checks"]}
    assert found["kprobe"] == ("kprobe" in sources()) and found["tracepoint"], document
    assert not found["module"], document
    assert result.returncode == 0, result
    assert all(check["ok"] or check["fix"] for check in document["checks"]), document


def the_doctor_knows_the_module():
    """`doctor` finds the module."""
    tool.needs_module()
    with module.loaded():
        document = json.loads(tool.run("doctor", "--json").stdout)
    found = {check["name"]: check["ok"] for check in document["checks"]}
    assert found["module"] and found["device"], document


QUICK = (each_failure_is_counted, each_failure_is_a_line, a_threshold_is_crossed,
         no_details_are_lost_silently, nothing_is_left_behind, idle_takes_no_cpu,
         injected_failures_are_counted, obstacles_are_named, the_doctor_knows,
         the_doctor_knows_the_module)
SLOW = (memory_is_full, cpus_come_and_go, others_are_undisturbed, the_log_suppresses_most)

ktap.main(*QUICK, *ktap.soak((), SLOW), by_name=SLOW)
