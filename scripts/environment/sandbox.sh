#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# sandbox.sh [--kernel ID] [--bind PATH] [--ro-bind PATH] [--over FILE TARGET] [--log DIR] COMMAND…
# Runs COMMAND with the toolchain of the root, and without the variables, tools and home folder of
# the host. The checkout, the cache and the current folder keep their paths.
#   --kernel         the modules and the image of a kernel, at /usr/lib/modules
#   --bind, --ro-bind  another file or folder of the host, at the same path
#   --over           a file in place of one of the root
#
# A guest has the sandbox as its root, and mounts its own file systems over parts of it. So with
# --kernel, each folder of the host is also mounted in /.labyrinth, under a number N. The link N.at
# has its path, where guest-places.sh mounts it again. /.labyrinth also has the folders scripts,
# kernel (with the image of the kernel) and log (the DIR of --log). So no path of the host has to be
# on a command line of virtme-run, QEMU or the kernel.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"

kernel='' over=()
declare -A places=()
# place --bind|--ro-bind PATH: adds a folder. It is writable if any option asks for --bind.
place() { [[ ${places[$2]-} == --bind ]] || places[$2]=$1; }
while (($#)); do
	case $1 in
	--kernel) kernel=${2:?--kernel needs a kernel: stock, debug or kdir}; shift 2 ;;
	--bind | --ro-bind)
		path=$(realpath -e -- "${2:?$1 needs a path}") || die "sandbox.sh: there is no $2"
		! system_folder "$path" || die "sandbox.sh: $1 $path would hide a folder of the root"
		place "$1" "$path"
		shift 2
		;;
	--over) over+=(--ro-bind "$2" "$3"); shift 3 ;;
	--log) over+=(--bind "$2" /.labyrinth/log); shift 2 ;;
	--) shift; break ;;
	-*) die "sandbox.sh: unknown option $1" ;;
	*) break ;;
	esac
done
(($#)) || die "sandbox.sh: no command given"

root_ready || "$SCRIPTS/environment/setup.sh" root
command -v bwrap >/dev/null || die "bwrap is missing" "install the package bubblewrap"

args=(--die-with-parent --unshare-pid --unshare-ipc)
((EUID == 0)) || args+=(--unshare-user)
args+=(--ro-bind "$ROOT_DIR/usr" /usr --ro-bind "$ROOT_DIR/etc" /etc --ro-bind "$ROOT_DIR/var" /var)
for link in bin sbin lib lib64; do args+=(--symlink "usr/$link" "/$link"); done
# apt drops its privileges, and then needs a /tmp that all users can write to.
args+=(--dev-bind /dev /dev --proc /proc --ro-bind /sys /sys --perms 1777 --tmpfs /tmp)
# These are empty file systems, so that mount points can be made in them. /usr is read-only.
args+=(--dir /run --dir /root --dir /home --dir /mnt --tmpfs /usr/lib/modules --tmpfs /usr/src)
for path in "$ROOT_DIR"/usr/src/*; do
	[[ ! -d $path ]] || args+=(--ro-bind "$path" "/usr/src/${path##*/}")
done
for path in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
	[[ -e $path && -e $ROOT_DIR$path ]] && args+=(--ro-bind "$(realpath "$path")" "$path")
done

# Check these again, as the folders of the root are known now.
check_place "the checkout" "$TOP"
check_place "the cache" "$CACHE"
place --bind "$CACHE"
place --bind "$TOP"
here=$(pwd -P)
case $here/ in
"$TOP"/* | "$CACHE"/*) ;;
# A system folder means the folder of the root, not of the host; / if the root does not have it.
*)
	if [[ $here =~ ^/(home|root)$ ]] || system_folder "$here"; then
		[[ -d $ROOT_DIR$here ]] || here=/
	else
		place --bind "$here"
	fi
	;;
esac
if [[ -n $kernel ]]; then
	assignments=$("$SCRIPTS/environment/kernel.sh" "$kernel")
	eval "$assignments"
	path=usr/lib/modules/$K_RELEASE
	[[ -z $K_MODULES ]] || args+=(--ro-bind "$K_MODULES/$path" "/$path")
	# A guest would need minutes for these two, and has no use for them. udevd is a link to
	# udevadm.
	args+=(--ro-bind "$SCRIPTS/machine/guest-udev.sh" /usr/bin/udevadm
		--ro-bind "$ROOT_DIR/usr/bin/true" /usr/bin/systemd-tmpfiles)
	for path in "$K_BUILD" "$K_SOURCE"; do
		case $path/ in "$CACHE"/*) ;; *) place --ro-bind "$path" ;; esac
	done
fi

# Mount outer folders first, so that they do not hide inner ones.
mapfile -d '' -t sorted < <(printf '%s\0' "${!places[@]}" | sort -z)
number=10
for path in "${sorted[@]}"; do
	# bwrap cannot make a mount point below a read-only mount.
	case $path in
	/usr/src/*) ;;
	/usr/* | /etc/* | /var/*) [[ ! -d $path || -d $ROOT_DIR$path ]] || mkdir -p "$ROOT_DIR$path" ;;
	esac
	args+=("${places[$path]}" "$path" "$path")
	if [[ -n $kernel ]]; then
		args+=("${places[$path]}" "$path" "/.labyrinth/$number")
		args+=(--symlink "$path" "/.labyrinth/$number.at")
	fi
	number=$((number + 1))
done
if [[ -n $kernel ]]; then
	path=${K_MODULES:-$K_BUILD}
	args+=(--ro-bind "$SCRIPTS" /.labyrinth/scripts)
	args+=("${places[$path]:---bind}" "$path" /.labyrinth/kernel)
fi
args+=("${over[@]}")

args+=(--chdir "$here" --clearenv --setenv HOME /tmp --setenv LC_ALL C.UTF-8
	--setenv PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	--setenv TERM "${TERM:-dumb}")
for name in http_proxy https_proxy no_proxy; do
	[[ -z ${!name-} ]] || args+=(--setenv "$name" "${!name}")
done
exec bwrap "${args[@]}" "$@"
