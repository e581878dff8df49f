# SPDX-License-Identifier: GPL-2.0
"""The requirements for network traffic. Each judgement is (name, problem), where None is no
problem."""

SOURCES = ("plain", "page_pool", "labyrinth")
WORKS = ("pktgen", "udp", "tcp", "latency")
# What instructions are counted of, and how many labyrinth may need for each that page_pool needs.
# The count of pktgen hardly varies. Those of iperf3 do, because its timers expire at other packets.
COUNTED = {"pktgen": 1, "udp": 1.01, "tcp": 1.01}
# The clean page cache must be this many times larger than a burst.
CACHE_PER_BURST = 4


def of(run, source, work=None):
    """The results of a source, and of one kind of traffic."""
    return [result for result in run["results"]
            if result["source"] == source and work in (None, result["work"])]


def least(counted, source, work):
    """The fewest instructions for each packet. The first run of all fills caches."""
    return min(instructions / packets for name, kind, instructions, packets in counted
               if (name, kind) == (source, work))


def validity(run):
    """Checks that memory was as short during the run as the experiment needs."""
    plain = of(run, "plain", "pktgen")
    easy = sum(1 for result in plain if result["dropped"] == 0)
    need = CACHE_PER_BURST * run["burst"]
    poor = [result for result in run["results"] if result["clean_cache"] < need]

    yield ("plain_drops_packets",
           None if plain and not easy else
           f"plain GFP_ATOMIC dropped nothing in {easy} of {len(plain)} bursts: the run is too "
           "easy; make WALL_BURST larger or WALL_MEMORY smaller")
    yield ("page_cache_fills_memory",
           None if not poor else
           f"{len(poor)} times there were less than {need} pages of clean page cache; make "
           "WALL_MEMORY larger or WALL_BURST smaller")


def requirements(run, counted):
    """The requirements for the driver and for labyrinth."""
    ours = of(run, "labyrinth")
    dropped = sum(result["dropped"] for result in ours)
    failed = sum(result["alloc_fail"] for result in ours)
    yield ("labyrinth_drops_nothing",
           None if ours and dropped == failed == 0 else
           f"{dropped} packets were dropped, and {failed} allocations failed")

    deepest = {source: max(result["below_min"] for result in of(run, source, "pktgen"))
               for source in SOURCES}
    yield ("labyrinth_spares_the_emergency_reserve",
           None if deepest["labyrinth"] < deepest["plain"] else
           f"{deepest['labyrinth']} pages below the min watermark, plain GFP_ATOMIC "
           f"{deepest['plain']}")

    # During other work there is always traffic, and the counters are not read at the same time.
    quiet = [result for source in SOURCES for result in of(run, source, "pktgen")]
    lost = [result for result in quiet if
            result["sent"] != result["packets"] + result["dropped"] + result["missed"]]
    yield ("each_packet_is_counted_once",
           None if not lost else f"in {len(lost)} bursts packets are missing: {lost[0]}")
    unlike = [result for result in quiet if not
              result["dropped"] == result["alloc_fail"] == result["no_page"] + result["no_skb"]]
    yield ("each_drop_is_a_failed_allocation",
           None if not unlike else f"{len(unlike)} times the counters differ: {unlike[0]}")

    for work, most in COUNTED.items():
        mine, theirs = (least(counted, source, work) for source in ("labyrinth", "page_pool"))
        yield (f"{work}_is_not_slower_than_with_page_pool",
               None if mine <= most * theirs else
               f"{mine:.0f} instructions for each packet, page_pool {theirs:.0f}")
