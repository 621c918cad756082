-- Wallets of a festival: commands in, each handled once however often it comes, balances out.
--
-- The topic commands is there before this file runs, with its schema in the registry (see run.sh).

SET 'auto.offset.reset' = 'earliest';
-- Each command counts, not only the last one of a moment.
SET 'cache.max.bytes.buffering' = '0';

------------------------------------------------------------------------------------------------------------------------
-- What comes in: a topic with records of several types, each in a column of its name
------------------------------------------------------------------------------------------------------------------------

CREATE STREAM commands WITH (KAFKA_TOPIC = 'commands', VALUE_FORMAT = 'AVRO');

CREATE STREAM numbered WITH (KAFKA_TOPIC = 'numbered', KEY_FORMAT = 'KAFKA') AS
  SELECT
    FROM_BYTES(CASE WHEN openwallet IS NOT NULL THEN openwallet->id WHEN deposit IS NOT NULL THEN deposit->id ELSE pay->id END, 'hex')
      AS id,
    CASE WHEN openwallet IS NOT NULL THEN 'OPEN' WHEN deposit IS NOT NULL THEN 'DEPOSIT' ELSE 'PAY' END AS command,
    FROM_BYTES(CASE WHEN openwallet IS NOT NULL THEN openwallet->wallet END, 'hex') AS opened,
    openwallet->holder AS holder,
    openwallet->kind AS kind,
    -- Money comes from the till, or from somebody.
    CASE WHEN deposit IS NOT NULL THEN '00000000' ELSE FROM_BYTES(pay->payer, 'hex') END AS payer,
    FROM_BYTES(CASE WHEN deposit IS NOT NULL THEN deposit->wallet ELSE pay->payee END, 'hex') AS payee,
    CASE WHEN deposit IS NOT NULL THEN deposit->cents ELSE pay->cents END AS cents,
    CASE WHEN deposit IS NOT NULL THEN deposit->channel ELSE pay->reason END AS reason
  FROM commands
  PARTITION BY
    FROM_BYTES(CASE WHEN openwallet IS NOT NULL THEN openwallet->id WHEN deposit IS NOT NULL THEN deposit->id ELSE pay->id END, 'hex')
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- Whoever sends a command may send it again, when no answer came. The first one counts: a second one takes the row out of
-- this table, which its topic tells by a record without a value.
------------------------------------------------------------------------------------------------------------------------

CREATE TABLE handled WITH (KAFKA_TOPIC = 'handled') AS
  SELECT id, COUNT(*) AS times,
    EARLIEST_BY_OFFSET(command) AS command, EARLIEST_BY_OFFSET(opened) AS opened, EARLIEST_BY_OFFSET(holder) AS holder,
    EARLIEST_BY_OFFSET(kind) AS kind, EARLIEST_BY_OFFSET(payer) AS payer, EARLIEST_BY_OFFSET(payee) AS payee,
    EARLIEST_BY_OFFSET(cents) AS cents, EARLIEST_BY_OFFSET(reason) AS reason
  FROM numbered
  GROUP BY id
  HAVING COUNT(*) = 1
  EMIT CHANGES;

CREATE STREAM first_commands (id STRING KEY) WITH (KAFKA_TOPIC = 'handled', VALUE_FORMAT = 'AVRO');

------------------------------------------------------------------------------------------------------------------------
-- Books: every payment takes from one wallet what it gives to another, so that all balances together are nothing
------------------------------------------------------------------------------------------------------------------------

CREATE STREAM entries WITH (KAFKA_TOPIC = 'entries') AS
  SELECT id, reason,
    EXPLODE(ARRAY[STRUCT(wallet := payer, cents := CAST(0 AS BIGINT) - cents), STRUCT(wallet := payee, cents := cents)]) AS entry
  FROM first_commands
  WHERE cents IS NOT NULL
  EMIT CHANGES;

CREATE TABLE balances WITH (KAFKA_TOPIC = 'balances', VALUE_FORMAT = 'JSON') AS
  SELECT entry->wallet AS wallet, SUM(entry->cents) AS cents, COUNT(*) AS entries
  FROM entries
  GROUP BY entry->wallet
  EMIT CHANGES;

CREATE TABLE holders AS
  SELECT opened, LATEST_BY_OFFSET(holder) AS holder, LATEST_BY_OFFSET(kind) AS kind
  FROM first_commands
  WHERE command = 'OPEN'
  GROUP BY opened
  EMIT CHANGES;

