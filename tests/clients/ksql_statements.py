"""What Schemathesis sends as statements: words of the language in any order, and texts that are none; and what it asks for as an answer.

Nothing among them waits without end: neither EMIT CHANGES nor PRINT.
"""

import schemathesis
from hypothesis import strategies as st

WORDS = (
    "SELECT FROM WHERE AND OR NOT AS GROUP BY HAVING LIMIT LIKE BETWEEN CASE WHEN THEN ELSE END NULL TRUE CAST COUNT SUM "
    "SHOW LIST STREAMS TABLES TOPICS QUERIES PROPERTIES FUNCTIONS TYPES VARIABLES DESCRIBE EXTENDED EXPLAIN ASSERT TOPIC SCHEMA "
    "INSERT INTO VALUES CREATE DROP TYPE STREAM TABLE IF EXISTS DEFINE SET UNSET WITH INT STRING ARRAY MAP STRUCT "
    "s t k a b n total nowhere `s` `Ä` ${v} 1 -1 0 1.5 1e400 9223372036854775808 'x' '' 'auto.offset.reset' '\\x00' "
    "( ) < > = != [ ] , . ; * + - / % ? -> => :: -- /* */ \" ' `"
).split(" ")

STATEMENTS = (
    "SHOW STREAMS EXTENDED;",
    "SHOW QUERIES;",
    "SHOW PROPERTIES;",
    "DESCRIBE s;",
    "DESCRIBE t EXTENDED;",
    "EXPLAIN SELECT * FROM s;",
    "SELECT * FROM t;",
    "SELECT k, n + 1 AS m FROM t WHERE k = 'x';",
    "INSERT INTO s (k, a) VALUES ('x', 1);",
    "CREATE TYPE point AS STRUCT<x INT, y INT>;",
    "DROP TYPE IF EXISTS point;",
    "ASSERT NOT EXISTS TOPIC nowhere TIMEOUT 1 MILLISECONDS;",
    "DEFINE v = 'x';",
)

words = st.lists(st.sampled_from(WORDS), max_size=20).map(" ".join)
changed = st.builds(lambda text, at, piece: text[:at] + piece + text[at:], st.sampled_from(STATEMENTS), st.integers(0, 40), st.sampled_from(WORDS))
schemathesis.openapi.format("ksql", st.sampled_from(STATEMENTS) | changed | words | st.text(max_size=50))

ROWS = ('{"K": "x", "A": 1}', '{"k": "y"}', '{"K": 1, "nowhere": 2}', "{}", "[]", "null", "{", "", '{"K": "\\ud800"}', '{"A": 1e400}')
TARGETS = ('{"target": "s"}', '{"target": "s", "properties": {"a": 1}}', '{"target": "t"}', '{"target": "nowhere"}', '{"target": 1}', "{}", "")
rows = st.builds(lambda head, rows: "\n".join([head, *rows]), st.sampled_from(TARGETS), st.lists(st.sampled_from(ROWS), max_size=5))
schemathesis.openapi.format("ksql-rows", rows | st.text(max_size=50))


@schemathesis.serializer("application/vnd.ksqlapi.delimited.v1")
def lines(context, value):
    """Lines are sent as they are."""
    return str(value).encode("utf-8", "surrogatepass")


TYPES = (
    None,
    "*/*",
    "application/json",
    "application/vnd.ksql.v1+json",
    "application/vnd.ksqlapi.delimited.v1",
    "application/vnd.ksql.v1+protobuf",
    "text/html, application/json;q=0.1",
    "text/html",
    "application/json;q=x, ;;,",
)
asked = 0


@schemathesis.hook
def before_call(context, case, kwargs):
    """Asks for each type of answer in turn."""
    global asked
    asked += 1
    accept = TYPES[asked % len(TYPES)]
    if accept is not None:
        case.headers["Accept"] = accept
    if case.path == "/inserts-stream":
        # Who offers HTTP/2 is taken to know it.
        case.headers.update({"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABkAAQAAP__"})
