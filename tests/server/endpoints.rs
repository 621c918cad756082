//! Every endpoint: what it is asked, and what it answers.

use std::io::{Read as _, Write as _};

use serde_json::{Value, json};

use super::process::{TestServer, statement};

#[test]
fn the_root_leads_to_info() {
    let server = TestServer::start();
    let info = server.get("/");
    assert_eq!(info.status, 200);
    let info = &info.json()["KsqlServerInfo"];
    assert_eq!((&info["ksqlServiceId"], &info["serverStatus"]), (&json!("default_"), &json!("RUNNING")));
    assert_eq!(info, &server.get("/info").json()["KsqlServerInfo"]);
}

#[test]
fn what_is_described_is_there() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.json");
    let described: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the description")).expect("JSON");
    let server = TestServer::start();
    let paths = described["paths"].as_object().expect("paths");
    assert!(paths.len() > 15);
    for (path, methods) in paths.iter().filter(|(path, _)| *path != "/ksql/terminate") {
        let asked = path.replace("{property}", "auto.offset.reset").replace(['{', '}'], "");
        for method in methods.as_object().expect("methods").keys() {
            let answer = if method == "get" { server.get(&asked) } else { server.post(&asked, &[], "{}") };
            // Nothing has that name, but somebody is there to say so.
            let is_served = !answer.text.contains("\"message\":\"Not Found\"") && answer.status != 405;
            assert!(is_served, "{method} {asked}: {answer:?}");
        }
    }
}

#[test]
fn health_is_told_in_three_ways() {
    let server = TestServer::start();
    let health = server.get("/healthcheck");
    assert_eq!(health.status, 200);
    let health = health.json();
    assert_eq!((&health["isHealthy"], &health["serverState"]), (&json!(true), &json!("READY")));
    for part in ["metastore", "kafka", "commandRunner"] {
        assert_eq!(health["details"][part]["isHealthy"], true, "{part}");
    }
    for path in ["/chc/live", "/chc/ready"] {
        let answer = server.get(path);
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{path}");
    }
}

#[test]
fn a_server_that_is_to_stop_says_first_that_it_is_not_ready() {
    let mut server = TestServer::start_with(&["levada.shutdown.delay.ms=3000"]);
    server.run("CREATE STREAM s (a INT) WITH (kafka_topic='s', value_format='json', partitions=1);");
    let push = ReadPush::open(&server);
    server.terminate();
    while server.get("/chc/ready").status == 200 {
        std::thread::yield_now();
    }
    assert_eq!(server.get("/chc/ready").status, 503);
    assert_eq!(server.get("/chc/live").status, 200);
    assert_eq!(server.get("/healthcheck").json()["serverState"], "TERMINATING");
    assert_eq!(server.run("LIST STREAMS;")[0]["streams"].as_array().map(Vec::len), Some(1), "it still answers");
    assert!(push.rest().contains("the server is stopping"), "push queries are told");
    assert!(server.has_ended_well());
}

/// A push query that is read to its end.
struct ReadPush(std::net::TcpStream);

