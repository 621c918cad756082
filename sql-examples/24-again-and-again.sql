-- A script that may run again and again: IF EXISTS and IF NOT EXISTS make the second time as good as the first.
--
-- Run it:   levada run sql-examples/24-again-and-again.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

DROP STREAM IF EXISTS old_notes DELETE TOPIC;

CREATE TYPE IF NOT EXISTS note AS STRUCT<author STRING, words STRING>;
CREATE STREAM IF NOT EXISTS notes (id INT KEY, body note)
  WITH (KAFKA_TOPIC = 'notes', VALUE_FORMAT = 'JSON', PARTITIONS = 1);
CREATE STREAM IF NOT EXISTS notes (id INT KEY, body note)
  WITH (KAFKA_TOPIC = 'notes', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO notes VALUES (1, STRUCT(author := 'ann', words := 'once'));

CREATE TABLE IF NOT EXISTS notes_of AS
  SELECT body->author AS author, COUNT(*) AS notes FROM notes GROUP BY body->author EMIT CHANGES;
CREATE TABLE IF NOT EXISTS notes_of AS
  SELECT body->author AS author, COUNT(*) AS notes FROM notes GROUP BY body->author EMIT CHANGES;

-- > SELECT * FROM notes_of WHERE author = 'ann';
-- {"AUTHOR":"ann","NOTES":1}
