#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A service that somebody else built, outside the tree, with the one public header and a compiler: it is loaded, served, moved, and what
# is wrong with such an object is one sentence.
set -euo pipefail
cd "$(dirname "$0")/../.."
. app/sandbox.sh
. tests/system/check.sh
build=$(realpath "${1:?usage: objects.sh BUILD}")
binary=$build/app/millrace
top=$PWD
gateway_name=objects$$

# compile OUTPUT OPTIONS…: in a folder with nothing of ours but the header and the source.
compile()
{
    local output=$1
    shift
    (cd "$sandbox/outside" && cc -std=c11 -Wall -Wextra -Wno-unused-parameter -Werror -I include -shared -fPIC "$@" -o "$output" tally.c)
}

configuration()
{
    sed 's/^echo = true/echo = true\nchat = true/; s/^least_permille.*/enabled = false/' config/demo.toml
    printf '\n[quic]\nmove_dwell_ms = 0\n\n[control]\nname = "%s"\n' "$gateway_name"
    printf '\n[[service]]\nfile = "%s"\n%s\n' "$1" "${2:-}"
}

talk() { on_client timeout 30 "$build/tests/system/talk" $gateway4 443 tally "$@"; }

# refused NAME PATTERN: the gateway does not start with the object and says so.
refused()
{
    local name=$1 pattern=$2 output status=0
    output=$(cd "$sandbox" && timeout 15 ip netns exec "$sandbox_gateway" "$binary" run -c refused.toml -- ${gateway_huge:---no-huge} 2>&1) || status=$?
    output=$(grep -E 'service.file|error' <<<"$output" || true)
    if [ $status -gt 0 ] && [ $status -lt 124 ] && grep -qE -e "refused.toml:[0-9]+: service.file: .*$pattern" <<<"$output"; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name (status $status): $output"
    fi
}

sandbox_open
sandbox_hugepages 256
mkdir -p "$sandbox/outside/include/millrace"
cp lib/service/millrace.h "$sandbox/outside/include/millrace/service.h"
cp tests/system/tally.c "$sandbox/outside"
gateway_huge=${gateway_huge:+--in-memory}

compile tally.so
compile abi.so -DTALLY_ABI=99
compile taken.so '-DTALLY_ALPN="echo"'
compile nothing.so -Dmillrace_service=another_name
links_to_nothing() { ! nm -D --undefined-only "$sandbox/outside/tally.so" | grep -vE ' (w |.*@GLIBC)'; }
check "the object links against nothing of ours" links_to_nothing
header_alone() { echo '#include "millrace/service.h"' | cc -std=c11 -Wall -Wextra -Werror -pedantic -I "$sandbox/outside/include" -fsyntax-only -x c -; }
header_alone_cpp() { echo '#include "millrace/service.h"' | c++ -Wall -Wextra -Werror -I "$sandbox/outside/include" -fsyntax-only -x c++ -; }
check "the header stands alone" header_alone
check "the header stands alone, in C++" header_alone_cpp

configuration "$sandbox/outside/missing.so" >"$sandbox/refused.toml"
refused "no such file" 'missing.so: it cannot be opened .*name a shared object'
configuration "$sandbox/outside" >"$sandbox/refused.toml"
refused "a folder" 'it is no file; name a shared object'
configuration "$sandbox/outside/tally.c" >"$sandbox/refused.toml"
refused "not an object" 'it cannot be loaded .*; build it'
configuration "$sandbox/outside/nothing.so" >"$sandbox/refused.toml"
refused "no symbol" 'no symbol millrace_service; define it'
configuration "$sandbox/outside/abi.so" >"$sandbox/refused.toml"
refused "another ABI" 'another version of millrace/service.h; build it'
configuration "$sandbox/outside/taken.so" >"$sandbox/refused.toml"
refused "a protocol that is taken" 'its ALPN "echo" is another service.s; leave one'
configuration "$sandbox/outside/tally.so" 'options = "refuse"' >"$sandbox/refused.toml"
refused "it refuses by itself" 'is of no use; leave it out'
chmod o+w "$sandbox/outside/tally.so"
configuration "$sandbox/outside/tally.so" >"$sandbox/refused.toml"
refused "anybody may write to it" 'others than its owner may write to it; run chmod go-w'
chmod go-w "$sandbox/outside/tally.so"
chown 65534 "$sandbox/outside/tally.so"
refused "it is somebody else's" 'it belongs to user 65534.*run chown root'
chown 0 "$sandbox/outside/tally.so"

