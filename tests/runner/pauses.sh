# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # expanded in the guest
# Sourced by run.sh. Tests pauses of the whole machine, after which a guest fails because of the
# pause or for another reason. SIGSTOP simulates a pause: only clocks continue.

# start NAME COMMAND…: starts vm.sh in the background. Sets vm to its process group, which does not
# include the guest.
start() {
	local name=$1
	shift
	rm -f "$folder/$name".*
	set -m
	"$scripts/machine/vm.sh" --kernel "$kernel" --cpus 1 --log "$folder/$name.log" "$@" \
		2>"$folder/$name.vm" &
	vm=$!
	set +m
}

# wait_for TEXT FILE: waits until the text is in the file. Fails if vm.sh ends before.
wait_for() {
	while :; do
		! grep -aqs -- "$1" "$2" || return 0
		kill -0 "$vm" 2>/dev/null || break
		sleep 0.2
	done
	ktap_print_msg "no '$1' in $2"
	return 1
}

# pause SECONDS GROUP…: stops process groups for a while.
pause() {
	local seconds=$1 group
	shift
	for group; do kill -STOP -- "-$group"; done
	sleep "$seconds"
	for group; do kill -CONT -- "-$group"; done
}
guest() { pgrep -P "$vm" -x bwrap; }

# ended NAME STATUS BOOTS TEXT…: vm.sh must end with this status after this many boots, and must
# print the texts.
ended() {
	local name=$1 wanted=$2 boots=$3 rc=0 said=$folder/$1.vm text
	shift 3
	{ wait "$vm"; } 2>/dev/null || rc=$?
	[[ $rc == "$wanted" && $(grep -c ' booting (' "$said") == "$boots" ]] ||
		{
			ktap_print_msg "$name: status $rc, not $wanted, or not $boots boots; see $said"
			return 1
		}
	for text; do
		grep -q -- "$text" "$said" ||
			{ ktap_print_msg "$name: no '$text' in $said"; return 1; }
	done
}

# A guest looks up each name in a folder of the host only once, and does not notice a file that
# appears later. So it waits for one of many files, and looks for another one each time.
WAIT='i=0; while test ! -e "$1/$i"; do i=$((i + 1)); sleep 0.2; done'
guests_go() { (cd "$folder/go" && touch {0..9999}); }

# start_waiting NAME SCRIPT: starts a guest with this script, and returns when the script runs. $1
# of the script is the folder of the files.
start_waiting() {
	rm -rf "$folder/go" && mkdir "$folder/go"
	start "$1" -- sh -c "$2" - "$folder/go"
	wait_for running "$folder/$1.vm"
}

# A guest that fails after a pause is started again, once. A failure without a pause counts.
fails_after_the_pause() {
	local name=command_fails
	start_waiting "$name" "test ! -e \"\$1/0\" || exit 7; echo waiting; $WAIT; exit 9" || return
	# On a busy machine, this takes the guest a while.
	wait_for waiting "$folder/$name.out" || return
	pause 12 "$vm" "$(guest)"
	guests_go
	ended "$name" 1 2 'paused for 1[0-9] s' 'failed (status 9), after this machine' \
		'failed (status 7)' || return
	grep -q 'Linux version' "$folder/$name.paused" && grep -q 'Linux version' "$folder/$name.log"
}

# Prints a stall when the clock jumps, as a kernel does. A real kernel does so only if it is in a
# grace period of RCU at that moment.
STALL='last=0 i=0
while test ! -e "$1/$i"; do
	read -r up _ </proc/uptime
	up=${up%.*} i=$((i + 1))
	test $last = 0 || test $((up - last)) -lt 8 ||
		echo "<3>rcu: INFO: rcu_preempt self-detected stall on CPU" >/dev/kmsg
	last=$up
	sleep 0.2
done'
STALLED='self-detected stall on CPU'

# If only the guest stops, its stall is a failure, even if there is a pause later.
stalls_before_the_pause() {
	local name=guest_stalls
	start_waiting "$name" "$STALL" || return
	sleep 2
	pause 12 "$(guest)"
	wait_for "$STALLED" "$folder/$name.log" || return
	# vm.sh reads the console three times a second.
	sleep 3
	pause 12 "$vm" "$(guest)"
	guests_go
	ended "$name" 3 1 'paused for' 'the kernel reported a bug'
}

# After a pause of 90 seconds, as in a field report, the kernel reports a stall although nothing is
# wrong.
stalls_by_the_pause() {
	local name=pause_stalls
	start_waiting "$name" "$STALL" || return
	sleep 2
	pause 90 "$vm" "$(guest)"
	wait_for "$STALLED" "$folder/$name.log" || return
	guests_go
	ended "$name" 0 2 'the kernel reported a bug, after this machine' passed || return
	grep -q "$STALLED" "$folder/$name.paused"
}

# A guest that passes in spite of a pause is not started again.
passes_in_spite_of_a_pause() {
	local name=pause_passes
	start_waiting "$name" "$WAIT" || return
	pause 15 "$vm" "$(guest)"
	guests_go
	ended "$name" 0 1 'paused for' passed
}

# Pauses do not count as elapsed time.
pauses_are_no_time() {
	local pid out=$folder/watched
	rm -f "$out"
	set -m
	bash -c 'source "$1/machine/pause.sh"; watch_start
		for ((i = 0; i < 10; i++)); do
			watch_tick || true
			echo "$elapsed $paused" >"$2"
			sleep 0.3
		done' - "$scripts" "$out" &
	pid=$!
	set +m
	for _ in {1..50}; do [[ ! -s $out ]] || break; sleep 0.1; done
	pause 12 "$pid"
	wait "$pid"
	read -r elapsed paused <"$out"
	((elapsed < 10 && paused >= 12)) ||
		{ ktap_print_msg "$elapsed s and paused for $paused s"; return 1; }
}
