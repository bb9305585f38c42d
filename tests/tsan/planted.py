#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""planted.py PROGRAM: runs a test with a fault planted in the ownership words, or in the reports of load (relaxed.h). It passes when ThreadSanitizer sees a race,
of which it sees none without the fault, and fails when all seems well."""
import os
import re
import subprocess
import sys

# The first one will do.
options = os.environ.get("TSAN_OPTIONS", "") + ":halt_on_error=1"
run = subprocess.run(sys.argv[1:], capture_output=True, text=True, errors="replace", timeout=200, check=False,
    env={**os.environ, "TSAN_OPTIONS": options})
text = run.stdout + run.stderr
frames = re.findall(r"#[01] (\S+) \S*?/((?:lib|tests)/\S+)", text)
print(f"status {run.returncode}, seen in: " + ", ".join(f"{name} ({where})" for name, where in frames[:4]))
seen = run.returncode == 66 and "WARNING: ThreadSanitizer: data race" in text
if not seen:
    print(text[-4000:])
sys.exit(0 if seen else 1)
