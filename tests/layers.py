#!/usr/bin/python3
"""Keeps the arrows between rooms one way: which folder may include which, and which library has which home."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]', re.M)

# Folder -> folders whose headers it may include. The longest matching folder counts.
ROOMS = {
    "base": ["base"],
    "ofproto/flow": ["base", "ofproto/flow"],
    "ofproto/session": ["base", "ofproto/flow", "ofproto/session"],
    "ofproto/ovsdb": ["base", "ofproto/session", "ofproto/ovsdb"],
    "vnet/model": ["base", "vnet/model"],
    "vnet": ["base", "ofproto/flow", "vnet"],
    "controller": ["base", "ofproto", "vnet", "pki", "controller"],
    "agent": ["base", "ofproto", "vnet/packet", "vnet/pipeline/feature.h", "tools/vnetctl/http.h", "pki", "agent"],
    "pki": ["base", "pki"],
    "tools/vnetctl": ["base", "pki", "tools/vnetctl"],
}
# Library (prefix of the included name) -> its homes.
LIBRARIES = {
    "openvswitch/": ["ofproto", "tools/bench"],
    "openflow/": ["ofproto", "tools/bench"],
    "event2/": ["ofproto/session", "ofproto/ovsdb", "controller", "agent", "tools/bench"],
    "jansson.h": ["base/json.h"],
    "sqlite3.h": ["controller/store"],
    "curl/": ["tools/vnetctl", "agent"],
    "openssl/": ["ofproto/session", "pki", "controller", "tools/vnetctl"],
    "libvirt/": ["agent"],
    "libxml/": ["agent"],
    "netlink/": ["agent"],
}
# What is pure does no I/O and has no clock.
PURE = ["ofproto/flow", "vnet"]
IMPURE = ["sys/socket.h", "unistd.h", "fcntl.h", "sys/time.h", "base/log.h", "pthread.h"]
CLOCK = re.compile(r"\b(clock_gettime|gettimeofday|time)\s*\((NULL|&|CLOCK)")


def inside(path, folders):
    return any(path == f or path.startswith(f.rstrip("/") + "/") for f in folders)


def complaints(path):
    name = str(path.relative_to(ROOT))
    room = max((r for r in ROOMS if inside(name, [r])), key=len, default=None)
    for quote, included in INCLUDE.findall(path.read_text()):
        if quote == '"' and room and not inside(included, ROOMS[room]):
            yield f"{name}: {room} may not include {included}"
        for library, homes in LIBRARIES.items():
            if room and included.startswith(library) and not inside(name, homes):
                yield f"{name}: {library} is at home in {', '.join(homes)}"
        if included == "openvswitch/json.h":
            yield f"{name}: Open vSwitch's JSON clashes with jansson"
        if included in IMPURE and inside(name, PURE):
            yield f"{name}: pure code may not include {included}"
    if inside(name, PURE) and CLOCK.search(path.read_text()):
        yield f"{name}: pure code takes the time as an argument"


def main():
    found = [c for folder in ("base", "pki", "ofproto", "vnet", "controller", "agent", "tools")
             for path in sorted((ROOT / folder).rglob("*.[ch]")) for c in complaints(path)]
    print("\n".join(found) or "layers: every include points the right way")
    return 1 if found else 0


sys.exit(main())
