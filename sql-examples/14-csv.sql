-- Lines of a file without header: DELIMITED names the columns by their order. The delimiter may be another one.
--
-- Run it:   levada run sql-examples/14-csv.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

-- Each record's value is one line; an empty field is NULL, quotes keep a delimiter inside a field.
CREATE STREAM lines (line STRING) WITH (KAFKA_TOPIC = 'stations', VALUE_FORMAT = 'KAFKA', PARTITIONS = 1);
INSERT INTO lines VALUES ('Porto;41.15;1879');
INSERT INTO lines VALUES ('"Faro; central";37.02;');

CREATE STREAM stations (name STRING, latitude DOUBLE, opened INT)
  WITH (KAFKA_TOPIC = 'stations', KEY_FORMAT = 'NONE', VALUE_FORMAT = 'DELIMITED', VALUE_DELIMITER = ';');

CREATE STREAM stations_json WITH (VALUE_FORMAT = 'JSON') AS
  SELECT name, latitude, opened FROM stations EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM stations_json EMIT CHANGES LIMIT 2;
-- {"NAME":"Porto","LATITUDE":41.15,"OPENED":1879}
-- {"NAME":"Faro; central","LATITUDE":37.02,"OPENED":null}
