#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# check.sh OUTPUT-FOLDER KERNEL-SOURCE [CASE]…: the part of run.sh that needs the compiler.
# OUTPUT-FOLDER is where the module was built; KTAP helpers come from KERNEL-SOURCE.
#
# A case is one file, compiled twice. Without --cfg misuse, it is the twin, which must compile. All
# twins are compiled in one crate. With --cfg misuse, it must have exactly one error, with the code
# and the message of this comment, in the line below the comment:
#	// error[CODE]: PART OF THE MESSAGE
# So a case that fails for another reason than its misuse does not pass. The part of the message
# must not contain types of the module, because the paths of types depend on the kernel.
#
# Most misuses are compiled together in one crate first. Those whose errors would be hidden by other
# errors are in separate crates. If a misuse does not have exactly its error there, it is compiled
# alone, and that result counts.
set -euo pipefail
here=$(CDPATH='' cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

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

# Kbuild has saved the command as a line of make. The options from --out-dir on are about input and
# output files.
# shellcheck disable=SC2016 # the dollars are those of make
compiler=$(sed -n '1{s/^savedcmd_[^ ]* := //; s/\$(pound)/#/g; s/\$\$/$/g; s/ --out-dir .*//p}' "$saved")
[[ -n $compiler ]] || die "$saved holds no command of rustc"

# Paths in the command are relative to this folder.
cd "$built"
export LABYRINTH_BINDINGS=$PWD/helpers_generated.rs RUSTC_BOOTSTRAP=1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# compile FOLDER FLAG… -- NAME…: compiles these cases as one crate. Prints the errors, one per line.
# Warnings are disabled, as most of the library is unused in a case.
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

# misuse GROUP NAME…: compiles the misuses of a group together, and keeps their errors.
misuse() {
	local group=$1 status=0
	shift
	compile "$group" --cfg misuse -- "$@" >"$work/$group.log" || status=$?
	echo "$status" >"$work/$group.status"
	grep -E '^(\S+:[0-9]+:[0-9]+: )?error(\[|:)' "$work/$group.log" |
		grep -v '^error: aborting due to' >"$work/$group.errors" || true
}

# group_of CODE: prints the group for misuses with that error. The compiler does not report missing
# traits, and private fields in initializers, if it has found other errors.
group_of() {
	case $1 in
	E0277 | E0451) echo "$1" ;;
	*) echo others ;;
	esac
}

# fails_as_it_should GROUP NAME: whether the case has exactly its error in that group.
fails_as_it_should() {
	local name=$2 expected=0 others=0 error
	local where="/cases/$name.rs:${lines[$name]}:" code=": error[${codes[$name]}]: "
	while IFS= read -r error; do
		if [[ $error == *"$where"*"$code"*"${parts[$name]}"* ]]; then
			((++expected))
		elif [[ $error != *"/cases/"*.rs:* || $error == *"/cases/$name.rs:"* ]]; then
			((++others))
		fi
	done <"$work/$1.errors"
	[[ $(<"$work/$1.status") == 1 ]] && ((expected && !others))
}

# check NAME: prints what is wrong with the case, or nothing if it passes.
check() {
	local status=0 output

	# If the twins did not compile together, find out which of them do not.
	if ((!twins_compile)); then
		output=$(compile "$1" -- "$1") || status=$?
		if ((status)) || [[ ! -s $work/$1/libcases.rmeta ]]; then
			printf '%s\n' "the twin does not compile:" "$output"
			return
		fi
	fi
	if [[ -z ${lines[$1]-} ]]; then
		echo "$here/cases/$1.rs needs exactly one comment with the expected error and its message"
		return
	fi
	if fails_as_it_should "$(group_of "${codes[$1]}")" "$1"; then return; fi

	misuse "$1" "$1"
	if fails_as_it_should "$1" "$1"; then return; fi
	status=$(<"$work/$1.status")
	if ((status == 0)); then
		echo "the misuse compiles"
	else
		echo "expected error[${codes[$1]}] in line ${lines[$1]} with '${parts[$1]}'," \
			"got (status $status):"
		cat "$work/$1.log"
	fi
}

# finish NAME: prints the result of a case that ran in the background.
finish() {
	# If the check was interrupted, that is a failure.
	[[ -e $work/$1.done ]] || echo "the check itself failed" >>"$work/$1.wrong"
	if [[ -s $work/$1.wrong ]]; then
		sed 's/^/# /' "$work/$1.wrong"
		ktap_test_fail "$1"
	else
		ktap_test_pass "$1"
	fi
}

# in_parallel FUNCTION NAME…: runs FUNCTION NAME for each name, as many at a time as there are CPUs.
in_parallel() {
	local function=$1 name
	shift
	for name; do
		while (($(jobs -pr | wc -l) >= jobs)); do wait -n || true; done
		{ "$function" "$name" >"$work/$name.wrong"; : >"$work/$name.done"; } &
	done
}

compile_group() {
	local group=() name
	for name in "${names[@]}"; do
		[[ -z ${codes[$name]-} || $(group_of "${codes[$name]}") != "$1" ]] ||
			group+=("$name")
	done
	misuse "$1" "${group[@]}"
}

names=() jobs=$(nproc)
declare -A lines codes parts
files=("$here"/cases/*.rs)
if (($# > 2)); then
	files=("${@:3}") files=("${files[@]/#/$here/cases/}") files=("${files[@]/%/.rs}")
fi
for file in "${files[@]}"; do
	[[ -e $file ]] || die "there is no case $file"
	name=${file##*/}
	name=${name%.rs}
	names+=("$name")
	marker=$(grep -nE '^\s*// error\[' "$file" || true)
	[[ $marker =~ ^([0-9]+):[[:space:]]*//\ error\[(E[0-9]{4})\]:\ ([^[:cntrl:]]+)$ ]] || continue
	lines[$name]=$((BASH_REMATCH[1] + 1)) codes[$name]=${BASH_REMATCH[2]} parts[$name]=${BASH_REMATCH[3]}
done
mapfile -t groups < <(for code in "${codes[@]}"; do group_of "$code"; done | sort -u)

ktap_print_header
ktap_set_plan "${#names[@]}"
in_parallel compile_group "${groups[@]}"
twins_compile=0
if compile twins -- "${names[@]}" >"$work/twins.log" && [[ -s $work/twins/libcases.rmeta ]]; then
	twins_compile=1
else
	ktap_print_msg "the twins do not compile together, so each is compiled alone, which takes long:"
	sed 's/^/# /' "$work/twins.log"
fi
wait
in_parallel check "${names[@]}"
wait
for name in "${names[@]}"; do finish "$name"; done
ktap_finished
