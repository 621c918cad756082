-- Groups over windows: the topic of a windowed table is read as a stream with windows in its key, and what it says is grouped again.
--
-- Run it:   levada run sql-examples/29-windows-again.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

-- Each record is the count of one window, as a windowed table has written it: its key is the gate and the window.
CREATE STREAM entries (gate STRING KEY, visitor STRING)
  WITH (KAFKA_TOPIC = 'entries', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO entries (ROWTIME, gate, visitor) VALUES (1000, 'east', 'ann');
INSERT INTO entries (ROWTIME, gate, visitor) VALUES (2000, 'east', 'ben');
INSERT INTO entries (ROWTIME, gate, visitor) VALUES (61000, 'east', 'cleo');
INSERT INTO entries (ROWTIME, gate, visitor) VALUES (61000, 'west', 'dan');

CREATE TABLE entries_per_minute AS
  SELECT gate, COUNT(*) AS entries FROM entries WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY gate EMIT CHANGES;

CREATE STREAM entry_counts (gate STRING KEY, entries BIGINT)
  WITH (KAFKA_TOPIC = 'ENTRIES_PER_MINUTE', VALUE_FORMAT = 'JSON', WINDOW_TYPE = 'TUMBLING', WINDOW_SIZE = '1 MINUTE');

-- The key of the groups is the gate alone.
CREATE TABLE busiest_minute AS
  SELECT gate, MAX(entries) AS entries FROM entry_counts GROUP BY gate EMIT CHANGES;

-- > SELECT * FROM busiest_minute;
-- {"GATE":"east","ENTRIES":2}
-- {"GATE":"west","ENTRIES":1}
