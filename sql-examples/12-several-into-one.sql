-- Several streams become one: INSERT INTO … SELECT adds a query to a stream that is there.
--
-- Run it:   levada run sql-examples/12-several-into-one.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM web_orders (id STRING KEY, cents BIGINT)
  WITH (KAFKA_TOPIC = 'web_orders', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
CREATE STREAM shop_orders (id STRING KEY, cents INT, clerk STRING)
  WITH (KAFKA_TOPIC = 'shop_orders', VALUE_FORMAT = 'DELIMITED', PARTITIONS = 1);

INSERT INTO web_orders VALUES ('w1', 1250);
INSERT INTO web_orders VALUES ('w2', 300);
INSERT INTO shop_orders VALUES ('s1', 990, 'rui');

CREATE STREAM all_orders AS SELECT id, cents, 'web' AS origin FROM web_orders EMIT CHANGES;
-- Columns by their names and order; an INT widens to the BIGINT of the target.
INSERT INTO all_orders SELECT id, cents, 'shop' AS origin FROM shop_orders EMIT CHANGES;

CREATE TABLE by_origin AS
  SELECT origin, COUNT(*) AS orders, SUM(cents) AS cents FROM all_orders GROUP BY origin EMIT CHANGES;

-- > SELECT * FROM by_origin WHERE origin = 'shop';
-- {"ORIGIN":"shop","ORDERS":1,"CENTS":990}
-- > SELECT * FROM by_origin WHERE origin = 'web';
-- {"ORIGIN":"web","ORDERS":2,"CENTS":1550}
