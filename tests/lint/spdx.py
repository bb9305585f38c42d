#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The licence line: the first of every source, the second where the first names an interpreter."""
import sys

import tree

LICENCE = "SPDX-License-Identifier: GPL-3.0-or-later"


def fault(root, path):
    lines = tree.read(root, path).split("\n", 2)[:2]
    if path.endswith((".c", ".h", ".cpp")):
        return lines[0] != f"/* {LICENCE} */"
    if lines[0].startswith("#!"):
        return len(lines) < 2 or lines[1] != f"# {LICENCE}"
    return path.endswith((".py", ".sh")) and lines[0] != f"# {LICENCE}"


def check(root):
    paths = tree.files(root, "")
    return tree.report("spdx", len(paths), [f"{path}:1: no line '{LICENCE}' where it belongs"
        for path in paths if fault(root, path)])


if __name__ == "__main__":
    sys.exit(check(tree.root_argument()))
