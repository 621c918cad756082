-- Findings of a laboratory. What wards may see of them, and what researchers may: not who the patients are.
--
-- run.sh lets ada send this file to the server; she is the only one who may define anything.

SET 'auto.offset.reset' = 'earliest';

CREATE TABLE limits (analyte STRING PRIMARY KEY, low DOUBLE, high DOUBLE)
  WITH (KAFKA_TOPIC = 'limits', VALUE_FORMAT = 'AVRO', PARTITIONS = 1);

CREATE STREAM findings (tube STRING KEY, patient STRING, ward STRING, analyte STRING, measured DOUBLE)
  WITH (KAFKA_TOPIC = 'findings', VALUE_FORMAT = 'AVRO', PARTITIONS = 1);

-- What the ward is called about.
CREATE STREAM alarms WITH (KAFKA_TOPIC = 'alarms') AS
  SELECT f.analyte AS analyte, f.tube AS tube, f.ward AS ward, f.patient AS patient,
    CASE WHEN f.measured < l.low THEN 'too low: ' ELSE 'too high: ' END + CAST(f.measured AS STRING) AS finding
  FROM findings f
    JOIN limits l ON f.analyte = l.analyte
  WHERE f.measured NOT BETWEEN l.low AND l.high
  EMIT CHANGES;

-- What researchers get: a topic without names.
CREATE STREAM research WITH (KAFKA_TOPIC = 'research') AS
  SELECT tube, MASK(patient) AS patient, analyte, measured FROM findings EMIT CHANGES;

CREATE TABLE findings_by_ward WITH (KAFKA_TOPIC = 'findings_by_ward') AS
  SELECT ward, COUNT(*) AS findings, COUNT_DISTINCT(patient) AS patients FROM findings GROUP BY ward EMIT CHANGES;
