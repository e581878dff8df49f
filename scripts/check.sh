#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# check.sh [soak]: every test there is, on the target kernel and on the debug kernel, or on KDIR's
# alone; with soak, instead, those that find more the longer they run.
# Results come as KTAP while they happen; the last line counts them. All logs stay in build/check.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

what=${1-check}
[[ $what =~ ^(check|soak)$ ]] || die "check.sh: unknown argument '$what'" "check.sh or check.sh soak"
lock "check-$(cksum <<<"$TOP" | tr ' ' -)"
# The longest first, so that none is left over at the end.
if [[ -n ${KDIR-} ]]; then
	"$SCRIPTS/setup.sh" root
	kernel=kdir
	jobs=(kselftest:kdir planted:kdir runner:kdir lint:kdir compile-fail:kdir host:kdir)
else
	"$SCRIPTS/setup.sh" root stock debug
	kernel=stock
	# What the benchmark requires is required of production kernels.
	jobs=(kselftest:debug kselftest:stock lint:stock runner:stock planted:stock bench:stock edu:stock
		compile-fail:stock host:stock numa:stock)
fi
if [[ $what == soak ]]; then
	export LABYRINTH_SOAK=1
	jobs=(soak:stock soak:debug planted:debug edu:debug numa:debug runner:stock)
	[[ $kernel != kdir ]] || jobs=(soak:kdir runner:kdir)
fi
"$SCRIPTS/kvm-probe.sh" "$kernel" >/dev/null

logs=$TOP/build/$what
rm -rf "$logs"
mkdir -p "$logs"
start=$SECONDS

pids=()
stop_lanes() {
	local pid
	for pid in "${pids[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
	pids=()
	unguard
}
trap stop_lanes EXIT

# A lane for each CPU, but two at least: whoever waits for a device or a timer leaves its CPU to the
# other. In process groups of their own, or an interrupt would not reach what they run.
printf '%s\n' "${jobs[@]}" >"$logs/jobs"
set -m
for ((lane = 0; lane < ${#jobs[@]} && lane < (JOBS > 2 ? JOBS : 2); lane++)); do
	"$SCRIPTS/check-lane.sh" "$logs" </dev/null &
	pids+=($!)
done
set +m
guard "${pids[@]}"

declare -A shown=()
# Prints the results that have come since the last call.
show_results() {
	local file name lines
	for file in "$logs"/*.out; do
		[[ -e $file ]] || continue
		name=${file##*/}
		name=${name%.out}
		lines=$(wc -l <"$file")
		((lines > ${shown[$name]:-0})) || continue
		sed -nE "$((${shown[$name]:-0} + 1)),${lines}{s/^# ((not )?ok )/\1/;s/^(not )?ok /[$name] &/p}" "$file"
		shown[$name]=$lines
	done
}

# The last words of the newest logs, of which there are as many as lanes.
what_runs() {
	local file
	find "$logs" -maxdepth 2 \( -name '*.err' -o -name '*.vm' \) -size +0 -printf '%T@ %p\n' |
		sort -rn | head -n "${#pids[@]}" | cut -d ' ' -f 2- | while read -r file; do
		printf '%s: %s; ' "$(basename "${file%.*}")" "$(tail -n 1 "$file")"
	done
}

alive() {
	local pid
	for pid in "${pids[@]}"; do
		! kill -0 "$pid" 2>/dev/null || return 0
	done
	return 1
}

told=0
while alive; do
	show_results
	if ((SECONDS - start - told >= 30)); then
		told=$((SECONDS - start))
		note "$told s: $(what_runs)"
	fi
	sleep 1
done
stop_lanes
show_results

# Every part has to have left results; what is missing counts as failed.
files=()
for job in "${jobs[@]}"; do
	files+=("$logs/${job/:/-}.out")
	[[ ! ${job%:*} =~ ^(kselftest|numa|edu|soak)$ ]] || files+=("$logs/console-${job/:/-}.out")
done
for file in "${files[@]}"; do : >>"$file"; done
awk -f "$SCRIPTS/count-ktap.awk" "${files[@]}" >"$logs/summary"
total=$(tail -n 1 "$logs/summary")
echo
sed '$d' "$logs/summary"
rc=0
[[ $total =~ ^[1-9][0-9]*\ passed,\ 0\ failed, ]] || rc=1
((rc == 0)) || note "all logs and consoles are in $logs"
note "$((SECONDS - start)) s, without set-up: $(paste -sd , "$logs/times")"
echo "$total"
exit "$rc"
