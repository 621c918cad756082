#!/usr/bin/env bash
# Runs programs that others have written for ksqlDB against a server, see ksqldb_clients.py and ksqldb_clients.js.
#
#   ksqldb_clients.sh setup ksql|ksqldb|node    only fetch what it needs
#   ksqldb_clients.sh ksql URL                  Python's package ksql
#   ksqldb_clients.sh ksqldb URL                Python's package ksqldb
#   ksqldb_clients.sh node STEP URL             a step of ksqldb_clients.js
#
# Wants Python 3.9 or newer, and Node.js 18 or newer with npm; packages are kept below $LEVADA_KSQLDB_CLIENTS (default:
# ~/.cache/levada/ksqldb-clients-1), outside of the checkout.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
folder=${LEVADA_KSQLDB_CLIENTS:-$HOME/.cache/levada/ksqldb-clients-1}

fail() {
    echo "ksqldb_clients.sh: $*" >&2
    exit 1
}

# Only one start fetches; the others wait for it.
once() {
    [ -e "$folder/$1/complete" ] && return 0
    mkdir -p "$folder"
    exec 9>"$folder/$1.lock"
    ! command -v flock >/dev/null || flock 9
    [ -e "$folder/$1/complete" ] && return 0
    rm -rf "${folder:?}/$1"
    "fetch_$1"
    touch "$folder/$1/complete"
}

# An environment of its own for each: they want different versions of the same libraries.
environment() {
    command -v python3 >/dev/null || fail "there is no python3"
    python3 -m venv "$folder/$1" >&2 || fail "python3 makes no virtual environment; install python3-venv"
}

install() {
    "$folder/$1/bin/pip" install --quiet --disable-pip-version-check "${@:2}" >&2 || fail "pip could not install ${*:2}"
}

fetch_ksql() {
    environment ksql
    # It is older than isolated builds and wants pip and setuptools where it is built.
    install ksql "setuptools<72" wheel
    install ksql --no-build-isolation "ksql==0.10.2"
}

fetch_ksqldb() {
    environment ksqldb
    install ksqldb "ksqldb==1.0.1" "httpx[http2]==0.28.1" "requests==2.32.5"
}

fetch_node() {
    command -v npm >/dev/null || fail "there is no npm"
    mkdir -p "$folder/node"
    npm install --silent --no-audit --no-fund --prefix "$folder/node" "ksqldb-client@1.0.5" >&2 ||
        fail "npm could not install ksqldb-client 1.0.5"
}

case ${1:-} in
setup) once "$2" ;;
ksql | ksqldb)
    once "$1"
    exec "$folder/$1/bin/python" "$here/ksqldb_clients.py" "$1" "$2"
    ;;
node)
    once node
    NODE_PATH=$folder/node/node_modules exec node "$here/ksqldb_clients.js" "$2" "$3"
    ;;
*) fail "say what: setup, ksql, ksqldb or node" ;;
esac
