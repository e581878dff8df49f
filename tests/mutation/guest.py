#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""guest.py TESTS PLAN DONE: runs the cases of mutants, one after the other, in one guest.

TESTS is the folder of the test programs, and PLAN is the list of mutants that mutants.py has
written. DONE has the results of earlier guests, whose mutants are skipped. Each result is a line
`ok NAME` or `not ok NAME`, with notes before it. Each case first runs without a mutant, as
`none CASE`."""

import json
import os
import re
import runpy
import signal
import sys
import time

TESTS, PLAN, DONE = sys.argv[1:]
sys.path.insert(0, TESTS)

from lib import books, module

# The time limit of a case in seconds, many times what any case needs. Mutants can make cases hang.
LIMIT = 300

COMPLAINTS = re.compile(
    r"^# ((?:[\w.]+(?:Error|Exception)\b.*|the kernel log is not clean:(?:\n# (?:=+)?)*\n.*"
    r"|the module was left loaded))$", re.M)


def say(text):
    """Prints notes."""
    for line in text.splitlines():
        print("#", line)


def outcome(program, case, mutant):
    """Runs one case of a program. Returns its output, and whether it ended by itself."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    # A fork of this process has already loaded all modules that a case needs.
    if not (child := os.fork()):
        os.setpgid(0, 0)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        if mutant:
            os.environ["LABYRINTH_MUTANT"] = str(mutant)
        sys.argv[1:] = [case]
        runpy.run_path(f"{TESTS}/{program}", run_name="__main__")
        sys.exit()
    os.close(writer)
    signal.signal(signal.SIGALRM, lambda *_: os.killpg(child, signal.SIGKILL))
    signal.alarm(LIMIT)
    with open(reader, encoding="utf-8", errors="replace") as output:
        text = output.read()
    _, status = os.waitpid(child, 0)
    signal.alarm(0)
    return text, not os.WIFSIGNALED(status)


def verdict(text, case):
    """The result of the case, `ok`, `not ok` or `skip`; None if the output has none."""
    ended = re.findall(rf"^(ok|not ok) \d+ {case} *(# SKIP)?", text, re.M)
    if len(ended) != 1:
        return None
    return "skip" if ended[0][1] else ended[0][0]


def complaints(text):
    """The messages with which a case has failed."""
    return [said.splitlines()[-1].removeprefix("# ").removeprefix("AssertionError: ")
            for said in COMPLAINTS.findall(text)]


def green(program, case):
    """Whether the case passes without a mutant."""
    text, ended = outcome(program, case, 0)
    if ended and verdict(text, case) == "ok":
        return True
    say(text)
    return False


def red(mutant):
    """Whether the case fails with the mutant, and with the message that the mutant expects."""
    text, ended = outcome(mutant["program"], mutant["case"], mutant["number"])
    found = verdict(text, mutant["case"]) if ended else "without an end"
    said = complaints(text)
    if mutant["log"] and found in ("ok", "not ok"):
        # run.sh looks for the kernel's report in the console.
        if found == "ok" or not mutant["says"]:
            return True
    if found == "not ok" and said:
        if not mutant["says"] or len(said) == 1 and re.fullmatch(mutant["says"], said[0]):
            say(f"{mutant['case']}: {said[-1]}")
            return True
        say(f"killed, but not by '{mutant['says']}'")
    else:
        say(f"{mutant['program']} {mutant['case']}: {found}")
    say(text)
    return False


def clean_up():
    """Unloads a module that a case has left, or all later cases would fail. Returns whether that
    worked."""
    try:
        if module.is_loaded():
            path = f"/sys/module/{module.NAME}/parameters/mutant"
            if os.path.exists(path):
                module.write(path, 0)
            module.unload()
        return True
    except OSError as error:
        say(f"the module cannot be unloaded: {error}")
        return False


def report(name, function, *arguments):
    """Tries a mutant, and prints the result and the time. Its name goes to the kernel log, too."""
    module.write("/dev/kmsg", f"<6>mutation: {name}")
    print(f"begin {name}")
    start = time.monotonic()
    result = function(*arguments)
    say(f"{name} took {time.monotonic() - start:.1f} s")
    print(f"{'ok' if result else 'not ok'} {name}")
    if not clean_up():
        # run.sh continues with another guest.
        sys.exit(0)
    return result


def main():
    """Tries all mutants, those of the same case together."""
    # Cases that fill the memory protect themselves from the OOM killer, but not this process, which
    # waits for them.
    module.write("/proc/self/oom_score_adj", -1000)
    sys.stdout.reconfigure(line_buffering=True)
    with open(PLAN, encoding="utf-8") as file:
        mutants = json.load(file)
    with open(DONE, encoding="utf-8") as file:
        results = re.findall(r"^(ok|not ok) (.*)$", file.read(), re.M)
        done = {name: result for result, name in results}
    with module.loaded():
        books.Books({}).learn()
    cases = dict.fromkeys((mutant["program"], mutant["case"]) for mutant in mutants)
    for program, case in cases:
        name = f"none {program} {case}"
        mine = [mutant for mutant in mutants
                if (mutant["program"], mutant["case"]) == (program, case)]
        if all(mutant["name"] in done for mutant in mine):
            continue
        passes = done.get(name) != "not ok"
        if name not in done and any(mutant["switched"] for mutant in mine):
            passes = report(name, green, program, case)
        for mutant in mine:
            if mutant["name"] in done:
                continue
            if passes:
                report(mutant["name"], red, mutant)
            else:
                say(f"{case} fails without the mutant, too")
                print(f"not ok {mutant['name']}")
    print("complete")


main()
