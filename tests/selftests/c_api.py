#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak-debug
# Covers: rust/capi include rust/pool tests/modules/consumer
# Takes: 21 s
"""Other modules use labyrinth, in C and in Rust. Some of them misuse it."""

import contextlib
import errno
import os
import re
import signal

from lib import consumer, kmsg, ktap, metrics, module, tracing

# The counts of each misuse, by kind. See tests/modules/consumer_c/.
MISUSE = {
    "double_free": {"double_free": 1},
    "double_free_in_bulk": {"double_free": 1},
    "freed_elsewhere": {"foreign": 1},
    "wrong_pool": {"wrong_pool": 1},
    "wrong_order": {"wrong_order": 1},
    "inside_block": {"wrong_order": 1},
    "unaligned": {"unaligned": 1},
    "foreign": {"foreign": 9},
    "null": {"null": 8},
    "no_pool": {"no_pool": 7},
    "default_pool": {"no_pool": 2},
    "blocks_out": {"blocks_out": 1, "no_pool": 2},
    "detached": {"foreign": 1, "null": 2, "wrong_pool": 1},
    # These call each function that sleeps once.
    "in_rcu": {"wrong_context": 3},
    "in_spinlock": {"wrong_context": 3},
    "without_preemption": {"wrong_context": 3},
    "without_bottom_halves": {"wrong_context": 3},
    "without_interrupts": {"wrong_context": 3},
    "in_softirq": {"wrong_context": 3},
    "in_interrupt": {"wrong_context": 3},
}
# The words in the report for each context that must not sleep. The words for a spinlock differ on
# PREEMPT_RT.
CONTEXTS = {
    "in_rcu": "in an RCU read-side section",
    "without_preemption": "with preemption disabled",
    "without_bottom_halves": "with bottom halves disabled",
    "without_interrupts": "with interrupts disabled",
    "in_softirq": "in a softirq",
    "in_interrupt": "in a hard interrupt",
}
KINDS = sorted({kind for counts in MISUSE.values() for kind in counts})
# The number of refused frees in a misuse, if it differs from the number of misuses.
REFUSED = {"null": 4, "detached": 3, "no_pool": 4, "default_pool": 0, "blocks_out": 0, **dict.fromkeys(
    (name for name, counts in MISUSE.items() if "wrong_context" in counts), 0)}
RACE_ROUNDS = 500
# With this many blocks, each path is taken many times.
BLOCKS = 3000
# The size of the per-CPU cache of the C consumer's pool.
CACHE = 32
SCRAPES = 60


def misuses():
    """Returns the misuse counted so far, by kind."""
    now = metrics.Metrics()
    return {kind: now.total("misuse_total", kind=kind) for kind in KINDS}


def refused(action, wanted):
    """Checks that the action fails with this errno."""
    try:
        action()
    except OSError as error:
        assert error.errno == wanted, error
        return
    raise AssertionError(f"not refused with {errno.errorcode[wanted]}")


def from_c():
    """Timers and a thread in C get blocks, unharmed, of several orders and in both forms."""
    for order, compound in ((0, 1), (1, 0), (1, 1), (3, 1)):
        with module.loaded(), consumer.loaded(consumer.C, order=order, compound=compound):
            module.write(consumer.parameter("run"), 1)
            for name in ("softirq_bulk", "softirq_blocks", "task_blocks", "spinlock_blocks",
                         "passed_on"):
                goal = BLOCKS if name.startswith("softirq") else 100
                module.wait_until(lambda n=name, g=goal: consumer.tally(n) >= g,
                                  f"{goal} {name}", 120)
            # While blocks are out, and while the consumer runs, labyrinth cannot be unloaded.
            refused(module.unload, errno.EWOULDBLOCK)
            module.write(consumer.parameter("run"), 0)
            assert consumer.tally("corruptions") == 0, "blocks were corrupted"
            assert consumer.tally("misshapen") == 0, f"{consumer.tally('misshapen')} misshapen"
            # The traffic holds few blocks, and there is enough memory.
            assert consumer.tally("failures") == 0, f"{consumer.tally('failures')} failures"
            assert not any(misuses().values()), misuses()
            check_lendings(metrics.Metrics().check_idle().check_pool())


