-- A table that rows enter and leave: HAVING looks at every new result of a group.
--
-- Run it:   levada run sql-examples/08-having.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM votes (voter STRING KEY, candidate STRING, points INT)
  WITH (KAFKA_TOPIC = 'votes', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO votes VALUES ('v1', 'amalia', 3);
INSERT INTO votes VALUES ('v2', 'carlos', 4);
INSERT INTO votes VALUES ('v3', 'amalia', 2);
-- Carlos falls below the bar again and leaves the table.
INSERT INTO votes VALUES ('v4', 'carlos', -2);

CREATE TABLE leaders AS
  SELECT candidate, SUM(points) AS points
  FROM votes
  GROUP BY candidate
  HAVING SUM(points) > 3
  EMIT CHANGES;

-- > SELECT * FROM leaders;
-- {"CANDIDATE":"amalia","POINTS":5}
