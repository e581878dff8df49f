# SPDX-License-Identifier: GPL-2.0
"""Tells the kernel to take pages out of use, as an administrator or the hardware does."""

import contextlib
import errno
import os
import re

from lib import kmsg, ktap, module
from lib.ktap import Skip

FOLDER = "/sys/devices/system/memory"
PAGE = os.sysconf("SC_PAGE_SIZE")
# The kernel's messages about bad pages.
_SAYS = re.compile(r"Memory failure: 0x[0-9a-f]+: (unhandlable page|recovery action for)"
                   r"|soft_offline: 0x[0-9a-f]+")


def hard_offline(*frames):
    """Marks pages as bad. They must be in use, so that the kernel can only mark them."""
    _offline("hard", errno.EBUSY, frames)


def hard_offline_used(frames, count):
    """Marks pages as bad until `count` of them were in use, and returns these. Other pages are free
    by now, and the kernel takes them out by itself."""
    used = []
    for frame in frames:
        with contextlib.suppress(AssertionError):
            hard_offline(frame)
            used.append(frame)
        if len(used) == count:
            return used
    raise AssertionError(f"of {len(frames)} pages only {len(used)} are in use")


def soft_offline(*frames):
    """Tells the kernel to soft-offline pages that are in use, which it must refuse."""
    _offline("soft", errno.EIO, frames)


def file(how):
    """The path of the kernel's file. Skips the case if there is none."""
    name = f"{FOLDER}/{how}_offline_page"
    if not os.path.exists(name):
        raise Skip("the kernel cannot take pages out of use (CONFIG_MEMORY_FAILURE)")
    return name


def _offline(how, wanted, frames):
    for frame in frames:
        try:
            module.write(file(how), hex(frame * PAGE))
        except OSError as error:
            assert error.errno == wanted, f"frame {frame:#x}: {error}"
        else:
            raise AssertionError(f"frame {frame:#x} was not in use")


@contextlib.contextmanager
def said():
    """Expects the kernel's messages about bad pages in the block."""
    with kmsg.Provoked() as log:
        yield
        ktap.note(f"the kernel has {len(log.expect(_SAYS))} lines on bad pages")
