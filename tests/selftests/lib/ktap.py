# SPDX-License-Identifier: GPL-2.0
"""Runs the cases of a test program and reports them with the kernel's own KTAP helper."""

import contextlib
import os
import random
import sys
import time
import traceback

from lib import kmsg, module

# The helper is installed beside the collection. In a kernel tree it is at the same place.
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(
    os.path.abspath(__file__)))), "kselftest"))
import ksft


class Skip(Exception):
    """The case cannot run here. The text says why."""


class Again(Exception):
    """The kernel has lost events that the case needs, which is no fault of the module. The case
    runs again, at most twice. The text says what was lost."""


def soak(usual, long):
    """Returns `long` for `make soak`, and `usual` otherwise: a number of repetitions or seconds."""
    return long if os.environ.get("LABYRINTH_SOAK") else usual


def note(text):
    """Prints a note."""
    ksft.print_msg(text)


def main(*cases, kunit=False, by_name=(), more=None, stays=False):
    """Runs all cases, or those that the program's arguments name, in that order. The cases in
    `by_name` run only if they are named. A case passes if it returns, and leaves nothing in the
    kernel log and on the machine.

    The function `more` returns further cases. If it fails, that is the result of a case with its
    name.

    With `stays`, the module stays loaded at the end."""
    # Otherwise the KUnit suites would run at each of hundreds of loads. Only kunit.py needs them.
    module.select_kunit(kunit)
    if more:
        cases += _listed(more)
    if names := sys.argv[1:]:
        cases = _selected(names, (*cases, *by_name))
    _begin(len(cases))
    if seed := os.environ.get("LABYRINTH_SEED"):
        # The same seed repeats the same order.
        cases = random.Random(seed).sample(cases, len(cases))
        note(f"the cases in the order of LABYRINTH_SEED={seed}")
    for case in cases:
        _run(case, stays)
    ksft.finished()


def _selected(names, cases):
    """The cases with these names. An unknown name is an error."""
    known = {case.__name__: case for case in cases}
    if unknown := [name for name in names if name not in known]:
        raise LookupError(f"no such case: {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in names]


def _listed(more):
    """The cases that `more` returns, or one case that fails as `more` did."""
    try:
        return tuple(more())
    except Exception as error:
        failure = error
        _clean_up()

    def case():
        raise failure

    case.__name__ = more.__name__
    return (case,)


# Whether the plan has been printed.
_begun = False


def _begin(cases):
    global _begun
    _begun = True
    ksft.print_header()
    ksft.set_plan(cases)


def died(*error):
    """Reports an uncaught exception as a result, before the plan or after it."""
    if not _begun:
        _begin(1)
    for line in "".join(traceback.format_exception(*error)).rstrip().splitlines():
        ksft.print_msg(line)
    ksft.test_result_fail(os.path.basename(sys.argv[0]))
    ksft.print_cnts()


sys.stdout.reconfigure(line_buffering=True)
sys.excepthook = died


def _try(case):
    for _ in range(2):
        try:
            return case()
        except Again as reason:
            ksft.print_msg(f"{case.__name__} once more: {reason}")
    return case()


def _run(case, stays):
    name = case.__name__
    start = time.monotonic()
    problem = None
    # So the console shows in which case the kernel has reported a bug.
    with contextlib.suppress(OSError):
        module.write("/dev/kmsg", f"<6>labyrinth-test: {os.path.basename(sys.argv[0])}:{name}")
    try:
        if module.is_loaded() and not stays:
            raise AssertionError("the module is loaded before the case begins")
        with kmsg.Watch() as log:
            _try(case)
            problem = log.complaint()
        if module.is_loaded() and not stays:
            problem = "the module was left loaded"
    except Skip as skip:
        ksft.print_msg(f"SKIP {name}: {skip}")
        ksft.test_result_skip(name)
        return
    except (Exception, SystemExit):
        # Any exception is a failure of this case, and later cases still run.
        problem = traceback.format_exc()

    if problem:
        for line in problem.rstrip().splitlines():
            ksft.print_msg(line)
        if not stays:
            _clean_up()
    ksft.print_msg(f"{name} took {time.monotonic() - start:.1f} s")
    ksft.test_result(problem is None, name)


def _clean_up():
    try:
        if module.is_loaded():
            module.unload()
    except OSError as error:
        ksft.print_msg(f"and then the module could not be unloaded: {error}")
