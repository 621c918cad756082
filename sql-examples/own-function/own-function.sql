-- Levels of tide gauges, each of which writes the time in its own way: a function of one's own reads them all.
--
-- The topics gauges and readings, and the function epoch_ms of ../../udfs/epoch, are there before this file runs (see run.sh).

SET 'auto.offset.reset' = 'earliest';

-- How a gauge writes the time.
CREATE TABLE gauges (gauge STRING PRIMARY KEY, pattern STRING) WITH (KAFKA_TOPIC = 'gauges', VALUE_FORMAT = 'JSON');

CREATE STREAM readings (gauge STRING KEY, noted STRING, cm INT) WITH (KAFKA_TOPIC = 'readings', VALUE_FORMAT = 'JSON');

-- Text and pattern come from columns. What does not fit is NULL, and the processing log says what did not fit what.
CREATE STREAM timed AS
  SELECT r.gauge AS gauge, r.noted AS noted, r.cm AS cm, epoch_ms(r.noted, g.pattern) AS noted_ms
  FROM readings r
    JOIN gauges g ON r.gauge = g.gauge
  EMIT CHANGES;

CREATE STREAM unreadable AS
  SELECT gauge, noted, cm FROM timed WHERE noted_ms IS NULL EMIT CHANGES;

-- From here on a reading has the time at which it was noted.
CREATE STREAM levels WITH (TIMESTAMP = 'noted_ms') AS
  SELECT gauge, cm, noted_ms FROM timed WHERE noted_ms IS NOT NULL EMIT CHANGES;

CREATE TABLE high_waters AS
  SELECT gauge, MAX(cm) AS cm, COUNT(*) AS readings
  FROM levels WINDOW TUMBLING (SIZE 1 HOUR)
  GROUP BY gauge
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- What there is after run.sh. Each question stands behind `>`, its answer below; `~` is a question whose rows come in any order.
------------------------------------------------------------------------------------------------------------------------

-- ~ SELECT gauge, TIMESTAMPTOSTRING(WINDOWSTART, 'HH:mm', 'UTC') AS hour, cm, readings FROM high_waters;
-- {"GAUGE":"north","HOUR":"06:00","CM":224,"READINGS":2}
-- {"GAUGE":"north","HOUR":"07:00","CM":231,"READINGS":1}
-- {"GAUGE":"mole","HOUR":"06:00","CM":219,"READINGS":2}
-- {"GAUGE":"mole","HOUR":"07:00","CM":225,"READINGS":1}
-- {"GAUGE":"lock","HOUR":"06:00","CM":431,"READINGS":1}
-- {"GAUGE":"lock","HOUR":"07:00","CM":430,"READINGS":1}
-- ~ SELECT gauge, noted, cm FROM unreadable;
-- {"GAUGE":"buoy","NOTED":"2026-060 06:35","CM":190}
-- {"GAUGE":"mole","NOTED":"2026-03-01 07:05","CM":222}
-- {"GAUGE":"north","NOTED":"31.02.2026 07:30","CM":229}
-- {"GAUGE":"lock","NOTED":null,"CM":433}
-- ~ SELECT message->recordProcessingError->errorMessage AS error FROM KSQL_PROCESSING_LOG;
-- {"ERROR":"EPOCH_MS(R_NOTED, G_PATTERN): cannot read '2026-060 06:35' as '%Y-%j %H:%Q': bad or unsupported format string"}
-- {"ERROR":"EPOCH_MS(R_NOTED, G_PATTERN): cannot read '2026-03-01 07:05' as '%Y-%m-%dT%H:%M:%S': input contains invalid characters"}
-- {"ERROR":"EPOCH_MS(R_NOTED, G_PATTERN): cannot read '31.02.2026 07:30' as '%d.%m.%Y %H:%M': input is out of range"}
