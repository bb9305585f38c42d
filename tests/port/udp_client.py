#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""udp_client.py ADDRESS PORT: from 40 sockets, datagrams of many sizes; each must come back, octet by octet."""
import os
import socket
import sys

SOCKETS = 40
SIZES = [0, 1, 2, 17, 18, 19, 63, 512, 1199, 1200, 1201, 1451, 1452]


def exchange(link, octets, late):
    """The echo, asked for again when it does not come: a link may lose."""
    for _ in range(5):
        link.send(octets)
        try:
            # What was asked for twice may come back twice, behind the next question.
            while (answer := link.recv(4096)) != octets:
                late.append(answer)
            return answer
        except socket.timeout:
            continue
    return None


def main():
    address, port = sys.argv[1], int(sys.argv[2])
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    count = 0
    for _ in range(SOCKETS):
        with socket.socket(family, socket.SOCK_DGRAM) as link:
            link.settimeout(1)
            link.connect((address, port))
            asked = []
            for size in SIZES:
                octets, late = os.urandom(size), []
                if exchange(link, octets, late) != octets or any(answer not in asked for answer in late):
                    sys.exit(f"{size} octets did not come back from {address}")
                asked.append(octets)
                count += 1
    print(f"{count} datagrams echoed by {address}")


if __name__ == "__main__":
    main()
