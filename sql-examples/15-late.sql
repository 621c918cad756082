-- Late records: hopping windows that overlap, and how long each waits. What comes later than the grace period is dropped.
--
-- Run it:   levada run sql-examples/15-late.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM beats (device STRING KEY, beat_ms BIGINT)
  WITH (KAFKA_TOPIC = 'beats', VALUE_FORMAT = 'JSON', PARTITIONS = 1, TIMESTAMP = 'beat_ms');

INSERT INTO beats VALUES ('d', 1000);
INSERT INTO beats VALUES ('d', 11000);
-- 7 s late: of its windows 0..10 s is still open, since event time is 11 s and the grace period 5 s.
INSERT INTO beats VALUES ('d', 4000);
INSERT INTO beats VALUES ('d', 21000);
-- Every window of this one has ended more than 5 s ago.
INSERT INTO beats VALUES ('d', 2000);

-- RETENTION keeps windows that are over, so that they can be asked for.
CREATE TABLE beats_per_10s AS
  SELECT device, COUNT(*) AS beats
  FROM beats
    WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 5 SECONDS, RETENTION 1 MINUTE, GRACE PERIOD 5 SECONDS)
  GROUP BY device
  EMIT CHANGES;

-- > SELECT WINDOWSTART, WINDOWEND, beats FROM beats_per_10s WHERE device = 'd';
-- {"WINDOWSTART":0,"WINDOWEND":10000,"BEATS":2}
-- {"WINDOWSTART":5000,"WINDOWEND":15000,"BEATS":1}
-- {"WINDOWSTART":10000,"WINDOWEND":20000,"BEATS":1}
-- {"WINDOWSTART":15000,"WINDOWEND":25000,"BEATS":1}
-- {"WINDOWSTART":20000,"WINDOWEND":30000,"BEATS":1}
