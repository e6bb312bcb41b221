#!/bin/bash
# Builds Open vSwitch 3.5 (programs and libopenvswitch) once into a cached prefix outside the tree and
# prints that prefix. The source is Debian trixie's package openvswitch-source, taken through a private
# apt state, so the system's own sources stay as they are.
#
# A static libopenvswitch exports six names that jansson exports too (json_object, ...) and some that base/
# has. Linked together one silently wins and the program crashes, or the link fails; so they are renamed in the archive
# after the install.
set -euo pipefail
cache=${VNET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vnet}
recipe=1                                  # raise when this file changes what it builds
prefix=$cache/ovs-3.5-$recipe
[ -e "$prefix/.complete" ] && { echo "$prefix"; exit 0; }

say() { echo "dev: $*" >&2; }
mkdir -p "$cache"
exec 9>"$cache/ovs.lock"
flock 9                                   # two checkouts may build at once
[ -e "$prefix/.complete" ] && { echo "$prefix"; exit 0; }
work=$(mktemp -d "$cache/build.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$work/log
run() { "$@" >>"$log" 2>&1 9>&- || { tail -n 40 "$log" >&2; say "failed: $*"; exit 1; }; }

# The machine's own Debian mirror: of the first stanza or line whose suite is exactly this release's.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror_of_system() {
    cat /etc/apt/sources.list.d/*.sources 2>/dev/null | awk -v suite="$codename" '
        /^URIs:/ { uri = $2 }
        /^Suites:/ { for (i = 2; i <= NF; i++) if ($i == suite && uri != "") { print uri; exit } }
        /^$/ { uri = "" }'
    cat /etc/apt/sources.list /etc/apt/sources.list.d/*.list 2>/dev/null | awk -v suite="$codename" '
        $1 == "deb" { for (i = 2; i < NF; i++) if ($i ~ /:\/\// && $(i + 1) == suite) { print $i; exit } }'
}
mirror=$(mirror_of_system 2>/dev/null | head -n 1) || true    # a missing sources.list is no error
[ -n "$mirror" ] || { say "no Debian mirror found in /etc/apt/sources.list*"; exit 1; }

say "fetching openvswitch-source (trixie) through a private apt state"
mkdir -p "$work"/apt/{lists/partial,cache/archives/partial,etc/sources.d,etc/prefs.d}
: > "$work/apt/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror trixie main" > "$work/apt/etc/sources.list"
private_apt() {
    apt-get -o Dir::State="$work/apt" -o Dir::State::lists="$work/apt/lists" -o Dir::State::status="$work/apt/status" \
            -o Dir::Cache="$work/apt/cache" -o Dir::Etc::sourcelist="$work/apt/etc/sources.list" \
            -o Dir::Etc::sourceparts="$work/apt/etc/sources.d" -o Dir::Etc::preferencesparts="$work/apt/etc/prefs.d" \
            -o APT::Sandbox::User=root "$@"
}
run private_apt update
(cd "$work" && run private_apt download openvswitch-source)
run dpkg -x "$work"/openvswitch-source_*.deb "$work/deb"
say "building Open vSwitch 3.5 (about two minutes, once)"
cd "$work/deb/usr/src/openvswitch"
[ -x configure ] || run ./boot.sh
run ./configure --prefix="$prefix" --localstatedir=/var --sysconfdir=/etc --disable-libcapng --without-dpdk \
    --disable-afxdp ac_cv_lib_unbound_ub_ctx_create=no CFLAGS="-O2 -g1 -fPIC"
run make -j"$(nproc)"
rm -rf "$prefix"
run make install
rename=()
for name in json_object json_array json_string json_integer json_real json_equal ip_parse hash_bytes uuid_is_zero; do
    rename+=(--redefine-sym "$name=ovs_$name")
done
for lib in "$prefix"/lib/*.a; do run objcopy "${rename[@]}" "$lib"; done
touch "$prefix/.complete"
echo "$prefix"
