-- What is not there: comparisons with NULL are false, IS DISTINCT FROM counts it as a value, and a failing expression is NULL.
--
-- Run it:   levada run sql-examples/18-nulls.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM answers (person STRING KEY, age INT, weight INT)
  WITH (KAFKA_TOPIC = 'answers', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO answers VALUES ('ann', 30, 0);
INSERT INTO answers (person, weight) VALUES ('ben', 70);

CREATE STREAM read_answers AS
  SELECT person,
    CASE WHEN age = 30 THEN 'yes' ELSE 'no' END AS is_30,
    CASE WHEN NOT (age = 30) THEN 'yes' ELSE 'no' END AS is_not_30,
    CASE WHEN age IS DISTINCT FROM 30 THEN 'yes' ELSE 'no' END AS differs_from_30,
    CASE WHEN age IS NULL THEN 'yes' ELSE 'no' END AS is_missing,
    age + 1 AS next_age,
    1000 / weight AS share
  FROM answers
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM read_answers EMIT CHANGES LIMIT 2;
-- {"PERSON":"ann","IS_30":"yes","IS_NOT_30":"no","DIFFERS_FROM_30":"no","IS_MISSING":"no","NEXT_AGE":31,"SHARE":null}
-- {"PERSON":"ben","IS_30":"no","IS_NOT_30":"yes","DIFFERS_FROM_30":"yes","IS_MISSING":"yes","NEXT_AGE":null,"SHARE":14}
