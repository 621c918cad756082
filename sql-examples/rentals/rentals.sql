-- Changes of a shop's database: tables that follow them, hires that meet them, takings by the hour.
--
-- Topics shop.clients, shop.hires and shop.tools are there before this file runs, with their schemas in the registry (see run.sh).

SET 'auto.offset.reset' = 'earliest';
-- Every change of a result is shown, not only the last one of a moment.
SET 'cache.max.bytes.buffering' = '0';

------------------------------------------------------------------------------------------------------------------------
-- What comes in: no column is declared, the registry knows them
------------------------------------------------------------------------------------------------------------------------

CREATE STREAM client_changes WITH (KAFKA_TOPIC = 'shop.clients', FORMAT = 'AVRO');
CREATE STREAM hires WITH (KAFKA_TOPIC = 'shop.hires', FORMAT = 'AVRO');

-- Envelopes are opened by themselves: this is the table of the rows.
CREATE TABLE tools WITH (KAFKA_TOPIC = 'shop.tools', FORMAT = 'AVRO', ENVELOPE = 'DEBEZIUM');

------------------------------------------------------------------------------------------------------------------------
-- The key of a change is a record of the primary key. A join wants the number alone: rekey, and declare a table on the result.
------------------------------------------------------------------------------------------------------------------------

CREATE STREAM clients_by_id WITH (KAFKA_TOPIC = 'clients_by_id', KEY_FORMAT = 'KAFKA') AS
  SELECT ROWKEY->id AS client_id, first_name, last_name, class, since
  FROM client_changes
  PARTITION BY ROWKEY->id
  EMIT CHANGES;

CREATE SOURCE TABLE clients (client_id INT PRIMARY KEY) WITH (KAFKA_TOPIC = 'clients_by_id', VALUE_FORMAT = 'AVRO');

------------------------------------------------------------------------------------------------------------------------
-- Enrich and derive
------------------------------------------------------------------------------------------------------------------------

-- How many years somebody is a client, at the moment of the hire. Hires of nobody we know are left out.
CREATE STREAM hires_of_clients WITH (KAFKA_TOPIC = 'hires_of_clients') AS
  SELECT h.client_id AS client_id, h.id AS hire_id, h.tool_id AS tool_id, h.status AS status, h.price AS price, c.class AS class,
    CONCAT(c.first_name, ' ', c.last_name) AS client,
    CAST(STRINGTOTIMESTAMP(SUBSTRING(h.changed, 1, 10), 'yyyy-MM-dd', 'UTC') - STRINGTOTIMESTAMP(c.since, 'yyyy-MM-dd', 'UTC') AS DOUBLE)
      / 1000 / 60 / 60 / 24 / 365 AS loyal_years
  FROM hires h
    LEFT JOIN clients c ON h.client_id = c.client_id
  WHERE c.last_name IS NOT NULL
  EMIT CHANGES;

CREATE STREAM hires_of_old_friends WITH (KAFKA_TOPIC = 'hires_of_old_friends', VALUE_FORMAT = 'JSON') AS
  SELECT client_id, hire_id, client, ROUND(loyal_years, 1) AS loyal_years
  FROM hires_of_clients
  WHERE class = 'Trade' AND loyal_years > 10
  EMIT CHANGES;

-- Prices as they are in the table of tools.
CREATE STREAM hires_with_tools WITH (KAFKA_TOPIC = 'hires_with_tools', VALUE_FORMAT = 'JSON') AS
  SELECT h.tool_id AS tool_id, h.hire_id AS hire_id, h.client AS client, t.name AS tool, h.price AS price, t.per_day AS per_day
  FROM hires_of_clients h
    LEFT JOIN tools t ON h.tool_id = t.id
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- Takings per hour of the change, not of its arrival. When it arrived stays as a column.
------------------------------------------------------------------------------------------------------------------------

CREATE STREAM hires_parsed AS
  SELECT ROWKEY, id, status, price, ROWTIME AS arrived, STRINGTOTIMESTAMP(changed, 'yyyy-MM-dd''T''HH:mm:ss.SSSSSSSSS', 'UTC') AS changed_at
  FROM hires
  EMIT CHANGES;

CREATE STREAM hires_in_time WITH (TIMESTAMP = 'changed_at') AS
  SELECT * FROM hires_parsed
  EMIT CHANGES;

CREATE TABLE takings WITH (KAFKA_TOPIC = 'takings', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON') AS
  SELECT status, COUNT(*) AS hires, MIN(price) AS least, MAX(price) AS most, SUM(price) AS total,
    ROUND(CAST(SUM(price) AS DOUBLE) / COUNT(*), 2) AS mean
  FROM hires_in_time
    WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 1 DAY)
  GROUP BY status
  EMIT CHANGES;

