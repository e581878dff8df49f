# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by lib.sh before anything else. It replaces the caller's environment by what the scripts
# depend on: CDPATH makes cd print, PERL5LIB and LD_PRELOAD change the tools, GIT_DIR the files that
# are linted, a locale the order of sorted lines. Only variables that are listed here are passed on,
# so one that nobody has thought of does no harm either.

# Options and functions of bash can be inherited, too, and BASH_ENV is a script that may set
# anything.
if [[ -n ${BASH_ENV-} || ${SHELLOPTS@a}${BASHOPTS@a} == *x* ]]; then
	export -n SHELLOPTS BASHOPTS
	eval "$(env -i "$BASH" --norc --noprofile -c 'set +o; shopt -p')" 2>/dev/null || true
	set -euo pipefail
fi
set +o posix
while read -r _ _ name; do unset -f "$name"; done < <(declare -Fx)

while read -r name; do
	case $name in
	HOME | PATH | TERM | USER | LOGNAME | TMPDIR | XDG_CACHE_HOME) ;;
	KDIR | KERNEL | FLAVOUR | SERIES | JOBS | WHAT | NAME | DIR | LABYRINTH_* | WALL_*) ;;
	# How this machine reaches its mirror.
	APT_CONFIG | [Hh][Tt][Tt][Pp]_[Pp][Rr][Oo][Xx][Yy] | [Hh][Tt][Tt][Pp][Ss]_[Pp][Rr][Oo][Xx][Yy] | [Nn][Oo]_[Pp][Rr][Oo][Xx][Yy]) ;;
	*) unset -v "$name" 2>/dev/null || export -n "${name?}" ;;
	esac
done < <(compgen -e)
unset -v name

# The system's tools first: nobody has tried a wrapper in the caller's PATH. An ordinary user's PATH
# lacks the sbin folders.
system_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[[ ${PATH-} == "$system_path"* ]] || PATH=$system_path${PATH:+:$PATH}
[[ ${TMPDIR-} == /* && -d $TMPDIR && -w $TMPDIR && -x $TMPDIR ]] || unset -v TMPDIR
export PATH LC_ALL=C.UTF-8
umask 022
