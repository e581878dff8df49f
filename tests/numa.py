#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The pool's pages come from the node that was chosen, and from no other where that was asked for."""

import re
import time

from lib import ktap, metrics, module
from lib.ktap import Skip

ONLINE = "/sys/devices/system/node/online"
PAGES = 16_384


def nodes():
    """The nodes online."""
    found = set()
    for part in module.read(ONLINE).strip().split(","):
        first, _, last = part.partition("-")
        found |= set(range(int(first), int(last or first) + 1))
    return sorted(found)


def free_pages(node):
    """The free pages of a node by its zones, those on per-CPU lists among them."""
    free, here = 0, False
    for line in module.read("/proc/zoneinfo").splitlines():
        if line.startswith("Node "):
            here = line.startswith(f"Node {node}, ")
        elif here and (match := re.match(r"\s+(?:pages free\s+|count:\s+)(\d+)$", line)):
            free += int(match.group(1))
    return free


def taken(node, full, **parameters):
    """How many pages of each node a reserve of PAGES takes."""
    before = {other: free_pages(other) for other in nodes()}
    with module.loaded(pool_node=node, pool_reserve=PAGES, pool_cache=0, **parameters):
        if full:
            metrics.wait_until_filled(120).check_pool()
        else:
            # The keeper tries, in vain, every now and then.
            time.sleep(1)
            module.wait_until(module.refill_sleeps, "the keeper to give up for now")
            assert metrics.Metrics().reserved() == 0, "pages from another node"
        return {other: before[other] - free_pages(other) for other in nodes()}


def pages_come_from_the_node():
    """From each in turn; of the others come no more than what the machine uses by itself."""
    rooms = [node for node in nodes() if free_pages(node) > 2 * PAGES]
    assert rooms, f"no node has {2 * PAGES} free pages"
    for node in rooms:
        for only in (0, 1):
            used = taken(node, True, pool_node_only=only)
            ktap.note(f"node {node}, only={only}: taken {used}")
            assert used[node] > PAGES * 3 // 4, f"node {node}, only={only}: {used}"
            for other in rooms:
                assert other == node or used[other] < PAGES // 4, f"node {node}, only={only}: {used}"


def empty_node_has_no_pages():
    """Of a node without memory: others lend theirs, or with pool_node_only nobody does."""
    empty = [node for node in nodes() if free_pages(node) == 0]
    if not empty:
        raise Skip("each node has memory")
    ktap.note(f"empty: {empty} of {nodes()}")
    taken(empty[0], True, pool_node_only=0)
    taken(empty[0], False, pool_node_only=1)


ktap.main(pages_come_from_the_node, empty_node_has_no_pages)
