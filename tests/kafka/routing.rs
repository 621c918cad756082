//! Several servers of one service answer pull queries as one, whoever is asked.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::Broker;
use super::service::{Asking, Node, wait_for};

const KEYS: usize = 60;
const TABLE: &str = "
    CREATE STREAM deposits (account STRING KEY, amount BIGINT)
      WITH (kafka_topic = 'deposits', value_format = 'json', partitions = 6);
    CREATE TABLE totals AS SELECT account, COUNT(*) AS n, SUM(amount) AS total FROM deposits GROUP BY account;";
const QUERY: &str = "CTAS_TOTALS_1";

fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(user))
}

/// Three servers that speak HTTPS with a certificate of their own, ask who asks, and keep a copy of each other's state.
fn servers(broker: &Broker) -> Vec<Node> {
    let own = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let file = broker.path("server.pem");
    std::fs::write(&file, own.cert.pem() + &own.signing_key.serialize_pem()).expect("a file is written");
    let users = broker.path("users");
    std::fs::write(&users, "ada: s3cret, admin\neve: pw, nobody\n").expect("a file is written");
    let properties = [
        "ksql.service.id=routing_",
        "ksql.streams.num.standby.replicas=1",
        "ksql.streams.commit.interval.ms=200",
        "num.stream.threads=2",
        "ksql.query.pull.enable.standby.reads=true",
        "ksql.heartbeat.enable=true",
        "ksql.heartbeat.missed.threshold.ms=20",
        "ksql.lag.reporting.enable=true",
        "ksql.lag.reporting.send.interval.ms=300",
        "authentication.method=BASIC",
        "levada.authorization.read=admin",
        &format!("levada.users.file={}", users.display()),
        &format!("ssl.keystore.location={}", file.display()),
    ];
    let properties = properties.map(ToOwned::to_owned);
    let asking = Asking { certificate: Some(own.cert.pem()), authorization: Some(basic("ada:s3cret")) };
    let start = |name: &str| Node::start(broker, name, "https://127.0.0.1:0", &properties, &asking);
    let nodes: Vec<Node> = ["one", "two", "three"].map(start).into();
    nodes.iter().for_each(Node::until_ready);
    nodes
}

/// A record for each key.
fn fill(broker: &Broker) {
    let records: Vec<String> = (0..KEYS).map(|i| format!("a{i}:{{\"amount\":{i}}}\n")).collect();
    broker.produce("deposits", &["--key-separator", ":"], &records.concat());
}

/// Whether each server knows of all, and that they live.
fn all_live(nodes: &[Node]) -> bool {
    nodes.iter().all(|node| {
        let cluster = node.cluster();
        nodes.iter().all(|other| cluster[other.host()]["hostAlive"] == true)
    })
}

/// The body without what differs from answer to answer.
fn without_id(text: &str) -> String {
    let mut lines: Vec<String> = text.lines().map(ToOwned::to_owned).collect();
    if let Some(first) = lines.first_mut() {
        let id = first.find("query_").unwrap_or(0);
        let end = first[id..].find('"').map_or(id, |end| id + end);
        first.replace_range(id..end, "");
    }
    lines.join("\n")
}

#[test]
fn whoever_is_asked_answers_with_the_rows_of_all() {
    let Some(broker) = Broker::start_alone() else { return };
    let mut nodes = servers(&broker);
    wait_for("all servers know each other", || all_live(&nodes));
    nodes[0].run(TABLE);
    fill(&broker);
    let scan = "SELECT account, n, total FROM totals;";
    for node in &nodes {
        wait_for("all rows are there", || node.client().rows(scan).is_ok_and(|rows| rows.len() == KEYS));
    }
    every_answer_is_that_of_one_server(&nodes);
    reads_have_the_rows_of_all(&nodes);
    nobody_passes_who_may_not(&nodes);
    the_status_tells_of_all(&nodes);
    others_answer_for_who_is_killed(&mut nodes);
}

