# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced. Checks whether the kernel tree in KDIR can build the module, and says what is missing.
# Sets the K_ variables of kernel.sh.

tree_has() { grep -qx "$1" "$K_BUILD/.config"; }
tree_says() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$K_BUILD/.config"; }

# tree_needs SYMBOL WHY: refuses a tree without CONFIG_SYMBOL=y.
tree_needs() {
	tree_has "CONFIG_$1=y" || die "the kernel tree $K_BUILD has no CONFIG_$1=y: $2" \
		"in the tree: scripts/config -e $1, make olddefconfig, and build it again"
}

# tool NAME: prints the version of a tool in the sandbox, where the module is built.
tool() {
	"$SCRIPTS/environment/sandbox.sh" "$1" --version 2>/dev/null | head -n 1 ||
		die "$1 is missing in the toolchain" \
			"install the packages that $SCRIPTS/environment/packages lists"
}

preflight() {
	local have want file again
	[[ -n ${KDIR-} ]] || die "KDIR is not set" "KDIR=<a built kernel tree with CONFIG_RUST=y>"
	K_BUILD=$(realpath -e -- "$KDIR" 2>/dev/null) || K_BUILD=
	[[ -d $K_BUILD ]] || die "KDIR is not a folder: '$KDIR'" \
		"KDIR=<a built kernel tree, or the O= folder of one>"
	check_place "the kernel tree (KDIR)" "$K_BUILD"
	K_SOURCE=$(realpath -e "$K_BUILD/source" 2>/dev/null || echo "$K_BUILD")
	check_place "the kernel source of KDIR" "$K_SOURCE"
	[[ -e $K_BUILD/Makefile && -e $K_SOURCE/Kconfig && -d $K_SOURCE/rust/kernel ]] ||
		die "KDIR is not a kernel tree: $K_BUILD" \
			"KDIR=<a built kernel tree, or its O= folder>; distributions' headers lack the Rust parts"
	[[ -e $K_BUILD/.config ]] || die "the kernel tree $K_BUILD has no .config" \
		"configure and build it, or give its O= folder as KDIR"
	tree_needs MODULES "it cannot load modules"
	tree_needs RUST "it cannot build Rust code"
	tree_needs SMP "without it a spinlock keeps nobody from taking it twice"
	tree_needs PREEMPT_RCU \
		"without it, code that sleeps ends RCU read-side sections; PREEMPT_DYNAMIC selects it"
	[[ -s $K_BUILD/include/config/kernel.release && -e $K_BUILD/include/generated/autoconf.h ]] ||
		die "the kernel tree $K_BUILD is configured but not built" \
			"build it: make -C $K_BUILD -j$(nproc)"
	K_RELEASE=$(<"$K_BUILD/include/config/kernel.release")
	[[ $(printf '%s\n' 7.2 "$K_RELEASE" | sort -V | head -n 1) == 7.2 ]] ||
		die "the kernel tree $K_BUILD is of Linux $K_RELEASE" "labyrinth needs 7.2 or newer"
	want=$(tree_says CONFIG_RUSTC_VERSION_TEXT)
	have=$(tool rustc)
	again="$SCRIPTS/environment/sandbox.sh --bind $K_BUILD --bind $K_SOURCE"
	again+=" make -C $K_BUILD -j$(nproc)"
	[[ $have == "$want" ]] ||
		die "the kernel tree $K_BUILD needs '$want', and the toolchain has '$have'" \
			"build the tree again with this toolchain: $again"
	tool bindgen >/dev/null
	if tree_has CONFIG_CC_IS_CLANG=y; then
		want=$(tree_says CONFIG_CC_VERSION_TEXT)
		have=$(tool clang-19)
		[[ $have == "$want" ]] ||
			die "the kernel tree $K_BUILD needs '$want', and the toolchain has '$have'" \
				"build the tree again with this toolchain: $again LLVM=-19"
		K_MAKE_ARGS=(LLVM=-19)
	fi
	for file in libcore.rmeta libkernel.rmeta libbindings.rmeta libmacros.so; do
		[[ -s $K_BUILD/rust/$file ]] ||
			die "the kernel tree $K_BUILD has no rust/$file: its Rust parts are not built" \
				"build it: make -C $K_BUILD${K_MAKE_ARGS:+ ${K_MAKE_ARGS[*]}} -j$(nproc)"
	done
	[[ -s $K_BUILD/Module.symvers ]] ||
		die "the kernel tree $K_BUILD has no Module.symvers: its build was not completed" \
			"build it: make -C $K_BUILD${K_MAKE_ARGS:+ ${K_MAKE_ARGS[*]}} -j$(nproc)"
	# Building the module needs no kernel image. Booting does.
	[[ ! -e $K_BUILD/$ARCH_IMAGE ]] || K_IMAGE=$K_BUILD/$ARCH_IMAGE
	K_KEY=kdir-$K_RELEASE-$(sha256sum <<<"$K_BUILD" | cut -c1-10)
}
