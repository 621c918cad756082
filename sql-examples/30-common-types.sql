-- Values beside each other take one type, in IN, ARRAY and MAP: numbers the larger, texts what can be read from them.
--
-- Run it:   levada run sql-examples/30-common-types.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM parts (id INT KEY, grade BIGINT, checked BOOLEAN)
  WITH (KAFKA_TOPIC = 'parts', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO parts VALUES (1, 5000000000, TRUE);
INSERT INTO parts VALUES (2, 7, FALSE);
INSERT INTO parts VALUES (3, 8, TRUE);

CREATE STREAM common_types AS
  SELECT id,
    ARRAY[NULL, 1, '20', grade] AS numbers,
    ARRAY['a', 1, TRUE] AS texts,
    MAP('a' := 1, 'b' := 2.5) AS entries,
    ARRAY[STRUCT(a := 1), STRUCT(a := 2, b := 'x')] AS structs
  FROM parts
  WHERE grade IN (7, '5000000000') AND (checked IN ('yes') OR id = 2)
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM common_types EMIT CHANGES LIMIT 2;
-- {"ID":1,"NUMBERS":[null,1,20,5000000000],"TEXTS":["a","1","true"],"ENTRIES":{"a":1.0,"b":2.5},"STRUCTS":[{"A":1,"B":null},{"A":2,"B":"x"}]}
-- {"ID":2,"NUMBERS":[null,1,20,7],"TEXTS":["a","1","true"],"ENTRIES":{"a":1.0,"b":2.5},"STRUCTS":[{"A":1,"B":null},{"A":2,"B":"x"}]}
