#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak-debug
# Covers: rust/page/transfer/guarded.rs rust/page/sentinel.rs
# Covers: rust/page/transfer/canary.rs tests/modules/overrun
# Takes: 19 s
"""Every write beside the payload of a guarded page is detected, and reported exactly."""

import contextlib
import os
import random
import re

from lib import consumer, exercises, kmsg, ktap, metrics, module, tracing

OVERRUN = "labyrinth_overrun"
PAGE, GUARD = os.sysconf("SC_PAGE_SIZE"), 64
# The offsets of all bytes of both guards.
OFFSETS = [*range(GUARD), *range(PAGE - GUARD, PAGE)]
# The number of reports that the module keeps.
KEPT = 64
# For each exercise, the context in which it holds pages, as reports name it, and its number of
# holders.
HOLDERS = {name: (shape.context, shape.batches * os.cpu_count())
           for name, shape in exercises.SHAPES.items()}
WRITERS = ("task", "spinlock", "softirq", "hard_irq")
# This is long enough to write to all pages.
HOLD_US = 4_000_000
# Whether the kernel has PREEMPT_RT.
REALTIME = "PREEMPT_RT" in os.uname().version
# This is longer than any test takes.
LONG_US = 10_000_000
# More reports than are kept, and more than are printed.
MANY = 200

_REPORT = re.compile(
    r"number=(?P<number>\d+) pfn=0x(?P<pfn>[0-9a-f]+) order=(?P<order>\d+) offset=(?P<offset>\d+) "
    r"wrong=(?P<wrong>\d+) expected=(?P<expected>[0-9a-f]+) found=(?P<found>[0-9a-f]+) "
    r"holder=(?P<holder>\w+) age_ns=(?P<age_ns>\d+) times=(?P<times>\d+) noticed=(?P<noticed>\w+)")


class Report:
    """One line of a report."""

    def __init__(self, line):
        match = _REPORT.fullmatch(line)
        assert match, f"no report: {line!r}"
        fields = match.groupdict()
        self.holder, self.noticed = fields["holder"], fields["noticed"]
        self.pfn = int(fields["pfn"], 16)
        self.expected = bytes.fromhex(fields["expected"])
        self.found = bytes.fromhex(fields["found"])
        for name in ("number", "order", "offset", "wrong", "age_ns", "times"):
            setattr(self, name, int(fields[name]))


def lines():
    """Returns the reports in the file."""
    head, *reports = module.read(module.file("corruption")).splitlines()
    assert re.fullmatch(r"damaged guards since the module was loaded: \d+", head), head
    return reports


def damaged(**labels):
    """Returns how many damaged guards there were so far."""
    return metrics.Metrics().total("guard_corruptions_total", **labels)


def overrun(writer, pfn, offset, mask):
    """Changes bits of one byte."""
    module.write(f"/sys/module/{OVERRUN}/parameters/write", f"{writer} {pfn:x} {offset} {mask:x}")


@contextlib.contextmanager
def exercise(**parameters):
    """Loads labyrinth, and the test module that overwrites guards."""
    with module.loaded(**parameters), consumer.loaded(OVERRUN):
        yield


