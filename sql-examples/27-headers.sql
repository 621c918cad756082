-- Headers of records are columns too. Here they tell of dead letters: records that a query could not use, kept with their bytes
-- and with headers that say which query, from where, and why.
--
-- Run it:   levada run sql-examples/27-headers.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM weights (item STRING KEY, grams INT, pieces INT)
  WITH (KAFKA_TOPIC = 'weights', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO weights VALUES ('cork', 400, 8);
INSERT INTO weights VALUES ('quill', 900, 0);

-- Nine hundred grams in no piece: the result is NULL, and the record a dead letter.
CREATE STREAM weight_of_one WITH (KAFKA_TOPIC = 'weight_of_one') AS
  SELECT item, grams / pieces AS grams FROM weights EMIT CHANGES;

-- A header holds bytes, shown in base 64: d2VpZ2h0cw== is weights, cHJvY2Vzcw== is process.
-- > CREATE STREAM dead_letters (item STRING KEY, grams INT, pieces INT, came_from BYTES HEADER('levada.topic'), stage BYTES HEADER('levada.stage')) WITH (KAFKA_TOPIC = 'levada_dead_letters', VALUE_FORMAT = 'JSON'); SELECT * FROM dead_letters WHERE item = 'quill';
-- {"ITEM":"quill","GRAMS":900,"PIECES":0,"CAME_FROM":"d2VpZ2h0cw==","STAGE":"cHJvY2Vzcw=="}
-- > CREATE STREAM dead_letter_headers (item STRING KEY, headers ARRAY<STRUCT<key STRING, value BYTES>> HEADERS) WITH (KAFKA_TOPIC = 'levada_dead_letters', VALUE_FORMAT = 'JSON'); SELECT item, headers[1]->key AS first, headers[-1]->key AS last FROM dead_letter_headers WHERE item = 'quill';
-- {"ITEM":"quill","FIRST":"levada.query","LAST":"levada.reason"}
