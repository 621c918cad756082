#!/usr/bin/env bash
# Runs programs around Confluent's Python client: registry.py, parcels.py.
#
#   python.sh setup                   only fetch what they need
#   python.sh PROGRAM.py ARGUMENT…    one of them
#
# Wants Python 3.9 or newer; packages are kept in $LEVADA_PYTHON (default: ~/.cache/levada/python-confluent-VERSION-VERSION), outside of
# the checkout.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
version=2.16.0
protoc=1.85.1
venv=${LEVADA_PYTHON:-$HOME/.cache/levada/python-confluent-$version-$protoc}

fail() {
    echo "python.sh: $*" >&2
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
    "$venv/bin/pip" install --quiet --disable-pip-version-check \
        "confluent-kafka[avro,json,protobuf,schemaregistry]==$version" "grpcio-tools==$protoc" >&2 ||
        fail "pip could not install confluent-kafka $version and grpcio-tools $protoc"
    touch "$venv/complete"
}

setup
[ "${1:-setup}" = setup ] || exec "$venv/bin/python" "$here/$1" "${@:2}"