def lendings(now, outcome="success"):
    """Returns the numbers of blocks that were lent to C, that were given back, and that were
    refused."""
    return [now.total("transfer_total", transfer=kind, outcome=outcome)
            for kind in ("into_foreign", "from_foreign")]


def check_lendings(now):
    """Checks that the blocks that the consumer in C counted were lent to it and came back.
    Nothing else lends blocks."""
    counted = sum(consumer.tally(f"{context}_blocks")
                  for context in ("softirq", "task", "spinlock"))
    assert lendings(now) == [counted, counted], f"{lendings(now)} lent and back, not {counted}"
    assert lendings(now, "failure") == [0, 0], "a block was not taken back"


def lent_first_in_an_interrupt():
    """The very first block is lent in a hard interrupt. A kernel that checks its locks would report
    a lock that sleeps on PREEMPT_RT. The block comes from a cache, because page_owner has such a
    lock."""
    with module.loaded(), consumer.loaded(consumer.C):
        *made, got, put = consumer.script(consumer.pool(0, "first", cache=8), "prime 0 8",
                                          "get 0 hard_irq one 1", "put 0 hard_irq one 1")
        assert made == [0, 0], f"{made}"
        if got == -errno.EOPNOTSUPP:
            raise ktap.Skip("no hard interrupt may allocate (CONFIG_PREEMPT_RT)")
        assert (got, put) == (1, 1), f"{got} got, {put} given back"


def within_reach():
    """All blocks are within reach of the device of a C pool, which has 24 address bits. Nearly all
    memory is beyond that."""
    with module.loaded(), consumer.loaded(consumer.C, order=1, highest=(1 << 24) - 1):
        module.write(consumer.parameter("run"), 1)
        for name in ("softirq_bulk", "softirq_blocks", "task_blocks"):
            module.wait_until(lambda n=name: consumer.tally(n) >= 100, f"100 {name}", 120)
        module.write(consumer.parameter("run"), 0)
        assert consumer.tally("misshapen") == 0, f"{consumer.tally('misshapen')} blocks too high"
        assert not any(misuses().values()), misuses()
        metrics.Metrics().check_idle()


def from_rust():
    """A Rust module uses a pool of its own, in a softirq and in task context. What it counts is
    shown, and reset, like labyrinth's own numbers, until it is unloaded."""
    with module.loaded():
        from_rust_in_labyrinth()
        left = [name for name, _ in metrics.Metrics().samples() if name.startswith(consumer.RUST)]
        assert not left, f"{left} of a driver that is not there any more"


def latencies_of_rust(context, count):
    """Checks the histogram of a context: how many latencies it has at least, and that they are
    plausible."""
    buckets = consumer.rust_latencies(context)
    assert buckets == sorted(buckets), f"{context}: not cumulative: {buckets}"
    assert buckets[-1] >= count > 0, f"{context}: {buckets[-1]} latencies, not {count}"
    # A latency of 0 s would mean that no clock was read.
    assert 0 < consumer.rust_seconds(context) < 60, f"{consumer.rust_seconds(context)} s"


def from_rust_in_labyrinth():
    """Loads the consumer in Rust, checks what it counts, and unloads it."""
    with consumer.loaded(consumer.RUST):
        module.wait_until(lambda: consumer.rust_tally("softirq_blocks") >= BLOCKS,
                          f"{BLOCKS} blocks in the softirq", 120)
        assert consumer.rust_tally("task_blocks") == 1000
        assert consumer.rust_tally("corruptions") == 0
        assert consumer.rust_tally("failures") == 0
        refused(module.unload, errno.EWOULDBLOCK)
        assert not any(misuses().values()), misuses()
        pools = metrics.Metrics().pools()
        assert "consumer_rust" in pools, f"its pool is not among {pools}"
        assert consumer.rust_latencies("task")[-1] == 1000
        latencies_of_rust("task", 1000)
        latencies_of_rust("softirq", consumer.rust_latencies("softirq")[-1])
        # A reset reaches its numbers, too.
        module.write(module.file("reset"), 1)
        assert consumer.rust_tally("task_blocks") == 0
        assert consumer.rust_latencies("task")[-1] == 0
        assert consumer.rust_seconds("task") == 0
        module.wait_until(lambda: consumer.rust_tally("softirq_blocks") > 0, "blocks again", 20)


