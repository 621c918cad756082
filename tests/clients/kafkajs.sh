#!/usr/bin/env bash
# Runs programs around KafkaJS's client of schema registries: registry.js, parcels.js.
#
#   kafkajs.sh setup                  only fetch what they need
#   kafkajs.sh PROGRAM.js ARGUMENT…   one of them
#
# Wants Node.js 18 or newer with npm; packages are kept in $LEVADA_KAFKAJS (default: ~/.cache/levada/kafkajs-registry-VERSION), outside
# of the checkout.
set -euo pipefail

here=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
version=3.9.0
folder=${LEVADA_KAFKAJS:-$HOME/.cache/levada/kafkajs-registry-$version}

fail() {
    echo "kafkajs.sh: $*" >&2
    exit 1
}

# shellcheck source=npm.sh
. "$here/npm.sh"

npm_package "$folder" @kafkajs/confluent-schema-registry "$version"
[ "${1:-setup}" = setup ] || NODE_PATH=$folder/node_modules exec node "$here/$1" "${@:2}"
