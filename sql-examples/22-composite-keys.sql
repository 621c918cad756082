-- Keys of several columns, and a copy of the key in the value for those who only read values.
--
-- Run it:   levada run sql-examples/22-composite-keys.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM goals (game STRING KEY, team STRING, player STRING)
  WITH (KAFKA_TOPIC = 'goals', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO goals VALUES ('g1', 'blue', 'ann');
INSERT INTO goals VALUES ('g1', 'red', 'cleo');
INSERT INTO goals VALUES ('g2', 'blue', 'ann');
INSERT INTO goals VALUES ('g2', 'blue', 'ben');

-- A key of two columns is an object, so its format is JSON.
CREATE TABLE goals_of_players WITH (KEY_FORMAT = 'JSON') AS
  SELECT team, player, AS_VALUE(team) AS team_again, COUNT(*) AS goals
  FROM goals
  GROUP BY team, player
  EMIT CHANGES;

-- > SELECT * FROM goals_of_players WHERE team = 'blue' AND player = 'ann';
-- {"TEAM":"blue","PLAYER":"ann","TEAM_AGAIN":"blue","GOALS":2}
-- > SELECT team, goals FROM goals_of_players WHERE player = 'cleo';
-- {"TEAM":"red","GOALS":1}
