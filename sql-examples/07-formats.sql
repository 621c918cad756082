-- Records of comma-separated values become JSON: the format belongs to the topic, not to the query.
--
-- Run it:   levada run sql-examples/07-formats.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM stock_lines (shop STRING KEY, item STRING, pieces INT, weight DOUBLE)
  WITH (KAFKA_TOPIC = 'stock_lines', VALUE_FORMAT = 'DELIMITED', PARTITIONS = 1);

INSERT INTO stock_lines VALUES ('porto', 'nuts, mixed', 3, 0.5);
INSERT INTO stock_lines VALUES ('faro', 'figs', 40, 1.25);

CREATE STREAM stock WITH (KAFKA_TOPIC = 'stock', VALUE_FORMAT = 'JSON') AS
  SELECT shop, item, pieces, pieces * weight AS weight
  FROM stock_lines
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT shop, item, weight FROM stock EMIT CHANGES LIMIT 2;
-- {"SHOP":"porto","ITEM":"nuts, mixed","WEIGHT":1.5}
-- {"SHOP":"faro","ITEM":"figs","WEIGHT":50.0}
