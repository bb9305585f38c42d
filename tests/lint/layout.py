#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The layout of .clang-format, by the one version of clang-format whose answer counts; others break lines differently.

    layout.py [ROOT] [--fix [FILE OR FOLDER...]]
"""
import re
import shutil
import subprocess
import sys

import tree

VERSION = 14


def program():
    """clang-format of that version, None where there is none."""
    for name in (f"clang-format-{VERSION}", "clang-format"):
        if shutil.which(name):
            said = subprocess.run([name, "--version"], stdout=subprocess.PIPE, text=True).stdout
            if re.search(rf"version {VERSION}\.", said):
                return name
    return None


def check(root):
    formatter = program()
    if formatter is None:
        print(f"layout: no clang-format {VERSION} here, nothing looked at")
        return 77
    paths = tree.files(root, ".c", ".h", ".cpp")
    faults = []
    if paths:
        said = subprocess.run([formatter, "--style=file", "--dry-run", "--ferror-limit=1", *paths], cwd=root,
            stderr=subprocess.PIPE, text=True).stderr
        faults = [line.replace("code should be clang-formatted [-Wclang-format-violations]", "layout.py --fix mends it")
            for line in said.splitlines() if re.match(r"\S+:\d+:\d+: ", line)]
    return tree.report("layout", len(paths), faults)


def fix(root, below):
    paths = [path for path in tree.files(root, ".c", ".h", ".cpp")
        if not below or any(path == place or path.startswith(place.rstrip("/") + "/") for place in below)]
    if paths:
        subprocess.run([program() or sys.exit(f"no clang-format {VERSION} here"), "--style=file", "-i", *paths],
            cwd=root, check=True)
    return 0


if __name__ == "__main__":
    if "--fix" in sys.argv:
        sys.exit(fix(tree.root_argument(), sys.argv[sys.argv.index("--fix") + 1:]))
    sys.exit(check(tree.root_argument()))
