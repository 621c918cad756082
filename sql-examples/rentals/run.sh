#!/bin/sh
# A shop's database and what becomes of its changes.
#
# LEVADA          the binary (default: levada)
# LEVADA_OPTIONS  where: --data-dir DIR, and --property … for a cluster (default: --data-dir ./levada-rentals)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
levada=${LEVADA:-levada}
options=${LEVADA_OPTIONS:---data-dir ./levada-rentals}

# shellcheck disable=SC2086 # options are several words
produce() { "$levada" topic produce "$1" --key-format json --key-separator '|' $options <"$here/$2"; }
# shellcheck disable=SC2086
work() { "$levada" run "$here/$1" --until-idle $options; }

# What the database has.
produce client_log clients.txt
produce tool_log tools.txt
work database.sql
work rentals.sql

# Hires of a morning.
produce hire_log hires.txt
work rentals.sql

# A client and a tool go, a client changes, and so does a price; then come more hires.
produce client_log clients-later.txt
produce tool_log tools-later.txt
work rentals.sql
produce hire_log hires-later.txt
work rentals.sql
