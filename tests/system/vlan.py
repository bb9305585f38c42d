#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""vlan.py INTERFACE VLAN OURS GATEWAY: asks the gateway by ARP and pings it in frames with an 802.1Q tag of its own making, so that the
kernel needs none; both answers have to be tagged, and untagged frames have to stay without one."""
import socket
import struct
import sys
import time

AUXDATA, VLAN_VALID = 8, 0x10


def checksum(octets):
    total = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total ^ 0xFFFF


def arp(ours, source, target):
    return struct.pack(">HHBBH", 1, 0x0800, 6, 4, 1) + source + ours + bytes(6) + target


def ping(ours, target):
    echo = b"\x08\x00" + bytes(2) + b"millrace" * 4
    echo = echo[:2] + struct.pack(">H", checksum(echo)) + echo[4:]
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(echo), 1, 0, 64, 1, 0, ours, target)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + echo


def answer(sock, ethertype, wanted, seconds):
    """(tag, sender, octets behind the Ethernet header) of the first frame that wanted() takes, or None."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            frame, auxiliary, _, address = sock.recvmsg(2000, 200)
        except TimeoutError:
            return None
        # The kernel takes the tag out and says it beside the frame.
        status, _, _, _, _, tag, _ = struct.unpack("=IIIHHHH", auxiliary[0][2][:20])
        if address[2] != socket.PACKET_OUTGOING and frame[12:14] == ethertype and wanted(frame[14:]):
            return (tag & 0xFFF if status & VLAN_VALID else 0), frame[6:12], frame[14:]
    return None


def main():
    interface, vlan, ours, target = sys.argv[1], int(sys.argv[2]), *map(socket.inet_aton, sys.argv[3:5])
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.setsockopt(263, AUXDATA, 1)
    sock.bind((interface, 3))
    source = sock.getsockname()[4]
    tag = struct.pack(">HH", 0x8100, vlan)

    def ask(destination, tag, ethertype, octets, wanted, seconds=2):
        sock.send((destination + source + tag + ethertype + octets).ljust(60, b"\0"))
        return answer(sock, ethertype, wanted, seconds)

    is_reply = lambda octets: octets[6:8] == b"\x00\x02" and octets[14:18] == target
    is_echo = lambda octets: octets[9] == 1 and octets[12:16] == target and octets[20] == 0
    found = ask(b"\xff" * 6, tag, b"\x08\x06", arp(ours, source, target), is_reply)
    if found is None or found[0] != vlan:
        sys.exit(f"ARP in VLAN {vlan}: {found}")
    gateway = found[1]
    found = ask(gateway, tag, b"\x08\x00", ping(ours, target), is_echo)
    if found is None or found[0] != vlan or found[2][28:60] != (b"millrace" * 4)[4:]:
        sys.exit(f"ping in VLAN {vlan}: {found}")
    for other in (b"", struct.pack(">HH", 0x8100, vlan + 1)):
        found = ask(gateway, other, b"\x08\x00", ping(ours, target), is_echo, 0.5)
        if found is not None:
            sys.exit(f"a ping that is not in VLAN {vlan} was answered: {found}")


if __name__ == "__main__":
    main()
