"""Python's clients of ksqlDB against a server.

  ksqldb_clients.py ksql URL       the package ksql: HTTP/1.1, and HTTP/2 where it offers it
  ksqldb_clients.py ksqldb URL     the package ksqldb: HTTP/1.1 for statements, HTTP/2 with prior knowledge for rows
"""

import collections
import collections.abc
import sys
import threading

EARLIEST = {"auto.offset.reset": "earliest"}


def refused(call, *kinds):
    try:
        call()
    except kinds as error:
        return error
    raise AssertionError("nothing was refused")


def ksql(url):
    # Its HTTP library looks for names where Python had them before 3.10.
    for name in ("Iterable", "Mapping", "MutableMapping", "MutableSet"):
        setattr(collections, name, getattr(collections.abc, name))
    from ksql import KSQLAPI
    from ksql.errors import KSQLError
    from ksql.utils import get_all_streams, get_dependent_queries

    client = KSQLAPI(url, timeout=20)
    assert client.get_ksql_version()[0].isdigit()
    assert any(one["name"] == "ksql.service.id" for one in client.get_properties())
    client.ksql("CREATE STREAM py_in (k VARCHAR KEY, v INT) WITH (kafka_topic='py_in', value_format='json', partitions=1);")
    assert client.create_stream("py_more", ["k varchar key", "v int"], "py_in", "JSON")
    created = client.ksql("CREATE TABLE py_sum AS SELECT k, SUM(v) AS total FROM py_in GROUP BY k;", EARLIEST)
    query = created[0]["commandStatus"]["queryId"]
    assert created[0]["commandStatus"]["message"] == f"Created query with ID {query}", created
    assert {"PY_IN", "PY_MORE"} <= set(get_all_streams(client))
    assert get_dependent_queries(client, "py_in") == ([query], [])
    again = refused(lambda: client.ksql("CREATE STREAM py_in (v INT) WITH (kafka_topic='py_in', value_format='json');"), KSQLError)
    assert again.error_code == 40001 and "already exists" in str(again), again
    assert refused(lambda: client.ksql("SELECT * FROM py_in;"), KSQLError).error_code == 40002

    acknowledged = client.inserts_stream("py_in", [{"K": "a", "V": 1}, {"k": "a", "v": 2}, {"K": "b", "V": 3}])
    assert acknowledged == [{"status": "ok", "seq": n} for n in range(3)], acknowledged
    pushed = client.query("SELECT k, v FROM py_in EMIT CHANGES LIMIT 3;", stream_properties=EARLIEST, return_objects=True)
    assert list(pushed) == [{"K": "a", "V": 1}, {"K": "a", "V": 2}, {"K": "b", "V": 3}]
    raw = "".join(client.query("SELECT k, v FROM py_in EMIT CHANGES LIMIT 1;", stream_properties=EARLIEST, use_http2=True))
    assert raw.splitlines()[1] == '["a",1]', raw
    # It waits until the table is there.
    assert any(one.get("TOTAL") == 3 for one in client.query(
        "SELECT k, total FROM py_sum EMIT CHANGES LIMIT 2;", stream_properties=EARLIEST, return_objects=True))
    # This client takes an answer without a line after its last row to be cut off.
    pulled = client.query("SELECT k, total FROM py_sum WHERE k = 'a';", return_objects=True)
    assert list(pulled) == [{"K": "a", "TOTAL": 3}]
    refused(lambda: list(client.query("SELECT nothing FROM py_in;", return_objects=True)), KSQLError)

    idle = client.query("SELECT k FROM py_in EMIT CHANGES;", use_http2=True, idle_timeout=1)
    import json
    query_id = json.loads(next(idle))["queryId"]
    ended = threading.Thread(target=lambda: list(idle))
    ended.start()
    assert client.close_query(query_id)
    ended.join(20)
    assert not ended.is_alive(), "the query has not ended"
    assert not client.close_query("nobody")
    assert client.ksql(f"TERMINATE {query};")[0]["commandStatus"]["status"] == "SUCCESS"
    for statement in ("DROP TABLE py_sum;", "DROP STREAM py_more;", "DROP STREAM IF EXISTS py_in DELETE TOPIC;"):
        client.ksql(statement)


def ksqldb(url):
    import asyncio
    import requests
    from ksqldb import KSQLdbClient

    client = KSQLdbClient(url)
    assert any(one["name"] == "ksql.service.id" for one in client.get_properties())
    client.ksql("CREATE STREAM h2_in (k VARCHAR KEY, v INT) WITH (kafka_topic='h2_in', value_format='json', partitions=1);")
    client.ksql("CREATE TABLE h2_sum AS SELECT k, SUM(v) AS total FROM h2_in GROUP BY k;", EARLIEST)
    assert client.ksql("LIST TABLES;")[0]["tables"][0]["name"] == "H2_SUM"
    acknowledged = client.inserts_stream("h2_in", [{"k": "a", "v": 1}, {"k": "b", "v": 2}])
    assert acknowledged == [{"status": "ok", "seq": 0}, {"status": "ok", "seq": 1}], acknowledged
    wrong = client.inserts_stream("h2_in", [{"k": "a", "v": 1}, {"k": "a", "v": "many"}, {"k": "a", "v": 3}])
    assert [one["status"] for one in wrong] == ["ok", "error"] and wrong[1]["error_code"] == 40000, wrong

    async def pushed():
        rows, query_id = [], None
        async for row in client.query_async("SELECT * FROM h2_in EMIT CHANGES;", EARLIEST, timeout=20):
            if query_id is None:
                query_id = row["queryId"]
                assert row["columnNames"] == ["K", "V"] and row["columnTypes"] == ["STRING", "INTEGER"], row
                continue
            rows.append(row)
            if len(rows) == 3:
                # The answer ends when the query is closed.
                assert await asyncio.get_running_loop().run_in_executor(None, client.close_query, query_id)
        return rows

    rows = asyncio.run(pushed())
    assert rows == [["a", 1], ["b", 2], ["a", 1]], rows
    assert client.query_sync("SELECT * FROM h2_in;")[1:] == [["a", 1], ["b", 2], ["a", 1]]
    assert not client.close_query("nobody")
    error = client.query_sync("SELECT nothing FROM h2_in;")[0]
    assert error["@type"] == "statement_error" and error["error_code"] == 40001, error
    refused(lambda: client.ksql("LIST NOTHING;"), requests.HTTPError)


if __name__ == "__main__":
    {"ksql": ksql, "ksqldb": ksqldb}[sys.argv[1]](sys.argv[2])
    print("every call was answered")