def both_at_once():
    """Modules in C and in Rust and the exercises share the machine."""
    with module.loaded(), consumer.loaded(consumer.C), consumer.loaded(consumer.RUST), \
            module.running(*module.CONTEXTS, period_us=2000, batch=16):
        module.write(consumer.parameter("run"), 1)
        module.wait_until(lambda: consumer.tally("softirq_blocks") >= BLOCKS, "blocks in C", 120)
        module.wait_until(lambda: consumer.rust_tally("softirq_blocks") >= BLOCKS,
                          "blocks in Rust", 120)
        module.write(consumer.parameter("run"), 0)
        assert consumer.tally("corruptions") == consumer.rust_tally("corruptions") == 0
        assert not any(misuses().values()), misuses()
        metrics.Metrics().check()


def check_report(errors, kind):
    """Checks that there is one report of this kind, which names it and its caller."""
    found = [text for text in errors if f"misuse of the C interface: {kind}: " in text]
    assert len(found) == 1, f"{kind} was reported {len(found)} times: {errors}"
    assert f"[{consumer.C}]" in found[0], f"no caller: {found[0]}"


def misuse_is_noticed():
    """Each misuse is counted exactly, is reported once, harms nobody, and changes no other
    count."""
    for name, counts in MISUSE.items():
        with kmsg.Provoked() as log, module.loaded(), consumer.loaded(consumer.C):
            for times in (1, 2):
                consumer.misuse(name)
                wanted = {kind: times * counts.get(kind, 0) for kind in KINDS}
                assert misuses() == wanted, f"{name}, {times}: {misuses()}, not {wanted}"
                refused_frees = times * REFUSED.get(name, sum(counts.values()))
                failures = lendings(metrics.Metrics(), "failure")
                assert failures == [0, refused_frees], f"{name}: {failures} not returned"
            # The pool still works.
            module.write(consumer.parameter("run"), 1)
            module.wait_until(lambda: consumer.tally("softirq_blocks") >= 100, "blocks", 60)
            module.write(consumer.parameter("run"), 0)
            assert consumer.tally("corruptions") == 0
            assert misuses() == wanted, f"{name}: traffic counted as misuse"
            errors = log.errors()
        for kind in counts:
            check_report(errors, kind)
        assert len(errors) == len(counts), f"{name}: more than the reports: {errors}"


def the_default_pool_stays():
    """A module that guesses the handle of the shared pool cannot destroy the pool, and the log
    says why."""
    with kmsg.Provoked() as log, module.loaded(), consumer.loaded(consumer.C):
        consumer.misuse("default_pool")
        errors = log.errors()
        check_report(errors, "no_pool")
        assert "a pool is labyrinth's own" in errors[0], errors


def where_sleeping_is_forbidden():
    """Checks the report of a function that sleeps, for each context that may not sleep.
    Afterwards the consumer uses the pool that it tried to destroy."""
    for name, context in CONTEXTS.items():
        with kmsg.Provoked() as log, module.loaded(), consumer.loaded(consumer.C):
            consumer.misuse(name)
            errors = log.errors()
        assert len(errors) == 1, errors
        wanted = f"wrong_context: labyrinth_pool_create() sleeps, and was called {context}; "
        assert wanted in errors[0], f"{name}: {errors[0]}"


