//! Many clients at once: push queries on one topic, pull queries by key, and rows that come meanwhile.
#![expect(clippy::disallowed_methods, reason = "how long answers take is what is measured")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::Request;
use h2::client::SendRequest;
use tokio::net::TcpStream;
use tokio::runtime::Builder;

use super::process::{TestServer, statement};
use super::say;

/// Push queries on one connection: servers allow a hundred requests at once on each.
const PUSHES_PER_CONNECTION: usize = 50;
/// Bytes that may wait on a connection. `h2` hangs up when small frames wait whose overhead is half of it, and every row is a frame.
const WINDOW: u32 = 16 << 20;
/// Rows a second that are written meanwhile.
const ROWS_PER_SECOND: u64 = 100;
/// Keys of the table.
const KEYS: u64 = 1_000;

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("an open connection");
    let (requests, connection) = h2::client::Builder::new()
        .initial_connection_window_size(WINDOW)
        .handshake(stream)
        .await
        .expect("it speaks HTTP/2");
    tokio::spawn(async move { drop(connection.await) });
    requests
}

/// The answer to `body` at `path`, counted piece by piece in lines; the number of its lines.
async fn ask(requests: &SendRequest<Bytes>, path: &str, body: String, lines: &AtomicU64) -> Result<u64, String> {
    let mut ready = requests.clone().ready().await.map_err(|error| error.to_string())?;
    let request = Request::builder().method("POST").uri(format!("http://levada{path}")).body(()).expect("a request");
    let (answer, mut out) = ready.send_request(request, false).map_err(|error| error.to_string())?;
    out.send_data(Bytes::from(body), true).map_err(|error| error.to_string())?;
    let answer = answer.await.map_err(|error| error.to_string())?;
    if answer.status() != 200 {
        return Err(format!("status {}", answer.status()));
    }
    let mut body = answer.into_body();
    let mut count = 0;
    while let Some(piece) = body.data().await {
        let piece = piece.map_err(|error| error.to_string())?;
        let some = memchr::memchr_iter(b'\n', &piece).count() as u64;
        count += some;
        lines.fetch_add(some, Ordering::Relaxed);
        // What is read makes room for more.
        let _ = body.flow_control().release_capacity(piece.len());
    }
    Ok(count)
}

fn rows(from: u64, count: u64) -> String {
    let rows = (from..from + count).map(|row| format!("{{\"k\":\"k{}\",\"a\":{row}}}\n", row % KEYS));
    format!("{{\"target\":\"l\"}}\n{}", rows.collect::<String>())
}

/// What all clients count.
#[derive(Default)]
struct Counts {
    /// Lines that push queries got: headers and rows.
    pushed: AtomicU64,
    /// Answers of pull queries.
    pulled: AtomicU64,
    failed: AtomicU64,
    /// Milliseconds that the slowest answer of a pull query took.
    slowest: AtomicU64,
    /// The load is over: what ends now may.
    over: AtomicBool,
}

