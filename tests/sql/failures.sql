-- Tests that must fail: at which stage, and with which text.

--@test: another value than expected
--@expected.error: java.lang.AssertionError
--@expected.message: Expected record does not match actual
CREATE STREAM visits (page STRING KEY, n INT) WITH (kafka_topic = 'visits', value_format = 'json');
INSERT INTO visits VALUES ('home', 1);
ASSERT VALUES visits VALUES ('home', 2);

--@test: a column that is not listed is expected to be NULL
--@expected.message: N: expected null, got 1
CREATE STREAM visits (page STRING KEY, n INT, m INT) WITH (kafka_topic = 'visits', value_format = 'json');
INSERT INTO visits VALUES ('home', 1, 2);
ASSERT VALUES visits (page, m) VALUES ('home', 2);

--@test: a time is compared when it is listed
--@expected.message: ROWTIME: expected 7, got 6
CREATE STREAM visits (page STRING KEY, n INT) WITH (kafka_topic = 'visits', value_format = 'json');
INSERT INTO visits (page, n, rowtime) VALUES ('home', 1, 6);
ASSERT VALUES visits (page, n, rowtime) VALUES ('home', 1, 7);

--@test: there are no more records
--@expected.message: all records have already been read for topic visits
CREATE STREAM visits (page STRING KEY, n INT) WITH (kafka_topic = 'visits', value_format = 'json');
INSERT INTO visits VALUES ('home', 1);
ASSERT VALUES visits VALUES ('home', 1);
ASSERT VALUES visits VALUES ('home', 1);

--@test: a row is no tombstone
--@expected.message: value: expected none, got {"N":1}
CREATE STREAM visits (page STRING KEY, n INT) WITH (kafka_topic = 'visits', value_format = 'json');
INSERT INTO visits VALUES ('home', 1);
ASSERT NULL VALUES visits (page) KEY ('home');

--@test: a tombstone is no row
--@expected.message: there is no value, a tombstone
CREATE TABLE visits (page STRING PRIMARY KEY, n INT) WITH (kafka_topic = 'visits', value_format = 'json');
CREATE TABLE many AS SELECT page, n FROM visits WHERE n > 9;
INSERT INTO visits VALUES ('home', 10);
INSERT INTO visits VALUES ('home', 1);
ASSERT VALUES many VALUES ('home', 10);
ASSERT VALUES many VALUES ('home', 1);

--@test: a tombstone has no columns but its key
--@expected.error: io.confluent.ksql.util.KsqlStatementException
--@expected.message: Column `N` is no key column of VISITS
CREATE STREAM visits (page STRING KEY, n INT) WITH (kafka_topic = 'visits', value_format = 'json');
ASSERT NULL VALUES visits (n) KEY (1);

--@test: a statement is refused
--@expected.error: io.confluent.ksql.util.KsqlException
--@expected.message: Cannot add stream 'VISITS': A stream with the same name already exists
CREATE STREAM visits (page STRING KEY, n INT) WITH (kafka_topic = 'visits', value_format = 'json');
CREATE STREAM visits (page STRING KEY, n INT) WITH (kafka_topic = 'visits', value_format = 'json');

--@test: words are out of order
--@expected.error: io.confluent.ksql.parser.exception.ParseFailedException
--@expected.message: Syntax Error
CREATE STREAM visits (page STRING KEY, n INT) WITH (kafka_topic = 'visits', value_format = 'json');
INSERT visits VALUES ('home', 1);
