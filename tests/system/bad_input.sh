#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Floods of bad datagrams, forged ARP and ND, and clients that give up in the middle, while others are served; afterwards everything works as before,
# and what was dropped has been counted.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
binary=${1:?usage: bad_input.sh BUILD}/app/millrace
served() { rm -rf "$sandbox/got" && fetch "$sandbox/got" "$1" /large.bin && cmp "$sandbox/www/large.bin" "$sandbox/got/large.bin"; }

# served_beside KIND ADDRESS [KEYS]: a download goes on while the flood comes in.
served_beside()
{
    local flood status=0
    rm -f "$sandbox/flood.log"
    on_client timeout 60 python3 -B tests/system/flood.py "$2" 443 20000 "$1" "${@:3}" >"$sandbox/flood.log" 2>&1 &
    flood=$!
    for _ in $(seq 200); do
        ! grep -qs '^begins' "$sandbox/flood.log" || break
        sleep 0.05
    done
    served "$2" || status=1
    wait "$flood" || status=1
    kill -0 "$gateway_pid" || status=1
    return $status
}

# A host that claims the gateway's neighbours for itself, and thousands that nobody asked for.
poisoning()
{
    on_client timeout 30 python3 -B - <<'POISON'
import socket, struct, random
rng = random.Random(1)
sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
sock.bind(("client0", 0))
def arp(op, sha, spa, tha, tpa):
    return b"\xff" * 6 + sha + b"\x08\x06" + struct.pack(">HHBBH", 1, 0x0800, 6, 4, op) + sha + spa + tha + tpa
victim = socket.inet_aton("10.77.0.2")
gateway = socket.inet_aton("10.77.0.1")
evil = b"\x02\x66\x66\x66\x66\x66"
for i in range(5000):
    other = bytes([10, 77, 0, rng.randrange(3, 255)])
    sha = b"\x02" + rng.randbytes(5)
    sock.send(arp(2, evil, victim, b"\xff" * 6, gateway))
    sock.send(arp(rng.choice((1, 2)), sha, other, b"\0" * 6, gateway))
    sock.send(rng.randbytes(12) + rng.choice((b"\x08\x00", b"\x86\xdd", b"\x08\x06")) + rng.randbytes(rng.randrange(60)))
POISON
    kill -0 "$gateway_pid"
}

# 40 clients that are gone after their first flight.
vanishing()
{
    local pids=() i
    for i in $(seq 40); do
        on_client timeout 0.03 gtlsclient --quiet --no-quic-dump --no-http-dump $gateway4 443 "https://$gateway4/large.bin" \
            >/dev/null 2>&1 &
        pids+=($!)
    done
    wait "${pids[@]}" || true
    kill -0 "$gateway_pid"
}

counted()
{
    local counters
    counters=$(app/millracectl counters 2>/dev/null || true)
    grep -qE '[1-9][0-9]* +quic/drop_' <<<"$counters" && grep -qE '[1-9][0-9]* +net/drop_' <<<"$counters" || { echo "no drop was counted:"; head -n 40 <<<"$counters"; return 1; }
}

# value NAME: of a counter, all shards together.
value() { app/millracectl counters --all | awk -v name="$1" '$2 == name { sum += $1 } END { print sum + 0 }'; }

# Connection IDs that only we can make, and nobody got: each is dropped by its shard under a name, and handed on at most once for a
# word that did not change.
forged_beside()
{
    local name before=() after=() sum=0 i names=(quic/drop_unknown_connection quic/drop_retired_id quic/drop_not_authentic shard/drop_hops)
    for name in "${names[@]}"; do before+=("$(value "$name")"); done
    served_beside forged "$1" "$sandbox/site.keys" || return 1
    for name in "${names[@]}"; do after+=("$(value "$name")"); done
    for i in "${!names[@]}"; do
        echo "        $((after[i] - before[i])) ${names[i]}"
        sum=$((sum + after[i] - before[i]))
    done
    [ "$sum" -gt 10000 ] && [ "${after[3]}" = 0 ]
}

# Requests of every wrong kind on the real socket, and the sentences of millracectl.
abused_beside()
{
    local abuse status=0 sentence
    tests/system/abuse.py "$MILLRACE_NAME" &
    abuse=$!
    served "$1" || status=1
    wait "$abuse" || status=1
    kill -0 "$gateway_pid" || status=1
    for sentence in "move x 1" "move 1.2 99" "move -1 0" "move 99999999999.0 0"; do
        # shellcheck disable=SC2086
        ! timeout 10 app/millracectl $sentence >"$sandbox/got.log" 2>&1 && [ -s "$sandbox/got.log" ] && ! grep -q Traceback "$sandbox/got.log" || status=1
    done
    return $status
}

sandbox_open
sandbox_hugepages 256
head -c 5000000 /dev/urandom >"$sandbox/www/large.bin"
{ cat config/demo.toml; printf '\n[keys]\nfile = "site.keys"\n'; } >"$sandbox/gateway.toml"
gateway_start "$sandbox/gateway.toml" "$binary" || sandbox_fail "the gateway did not start"
check "before anything" served $gateway4
for kind in noise short version initial coalesced; do
    check "$kind beside a download, IPv4" served_beside $kind $gateway4
done
check "forged connection IDs beside a download" forged_beside $gateway4
check "the same, IPv6" forged_beside $gateway6
check "wrong control requests beside a download" abused_beside $gateway4
check "noise beside a download, IPv6" served_beside noise $gateway6
check "forged ARP and broken frames" poisoning
check "served after it" served $gateway4
check "clients that vanish" vanishing
check "served after them" served $gateway6
check "drops are counted by name" counted
check "graceful stop" gateway_stop
check_end
