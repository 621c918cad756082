-- A lending library: streams, filters, tables and their tombstones.

--@test: a record passes through and keeps its time
CREATE STREAM loans (reader STRING KEY, book STRING, term INT) WITH (kafka_topic = 'loans', value_format = 'json');
CREATE STREAM long_loans AS SELECT reader, book + '!' AS title, term FROM loans WHERE term > 14;
INSERT INTO loans (reader, book, term, rowtime) VALUES ('ann', 'Emma', 21, 5000);
INSERT INTO loans (reader, book, term, rowtime) VALUES ('bob', 'Ulysses', 7, 6000);
INSERT INTO loans (reader, book, term, rowtime) VALUES ('cid', NULL, 28, 7000);
ASSERT VALUES long_loans (reader, title, term, rowtime) VALUES ('ann', 'Emma!', 21, 5000);
ASSERT VALUES long_loans (reader, term) VALUES ('cid', 28);

--@test: what was inserted can be asserted too, in its order
CREATE STREAM loans (reader STRING KEY, book STRING) WITH (kafka_topic = 'loans', value_format = 'delimited');
INSERT INTO loans VALUES ('ann', 'Emma');
INSERT INTO loans VALUES ('bob', 'Ulysses');
ASSERT VALUES loans VALUES ('ann', 'Emma');
ASSERT VALUES loans VALUES ('bob', 'Ulysses');

--@test: every update of a count is seen
CREATE STREAM loans (reader STRING KEY, book STRING) WITH (kafka_topic = 'loans', value_format = 'json');
CREATE TABLE loans_by_reader AS SELECT reader, COUNT(*) AS books FROM loans GROUP BY reader;
INSERT INTO loans VALUES ('ann', 'Emma');
INSERT INTO loans VALUES ('bob', 'Ulysses');
INSERT INTO loans VALUES ('ann', 'Persuasion');
ASSERT VALUES loans_by_reader (reader, books) VALUES ('ann', 1);
ASSERT VALUES loans_by_reader (reader, books) VALUES ('bob', 1);
ASSERT VALUES loans_by_reader (reader, books) VALUES ('ann', 2);

--@test: a row that no longer fits leaves a tombstone
CREATE TABLE readers (id INT PRIMARY KEY, fee DOUBLE) WITH (kafka_topic = 'readers', value_format = 'json');
CREATE TABLE debtors AS SELECT id, fee FROM readers WHERE fee > 0;
INSERT INTO readers VALUES (7, 0.1);
INSERT INTO readers VALUES (7, 0.0);
ASSERT VALUES debtors (id, fee) VALUES (7, 0.10000000001);
ASSERT NULL VALUES debtors (id) KEY (7);

--@test: a query reads what comes after it, unless it is told to begin at the beginning
CREATE STREAM loans (reader STRING KEY, book STRING) WITH (kafka_topic = 'loans', value_format = 'json');
INSERT INTO loans VALUES ('ann', 'Emma');
CREATE STREAM later AS SELECT reader, book FROM loans;
SET 'auto.offset.reset' = 'earliest';
CREATE STREAM everything AS SELECT reader, book FROM loans;
UNSET 'auto.offset.reset';
INSERT INTO loans VALUES ('bob', 'Ulysses');
ASSERT VALUES later VALUES ('bob', 'Ulysses');
ASSERT VALUES everything VALUES ('ann', 'Emma');
ASSERT VALUES everything VALUES ('bob', 'Ulysses');

--@test: scripts and variables serve tests too
RUN SCRIPT 'parts/loans.sql';
DEFINE reader = 'ann';
INSERT INTO loans VALUES ('${reader}', 'Emma');
ASSERT VALUES titles (reader, title) VALUES ('${reader}', 'Emma!');
INSERT INTO loans VALUES ('$${reader}', 'Ulysses');
ASSERT VALUES titles (reader, title) VALUES ('$${reader}', 'Ulysses!');
