# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by tests of the scripts on the host. Their cases are the functions test_….

# is GOT WANTED: whether the texts are equal. Prints the difference if they are not.
is() {
	[[ $1 != "$2" ]] || return 0
	diff <(printf '%s\n' "$2") <(printf '%s\n' "$1") | sed 's/^/# /'
	return 1
}

# run_cases PREFIX [--list | PREFIX_CASE…]: runs all cases, or those named, prints KTAP, and exits.
run_cases() {
	local prefix=$1 cases case number=0 failed=0 all
	shift
	mapfile -t cases < <(compgen -A function test_)
	if [[ ${1-} == --list ]]; then
		printf "${prefix}_%s\n" "${cases[@]#test_}"
		exit
	fi
	if (($#)); then
		all=("${cases[@]}") cases=()
		for case in "${all[@]}"; do
			[[ " $* " != *" ${prefix}_${case#test_} "* ]] || cases+=("$case")
		done
	fi
	printf 'KTAP version 1\n1..%d\n' "${#cases[@]}"
	for case in "${cases[@]}"; do
		number=$((number + 1))
		if "$case"; then
			echo "ok $number ${prefix}_${case#test_}"
		else
			echo "not ok $number ${prefix}_${case#test_}"
			failed=1
		fi
	done
	exit "$failed"
}
