#!/bin/sh
# A morning of tide gauges through own-function.sql, with the function of udfs/epoch.
#
# LEVADA          the binary (default: levada)
# LEVADA_OPTIONS  where: --data-dir DIR, and --property … for a cluster (default: --data-dir ./levada-own-function)
# LEVADA_EPOCH    the library with the function (default: cargo builds it)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
levada=${LEVADA:-levada}
options=${LEVADA_OPTIONS:---data-dir ./levada-own-function}
# Each text that cannot be read is told in a topic, with a stream over it.
logging='--property ksql.logging.processing.stream.auto.create=true'

build() {
    # Where `make` builds, too.
    target=${CARGO_TARGET_DIR:-$HOME/.cache/levada/target}
    CARGO_TARGET_DIR=$target cargo build --release --locked --quiet --manifest-path "$here/../../udfs/epoch/Cargo.toml" >&2
    echo "$target/release/liblevada_epoch.so"
}

# shellcheck disable=SC2086 # options are several words
produce() { "$levada" topic produce "$1" --key-field gauge $options <"$here/$1.jsonl"; }

# shellcheck disable=SC2086
shell() { "$levada" shell $logging $options -e "$1"; }

library=${LEVADA_EPOCH:-$(build)}
produce gauges
produce readings
shell "CREATE FUNCTION epoch_ms USING '$library'; DESCRIBE FUNCTION epoch_ms;"
# shellcheck disable=SC2086
"$levada" run "$here/own-function.sql" --until-idle $logging $options
echo 'Without a pattern:'
if shell "CREATE STREAM hasty AS SELECT gauge, epoch_ms(noted) AS noted_ms FROM readings EMIT CHANGES;" 2>&1; then
    echo 'this should have been refused' >&2
    exit 1
fi
