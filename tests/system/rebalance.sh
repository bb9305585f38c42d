#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Heavy downloads that all begin on shard 0 of two: without the manager they stay there, with it both shards have some of them before they
# end. Every octet comes, and nobody closes. Loads and times are printed: the clients read at a rate of their own, which one shard can serve here, so
# that times differ only where the CPUs are too slow for that.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
build=$(realpath "${1:?usage: rebalance.sh BUILD}")
binary=$build/app/millrace
clients=8
mbit=40
gateway_name=rebalance$$
export MILLRACE_NAME=$gateway_name

# on_shard N: connections there.
on_shard() { app/millracectl connections --json | python3 -c 'import json, sys; print(sum(entry["shard"] == int(sys.argv[1]) for entry in json.load(sys.stdin)))' "$1"; }

# loads LABEL: busy share and connections of each shard, over half a second.
loads()
{
    printf '        %-12s' "$1"
    app/millracectl watch --for 0.5 --every 0.5 --json | tail -n 1 | python3 -c 'import json, sys
print("; ".join("shard {shard}: {0:5.1f} % busy, {connections} connections".format(100 * shard["busy_share"], **shard)
    for shard in json.load(sys.stdin)["shards"]))'
}

# until_true SECONDS COMMAND…
until_true()
{
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

all_begun() { [ "$(on_shard 0)" = $clients ] && [ "$(on_shard 1)" = 0 ]; }
both_have_some() { [ "$(on_shard 0)" -ge 1 ] && [ "$(on_shard 1)" -ge 1 ]; }

# All at once; each octet is compared as it comes.
begin()
{
    local i
    pids=()
    for i in $(seq $clients); do
        on_client timeout 120 "$build/tests/system/client" $gateway4 443 hq /large.bin $mbit | cmp - "$sandbox/www/large.bin" &
        pids+=($!)
    done
}

# While shard 1 is drained all that is new begins on shard 0.
begin_on_shard_0()
{
    app/millracectl drain 1 >/dev/null
    begin
    until_true 10 all_begun || { echo "shard 0 has $(on_shard 0), shard 1 has $(on_shard 1)"; return 1; }
    loads "at first"
    app/millracectl drain 1 --off >/dev/null
}

# All have come, and are the same.
end_well()
{
    local pid status=0
    for pid in "${pids[@]}"; do
        wait "$pid" || status=1
    done
    awk "BEGIN { printf \"        %d downloads of %d MB in %.2f s with the manager %s\n\", $clients, $megabytes, $EPOCHREALTIME - $1, \"$2\" }"
    return $status
}

without_the_manager()
{
    local start=$EPOCHREALTIME status=0
    app/millracectl rebalance off >/dev/null
    begin_on_shard_0 || status=1
    sleep 1
    loads "later"
    [ "$(on_shard 1)" = 0 ] || { echo "some have left"; status=1; }
    end_well "$start" off && return $status
}

with_the_manager()
{
    local start=$EPOCHREALTIME status=0
    app/millracectl rebalance off >/dev/null
    begin_on_shard_0 || status=1
    app/millracectl rebalance on >/dev/null
    until_true 10 both_have_some || { echo "shard 0 has $(on_shard 0), shard 1 has $(on_shard 1)"; status=1; }
    loads "evened out"
    end_well "$start" on || status=1
    app/millracectl rebalance | grep -E '^  moves|by rebalance| -> '
    [ "$(app/millracectl rebalance --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["rebalance_moved"])')" -ge 1 ] || status=1
    return $status
}

# Both ways: what is on shard 0 goes to shard 1 while it is served, and nothing is left.
drained()
{
    local start=$EPOCHREALTIME status=0
    begin
    until_true 10 eval '[ $(($(on_shard 0) + $(on_shard 1))) = '"$clients"' ]' || status=1
    loads "at first"
    app/millracectl connections --top 3
    app/millracectl drain 0 --wait --for 20 || status=1
    loads "drained"
    [ "$(on_shard 0)" = 0 ] && [ "$(on_shard 1)" -ge 1 ] || { echo "shard 0 has $(on_shard 0), shard 1 has $(on_shard 1)"; status=1; }
    end_well "$start" "and a drained shard" || status=1
    app/millracectl rebalance | grep -E 'by drain'
    app/millracectl drain 0 --off
    return $status
}

nobody_closed()
{
    local counters
    counters=$(app/millracectl counters --all)
    grep -qE "^ *$((3 * clients)) +quic/accepted$" <<<"$counters" && ! grep -E '[1-9][0-9]* +quic/(errors_sent|idle_timeouts)$' <<<"$counters"
}

sandbox_open
export MILLRACE_NAME=$gateway_name
sandbox_hugepages 256
megabytes=50
head -c ${megabytes}000000 /dev/urandom >"$sandbox/www/large.bin"
{
    sed 's/^\[rebalance\]/&\nwindow_ms = 100\nwindows = 2/' config/demo.toml
    printf '\n[control]\nname = "%s"\n' "$gateway_name"
} >"$sandbox/gateway.toml"
gateway_start "$sandbox/gateway.toml" "$binary" || sandbox_fail "the gateway did not start"

check "an uneven load stays where it began" without_the_manager
check "the manager evens it out" with_the_manager
check "a shard is drained under load" drained
check "nobody closed" nobody_closed
check "graceful stop" gateway_stop
check_end
