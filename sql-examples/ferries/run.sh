#!/bin/sh
# Two days of ferries through ferries.sql.
#
# LEVADA          the binary (default: levada)
# LEVADA_OPTIONS  where: --data-dir DIR, and --property … for a cluster (default: --data-dir ./levada-ferries)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
levada=${LEVADA:-levada}
options=${LEVADA_OPTIONS:---data-dir ./levada-ferries}

# shellcheck disable=SC2086 # options are several words
topic() { "$levada" topic "$@" $options; }
# shellcheck disable=SC2086
work() { "$levada" run "$here/ferries.sql" --until-idle $options; }

# Two partitions each: joined inputs must agree.
topic import operators "$here/operators.csv" --key-field code --timestamp 1 --partitions 2
topic import ports "$here/ports.csv" --key-field code --timestamp 1 --partitions 2
topic create delay_limits --partitions 2 --compact

# What is to come, and from how many minutes on a port wants to know.
topic produce ferry_feed --timestamp-field sent_at <"$here/announced.jsonl"
topic produce delay_limits --key-field port --timestamp-field since <<TEXT
{"port": "BRE", "mins": 15, "since": 1}
{"port": "DUN", "mins": 30, "since": 1}
TEXT
work

# The first day.
topic produce ferry_feed --timestamp-field sent_at <"$here/first-day.jsonl"
work

# Breck wants to know earlier now and Dunmore not at all; then comes the second day.
topic produce delay_limits --key-separator '|' <<TEXT
BRE|{"mins": 10}
DUN|
TEXT
topic produce ferry_feed --timestamp-field sent_at <"$here/second-day.jsonl"
work
