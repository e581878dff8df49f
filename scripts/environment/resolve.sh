# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
# Sourced. Chooses the stock kernel: the newest release of the flavour in the suite's backports
# whose image, modules, headers and source are all available in the same version.

FLAVOUR=${FLAVOUR:-$ARCH_FLAVOUR}
SERIES=${SERIES:-}
[[ " ${ARCH_FLAVOURS[*]} " == *" $FLAVOUR "* ]] ||
	die "FLAVOUR is '$FLAVOUR'" "use one of ${ARCH_FLAVOURS[*]} (the default is $ARCH_FLAVOUR)"
[[ -z $SERIES || $SERIES =~ ^[0-9]+\.[0-9]+$ ]] ||
	die "SERIES is '$SERIES'" "give a kernel series such as 7.3"

# The module needs Rust interfaces that older kernels do not have.
OLDEST=7.2
APT_DIR=$CACHE/apt-$ROOT_KEY
RESOLVED=$CACHE/resolved/$ROOT_KEY-$FLAVOUR${SERIES:+-$SERIES}

# root_apt apt-get|apt-cache ARGUMENT…: runs the tool of the root. Its state is in the cache, so the
# root does not change.
root_apt() {
	local tool=$1
	shift
	"$SCRIPTS/environment/sandbox.sh" "$tool" -q \
		-o Dir::State::Lists="$APT_DIR/lists" -o Dir::Cache="$APT_DIR/cache" \
		-o Dir::Etc::SourceList="$APT_DIR/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o APT::Sandbox::User=root -o Acquire::Languages=none -o Acquire::Retries=2 \
		-o Acquire::http::Timeout=20 -o Acquire::https::Timeout=20 "$@"
}

update_index() {
	mkdir -p "$APT_DIR/lists/partial" "$APT_DIR/cache/archives/partial"
	mirror_lines >"$APT_DIR/sources.list"
	[[ -s $APT_DIR/sources.list ]] ||
		cat "$ROOT_DIR"/etc/apt/sources.list "$ROOT_DIR"/etc/apt/sources.list.d/*.list \
			>"$APT_DIR/sources.list" 2>/dev/null || true
	# Without this option, a mirror that cannot be reached is only a warning.
	root_apt apt-get -o APT::Update::Error-Mode=any update
}

# Reads lines "PACKAGE VERSION". Prints the chosen kernel as shell assignments, or nothing.
choose() {
	awk -v flavour="$FLAVOUR" -v series="$SERIES" -v oldest="$OLDEST" '
		function key(v,  p) {
			split(v, p, /[.+~-]/)
			return sprintf("%05d%05d%05d", p[1], p[2], p[3])
		}
		{ has[$1 " " $2] = 1 }
		index($1, "linux-headers-") == 1 {
			release = substr($1, 15)
			if (substr(release, length(release) - length(flavour)) != "-" flavour) next
			base = substr(release, 1, length(release) - length(flavour) - 1)
			if (base !~ /^[0-9]+\.[0-9]+\.[0-9][^-]*$/) next
			version[release] = $2
		}
		END {
			for (release in version) {
				v = version[release]
				split(release, part, ".")
				xy = part[1] "." part[2]
				if (series != "" && xy != series || key(xy) < key(oldest)) continue
				if (!has["linux-source-" xy " " v]) continue
				image = ""
				for (i = split("image binary-unsigned binary", kind, " "); i >= 1; i--)
					if (image == "" && has["linux-" kind[i] "-" release " " v])
						image = "linux-" kind[i] "-" release
				if (image == "") continue
				# In older releases the modules are in the package of the image.
				modules = "linux-modules-" release
				if (!has[modules " " v]) modules = ""
				if (modules == "" && image !~ /^linux-image-/) continue
				if (key(v) <= best) continue
				best = key(v)
				answer = "R_RELEASE=" release "\nR_VERSION=\"" v "\"\n" \
					"R_SERIES=" xy "\nR_IMAGE=" image "\nR_MODULES=" modules "\n"
			}
			printf "%s", answer
		}'
}

resolve_now() {
	local names=() answer=$RESOLVED.$BASHPID
	update_index
	local kinds='headers|image|binary|binary-unsigned|modules'
	mapfile -t names < <(root_apt apt-cache pkgnames linux- |
		grep -E "^linux-(source-[0-9.]+|($kinds)-[0-9][^-]*-$FLAVOUR)\$")
	((${#names[@]})) || { echo "the package index has no kernels"; return 1; }
	mkdir -p "${RESOLVED%/*}"
	root_apt apt-cache madison "${names[@]}" |
		awk -F ' *[|] *' '{ sub(/^ */, "", $1); print $1, $2 }' | choose >"$answer"
	[[ -s $answer ]] || {
		rm -f "$answer"
		echo "there is no $FLAVOUR kernel${SERIES:+ of series $SERIES}, $OLDEST or newer," \
			"with image, modules, headers and source of the same version"
		return 1
	}
	mv "$answer" "$RESOLVED"
	cat "$RESOLVED"
}

# Sets the variables of the chosen kernel, and the names of its cache entries.
load_resolved() {
	# shellcheck disable=SC1090 # written by resolve_now
	source "$RESOLVED"
	SOURCE_ENTRY=source-${R_VERSION//[~+]/.}
	PACKAGES_ENTRY=packages-${R_VERSION//[~+]/.}-$FLAVOUR
}

# Whether the last choice is less than a day old.
resolved_lately() { [[ -s $RESOLVED && -z $(find "$RESOLVED" -mmin +1440) ]]; }

# Chooses the kernel anew, at most once a day. If there is no network, the last choice remains.
resolve() {
	local newer
	if [[ -z ${LABYRINTH_REFRESH-} ]] && resolved_lately; then
		skip_step
	else
		lock "apt-$ROOT_KEY"
		if [[ -z ${LABYRINTH_REFRESH-} ]] && resolved_lately; then
			skip_step
		elif [[ -s $RESOLVED ]]; then
			# Do not make this part of a condition, where set -e has no effect.
			set +e
			(
				set -e
				step "looking for a newer $FLAVOUR kernel" "$CACHE/logs/resolve.log" resolve_now
			)
			newer=$?
			set -e
			((newer == 0)) || note "cannot look for a newer kernel; using the last one"
			skip_step
		else
			step "looking for the newest $FLAVOUR kernel" "$CACHE/logs/resolve.log" resolve_now
		fi
		unlock
	fi
	load_resolved
}
