-- A table that only reads: CREATE SOURCE TABLE keeps the rows of a topic at hand without a copy of the topic, and nobody can
-- insert into it.
--
-- Run it:   levada run sql-examples/23-source-table.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE TABLE shelf_in (item STRING PRIMARY KEY, pieces INT)
  WITH (KAFKA_TOPIC = 'shelf', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO shelf_in VALUES ('cork', 12);
INSERT INTO shelf_in VALUES ('tile', 3);
INSERT INTO shelf_in VALUES ('cork', 11);

CREATE SOURCE TABLE shelf (item STRING PRIMARY KEY, pieces INT)
  WITH (KAFKA_TOPIC = 'shelf', VALUE_FORMAT = 'JSON');

-- > SELECT * FROM shelf WHERE item = 'cork';
-- {"ITEM":"cork","PIECES":11}
