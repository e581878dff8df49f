#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# traffic-guest.sh FOLDER TOOLS BURST ROUNDS: the part of traffic.sh that runs in the guest. TOOLS
# is the folder that scripts/environment/traffic.sh prints. The status is that of guest.py.
set -euo pipefail
folder=$1 tools=$2
libraries=("$tools"/usr/lib/*-linux-gnu)
export LD_LIBRARY_PATH=${libraries[0]} PATH=$tools/usr/bin:$tools/usr/sbin:$PATH
for module in labyrinth labyrinth_lab pktgen; do insmod "$folder/$module.ko"; done
rc=0
python3 -B "$folder/guest.py" "$folder" "$3" "$4" || rc=$?
for module in pktgen labyrinth_lab labyrinth; do rmmod "$module"; done
exit "$rc"
