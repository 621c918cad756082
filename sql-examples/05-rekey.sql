-- Give a stream another key: records of one key are in one partition, in order.
--
-- Run it:   levada run sql-examples/05-rekey.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM readings (sensor STRING KEY, room STRING, celsius DOUBLE)
  WITH (KAFKA_TOPIC = 'readings', VALUE_FORMAT = 'JSON', PARTITIONS = 3);

INSERT INTO readings VALUES ('s1', 'kitchen', 21.5);
INSERT INTO readings VALUES ('s2', 'kitchen', 22.0);
INSERT INTO readings VALUES ('s3', 'hall', 18.25);

CREATE STREAM readings_by_place WITH (PARTITIONS = 2) AS
  SELECT 'floor 1, ' + room AS place, sensor, celsius
  FROM readings
  PARTITION BY 'floor 1, ' + room
  EMIT CHANGES;

CREATE TABLE rooms AS
  SELECT place, COUNT(*) AS readings, MAX(celsius) AS warmest
  FROM readings_by_place
  GROUP BY place
  EMIT CHANGES;

-- > SELECT * FROM rooms WHERE place = 'floor 1, kitchen';
-- {"PLACE":"floor 1, kitchen","READINGS":2,"WARMEST":22.0}
