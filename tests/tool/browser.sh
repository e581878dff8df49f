#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# browser.sh FOLDER: opens pages of `labyrinth report` in Chromium, and prints KTAP. FOLDER gets the
# pages and screenshots. Skips itself, with the reason, if there is no Chromium.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../../scripts/lib.sh"
folder=${1:?browser.sh needs a folder}
mkdir -p "$folder"
folder=$(realpath "$folder")

tool=$("$SCRIPTS/build/tool.sh")
errors=$folder/browser.err
chromium=$(env -u LABYRINTH_WHY "$SCRIPTS/environment/browser.sh" 2>"$errors") || {
	cat "$errors" >&2
	printf 'TAP version 13\n1..1\nok 1 browser # SKIP no Chromium could be had: %s\n' \
		"$(grep -m 1 -E 'error: |failed after' "$errors")"
	exit
}
python3 -B "$TOP/tests/tool/made_up_runs.py" "$folder"
for page in one many; do
	"$SCRIPTS/environment/sandbox.sh" --bind "$folder" "$tool" report "$folder/$page" \
		-o "$folder/$page.html"
done
cd "$folder"
python3 -B "$TOP/tests/tool/browser.py" "$chromium" one.html many.html
