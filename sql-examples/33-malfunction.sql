-- Devices that may be broken: those that report more than three saturated readings in five seconds.
--
-- Run it:   levada run sql-examples/33-malfunction.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM machine_states (device STRING KEY, state STRING)
  WITH (KAFKA_TOPIC = 'machine_states', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO machine_states (ROWTIME, device, state) VALUES (10000, 'pump', 'SATURATED');
INSERT INTO machine_states (ROWTIME, device, state) VALUES (10500, 'valve', 'SATURATED');
INSERT INTO machine_states (ROWTIME, device, state) VALUES (11000, 'pump', 'SATURATED');
INSERT INTO machine_states (ROWTIME, device, state) VALUES (12000, 'pump', 'NORMAL');
INSERT INTO machine_states (ROWTIME, device, state) VALUES (12500, 'pump', 'SATURATED');
INSERT INTO machine_states (ROWTIME, device, state) VALUES (13000, 'valve', 'SATURATED');
INSERT INTO machine_states (ROWTIME, device, state) VALUES (14999, 'pump', 'SATURATED');
-- The next five seconds: three are not more than three.
INSERT INTO machine_states (ROWTIME, device, state) VALUES (15000, 'valve', 'SATURATED');
INSERT INTO machine_states (ROWTIME, device, state) VALUES (16000, 'valve', 'SATURATED');
INSERT INTO machine_states (ROWTIME, device, state) VALUES (17000, 'valve', 'SATURATED');

CREATE TABLE possible_malfunctions AS
  SELECT device, COUNT(*) AS saturated
  FROM machine_states
    WINDOW TUMBLING (SIZE 5 SECONDS)
  WHERE state = 'SATURATED'
  GROUP BY device
  HAVING COUNT(*) > 3
  EMIT CHANGES;

-- > SELECT device, WINDOWSTART, WINDOWEND, saturated FROM possible_malfunctions;
-- {"DEVICE":"pump","WINDOWSTART":10000,"WINDOWEND":15000,"SATURATED":4}
