# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced. Finds the mirrors of Debian packages in the apt configuration of this system.

# Prints "URI RELEASE" for each repository in apt's configuration, even if apt has never fetched its
# lists.
repositories() {
	apt-get update --print-uris 2>/dev/null |
		sed -nE "s,^'(https?://[^' ]+)/dists/([^' ]+)/(In)?Release'.*,\\1 \\2,p" | sort -u
}

# debian_uri archive|security: prints the URI of one of Debian's own repositories. Other vendors use
# Debian's release names, too, but only Debian's archive also has a release NAME-updates.
debian_uri() {
	local codename
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	repositories | awk -v want="$1" -v codename="$codename" '
		want == "security" && $2 ~ "(^|/)[a-z]+[-/](security|updates)$" && $1 $2 ~ /security/ {
			print $1
			exit
		}
		want == "archive" && $2 ~ "^[a-z]+-updates$" && $1 !~ /security/ { best = $1 }
		want == "archive" && second == "" &&
			($2 == codename || $2 ~ /^((old)?stable|testing|sid|unstable)$/) { second = $1 }
		END { if (want == "archive") print best != "" ? best : second }'
}

# Prints the lines of a sources.list from which the root is made. Prints nothing if this system is
# not Debian, or has no mirror in its apt configuration.
mirror_lines() {
	local archive='' security='' suite
	grep -qx 'ID=debian' /etc/os-release 2>/dev/null || return 0
	command -v apt-get >/dev/null || return 0
	archive=$(debian_uri archive)
	security=$(debian_uri security)
	[[ -n $archive ]] || return 0
	for suite in "$SUITE" "$SUITE-updates" "$SUITE-backports"; do
		printf 'deb %s %s main\n' "$archive" "$suite"
	done
	[[ -z $security ]] || printf 'deb %s %s-security main\n' "$security" "$SUITE"
}

# Prints the proxies and certificates in the apt configuration of this system, as options for
# mmdebstrap.
mirror_aptopts() {
	command -v apt-config >/dev/null || return 0
	apt-config dump --format '%F "%v";%n' Acquire::http::Proxy Acquire::https 2>/dev/null |
		grep -E '^Acquire::(http|https)::(Proxy|CaInfo|CaPath) "..*";$' || true
}
