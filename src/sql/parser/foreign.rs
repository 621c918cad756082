//! SQL of other systems: how it is recognised where the parse stops, and what to write here instead.
//!
//! A streaming query has no end, so whatever needs all rows at once (ORDER BY, UNION, sub-queries, …) has another form
//! here or none. The functions get words in capitals and give the advice; none of them decides what is wrong.

/// Two words before the one that does not fit, this one, and the next. Quoted names and texts keep their quotes.
pub(super) type Words<'a> = [&'a str; 4];

const ORDER_BY: &str = "there is no ORDER BY: rows come as they arrive; sort them where they are read, \
    or keep the greatest of a group with TOPK or MAX";
const SET_OPERATION: &str = "there is no UNION, EXCEPT or INTERSECT; to merge streams, create one and fill it with an \
    INSERT INTO … SELECT for each";
const EXCEPT: &str = "there is no EXCEPT or INTERSECT; write WHERE x NOT IN (SELECT …) or x IN (SELECT …)";
const SUB_QUERY: &str = "there are no queries inside queries; make the inner one a stream or table with \
    CREATE … AS SELECT, then read or join that";
const COMMON_TABLE: &str = "there is no WITH … AS (SELECT …); make the inner query a stream or table with \
    CREATE … AS SELECT, then read that";
const DISTINCT: &str = "SELECT DISTINCT is not supported; GROUP BY the columns instead";
const COUNT_DISTINCT: &str =
    "a function takes no DISTINCT; write COUNT_DISTINCT(x) to count, COLLECT_SET(x) to collect";
const OFFSET: &str = "there is no OFFSET: a query gives the first rows only, LIMIT n";
const LIMIT_TWO: &str = "LIMIT takes one number; there is no offset";
const LIMIT_INSTEAD: &str = "write LIMIT n at the end of the query";
const GROUPING_SETS: &str = "there are no GROUPING SETS, ROLLUP or CUBE; write one CREATE TABLE … AS SELECT … GROUP BY \
    for each grouping";
const OVER: &str = "there are no window functions with OVER; windows of time stand after FROM: \
    WINDOW TUMBLING (SIZE 1 HOUR) … GROUP BY x";
const NATURAL: &str = "there is no NATURAL JOIN; name the columns: JOIN b ON a.x = b.x";
const CROSS: &str = "there is no CROSS JOIN; every join has one equality: JOIN b ON a.x = b.x";
const USING: &str = "there is no USING; write JOIN b ON a.x = b.x";
const COMMA_JOIN: &str = "FROM takes one stream or table; join others with JOIN … ON a.x = b.x";
const TABLE_FUNCTION: &str = "FROM takes a stream or table; a function that makes rows stands in the SELECT list: \
    SELECT EXPLODE(x) FROM s";
const DOUBLE_EQUAL: &str = "write = for equality";
const NOT_SIGN: &str = "write NOT, or <> for inequality";
const AND_SIGN: &str = "write AND";
const OR_SIGN: &str = "write OR";
const CAST_SIGN: &str = "there is no ::; write CAST(x AS type)";
const INTERVAL: &str =
    "there are no intervals; write DATEADD(DAYS, 1, x), TIMEADD or TIMESTAMPADD, or DATESUB and its like";
const TIME_ZONE: &str = "AT TIME ZONE is not supported; write CONVERT_TZ(x, 'UTC', 'Europe/Lisbon')";
const CASELESS_LIKE: &str = "there is no ILIKE; write LCASE(x) LIKE 'a%'";
const REGEXP: &str = "LIKE knows only % and _; for regular expressions write REGEXP_EXTRACT('pattern', x) IS NOT NULL";
const ANY_OF: &str = "write x IN (a, b), or ARRAY_CONTAINS(list, x)";
const IS_TRUE: &str = "a BOOLEAN is a condition by itself; write x, NOT x or x IS NULL";
const STAR_EXCEPT: &str = "* takes all columns; to leave some out, list the others";
const QUALIFY: &str = "there is no QUALIFY; HAVING filters groups, and TOPK keeps the greatest of them";
const SINGULAR: &str = "the name of the kind is not written here; write DESCRIBE name";
const NEW_TABLE: &str = "write CREATE TABLE name AS SELECT …, without parentheses around the SELECT";
const KEY_OF_COLUMN: &str = "the key stands with its column: id INT PRIMARY KEY";

