# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced, after lib.sh. Runs jobs in lanes, shows results as they come, and lists the failures at
# the end, with the reason and the command that repeats each. A job is a line WHAT KERNEL
# [ARGUMENT]… that check-lane.sh knows. Its KTAP goes to WHAT-KERNEL.out in the folder. Jobs of a
# kernel that a job `setup` makes wait for it.

logs='' pids=() jobs_start=$SECONDS
declare -A shown=()

stop_lanes() {
	local pid
	for pid in "${pids[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
	pids=()
	unguard
}

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

# The last line of each of the newest logs, one for each lane.
what_runs() {
	local file
	find "$logs" -maxdepth 2 \( -name '*.err' -o -name '*.vm' \) -size +0 -printf '%T@ %p\n' |
		sort -rn | head -n "${#pids[@]}" | cut -d ' ' -f 2- | while read -r file; do
		printf '%s: %s; ' "$(basename "${file%.*}")" "$(tail -n 1 "$file")"
	done
}

lanes_live() {
	local pid
	for pid in "${pids[@]}"; do
		! kill -0 "$pid" 2>/dev/null || return 0
	done
	return 1
}

# new_logs FOLDER: empties the folder; the next jobs leave everything there.
new_logs() {
	logs=$1
	rm -rf "$logs"
	mkdir -p "$logs"
}

# run_jobs JOB…: returns when all have ended. Their results say how.
run_jobs() {
	local job lane told=0 names=() name
	trap stop_lanes EXIT
	printf '%s\n' "$@" >"$logs/jobs"
	for job; do
		[[ $job != setup\ * ]] || : >"$logs/${job#setup }.pending"
	done
	# One lane more than there are CPUs, but at least two: half of the time a guest waits for a
	# timer, a device or a grace period of RCU, and leaves its CPU to others. They are in process
	# groups of their own, or an interrupt would not reach the commands that they run.
	set -m
	for ((lane = 0; lane < $# && lane <= JOBS; lane++)); do
		"$SCRIPTS/runs/check-lane.sh" "$logs" </dev/null &
		pids+=($!)
	done
	set +m
	guard "${pids[@]}"
	while lanes_live; do
		show_results
		if ((SECONDS - jobs_start - told >= 30)); then
			told=$((SECONDS - jobs_start))
			note "$told s: $(what_runs)"
		fi
		sleep 1
	done
	stop_lanes
	show_results

	# Every job must have left results; missing ones count as failed.
	for job; do
		read -r -a names <<<"$job"
		name=${names[0]}-${names[1]}
		: >>"$logs/$name.out"
		printf '%s\n' "$logs/$name.out"
		[[ ! ${names[0]} =~ ^(kselftest|numa|edu|drivers|soak|order)$ ]] || printf '%s\n' "$logs/console-$name.out"
	done >"$logs/files"
	while read -r name; do : >>"$name"; done <"$logs/files"
}

# report [NOTE]…: prints the failures first, and the count in the last line. Status 1 if anything
# failed, or nothing passed.
report() {
	local rc=0 total note
	conclude "$logs" >"$logs/summary"
	total=$(tail -n 1 "$logs/summary")
	echo
	sed '$d' "$logs/summary"
	[[ $total =~ ^[1-9][0-9]*\ passed,\ 0\ failed, ]] || rc=1
	((rc == 0)) || note "all logs and consoles are in $logs"
	for note; do note "$note"; done
	note "$((SECONDS - jobs_start)) s, without set-up: $(paste -sd , "$logs/times" 2>/dev/null || true)"
	echo "$total"
	return "$rc"
}

# conclude FOLDER: prints the failures, each with its reason and the command that repeats it; the
# skipped tests; the count.
conclude() {
	local files=() variable settings=''
	mapfile -t files <"$1/files"
	for variable in FLAVOUR SERIES KDIR LABYRINTH_CACHE LABYRINTH_SOAK; do
		[[ -z ${!variable-} ]] || settings+=" $variable=$(printf '%q' "${!variable}")"
	done
	awk -v settings="$settings" -f "$SCRIPTS/runs/count-ktap.awk" "${files[@]}"
}

# set_up WHAT…: sets up what is missing. If that fails, it is the result of the run.
set_up() {
	LABYRINTH_WHY=$logs/setup-$1.why "$SCRIPTS/environment/setup.sh" "$@" || {
		printf '1..1\nnot ok 1 set-up of %s\n' "$*" >"$logs/setup-$1.out"
		printf '%s\n' "$logs/setup-$1.out" >"$logs/files"
		report
		exit 1
	}
}
