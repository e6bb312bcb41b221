#!/bin/bash
# Installs the Debian packages of packages.txt that are missing. Prints nothing when none is.
# Called by ./dev before anything that builds or runs.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
missing=()
while read -r name; do
    case $name in ''|'#'*) continue;; esac
    dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null | grep -qx installed || missing+=("$name")
done < "$here/packages.txt"
[ ${#missing[@]} -eq 0 ] && exit 0
echo "dev: installing ${#missing[@]} Debian packages: ${missing[*]}"
[ "$(id -u)" = 0 ] || { echo "dev: installing packages needs root" >&2; exit 1; }
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -n 30 "$log" >&2
    echo "dev: apt-get could not install: ${missing[*]}" >&2
    exit 1
fi
