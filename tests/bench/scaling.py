# SPDX-License-Identifier: GPL-2.0
"""scaling.py FOLDER: evaluates how a peer slows down when several CPUs use it at once.

Reads FOLDER/scaling.points, the times in mixed contexts, and FOLDER/sharing.points with
FOLDER/sharing.counted, the counts of the QEMU plugin. As a program it reads only the counts, and
prints them as a table and the requirements as KTAP.
"""

import os
import statistics
import sys
from collections import defaultdict

PEER = "pool_hit"
# The requirements are for so many CPUs, or as many as there are.
REQUIRED_CPUS = 8
# The reserve: by itself, and through the chain of a pool whose allocator refuses.
RESERVES = ("pool_reserve", "pool_refused")

# Peers in Rust. The counts of an empty loop in the same language are subtracted from each peer's.
RUST = ("exclusive_", "pool_")
LOOPS = ("empty_c", "empty_rust")

# Limits for a cache hit: accesses to shared cache lines and waits for each operation, and the
# increase of its instructions.
MOST = 0.001

# Limits for a page of the reserve: the same accesses and waits, and the increase of instructions.
MOST_SHARED, MOST_WAITS, MOST_MORE = 3, 0.001, 0.05

LIMITS = """\
The throughput is from the medians of short samples. Each sample is divided by the sample of a
reference right before it, a per-CPU stack in C. So the throughput does not depend on how many CPUs
of the host the guest gets. It also does not show contention between more than {cpus} CPUs, which is
the number of CPUs of the host. The times are those of an emulator. Other work on the host changes
them by a tenth or more, so there are no requirements for them. The counts do not depend on the
speed of the emulator, except for the waits. They do not show how long a wait takes."""


class Scaling:
    """Times on 1, 2, 4 and 8 CPUs."""

    def __init__(self, folder):
        self.facts, self.away = {}, defaultdict(lambda: [0, 0])
        samples = defaultdict(list)
        self.contexts = defaultdict(list)
        with open(os.path.join(folder, "scaling.points"), encoding="utf-8") as lines:
            for line in lines:
                kind, *words = line.split()
                if kind == "scale":
                    peer, cpus, turn, context = words[0], int(words[1]), int(words[2]), words[3]
                    samples[peer, cpus, turn, context].append(int(words[5]) / int(words[4]))
                    if context not in self.contexts[peer]:
                        self.contexts[peer].append(context)
                elif kind == "away":
                    count = self.away[words[0], int(words[1])]
                    count[0] += int(words[3])
                    count[1] += int(words[4])
                elif kind == "fact":
                    self.facts[words[0]] = " ".join(words[1:])
        self.peers = [peer for peer in self.contexts if peer not in LOOPS]
        self.cpus = sorted({key[1] for key in samples})
        self.turns = sorted({key[2] for key in samples})
        self.cost = {key: statistics.mean(values) for key, values in samples.items()}
        assert self.cpus and self.cpus[0] == 1 and PEER in self.peers, "not a complete run"

    def slower(self, peer, cpus, context):
        """The time of an operation, as a multiple of the time on one CPU."""
        return statistics.median(self.cost[peer, cpus, turn, context] /
                                 self.cost[peer, 1, turn, context] for turn in self.turns)

    def throughput(self, peer, cpus):
        """The throughput of one CPU, as a fraction of that of a CPU alone, for all contexts."""
        return 1 / statistics.mean(self.slower(peer, cpus, context)
                                   for context in self.contexts[peer])


class Sharing:
    """The counts of the plugin on 1, 2, 4 and 8 CPUs."""

    def __init__(self, folder):
        with open(os.path.join(folder, "sharing.counted"), encoding="utf-8") as lines:
            counted = [tuple(map(int, line.split()[1:])) for line in lines][1:]
        with open(os.path.join(folder, "sharing.points"), encoding="utf-8") as lines:
            points = [line.split()[1:] for line in lines if line.startswith("shared ")]
        assert len(counted) == len(points), "marks and points do not agree"
        self.figures = {}
        for (peer, cpus, ops), (stretches, *sums) in zip(points, counted):
            assert stretches, f"{peer} on {cpus}: every sample was interrupted"
            self.figures[peer, int(cpus)] = [value / stretches / int(ops) for value in sums]
        self.peers = [peer for peer in dict.fromkeys(peer for peer, _ in self.figures)
                      if peer not in LOOPS]
        self.cpus = sorted({cpus for _, cpus in self.figures})

    def cost(self, peer, cpus):
        """For each operation, without the loop: instructions, accesses to shared lines, waits."""
        empty = "empty_rust" if peer.startswith(RUST) else "empty_c"
        instructions, shared, waits = self.figures[peer, cpus]
        return instructions - self.figures[empty, cpus][0], shared, waits


def read(folder):
    """Reads the times and the counts, which can be None. Returns None if there are no times."""
    if not os.path.exists(os.path.join(folder, "scaling.points")):
        return None
    counted = os.path.exists(os.path.join(folder, "sharing.counted"))
    return Scaling(folder), Sharing(folder) if counted else None


