# SPDX-License-Identifier: GPL-2.0
"""Reads the output of `labyrinth run` in each of its formats."""

import csv
import io
import json
import re

from lib import metrics, module, tool

try:
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
except ImportError:
    text_string_to_metric_families = None

RESULT = re.compile(r"^(not )?ok (\d+) (\S+)(?: # (SKIP.*))?$")
STEP = re.compile(r"^ *(\d+\.\d+) +([01]\.\d+) +(\d+) +(\d+\.\d+)?$")


def run(*arguments, status=0):
    """Runs exercises, and returns the output of the tool. The module must be loaded."""
    result = tool.run("run", *arguments)
    assert result.returncode == status, f"status {result.returncode}, not {status}: {result}"
    return result.stdout


def document(*arguments, status=0):
    """Runs exercises, and returns the document, after a comparison with the module."""
    found = json.loads(run("--json", *arguments, status=status))
    agrees(outcomes(found))
    now = metrics.Metrics()
    for series in found["series"]:
        labels = {"context": series["context"], "gfp": series["gfp"]}
        assert round(now.total("page_alloc_latency_seconds_sum", **labels) * 1e9) \
            == series["latency_sum_ns"], series
        assert now.total("page_alloc_latency_seconds_count", **labels) \
            == sum(bucket["count"] for bucket in series["buckets"]), series
    return found


def outcomes(found):
    """The numbers of successful and of failed requests in a document, by exercise and flags."""
    return {(series["context"], series["gfp"]): (series["successes"], series["failures"])
            for series in found["series"]}


def agrees(found):
    """Checks that these outcomes are those that the module counts. The run has reset the counters,
    and its exercises have ended."""
    now = metrics.Metrics().check_idle()
    wanted = {(context, gfp): (now.allocated(context=context, gfp=gfp),
                               now.failed(context=context, gfp=gfp)) for context, gfp in found}
    assert found == wanted, f"{found}, but the module counts {wanted}"
    assert any(successes for successes, _ in found.values()), found
    # No other exercise has run.
    assert now.allocated() == sum(successes for successes, _ in found.values()), found


def from_csv(text):
    """The outcomes in a table of values."""
    rows = list(csv.DictReader(io.StringIO(text), strict=True))
    for row in rows:
        assert None not in row and None not in row.values(), row
        times = [int(row[name]) for name in ("min_ns", "p50_ns", "p90_ns", "p99_ns", "p99.9_ns",
                                             "max_ns") if row[name]]
        assert times == sorted(times) and len(times) in (0, 6), row
    return {(row["context"], row["flags"]): (int(row["successes"]), int(row["failures"]))
            for row in rows}


def from_ktap(text):
    """The results by name: True, False, or the reason why a test was skipped."""
    version, plan, *lines = text.splitlines()
    assert version == "KTAP version 1", version
    results = {}
    for line in lines:
        if line.startswith("#"):
            continue
        match = RESULT.match(line)
        assert match and int(match[2]) == len(results) + 1, f"{line!r} in {text}"
        assert match[3] not in results, f"{line!r} in {text}"
        results[match[3]] = match[4] or not match[1]
    assert plan == f"1..{len(results)}", text
    return results


def from_hgrm(text):
    """The number of latencies of each exercise with its flags. Checks the distribution."""
    totals, steps, name = {}, [], None
    for line in text.splitlines():
        if head := re.match(r"^#\[(\w+) (\S+)\]$", line):
            name, steps = head.groups(), []
        elif match := STEP.match(line):
            steps.append(tuple(float(cell or "inf") for cell in match.groups()))
        elif end := re.match(r"^#\[Max +=.*Total count +=  *(\d+)\]$", line):
            totals[name] = int(end[1])
            columns = list(zip(*steps)) if steps else []
            assert all(list(column) == sorted(column) for column in columns), f"{name}: {steps}"
            if steps:
                assert steps[-1][1:] == (1.0, totals[name], float("inf")), f"{name}: {steps[-1]}"
                for _, share, below, _ in steps:
                    assert below >= share * totals[name] * 0.999, f"{name}: {steps}"
        else:
            assert not line or line.startswith("#[") or "Percentile" in line, line
    return totals


def from_openmetrics(text):
    """The outcomes in OpenMetrics text, as another project's parser reads them."""
    assert text.endswith("# EOF\n"), text[-80:]
    families = {family.name: family for family in text_string_to_metric_families(text)}
    found = {}
    for sample in families["labyrinth_run_requests"].samples:
        key = sample.labels["context"], sample.labels["gfp"]
        found.setdefault(key, {})[sample.labels["outcome"]] = int(sample.value)
    assert families["labyrinth_run_passed"].samples[0].value in (0, 1)
    return {key: (one["success"], one["failure"]) for key, one in found.items()}


def settings():
    """The settings of all exercises."""
    return {(context, name): module.read(module.control(context, name)).strip()
            for context in module.CONTEXTS for name in (*module.SETTINGS, "run")}