impl Counts {
    fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed)
    }

    fn fail(&self, what: &str) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        say(what);
    }

    /// Waits until push queries have got so many `lines`, or for `most`.
    async fn until_pushed(&self, lines: u64, most: Duration) {
        let begun = Instant::now();
        while self.pushed.load(Ordering::Relaxed) < lines && begun.elapsed() < most {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Asks a push query, which goes on as long as the load does.
async fn push(connection: SendRequest<Bytes>, counts: Arc<Counts>) {
    let body = statement("SELECT k, a FROM l EMIT CHANGES;", &[]);
    let ended = ask(&connection, "/query-stream", body, &counts.pushed).await;
    if !counts.is_over() {
        counts.fail(&format!("a push query has ended: {ended:?}"));
    }
}

/// Asks pull queries, one after the other.
async fn pull(address: SocketAddr, client: u64, counts: Arc<Counts>) {
    let connection = connect(address).await;
    let mut key = client;
    while !counts.is_over() {
        key = (key * 31 + 7) % KEYS;
        let since = Instant::now();
        let body = statement(&format!("SELECT * FROM lt WHERE k = 'k{key}';"), &[]);
        match ask(&connection, "/query-stream", body, &AtomicU64::new(0)).await {
            Ok(2) => drop(counts.pulled.fetch_add(1, Ordering::Relaxed)),
            _ if counts.is_over() => {}
            other => return counts.fail(&format!("a pull query has answered {other:?}")),
        }
        counts.slowest.fetch_max(since.elapsed().as_millis() as u64, Ordering::Relaxed);
    }
}

/// Fills the table with all keys.
async fn fill(main: &SendRequest<Bytes>) {
    let none = AtomicU64::new(0);
    ask(main, "/inserts-stream", rows(0, KEYS), &none).await.expect("rows are taken");
    // The table has all keys when it has the last.
    let last = statement(&format!("SELECT * FROM lt WHERE k = 'k{}';", KEYS - 1), &[]);
    while ask(main, "/query-stream", last.clone(), &none).await.expect("it is asked") < 2 {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Writes rows every second for so many `seconds`; how many.
async fn write(main: &SendRequest<Bytes>, seconds: u64) -> u64 {
    let since = Instant::now();
    let mut written = 0;
    let mut next = tokio::time::interval(Duration::from_secs(1));
    while since.elapsed() < Duration::from_secs(seconds) {
        next.tick().await;
        let rows = rows(KEYS + written, ROWS_PER_SECOND);
        ask(main, "/inserts-stream", rows, &AtomicU64::new(0)).await.expect("rows are taken");
        written += ROWS_PER_SECOND;
    }
    written
}

/// `make load`: every push query gets every row that is written while it runs, and every pull query the row of its key.
#[test]
#[ignore = "minutes: make load"]
fn many_push_and_pull_queries_at_once() {
    let [seconds, pushes, pulls] =
        [("LEVADA_LOAD_SECONDS", 120), ("LEVADA_LOAD_PUSHES", 2_000), ("LEVADA_LOAD_PULLS", 500)]
            .map(|(name, default)| number(name, default));
    let most = format!("ksql.max.push.queries={}", pushes + 100);
    let mut server = TestServer::start_with(&[most.as_str(), "ksql.query.push.v2.enabled=true"]);
    server.run(
        "CREATE STREAM l (k STRING KEY, a BIGINT) WITH (kafka_topic='l', value_format='json', partitions=1);
         CREATE TABLE lt AS SELECT k, COUNT(*) AS n, MAX(a) AS last FROM l GROUP BY k;",
    );
    let address = server.address();
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("threads");
    let counts: Arc<Counts> = Arc::default();
    let before = server.memory();
    let (wanted, took) = runtime.block_on(async {
        let main = connect(address).await;
        fill(&main).await;
        let mut connection = connect(address).await;
        for number in 0..pushes as usize {
            if number % PUSHES_PER_CONNECTION == 0 {
                connection = connect(address).await;
            }
            tokio::spawn(push(connection.clone(), Arc::clone(&counts)));
        }
        // All have begun when all headers are there.
        let begun = Instant::now();
        counts.until_pushed(pushes, Duration::from_mins(2)).await;
        say(&format!("{} push queries have begun after {:?}", counts.pushed.load(Ordering::Relaxed), begun.elapsed()));
        for client in 0..pulls {
            tokio::spawn(pull(address, client, Arc::clone(&counts)));
        }
        let since = Instant::now();
        let written = write(&main, seconds).await;
        let took = since.elapsed();
        counts.over.store(true, Ordering::Relaxed);
        // What was written last is still on its way.
        let wanted = pushes * (written + 1);
        counts.until_pushed(wanted, Duration::from_mins(1)).await;
        (wanted, took)
    });
    let [pushed, pulled, failed, slowest] =
        [&counts.pushed, &counts.pulled, &counts.failed, &counts.slowest].map(|count| count.load(Ordering::Relaxed));
    let memory = server.memory();
    let rate = pulled as f64 / took.as_secs_f64();
    say(&format!("{pushes} push queries got {} rows; {pulls} pull clients: {rate:.0} answers/s", pushed - pushes));
    say(&format!("the slowest took {slowest} ms; {} MB before, {} MB after", before >> 20, memory >> 20));
    drop(runtime);
    assert!(server.is_alive(), "{}", server.log());
    assert_eq!((pushed, failed), (wanted, 0));
}
