#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""mover.py NAME END: moves every connection of the gateway NAME to the next shard, again and again, until the file END is there; prints how
many moves were completed and what became of the others."""
import collections
import importlib.machinery
import importlib.util
import json
import os
import sys
import time

loader = importlib.machinery.SourceFileLoader("millracectl", os.path.join(os.path.dirname(__file__), "../../app/millracectl"))
sys.dont_write_bytecode = True
millracectl = importlib.util.module_from_spec(importlib.util.spec_from_loader("millracectl", loader))
loader.exec_module(millracectl)

gateway = millracectl.Gateway(sys.argv[1])
shards = gateway.status()["shards"]
outcomes = collections.Counter()
while not os.path.exists(sys.argv[2]):
    for entry in gateway.connections():
        if os.path.exists(sys.argv[2]):
            break
        answer = gateway.move(entry["slot"], entry["generation"], (entry["shard"] + 1) % shards)
        outcomes["moved" if answer["moved"] else answer["outcome"]] += 1
    time.sleep(0.01)
print(json.dumps(outcomes))
