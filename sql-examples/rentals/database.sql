-- Stands for a database and what carries its changes into topics, so that the story needs neither: changes come as JSON and go out
-- in Avro, with their schemas in the registry, as such a program writes them. With one of your own, this file is left out.

SET 'auto.offset.reset' = 'earliest';

-- Rows as they are after the change, without a value for one that was deleted. The key is a record of the primary key.
CREATE STREAM client_log (
    row_key STRUCT<`id` INT> KEY,
    `id` INT, `first_name` STRING, `last_name` STRING, `class` STRING, `since` STRING
  ) WITH (KAFKA_TOPIC = 'client_log', FORMAT = 'JSON', PARTITIONS = 1);

CREATE STREAM client_log_avro WITH (KAFKA_TOPIC = 'shop.clients', FORMAT = 'AVRO') AS
  SELECT * FROM client_log
  EMIT CHANGES;

CREATE STREAM hire_log (
    row_key STRUCT<`id` INT> KEY,
    `id` INT, `client_id` INT, `tool_id` INT, `status` STRING, `price` DECIMAL(8, 2), `changed` STRING
  ) WITH (KAFKA_TOPIC = 'hire_log', FORMAT = 'JSON', PARTITIONS = 1);

CREATE STREAM hire_log_avro WITH (KAFKA_TOPIC = 'shop.hires', FORMAT = 'AVRO') AS
  SELECT * FROM hire_log
  EMIT CHANGES;

-- The same in envelopes: what the row was before the change and what it is after it.
CREATE STREAM tool_log (
    row_key STRUCT<`id` INT> KEY,
    `before` STRUCT<`id` INT, `name` STRING, `per_day` DECIMAL(6, 2)>,
    `after` STRUCT<`id` INT, `name` STRING, `per_day` DECIMAL(6, 2)>,
    `op` STRING, `ts_ms` BIGINT
  ) WITH (KAFKA_TOPIC = 'tool_log', FORMAT = 'JSON', PARTITIONS = 1);

CREATE STREAM tool_log_avro WITH (KAFKA_TOPIC = 'shop.tools', FORMAT = 'AVRO') AS
  SELECT * FROM tool_log
  EMIT CHANGES;
