-- How sources are defined: what ASSERT STREAM and ASSERT TABLE compare.

--@test: a definition can be asserted in whole or in part
CREATE TYPE place AS STRUCT<lat DOUBLE, lon DOUBLE>;
CREATE STREAM buoys (id INT KEY, seen BIGINT, position place)
  WITH (kafka_topic = 'buoys', key_format = 'json', value_format = 'json', timestamp = 'seen');
CREATE TABLE last_seen AS
  SELECT id, MAX(seen) AS seen FROM buoys WINDOW HOPPING (SIZE 1 HOUR, ADVANCE BY 10 MINUTES) GROUP BY id;
ASSERT STREAM buoys (id INT KEY, seen BIGINT, position STRUCT<lat DOUBLE, lon DOUBLE>)
  WITH (kafka_topic = 'buoys', key_format = 'json', value_format = 'json', timestamp = 'seen');
ASSERT STREAM buoys (id INT KEY, seen BIGINT, position place) WITH (key_format = 'json', timestamp = 'seen');
ASSERT TABLE last_seen (id INT PRIMARY KEY, seen BIGINT)
  WITH (kafka_topic = 'LAST_SEEN', key_format = 'json', value_format = 'json',
        window_type = 'hopping', window_size = '1 HOUR');

--@test: a stream is no table
--@expected.error: io.confluent.ksql.util.KsqlException
--@expected.message: Expected type does not match actual for source BUOYS.
CREATE STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json');
ASSERT TABLE buoys (id INT PRIMARY KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json');

--@test: the columns are others
--@expected.message: Expected schema does not match actual for source BUOYS.
CREATE STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json');
ASSERT STREAM buoys (id INT KEY, seen INT) WITH (kafka_topic = 'buoys', value_format = 'json');

--@test: the topic is another
--@expected.message: Expected kafka topic does not match actual for source BUOYS.
CREATE STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json');
ASSERT STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'ships', value_format = 'json');

--@test: the format of keys is another
--@expected.message: Expected key format does not match actual for source BUOYS.
CREATE STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json');
ASSERT STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', format = 'json');

--@test: the format of values is another
--@expected.message: Expected value format does not match actual for source BUOYS.
CREATE STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json');
ASSERT STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'delimited');

--@test: the time comes from elsewhere
--@expected.message: Expected timestamp column does not match actual for source BUOYS.
CREATE STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json');
ASSERT STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json', timestamp = 'seen');

--@test: what was dropped is not there
--@expected.message: BUOYS does not exist.
CREATE STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json');
DROP STREAM buoys;
ASSERT STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json');

--@test: a topic can be asserted
CREATE STREAM buoys (id INT KEY, seen BIGINT) WITH (kafka_topic = 'buoys', value_format = 'json', partitions = 3);
ASSERT TOPIC buoys WITH (partitions = 3);
ASSERT NOT EXISTS TOPIC ships TIMEOUT 1 MILLISECOND;
