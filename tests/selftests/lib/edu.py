# SPDX-License-Identifier: GPL-2.0
"""QEMU's edu devices, and the driver for them, samples/rust_dma."""

import contextlib
import glob
import os
import re

from lib import drivers, metrics, module
from lib.ktap import Skip

NAME = "rust_dma"
TALLY = f"/sys/kernel/debug/{NAME}/tally"
DRIVER = f"/sys/bus/pci/drivers/{NAME}"
DEVICES = "/sys/bus/pci/devices"
# The kinds of hand-overs between the driver and its devices.
KINDS = ("map_device", "sync_cpu", "sync_device", "unmap_device")
# In the configuration space of a device.
COMMAND, MASTER = 4, 4


def devices():
    """The edu devices of this machine, by their names on the bus."""
    found = [os.path.basename(folder) for folder in sorted(glob.glob(DEVICES + "/*"))
             if (module.read(folder + "/vendor").strip(),
                 module.read(folder + "/device").strip()) == ("0x1234", "0x11e8")]
    if not found:
        raise Skip("the machine has no edu device")
    return found


def iommu():
    """Whether there is an IOMMU, which then all of them are behind."""
    return os.path.exists(f"{DEVICES}/{devices()[0]}/iommu")


def insert(**parameters):
    """insmod of the driver. labyrinth has to be loaded, and counts from zero again."""
    module.write(module.file("reset"), 1)
    module.insert(drivers.path(NAME), **parameters)


@contextlib.contextmanager
def loaded(**parameters):
    """The driver, for the length of a block. labyrinth has to be loaded."""
    insert(**parameters)
    try:
        yield
    finally:
        module.remove(NAME)


def place():
    """The addresses of the loaded driver."""
    found = re.search(rf"^{NAME} (\d+) .* (0x[0-9a-f]+)", module.read("/proc/modules"), re.M)
    start = int(found.group(2), 16)
    return range(start, start + int(found.group(1)))


def tally():
    """All that the driver counts, and what labyrinth counts of the hand-overs to its devices."""
    counted = {name: int(value) for name, value in
               (line.split() for line in module.read(TALLY).splitlines() if line)}
    return counted | handovers()


def handovers():
    """The hand-overs that labyrinth has counted since the driver was loaded last."""
    counts = metrics.Metrics().handovers()
    return {f"{kind}_{name}": getattr(counts[kind], name) for kind in KINDS
            for name in ("successes", "failures", "samples")}


def unbind(device):
    """Takes the driver from a device."""
    module.write(DRIVER + "/unbind", device)


def bind(device):
    """Gives it back."""
    module.write(DRIVER + "/bind", device)


def remove(device):
    """Takes the device away."""
    module.write(f"{DEVICES}/{device}/remove", 1)


def rescan():
    """Finds devices that were taken away."""
    module.write("/sys/bus/pci/rescan", 1)


def is_there():
    """Whether the driver reports its numbers."""
    return os.path.exists(TALLY)


def is_bound(device):
    """Whether a device has the driver."""
    return os.path.exists(f"{DRIVER}/{device}")


def _command(device, change=0):
    """Sets bits of the command register, and returns it."""
    with open(f"{DEVICES}/{device}/config", "r+b", buffering=0) as config:
        command = int.from_bytes(os.pread(config.fileno(), 2, COMMAND), "little")
        if change:
            os.pwrite(config.fileno(), (command | change).to_bytes(2, "little"), COMMAND)
        return command | change


def is_master(device):
    """Whether a device may reach memory by itself."""
    return bool(_command(device) & MASTER)


def set_master(device):
    """Makes a device a bus master, as firmware may have done."""
    _command(device, MASTER)


@contextlib.contextmanager
def domain(kind):
    """Has the IOMMU treat the devices so, for the length of a block in which they have no driver at
    first: "identity" lets them see memory as it is."""
    files = [f"{DEVICES}/{device}/iommu_group/type" for device in devices()]
    before = [module.read(name).strip() for name in files]
    for name in files:
        module.write(name, kind)
    try:
        yield
    finally:
        for name, old in zip(files, before):
            module.write(name, old)
