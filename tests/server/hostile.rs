//! What no honest client sends: the server answers what it can, forgets the rest and stays.
#![expect(clippy::disallowed_methods, reason = "memory is looked at when a server has had time")]

use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::time::Duration;

use super::http2::Http2;
use super::process::{TestServer, statement};

pub const ENDPOINTS: &[(&str, &str)] = &[
    ("POST", "/ksql"),
    ("POST", "/query"),
    ("POST", "/query-stream"),
    ("POST", "/inserts-stream"),
    ("POST", "/close-query"),
    ("POST", "/ksql/terminate"),
    ("POST", "/heartbeat"),
    ("POST", "/lag"),
    ("GET", "/"),
    ("GET", "/info"),
    ("GET", "/healthcheck"),
    ("GET", "/clusterStatus"),
    ("GET", "/status"),
    ("GET", "/status/stream/S/create"),
    ("GET", "/v1/metadata"),
    ("GET", "/v1/metadata/id"),
    ("GET", "/is_valid_property/x"),
    ("GET", "/chc/ready"),
    ("GET", "/ws/query?request=%7B%7D"),
];

/// Bytes that differ from call to call, but not from run to run.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// The status of what is answered to `bytes`, after which nothing follows; `None` if the connection ends without an answer.
pub fn status_of(server: &TestServer, bytes: &[u8]) -> Option<u16> {
    let mut stream = server.connect();
    // It may have hung up already.
    let _ = stream.write_all(bytes);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()
}

fn request(method: &str, path: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{headers}content-length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A server that has gone through something answers as before.
pub fn is_well(server: &mut TestServer) {
    assert!(server.is_alive(), "it has ended:\n{}", server.log());
    assert_eq!(server.get("/info").status, 200);
    assert_eq!(server.run("LIST STREAMS;").len(), 1);
    assert!(!server.log().contains("panicked"), "{}", server.log());
}

#[test]
fn bodies_that_are_no_requests_are_refused() {
    let mut server = TestServer::with_rows();
    let deep = "[".repeat(200_000);
    let bodies: [&[u8]; 14] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\"text\"",
        b"{\"ksql\": 1}",
        b"{\"ksql\": null}",
        b"{\"ksql\": \"LIST STREAMS;\", \"streamsProperties\": []}",
        b"{\"ksql\": \"LIST STREAMS;\", \"commandSequenceNumber\": \"x\"}",
        b"{\"ksql\": \"\xff\xfe\"}",
        b"{\"ksql\": \"\\ud800\"}",
        b"\x00\x01\x02",
        deep.as_bytes(),
        b"{\"ksql\": \"LIST STREAMS;\"} and more",
    ];
    for path in ["/ksql", "/query", "/query-stream", "/close-query"] {
        for body in bodies {
            let status = status_of(&server, &request("POST", path, "", body));
            assert_eq!(status, Some(400), "{path}: {}", String::from_utf8_lossy(&body[..body.len().min(80)]));
        }
    }
    let nested = format!("SELECT {}1{} FROM s;", "(".repeat(50_000), ")".repeat(50_000));
    let answer = server.post("/query", &[], &statement(&nested, &[]));
    assert_eq!(answer.status, 400, "{}", &answer.text[..answer.text.len().min(300)]);
    is_well(&mut server);
}

#[test]
fn random_bytes_at_every_endpoint_are_no_more_than_bad_requests() {
    let mut server = TestServer::with_rows();
    let mut noise = Noise(42);
    for round in 0..20 {
        for (method, path) in ENDPOINTS {
            let length = 1 << (noise.next() % 14);
            let body = noise.bytes(length);
            let status = status_of(&server, &request(method, path, "", &body));
            let is_told = status.is_some_and(|status| (200..500).contains(&status));
            // Of what is asked with GET a body is not looked at; the end of a service needs none either, but has to be JSON.
            assert!(is_told, "{method} {path}, round {round}: {status:?}");
        }
        let length = 1 << (noise.next() % 12);
        let _ = status_of(&server, &noise.bytes(length));
    }
    is_well(&mut server);
}

#[test]
fn requests_that_are_no_http_are_refused() {
    let mut server = TestServer::start();
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "a".repeat(1 << 20));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "x: y\r\n".repeat(5_000));
    let conflicting = "POST /ksql HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\ncontent-length: 5\r\n\r\n{}{}{}";
    let negative = "POST /ksql HTTP/1.1\r\nhost: x\r\ncontent-length: -1\r\n\r\n{}";
    let chunks = "POST /ksql HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n";
    for text in
        [long.as_str(), &many, conflicting, negative, chunks, "\r\n\r\n\r\n", "GET\r\n\r\n", "GET / HTTP/9.9\r\n\r\n"]
    {
        let status = status_of(&server, text.as_bytes());
        assert!(
            status.is_none_or(|status| (400..500).contains(&status)),
            "{status:?}: {}",
            &text[..text.len().min(60)]
        );
    }
    // The first bytes of HTTP/2, and then something else.
    let mut noise = Noise(7);
    let broken = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &noise.bytes(4_000)].concat();
    assert_eq!(status_of(&server, &broken), None);
    is_well(&mut server);
}

