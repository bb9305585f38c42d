# SPDX-License-Identifier: GPL-3.0-or-later
# shellcheck shell=bash
#
# Counting for the system tests: source it, call check for each thing that must be so, and end with check_end.

passed=0
failed=0

# check NAME COMMAND…: says how it went; a failure shows the last words of client and gateway, where there are any.
check()
{
    local name=$1 start=$EPOCHREALTIME
    shift
    if "$@"; then
        passed=$((passed + 1))
        awk "BEGIN { printf \"ok      %-44s %6.2f s\n\", \"$name\", $EPOCHREALTIME - $start }"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        [ ! -s "${sandbox:-}/got.log" ] || tail -n 15 "$sandbox/got.log"
        [ ! -s "${gateway_log:-}" ] || tail -n 8 "$gateway_log"
    fi
}

check_end()
{
    echo "$passed passed, $failed failed"
    [ "$failed" = 0 ]
}
