"""The queues of another process's packet sockets: how Open vSwitch's userspace datapath reads its devices.

They hold what fits net.core.rmem_default, some ninety full frames, and lose the rest. That setting is the whole machine's; so a queue is made
longer from here, by a copy of the socket's descriptor. Linux: pidfd_getfd(2), SO_RCVBUFFORCE in socket(7), packet(7).
"""
import contextlib
import ctypes
import os
import socket
import struct

PIDFD_GETFD = 438                          # the system call's number, the same on all machines
SO_RCVBUFFORCE = 33
SOL_PACKET, PACKET_STATISTICS = 263, 6


def widen(pid, n_bytes):
    """Every queue the process has now holds n_bytes, of which a full frame takes about 2,300. How many there are."""
    n = 0
    for s in _packet_sockets(pid):
        s.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, n_bytes // 2)          # Linux doubles it
        n += 1
    return n


def lost(pid):
    """Frames that found a queue full since this was last asked."""
    return sum(struct.unpack("II", s.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1] for s in _packet_sockets(pid))


def _packet_sockets(pid):
    process = os.pidfd_open(pid)
    try:
        for name in os.listdir(f"/proc/{pid}/fd"):
            with contextlib.suppress(FileNotFoundError):                      # closed meanwhile
                if os.readlink(f"/proc/{pid}/fd/{name}").startswith("socket:"):
                    with socket.socket(fileno=_descriptor_of(process, int(name))) as s:
                        if s.family == socket.AF_PACKET:
                            yield s
    finally:
        os.close(process)


def _descriptor_of(process, number):
    libc = ctypes.CDLL(None, use_errno=True)
    copy = libc.syscall(PIDFD_GETFD, process, number, 0)
    if copy < 0:
        raise OSError(ctypes.get_errno(), f"descriptor {number} of another process")
    return copy
