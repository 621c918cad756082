//! Texts and what is read from them, shown as the tree prints itself.

use super::super::ast::{Explain, Literal, SelectItem, Statement};
use super::*;

mod hints;
mod reads;

/// The only statement of a text.
fn statement(text: &str) -> Statement {
    let mut statements = parse_test_statements(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(statements.len(), 1, "{text}");
    statements.remove(0).statement
}

fn check_statement(text: &str, expected: &str) {
    assert_eq!(statement(&format!("{text};")).to_string(), expected, "{text}");
}

fn check_expression(text: &str, expected: &str) {
    let expression = parse_expression(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(expression.to_string(), expected, "{text}");
}

/// Why `text` is none in ksqlDB's language: an error, or what a read has instead.
fn refused(text: &str) -> ParseError {
    match parse_statements(text) {
        Err(error) => error,
        Ok(statements) => match statements.into_iter().next().map(|parsed| parsed.statement) {
            Some(Statement::Read(read)) => *read.refusal.0,
            other => panic!("{text}: {other:?}"),
        },
    }
}

fn check_error(text: &str, expected: &str) {
    let error = refused(text);
    assert_eq!(error.to_string(), expected, "{text}");
}

#[test]
fn operators_bind_as_in_ksqldb() {
    let cases = [
        ("a + b * c", "(A + (B * C))"),
        ("a * b + c", "((A * B) + C)"),
        ("a - b - c", "((A - B) - C)"),
        ("a || b + c || d", "`concat`(`concat`(A, (B + C)), D)"),
        ("-a * b", "(-A * B)"),
        ("- -5", "- -5"),
        ("a - -5", "(A - -5)"),
        ("a -5", "(A - 5)"),
        ("-(5)", "-(5)"),
        ("+5", "+5"),
        ("a = b + 1", "(A = (B + 1))"),
        ("NOT a = b", "(NOT (A = B))"),
        ("NOT NOT a", "(NOT (NOT A))"),
        ("a OR b AND c", "(A OR (B AND C))"),
        ("a AND NOT b OR c", "((A AND (NOT B)) OR C)"),
        ("NOT a AND b", "((NOT A) AND B)"),
        ("a AND b AND c", "((A AND B) AND C)"),
        ("a AND (b OR c)", "(A AND (B OR C))"),
        ("a != b", "(A <> B)"),
        ("(a = b) = c", "((A = B) = C)"),
        ("(a + b) * c", "((A + B) * C)"),
    ];
    for (text, expected) in cases {
        check_expression(text, expected);
    }
}

#[test]
fn predicates() {
    let cases = [
        ("a IS NULL", "(A IS NULL)"),
        ("a + 1 IS NOT NULL", "((A + 1) IS NOT NULL)"),
        ("a IS DISTINCT FROM b", "(A IS DISTINCT FROM B)"),
        ("a IS NOT DISTINCT FROM b", "(NOT (A IS DISTINCT FROM B))"),
        ("a BETWEEN 1 AND 2 AND b", "((A BETWEEN 1 AND 2) AND B)"),
        ("a NOT BETWEEN b + 1 AND c", "(NOT (A BETWEEN (B + 1) AND C))"),
        ("a IN (1, b = c)", "(A IN (1, (B = C)))"),
        ("a NOT IN ('x')", "(NOT (A IN ('x')))"),
        ("a LIKE '%x'", "(A LIKE '%x')"),
        ("a NOT LIKE b || 'x' ESCAPE '!'", "(NOT (A LIKE `concat`(B, 'x') ESCAPE '!'))"),
        ("a LIKE b ESCAPE ''''", "(A LIKE B ESCAPE '''')"),
    ];
    for (text, expected) in cases {
        check_expression(text, expected);
    }
}

#[test]
fn literals_keep_their_digits() {
    let cases = [
        ("1", "1"),
        ("2147483648", "2147483648"),
        ("-9223372036854775808", "-9223372036854775808"),
        ("1.50", "1.50"),
        ("007.5", "7.5"),
        (".5", "0.5"),
        ("-0.0", "0.0"),
        ("1.", "1."),
        (
            "12345678901234567890123456789012345678901234567890.1",
            "12345678901234567890123456789012345678901234567890.1",
        ),
        ("1e10", "1E10"),
        ("12.5E-3", "1.25E-2"),
        ("0e0", "0E0"),
        ("'it''s'", "'it''s'"),
        ("NULL", "null"),
        ("True", "true"),
        ("DECIMAL '1.10'", "1.10"),
        ("${x}", "${x}"),
    ];
    for (text, expected) in cases {
        check_expression(text, expected);
    }
}

#[test]
fn integers_are_as_wide_as_their_digits_ask() {
    let literal = |text: &str| match parse_expression(text).expect(text) {
        Expression::Literal { value, .. } => value,
        other => panic!("{other}"),
    };
    assert_eq!(literal("2147483647"), Literal::Integer(i32::MAX));
    assert_eq!(literal("-2147483648"), Literal::Integer(i32::MIN));
    assert_eq!(literal("2147483648"), Literal::BigInt(2_147_483_648));
}

#[test]
fn names_fold_to_upper_case_unless_quoted() {
    let cases = [
        ("abc", "ABC"),
        ("`abc`", "`abc`"),
        ("\"abc\"", "`abc`"),
        ("`ABC`", "ABC"),
        ("\"a\"\"b\"", "`a\"b`"),
        ("`a``b`", "`a``b`"),
        ("`select`", "`select`"),
        ("`SELECT`", "`SELECT`"),
        ("id", "ID"),
        ("1abc", "1ABC"),
        ("a.b", "A.B"),
        ("`s`.`f`", "`s`.`f`"),
    ];
    for (text, expected) in cases {
        check_expression(text, expected);
    }
}

#[test]
fn primary_expressions() {
    let cases = [
        ("a->b->c", "A->B->C"),
        ("a[1]->b[-1]", "A[1]->B[-1]"),
        ("f(a)->b", "F(A)->B"),
        ("(-a)[1]", "(-A)[1]"),
        ("-a[1]", "-A[1]"),
        ("count(*)", "COUNT(*)"),
        ("count()", "COUNT(*)"),
        ("f(*)", "F()"),
        ("array[1, 'a']", "ARRAY[1, 'a']"),
        ("array[]", "ARRAY[]"),
        ("map('a' := b, 'c' := 1)", "MAP('a':=B, 'c':=1)"),
        ("struct(a := 1, `b` := 2)", "STRUCT(A:=1, `b`:=2)"),
        ("cast(x as varchar)", "CAST(X AS STRING)"),
        ("CASE WHEN a THEN 1 ELSE 2 END", "(CASE WHEN A THEN 1 ELSE 2 END)"),
        ("CASE a WHEN 1 THEN 'x' END", "(CASE A WHEN 1 THEN 'x' END)"),
        ("dateadd(DAYS, 1, d)", "DATEADD(DAYS, 1, D)"),
        ("dateadd(day, 1, d)", "DATEADD(DAY, 1, D)"),
        ("windowstart()", "WINDOWSTART()"),
        ("values + id", "(VALUES + ID)"),
    ];
    for (text, expected) in cases {
        check_expression(text, expected);
    }
}

#[test]
fn lambdas_bind_names() {
    check_expression("transform(a, x => x + y)", "TRANSFORM(A, (X) => (X + Y))");
    check_expression("reduce(a, 0, (s, x) => f(s, b, t => t + x))", "REDUCE(A, 0, (S, X) => F(S, B, (T) => (T + X)))");
    let text = "f(x, x => x)";
    let Expression::FunctionCall(call) = parse_expression(text).expect(text) else {
        panic!("a call");
    };
    assert!(matches!(call.arguments[0], Expression::Column { .. }));
    let Expression::Lambda { body, .. } = &call.arguments[1] else {
        panic!("a lambda");
    };
    assert!(matches!(**body, Expression::LambdaVariable(_)));
}

#[test]
fn types() {
    let cases = [
        ("int", "INTEGER"),
        ("varchar(string)", "STRING"),
        ("dec(4, 2)", "DECIMAL(4, 2)"),
        ("dec", "DEC"),
        ("int array array array", "ARRAY<ARRAY<ARRAY<INTEGER>>>"),
        ("map<string, struct<a int> array>", "MAP<STRING, ARRAY<STRUCT<A INTEGER>>>"),
        ("VARCHAR(255)", "STRING"),
        ("decimal(4, 2)", "DECIMAL(4, 2)"),
        ("array<map<string, array<int>>>", "ARRAY<MAP<STRING, ARRAY<INTEGER>>>"),
        ("int array array", "ARRAY<ARRAY<INTEGER>>"),
        ("struct<a int, `b` struct<c date>>", "STRUCT<A INTEGER, `b` STRUCT<C DATE>>"),
        ("struct< >", "STRUCT< >"),
        ("struct<>", "STRUCT< >"),
        ("address", "ADDRESS"),
    ];
    for (text, expected) in cases {
        let data_type = parse_type(text).expect(text);
        assert_eq!(data_type.to_string(), expected, "{text}");
    }
}

#[test]
fn statements_that_define() {
    let cases = [
        (
            "create stream s (id int key, v array<string>) with (kafka_topic='t', partitions=1, \"x\"=true)",
            "CREATE STREAM S (ID INTEGER KEY, V ARRAY<STRING>) WITH (KAFKA_TOPIC='t', PARTITIONS=1, 'x'=true)",
        ),
        (
            "CREATE OR REPLACE SOURCE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, h ARRAY<STRUCT<KEY STRING, VALUE BYTES>> HEADERS, k BYTES HEADER('a'))",
            "CREATE OR REPLACE SOURCE TABLE IF NOT EXISTS T (ID INTEGER PRIMARY KEY, H ARRAY<STRUCT<KEY STRING, VALUE BYTES>> HEADERS, K BYTES HEADER('a'))",
        ),
        ("CREATE STREAM if (a INT)", "CREATE STREAM IF (A INTEGER)"),
        ("CREATE STREAM s", "CREATE STREAM S"),
        (
            "CREATE OR REPLACE STREAM IF NOT EXISTS s WITH (a='b') AS SELECT * FROM t",
            "CREATE OR REPLACE STREAM IF NOT EXISTS S WITH (A='b') AS SELECT *\nFROM T T\nEMIT CHANGES",
        ),
        ("INSERT INTO s SELECT a FROM t", "INSERT INTO S SELECT A\nFROM T T\nEMIT CHANGES"),
        (
            "INSERT INTO s WITH (QUERY_ID='q') SELECT a FROM t EMIT CHANGES",
            "INSERT INTO S WITH (QUERY_ID='q') SELECT A\nFROM T T\nEMIT CHANGES",
        ),
        ("INSERT INTO s VALUES (1, -2, 'a')", "INSERT INTO S VALUES (1, -2, 'a')"),
        ("INSERT INTO s (a,b) VALUES (1,f(2))", "INSERT INTO S (A, B) VALUES (1, F(2))"),
        ("INSERT INTO values (values) VALUES (1)", "INSERT INTO VALUES (VALUES) VALUES (1)"),
        ("DROP STREAM IF EXISTS s DELETE TOPIC", "DROP STREAM IF EXISTS S DELETE TOPIC"),
        ("drop table if", "DROP TABLE IF"),
        (
            "ALTER TABLE t ADD COLUMN a INT, ADD b DECIMAL(1,0), ADD COLUMN ARRAY<INT>",
            "ALTER TABLE T\nADD COLUMN A INTEGER,\nADD COLUMN B DECIMAL(1, 0),\nADD COLUMN COLUMN ARRAY<INTEGER>",
        ),
        ("CREATE TYPE IF NOT EXISTS a AS STRUCT<b INT>", "CREATE TYPE IF NOT EXISTS A AS STRUCT<B INTEGER>"),
        ("DROP TYPE IF EXISTS a", "DROP TYPE IF EXISTS A"),
        (
            "CREATE SINK CONNECTOR IF NOT EXISTS c WITH ('a.b'='c')",
            "CREATE SINK CONNECTOR IF NOT EXISTS C WITH ('a.b'='c')",
        ),
        ("DROP CONNECTOR IF EXISTS c", "DROP CONNECTOR IF EXISTS C"),
        (
            "create function net(price decimal(10,2), rate DOUBLE) returns double as price*(1-rate)",
            "CREATE FUNCTION NET(PRICE DECIMAL(10, 2), RATE DOUBLE) RETURNS DOUBLE AS (PRICE * (1 - RATE))",
        ),
        ("create or replace function f() returns `t` as 1", "CREATE OR REPLACE FUNCTION F() RETURNS `t` AS 1"),
        ("create function if not exists `f` using '/a.so'", "CREATE FUNCTION IF NOT EXISTS `f` USING '/a.so'"),
        (
            "create function using(returns int) returns int as returns",
            "CREATE FUNCTION USING(RETURNS INTEGER) RETURNS INTEGER AS RETURNS",
        ),
        ("create or replace functions using 'a.so'", "CREATE OR REPLACE FUNCTIONS USING 'a.so'"),
        ("create functions if not exists using 'a.so'", "CREATE FUNCTIONS IF NOT EXISTS USING 'a.so'"),
        ("drop function if exists f", "DROP FUNCTION IF EXISTS F"),
        (
            "create stream s (using int, returns int, function int)",
            "CREATE STREAM S (USING INTEGER, RETURNS INTEGER, FUNCTION INTEGER)",
        ),
    ];
    for (text, expected) in cases {
        check_statement(text, expected);
    }
}

#[test]
fn statements_that_show() {
    let cases = [
        ("show properties", "SHOW PROPERTIES"),
        ("LIST ALL TOPICS EXTENDED", "SHOW ALL TOPICS EXTENDED"),
        ("list topics", "SHOW TOPICS"),
        ("list streams extended", "SHOW STREAMS EXTENDED"),
        ("show tables", "SHOW TABLES"),
        ("show functions", "SHOW FUNCTIONS"),
        ("show connectors", "SHOW CONNECTORS"),
        ("show source connectors", "SHOW SOURCE CONNECTORS"),
        ("show connector plugins", "SHOW CONNECTOR PLUGINS"),
        ("show types", "SHOW TYPES"),
        ("show variables", "SHOW VARIABLES"),
        ("show queries extended", "SHOW QUERIES EXTENDED"),
        ("describe s", "DESCRIBE S"),
        ("describe s extended", "DESCRIBE S EXTENDED"),
        ("describe extended s", "DESCRIBE S EXTENDED"),
        ("describe streams extended", "DESCRIBE STREAMS EXTENDED"),
        ("describe tables", "DESCRIBE TABLES"),
        ("describe `TABLES`", "DESCRIBE `TABLES`"),
        ("describe function f", "DESCRIBE FUNCTION F"),
        ("describe function", "DESCRIBE FUNCTION"),
        ("describe connector c", "DESCRIBE CONNECTOR C"),
        ("explain csas_a_0", "EXPLAIN CSAS_A_0"),
        ("explain show", "EXPLAIN SHOW"),
        ("explain select a from b", "EXPLAIN SELECT A\nFROM B B"),
        ("print topic_1", "PRINT 'topic_1'"),
        ("print 'a-b' from beginning sample 2 limit 3", "PRINT 'a-b' FROM BEGINNING INTERVAL 2 LIMIT 3"),
    ];
    for (text, expected) in cases {
        check_statement(text, expected);
    }
}

#[test]
fn statements_that_act() {
    let cases = [
        ("terminate all", "TERMINATE ALL"),
        ("terminate csas_1", "TERMINATE CSAS_1"),
        ("pause `x-1`", "PAUSE `x-1`"),
        ("resume all", "RESUME ALL"),
        ("set 'a'='b''c'", "SET 'a'='b''c'"),
        ("unset 'a'", "UNSET 'a'"),
        ("alter system 'a'='b'", "ALTER SYSTEM 'a'='b'"),
        ("define Select = 'x'", "DEFINE Select='x'"),
        ("undefine x", "UNDEFINE x"),
        (
            "assert not exists topic 'T' with (partitions=1) timeout 10 seconds",
            "ASSERT NOT EXISTS TOPIC 'T' WITH (PARTITIONS=1) TIMEOUT 10 SECONDS",
        ),
        ("assert schema subject s id 3 timeout 1 minute", "ASSERT SCHEMA SUBJECT 's' ID 3 TIMEOUT 1 MINUTES"),
        ("assert values s (a) values (1)", "ASSERT VALUES S (A) VALUES (1)"),
        ("assert null values s (a) key (1)", "ASSERT NULL VALUES S (A) KEY (1)"),
        ("assert table t (a int primary key) with (b='c')", "ASSERT TABLE T (A INTEGER PRIMARY KEY) WITH (B='c')"),
        ("run script '/a.sql'", "RUN SCRIPT '/a.sql'"),
    ];
    for (text, expected) in cases {
        check_statement(text, expected);
    }
}

#[test]
fn clauses_of_select() {
    let cases = [
        ("SELECT a b, c AS d, s.*, e->f->*, * FROM s", "SELECT\n  A B,\n  C D,\n  S.*,\n  E->F->*,\n  *\nFROM S S"),
        ("SELECT a FROM s t WHERE b EMIT CHANGES LIMIT 2", "SELECT A\nFROM S T\nWHERE B\nEMIT CHANGES\nLIMIT 2"),
        ("SELECT a FROM s LIMIT -1", "SELECT A\nFROM S S\nLIMIT -1"),
        ("SELECT a EMIT FROM s EMIT EMIT FINAL", "SELECT A EMIT\nFROM S EMIT\nEMIT FINAL"),
        ("SELECT a LIKE 'x' escape FROM s", "SELECT (A LIKE 'x') ESCAPE\nFROM S S"),
        ("SELECT a FROM s PARTITION BY (a, b) EMIT CHANGES", "SELECT A\nFROM S S\nPARTITION BY A, B\nEMIT CHANGES"),
        (
            "SELECT a FROM s GROUP BY (a + 1) * 2, (b) HAVING count(*) > 1",
            "SELECT A\nFROM S S\nGROUP BY ((A + 1) * 2), B\nHAVING (COUNT(*) > 1)",
        ),
        ("SELECT a FROM s GROUP BY ()", "SELECT A\nFROM S S\nGROUP BY ()"),
        (
            "SELECT a FROM s WINDOW TUMBLING (SIZE 1 DAY, RETENTION 7 DAYS, GRACE PERIOD 1 HOUR) GROUP BY a",
            "SELECT A\nFROM S S\nWINDOW TUMBLING ( SIZE 1 DAYS , RETENTION 7 DAYS , GRACE PERIOD 1 HOURS )\nGROUP BY A",
        ),
        (
            "SELECT a FROM s WINDOW w HOPPING (SIZE 2 MINUTES,ADVANCE BY 1 MINUTE) GROUP BY a",
            "SELECT A\nFROM S S\nWINDOW W HOPPING ( SIZE 2 MINUTES , ADVANCE BY 1 MINUTES )\nGROUP BY A",
        ),
        (
            "SELECT a FROM s WINDOW SESSION (5 SECONDS, GRACE PERIOD 1 MILLISECOND) GROUP BY a",
            "SELECT A\nFROM S S\nWINDOW SESSION ( 5 SECONDS , GRACE PERIOD 1 MILLISECONDS )\nGROUP BY A",
        ),
        (
            "SELECT * FROM a JOIN b AS c WITHIN 1 HOUR GRACE PERIOD 1 DAY ON a.x = c.x LEFT JOIN d ON a.x = d.x",
            "SELECT *\nFROM A A\nINNER JOIN B C WITHIN 1 HOURS GRACE PERIOD 1 DAYS ON ((A.X = C.X))\nLEFT OUTER JOIN D D ON ((A.X = D.X))",
        ),
        (
            "SELECT * FROM a FULL OUTER JOIN b WITHIN (1 HOUR, 2 HOURS) ON a.x = b.x",
            "SELECT *\nFROM A A\nFULL OUTER JOIN B B WITHIN (1 HOURS, 2 HOURS) ON ((A.X = B.X))",
        ),
    ];
    for (text, expected) in cases {
        check_statement(text, expected);
    }
}

#[test]
fn a_select_without_emit_is_a_pull_query() {
    let is_pull = |text: &str| match statement(text) {
        Statement::Query(query) => query.is_pull(),
        other => panic!("{other}"),
    };
    assert!(is_pull("SELECT * FROM t LIMIT 5;"));
    assert!(!is_pull("SELECT * FROM t EMIT CHANGES;"));
}

#[test]
fn statements_keep_their_text() {
    let text = "-- first\nSHOW TOPICS ; /* second */ DROP\n STREAM ${s};";
    let statements = parse_statements(text).expect(text);
    let seen: Vec<_> =
        statements.iter().map(|parsed| (parsed.text.as_str(), parsed.span.line, parsed.has_variables)).collect();
    assert_eq!(seen, [("SHOW TOPICS ;", 2, false), ("DROP\n STREAM ${s};", 2, true)]);
}

#[test]
fn explain_knows_where_its_statement_is() {
    let text = "EXPLAIN  SELECT a FROM b;";
    let Statement::Explain(Explain::Statement { span, .. }) = statement(text) else {
        panic!("an EXPLAIN of a statement");
    };
    let offset = span.offset as usize;
    assert_eq!(&text[offset..offset + span.length as usize], "SELECT a FROM b");
}

#[test]
fn expressions_know_where_messages_point() {
    let text = "SELECT\n a + b, f(c), d IS NULL FROM s;";
    let Statement::Query(query) = statement(text) else {
        panic!("a query");
    };
    let places: Vec<_> = query
        .select
        .iter()
        .map(|item| match item {
            SelectItem::Single { expression, .. } => expression.span().to_string(),
            _ => panic!("an expression"),
        })
        .collect();
    assert_eq!(places, ["Line: 2, Col: 4", "Line: 2, Col: 9", "Line: 2, Col: 17"]);
}

#[test]
fn words_out_of_order() {
    let cases = [
        ("RUN SCRIPT 'a';", "line 1:1: Syntax Error\nUnknown statement 'RUN'"),
        ("SHOW TOPICS;\n slect 1;", "line 2:2: Syntax Error\nUnknown statement 'slect'\nDid you mean 'SELECT'?"),
        ("SHOW TOPICS", "line 1:12: Syntax Error\nmissing ';' at '<EOF>'"),
        ("SELECT a b c FROM s;", "line 1:12: Syntax Error\nExpecting {',', 'FROM'}"),
        ("SELECT * FROM s ORDER BY a;", "line 1:23: Syntax Error\n"),
        ("SELECT * FROM f(a);", "line 1:16: Syntax Error\n"),
        ("SELECT * FROM s WHERE a IN ();", "line 1:29: Syntax Error\nSyntax error at or near ')' at line 1:29"),
        ("SELECT cast(a AS NULL) FROM s;", "line 1:18: Syntax Error\nSyntax error at or near 'NULL' at line 1:18"),
        ("SELECT a = b = c FROM s;", "line 1:14: Syntax Error\n"),
        ("SELECT a FROM s GROUP BY a AND b;", "line 1:28: Syntax Error\n"),
        ("CREATE STREAM s (a STRING (KEY));", "line 1:28: Syntax Error\nExpecting {'STRING', INTEGER_VALUE}"),
        ("INSERT INTO s VALUES (1), (2);", "line 1:25: Syntax Error\nExpecting ';'"),
        ("SELECT 'a FROM s;", "line 1:8: Syntax Error\nSyntax error at or near ''a FROM s;' at line 1:8"),
    ];
    for (text, expected) in cases {
        check_error(text, expected);
    }
}

#[test]
fn help_says_what_would_fit_or_what_to_write_instead() {
    let cases = [
        ("SHOW TOPICS", "a statement ends with ';'"),
        ("SELECT size, a FROM s;", "this word is reserved; write it in `back-ticks` to use it as a name"),
        ("SELECT FROM s;", "expected an expression"),
        ("INSERT INTO s VALUES (1), (2);", "INSERT takes one row of values; write one statement for each row"),
        ("SELECT a AS size FROM s;", "this word is reserved; write it in `back-ticks` to use it as a name"),
        ("SELECT DISTINCT a FROM s;", "SELECT DISTINCT is not supported; GROUP BY the columns instead"),
        (
            "SELECT a FROM s x y;",
            "expected 'JOIN', 'WINDOW', 'WHERE', 'GROUP BY', 'PARTITION BY', 'HAVING', 'EMIT', 'LIMIT' or ';'",
        ),
        ("DEFINE a = x;", "expected a text in 'single quotes'"),
        ("DROP x;", "expected 'STREAM', 'TABLE', 'CONNECTOR', 'FUNCTION' or 'TYPE'"),
    ];
    for (text, expected) in cases {
        let error = refused(text);
        assert_eq!(error.help().as_deref(), Some(expected), "{text}");
    }
}

#[test]
fn words_in_order_that_say_the_impossible() {
    let cases = [
        (
            "SELECT 99999999999999999999 FROM s;",
            "Failed to prepare statement: line 1:9: Invalid numeric literal: 99999999999999999999",
        ),
        ("SELECT -1e999 FROM s;", "Failed to prepare statement: line 1:9: Number overflows DOUBLE: -1e999"),
        ("SELECT a FROM s LIMIT 1.5;", "Failed to prepare statement: Value must be integer for command: LIMIT"),
        (
            "CREATE STREAM a AS SELECT * FROM s LIMIT 1;",
            "Failed to prepare statement: CREATE STREAM AS SELECT statements don't support LIMIT clause.",
        ),
        (
            "INSERT INTO a SELECT * FROM s LIMIT 1;",
            "Failed to prepare statement: INSERT INTO statements don't support LIMIT clause.",
        ),
        (
            "DROP STREAM `a b`;",
            "Illegal argument at Line: 1, Col: 13. Source names may only contain alphanumeric values, '_' or '-'. Got: 'a b'",
        ),
        (
            "CREATE TABLE t (id INT KEY);",
            "Line: 1, Col: 17: Column `ID` is a 'KEY' column: please use 'PRIMARY KEY' for tables.",
        ),
        ("SELECT x.a FROM s;", "Failed to prepare statement: 'X' is not a valid stream/table name or alias."),
        (
            "INSERT INTO s (a, b) VALUES (1);",
            "Failed to prepare statement: Expected number columns and values to match: 2, 1",
        ),
        (
            "SELECT f(a, (b, c, d, e) => b) FROM s;",
            "Failed to prepare statement: A lambda has one to three parameters, not 4.",
        ),
        ("CREATE STREAM s WITH (a=1, A=2);", "Failed to prepare statement: Multiple entries with same key: A"),
        (
            "SELECT a LIKE 'x' ESCAPE 'yy' FROM s;",
            "Failed to prepare statement: Line: 1, Col: 26: Expected single character escape but got: yy",
        ),
        ("SELECT DATE 'x' FROM s;", "Failed to prepare statement: Unknown type: DATE"),
    ];
    for (text, expected) in cases {
        check_error(text, expected);
    }
}

#[test]
fn a_word_out_of_order_anywhere_comes_first() {
    let text = "SELECT 99999999999999999999 FROM s; SELECT;";
    let error = parse_statements(text).expect_err(text);
    assert!(error.is_syntax(), "{error}");
}

#[test]
fn errors_quote_the_line_or_the_statement() {
    let cases = [
        ("SHOW TOPICS;\nSELECT a\n FROM 1;", " FROM 1;"),
        ("SHOW TOPICS; SELECT\n x.a FROM s; SHOW TOPICS;", "SELECT\n x.a FROM s;"),
    ];
    for (text, expected) in cases {
        let shown = parse_statements(text).expect_err(text).with_statement();
        let (_, quoted) = shown.split_once("\nStatement: ").expect("a quoted statement");
        assert_eq!(quoted, expected);
    }
}

#[test]
fn blanks_are_those_of_every_system() {
    let text = "\u{feff}--@test: one\r\nSHOW\r\n\tTOPICS;\r\n/* a\r\n */ SHOW TABLES;\r\n";
    let statements = parse_statements(text).expect("a text with a mark, carriage returns and comments");
    let places: Vec<_> = statements.iter().map(|parsed| (parsed.span.line, parsed.span.column)).collect();
    assert_eq!(places, [(2, 1), (5, 5)]);
}

#[test]
fn what_is_too_long_for_a_message_is_cut() {
    let text = format!("SELECT '{}", "x".repeat(10_000));
    let message = parse_statements(&text).expect_err("an open quote").to_string();
    assert!(message.contains("xxx…' at line 1:8") && message.len() < 400, "{message}");
}

/// Runs on the stack of a usual thread, so that a limit that is too generous overflows it.
fn deep(text: &str) {
    let parsed = parse_statements(text);
    if let Ok(statements) = &parsed {
        let printed = statements[0].statement.to_string();
        assert_eq!(statements[0].statement, statements[0].statement.clone());
        assert!(!printed.is_empty());
    }
    let error = parse_statements(text).err();
    assert!(error.is_none_or(|error| error.kind == ParseErrorKind::TooDeep));
}

#[test]
fn nesting_is_limited() {
    let repeated = |part: &str, count: usize| part.repeat(count);
    for count in [50, 190, 990, 1_100, 100_000] {
        deep(&format!("SELECT {}a{} FROM s;", repeated("(", count), repeated(")", count)));
        deep(&format!("SELECT {}a FROM s;", repeated("- ", count)));
        deep(&format!("SELECT a FROM s WHERE {}a;", repeated("NOT ", count)));
        deep(&format!("SELECT a{} FROM s;", repeated(" + a", count)));
        deep(&format!("SELECT a FROM s WHERE a{};", repeated(" OR a = 1", count)));
        deep(&format!("SELECT a{} FROM s;", repeated("[1]", count)));
        deep(&format!("SELECT a{} FROM s;", repeated("->a", count)));
        deep(&format!("SELECT {}a{} FROM s;", repeated("f(b, x => ", count), repeated(")", count)));
        deep(&format!("CREATE STREAM s (a {}INT{});", repeated("ARRAY<", count), repeated(">", count)));
        deep(&format!("CREATE STREAM s (a INT{});", repeated(" ARRAY", count)));
        deep(&format!("{}SHOW TOPICS;", repeated("EXPLAIN ", count)));
    }
}

#[test]
fn what_is_a_little_deep_is_read() {
    let chain = format!("SELECT a FROM s WHERE a{};", " OR a = 1".repeat(900));
    let nested = format!("SELECT {}a{} FROM s;", "(".repeat(150), ")".repeat(150));
    for text in [chain, nested] {
        parse_statements(&text).expect("within the limits");
    }
}

#[test]
fn long_chains_inside_deep_nesting_are_limited() {
    let mut expression = "a".to_owned();
    for _ in 0..100 {
        expression = format!("({expression}{})", " + a".repeat(100));
    }
    deep(&format!("SELECT {expression} FROM s;"));
}

#[test]
fn wide_texts_are_read() {
    let list = format!("SELECT a IN ({}1) FROM s;", "1, ".repeat(500_000));
    parse_statements(&list).expect("a wide list");
    let joins: Vec<_> = (1..100_000).map(|n| format!(" JOIN s a{n} ON a{n}.x = a0.x")).collect();
    let joins = joins.concat();
    parse_statements(&format!("SELECT * FROM s a0{joins};")).expect("many joins");
    let many = "SHOW TOPICS;\n".repeat(200_000);
    assert_eq!(parse_statements(&many).expect("many statements").len(), 200_000);
}

#[test]
fn megabytes_of_anything_end() {
    let ten = ["(", "'", "/*", "${", "\u{1F980}"].map(|part| (part, 10_000_000));
    let one = ["`", "--", "a,", "a ", "[", "f(", "CASE ", "1.", "x => ", "a->*,", ";"];
    let one = one.map(|part| (part, 1_000_000));
    for (part, bytes) in ten.into_iter().chain(one) {
        let text = part.repeat(bytes / part.len());
        parse_statements(&format!("SELECT {text}")).expect_err(part);
    }
}

mod random {
    use proptest::prelude::*;

    use super::super::super::{split_statements, substitute_variables};
    use super::*;

    /// Pieces that make texts look like statements.
    const PIECES: [&str; 40] = [
        "SELECT",
        "FROM",
        "CREATE",
        "STREAM",
        "TABLE",
        "AS",
        "WITH",
        "(",
        ")",
        ",",
        ";",
        "a",
        "`b`",
        "\"c\"",
        "'d'",
        "1",
        "1.5",
        "1e3",
        "+",
        "-",
        "*",
        "=",
        "->",
        ":=",
        "=>",
        "[",
        "]",
        "<",
        ">",
        "CASE",
        "WHEN",
        "END",
        "NOT",
        "${v}",
        "--",
        "/*",
        "*/",
        "GROUP BY",
        "WINDOW TUMBLING (SIZE 1 DAY)",
        "\n",
    ];

    /// Everything that reads a text, one after another.
    fn read(text: &str) {
        for parsed in [parse_statements(text), parse_test_statements(text)] {
            match parsed {
                Ok(statements) => {
                    let printed: Vec<String> = statements.iter().map(|parsed| parsed.statement.to_string()).collect();
                    assert_eq!(printed.len(), split_statements(text).len(), "{text}");
                }
                Err(error) => {
                    error.help();
                    error.with_statement();
                }
            }
        }
        let _ = (parse_expression(text), parse_type(text));
        let variables = [("v".to_owned(), "1".to_owned()), ("w".to_owned(), "'".to_owned())];
        let _ = substitute_variables(text, &variables.into());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,60}") {
            read(&text);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            read(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_pieces_are_read_or_refused(
            pieces in proptest::collection::vec(proptest::sample::select(&PIECES[..]), 0..40),
        ) {
            read(&pieces.join(" "));
        }

        /// A statement with a piece too many, too few or elsewhere.
        #[test]
        fn almost_statements_are_read_or_refused(
            base in proptest::sample::select(&STATEMENTS[..]),
            at in any::<proptest::sample::Index>(),
            piece in proptest::sample::select(&PIECES[..]),
            removed in 0..3usize,
        ) {
            let mut words: Vec<&str> = base.split(' ').collect();
            let at = at.index(words.len());
            let end = (at + removed).min(words.len());
            words.splice(at..end, [piece]);
            read(&words.join(" "));
        }
    }

    /// Statements in which something will be wrong.
    const STATEMENTS: [&str; 6] = [
        "CREATE OR REPLACE TABLE t WITH ( a = 'b' ) AS SELECT a , count ( * ) AS n FROM s WINDOW HOPPING ( SIZE 1 DAY , ADVANCE BY 1 HOUR ) WHERE a = 1 GROUP BY a HAVING n > 1 EMIT FINAL ;",
        "CREATE SOURCE STREAM IF NOT EXISTS s ( a INT KEY , b MAP < STRING , STRUCT < c DECIMAL ( 4 , 2 ) > > , h BYTES HEADER ( 'x' ) ) WITH ( kafka_topic = 't' ) ;",
        "INSERT INTO s ( a , b ) VALUES ( 1 , ARRAY [ 'x' , ${v} ] ) ; SHOW ALL TOPICS EXTENDED ;",
        "SELECT x . a -> b [ 1 ] , transform ( y , ( k , v ) => k + v ) FROM a x LEFT OUTER JOIN b y WITHIN ( 1 DAY , 2 DAYS ) GRACE PERIOD 1 HOUR ON x . a = y . a LIMIT 3 ;",
        "ASSERT NOT EXISTS SCHEMA SUBJECT 'x' ID 3 TIMEOUT 10 SECONDS ; ASSERT NULL VALUES s ( a ) KEY ( 1 ) ;",
        "PRINT 'x' FROM BEGINNING SAMPLE 3 LIMIT 2 ; ALTER STREAM s ADD COLUMN a INT ARRAY , ADD b STRING ; DEFINE v = 'x' ;",
    ];
}
