#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes that a reader can hold: a function's lines, from its name to its closing brace, and a file's."""
import json
import os
import subprocess
import sys

import tree

FUNCTION_LINES = 70
FILE_LINES = {".c": 800, ".cpp": 800, ".h": 200}


def functions(root, paths):
    """(path, name, first line, last line) of every function, as universal-ctags sees them."""
    if not paths:
        return
    listing = subprocess.run(["ctags", "--output-format=json", "--fields=+ne", "--kinds-C=f", "--kinds-C++=f",
        "--languages=C,C++", "-f", "-", "-L", "-"], cwd=root, input="\n".join(paths), check=True,
        stdout=subprocess.PIPE, text=True).stdout
    for line in listing.splitlines():
        tag = json.loads(line)
        if tag.get("_type") == "tag" and "end" in tag:
            yield tag["path"], tag["name"], tag["line"], tag["end"]


def check(root):
    paths = tree.files(root, *FILE_LINES)
    faults = []
    for path in paths:
        lines = tree.read(root, path).count("\n")
        limit = FILE_LINES[os.path.splitext(path)[1]]
        if lines > limit:
            faults.append(f"{path}:{limit}: {lines} lines, {limit} at most")
    for path, name, first, last in functions(root, paths):
        if last - first + 1 > FUNCTION_LINES:
            faults.append(f"{path}:{first}: {name} has {last - first + 1} lines, {FUNCTION_LINES} at most")
    return tree.report("sizes", len(paths), faults)


if __name__ == "__main__":
    sys.exit(check(tree.root_argument()))
