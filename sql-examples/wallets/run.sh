#!/bin/sh
# Commands of a festival's wallets, some of them sent twice.
#
# LEVADA           the binary (default: levada)
# LEVADA_OPTIONS   where: --data-dir DIR, and --property … for a cluster (default: --data-dir ./levada-wallets)
# LEVADA_REGISTRY  the schema registry, http://HOST:PORT, unless it is that of the data directory
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
levada=${LEVADA:-levada}
options=${LEVADA_OPTIONS:---data-dir ./levada-wallets}

# Tells the registry at $1 what a command is.
register() {
    schema=$(sed 's/"/\\"/g' "$here/commands.avsc" | tr -d '\n')
    curl --silent --show-error --fail --header 'Content-Type: application/vnd.schemaregistry.v1+json' \
        --data "{\"schema\": \"$schema\"}" "$1/subjects/commands-value/versions"
    echo
}

# The registry of the data directory speaks to others while Levada runs and a property says where.
register_in_data_directory() {
    log=$(mktemp)
    # shellcheck disable=SC2086 # options are several words
    echo 'SHOW TOPICS;' | "$levada" run - --property levada.schema.registry.listener=127.0.0.1:0 $options >/dev/null 2>"$log" &
    server=$!
    until grep -q '^schema registry at ' "$log"; do
        kill -0 "$server" || { cat "$log" >&2; exit 1; }
        sleep 0.1
    done
    register "$(sed -n 's/^schema registry at //p' "$log")"
    kill -TERM "$server"
    wait "$server"
    rm -f "$log"
}

# shellcheck disable=SC2086
work() { "$levada" run "$here/$1" --until-idle $options; }

# shellcheck disable=SC2086
"$levada" topic create commands $options
if [ -n "${LEVADA_REGISTRY:-}" ]; then register "$LEVADA_REGISTRY"; else register_in_data_directory; fi
# shellcheck disable=SC2086
"$levada" topic produce requests $options <"$here/requests.jsonl"
work requests.sql
work wallets.sql
