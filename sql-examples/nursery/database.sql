-- Stands for a database and what carries its changes into topics: they come as JSON and go out in Avro, keys too, with their schemas
-- in the registry. With one of your own, this file is left out.

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM customer_log (id INT KEY, name STRING, town STRING, discount DECIMAL(3, 2))
  WITH (KAFKA_TOPIC = 'customer_log', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

CREATE STREAM customer_log_avro WITH (KAFKA_TOPIC = 'nursery.customers', FORMAT = 'AVRO') AS
  SELECT * FROM customer_log
  EMIT CHANGES;
