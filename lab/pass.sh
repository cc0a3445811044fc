#!/bin/sh
# One pass of which everything is recorded, BMP byte by byte, and a replay of it that is judged. GONEDARK names the program,
# LAB_OUT the folder for what comes of it; further arguments are run.py's.
set -eu
cd "$(dirname "$0")/.."
out=${LAB_OUT:-target/lab}
python3 lab/run.py --out "$out" "$@"
lab/replayed.sh "$out" "$out/report.json"
