#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: soak-debug
"""The checks of pages that `make soak` enables at boot are really enabled."""

import os
import re

from lib import ktap, module
from lib.ktap import Skip

OPTIONS = ("page_owner=on", "page_poison=1", "debug_pagealloc=on")


def given():
    """Skips the case unless this kernel was booted with all of them."""
    missing = set(OPTIONS) - set(module.read("/proc/cmdline").split())
    if missing:
        raise Skip(f"not booted with {' '.join(sorted(missing))}, as `make soak` does")


def pages_have_owners():
    """page_owner knows where pages came from."""
    given()
    assert os.path.exists("/sys/kernel/debug/page_owner"), "no page_owner"
    with open("/sys/kernel/debug/page_owner", "rb", buffering=0) as owners:
        assert b"Page allocated via order" in owners.read(4096), "page_owner knows no page"


def freed_pages_are_unmapped():
    """debug_pagealloc unmaps one page at a time, so the kernel has no large mappings of its
    memory."""
    given()
    sizes = dict(re.findall(r"^(DirectMap\w+): +(\d+) kB$", module.read("/proc/meminfo"), re.M))
    assert int(sizes["DirectMap4k"]) > 0
    assert not any(int(size) for name, size in sizes.items() if name != "DirectMap4k"), sizes


def freed_pages_are_poisoned():
    """The kernel reports at boot that it poisons pages. It does not clear them then."""
    given()
    with open("/dev/kmsg", "rb", buffering=0) as log:
        os.set_blocking(log.fileno(), False)
        text = b""
        while record := log.read(16384):
            text += record
    assert b"CONFIG_PAGE_POISONING is on, will take precedence over init_on_alloc" in text


ktap.main(pages_have_owners, freed_pages_are_unmapped, freed_pages_are_poisoned)
