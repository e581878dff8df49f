#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak soak-debug
# Covers: rust/capi rust/pool
# Takes: 20 s
"""Each pool of a C module, at several orders: the blocks that it hands out, its counters and its
trace."""

import contextlib
import errno
import os
import re
import time

from lib import books, consumer, kmsg, ktap, metrics, module, pressure, tracing
from lib.consumer import pool, script

PAGE = os.sysconf("SC_PAGE_SIZE")
# The bounds that include/labyrinth.h documents.
MAX_ORDER, MAX_CACHE, MAX_RESERVE, MAX_POOLS = 10, 1024, 262_144, 1023
# In bytes, less than any part of a pool needs.
LEAST = 1024
U32, U64 = (1 << 32) - 1, (1 << 64) - 1
REALTIME = "PREEMPT_RT" in os.uname().version
# The contexts in which a script can call, with their names in reports.
CONTEXTS = {"task": "task", "spinlock": "spinlock", "softirq": "softirq", "irqs_off": "irqs_off",
            "hard_irq": "irqs_off"}
if REALTIME:
    # On PREEMPT_RT a script cannot call with interrupts off, and reports do not show a spinlock.
    CONTEXTS = {"task": "task", "spinlock": "task", "softirq": "softirq"}
NONE, CACHE, BUDDY, RESERVE, EMERGENCY = "none", "cache", "buddy", "reserve", "emergency"
# __GFP_HIGH, with which GFP_ATOMIC may use the emergency reserve.
GFP_HIGH = 0x20


@contextlib.contextmanager
def consumers(**parameters):
    """Loads labyrinth and the consumer in C for the length of a block, and pins this process to
    one CPU, whose caches a script uses."""
    affinity = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(affinity)})
    try:
        with module.loaded(**parameters), consumer.loaded(consumer.C):
            yield
    finally:
        os.sched_setaffinity(0, affinity)


def did(*steps):
    """Runs a script of (command, wanted result)."""
    got = script(*(command for command, _ in steps))
    wrong = [f"{command}: {number}, not {wanted}" for (command, wanted), number in zip(steps, got)
             if wanted is not None and number != wanted]
    assert not wrong, "; ".join(wrong)
    return got


def settled():
    """Returns the metrics once the refill thread is done; they must balance for each pool."""
    return metrics.wait_until_filled().check_pool()


def bulk_requests():
    """Requests for several blocks empty the cache to the last block, and are served beyond it.
    All levels are right at each step, and the cache is filled again."""
    full = 64 * os.cpu_count()
    for order in (0, 2):
        with consumers():
            did((pool(0, "bulk", order, cache=64, reserve=16), 0), ("prime 0 64", 0))
            settled()
            out = 0
            for count in (40, 24):
                did((f"get 0 task bulk {count}", count))
                out += count
                now = metrics.Metrics().check_pool()
                assert now.total("pool_cached", pool="bulk") == full - out
                assert now.served("cache", pool="bulk") == now.handed_out(pool="bulk") == out
            assert now.missed("cache", pool="bulk") == 0
            did(("get 0 softirq bulk 100", 100))
            now = settled()
            assert now.served("buddy", pool="bulk", context="softirq") == 100
            assert now.missed("cache", pool="bulk", context="softirq") == 100
            assert now.handed_out(pool="bulk") == 164
            # Half of the cache is refilled behind the request's back.
            module.wait_until(lambda: metrics.Metrics().total("pool_cached", pool="bulk") ==
                              full - 32, "a refill of the cache")
            did(("put 0 spinlock bulk 164", 164))
            now = settled()
            assert now.handed_out(pool="bulk") == 0
            assert now.total("pool_cached", pool="bulk") == full
            # The reserve is full, so the rest goes to the allocator.
            assert now.total("pool_released_total", pool="bulk") == 164 - 32
            did(("destroy 0", 0))


