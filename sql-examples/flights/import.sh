#!/bin/sh
# Creates the four topics that flights.sql reads, in the data directory $LEVADA_DEMO_DIR.
#
# LEVADA             the binary (default: levada)
# LEVADA_DEMO_DIR    the data directory (default: ./levada-demo)
# LEVADA_FLIGHTS_CSV the flights (default: January 2013, beside this script)
# LEVADA_OPTIONS     --property … for a cluster, on which the topics are then
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
levada=${LEVADA:-levada}
data=${LEVADA_DEMO_DIR:-./levada-demo}
flights=${LEVADA_FLIGHTS_CSV:-$here/flights-2013-01.csv.gz}
options="--data-dir $data ${LEVADA_OPTIONS:-}"

# shellcheck disable=SC2086 # options are several words
{
    # Four partitions each: joined inputs must agree. Reference data has time 0, so it is there before the first flight.
    "$levada" topic import airlines "$here/airlines.csv" \
        --key-field carrier --key-format kafka:string --timestamp 0 --partitions 4 $options
    "$levada" topic import airports "$here/airports.csv" \
        --key-field faa --key-format kafka:string --timestamp 0 --partitions 4 $options
    "$levada" topic create thresholds --partitions 4 --compact $options
    "$levada" topic import flights "$flights" \
        --key-field carrier --key-format kafka:string --partitions 4 $options
}
