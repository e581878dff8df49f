# SPDX-License-Identifier: GPL-2.0
"""QEMU's edu devices, and the driver for them, samples/rust_dma."""

import contextlib
import glob
import os
import re

from lib import drivers, metrics, module
from lib.ktap import Skip

NAME = "rust_dma"
DRIVER = f"/sys/bus/pci/drivers/{NAME}"
DEVICES = "/sys/bus/pci/devices"
# The kinds of transfers between the driver and its devices.
KINDS = ("map_device", "sync_cpu", "sync_device", "unmap_device")
# The command register in a device's configuration space, and its bit for bus mastering.
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
    """Whether the devices are behind an IOMMU."""
    return os.path.exists(f"{DEVICES}/{devices()[0]}/iommu")


def insert(**parameters):
    """Loads the driver, and resets the counters of labyrinth, which must be loaded."""
    module.write(module.file("reset"), 1)
    module.insert(drivers.path(NAME), **parameters)


@contextlib.contextmanager
def loaded(**parameters):
    """Loads the driver for the length of a block. labyrinth must be loaded."""
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
    """The driver's counters, and labyrinth's counters of the transfers to its devices."""
    prefix = f"{NAME}_"
    counted = {name.removeprefix(prefix).removesuffix("_total"): value
               for (name, _), value in metrics.Metrics().samples().items()
               if name.startswith(prefix)}
    return counted | transfers()


def transfers():
    """The transfers that labyrinth has counted since the driver was loaded last."""
    counts = metrics.Metrics().transfers()
    return {f"{kind}_{name}": getattr(counts[kind], name) for kind in KINDS
            for name in ("successes", "failures", "samples")}


def unbind(device):
    """Unbinds the driver from a device."""
    module.write(DRIVER + "/unbind", device)


def bind(device):
    """Binds the driver to a device."""
    module.write(DRIVER + "/bind", device)


def remove(device):
    """Removes a device."""
    module.write(f"{DEVICES}/{device}/remove", 1)


def rescan():
    """Finds devices that were removed."""
    module.write("/sys/bus/pci/rescan", 1)


def is_there():
    """Whether labyrinth shows the driver's counters."""
    return f"\nlabyrinth_{NAME}_" in module.read(module.file("metrics"))


def is_bound(device):
    """Whether the driver is bound to a device."""
    return os.path.exists(f"{DRIVER}/{device}")


def _command(device, change=0):
    """Sets bits of the command register, and returns it."""
    with open(f"{DEVICES}/{device}/config", "r+b", buffering=0) as config:
        command = int.from_bytes(os.pread(config.fileno(), 2, COMMAND), "little")
        if change:
            os.pwrite(config.fileno(), (command | change).to_bytes(2, "little"), COMMAND)
        return command | change


def is_master(device):
    """Whether bus mastering is enabled for a device."""
    return bool(_command(device) & MASTER)


def set_master(device):
    """Enables bus mastering for a device, as firmware can do."""
    _command(device, MASTER)


@contextlib.contextmanager
def domain(kind):
    """Sets the type of the devices' IOMMU domains for the length of a block. They must not have a
    driver when it begins. With "identity", the IOMMU passes addresses through."""
    files = [f"{DEVICES}/{device}/iommu_group/type" for device in devices()]
    before = [module.read(name).strip() for name in files]
    for name in files:
        module.write(name, kind)
    try:
        yield
    finally:
        for name, old in zip(files, before):
            module.write(name, old)
