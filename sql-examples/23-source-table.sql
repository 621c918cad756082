-- A table that only reads: CREATE SOURCE TABLE keeps the rows of a topic at hand without a copy of the topic, and nobody can
-- insert into it.
--
-- Run it:   levada run sql-examples/23-source-table.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE TABLE stock_in (item STRING PRIMARY KEY, pieces INT)
  WITH (KAFKA_TOPIC = 'stock', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO stock_in VALUES ('cork', 12);
INSERT INTO stock_in VALUES ('tile', 3);
INSERT INTO stock_in VALUES ('cork', 11);

CREATE SOURCE TABLE stock (item STRING PRIMARY KEY, pieces INT)
  WITH (KAFKA_TOPIC = 'stock', VALUE_FORMAT = 'JSON');

-- > SELECT * FROM stock WHERE item = 'cork';
-- {"ITEM":"cork","PIECES":11}
