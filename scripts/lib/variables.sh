# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced by lib.sh before anything else. Removes all variables of the caller except for those
# listed here, because many variables change what the scripts do. CDPATH makes cd print, PERL5LIB
# and LD_PRELOAD change tools, GIT_DIR changes which files are linted, and a locale changes the
# order of sorted lines.

# A caller can also export options and functions of bash, and BASH_ENV names a script that can set
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
	# The way from this machine to its mirror.
	APT_CONFIG | http_proxy | https_proxy | no_proxy | HTTP_PROXY | HTTPS_PROXY | NO_PROXY) ;;
	*) unset -v "$name" 2>/dev/null || export -n "${name?}" ;;
	esac
done < <(compgen -e)
unset -v name

# Look for tools in the system's folders first, not among wrappers in the caller's PATH. The PATH of
# an ordinary user lacks the sbin folders.
system_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[[ ${PATH-} == "$system_path"* ]] || PATH=$system_path${PATH:+:$PATH}
[[ ${TMPDIR-} == /* && -d $TMPDIR && -w $TMPDIR && -x $TMPDIR ]] || unset -v TMPDIR
export PATH LC_ALL=C.UTF-8
umask 022
