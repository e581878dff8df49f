# SPDX-License-Identifier: GPL-2.0
"""Traffic by tools that people know: pktgen, iperf3 and sockperf. All of it goes from lab0 to
lab1."""

import contextlib
import json
import os
import re
import signal
import subprocess
import time

import link

PKTGEN = "/proc/net/pktgen/"
SIZE = 1400
# pktgen has a higher priority than processes and the kernel's threads, as another machine would
# not wait for them. The softirq, which receives, has a higher one.
PRIORITY = 50


def _write(path, text):
    with open(path, "wb", buffering=0) as f:
        f.write(text.encode())


def first_in_line():
    """Lets tasks of real-time priority run for any time."""
    _write("/proc/sys/kernel/sched_rt_runtime_us", "-1")
    share = "/sys/kernel/debug/sched/fair_server/cpu0/runtime"
    if os.path.exists(share):
        _write(share, "0")


    _set_priority("kpktgend_0", PRIORITY)
    _set_priority("ksoftirqd/0", PRIORITY + 1)


def _set_priority(thread, priority):
    for pid in filter(str.isdecimal, os.listdir("/proc")):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError), \
                open(f"/proc/{pid}/comm", encoding="ascii") as f:
            if f.read() == thread + "\n":
                return os.sched_setscheduler(int(pid), os.SCHED_FIFO, os.sched_param(priority))
    raise RuntimeError(f"there is no thread {thread}")


@contextlib.contextmanager
def pktgen_ready(packets, port):
    """Sets up pktgen for bursts of datagrams, for the length of a block."""
    _write(PKTGEN + "kpktgend_0", "rem_device_all")
    _write(PKTGEN + "kpktgend_0", "add_device lab0")
    for command in (f"count {packets}", "delay 0", "clone_skb 0", f"pkt_size {SIZE}",
                    f"dst {link.FAR}", f"dst_mac {link.address('lab1', '-n', link.NAMESPACE)}",
                    f"udp_dst_min {port}", f"udp_dst_max {port}"):
        _write(PKTGEN + "lab0", command)
    try:
        yield
    finally:
        _write(PKTGEN + "kpktgend_0", "rem_device_all")


def pktgen():
    """Sends a burst as fast as possible. Returns how many packets were sent."""
    # This returns when all are sent.
    _write(PKTGEN + "pgctrl", "start")
    with open(PKTGEN + "lab0", encoding="ascii") as f:
        text = f.read()
    return int(re.search(r"pkts-sofar: (\d+)", text).group(1))


@contextlib.contextmanager
def server(*command, ready):
    """Runs a server in the namespace of lab1. `ready` is a line of its output."""
    with subprocess.Popen(link.IN_FAR + command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True) as process:
        try:
            for line in process.stdout:
                if ready in line:
                    break
            else:
                raise RuntimeError(f"{command} has ended")
            yield
        finally:
            process.send_signal(signal.SIGKILL)


def iperf3(*options):
    """A run of iperf3. Returns the end of its report. The server must be running."""
    report = json.loads(link.run("iperf3", "-c", link.FAR, "-J", *options))
    if "error" in report:
        raise RuntimeError(f"iperf3: {report['error']}")
    return report["end"]


def iperf3_server():
    """Runs the server of iperf3."""
    return server("iperf3", "-s", "--forceflush", ready="Server listening")


def udp(seconds, megabits, window):
    """Datagrams by iperf3. Returns what arrived in Mbit/s, and how many were lost."""
    end = iperf3("-u", "-b", f"{megabits}M", "-l", str(SIZE), "-t", str(seconds),
                 "-w", str(window))
    return {"mbits": end["sum_received"]["bits_per_second"] / 1e6,
            "sent": end["sum"]["packets"], "lost": end["sum"]["lost_packets"]}


def tcp(seconds, window):
    """A stream by iperf3. Returns what arrived in Mbit/s, and the segments that were sent again."""
    end = iperf3("-t", str(seconds), "-w", str(window))
    return {"mbits": end["sum_received"]["bits_per_second"] / 1e6,
            "retransmits": end["sum_sent"]["retransmits"]}


def sockperf_server():
    """Runs the server of sockperf."""
    return server("sockperf", "server", "-i", link.FAR, ready="using recv")


def latency(seconds, rate):
    """Requests by sockperf, at a rate, each with a reply. Returns their latencies in microseconds:
    half of the time from a request to its reply."""
    text = link.run("sockperf", "under-load", "-i", link.FAR, "-t", str(seconds), "-m", "512",
                    "--mps", str(rate), "--reply-every", "1")

    def found(pattern):
        return float(re.search(pattern, text).group(1))

    return {"p50_us": found(r"percentile 50\.000 = +([\d.]+)"),
            "p99_us": found(r"percentile 99\.000 = +([\d.]+)"),
            "lost": int(found(r"# dropped messages = (\d+)"))}


def pause():
    """Lets the receivers, and the kernel's threads, finish."""
    time.sleep(0.3)
