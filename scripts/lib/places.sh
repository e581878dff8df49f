# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by lib.sh. Decides which folders can be the checkout, the cache or a kernel tree. The
# scripts refuse other folders before they make anything.

# check_place WHAT PATH: refuses PATH if it cannot be used. PATH is as realpath prints it: absolute,
# without links, . and ..
check_place() {
	check_path "$1" "$2"
	# The kernel's makefiles remove ./ anywhere in a path.
	[[ $2/ != *./* ]] ||
		die "a folder in the path of $1 ends in a dot: $(printf %q "$2")" "rename that folder"
	! system_folder "$2" ||
		die "$1 cannot be $2: the toolchain and the guests have their own folder there" \
			"choose another folder, for instance below your home, /srv, /opt, /var/lib or /var/tmp"
}

# check_path WHAT PATH: refuses characters that do not work in the paths of checkout and cache. Many
# of them break make, fixdep, gcc, the shell commands of the kernel's makefiles, or QEMU's options.
check_path() {
	local what=$1 path=$2 rest
	[[ $path == /* ]] ||
		die "$what is not an absolute path: $(printf %q "$path")" "give a path that begins with /"
	rest=${path//[A-Za-z0-9\/._-]/}
	rest=${rest:0:1}
	if [[ $rest == [[:print:]] ]]; then rest="'$rest'"; else rest=$(printf %q "$rest"); fi
	[[ $rest == "''" ]] ||
		die "$what has the character $rest in its path: $(printf %q "$path")" \
			"choose a path of letters, digits and . _ -"
	# Kernel builds append long paths, and the limit for all is 4096.
	((${#path} <= 250)) ||
		die "the path of $what has ${#path} bytes" "choose one of at most 250 bytes"
}

# system_folder PATH: whether the toolchain root or a guest has its own folder at this path.
system_folder() {
	case ${1%/}/ in
	# Folders and links of the root, and file systems of the kernel.
	/bin/* | /sbin/* | /lib/* | /lib32/* | /lib64/* | /libx32/*) ;;
	/proc/* | /sys/* | /var/run/* | /var/lock/* | /.labyrinth/*) ;;
	/dev/shm/?*) return 1 ;;
	/dev/*) ;;
	# Only these folders themselves. Folders below them can be used.
	/ | /boot/ | /etc/ | /run/ | /tmp/ | /usr/ | /usr/local/ | /usr/lib/modules/ | /var/ | /var/local/) ;;
	*)
		local names='backups|bin|cache|etc|games|include|lib|lib32|lib64|libexec|libx32|log|mail'
		names+='|man|opt|sbin|share|spool|src|tmp'
		[[ $1 =~ ^/(usr|usr/local|var)/($names)$ ]] || has_files "$1"
		;;
	esac
}

# has_files PATH: whether there are files in that folder of the root. A folder without files is a
# mount point. False as long as there is no root.
has_files() {
	[[ -n ${ROOT_DIR-} && -e $ROOT_DIR$1 && -n $(find "$ROOT_DIR$1" ! -type d -print -quit) ]]
}

# check_file_system WHAT FOLDER: refuses a file system where a toolchain cannot be unpacked and run.
check_file_system() {
	local probe=$2/locks/probe
	[[ ! -x $probe || ! -L $probe.link ]] || return 0
	: >"$probe"
	chmod 755 "$probe"
	ln -sfn probe "$probe.link" 2>/dev/null || true
	[[ -L $probe.link ]] || die "the file system of $1, $2, does not support symbolic links" \
		"choose a folder on another file system"
	[[ ! -e $2/locks/PROBE ]] || die "the file system of $1, $2, ignores the case of letters" \
		"choose a folder on another file system"
	[[ -x $probe ]] || die "the file system of $1, $2, is mounted noexec" \
		"choose a folder on another file system, or mount this one with exec"
}

# check_driver FOLDER: refuses a folder that no driver can be built in.
check_driver() {
	local folder
	[[ -d $1 ]] || die "there is no folder $1" "make new-driver NAME=my_driver makes one"
	folder=$(cd "$1" && pwd -P)
	not_in_build "$folder"
	check_path "the folder of the driver" "$folder"
	[[ -r $folder/Kbuild || -r $folder/Makefile ]] ||
		die "$folder has no Kbuild" "use samples/rust_pool as a model"
}

# not_in_build FOLDER: refuses a driver whose source `make clean` would remove.
not_in_build() {
	[[ $1/ != "$TOP/build/"* ]] ||
		die "a driver cannot be in $TOP/build, which make clean removes" "choose another folder"
}
