#!/bin/sh
# Has `gonedark replay` read what the collectors of a pass wrote down, and the flows if they were recorded, and holds it
# against the truth.
#
#   lab/replayed.sh PASS REPORT      the folder of the pass, and where the report goes; GONEDARK names the program
set -eu
pass=$1
report=$2
said() { sed -n "s/^ \"$1\": \"\(.*\)\",$/\1/p" "$pass/truth.json"; }

set --
[ ! -d "$pass/flows" ] || set -- --flows "$pass/flows/flows.pcap.gz"
# The lab's outages last seconds: none is too short.
"${GONEDARK:-target/release/gonedark}" replay "$pass/mrt" --delegated lab/delegated.txt --min-duration 0s --format json \
    --from "$(said from)" --until "$(said until)" "$@" >"$report"
wrong=0
python3 lab/judge.py "$pass/truth.json" "$report" --collector frr --collector bird || wrong=1
[ $# -eq 0 ] || python3 lab/attacks.py "$pass/truth.json" "$report" || wrong=1
exit $wrong
