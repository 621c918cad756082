-- A topic as a table: the newest record of a key is the row, a record without a value removes it, and a row that no
-- longer fits leaves the result.
--
-- Run it:   levada run sql-examples/16-table-from-topic.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE TABLE users (id INT PRIMARY KEY, name STRING, active BOOLEAN)
  WITH (KAFKA_TOPIC = 'users', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO users VALUES (1, 'Ines', true);
INSERT INTO users VALUES (2, 'Rui', true);
INSERT INTO users VALUES (3, 'Ana', true);
INSERT INTO users VALUES (2, 'Rui', false);
INSERT INTO users VALUES (3, 'Ana Maria', true);

-- The topic of this table gets a record without a value for user 2.
CREATE TABLE active_users AS
  SELECT id, name FROM users WHERE active EMIT CHANGES;

-- A BOOLEAN key needs a format that has BOOLEANs.
CREATE TABLE by_activity WITH (KEY_FORMAT = 'JSON') AS
  SELECT active, COUNT(*) AS users FROM users GROUP BY active EMIT CHANGES;

-- > SELECT * FROM active_users WHERE id = 2;
-- > SELECT * FROM active_users WHERE id = 3;
-- {"ID":3,"NAME":"Ana Maria"}
-- > SELECT * FROM by_activity WHERE active = true;
-- {"ACTIVE":true,"USERS":2}
