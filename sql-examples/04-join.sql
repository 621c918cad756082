-- Enrich a stream from a table: each order meets the customer as the table has it at that moment.
--
-- Run it:   levada run sql-examples/04-join.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE TABLE customers (id INT PRIMARY KEY, name STRING, city STRING)
  WITH (KAFKA_TOPIC = 'customers', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

CREATE STREAM parcels (customer_id INT KEY, order_id STRING, item STRING)
  WITH (KAFKA_TOPIC = 'parcels', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

-- ROWTIME is the event time: the customers were there before the orders, and Rui moved in between.
INSERT INTO customers (ROWTIME, id, name, city) VALUES (1, 1, 'Ines', 'Porto');
INSERT INTO customers (ROWTIME, id, name, city) VALUES (2, 2, 'Rui', 'Faro');
INSERT INTO customers (ROWTIME, id, name, city) VALUES (15, 2, 'Rui', 'Evora');
INSERT INTO parcels (ROWTIME, customer_id, order_id, item) VALUES (10, 2, 'o1', 'cork');
INSERT INTO parcels (ROWTIME, customer_id, order_id, item) VALUES (20, 2, 'o2', 'tile');
INSERT INTO parcels (ROWTIME, customer_id, order_id, item) VALUES (30, 7, 'o3', 'glass');

CREATE STREAM parcels_named AS
  SELECT o.customer_id AS customer_id, o.order_id AS order_id, o.item AS item, c.name AS name, c.city AS city
  FROM parcels o
    LEFT JOIN customers c ON o.customer_id = c.id
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT order_id, item, name, city FROM parcels_named EMIT CHANGES LIMIT 3;
-- {"ORDER_ID":"o1","ITEM":"cork","NAME":"Rui","CITY":"Faro"}
-- {"ORDER_ID":"o2","ITEM":"tile","NAME":"Rui","CITY":"Evora"}
-- {"ORDER_ID":"o3","ITEM":"glass","NAME":null,"CITY":null}
