-- Enrich a stream from a table: each purchase meets the customer as the table has it at that moment.
--
-- Run it:   levada run sql-examples/04-join.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE TABLE customers (id INT PRIMARY KEY, name STRING, city STRING)
  WITH (KAFKA_TOPIC = 'customers', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

CREATE STREAM purchases (customer_id INT KEY, receipt STRING, item STRING)
  WITH (KAFKA_TOPIC = 'purchases', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

-- ROWTIME is the event time: the customers were there before the purchases, and Rui moved in between.
INSERT INTO customers (ROWTIME, id, name, city) VALUES (1, 1, 'Ines', 'Porto');
INSERT INTO customers (ROWTIME, id, name, city) VALUES (2, 2, 'Rui', 'Faro');
INSERT INTO customers (ROWTIME, id, name, city) VALUES (15, 2, 'Rui', 'Evora');
INSERT INTO purchases (ROWTIME, customer_id, receipt, item) VALUES (10, 2, 'r1', 'cork');
INSERT INTO purchases (ROWTIME, customer_id, receipt, item) VALUES (20, 2, 'r2', 'tile');
INSERT INTO purchases (ROWTIME, customer_id, receipt, item) VALUES (30, 7, 'r3', 'glass');

CREATE STREAM purchases_named AS
  SELECT p.customer_id AS customer_id, p.receipt AS receipt, p.item AS item, c.name AS name, c.city AS city
  FROM purchases p
    LEFT JOIN customers c ON p.customer_id = c.id
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT receipt, item, name, city FROM purchases_named EMIT CHANGES LIMIT 3;
-- {"RECEIPT":"r1","ITEM":"cork","NAME":"Rui","CITY":"Faro"}
-- {"RECEIPT":"r2","ITEM":"tile","NAME":"Rui","CITY":"Evora"}
-- {"RECEIPT":"r3","ITEM":"glass","NAME":null,"CITY":null}
