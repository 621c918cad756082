-- A feed of ferries: split, flattened, rekeyed, enriched, counted, watched.
--
-- Topics ferry_feed, operators, ports and delay_limits exist before this file runs (see run.sh). Reference data is older than every
-- message: a movement meets the rows that were there before it.

SET 'auto.offset.reset' = 'earliest';

------------------------------------------------------------------------------------------------------------------------
-- What comes in
------------------------------------------------------------------------------------------------------------------------

-- Messages of several kinds in one topic. Their columns are declared here and nowhere else: what one kind has and another has
-- not is NULL. `ship` is a text that holds JSON, times are texts of milliseconds.
CREATE STREAM ferry_feed (
    kind STRING, sent_at STRING, source STRING,
    body STRUCT<
      sailing STRING, day STRING, operator STRING,
      crossing STRUCT<from_port STRING, to_port STRING>,
      calls ARRAY<STRUCT<port STRING, planned_at STRING>>,
      port STRING, event STRING, planned_at STRING, moved_at STRING, mins INT, variation STRING, berth STRING, ship STRING,
      called_off_at STRING, reason STRING, note STRING>
  ) WITH (KAFKA_TOPIC = 'ferry_feed', VALUE_FORMAT = 'JSON');

-- The same in Avro, whose schema goes to the registry …
CREATE STREAM feed_in_avro WITH (KAFKA_TOPIC = 'ferry_feed_avro', VALUE_FORMAT = 'AVRO') AS
  SELECT * FROM ferry_feed
  EMIT CHANGES;

-- … and comes from there, for this stream and for whoever else reads the topic.
CREATE STREAM feed WITH (KAFKA_TOPIC = 'ferry_feed_avro', VALUE_FORMAT = 'AVRO');

CREATE TABLE operators (code STRING PRIMARY KEY, name STRING) WITH (KAFKA_TOPIC = 'operators', VALUE_FORMAT = 'JSON');
CREATE TABLE ports (code STRING PRIMARY KEY, name STRING, county STRING) WITH (KAFKA_TOPIC = 'ports', VALUE_FORMAT = 'JSON');

------------------------------------------------------------------------------------------------------------------------
-- Split: a stream for each kind, flat, with the key and the partitions that joins need
------------------------------------------------------------------------------------------------------------------------

-- Numbers of sailings come again every day: number and day together are the key.
CREATE STREAM announcements WITH (KAFKA_TOPIC = 'announcements', PARTITIONS = 2) AS
  SELECT
    body->sailing + '/' + body->day AS sailing_id,
    body->sailing AS sailing,
    body->operator AS operator,
    body->crossing->from_port AS from_port,
    body->crossing->to_port AS to_port,
    body->calls[1]->port AS first_call,
    body->calls[-1]->planned_at AS arrives_at,
    ARRAY_LENGTH(body->calls) AS calls
  FROM feed
  WHERE kind = 'AN'
  PARTITION BY body->sailing + '/' + body->day
  EMIT CHANGES;

-- The topic of that stream as a table: only its key is named, the registry knows the rest.
CREATE TABLE sailings (sailing_id STRING PRIMARY KEY) WITH (KAFKA_TOPIC = 'announcements', VALUE_FORMAT = 'AVRO');

-- Messages come late; what counts is when the ferry moved. The column that is the time of the record is a number: a CAST makes it one.
CREATE STREAM movements WITH (KAFKA_TOPIC = 'movements', PARTITIONS = 2, TIMESTAMP = 'moved_at') AS
  SELECT
    body->port AS port,
    body->sailing + '/' + body->day AS sailing_id,
    body->operator AS operator,
    CASE WHEN body->event = 'D' THEN 'departed' WHEN body->event = 'A' THEN 'arrived' ELSE 'unknown: ' + body->event END AS event,
    CAST(body->moved_at AS BIGINT) AS moved_at,
    body->mins AS mins,
    body->variation AS status,
    CASE
      WHEN body->variation = 'ON TIME' THEN 'ON TIME'
      ELSE CAST(body->mins AS STRING) + ' MINS ' + body->variation
    END AS punctuality,
    CASE WHEN body->berth IS NOT NULL THEN 'Berth ' + body->berth ELSE '' END AS berth,
    EXTRACTJSONFIELD(body->ship, '$.name') AS ship,
    EXTRACTJSONFIELD(body->ship, '$.crew[0].name') AS master
  FROM feed
  WHERE kind = 'MV'
  PARTITION BY body->port
  EMIT CHANGES;

