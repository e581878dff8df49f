# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced. Makes the toolchain root: a Debian 13 tree in the cache, or this host itself if it is
# Debian 13 and has all packages.

# shellcheck source=scripts/environment/mirror.sh
source "$SCRIPTS/environment/mirror.sh"

SUITE=trixie
mapfile -t PACKAGES < <(sed -E "/^(#|$)/d; s/^qemu-system\$/$ARCH_QEMU_PACKAGE/" "$SCRIPTS/environment/packages")

# Prints the first package that this host lacks, or "Debian trixie" if it is another system. Prints
# nothing if this host can be the root.
host_lacks() {
	local package
	grep -qx "VERSION_CODENAME=$SUITE" /etc/os-release 2>/dev/null ||
		{ echo "Debian $SUITE"; return; }
	for package in "${PACKAGES[@]}"; do
		[[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
			{ echo "$package"; return; }
	done
}

if [[ -z $(host_lacks) ]]; then
	ROOT_KEY=host ROOT_DIR=
else
	ROOT_KEY=$(printf '%s\n' "$SUITE" "${PACKAGES[@]}" | sha256sum | cut -c1-10)
	ROOT_DIR=$CACHE/root-$ROOT_KEY
fi

# The packages whose versions matter for the kernels in the cache. A new compiler cannot use the
# metadata that the old one has left there, while a new version of a test tool changes nothing.
TOOLCHAIN=(bindgen clang-19 gcc lld-19 pahole rust-src rustc)
toolchain_key() {
	dpkg-query ${ROOT_DIR:+--admindir="$ROOT_DIR/var/lib/dpkg"} -W \
		-f '${Package} ${Version}\n' "${TOOLCHAIN[@]}" | sha256sum | cut -c1-10
}

root_ready() { [[ -z $ROOT_DIR ]] || entry_ready "root-$ROOT_KEY"; }

# need TOOL PACKAGE: if the tool is missing, root installs the package, and other users are told to.
need() {
	command -v "$1" >/dev/null && return
	if ((EUID == 0)) && command -v apt-get >/dev/null; then
		note "$1 is missing, so apt-get installs the package $2"
		{
			apt-get -qq update &&
				DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends "$2"
		} >"$CACHE/logs/install-$2.log" 2>&1 </dev/null && return
		tail -n 5 "$CACHE/logs/install-$2.log" >&2
	fi
	die "$1 is missing" "install the package $2"
}

need_namespaces() {
	((EUID == 0)) && return
	need newuidmap uidmap
	local user
	user=$(id -un)
	[[ $(grep -Ehc "^($user|$EUID):" /etc/subuid /etc/subgid 2>/dev/null | grep -c '^[1-9]') == 2 ]] ||
		die "user $user has no subordinate ids, which mmdebstrap needs for users other than root" \
			"as root: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 $user"
	unshare --user true 2>/dev/null ||
		die "user $user may not make user namespaces" \
			"as root: sysctl kernel.unprivileged_userns_clone=1; or run as root"
}

# bootstrap FOLDER PACKAGE…: makes a root with these packages.
bootstrap() {
	local root=$1 include lines=() opts=() opt
	shift
	include=$(IFS=,; echo "$*")
	mapfile -t lines < <(mirror_lines)
	while read -r opt; do opts+=("--aptopt=$opt"); done < <(mirror_aptopts)
	# Unpacking these takes a third of the time, and nobody reads them in a build root.
	for opt in /usr/share/doc /usr/share/man /usr/share/locale /usr/share/info; do
		opts+=("--dpkgopt=path-exclude=$opt/*")
	done
	opts+=(--dpkgopt=force-unsafe-io --components=main)
	# Without lines, mmdebstrap uses its default mirror, which also has the backports.
	if ((${#lines[@]} == 0)); then
		opt="sed -n 's/ $SUITE main/ $SUITE-backports main/p' \"\$1/etc/apt/sources.list\""
		opts+=("--setup-hook=$opt >\"\$1/etc/apt/sources.list.d/backports.list\"")
	fi
	set -- --variant=apt --include="$include" "${opts[@]}" "$SUITE"
	if ((EUID == 0)); then
		mmdebstrap --mode=root "$@" "$root" "${lines[@]}"
	else
		# Unpack as the user, who then owns the files. A user cannot make device nodes.
		mmdebstrap --mode=unshare "$@" - "${lines[@]}" |
			tar -x -p --delay-directory-restore --exclude='./dev/*' -C "$root"
		# These files belong to the user. With the setuid bit set, a program would run as
		# that user even if root calls it, and would lack privileges in a guest.
		find "$root" -type f -perm /6000 -exec chmod a-s {} +
	fi
	# The mount points of sandbox.sh.
	mkdir -p "$root/usr/lib/modules"
	rm -f "$root/etc/resolv.conf"
	touch "$root/etc/resolv.conf" "$root/etc/hosts"
}

# Finds or installs what bootstrap needs on this host.
need_bootstrap() {
	need mmdebstrap mmdebstrap
	need bwrap bubblewrap
	need_namespaces
}

make_root() {
	if root_ready; then skip_step; return; fi
	need_bootstrap
	entry "root-$ROOT_KEY" wipe "making a Debian $SUITE root with the toolchain" \
		bootstrap "$ROOT_DIR" "${PACKAGES[@]}"
}
