# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced, after lib.sh, by parts of a run that are called as run.sh stock|debug|kdir FOLDER […].
# Sets `kernel` and `folder`, makes the folder, sets the variables of kernel.sh, and defines the
# functions with which the kernel's own scripts print KTAP.

kernel=${1:?run.sh needs a kernel: stock, debug or kdir}
folder=${2:?run.sh needs a folder for its logs}
assignments=$("$SCRIPTS/environment/kernel.sh" "$kernel")
eval "$assignments"
# shellcheck source=/dev/null # from the kernel source
source "$K_SOURCE/tools/testing/selftests/kselftest/ktap_helpers.sh"
mkdir -p "$folder"
folder=$(realpath "$folder")
