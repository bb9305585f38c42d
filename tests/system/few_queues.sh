#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A port with one queue serves four shards: the shard that has it receives and sends for the others through mailboxes.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
binary=${1:?usage: few_queues.sh BUILD}/app/millrace
# Several clients at once, each with a port of its own and so with a home of its own.
clients()
{
    local pids=() i status=0
    for i in $(seq 12); do
        fetch "$sandbox/got$i" $gateway4 /file.bin &
        pids+=($!)
    done
    for i in "${pids[@]}"; do
        wait "$i" || status=1
    done
    for i in $(seq 12); do
        cmp "$sandbox/www/file.bin" "$sandbox/got$i/file.bin" || status=1
    done
    return $status
}

# The clients' ports are their own choice; that all twelve have their home at the shard with the queue is one in millions.
others_took_part()
{
    local counters
    counters=$(app/millracectl counters)
    grep -qE '[1-9][0-9]* +shard/datagrams_handed' <<<"$counters" && grep -qE '[1-9][0-9]* +shard/frames_proxied' <<<"$counters"
}

sandbox_open
sandbox_hugepages 384
head -c 2000000 /dev/urandom >"$sandbox/www/file.bin"
sed 's/qpairs=2/qpairs=1/; s/^count = 2/count = 4/; s/^megabytes = .*/megabytes = 640/' config/demo.toml >"$sandbox/gateway.toml"
gateway_start "$sandbox/gateway.toml" "$binary" || sandbox_fail "the gateway did not start"
grep -i queue "$gateway_log"
check "twelve clients at once" clients
check "shards without a queue took part" others_took_part
check "graceful stop" gateway_stop

# The same with connection IDs that a card could read. They are 20 octets long: 0x13 and the steering word, 0x4d..
printf '\n[routing]\nmode = "clear"\n' >>"$sandbox/gateway.toml"
rm -rf "$sandbox"/got*
clear_ids()
{
    grep -qE 'scid=0x134d[0-9a-f]{36}\b' <<<"$(on_client gtlsclient --no-quic-dump --no-http-dump --exit-on-all-streams-close \
        $gateway4 443 "https://$gateway4/" 2>&1)"
}
gateway_start "$sandbox/gateway.toml" "$binary" || sandbox_fail "the gateway did not start in clear mode"
check "connection IDs are clear" clear_ids
check "twelve clients at once, clear IDs" clients
check "graceful stop, clear IDs" gateway_stop
check_end