def refused_by_all_tiers():
    """If no tier can serve a bulk request, each of its blocks counts as a failed request that all
    tiers missed, in counters and in the trace, as for single requests."""
    watched = {"alloc": ("labyrinth/page_alloc", "context,source")}
    for order in (0, 3):
        with consumers(), tracing.histograms(**watched) as kernel:
            # All memory but the first megabyte is excluded, and the allocator does not have that.
            did((pool(0, "refused", order, cache=4, reserve=4, emergency=100,
                      highest=(1 << 20) - 1), 0))
            for context in CONTEXTS:
                did((f"get 0 {context} bulk 10", 0), (f"get 0 {context} single 3", 0))
            now = metrics.Metrics().check_pool()
            calls = list(CONTEXTS.values())
            for context in set(calls):
                wanted = 13 * calls.count(context)
                labels = {"pool": "refused", "context": context}
                assert now.total("pool_failures_total", **labels) == wanted, f"{order}: {context}"
                for tier in metrics.TIERS:
                    assert (now.served(tier, **labels), now.missed(tier, **labels)) \
                        == (0, wanted), f"order {order}, {context}: {tier}: not {wanted} misses"
            did(("destroy 0", 0))
            events = sum(hits for keys, hits in kernel["alloc"].entries())
            assert events == 13 * len(calls), f"order {order}: {events} events"


def one_context_at_a_time():
    """Each call is counted and traced in the context of its caller, and in no other."""
    wanted = {}
    watched = {"alloc": ("labyrinth/page_alloc", "context,pool")}
    names = ("task", "softirq", "spinlock", "irqs_off")
    with consumers(pool_cache=8), tracing.histograms(**watched) as kernel:
        did((pool(0, "contexts", cache=8, reserve=8), 0), ("prime 0 8", 0))
        settled()
        for number, (context, name) in enumerate(CONTEXTS.items()):
            before = metrics.Metrics()
            count, shared = 10 + number, 3 + number
            did((f"get 0 {context} single {count}", count), (f"get 0 {context} bulk 5", 5),
                (f"get 4 {context} single {shared}", shared), (f"put 0 {context} bulk 5", 5),
                (f"put 0 {context} single {count}", count),
                (f"put 4 {context} single {shared}", shared))
            now = settled()
            for pages, of in ((count + 5, "contexts"), (shared, "default")):
                wanted[name, of] = wanted.get((name, of), 0) + pages
                for other in names:
                    labels = {"pool": of, "context": other}
                    got = sum(now.served(tier, **labels) - before.served(tier, **labels)
                              for tier in metrics.TIERS)
                    back = sum(now.total(f"pool_{way}_total", **labels) -
                               before.total(f"pool_{way}_total", **labels)
                               for way in ("recycle_cached", "recycle_reserve", "released"))
                    assert (got, back) == ((pages, pages) if other == name else (0, 0)), \
                        f"called in {context}: {got} out and {back} back in {labels}"
        did(("destroy 0", 0))
        seen = {}
        for keys, hits in kernel["alloc"].entries():
            number, of = re.search(r"context:\s*(\d+).*pool:\s*(\S+)", keys, re.S).groups()
            name = ("task", "softirq", "spinlock", "irqs_off")[int(number)]
            seen[name, of] = seen.get((name, of), 0) + hits
    assert seen == wanted, f"traced {seen}, called {wanted}"


# A pool of each kind. Each serves requests from each tier, and has requests that fail.
TRACED = {"single": (0, 0), "pair": (1, 0), "compound": (3, 1)}


def tiers_agree_with_the_trace():
    """For every pool and order, the trace has as many events of each tier as the counters say:
    pages handed out, given back, passed from tier to tier, and filled in."""
    watched = {"alloc": ("labyrinth/page_alloc", "pool,source,order"),
               "free": ("labyrinth/page_free", "pool,to,order"),
               "step": ("labyrinth/fallback", "pool,from,to"),
               "refill": ("labyrinth/refill", "pool,tier,got")}
    with contextlib.ExitStack() as stack:
        stack.enter_context(consumers(pool_cache=8, pool_reserve=16, pool_emergency=5))
        before = settled()
        kernel = stack.enter_context(tracing.histograms(**watched))
        for slot, (name, (order, compound)) in enumerate(TRACED.items()):
            did((pool(slot, name, order, compound=compound, cache=8, reserve=16, emergency=5), 0),
                (f"prime {slot} 8", 0))
        settled()
        for slot in (0, 1, 2, consumer.SHARED):
            bulk = [] if slot == consumer.SHARED else [f"get {slot} task bulk 20"]
            # While memory is short, only pages that are given back fill the reserve.
            commands = (*bulk, f"get {slot} spinlock single 10", "marks below",
                        f"get {slot} softirq single 60", f"put {slot} softirq single 30",
                        "marks usual")
            left = sum(number for command, number in zip(commands, script(*commands))
                       if command.startswith("get")) - 30
            did((f"put {slot} task {'bulk' if bulk else 'single'} {left}", left))
        now = settled()
        seen = {name: histogram.entries() for name, histogram in kernel.items()}
        for name in (*TRACED, "default"):
            agree(name, TRACED.get(name, (0, 0))[0], before, now, seen)
        did(("destroy 0", 0), ("destroy 1", 0), ("destroy 2", 0))


