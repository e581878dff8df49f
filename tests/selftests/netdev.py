#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: drivers
# Covers: samples/c_netdev rust/capi include/labyrinth.h
# Takes: 12 s
"""The sample c_netdev passes frames from one of its interfaces to the other, with pages from each
source, and counts each of them."""

import contextlib
import errno
import fcntl
import os
import random
import signal
import socket
import struct

from lib import drivers, ktap, metrics, module, pressure, symbols

SOURCES = ("plain", "page_pool", "labyrinth")
# An EtherType for experiments.
KIND = 0x88B5
# More frames than the driver keeps pages of for another use.
MANY = 1500
BUFFER = 64 << 20
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
SO_RCVBUFFORCE = 33


def set_up(interface, up):
    """Brings an interface up or down."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as any_socket:
        request = struct.pack("16sH14x", interface.encode(), IFF_UP if up else 0)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, request)


def need_raw_sockets():
    """Loads the module with raw sockets, if the kernel needs one."""
    try:
        socket.socket(socket.AF_PACKET, socket.SOCK_RAW).close()
        return
    except OSError as error:
        if error.errno != errno.EAFNOSUPPORT:
            raise
    # See scripts/build/raw-sockets.sh.
    if not os.path.exists(drivers.path("af_packet")):
        raise ktap.Skip("this kernel has no raw sockets (CONFIG_PACKET)")
    module.insert(drivers.path("af_packet"))


def port(interface):
    """A socket for the frames of an interface."""
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(KIND))
    raw.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
    raw.bind((interface, KIND))
    raw.settimeout(20)
    return raw


@contextlib.contextmanager
def pair(source, ports=True, **parameters):
    """Loads labyrinth and the sample for the length of a block. Yields a socket for each
    interface, if `ports` is set."""
    if source == "page_pool" and not symbols.has("page_pool_create"):
        raise ktap.Skip("this kernel has no page_pool (CONFIG_PAGE_POOL)")
    if ports:
        need_raw_sockets()
    with module.loaded():
        module.insert(drivers.path("c_netdev"), source=source, **parameters)
        try:
            # The kernel sends frames of its own if it has IPv6.
            with contextlib.suppress(FileNotFoundError):
                for name in ("lab0", "lab1"):
                    module.write(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6", 1)
            set_up("lab0", True)
            set_up("lab1", True)
            with contextlib.ExitStack() as stack:
                yield [stack.enter_context(port(name)) for name in ("lab0", "lab1") if ports]
        finally:
            with contextlib.suppress(FileNotFoundError):
                module.remove("c_netdev")
        assert metrics.Metrics().total("misuse_total") == 0, "the sample misused its pool"
        assert metrics.Metrics().pools() == ["default"], "the sample left a pool"


def each_source(case):
    """Runs a case with each source that there is. Skips it if there is none."""
    skipped = []
    for source in SOURCES:
        try:
            case(source)
        except ktap.Skip as skip:
            ktap.note(f"{source}: {skip}")
            skipped.append(skip)
    if len(skipped) == len(SOURCES):
        raise skipped[0]


def counter(name, interface="lab1"):
    """A counter of an interface."""
    return int(module.read(f"/sys/class/net/{interface}/statistics/{name}"))


def frame(number):
    """A frame for no address in particular. Each has another length and other contents."""
    size = 46 + number * 37 % 1400
    body = struct.pack("=I", number) + random.Random(number).randbytes(size - 4)
    return b"\xff" * 6 + b"\x02" + bytes(5) + struct.pack("!H", KIND) + body


def send(near, numbers):
    """Sends these frames."""
    for number in numbers:
        near.send(frame(number))


def check(far, numbers):
    """Reads these frames, which must be unharmed."""
    for number in numbers:
        got = far.recv(1 << 16)
        assert got == frame(number), f"frame {number} was damaged"


def counted(near_sent, far_got, dropped):
    """Checks that each frame was counted once."""
    assert counter("tx_packets", "lab0") == near_sent
    seen = [counter(name) for name in ("rx_packets", "rx_dropped", "rx_missed_errors")]
    assert seen == [far_got, dropped, 0], f"{seen} received, dropped and missed"


def frames_arrive():
    """All frames arrive, one by one and many at a time, and are counted."""
    def case(source):
        with pair(source, ring=1024, usecs=0) as (near, far):
            for number in range(100):
                send(near, [number])
                check(far, [number])
            # Nobody reads these at first, so the driver cannot use their pages again.
            send(near, range(MANY))
            counted(100 + MANY, 100 + MANY, 0)
            check(far, range(MANY))
            send(near, range(50))
            check(far, range(50))
            assert counter("rx_bytes") == 2 * sum(len(frame(n)) for n in range(50)) + sum(
                len(frame(n)) for n in [*range(50, 100), *range(MANY)])

    each_source(case)


def a_timer_raises_interrupts():
    """With moderated interrupts, all frames arrive, too."""
    def case(source):
        with pair(source, ring=256, usecs=200) as (near, far):
            for start in range(0, 400, 100):
                send(near, range(start, start + 100))
                check(far, range(start, start + 100))
            counted(400, 400, 0)

    each_source(case)


def a_full_ring_loses_frames():
    """While no interrupt comes, frames beyond the size of the ring are missed, and counted."""
    def case(source):
        with pair(source, ring=16, usecs=300_000) as (near, far):
            send(near, range(40))
            check(far, range(16))
            seen = [counter(name) for name in ("rx_packets", "rx_dropped", "rx_missed_errors")]
            assert seen == [16, 0, 24], f"{seen} received, dropped and missed"

    each_source(case)


def unloaded_under_traffic():
    """The sample can be unloaded while a process sends, and while the stack still has frames. They
    stay readable."""
    def case(source):
        with pair(source, ring=64, usecs=0) as (near, far):
            send(near, range(MANY))
            child = os.fork()
            if not child:
                with contextlib.suppress(OSError):
                    while True:
                        near.send(frame(0))
                os._exit(0)
            try:
                module.wait_until(lambda: counter("tx_packets", "lab0") > MANY + 100, "traffic")
                for _ in range(3):
                    for name in ("lab1", "lab0"):
                        set_up(name, False)
                        set_up(name, True)
                module.remove("c_netdev")
            finally:
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
            # Each time an interface went down, its socket has got an error.
            far.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            check(far, range(MANY))

    each_source(case)


def interfaces_go_up_and_down():
    """Interfaces can be brought up and down in any order. This needs no protocol of the kernel."""
    def case(source):
        with pair(source, ports=False):
            for name, up in (("lab1", False), ("lab0", False), ("lab0", True), ("lab0", False),
                             ("lab1", True), ("lab0", True)):
                set_up(name, up)

    each_source(case)


def failures_are_counted():
    """Without memory, frames are dropped and counted. A pool with a reserve drops none."""
    def case(source):
        with pair(source, ring=64, usecs=0, cache=0, reserve=512) as (near, far), \
                pressure.low_watermarks(), pressure.short_lists():
            metrics.wait_until_filled()
            sent = 0
            fd = os.open("/dev/labyrinth_squeeze", os.O_RDWR | os.O_CLOEXEC)
            try:
                os.write(fd, f"start 0 {1 << 20} 60000 1 0".encode())
                while True:
                    try:
                        os.write(fd, b"take")
                        break
                    except BlockingIOError:
                        pass
                for sent in range(1, 257):
                    near.send(frame(sent))
            finally:
                os.close(fd)
            dropped = counter("rx_dropped")
            counted(sent, sent - dropped, dropped)
            ktap.note(f"{source}: {dropped} of {sent} frames were dropped")
            assert (dropped == 0) == (source == "labyrinth"), f"{source}: {dropped} dropped"

    each_source(case)


ktap.main(interfaces_go_up_and_down, frames_arrive, a_timer_raises_interrupts,
          a_full_ring_loses_frames, unloaded_under_traffic, failures_are_counted)
