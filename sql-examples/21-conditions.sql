-- Conditions: IN, BETWEEN, LIKE with an escape, and NOT of each.
--
-- Run it:   levada run sql-examples/21-conditions.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM articles (code STRING KEY, kind STRING, price INT)
  WITH (KAFKA_TOPIC = 'articles', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO articles VALUES ('A_1', 'tile', 40);
INSERT INTO articles VALUES ('AB1', 'tile', 55);
INSERT INTO articles VALUES ('A_2', 'glass', 900);
INSERT INTO articles VALUES ('C_3', 'cork', 7);

-- In a pattern, _ is any character, unless the escape stands before it.
CREATE STREAM chosen AS
  SELECT code, kind, price
  FROM articles
  WHERE (code LIKE 'A!_%' ESCAPE '!' AND price NOT BETWEEN 100 AND 500) OR kind IN ('cork', 'sand')
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM chosen EMIT CHANGES LIMIT 3;
-- {"CODE":"A_1","KIND":"tile","PRICE":40}
-- {"CODE":"A_2","KIND":"glass","PRICE":900}
-- {"CODE":"C_3","KIND":"cork","PRICE":7}
