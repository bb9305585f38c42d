#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may include what: the table of lib/README.md as data, and a fault for each include that breaks it.

Ours are looked at include by include; outside libraries also through our headers, so that no door leaks.
"""
import fnmatch
import os
import re
import sys

import tree

CORE = ["lib/base", "lib/net", "lib/crypto", "lib/tls", "lib/quic", "lib/http3", "lib/service", "lib/config"]
EVERYTHING = ["lib/*", "drivers/*", "app/*"]

# Folder (the longest that matches counts) -> what it may include of ours besides itself.
OURS = {
    "lib/base": [],
    "lib/net": ["lib/base/*"],
    "lib/crypto": ["lib/base/*"],
    "lib/tls": ["lib/base/*", "lib/crypto/*"],
    "lib/quic": ["lib/base/*", "lib/crypto/*", "lib/tls/*"],
    "lib/http3": ["lib/base/*", "lib/quic/*"],
    "lib/service": ["lib/base/*", "lib/quic/*", "lib/http3/*"],
    "lib/config": ["lib/base/*"],
    "lib/shard": [folder + "/*" for folder in CORE],
    "lib/manager": [folder + "/*" for folder in CORE] + ["lib/shard/*"],
    "drivers/port": ["lib/base/*", "lib/net/*", "lib/shard/port.h"],
    "drivers/crypto": ["lib/base/*", "lib/crypto/*"],
    "app": EVERYTHING,
    "perf": EVERYTHING + ["tests/*"],
    "tests": EVERYTHING,
}

# Outside library -> the headers it is known by, and the only files that may reach them.
DPDK_USERS = ["lib/shard/*", "lib/manager/*", "drivers/port/*", "app/*", "perf/*", "tests/shard/*",
    "tests/manager/*", "tests/port/*", "tests/tsan/*"]
OUTSIDE = {
    "DPDK": ("rte_*", DPDK_USERS),
    "wolfSSL": ("wolfssl/*", ["lib/tls/*", "drivers/crypto/wolfcrypt*"]),
    "IPsec-MB": ("intel-ipsec-mb.h", ["drivers/crypto/ipsec_mb*"]),
    "nghttp3": ("nghttp3/*", ["lib/http3/qpack*"]),
    "toml++": ("toml++/*", ["lib/config/*.cpp"]),
    "liburing": ("liburing*", ["lib/shard/*", "drivers/*"]),
    "cmocka": ("cmocka.h", ["tests/*"]),
}

# What reads a clock, starts a thread or opens a socket; the core does none of it.
SYSTEM = ["time.h", "sys/time.h", "sys/timerfd.h", "pthread.h", "threads.h", "semaphore.h", "signal.h",
    "sys/socket.h", "sys/epoll.h", "poll.h", "sys/select.h"]

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)


def folder_rule(path):
    """The longest folder of OURS that path is in."""
    fitting = [folder for folder in OURS if path.startswith(folder + "/")]
    return max(fitting, key=len) if fitting else None


def allowed(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


class Tree:
    def __init__(self, root):
        self.root = root
        self.paths = tree.files(root, ".c", ".h", ".cpp")
        self.known = set(self.paths)
        self.includes = {path: self.read_includes(path) for path in self.paths}

    def read_includes(self, path):
        """[(line, "ours", path) or (line, "outside", name) or (line, "unknown", name)]"""
        text = tree.read(self.root, path)
        found = []
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start(2)) + 1
            kind, name = match.groups()
            ours = self.resolve(path, name)
            if ours:
                found.append((line, "ours", ours))
            else:
                found.append((line, "outside" if kind == "<" else "unknown", name))
        return found

    def resolve(self, path, name):
        """Ours are named from lib/ or from the top; only tests, perf and app may name a neighbour by its file name."""
        places = ["lib/" + name, name]
        if path.startswith(("tests/", "perf/", "app/")) and "/" not in name:
            places.append(os.path.join(os.path.dirname(path), name))
        return next((place for place in places if place in self.known), None)

    def outside_of(self, path):
        """{name of an outside header: the way to it through our headers}, the shortest ways."""
        ways = {}
        walked = {path}
        waiting = [(path, [])]
        for at, way in waiting:
            for _, kind, name in self.includes[at]:
                if kind != "ours":
                    ways.setdefault(name, way)
                elif name not in walked:
                    walked.add(name)
                    waiting.append((name, way + [name]))
        return ways


def check_ours(code, path, faults):
    rule = folder_rule(path)
    if rule is None:
        faults.append(f"{path}:1: this folder is not in the include table")
        return
    for line, kind, name in code.includes[path]:
        if kind == "unknown":
            faults.append(f'{path}:{line}: "{name}" is no file of ours, named from lib/ or from the top')
        elif kind == "ours" and folder_rule(name) != rule and not allowed(name, OURS[rule]):
            faults.append(f"{path}:{line}: {rule} may not include {name}")


def check_outside(code, path, faults):
    for header, way in code.outside_of(path).items():
        through = f" (through {' > '.join(way)})" if way else ""
        for library, (pattern, users) in OUTSIDE.items():
            if fnmatch.fnmatchcase(header, pattern) and not allowed(path, users):
                faults.append(f"{path}:1: {header}: {library} has its own door{through}")
        if folder_rule(path) in CORE and header in SYSTEM:
            faults.append(f"{path}:1: {header}: the core knows no clock, thread, signal or socket{through}")


def check(root):
    code = Tree(root)
    faults = []
    for path in code.paths:
        check_ours(code, path, faults)
        check_outside(code, path, faults)
    return tree.report("includes", len(code.paths), faults)


if __name__ == "__main__":
    sys.exit(check(tree.root_argument()))
