-- More columns for a stream that is there: ALTER. Records from before have NULL in them, and queries from before do not see them.
--
-- Run it:   levada run sql-examples/25-more-columns.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM sales (shop STRING KEY, item STRING)
  WITH (KAFKA_TOPIC = 'sales', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO sales VALUES ('porto', 'cork');

CREATE STREAM sales_before AS SELECT * FROM sales EMIT CHANGES;

ALTER STREAM sales ADD COLUMN pieces INT, ADD COLUMN price DECIMAL(8, 2);

INSERT INTO sales VALUES ('faro', 'tile', 2, 0.25);

CREATE STREAM sales_after AS SELECT *, pieces * price AS total FROM sales EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM sales_before EMIT CHANGES LIMIT 2;
-- {"SHOP":"porto","ITEM":"cork"}
-- {"SHOP":"faro","ITEM":"tile"}
-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM sales_after EMIT CHANGES LIMIT 2;
-- {"SHOP":"porto","ITEM":"cork","PIECES":null,"PRICE":null,"TOTAL":null}
-- {"SHOP":"faro","ITEM":"tile","PIECES":2,"PRICE":0.25,"TOTAL":0.50}
