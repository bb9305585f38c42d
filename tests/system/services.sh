#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# What the real program answers beside HTTP/3: echo requests of ICMP, the UDP echo port, ALPN echo and hq-interop for a client of ours, a
# Retry for others' clients; in a VLAN; without hugepages; and a CONNECTION_CLOSE for each connection when it stops.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
build=${1:?usage: services.sh BUILD}
binary=$build/app/millrace

# ours ADDRESS WHAT…: tests/system/client.c.
ours() { on_client timeout 60 "$build/tests/system/client" "$1" 443 "${@:2}"; }

answers_ping() { on_client ping -q -c 3 -i 0.2 -W 2 -s "$2" "$1" >"$sandbox/got.log" 2>&1; }

udp_echo()
{
    on_client timeout 20 python3 -B - "$1" <<'ECHO'
import os, socket, sys
sock = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
sock.settimeout(5)
sock.connect((sys.argv[1], 7))
for length in (0, 1, 2, 17, 64, 1000, 1200):
    octets = os.urandom(length)
    sock.send(octets)
    if sock.recv(2000) != octets:
        sys.exit(f"{length} octets came back otherwise")
ECHO
}

hq() { ours "$1" hq /million.bin >"$sandbox/got.bin" && cmp "$sandbox/www/million.bin" "$sandbox/got.bin"; }
http3() { rm -rf "$sandbox/got" && fetch "$sandbox/got" "$1" /million.bin && cmp "$sandbox/www/million.bin" "$sandbox/got/million.bin"; }

hq_refuses()
{
    local status=0
    ours $gateway4 hq /nothing.txt >"$sandbox/got.log" 2>&1 || status=$?
    [ $status = 1 ] && grep -q 'reset with 0x404' "$sandbox/got.log"
}

# counted NAME: that counter is not zero.
counted() { app/millracectl counters | grep -qE "[1-9][0-9]* +$1( |\$)" || { app/millracectl counters; return 1; }; }

# everything LABEL: over both IP versions.
everything()
{
    local address
    for address in $gateway4 $gateway6; do
        check "$1: ping $address" answers_ping $address 56
        check "$1: ping $address, a full packet" answers_ping $address 1400
        check "$1: UDP echo, $address" udp_echo $address
        check "$1: HTTP/3, $address" http3 $address
        check "$1: hq-interop, $address" hq $address
        check "$1: echo, streams and datagrams, $address" ours $address echo 3000000
    done
}

# Clients that do nothing hear of the end at once, and are told that nothing is wrong.
stops_with_a_word()
{
    local pids=() i status=0
    for i in 1 2 3 4 5 6; do
        ours $gateway4 wait >"$sandbox/wait$i" 2>&1 &
        pids+=($!)
    done
    for _ in $(seq 100); do
        [ "$(cat "$sandbox"/wait? | grep -c '^connected')" != 6 ] || break
        sleep 0.1
    done
    gateway_stop || status=1
    for i in "${pids[@]}"; do
        wait "$i" || status=1
    done
    [ $status = 0 ] && [ "$(cat "$sandbox"/wait? | grep -c '^closed: by the peer, .* error 0x0$')" = 6 ] || { cat "$sandbox"/wait?; return 1; }
}

sandbox_open
sandbox_hugepages 256
head -c 1000000 /dev/urandom >"$sandbox/www/million.bin"
gateway_start config/demo.toml "$binary" || sandbox_fail "the gateway did not start"
everything "plain"
check "hq-interop: no such file" hq_refuses
check "echo requests are counted" counted 'net/replied_echo'
check "stop: each connection gets a CONNECTION_CLOSE" stops_with_a_word

cp config/demo.toml "$sandbox/retry.toml"
printf '\n[quic]\nretry_above = 0\n' >>"$sandbox/retry.toml"
gateway_start "$sandbox/retry.toml" "$binary" || sandbox_fail "the gateway did not start"
for address in $gateway4 $gateway6; do
    check "Retry: gtlsclient, $address" http3 $address
    check "Retry: our client, $address" hq $address
done
check "Retries are counted" counted 'quic/retries_sent'
check "graceful stop" gateway_stop

gateway_huge=
gateway_start config/demo.toml "$binary" || sandbox_fail "the gateway did not start without hugepages"
check "no hugepages: it says so" grep -q 'MB in ordinary pages' "$gateway_log"
everything "no hugepages"
check "graceful stop" gateway_stop

sed 's/^name = "demo"/&\nvlan = 5/' config/demo.toml >"$sandbox/vlan.toml"
gateway_start "$sandbox/vlan.toml" "$binary" || sandbox_fail "the gateway did not start"
check "VLAN 5: ARP and ping, and nothing outside it" on_client timeout 30 python3 -B tests/system/vlan.py client0 5 $client4 $gateway4
check "frames outside it are counted" counted 'net/drop_vlan'
check "graceful stop" gateway_stop
check_end
