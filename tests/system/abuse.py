#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""abuse.py NAME: sends the gateway NAME control requests of every wrong kind through DPDK's telemetry socket; ends with 0 when none of them was
done, each was answered or cut off, and the gateway still answers what is right."""
import glob
import json
import random
import socket
import sys
import time

COMMANDS = ("status", "shards", "counters", "connections", "port", "move", "rebalance", "drain", "heavy", "history")
ONLY_WITH_PARAMETERS = ("move", "heavy", "history", "shards", "port")
WRONG = ("x", "-1", "1x", "0x10", "1.5", " 1", "99999999999999999999999999", "4294967296,4294967296,4294967296", "1,2,3,4,5,6,7,8", ",,,", "1,,2", "on,off",
    "99,on", "%s%n%s", "../../etc/passwd", "1," * 200, "9" * 900)
PATIENCE_S = 10


def path_of(name):
    return sorted(glob.glob(f"/var/run/dpdk/{name}/dpdk_telemetry.v2*"))[0]


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.socket.settimeout(PATIENCE_S)
        self.socket.connect(path)
        self.limit = json.loads(self.socket.recv(4096).decode())["max_output_len"]

    def ask(self, octets):
        """What comes back, b"" when we are cut off."""
        try:
            self.socket.send(octets)
            return self.socket.recv(self.limit)
        except (BrokenPipeError, ConnectionResetError):
            return b""


def patient(path):
    """DPDK serves ten at a time, and forgets those who left when it gets round to it."""
    for _ in range(10 * PATIENCE_S):
        try:
            return Client(path)
        except (OSError, ValueError):
            time.sleep(0.1)
    sys.exit("the socket takes nobody any more")


def value_of(answer):
    """The answer without the envelope."""
    try:
        return next(iter(json.loads(answer.decode("utf-8", "replace")).values()))
    except (ValueError, AttributeError, StopIteration):
        return None


def main():
    path = path_of(sys.argv[1])
    rng = random.Random(1)
    asked = refused = 0
    faults = []
    client = Client(path)
    for command in COMMANDS:
        for wrong in WRONG + (("",) if command in ONLY_WITH_PARAMETERS else ()):
            answer = client.ask(f"/millrace/{command},{wrong}".encode())
            value = value_of(answer)
            asked += 1
            # What takes no parameter does not look at it; what is done says so.
            if isinstance(value, dict) and value.get("done", 0) not in (0, False) and (command != "history" and command != "heavy"):
                faults.append(f"{command},{wrong[:40]} was done: {answer[:200]}")
            if value is None or (isinstance(value, dict) and value.get("done") == 0):
                refused += 1
                if isinstance(value, dict) and len(value.get("outcome", "")) < 10:
                    faults.append(f"{command},{wrong[:40]}: refused without a sentence: {answer[:200]}")
    rubbish = [b"\0", b"\xff" * 100, b"/", b"/millrace", b"/millrace/", b"/millrace/move\0,1,2,3", b"/millrace/\xff\xfe,\x80",
        b"/" + b"a" * 1000, b"/millrace/move," + b"\x80" * 900] + [rng.randbytes(rng.randrange(1, 1024)) for _ in range(100)]
    for octets in rubbish:
        asked += 1
        if client.ask(octets) == b"":
            client = patient(path)
    # More than one read takes.
    for length in (1024, 1025, 5000, 60000):
        asked += 1
        if client.ask(b"/millrace/status," + b"1" * length) == b"":
            client = patient(path)
    # Clients that say nothing, and clients that go before the answer.
    silent = [socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(30)]
    for sock in silent:
        sock.settimeout(1)
        try:
            sock.connect(path)
        except OSError:
            pass
    for sock in silent:
        try:
            sock.send(b"/millrace/connections,0")
        except OSError:
            pass
        sock.close()
    status = value_of(patient(path).ask(b"/millrace/status"))
    if not isinstance(status, dict) or "shards" not in status:
        faults.append(f"the gateway does not answer any more: {status}")
    print(f"{asked} wrong requests, {refused} of them refused by millrace, {len(faults)} faults")
    for fault in faults:
        print("  " + fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
