#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# guest-places.sh: mounts the folders in /.labyrinth at their own paths; see sandbox.sh. A guest has
# other file systems over some of these: /tmp, /run, /dev, /var/cache, /var/log and others.
set -eu
for at in /.labyrinth/*.at; do
	path=$(readlink "$at")
	[ -d "$path" ] || mkdir -p "$path"
	mount -o bind "${at%.at}" "$path"
done
