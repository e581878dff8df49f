#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: numa
# Covers: rust/pool
# Takes: 30 s
"""The pool's pages come from the chosen node, and with pool_node_only from no other node."""

import re
import time

from lib import handed, ktap, metrics, module
from lib.ktap import Skip

ONLINE = "/sys/devices/system/node/online"
PAGES = 16_384


def nodes():
    """Returns the online nodes."""
    found = set()
    for part in module.read(ONLINE).strip().split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return sorted(found)


def free_pages(node):
    """Returns the free pages of a node by its zones, including those on per-CPU lists."""
    free, here = 0, False
    for line in module.read("/proc/zoneinfo").splitlines():
        if line.startswith("Node "):
            here = line.startswith(f"Node {node}, ")
        elif here and (match := re.match(r"\s+(?:pages free\s+|count:\s+)(\d+)$", line)):
            free += int(match.group(1))
    return free


def taken(node, full, **parameters):
    """Returns how many pages of each node a reserve of PAGES takes."""
    before = {other: free_pages(other) for other in nodes()}
    with module.loaded(pool_node=node, pool_reserve=PAGES, pool_cache=0, **parameters):
        if full:
            metrics.wait_until_filled(120).check_pool()
        else:
            # The refill thread tries now and then, in vain.
            time.sleep(1)
            module.wait_until(module.refill_sleeps, "the refill thread to sleep")
            assert metrics.Metrics().reserved() == 0, "pages from another node"
        return {other: before[other] - free_pages(other) for other in nodes()}


def pages_come_from_the_node():
    """Pages come from each node in turn. The others lose no more than what the machine uses by
    itself."""
    # The first load reads the file of the module into the page cache, on any node.
    with module.loaded():
        pass
    tiers = [node for node in nodes() if free_pages(node) > 2 * PAGES]
    assert tiers, f"no node has {2 * PAGES} free pages"
    for node in tiers:
        for only in (0, 1):
            used = taken(node, True, pool_node_only=only)
            ktap.note(f"node {node}, only={only}: taken {used}")
            assert used[node] > PAGES * 3 // 4, f"node {node}, only={only}: {used}"
            for other in tiers:
                assert other == node or used[other] < PAGES // 4, f"node {node}, only={only}: {used}"


def empty_node():
    """Returns a node without memory."""
    empty = [node for node in nodes() if free_pages(node) == 0]
    if not empty:
        raise Skip("each node has memory")
    ktap.note(f"empty: {empty} of {nodes()}")
    return empty[0]


def empty_node_has_no_pages():
    """A pool of a node without memory gets pages of other nodes, or with pool_node_only none."""
    node = empty_node()
    taken(node, True, pool_node_only=0)
    taken(node, False, pool_node_only=1)


def frames_of(node):
    """Returns the page frames of a node's zones, as ranges."""
    text = re.search(rf"^Node {node}, zone.*?(?=^Node (?!{node},)|\Z)",
                     module.read("/proc/zoneinfo"), re.M | re.S).group()
    found = re.findall(r"spanned +(\d+)$.*?start_pfn: +(\d+)$", text, re.M | re.S)
    return [range(int(start), int(start) + int(pages)) for pages, start in found if int(pages)]


def excluded_node_has_no_pages():
    """No page of an excluded node is handed out, although the allocator offers them first to
    requests on its CPU. Requests on other CPUs are served."""
    tiers = [node for node in nodes() if free_pages(node) > 2 * PAGES]
    if len(tiers) < 2:
        raise Skip(f"only nodes {tiers} have memory")
    for node in tiers:
        ranges = frames_of(node)
        found, excluded = handed.handed_with(pool_excluded_nodes=1 << node)
        wrong = [pfn for pfn in found.all() if any(pfn in frames for frames in ranges)]
        assert not wrong, f"node {node}: {len(wrong)} of its pages, such as {wrong[:5]}"
        assert excluded > 0, f"node {node}: nothing of it was ever offered"


def no_context_gets_pages_of_another_node():
    """With pool_node_only and a node without memory, requests fail in every context. They do so
    even if an exercise holds a batch from the allocator when it switches to the pool; that batch
    does not go to the pool."""
    with module.loaded(pool_node=empty_node(), pool_node_only=1, pool_reserve=64):
        for context in module.CONTEXTS:
            module.start(context, batch=16, hold_us=1_000_000)
            module.wait_until(lambda: metrics.Metrics().in_flight() > 0, f"pages of {context}")
            module.tune(context, pool=1)
            metrics.wait_for_cycles(context, 4)
            module.stop(context)
        now = metrics.Metrics().check_idle().check_pool()
    for kind in ("softirq", "spinlock", "task", "irqs_off"):
        served = {tier: now.served(tier, context=kind) for tier in metrics.TIERS}
        assert not any(served.values()), f"{kind}: {served}"
        assert now.missed("reserve", context=kind) > 0, f"{kind}: the pool was not asked"


ktap.main(pages_come_from_the_node, empty_node_has_no_pages, excluded_node_has_no_pages,
          no_context_gets_pages_of_another_node)
