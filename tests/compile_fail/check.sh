#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# check.sh OUTPUT-FOLDER KERNEL-SOURCE: the part of run.sh that needs the compiler. The first is
# where the module was built, the second lends its KTAP helpers.
#
# A case is one file, compiled twice. Without --cfg misuse, the twin: must compile, all twins in one
# crate. With it, alone: must fail, with the code and the message of this comment, in the line below
# it, and no other error:
#	// error[CODE]: PART OF THE MESSAGE
# The part names no types of the module: their paths are printed differently from kernel to kernel.
# So a case that fails for another reason than its misuse is not a pass.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

die() {
	echo "check.sh: error: $1" >&2
	exit 1
}

built=${1:?check.sh needs the folder that the module was built in}
helpers=${2:?check.sh needs the kernel source}/tools/testing/selftests/kselftest/ktap_helpers.sh
saved=$built/.labyrinth_mod.o.cmd
[[ -r $saved ]] || die "$saved is missing: build the module first"
[[ -r $helpers ]] || die "$helpers is missing: not a kernel source"
# shellcheck source=/dev/null # from the kernel source
source "$helpers"

# Kbuild saved its command as a line of make. All from --out-dir on says what to make of what.
# shellcheck disable=SC2016 # the dollars are those of make
compiler=$(sed -n '1{s/^savedcmd_[^ ]* := //; s/\$(pound)/#/g; s/\$\$/$/g; s/ --out-dir .*//p}' "$saved")
[[ -n $compiler ]] || die "$saved holds no command of rustc"

# Relative paths in the command start there.
cd "$built"
export LABYRINTH_BINDINGS=$PWD/helpers_generated.rs RUSTC_BOOTSTRAP=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Warnings are of no interest: half of the module is unused here. An error stays one.
# compile FOLDER FLAG… -- NAME…: these cases as one crate. Prints what is wrong, one line for each error.
compile() {
	local out=$work/$1 flags=() name
	shift
	while [[ $1 != -- ]]; do flags+=("$1"); shift; done
	shift
	mkdir -p "$out"
	rm -f "$out/libcases.rmeta"
	for name; do printf 'case!(%s, "%s");\n' "$name" "$here/cases/$name.rs"; done >"$out/cases.rs"
	LABYRINTH_CASES=$out/cases.rs eval "$compiler" '"${flags[@]}"' -A warnings \
		--error-format=short --crate-name cases --emit=metadata --out-dir '"$out"' '"$here/harness.rs"' 2>&1
}

# check NAME: prints what is wrong with the case, nothing if it is as it should be.
check() {
	local file=$here/cases/$1.rs status=0 expected=0 others=0
	local output marker line code part error

	# Together they have compiled, or else it is to be found out which of them does not.
	if ((!twins_compile)); then
		output=$(compile "$1" -- "$1") || status=$?
		if ((status)) || [[ ! -s $work/$1/libcases.rmeta ]]; then
			printf '%s\n' "the twin does not compile:" "$output"
			return
		fi
	fi

	marker=$(grep -nE '^\s*// error\[' "$file" || true)
	if [[ ! $marker =~ ^([0-9]+):[[:space:]]*//\ error\[(E[0-9]{4})\]:\ ([^[:cntrl:]]+)$ ]]; then
		echo "not one comment with the expected error and its message in $file"
		return
	fi
	line=$((BASH_REMATCH[1] + 1)) code=${BASH_REMATCH[2]} part=${BASH_REMATCH[3]}

	status=0
	output=$(compile "$1" --cfg misuse -- "$1") || status=$?
	while IFS= read -r error; do
		if [[ $error == *"/cases/$1.rs:$line:"*": error[$code]: "*"$part"* ]]; then
			((++expected))
		else
			((++others))
		fi
	done < <(grep -E '^(\S+:[0-9]+:[0-9]+: )?error(\[|:)' <<<"$output" | grep -v '^error: aborting due to')

	if ((status == 0)); then
		echo "the misuse compiles"
	elif ((status != 1 || expected == 0 || others)); then
		printf '%s\n' "expected error[$code] in line $line with '$part', got (status $status):" "$output"
	fi
}

# finish INDEX: reports a case that was started in the background.
finish() {
	local name=${names[$1]}
	# A check that was cut short has not said that all is well.
	wait "${pids[$1]}" || echo "the check itself failed" >>"$work/$name.wrong"
	if [[ -s $work/$name.wrong ]]; then
		ktap_test_fail "$name"
		sed 's/^/# /' "$work/$name.wrong"
	else
		ktap_test_pass "$name"
	fi
}

names=() pids=()
for file in "$here"/cases/*.rs; do
	name=${file##*/}
	names+=("${name%.rs}")
done
count=${#names[@]} jobs=$(nproc)

ktap_print_header
ktap_set_plan "$count"
twins_compile=0
if compile twins -- "${names[@]}" >"$work/twins.log" && [[ -s $work/twins/libcases.rmeta ]]; then twins_compile=1; fi
for ((i = 0; i < count + jobs; i++)); do
	((i < jobs)) || ((i - jobs >= count)) || finish $((i - jobs))
	((i >= count)) || { check "${names[i]}" >"$work/${names[i]}.wrong" & pids[i]=$!; }
done
ktap_finished