def cases(ktap, scaling, sharing):
    """Adds a case for each figure and each requirement. Returns the requirements as data."""
    for peer in scaling.peers:
        for cpus in scaling.cpus:
            rate = scaling.throughput(peer, cpus)
            parts = ", ".join(f"{context} {1 / scaling.slower(peer, cpus, context):.4f}"
                              for context in scaling.contexts[peer])
            notes = [f"perf={rate:.4f} of the operations of one CPU when it is alone: {parts}"]
            away, requests = scaling.away.get((peer, cpus), (0, 0))
            if requests:
                notes.append(f"perf={away / requests:.6f} requests that found a cache in use")
            ktap.case(rate > 0, f"scaling: {peer} on {cpus} CPUs", *notes)
    if not sharing:
        return []
    return counts(ktap, sharing)


def counts(ktap, sharing):
    """Adds a case for each count and each requirement. Returns the requirements as data."""
    for peer in sharing.peers:
        for cpus in sharing.cpus:
            instructions, shared, waits = sharing.cost(peer, cpus)
            ktap.case(instructions >= 0, f"sharing: {peer} on {cpus} CPUs",
                      f"perf={instructions:.4f} instructions/op, {shared:.4f} accesses to lines that "
                      f"another CPU uses and one writes, {waits:.4f} waits")
    return requirements(ktap, sharing)


def requirements(ktap, sharing):
    """Adds a case for each requirement for a cache hit and for the reserve. Returns them as data."""
    most, found = max(n for n in sharing.cpus if n <= REQUIRED_CPUS), []
    one, (instructions, shared, waits) = sharing.cost(PEER, 1), sharing.cost(PEER, most)
    required = [
        (f"a hit takes no more instructions on {most} CPUs than on one",
         instructions / one[0], 1 + MOST),
        (f"a hit on {most} CPUs uses no cache line that another CPU writes", shared, MOST),
        (f"a hit on {most} CPUs waits for no other CPU", waits, MOST)]
    for peer in RESERVES:
        one, (instructions, shared, waits) = sharing.cost(peer, 1), sharing.cost(peer, most)
        required += [
            (f"{peer} takes hardly more instructions on {most} CPUs than on one",
             instructions / one[0], 1 + MOST_MORE),
            (f"{peer} on {most} CPUs seldom uses cache lines that another CPU writes", shared,
             MOST_SHARED),
            (f"{peer} on {most} CPUs waits for no other CPU", waits, MOST_WAITS)]
    for name, figure, at_most in required:
        ktap.case(figure <= at_most, f"required: {name}",
                  f"perf={figure:.4f}, at most {at_most:.4f}")
        found.append({"name": name, "ratio": figure, "at_most": at_most,
                      "met": figure <= at_most})
    return found


def table(title, peers, cpus, cell):
    """A table of peers by CPUs."""
    out = [f"## {title}", "", f"| peer | {' | '.join(map(str, cpus))} |",
           "|---|" + "---:|" * len(cpus)]
    out += [f"| {peer} | {' | '.join(cell(peer, n) for n in cpus)} |" for peer in peers]
    return out + [""]


def markdown(scaling, sharing):
    """The tables as Markdown."""
    out = table("Throughput of a CPU, by the number of CPUs at work, contexts mixed", scaling.peers,
                scaling.cpus, lambda peer, n: f"{scaling.throughput(peer, n):.2f}")
    away = {key: count for key, count in scaling.away.items() if count[1]}
    if away:
        out += table("Requests in a million that found a cache in use, contexts mixed",
                     dict.fromkeys(peer for peer, _ in away), scaling.cpus,
                     lambda peer, n: f"{away[peer, n][0] * 1e6 / away[peer, n][1]:.0f}")
    if sharing:
        out += tables_of_counts(sharing)
    return out + [LIMITS.format(cpus=os.cpu_count()), ""]


def tables_of_counts(sharing):
    """The counts as Markdown."""
    out = []
    for which, title in enumerate((
            "Instructions, by CPUs",
            "Accesses to cache lines that another CPU uses and one writes, by CPUs",
            "Waits (PAUSE), by CPUs")):
        out += table(title, sharing.peers, sharing.cpus,
                     lambda peer, n, i=which: f"{sharing.cost(peer, n)[i]:.2f}")
    return out


def data(scaling, sharing):
    """The figures as data."""
    return {
        "facts": scaling.facts,
        "times": [{"peer": peer, "cpus": cpus, "context": context,
                   "slower": scaling.slower(peer, cpus, context)}
                  for peer in scaling.peers for cpus in scaling.cpus
                  for context in scaling.contexts[peer]],
        "away": [{"peer": peer, "cpus": cpus, "away": away, "requests": requests}
                 for (peer, cpus), (away, requests) in scaling.away.items()],
        "counted": [{"peer": peer, "cpus": cpus,
                     **dict(zip(("instructions", "shared", "waits"), sharing.cost(peer, cpus)))}
                    for peer in sharing.peers for cpus in sharing.cpus] if sharing else [],
    }


def main(folder):
    """Evaluates the counts alone."""
    # report.py uses this file, too.
    from report import Ktap  # pylint: disable=import-outside-toplevel,cyclic-import
    ktap, sharing = Ktap(), Sharing(folder)
    counts(ktap, sharing)
    with open(os.path.join(folder, "sharing.md"), "w", encoding="utf-8") as file:
        file.write("\n".join(tables_of_counts(sharing)) + "\n")
    print(*tables_of_counts(sharing), sep="\n")
    print(ktap.text(), end="")
    return 1 if ktap.failures else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1]))
