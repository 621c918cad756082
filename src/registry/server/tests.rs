//! Requests as they go over the wire, and what is answered.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use serde_json::{Value, json};

use super::{BODY_BYTES_MAX, serve};
use crate::http::HttpServer;
use crate::registry::EmbeddedRegistry;

struct Server {
    http: HttpServer,
}

impl Server {
    fn start() -> Self {
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        Self { http: serve(Arc::new(EmbeddedRegistry::in_memory()), listen).expect("a free port") }
    }

    /// Status, head and body of the answer to a request.
    fn raw(&self, method: &str, path: &str, headers: &str, body: &[u8]) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.http.address()).expect("it listens");
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).expect("it reads");
        // Who is refused for the length of the body is not read to the end.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        let answer = String::from_utf8(answer).expect("text");
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer}"));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
        (status, head.to_lowercase(), body.to_owned())
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let headers = "content-type: application/vnd.schemaregistry.v1+json\r\n";
        let (status, _, answer) = self.raw(method, path, headers, body.as_bytes());
        (status, serde_json::from_str(&answer).unwrap_or_else(|_| panic!("{method} {path}: {answer}")))
    }

    fn check(&self, method: &str, path: &str, body: &Value, expected: &Value) {
        assert_eq!(self.ask(method, path, body), (200, expected.clone()), "{method} {path}");
    }

    /// The request is refused with `code`.
    fn refuses(&self, method: &str, path: &str, body: &Value, code: u64) {
        let (status, answer) = self.ask(method, path, body);
        let expected = if code > 999 { code / 100 } else { code };
        assert_eq!(
            (u64::from(status), answer["error_code"].as_u64()),
            (expected, Some(code)),
            "{method} {path} {answer}"
        );
        assert!(answer["message"].as_str().is_some_and(|message| !message.is_empty()), "{answer}");
    }
}

fn avro(text: &str) -> Value {
    json!({"schema": text})
}

const NONE: Value = Value::Null;
const INT: &str = r#"{"type": "record", "name": "r", "fields": [{"name": "a", "type": "int"}]}"#;
const INT_KEPT: &str = r#"{"type":"record","name":"r","fields":[{"name":"a","type":"int"}]}"#;
const LONG: &str = r#"{"type": "record", "name": "r", "fields": [{"name": "a", "type": "long"}]}"#;
const TEXT: &str = r#"{"type": "record", "name": "r", "fields": [{"name": "a", "type": "string"}]}"#;

#[test]
fn schemas_are_registered_found_and_deleted() {
    let server = Server::start();
    server.check("GET", "/", &NONE, &json!({}));
    server.check("GET", "/subjects", &NONE, &json!([]));
    server.check("POST", "/subjects/s/versions", &avro(INT), &json!({"id": 1, "version": 1}));
    server.check("POST", "/subjects/s/versions?normalize=true", &avro(LONG), &json!({"id": 2, "version": 2}));
    server.check("POST", "/subjects/s/versions", &avro(INT), &json!({"id": 1, "version": 1}));
    server.check("GET", "/subjects/s/versions", &NONE, &json!([1, 2]));
    let first = json!({"subject": "s", "version": 1, "id": 1, "schema": INT_KEPT});
    server.check("GET", "/subjects/s/versions/1", &NONE, &first);
    server.check("POST", "/subjects/s", &avro(INT), &first);
    server.check("GET", "/schemas/ids/1", &NONE, &json!({"schema": INT_KEPT}));
    server.check("GET", "/schemas/ids/1?fetchMaxId=true", &NONE, &json!({"schema": INT_KEPT, "maxId": 2}));
    server.check("GET", "/schemas/ids/1/subjects", &NONE, &json!(["s"]));
    server.check("GET", "/schemas/ids/1/versions", &NONE, &json!([{"subject": "s", "version": 1}]));
    for path in ["/schemas/ids/1/schema", "/subjects/s/versions/1/schema"] {
        assert_eq!(server.raw("GET", path, "", b"").2, INT_KEPT);
    }
    for latest in ["latest", "-1"] {
        assert_eq!(server.ask("GET", &format!("/subjects/s/versions/{latest}"), &NONE).1["version"], 2);
    }
    assert_eq!(server.ask("GET", "/schemas?latestOnly=true", &NONE).1.as_array().map(Vec::len), Some(1));
    server.check("DELETE", "/subjects/s/versions/2", &NONE, &json!(2));
    server.check("GET", "/subjects/s/versions?deleted=true", &NONE, &json!([1, 2]));
    server.check("GET", "/subjects/s/versions?deletedOnly=true", &NONE, &json!([2]));
    assert_eq!(server.ask("GET", "/subjects/s/versions/2?deleted=true", &NONE).1["deleted"], true);
    server.check("DELETE", "/subjects/s/versions/2?permanent=true", &NONE, &json!(2));
    server.check("DELETE", "/subjects/s", &NONE, &json!([1]));
    server.check("GET", "/subjects?deletedOnly=true", &NONE, &json!(["s"]));
    server.check("DELETE", "/subjects/s?permanent=true", &NONE, &json!([1]));
    server.refuses("GET", "/schemas/ids/1", &NONE, 40403);
}