impl ReadPush {
    fn open(server: &TestServer) -> Self {
        let body = statement("SELECT * FROM s EMIT CHANGES;", &[]);
        let mut stream = server.connect();
        let head = format!("POST /query-stream HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).expect("it is connected");
        let mut first = [0; 12];
        stream.read_exact(&mut first).expect("the answer begins");
        assert_eq!(&first, b"HTTP/1.1 200");
        Self(stream)
    }

    fn rest(mut self) -> String {
        let mut rest = String::new();
        // The connection may be reset after the end.
        let _ = self.0.read_to_string(&mut rest);
        rest
    }
}

#[test]
fn metadata_name_the_clusters() {
    let server = TestServer::start_with(&["ksql.service.id=harbour_"]);
    let clusters = json!({"kafka-cluster": "embedded", "ksql-cluster": "harbour_"});
    let id = server.get("/v1/metadata/id").json();
    assert_eq!(id, json!({"id": "", "scope": {"path": [], "clusters": clusters}}));
    let all = server.get("/v1/metadata").json();
    assert_eq!(all["clusterId"], id);
    assert!(all["version"].is_string());
    assert_eq!(server.get("/info").json()["KsqlServerInfo"]["ksqlServiceId"], "harbour_");
}

#[test]
fn what_became_of_commands_can_be_asked() {
    let server = TestServer::with_rows();
    let all = server.get("/status").json();
    assert_eq!(all["commandStatuses"], json!({"stream/`S`/create": "SUCCESS", "table/`T`/create": "SUCCESS"}));
    for path in ["/status/table/T/create", "/status/table/%60T%60/create"] {
        let status = server.get(path).json();
        assert_eq!(
            status,
            json!({"status": "SUCCESS", "message": "Created query with ID CTAS_T_1", "queryId": "CTAS_T_1"})
        );
    }
    server.refused("DROP STREAM s;");
    let failed = server.get("/status/stream/S/drop").json();
    assert_eq!(failed["status"], "ERROR");
    assert!(
        failed["message"].as_str().is_some_and(|message| message.contains("read from this source: [T]")),
        "{failed}"
    );
}

#[test]
fn the_cluster_is_this_server() {
    let server = TestServer::with_rows();
    let hosts = server.get("/clusterStatus").json()["clusterStatus"].clone();
    let hosts = hosts.as_object().expect("an object").clone();
    assert_eq!(hosts.len(), 1);
    let (_, host) = hosts.iter().next().expect("one host");
    assert_eq!(host["hostAlive"], true);
    assert!(host["activeStandbyPerQuery"].get("CTAS_T_1").is_some(), "{host}");
}

#[test]
fn properties_are_checked_by_name() {
    let server = TestServer::start();
    let good = server.get("/is_valid_property/auto.offset.reset");
    assert_eq!((good.status, good.text.as_str()), (200, "true"));
    let bad = server.get("/is_valid_property/ksql.service.id");
    assert_eq!(bad.status, 400);
    assert!(bad.json()["message"].as_str().is_some_and(|message| message.contains("ksql.service.id")));
}

/// Statements and the type of what they answer, with the member that holds it.
#[test]
fn statements_answer_entities() {
    let server = TestServer::with_rows();
    server.run("CREATE TYPE money AS STRUCT<amount DECIMAL(9, 2), currency STRING>;");
    for (text, kind, member) in [
        ("LIST STREAMS;", "streams", "streams"),
        ("LIST TABLES;", "tables", "tables"),
        ("LIST TOPICS;", "kafka_topics", "topics"),
        ("LIST TOPICS EXTENDED;", "kafka_topics_extended", "topics"),
        ("LIST QUERIES;", "queries", "queries"),
        ("SHOW QUERIES EXTENDED;", "query_descriptions", "queryDescriptions"),
        ("LIST STREAMS EXTENDED;", "source_descriptions", "sourceDescriptions"),
        ("DESCRIBE TABLES;", "source_descriptions", "sourceDescriptions"),
        ("DESCRIBE t;", "sourceDescription", "sourceDescription"),
        ("DESCRIBE s EXTENDED;", "sourceDescription", "sourceDescription"),
        ("LIST FUNCTIONS;", "function_names", "functions"),
        ("DESCRIBE FUNCTION len;", "describe_function", "functions"),
        ("LIST TYPES;", "type_list", "types"),
        ("SHOW PROPERTIES;", "properties", "properties"),
        ("EXPLAIN CTAS_T_1;", "queryDescription", "queryDescription"),
        ("EXPLAIN SELECT k FROM s EMIT CHANGES;", "queryDescription", "queryDescription"),
        ("ASSERT TOPIC s;", "assert_topic", "exists"),
        ("PAUSE CTAS_T_1;", "currentStatus", "commandStatus"),
        ("RESUME CTAS_T_1;", "currentStatus", "commandStatus"),
    ] {
        let entity = server.run(text).remove(0);
        assert_eq!(entity["@type"], kind, "{text}");
        let held = &entity[member];
        let is_empty =
            held.as_array().is_some_and(Vec::is_empty) || held.as_object().is_some_and(serde_json::Map::is_empty);
        assert!(!held.is_null() && !is_empty, "{text}: {entity}");
    }
    let money = &server.run("LIST TYPES;")[0]["types"]["MONEY"];
    assert_eq!((&money["type"], money["fields"].as_array().map(Vec::len)), (&json!("STRUCT"), Some(2)), "{money}");
}

#[test]
fn success_is_told_in_the_words_that_clients_look_for() {
    let server = TestServer::start();
    for (text, id, message) in [
        (
            "CREATE STREAM s (k STRING KEY, a INT) WITH (kafka_topic='s', value_format='json', partitions=1);",
            "stream/`S`/create",
            "Stream created",
        ),
        (
            "CREATE TABLE u (k STRING PRIMARY KEY, a INT) WITH (kafka_topic='u', value_format='json', partitions=1);",
            "table/`U`/create",
            "Table created",
        ),
        ("CREATE STREAM c AS SELECT * FROM s;", "stream/`C`/create", "Created query with ID CSAS_C_2"),
        ("INSERT INTO c SELECT * FROM s;", "stream/`C`/create", "Created query with ID INSERTQUERY_3"),
        ("PAUSE CSAS_C_2;", "pause/CSAS_C_2/execute", "Query paused."),
        ("RESUME CSAS_C_2;", "resume/CSAS_C_2/execute", "Query resumed."),
        ("TERMINATE INSERTQUERY_3;", "terminate/INSERTQUERY_3/execute", "Query terminated."),
        ("ALTER STREAM s ADD COLUMN b INT;", "stream/`S`/alter", "Stream S altered."),
        (
            "CREATE TYPE m AS STRUCT<a INT>;",
            "type/M/create",
            "Registered custom type with name 'M' and SQL type STRUCT<`A` INTEGER>",
        ),
        ("DROP TYPE m;", "type/M/drop", "Dropped type 'M'"),
        ("DROP STREAM c;", "stream/`C`/drop", "Source `C` (topic: C) was dropped."),
    ] {
        let entity = server.run(text).remove(0);
        let told = [&entity["commandId"], &entity["commandStatus"]["status"], &entity["commandStatus"]["message"]];
        assert_eq!(told, [&json!(id), &json!("SUCCESS"), &json!(message)], "{text}");
    }
    let again = "CREATE STREAM IF NOT EXISTS s (a INT) WITH (kafka_topic='s', value_format='json');";
    let status = server.run(again).remove(0)["commandStatus"].clone();
    let message = status["message"].as_str().expect("a text");
    assert!(message.starts_with("Cannot add stream `S`: A stream with the same name already exists"), "{message}");
}

#[test]
fn statements_are_checked_before_the_first_is_executed() {
    let server = TestServer::start();
    let one = "CREATE STREAM s (a INT) WITH (kafka_topic='s', value_format='json', partitions=1);";
    let wrong = "CREATE STREAM d AS SELECT nothing FROM s;";
    let refused = server.refused(&format!("{one} {wrong}")).json();
    assert_eq!((&refused["@type"], &refused["statementText"]), (&json!("statement_error"), &json!(wrong)), "{refused}");
    assert_eq!((&refused["line"], refused["column"].is_number()), (&json!(1), true));
    assert_eq!(server.run("LIST STREAMS;")[0]["streams"], json!([]));
}

#[test]
fn a_request_has_properties_variables_and_a_place_in_the_order_of_commands() {
    let server = TestServer::with_rows();
    let request = json!({
        "ksql": "CREATE STREAM ${name} AS SELECT k, '${text}' AS a FROM s;",
        "sessionVariables": {"name": "v", "text": "it"},
        "streamsProperties": {"auto.offset.reset": "earliest"},
    });
    let created = server.post("/ksql", &[], &request.to_string()).json()[0].clone();
    let number = created["commandSequenceNumber"].as_i64().expect("a number");
    let after = |number: i64| {
        let request = json!({"ksql": "LIST STREAMS;", "commandSequenceNumber": number});
        server.post("/ksql", &[], &request.to_string())
    };
    assert_eq!(after(number).status, 200);
    server.until("SELECT * FROM v;", |rows| rows.to_string().matches(",\"it\"]").count() == 3);
    let server = TestServer::start_with(&["ksql.server.command.response.timeout.ms=100"]);
    let request = json!({"ksql": "LIST STREAMS;", "commandSequenceNumber": 1000});
    let late = server.post("/ksql", &[], &request.to_string());
    assert_eq!((late.status, &late.json()["error_code"]), (503, &json!(50301)), "{late:?}");
}

#[test]
fn a_service_ends_with_its_topics() {
    let server = TestServer::with_rows();
    let ended = server.post("/ksql/terminate", &[], "{\"deleteTopicList\": [\"T\"]}");
    assert_eq!(ended.status, 200, "{ended:?}");
    assert_eq!(ended.json()[0]["commandStatus"]["status"], "SUCCESS");
    let after = server.refused("LIST STREAMS;");
    assert_eq!((after.status, &after.json()["error_code"]), (503, &json!(50304)), "{after:?}");
    assert_eq!(server.get("/info").status, 200);
}

#[test]
fn a_push_query_is_listed_and_ends_when_it_is_closed() {
    let server = TestServer::with_rows();
    let mut stream = server.connect();
    let body = statement("SELECT k FROM s EMIT CHANGES;", &[]);
    let length = body.len();
    let head =
        format!("POST /query-stream HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    std::io::Write::write_all(&mut stream, format!("{head}{body}").as_bytes()).expect("it reads");
    let ids = || {
        let queries = server.run("LIST QUERIES;")[0]["queries"].clone();
        let queries = queries.as_array().cloned().expect("queries");
        queries
            .into_iter()
            .filter(|query| query["queryType"] == "PUSH")
            .map(|query| query["id"].clone())
            .collect::<Vec<_>>()
    };
    let id = loop {
        if let Some(id) = ids().pop() {
            break id;
        }
        std::thread::yield_now();
    };
    let closed = server.post("/close-query", &[], &json!({"queryId": id}).to_string());
    assert_eq!((closed.status, closed.text.as_str()), (200, ""));
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).expect("the answer ends");
    assert!(answer.contains("\"columnNames\":[\"K\"]"), "{answer}");
    assert_eq!(ids(), Vec::<Value>::new());
    let again = server.post("/close-query", &[], &json!({"queryId": id}).to_string());
    assert_eq!(again.status, 400);
    assert!(again.json()["message"].as_str().is_some_and(|message| message.starts_with("No query with id")));
}

#[test]
fn a_query_is_described_before_and_after_it_is_started() {
    let server = TestServer::start();
    server.run("CREATE STREAM s (k STRING KEY, v INT) WITH (kafka_topic='s', value_format='json', partitions=1);");
    let described = |sql: &str| {
        let description = server.run(sql).remove(0)["queryDescription"].take();
        let names = description["fields"].as_array().expect("fields").iter().map(|field| &field["name"]);
        let names = names.cloned().collect::<Value>();
        json!([description["windowType"], names, description["sources"], description["sinks"]])
    };
    let create = "CREATE TABLE t AS SELECT k, COUNT(*) AS n FROM s WINDOW HOPPING (SIZE 2 SECONDS, ADVANCE BY 1 SECOND) GROUP BY k";
    let of_table = json!(["HOPPING", ["K", "N"], ["S"], ["T"]]);
    assert_eq!(described(&format!("EXPLAIN {create};")), of_table);
    assert_eq!(server.run("SHOW TABLES;")[0]["tables"], json!([]), "nothing is made");
    server.run(&format!("{create};"));
    assert_eq!(described("EXPLAIN CTAS_T_1;"), of_table);
    assert_eq!(described("EXPLAIN SELECT v, k FROM s EMIT CHANGES;"), json!([null, ["V", "K"], ["S"], []]));
    assert_eq!(described("EXPLAIN SELECT n FROM t WHERE k = 'a';"), json!(["HOPPING", ["N"], ["T"], []]));
    let push = "EXPLAIN SELECT k, COUNT(*) AS n FROM s WINDOW TUMBLING (SIZE 1 SECOND) GROUP BY k EMIT CHANGES;";
    assert_eq!(described(push), json!(["TUMBLING", ["K", "N"], ["S"], []]));
}