#[test]
fn a_body_that_is_too_large_is_refused_and_not_kept() {
    let mut server = TestServer::start();
    let before = server.memory();
    let piece = vec![b' '; 1 << 20];
    for (path, has_length) in [("/ksql", true), ("/query", false), ("/query-stream", true), ("/close-query", false)] {
        let length = 100 << 20;
        let framing =
            if has_length { format!("content-length: {length}") } else { "transfer-encoding: chunked".to_owned() };
        let mut stream = server.connect();
        let head = format!("POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n{framing}\r\n\r\n");
        stream.write_all(head.as_bytes()).expect("it reads");
        let mut reader = stream.try_clone().expect("a second handle");
        let answered = std::thread::spawn(move || {
            let mut answer = Vec::new();
            // The connection may be reset while there is more to read.
            let _ = reader.read_to_end(&mut answer);
            String::from_utf8_lossy(&answer).into_owned()
        });
        for _ in 0..100 {
            let chunk = if has_length { piece.clone() } else { [b"100000\r\n", piece.as_slice(), b"\r\n"].concat() };
            // It hangs up when it has had enough.
            if stream.write_all(&chunk).is_err() {
                break;
            }
        }
        let answer = answered.join().expect("the answer is read");
        let is_refused =
            answer.is_empty() || answer.starts_with("HTTP/1.1 413 ") && answer.contains("\"error_code\":41300");
        assert!(is_refused, "{path}: {answer}");
    }
    let grown = server.memory().saturating_sub(before);
    assert!(grown < 300 << 20, "{} MB more than before", grown >> 20);
    is_well(&mut server);
}

#[test]
fn a_line_without_an_end_is_refused_and_not_kept() {
    let mut server = TestServer::with_rows();
    let client = Http2::connect(server.address());
    let mut inserts = client.open("POST", "/inserts-stream", &[]);
    inserts.send("{\"target\":\"s\"}\n{\"K\":\"");
    assert_eq!(inserts.status(), 200);
    inserts.send(&"x".repeat(40 << 20));
    let refused = inserts.next().expect("an answer");
    assert!(refused.contains("\"status\":\"error\"") && refused.contains("\"error_code\":40000"), "{refused}");
    assert_eq!(inserts.next(), None);
    is_well(&mut server);
}

#[test]
fn clients_that_do_not_go_on_keep_nobody_else_waiting() {
    let mut server = TestServer::with_rows();
    let mut slow = Vec::new();
    for number in 0..200 {
        let mut stream = server.connect();
        let said = match number % 4 {
            0 => "P".to_owned(),
            1 => "POST /ksql HTTP/1.1\r\nhost: x\r\n".to_owned(),
            2 => "POST /ksql HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{\"ksql\":".to_owned(),
            _ => "PRI * HTTP/2.0\r\n\r\nSM\r\n".to_owned(),
        };
        stream.write_all(said.as_bytes()).expect("it reads");
        slow.push(stream);
    }
    for stream in &slow {
        // One half of each connection is closed: who sends no more may still read.
        stream.shutdown(Shutdown::Write).expect("it is open");
    }
    is_well(&mut server);
    drop(slow);
    is_well(&mut server);
}

#[test]
fn clients_that_read_nothing_do_not_fill_the_memory() {
    let mut server = TestServer::start();
    server.run("CREATE STREAM f (k STRING KEY, v STRING) WITH (kafka_topic='f', value_format='json', partitions=1);");
    let body = statement("SELECT * FROM f EMIT CHANGES;", &[]);
    let head = request("POST", "/query-stream", "", body.as_bytes());
    let deaf: Vec<_> = (0..20)
        .map(|_| {
            let mut stream = server.connect();
            stream.write_all(&head).expect("it reads");
            let mut first = [0];
            stream.read_exact(&mut first).expect("it answers");
            stream
        })
        .collect();
    let client = Http2::connect(server.address());
    let row = format!("{{\"K\":\"k\",\"V\":\"{}\"}}\n", "v".repeat(10_000));
    let rows = format!("{{\"target\":\"f\"}}\n{}", row.repeat(3_000));
    let before = server.memory();
    let answer = client.ask("POST", "/inserts-stream", &[], &rows);
    assert_eq!(answer.lines().len(), 3_000, "{:?}", answer.lines().last());
    std::thread::sleep(Duration::from_millis(500));
    let grown = server.memory().saturating_sub(before);
    // 30 MB for each of 20 clients would be 600.
    assert!(grown < 400 << 20, "{} MB more than before", grown >> 20);
    is_well(&mut server);
    drop(deaf);
}

#[test]
fn statements_as_high_as_they_may_be_and_higher_are_answered() {
    let mut server = TestServer::with_rows();
    for height in [10, 450, 900, 20_000] {
        for sql in [
            format!("SELECT {}a{} FROM s EMIT CHANGES LIMIT 0;", "ABS(".repeat(height), ")".repeat(height)),
            format!("SELECT a{} FROM s EMIT CHANGES LIMIT 0;", " + 1".repeat(height)),
            format!("SELECT {}a{} FROM s;", "ARRAY[".repeat(height), "]".repeat(height)),
        ] {
            let status = server.post("/query", &[], &statement(&sql, &[])).status;
            assert!(status == 200 || status == 400, "{status} for {height}");
        }
    }
    assert!(server.is_alive());
}
