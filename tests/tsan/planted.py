#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""planted.py PROGRAM: runs test_words with a fault planted in the ownership words. It passes when ThreadSanitizer sees two shards at one
connection, and fails when all seems well."""
import re
import subprocess
import sys

run = subprocess.run(sys.argv[1:], capture_output=True, text=True, errors="replace", timeout=300, check=False)
text = run.stdout + run.stderr
races = [report for report in text.split("==================") if "WARNING: ThreadSanitizer: data race" in report]
seen = [report for report in races if re.search(r"#0 (quic_endpoint_|words_conn_|write_all|quic_conn_)", report)]
print(f"{len(races)} races reported, {len(seen)} of them at a connection; status {run.returncode}")
if not seen:
    print(text[-4000:])
sys.exit(0 if seen and run.returncode else 1)
