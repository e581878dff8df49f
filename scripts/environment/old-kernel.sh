# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced, after resolve.sh and stock-kernel.sh. Fetches old kernels for the tests of the command
# line tool. For a release of Debian, this is the newest kernel of the series that the release began
# with, with the headers for building C modules. The packages are not changed.

# Debian 11 has Linux 5.10, Debian 12 has 6.1, and Debian 13 has 6.12.
OLD_KERNELS=(bullseye bookworm trixie)

# The choice, see choose_old.
R_RELEASE='' R_VERSION='' R_PACKAGES=()

is_old() { [[ " ${OLD_KERNELS[*]} " == *" $1 "* ]]; }

# old_names RELEASE: sets the paths of its package index and of the choice.
old_names() {
	APT_DIR=$CACHE/apt-$1-$ROOT_KEY
	OLD_RESOLVED=$CACHE/resolved/$ROOT_KEY-$FLAVOUR-$1
}

# old_lines RELEASE: prints the lines of a sources.list, with the mirrors of the root.
old_lines() {
	local lines
	lines=$(mirror_lines)
	[[ -n $lines ]] ||
		lines=$(cat "$ROOT_DIR"/etc/apt/sources.list{,.d/*.list})
	sed -nE "s/ $SUITE((-security)? .*)/ $1\\1/p" <<<"$lines"
}

# metapackages: prints "VERSION IMAGE HEADERS" for the newest version of the flavour that has both.
metapackages() {
	root_apt apt-cache show "linux-image-$FLAVOUR" "linux-headers-$FLAVOUR" 2>/dev/null | awk '
		$1 == "Package:" { package = $2 }
		$1 == "Version:" { version = $2 }
		$1 == "Depends:" {
			needs[package ~ /^linux-image-/, version] = $2
			versions[version]
		}
		END {
			for (version in versions)
				if (needs[1, version] != "" && needs[0, version] != "")
					print version, needs[1, version], needs[0, version]
		}' | sort -V | tail -n 1
}

# choose_old RELEASE: prints the chosen kernel as shell assignments. If the archive has none, the
# variable R_MISSING says why.
choose_old() {
	local version image headers parts
	old_lines "$1" >"$APT_DIR/sources.list"
	# The archive no longer renews the signatures of releases that are out of support.
	if ! root_apt apt-get -o APT::Update::Error-Mode=any -o Acquire::Check-Valid-Until=false \
		update >"$APT_DIR/update.log" 2>&1; then
		cat "$APT_DIR/update.log" >&2
		grep -q 'does not have a Release file' "$APT_DIR/update.log" || return 1
		printf 'R_MISSING=%q\n' "the mirror no longer has Debian $1"
		return
	fi
	read -r version image headers < <(metapackages) || true
	if [[ -z $headers ]]; then
		printf 'R_MISSING=%q\n' \
			"Debian $1 has no $FLAVOUR kernel with headers of the same version"
		return
	fi
	parts=$(root_apt apt-cache show "$headers=$version" | sed -n 's/^Depends: //p' |
		grep -oE 'linux-(headers|kbuild)-[^ ,]+')
	printf 'R_RELEASE=%q\nR_VERSION=%q\nR_PACKAGES=(' "${image#linux-image-}" "$version"
	# shellcheck disable=SC2086 # a list of names
	printf '%q ' "$image" "$headers" $parts
	printf ')\n'
}

resolve_old_now() {
	local answer=$OLD_RESOLVED.$BASHPID
	mkdir -p "$APT_DIR/lists/partial" "$APT_DIR/cache/archives/partial" "${OLD_RESOLVED%/*}"
	choose_old "$1" >"$answer"
	mv "$answer" "$OLD_RESOLVED"
	cat "$OLD_RESOLVED"
}

# Whether the last choice is less than a day old.
old_resolved_lately() {
	[[ -s $OLD_RESOLVED && -z ${LABYRINTH_REFRESH-} && -z $(find "$OLD_RESOLVED" -mmin +1440) ]]
}

# resolve_old RELEASE: chooses the kernel anew, at most once a day. If there is no network, the last
# choice remains.
resolve_old() {
	local newer=0
	old_names "$1"
	if ! old_resolved_lately; then
		lock "${APT_DIR##*/}"
		# Do not make this part of a condition, where set -e has no effect.
		set +e
		(
			set -e
			old_resolved_lately || step "looking for the newest kernel of Debian $1" \
				"$CACHE/logs/resolve-$1.log" resolve_old_now "$1"
		)
		newer=$?
		set -e
		unlock
		((newer == 0)) || [[ -s $OLD_RESOLVED ]] || exit "$newer"
		((newer == 0)) || note "cannot look for a newer kernel; using the last one"
	fi
	skip_step
	load_old "$1"
}

# load_old RELEASE: sets the variables of the chosen kernel, and the name of its cache entry.
load_old() {
	old_names "$1"
	unset -v R_MISSING
	# shellcheck disable=SC1090 # written by resolve_old_now
	source "$OLD_RESOLVED"
	OLD_ENTRY=old-${R_VERSION//[~+]/.}-$FLAVOUR
}

# The Makefile of the headers includes another one, by its path in /usr/src. virtme-run looks in
# /lib for the modules that the kernel needs to mount its root, and makes an initramfs with these.
unpack_old() {
	unpack_kernel "$OLD_ENTRY" "${R_PACKAGES[@]}"
	rm -rf lib
	ln -s usr/lib lib
	sed -i "s,/usr/src/,$PWD&,g" "usr/src/linux-headers-$R_RELEASE/Makefile"
}

# make_old RELEASE: two steps.
make_old() {
	resolve_old "$1"
	[[ -z ${R_MISSING-} ]] || die "there is no kernel: $R_MISSING" "choose another release"
	entry "$OLD_ENTRY" wipe "fetching $R_RELEASE" unpack_old
}
