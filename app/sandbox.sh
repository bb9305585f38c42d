# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# What app/demo and the system tests share: two network namespaces with a veth pair between them (the gateway's side has no address, so
# that the kernel does not answer for it), hugepages, a certificate, files to serve, and the gateway as a child. Source it, call
# sandbox_open, and everything it made is gone when the shell ends, however it ends.
#
#   $sandbox              a folder of its own: configuration, certificate, www/, log
#   on_gateway COMMAND…   runs it in the gateway's namespace, on_client in the client's
#   gateway4, gateway6    the gateway's addresses, as config/demo.toml has them
#   MILLRACE_NAME         what the gateway is called where its configuration has no [control]; app/millracectl knows it
#   gateway_start [CONFIG [BINARY]], gateway_stop, gateway_pid, gateway_log

gateway4=10.77.0.1
gateway6=fd77::1
client4=10.77.0.2
client6=fd77::2
gateway_pid=
gateway_huge=
sandbox=

sandbox_say() { echo "${0##*/}: $*"; }
sandbox_fail() { echo "${0##*/}: $*" >&2; exit 1; }

on_gateway() { ip netns exec "$sandbox_gateway" "$@"; }
on_client() { ip netns exec "$sandbox_client" "$@"; }

# Pages of 2 MB for the gateway, beside those that others hold, as several sandboxes may be open at once (the folder is their lock). Without them the gateway
# runs with --no-huge.
sandbox_hugepages()
{
    local wanted=$1 before free pages=/proc/sys/vm/nr_hugepages
    {
        flock 8
        before=$(cat $pages)
        echo $((before + wanted)) 2>/dev/null >$pages || true
        sandbox_pages_added=$(($(cat $pages) - before))
        free=$(awk '/^HugePages_Free/ {print $2}' /proc/meminfo)
    } 8</tmp
    if [ "${free:-0}" -ge "$wanted" ]; then
        gateway_huge=yes
    fi
}

sandbox_hugepages_back()
{
    local pages=/proc/sys/vm/nr_hugepages
    [ "${sandbox_pages_added:-0}" -gt 0 ] || return 0
    {
        flock 8
        echo $(($(cat $pages) - sandbox_pages_added)) >$pages
    } 8</tmp
}

sandbox_network()
{
    local ns
    sandbox_gateway=millrace-gateway-$$
    sandbox_client=millrace-client-$$
    for ns in "$sandbox_gateway" "$sandbox_client"; do
        ip netns add "$ns"
        ip -n "$ns" link set lo up
    done
    ip -n "$sandbox_gateway" link add mill0 type veth peer name client0 netns "$sandbox_client"
    on_gateway sysctl -q -w net.ipv6.conf.mill0.disable_ipv6=1
    # The kernel would leave UDP checksums to a card that is not there.
    on_client ethtool -K client0 tx off >/dev/null
    ip -n "$sandbox_client" address add $client4/24 dev client0
    ip -n "$sandbox_client" address add $client6/64 dev client0 nodad
    ip -n "$sandbox_gateway" link set mill0 up
    ip -n "$sandbox_client" link set client0 up
}

sandbox_certificate()
{
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj /CN=millrace.test \
        -addext "subjectAltName=DNS:millrace.test,IP:$gateway4,IP:$gateway6" \
        -keyout "$sandbox/key.pem" -out "$sandbox/certificate.pem" 2>/dev/null
}

# The name by which Chromium is told to trust a certificate: base64 of the SHA-256 of its public key.
sandbox_spki()
{
    openssl x509 -in "$sandbox/certificate.pem" -noout -pubkey | openssl pkey -pubin -outform der |
        openssl dgst -sha256 -binary | openssl base64
}

sandbox_open()
{
    [ "$(id -u)" = 0 ] || sandbox_fail "network namespaces and packet sockets take root: run it as root"
    sandbox=$(mktemp -d /tmp/millrace.$$.XXXXXX)
    mkdir "$sandbox/www"
    # A name of its own, as another gateway may run on this machine.
    export MILLRACE_NAME=millrace-$$
    trap sandbox_close EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    sandbox_network
    sandbox_certificate
}

sandbox_close()
{
    local ns pid
    trap - EXIT
    gateway_stop || true
    for ns in "${sandbox_client:-}" "${sandbox_gateway:-}"; do
        [ -n "$ns" ] && [ -e "/run/netns/$ns" ] || continue
        for pid in $(ip netns pids "$ns"); do
            kill "$pid" 2>/dev/null || true
        done
        ip netns del "$ns" || true
    done
    sandbox_hugepages_back
    # What DPDK leaves behind of a process without hugepages, in a folder of the process's name.
    rm -rf "$sandbox" /var/run/dpdk/*[!0-9]$$
}

# Starts the gateway and waits until it says that it is ready (ten seconds at most).
gateway_start()
{
    local config=${1:-config/demo.toml} binary=${2:-build/release/app/millrace} root=$PWD eal=()
    gateway_log=$sandbox/gateway.log
    [ "${config:0:1}" = / ] || config=$root/$config
    [ -n "$gateway_huge" ] || eal+=(--no-huge)
    grep -q '^\[control\]' "$config" || eal+=(--file-prefix "$MILLRACE_NAME")
    [ "${binary:0:1}" = / ] || binary=$root/$binary
    : >"$gateway_log"
    # exec, so that the pid is the gateway's own.
    (cd "$sandbox" && exec ip netns exec "$sandbox_gateway" "$binary" run -c "$config" -- "${eal[@]}") \
        >"$gateway_log" 2>&1 </dev/null &
    gateway_pid=$!
    for _ in $(seq 100); do
        grep -q '^millrace: ready' "$gateway_log" && return 0
        kill -0 "$gateway_pid" 2>/dev/null || break
        sleep 0.1
    done
    cat "$gateway_log" >&2
    gateway_stop || true
    return 1
}

# Stops it as an operator would; the exit status is the gateway's.
gateway_stop()
{
    local pid=$gateway_pid
    [ -n "$pid" ] || return 0
    gateway_pid=
    kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq 100); do
        kill -0 "$pid" 2>/dev/null || break
        sleep 0.1
    done
    if kill -0 "$pid" 2>/dev/null; then
        sandbox_say "the gateway did not stop within 10 s" >&2
        kill -KILL "$pid"
    fi
    wait "$pid"
}

# fetch FOLDER ADDRESS PATH… [-- gtlsclient's options]: downloads over HTTP/3 into FOLDER.
fetch()
{
    local folder=$1 address=$2 host=$2 urls=() options=()
    shift 2
    [[ $host != *:* ]] || host="[$host]"
    while [ $# -gt 0 ] && [ "$1" != -- ]; do
        urls+=("https://$host:443$1")
        shift
    done
    [ $# = 0 ] || options=("${@:2}")
    mkdir -p "$folder"
    on_client timeout 120 gtlsclient --quiet --no-quic-dump --no-http-dump --exit-on-all-streams-close \
        --download="$folder" "${options[@]}" "$address" 443 "${urls[@]}" >"$folder.log" 2>&1
}
