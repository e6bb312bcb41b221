#!/bin/bash
# Makes once what the lab's virtual machines boot: Debian's cloud kernel as an uncompressed ELF, and an initramfs of busybox and the
# few modules that virtio-net and the power button need, with tools/lab/guest-image/init as process 1. Prints the folder, which has 'vmlinux', 'initrd', and 'root', the latter's files.
#
# Everything comes by `apt-get download` and `dpkg -x`; nothing is installed (busybox-static would push out busybox).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
image=$(cd "$here/../lab/guest-image" && pwd)
cache=${VNET_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/vnet}
recipe=$(cat "$0" "$image"/* | sha256sum | cut -c1-12)
prefix=$cache/guest-$recipe
[ -e "$prefix/.complete" ] && { echo "$prefix"; exit 0; }

say() { echo "dev: $*" >&2; }
mkdir -p "$cache"
exec 9>"$cache/guest.lock"
flock 9
[ -e "$prefix/.complete" ] && { echo "$prefix"; exit 0; }
work=$(mktemp -d "$cache/guest-build.XXXXXX")
trap 'rm -rf "$work"' EXIT
log=$work/log
run() { "$@" >>"$log" 2>&1 9>&- || { tail -n 20 "$log" >&2; say "failed: $*"; exit 1; }; }

# The packages are kept, since they are large and the recipe changes more often than they do.
packages=$cache/guest-packages
mkdir -p "$packages"
kernel=$(apt-cache depends linux-image-cloud-amd64 | awk '/Depends:/ { print $2; exit }')
[ -n "$kernel" ] || { say "apt knows no linux-image-cloud-amd64; run apt-get update"; exit 1; }
for package in "$kernel" busybox-static; do
    compgen -G "$packages/${package}_*.deb" >/dev/null && continue
    say "fetching $package"
    (cd "$packages" && run apt-get download -o APT::Sandbox::User=root "$package")
done
for package in "$kernel" busybox-static; do
    run dpkg -x "$(compgen -G "$packages/${package}_*.deb" | head -n 1)" "$work/$package"
done

# The kernel: without its own decompressor a guest is up 0.3 s sooner. The payload begins with LZ4's legacy magic.
vmlinuz=$(compgen -G "$work/$kernel/boot/vmlinuz-*" | head -n 1)
offset=$(LC_ALL=C grep -abo -m 1 -P '\x02\x21\x4c\x18' "$vmlinuz" | head -n 1 | cut -d: -f1)
[ -n "$offset" ] || { say "$kernel is not compressed with LZ4 any more: tools/setup/guest.sh must learn the new way"; exit 1; }
mkdir -p "$work/out"
tail -c +$((offset + 1)) "$vmlinuz" | lz4 -d -q - "$work/out/vmlinux" 2>>"$log" || true   # what follows the payload is no LZ4
[ "$(head -c 4 "$work/out/vmlinux" | tail -c 3)" = ELF ] || { say "no kernel came out of $vmlinuz"; exit 1; }

# The initramfs. In the order in which they must be loaded.
modules="virtio_ring virtio virtio_pci_legacy_dev virtio_pci_modern_dev virtio_pci failover net_failover virtio_net evdev button"
root=$work/root
mkdir -p "$root"/{bin,dev,proc,sys,lib,etc/acpi/PWRF}
cp "$work/busybox-static/bin/busybox" "$root/bin/busybox"
for applet in $("$root/bin/busybox" --list); do
    [ "$applet" = busybox ] || ln -s busybox "$root/bin/$applet"
done
for module in $modules; do
    cp "$(find "$work/$kernel/lib/modules" -name "$module.ko" | head -n 1)" "$root/lib/"
    echo "$module" >> "$root/lib/modules"
done
strip -g "$root"/lib/*.ko
install -m 755 "$image/init" "$root/init"
install -m 755 "$image/dhcp" "$root/dhcp"
install -m 755 "$image/power-button" "$root/etc/acpi/PWRF/00000080"
(cd "$root" && find . | cpio -o -H newc --quiet) > "$work/out/initrd"
mv "$root" "$work/out/root"           # what containers have as their own
rm -rf "$prefix"
mv "$work/out" "$prefix"
touch "$prefix/.complete"
echo "$prefix"
