#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks move.pml with spin: the rules as they are must hold, and with each one removed the property named here must fall.

    run.py [NAME...]   all runs but the wide ones, or those whose names begin so; prints states, memory and seconds of each

A run that must hold is exhaustive within its bounds. What a fault breaks first depends on the order of the search, so
some name more than one property. Exit status 77: spin is not installed.
"""
import concurrent.futures
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

MODEL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "move.pml")
AT_ONCE = 2
SECONDS_MAX = 600
MEGABYTES_MAX = 4000  # of each, AT_ONCE of them

ONE_OWNER = "one owner"
OWNER_HANDLES = "only the owner handles"
FREED_ONCE = "freed once"
NONE_LOST = "none lost"
CONTROL = "control never blocked"
MOVES_END = "every move ends"
PEER_SWITCHED = "peer has switched"
# As move.pml numbers them.
PROPERTIES = {1: ONE_OWNER, 2: OWNER_HANDLES, 3: FREED_ONCE, 4: NONE_LOST, 5: CONTROL, 6: MOVES_END, 7: PEER_SWITCHED}

# Every interleaving, for ever: assertions only. BOUNDED comes to an end, so a cycle is a fault (a datagram or message
# that goes round), and so is an end with something open.
FOREVER = ("-DSAFETY",)
BOUNDED = ("-DNP",)
TWO = "-DSHARDS=2"
ONE_MOVE = "-DSHARDS=2 -DIN_FLIGHT=1"
ENDS = "-DSHARDS=2 -DSENDS=2 -DMOVES=2"

# Name: (bounds, kind of search)
HOLDS = {
    "two shards": (TWO, FOREVER),
    "two shards, old words read": (ONE_MOVE + " -DSTALE", FOREVER),
    "three shards, no slot reused": ("-DSHARDS=3 -DIN_FLIGHT=1 -DLIVES=1", FOREVER),
    "three shards, slot reused": ("-DSHARDS=3 -DIN_FLIGHT=1 -DDATAGRAMS=1", FOREVER),
    "moves end": (ENDS, BOUNDED),
    "moves end by themselves": (ENDS + " -DFAIR -DMAIL=2", BOUNDED),
}

# Wider bounds, minutes each: by name only, not in the gate.
WIDE = {
    "wide: three shards": ("-DSHARDS=3 -DIN_FLIGHT=1 -DSEQUENCES=1", FOREVER),
    "wide: three shards, two moves": ("-DSHARDS=3 -DDATAGRAMS=1 -DSEQUENCES=1", FOREVER),
    "wide: three lives": (ONE_MOVE + " -DLIVES=3", FOREVER),
    "wide: moves end": ("-DSHARDS=2 -DSENDS=3 -DMOVES=3", BOUNDED),
}

# Fault: (bounds, kind of search, what may fall)
FALLS = {
    "UNCHECKED_MOVE": (ONE_MOVE, FOREVER, {ONE_OWNER}),
    "STAYS_LINKED": (ONE_MOVE, FOREVER, {ONE_OWNER}),
    "LET_GO_MID_TURN": (ONE_MOVE, FOREVER, {ONE_OWNER}),
    "FREE_MID_TURN": (ONE_MOVE, FOREVER, {ONE_OWNER}),
    "WORD_KEEPS_OWNER": (ONE_MOVE, FOREVER, {ONE_OWNER, OWNER_HANDLES}),
    "NO_REREAD": (ONE_MOVE, FOREVER, {ONE_OWNER, OWNER_HANDLES}),
    "NO_GENERATION": (ONE_MOVE, FOREVER, {OWNER_HANDLES}),
    "NO_ATTACH_ON_SIGHT": (ONE_MOVE, FOREVER, {OWNER_HANDLES}),
    "FREE_HANDED": (ONE_MOVE, FOREVER, {FREED_ONCE}),
    "KEEP_REFUSED": (ENDS, BOUNDED, {FREED_ONCE}),
    "DROP_IN_TRANSIT": (ONE_MOVE, FOREVER, {NONE_LOST}),
    "LISTED_FIRST": (ONE_MOVE, FOREVER, {NONE_LOST, ONE_OWNER, FREED_ONCE}),
    "FEW_PLACES": (TWO, FOREVER, {CONTROL}),
    "RESULT_BY_OLD_OWNER": (ONE_MOVE, FOREVER, {CONTROL}),
    "LATE_UNCHECKED": (ONE_MOVE, FOREVER, {CONTROL}),
    "ONE_TO_SPARE": ("-DSHARDS=3 -DIN_FLIGHT=1 -DDATAGRAMS=1 -DSEQUENCES=1", FOREVER, {CONTROL}),
    "RESULT_OF_MINE": (ENDS, BOUNDED, {MOVES_END}),
    "NO_GIVING_UP": (ENDS, BOUNDED, {MOVES_END}),
    "GRANT_FIRST": (ENDS, BOUNDED, {MOVES_END, ONE_OWNER}),
    "PASS_BY_NAME": (ENDS, BOUNDED, {MOVES_END}),
    "SWITCH_BY_NAME": (ONE_MOVE, FOREVER, {PEER_SWITCHED}),
    "OFFER_EARLY": (ONE_MOVE, FOREVER, {PEER_SWITCHED}),
}


class Result:
    """What pan said: the property that fell (None: none), whether the search was whole, and its size."""

    def __init__(self, said, seconds):
        self.seconds = seconds
        self.said = said
        errors = re.search(r"errors: (\d+)", said)
        whole = errors and not re.search(r"max search depth too small|out of memory|Search not completed", said)
        states = re.search(r"(\d+)(?:e\+\d+)? states, stored", said)
        self.states = int(states.group(1)) if states else 0
        memory = re.search(r"([\d.]+)\s+total actual memory usage", said)
        self.megabytes = float(memory.group(1)) if memory else 0
        broken = re.search(r"assertion violated .*\|\| *!\((\d)\)", said)
        if broken:
            self.fallen = PROPERTIES[int(broken.group(1))]
        elif "non-progress cycle" in re.sub(r"non-progress cycles\s+[+-]", "", said):
            self.fallen = MOVES_END
        elif whole and errors.group(1) == "0":
            self.fallen = None
        else:
            self.fallen = "the search did not end"


def check(bounds, kind):
    """One search in a folder of its own."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="millrace-spin-") as folder:
        def call(*command, limit=SECONDS_MAX):
            return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                timeout=limit).stdout
        said = call("spin", *bounds.split(), "-a", MODEL)
        # What pan.c does is spin's own affair, warnings included; faults are found at once, so compiling is what costs.
        speed = "-O0" if "FAULT_" in bounds else "-O2"
        said += call("gcc", "-w", speed, *kind, f"-DMEMLIM={MEGABYTES_MAX}", "-o", "pan", "pan.c")
        try:
            said += call("./pan", "-n", "-m1000000", "-w24", *(["-l"] if kind == BOUNDED else []))
        except (OSError, subprocess.TimeoutExpired) as error:
            said += str(error)
    return Result(said, time.monotonic() - start)


