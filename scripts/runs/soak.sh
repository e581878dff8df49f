#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# soak.sh: runs stress tests, and tests too slow for `make check`.
set -euo pipefail
exec "$(dirname "${BASH_SOURCE[0]}")/check.sh" soak
