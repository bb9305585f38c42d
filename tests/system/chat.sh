#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Eight clients talk in a room while their connections are moved between four shards all the time: each hears every line of every
# other, none is lost, and all hear them in the same order.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
build=${1:?usage: chat.sh BUILD}
binary=$build/app/millrace
clients=8
lines=300
wanted=50
gateway_name=chat$$

# says NAME: joins, waits until all are in, and talks.
says()
{
    printf '/name %s\n/join kitchen\n' "$1"
    until [ -e "$sandbox/talk" ]; do sleep 0.05; done
    for i in $(seq $lines); do
        printf 'line %s\n' "$i"
        sleep 0.04
    done
    # An input that ends would be goodbye only without a number of lines; who has them all ends by itself.
}

everybody_is_in() { [ "$(grep -l '^\* you are in kitchen$' "$sandbox"/heard.* 2>/dev/null | wc -l)" = $clients ]; }

talk()
{
    local pids=() status=0 i mover
    rm -f "$sandbox/talk" "$sandbox/end" "$sandbox"/heard.*
    for i in $(seq $clients); do
        says "client$i" | on_client timeout 100 "$build/tests/system/talk" $gateway4 443 chat $((clients * lines)) \
            >"$sandbox/heard.$i" 2>"$sandbox/client.$i.log" &
        pids+=($!)
    done
    for _ in $(seq 100); do
        everybody_is_in && break
        sleep 0.1
    done
    everybody_is_in || { echo "not all could join"; return 1; }
    tests/system/mover.py "$gateway_name" "$sandbox/end" >"$sandbox/moved.json" &
    mover=$!
    touch "$sandbox/talk"
    for i in "${pids[@]}"; do
        wait "$i" || status=1
    done
    touch "$sandbox/end"
    wait "$mover" || status=1
    cat "$sandbox/moved.json" "$sandbox"/client.*.log
    return $status
}

moved_enough()
{
    [ "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1])).get("moved", 0))' "$sandbox/moved.json")" -ge $wanted ]
}

# Every line of everybody, once, and each speaker's in the order in which it was said.
nothing_is_lost()
{
    local i
    for i in $(seq $clients); do
        for speaker in $(seq $clients); do
            cmp <(grep "^client$speaker: " "$sandbox/heard.$i") \
                <(for line in $(seq $lines); do echo "client$speaker: line $line"; done) || return 1
        done
    done
}

same_order()
{
    local i
    for i in $(seq 2 $clients); do
        cmp <(grep -v '^\*' "$sandbox/heard.1") <(grep -v '^\*' "$sandbox/heard.$i") || return 1
    done
}

counters() { app/millracectl counters --all --name "$gateway_name"; }
nothing_dropped()
{
    counters | grep -E ' (post|host|bus|chat|move)/' | grep -vE '^ *0 '
    ! counters | grep -E '^ *[1-9][0-9]* +(post|host|bus|chat)/(drop|given_up|refused|gone)'
}

# What is too fast waits with the client: a thousand lines at once come all the same, in time.
in_a_hurry()
{
    local heard=$sandbox/hurry
    { printf '/name hurry\n/join cellar\n'; seq 200; } | on_client timeout 60 "$build/tests/system/talk" $gateway4 443 chat 200 >"$heard" &&
        cmp <(grep '^hurry: ' "$heard" | cut -d' ' -f2) <(seq 200) && counters | grep -qE '^ *[1-9][0-9]* +host/too_fast'
}

wrong_lines()
{
    local heard=$sandbox/wrong
    { printf 'nobody hears\n/jump\n/join two words\n/name \x1b[31m\n'; head -c 300 /dev/zero | tr '\0' x; printf '\n/join hall\nbell \a\x1b[2J\r\n'; } |
        on_client timeout 20 "$build/tests/system/talk" $gateway4 443 chat 1 >"$heard" || return 1
    grep -q 'you are in no room' "$heard" && grep -q 'no such command' "$heard" && grep -q 'letters, digits' "$heard" &&
        grep -q '160 octets' "$heard" && grep -q '^guest-[0-9]*: bell ??\[2J$' "$heard"
}

# Who ends its stream leaves the room, and what it said last is heard by those who stay.
goodbye()
{
    local stays
    { printf '/name stays\n/join attic\n'; sleep 3; } | on_client timeout 20 "$build/tests/system/talk" $gateway6 443 chat 1 >"$sandbox/stays" &
    stays=$!
    for _ in $(seq 50); do
        grep -q 'you are in attic' "$sandbox/stays" && break
        sleep 0.1
    done
    printf '/name goes\n/join attic\nbye' | on_client timeout 20 "$build/tests/system/talk" $gateway4 443 chat >"$sandbox/goes" &&
        wait $stays && grep -q '^goes: bye$' "$sandbox/stays"
}

sandbox_open
sandbox_hugepages 384
{
    sed 's/qpairs=2/qpairs=4/; s/^device.*/&\nreceive_descriptors = 512\nsend_descriptors = 512/; s/^count = 2/count = 4/; s/^megabytes = .*/megabytes = 640\nmailbox = 512/; s/^echo = true/echo = true\nchat = true/; s/^least_permille.*/enabled = false/' config/demo.toml
    printf '\n[quic]\nmove_dwell_ms = 0\n\n[control]\nname = "%s"\n' "$gateway_name"
} >"$sandbox/gateway.toml"
gateway_start "$sandbox/gateway.toml" "$binary" || sandbox_fail "the gateway did not start"
check "eight clients talk and are moved" talk
check "enough moves" moved_enough
check "nothing is lost" nothing_is_lost
check "all hear it in one order" same_order
check "nothing was dropped" nothing_dropped
check "who is in a hurry waits" in_a_hurry
check "wrong lines are answered" wrong_lines
check "goodbye" goodbye
check "graceful stop" gateway_stop
check_end