fn every_answer_is_that_of_one_server(nodes: &[Node]) {
    for node in nodes {
        let client = node.client();
        for i in 0..KEYS {
            let rows = client.rows(&format!("SELECT account, n, total FROM totals WHERE account = 'a{i}';"));
            assert_eq!(rows, Ok(vec![json!([format!("a{i}"), 1, i])]), "{}", node.name);
        }
        let found = client.rows("SELECT account FROM totals;").expect("rows");
        let accounts: BTreeSet<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!((found.len(), accounts.len()), (KEYS, KEYS), "each row once");
        assert_eq!(client.rows("SELECT account FROM totals LIMIT 7;").expect("rows").len(), 7);
        assert_eq!(
            client.rows("SELECT account FROM totals WHERE account IN ('a1', 'a2', 'zz');").expect("rows").len(),
            2
        );
        assert_eq!(
            client.rows("SELECT 'EMIT' AS word, n FROM totals WHERE total > 50;").expect("rows").len(),
            KEYS - 51
        );
        let wrong = client.rows("SELECT nothing FROM totals;").expect_err("there is no such column");
        assert_eq!(wrong.0, 400, "{wrong:?}");
    }
    let forms = [
        ("/query", "application/vnd.ksql.v1+json"),
        ("/query-stream", "application/vnd.ksqlapi.delimited.v1"),
        ("/query-stream", "application/json"),
        ("/query-stream", "application/vnd.ksql.v1+protobuf"),
    ];
    for (path, accept) in forms {
        let body = json!({"ksql": "SELECT account, n, total FROM totals WHERE account = 'a7';"});
        let asked = |node: &Node| {
            let (status, text) = node.client().post(path, &[("accept", accept)], &body).expect("an answer");
            assert_eq!(status, 200, "{text}");
            without_id(&text)
        };
        let answers: BTreeSet<String> = nodes.iter().map(asked).collect();
        assert_eq!(answers.len(), 1, "{path} {accept}: {answers:?}");
    }
}

/// Joins, groups and orders over tables of which each server has some partitions.
fn reads_have_the_rows_of_all(nodes: &[Node]) {
    let sum: usize = (0..KEYS).sum();
    let reads = [
        ("SELECT COUNT(*) AS accounts, SUM(total) AS total FROM totals GROUP BY n;", vec![json!([KEYS, sum])]),
        (
            "SELECT account FROM totals WHERE total < 3 ORDER BY total DESC;",
            vec![json!(["a2"]), json!(["a1"]), json!(["a0"])],
        ),
        (
            "SELECT a.account, b.total FROM totals a JOIN totals b ON a.total = b.total + 1 WHERE b.total > 56 ORDER BY b.total;",
            vec![json!(["a58", 57]), json!(["a59", 58])],
        ),
        ("SELECT account FROM totals WHERE total = (SELECT MAX(total) FROM totals);", vec![json!(["a59"])]),
    ];
    for node in nodes {
        for (sql, rows) in &reads {
            assert_eq!(node.client().rows(sql).as_ref(), Ok(rows), "{}: {sql}", node.name);
        }
    }
}

fn nobody_passes_who_may_not(nodes: &[Node]) {
    for node in nodes {
        let read = json!({"sql": "SELECT COUNT(*) FROM totals GROUP BY n ORDER BY 1;"});
        let refused = node.anonymous().post("/query-stream", &[("authorization", &*basic("eve:pw"))], &read);
        assert_eq!(refused.expect("an answer").0, 403, "a user without the right");
        for i in 0..6 {
            let body = json!({"sql": format!("SELECT * FROM totals WHERE account = 'a{i}';")});
            let ask = |user: &str| {
                let asking = [("authorization", &*basic(user))];
                node.anonymous().post("/query-stream", &asking, &body).expect("an answer").0
            };
            assert_eq!((ask("eve:pw"), ask("ada:wrong")), (403, 401), "a user without the right, and nobody");
        }
        for path in ["/heartbeat", "/lag"] {
            let told = json!({"hostInfo": {"host": "127.0.0.1", "port": 1}, "timestamp": 0});
            let (status, text) =
                node.client().post(path, &[("levada-server-word", "guessed")], &told).expect("an answer");
            assert_eq!(status, 403, "{text}");
        }
    }
    // What is passed on is not passed on again: who runs the partition answers, and who has a copy.
    for partition in 0..6 {
        let partition = partition.to_string();
        let own =
            json!({"request.ksql.query.pull.skip.forwarding": true, "request.ksql.query.pull.partition": partition});
        let body = json!({"sql": "SELECT account, n FROM totals;", "requestProperties": own});
        let asked = |node: &Node| node.client().post("/query-stream", &[], &body).expect("an answer");
        let answers: Vec<(u16, String)> = nodes.iter().map(asked).collect();
        let found = answers.iter().filter(|(status, _)| *status == 200).map(|(_, text)| without_id(text));
        let found: Vec<String> = found.collect();
        assert!(found.len() == 2 && found[0] == found[1], "{answers:?}");
        assert!(
            answers.iter().any(|(status, text)| *status == 503 && text.contains("another server runs it")),
            "{answers:?}"
        );
    }
}

/// Partitions by the servers that have them, of `list`.
fn having(cluster: &Value, list: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    for (_, host) in cluster.as_object().expect("servers") {
        for place in host["activeStandbyPerQuery"][QUERY][list].as_array().expect("a list") {
            *found.entry(place.to_string()).or_insert(0) += 1;
        }
    }
    found
}

