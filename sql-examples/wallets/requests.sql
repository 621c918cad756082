-- Stands for the program that writes commands: it takes them as JSON and writes them in Avro, by the schema that the registry has
-- for the topic (commands.avsc): a union of records, with ids of a fixed number of bytes and enums.

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM requests (
    request STRING, id STRING, wallet STRING, holder STRING, kind STRING, payer STRING, payee STRING, cents BIGINT, channel STRING,
    reason STRING
  ) WITH (KAFKA_TOPIC = 'requests', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

-- A column for each record of the union: one of them has a value.
CREATE STREAM requested_commands WITH (KAFKA_TOPIC = 'commands', VALUE_FORMAT = 'AVRO') AS
  SELECT
    CASE WHEN request = 'open' THEN
      STRUCT(id := TO_BYTES(id, 'hex'), wallet := TO_BYTES(wallet, 'hex'), holder := holder, kind := kind) END AS openwallet,
    CASE WHEN request = 'deposit' THEN
      STRUCT(id := TO_BYTES(id, 'hex'), wallet := TO_BYTES(wallet, 'hex'), cents := cents, channel := channel) END AS deposit,
    CASE WHEN request = 'pay' THEN
      STRUCT(id := TO_BYTES(id, 'hex'), payer := TO_BYTES(payer, 'hex'), payee := TO_BYTES(payee, 'hex'), cents := cents,
        reason := reason) END AS pay
  FROM requests
  EMIT CHANGES;
