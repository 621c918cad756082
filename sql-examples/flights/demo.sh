#!/bin/sh
# A month of real flights through flights.sql, from CSV to alerts. `make demo` builds the binary first and runs this.
#
# LEVADA, LEVADA_DEMO_DIR and LEVADA_FLIGHTS_CSV are as in import.sh. The data directory starts empty each time.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
levada=${LEVADA:-levada}
data=${LEVADA_DEMO_DIR:-./levada-demo}

say() {
    printf '\n\033[1m%s\033[0m\n' "$*"
}

ask() {
    printf '> %s\n' "$1"
    "$levada" shell --data-dir "$data" -e "$1"
}

# Only a directory that this script has made is emptied.
if [ -e "$data" ] && [ ! -e "$data/.flights-demo" ]; then
    echo "$data exists and is not this demo's: set LEVADA_DEMO_DIR to another path" >&2
    exit 1
fi
rm -rf "$data"
mkdir -p "$data"
: >"$data/.flights-demo"

say 'Import: CSV files become topics'
LEVADA=$levada LEVADA_DEMO_DIR=$data LEVADA_OPTIONS= sh "$here/import.sh"

say 'Run: flights.sql, until nothing is left to do'
"$levada" run "$here/flights.sql" --until-idle --data-dir "$data"

say 'What there is'
ask 'SHOW STREAMS;'
ask 'SHOW TABLES;'
ask 'SHOW QUERIES;'

say 'Routes from New York with the longest waits'
ask 'SELECT route, flights, delay_avg, delay_max FROM worst_routes;'

say 'Flights that did not leave, per day'
ask "SELECT * FROM daily_status WHERE status = 'CANCELLED' LIMIT 5;"

say 'Hawaiian Airlines, hour by hour'
ask "SELECT * FROM carrier_hours WHERE carrier = 'HA' LIMIT 5;"

say 'Planes that were late three times on one day'
ask 'SELECT * FROM troubled_planes LIMIT 5;'

say 'Alerts: departures beyond the threshold of their airport'
ask "SET 'auto.offset.reset' = 'earliest'; SELECT airport, dep_delay, threshold, message FROM alerts EMIT CHANGES LIMIT 5;"

say 'Look further'
cat <<TEXT
$levada shell --data-dir $data
    SHOW TOPICS;
    DESCRIBE departures;
    EXPLAIN SELECT origin, COUNT(*) FROM departures GROUP BY origin EMIT CHANGES;
    SELECT * FROM worst_routes WHERE route = 'EWR -> ALB';
    INSERT INTO thresholds (airport, delay_limit) VALUES ('LGA', 120);

$levada topic consume ALERTS --data-dir $data
The statements are in $here/flights.sql.
TEXT
