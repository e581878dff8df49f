#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# help.sh: what make can do here.
set -euo pipefail
cat <<'HELP'
make            build labyrinth.ko for the newest stock Debian kernel that has Rust
make demo       boot that kernel in a virtual machine, run the module, print what happened
make check      test everything on the stock kernel and on a debug kernel; includes lint
make soak       test for longer what finds more that way; up to half an hour
make lint       formatting, warnings and conventions only
make bench      count the instructions of every way to get a page, side by side
make shell      a shell in a virtual machine with the module loaded
make clean      remove what was built from this checkout
make distclean  also empty the cache: toolchain, kernels, logs
make help       this text

Variables, as in 'make demo FLAVOUR=rt-amd64':
KDIR=TREE       use this built kernel tree with CONFIG_RUST=y (or its O= folder) instead
FLAVOUR=F       cloud-amd64 (default), amd64 or rt-amd64
SERIES=X.Y      the newest stock kernel of this series instead of the newest of all
JOBS=N          parallel jobs of a build (default: all CPUs)
LABYRINTH_CACHE=DIR   where toolchain, kernels and logs are kept (default: ~/.cache/labyrinth)
LABYRINTH_REFRESH=1   look for a newer kernel now (otherwise at most once a day)
HELP
