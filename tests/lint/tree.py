# SPDX-License-Identifier: GPL-3.0-or-later
"""What every lint needs: the files of the tree, and one way to report."""
import os
import sys

TOPS = ("app", "drivers", "lib", "perf", "tests")
SKIPPED_FOLDERS = {"corpus", "out", "__pycache__"}


def files(root, *suffixes):
    """The paths below root, relative to it, of the files of ours that end in one of the suffixes ("" is any)."""
    found = []
    for top in TOPS:
        for folder, below, names in os.walk(os.path.join(root, top)):
            below[:] = sorted(name for name in below if name not in SKIPPED_FOLDERS and not name.startswith("."))
            found += [os.path.relpath(os.path.join(folder, name), root) for name in sorted(names)
                if name.endswith(suffixes)]
    return found


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def report(name, count, faults):
    """One line a fault, in the form that editors jump to; the exit status says whether there was one."""
    for fault in faults:
        print(fault)
    print(f"{name}: {count} files, {len(faults)} faults")
    return 1 if faults else 0


def root_argument():
    """The tree to look at: the first argument, else the one this file is in."""
    if len(sys.argv) > 1 and not sys.argv[1].startswith("-"):
        return os.path.abspath(sys.argv[1])
    return os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
