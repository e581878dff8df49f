#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak-debug
# Covers: rust/pool rust/ffi/cpu/hotplug.rs rust/ffi/cpu/each_cpu.rs
# Covers: rust/ffi/cpu/online.rs rust/exercise
# Takes: 50 s
"""When a CPU goes offline, its cached pages go to the allocator. Exercises follow the CPUs that
come and go."""

import contextlib
import os
import signal
import time

from lib import books, consumer, cpus, exercises, ktap, metrics, module
from lib.ktap import Skip

SWITCH = "/sys/devices/system/cpu/cpu1/online"
CACHE, RESERVE = 64, 256
ROUNDS = ktap.soak(3, 50)


def switch(on):
    """Takes CPU 1 offline or online."""
    module.write(SWITCH, int(on))
    assert module.read(SWITCH) == f"{int(on)}\n"


def needs_a_second_cpu():
    """Skips the case on a machine with one CPU."""
    if not os.path.exists(SWITCH):
        raise Skip("there is no second CPU that could go offline")


def cache_is_given_back():
    """When CPU 1 goes offline, exactly its cached pages are freed, by labyrinth's count and by
    the kernel's."""
    needs_a_second_cpu()
    with books.kept() as kernel:
        with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE):
            kernel.learn()
            full = CACHE * os.cpu_count()
            module.wait_until(lambda: metrics.Metrics().cached() == full, "full caches")
            metrics.wait_until_filled()
            before = kernel.read()
            try:
                switch(False)
                now = metrics.wait_until_filled().check_idle().check_pool()
                after = kernel.read()
            finally:
                switch(True)
            assert now.cached() == full - CACHE, f"{now.cached()} cached"
            assert now.total("pool_cache_drain_pages_total") == CACHE
            assert now.reserved() == RESERVE
            assert (after[0] - before[0], after[1] - before[1]) == (0, CACHE), \
                f"the kernel saw {before} before and {after} after"
            # When it is online again, its cache is empty, and can be filled.
            assert metrics.Metrics().cached() == full - CACHE
            module.write(module.file("pool", "prime"), CACHE)
            assert metrics.Metrics().check_pool().cached() == full
        allocated, freed = kernel.read()
    assert allocated == freed, f"{allocated} allocated, {freed} freed after unloading"


@contextlib.contextmanager
def all_online_again():
    """Brings back all CPUs that can be switched, whatever happens in the block."""
    try:
        yield cpus.movable()
    finally:
        for cpu in cpus.movable():
            cpus.switch(cpu, True)


def exercises_follow_the_cpus():
    """Each CPU goes and comes, and in the end all but one go, while every exercise runs. Each
    exercise works on every CPU that is online, and on no other."""
    with all_online_again() as movable:
        with module.loaded(), module.running(*module.CONTEXTS, period_us=5000, batch=4):
            cpus.check_at_work(*module.CONTEXTS)
            for cpu in movable:
                cpus.switch(cpu, False)
                cpus.check_at_work(*module.CONTEXTS)
                cpus.switch(cpu, True)
                cpus.check_at_work(*module.CONTEXTS)
            if len(movable) > 1:
                for on in (False, True):
                    for cpu in movable:
                        cpus.switch(cpu, on)
                    cpus.check_at_work(*module.CONTEXTS)
            for context in module.CONTEXTS:
                assert module.read(module.control(context, "run")) == "1\n"
            metrics.Metrics().check()
            for context in module.CONTEXTS:
                module.stop(context)
            metrics.wait_until_filled().check_idle()


def started_while_cpus_are_away():
    """A CPU that was offline when exercises started, by parameters or by hand, runs them once it
    comes online. An exercise that was stopped meanwhile does not come back with the CPU."""
    start = {f"{context}_start": 1 for context in module.CONTEXTS}
    with all_online_again() as movable:
        for cpu in movable:
            cpus.switch(cpu, False)
        with module.loaded(**start):
            cpus.check_at_work(*module.CONTEXTS)
            for cpu in movable:
                cpus.switch(cpu, True)
                cpus.check_at_work(*module.CONTEXTS)
            for cpu in movable:
                cpus.switch(cpu, False)
            module.stop("timer_softirq")
            module.stop("spinlock")
            module.start("spinlock", period_us=5000)
            for cpu in movable:
                cpus.switch(cpu, True)
            cpus.check_at_work("spinlock", "task", "hard_irq")
            assert metrics.Metrics().check().total("exercise_running", context="timer_softirq") == 0


