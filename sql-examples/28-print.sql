-- What is in a topic, whatever its format: PRINT. It needs no stream, so it shows keys, tombstones and times as they are.
--
-- Run it:   levada run sql-examples/28-print.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM calls (line STRING KEY, lasted INT)
  WITH (KAFKA_TOPIC = 'calls', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO calls (ROWTIME, line, lasted) VALUES (1000, 'ann', 60);
INSERT INTO calls (ROWTIME, lasted) VALUES (2000, 5);

-- Minutes with commas: the value is no JSON, and PRINT shows a text.
CREATE STREAM call_minutes WITH (KAFKA_TOPIC = 'call_minutes', VALUE_FORMAT = 'DELIMITED') AS
  SELECT line, lasted / 60 AS full_minutes, 'outgoing' AS direction FROM calls EMIT CHANGES;

-- > PRINT 'calls' FROM BEGINNING LIMIT 2;
-- {"rowtime":1000,"partition":0,"offset":0,"key":"ann","value":{"LASTED":60}}
-- {"rowtime":2000,"partition":0,"offset":1,"key":null,"value":{"LASTED":5}}
-- > PRINT 'call_minutes' FROM BEGINNING LIMIT 1;
-- {"rowtime":1000,"partition":0,"offset":0,"key":"ann","value":"1,outgoing"}
