#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# app/demo --once ends well and leaves nothing behind, also where there are no hugepages; so does a demo that is interrupted while it shows
# the shards. app/setup has nothing to do by now, and says so at once.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] || exit 77
. tests/system/check.sh
# "PID THING" of each: whose it is stands in its name.
owned()
{
    ip netns list | sed -n 's/^\(millrace-[a-z]*-\([0-9]*\)\).*/\2 \1/p'
    find /tmp -maxdepth 1 -name 'millrace.*.??????' | sed 's/^[^.]*\.\([0-9]*\)\..*/\1 &/'
    find /var/run/dpdk -maxdepth 1 -name 'millrace-*' | sed 's/.*-\([0-9]*\)$/\1 &/'
}

# What a run could leave: namespaces, folders and gateways of sandboxes that are no more, and pages. Other sandboxes that are open now are
# nobody's traces, but they hold pages.
traces()
{
    local pid what others=
    while read -r pid what; do
        if kill -0 "$pid" 2>/dev/null; then
            others=yes
        else
            echo "$what"
        fi
    done < <(owned)
    ps -C millrace -o pid=,ppid= | awk '$2 == 1 {print "gateway " $1}'
    [ -n "$others" ] || echo "pages $(cat /proc/sys/vm/nr_hugepages)"
}

before=$(traces)
log=$(mktemp)
kernel=$(mktemp -d)
trap 'rm -rf "$log" "$kernel"' EXIT

once() { app/demo --once >"$log" 2>&1 || { tail -n 30 "$log"; return 1; }; }
# The last run's words.
evened_out() { grep -E '[1-9][0-9]* moves by the manager; 8 of 8 downloads' "$log" && grep -qE ' 0 -> 1  it has moved \(rebalance' "$log"; }
nothing_left()
{
    local after
    after=$(traces)
    # Pages can be compared only if no other sandbox was open either time.
    if [[ $before != *pages* ]] || [[ $after != *pages* ]]; then
        before=$(grep -v '^pages' <<<"$before" || true)
        after=$(grep -v '^pages' <<<"$after" || true)
    fi
    [ "$after" = "$before" ] || { echo "before: $before"; echo "after: $after"; return 1; }
}

# A machine without hugepages: in a mount namespace the kernel's two files are ours.
without_hugepages()
{
    echo 0 >"$kernel/nr_hugepages"
    sed 's/^\(HugePages_[A-Za-z]*:\).*/\1 0/' /proc/meminfo >"$kernel/meminfo"
    unshare --mount sh -c "mount --bind $kernel/nr_hugepages /proc/sys/vm/nr_hugepages &&
        mount --bind $kernel/meminfo /proc/meminfo && exec app/demo --once" >"$log" 2>&1 &&
        grep -q 'going on with --no-huge' "$log" && grep -q 'MB in ordinary pages' "$log" || { tail -n 30 "$log"; return 1; }
}

# It looks and finds all there: no package list is read, nothing is built.
quick_setup()
{
    local start=$SECONDS
    [ "$(app/setup tests)" = "setup: all there (tests)" ] && [ $((SECONDS - start)) -lt 3 ]
}

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

check "app/setup a second time" quick_setup
check "app/demo --once" once
check "the manager evened out its load" evened_out
check "it leaves nothing behind" nothing_left
check "app/demo --once without hugepages" without_hugepages
check "app/demo until Ctrl-C" interrupted
check "it leaves nothing behind either" nothing_left
check_end
