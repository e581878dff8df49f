#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: numa edu
# Covers: rust/page/transfer/dma rust/ffi/mm/dma rust/ffi/pci rust/ffi/irq/mod.rs samples/rust_dma
# Takes: 40 s
"""A real device owns pages: QEMU's edu, whose driver allocates pages in its interrupt."""

import concurrent.futures
import contextlib
import errno
import os
import re

from lib import edu, hwpoison, kmsg, ktap, module, tracing
from lib.ktap import Skip

# PREEMPT_RT runs interrupt handlers in threads. Other kernels do so if they are told to.
THREADED = "PREEMPT_RT" in os.uname().version or "threadirqs" in module.read("/proc/cmdline").split()
IN_INTERRUPT = "irq_forced_thread_fn" if THREADED else "handle_irq_event"
IN_SOFTIRQ = "bh_worker"
# Blocks of all orders; each is one event.
PAGES = {
    "alloc": ("kmem/mm_page_alloc", "common_stacktrace", tracing.SERVED),
    "free": ("kmem/mm_page_free", "common_stacktrace"),
}
# The stack of a call to labyrinth by the driver. For a free, the stack ends in labyrinth, or in a
# function that labyrinth_free_pages() calls. Other functions that the driver calls, such as
# free_irq(), can free pages, too. An address without a name is in an unloaded module.
BY_LABYRINTH = r"(?:\s+\S+ \[labyrinth\])+\s+(0x[0-9a-f]+)$"
CALLS = {"alloc": re.compile(r"\b_*alloc_pages(?:_node)?_noprof\+\S+" + BY_LABYRINTH, re.M),
         "free": re.compile(r"(?:stacktrace:|\b_*free_\w*pages?\w*\+0x\S+)" + BY_LABYRINTH, re.M)}
# The same while the driver is loaded, and its addresses have names.
OURS = {name: re.compile(call.pattern.replace("(0x[0-9a-f]+)$", rf"\S+ \[{edu.NAME}\]"), re.M)
        for name, call in CALLS.items()}
# These filters leave out most events of other code. Few other allocations use __GFP_HIGH. The
# driver frees in hard interrupts, in softirqs, or in threads with softirqs disabled, which the
# flags of an event show; see trace_flag_type in the kernel.
ATOMIC = "gfp_flags & 0x20"
INTERRUPTED = "common_flags & 0x98"
# The messages of the IOMMU about an access that it has stopped.
FAULTS = re.compile(r"DMAR: DRHD: handling fault status reg|"
                    r"DMAR: \[DMA (Read|Write) .*\] Request device \[([0-9a-f:.]+)\] fault addr")
# The kernel's message about a driver that refuses its device.
FAILED = re.compile(rf"{edu.NAME} (\S+): probe with driver {edu.NAME} failed with error (-\d+)")
ALL_BITS = 32
TURNS = 2


def bits():
    """Returns how many address bits the driver declares. With an IOMMU that is the default of
    QEMU's device. Without one it is all bits, as the test machine's devices are configured: they
    could not reach all memory otherwise."""
    return 28 if edu.iommu() else ALL_BITS


class Balance:
    """Counts all allocations and frees of the driver, from loading to unloading, with the kernel's
    tracepoints. Loads labyrinth."""

    def __init__(self):
        self._places = []

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            stack.enter_context(module.loaded())
            self._histograms = stack.enter_context(tracing.histograms(**PAGES))
            self._running = stack.pop_all()
        return self

    def __exit__(self, *error):
        self._running.__exit__(*error)

    @contextlib.contextmanager
    def loaded(self, **parameters):
        """Loads the driver for the length of a block."""
        with edu.loaded(**parameters):
            self._places.append(edu.place())
            yield
        assert owned(edu.transfers()) == 0, f"the driver is gone: {edu.transfers()}"

    def _ours(self, name):
        """Returns the entries in which the driver calls, each with the entries before it."""
        found = []
        for keys, hits in self._histograms[name].entries():
            call = CALLS[name].search(keys)
            if call and any(int(call.group(1), 16) in place for place in self._places):
                found.append((keys, hits))
        return found

    def check(self):
        """Checks that the driver is unloaded and has freed all that it allocated. Returns the
        allocations."""
        alloc, free = self._ours("alloc"), self._ours("free")
        took, gave = tracing.count(alloc), tracing.count(free)
        ktap.note(f"the kernel counts {took} allocations and {gave} frees")
        assert took > 0, "the driver has allocated nothing"
        assert took == gave, f"{took - gave} of {took} blocks are lost"
        return alloc


def sound(numbers):
    """Checks that nothing went wrong, and returns the numbers."""
    ktap.note(" ".join(f"{name}={value}" for name, value in numbers.items() if value))
    for name in ("corrupted", "not_allocated", "given_back", "untried", "map_device_failures"):
        assert numbers[name] == 0, f"{name}: {numbers}"
    return numbers


def rounds(numbers):
    """Returns the rounds in both contexts."""
    return numbers["rounds_interrupt"] + numbers["rounds_softirq"]


def owned(numbers):
    """Returns how many blocks devices own."""
    return numbers["map_device_successes"] - numbers["unmap_device_successes"]


