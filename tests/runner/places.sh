# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# shellcheck disable=SC2016 # expanded in the sandbox or the guest
# Sourced by run.sh. Tests the scripts in other folders, with other caches and variables.

# refused TEXT VARIABLE=VALUE… COMMAND…: the command must fail at once, with that text.
refused() {
	local text=$1 said rc=0
	shift
	said=$(timeout 10 env -u LABYRINTH_WHY "$@" 2>&1) || rc=$?
	[[ $rc == 1 && $said == *"labyrinth: error: "*"$text"*"labyrinth: fix: "* ]] && return
	ktap_print_msg "$(printf '%q ' "$@"): status $rc, no '$text': ${said:-nothing}"
	return 1
}

# refused_cache TEXT PATH: the scripts must refuse a cache at this path at once, with that text.
refused_cache() {
	refused "$1" "LABYRINTH_CACHE=$2" "$scripts/environment/setup.sh" --have stock
}

# copy_of_scripts FOLDER: makes a checkout with only the scripts.
copy_of_scripts() {
	mkdir -p -- "$1"
	cp -a "$scripts" "$TOP/Makefile" "$1/"
}

# Tries each printable character of ASCII, and some others, in the paths of a checkout and of a
# cache. The scripts work, or refuse the character.
each_character_is_tried() {
	local code char checkout bad=0 name good='' said
	local -a chars=($'\t' $'\n' $'\x01' $'\xff' ü 日)
	for ((code = 32; code < 127; code++)); do
		printf -v char %b "\\x$(printf %x "$code")"
		case $char in
		[A-Za-z0-9._-]) good+=$char ;;
		/) ;;
		*) chars+=("$char") ;;
		esac
	done
	for char in "${chars[@]}"; do
		checkout=$folder/characters/a${char}b
		copy_of_scripts "$checkout"
		if [[ $char == [[:print:]] ]]; then name="'$char'"; else name=$(printf %q "$char"); fi
		refused "the checkout has the character $name in its path" \
			bash "$checkout/scripts/environment/setup.sh" --have stock || bad=1
		refused_cache "the cache (LABYRINTH_CACHE) has " "$checkout/c" || bad=1
		[[ ! -e $checkout/c ]] || { ktap_print_msg "$(printf %q "$checkout/c") was made"; bad=1; }
		rm -rf "$checkout"
	done
	refused_cache "ends in a dot" "$folder/a./b" || bad=1
	# Special characters in values must reach the scripts unchanged.
	# shellcheck disable=SC2016 # not expanded
	for char in 'module KDIR=/none/$x' 'module KDIR=/none/*' 'quick WHAT=/non$x' 'quick WHAT=/*'; do
		name=$(timeout 10 make -s -C "$TOP" "${char% *}" "${char#* }" 2>&1) || true
		[[ $name == *"'${char#*=}'"* ]] || { ktap_print_msg "$char: ${name:0:200}"; bad=1; }
	done
	# The checkout is tried with the existing cache, as a new one would take too long.
	checkout=$folder/characters/-${good}/.a
	copy_of_scripts "$checkout"
	said=$("$checkout/scripts/environment/sandbox.sh" --kernel "$kernel" \
		sh -c 'cd "$1" && pwd' - "$checkout" 2>&1) || true
	[[ $said == "$checkout" ]] || { ktap_print_msg "$checkout does not work: $said"; bad=1; }
	said=$(LABYRINTH_CACHE=$checkout/c "$scripts/environment/setup.sh" --have stock 2>&1) || true
	[[ $said == '' && -d $checkout/c/locks ]] ||
		{ ktap_print_msg "$checkout/c does not work: $said"; bad=1; }
	rm -rf "$checkout"
	((${#good} == 65 && !bad))
}

# Tries system folders, which the toolchain or a guest has itself, and other paths that must be
# refused.
system_folders_are_refused() {
	local path bad=0 link=$folder/link
	for path in / /usr /usr/bin /usr/local /usr/local/src /usr/src /usr/lib/modules /etc \
		/var /var/lib /var/cache /var/tmp /tmp /run /boot /dev /dev/x /dev/shm /proc /proc/x \
		/sys /sys/x /.labyrinth/x /tmp/../usr; do
		refused_cache "the cache (LABYRINTH_CACHE) cannot be" "$path" || bad=1
	done
	ln -sfn /etc "$link"
	refused_cache "the cache (LABYRINTH_CACHE) cannot be /etc" "$link" || bad=1
	mkdir -p "$folder/a b"
	ln -sfn "$folder/a b" "$link"
	refused_cache "the character ' '" "$link" || bad=1
	refused_cache "not an absolute path" cache || bad=1
	refused "(XDG_CACHE_HOME) is not an absolute path" -u LABYRINTH_CACHE XDG_CACHE_HOME=cache \
		"$scripts/environment/setup.sh" --have stock || bad=1
	refused "HOME is not set" -u LABYRINTH_CACHE -u XDG_CACHE_HOME -u HOME \
		"$scripts/environment/setup.sh" --have stock || bad=1
	if [[ $kernel != kdir ]]; then
		mkdir -p "$folder/moved"
		ln -sfn "$CACHE"/* "$folder/moved/"
		refused "has been moved" "LABYRINTH_CACHE=$folder/moved" \
			"$scripts/environment/kernel.sh" "$kernel" || bad=1
		rm -rf "$folder/moved"
	fi
	refused_cache "1100 bytes" "$(printf '/%0219d' 1 2 3 4 5)" || bad=1
	((!bad))
}

# Calls the scripts from an environment full of settings, and compares their output with that of
# calls without these settings.
environment_is_ours() {
	local settings=$folder/bash_env command bad=0
	local -a hostile
	cat >"$settings" <<-'SETTINGS'
		set -C -f
		shopt -s nullglob failglob nocasematch dotglob expand_aliases
		alias printf=false
		umask 777
	SETTINGS
	hostile=(CDPATH=/:/tmp:/usr:.. "BASH_ENV=$settings" "ENV=$settings" POSIXLY_CORRECT=1 TMOUT=1
		"GLOBIGNORE=*" BASH_COMPAT=3.1 SHELLOPTS=noclobber:noglob:allexport:keyword:posix
		BASHOPTS=nullglob:failglob:nocasematch 'BASH_FUNC_grep%%=() { echo mine; }'
		'BASH_FUNC_cd%%=() { builtin cd "$@"; echo mine; }' GREP_OPTIONS=-v GREP_COLORS=mt=1
		LC_ALL=C LANG=de_DE.UTF-8 LANGUAGE=de TZ=Asia/Kolkata "MAKEFLAGS=-k -B"
		GNUMAKEFLAGS=-B KBUILD_OUTPUT=/nonexistent ARCH=arm64 CROSS_COMPILE=no- LLVM=1 CC=false
		HOSTCC=false KCFLAGS=-Wx RUSTC=false RUSTFLAGS=-x KRUSTFLAGS=-x CARGO_HOME=/nonexistent
		PYTHONPATH=/nonexistent PYTHONHOME=/nonexistent PERL5LIB=/nonexistent PERL5OPT=-Mnone
		LD_LIBRARY_PATH=/nonexistent TMPDIR=/nonexistent GIT_DIR=/nonexistent
		GIT_WORK_TREE=/nonexistent GIT_INDEX_FILE=/nonexistent TAR_OPTIONS=-v QUOTING_STYLE=c
		IFS=/ PATH=/usr/bin:/bin)
	for command in "$scripts/environment/kernel.sh $kernel" "$scripts/environment/sandbox.sh env" \
		"$scripts/environment/sandbox.sh sh -c umask;pwd" \
		"$scripts/environment/setup.sh --have stock" "make -C $TOP help"; do
		# shellcheck disable=SC2086 # words
		(cd "$TOP/tests" && IFS=' ' && $command) >"$folder/ours" 2>&1
		# shellcheck disable=SC2086 # words
		(cd "$TOP/tests" && IFS=' ' && env "${hostile[@]}" $command) >"$folder/theirs" 2>&1
		[[ -s $folder/ours || $command == *--have* ]] &&
			cmp -s "$folder/ours" "$folder/theirs" && continue
		ktap_print_msg "$command: $(diff "$folder"/{ours,theirs} | head -n 3 | tr '\n' ';')"
		bad=1
	done
	((!bad))
}

# Boots a guest that panics, from a checkout below /tmp, where a guest has its own file system.
# Before the panic, the guest writes to new folders in the places where people keep files.
in_other_places() {
	local parent parents=(/tmp /var/tmp /dev/shm "/run/user/$EUID" "${HOME:-/tmp}")
	local dirs=() options=() written=0 checkout
	[[ -z ${LABYRINTH_SOAK-} ]] || parents+=(/ /boot /etc /home /media /mnt /opt /root /run /srv
		/usr/lib /usr/local /usr/local/src /usr/share /usr/src /var/cache /var/lib /var/lib/apt
		/var/log /var/spool)
	for parent in "${parents[@]}"; do
		# An ordinary user cannot write to all of them.
		dirs+=("$(mktemp -d "${parent%/}/labyrinth-test.XXXXXX" 2>/dev/null)") || unset 'dirs[-1]'
	done
	((${#dirs[@]} >= 2)) || return
	checkout=${dirs[0]}
	for parent in "${dirs[@]:1}"; do options+=(--rwdir "$parent"); done
	copy_of_scripts "$checkout"
	mkdir "$checkout/logs"
	scripts=$checkout/scripts folder=$checkout/logs booted kernel_panics 3 \
		'Kernel panic - not syncing: sysrq' "${options[@]}" -- sh -c '
			for dir; do touch "$dir/written"; done
			sync
			echo c >/proc/sysrq-trigger
			sleep 60' - "${dirs[@]:1}" "$checkout/logs"
	cp "$checkout/logs"/* "$folder/"
	for parent in "${dirs[@]:1}" "$checkout/logs"; do
		if [[ -e $parent/written ]]; then
			written=$((written + 1))
		else
			ktap_print_msg "nothing was written to $parent"
		fi
		rm -f "$parent/written"
	done
	ktap_print_msg "places: ${dirs[*]}"
	rm -rf "$checkout"
	rmdir "${dirs[@]:1}"
	outcome guest_writes_in_other_places "$written" "${#dirs[@]}"
}