-- The same with the beginning of the hour as a text, for those who read the topic.
CREATE TABLE takings_with_hour WITH (KAFKA_TOPIC = 'takings_with_hour', KEY_FORMAT = 'KAFKA', VALUE_FORMAT = 'JSON') AS
  SELECT status, TIMESTAMPTOSTRING(WINDOWSTART, 'yyyy-MM-dd HH:mm', 'UTC') AS hour, COUNT(*) AS hires, SUM(price) AS total
  FROM hires_in_time
    WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 1 DAY)
  GROUP BY status
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- What there is after run.sh. Each question stands behind `>`, its answer below; `~` is a question whose rows come in any order.
------------------------------------------------------------------------------------------------------------------------
-- > DESCRIBE client_changes;
-- {"Field":"ROWKEY","Type":"STRUCT<`ID` INTEGER> (key)"}
-- {"Field":"ID","Type":"INTEGER"}
-- {"Field":"FIRST_NAME","Type":"VARCHAR(STRING)"}
-- {"Field":"LAST_NAME","Type":"VARCHAR(STRING)"}
-- {"Field":"CLASS","Type":"VARCHAR(STRING)"}
-- {"Field":"SINCE","Type":"VARCHAR(STRING)"}
-- > DESCRIBE tools;
-- {"Field":"ID","Type":"INTEGER          (primary key)"}
-- {"Field":"NAME","Type":"VARCHAR(STRING)"}
-- {"Field":"PER_DAY","Type":"DECIMAL(6, 2)"}
-- > SELECT client_id, first_name, last_name, class FROM clients;
-- {"CLIENT_ID":1,"FIRST_NAME":"Ines","LAST_NAME":"Prado","CLASS":"Trade"}
-- {"CLIENT_ID":2,"FIRST_NAME":"Rui","LAST_NAME":"Sal-Prado","CLASS":"Trade"}
-- {"CLIENT_ID":4,"FIRST_NAME":"Olga","LAST_NAME":null,"CLASS":"Home"}
-- > SET 'auto.offset.reset' = 'earliest'; SELECT client_id, last_name FROM clients EMIT CHANGES LIMIT 3;
-- {"CLIENT_ID":1,"LAST_NAME":"Prado"}
-- {"CLIENT_ID":2,"LAST_NAME":"Sal"}
-- {"CLIENT_ID":3,"LAST_NAME":"Vaz"}
-- > SET 'auto.offset.reset' = 'earliest'; SELECT h.id AS hire, c.first_name AS first_name, c.last_name AS last_name FROM hires h LEFT JOIN clients c ON h.client_id = c.client_id WHERE c.last_name IS NOT NULL AND h.client_id < 3 EMIT CHANGES LIMIT 5;
-- {"HIRE":100,"FIRST_NAME":"Ines","LAST_NAME":"Prado"}
-- {"HIRE":101,"FIRST_NAME":"Rui","LAST_NAME":"Sal-Prado"}
-- {"HIRE":100,"FIRST_NAME":"Ines","LAST_NAME":"Prado"}
-- {"HIRE":105,"FIRST_NAME":"Ines","LAST_NAME":"Prado"}
-- {"HIRE":107,"FIRST_NAME":"Rui","LAST_NAME":"Sal-Prado"}
-- > SELECT hire_id, client, class, ROUND(loyal_years, 2) AS loyal_years FROM hires_of_clients;
-- {"HIRE_ID":100,"CLIENT":"Ines Prado","CLASS":"Trade","LOYAL_YEARS":14.93}
-- {"HIRE_ID":101,"CLIENT":"Rui Sal-Prado","CLASS":"Home","LOYAL_YEARS":2.29}
-- {"HIRE_ID":103,"CLIENT":"Ana Vaz","CLASS":"Trade","LOYAL_YEARS":5.01}
-- {"HIRE_ID":100,"CLIENT":"Ines Prado","CLASS":"Trade","LOYAL_YEARS":14.93}
-- {"HIRE_ID":105,"CLIENT":"Ines Prado","CLASS":"Trade","LOYAL_YEARS":14.93}
-- {"HIRE_ID":107,"CLIENT":"Rui Sal-Prado","CLASS":"Trade","LOYAL_YEARS":12.3}
-- {"HIRE_ID":108,"CLIENT":"Ines Prado","CLASS":"Trade","LOYAL_YEARS":14.93}
-- > SELECT hire_id, client, loyal_years FROM hires_of_old_friends;
-- {"HIRE_ID":100,"CLIENT":"Ines Prado","LOYAL_YEARS":14.9}
-- {"HIRE_ID":100,"CLIENT":"Ines Prado","LOYAL_YEARS":14.9}
-- {"HIRE_ID":105,"CLIENT":"Ines Prado","LOYAL_YEARS":14.9}
-- {"HIRE_ID":107,"CLIENT":"Rui Sal-Prado","LOYAL_YEARS":12.3}
-- {"HIRE_ID":108,"CLIENT":"Ines Prado","LOYAL_YEARS":14.9}
-- > SELECT hire_id, tool, price, per_day FROM hires_with_tools;
-- {"HIRE_ID":100,"TOOL":"Rotary hammer","PRICE":37.00,"PER_DAY":18.50}
-- {"HIRE_ID":101,"TOOL":"Ladder","PRICE":6.00,"PER_DAY":6.00}
-- {"HIRE_ID":103,"TOOL":"Tile saw","PRICE":48.00,"PER_DAY":24.00}
-- {"HIRE_ID":100,"TOOL":"Rotary hammer","PRICE":37.00,"PER_DAY":18.50}
-- {"HIRE_ID":105,"TOOL":"Ladder","PRICE":30.00,"PER_DAY":6.00}
-- {"HIRE_ID":107,"TOOL":"Tile saw","PRICE":52.00,"PER_DAY":26.00}
-- {"HIRE_ID":108,"TOOL":null,"PRICE":6.00,"PER_DAY":null}
-- > SELECT id, ROWTIME, changed_at, arrived > changed_at AS late FROM hires_in_time;
-- {"ID":100,"ROWTIME":1709280312000,"CHANGED_AT":1709280312000,"LATE":true}
-- {"ID":101,"ROWTIME":1709282400500,"CHANGED_AT":1709282400500,"LATE":true}
-- {"ID":102,"ROWTIME":1709284530250,"CHANGED_AT":1709284530250,"LATE":true}
-- {"ID":103,"ROWTIME":1709284800999,"CHANGED_AT":1709284800999,"LATE":true}
-- {"ID":100,"ROWTIME":1709287200000,"CHANGED_AT":1709287200000,"LATE":true}
-- {"ID":104,"ROWTIME":1709289000000,"CHANGED_AT":1709289000000,"LATE":true}
-- {"ID":105,"ROWTIME":1709283599999,"CHANGED_AT":1709283599999,"LATE":true}
-- {"ID":106,"ROWTIME":1709290800000,"CHANGED_AT":1709290800000,"LATE":true}
-- {"ID":107,"ROWTIME":1709291400000,"CHANGED_AT":1709291400000,"LATE":true}
-- {"ID":108,"ROWTIME":1709292000000,"CHANGED_AT":1709292000000,"LATE":true}
-- > SELECT status, WINDOWSTART, hires, least, most, total, mean FROM takings;
-- {"STATUS":"OUT","WINDOWSTART":1709280000000,"HIRES":3,"LEAST":6.00,"MOST":37.00,"TOTAL":73.00,"MEAN":24.33}
-- {"STATUS":"OUT","WINDOWSTART":1709283600000,"HIRES":2,"LEAST":24.00,"MOST":48.00,"TOTAL":72.00,"MEAN":36.0}
-- {"STATUS":"BACK","WINDOWSTART":1709287200000,"HIRES":1,"LEAST":37.00,"MOST":37.00,"TOTAL":37.00,"MEAN":37.0}
-- {"STATUS":"OUT","WINDOWSTART":1709287200000,"HIRES":1,"LEAST":12.00,"MOST":12.00,"TOTAL":12.00,"MEAN":12.0}
-- {"STATUS":"OUT","WINDOWSTART":1709290800000,"HIRES":3,"LEAST":6.00,"MOST":52.00,"TOTAL":76.50,"MEAN":25.5}
-- > SELECT status, hour, hires, total FROM takings_with_hour;
-- {"STATUS":"OUT","HOUR":"2024-03-01 08:00","HIRES":3,"TOTAL":73.00}
-- {"STATUS":"OUT","HOUR":"2024-03-01 09:00","HIRES":2,"TOTAL":72.00}
-- {"STATUS":"BACK","HOUR":"2024-03-01 10:00","HIRES":1,"TOTAL":37.00}
-- {"STATUS":"OUT","HOUR":"2024-03-01 10:00","HIRES":1,"TOTAL":12.00}
-- {"STATUS":"OUT","HOUR":"2024-03-01 11:00","HIRES":3,"TOTAL":76.50}
-- > PRINT 'takings_with_hour' FROM BEGINNING LIMIT 7;
-- {"rowtime":1709280312000,"partition":0,"offset":0,"key":"[OUT@1709280000000/-]","value":{"HOUR":"2024-03-01 08:00","HIRES":1,"TOTAL":37.00}}
-- {"rowtime":1709282400500,"partition":0,"offset":1,"key":"[OUT@1709280000000/-]","value":{"HOUR":"2024-03-01 08:00","HIRES":2,"TOTAL":43.00}}
-- {"rowtime":1709284530250,"partition":0,"offset":2,"key":"[OUT@1709283600000/-]","value":{"HOUR":"2024-03-01 09:00","HIRES":1,"TOTAL":24.00}}
-- {"rowtime":1709284800999,"partition":0,"offset":3,"key":"[OUT@1709283600000/-]","value":{"HOUR":"2024-03-01 09:00","HIRES":2,"TOTAL":72.00}}
-- {"rowtime":1709287200000,"partition":0,"offset":4,"key":"[BACK@1709287200000/-]","value":{"HOUR":"2024-03-01 10:00","HIRES":1,"TOTAL":37.00}}
-- {"rowtime":1709289000000,"partition":0,"offset":5,"key":"[OUT@1709287200000/-]","value":{"HOUR":"2024-03-01 10:00","HIRES":1,"TOTAL":12.00}}
-- {"rowtime":1709283599999,"partition":0,"offset":6,"key":"[OUT@1709280000000/-]","value":{"HOUR":"2024-03-01 08:00","HIRES":3,"TOTAL":73.00}}
