#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0
# sandbox.sh [--kernel ID] [--bind PATH] [--ro-bind PATH] [--over FILE TARGET] [--log DIR] COMMAND…
# Runs COMMAND with the toolchain of the root and nothing of the host's: no variables, no
# tools, no home. The checkout, the cache and the current folder are at their own places.
# --kernel shows a kernel's modules and image at /usr/lib/modules, --bind and --ro-bind
# another file or folder of the host at its own path, --over a file in place of the root's.
#
# A virtual machine has this for its root, and mounts file systems of its own over parts of it. So
# with --kernel, each of those places is also in /.labyrinth, as a number N; N.at says where it
# belongs, and guest-places.sh mounts it there. /.labyrinth also has scripts, kernel (with the
# kernel's image) and log (the DIR of --log, which may be any). So no path of the host is on a
# command line of virtme-run, QEMU or the kernel.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"
# shellcheck source=scripts/environment/root.sh
source "$SCRIPTS/environment/root.sh"

kernel='' over=()
declare -A places=()
# place --bind|--ro-bind PATH: a place that one option makes writable is writable.
place() { [[ ${places[$2]-} == --bind ]] || places[$2]=$1; }
while (($#)); do
	case $1 in
	--kernel) kernel=${2:?--kernel needs a kernel: stock, debug or kdir}; shift 2 ;;
	--bind | --ro-bind)
		path=$(realpath -e -- "${2:?$1 needs a path}") || die "sandbox.sh: there is no $2"
		! system_folder "$path" || die "sandbox.sh: $1 of the root's own folder $path"
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
# apt drops privileges and wants a /tmp anybody can write to.
args+=(--dev-bind /dev /dev --proc /proc --ro-bind /sys /sys --perms 1777 --tmpfs /tmp)
# Left empty for mount points below them, which a read-only /usr could not be given.
args+=(--dir /run --dir /root --dir /home --dir /mnt --tmpfs /usr/lib/modules --tmpfs /usr/src)
for path in "$ROOT_DIR"/usr/src/*; do
	[[ ! -d $path ]] || args+=(--ro-bind "$path" "/usr/src/${path##*/}")
done
for path in /etc/resolv.conf /etc/hosts /etc/ssl/certs/ca-certificates.crt; do
	[[ -e $path && -e $ROOT_DIR$path ]] && args+=(--ro-bind "$(realpath "$path")" "$path")
done

# Checked again, as the root is there now.
check_place "the checkout" "$TOP"
check_place "the cache" "$CACHE"
place --bind "$CACHE"
place --bind "$TOP"
here=$(pwd -P)
case $here/ in
"$TOP"/* | "$CACHE"/*) ;;
# A system folder is the root's own, not the host's; if the root lacks it, / will do.
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
	[[ -z $K_MODULES ]] || args+=(--ro-bind "$K_MODULES/usr/lib/modules/$K_RELEASE" "/usr/lib/modules/$K_RELEASE")
	# A virtual machine boots from what it sees here; these cost it minutes and give it nothing.
	# udevd is a link to udevadm.
	args+=(--ro-bind "$SCRIPTS/machine/guest-udev.sh" /usr/bin/udevadm --ro-bind "$ROOT_DIR/usr/bin/true" /usr/bin/systemd-tmpfiles)
	for path in "$K_BUILD" "$K_SOURCE"; do
		case $path/ in "$CACHE"/*) ;; *) place --ro-bind "$path" ;; esac
	done
fi

# The outer ones first, so that they do not hide the inner ones.
mapfile -d '' -t sorted < <(printf '%s\0' "${!places[@]}" | sort -z)
number=10
for path in "${sorted[@]}"; do
	# Below a read-only mount, the mount point has to exist.
	case $path in
	/usr/src/*) ;;
	/usr/* | /etc/* | /var/*) [[ ! -d $path || -d $ROOT_DIR$path ]] || mkdir -p "$ROOT_DIR$path" ;;
	esac
	args+=("${places[$path]}" "$path" "$path")
	[[ -z $kernel ]] || args+=("${places[$path]}" "$path" "/.labyrinth/$number" --symlink "$path" "/.labyrinth/$number.at")
	number=$((number + 1))
done
if [[ -n $kernel ]]; then
	path=${K_MODULES:-$K_BUILD}
	args+=(--ro-bind "$SCRIPTS" /.labyrinth/scripts "${places[$path]:---bind}" "$path" /.labyrinth/kernel)
fi
args+=("${over[@]}")

args+=(--chdir "$here" --clearenv --setenv PATH /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
	--setenv HOME /tmp --setenv LC_ALL C.UTF-8 --setenv TERM "${TERM:-dumb}")
for name in http_proxy https_proxy no_proxy; do
	[[ -z ${!name-} ]] || args+=(--setenv "$name" "${!name}")
done
exec bwrap "${args[@]}" "$@"
