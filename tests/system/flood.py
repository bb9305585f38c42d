#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""flood.py ADDRESS PORT COUNT KIND [KEYS]: sends COUNT bad datagrams of one kind to the gateway, from many ports, and ends.

Kinds: noise (random octets of any length), short (random 1-RTT look-alikes), version (unknown versions), initial (Initials that
cannot be opened, of full size), coalesced (a header cut everywhere), forged (1-RTT look-alikes whose connection IDs are of the gateway's
own making, by its key file KEYS, for any shard, slot, generation and sequence number, of this start or another, of this gateway or another).
"""
import random
import socket
import struct
import subprocess
import sys

# Two shards of a gateway with 10,000 places, and their first connections.
SLOTS_LIKELY = [0, 1, 2, 3, 5000, 5001, 5002, 5003]
GENERATIONS_LIKELY = 32
forged_ids = []


def initial(version, rng, length=1200):
    dcid, scid = rng.randbytes(8), rng.randbytes(8)
    head = bytes([0xC0 | rng.randrange(4)]) + struct.pack(">I", version) + b"\x08" + dcid + b"\x08" + scid + b"\x00"
    rest = length - len(head) - 2
    return head + struct.pack(">H", 0x4000 | rest) + rng.randbytes(rest)


def forge(count, keys, rng):
    """Sealed connection IDs, 17 octets each: one AES block of gateway 16, shard 12, slot 24, sequence 20, generation 24, epoch 32 bits."""
    with open(keys, encoding="ascii") as file:
        key = dict(line.split(" = ") for line in file.read().splitlines())["connection_id"]
    with open(keys + ".epoch", encoding="ascii") as file:
        epoch = int(file.read())
    blocks = b""
    for _ in range(count):
        slot = rng.choice((rng.choice(SLOTS_LIKELY), rng.randrange(1 << 24)))
        value = rng.choice((0, 0, 0, rng.randrange(1 << 16)))
        for bits, field in ((12, rng.choice((rng.randrange(2), rng.randrange(1 << 12)))), (24, slot), (20, rng.choice((rng.randrange(8),
            rng.randrange(1 << 20)))), (24, rng.choice((rng.randrange(GENERATIONS_LIKELY), rng.randrange(1 << 24)))), (32, epoch - rng.choice((0, 0, 0, 1)))):
            value = value << bits | field
        blocks += value.to_bytes(16, "big")
    sealed = subprocess.run(["openssl", "enc", "-aes-128-ecb", "-nopad", "-K", key], input=blocks, capture_output=True, check=True).stdout
    forged_ids.extend(b"\x10" + sealed[i : i + 16] for i in range(0, len(sealed), 16))


def datagram(kind, rng):
    if kind == "forged":
        return bytes([0x40 | rng.randrange(64)]) + forged_ids.pop() + rng.randbytes(rng.randrange(23, 1200))
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
    if kind == "forged":
        forge(count, sys.argv[5], rng)
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    sockets = [socket.socket(family, socket.SOCK_DGRAM) for _ in range(64)]
    for sock in sockets:
        sock.setblocking(False)
    print("begins", flush=True)
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
