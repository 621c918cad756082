-- Lines of a system log: who knocks at the door, from where, and how often.
--
-- The topic syslog exists before this file runs (see run.sh).

SET 'auto.offset.reset' = 'earliest';

CREATE STREAM syslog (logged_at BIGINT, host STRING, program STRING, message STRING)
  WITH (KAFKA_TOPIC = 'syslog', VALUE_FORMAT = 'JSON', TIMESTAMP = 'logged_at');

-- A topic of its own, for whoever wants to know: users that do not exist, at the one host that the world can reach.
CREATE STREAM invalid_users WITH (KAFKA_TOPIC = 'invalid_users') AS
  SELECT host, program,
    REGEXP_EXTRACT('Invalid user (\S+) from (\S+)', message, 1) AS name,
    REGEXP_EXTRACT('Invalid user (\S+) from (\S+)', message, 2) AS source
  FROM syslog
  WHERE host = 'gate' AND message LIKE '%Invalid user%'
  EMIT CHANGES;

-- Per minute of the line, not of its arrival: a late one is counted where it belongs.
CREATE TABLE attacks_per_minute AS
  SELECT source, COUNT(*) AS attempts, COLLECT_LIST(name) AS names
  FROM invalid_users
    WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 1 HOUR)
  GROUP BY source
  EMIT CHANGES;

-- More than three in a minute are an alarm.
CREATE TABLE alarms WITH (KAFKA_TOPIC = 'alarms') AS
  SELECT source, TIMESTAMPTOSTRING(WINDOWSTART, 'yyyy-MM-dd HH:mm', 'UTC') AS begins, COUNT(*) AS attempts
  FROM invalid_users
    WINDOW TUMBLING (SIZE 1 MINUTE, GRACE PERIOD 1 HOUR)
  GROUP BY source
  HAVING COUNT(*) > 3
  EMIT CHANGES;

------------------------------------------------------------------------------------------------------------------------
-- What there is after run.sh. Each question stands behind `>`, its answer below; `~` is a question whose rows come in any order.
------------------------------------------------------------------------------------------------------------------------

-- > PRINT 'syslog' FROM BEGINNING LIMIT 2;
-- {"rowtime":1725271200000,"partition":0,"offset":0,"key":null,"value":{"logged_at":1725271200000,"host":"gate","program":"sshd[811]","message":"Server listening on 0.0.0.0 port 22."}}
-- {"rowtime":1725271205000,"partition":0,"offset":1,"key":null,"value":{"logged_at":1725271205000,"host":"gate","program":"sshd[902]","message":"Invalid user oracle from 203.0.113.7 port 40210"}}
-- > SET 'auto.offset.reset' = 'earliest'; SELECT program, message FROM syslog WHERE host = 'gate' AND message LIKE '%Invalid user%' EMIT CHANGES LIMIT 2;
-- {"PROGRAM":"sshd[902]","MESSAGE":"Invalid user oracle from 203.0.113.7 port 40210"}
-- {"PROGRAM":"sshd[903]","MESSAGE":"Invalid user admin from 203.0.113.7 port 40214"}
-- > PRINT 'invalid_users' FROM BEGINNING LIMIT 3;
-- {"rowtime":1725271205000,"partition":0,"offset":0,"key":null,"value":{"HOST":"gate","PROGRAM":"sshd[902]","NAME":"oracle","SOURCE":"203.0.113.7"}}
-- {"rowtime":1725271209000,"partition":0,"offset":1,"key":null,"value":{"HOST":"gate","PROGRAM":"sshd[903]","NAME":"admin","SOURCE":"203.0.113.7"}}
-- {"rowtime":1725271215000,"partition":0,"offset":2,"key":null,"value":{"HOST":"gate","PROGRAM":"sshd[905]","NAME":"test","SOURCE":"203.0.113.7"}}
-- > SELECT name, source FROM invalid_users;
-- {"NAME":"oracle","SOURCE":"203.0.113.7"}
-- {"NAME":"admin","SOURCE":"203.0.113.7"}
-- {"NAME":"test","SOURCE":"203.0.113.7"}
-- {"NAME":"guest","SOURCE":"192.0.2.44"}
-- {"NAME":"user1","SOURCE":"203.0.113.7"}
-- {"NAME":"ftp","SOURCE":"203.0.113.7"}
-- {"NAME":"guest","SOURCE":"192.0.2.44"}
-- {"NAME":"www","SOURCE":"192.0.2.44"}
-- {"NAME":"mail","SOURCE":"192.0.2.44"}
-- ~ SELECT source, WINDOWSTART, attempts, names FROM attacks_per_minute;
-- {"SOURCE":"192.0.2.44","WINDOWSTART":1725271200000,"ATTEMPTS":2,"NAMES":["guest","mail"]}
-- {"SOURCE":"203.0.113.7","WINDOWSTART":1725271200000,"ATTEMPTS":4,"NAMES":["oracle","admin","test","user1"]}
-- {"SOURCE":"192.0.2.44","WINDOWSTART":1725271260000,"ATTEMPTS":2,"NAMES":["guest","www"]}
-- {"SOURCE":"203.0.113.7","WINDOWSTART":1725271260000,"ATTEMPTS":1,"NAMES":["ftp"]}
-- ~ SELECT source, begins, attempts FROM alarms;
-- {"SOURCE":"203.0.113.7","BEGINS":"2024-09-02 10:00","ATTEMPTS":4}