def transfer(count, **parameters):
    """Transfers bytes to each device and back this many times. Checks that the bytes arrive, and
    that all pages are freed."""
    devices = edu.devices()
    with Balance() as balance:
        with balance.loaded(rounds=count, **parameters):
            assert edu.tally()["devices"] == len(devices), edu.tally()
            module.wait_until(lambda: rounds(edu.tally()) == count * len(devices),
                              f"{count} rounds of {len(devices)} devices", 120)
            numbers = sound(edu.tally())
            # Each device keeps one block for the next round.
            assert owned(numbers) == len(devices), numbers
        alloc = balance.check()
    assert numbers["verified"] == 2 * rounds(numbers), numbers
    # Each third round uses a single block, the same block after the first time.
    assert numbers["recycled"] == len(devices) * (count // 3 - 1), numbers
    assert numbers["allocated"] == numbers["mapped"] == numbers["map_device_successes"], numbers
    assert numbers["allocated"] == tracing.count(alloc), numbers
    assert numbers["map_device_samples"] == numbers["mapped"], numbers
    assert numbers["sync_cpu_successes"] >= rounds(numbers), numbers
    assert numbers["sync_device_successes"] == numbers["sync_cpu_successes"], numbers
    return numbers, alloc


def context(stack):
    """Returns which of the two contexts a stack belongs to, or None. An interrupt can come in
    the middle of a softirq, and a thread can serve softirqs. The context entered last counts,
    which the stack shows first."""
    found = [(stack.index(name), name) for name in (IN_INTERRUPT, IN_SOFTIRQ) if name in stack]
    return min(found)[1] if found else None


def there_and_back():
    """Pages allocated in interrupts and softirqs are transferred both ways, and the bytes are
    correct."""
    numbers, alloc = transfer(12, dma_bits=bits())
    assert numbers["rounds_interrupt"] == numbers["rounds_softirq"], numbers
    contexts = {context(stack) for stack, _ in alloc}
    assert {IN_INTERRUPT, IN_SOFTIRQ} <= contexts, f"only in {contexts}"


def blocks():
    """Lends single pages of larger blocks to the device, in turn, to read or to write."""
    transfer(6, dma_bits=bits(), order=3)


def past_the_iommu():
    """Transfers work where the IOMMU passes addresses through. Where the machine forces bounce
    buffers, bytes that are not synchronised do not arrive."""
    if not edu.iommu():
        raise Skip("there is no IOMMU to go past")
    with edu.domain("identity"):
        for order in (0, 3):
            transfer(6, dma_bits=ALL_BITS, order=order)


def under_way():
    """Starts transfers, and checks whether each device owns something."""
    before, devices = edu.tally(), edu.devices()
    module.wait_until(lambda: rounds(edu.tally()) >= rounds(before) + 2 * len(devices), "rounds", 60)
    numbers = edu.tally()
    assert owned(numbers) >= len(devices), f"devices own {owned(numbers)} blocks: {numbers}"


def nothing_owned():
    """Checks that no device has the driver, or a page."""
    numbers = edu.tally()
    assert (numbers["devices"], owned(numbers)) == (0, 0), numbers


def held(histograms):
    """Returns the frames of the blocks that the loaded driver holds, and how often it freed and
    allocated each."""
    times = {}
    # A block that was freed after the frees were read is still in the result. Next time its
    # counts differ.
    for index, name in enumerate(("free", "alloc")):
        for keys, hits in histograms[name].entries_so_far():
            if OURS[name].search(keys):
                frame = int(re.search(r"pfn:\s*([0-9a-f]+)", keys).group(1), 16)
                times.setdefault(frame, [0, 0])[index] += hits
    return {(frame, *counts) for frame, counts in times.items() if counts[0] < counts[1]}


def gone_bad():
    """Pages that the driver keeps mapped go bad. Each device takes another page for the next
    round."""
    devices, count = edu.devices(), 30
    keys = "pfn.hex,common_stacktrace"
    with module.loaded(), hwpoison.said(), tracing.histograms(
            free=("kmem/mm_page_free", keys, INTERRUPTED),
            alloc=("kmem/mm_page_alloc", keys, f"{tracing.SERVED} && {ATOMIC}")) as histograms:
        with edu.loaded(dma_bits=bits(), rounds=count):
            module.wait_until(lambda: edu.tally()["recycled"] >= len(devices),
                              "pages to be used again", 60)
            before, then = held(histograms), rounds(edu.tally())
            # All other pages are freed at the end of their round.
            module.wait_until(lambda: rounds(edu.tally()) >= then + 3 * len(devices), "rounds", 60)
            kept = [frame for frame, *_ in before & held(histograms)]
            assert len(kept) == len(devices), f"{len(kept)} pages are kept: {kept}"
            hwpoison.hard_offline(*kept)
            assert rounds(edu.tally()) <= (count - 4) * len(devices), "they were marked too late"
            module.wait_until(lambda: rounds(edu.tally()) == count * len(devices), "all rounds", 120)
            numbers = sound(edu.tally())
    # This is one time less than in `transfer`.
    assert numbers["recycled"] == len(devices) * (count // 3 - 2), numbers


def unbound_under_way():
    """A driver that loses its device in the middle of a transfer loses no page, and can have the
    device back."""
    with Balance() as balance:
        with balance.loaded(dma_bits=bits(), order=1):
            for _ in range(TURNS):
                under_way()
                for device in edu.devices():
                    edu.unbind(device)
                nothing_owned()
                for device in edu.devices():
                    edu.bind(device)
            under_way()
            sound(edu.tally())
        balance.check()


def removed_under_way():
    """The same holds when the device is removed."""
    with Balance() as balance:
        with balance.loaded(dma_bits=bits()):
            for _ in range(TURNS):
                under_way()
                devices = edu.devices()
                for device in devices:
                    edu.remove(device)
                nothing_owned()
                edu.rescan()
                assert edu.devices() == devices
            under_way()
            sound(edu.tally())
        balance.check()


def unloaded_under_way():
    """The same holds when the driver is unloaded."""
    with Balance() as balance:
        for _ in range(TURNS):
            with balance.loaded(dma_bits=bits()):
                under_way()
                sound(edu.tally())
        balance.check()


def no_tier():
    """Pages that cannot be mapped are returned unchanged, and so are pages that were not tried."""
    if not edu.iommu():
        raise Skip("without an IOMMU, what a device cannot address is a warning")
    pages, devices = 64, edu.devices()
    with Balance() as balance:
        # There are addresses for 16 pages, and the first one is never used.
        with balance.loaded(dma_bits=16, exhaust=pages):
            numbers = edu.tally()
            assert owned(numbers) == 0, numbers
        balance.check()
    ktap.note(" ".join(f"{name}={value}" for name, value in numbers.items() if value))
    tries = 2 * len(devices)
    assert numbers["given_back"] == numbers["map_device_failures"] == tries, numbers
    assert numbers["mapped"] == 15 * tries, numbers
    assert numbers["untried"] == (pages - 16) * tries, numbers
    assert numbers["verified"] == numbers["given_back"] + numbers["untried"], numbers
    assert numbers["corrupted"] == 0, numbers


def vectors_of_its_own():
    """If another driver has taken the device's interrupts, ours does not get the device, and
    leaves it unchanged."""
    devices = edu.devices()
    with kmsg.Provoked() as log, Balance() as balance:
        with edu.loaded(dma_bits=bits(), vectors=1):
            numbers = edu.tally()
            assert (numbers["probed"], numbers["devices"]) == (len(devices), 0), numbers
            assert not any(map(edu.is_bound, devices)), "bound all the same"
        failed = [match.groups() for match in log.expect(FAILED)]
        assert failed == [(device, str(-errno.EBUSY)) for device in devices], failed
        # A driver without the parameter can still take the interrupts.
        with balance.loaded(dma_bits=bits()):
            under_way()
            sound(edu.tally())
        balance.check()


def bus_mastering():
    """A device can access memory only between its start and its stop, even if bus mastering was
    already enabled."""
    devices = edu.devices()
    first = devices[0]
    with module.loaded():
        for device in devices:
            edu.set_master(device)
        assert all(map(edu.is_master, devices)), "not set"
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            loading = pool.submit(edu.insert, dma_bits=bits(), probe_ms=1000)
            try:
                module.wait_until(edu.is_there, "the driver")
                module.wait_until(lambda: edu.tally()["probed"] == 1,
                                  "the first device to be looked at")
                early = edu.is_master(first)
            finally:
                loading.result()
        try:
            assert not early, "a bus master before it is started"
            assert all(map(edu.is_master, devices)), "started, and no bus master"
            under_way()
            edu.unbind(first)
            assert not edu.is_master(first), "unbound, and a bus master"
            assert all(map(edu.is_master, devices[1:])), "others are stopped"
            edu.bind(first)
            assert edu.is_master(first)
        finally:
            module.remove(edu.NAME)
        assert not any(map(edu.is_master, devices)), "bus masters without a driver"


def trespass():
    """A device that uses pages after they were taken back is stopped by an IOMMU. Without an IOMMU
    nothing stops it, which shows that this test would notice."""
    devices = edu.devices()
    with kmsg.Provoked() as log, Balance() as balance:
        with balance.loaded(dma_bits=bits(), trespass=1):
            numbers = edu.tally()
            assert owned(numbers) == 0, numbers
        balance.check()
        assert numbers["trespasses"] == len(devices), numbers
        harmed = (numbers["trespass_written"], numbers["trespass_read"])
        if not edu.iommu():
            assert harmed == (len(devices), len(devices)), numbers
            return
        assert harmed == (0, 0), numbers
        seen = [match.groups() for match in log.expect(FAULTS) if match.group(1)]
    ktap.note(f"the IOMMU has stopped {seen}")
    # The kernel limits the rate of these messages.
    assert {("Write", devices[0]), ("Read", devices[0])} <= set(seen), "faults were not reported"


ktap.main(there_and_back, blocks, past_the_iommu, gone_bad, unbound_under_way, removed_under_way,
          unloaded_under_way, no_tier, vectors_of_its_own, bus_mastering, trespass)
