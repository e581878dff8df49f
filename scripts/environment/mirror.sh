# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Sourced. Where Debian packages come from: always from this system's own apt configuration.

# "URI release" of every repository apt knows, whether or not its lists were ever fetched.
repositories() {
	apt-get update --print-uris 2>/dev/null |
		sed -nE "s,^'(https?://[^' ]+)/dists/([^' ]+)/(In)?Release'.*,\\1 \\2,p" | sort -u
}

# debian_uri archive|security: the archive is the repository that also has updates, unlike those
# of other vendors, who use Debian's release names too.
debian_uri() {
	local codename
	codename=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	repositories | awk -v want="$1" -v codename="$codename" '
		want == "security" && $2 ~ "(^|/)[a-z]+[-/](security|updates)$" && $1 $2 ~ /security/ { print $1; exit }
		want == "archive" && $2 ~ "^[a-z]+-updates$" && $1 !~ /security/ { best = $1 }
		want == "archive" && ($2 == codename || $2 ~ /^((old)?stable|testing|sid|unstable)$/) && second == "" { second = $1 }
		END { if (want == "archive") print best != "" ? best : second }'
}

# One apt source line each for what the root is made from; nothing when this is not Debian or
# apt does not know a mirror.
mirror_lines() {
	local archive='' security='' suite
	grep -qx 'ID=debian' /etc/os-release 2>/dev/null && command -v apt-get >/dev/null || return 0
	archive=$(debian_uri archive)
	security=$(debian_uri security)
	[[ -n $archive ]] || return 0
	for suite in "$SUITE" "$SUITE-updates" "$SUITE-backports"; do
		printf 'deb %s %s main\n' "$archive" "$suite"
	done
	[[ -z $security ]] || printf 'deb %s %s-security main\n' "$security" "$SUITE"
}

# Proxies and certificates this system's apt was told to use, as options for mmdebstrap.
mirror_aptopts() {
	command -v apt-config >/dev/null || return 0
	apt-config dump --format '%F "%v";%n' Acquire::http::Proxy Acquire::https 2>/dev/null |
		grep -E '^Acquire::(http|https)::(Proxy|CaInfo|CaPath) "..*";$' || true
}
