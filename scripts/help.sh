#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# help.sh: prints the targets and variables of the Makefile.
set -euo pipefail
cat <<'HELP'
make            build labyrinth.ko for the newest stock Debian kernel that has Rust
make demo       boot that kernel in a virtual machine, run the module, print its reports, and write
                an HTML page with measurements
make check      test everything on the stock kernel and on a debug kernel; includes lint
make quick      test the files that have changed, in about two minutes, or run the tests in WHAT=…
make soak       run stress tests, and tests that are too slow for make check; takes hours
make wall       compare a pool with the page allocator and mempool: bursts of atomic requests
                and network packets while memory is full of page cache
make lint       check formatting, warnings and conventions only
make bench      count the instructions of every way to get a page, and measure how 1, 2, 4 and 8
                CPUs slow each other down
make new-driver copy the sample rust_pool to the folder DIR (default: ../NAME) as a driver NAME
make driver     build the driver in the folder DIR, and load it in a virtual machine
make doc        make the HTML documentation of the library
make rust-analyzer  write rust-project.json, for editors; with the driver in DIR, if that is given
make tool       build the command line tool, which needs no module, into build/tool
make shell      open a shell in a virtual machine with the module loaded
make clean      remove what was built from this checkout
make distclean  also empty the cache: toolchain, kernels, logs
make help       print this text

Variables, as in 'make demo FLAVOUR=rt-amd64':
KDIR=TREE       use this built kernel tree with CONFIG_RUST=y (or its O= folder) instead
FLAVOUR=F       cloud-amd64 (default), amd64 or rt-amd64
SERIES=X.Y      the newest stock kernel of this series instead of the newest of all
WHAT=…          make quick: test programs, cases and parts, such as pool.py:cache_serves,
                lint:clippy, compile-fail:page_freed_twice; an unknown name lists them all
NAME=N, DIR=D   make new-driver, make driver, make rust-analyzer: name and folder of the driver
KERNEL=debug    make, make quick, make driver, make doc, make rust-analyzer: the debug kernel
                instead of the stock one
JOBS=N          parallel jobs of a build (default: all CPUs)
WALL_MEMORY=M   make wall: memory of the virtual machine in MiB (default 384)
WALL_BURST=N    make wall: pages in a burst, and in the reserve (default 2048)
WALL_ROUNDS=N   make wall: bursts of each allocator that is compared (default 10)
WALL_FRAGMENTATION=0  make wall: leave out the part about fragmentation
WALL_TRAFFIC=N  make wall: rounds of network traffic (default 2; 0 leaves it out)
WALL_SEEDS=N    make wall: seeds of the part about reserves that size themselves (default 10)
LABYRINTH_CACHE=DIR   where toolchain, kernels and logs are kept (default: ~/.cache/labyrinth)
LABYRINTH_REFRESH=1   look for a newer kernel now (otherwise at most once a day)
HELP
