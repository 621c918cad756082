-- A stream LEFT JOINed to a table, and conditions on the columns of the table: who is not in it has NULL there and is left out.
--
-- Run it:   levada run sql-examples/32-qualified-clients.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE TABLE clients (id INT PRIMARY KEY, name STRING, level STRING, active BOOLEAN)
  WITH (KAFKA_TOPIC = 'clients', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

-- Tables first: a request meets the rows that were there before it.
INSERT INTO clients (ROWTIME, id, name, level, active) VALUES (1000, 1, 'Ines', 'gold', true);
INSERT INTO clients (ROWTIME, id, name, level, active) VALUES (1000, 2, 'Rui', 'silver', true);
INSERT INTO clients (ROWTIME, id, name, level, active) VALUES (1000, 3, 'Ana', 'gold', false);

CREATE STREAM requests (client INT KEY, wish STRING)
  WITH (KAFKA_TOPIC = 'requests', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO requests (ROWTIME, client, wish) VALUES (2000, 1, 'a table by the window');
INSERT INTO requests (ROWTIME, client, wish) VALUES (2001, 2, 'a cake');
INSERT INTO requests (ROWTIME, client, wish) VALUES (2002, 3, 'flowers');
INSERT INTO requests (ROWTIME, client, wish) VALUES (2003, 4, 'a taxi');

CREATE STREAM qualified_requests AS
  SELECT r.client AS client, c.name AS name, r.wish AS wish
  FROM requests r
    LEFT JOIN clients c ON r.client = c.id
  WHERE c.name IS NOT NULL AND c.active AND c.level IN ('gold', 'platinum')
  EMIT CHANGES;

-- > SELECT * FROM qualified_requests;
-- {"CLIENT":1,"NAME":"Ines","WISH":"a table by the window"}
