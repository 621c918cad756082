-- One stream into several: each sink has its own topic, format, and number of partitions.
--
-- Run it:   levada run sql-examples/13-one-into-several.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM log_lines (host STRING KEY, level STRING, line STRING)
  WITH (KAFKA_TOPIC = 'log_lines', VALUE_FORMAT = 'JSON', PARTITIONS = 2);

INSERT INTO log_lines VALUES ('a', 'INFO', 'started');
INSERT INTO log_lines VALUES ('b', 'ERROR', 'disk full');
INSERT INTO log_lines VALUES ('a', 'ERROR', 'no route');

CREATE STREAM errors WITH (KAFKA_TOPIC = 'log.errors', PARTITIONS = 1) AS
  SELECT host, line FROM log_lines WHERE level = 'ERROR' EMIT CHANGES;
CREATE STREAM errors_of_a WITH (KAFKA_TOPIC = 'log.errors.a', VALUE_FORMAT = 'DELIMITED', PARTITIONS = 1) AS
  SELECT host, line FROM errors WHERE host = 'a' EMIT CHANGES;
CREATE TABLE levels WITH (KAFKA_TOPIC = 'log.levels') AS
  SELECT level, COUNT(*) AS lines FROM log_lines GROUP BY level EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM errors_of_a EMIT CHANGES LIMIT 1;
-- {"HOST":"a","LINE":"no route"}
-- > SELECT * FROM levels WHERE level = 'ERROR';
-- {"LEVEL":"ERROR","LINES":2}
