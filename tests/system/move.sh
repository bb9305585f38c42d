#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Connections are moved from shard to shard and back all the time while gtlsclient and Chromium download over them: every octet comes, on the same
# connection, and nobody closes.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
binary=${1:?usage: move.sh BUILD}/app/millrace
wanted=50
gateway_name=move$$

# moving COMMAND…: while all connections are moved; then how many moves were completed.
moving()
{
    local status=0 mover
    rm -f "$sandbox/end"
    tests/system/mover.py "$gateway_name" "$sandbox/end" >"$sandbox/moved.json" &
    mover=$!
    "$@" || status=$?
    touch "$sandbox/end"
    wait "$mover" || status=1
    cat "$sandbox/moved.json"
    moved=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get("moved", 0))' "$sandbox/moved.json" 2>/dev/null || echo 0)
    [ "$moved" -ge $wanted ] || { echo "$moved moves and not $wanted"; status=1; }
    return $status
}

same()
{
    rm -rf "$sandbox/got"
    fetch "$sandbox/got" "$@" && cmp "$sandbox/www/large.bin" "$sandbox/got/large.bin"
}

# By the page's own hash, in pieces, so that what the browser got is what is compared.
in_chromium()
{
    local got
    got=$(on_client timeout 90 chromium --headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking \
        --disable-component-update --disable-sync --disable-dev-shm-usage --user-data-dir="$sandbox/profile" \
        --enable-quic --origin-to-force-quic-on=millrace.test:443 --host-resolver-rules="MAP millrace.test $gateway4" \
        --ignore-certificate-errors-spki-list="$(sandbox_spki)" --virtual-time-budget=600000 \
        --dump-dom https://millrace.test/ 2>"$sandbox/chromium.log" | grep -oE 'sha256 [0-9a-f]{64} h3' || true)
    [ "$got" = "sha256 $(sha256sum <"$sandbox/www/large.bin" | cut -d' ' -f1) h3" ] || { echo "Chromium got: $got"; return 1; }
}

# One connection for each client, and the gateway ended none.
nobody_closed()
{
    local counters
    counters=$(app/millracectl counters --all --name "$gateway_name")
    grep -E 'move/|quic/(accepted|errors_sent|idle_timeouts)$' <<<"$counters"
    grep -qE '^ *3 +quic/accepted$' <<<"$counters" && ! grep -qE '[1-9][0-9]* +quic/(errors_sent|idle_timeouts)$' <<<"$counters"
}

sandbox_open
sandbox_hugepages 256
head -c 40000000 /dev/urandom >"$sandbox/www/large.bin"
cat >"$sandbox/www/index.html" <<'PAGE'
<!doctype html><title>millrace</title><body><pre id="report"></pre>
<script type="module">
const octets = await (await fetch("large.bin")).arrayBuffer();
const hash = [...new Uint8Array(await crypto.subtle.digest("SHA-256", octets))].map(n => n.toString(16).padStart(2, "0")).join("");
const entry = performance.getEntriesByType("resource").find(entry => entry.name.endsWith("large.bin"));
document.getElementById("report").textContent = `sha256 ${hash} ${entry.nextHopProtocol}`;
</script>
PAGE
{
    sed 's/qpairs=2/qpairs=2,qdisc_bypass=0/' config/demo.toml
    printf '\n[quic]\nmove_dwell_ms = 0\n\n[control]\nname = "%s"\n' "$gateway_name"
} >"$sandbox/gateway.toml"
# Slow enough that there is time for the moves.
on_gateway tc qdisc add dev mill0 root tbf rate 40mbit burst 64k latency 40ms
gateway_start "$sandbox/gateway.toml" "$binary" || sandbox_fail "the gateway did not start"

check "40 MB to gtlsclient while it is moved" moving same $gateway4 /large.bin
check "40 MB over IPv6, key updates on the way" moving same $gateway6 /large.bin -- --key-update=500ms
check "40 MB to Chromium while it is moved" moving in_chromium
check "nobody closed" nobody_closed
check "graceful stop" gateway_stop
check_end