CREATE STREAM cancellations WITH (KAFKA_TOPIC = 'cancellations', TIMESTAMP = 'called_off_at') AS
  SELECT
    body->sailing + '/' + body->day AS sailing_id,
    body->operator AS operator,
    CASE
      WHEN body->reason = 'WX' THEN 'weather'
      WHEN body->reason = 'TC' THEN 'technical'
      ELSE 'code ' + body->reason
    END AS reason,
    CASE WHEN body->note IS NOT NULL THEN '(' + body->note + ')' ELSE '' END AS note,
    CAST(body->called_off_at AS BIGINT) AS called_off_at
  FROM feed
  WHERE kind = 'CX'
  PARTITION BY body->sailing + '/' + body->day
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- Enrich: each join is a stream that the next one reads
------------------------------------------------------------------------------------------------------------------------

CREATE STREAM movements_of_sailings AS
  SELECT m.sailing_id AS sailing_id, m.port AS port, m.operator AS operator, m.event AS event, m.moved_at AS moved_at,
    m.mins AS mins, m.status AS status, m.punctuality AS punctuality, m.berth AS berth, m.ship AS ship, m.master AS master,
    s.from_port + ' -> ' + s.to_port AS crossing, s.sailing_id IS NOT NULL AS announced
  FROM movements m
    LEFT JOIN sailings s ON m.sailing_id = s.sailing_id
  EMIT CHANGES;

CREATE STREAM movements_at_ports AS
  SELECT m.port AS port, p.name AS port_name, p.county AS county, m.sailing_id AS sailing_id, m.operator AS operator, m.event AS event,
    m.moved_at AS moved_at, m.mins AS mins, m.status AS status, m.punctuality AS punctuality, m.berth AS berth, m.ship AS ship,
    m.master AS master, m.crossing AS crossing, m.announced AS announced
  FROM movements_of_sailings m
    LEFT JOIN ports p ON m.port = p.code
  EMIT CHANGES;

CREATE STREAM movements_rich AS
  SELECT m.operator AS operator, o.name AS operator_name, m.port AS port, m.port_name AS port_name, m.county AS county,
    m.sailing_id AS sailing_id, m.crossing AS crossing, m.announced AS announced, m.event AS event, m.mins AS mins,
    m.status AS status, m.punctuality AS punctuality, m.berth AS berth, m.ship AS ship, m.master AS master,
    CASE WHEN o.name IS NULL THEN 'Operator ' + m.operator ELSE o.name END + ' ' + m.event + ' ' + m.port_name + ': ' + m.punctuality
      AS announcement
  FROM movements_at_ports m
    LEFT JOIN operators o ON m.operator = o.code
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- Count: by the time of the event, not that of the message
------------------------------------------------------------------------------------------------------------------------

CREATE TABLE cancellations_per_hour AS
  SELECT reason, TIMESTAMPTOSTRING(WINDOWSTART, 'yyyy-MM-dd HH:mm', 'UTC') AS hour, COUNT(*) AS sailings,
    COLLECT_LIST(sailing_id) AS sailing_ids
  FROM cancellations
    WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 7 DAYS)
  GROUP BY reason
  EMIT CHANGES;

-- A column for each operator.
CREATE TABLE daily_punctuality AS
  SELECT status, TIMESTAMPTOSTRING(WINDOWSTART, 'yyyy-MM-dd', 'UTC') AS day,
    COUNT(*) AS movements,
    SUM(CASE WHEN operator = 'BL' THEN 1 ELSE 0 END) AS blue_line,
    SUM(CASE WHEN operator = 'CF' THEN 1 ELSE 0 END) AS cove_ferries,
    SUM(CASE WHEN operator = 'IS' THEN 1 ELSE 0 END) AS island_star,
    SUM(CASE WHEN operator IN ('BL', 'CF', 'IS') THEN 0 ELSE 1 END) AS others,
    SUM(CASE WHEN status = 'LATE' THEN mins ELSE 0 END) AS minutes_late
  FROM movements_rich
    WINDOW TUMBLING (SIZE 1 DAY, GRACE PERIOD 7 DAYS)
  GROUP BY status
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- Watch: a port says from how many minutes on it wants to know. The topic is compacted: its last word counts.
------------------------------------------------------------------------------------------------------------------------

CREATE TABLE delay_limits (port STRING PRIMARY KEY, mins INT) WITH (KAFKA_TOPIC = 'delay_limits', VALUE_FORMAT = 'JSON');

