#!/bin/sh
# A minute and a half of a system log through logins.sql.
#
# LEVADA          the binary (default: levada)
# LEVADA_OPTIONS  where: --data-dir DIR, and --property … for a cluster (default: --data-dir ./levada-logins)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
levada=${LEVADA:-levada}
options=${LEVADA_OPTIONS:---data-dir ./levada-logins}

# shellcheck disable=SC2086 # options are several words
"$levada" topic produce syslog --timestamp-field logged_at $options <"$here/syslog.jsonl"
# shellcheck disable=SC2086
"$levada" run "$here/logins.sql" --until-idle $options