fn the_status_tells_of_all(nodes: &[Node]) {
    for node in nodes {
        let cluster = node.cluster();
        assert_eq!(cluster.as_object().map(serde_json::Map::len), Some(3), "{cluster}");
        for list in ["activePartitions", "standByPartitions"] {
            let found = having(&cluster, list);
            assert!(found.len() == 6 && found.values().all(|servers| *servers == 1), "{list}: {cluster}");
        }
        wait_for("all copies are told of", || {
            let cluster = node.cluster();
            let lags = cluster.as_object().expect("servers").values().flat_map(|host| {
                let stores = host["hostStoreLags"]["stateStoreLags"].as_object().cloned().unwrap_or_default();
                stores
                    .into_iter()
                    .flat_map(|(_, store)| store["lagByPartition"].as_object().cloned().unwrap_or_default())
            });
            let lags: Vec<i64> = lags.filter_map(|(_, lag)| lag["offsetLag"].as_i64()).collect();
            lags.len() == 12 && lags.iter().all(|lag| *lag == 0)
        });
    }
}

fn others_answer_for_who_is_killed(nodes: &mut Vec<Node>) {
    let mut gone = nodes.remove(0);
    gone.kill();
    for node in &*nodes {
        for i in 0..KEYS {
            let rows = node.client().rows(&format!("SELECT account, n FROM totals WHERE account = 'a{i}';"));
            assert_eq!(rows, Ok(vec![json!([format!("a{i}"), 1])]), "{}", node.name);
        }
        assert_eq!(node.client().rows("SELECT * FROM totals;").map(|rows| rows.len()), Ok(KEYS));
        let counted = node.client().rows("SELECT COUNT(*) AS accounts FROM totals GROUP BY n;");
        assert_eq!(counted, Ok(vec![json!([KEYS])]), "copies take part in reads");
        // All has been quiet for long enough: the copies lack nothing.
        let near =
            json!({"sql": "SELECT * FROM totals;", "properties": {"ksql.query.pull.max.allowed.offset.lag": "0"}});
        let (status, text) = node.client().post("/query-stream", &[], &near).expect("an answer");
        assert_eq!((status, text.lines().count()), (200, KEYS + 1), "{text}");
        let is_noticed = || {
            let cluster = node.cluster();
            // Either it is silent, or the others have gone on without it.
            cluster.get(gone.host()).is_none_or(|host| host["hostAlive"] == false)
        };
        wait_for("the others notice that one is gone", is_noticed);
    }
}

/// Two servers without copies of each other's state, which speak with each other at listeners of their own.
#[test]
fn what_nobody_has_is_an_error_until_somebody_takes_over() {
    let Some(broker) = Broker::start() else { return };
    let properties = [
        "ksql.service.id=alone_",
        "ksql.streams.commit.interval.ms=200",
        "num.stream.threads=1",
        "ksql.internal.listener=http://127.0.0.1:0",
    ];
    let properties = properties.map(ToOwned::to_owned);
    let start = |name: &str| Node::start(&broker, name, "127.0.0.1:0", &properties, &Asking::default());
    let mut nodes: Vec<Node> = ["one", "two"].map(start).into();
    nodes.iter().for_each(Node::until_ready);
    wait_for("both have agreed", || {
        nodes.iter().all(|node| node.cluster().as_object().is_some_and(|all| all.len() == 2))
    });
    for path in ["/heartbeat", "/lag"] {
        let (status, text) = nodes[0].client().post(path, &[], &json!({})).expect("an answer");
        assert!(status == 400 && text.contains("40005"), "{text}");
    }
    nodes[0].run(TABLE);
    fill(&broker);
    let scan = "SELECT account, n, total FROM totals;";
    let has_all = |node: &Node| node.client().rows(scan).is_ok_and(|rows| rows.len() == KEYS);
    nodes.iter().for_each(|node| wait_for("all rows are there", || has_all(node)));
    nodes.remove(0).kill();
    let (status, text) = nodes[0].client().rows(scan).expect_err("half of the rows are nowhere");
    let error: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((status, &error["error_code"]), (503, &json!(50302)), "{text}");
    assert!(error["message"].as_str().is_some_and(|message| message.contains("partition")), "{text}");
    // It says so at once, or, where rows were on their way, at the end.
    let counting = json!({"sql": "SELECT COUNT(*) FROM totals GROUP BY n;"});
    let (_, text) = nodes[0].client().post("/query-stream", &[], &counting).expect("an answer");
    assert!(text.contains("partition"), "{text}");
    wait_for("the other one takes over", || has_all(&nodes[0]));
}