def flags_of_each_tier():
    """In the trace, only pages from the allocator have flags, and only those from its emergency
    reserve have the flag that opens it."""
    watched = {"alloc": ("labyrinth/page_alloc", "source,gfp_flags")}
    flags = {tier: set() for tier in (NONE, CACHE, BUDDY, RESERVE, EMERGENCY)}
    with consumers(pool_cache=0, pool_reserve=0), tracing.histograms(**watched) as kernel:
        did((pool(0, "flags", cache=8, reserve=16, emergency=5), 0), ("prime 0 8", 0))
        settled()
        did(("get 0 task single 20", 20), ("marks below", None),
            ("get 0 softirq single 60", None), ("marks usual", 0))
        for keys, _ in kernel["alloc"].entries():
            tier, gfp = re.search(r"source:\s*(\w+).*gfp_flags:\s*(\d+)", keys, re.S).groups()
            flags[tier].add(int(gfp))
    assert flags[NONE] == flags[CACHE] == flags[RESERVE] == {0}, flags
    assert len(flags[BUDDY]) == len(flags[EMERGENCY]) == 1, flags
    assert min(flags[BUDDY]) and not min(flags[BUDDY]) & GFP_HIGH, flags
    assert min(flags[EMERGENCY]) & GFP_HIGH, flags


def agree(name, order, before, now, seen):
    """Checks the trace of one pool, which may be new, against its counters."""
    def grown(family, **labels):
        return now.total(family, pool=name, **labels) - (
            before.total(family, pool=name, **labels) if name in before.pools() else 0)

    def entries(event):
        return [(keys, hits) for keys, hits in seen[event]
                if re.search(rf"pool:\s*{name}\b", keys)]

    def word(field, keys):
        return re.search(rf"\b{field}:\s*(\w+)", keys).group(1)

    def by(event, field, wanted):
        return sum(hits for keys, hits in entries(event) if word(field, keys) == wanted)

    def filled(tier):
        return sum(int(word("got", keys)) * hits for keys, hits in entries("refill")
                   if word("tier", keys) == tier)

    requests = "pool_requests_total"
    pairs = [(f"from the {tier}", by("alloc", "source", tier),
              grown(requests, tier=tier, outcome="hit"))
             for tier in metrics.TIERS]
    pairs += [("not at all", by("alloc", "source", NONE), grown("pool_failures_total")),
              ("to the cache", by("free", "to", CACHE), grown("pool_recycle_cached_total")),
              ("to the reserve", by("free", "to", RESERVE), grown("pool_recycle_reserve_total")),
              ("to the allocator", by("free", "to", BUDDY), grown("pool_released_total")),
              ("filled into caches", filled(CACHE), grown("pool_cache_refill_pages_total")),
              ("filled into the reserve", filled(RESERVE),
               grown("pool_reserve_refill_pages_total"))]
    pairs += [(f"beyond the {tier}", by("step", "from", tier),
               grown(requests, tier=tier, outcome="miss"))
              for tier in metrics.TIERS[:2]]
    for what, theirs, mine in pairs:
        # The shared pool has no events if it was full before.
        assert theirs == mine and (theirs > 0 or name == "default"), \
            f"{name}: {what}: {theirs} in the trace, we count {mine}"
    orders = {int(word("order", keys)) for event in ("alloc", "free") for keys, _ in entries(event)}
    assert orders == {order}, f"{name}: orders {orders}"


