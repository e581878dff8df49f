#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""guest.py FOLDER BURST ROUNDS: the part of the traffic of `make wall` that runs in the guest.

labyrinth, labyrinth_lab and pktgen must be loaded. FOLDER has the driver, and the file `cache`,
larger than memory. The results go to FOLDER/traffic.json.
"""

import contextlib
import json
import os
import platform
import sys
import threading
import time

import kernel
import link
import pagecache
import work

SOURCES = ("plain", "page_pool", "labyrinth")
SLACK = pagecache.STEP // kernel.PAGE
PORT = 5000
# The hardware of the driver. Its interrupts come at once. A timer of an emulated machine can be
# late, and the ring would overflow.
RING, USECS = 1024, 0
# The traffic of iperf3 and sockperf, and the seconds between bursts of pktgen.
SECONDS, MEGABITS, WINDOW, RATE, PERIOD = 4, 20, 1 << 20, 500, 0.7


@contextlib.contextmanager
def deepest():
    """Watches how far free memory falls below the min watermark. Yields a list that the result is
    added to: the largest shortfall, in pages."""
    found, stop = [0], threading.Event()

    def watch():
        # More urgent than the sender. The file stays open, so that reading it needs no memory.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(work.PRIORITY + 2))
        with open(kernel.WALL + "memory", "rb", buffering=0) as f:
            while not stop.is_set():
                text = os.pread(f.fileno(), 4096, 0)
                found[0] = max(found[0], int(text.split(b"shortfall=")[1].split()[0]))
                time.sleep(0.004)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield found
    finally:
        stop.set()
        thread.join()


@contextlib.contextmanager
def churning(filler):
    """Reads files all the time, so that memory stays full."""
    stop = threading.Event()

    def churn():
        while not stop.is_set():
            filler.churn(pagecache.STEP)
            time.sleep(0.005)

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def measured(filler, action):
    """Fills memory, and runs some traffic. Returns its results with those of the kernel."""
    before = link.counters()
    filler.fill(SLACK)
    clean = kernel.clean_cache()
    with deepest() as shortfall:
        result = action()
    work.pause()
    return {"clean_cache": clean, "below_min": shortfall[0], **result,
            **link.difference(before, link.counters())}


@contextlib.contextmanager
def bursts(packets):
    """Sends bursts by pktgen all the time, to a process that reads each burst only afterwards."""
    stop = threading.Event()

    def send():
        with link.sink(PORT) as drain:
            while not stop.wait(PERIOD):
                work.pktgen()
                drain()

    thread = threading.Thread(target=send)
    with work.pktgen_ready(packets, PORT):
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()


def one_burst(filler, packets):
    """A burst of pktgen. Returns also how many packets a process has read."""
    with link.sink(PORT) as drain, work.pktgen_ready(packets, PORT):
        result = measured(filler, lambda: {"sent": work.pktgen()})
        result["read"] = drain()
    return result


def turn(folder, source, packets, filler):
    """All traffic with one source."""
    kernel.drop_page_cache()
    with link.pair(os.path.join(folder, "c_netdev.ko"), source=source, ring=RING, usecs=USECS,
                   reserve=packets):
        yield "pktgen", one_burst(filler, packets)
        with bursts(packets), churning(filler):
            with work.iperf3_server():
                yield "udp", measured(filler, lambda: work.udp(SECONDS, MEGABITS, WINDOW))
                yield "tcp", measured(filler, lambda: work.tcp(SECONDS, WINDOW))
            with work.sockperf_server():
                yield "latency", measured(filler, lambda: work.latency(SECONDS, RATE))


def measure(folder, packets, rounds):
    """Runs everything. Another source begins in each round."""
    kernel.shorten_cpu_lists()
    work.first_in_line()
    for name in ("rmem_max", "wmem_max", "rmem_default"):
        kernel.write(f"/proc/sys/net/core/{name}", 16 << 20)
    filler = pagecache.Filler(os.path.join(folder, "cache"))
    results = []
    for number in range(rounds):
        first = number % len(SOURCES)
        for source in SOURCES[first:] + SOURCES[:first]:
            for what, figures in turn(folder, source, packets, filler):
                print(number, source, what, figures, flush=True)
                results.append({"round": number, "source": source, "work": what, **figures})
    return {"kernel": platform.release(), "cpus": os.cpu_count(),
            "memory_kib": kernel.meminfo()["MemTotal"], "marks": kernel.memory(),
            "burst": packets, "rounds": rounds, "results": results}


def main(folder, packets, rounds):
    """Measures, and writes the results."""
    kernel.protect_myself()
    run = measure(folder, int(packets), int(rounds))
    with open(os.path.join(folder, "traffic.json"), "w", encoding="ascii") as f:
        json.dump(run, f, indent=1)


main(*sys.argv[1:])
