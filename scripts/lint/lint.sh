#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# lint.sh [--kernel stock|debug|kdir] [--only=FILE]… [CHECK]…: formatting, warnings and conventions,
# as KTAP on stdout. Runs all checks, or the named ones, even when an earlier one failed, on all
# files, or on those of --only. Rust is checked as the stock kernel (or KDIR's) compiles it, and
# also as the debug kernel does once that is in the cache: some parts exist only there. --kernel
# debug runs only the latter.
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

# named PATTERN: those files whose name matches the extended glob.
named() {
	local file
	for file in "${files[@]}"; do
		# shellcheck disable=SC2053 # a pattern is wanted
		[[ $file != $1 ]] || printf '%s\n' "$file"
	done
}
mapfile -t rust_files < <(named '*.rs')
mapfile -t c_files < <(named '*.[ch]')
# Sourced files have no interpreter line; they are checked where they are sourced.
mapfile -t shell_files < <(grep -lE '^#!.*[/ ](ba)?sh$' -- "${files[@]}")

first=${KDIR:+kdir}
kernels=("${first:-stock}")
[[ -z $only_kernel ]] || kernels=("$only_kernel")
assignments=$("$SCRIPTS/environment/kernel.sh" "${kernels[0]}")
eval "$assignments"
source_tree=$K_SOURCE
in_tree=("$SCRIPTS/environment/sandbox.sh" --kernel "${kernels[0]}")
if [[ -z ${KDIR-}$only_kernel ]] && "$SCRIPTS/environment/setup.sh" --have debug; then kernels+=(debug); fi

# rustfmt follows mod lines and would show a difference once for every way to reach the file.
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

