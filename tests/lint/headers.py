#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every header compiles alone, and twice: it includes what it uses and guards itself.

    headers.py [ROOT] [-- COMPILER ARGUMENTS...]    the arguments say where outside libraries are
"""
import concurrent.futures
import os
import subprocess
import sys

import tree


def compile_alone(root, header, arguments):
    """The compiler's first words about the header, None if it has none."""
    command = [os.environ.get("CC", "gcc"), "-x", "c", "-std=gnu11", "-D_GNU_SOURCE", "-fsyntax-only", "-Wall",
        "-Wextra", "-Wno-unused-parameter", "-Werror", *arguments, "-I.", "-Ilib", "-include", header, "-include", header,
        "/dev/null"]
    result = subprocess.run(command, cwd=root, stderr=subprocess.PIPE, text=True, stdin=subprocess.DEVNULL)
    if result.returncode == 0:
        return None
    said = [line for line in result.stderr.splitlines() if "error" in line] or result.stderr.splitlines()
    return f"{header}:1: does not compile alone: {said[0] if said else 'the compiler failed'}"


def check(root, arguments):
    headers = tree.files(root, ".h")
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda header: compile_alone(root, header, arguments), headers))
    return tree.report("headers", len(headers), [fault for fault in results if fault])


if __name__ == "__main__":
    compiler_arguments = sys.argv[sys.argv.index("--") + 1:] if "--" in sys.argv else []
    sys.exit(check(tree.root_argument(), compiler_arguments))
