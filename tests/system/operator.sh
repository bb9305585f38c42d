#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Mistakes of an operator: each ends with one readable sentence that says what, where and the mend, and a status that is not 0.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
binary=$(realpath "${1:?usage: operator.sh BUILD}/app/millrace")
# says NAME PATTERN COMMAND…: it fails, by itself, and with these words.
says()
{
    local name=$1 pattern=$2 output status=0
    shift 2
    output=$(timeout 20 "$@" 2>&1) || status=$?
    if [ $status -gt 0 ] && [ $status -lt 124 ] && grep -qE -e "$pattern" <<<"$output"; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name (status $status)"
        echo "$output"
    fi
}

# config LINES…: a configuration for this machine, with more lines behind it.
config()
{
    { printf '[[port]]\ndevice = "net_null0"\naddresses = ["10.77.0.1/24"]\n'; printf '%s\n' "$@"; } >try.toml
}

sandbox_open
cd "$sandbox"
config '[memory]' 'hugepages = false'
says "no such file" 'missing.toml.*name a file' "$binary" check -c missing.toml
says "run without a file" 'millrace run -c FILE' "$binary" run
echo 'port = [' >broken.toml
says "not TOML" '^broken.toml:1:[0-9]+: ' "$binary" check -c broken.toml
config '[quic]' 'idle_timout_ms = 5'
says "unknown key" '^try.toml:5:1: quic.idle_timout_ms: .*did you mean idle_timeout_ms' "$binary" check -c try.toml
config '[tls]' 'certificate = 7'
says "wrong type" '^try.toml:5:[0-9]+: tls.certificate: .*text' "$binary" check -c try.toml
config '[quic]' 'idle_timeout_ms = -1'
says "out of range" '^try.toml:5:[0-9]+: quic.idle_timeout_ms: -1 is out of range' "$binary" check -c try.toml
config '[memory]' 'hugepages = false' 'mbufs = 2048'
says "too few mbufs" 'mbufs' "$binary" run -c try.toml
config '[memory]' 'hugepages = false' '[tls]' 'certificate = "nowhere.pem"'
says "no certificate" 'nowhere.pem cannot be read.*name a PEM file' "$binary" run -c try.toml
cp key.pem good.pem
echo garbage >key.pem
config '[memory]' 'hugepages = false'
says "a broken key" 'key.pem' "$binary" run -c try.toml
openssl ecparam -name prime256v1 -genkey -noout -out key.pem 2>/dev/null
says "another certificate's key" 'key' "$binary" run -c try.toml
cp good.pem key.pem
config '[memory]' 'hugepages = false' '[files]' 'root = "nowhere"'
says "no folder to serve" 'nowhere' "$binary" run -c try.toml
sed -i 's/net_null0/net_af_packet0,iface=nowhere0/' try.toml
sed -i 's/^root.*//' try.toml
says "no such port" 'net_af_packet0,iface=nowhere0' "$binary" run -c try.toml
config '[memory]' 'hugepages = false' '[shards]' 'cpus = [1023]'
says "no such CPU" 'cpus names CPU 1023, .*lscpu' "$binary" run -c try.toml
sed -i 's/net_null0/0000:ff:1f.7/' try.toml
sed -i 's/^cpus.*//' try.toml
says "no such card" '0000:ff:1f.7.*dpdk-devbind' "$binary" run -c try.toml
config '[memory]' 'megabytes = 1000000'
says "no hugepages" 'megabytes wants 1000000.*vm.nr_hugepages' "$binary" run -c try.toml
config '[rebalance]' 'high_permille = 1040'
says "high mark below the low one" '^try.toml:5:[0-9]+: rebalance.high_permille: 1040 is not above low_permille, which is 1050; raise it' "$binary" check -c try.toml
config '[rebalance]' 'window_ms = 1'
says "a window of nothing" '^try.toml:5:[0-9]+: rebalance.window_ms: 1 is out of range' "$binary" check -c try.toml
cd - >/dev/null

# ---- a gateway that runs ----

