#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check check-debug
# Covers: rust/kunit rust/exercise/kunit.rs
# Takes: 2 s
"""The module's own KUnit suites pass, on a kernel with KUnit."""

import glob
import os
import re

from lib import ktap, module
from lib.ktap import Skip

RESULTS = "/sys/kernel/debug/kunit/labyrinth*/results"


def suites_pass():
    """All suites ran, and all of their cases passed."""
    if not os.path.isdir("/sys/kernel/debug/kunit"):
        raise Skip("the kernel has no KUnit (CONFIG_KUNIT, CONFIG_KUNIT_DEBUGFS)")
    with module.loaded():
        results = {path.split("/")[-2]: module.read(path) for path in glob.glob(RESULTS)}
    assert results, "the module has no suites"
    cases = 0
    for suite, text in sorted(results.items()):
        passed = re.findall(r"^ +ok \d+ (\S+)", text, re.M)
        ktap.note(f"{suite}: {len(passed)} cases: {' '.join(passed)}")
        plan = re.search(r"^ +1\.\.(\d+)", text, re.M)
        assert plan and int(plan.group(1)) == len(passed) > 0, text
        assert re.search(rf"^ok \d+ {suite}", text, re.M), text
        assert "not ok" not in text and "# SKIP" not in text, text
        cases += len(passed)
    ktap.note(f"{len(results)} suites, {cases} cases")


ktap.main(suites_pass, kunit=True)
