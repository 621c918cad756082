-- Nested records made flat, and flat ones nested: struct->*, STRUCT(), ARRAY[] and MAP().
--
-- Run it:   levada run sql-examples/11-structs.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM events (id INT KEY, device STRUCT<name STRING, `build no` INT>, at_ STRUCT<x INT, y INT>)
  WITH (KAFKA_TOPIC = 'events', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO events VALUES (1, STRUCT(name := 'lamp', `build no` := 7), STRUCT(x := 3, y := 4));

CREATE STREAM flat AS
  SELECT id, device->*, at_->x AS x
  FROM events
  EMIT CHANGES;

CREATE STREAM nested AS
  SELECT id,
    STRUCT(label := name, place := ARRAY[x, x + 1]) AS thing,
    MAP('build' := `build no`) AS numbers
  FROM flat
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM flat EMIT CHANGES LIMIT 1;
-- {"ID":1,"NAME":"lamp","build no":7,"X":3}
-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM nested EMIT CHANGES LIMIT 1;
-- {"ID":1,"THING":{"LABEL":"lamp","PLACE":[3,4]},"NUMBERS":{"build":7}}
