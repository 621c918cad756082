-- Money: DECIMAL keeps every digit. A product is as long as both factors together, CAST rounds half up.
--
-- Run it:   levada run sql-examples/19-decimals.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM bills (id INT KEY, net DECIMAL(10, 2), rate DECIMAL(4, 3))
  WITH (KAFKA_TOPIC = 'bills', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO bills VALUES (1, 19.99, 0.230);
INSERT INTO bills VALUES (2, 0.05, 0.060);

CREATE STREAM taxed AS
  SELECT id, net * rate AS exact, CAST(net * rate AS DECIMAL(10, 2)) AS tax, net + CAST(net * rate AS DECIMAL(10, 2)) AS gross
  FROM bills
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM taxed EMIT CHANGES LIMIT 2;
-- {"ID":1,"EXACT":4.59770,"TAX":4.60,"GROSS":24.59}
-- {"ID":2,"EXACT":0.00300,"TAX":0.00,"GROSS":0.05}
