#!/usr/bin/env bash
# Reads Prometheus' text format with the parser of Prometheus' own Python client, see prometheus.py.
#
#   prometheus.sh setup        only fetch what it needs
#   prometheus.sh < TEXT       prints a line per family: name, type, number of samples
#
# Wants Python 3.9 or newer; packages are kept in $LEVADA_PYTHON_PROMETHEUS (default: ~/.cache/levada/python-prometheus-VERSION),
# outside of the checkout.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
version=0.21.1
venv=${LEVADA_PYTHON_PROMETHEUS:-$HOME/.cache/levada/python-prometheus-$version}

fail() {
    echo "prometheus.sh: $*" >&2
    exit 1
}

setup() {
    [ -e "$venv/complete" ] && return 0
    command -v python3 >/dev/null || fail "there is no python3"
    mkdir -p "${venv%/*}"
    # One at a time: another start may be at it.
    exec 9>"$venv.lock"
    ! command -v flock >/dev/null || flock 9
    [ -e "$venv/complete" ] && return 0
    rm -rf "$venv"
    python3 -m venv "$venv" >&2 || fail "python3 makes no virtual environment; install python3-venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check "prometheus-client==$version" >&2 ||
        fail "pip could not install prometheus-client $version"
    touch "$venv/complete"
}

setup
[ "${1:-}" = setup ] || exec "$venv/bin/python" "$here/prometheus.py"
