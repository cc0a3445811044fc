#!/bin/sh
# Sees to what the tests need beside Rust: as root on Debian it is installed, elsewhere it is named. Nothing here stops
# the tests: those that cannot run say so and are passed over, except under CI, where they fail.
set -eu

missing=
command -v bgpdump >/dev/null 2>&1 || missing="$missing bgpdump"
command -v python3 >/dev/null 2>&1 || missing="$missing python3"
# The C compiler builds zstd and the cryptography of TLS; without it nothing builds at all.
command -v cc >/dev/null 2>&1 || missing="$missing build-essential"
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "installing$missing"
    # shellcheck disable=SC2086
    if apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; then
        exit 0
    fi
fi
echo "not installed:$missing (apt install$missing); tests that need them are passed over" >&2
