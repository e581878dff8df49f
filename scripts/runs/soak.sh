#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# soak.sh: what takes longer than check.sh may, in the same form.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/check.sh" soak
