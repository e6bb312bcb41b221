#!/bin/bash
# A clean, minimal Debian tree of this machine's release as a tar file, made once into the cache folder by debootstrap; prints its name. What is installed
# into a copy of it shall find its packages again beside it, in the folder 'debian-archives'.
set -euo pipefail
cache=${VNET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vnet}
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
tree=$cache/debian-$codename.tar
mkdir -p "$cache/debian-archives/partial"
exec 9>"$cache/debian-tree.lock"
flock 9
[ -e "$tree" ] && { echo "$tree"; exit 0; }

# The mirror of the release's own stanza.
mirror=$(cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk -v suite="$codename" '
    /^URIs:/ { uri = $2 } /^Suites:/ { for (i = 2; i <= NF; i++) if ($i == suite && uri != "") { print uri; exit } } /^$/ { uri = "" }')
[ -n "$mirror" ] || mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | awk -v suite="$codename" '
    $1 == "deb" { for (i = 2; i < NF; i++) if ($i ~ /:\/\// && $(i + 1) == suite) { print $i; exit } }')
[ -n "$mirror" ] || { echo "dev: no Debian mirror found in /etc/apt/sources.list*" >&2; exit 1; }
work=$(mktemp -d "$cache/debian-build.XXXXXX")
trap 'rm -rf "$work"' EXIT
echo "dev: debootstrap of $codename (half a minute, once)" >&2
if ! debootstrap --variant=minbase "$codename" "$work/tree" "$mirror" >"$work/log" 2>&1 9>&-; then
    tail -n 20 "$work/log" >&2
    exit 1
fi
rm -rf "$work"/tree/var/cache/apt/archives/*.deb
tar -C "$work/tree" -cf "$work/tar" .
mv "$work/tar" "$tree"
echo "$tree"
