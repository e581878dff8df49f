#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# lint.sh [--kernel stock|debug|kdir] [--only=FILE]… [CHECK]…: checks formatting, warnings and
# conventions, with KTAP on stdout. Runs all checks, or those named, even if an earlier one failed,
# on all files, or on those of --only. Checks Rust code with the options of the stock kernel, or of
# KDIR. If the debug kernel is in the cache, also checks with its options, as some code is compiled
# only there; --kernel debug runs only these checks.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
cd "$TOP"

only_kernel='' chosen=()
declare -A only=()
while (($#)); do
	case $1 in
	--kernel) only_kernel=${2:?--kernel needs a kernel: stock, debug or kdir}; shift 2 ;;
	--only=?*) only[${1#--only=}]=1; shift ;;
	-*) die "lint.sh: unknown option '$1'" ;;
	*) chosen+=("$1"); shift ;;
	esac
done

files=()
while IFS= read -r -d '' file; do
	if ((${#only[@]})) && [[ -z ${only[${file#./}]-} ]]; then continue; fi
	[[ ! -f $file ]] || files+=("$file")
done < <(git ls-files -z --cached --others --exclude-standard 2>/dev/null ||
	find . -path ./.git -prune -o -path ./build -prune -o -type f -print0)
((${#files[@]})) || die "there are no files to check in $TOP"

# named PATTERN: prints the files whose paths match the extended glob.
named() {
	local file
	for file in "${files[@]}"; do
		# shellcheck disable=SC2053 # a pattern is wanted
		[[ $file != $1 ]] || printf '%s\n' "$file"
	done
}
mapfile -t rust_files < <(named '*.rs')
mapfile -t c_files < <(named '*.[ch]')
# Files without an interpreter line are sourced by others, and shellcheck follows these.
mapfile -t shell_files < <(grep -lE '^#!.*[/ ](ba)?sh$' -- "${files[@]}")

first=${KDIR:+kdir}
kernels=("${first:-stock}")
[[ -z $only_kernel ]] || kernels=("$only_kernel")
assignments=$("$SCRIPTS/environment/kernel.sh" "${kernels[0]}")
eval "$assignments"
source_tree=$K_SOURCE
in_tree=("$SCRIPTS/environment/sandbox.sh" --kernel "${kernels[0]}")
if [[ -z ${KDIR-}$only_kernel ]] && "$SCRIPTS/environment/setup.sh" --have debug; then
	kernels+=(debug)
fi

# Without --files-with-diff, rustfmt shows a difference several times, as it follows mod lines.
check_format() {
	local unformatted rc=0
	((${#rust_files[@]})) || return 0
	unformatted=$("${in_tree[@]}" rustfmt --check --files-with-diff --edition 2021 \
		--config-path "$source_tree/.rustfmt.toml" "${rust_files[@]}" 2>&1) || rc=$?
	if [[ -n $unformatted ]]; then
		xargs realpath -m --relative-to "$TOP" <<<"$unformatted" | sort -u
		echo "fix: rustfmt --edition 2021 on these"
	fi
	[[ $rc == 0 && -z $unformatted ]]
}

# built KERNEL: builds the modules, and sets `out` to their folder. Fails if there are warnings.
built() {
	local module
	module=$("$SCRIPTS/build/build.sh" "$1" | tail -n 1)
	out=${module%/*}
	[[ ! -e $out/warnings ]] || { cat "$out/warnings"; return 1; }
}

# The files with the compiler's commands for the library, the module's own crate, and the lab.
CRATES=(rust/.lib.o.cmd .labyrinth_mod.o.cmd rust/lab/.lab.o.cmd)

# on_crate KERNEL SAVED-COMMAND FOLDER TOOL [OPTION]…: runs a tool on a crate in place of the
# compiler. The tool gets the options of the compiler, except for those about its output, which goes
# to FOLDER. CRATE_FILE replaces the file of the module's own crate.
on_crate() {
	local kernel=$1 command
	# shellcheck disable=SC2016 # the dollars are those of make
	command=$(sed -n '1{s/^savedcmd_[^ ]* := //; s/\$(pound)/#/g; s/\$\$/$/g; p}' "$out/$2")
	[[ $command == *' rustc '* ]] || { echo "no compiler command in $out/$2"; return 1; }
	# shellcheck disable=SC2016 # the last shell's variable
	command=$(sed -E 's/ --emit=[^ ]*//g; s/ --out-dir [^ ]*/ --out-dir "$FOLDER"/' <<<"${command%%;*}")
	[[ $4 != rustdoc ]] ||
		command=$(sed -E 's/ --crate-type [^ ]*//; s/ -Cmetadata=[^ ]*//' <<<"$command")
	command=${command/ rustc / ${*:4} }
	[[ -z ${CRATE_FILE-} ]] || command=${command/ "$TOP/labyrinth_mod.rs"/ "$CRATE_FILE"}
	mkdir -p "$3"
	cd "$out"
	"$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" env \
		RUSTC_BOOTSTRAP=1 "CLIPPY_CONF_DIR=$source_tree" \
		"FOLDER=$3" LABYRINTH_ID=lint "LABYRINTH_BINDINGS=$out/helpers_generated.rs" \
		"LABYRINTH_LAB_BINDINGS=$out/lab_generated.rs" sh -c "$command"
}

# Clippy prints the compiler's warnings, too. It only needs metadata, so no code is generated.
check_clippy() {
	local saved
	built "$1"
	for saved in "${CRATES[@]}"; do
		on_crate "$1" "$saved" "$TOP/build/lint/${out##*/}" \
			clippy-driver --emit=metadata -Dwarnings
	done
}

# The kernel has no rustdoc target for modules. The documentation of the library is made once with
# private items and once without, as public documentation must not link to private items.
check_rustdoc() {
	local doc
	built "$1"
	doc=$TOP/build/lint/${out##*/}/doc
	rm -rf "$doc" "$doc-public"
	on_crate "$1" "${CRATES[0]}" "$doc" rustdoc -Dwarnings --document-private-items
	on_crate "$1" "${CRATES[0]}" "$doc-public" rustdoc -Dwarnings
	on_crate "$1" "${CRATES[1]}" "$doc" \
		rustdoc -Dwarnings --document-private-items --crate-name labyrinth_mod
	on_crate "$1" "${CRATES[2]}" "$doc" \
		rustdoc -Dwarnings --document-private-items --crate-name labyrinth_lab
	[[ -s $doc/labyrinth/index.html && -s $doc-public/labyrinth/index.html &&
		-s $doc/labyrinth_mod/index.html && -s $doc/labyrinth_lab/index.html ]]
}

# Compiles the examples of the documentation as one crate, with the options of a driver.
check_examples() {
	shopt -s globstar
	local folder
	built "$1"
	folder=$TOP/build/lint/${out##*/}/examples
	mkdir -p "$folder"
	(
		cd "$TOP"
		"$SCRIPTS/environment/sandbox.sh" python3 -B "$SCRIPTS/lint/examples.py" \
			rust/{lib,import}.rs rust/{capi,ffi,page,pool,stats}/**/*.rs
	) >"$folder/examples.rs"
	CRATE_FILE=$folder/examples.rs on_crate "$1" "${CRATES[1]}" "$folder" \
		rustc --emit=metadata -Dwarnings --crate-name examples
}

check_shellcheck() {
	((${#shell_files[@]} == 0)) ||
		"$SCRIPTS/environment/sandbox.sh" shellcheck -x -a -- "${shell_files[@]}"
}

# checkpatch leaves a cache in the current folder.
check_checkpatch() {
	((${#c_files[@]})) || return 0
	mkdir -p "$TOP/build/lint"
	cd "$TOP/build/lint"
	local rc=0 file others=() traces=() exports=()
	for file in "${c_files[@]/#/$TOP/}"; do
		case $file in
		*_trace.h) traces+=("$file") ;;
		*/rust/exported.c) exports+=("$file") ;;
		*) others+=("$file") ;;
		esac
	done
	((${#others[@]} == 0)) || checkpatch -f "${others[@]}" || rc=1
	# This file has to declare symbols of Rust code, which no header does.
	((${#exports[@]} == 0)) ||
		checkpatch --ignore AVOID_EXTERNS,MACRO_ARG_REUSE -f "${exports[@]}" || rc=1
	# These two checks do not know how the kernel lays out TRACE_EVENT().
	((${#traces[@]} == 0)) ||
		checkpatch --ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT -f "${traces[@]}" || rc=1
	return "$rc"
}

# checkpatch [OPTION]… FILE…: runs the kernel's checkpatch.pl.
checkpatch() {
	"${in_tree[@]}" perl "$source_tree/scripts/checkpatch.pl" --no-tree --root="$source_tree" \
		--strict --terse --no-summary --ignore FILE_PATH_CHANGES "$@"
}

check_spdx() {
	local file bad=0
	for file in "${files[@]}"; do
		# JSON, kernel logs, recorded files and expected output have no comments. Programs write
		# lock files and plots.
		case $file in
		LICENSE | ./LICENSE | *.json | *.svg | */Cargo.lock | */golden.txt) continue ;;
		*/tests/explain/* | */tests/top/*) continue ;;
		esac
		head -n 3 -- "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' ||
			{ echo "$file has no SPDX-License-Identifier: GPL-2.0 in its first 3 lines"; bad=1; }
	done
	return "$bad"
}

# Documentation/soundness.md has a row for each unsafe.
check_soundness() { "$SCRIPTS/environment/sandbox.sh" python3 -B "$SCRIPTS/lint/soundness.py"; }

# Each part uses only the parts that it may use.
check_arrows() { "$SCRIPTS/environment/sandbox.sh" python3 -B "$SCRIPTS/lint/arrows.py"; }

# Links, paths and quotations in the documents are right.
check_documents() { "$SCRIPTS/environment/sandbox.sh" python3 -B "$SCRIPTS/lint/documents.py"; }

# The head of each test program says where it runs.
check_programs() { "$SCRIPTS/runs/programs.sh" --check; }

# Each mutant applies to the source, and names a test case.
check_mutants() {
	"$SCRIPTS/environment/sandbox.sh" python3 -B "$TOP/tests/mutation/mutants.py" --check "$TOP"
}

all=(format shellcheck checkpatch spdx soundness arrows documents programs mutants)
for kernel in "${kernels[@]}"; do all+=("clippy $kernel" "rustdoc $kernel"); done
all+=("examples ${kernels[0]}")

checks=("${all[@]}")
# The other checks do not depend on the kernel.
[[ $only_kernel != debug ]] || checks=("clippy debug" "rustdoc debug")
# Run only the named checks, and refuse unknown names.
if ((${#chosen[@]})); then
	checks=()
	for check in "${all[@]}"; do
		[[ " ${chosen[*]} " != *" ${check%% *} "* ]] || checks+=("$check")
	done
	for name in "${chosen[@]}"; do
		[[ " ${all[*]} " == *" $name "* ]] ||
			die "lint.sh: there is no check '$name'" "one of: ${all[*]%% *}"
	done
fi

printf 'KTAP version 1\n1..%d\n' "${#checks[@]}"
number=0 failed=0
for check in "${checks[@]}"; do
	number=$((number + 1))
	[[ ! -t 2 ]] || printf '[%d/%d] %s …\r' "$number" "${#checks[@]}" "$check" >&2
	read -r name kernel <<<"$check"
	rc=0
	# In a subshell, as set -e has no effect in a condition.
	set +e
	output=$(set -e; "check_$name" "$kernel" 2>&1)
	rc=$?
	set -e
	if ((rc == 0)); then
		printf 'ok %d %s\n' "$number" "$check"
	else
		printf '# lint found:\n'
		printf '%s\n' "$output" | sed 's/^/# /'
		printf 'not ok %d %s\n' "$number" "$check"
		failed=$((failed + 1))
	fi
done
((failed == 0)) || exit 1
