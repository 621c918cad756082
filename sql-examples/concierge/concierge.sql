-- Wishes of clients who may have them: a stream LEFT JOINed to a table, and conditions on the columns of the table.
--
-- The topics clients and requests exist before this file runs (see run.sh).

SET 'auto.offset.reset' = 'earliest';

CREATE TABLE clients (id INT PRIMARY KEY, name STRING, level STRING, active BOOLEAN)
  WITH (KAFKA_TOPIC = 'clients', VALUE_FORMAT = 'JSON');

CREATE STREAM requests (client INT KEY, wish STRING)
  WITH (KAFKA_TOPIC = 'requests', VALUE_FORMAT = 'JSON');

-- Who is not among the clients has NULL in their columns.
CREATE STREAM qualified_requests AS
  SELECT r.client AS client, c.name AS name, c.level AS level, r.wish AS wish
  FROM requests r
    LEFT JOIN clients c ON r.client = c.id
  WHERE c.name IS NOT NULL AND c.active AND c.level IN ('gold', 'platinum')
  EMIT CHANGES;

-- The others, with the reason.
CREATE STREAM declined_requests AS
  SELECT r.client AS client, r.wish AS wish,
    CASE
      WHEN c.name IS NULL THEN 'no client'
      WHEN NOT c.active THEN 'membership of ' + c.name + ' is suspended'
      ELSE c.level + ' is not enough'
    END AS reason
  FROM requests r
    LEFT JOIN clients c ON r.client = c.id
  WHERE c.name IS NULL OR NOT c.active OR c.level NOT IN ('gold', 'platinum')
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- What there is after run.sh. Each question stands behind `>`, its answer below; `~` is a question whose rows come in any order.
------------------------------------------------------------------------------------------------------------------------

-- > SELECT client, name, level, wish FROM qualified_requests;
-- {"CLIENT":1,"NAME":"Ines","LEVEL":"gold","WISH":"a table by the window"}
-- {"CLIENT":5,"NAME":"Tomé","LEVEL":"platinum","WISH":"two tickets for tonight"}
-- {"CLIENT":1,"NAME":"Ines","LEVEL":"gold","WISH":"a later table"}
-- {"CLIENT":2,"NAME":"Rui","LEVEL":"gold","WISH":"the same cake"}
-- > SELECT client, wish, reason FROM declined_requests;
-- {"CLIENT":2,"WISH":"a cake","REASON":"silver is not enough"}
-- {"CLIENT":3,"WISH":"flowers","REASON":"membership of Ana is suspended"}
-- {"CLIENT":4,"WISH":"a taxi","REASON":"no client"}
-- {"CLIENT":5,"WISH":"a third ticket","REASON":"membership of Tomé is suspended"}