CREATE STREAM alerts WITH (KAFKA_TOPIC = 'alerts', VALUE_FORMAT = 'JSON') AS
  SELECT m.port AS port, m.sailing_id AS sailing_id, m.mins AS mins, t.mins AS allowed, m.announcement AS announcement
  FROM movements_rich m
    JOIN delay_limits t ON m.port = t.port
  WHERE m.status = 'LATE' AND m.mins > t.mins
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- What there is after run.sh. Each question stands behind `>`, its answer below; `~` is a question whose rows come in any order.
------------------------------------------------------------------------------------------------------------------------
-- > DESCRIBE feed;
-- {"Field":"KIND","Type":"VARCHAR(STRING)"}
-- {"Field":"SENT_AT","Type":"VARCHAR(STRING)"}
-- {"Field":"SOURCE","Type":"VARCHAR(STRING)"}
-- {"Field":"BODY","Type":"STRUCT<`SAILING` STRING, `DAY` STRING, `OPERATOR` STRING, `CROSSING` STRUCT<`FROM_PORT` STRING, `TO_PORT` STRING>, `CALLS` ARRAY<STRUCT<`PORT` STRING, `PLANNED_AT` STRING>>, `PORT` STRING, `EVENT` STRING, `PLANNED_AT` STRING, `MOVED_AT` STRING, `MINS` INTEGER, `VARIATION` STRING, `BERTH` STRING, `SHIP` STRING, `CALLED_OFF_AT` STRING, `REASON` STRING, `NOTE` STRING>"}
-- > SELECT sailing_id, operator, from_port, to_port, first_call, arrives_at, calls FROM announcements WHERE sailing_id = '101/2024-06-01';
-- {"SAILING_ID":"101/2024-06-01","OPERATOR":"BL","FROM_PORT":"ARN","TO_PORT":"BRE","FIRST_CALL":"ARN","ARRIVES_AT":"1717230600000","CALLS":3}
-- ~ SELECT sailing_id, announced, crossing, event, port_name, county, berth, ship, master, punctuality FROM movements_rich;
-- {"SAILING_ID":"101/2024-06-01","ANNOUNCED":true,"CROSSING":"ARN -> BRE","EVENT":"arrived","PORT_NAME":"Breck","COUNTY":"Northshire","BERTH":"Berth 4","SHIP":"Gannet","MASTER":"Ida","PUNCTUALITY":"12 MINS LATE"}
-- {"SAILING_ID":"102/2024-06-01","ANNOUNCED":true,"CROSSING":"BRE -> ARN","EVENT":"arrived","PORT_NAME":"Arnish","COUNTY":"Northshire","BERTH":"Berth 2","SHIP":"Gannet","MASTER":"Ida","PUNCTUALITY":"5 MINS EARLY"}
-- {"SAILING_ID":"900/2024-06-01","ANNOUNCED":false,"CROSSING":null,"EVENT":"departed","PORT_NAME":"Dunmore","COUNTY":"Southshire","BERTH":"","SHIP":"Fulmar","MASTER":null,"PUNCTUALITY":"35 MINS LATE"}
-- {"SAILING_ID":"102/2024-06-01","ANNOUNCED":true,"CROSSING":"BRE -> ARN","EVENT":"departed","PORT_NAME":"Breck","COUNTY":"Northshire","BERTH":"Berth 4","SHIP":"Gannet","MASTER":"Ida","PUNCTUALITY":"2 MINS EARLY"}
-- {"SAILING_ID":"101/2024-06-01","ANNOUNCED":true,"CROSSING":"ARN -> BRE","EVENT":"departed","PORT_NAME":"Arnish","COUNTY":"Northshire","BERTH":"Berth 2","SHIP":"Gannet","MASTER":"Ida","PUNCTUALITY":"ON TIME"}
-- {"SAILING_ID":"101/2024-06-01","ANNOUNCED":true,"CROSSING":"ARN -> BRE","EVENT":"arrived","PORT_NAME":"Collin","COUNTY":"Midshire","BERTH":"","SHIP":"Gannet","MASTER":"Ida","PUNCTUALITY":"7 MINS LATE"}
-- {"SAILING_ID":"200/2024-06-01","ANNOUNCED":true,"CROSSING":"COL -> DUN","EVENT":"departed","PORT_NAME":"Collin","COUNTY":"Midshire","BERTH":"Berth 1","SHIP":"Tern","MASTER":"Olaf","PUNCTUALITY":"12 MINS LATE"}
-- {"SAILING_ID":"200/2024-06-01","ANNOUNCED":true,"CROSSING":"COL -> DUN","EVENT":"arrived","PORT_NAME":"Dunmore","COUNTY":"Southshire","BERTH":"","SHIP":"Tern","MASTER":"Olaf","PUNCTUALITY":"25 MINS LATE"}
-- {"SAILING_ID":"101/2024-06-02","ANNOUNCED":true,"CROSSING":"ARN -> BRE","EVENT":"departed","PORT_NAME":"Arnish","COUNTY":"Northshire","BERTH":"Berth 3","SHIP":"Gannet","MASTER":"Ida","PUNCTUALITY":"12 MINS LATE"}
-- {"SAILING_ID":"200/2024-06-02","ANNOUNCED":false,"CROSSING":null,"EVENT":"arrived","PORT_NAME":"Dunmore","COUNTY":"Southshire","BERTH":"","SHIP":"Tern","MASTER":"Olaf","PUNCTUALITY":"40 MINS LATE"}
-- {"SAILING_ID":"101/2024-06-02","ANNOUNCED":true,"CROSSING":"ARN -> BRE","EVENT":"arrived","PORT_NAME":"Breck","COUNTY":"Northshire","BERTH":"Berth 4","SHIP":"Gannet","MASTER":"Ida","PUNCTUALITY":"12 MINS LATE"}
-- ~ SELECT ROWTIME, sailing_id, reason, note FROM cancellations;
-- {"ROWTIME":1717235100000,"SAILING_ID":"201/2024-06-01","REASON":"technical","NOTE":"(starboard engine)"}
-- {"ROWTIME":1717233600000,"SAILING_ID":"300/2024-06-01","REASON":"weather","NOTE":""}
-- {"ROWTIME":1717318740000,"SAILING_ID":"201/2024-06-02","REASON":"code ??","NOTE":""}
-- ~ SELECT reason, hour, sailings, sailing_ids FROM cancellations_per_hour;
-- {"REASON":"technical","HOUR":"2024-06-01 09:00","SAILINGS":1,"SAILING_IDS":["201/2024-06-01"]}
-- {"REASON":"weather","HOUR":"2024-06-01 09:00","SAILINGS":1,"SAILING_IDS":["300/2024-06-01"]}
-- {"REASON":"code ??","HOUR":"2024-06-02 08:00","SAILINGS":1,"SAILING_IDS":["201/2024-06-02"]}
-- ~ SELECT day, status, movements, blue_line, cove_ferries, island_star, others, minutes_late FROM daily_punctuality;
-- {"DAY":"2024-06-01","STATUS":"EARLY","MOVEMENTS":2,"BLUE_LINE":2,"COVE_FERRIES":0,"ISLAND_STAR":0,"OTHERS":0,"MINUTES_LATE":0}
-- {"DAY":"2024-06-01","STATUS":"LATE","MOVEMENTS":5,"BLUE_LINE":2,"COVE_FERRIES":2,"ISLAND_STAR":0,"OTHERS":1,"MINUTES_LATE":91}
-- {"DAY":"2024-06-01","STATUS":"ON TIME","MOVEMENTS":1,"BLUE_LINE":1,"COVE_FERRIES":0,"ISLAND_STAR":0,"OTHERS":0,"MINUTES_LATE":0}
-- {"DAY":"2024-06-02","STATUS":"LATE","MOVEMENTS":3,"BLUE_LINE":2,"COVE_FERRIES":1,"ISLAND_STAR":0,"OTHERS":0,"MINUTES_LATE":64}
-- > SELECT port, sailing_id, mins, allowed, announcement FROM alerts WHERE port = 'DUN';
-- {"PORT":"DUN","SAILING_ID":"900/2024-06-01","MINS":35,"ALLOWED":30,"ANNOUNCEMENT":"Operator ZZ departed Dunmore: 35 MINS LATE"}
-- > SELECT port, sailing_id, mins, allowed, announcement FROM alerts WHERE port = 'BRE';
-- {"PORT":"BRE","SAILING_ID":"101/2024-06-02","MINS":12,"ALLOWED":10,"ANNOUNCEMENT":"Blue Line arrived Breck: 12 MINS LATE"}
-- ~ SET 'auto.offset.reset' = 'earliest'; SELECT ROWPARTITION, sailing_id FROM announcements WHERE sailing = '101' EMIT CHANGES LIMIT 2;
-- {"ROWPARTITION":0,"SAILING_ID":"101/2024-06-01"}
-- {"ROWPARTITION":1,"SAILING_ID":"101/2024-06-02"}
