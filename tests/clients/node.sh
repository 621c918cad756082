#!/usr/bin/env bash
# Runs programs of Node.js with packages that others have written.
#
#   node.sh setup SET                   only fetch the packages
#   node.sh SET PROGRAM.js ARGUMENT…    a program of this folder
#
# Wants Node.js 18 or newer with npm. Each set is a folder of its own: $LEVADA_NODE/SET-CHECKSUM (default: ~/.cache/levada/node), outside of
# the checkout.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=packages.sh
. "$here/packages.sh"

fail() {
    echo "node.sh: $*" >&2
    exit 1
}

# What the packages of a set are.
packages() {
    case $1 in
    kafkajs) echo "@kafkajs/confluent-schema-registry@3.9.0" ;;
    ksqldb) echo "ksqldb-client@1.0.5" ;;
    *) fail "there is no set of packages $1" ;;
    esac
}

fetch() {
    command -v npm >/dev/null || fail "there is no npm"
    mkdir -p "$folder"
    # shellcheck disable=SC2086 # names of packages have no spaces
    npm install --silent --no-audit --no-fund --prefix "$folder" $wanted >&2 || fail "npm could not install $wanted"
}

setup() {
    wanted=$(packages "$1")
    folder=$(folder_of "${LEVADA_NODE:-$HOME/.cache/levada/node}" "$1" "$wanted")
    once "$folder"
}

case ${1:-} in
setup) setup "${2:?say which packages}" ;;
*)
    setup "${1:?say which packages}"
    NODE_PATH=$folder/node_modules exec node "$here/${2:?say which program}" "${@:3}"
    ;;
esac
