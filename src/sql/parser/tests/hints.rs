//! Wrong texts and the advice that their authors get.

use super::super::parse_statements;
use super::refused;

/// The advice for each text contains what stands beside it.
fn check(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        let error = refused(text);
        let help = error.help().unwrap_or_default();
        assert!(help.contains(expected), "{text}\n{error}\n{help}\nlacks: {expected}");
    }
}

#[test]
fn clauses_of_other_systems() {
    check(&[
        ("SELECT a FROM s ORDER BY a;", "there is no ORDER BY"),
        ("SELECT a FROM s WHERE b ORDER BY a;", "there is no ORDER BY"),
        ("SELECT a FROM s UNION SELECT b FROM t;", "an INSERT INTO … SELECT for each"),
        ("SELECT a FROM s WHERE b UNION ALL SELECT b FROM t;", "there is no UNION"),
        ("SELECT a FROM s EXCEPT SELECT b FROM t;", "EXCEPT"),
        ("SELECT a FROM s WHERE x INTERSECT SELECT b FROM t;", "INTERSECT"),
        ("SELECT a FROM s LIMIT 5 OFFSET 3;", "there is no OFFSET"),
        ("SELECT a FROM s OFFSET 3;", "there is no OFFSET"),
        ("SELECT a FROM s LIMIT 2, 3;", "LIMIT takes one number"),
        ("SELECT TOP 5 a FROM s;", "write LIMIT n"),
        ("SELECT a FROM s FETCH FIRST 3 ROWS ONLY;", "write LIMIT n"),
        ("SELECT DISTINCT a FROM s;", "GROUP BY the columns"),
        ("SELECT COUNT(DISTINCT a) FROM s;", "COUNT_DISTINCT(x)"),
        ("SELECT * EXCEPT (a) FROM s;", "* takes all columns"),
        ("SELECT a FROM s GROUP BY GROUPING SETS ((a), (b));", "GROUPING SETS"),
        ("SELECT a FROM s GROUP BY ROLLUP(a, b);", "ROLLUP"),
        ("SELECT a FROM s GROUP BY CUBE(a);", "CUBE"),
        ("SELECT a FROM s GROUP BY a WITH CUBE;", "CUBE"),
        ("SELECT ROW_NUMBER() OVER (PARTITION BY a) FROM s;", "window functions"),
        ("SELECT a, ROW_NUMBER() OVER w FROM s;", "window functions"),
        ("SELECT a FROM s QUALIFY x = 1;", "there is no QUALIFY"),
    ]);
}

#[test]
fn queries_inside_queries() {
    for text in [
        "SELECT * FROM (SELECT a FROM s) b;",
        "SELECT * FROM a JOIN (SELECT a FROM s) b ON a.x = b.x;",
        "SELECT a FROM s WHERE a IN (SELECT b FROM t);",
        "SELECT a FROM s WHERE EXISTS (SELECT b FROM t);",
        "SELECT a FROM s WHERE NOT EXISTS (SELECT b FROM t);",
        "SELECT a FROM s WHERE a = (SELECT b FROM t);",
        "SELECT (SELECT b FROM t) FROM s;",
    ] {
        check(&[(text, "there are no queries inside queries")]);
    }
    check(&[
        ("WITH x AS (SELECT a FROM s) SELECT * FROM x;", "there is no WITH … AS"),
        ("CREATE STREAM y AS WITH x AS (SELECT a FROM s) SELECT * FROM x;", "there is no WITH … AS"),
        ("CREATE TABLE t AS (SELECT a FROM s);", "without parentheses"),
    ]);
}

#[test]
fn joins_of_other_systems() {
    check(&[
        ("SELECT * FROM a NATURAL JOIN b;", "there is no NATURAL JOIN"),
        ("SELECT * FROM a x NATURAL JOIN b;", "there is no NATURAL JOIN"),
        ("SELECT * FROM a CROSS JOIN b;", "there is no CROSS JOIN"),
        ("SELECT * FROM a x CROSS JOIN b;", "there is no CROSS JOIN"),
        ("SELECT * FROM a JOIN b USING (id);", "there is no USING"),
        ("SELECT * FROM a JOIN b c USING (id);", "there is no USING"),
        ("SELECT * FROM a, b WHERE a.x = b.x;", "FROM takes one"),
        ("SELECT * FROM a x, b y;", "FROM takes one"),
        ("SELECT * FROM a JOIN b;", "ends with its condition"),
        ("SELECT a FROM EXPLODE(x);", "stands in the SELECT list"),
    ]);
}

