-- Count and add per key: the result is a table that can be asked for one key at any time.
--
-- Run it:   levada run sql-examples/02-count.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM payments (account STRING KEY, amount BIGINT)
  WITH (KAFKA_TOPIC = 'payments', VALUE_FORMAT = 'JSON', PARTITIONS = 2);

INSERT INTO payments VALUES ('a', 10);
INSERT INTO payments VALUES ('b', 5);
INSERT INTO payments VALUES ('a', 30);

CREATE TABLE balances AS
  SELECT account, COUNT(*) AS payments, SUM(amount) AS total, AVG(amount) AS mean
  FROM payments
  GROUP BY account
  EMIT CHANGES;

-- > SELECT * FROM balances WHERE account = 'a';
-- {"ACCOUNT":"a","PAYMENTS":2,"TOTAL":40,"MEAN":20.0}