ctl() { app/millracectl "$@"; }
# answers NAME PATTERN ARGUMENTS…: millracectl ends with 0 and says so; with --json it says something that can be read.
answers()
{
    local name=$1 pattern=$2 output
    shift 2
    if output=$(timeout 20 app/millracectl "$@" 2>&1) && grep -qE -e "$pattern" <<<"$output" &&
        timeout 20 app/millracectl "$@" --json 2>/dev/null | python3 -m json.tool >/dev/null; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        echo "$output"
    fi
}
once()
{
    local name=$1 pattern=$2
    shift 2
    if timeout 20 app/millracectl "$@" | grep -qE -e "$pattern"; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
    fi
}
got() { rm -rf "$sandbox/got"; fetch "$sandbox/got" $gateway4 /page.html && cmp "$sandbox/www/page.html" "$sandbox/got/page.html"; }
# Exit status of the client says nothing of a refusal.
refused() { ! got 2>/dev/null && app/millracectl counters | grep -qE '[1-9][0-9]* +quic/drop_refused$'; }
only_for_its_owner() { [ "$(stat -c '%a %F' /var/run/dpdk/"$MILLRACE_NAME"/dpdk_telemetry.v2* | sort -u)" = "600 socket" ]; }

says "no gateway runs" 'no gateway named "nobody-'$$'" runs here; start it' app/millracectl status --name nobody-$$
sandbox_hugepages 256
echo '<p>here</p>' >"$sandbox/www/page.html"
gateway_start config/demo.toml "$binary" || sandbox_fail "the gateway did not start"
check "the control socket is its owner's alone" only_for_its_owner
answers "status" 'rebalancing on; moves 0 done' status
answers "shards" '^ +[01] ' shards
answers "connections, none" '^connection +shard$' connections
answers "the heaviest, none" 'of its load' connections --top 5
answers "metrics" '^millrace_moves_total\{asker="drain",outcome="moved"\} 0$' metrics
answers "rebalance" '^rebalancing is on$' rebalance
answers "rebalance off" '^rebalancing is off$' rebalance off
answers "status says so" '^rebalancing off; ' status
answers "metrics say so" '^millrace_rebalancing 0$' metrics
answers "rebalance on" '^rebalancing is on$' rebalance on
once "watch" '^ +1  ' watch --for 0.2
once "watch --json" '^\{"shards": \[.*\], "moves": \[\]\}$' watch --for 0.2 --json
says "rebalance perhaps" "invalid choice: 'perhaps' \(choose from 'on', 'off'\)" app/millracectl rebalance perhaps
says "the heaviest none" '0 is no number of connections; give a whole number from 1' app/millracectl connections --top 0
says "the heaviest x" 'x is no number of connections' app/millracectl connections --top x
says "move to nowhere" 'there is no such connection' app/millracectl move 1.1 1
says "move to no shard" 'there is no such shard' app/millracectl move 1.1 9
says "move what" 'what is no connection: give it as' app/millracectl move what 1
says "move to x" 'x is no shard; give a whole number from 0' app/millracectl move 1.1 x
says "drain no shard" 'shard 7: there is no such shard' app/millracectl drain 7
says "drain a number beyond all" 'there is no such shard' app/millracectl drain 99999999999
says "drain x" 'x is no shard; give a whole number from 0' app/millracectl drain x
says "drain -1" '-1 is no shard; give a whole number from 0' app/millracectl drain -1
says "take back what is not drained" 'shard 1: it is not being drained' app/millracectl drain 1 --off
says "take back no shard" 'shard 7: there is no such shard' app/millracectl drain 7 --off
says "take back a gateway that is not drained" 'the gateway: it is not being drained' app/millracectl drain --off
once "drain a shard" '^shard 1 is drained: 0 connections left$' drain 1
says "drain it again" 'shard 1: it is being drained already' app/millracectl drain 1
says "drain the last one" 'shard 0: it is the last shard in use' app/millracectl drain 0
says "move to a drained shard" 'that shard is being drained' app/millracectl move 0.0 1
answers "status says who" '^drained: shard 1, 0 connections left$' status
answers "metrics say who" '^millrace_shard_draining\{shard="1"\} 1$' metrics
once "wait for it" '^shard 1 is drained: 0 connections left$' drain 1 --wait
check "it serves all the same" got
once "take it back" '^shard 1 is not drained any more$' drain 1 --off
once "drain the gateway" '^the gateway is drained: ' drain
says "drain it again" 'the gateway: it is being drained already' app/millracectl drain
answers "status says that" '^drained: the gateway takes no new connections$' status
check "a new connection is refused" refused
once "take that back" '^the gateway is not drained any more$' drain --off
check "a new connection is served" got
says "an unknown command" "invalid choice: 'dance'" app/millracectl dance
check "graceful stop" gateway_stop
check_end
