# SPDX-License-Identifier: GPL-2.0
"""Controls the test modules that use labyrinth, in C and in Rust."""

import contextlib
import os

from lib import metrics, module

C = "labyrinth_consumer_c"
RUST = "labyrinth_consumer_rust"


@contextlib.contextmanager
def loaded(name, **parameters):
    """Loads a consumer for the length of a block. labyrinth must be loaded."""
    module.insert(os.path.join(os.path.dirname(module.path()), name + ".ko"), **parameters)
    try:
        yield
    finally:
        module.remove(name)


def parameter(name):
    """The path of a parameter of the consumer in C."""
    return f"/sys/module/{C}/parameters/{name}"


def tally(name):
    """A number that the consumer in C counts."""
    return int(module.read(parameter(name)))


def rust_tally(name):
    """A number that the consumer in Rust counts."""
    return metrics.Metrics().total(f"{RUST}_{name}_total")


def rust_latencies(context):
    """The buckets of the latencies of the consumer in Rust, in one context. Each counts all
    latencies up to its edge."""
    samples = metrics.Metrics().samples()
    return [value for (name, labels), value in samples.items()
            if name == f"{RUST}_request_seconds_bucket" and ("context", context) in labels]


def rust_seconds(context):
    """The sum of these latencies."""
    return metrics.Metrics().total(f"{RUST}_request_seconds_sum", context=context)


def misuse(name):
    """Makes the consumer in C do something wrong. OSError if that has done any harm."""
    module.write(parameter("misuse"), name)


# The slot of the shared pool, see tests/modules/consumer_c/script.c.
SHARED = 4


def script(*commands):
    """Runs commands in the consumer in C, one after the other. Returns their results, a number for
    each."""
    module.write(parameter("script"), ";".join(commands))
    results = [int(number) for number in module.read(parameter("results")).split()]
    assert len(results) == len(commands), f"{commands}: {results}"
    return results


def pool(slot, name, order=0, *, compound=0, cache=0, reserve=0, emergency=0, highest=0, auto=None):
    """The command that makes a pool in a slot. Later commands name the slot. With `auto`, a pair of
    the most blocks and the half-life in milliseconds, the reserve sizes itself."""
    made = f"create {slot} {name} {order} {compound} {cache} {reserve} {emergency} {highest}"
    return made + (f" {auto[0]} {auto[1]}" if auto else "")
