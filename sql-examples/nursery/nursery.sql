-- Orders from CSV files meet the customers of a database, whose keys are in Avro; the result is for a warehouse to fetch.
--
-- Topics orders and nursery.customers are there before this file runs (see run.sh).

SET 'auto.offset.reset' = 'earliest';

-- As `levada topic import` has written and named them.
CREATE STREAM orders (
    order_no BIGINT KEY,
    ordered_on STRING, customer INT, plant STRING, pieces INT, price DECIMAL(8, 2), note STRING
  ) WITH (KAFKA_TOPIC = 'orders', VALUE_FORMAT = 'JSON');

-- The registry knows the columns. A key that is a number alone has no name: it is called ROWKEY.
CREATE TABLE customers WITH (KAFKA_TOPIC = 'nursery.customers', FORMAT = 'AVRO');

CREATE STREAM orders_of_customers WITH (KAFKA_TOPIC = 'orders_of_customers', FORMAT = 'AVRO') AS
  SELECT o.customer AS customer, AS_VALUE(o.customer) AS customer_no, o.order_no AS order_no, o.plant AS plant, o.pieces AS pieces,
    c.name AS name, c.town AS town,
    CAST(o.pieces * o.price * (CAST(1 AS DECIMAL(3, 2)) - COALESCE(c.discount, CAST(0 AS DECIMAL(3, 2)))) AS DECIMAL(10, 2)) AS total,
    o.note AS note
  FROM orders o
    JOIN customers c ON o.customer = c.rowkey
  EMIT CHANGES;

-- What the warehouse fetches: a line for each order.
CREATE STREAM picking_list WITH (KAFKA_TOPIC = 'picking_list', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'DELIMITED', VALUE_DELIMITER = ';') AS
  SELECT customer, order_no, plant, pieces, name, town, note
  FROM orders_of_customers
  EMIT CHANGES;

CREATE TABLE towns AS
  SELECT town, COUNT(*) AS orders, SUM(total) AS total
  FROM orders_of_customers
  GROUP BY town
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- What there is after run.sh. Each question stands behind `>`, its answer below; `~` is a question whose rows come in any order.
------------------------------------------------------------------------------------------------------------------------
-- > DESCRIBE customers;
-- {"Field":"ROWKEY","Type":"INTEGER          (primary key)"}
-- {"Field":"NAME","Type":"VARCHAR(STRING)"}
-- {"Field":"TOWN","Type":"VARCHAR(STRING)"}
-- {"Field":"DISCOUNT","Type":"DECIMAL(3, 2)"}
-- > SELECT customer, order_no, plant, name, town, total, note FROM orders_of_customers;
-- {"CUSTOMER":11,"ORDER_NO":5001,"PLANT":"Lavender","NAME":"Marta Leal","TOWN":"Sintra","TOTAL":25.92,"NOTE":null}
-- {"CUSTOMER":12,"ORDER_NO":5002,"PLANT":"Olive, young","NAME":"Café Central","TOWN":"Évora","TOTAL":70.00,"NOTE":"to the back door"}
-- {"CUSTOMER":13,"ORDER_NO":5004,"PLANT":"Lavender","NAME":"Tomé Reis","TOWN":"Sintra","TOTAL":9.12,"NOTE":"say \"hello\""}
-- {"CUSTOMER":12,"ORDER_NO":5005,"PLANT":"Rosemary","NAME":"Café Central","TOWN":"Évora","TOTAL":26.35,"NOTE":null}
-- > SET 'auto.offset.reset' = 'earliest'; SELECT rowkey, name, discount FROM customers EMIT CHANGES LIMIT 4;
-- {"ROWKEY":11,"NAME":"Marta Leal","DISCOUNT":0.10}
-- {"ROWKEY":12,"NAME":"Café Central","DISCOUNT":null}
-- {"ROWKEY":13,"NAME":"Tomé Reis","DISCOUNT":0.05}
-- {"ROWKEY":13,"NAME":null,"DISCOUNT":null}
-- > SELECT * FROM picking_list;
-- {"CUSTOMER":11,"ORDER_NO":5001,"PLANT":"Lavender","PIECES":12,"NAME":"Marta Leal","TOWN":"Sintra","NOTE":null}
-- {"CUSTOMER":12,"ORDER_NO":5002,"PLANT":"Olive, young","PIECES":2,"NAME":"Café Central","TOWN":"Évora","NOTE":"to the back door"}
-- {"CUSTOMER":13,"ORDER_NO":5004,"PLANT":"Lavender","PIECES":4,"NAME":"Tomé Reis","TOWN":"Sintra","NOTE":"say \"hello\""}
-- {"CUSTOMER":12,"ORDER_NO":5005,"PLANT":"Rosemary","PIECES":10,"NAME":"Café Central","TOWN":"Évora","NOTE":null}
-- ~ SELECT * FROM towns;
-- {"TOWN":"Sintra","ORDERS":2,"TOTAL":35.04}
-- {"TOWN":"Évora","ORDERS":2,"TOTAL":96.35}
