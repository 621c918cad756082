#!/usr/bin/env bash
# Runs programs that others have written for ksqlDB against a server, see ksqldb_clients.py and ksqldb_clients.js.
#
#   ksqldb_clients.sh setup ksql|ksqldb|node    only fetch what it needs
#   ksqldb_clients.sh ksql URL                  Python's package ksql
#   ksqldb_clients.sh ksqldb URL                Python's package ksqldb
#   ksqldb_clients.sh node STEP URL             a step of ksqldb_clients.js
#
# Wants what python.sh wants, and Node.js 18 or newer with npm, whose packages are kept in $LEVADA_KSQLDB_CLIENT (default:
# ~/.cache/levada/ksqldb-client-VERSION), outside of the checkout.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
version=1.0.5
folder=${LEVADA_KSQLDB_CLIENT:-$HOME/.cache/levada/ksqldb-client-$version}

fail() {
    echo "ksqldb_clients.sh: $*" >&2
    exit 1
}

# shellcheck source=npm.sh
. "$here/npm.sh"

setup_node() {
    npm_package "$folder" ksqldb-client "$version"
}

case "${1:-} ${2:-}" in
"setup node") setup_node ;;
"setup "*) exec "$here/python.sh" setup "$2" ;;
"ksql "* | "ksqldb "*) exec "$here/python.sh" "$1" ksqldb_clients.py "$1" "$2" ;;
"node "*)
    setup_node
    NODE_PATH=$folder/node_modules exec node "$here/ksqldb_clients.js" "$2" "$3"
    ;;
*) fail "say what: setup, ksql, ksqldb or node" ;;
esac