CREATE TABLE wallets AS
  SELECT b.wallet AS wallet, h.holder AS holder, h.kind AS kind, b.cents AS cents
  FROM balances b
    LEFT JOIN holders h ON b.wallet = h.opened
  EMIT CHANGES;

CREATE TABLE turnover AS
  SELECT reason, COUNT(*) AS payments, SUM(cents) AS cents
  FROM first_commands
  WHERE cents IS NOT NULL
  GROUP BY reason
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- What there is after run.sh. Each question stands behind `>`, its answer below; `~` is a question whose rows come in any order.
------------------------------------------------------------------------------------------------------------------------
-- > DESCRIBE commands;
-- {"Field":"OPENWALLET","Type":"STRUCT<`ID` BYTES, `WALLET` BYTES, `HOLDER` STRING, `KIND` STRING>"}
-- {"Field":"DEPOSIT","Type":"STRUCT<`ID` BYTES, `WALLET` BYTES, `CENTS` BIGINT, `CHANNEL` STRING>"}
-- {"Field":"PAY","Type":"STRUCT<`ID` BYTES, `PAYER` BYTES, `PAYEE` BYTES, `CENTS` BIGINT, `REASON` STRING>"}
-- > SELECT openwallet->holder AS holder, deposit->cents AS deposited, FROM_BYTES(pay->id, 'hex') AS paid_by_command, pay->reason AS reason FROM commands LIMIT 6;
-- {"HOLDER":"Mia","DEPOSITED":null,"PAID_BY_COMMAND":null,"REASON":null}
-- {"HOLDER":"Jonas","DEPOSITED":null,"PAID_BY_COMMAND":null,"REASON":null}
-- {"HOLDER":"Crêpes","DEPOSITED":null,"PAID_BY_COMMAND":null,"REASON":null}
-- {"HOLDER":null,"DEPOSITED":2000,"PAID_BY_COMMAND":null,"REASON":null}
-- {"HOLDER":null,"DEPOSITED":1500,"PAID_BY_COMMAND":null,"REASON":null}
-- {"HOLDER":null,"DEPOSITED":null,"PAID_BY_COMMAND":"0000000000000006","REASON":"PURCHASE"}
-- ~ SELECT id, command, cents FROM handled;
-- {"ID":"0000000000000001","COMMAND":"OPEN","CENTS":null}
-- {"ID":"0000000000000002","COMMAND":"OPEN","CENTS":null}
-- {"ID":"0000000000000003","COMMAND":"OPEN","CENTS":null}
-- {"ID":"0000000000000005","COMMAND":"DEPOSIT","CENTS":1500}
-- {"ID":"0000000000000007","COMMAND":"PAY","CENTS":500}
-- {"ID":"0000000000000008","COMMAND":"PAY","CENTS":450}
-- {"ID":"0000000000000009","COMMAND":"PAY","CENTS":700}
-- > SELECT id, entry->wallet AS wallet, entry->cents AS cents FROM entries WHERE id = '0000000000000006';
-- {"ID":"0000000000000006","WALLET":"0000a001","CENTS":-450}
-- {"ID":"0000000000000006","WALLET":"0000b001","CENTS":450}
-- ~ SELECT wallet, cents, entries FROM balances;
-- {"WALLET":"00000000","CENTS":-3500,"ENTRIES":2}
-- {"WALLET":"0000a001","CENTS":1800,"ENTRIES":5}
-- {"WALLET":"0000a002","CENTS":1000,"ENTRIES":2}
-- {"WALLET":"0000b001","CENTS":700,"ENTRIES":3}
-- ~ SELECT wallet, holder, kind, cents FROM wallets WHERE holder IS NOT NULL;
-- {"WALLET":"0000a001","HOLDER":"Mia","KIND":"GUEST","CENTS":1800}
-- {"WALLET":"0000a002","HOLDER":"Jonas","KIND":"GUEST","CENTS":1000}
-- {"WALLET":"0000b001","HOLDER":"Crêpes","KIND":"STALL","CENTS":700}
-- ~ SELECT * FROM turnover;
-- {"REASON":"CARD","PAYMENTS":1,"CENTS":1500}
-- {"REASON":"CASH","PAYMENTS":1,"CENTS":2000}
-- {"REASON":"GIFT","PAYMENTS":1,"CENTS":500}
-- {"REASON":"PURCHASE","PAYMENTS":2,"CENTS":1150}
-- {"REASON":"REFUND","PAYMENTS":1,"CENTS":450}
