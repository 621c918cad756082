#!/bin/sh
# A morning of wishes, a change of levels, and the wishes after it, through concierge.sql.
#
# LEVADA          the binary (default: levada)
# LEVADA_OPTIONS  where: --data-dir DIR, and --property … for a cluster (default: --data-dir ./levada-concierge)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
levada=${LEVADA:-levada}
options=${LEVADA_OPTIONS:---data-dir ./levada-concierge}

produce() {
    # shellcheck disable=SC2086 # options are several words
    "$levada" topic produce "$1" --key-field "$2" --key-format kafka:int --timestamp-field "$3" $options <"$here/$4"
}

produce clients id since clients.jsonl
produce requests client at requests.jsonl
# shellcheck disable=SC2086
"$levada" run "$here/concierge.sql" --until-idle $options
produce clients id since changes.jsonl
produce requests client at later.jsonl
# shellcheck disable=SC2086
"$levada" run "$here/concierge.sql" --until-idle $options
