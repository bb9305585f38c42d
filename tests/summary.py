#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads meson's log of one suite, shows what failed and sums up.

    summary.py SUITE BUILD LOG SECONDS

The last line is "SUITE BUILD: N passed, N failed[, N skipped], S s". A suite without a test has failed: whoever
asked for it is not told that all is well.
"""
import json
import re
import sys

SHOWN_LINES = 60
PASSED = re.compile(r"^\[  PASSED  \] (\d+) test\(s\)", re.MULTILINE)
FAILED = re.compile(r"^\[  FAILED  \] (?:tests: )?(\d+) test\(s\)", re.MULTILINE)
SKIPPED = re.compile(r"^\[  SKIPPED \] (?:tests: )?(\d+) test\(s\)", re.MULTILINE)


def read(path):
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return [json.loads(line) for line in file if line.strip()]
    except FileNotFoundError:
        return []


def output_of(test):
    return test.get("stdout", "") + test.get("stderr", "")


def count(test):
    """(passed, failed, skipped): by function where cmocka says so, else the program is one test."""
    if test["result"] == "SKIP":
        return 0, 0, 1
    passed, failed, skipped = (sum(map(int, pattern.findall(output_of(test)))) for pattern in (PASSED, FAILED, SKIPPED))
    if test["result"] in ("OK", "EXPECTEDFAIL"):
        return max(passed, 1), 0, skipped
    # A crash or a time limit comes without cmocka's last words.
    return passed, max(failed, 1), skipped


def show(test):
    lines = output_of(test).rstrip().splitlines()
    print(f"--- {test['name'].rpartition(' / ')[2]}: {test['result']} after {test['duration']:.1f} s: {' '.join(test['command'])}")
    if len(lines) > SHOWN_LINES:
        print(f"    ({len(lines) - SHOWN_LINES} lines before these)")
    for line in lines[-SHOWN_LINES:]:
        print(f"    {line}")


def main():
    suite, build, path, seconds = sys.argv[1:]
    tests = read(path)
    sums = [0, 0, 0]
    for test in tests:
        counted = count(test)
        sums = [before + now for before, now in zip(sums, counted)]
        if counted[1]:
            show(test)
    skipped = f", {sums[2]} skipped" if sums[2] else ""
    # Only skipped ones count too: there was a reason, and the sum says it.
    none = "" if tests else " (no tests, which is a failure)"
    sums[1] += not tests
    print(f"{suite:<12} {build:<8}: {sums[0]} passed, {sums[1]} failed{skipped}, {seconds} s{none}")


if __name__ == "__main__":
    main()
