-- Ask a table what it holds: one key, several, a range of windows, or all rows that fit.
--
-- Run it:   levada run sql-examples/17-pull.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM trips (driver STRING KEY, km INT, ended BIGINT)
  WITH (KAFKA_TOPIC = 'trips', VALUE_FORMAT = 'JSON', PARTITIONS = 1, TIMESTAMP = 'ended');

INSERT INTO trips VALUES ('ann', 5, 1000);
INSERT INTO trips VALUES ('ben', 12, 2000);
INSERT INTO trips VALUES ('ann', 7, 3700000);

CREATE TABLE kilometres AS SELECT driver, SUM(km) AS km FROM trips GROUP BY driver EMIT CHANGES;
CREATE TABLE kilometres_per_hour AS
  SELECT driver, SUM(km) AS km FROM trips WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY driver EMIT CHANGES;

-- > SELECT km FROM kilometres WHERE driver = 'ann';
-- {"KM":12}
-- > SELECT driver, km FROM kilometres WHERE driver IN ('ben', 'cleo');
-- {"DRIVER":"ben","KM":12}
-- > SELECT driver, km FROM kilometres WHERE km < 20 AND driver LIKE 'a%';
-- {"DRIVER":"ann","KM":12}
-- > SELECT driver, WINDOWSTART, km FROM kilometres_per_hour WHERE driver = 'ann' AND WINDOWSTART >= '1970-01-01T01:00';
-- {"DRIVER":"ann","WINDOWSTART":3600000,"KM":7}
