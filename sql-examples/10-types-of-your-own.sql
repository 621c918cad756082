-- Types of your own: an address is said once and used in several streams, in arrays too.
--
-- Run it:   levada run sql-examples/10-types-of-your-own.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE TYPE IF NOT EXISTS address AS STRUCT<street STRING, city STRING>;

CREATE STREAM moves (person STRING KEY, home address, earlier ARRAY<address>)
  WITH (KAFKA_TOPIC = 'moves', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO moves VALUES ('ines', STRUCT(street := 'Rua do Ouro 7', city := 'Lisboa'),
  ARRAY[STRUCT(street := 'Rua das Flores 1', city := 'Porto'), STRUCT(street := 'Rua Direita 3', city := 'Faro')]);
INSERT INTO moves (person, home) VALUES ('rui', STRUCT(street := 'Rua Nova 2', city := 'Evora'));

CREATE STREAM paths AS
  SELECT person, earlier[1]->city AS first_city, earlier[-1]->city AS last_city, home->city AS city
  FROM moves
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM paths EMIT CHANGES LIMIT 2;
-- {"PERSON":"ines","FIRST_CITY":"Porto","LAST_CITY":"Faro","CITY":"Lisboa"}
-- {"PERSON":"rui","FIRST_CITY":null,"LAST_CITY":null,"CITY":"Evora"}
