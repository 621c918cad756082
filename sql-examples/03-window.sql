-- Count per minute of event time. A record that comes late still finds its minute, until the grace period is over.
--
-- Run it:   levada run sql-examples/03-window.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM clicks (page STRING KEY, clicked BIGINT, visitor STRING)
  WITH (KAFKA_TOPIC = 'clicks', VALUE_FORMAT = 'JSON', PARTITIONS = 1, TIMESTAMP = 'clicked');

INSERT INTO clicks VALUES ('/home', 5000, 'ann');
INSERT INTO clicks VALUES ('/home', 61000, 'ben');
-- Late, but the first minute is open until event time reaches 1 min 30 s.
INSERT INTO clicks VALUES ('/home', 30000, 'cleo');
INSERT INTO clicks VALUES ('/home', 95000, 'dan');
-- Too late: dropped.
INSERT INTO clicks VALUES ('/home', 31000, 'eve');

CREATE TABLE clicks_per_minute AS
  SELECT page, COUNT(*) AS clicks
  FROM clicks
    WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 30 SECONDS)
  GROUP BY page
  EMIT CHANGES;

-- > SELECT page, WINDOWSTART, WINDOWEND, clicks FROM clicks_per_minute WHERE page = '/home';
-- {"PAGE":"/home","WINDOWSTART":0,"WINDOWEND":60000,"CLICKS":2}
-- {"PAGE":"/home","WINDOWSTART":60000,"WINDOWEND":120000,"CLICKS":2}
