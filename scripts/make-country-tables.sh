#!/bin/sh
# Makes the country tables that are built into the program: crates/gonedark/data/countries-*.gdct.
#
#   scripts/make-country-tables.sh [FOLDER]
#
# 2018-10-13: the five files are taken out of the Python package iptocc 2.1.2, which carries them unchanged.
# 2014-06-30: made only where FOLDER is given. It holds delegated-{afrinic,apnic,lacnic,ripencc}-20140630, plain, .gz
#   or .bz2, from the registries' archives of daily statistics (stats/<registry>/2014/). ARIN's part is its file of
#   2018-10-13 without what was delegated after 2014-06-30.
#
# Needs: cargo, python3 with pip, unzip.
set -eu
cd "$(dirname "$0")/.."

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

python3 -m pip download --quiet --no-deps --only-binary :all: --dest "$work" iptocc==2.1.2
unzip -q -j "$work"/iptocc-2.1.2-*.whl 'iptocc/delegated-*' -d "$work/wheel"
for registry in afrinic apnic arin lacnic ripencc; do
    mv "$work/wheel/delegated-$registry-extended-latest" "$work/delegated-$registry-extended-20181013"
done

table() { cargo run --quiet --package gonedark --example country_table -- "$@"; }

table 20181013 crates/gonedark/data/countries-20181013.gdct "$work"/delegated-*-extended-20181013
if [ $# -eq 1 ]; then
    table 20140630 crates/gonedark/data/countries-20140630.gdct \
        "$1"/delegated-*-20140630* "$work/delegated-arin-extended-20181013"
fi
