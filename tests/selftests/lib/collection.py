#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""collection.py [--timeout SECONDS] PROGRAM[:CASE]…: runs test programs as the kernel's
run_kselftest.sh does, and prints the same results, but with one start of Python for all of them.
Under emulation the kernel's runner takes seconds for each program, most of them for starting Python
and a dozen tools.

Each program runs in its own process and process group, forked from a process that has loaded all
modules that the programs import. CASEs are the arguments of a program."""

import contextlib
import gc
import importlib
import importlib.machinery
import os
import re
import signal
import sys

LIB = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(LIB)
# The exit status of a program that was skipped.
SKIPPED = 4
# The time, in seconds, that a program has after the first signal.
GRACE = 10


def load(names):
    """Returns the code of the programs by name. Loads the modules that they import."""
    sys.path[0] = TESTS
    codes = {}
    for name in names:
        loader = importlib.machinery.SourceFileLoader("__main__", f"{TESTS}/{name}")
        codes[name] = loader.get_code("__main__")
        text = loader.get_data(loader.path).decode()
        for imported in re.findall(r"^(?:import|from) (\w+)", text, re.M):
            importlib.import_module(imported)
    for name in os.listdir(LIB):
        if name.endswith(".py") and name != os.path.basename(__file__):
            importlib.import_module(f"lib.{name.removesuffix('.py')}")
    return codes


def become(name, code, arguments):
    """Runs a program in this process."""
    sys.excepthook = sys.modules["lib.ktap"].died
    module = type(sys)("__main__")
    module.__file__ = f"{TESTS}/{name}"
    sys.modules["__main__"] = module
    sys.argv[:] = [f"./{name}", *arguments]
    exec(code, vars(module))  # pylint: disable=exec-used
    sys.exit()


def copied(reader):
    """Prints the lines from a pipe, each after a "# "."""
    at_start = True
    while data := os.read(reader, 1 << 16):
        ends = data.endswith(b"\n")
        data = data.removesuffix(b"\n").replace(b"\n", b"\n# ") + b"\n" * ends
        os.write(1, b"# " * at_start + data)
        at_start = ends
    if not at_start:
        os.write(1, b"\n")


def status(child, reader, seconds):
    """Prints the output of a program. Returns its exit status, or None if it took too long."""
    late = []

    def stop(*_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL if late else signal.SIGTERM)
        late.append(True)
        signal.alarm(GRACE)

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    copied(reader)
    _, ended = os.waitpid(child, 0)
    signal.alarm(0)
    return None if late else os.waitstatus_to_exitcode(ended)


def run(name, code, arguments, seconds):
    """Runs a program in a process of its own. Returns its status."""
    reader, writer = os.pipe()
    sys.stdout.flush()
    if not (child := os.fork()):
        os.setpgid(0, 0)
        set_oom_score(0)
        os.dup2(writer, 1)
        os.dup2(writer, 2)
        os.close(reader)
        os.close(writer)
        become(name, code, arguments)
    os.close(writer)
    result = status(child, reader, seconds)
    os.close(reader)
    return result


def set_oom_score(score):
    """Protects this process from cases that fill the memory. They protect only themselves."""
    tell("/proc/self/oom_score_adj", str(score))


def tell(path, text):
    """Writes to a file of the kernel. Ignores errors."""
    with contextlib.suppress(OSError), open(path, "w", encoding="ascii") as file:
        file.write(text)


def timeout():
    """Returns the time limit of a program in seconds, from the file that the kernel's runner reads,
    too."""
    with open(f"{TESTS}/settings", encoding="utf-8") as file:
        return int(re.search(r"^timeout=(\d+)$", file.read(), re.M)[1])


def main(arguments):
    """Runs the programs. Returns the status."""
    seconds = timeout()
    if arguments[0] == "--timeout":
        seconds, arguments = int(arguments[1]), arguments[2:]
    chosen = {}
    for argument in arguments:
        name, _, case = argument.partition(":")
        chosen.setdefault(name, []).extend(filter(None, [case]))
    os.chdir(TESTS)
    tell("/dev/kmsg", "kselftest: Running tests in labyrinth\n")
    set_oom_score(-1000)
    codes = load(chosen)
    # Loading lib.ktap has set a hook that is only for the programs.
    sys.excepthook = sys.__excepthook__
    gc.freeze()

    print(f"TAP version 13\n1..{len(chosen)}")
    failed = 0
    for number, (name, cases) in enumerate(chosen.items(), 1):
        title = f"selftests: labyrinth: {name}"
        print(f"# timeout set to {seconds}\n# {title}")
        ended = run(name, codes[name], cases, seconds)
        failed += ended not in (0, SKIPPED)
        if ended in (0, SKIPPED):
            print(f"ok {number} {title}{' # SKIP' if ended else ''}", flush=True)
        elif ended is None:
            print(f"not ok {number} {title} # TIMEOUT {seconds} seconds", flush=True)
        else:
            # Print signals like a shell.
            ended = ended if ended > 0 else 128 - ended
            print(f"not ok {number} {title} # exit={ended}", flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
