#!/bin/sh
# Measures `gonedark replay` against the bare decompressors, bgpdump and bgpkit-parser, and prints Markdown tables.
#
#   scripts/bench.sh [REPETITIONS]     (15 without; BENCH_CASES="gz bz2 growth table" picks cases)
#
# The recordings are those of $GONEDARK_SHARED/data/bgp (../shared beside the checkout without it). bgpdump is left out
# where it is not installed. All of one table is measured in one run, the commands taking turns.
set -eu
cd "$(dirname "$0")/.."
repetitions=${1:-15}
shared=${GONEDARK_SHARED:-$PWD/../shared}
if [ ! -d "$shared/data/bgp" ]; then
    echo "bench: no recordings in $shared/data/bgp; set GONEDARK_SHARED to where they are" >&2
    exit 3
fi
cargo build --release --package gonedark --bins --examples
exec python3 scripts/bench.py "${CARGO_TARGET_DIR:-target}/release" "$shared/data/bgp" "$repetitions"
