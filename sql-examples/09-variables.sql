-- Variables: one file for several shops. A value stands for a whole name or literal, or for a part of a text.
--
-- Run it:   levada run sql-examples/09-variables.sql --until-idle

SET 'auto.offset.reset' = 'earliest';

DEFINE shop = 'porto';
DEFINE sales = 'porto_sales';
DEFINE least = '10';

CREATE STREAM ${sales} (item STRING KEY, pieces INT)
  WITH (KAFKA_TOPIC = '${shop}-sales', VALUE_FORMAT = 'JSON', PARTITIONS = 1);

INSERT INTO ${sales} VALUES ('cork', 12);
INSERT INTO ${sales} VALUES ('tile', 3);

CREATE STREAM bulk_sales AS
  SELECT item, pieces, 'at least ${least} in ${shop}' AS remark
  FROM ${sales}
  WHERE pieces >= ${least}
  EMIT CHANGES;

-- > SET 'auto.offset.reset' = 'earliest'; SELECT * FROM bulk_sales EMIT CHANGES LIMIT 1;
-- {"ITEM":"cork","PIECES":12,"REMARK":"at least 10 in porto"}
