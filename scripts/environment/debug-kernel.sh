# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced. Builds the debug kernel: the source of the stock kernel with every check that can run in
# a guest.

# Generic KASAN with Rust needs clang.
DEBUG_MAKE=(LLVM=-19)
DEBUG_BASE=(allnoconfig)
DEBUG_FRAGMENTS=("$SCRIPTS/environment/debug-vm.config" "$TOP/tests/selftests/config")

debug_entry() {
	local hash
	# Comments in the fragments do not change the kernel.
	hash=$({
		grep -hE '^(# )?CONFIG_' "${DEBUG_FRAGMENTS[@]}"
		echo "${DEBUG_MAKE[@]}" "${DEBUG_BASE[@]}"
	} | sha256sum | cut -c1-10)
	DEBUG_ENTRY=debug-${R_VERSION//[~+]/.}-$(toolchain_key)-$hash
}

# check_config CONFIG SOURCE: fails if Kconfig has changed a setting, which it does silently when
# dependencies are not met. Prints these settings with their dependencies.
check_config() {
	local config=$1 source=$2 line symbol value bad=0
	while read -r line; do
		case $line in
		CONFIG_*=*) symbol=${line%%=*} value=$line ;;
		'# CONFIG_'*' is not set') symbol=${line#\# } symbol=${symbol% is not set} value= ;;
		*) continue ;;
		esac
		if [[ -n $value ]]; then
			grep -qxF -- "$value" "$config" && continue
		else
			grep -q -- "^$symbol=" "$config" || continue
		fi
		bad=1
		echo "Kconfig did not accept '$line': .config has" \
			"'$(grep -E "^(# )?${symbol}[= ]" "$config" || echo nothing)'"
		grep -rhs --include='Kconfig*' -A 12 -E "^(menu)?config ${symbol#CONFIG_}\$" "$source" |
			grep -E '^\s+(depends on|select)' | sed 's/^\s*/    /' || true
	done < <(cat "${DEBUG_FRAGMENTS[@]}")
	return "$bad"
}

build_debug() {
	local build=$CACHE/$DEBUG_ENTRY source=$CACHE/$SOURCE_ENTRY
	cd "$source"
	"$SCRIPTS/environment/sandbox.sh" make -s "${DEBUG_MAKE[@]}" O="$build" "${DEBUG_BASE[@]}"
	"$SCRIPTS/environment/sandbox.sh" ./scripts/kconfig/merge_config.sh -m -O "$build" \
		"$build/.config" "${DEBUG_FRAGMENTS[@]}"
	"$SCRIPTS/environment/sandbox.sh" make -s "${DEBUG_MAKE[@]}" O="$build" olddefconfig
	check_config "$build/.config" "$source"
	"$SCRIPTS/environment/sandbox.sh" make -s "${DEBUG_MAKE[@]}" O="$build" -j"$JOBS" \
		"$ARCH_TARGET" modules
}

# make_debug [WHAT]: builds it. WHAT describes a kernel with other DEBUG_ variables.
make_debug() {
	debug_entry
	entry "$SOURCE_ENTRY" wipe "fetching and unpacking the source of $R_VERSION" unpack_source
	entry "$DEBUG_ENTRY" keep \
		"${1-building the debug kernel $R_VERSION (up to 25 minutes on 2 cores)}" build_debug
}