def refills_say_what_they_did():
    """The refill event has the pages that were wanted, the pages that came, and the target."""
    watched = {"refill": ("labyrinth/refill", "wanted,got,target", 'pool == "refills"')}
    cpus = os.cpu_count()
    with consumers(pool_cache=0, pool_reserve=0), tracing.histograms(**watched) as kernel:
        did((pool(0, "refills", cache=32, reserve=100), 0))
        settled()
        did(("prime 0 10", 0), ("prime 0 17", 0), ("prime 0 17", 0), ("prime 0 100", 0))
        settled()
        events = [(*map(int, re.findall(r": +(\d+)", keys)), hits)
                  for keys, hits in kernel["refill"].entries()]
        did(("destroy 0", 0))
    # The caches hold 32 blocks, so refills with a target of 100 are for the reserve.
    cache, reserve = ([event for event in events if (event[2] == 100) == wanted]
                      for wanted in (False, True))
    assert sorted(cache) == [(7, 7, 17, cpus), (10, 10, 10, cpus), (15, 15, 32, cpus)], cache
    assert all(got <= wanted <= target == 100 for wanted, got, target, _ in reserve), reserve
    assert sum(got * hits for _, got, _, hits in reserve) == 100, reserve
    # Each refill wants the pages that are still missing.
    assert {wanted for wanted, *_ in reserve} == {64, 36}, reserve


def free_memory_is_not_charged():
    """Blocks that GFP_ATOMIC gets above the min watermark are not charged to the budget, however
    many there are."""
    for order in (0, 2):
        with consumers():
            did((pool(0, "budget", order, emergency=1), 0))
            did(("marks above", None), ("get 0 softirq single 200", 200), ("marks usual", 0),
                ("put 0 task single 200", 200))
            now = settled()
            assert now.served("emergency", pool="budget") == 200
            assert now.total("pool_emergency_pages_total", pool="budget") == 0
            did(("destroy 0", 0))


def the_budget_comes_back_with_the_memory():
    """Spent budget stays spent as long as memory is short, even if the reserve is full again.
    Then the whole budget comes back, once."""
    for order, reserve in ((0, 0), (1, 16)):
        all_of_it = reserve + 5
        with consumers(pool_cache=0, pool_reserve=0):
            did((pool(0, "budget", order, reserve=reserve, emergency=5), 0))
            settled()
            for paid in (5, 10):
                did(("marks below", None), ("get 0 softirq single 60", all_of_it),
                    # The reserve is full again, and the refill thread runs.
                    (f"put 0 task single {reserve}", reserve), ("sleep 50", 0),
                    ("get 0 task single 60", reserve), (f"put 0 task single {reserve}", reserve),
                    ("sleep 50", 0), ("get 0 spinlock single 60", reserve), ("marks usual", 0),
                    (f"put 0 task single {all_of_it}", all_of_it))
                now = settled()
                assert now.total("pool_emergency_pages_total", pool="budget") == paid
                assert now.served("emergency", pool="budget") == paid
                # The refill thread waits at most a second.
                time.sleep(1.2 if paid == 5 else 0)
            did(("destroy 0", 0))


def budget_and_reserve_are_exact():
    """All CPUs make requests at the same time, for far more blocks than there are. They get exactly
    the reserve and the budget, and all requests are counted."""
    if REALTIME:
        raise ktap.Skip("PREEMPT_RT: there is no emergency reserve in interrupts")
    if os.path.exists("/proc/lockdep_stats"):
        raise ktap.Skip("lockdep holds interrupts to the rules of PREEMPT_RT (CONFIG_PROVE_LOCKING)")
    cpus, reserve, budget = os.cpu_count(), 300, 500
    with consumers(pool_cache=0, pool_reserve=0):
        did((pool(0, "race", cache=16, reserve=reserve, emergency=budget), 0))
        settled()
        did(("marks below", None), ("race 0 1000", reserve + budget), ("marks usual", 0))
        now = settled()
        asked = 1000 * cpus
        assert now.total("pool_emergency_pages_total", pool="race") == budget
        assert now.served("reserve", pool="race") == reserve
        assert now.total("pool_failures_total", pool="race") == asked - reserve - budget
        assert now.missed("cache", pool="race") == now.missed("buddy", pool="race") == asked
        assert now.asked("cache", pool="race", context="irqs_off") == asked
        did((f"put 0 task single {reserve + budget}", reserve + budget))
        settled()
        # Do the same with the caches.
        did(("prime 0 16", 0), ("race 0 16", 16 * cpus), ("stamp 0", 16 * cpus),
            ("intact 0", 16 * cpus), (f"put 0 task bulk {16 * cpus}", 16 * cpus), ("destroy 0", 0))


