-- A car park: windows, whose bounds are part of the key.

--@test: arrivals per minute, the window among what is asserted
CREATE STREAM arrivals (gate STRING KEY, plate STRING) WITH (kafka_topic = 'arrivals', value_format = 'json');
CREATE TABLE per_minute AS
  SELECT gate, COUNT(*) AS cars FROM arrivals WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 0 SECONDS) GROUP BY gate;
INSERT INTO arrivals (gate, plate, rowtime) VALUES ('north', 'A-1', 1000);
INSERT INTO arrivals (gate, plate, rowtime) VALUES ('north', 'B-2', 61000);
INSERT INTO arrivals (gate, plate, rowtime) VALUES ('north', 'C-3', 2000);
INSERT INTO arrivals (gate, plate, rowtime) VALUES ('north', 'D-4', 62000);
ASSERT VALUES per_minute (gate, cars, windowstart, windowend) VALUES ('north', 1, 0, 60000);
ASSERT VALUES per_minute (gate, cars, windowstart, rowtime) VALUES ('north', 1, 60000, 61000);
ASSERT VALUES per_minute (gate, cars, windowstart) VALUES ('north', 2, 60000);

--@test: nested values are compared part by part
CREATE STREAM tickets (plate STRING KEY, ticket STRUCT<fee DECIMAL(5, 2), gates ARRAY<STRING>>, notes MAP<STRING, INT>)
  WITH (kafka_topic = 'tickets', value_format = 'json');
CREATE STREAM copies AS SELECT * FROM tickets;
INSERT INTO tickets VALUES ('A-1', STRUCT(fee := 2.50, gates := ARRAY['north', 'east']), MAP('level' := 3, 'row' := 9));
ASSERT VALUES copies (plate, ticket, notes)
  VALUES ('A-1', STRUCT(fee := 2.50, gates := ARRAY['north', 'east']), MAP('row' := 9, 'level' := 3));

--@test: a tenth of a cent is a difference
--@expected.error: java.lang.AssertionError
--@expected.message: FEE: expected 2.51, got 2.50
CREATE STREAM tickets (plate STRING KEY, fee DECIMAL(5, 2)) WITH (kafka_topic = 'tickets', value_format = 'json');
INSERT INTO tickets VALUES ('A-1', 2.50);
ASSERT VALUES tickets VALUES ('A-1', 2.51);
