#!/bin/sh
# Ten minutes of nine pumps through pumps.sql.
#
# LEVADA          the binary (default: levada)
# LEVADA_OPTIONS  where: --data-dir DIR, and --property … for a cluster (default: --data-dir ./levada-pumps)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
levada=${LEVADA:-levada}
options=${LEVADA_OPTIONS:---data-dir ./levada-pumps}

# shellcheck disable=SC2086 # options are several words
"$levada" datagen --schema "$here/states.avsc" --topic pump_states --key device --begin 2026-03-01T06:00:00Z --rate 8 --count 4800 --seed 5 $options
# shellcheck disable=SC2086
"$levada" run "$here/pumps.sql" --until-idle $options