@contextlib.contextmanager
def holding(holder, pages, hold_us=LONG_US, **settings):
    """Runs an exercise that holds guarded pages, and gives the page frame numbers of about so
    many."""
    holders = HOLDERS[holder][1]
    batch = max(pages // holders, 1)
    settings = {"guard": 1, "period_us": 100_000, "batch": batch, "hold_us": hold_us, **settings}
    with tracing.histograms(allocated=("labyrinth/page_alloc", "pfn.hex", "pfn != 0")) as histograms:
        with module.running(holder, **settings):
            def asked():
                now = metrics.Metrics()
                return now.allocated(context=holder) + now.failed(context=holder)

            module.wait_until(lambda: asked() >= batch * holders, f"the pages of {holder}")
            # Prevent another batch after this one.
            module.tune(holder, period_us=LONG_US)
            found = histograms["allocated"].entries()
            pfns = [int(re.search(r"pfn:\s*([0-9a-f]+)", keys).group(1), 16) for keys, _ in found]
            assert len(pfns) == metrics.Metrics().in_flight(), "not all pages are known"
            yield pfns


def overruns_of(rng, holder, offsets, expires):
    """Changes one byte of each of this many pages, which are held until the time is over or the
    exercise is stopped. Returns the occasions that the reports name."""
    planted = {}
    with exercise(sentinel=0):
        # Pages that go back to the pool are handed over. Pages that are freed are dropped.
        with holding(holder, KEPT, HOLD_US if expires else LONG_US, pool=int(expires)) as pfns:
            for pfn, (offset, writer) in zip(pfns, offsets):
                planted[pfn] = (offset, rng.randrange(1, 256))
                overrun(writer, pfn, *planted[pfn])
            assert damaged() == 0, "noticed before anybody has looked"
            if expires:
                module.wait_until(lambda: metrics.Metrics().in_flight() == 0, "the end")
        reports = [Report(line) for line in lines()]
        assert damaged(context=HOLDERS[holder][0]) == damaged() == len(planted), \
            f"{damaged()} of {len(planted)} were noticed"
        now = metrics.Metrics()
        assert now.total("guard_corruption_bytes_total") == len(planted)
        guarded, checked, failed = (
            now.total("transfer_total", transfer=kind, outcome=outcome) for kind, outcome in
            (("guard", "success"), ("sentinel_check", "success"), ("sentinel_check", "failure")))
        assert failed == len(planted), f"{failed} checks failed"
        assert guarded == now.allocated() == checked + failed, "not each page was looked at once"
        assert f"damaged guards {len(planted)}, bytes in them {len(planted)}, policy count" in \
            module.read(module.file("stats"))
        metrics.Metrics().check_idle()
    assert [report.number for report in reports] == [*range(1, len(planted) + 1)]
    for report in reports:
        offset, mask = planted.pop(report.pfn)
        assert (report.offset, report.wrong, report.order) == (offset, 1, 0), vars(report)
        assert [e ^ f for e, f in zip(report.expected, report.found, strict=True)] == [mask]
        assert report.holder == HOLDERS[holder][0], vars(report)
        assert 0 < report.age_ns < 60 * 10**9 and report.times == 1, vars(report)
        if expires:
            assert report.noticed == "transfer" and report.age_ns >= HOLD_US * 1000, vars(report)
        assert report.noticed in ("transfer", "drop")
    assert not planted, f"not reported: {planted}"
    return {report.noticed for report in reports}


def every_overrun_is_reported():
    """A write to any byte of either guard is reported, whichever context holds the page and
    whichever writes."""
    seed = int.from_bytes(os.urandom(4), "little")
    ktap.note(f"seed {seed}")
    rng = random.Random(seed)
    for number, holder in enumerate(HOLDERS):
        # Over all holders, each byte is written by each writer.
        rest = [(offset, WRITERS[(offset + number) % len(WRITERS)]) for offset in OFFSETS]
        rng.shuffle(rest)
        noticed, expires = set(), True
        pages = KEPT // HOLDERS[holder][1] * HOLDERS[holder][1]
        while rest:
            noticed |= overruns_of(rng, holder, rest[:pages], expires)
            del rest[:pages]
            expires = False
        # On PREEMPT_RT, hard interrupts hand the pages that they free to a thread.
        wanted = {"transfer"} if REALTIME and holder == "hard_irq" else {"transfer", "drop"}
        assert noticed == wanted, f"{holder}: {noticed}"


def longer_overruns():
    """An overrun of several bytes is one report. Overruns at both ends are two."""
    with exercise(sentinel=0):
        with holding("timer_softirq", 4 * os.cpu_count()) as pfns:
            long, both, apart = pfns[:3]
            for offset in range(PAGE - GUARD, PAGE - GUARD + 20):
                overrun("task", long, offset, 0xff)
            for offset in (GUARD - 1, PAGE - GUARD):
                overrun("task", both, offset, 1)
            for offset in (3, 10, 60):
                overrun("task", apart, offset, 0x80)
        reports = {}
        for line in lines():
            report = Report(line)
            reports.setdefault(report.pfn, []).append(report)
        assert damaged() == 4 and metrics.Metrics().total("guard_corruption_bytes_total") == 25
    assert set(reports) == {long, both, apart}, reports
    [one] = reports[long]
    assert (one.offset, one.wrong, len(one.found)) == (PAGE - GUARD, 20, 16), vars(one)
    assert [e ^ f for e, f in zip(one.expected, one.found)] == [0xff] * 16
    assert [(r.offset, r.wrong, r.times) for r in reports[both]] == \
        [(GUARD - 1, 1, 1), (PAGE - GUARD, 1, 2)]
    [one] = reports[apart]
    changed = [i for i, (e, f) in enumerate(zip(one.expected, one.found)) if e != f]
    assert (one.offset, one.wrong, changed) == (3, 3, [0, 7]), vars(one)


def payload_is_no_guard():
    """The bytes next to the guards belong to the holder."""
    with exercise(sentinel=0):
        with holding("spinlock", 2, HOLD_US) as pfns:
            # The exercise itself checks the first page.
            overrun("task", pfns[0], GUARD, 1)
            overrun("task", pfns[1], PAGE - GUARD - 1, 1)
            module.wait_until(lambda: metrics.Metrics().in_flight() == 0, "the end")
        assert damaged() == 0, lines()
        assert metrics.Metrics().total("exercise_corruptions_total") == 1


def nobody_is_accused():
    """Correct code causes no report: guarded pages in all contexts, from the allocator and from
    the pool, beside plain pages."""
    with module.loaded(sentinel=1):
        for pool in (0, 1):
            with module.running(*module.CONTEXTS, guard=1, pool=pool, period_us=2000, batch=32):
                for guard in (1, 0, 1):
                    for context in module.CONTEXTS:
                        module.tune(context, guard=guard)
                    for context in module.CONTEXTS:
                        metrics.wait_for_cycles(context, 5)
        metrics.Metrics().check_idle()
        assert damaged() == 0 and lines() == [], lines()


def counts_lose_nothing():
    """If many guards are damaged at once, all are counted, the last reports are kept, and the log
    is not flooded."""
    for policy in (0, 1):
        with kmsg.Provoked() as log, exercise(sentinel=policy):
            with holding("timer_softirq", MANY) as pfns:
                for pfn in pfns:
                    overrun("task", pfn, PAGE - 1, 2)
            assert damaged() == len(pfns) > KEPT, f"{damaged()} of {len(pfns)}"
            kept = lines()
            numbers = [Report(line).number for line in kept]
            assert numbers == [*range(len(pfns) - KEPT + 1, len(pfns) + 1)], numbers
            last = [line for line in module.read(module.file("stats")).splitlines()
                    if line.startswith("last: ")]
            assert last == [f"last: {kept[-1]}"], last
            errors = log.errors()
        printed = [text.removeprefix("labyrinth: guard damaged: ") for text in errors]
        if policy == 0:
            assert not printed, printed
        else:
            ktap.note(f"{len(printed)} of {len(pfns)} printed")
            assert 0 < len(printed) < len(pfns) / 2, f"{len(printed)} lines"
            for line in printed:
                report = Report(line)
                assert report.number > len(pfns) - KEPT and line in kept or report.pfn in pfns


def policy_can_be_changed():
    """The policy can be changed by the file, as by the parameter. Other values are refused."""
    with module.loaded(sentinel=2):
        assert module.read(module.file("sentinel")) == "2\n"
        for policy, name in enumerate(("count", "warn", "panic")):
            module.write(module.file("sentinel"), policy)
            assert metrics.Metrics().total("sentinel") == policy
            assert f"policy {name}" in module.read(module.file("stats"))
    with module.loaded():
        assert module.read(module.file("sentinel")) == "1\n", "the default is to warn"


def machine_stops():
    """The third policy stops the machine. tests/runner checks its console."""
    with exercise(sentinel=2):
        with holding("timer_softirq", 1) as pfns:
            overrun("task", pfns[0], PAGE - 1, 2)
    raise AssertionError("the machine goes on")


ktap.main(every_overrun_is_reported, longer_overruns, payload_is_no_guard, nobody_is_accused,
          counts_lose_nothing, policy_can_be_changed, by_name=(machine_stops,))