# built KERNEL: builds the modules as its users do; sets out. Fails if that has led to
# warnings.
built() {
	local module
	module=$("$SCRIPTS/build/build.sh" "$1" | tail -n 1)
	out=${module%/*}
	[[ ! -e $out/warnings ]] || { cat "$out/warnings"; return 1; }
}

# The compiler's saved commands for the library, for the module's own crate, and for the lab.
CRATES=(rust/.lib.o.cmd .labyrinth_mod.o.cmd rust/lab/.lab.o.cmd)

# on_crate KERNEL SAVED-COMMAND FOLDER TOOL [OPTION]…: runs a tool on a crate, as built, in place of the
# compiler. It gets all of the compiler's options, but for those that say what to leave behind where.
on_crate() {
	local kernel=$1 command
	# shellcheck disable=SC2016 # the dollars are those of make
	command=$(sed -n '1{s/^savedcmd_[^ ]* := //; s/\$(pound)/#/g; s/\$\$/$/g; p}' "$out/$2")
	[[ $command == *' rustc '* ]] || { echo "no compiler command in $out/$2"; return 1; }
	# shellcheck disable=SC2016 # the last shell's variable
	command=$(sed -E 's/ --emit=[^ ]*//g; s/ --out-dir [^ ]*/ --out-dir "$FOLDER"/' <<<"${command%%;*}")
	[[ $4 != rustdoc ]] || command=$(sed -E 's/ --crate-type [^ ]*//; s/ -Cmetadata=[^ ]*//' <<<"$command")
	command=${command/ rustc / ${*:4} }
	# Another file in place of the crate's own.
	[[ -z ${CRATE_FILE-} ]] || command=${command/ "$TOP/labyrinth_mod.rs"/ "$CRATE_FILE"}
	mkdir -p "$3"
	cd "$out"
	"$SCRIPTS/environment/sandbox.sh" --kernel "$kernel" env RUSTC_BOOTSTRAP=1 "CLIPPY_CONF_DIR=$source_tree" \
		"FOLDER=$3" LABYRINTH_ID=lint "LABYRINTH_BINDINGS=$out/helpers_generated.rs" \
		"LABYRINTH_LAB_BINDINGS=$out/lab_generated.rs" sh -c "$command"
}

# Clippy prints the compiler's own warnings, too. They need no code.
check_clippy() {
	local saved
	built "$1"
	for saved in "${CRATES[@]}"; do
		on_crate "$1" "$saved" "$TOP/build/lint/${out##*/}" clippy-driver --emit=metadata -Dwarnings
	done
}

# The kernel has no rustdoc target for modules. The library's public documentation must not link to
# what is private, so it is made a second time without that.
check_rustdoc() {
	local doc
	built "$1"
	doc=$TOP/build/lint/${out##*/}/doc
	rm -rf "$doc" "$doc-public"
	on_crate "$1" "${CRATES[0]}" "$doc" rustdoc -Dwarnings --document-private-items
	on_crate "$1" "${CRATES[0]}" "$doc-public" rustdoc -Dwarnings
	on_crate "$1" "${CRATES[1]}" "$doc" rustdoc -Dwarnings --document-private-items --crate-name labyrinth_mod
	on_crate "$1" "${CRATES[2]}" "$doc" rustdoc -Dwarnings --document-private-items --crate-name labyrinth_lab
	[[ -s $doc/labyrinth/index.html && -s $doc-public/labyrinth/index.html &&
		-s $doc/labyrinth_mod/index.html && -s $doc/labyrinth_lab/index.html ]]
}

# The examples of the documentation, in one crate, as a driver.
check_examples() {
	shopt -s globstar
	local folder
	built "$1"
	folder=$TOP/build/lint/${out##*/}/examples
	mkdir -p "$folder"
	(cd "$TOP" && "$SCRIPTS/environment/sandbox.sh" python3 -B "$SCRIPTS/lint/examples.py" rust/{lib,import}.rs rust/{capi,ffi,page,source,stats}/**/*.rs) >"$folder/examples.rs"
	CRATE_FILE=$folder/examples.rs on_crate "$1" "${CRATES[1]}" "$folder" rustc --emit=metadata -Dwarnings --crate-name examples
}

check_shellcheck() { ((${#shell_files[@]} == 0)) || "$SCRIPTS/environment/sandbox.sh" shellcheck -x -a -- "${shell_files[@]}"; }

# It leaves a cache of its own in the current folder.
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
	# What it exports is declared nowhere else: symbols of Rust, with names that nobody wrote.
	((${#exports[@]} == 0)) || checkpatch --ignore AVOID_EXTERNS,MACRO_ARG_REUSE -f "${exports[@]}" || rc=1
	# TRACE_EVENT() has a layout of its own in the kernel, which these two do not know.
	((${#traces[@]} == 0)) || checkpatch --ignore OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT -f "${traces[@]}" || rc=1
	return "$rc"
}

# checkpatch [OPTION]… FILE…
checkpatch() {
	"${in_tree[@]}" perl "$source_tree/scripts/checkpatch.pl" --no-tree --root="$source_tree" --strict --terse --no-summary \
		--ignore FILE_PATH_CHANGES "$@"
}

check_spdx() {
	local file bad=0
	for file in "${files[@]}"; do
		case $file in LICENSE | ./LICENSE) continue ;; esac
		head -n 3 -- "$file" | grep -q 'SPDX-License-Identifier: GPL-2.0' ||
			{ echo "$file has no SPDX-License-Identifier: GPL-2.0 in its first lines"; bad=1; }
	done
	return "$bad"
}

# The table of promises, complete and up to date.
check_soundness() { "$SCRIPTS/environment/sandbox.sh" python3 -B "$SCRIPTS/lint/soundness.py"; }

# Each part uses only the parts that it may use.
check_arrows() { "$SCRIPTS/environment/sandbox.sh" python3 -B "$SCRIPTS/lint/arrows.py"; }

# The documents refer to what exists, and quote what is there.
check_documents() { "$SCRIPTS/environment/sandbox.sh" python3 -B "$SCRIPTS/lint/documents.py"; }

# Each test program says where it runs.
check_programs() { "$SCRIPTS/runs/programs.sh" --check; }

# Each mutant must find the lines that it changes, and name a case.
check_mutants() { "$SCRIPTS/environment/sandbox.sh" python3 -B "$TOP/tests/mutation/mutants.py" --check "$TOP"; }

all=(format shellcheck checkpatch spdx soundness arrows documents programs mutants)
for kernel in "${kernels[@]}"; do all+=("clippy $kernel" "rustdoc $kernel"); done
all+=("examples ${kernels[0]}")

checks=("${all[@]}")
# The others would say the same as for the stock kernel.
[[ $only_kernel != debug ]] || checks=("clippy debug" "rustdoc debug")
# Only the named checks. A misspelt name must not pass.
if ((${#chosen[@]})); then
	checks=()
	for check in "${all[@]}"; do
		[[ " ${chosen[*]} " != *" ${check%% *} "* ]] || checks+=("$check")
	done
	for name in "${chosen[@]}"; do
		[[ " ${all[*]} " == *" $name "* ]] || die "lint.sh: there is no check '$name'" "one of: ${all[*]%% *}"
	done
fi

printf 'KTAP version 1\n1..%d\n' "${#checks[@]}"
number=0 failed=0
for check in "${checks[@]}"; do
	number=$((number + 1))
	[[ ! -t 2 ]] || printf '[%d/%d] %s …\r' "$number" "${#checks[@]}" "$check" >&2
	read -r name kernel <<<"$check"
	rc=0
	# In a process of its own: as part of a condition, set -e would not hold in it.
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