configuration "$sandbox/outside/tally.so" 'options = "hello"' >"$sandbox/gateway.toml"
sed -n '/^```c$/,/^```$/p' lib/service/README.md | sed '/^```/d' >"$sandbox/outside/shout.c"
(cd "$sandbox/outside" && cc -Wall -Wextra -Wno-unused-parameter -Werror -I include -shared -fPIC -o shout.so shout.c)
printf '\n[[service]]\nfile = "%s"\n' "$sandbox/outside/shout.so" >>"$sandbox/gateway.toml"
gateway_start "$sandbox/gateway.toml" "$binary" || sandbox_fail "the gateway did not start"
offers() { grep -q 'ready: .* tally' "$gateway_log"; }
check "it is served" offers

# The service of lib/service/README.md does what it says.
shout() { [ "$(printf 'hello\nyou\n' | on_client timeout 30 "$build/tests/system/talk" $gateway4 443 shout | tr '\n' ' ')" = 'HELLO YOU ' ]; }
check "the service of the README" shout

# A conversation that goes on while its connection is moved: fifo in, file out.
converse()
{
    mkfifo "$sandbox/$1.in"
    talk <"$sandbox/$1.in" >"$sandbox/$1.out" 2>&1 &
    converse_pid=$!
}
say() { printf '%s\n' "$*" >&8; }
# heard FILE PATTERN: within five seconds.
heard()
{
    for _ in $(seq 50); do
        grep -qE "$2" "$sandbox/$1.out" && return 0
        sleep 0.1
    done
    echo "not heard: $2"
    cat "$sandbox/$1.out"
    return 1
}
field() { grep -o "$2=[0-9a-z]*" "$sandbox/$1.out" | tail -n 1 | cut -d= -f2; }

converse one
one_pid=$converse_pid
exec 8>"$sandbox/one.in"
first_words() { say who && heard one '^who lines=1 shard=[01] detached=0 attached=0 slot=[0-9]+ generation=[0-9]+ options=hello$'; }
check "it answers" first_words
slot=$(field one slot)
generation=$(field one generation)
shard=$(field one shard)
other=$((1 - shard))
move() { app/millracectl move "$slot.$generation" "$1" --name "$gateway_name" 2>&1; }
move_there() { sleep 0.3 && move $other && say who && heard one "^who lines=2 shard=$other detached=1 attached=1 "; }
check "it moves, and its state with it" move_there
holds()
{
    local output
    say hold && heard one '^hold 0' && sleep 1.1 && ! output=$(move "$shard") && grep -q 'its service cannot let it go now' <<<"$output"
}
check "it refuses to move, and that is said" holds
lets_go() { say free && heard one '^free 0' && move "$shard" && say who && heard one "^who lines=5 shard=$shard detached=2 attached=2 "; }
check "it lets go" lets_go

# counts NUMBER COUNTER: of the object's, of all shards. (grep -q would leave before all is written.)
counts() { app/millracectl counters --all --name "$gateway_name" | grep -E "^ *$1  tally/$2\$" >/dev/null; }

# One conversation posts to the other, which moves meanwhile.
posts()
{
    { echo who; echo "post $slot $generation greetings"; echo "join news"; sleep 1; echo "say news extra"; sleep 1; } | talk 6 >"$sandbox/two.out" &&
        heard one '^heard0  greetings$' && heard two '^post 0$' && heard two '^heard1 $' && heard two '^heard3  extra$'
}
check "posts and topics" posts
stale() { { echo "post $slot $((generation + 1)) nobody"; sleep 0.3; } | talk 1 | grep -q '^post 2$'; }
check "a post to nobody" stale
everywhere()
{
    say 'all hands' && heard one '^all 0' && sleep 0.5 && counts 2 posts
}
check "a post to every shard" everywhere
tells_operator()
{
    say 'log something is odd' && heard one '^log 0' && sleep 0.5 && grep -qE 'warning: service tally on shard [01]: something is odd' "$gateway_log"
}
check "a word to the operator" tells_operator
counted()
{
    app/millracectl counters --name "$gateway_name" | grep tally/
    counts 2 detached && counts 2 attached
}
check "detached and attached are counted" counted
# Of more names than one answer holds: each of the object's, in the sum, of a shard, and in the metrics.
all_counted()
{
    local of_one
    app/millracectl counters --all --name "$gateway_name" >"$sandbox/counters"
    of_one=$(grep -cE ' tally/many_[0-9]+$' "$sandbox/counters") && [ "$of_one" = 300 ] && grep -qE '^ *[1-9][0-9]*  tally/many_299$' "$sandbox/counters" &&
        [ "$(app/millracectl counters --shard 1 --all --name "$gateway_name" | grep -c ' tally/many_')" = 300 ] &&
        [ "$(app/millracectl metrics --name "$gateway_name" | grep -c 'library="tally",name="many_')" = 600 ]
}
check "no counter is left out" all_counted
ends() { exec 8>&- && wait $one_pid; }
check "the conversation ends" ends
check "graceful stop" gateway_stop
check_end
