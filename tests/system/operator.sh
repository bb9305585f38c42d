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
cd - >/dev/null
check_end
