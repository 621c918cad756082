-- Texts from numbers and words, codes resolved: CASE, CAST and +.
--
-- Run it:   levada run sql-examples/06-case.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM trains (train STRING KEY, line INT, delay INT, platform STRING)
  WITH (KAFKA_TOPIC = 'trains', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO trains VALUES ('IC 521', 1, 12, '4');
INSERT INTO trains (train, line, delay) VALUES ('R 7', 2, 0);
INSERT INTO trains (train, line) VALUES ('AP 180', 3);

CREATE STREAM board AS
  SELECT train,
    CASE WHEN line = 1 THEN 'NORTH' WHEN line = 2 THEN 'DOURO' ELSE 'OTHER' END AS line_name,
    CASE
      WHEN delay > 0 THEN CAST(delay AS STRING) + ' MINS LATE'
      WHEN delay IS NULL THEN 'NO REPORT'
      ELSE 'ON TIME'
    END AS status,
    CASE WHEN platform IS NOT NULL THEN 'PLATFORM ' + platform ELSE '' END AS place
  FROM trains
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM board EMIT CHANGES LIMIT 3;
-- {"TRAIN":"IC 521","LINE_NAME":"NORTH","STATUS":"12 MINS LATE","PLACE":"PLATFORM 4"}
-- {"TRAIN":"R 7","LINE_NAME":"DOURO","STATUS":"ON TIME","PLACE":""}
-- {"TRAIN":"AP 180","LINE_NAME":"OTHER","STATUS":"NO REPORT","PLACE":""}
