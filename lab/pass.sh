#!/bin/sh
# What `make lab` does: one pass, a replay of what was recorded, the judgement. GONEDARK names the program, LAB_OUT the
# folder for what comes of it; further arguments are run.py's.
set -eu
cd "$(dirname "$0")/.."
gonedark=${GONEDARK:-target/release/gonedark}
out=${LAB_OUT:-target/lab}

python3 lab/run.py --out "$out" "$@"
said() { sed -n "s/^ \"$1\": \"\(.*\)\",$/\1/p" "$out/truth.json"; }

# The lab's outages last seconds: none is too short.
"$gonedark" replay "$out/mrt" --delegated lab/delegated.txt --min-duration 0s --format json \
    --from "$(said from)" --until "$(said until)" >"$out/report.json"
python3 lab/judge.py "$out/truth.json" "$out/report.json" --collector frr --collector bird