def runs():
    """[(name, bounds, kind, what may fall: None when it must hold)], the long ones first."""
    listed = [(name, bounds, kind, None) for name, (bounds, kind) in HOLDS.items()]
    listed += [(f"without {name}", f"{bounds} -DFAULT_{name}", kind, fallen)
        for name, (bounds, kind, fallen) in FALLS.items()]
    wanted = sys.argv[1:]
    if not wanted:
        return listed
    listed += [(name, bounds, kind, None) for name, (bounds, kind) in WIDE.items()]
    return [run for run in listed if run[0].startswith(tuple(wanted))]


def main():
    if not shutil.which("spin"):
        print("spin: not installed, nothing checked")
        return 77
    faults = 0
    start = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        started = [(pool.submit(check, bounds, kind), name, fallen) for name, bounds, kind, fallen in runs()]
        for future, name, expected in started:
            result = future.result()
            good = result.fallen is None if expected is None else result.fallen in expected
            verdict = "holds" if result.fallen is None else f"falls: {result.fallen}"
            print(f"{'ok  ' if good else 'FAIL'} {name:<34} {verdict:<32} {result.states:>10,} states "
                f"{result.megabytes:>6.0f} MB {result.seconds:>5.1f} s", flush=True)
            if not good:
                faults += 1
                print(result.said)
    print(f"[  PASSED  ] {len(started) - faults} test(s)." if not faults else f"[  FAILED  ] {faults} test(s)")
    print(f"in all {time.monotonic() - start:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