/// What to write instead of a statement: the word before it and its first two.
pub(super) fn statement([before, first, second]: [&str; 3]) -> Option<&'static str> {
    Some(match (first, second) {
        _ if before == "EXPLAIN" => {
            "EXPLAIN stands before a SELECT, CREATE … AS SELECT or INSERT INTO … SELECT, or before the id of a query; \
             there is no EXPLAIN ANALYZE"
        }
        ("UPDATE" | "MERGE" | "UPSERT" | "REPLACE", _) => {
            "rows are not changed in place: INSERT INTO a table with the same key is the newer row"
        }
        ("DELETE" | "TRUNCATE", _) => {
            "records are not deleted by a statement; a table's row goes when a record with its key and no value arrives, \
             and a topic with DROP … DELETE TOPIC"
        }
        ("WITH", _) => COMMON_TABLE,
        ("(", "SELECT") => SET_OPERATION,
        ("BEGIN" | "COMMIT" | "ROLLBACK" | "START" | "SAVEPOINT" | "ABORT", _) => {
            "there are no transactions of several statements; each takes effect by itself"
        }
        ("VALUES", _) => "write INSERT INTO name VALUES (…)",
        ("USE", _) => "there are no databases to choose from; streams and tables have one name space",
        ("GRANT" | "REVOKE", _) => "rights are those of Kafka: set them on the topics",
        ("COPY" | "LOAD" | "IMPORT" | "UNLOAD", _) => {
            "files are read and written on the command line: levada topic import, levada topic consume"
        }
        ("RUN", _) => "RUN SCRIPT is for the shell and for tests; here, write the script's statements",
        ("CALL" | "EXEC" | "EXECUTE" | "DO", _) => "there are no procedures",
        ("ANALYZE" | "ANALYSE" | "VACUUM" | "OPTIMIZE" | "REFRESH" | "REINDEX", _) => {
            "there is nothing to maintain: results are kept up to date as records arrive"
        }
        ("STOP" | "KILL" | "CANCEL", _) => "write TERMINATE query, or PAUSE query",
        ("CONTINUE" | "UNPAUSE", _) => "write RESUME query",
        ("IF", _) => "there is no IF; write CREATE STREAM IF NOT EXISTS, DROP STREAM IF EXISTS",
        ("RENAME", _) => "nothing can be renamed; create it anew under the other name",
        _ => return None,
    })
}

/// Whether `hint` is wrong in a SELECT without EMIT, which has what it misses.
pub(super) fn is_wrong_in_reads(hint: &str) -> bool {
    [ORDER_BY, SET_OPERATION, SUB_QUERY, DISTINCT, OFFSET].contains(&hint)
}

