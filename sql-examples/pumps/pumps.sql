-- Pumps that may be broken: those that are saturated more than three times in five seconds.
--
-- The topic pump_states exists before this file runs (see run.sh).

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM pump_states (device STRING KEY, state STRING, pressure DOUBLE)
  WITH (KAFKA_TOPIC = 'pump_states', VALUE_FORMAT = 'JSON');

-- One row per window and pump, as soon as there are more than three; it counts on while the window is open.
CREATE TABLE possible_malfunctions AS
  SELECT device, COUNT(*) AS saturated, MAX(pressure) AS pressure_max
  FROM pump_states
    WINDOW TUMBLING (SIZE 5 SECONDS)
  WHERE state = 'SATURATED'
  GROUP BY device
  HAVING COUNT(*) > 3
  EMIT CHANGES;

-- What somebody is called for: once per window, when it is over. Without grace windows would be gone as soon as they end: RETENTION keeps them.
CREATE TABLE calls WITH (KAFKA_TOPIC = 'calls') AS
  SELECT device, COUNT(*) AS saturated, FORMAT_TIMESTAMP(FROM_UNIXTIME(WINDOWSTART), 'HH:mm:ss', 'UTC') AS since
  FROM pump_states
    WINDOW TUMBLING (SIZE 5 SECONDS, RETENTION 1 HOUR, GRACE PERIOD 0 SECONDS)
  WHERE state = 'SATURATED'
  GROUP BY device
  HAVING COUNT(*) > 3
  EMIT FINAL;

-- How all of them are: the share of saturated states, and when they were last heard of.
CREATE TABLE pumps AS
  SELECT device,
    COUNT(*) AS states,
    ROUND(CAST(100 * SUM(CASE WHEN state = 'SATURATED' THEN 1 ELSE 0 END) AS DOUBLE) / COUNT(*), 1) AS saturated_percent,
    LATEST_BY_OFFSET(state) AS state
  FROM pump_states
  GROUP BY device
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- What there is after run.sh. Each question stands behind `>`, its answer below; `~` is a question whose rows come in any order.
------------------------------------------------------------------------------------------------------------------------

-- ~ SELECT device, WINDOWSTART, saturated FROM possible_malfunctions;
-- {"DEVICE":"pump-2","WINDOWSTART":1772344970000,"SATURATED":4}
-- {"DEVICE":"pump-2","WINDOWSTART":1772345190000,"SATURATED":5}
-- {"DEVICE":"pump-3","WINDOWSTART":1772344875000,"SATURATED":4}
-- {"DEVICE":"pump-3","WINDOWSTART":1772345150000,"SATURATED":4}
-- {"DEVICE":"pump-3","WINDOWSTART":1772345205000,"SATURATED":4}
-- {"DEVICE":"pump-5","WINDOWSTART":1772345230000,"SATURATED":4}
-- {"DEVICE":"pump-7","WINDOWSTART":1772345265000,"SATURATED":5}
-- {"DEVICE":"pump-8","WINDOWSTART":1772345105000,"SATURATED":4}
-- ~ SELECT device, saturated, since FROM calls;
-- {"DEVICE":"pump-2","SATURATED":4,"SINCE":"06:02:50"}
-- {"DEVICE":"pump-2","SATURATED":5,"SINCE":"06:06:30"}
-- {"DEVICE":"pump-3","SATURATED":4,"SINCE":"06:01:15"}
-- {"DEVICE":"pump-3","SATURATED":4,"SINCE":"06:05:50"}
-- {"DEVICE":"pump-3","SATURATED":4,"SINCE":"06:06:45"}
-- {"DEVICE":"pump-5","SATURATED":4,"SINCE":"06:07:10"}
-- {"DEVICE":"pump-7","SATURATED":5,"SINCE":"06:07:45"}
-- {"DEVICE":"pump-8","SATURATED":4,"SINCE":"06:05:05"}
-- ~ SELECT device, states, saturated_percent, state FROM pumps;
-- {"DEVICE":"pump-1","STATES":543,"SATURATED_PERCENT":18.2,"STATE":"NORMAL"}
-- {"DEVICE":"pump-2","STATES":547,"SATURATED_PERCENT":18.6,"STATE":"NORMAL"}
-- {"DEVICE":"pump-3","STATES":540,"SATURATED_PERCENT":19.4,"STATE":"NORMAL"}
-- {"DEVICE":"pump-4","STATES":532,"SATURATED_PERCENT":16.9,"STATE":"NORMAL"}
-- {"DEVICE":"pump-5","STATES":511,"SATURATED_PERCENT":22.7,"STATE":"NORMAL"}
-- {"DEVICE":"pump-6","STATES":566,"SATURATED_PERCENT":18.6,"STATE":"IDLE"}
-- {"DEVICE":"pump-7","STATES":584,"SATURATED_PERCENT":18.5,"STATE":"NORMAL"}
-- {"DEVICE":"pump-8","STATES":478,"SATURATED_PERCENT":18.0,"STATE":"IDLE"}
-- {"DEVICE":"pump-9","STATES":499,"SATURATED_PERCENT":23.4,"STATE":"NORMAL"}
