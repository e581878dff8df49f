# SPDX-License-Identifier: GPL-2.0
"""A pair of interfaces of the driver c_netdev. One of them, lab1, is in another network namespace,
so that packets between the two do not take the loopback device."""

import contextlib
import json
import os
import socket
import subprocess

import qstats

NEAR, FAR = "10.0.0.1", "10.0.0.2"
NAMESPACE = "far"
IN_FAR = ("ip", "netns", "exec", NAMESPACE)
# Packets of a burst that nobody has read yet.
_BUFFER = 64 << 20


def run(*command, **options):
    """Runs a program, and returns its output. An error if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120,
                          **options)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}"
                           f"{done.stderr}")
    return done.stdout


@contextlib.contextmanager
def inside():
    """Moves this thread into the namespace of lab1."""
    with open("/proc/thread-self/ns/net", "rb") as before, \
            open(f"/run/netns/{NAMESPACE}", "rb") as there:
        os.setns(there.fileno(), os.CLONE_NEWNET)
        try:
            yield
        finally:
            os.setns(before.fileno(), os.CLONE_NEWNET)


def address(interface, *inside_of):
    """The hardware address of an interface."""
    return json.loads(run("ip", *inside_of, "-j", "link", "show", interface))[0]["address"]


@contextlib.contextmanager
def pair(driver, **parameters):
    """Loads the driver, and connects the interfaces, for the length of a block."""
    run("insmod", driver, *(f"{name}={value}" for name, value in parameters.items()))
    try:
        run("ip", "netns", "add", NAMESPACE)
        try:
            _connect()
            yield
        finally:
            run("ip", "netns", "del", NAMESPACE)
            # The kernel removes the namespace later, and moves lab1 back.
            _wait_for("lab1")
    finally:
        run("rmmod", "c_netdev")


def _connect():
    run("ip", "link", "set", "lab1", "netns", NAMESPACE)
    far = ("-n", NAMESPACE)
    _without_ipv6()
    with inside():
        _without_ipv6()
    # Packets that resolve addresses could be lost, too.
    for at, interface, own, other, others in (
            ((), "lab0", NEAR, FAR, address("lab1", *far)),
            (far, "lab1", FAR, NEAR, address("lab0"))):
        run("ip", *at, "addr", "add", own + "/24", "dev", interface)
        run("ip", *at, "link", "set", interface, "up")
        run("ip", *at, "neigh", "replace", other, "lladdr", others, "dev", interface)
    run("ip", *far, "link", "set", "lo", "up")


def _without_ipv6():
    """Keeps the kernel from sending packets by itself."""
    with open("/proc/sys/net/ipv6/conf/all/disable_ipv6", "w", encoding="ascii") as f:
        f.write("1")


def _wait_for(interface):
    for _ in range(100):
        if os.path.exists(f"/sys/class/net/{interface}"):
            return
        subprocess.run(["sleep", "0.1"], check=True)
    raise RuntimeError(f"{interface} did not come back from its namespace")


def counters():
    """What the kernel says of lab1: `ip -s link`, `ethtool -S`, and the queue statistics. Also the
    datagrams that were lost because a socket had no space for them."""
    link, = json.loads(run("ip", "-n", NAMESPACE, "-s", "-s", "-j", "link", "show", "lab1"))
    received = link["stats64"]["rx"]
    own = dict(line.strip().split(": ") for line in
               run(*IN_FAR, "ethtool", "-S", "lab1").splitlines()[1:])
    with inside():
        queues = qstats.read("lab1")
    sockets = json.loads(run(*IN_FAR, "nstat", "-a", "-s", "-z", "-j"))["kernel"]
    return {"packets": received["packets"], "dropped": received["dropped"],
            "missed": received["missed_errors"], "alloc_fail": queues["rx-alloc-fail"],
            "no_page": int(own["rx_no_page"]), "no_skb": int(own["rx_no_skb"]),
            "no_space": sockets["UdpRcvbufErrors"]}


def difference(before, after):
    """The change of each counter."""
    return {name: after[name] - value for name, value in before.items()}


@contextlib.contextmanager
def sink(port):
    """A socket in the namespace of lab1 that takes all datagrams. Yields a function that reads
    them, and returns how many there were."""
    with inside():
        receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    with receiver:
        # SO_RCVBUFFORCE, which Python does not know.
        receiver.setsockopt(socket.SOL_SOCKET, 33, _BUFFER)
        receiver.bind((FAR, port))
        receiver.setblocking(False)
        buffer = bytearray(4096)

        def drain():
            read = 0
            with contextlib.suppress(BlockingIOError):
                while receiver.recv_into(buffer):
                    read += 1
            return read

        yield drain