#[test]
fn operators_and_literals_of_other_systems() {
    check(&[
        ("SELECT a FROM s WHERE a == 1;", "write = "),
        ("SELECT a FROM s WHERE !a;", "write NOT"),
        ("SELECT a FROM s WHERE a && b;", "write AND"),
        ("SELECT a FROM s WHERE a | b;", "write OR"),
        ("SELECT a::INT FROM s;", "CAST(x AS type)"),
        ("SELECT a FROM s WHERE ts > INTERVAL '1' DAY;", "DATEADD"),
        ("SELECT ts + INTERVAL 1 DAY FROM s;", "DATEADD"),
        ("SELECT a FROM s WHERE ts > INTERVAL '1';", "DATEADD"),
        ("SELECT a FROM s WHERE d > DATE '2024-01-01';", "CAST('2024-01-31' AS DATE)"),
        ("SELECT a FROM s WHERE d > TIME '10:00';", "AS TIME)"),
        ("SELECT a FROM s WHERE d > TIMESTAMP '2024-01-01';", "AS TIMESTAMP)"),
        ("SELECT a AT TIME ZONE 'UTC' FROM s;", "CONVERT_TZ"),
        ("SELECT a FROM s WHERE a ILIKE 'x';", "LCASE"),
        ("SELECT a FROM s WHERE a RLIKE 'x';", "REGEXP_EXTRACT"),
        ("SELECT a FROM s WHERE a ~ 'x';", "REGEXP_EXTRACT"),
        ("SELECT a FROM s WHERE a IS TRUE;", "condition by itself"),
        ("SELECT a FROM s WHERE a = ALL (b);", "x IN (a, b)"),
    ]);
}

#[test]
fn statements_of_other_systems() {
    check(&[
        ("UPDATE t SET a = 1;", "not changed in place"),
        ("MERGE INTO t USING s ON a = b;", "not changed in place"),
        ("DELETE FROM t WHERE a = 1;", "not deleted by a statement"),
        ("TRUNCATE t;", "not deleted by a statement"),
        ("BEGIN;", "no transactions"),
        ("START TRANSACTION;", "no transactions"),
        ("COMMIT;", "no transactions"),
        ("EXPLAIN ANALYZE SELECT a FROM s;", "no EXPLAIN ANALYZE"),
        ("CREATE VIEW v AS SELECT a FROM s;", "CREATE TABLE … AS SELECT is a view"),
        ("CREATE OR REPLACE VIEW v AS SELECT a FROM s;", "is a view"),
        ("CREATE MATERIALIZED VIEW v AS SELECT a FROM s;", "is a view"),
        ("CREATE INDEX i ON t (a);", "there are no indexes"),
        ("CREATE DATABASE d;", "one name space"),
        ("CREATE SCHEMA d;", "one name space"),
        ("CREATE TOPIC t;", "KAFKA_TOPIC"),
        ("CREATE PROCEDURE p() AS 1;", "there are no procedures"),
        ("CREATE AGGREGATE FUNCTION f(x INT) RETURNS INT AS x;", "write CREATE FUNCTION"),
        ("CREATE FUNCTION f(x INT) AS x + 1;", "RETURNS type AS expression"),
        ("CREATE FUNCTION f(x INT) RETURNS INT RETURN x + 1;", "AS instead of RETURN"),
        ("CREATE FUNCTION f(x INT) RETURNS INT LANGUAGE sql AS x + 1;", "one expression of SQL"),
        ("CREATE FUNCTION f(x INT) RETURNS INT AS $$ x + 1 $$;", "one expression of SQL"),
        ("CREATE FUNCTION f(x INT) RETURNS INT AS (SELECT MAX(a) FROM t);", "joined in the query that calls it"),
        ("CREATE FUNCTION f AS 'org.example.F';", "USING 'file'"),
        ("CREATE FUNCTION f(x INT DEFAULT 1) RETURNS INT AS x;", "no defaults"),
        ("CREATE TABLE t LIKE u;", "SELECT * FROM name"),
        ("DROP TOPIC t;", "DELETE TOPIC"),
        ("DROP VIEW v;", "DROP TABLE"),
        ("DROP QUERY q;", "TERMINATE"),
        ("SHOW DATABASES;", "one name space"),
        ("SHOW COLUMNS FROM t;", "DESCRIBE name"),
        ("SHOW CREATE TABLE t;", "DESCRIBE name"),
        ("DESCRIBE TABLE t;", "DESCRIBE name"),
        ("TERMINATE QUERY q;", "the id alone"),
        ("ALTER STREAM s DROP COLUMN a;", "only adds columns"),
        ("ALTER TABLE s RENAME TO b;", "only adds columns"),
        ("ALTER STREAM s ADD COLUMN a INT, b INT;", "its own ADD"),
        ("ALTER STREAM s ADD (a INT, b INT);", "its own ADD"),
        ("ALTER STREAM s ADD COLUMN a INT KEY;", "columns of the value"),
        ("ALTER SYSTEM SET a = 1;", "write ALTER SYSTEM 'property' = 'value'"),
        ("CREATE TABLE t (a INT NOT NULL);", "no constraints"),
        ("CREATE TABLE t (a INT DEFAULT 1);", "no constraints"),
        ("CREATE TABLE t (a INT, PRIMARY KEY (a));", "id INT PRIMARY KEY"),
        ("INSERT INTO s VALUES (1), (2);", "one row of values"),
        ("INSERT INTO s (a) SELECT a FROM t;", "lists no columns"),
        ("INSERT INTO TABLE s VALUES (1);", "without the kind"),
        ("ASSERT VALUES s (a) VALUES (1);", "for test files"),
        ("RUN SCRIPT 'a';", "for the shell"),
    ]);
}

