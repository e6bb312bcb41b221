#!/bin/bash
# Makes the Debian packages of a build configured for /usr: deb.sh BUILD. Called by ./dev deb. They land in BUILD/deb. Which file is in which
# package stands in 'files'; one that is in none is an error, so that nothing is forgotten.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$1 out=$1/deb
version=$(sed -n 's/^PACKAGE_VERSION = //p' "$build/Makefile")
architecture=$(dpkg --print-architecture)
rm -rf "$out" "$build/stage"
mkdir -p "$out" "$build/stage/all/lib/systemd/system" "$build/stage/all/etc/vnet" "$build/stage/all/etc/libvirt/hooks/qemu.d"
make -s -C "$build" DESTDIR="$build/stage/all" install-strip >/dev/null
install -m 644 "$here"/*.service "$build/stage/all/lib/systemd/system/"
install -m 644 "$here/vnetd.conf" "$build/stage/all/etc/vnet/"
install -m 755 "$here/libvirt-hook" "$build/stage/all/etc/libvirt/hooks/qemu.d/vnet"

# What the programs of a package link, as dependencies.
shlibs() {
    local programs=()
    while read -r file; do
        [ -L "$1/$file" ] || ! head -c 4 "$1/$file" | grep -q ELF || programs+=("$1/$file")
    done < <(cd "$1" && find . -type f)
    local work; work=$(mktemp -d)
    mkdir "$work/debian"
    printf 'Source: vnet\n\nPackage: vnet\nArchitecture: any\n' > "$work/debian/control"
    (cd "$work" && dpkg-shlibdeps -O "${programs[@]}" 2>/dev/null) | sed -n 's/^shlibs:Depends=//p'
    rm -rf "$work"
}

field() { awk -v package="$1" -v field="$2" 'BEGIN { RS = ""; FS = "\n" } $1 == "Package: " package { n = split($0, lines, "\n"); on = 0
    for (i = 1; i <= n; i++) { if (lines[i] ~ "^" field ": ") { on = 1; sub("^" field ": ", "", lines[i]); print lines[i] }
        else if (lines[i] ~ /^ /) { if (on) print lines[i] } else on = 0 } }' "$here/control"; }

package() {
    local name=$1 root=$build/stage/$1 file depends recommends
    while read -r owner file; do
        [ "$owner" = "$name" ] || continue
        mkdir -p "$root/$(dirname "$file")"
        mv "$build/stage/all/$file" "$root/$file"
        case $file in usr/share/man/*) gzip -9n "$root/$file";; esac
    done < "$here/files"
    depends=$(field "$name" Depends)
    depends=${depends//\$\{shlibs\}/$(shlibs "$root")}
    depends=${depends//\$\{version\}/$version}
    recommends=$(field "$name" Recommends)
    install -d "$root/DEBIAN"
    {
        printf 'Package: %s\nVersion: %s\nArchitecture: %s\nMaintainer: vnet <vnet@localhost>\nSection: net\nPriority: optional\n' "$name" "$version" "$architecture"
        printf 'Installed-Size: %s\nDepends: %s\n' "$(du -ks "$root" | cut -f1)" "$depends"
        [ -z "$recommends" ] || printf 'Recommends: %s\n' "$recommends"
        printf 'Description: %s\n' "$(field "$name" Description)"
    } > "$root/DEBIAN/control"
    (cd "$root" && if [ -d etc ]; then find etc -type f | sed 's,^,/,'; fi) > "$root/DEBIAN/conffiles"
    [ -s "$root/DEBIAN/conffiles" ] || rm "$root/DEBIAN/conffiles"
    for script in preinst postinst prerm postrm; do
        [ ! -e "$here/$name.$script" ] || install -m 755 "$here/$name.$script" "$root/DEBIAN/$script"
    done
    dpkg-deb --root-owner-group --build "$root" "$out" >/dev/null
}

for name in vnet-controller vnet-agent vnet-tools; do package "$name"; done
left=$(cd "$build/stage/all" && find . -type f -o -type l)
[ -z "$left" ] || { echo "deb.sh: in no package: $left" >&2; exit 1; }
rm -rf "$build/stage"
ls "$out"/*.deb
