#!/bin/sh
# Sees to what the lab needs: as root on Debian it is installed, elsewhere it is named. Without it there is no lab.
set -eu

missing=
[ -x /usr/lib/frr/bgpd ] && command -v vtysh >/dev/null 2>&1 || missing="$missing frr"
command -v bird >/dev/null 2>&1 || missing="$missing bird2"
command -v gobgpd >/dev/null 2>&1 || missing="$missing gobgpd"
command -v softflowd >/dev/null 2>&1 || missing="$missing softflowd"
command -v ip >/dev/null 2>&1 || missing="$missing iproute2"
command -v python3 >/dev/null 2>&1 || missing="$missing python3"

if [ "$(id -u)" -ne 0 ]; then
    echo "the lab makes network namespaces: it has to be run as root${missing:+, with$missing installed}" >&2
    exit 1
fi
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null 2>&1 || { echo "not installed:$missing" >&2; exit 1; }
    echo "installing$missing"
    # The packages bring services along. Nothing is to be started outside the lab's namespaces: Debian asks this script
    # before it does, and 101 is "no" (policy-rc.d).
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d
        chmod 755 /usr/sbin/policy-rc.d
        trap 'rm -f /usr/sbin/policy-rc.d' EXIT
    fi
    # shellcheck disable=SC2086
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null; } ||
        { echo "not installed:$missing (apt install$missing)" >&2; exit 1; }
fi
# Reading TOML came with Python 3.11.
python3 -c 'import tomllib' 2>/dev/null || { echo "the lab needs Python 3.11 or later" >&2; exit 1; }
