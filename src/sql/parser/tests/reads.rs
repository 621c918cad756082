//! Reads beyond ksqlDB's pull queries.

use super::super::parse_statements;
use super::{Statement, check_statement, statement};

#[test]
fn reads_are_printed_and_read_back() {
    let texts = [
        "SELECT a FROM s ORDER BY a DESC NULLS LAST, b NULLS FIRST LIMIT 3 OFFSET 2",
        "SELECT DISTINCT a, b FROM s",
        "SELECT a FROM s UNION ALL (SELECT b FROM t ORDER BY b LIMIT 1) UNION SELECT c FROM u",
        "WITH x (p, q) AS (SELECT a, b FROM s), y AS (SELECT p FROM x) SELECT * FROM y",
        "SELECT x.a FROM (SELECT a FROM s) x LEFT JOIN (SELECT b FROM t) AS y ON x.a = y.b",
        "SELECT a FROM s WHERE a IN (SELECT b FROM t) AND NOT EXISTS (SELECT c FROM u) OR a > (SELECT MAX(b) FROM t)",
        "SELECT a > 1, COUNT(*) FROM s GROUP BY a > 1, b AND c ORDER BY 2",
        "(SELECT a FROM s) ORDER BY a",
    ];
    for text in texts {
        let read = statement(&format!("{text};"));
        assert!(matches!(read, Statement::Read(_)), "{text}");
        assert_eq!(statement(&format!("{read};")), read, "{text}");
    }
}

#[test]
fn cross_joins_are_joins_on_true() {
    check_statement(
        "SELECT a FROM s CROSS JOIN t, u",
        "SELECT A\nFROM S S\nINNER JOIN T T ON (true)\nINNER JOIN U U ON (true)",
    );
}

#[test]
fn what_ksqldb_reads_stays_what_it_is() {
    check_statement("SELECT a offset FROM s union", "SELECT A OFFSET\nFROM S UNION");
    for text in [
        "SELECT a FROM s;",
        "SELECT order FROM s order;",
        "SELECT a FROM s LIMIT 2;",
        "SELECT a FROM s JOIN t ON x = y;",
    ] {
        assert!(matches!(statement(text), Statement::Query(_)), "{text}");
    }
}

#[test]
fn errors_are_where_reads_end() {
    let cases = [
        ("SELECT a FROM s ORDER BY a, ;", (1, 29)),
        ("SELECT a FROM s ORDER BY a LIMIT 1 OFFSET;", (1, 42)),
        ("SELECT a FROM s WHERE a IN (SELECT b FROM t;", (1, 44)),
        ("WITH x AS SELECT a FROM s;", (1, 11)),
        // With EMIT it is one of ksqlDB's.
        ("SELECT a FROM s ORDER BY a EMIT CHANGES;", (1, 23)),
        ("CREATE STREAM x AS SELECT a FROM s ORDER BY a;", (1, 42)),
        ("CREATE STREAM x AS SELECT a FROM s WHERE a IN (SELECT b FROM t);", (1, 48)),
    ];
    for (text, place) in cases {
        let error = parse_statements(text).expect_err(text);
        assert_eq!((error.line(), error.column()), place, "{text}: {error}");
    }
}