def pools_come_and_go():
    """Each read of metrics has the same pools in all families, each once."""
    seen = set()
    with kmsg.Provoked() as log, module.loaded(), consumer.loaded(consumer.C):
        child = os.fork()
        if child == 0:
            try:
                while True:
                    consumer.misuse("wrong_pool")
            finally:
                os._exit(1)
        try:
            for _ in range(SCRAPES):
                families = {}
                for name, labels in metrics.Metrics().samples():
                    if name.startswith("pool_"):
                        families.setdefault(name, set()).add(dict(labels)["pool"])
                found = {frozenset(pools) for pools in families.values()}
                assert len(found) == 1, f"pools within one read: {[*map(sorted, found)]}"
                seen |= found
            assert os.waitpid(child, os.WNOHANG) == (0, 0), "the consumer failed"
        finally:
            os.kill(child, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(child, 0)
        check_report(log.errors(), "wrong_pool")
    ktap.note(f"pools at different reads: {sorted(map(sorted, seen))}")
    assert len(seen) > 1, "the pools did not change"


def shrunk_by_the_page():
    """The shrinker counts a block of 8 pages as 8, both when it counts and when it frees."""
    event = "vmscan/mm_shrink_slab_"
    with module.loaded(pool_cache=0), consumer.loaded(consumer.C, order=3), \
            tracing.histograms(there=(event + "start", "shrink.sym,cache_items"),
                               freed=(event + "end", "shrink.sym,retval")) as histograms:

        def most(name):
            """Returns the largest number in a histogram, whose numbers are all of whole blocks."""
            numbers = [int(re.search(r"(?:cache_items|retval):\s*(-?\d+)", keys).group(1))
                       for keys, _ in histograms[name].entries()
                       if f"[{module.NAME}]" in keys]
            histograms[name].go_on()
            assert all(number % 8 == 0 for number in numbers), f"{name}: parts of blocks: {numbers}"
            return max(numbers, default=0)

        def shrunk():
            module.write("/proc/sys/vm/drop_caches", 2)
            # More pages than the caches can hold blocks.
            return min(most("there"), most("freed")) > CACHE * os.cpu_count()

        module.write(consumer.parameter("run"), 1)
        module.wait_until(shrunk, "blocks of the consumer to be given back", 60)
        module.write(consumer.parameter("run"), 0)
        assert consumer.tally("corruptions") == 0


def two_frees_at_once():
    """If two CPUs give back the same block at the same time, one of them is refused, each time."""
    with kmsg.Provoked() as log, module.loaded(), consumer.loaded(consumer.C):
        consumer.misuse("race")
        counts = misuses()
        assert counts == {kind: RACE_ROUNDS if kind == "double_free" else 0 for kind in KINDS}, \
            counts
        check_report(log.errors(), "double_free")
        metrics.Metrics().check_idle()


def bad_parameters():
    """Wrong parameters of a pool are refused, with a reason in the log."""
    with kmsg.Provoked() as log, module.loaded(), consumer.loaded(consumer.C):
        consumer.misuse("bad_parameters")
        errors = log.errors()
        assert not any(misuses().values()), misuses()
    wanted = ("needs parameters", "needs a name", "not ''", "'a name with blanks'",
              "0123456789012345678901234567890x", "order=11 is out of bounds: 0 to 10",
              "cache=4294967295 is out", "reserve=4294967295 is out",
              "there is a pool 'default' already",
              "268435456 pages (262144 blocks of order 10) is more than half of the memory",
              "highest=8190 is out of bounds: 0, or 8191 or more")
    assert len(errors) == len(wanted), errors
    for part, text in zip(wanted, errors):
        assert part in text, f"{text!r} does not say {part!r}"
    refused_names()


def refused_names():
    """The consumer itself refuses names that it does not know."""
    with module.loaded(), consumer.loaded(consumer.C):
        refused(lambda: consumer.misuse("no such misuse"), errno.EINVAL)


def forgotten_pool():
    """A pool that its module left behind is reported at unload."""
    with kmsg.Provoked() as log:
        with module.loaded():
            with consumer.loaded(consumer.C):
                consumer.misuse("forgotten")
        assert log.errors() == ["labyrinth: pool 'forgotten' was never destroyed"], log.errors()


ktap.main(from_c, lent_first_in_an_interrupt, within_reach, from_rust, both_at_once,
          misuse_is_noticed, the_default_pool_stays, pools_come_and_go, shrunk_by_the_page,
          two_frees_at_once, bad_parameters, forgotten_pool, where_sleeping_is_forbidden)
