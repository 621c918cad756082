-- Flights from New York: split, enriched, counted, watched.
--
-- Topics flights, airlines, airports and thresholds exist before this file runs (see import.sh).
-- Reference tables have time 0, earlier than every flight: a flight meets the rows that were there before it.

SET 'auto.offset.reset' = 'earliest';

------------------------------------------------------------------------------------------------------------------------
-- What comes in
------------------------------------------------------------------------------------------------------------------------

-- One record per scheduled flight. Event time is the scheduled hour, a text in the record. Only the columns that
-- are used are declared: the others stay bytes.
CREATE STREAM flights (
    carrier STRING KEY,
    flight INT, tailnum STRING, origin STRING, dest STRING,
    dep_time INT, dep_delay INT, arr_delay INT, distance INT,
    time_hour STRING
  ) WITH (
    KAFKA_TOPIC = 'flights', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON',
    TIMESTAMP = 'time_hour', TIMESTAMP_FORMAT = 'yyyy-MM-dd''T''HH:mm:ssX'
  );

CREATE TABLE airlines (carrier STRING PRIMARY KEY, name STRING)
  WITH (KAFKA_TOPIC = 'airlines', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');

CREATE TABLE airports (faa STRING PRIMARY KEY, name STRING, alt INT, tzone STRING)
  WITH (KAFKA_TOPIC = 'airports', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');

-- Delay in minutes beyond which a departure is worth an alert. The topic is compacted: the last record per airport
-- counts.
CREATE TABLE thresholds (airport STRING PRIMARY KEY, delay_limit INT)
  WITH (KAFKA_TOPIC = 'thresholds', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON');

INSERT INTO thresholds (ROWTIME, airport, delay_limit) VALUES (0, 'EWR', 240);
INSERT INTO thresholds (ROWTIME, airport, delay_limit) VALUES (0, 'JFK', 180);
INSERT INTO thresholds (ROWTIME, airport, delay_limit) VALUES (0, 'LGA', 300);

------------------------------------------------------------------------------------------------------------------------
-- Split
------------------------------------------------------------------------------------------------------------------------

-- A comparison with NULL is false, so the order of the branches is the order of the questions.
CREATE STREAM flight_status AS
  SELECT carrier, flight, tailnum, origin, dest, dep_delay, arr_delay, distance,
    CASE
      WHEN dep_time IS NULL THEN 'CANCELLED'
      WHEN arr_delay IS NULL THEN 'DIVERTED'
      WHEN arr_delay > 15 THEN 'LATE'
      ELSE 'ON TIME'
    END AS status
  FROM flights
  EMIT CHANGES;

CREATE STREAM cancelled AS
  SELECT carrier, flight, origin, dest, CASE WHEN tailnum IS NOT NULL THEN 'PLANE ' + tailnum ELSE '' END AS plane
  FROM flight_status
  WHERE status = 'CANCELLED'
  EMIT CHANGES;

CREATE STREAM diverted AS
  SELECT carrier, flight, tailnum, origin, dest, dep_delay
  FROM flight_status
  WHERE status = 'DIVERTED'
  EMIT CHANGES;

-- Who was to be taken far away: the predicate is on the table's columns, which are NULL for airports that are not in it.
-- LIKE wants a text: a record with NULL there would be rejected.
CREATE STREAM cancelled_far AS
  SELECT c.dest AS dest, a.name AS dest_name, a.tzone AS tzone, c.carrier AS carrier, c.flight AS flight
  FROM cancelled c
    LEFT JOIN airports a ON c.dest = a.faa
  WHERE a.tzone IS NOT NULL AND (a.tzone LIKE 'America/Los%' OR a.tzone IN ('America/Denver', 'Pacific/Honolulu'))
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- Enrich: three LEFT JOINs over two statements, because a statement may name a table only once
------------------------------------------------------------------------------------------------------------------------

CREATE STREAM flights_to AS
  SELECT s.dest AS dest, d.name AS dest_name, s.carrier AS carrier, a.name AS airline,
    s.flight AS flight, s.origin AS origin, s.dep_delay AS dep_delay, s.arr_delay AS arr_delay, s.status AS status
  FROM flight_status s
    LEFT JOIN airlines a ON s.carrier = a.carrier
    LEFT JOIN airports d ON s.dest = d.faa
  WHERE s.status <> 'CANCELLED'
  EMIT CHANGES;

CREATE STREAM departures AS
  SELECT f.origin AS origin, o.name AS origin_name, f.dest AS dest,
    CASE WHEN f.dest_name IS NULL THEN f.dest ELSE f.dest_name + ' (' + f.dest + ')' END AS destination,
    f.airline AS airline, f.carrier + ' ' + CAST(f.flight AS STRING) AS flight_number,
    f.dep_delay AS dep_delay, f.arr_delay AS arr_delay,
    CASE
      WHEN f.dep_delay > 0 THEN CAST(f.dep_delay AS STRING) + ' MINS LATE'
      WHEN f.dep_delay < 0 THEN CAST(0 - f.dep_delay AS STRING) + ' MINS EARLY'
      ELSE 'ON TIME'
    END AS punctuality
  FROM flights_to f
    LEFT JOIN airports o ON f.origin = o.faa
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- Count
--
-- The flights of one partition come in order of the day, other partitions may be further on: the grace period lets all
-- of them in, and keeps every window readable.
------------------------------------------------------------------------------------------------------------------------

-- Delays per carrier and scheduled hour.
CREATE TABLE carrier_hours AS
  SELECT carrier,
    COUNT(*) AS flights,
    SUM(CASE WHEN dep_time IS NULL THEN 1 ELSE 0 END) AS cancelled,
    SUM(CASE WHEN dep_delay > 15 THEN 1 ELSE 0 END) AS late,
    AVG(dep_delay) AS delay_avg,
    MIN(dep_delay) AS delay_min,
    MAX(dep_delay) AS delay_max
  FROM flights
    WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 366 DAYS)
  GROUP BY carrier
  EMIT CHANGES;

-- How the days went, a column for each of the larger carriers.
CREATE TABLE daily_status AS
  SELECT status,
    COUNT(*) AS flights,
    SUM(CASE WHEN carrier = 'UA' THEN 1 ELSE 0 END) AS united,
    SUM(CASE WHEN carrier = 'B6' THEN 1 ELSE 0 END) AS jetblue,
    SUM(CASE WHEN carrier = 'DL' THEN 1 ELSE 0 END) AS delta,
    SUM(CASE WHEN carrier IN ('UA', 'B6', 'DL') THEN 0 ELSE 1 END) AS others,
    SUM(distance) AS miles
  FROM flight_status
    WINDOW TUMBLING (SIZE 1 DAY, GRACE PERIOD 366 DAYS)
  GROUP BY status
  EMIT CHANGES;

-- Routes where one waits. A route that gets better leaves the table.
CREATE TABLE worst_routes AS
  SELECT origin + ' -> ' + dest AS route,
    COUNT(*) AS flights,
    AVG(dep_delay) AS delay_avg,
    MAX(dep_delay) AS delay_max
  FROM departures
  GROUP BY origin + ' -> ' + dest
  HAVING COUNT(*) >= 50 AND AVG(dep_delay) > 25
  EMIT CHANGES;

-- Late departures by plane: a stream with another key.
CREATE STREAM late_by_plane AS
  SELECT tailnum, carrier, flight, origin, dest, dep_delay
  FROM flight_status
  WHERE dep_delay > 60
  PARTITION BY tailnum
  EMIT CHANGES;

-- Planes that left more than an hour late three times on one day.
CREATE TABLE troubled_planes AS
  SELECT tailnum, COUNT(*) AS late_departures, SUM(dep_delay) AS delay_total
  FROM late_by_plane
    WINDOW TUMBLING (SIZE 1 DAY, GRACE PERIOD 366 DAYS)
  GROUP BY tailnum
  HAVING COUNT(*) >= 3
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- Watch
------------------------------------------------------------------------------------------------------------------------

-- A departure beyond its airport's threshold.
CREATE STREAM alerts AS
  SELECT d.origin AS airport, d.flight_number AS flight_number, d.dep_delay AS dep_delay, t.delay_limit AS threshold,
    d.airline + ' to ' + d.destination + ': ' + d.punctuality AS message
  FROM departures d
    JOIN thresholds t ON d.origin = t.airport
  WHERE d.dep_delay > t.delay_limit
  EMIT CHANGES;
