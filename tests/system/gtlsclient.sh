#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# ngtcp2's client against the real program over a DPDK port: files byte-compared over IPv4 and IPv6, every cipher suite, key update, loss,
# rebinding and migration of the client's address, many requests on one connection, a ticket, and a stop that is graceful.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
binary=${1:?usage: gtlsclient.sh BUILD}/app/millrace
# same ADDRESS PATH… [-- options]: fetches and compares with what is served.
same()
{
    local address=$1 paths=() path
    shift
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        paths+=("$1")
        shift
    done
    rm -rf "$sandbox/got"
    fetch "$sandbox/got" "$address" "${paths[@]}" "$@" || return 1
    for path in "${paths[@]}"; do
        cmp "$sandbox/www$path" "$sandbox/got/${path##*/}" || return 1
    done
}

cipher_only() { echo "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+$1"; }

many_requests()
{
    local paths=() i
    for i in $(seq 40); do
        paths+=("/many/$i.txt")
    done
    same $gateway4 "${paths[@]}"
}

# says METHOD PATH LINE…: the answer has these fields.
says()
{
    local method=$1 path=$2 line
    shift 2
    on_client timeout 20 gtlsclient --no-quic-dump --exit-on-all-streams-close --http-method="$method" $gateway4 443 \
        "https://$gateway4$path" >"$sandbox/got.log" 2>&1 || return 1
    for line in "$@"; do
        grep -qF "[$line]" "$sandbox/got.log" || return 1
    done
}

requested_twice_with_a_ticket()
{
    same $gateway4 /small.txt -- --session-file="$sandbox/session" --tp-file="$sandbox/tp" --disable-early-data &&
        [ -s "$sandbox/session" ] &&
        same $gateway4 /small.txt -- --session-file="$sandbox/session" --tp-file="$sandbox/tp" --disable-early-data
}

sandbox_open
sandbox_hugepages 256
mkdir "$sandbox/www/many"
echo "millrace" >"$sandbox/www/small.txt"
head -c 1000000 /dev/urandom >"$sandbox/www/million.bin"
head -c 20000000 /dev/urandom >"$sandbox/www/large.bin"
for i in $(seq 40); do
    head -c $((i * 731)) /dev/urandom >"$sandbox/www/many/$i.txt"
done
gateway_start config/demo.toml "$binary" || sandbox_fail "the gateway did not start"

check "small file, IPv4" same $gateway4 /small.txt
check "small file, IPv6" same $gateway6 /small.txt
check "20 MB, IPv4" same $gateway4 /large.bin
check "20 MB, IPv6" same $gateway6 /large.bin
check "40 requests on one connection" many_requests
check "HEAD" says HEAD /million.bin ':status: 200' 'content-length: 1000000'
check "no such file" says GET /nothing ':status: 404'
check "no such method" says DELETE /small.txt ':status: 405' 'allow: GET, HEAD'
check "AES-128-GCM only" same $gateway4 /million.bin -- --ciphers="$(cipher_only AES-128-GCM)"
check "AES-256-GCM only" same $gateway4 /million.bin -- --ciphers="$(cipher_only AES-256-GCM)"
check "ChaCha20-Poly1305 only" same $gateway4 /million.bin -- --ciphers="$(cipher_only CHACHA20-POLY1305)"
check "key update during a transfer" same $gateway4 /large.bin -- --key-update=20ms
check "a tenth of the packets lost each way" same $gateway4 /million.bin -- --tx-loss=0.1 --rx-loss=0.1
check "a third lost during a small request" same $gateway6 /small.txt -- --tx-loss=0.3 --rx-loss=0.3
# A client that only listens after a rebinding would never be heard of again: it asks from its new address.
check "NAT rebinding before the request" same $gateway4 /large.bin -- --change-local-addr=20ms --nat-rebinding --delay-stream=60ms
check "migration during a transfer" same $gateway4 /large.bin -- --change-local-addr=20ms
check "zero-length connection ID of the client" same $gateway4 /million.bin -- --scid=
check "resumption with a ticket" requested_twice_with_a_ticket
check "an unknown version is negotiated" same $gateway4 /small.txt -- --version=0x1a2a3a4a --preferred-versions=v1
check "graceful stop" gateway_stop
check_end
