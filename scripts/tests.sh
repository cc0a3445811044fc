#!/bin/sh
# Runs the tests with the command given, and counts those that were passed over because something that they need is not
# here: such a test says "test passed over: NAME: why" on standard error, which the test runner leaves alone.
#
#   scripts/tests.sh COUNT_FILE COMMAND...
set -eu
count=$1
shift
log=$(mktemp)
trap 'rm -f "$log"' EXIT
mkdir -p "$(dirname "$count")"
rm -f "$count"
# A pipe gives the code of its last command alone, so that the first one's is written down.
{ code=0; "$@" 2>&1 || code=$?; echo "$code" >"$log.code"; } | tee "$log"
code=$(cat "$log.code")
rm -f "$log.code"
# A test that asks for two things and has neither is one test.
grep -o 'test passed over: [^ ]*:' "$log" | sort -u | grep -c . >"$count" || true
exit "$code"
