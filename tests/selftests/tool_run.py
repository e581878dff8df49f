#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
# Runs in: check soak
# Covers: tools/labyrinth/src/run tools/labyrinth/src/runs tools/labyrinth/src/report
# Covers: tools/labyrinth/src/compare tools/labyrinth/src/module tools/labyrinth/src/tracing.rs
# Takes: 20 s
"""`labyrinth run` prints the counts of the module in each format, judges by its bounds, and
restores all settings. `report` and `compare` agree with its documents. `explain` finds the reason
of a failure in the log of this kernel."""

import contextlib
import json
import os
import re
import signal
import subprocess
import tempfile
import time
import xml.dom.minidom

from lib import consumer, kmsg, ktap, metrics, module, page, runs, tool
from lib.ktap import Again, Skip

ONE = ("--context", "timer_softirq")
SHORT = (*ONE, "--duration", "300ms")
# A bound that each request crosses.
CROSSED = ("--fail-above", "max=1ns")
SECONDS = ktap.soak(3, 5)
INSTANCES = tool.TRACING + "/instances"
FAILING = "labyrinth_failing"
PRINTK = "/proc/sys/kernel/printk"
# The runs of each side of a comparison, and how long they are.
SIDE = 3
LENGTH = "1s"


@contextlib.contextmanager
def folder():
    """A folder for files of the tool, which is removed at the end of the block."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        yield name


def text(*parts):
    """The text of a file."""
    with open(os.path.join(*parts), encoding="utf-8") as file:
        return file.read()


def a_run_has_a_document_and_a_page():
    """The document and the page of a run have the counts of the module, and `report` makes the same
    page from the document."""
    with module.loaded(), folder() as place:
        found = runs.document("--duration", f"{SECONDS}s", "--pool", "--html", place + "/page.html",
                              *ONE)
        assert SECONDS <= found["seconds"] < SECONDS + 2, found["seconds"]
        assert found["kernel"] == os.uname().release and found["cpus"] == os.cpu_count(), found
        (series,) = found["series"]
        last = found["samples"][-1]
        assert (last["successes"], last["failures"]) == (series["successes"], series["failures"])
        served = sum(tier["pages"] for tier in last["tiers"] if tier["pool"] == "default")
        assert served == series["successes"] == metrics.Metrics().check_idle().allocated(), last
        assert len(found["samples"]) >= SECONDS, found["samples"]
        made = text(place, "page.html")
        page.check(made, {"run": found})
        # The page names the run by its file.
        with open(place + "/run", "w", encoding="utf-8") as file:
            json.dump(found, file)
        result = tool.run("report", place + "/run", "--svg", place + "/plot.svg", "-o",
                          place + "/again.html")
        assert result.returncode == 0, result
        assert text(place, "again.html") == made, "`report` makes another page of the document"
        lines = xml.dom.minidom.parse(place + "/plot.svg").getElementsByTagName("polyline")
        assert lines, "the plot has no line"


def each_format_can_be_read():
    """Independent readers find the counts of the module in each format."""
    with module.loaded():
        runs.agrees(runs.from_csv(runs.run("--csv", *SHORT)))
        results = runs.from_ktap(runs.run("--ktap", *SHORT))
        assert results == {"timer_softirq.GFP_ATOMIC": True}, results
        results = runs.from_ktap(runs.run("--ktap", *SHORT, *CROSSED, status=1))
        assert results == {"timer_softirq.GFP_ATOMIC": False}, results
        totals = runs.from_hgrm(runs.run("--hgrm", *SHORT))
        assert totals == {("timer_softirq", "GFP_ATOMIC"):
                          metrics.Metrics().check_idle().allocated()}, totals
        if runs.text_string_to_metric_families is None:
            raise Skip("prometheus_client is not installed (package python3-prometheus-client)")
        runs.agrees(runs.from_openmetrics(runs.run("--openmetrics", *SHORT)))


def every_exercise_runs():
    """Without --context, all exercises run, and all formats have all of them."""
    with module.loaded():
        found = runs.document("--duration", "1s")
        assert {context for context, _ in runs.outcomes(found)} == set(module.CONTEXTS), found
        table = runs.from_csv(runs.run("--csv", "--duration", "1s"))
        runs.agrees(table)
        assert table.keys() == runs.outcomes(found).keys(), table
        results = runs.from_ktap(runs.run("--ktap", "--duration", "1s"))
        assert results == {f"{context}.{gfp}": True for context, gfp in table}, results


def an_offence_has_consequences():
    """At the first offence the run ends with status 1, after a trace, a command and a signal."""
    came = []
    before = signal.signal(signal.SIGUSR1, lambda *_: came.append(True))
    try:
        with module.loaded(), folder() as place:
            start = time.monotonic()
            found = runs.document(
                *ONE, "--duration", "50s", *CROSSED,
                # This cannot be written, which must not hide the verdict or the other actions.
                "--on-threshold", f"trace,file={place}/no/folder",
                "--on-threshold", f"trace,file={place}/trace",
                "--on-threshold", f"shell,command=echo one, two >{place}/said",
                "--on-threshold", f"signal,num={signal.SIGUSR1.value},pid=parent", status=1)
            assert time.monotonic() - start < 30, "the run did not end at the offence"
            assert found["verdict"] == "fail" and found["offences"], found
            assert text(place, "said") == "one, two\n"
            assert came == [True], came
            events = re.findall(r"^[^#].*? \d+\.\d+: (\w+): ", text(place, "trace"), re.M)
            assert {"page_alloc", "page_free"} <= set(events), text(place, "trace")[:2000]
            ktap.note(f"{len(events)} events of {sorted(set(events))}")
    finally:
        signal.signal(signal.SIGUSR1, before)


def a_run_continues_if_it_shall():
    """With `continue`, the run goes on to its end, and its status is still 1."""
    with module.loaded():
        found = runs.document(*ONE, "--duration", "1s", *CROSSED, "--on-threshold", "continue",
                              status=1)
        assert found["seconds"] >= 1 and found["verdict"] == "fail", found
        # A bound that nothing crosses, and no failures.
        found = runs.document(*SHORT, "--fail-above", "p50=1s", "--fail-if-failures")
        assert found["verdict"] == "pass" and not found["offences"], found


class Running:
    """`labyrinth run` in the background, once its exercise runs."""

    def __init__(self, *arguments):
        # pylint: disable=consider-using-with
        self._process = subprocess.Popen(
            [tool.path(), "run", "--json", "--batch", "7", *ONE, "--duration", "50s", *arguments],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.instance = f"labyrinth-{self._process.pid}"
        module.wait_until(self._runs, "the exercise of the tool", 30)

    def _runs(self):
        assert self._process.poll() is None, self._process.communicate()
        return [module.read(module.control(ONE[1], name)).strip() for name in ("batch", "run")] \
            == ["7", "1"]

    def end(self, number):
        """Ends it with a signal. Returns its status and what it printed."""
        self._process.send_signal(number)
        output, errors = self._process.communicate(timeout=60)
        return self._process.returncode, output, errors


@contextlib.contextmanager
def own_settings():
    """Changes some settings, and starts an exercise. The block must leave all settings
    unchanged."""
    module.tune("timer_softirq", batch=33, period_us=50_000, guard=1)
    with module.running("task", period_us=20_000, hold_us=100):
        before = runs.settings()
        yield
        assert runs.settings() == before, f"{before} became {runs.settings()}"


def settings_are_put_back():
    """The settings are as before after the end of a run, after SIGINT, SIGTERM and SIGHUP."""
    traces = tool.traces()
    with module.loaded(), own_settings():
        tool.run("run", *SHORT)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            process = Running("--on-threshold", "trace", "--fail-above", "max=1000s")
            # The first period takes a while.
            time.sleep(0.5)
            status, output, errors = process.end(number)
            assert status == 0, f"{status}: {errors}"
            found = json.loads(output)
            assert found["seconds"] < 40 and found["verdict"] == "pass", found
            (series,) = found["series"]
            assert series["successes"] > 0, found
    after = tool.traces()
    assert after == traces, f"{traces} became {after}"


def the_next_run_cleans_up():
    """A run that is killed leaves its settings, as documented, and its tracing instance, which the
    next run removes, even if it records no trace."""
    traces = tool.traces()
    with module.loaded():
        process = Running("--on-threshold", "trace", "--fail-above", "max=1000s")
        process.end(signal.SIGKILL)
        assert process.instance in os.listdir(INSTANCES), os.listdir(INSTANCES)
        # PIDs are used again: a dead owner can have the PID of a living process.
        os.mkdir(f"{INSTANCES}/labyrinth-{os.getpid()}")
        left = runs.settings()
        assert (left[ONE[1], "run"], left[ONE[1], "batch"]) == ("1", "7"), left
        runs.run("--csv", *SHORT)
        assert runs.settings() == left, f"{left} became {runs.settings()}"
        module.stop(ONE[1])
    after = tool.traces()
    assert after == traces, f"{traces} became {after}"


def two_runs_have_two_traces():
    """A run does not remove the tracing instance of another run, whose owner it cannot see if that is
    in another PID namespace."""
    with module.loaded():
        process = Running("--on-threshold", "trace", "--fail-above", "max=1000s")
        hidden = subprocess.run(["unshare", "--pid", "--fork", "--mount-proc", tool.path(), "run",
                                 "--csv", "--context", "task", "--duration", "300ms"],
                                capture_output=True, text=True, timeout=60, check=False)
        assert hidden.returncode == 0, hidden
        assert process.instance in os.listdir(INSTANCES), os.listdir(INSTANCES)
        status, _, errors = process.end(signal.SIGTERM)
        assert status == 0 and "warning" not in errors, errors
        assert process.instance not in os.listdir(INSTANCES), os.listdir(INSTANCES)


def a_reader_may_leave():
    """The verdict does not depend on the reader of standard output."""
    with module.loaded():
        for arguments, status in ((CROSSED, 1), (("--fail-if-failures",), 0)):
            reader, writer = os.pipe()
            os.close(reader)
            with os.fdopen(writer, "w", encoding="utf-8") as gone:
                result = subprocess.run([tool.path(), "run", *SHORT, *arguments], stdout=gone,
                                        stderr=subprocess.PIPE, text=True, timeout=60, check=False)
            assert result.returncode == status, result
            assert "panicked" not in result.stderr, result


def the_verdict_names_what_the_table_shows():
    """The offences are those of the final numbers, although the run ends at the first one."""
    with module.loaded():
        found = runs.document("--duration", "20s", *CROSSED, status=1)
        slow = {(series["context"], series["gfp"]) for series in found["series"]
                if series["latency_max_ns"] and series["latency_max_ns"] > 1}
        named = {(offence["context"], offence["gfp"]) for offence in found["offences"]}
        assert slow == named, found


def wrong_usage_is_refused():
    """Wrong usage is refused, with the fix, before anything is changed."""
    with module.loaded(), own_settings():
        for arguments in (("--context", "tusk"), ("--html", "/nonexistent/page.html"),
                          ("--batch", "0"), ("--fail-above", "max=50"),
                          (*CROSSED, "--on-threshold", "trace", "--event", "no:such"),
                          ("--duration", "0s"), ("--on-threshold", "trace"),
                          (*CROSSED, "--event", "kmem"),
                          ("--on-threshold", "continue", "--on-threshold", "trace")):
            result = tool.run("run", *arguments)
            # clap says what it wants without the word.
            assert result.returncode == 2 and re.search("fix: |give one", result.stderr), result
    result = tool.run("run")
    assert result.returncode == 3 and "not loaded" in result.stderr, result


@contextlib.contextmanager
def silent_console():
    """Keeps the kernel's reports off the console, where a run of all tests takes them for bugs.
    They are still in the log."""
    before = module.read(PRINTK)
    module.write(PRINTK, "1")
    try:
        yield
    finally:
        module.write(PRINTK, before)


def the_reason_is_explained():
    """`explain` reads the log of this kernel, and knows the order, the flags, the context, the
    caller and the reason of a failure that happened on purpose."""
    order = 8
    with consumer.loaded(FAILING), kmsg.Provoked() as log, silent_console():
        for context in ("task", "hard_irq"):
            # A hard interrupt must not allocate on PREEMPT_RT, or where lockdep checks its rules.
            if context == "hard_irq" and any(map(os.path.exists, ("/sys/kernel/realtime",
                                                                  "/proc/lockdep"))):
                continue
            marker = f"labyrinth-test: {context} fails now"
            module.write("/dev/kmsg", f"<6>{marker}")
            module.write(f"/sys/module/{FAILING}/parameters/fail", f"{context} {order} 1 warn")
            log.expect(re.compile(""))
            lines = subprocess.run(["dmesg"], check=True, capture_output=True, text=True).stdout
            lines = lines.rpartition(marker)[2]
            # The kernel reports one failure in ten seconds.
            time.sleep(10.5)
            if "page allocation failure" not in lines:
                raise Again("the kernel had just reported another failure")
            result = tool.run("explain", "--json", input=lines)
            assert result.returncode == 0, result
            (entry,) = json.loads(result.stdout)["reports"]
            ktap.note(f"{context}: {entry['reason']}")
            assert (entry["kind"], entry["order"]) == ("page", order), entry
            assert entry["flags"] == "GFP_ATOMIC|GFP_DMA", entry
            assert entry["kernel"] == os.uname().release, entry
            assert "labyrinth_fail" in entry["caller"], entry
            words = " ".join((entry["reason"], *entry["more"]))
            assert ("from an interrupt" in words) == (context == "hard_irq"), words
            assert re.match("Free memory was too low|Memory was fragmented", words), words
            verdicts = {zone["name"]: zone["verdict"] for zone in entry["zones"]}
            assert verdicts["DMA"] in ("no-block", "too-low"), verdicts


def interleaved(place, one, other):
    """Runs with two settings in turn, in a file. Each is compared with the module."""
    name = place + "/runs.json"
    with open(name, "w", encoding="utf-8") as file:
        for options in (one, other) * SIDE:
            json.dump(runs.document(*ONE, "--duration", LENGTH, *options), file)
    return name


def findings(*arguments, status):
    """The findings of `compare` by metric, from its document. Its KTAP must agree."""
    result = tool.run("compare", "--json", *arguments)
    assert result.returncode == status, result
    found = json.loads(result.stdout)
    by_metric = {row["metric"]: row["finding"] for row in found["rows"]}
    result = tool.run("compare", "--ktap", *arguments)
    assert result.returncode == status, result
    results = runs.from_ktap(result.stdout)
    assert len(results) == len(by_metric) == len(found["rows"]), f"{results}, {found}"
    for metric, finding in by_metric.items():
        got = results[f"timer_softirq.GFP_ATOMIC.{metric.replace(' ', '_')}"]
        wanted = f"SKIP {finding}" if finding.startswith("cannot tell") else finding != "worse"
        assert got == wanted, f"{metric}: {got}, {finding}"
    return by_metric


def a_gross_difference_is_found():
    """A pool is better than the page allocator, and the page allocator worse than a pool."""
    with module.loaded(), folder() as place:
        name = interleaved(place, (), ("--pool",))
        plot = place + "/plot.svg"
        better = findings("--interleaved", name, "--svg", plot, status=0)
        assert better["p50"] == "better", better
        xml.dom.minidom.parse(plot)
        documents = text(name).replace("}{", "}\n{").splitlines()
        sides = []
        for side in (0, 1):
            sides.append(f"{place}/{side}.json")
            with open(sides[-1], "w", encoding="utf-8") as file:
                file.write("\n".join(documents[side::2]))
        assert findings(*sides, status=0) == better
        worse = findings(*sides[::-1], status=1)
        opposite = {"better": "worse", "worse": "better"}
        assert worse["p50"] == "worse", worse
        for metric, finding in better.items():
            # The smallest difference that matters is a part of the mean of A, so other findings can
            # differ.
            if finding in opposite and worse[metric] in opposite:
                assert worse[metric] == opposite[finding], f"{metric}: {better}, {worse}"
        few = findings(*sides[:1], sides[0], "--matters", "50%", status=0)
        assert few["p50"] != "cannot tell: too few runs", few
        with open(sides[0], "w", encoding="utf-8") as file:
            file.write("\n".join(documents[0:4:2]))
        few = findings(*sides, status=0)
        assert set(few.values()) == {"cannot tell: too few runs"}, few


def no_difference_is_found_where_none_is():
    """Runs with the same settings do not differ by half of a latency."""
    with module.loaded(), folder() as place:
        name = interleaved(place, (), ())
        found = findings("--interleaved", name, "--matters", "50%", status=0)
        ktap.note(f"{found}")
        for metric in ("success rate", "p50", "mean"):
            assert found[metric] == "no difference seen" or "cannot tell" in found[metric], found


ktap.main(a_run_has_a_document_and_a_page, each_format_can_be_read, an_offence_has_consequences,
          the_next_run_cleans_up, *ktap.soak((), slow := (
              two_runs_have_two_traces, a_reader_may_leave, the_verdict_names_what_the_table_shows,
              every_exercise_runs, a_run_continues_if_it_shall, settings_are_put_back,
              wrong_usage_is_refused, the_reason_is_explained, a_gross_difference_is_found,
              no_difference_is_found_where_none_is)), by_name=slow)
