#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""flood.py ADDRESS PORT COUNT KIND: sends COUNT bad datagrams of one kind to the gateway, from many ports, and ends.

Kinds: noise (random octets of any length), short (random 1-RTT look-alikes), version (unknown versions), initial (Initials that
cannot be opened, of full size), coalesced (a header cut everywhere).
"""
import random
import socket
import struct
import sys


def initial(version, rng, length=1200):
    dcid, scid = rng.randbytes(8), rng.randbytes(8)
    head = bytes([0xC0 | rng.randrange(4)]) + struct.pack(">I", version) + b"\x08" + dcid + b"\x08" + scid + b"\x00"
    rest = length - len(head) - 2
    return head + struct.pack(">H", 0x4000 | rest) + rng.randbytes(rest)


def datagram(kind, rng):
    if kind == "noise":
        return rng.randbytes(rng.randrange(0, 1400))
    if kind == "short":
        return bytes([0x40 | rng.randrange(64)]) + rng.randbytes(rng.randrange(17, 1200))
    if kind == "version":
        return initial(rng.randrange(2, 1 << 32), rng)
    if kind == "initial":
        return initial(1, rng)
    return initial(1, rng)[: rng.randrange(1, 1200)]


def main():
    address, port, count, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    rng = random.Random(kind)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(64)]
    for sock in sockets:
        sock.setblocking(False)
    sent = 0
    for i in range(count):
        try:
            sockets[i % 64].sendto(datagram(kind, rng), (address, port))
            sent += 1
        except BlockingIOError:
            pass
    print(f"{sent} datagrams of {kind}")


if __name__ == "__main__":
    main()