/// `hint` as it is right in a SELECT without EMIT, where `word` is looked at.
pub(super) fn in_read(hint: &'static str, word: &str) -> Option<&'static str> {
    match word {
        "EXCEPT" | "INTERSECT" | "MINUS" if hint == SET_OPERATION => Some(EXCEPT),
        _ => Some(hint).filter(|hint| !is_wrong_in_reads(hint)),
    }
}

/// What to write instead of a clause, operator or expression.
pub(super) fn clause(words: Words<'_>) -> Option<&'static str> {
    Some(match words {
        [_, "ORDER" | "SORT" | "CLUSTER", "BY", _] | [_, _, "ORDER", "BY"] => ORDER_BY,
        ["*", "EXCEPT" | "EXCLUDE" | "REPLACE", "(", _] | [_, "*", "EXCEPT" | "EXCLUDE" | "REPLACE", _] => STAR_EXCEPT,
        [_, "UNION" | "EXCEPT" | "INTERSECT" | "MINUS", "SELECT" | "ALL" | "DISTINCT" | "(", _]
        | [_, _, "UNION" | "INTERSECT" | "MINUS", _] => SET_OPERATION,
        ["FROM" | "JOIN", "(", "SELECT" | "(", _] | [_, "FROM" | "JOIN", "(", _] => SUB_QUERY,
        ["AS", "(", "SELECT", _] | [_, "AS", "(", "SELECT"] => NEW_TABLE,
        [_, "(", "SELECT" | "WITH", _] | [_, _, "EXISTS", "("] => SUB_QUERY,
        [_, "AS", "WITH", _] => COMMON_TABLE,
        ["COUNT" | "SUM" | "AVG" | "MIN" | "MAX", "(", "DISTINCT", _] => COUNT_DISTINCT,
        [_, _, "DISTINCT", _] => DISTINCT,
        ["LIMIT", _, ",", _] => LIMIT_TWO,
        [_, _, "OFFSET", _] | [_, "OFFSET", _, "ROWS" | ";"] => OFFSET,
        [_, "SELECT", "TOP", _] | ["SELECT", "TOP", _, _] | [_, "FETCH", "FIRST" | "NEXT", _] | [_, _, "FETCH", _] => {
            LIMIT_INSTEAD
        }
        [_, "GROUPING", "SETS", _] | [_, "WITH", "ROLLUP" | "CUBE", _] | [_, _, "WITH", "ROLLUP" | "CUBE"] => {
            GROUPING_SETS
        }
        [_, "OVER", "(", _] | [_, _, "OVER", "("] | [")", "OVER", _, _] | [_, "WITHIN", "GROUP", _] => OVER,
        [_, _, "NATURAL", _] => NATURAL,
        [_, _, "CROSS", _] => CROSS,
        [_, "USING", "(", _] | [_, _, "USING", "("] => USING,
        ["FROM", _, ",", _] | [_, _, ",", "LATERAL" | "UNNEST"] => COMMA_JOIN,
        ["FROM" | "JOIN", _, "(", _] | [_, "FROM" | "JOIN", "TABLE" | "LATERAL" | "UNNEST", _] => TABLE_FUNCTION,
        [_, "=", "=", _] => DOUBLE_EQUAL,
        [_, _, "!", _] => NOT_SIGN,
        [_, _, "&", "&"] => AND_SIGN,
        [_, _, "|", _] => OR_SIGN,
        [_, _, ":", ":"] => CAST_SIGN,
        [_, "INTERVAL", _, _] | ["INTERVAL", _, "DAY" | "DAYS" | "HOUR" | "HOURS" | "MINUTE" | "MINUTES", _] => {
            INTERVAL
        }
        [_, _, "AT", "TIME"] => TIME_ZONE,
        [_, _, "ILIKE", _] | [_, "ILIKE", _, _] => CASELESS_LIKE,
        [_, _, "RLIKE" | "REGEXP" | "SIMILAR" | "~", _] | [_, "RLIKE" | "REGEXP" | "SIMILAR", _, _] => REGEXP,
        ["=" | "<>" | "<" | ">", "ANY" | "SOME" | "ALL", "(", _] | [_, "=" | "<>" | "<" | ">", "ALL", "("] => ANY_OF,
        [_, "IS" | "NOT", "TRUE" | "FALSE", _] => IS_TRUE,
        [_, "QUALIFY", _, _] | [_, _, "QUALIFY", _] => QUALIFY,
        [_, "EMIT", _, _] => "write EMIT CHANGES or EMIT FINAL",
        [_, "DECIMAL" | "DEC", _, _] => {
            "DECIMAL takes its digits and how many of them follow the point: DECIMAL(10, 2)"
        }
        ["STREAM" | "TABLE", _, "LIKE" | "CLONE", _] => "write the columns, or CREATE … AS SELECT * FROM name",
        [_, "INSERT", _, _] => "write INSERT INTO",
        [_, "IF", "EXIST", _] => "did you mean EXISTS?",
        _ => return None,
    })
}

/// What to write instead of a kind of thing to create, change, show or drop.
pub(super) fn object(words: Words<'_>) -> Option<&'static str> {
    Some(match words {
        [_, "CREATE", "VIEW" | "MATERIALIZED", _] | ["OR", "REPLACE", "VIEW" | "MATERIALIZED", _] => {
            "CREATE TABLE … AS SELECT is a view that is kept up to date as records arrive"
        }
        [_, "CREATE", "INDEX" | "UNIQUE", _] => {
            "there are no indexes; a table is looked up by its key, so create another one with GROUP BY the column"
        }
        [
            _,
            "CREATE" | "DROP" | "SHOW" | "LIST",
            "DATABASE" | "DATABASES" | "SCHEMA" | "SCHEMAS" | "CATALOG" | "CATALOGS",
            _,
        ] => "there are no databases or schemas; streams and tables have one name space",
        [_, "CREATE", "AGGREGATE" | "SCALAR" | "TEMPORARY" | "TEMP", "FUNCTION"] => "write CREATE FUNCTION",
        [_, "CREATE", "TEMPORARY" | "TEMP" | "EXTERNAL", _] => {
            "write CREATE STREAM or CREATE TABLE; SELECT … EMIT CHANGES alone is a query that leaves nothing behind"
        }
        [_, "CREATE", "TOPIC", _] => {
            "a topic is created with its stream or table: CREATE STREAM … WITH (KAFKA_TOPIC = 'name', PARTITIONS = n)"
        }
        [_, "CREATE" | "DROP", "PROCEDURE" | "TRIGGER" | "SEQUENCE", _]
        | ["OR", "REPLACE", "PROCEDURE" | "TRIGGER" | "SEQUENCE", _] => {
            "there are no procedures, triggers and sequences; CREATE FUNCTION names an expression over its parameters"
        }
        [_, "CREATE" | "DROP" | "ALTER", "USER" | "ROLE", _] => "there are no users here; rights are those of Kafka",
        [_, "CREATE", "CONNECTOR", _] => "write CREATE SOURCE CONNECTOR or CREATE SINK CONNECTOR",
        [_, "DROP", "VIEW" | "INDEX", _] => "write DROP STREAM or DROP TABLE",
        [_, "DROP", "TOPIC" | "TOPICS", _] => "a topic goes with its stream or table: DROP STREAM name DELETE TOPIC",
        [_, "DROP", "QUERY" | "QUERIES", _] => "write TERMINATE query",
        [_, "TERMINATE" | "PAUSE" | "RESUME", "QUERY", _] => "the id alone is enough, e.g. TERMINATE CSAS_A_0",
        [_, "SHOW" | "LIST", "COLUMNS" | "COLUMN" | "CREATE" | "FIELDS", _] => "write DESCRIBE name",
        [_, "SHOW" | "LIST", "VIEWS" | "MATERIALIZED", _] => "write SHOW TABLES or SHOW STREAMS",
        ["DESCRIBE" | "DESC", "STREAM" | "TABLE", _, _] | [_, "DESCRIBE" | "DESC", "STREAM" | "TABLE", _] => SINGULAR,
        [_, "ASSERT", "VALUES" | "NULL" | "STREAM" | "TABLE", _] => {
            "this ASSERT is for test files, which levada test runs; here, there are ASSERT TOPIC and ASSERT SCHEMA"
        }
        ["KEY", "(", _, _] | [_, "KEY", "(", _] => KEY_OF_COLUMN,
        [_, "INTO", "TABLE" | "STREAM", _] => "write INSERT INTO name, without the kind",
        _ => return None,
    })
}

/// What to write instead in a CREATE FUNCTION.
pub(super) fn function(words: Words<'_>) -> Option<&'static str> {
    Some(match words {
        ["AS", "(", "SELECT", _] | [_, "AS", "SELECT", _] => {
            "a function is computed from its parameters alone; what comes from a table is joined in the query that calls it"
        }
        [_, ")", "AS", _] => "the type of the result stands before AS: RETURNS type AS expression",
        [_, _, "RETURN", _] => "write AS instead of RETURN: RETURNS type AS expression",
        [_, _, "LANGUAGE" | "IMMUTABLE" | "STABLE" | "DETERMINISTIC" | "STRICT", _] | [_, "AS", "$", _] => {
            "the body is one expression of SQL: RETURNS type AS expression; functions in Rust are loaded from a file: \
             CREATE FUNCTION name USING 'file'"
        }
        [_, _, "AS", _] | [_, "FUNCTION", ..] | [_, _, _, "AS"] => {
            "write CREATE FUNCTION name(parameter type, …) RETURNS type AS expression, or CREATE FUNCTION name USING 'file'"
        }
        [_, _, "DEFAULT" | "=" | ":", _] => "parameters have a name and a type; there are no defaults",
        _ => return None,
    })
}

/// What to write instead of a change that ALTER cannot make.
pub(super) fn change(words: Words<'_>) -> Option<&'static str> {
    Some(match words {
        [_, "SYSTEM", ..] => "write ALTER SYSTEM 'property' = 'value'",
        [_, _, "DROP" | "RENAME" | "MODIFY" | "CHANGE" | "ALTER" | "SET", _] => {
            "ALTER only adds columns: ALTER STREAM name ADD COLUMN x INT; for all else create it anew, or CREATE OR REPLACE it"
        }
        [_, ",", ..] | [_, "ADD" | "COLUMN", "(", _] => {
            "each column has its own ADD: ADD COLUMN x INT, ADD COLUMN y INT"
        }
        [_, _, "KEY" | "PRIMARY" | "HEADERS" | "HEADER", _] => {
            "ALTER adds columns of the value; others are declared by CREATE"
        }
        _ => return None,
    })
}

/// What to write instead of a join that begins with this word and has no ON.
pub(super) fn join(kind: &str) -> &'static str {
    match kind {
        "NATURAL" => NATURAL,
        "CROSS" => CROSS,
        "SEMI" | "ANTI" => {
            "there are no SEMI or ANTI joins; a LEFT JOIN with WHERE b.x IS NULL keeps what has no partner"
        }
        _ => "a join ends with its condition: JOIN b ON a.x = b.x",
    }
}

/// What to write instead of a constraint in a list of columns.
pub(super) fn constraint(word: &str) -> Option<&'static str> {
    Some(match word {
        "NOT" | "NULL" | "UNIQUE" | "DEFAULT" | "CHECK" | "REFERENCES" | "CONSTRAINT" | "FOREIGN"
        | "AUTO_INCREMENT" | "COMMENT" | "COLLATE" => {
            "a column has a name, a type and perhaps KEY, PRIMARY KEY, HEADERS or HEADER('k'); \
             there are no constraints and no defaults"
        }
        "PRIMARY" => KEY_OF_COLUMN,
        _ => return None,
    })
}

/// What to write instead of a text after the name of a type: `DATE '2024-01-01'`.
pub(in crate::sql) fn typed_text(name: &str) -> Option<&'static str> {
    Some(match name {
        "INTERVAL" => INTERVAL,
        "DATE" => "there are no date literals; write '2024-01-31' alone, or CAST('2024-01-31' AS DATE)",
        "TIME" => "there are no time literals; write '23:59:59' alone, or CAST('23:59:59' AS TIME)",
        "TIMESTAMP" => {
            "there are no timestamp literals; write '2024-01-31T23:59:59' alone, or CAST('2024-01-31T23:59:59' AS TIMESTAMP)"
        }
        _ => return None,
    })
}

/// What to write instead of GROUP BY with this function.
pub(super) fn grouping(function: &str) -> Option<&'static str> {
    matches!(function, "ROLLUP" | "CUBE").then_some(GROUPING_SETS)
}
