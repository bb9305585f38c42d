#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lints can fail: a clean tree passes each of them, and each planted fault is found by the one it is for."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
LICENCE = "/* SPDX-License-Identifier: GPL-3.0-or-later */\n"
GUARDED = LICENCE + "#ifndef BASE_A_H\n#define BASE_A_H\n\nint base_a(int units);\n\n#endif\n"
CLEAN = {
    "lib/base/a.h": GUARDED,
    "lib/base/a.c": LICENCE + '#include "base/a.h"\n\nint\nbase_a(int units)\n{\n\treturn units;\n}\n',
    "lib/quic/b.c": LICENCE + '#include "base/a.h"\n',
    "app/tool": "#!/bin/sh\n# SPDX-License-Identifier: GPL-3.0-or-later\n",
}
LONG = LICENCE + "int f(void);\n\nint\nf(void)\n{\n" + "\t;\n" * 70 + "\treturn 0;\n}\n"

# (lint, what it must say, {path: text} laid over the clean tree)
FAULTS = [
    ("includes", "lib/base may not include lib/quic/b.h",
        {"lib/quic/b.h": LICENCE, "lib/base/a.c": LICENCE + '#include "quic/b.h"\n'}),
    ("includes", "lib/quic may not include drivers/port/c.h",
        {"drivers/port/c.h": LICENCE, "lib/quic/b.c": LICENCE + '#include "drivers/port/c.h"\n'}),
    ("includes", "drivers/port may not include lib/shard/turn.h",
        {"lib/shard/turn.h": LICENCE, "drivers/port/c.c": LICENCE + '#include "shard/turn.h"\n'}),
    ("includes", "no file of ours", {"lib/base/a.c": LICENCE + '#include "a.h"\n'}),
    ("includes", "not in the include table", {"lib/new/a.c": LICENCE}),
    ("includes", "DPDK has its own door", {"lib/quic/b.c": LICENCE + "#include <rte_mbuf.h>\n"}),
    ("includes", "DPDK has its own door", {"tests/sim/a.c": LICENCE + "#\tinclude <rte_mbuf.h>\n"}),
    ("includes", "wolfSSL has its own door", {"lib/quic/b.c": LICENCE + "#include <wolfssl/ssl.h>\n"}),
    ("includes", "through lib/tls/tls.h", {"lib/tls/tls.h": LICENCE + "#include <wolfssl/ssl.h>\n",
        "lib/quic/b.c": LICENCE + '#include "tls/tls.h"\n'}),
    ("includes", "IPsec-MB has its own door", {"lib/crypto/a.c": LICENCE + "#include <intel-ipsec-mb.h>\n"}),
    ("includes", "nghttp3 has its own door", {"lib/http3/frame.c": LICENCE + "#include <nghttp3/nghttp3.h>\n"}),
    ("includes", "toml++ has its own door", {"lib/config/config.c": LICENCE + "#include <toml++/toml.h>\n"}),
    ("includes", "knows no clock", {"lib/quic/b.c": LICENCE + "#include <time.h>\n"}),
    ("sizes", "f has 74 lines", {"lib/base/a.c": LONG}),
    ("sizes", "801 lines", {"lib/base/a.c": LICENCE + "\n" * 800}),
    ("sizes", "201 lines", {"lib/base/a.h": LICENCE + "\n" * 200}),
    ("headers", "does not compile alone", {"lib/base/a.h": GUARDED.replace("int units", "uint64_t units")}),
    ("headers", "does not compile alone", {"lib/base/a.h": LICENCE + "struct base_a {\n\tint units;\n};\n"}),
    ("spdx", "no line", {"lib/base/a.c": '#include "base/a.h"\n'}),
    ("spdx", "no line", {"app/tool": "#!/bin/sh\n"}),
    ("layout", "lib/base/a.c", {"lib/base/a.c": LICENCE + "int base_a(int units)\n{\n  return units;\n}\n"}),
]


def run(lint, tree):
    """(exit status, output) of the lint over a tree that holds just these files."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in tree.items():
            os.makedirs(os.path.dirname(os.path.join(root, path)), exist_ok=True)
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        shutil.copy(os.path.join(HERE, "..", "..", ".clang-format"), root)
        result = subprocess.run([sys.executable, "-B", os.path.join(HERE, lint + ".py"), root],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        return result.returncode, result.stdout


def main():
    failures = 0
    for lint in sorted({lint for lint, _, _ in FAULTS}):
        status, said = run(lint, CLEAN)
        if status not in (0, 77):
            print(f"{lint} does not pass the clean tree:\n{said}")
            failures += 1
    for lint, expected, planted in FAULTS:
        status, said = run(lint, {**CLEAN, **planted})
        if status != 77 and (status != 1 or expected not in said):
            print(f"{lint} does not find '{expected}' (exit status {status}):\n{said}")
            failures += 1
    print(f"selftest: {len(FAULTS)} planted faults, {failures} not found")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
