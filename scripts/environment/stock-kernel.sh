# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced. Makes the stock kernel: the image and modules of Debian, and the Rust metadata, which
# Debian's headers package does not contain. The metadata is rebuilt from the source package of the
# same version.

stock_entry() { STOCK_ENTRY=stock-${R_VERSION//[~+]/.}-$FLAVOUR-$(toolchain_key); }

# download ENTRY PACKAGE…: fetches packages. apt resumes an interrupted download, and checks hashes.
download() {
	local entry=$1
	shift
	mkdir -p "$CACHE/$entry.debs"
	cd "$CACHE/$entry.debs"
	# Nobody may update the index during the download. If this fails, the end of the step drops
	# the lock.
	lock "${APT_DIR##*/}"
	root_apt apt-get download "${@/%/=$R_VERSION}"
	unlock
}

# unpack_kernel ENTRY PACKAGE…: fetches and unpacks packages of a kernel, and stays in the entry.
unpack_kernel() {
	local deb
	download "$@"
	cd "$CACHE/$1"
	for deb in "$CACHE/$1.debs"/*.deb; do
		"$SCRIPTS/environment/sandbox.sh" dpkg-deb -x "$deb" .
	done
	[[ -d usr/lib/modules ]] || { mkdir -p usr/lib && mv lib/modules usr/lib/; }
	# The packages linux-image-… have the image in /boot, and linux-binary-… have it here.
	[[ -e usr/lib/modules/$R_RELEASE/vmlinuz ]] ||
		mv "boot/vmlinuz-$R_RELEASE" "usr/lib/modules/$R_RELEASE/vmlinuz"
	"$SCRIPTS/environment/sandbox.sh" depmod -b "$PWD/usr" -o "$PWD/usr" "$R_RELEASE" ||
		"$SCRIPTS/environment/sandbox.sh" depmod -b "$PWD" "$R_RELEASE"
	rm -rf "$CACHE/$1.debs"
}

unpack_packages() {
	local names=("$R_IMAGE" "linux-headers-$R_RELEASE")
	[[ -z $R_MODULES ]] || names+=("$R_MODULES")
	unpack_kernel "$PACKAGES_ENTRY" "${names[@]}"
}

unpack_source() {
	local tarball="./usr/src/linux-source-$R_SERIES.tar.xz"
	download "$SOURCE_ENTRY" "linux-source-$R_SERIES"
	# shellcheck disable=SC2016 # expanded in the sandbox
	"$SCRIPTS/environment/sandbox.sh" bash -euo pipefail -c '
		dpkg-deb --fsys-tarfile "$1"/*.deb | tar -xO "$2" | tar -xJ --strip-components=1 -C "$3"' \
		- "$CACHE/$SOURCE_ENTRY.debs" "$tarball" "$CACHE/$SOURCE_ENTRY"
	rm -rf "$CACHE/$SOURCE_ENTRY.debs"
}

# check_crates BUILD: checks that the rebuilt crates are those of the image. The hash of a crate is
# part of the names of its symbols, so the image must export all symbols of the rebuilt crates.
check_crates() {
	local build=$1 missing
	missing=$(comm -23 \
		<(sed -n 's/^EXPORT_SYMBOL_RUST_GPL(\(.*\));$/\1/p' \
			"$build"/rust/exports_{core,kernel}_generated.h | sort -u) \
		<(cut -f 2 "$build/Module.symvers" | sort -u))
	[[ -s $build/rust/exports_kernel_generated.h && -z $missing ]] && return
	echo "the rebuilt kernel crates do not match the image:" \
		"its Module.symvers lacks $(wc -l <<<"$missing") symbols:"
	head -n 5 <<<"$missing"
	return 1
}

rebuild_metadata() {
	local build=$CACHE/$STOCK_ENTRY
	local headers=$CACHE/$PACKAGES_ENTRY/usr/src/linux-headers-$R_RELEASE
	cd "$CACHE/$SOURCE_ENTRY"
	grep -qx 'CONFIG_RUST=y' "$headers/.config" ||
		{ echo "$R_RELEASE has no CONFIG_RUST=y"; return 1; }
	if grep -qx 'CONFIG_MODVERSIONS=y' "$headers/.config"; then
		echo "$R_RELEASE has CONFIG_MODVERSIONS=y, whose checksums cannot be rebuilt"
		return 1
	fi
	cp "$headers/.config" "$build/.config"
	"$SCRIPTS/environment/sandbox.sh" make -s O="$build" olddefconfig
	"$SCRIPTS/environment/sandbox.sh" make -s O="$build" KERNELRELEASE="$R_RELEASE" -j"$JOBS" \
		modules_prepare
	cp "$headers/Module.symvers" "$build/"
	check_crates "$build"
}

make_stock() {
	entry "$PACKAGES_ENTRY" wipe "fetching $R_RELEASE" unpack_packages
	entry "$SOURCE_ENTRY" wipe "fetching and unpacking the source of $R_VERSION" unpack_source
	stock_entry
	entry "$STOCK_ENTRY" keep "rebuilding the Rust metadata of $R_RELEASE" rebuild_metadata
}
