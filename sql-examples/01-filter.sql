-- Keep some records of a stream, and some of their columns.
--
-- Run it:   levada run sql-examples/01-filter.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM orders (customer STRING KEY, item STRING, quantity INT, price BIGINT)
  WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO orders VALUES ('ines', 'cork', 12, 40);
INSERT INTO orders VALUES ('rui', 'glass', 1, 900);
INSERT INTO orders VALUES ('ines', 'tile', 300, 25);

-- A continuous query: every later order passes here too, as long as it runs.
CREATE STREAM large_orders AS
  SELECT customer, item, quantity * price AS total
  FROM orders
  WHERE quantity >= 10
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT customer, item, total FROM large_orders EMIT CHANGES LIMIT 2;
-- {"CUSTOMER":"ines","ITEM":"cork","TOTAL":480}
-- {"CUSTOMER":"ines","ITEM":"tile","TOTAL":7500}
