-- A query that runs gets a new SELECT: CREATE OR REPLACE. It goes on at its place and with its state; an aggregate that is added
-- begins with the next record of each group.
--
-- Run it:   levada run sql-examples/26-replace.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM tolls (bridge STRING KEY, cents BIGINT)
  WITH (KAFKA_TOPIC = 'tolls', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO tolls VALUES ('south', 250);
INSERT INTO tolls VALUES ('north', 100);
INSERT INTO tolls VALUES ('south', 400);

CREATE TABLE tolls_per_bridge AS
  SELECT bridge, COUNT(*) AS cars, SUM(cents) AS total FROM tolls GROUP BY bridge EMIT CHANGES;

-- > SELECT * FROM tolls_per_bridge WHERE bridge = 'south';
-- {"BRIDGE":"south","CARS":2,"TOTAL":650}
-- > CREATE OR REPLACE TABLE tolls_per_bridge AS SELECT bridge, COUNT(*) AS cars, SUM(cents) AS total, MAX(cents) AS largest_since FROM tolls GROUP BY bridge EMIT CHANGES; INSERT INTO tolls VALUES ('south', 300); SELECT * FROM tolls_per_bridge WHERE largest_since > 0 EMIT CHANGES LIMIT 1;
-- {"BRIDGE":"south","CARS":3,"TOTAL":950,"LARGEST_SINCE":300}