def failures_are_no_pages():
    """The kernel traces a failed allocation like a successful one. `books` must not count it."""
    with books.kept() as kernel, consumers(pool_cache=0, pool_reserve=0):
        kernel.learn()
        did((pool(0, "books"), 0))
        before = kernel.read()
        did(("marks below", None), ("get 0 softirq single 60", 0), ("marks usual", 0))
        assert settled().missed("buddy", pool="books") == 60
        # The refill thread may have requested pages in the meantime.
        looked = [after - old for after, old in zip(kernel.read(), before)]
        assert looked[0] == looked[1], f"{looked[0]} allocated, {looked[1]} freed"
        did(("destroy 0", 0))


def limits_within_blocks():
    """A block is handed out if its last byte is the last that the pool reaches. A block that
    crosses the limit anywhere is not."""
    with consumers(pool_cache=0, pool_reserve=0):
        for order in (0, 1, 3):
            size = PAGE << order
            did((pool(0, "any", order), 0))
            for reach in (size, size - 1, size // 2, PAGE, 1):
                for _ in range(10):
                    # The allocator first offers the block that was freed last.
                    *_, pfn = did(("get 0 task single 1", 1), ("pfn 0", None))
                    highest = pfn * PAGE + reach - 1
                    *_, got, other = did((pool(1, "limited", order, highest=highest), 0),
                                         ("put 0 task single 1", 1), ("get 1 task single 1", None),
                                         ("pfn 1", None))
                    met = metrics.Metrics().total("pool_excluded_pages_total", pool="limited")
                    did((f"put 1 task single {got}", got), ("destroy 1", 0))
                    # Another program can have taken the block.
                    if met or other == pfn:
                        break
                assert not got or (other + (1 << order)) * PAGE - 1 <= highest, \
                    f"order {order}: page frame {other:#x} is above {highest:#x}"
                assert (other == pfn and not met) == (reach == size), \
                    f"order {order}, {reach} bytes of {pfn:#x} in reach: {other:#x}, {met} excluded"
                assert met or reach == size, f"order {order}: the block was not offered again"
            did(("destroy 0", 0))


def inner_addresses():
    """Only the first address of a block is accepted. Others are refused and counted by kind, and
    change nothing."""
    with kmsg.Provoked() as log, consumers():
        wanted = {"wrong_order": 0, "unaligned": 0}
        for order in (1, 2, 4, MAX_ORDER):
            pages = [*range(1, 1 << order)]
            if order == MAX_ORDER:
                pages = [1, 2, 511, 512, 1023]
            did((pool(0, "inner", order), 0), ("get 0 task single 1", 1), ("stamp 0", 1))
            for page in pages:
                did((f"offer 0 task {page * PAGE}", 0))
            for offset in (1, 8, PAGE - 1, (PAGE << order) - 1):
                did((f"offer 0 task {offset}", 0))
            wanted["wrong_order"] += len(pages)
            wanted["unaligned"] += 4
            now = metrics.Metrics()
            counted = {kind: now.total("misuse_total", kind=kind) for kind in wanted}
            assert counted == wanted, f"order {order}: {counted}, not {wanted}"
            assert now.total("misuse_total") == sum(wanted.values()), "and misuse of another kind"
            # The memory behind the block belongs to other users.
            did(("intact 0", 1), ("offer 0 task 0", 1), ("destroy 0", 0))
        assert len(log.errors()) == 2, log.errors()


def accepted_bounds():
    """Tries the last allowed value and the first refused value of each parameter of a pool."""
    punctuation = "Az09_-.:/"
    with kmsg.Provoked() as log, consumers():
        # Take the limit from the message, as it depends on the memory that the kernel manages.
        did((pool(0, "half", reserve=MAX_RESERVE), None))
        most = [int(match.group(1)) for text in log.errors()
                if (match := re.search(r"half of the memory: at most (\d+) pages", text))]
        # A large machine accepts the pool. Destroy it before the refill thread has filled it.
        half = {0: MAX_RESERVE}
        if most:
            half = {order: most[0] >> order for order in (0, 3, MAX_ORDER)}
        else:
            did(("destroy 0", 0))
        accepted = [pool(0, name) for name in ("a", punctuation, "x" * 31)]
        accepted += [pool(0, "order", order, compound=compound) for order in range(MAX_ORDER + 1)
                     for compound in (0, 1)]
        accepted += [pool(0, "cache", cache=MAX_CACHE), pool(0, "emergency", emergency=U32),
                     pool(0, "highest", highest=U64)]
        accepted += [pool(0, "reach", order, highest=(PAGE << order) - 1)
                     for order in (0, 1, MAX_ORDER)]
        accepted += [pool(0, "half", order, reserve=reserve) for order, reserve in half.items()]
        for command in accepted:
            did((command, 0), ("destroy 0", 0))
        refused = [(pool(0, "x" * 32), errno.EINVAL), (pool(0, "a+"), errno.EINVAL),
                   (pool(0, "order", MAX_ORDER + 1), errno.ERANGE),
                   (pool(0, "cache", cache=MAX_CACHE + 1), errno.ERANGE)]
        refused += [(pool(0, "reach", order, highest=(PAGE << order) - 2), errno.ERANGE)
                    for order in (0, 1, MAX_ORDER)]
        refused += [(pool(0, "half", order, reserve=reserve + 1), errno.ENOMEM)
                    for order, reserve in half.items() if reserve < MAX_RESERVE]
        refused += [(pool(0, "reserve", reserve=MAX_RESERVE + 1), errno.ERANGE)]
        for command, number in refused:
            did((command, -number))
        log.errors()
        # Try the bounds of requests to a pool, too.
        did((pool(0, "asked", cache=MAX_CACHE), 0), (f"prime 0 {U32}", 0))
        assert settled().total("pool_cached", pool="asked") == MAX_CACHE * os.cpu_count()
        did(("get 0 task bulk 0", 0), ("get 0 task single 0", 0), ("put 0 task bulk 0", 0),
            ("prime 0 0", 0), ("get 0 softirq bulk 3000", 3000), ("stamp 0", 3000),
            ("intact 0", 3000), ("put 0 softirq bulk 3000", 3000), ("destroy 0", 0))
        assert metrics.Metrics().total("misuse_total") == 0


def blocks_of_each_order():
    """All bytes of all blocks belong to their owner, for every order and every way to get them."""
    with consumers():
        for order in range(MAX_ORDER + 1):
            count = max(32 >> order, 2)
            did((pool(0, "order", order, compound=order % 2, cache=count // 2, reserve=1), 0),
                ("prime 0 1", 0),
                (f"get 0 softirq bulk {count}", count), (f"get 0 task single {count}", count),
                ("stamp 0", 2 * count), ("intact 0", 2 * count),
                (f"put 0 spinlock bulk {count}", count), ("intact 0", count),
                (f"put 0 task single {count}", count), (f"get 0 task single {count}", count),
                ("stamp 0", count), ("intact 0", count), (f"put 0 softirq bulk {count}", count))
            settled()
            did(("destroy 0", 0))
        assert metrics.Metrics().total("misuse_total") == 0


def nothing_is_left_of_pools():
    """Memory use does not grow, however many pools come and go."""
    kinds, times = ("Slab", "Percpu", "VmallocUsed"), 40
    with consumers():
        # The first run allocates memory that is allocated only once.
        did((f"pools {times}", times))
        before = pressure.used(*kinds)
        did((f"pools {times}", times))
        grown = [after - old for after, old in zip(pressure.used(*kinds), before)]
    ktap.note(f"after {times} more pools: " +
              ", ".join(f"{kind} {number}" for kind, number in zip(kinds, grown)))
    for kind, number in zip(kinds, grown):
        assert number < times * LEAST // 2, f"{kind} grew by {number} bytes in {times} pools"


def as_many_pools_as_there_can_be():
    """C modules can have 1023 pools, and not more. After one is destroyed, another can be made."""
    with kmsg.Provoked() as log, consumers():
        for _ in range(2):
            did((f"pools {MAX_POOLS + 1}", MAX_POOLS))
        errors = log.errors()
        assert len(errors) == 2, errors
        assert all("there are too many pools" in text for text in errors), errors
        assert metrics.Metrics().pools() == ["default"]


# This case takes long, because destroying a pool waits for its readers.
LONG = ktap.soak((), (as_many_pools_as_there_can_be,))
ktap.main(bulk_requests, refused_by_all_tiers, one_context_at_a_time, tiers_agree_with_the_trace,
          flags_of_each_tier, refills_say_what_they_did, free_memory_is_not_charged,
          the_budget_comes_back_with_the_memory, budget_and_reserve_are_exact,
          failures_are_no_pages,
          limits_within_blocks, inner_addresses, accepted_bounds, blocks_of_each_order,
          nothing_is_left_of_pools, *LONG,
          by_name=(as_many_pools_as_there_can_be,))
