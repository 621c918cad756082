#!/bin/sh
# Orders from CSV files, joined to the customers of a database.
#
# LEVADA          the binary (default: levada)
# LEVADA_OPTIONS  where: --data-dir DIR, and --property … for a cluster (default: --data-dir ./levada-nursery)
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
levada=${LEVADA:-levada}
options=${LEVADA_OPTIONS:---data-dir ./levada-nursery}

# shellcheck disable=SC2086 # options are several words
produce() { "$levada" topic produce customer_log --key-format kafka:int --key-separator '|' $options <"$here/$1"; }
# The header names the columns, this their types; --print-sql shows the CREATE STREAM that fits.
# shellcheck disable=SC2086
import() {
    "$levada" topic import orders "$here/$1" --key-field order_no --key-format kafka:bigint \
        --types 'customer INT, pieces INT, price DOUBLE' --print-sql $options
}
# shellcheck disable=SC2086
work() { "$levada" run "$here/$1" --until-idle $options; }

# The customers first: an order meets those that are there when it comes.
produce customers.txt
work database.sql
# shellcheck disable=SC2086
"$levada" topic create orders $options
work nursery.sql
import orders-monday.csv
work nursery.sql

# A customer goes, another gets a discount; then comes the next file.
produce customers-later.txt
work nursery.sql
import orders-tuesday.csv
work nursery.sql
