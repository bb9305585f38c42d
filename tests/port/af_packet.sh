#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
#
# af_packet.sh ECHO_GATEWAY: a kernel on the other end of a veth pair pings the gateway and has its datagrams echoed, over IPv4 and
# IPv6, by two shards on net_af_packet. Exits with 77 where the machine has no namespaces for us.
set -euo pipefail
program=$(realpath "$1")
cd "$(dirname "$0")/../.."
[ "$(id -u)" = 0 ] && ip netns add millrace-probe-$$ 2>/dev/null || exit 77
ip netns del millrace-probe-$$
. app/sandbox.sh
sandbox_open

echo_log=$sandbox/echo.log
(exec ip netns exec "$sandbox_gateway" "$program" --no-huge --no-pci --no-telemetry -m 256 --lcores '0@0,1@0,2@1' --file-prefix "echo$$" --log-level 'lib.*:4' -- \
    "net_af_packet0,iface=mill0,qpairs=2,blocksz=131072,framesz=2048,framecnt=1024") >"$echo_log" 2>&1 </dev/null &
gateway_pid=$!
for _ in $(seq 100); do
    grep -q '^ready' "$echo_log" && break
    kill -0 "$gateway_pid" 2>/dev/null || break
    sleep 0.1
done
grep -q '^ready' "$echo_log" || { cat "$echo_log" >&2; exit 1; }

on_client ping -c 5 -i 0.05 -W 2 -q $gateway4
on_client ping -c 5 -i 0.05 -W 2 -q $gateway6
on_client ping -c 3 -i 0.05 -W 2 -s 1400 -q $gateway6
on_client tests/port/udp_client.py $gateway4 7777
on_client tests/port/udp_client.py $gateway6 7777

pid=$gateway_pid
gateway_stop
cat "$echo_log"
grep -q '^buffers in use 0$' "$echo_log"
