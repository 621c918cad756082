-- Looking around: what a source has, what a query does, what a function takes; and waiting until a topic is there.
--
-- Run it:   levada run sql-examples/31-looking-around.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE TYPE place AS STRUCT<city STRING, zip STRING>;

CREATE STREAM letters (id INT KEY, sent_to place, grams INT)
  WITH (KAFKA_TOPIC = 'letters', VALUE_FORMAT = 'JSON', PARTITIONS = 2);

CREATE STREAM heavy_letters WITH (KAFKA_TOPIC = 'heavy_letters') AS
  SELECT id, sent_to->city AS city, grams FROM letters WHERE grams > 50 EMIT CHANGES;

-- > DESCRIBE heavy_letters;
-- {"Field":"ID","Type":"INTEGER          (key)"}
-- {"Field":"CITY","Type":"VARCHAR(STRING)"}
-- {"Field":"GRAMS","Type":"INTEGER"}
-- > EXPLAIN SELECT id, grams FROM heavy_letters WHERE city = 'Faro' EMIT CHANGES;
-- {"line":"Client: `ID` INTEGER, `GRAMS` INTEGER (until stopped)"}
-- {"line":"  Project: key ID; GRAMS"}
-- {"line":"    Filter: (CITY = 'Faro')"}
-- {"line":"      Source HEAVY_LETTERS: stream, topic heavy_letters (key KAFKA, value JSON) [ID KEY, CITY, GRAMS]"}
-- {"line":""}
-- {"line":"Topology"}
-- {"line":"  Sub-topology 0, 2 tasks"}
-- {"line":"    reads   topic heavy_letters, 2 partitions"}
-- {"line":"    answers the client"}
-- > DESCRIBE letters;
-- {"Field":"ID","Type":"INTEGER          (key)"}
-- {"Field":"SENT_TO","Type":"STRUCT<`CITY` STRING, `ZIP` STRING>"}
-- {"Field":"GRAMS","Type":"INTEGER"}
-- > DEFINE heavy = '50'; SHOW VARIABLES;
-- {"Variable Name":"heavy","Value":"50"}
-- > ASSERT TOPIC heavy_letters WITH (PARTITIONS = 2) TIMEOUT 5 SECONDS; ASSERT NOT EXISTS TOPIC light_letters;
