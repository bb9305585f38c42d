#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# app/demo --once ends well and leaves nothing behind; so does a demo that is interrupted while it shows the shards.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || exit 77
. tests/system/check.sh
# What a run could leave: namespaces, folders, reserved pages, processes.
traces()
{
    ip netns list | grep -c millrace || true
    find /tmp -maxdepth 1 -name 'millrace.??????' | wc -l
    cat /proc/sys/vm/nr_hugepages
    pgrep -c -x millrace || true
}

before=$(traces)
log=$(mktemp)
trap 'rm -f "$log"' EXIT

once() { app/demo --once >"$log" 2>&1 || { tail -n 30 "$log"; return 1; }; }
nothing_left() { [ "$(traces)" = "$before" ] || { echo "before: $before"; echo "after: $(traces)"; return 1; }; }

# Ctrl-C, as a terminal sends it: to the whole group.
interrupted()
{
    local demo
    set -m
    app/demo >"$log" 2>&1 &
    demo=$!
    set +m
    for _ in $(seq 600); do
        ! grep -q 'Ctrl-C ends it all' "$log" || break
        sleep 0.1
    done
    sleep 2
    kill -INT -- "-$demo"
    wait "$demo" || true
    grep -q 'Ctrl-C ends it all' "$log" || { tail -n 30 "$log"; return 1; }
}

check "app/demo --once" once
check "it leaves nothing behind" nothing_left
check "app/demo until Ctrl-C" interrupted
check "it leaves nothing behind either" nothing_left
check_end
