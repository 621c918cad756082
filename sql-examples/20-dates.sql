-- Days, times of day and moments: texts become them where they are needed, and they are compared and converted.
--
-- Run it:   levada run sql-examples/20-dates.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM visits (guest STRING KEY, day DATE, arrival TIME, booked TIMESTAMP)
  WITH (KAFKA_TOPIC = 'visits', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO visits VALUES ('ann', '2024-02-29', '18:30', '2024-01-05T09:15:00.250');
INSERT INTO visits VALUES ('ben', '2023-12-31', '07:45:10', '2023-12-30T23:59:59');

CREATE STREAM visits_2024 AS
  SELECT guest, day, arrival, CAST(booked AS DATE) AS booked_on, CAST(booked AS TIME) AS booked_at,
    CASE WHEN arrival >= '18:00' THEN 'evening' ELSE 'day' END AS part
  FROM visits
  WHERE day BETWEEN '2024-01-01' AND '2024-12-31'
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM visits_2024 EMIT CHANGES LIMIT 1;
-- {"GUEST":"ann","DAY":"2024-02-29","ARRIVAL":"18:30","BOOKED_ON":"2024-01-05","BOOKED_AT":"09:15:00.250","PART":"evening"}