def pages_go_home_with_their_cpu():
    """A CPU that goes offline frees the pages that it holds, each once. A CPU that comes online
    gets pages of its own."""
    batch = 16
    # On PREEMPT_RT a request in a hard interrupt can fail because a lock is taken.
    contexts = exercises.PLAIN if "PREEMPT_RT" in os.uname().version else exercises.KNOWN
    of_a_cpu = batch * exercises.batches(*contexts)
    with all_online_again() as movable, books.kept() as kernel:
        with module.loaded(pool_reserve=0):
            kernel.learn()
            metrics.wait_until_filled()
            with module.running(*contexts, period_us=10_000, batch=batch, hold_us=10_000_000):
                def held(cpu_count):
                    module.wait_until(
                        lambda: metrics.Metrics().in_flight() == cpu_count * of_a_cpu,
                        f"{of_a_cpu} pages of {cpu_count} CPUs in flight")
                    return metrics.Metrics().check()

                count = len(cpus.online())
                before = held(count)
                failed = before.failed()
                for gone, cpu in enumerate(movable, 1):
                    cpus.switch(cpu, False)
                    now = metrics.Metrics().check()
                    assert now.in_flight() == (count - gone) * of_a_cpu, \
                        f"{now.in_flight()} in flight with {gone} of {count} CPUs away"
                    assert now.freed() - before.freed() == gone * of_a_cpu
                    assert now.allocated() == before.allocated()
                for cpu in movable:
                    cpus.switch(cpu, True)
                now = held(count)
                assert now.allocated() - before.allocated() == len(movable) * of_a_cpu
                assert now.failed() == failed == 0
            metrics.wait_until_filled().check_idle()
        allocated, freed = kernel.read()
    assert allocated == freed > 0, f"{allocated} allocated, {freed} freed after unloading"


