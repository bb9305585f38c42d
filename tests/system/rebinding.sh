#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# 200 connections of clients behind a NAT, which forgets all its mappings and makes others: with new ports, with a new address, between transfers
# and in the middle of them, while the connections are moved from shard to shard. All of them survive, and every octet comes.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
build=${1:?usage: rebinding.sh BUILD}
binary=$build/app/millrace
connections=200
octets=100000
gateway_name=rebinding$$
inner=

# The sandbox's client is the router here, and behind it is a network of its own.
behind_nat()
{
    inner=millrace-inner-$$
    ip netns add "$inner"
    ip -n "$sandbox_client" link add inside0 type veth peer name inner0 netns "$inner"
    # The kernel would leave UDP checksums to a card that is not there.
    ip netns exec "$inner" ethtool -K inner0 tx off >/dev/null
    on_client ethtool -K inside0 tx off >/dev/null
    ip -n "$sandbox_client" address add 10.78.0.1/24 dev inside0
    ip -n "$inner" address add 10.78.0.2/24 dev inner0
    ip -n "$sandbox_client" link set inside0 up
    ip -n "$inner" link set inner0 up
    ip -n "$inner" link set lo up
    ip -n "$inner" route add default via 10.78.0.1
    on_client sysctl -q -w net.ipv4.ip_forward=1
    on_client nft "add table ip nat; add chain ip nat out { type nat hook postrouting priority 100; };
        add rule ip nat out oifname client0 masquerade random"
}

close_inner()
{
    local pid
    [ -n "$inner" ] && [ -e "/run/netns/$inner" ] || return 0
    for pid in $(ip netns pids "$inner"); do
        kill "$pid" 2>/dev/null || true
    done
    ip netns del "$inner"
}

# mapped: the ports by which the router's table knows the connections, sorted.
mapped() { on_client cat /proc/net/nf_conntrack 2>/dev/null | grep 'dport=443' | sed 's/.*dport=\([0-9]*\) .*/\1/' | sort; }

# Mappings go with the link, and with the address.
new_ports()
{
    ip -n "$sandbox_client" link set client0 down
    ip -n "$sandbox_client" link set client0 up
}

new_address()
{
    ip -n "$sandbox_client" address del "$2/24" dev client0
    ip -n "$sandbox_client" address add "$1/24" dev client0
}

# said LINE: the crowd says so, within a minute.
said()
{
    for _ in $(seq 600); do
        ! grep -q "$1" "$sandbox/crowd.log" || return 0
        kill -0 "$crowd" 2>/dev/null || break
        sleep 0.1
    done
    cat "$sandbox/crowd.log"
    return 1
}

# transfer ROUND [COMMAND…]: a round, and what happens in the middle of it.
transfer()
{
    local round=$1
    shift
    echo >&7
    if [ $# -gt 0 ]; then
        sleep 0.5
        ! grep -q "^round $round" "$sandbox/crowd.log" || echo "round $round was over before the rebinding"
        "$@"
    fi
    said "^round $round: $connections connections"
}

# Four times the router forgot each connection; one that had nothing to send just then may have slept through one of those in the middle.
counted()
{
    local counters validated
    counters=$(app/millracectl counters --all --name "$gateway_name")
    grep -E 'quic/(accepted|paths_.*|errors_sent|idle_timeouts)$|move/(attached|late|abandoned|refused|closed)' <<<"$counters" || true
    validated=$(awk '$2 == "quic/paths_validated" { print $1 }' <<<"$counters")
    [ "${validated:-0}" -ge $((3 * connections)) ] && grep -qE "^ *$connections +quic/accepted$" <<<"$counters" && ! grep -qE '[1-9][0-9]* +quic/(errors_sent|idle_timeouts)$' <<<"$counters"
}

ends_well()
{
    touch "$sandbox/end"
    wait "$mover" || return 1
    cat "$sandbox/moved.json"
    exec 7>&-
    wait "$crowd" || { cat "$sandbox/crowd.log"; return 1; }
    tail -n 1 "$sandbox/crowd.log"
    [ "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get("moved", 0))' "$sandbox/moved.json")" -gt 0 ]
}

sandbox_open
trap 'close_inner; sandbox_close' EXIT
sandbox_hugepages 256
behind_nat
{
    sed 's/qpairs=2/qpairs=2,qdisc_bypass=0/' config/demo.toml
    printf '\n[quic]\nmove_dwell_ms = 0\n\n[control]\nname = "%s"\n' "$gateway_name"
} >"$sandbox/gateway.toml"
# Slow enough that there is a middle.
on_gateway tc qdisc add dev mill0 root tbf rate 80mbit burst 64k latency 40ms
gateway_start "$sandbox/gateway.toml" "$binary" || sandbox_fail "the gateway did not start"
mkfifo "$sandbox/lines"
ip netns exec "$inner" timeout 240 "$build/tests/system/crowd" $gateway4 443 $connections $octets <"$sandbox/lines" >"$sandbox/crowd.log" 2>&1 &
crowd=$!
exec 7>"$sandbox/lines"

check "$connections connections through the NAT" said "^connected $connections"
tests/system/mover.py "$gateway_name" "$sandbox/end" >"$sandbox/moved.json" 7>&- &
mover=$!
check "a transfer on each" transfer 1
before=$(mapped)
new_ports
check "after new ports" transfer 2
after=$(mapped)
check "no mapping is what it was" test -n "$before" -a "$(comm -12 <(echo "$before") <(echo "$after") | wc -l)" -lt $((connections / 10))
new_address 10.77.0.3 10.77.0.2
check "after a new address" transfer 3
check "new ports in the middle" transfer 4 new_ports
check "a new address in the middle" transfer 5 new_address 10.77.0.4 10.77.0.3
check "all survive, and every octet came" ends_well
check "the gateway lost none" counted
check "graceful stop" gateway_stop
check_end
