# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced, after lib.sh. Runs jobs in parallel lanes, shows results as they come, and lists the
# failures at the end, each with the reason and the command that repeats it. A job is a line WHAT
# KERNEL [ARGUMENT]… for check-lane.sh. Its KTAP goes to WHAT-KERNEL.out in the folder of the logs.
# If a job `setup` makes a kernel, the jobs on that kernel wait for it.

logs='' pids=() jobs_start=$SECONDS
declare -A shown=()

stop_lanes() {
	local pid
	for pid in "${pids[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
	for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
	pids=()
	unguard
}

# Prints the results since the last call.
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

# Prints the last line of the newest logs, as many as there are lanes.
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

# new_logs FOLDER: empties the folder, and makes it the folder of the logs.
new_logs() {
	logs=$1
	rm -rf "$logs"
	mkdir -p "$logs"
}

# run_jobs JOB…: runs the jobs, and returns when all have ended.
run_jobs() {
	local job lane told=0 names=() name
	trap stop_lanes EXIT
	printf '%s\n' "$@" >"$logs/jobs"
	for job; do
		[[ $job != setup\ * ]] || : >"$logs/${job#setup }.pending"
	done
	# One lane more than there are CPUs, because a guest waits half of the time, for a timer, a
	# device or a grace period of RCU. Each lane has a process group of its own, so that all of
	# its commands can be ended.
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

	# Each job must have left results. An empty file counts as a failure.
	for job; do
		read -r -a names <<<"$job"
		name=${names[0]}-${names[1]}
		: >>"$logs/$name.out"
		printf '%s\n' "$logs/$name.out"
		[[ ! ${names[0]} =~ ^(kselftest|numa|edu|drivers|soak|order|modversions)$ ]] ||
			printf '%s\n' "$logs/console-$name.out"
	done >"$logs/files"
	while read -r name; do : >>"$name"; done <"$logs/files"
}

# report [NOTE]…: prints the failures, the skipped tests, and the number of results in the last
# line. Status 1 if anything failed, or nothing passed.
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

# conclude FOLDER: evaluates the results in a folder of logs; see count-ktap.awk.
conclude() {
	local files=() variable settings=''
	mapfile -t files <"$1/files"
	for variable in FLAVOUR SERIES KDIR LABYRINTH_CACHE LABYRINTH_SOAK; do
		[[ -z ${!variable-} ]] || settings+=" $variable=$(printf '%q' "${!variable}")"
	done
	awk -v settings="$settings" -f "$SCRIPTS/runs/count-ktap.awk" "${files[@]}"
}

# set_up WHAT…: sets up the root and kernels. If that fails, reports it as the result of the run.
set_up() {
	LABYRINTH_WHY=$logs/setup-$1.why "$SCRIPTS/environment/setup.sh" "$@" || {
		printf '1..1\nnot ok 1 set-up of %s\n' "$*" >"$logs/setup-$1.out"
		printf '%s\n' "$logs/setup-$1.out" >"$logs/files"
		report
		exit 1
	}
}
