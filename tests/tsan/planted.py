#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""planted.py PROGRAM [WHERE]: runs a test with a fault planted in it (relaxed.h, others_share.h). It passes when ThreadSanitizer sees a race, of
which it sees none without the fault, at a source file that WHERE matches (any, when it is empty), and fails when all seems well."""
import os
import re
import subprocess
import sys

program, where = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
options = os.environ.get("TSAN_OPTIONS", "")
if where == "":
    # The first one will do.
    options += ":halt_on_error=1"
# What the race does to the program is no matter here: it may end by itself, or not at all.
run = subprocess.Popen([program], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
    env={**os.environ, "TSAN_OPTIONS": options})
text, race, seen = "", [], []
for line in run.stdout:
    text = (text + line)[-4000:]
    race = [] if "WARNING: ThreadSanitizer: data race" in line else race
    frame = re.match(r"\s*#[01] (\S+) \S*?/((?:lib|tests)/\S+)", line)
    if frame:
        race.append(f"{frame[1]} ({frame[2]})")
    if line.startswith("SUMMARY: ThreadSanitizer: data race") and re.search(where, " ".join(race)):
        seen = race[:4]
        break
run.kill()
print("seen in: " + ", ".join(seen) if seen else text)
sys.exit(0 if seen else 1)