#[test]
fn misspelt_words() {
    check(&[
        ("SHOW STRAEMS;", "did you mean STREAMS?"),
        ("SELECT a FORM s;", "did you mean FROM instead of 'FORM'?"),
        ("SELECT * FORM s;", "did you mean FROM?"),
        ("SELECT a FROM s WERE a = 1;", "did you mean WHERE instead of 'WERE'?"),
        ("SELECT a FROM s GRUP BY a;", "did you mean GROUP instead of 'GRUP'?"),
        ("CREATE STRAEM s (a INT);", "did you mean STREAM?"),
        ("CREATE STREAM s (a INT) WIHT (x=1);", "did you mean WITH?"),
        ("INSERT INTO s VALEUS (1);", "did you mean VALUES?"),
        ("SELECT a FROM s WINDOW TUMBLNG (SIZE 1 DAY) GROUP BY a;", "did you mean TUMBLING"),
        ("SELECT a FROM s WINDOW TUMBLING (SIZE 1 HUOR) GROUP BY a;", "did you mean HOUR?"),
        ("SELECT a FROM s WINDOW TUMBLING (SIZE 1 WEEK) GROUP BY a;", "HOURS or DAYS"),
        ("SELECT a FROM s EMIT CHNAGES;", "EMIT CHANGES"),
        ("SELECT a FROM s WHERE a IS NUL;", "did you mean NULL?"),
        ("DROP STREAM IF EXIST s;", "did you mean EXISTS?"),
    ]);
}

#[test]
fn a_word_like_no_other_is_not_guessed_at() {
    let error = parse_statements("banana;").expect_err("no statement");
    assert_eq!(error.to_string(), "line 1:1: Syntax Error\nUnknown statement 'banana'");
    check(&[("banana;", "statements begin with SELECT, CREATE"), (";", "no statement before this ';'")]);
    let error = parse_statements("desc s;").expect_err("no statement");
    assert!(error.to_string().ends_with("Did you mean 'DESCRIBE'?"), "{error}");
}

#[test]
fn words_in_the_wrong_place() {
    check(&[
        ("SELECT a FROM s GROUP BY a WHERE b;", "in this order: FROM"),
        ("SELECT a FROM s EMIT CHANGES LIMIT 1 WHERE b;", "in this order: FROM"),
        ("SELECT a FROM s WHERE b WHERE c;", "stand once each"),
        ("CREATE TABLE t (a INT PRIMARY KEY) WITH (x='1') AS SELECT a FROM s;", "they come from the SELECT"),
        ("CREATE STREAM t AS SELECT a FROM s WITH (x='1');", "WITH (…) stands before AS SELECT"),
        ("SHOW TOPICS SHOW STREAMS;", "ends with ';'"),
        ("SELECT 1;", "SELECT … FROM name"),
        ("SELECT a, FROM s;", "the ',' is one too many"),
        ("CREATE STREAM s (a INT,);", "the ',' is one too many"),
        ("CREATE STREAM s (a DECIMAL);", "DECIMAL(10, 2)"),
        ("CREATE STREAM s (a DECIMAL(4));", "DECIMAL(10, 2)"),
        ("SELECT size, a FROM s;", "this word is reserved"),
    ]);
}

#[test]
fn quotes_and_odd_characters() {
    check(&[
        ("CREATE STREAM s (a INT) WITH (kafka_topic=\"t\");", "texts stand in 'single quotes'"),
        ("SET \"a\" = 'b';", "texts stand in 'single quotes'"),
        ("SELECT ‘a’ FROM s;", "typographic quotes"),
        ("SELECT a – 1 FROM s;", "this is a dash"),
        ("SELECT\u{a0}a FROM s;", "special kind of blank"),
        ("SELECT a\u{200b} FROM s;", "invisible character"),
        ("SELECT größe FROM s;", "`back-ticks`"),
        ("SELECT a FROM s \\\nWHERE b;", "leave the '\\' out"),
        ("SELECT 'a FROM s;", "never closed"),
        ("SELECT a /* b FROM s;", "never closed"),
        ("CREATE STREAM ${shop}_sales (a INT);", "a whole name or literal"),
        ("PRINT my-topic;", "'single quotes'"),
        ("PRINT my.topic FROM BEGINNING;", "'single quotes'"),
    ]);
}

#[test]
fn what_cannot_be_says_what_can() {
    check(&[
        ("SELECT 99999999999999999999 FROM s;", "9223372036854775807"),
        ("CREATE STREAM a AS SELECT * FROM s LIMIT 1;", "put LIMIT on the SELECT"),
        ("SELECT x.a FROM s;", "FROM has S"),
        ("SELECT oders.a FROM orders;", "did you mean ORDERS?"),
        ("DROP STREAM `a b`;", "KAFKA_TOPIC"),
        ("ASSERT SCHEMA;", "ASSERT SCHEMA ID n"),
    ]);
}