@contextlib.contextmanager
def restless(cpu):
    """Runs a process that takes a CPU offline and online all the time. It must run to the end."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            while True:
                for on in (False, True):
                    cpus.switch(cpu, on)
                    os.write(writer, b".")
        finally:
            os._exit(1)
    os.close(writer)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        with open(reader, "rb") as pipe:
            turns = len(pipe.read())
        ktap.note(f"CPU {cpu} went or came {turns} times")
        cpus.switch(cpu, True)
    assert turns > 1, "the CPU did not go"


def started_and_stopped_while_cpus_go():
    """CPUs come and go while exercises are started and stopped, and while the module is loaded
    with running exercises and unloaded at once. Nothing waits for ever, and the counts balance."""
    start = {f"{context}_start": 1 for context in module.CONTEXTS}
    start |= {f"{context}_hold_us": 3000 for context in module.CONTEXTS}
    with all_online_again() as movable:
        with module.loaded():
            books.Books({}).learn()
        for cpu in movable:
            with books.kept() as kernel, restless(cpu):
                with module.loaded(pool_cache=CACHE, pool_reserve=0):
                    kernel.learn()
                    for round_ in range(ROUNDS):
                        for context in module.CONTEXTS:
                            module.start(context, period_us=1000, batch=8, pool=round_ % 2,
                                         hold_us=(0, 2000)[round_ % 2])
                        metrics.wait_for_cycles("timer_softirq", 5)
                        for context in reversed(module.CONTEXTS):
                            module.stop(context)
                        metrics.Metrics().check_idle()
                allocated, freed = kernel.read()
                assert allocated == freed > 0, f"{allocated} allocated, {freed} freed"
                for _ in range(ROUNDS):
                    with module.loaded(**start):
                        kernel.learn()
                    allocated, freed = kernel.read()
                    assert allocated == freed, f"{allocated} allocated, {freed} freed"


def off_and_on_under_load():
    """CPUs go and come again and again while every exercise works on the pool. The counts balance
    all the time."""
    needs_a_second_cpu()
    # An exercise frees its own pages when its CPU goes offline, and when it is stopped.
    most = CACHE * exercises.batches(*module.CONTEXTS) * (len(cpus.online()) + 2)
    with books.kept() as kernel:
        with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE):
            kernel.learn()
            for round_ in range(ROUNDS):
                hold = (0, 300, 20_000)[round_ % 3]
                try:
                    with module.running(*module.CONTEXTS, period_us=2000, batch=CACHE,
                                        hold_us=hold, pool=1):
                        for online in (False, True, False):
                            for context in module.CONTEXTS:
                                metrics.wait_for_cycles(context, 3)
                            switch(online)
                            metrics.Metrics().check()
                        for context in module.CONTEXTS:
                            metrics.wait_for_cycles(context, 3)
                    now = metrics.wait_until_filled().check_idle().check_pool()
                    assert 0 <= now.handed_out() <= most * (round_ + 1)
                    assert now.cached() <= CACHE, \
                        f"{now.cached()} pages cached with one CPU online"
                    held = kernel.held()
                    assert held == now.cached() + now.reserved(), \
                        f"the kernel says {held}; {now.cached()} cached, {now.reserved()} reserved"
                finally:
                    switch(True)
            drained = now.total("pool_cache_drain_pages_total")
            ktap.note(f"{now.allocated()} pages, {drained} drained in {ROUNDS} rounds")
            assert drained > 0, "CPU 1 never had a page"
        allocated, freed = kernel.read()
    assert allocated == freed, f"{allocated} allocated, {freed} freed after unloading"


def each_pool_loses_its_share():
    """For every pool, of any order, exactly the pages that CPU 1 had cached are freed, and none
    of another CPU."""
    needs_a_second_cpu()
    # By name, the blocks in the cache of each CPU, and their order.
    pools = {"default": (CACHE, 0), "one": (20, 0), "two": (7, 3)}
    others = os.cpu_count() - 1
    with module.loaded(pool_cache=CACHE, pool_reserve=RESERVE, prime=CACHE), \
            consumer.loaded(consumer.C):
        for slot, (name, (primed, order)) in enumerate(pools.items()):
            if name != "default":
                assert consumer.script(consumer.pool(slot, name, order, cache=32, reserve=4),
                                       f"prime {slot} {primed}") == [0, 0]
        module.wait_until(lambda: metrics.Metrics().total("pool_cached", pool="default") ==
                          CACHE * (others + 1), "full caches")
        metrics.wait_until_filled().check_pool()
        try:
            switch(False)
            now = metrics.wait_until_filled().check_pool()
        finally:
            switch(True)
        for name, (primed, _) in pools.items():
            drained = now.total("pool_cache_drain_pages_total", pool=name)
            assert drained == primed, f"{name}: {drained} of {primed} blocks were given back"
            cached = now.total("pool_cached", pool=name)
            assert cached == primed * others, f"{name}: {cached} blocks are cached"


def loaded_while_a_cpu_is_away():
    """A CPU that comes online after the module was loaded has a cache, too."""
    needs_a_second_cpu()
    try:
        switch(False)
        with module.loaded(pool_cache=CACHE, pool_reserve=0, prime=CACHE):
            module.wait_until(lambda: metrics.Metrics().cached() == CACHE, "a full cache")
            switch(True)
            with module.running("timer_softirq", period_us=1000, batch=CACHE, pool=1):
                metrics.wait_for_cycles("timer_softirq", 20)
                module.wait_until(lambda: metrics.Metrics().cached() > CACHE, "a second cache")
            metrics.wait_until_filled().check_idle().check_pool()
            # It goes offline again when only the cache is left to notice.
            switch(False)
            time.sleep(0.1)
            assert metrics.Metrics().check_pool().cached() <= CACHE
    finally:
        switch(True)


ktap.main(exercises_follow_the_cpus, started_while_cpus_are_away, pages_go_home_with_their_cpu,
          started_and_stopped_while_cpus_go, cache_is_given_back, each_pool_loses_its_share,
          off_and_on_under_load, loaded_while_a_cpu_is_away)