#[test]
fn other_languages_say_which_they_are() {
    let server = Server::start();
    server.check("GET", "/schemas/types", &NONE, &json!(["JSON", "PROTOBUF", "AVRO"]));
    let body = json!({"schemaType": "JSON", "schema": r#"{ "type": "string" }"#});
    server.check("POST", "/subjects/j/versions", &body, &json!({"id": 1, "version": 1}));
    server.check("GET", "/schemas/ids/1", &NONE, &json!({"schemaType": "JSON", "schema": r#"{"type":"string"}"#}));
    let part = json!({"schemaType": "PROTOBUF", "schema": "message Part { int32 i = 1; }"});
    server.check("POST", "/subjects/part/versions", &part, &json!({"id": 2, "version": 1}));
    let references = json!([{"name": "part.proto", "subject": "part", "version": 1}]);
    let latest = json!([{"name": "part.proto", "subject": "part", "version": -1}]);
    let text = "import \"part.proto\"; message M { Part p = 1; }";
    for references in [&references, &latest] {
        let body = json!({"schemaType": "PROTOBUF", "schema": text, "references": references});
        server.check("POST", "/subjects/m/versions", &body, &json!({"id": 3, "version": 1}));
    }
    let (_, found) = server.ask("GET", "/subjects/m/versions/1", &NONE);
    assert_eq!((&found["schemaType"], &found["references"]), (&json!("PROTOBUF"), &references));
    server.check("GET", "/subjects/part/versions/latest/referencedby", &NONE, &json!([3]));
    server.refuses("DELETE", "/subjects/part", &NONE, 42206);
    let (_, serialized) = server.ask("GET", "/schemas/ids/3?format=serialized", &NONE);
    let body = json!({"schemaType": "PROTOBUF", "schema": serialized["schema"], "references": references});
    assert_eq!(server.ask("POST", "/subjects/m", &body).1["id"], 3, "a serialized descriptor is the same schema");
}

#[test]
fn compatibility_is_asked_and_set() {
    let server = Server::start();
    let yes = json!({"is_compatible": true});
    server.check("POST", "/compatibility/subjects/s/versions/latest", &avro(INT), &yes);
    server.check("POST", "/subjects/s/versions", &avro(INT), &json!({"id": 1, "version": 1}));
    server.check("POST", "/compatibility/subjects/s/versions/latest", &avro(LONG), &yes);
    let no = json!({"is_compatible": false});
    for path in ["versions", "versions/latest", "versions/1"] {
        server.check("POST", &format!("/compatibility/subjects/s/{path}"), &avro(TEXT), &no);
    }
    let (_, verbose) = server.ask("POST", "/compatibility/subjects/s/versions/latest?verbose=true", &avro(TEXT));
    let messages = verbose["messages"].to_string();
    assert!(messages.contains("TYPE_MISMATCH") && messages.contains("/fields/0/type"), "{messages}");
    let fine = json!({"is_compatible": true, "messages": []});
    server.check("POST", "/compatibility/subjects/s/versions?verbose=true", &avro(LONG), &fine);
    server.refuses("POST", "/subjects/s/versions", &avro(TEXT), 409);
    server.check("GET", "/config", &NONE, &json!({"compatibilityLevel": "BACKWARD"}));
    server.refuses("GET", "/config/s", &NONE, 40408);
    server.check("GET", "/config/s?defaultToGlobal=true", &NONE, &json!({"compatibilityLevel": "BACKWARD"}));
    let none = json!({"compatibility": "NONE"});
    server.check("PUT", "/config/s", &json!({"compatibility": "none"}), &none);
    server.check("GET", "/config/s", &NONE, &json!({"compatibilityLevel": "NONE"}));
    server.check("POST", "/subjects/s/versions", &avro(TEXT), &json!({"id": 2, "version": 2}));
    server.check("DELETE", "/config/s", &NONE, &json!({"compatibilityLevel": "NONE"}));
    server.refuses("DELETE", "/config/s", &NONE, 40408);
    let full = json!({"compatibility": "FULL_TRANSITIVE"});
    server.check("PUT", "/config", &full, &full);
    server.check("DELETE", "/config", &NONE, &json!({"compatibilityLevel": "FULL_TRANSITIVE"}));
    server.check("GET", "/config", &NONE, &json!({"compatibilityLevel": "BACKWARD"}));
}

#[test]
fn modes_are_asked_and_set() {
    let server = Server::start();
    server.check("GET", "/mode", &NONE, &json!({"mode": "READWRITE"}));
    server.refuses("GET", "/mode/s", &NONE, 40409);
    server.check("GET", "/mode/s?defaultToGlobal=true", &NONE, &json!({"mode": "READWRITE"}));
    server.check("PUT", "/mode/s", &json!({"mode": "READONLY"}), &json!({"mode": "READONLY"}));
    server.refuses("POST", "/subjects/s/versions", &avro(INT), 42205);
    server.check("DELETE", "/mode/s", &NONE, &json!({"mode": "READONLY"}));
    server.check("PUT", "/mode/i", &json!({"mode": "IMPORT"}), &json!({"mode": "IMPORT"}));
    let given = json!({"schema": INT, "id": 40, "version": 3});
    server.check("POST", "/subjects/i/versions", &given, &json!({"id": 40, "version": 3}));
    server.refuses("PUT", "/mode", &json!({"mode": "IMPORT"}), 42205);
    server.check("PUT", "/mode?force=true", &json!({"mode": "IMPORT"}), &json!({"mode": "IMPORT"}));
}

#[test]
fn what_cannot_be_done_has_a_code_and_a_status() {
    let server = Server::start();
    server.check("POST", "/subjects/s/versions", &avro(INT), &json!({"id": 1, "version": 1}));
    for (method, path, body, code) in [
        ("GET", "/subjects/x/versions", NONE, 40401),
        ("GET", "/subjects/x/versions/1", NONE, 40401),
        ("GET", "/subjects/s/versions/7", NONE, 40402),
        ("GET", "/subjects/s/versions/first", NONE, 42202),
        ("GET", "/subjects/s/versions/0", NONE, 42202),
        ("GET", "/subjects/s/versions/99999999999", NONE, 42202),
        ("GET", "/schemas/ids/7", NONE, 40403),
        ("GET", "/schemas/ids/x", NONE, 404),
        ("DELETE", "/subjects/x", NONE, 40401),
        ("DELETE", "/subjects/s?permanent=true", NONE, 40405),
        ("DELETE", "/subjects/s/versions/1?permanent=true", NONE, 40407),
        ("POST", "/subjects/x", avro(INT), 40401),
        ("POST", "/subjects/s", avro(TEXT), 40403),
        ("POST", "/subjects/s/versions", avro("{"), 42201),
        ("POST", "/subjects/s/versions", avro(""), 42201),
        ("POST", "/subjects/s/versions", json!({}), 42201),
        ("POST", "/subjects/s/versions", json!({"schema": INT, "schemaType": "XML"}), 42201),
        ("POST", "/subjects/s/versions", json!({"schema": INT, "references": 7}), 422),
        ("POST", "/subjects/s/versions", json!({"schema": INT, "references": [{}]}), 422),
        ("POST", "/subjects/s/versions", json!({"schema": INT, "ruleSet": {"domainRules": [{"name": "r"}]}}), 422),
        ("POST", "/subjects/s/versions", json!({"schema": INT, "id": 9}), 42205),
        ("POST", "/subjects/s/versions", NONE, 422),
        ("POST", "/subjects/s/versions", json!([]), 400),
        ("POST", "/subjects/%00/versions", avro(INT), 42208),
        ("POST", "/compatibility/subjects/x/versions/1", avro(INT), 40402),
        ("POST", "/compatibility/subjects/s/versions/7", avro(INT), 40402),
        ("POST", "/compatibility/subjects/s/versions/first", avro(INT), 42202),
        ("POST", "/compatibility/subjects/s/versions/1", avro("{"), 42201),
        ("PUT", "/config", json!({"compatibility": "SOMETIMES"}), 42203),
        ("PUT", "/config", json!({}), 42203),
        ("PUT", "/config", json!({"alias": "x"}), 422),
        ("PUT", "/mode", json!({"mode": "SOMETIMES"}), 42204),
        ("GET", "/nothing", NONE, 404),
        ("PUT", "/subjects", json!({}), 405),
    ] {
        server.refuses(method, path, &body, code);
    }
    server.check("DELETE", "/subjects/s/versions/1", &NONE, &json!(1));
    server.refuses("DELETE", "/subjects/s/versions/1", &NONE, 40406);
    server.refuses("DELETE", "/subjects/s", &NONE, 40404);
}

#[test]
fn names_of_subjects_may_have_any_character() {
    let server = Server::start();
    for (path, name) in [("a%2Fb", "a/b"), ("%C3%A4%20%3F%25", "ä ?%"), (":.ctx:t", ":.ctx:t")] {
        assert_eq!(server.ask("POST", &format!("/subjects/{path}/versions"), &avro(INT)).0, 200);
        assert_eq!(server.ask("GET", &format!("/subjects/{path}/versions/1"), &NONE).1["subject"], name);
    }
    server.check("GET", "/contexts", &NONE, &json!([".", ".ctx"]));
    server.check("GET", "/subjects?subjectPrefix=a", &NONE, &json!(["a/b"]));
    server.check("GET", "/subjects?subjectPrefix=:*:a", &NONE, &json!(["a/b"]));
    server.check("GET", "/subjects?offset=1&limit=1", &NONE, &json!(["a/b"]));
    assert_eq!(server.raw("GET", "/subjects/%ff/versions", "", b"").0, 400);
}

#[test]
fn answers_have_the_type_that_is_asked_for() {
    let server = Server::start();
    for (accepts, expected) in [
        ("", "application/vnd.schemaregistry.v1+json"),
        ("accept: */*\r\n", "application/vnd.schemaregistry.v1+json"),
        ("accept: application/json\r\n", "application/json"),
        (
            "accept: application/vnd.schemaregistry.v1+json, application/json\r\n",
            "application/vnd.schemaregistry.v1+json",
        ),
    ] {
        let (_, head, _) = server.raw("GET", "/subjects", accepts, b"");
        assert!(head.contains(&format!("content-type: {expected}\r\n")), "{accepts} {head}");
    }
    let body = avro(INT).to_string();
    for (sent, status) in [
        ("", 200),
        ("content-type: application/json; charset=utf-8\r\n", 200),
        ("content-type: application/vnd.schemaregistry+json\r\n", 200),
        ("content-type: text/html\r\n", 415),
    ] {
        assert_eq!(server.raw("POST", "/subjects/s/versions", sent, body.as_bytes()).0, status, "{sent}");
    }
}

#[test]
fn hostile_requests_are_answered_and_others_go_on() {
    let server = Server::start();
    let nested = |text: &str, times: usize| text.repeat(times).into_bytes();
    for (body, status) in [
        (b"{".to_vec(), 400),
        (b"\xff\xfe".to_vec(), 400),
        (b"null".to_vec(), 400),
        (nested("[", 100_000), 400),
        (nested("{\"a\":", 100_000), 400),
        (vec![b' '; BODY_BYTES_MAX + 1], 413),
    ] {
        let (found, _, answer) = server.raw("POST", "/subjects/s/versions", "", &body);
        let answer: Value = serde_json::from_str(&answer).expect("errors are JSON");
        assert_eq!((found, answer["error_code"].as_u64()), (status, Some(u64::from(status))));
    }
    let deep = format!("{}\"int\"{}", r#"{"type":"array","items":"#.repeat(20_000), "}".repeat(20_000));
    let deep_json = format!("{}true{}", r#"{"not":"#.repeat(20_000), "}".repeat(20_000));
    let deep_proto = "message M {".repeat(20_000);
    for (schema_type, text) in [("AVRO", &deep), ("JSON", &deep_json), ("PROTOBUF", &deep_proto)] {
        let body = json!({"schemaType": schema_type, "schema": text});
        server.refuses("POST", "/subjects/s/versions", &body, 42201);
    }
    let long = format!("/subjects/{}/versions", "x".repeat(60_000));
    assert_eq!(server.raw("GET", &long, "", b"").0, 404);
    let mut half = TcpStream::connect(server.http.address()).expect("it listens");
    half.write_all(b"POST /subjects/s/versions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{").expect("it reads");
    server.check("GET", "/subjects", &NONE, &json!([]));
}

#[test]
fn a_body_that_does_not_come_is_not_waited_for() {
    let server = Server::start();
    let mut stream = TcpStream::connect(server.http.address()).expect("it listens");
    let head = "POST /subjects/a/versions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"schema\":";
    stream.write_all(head.as_bytes()).expect("it reads");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).expect("it answers");
    assert_eq!(&answer, b"HTTP/1.1 408");
}
