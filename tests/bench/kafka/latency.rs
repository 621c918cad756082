//! From a producer to a read_committed consumer, by way of a query: both ends are in this process, with one clock.

use std::time::{Duration, Instant};

use crate::Effort;
use crate::broker::Broker;
use crate::client::{Isolation, Sink, Source, create_topics};
use crate::engine::{Engine, Setup};

/// Records of a run, a millisecond apart.
const RECORDS: usize = 10_000;
/// The first of them are not counted.
const WARM_UP: usize = 2_000;

/// One line of the table.
struct Course {
    name: &'static str,
    properties: &'static [&'static str],
    /// The greatest p50 and p99, in milliseconds.
    goals: (Option<f64>, f64),
}

const COURSES: [Course; 2] = [
    Course { name: "at_least_once", properties: &["processing.guarantee=at_least_once"], goals: (Some(10.0), 50.0) },
    Course {
        name: "exactly_once_v2, commit.interval.ms=100",
        properties: &["commit.interval.ms=100"],
        goals: (None, 250.0),
    },
];

/// Prints the table; whether all goals are met.
pub fn report(broker: &Broker, _: &Effort) -> bool {
    println!("\n| 1,000 records/s, end to end | p50 | p99 | goal p50 | goal p99 |\n|---|--:|--:|--:|--:|");
    (0..).zip(&COURSES).map(|(number, course)| course.hold(broker, number)).filter(|met| !met).count() == 0
}

impl Course {
    fn hold(&self, broker: &Broker, number: usize) -> bool {
        let mut times = self.run(broker, number);
        times.sort_unstable();
        let at = |share: f64| times[(times.len() as f64 * share) as usize].as_secs_f64() * 1e3;
        let (p50, p99) = (at(0.5), at(0.99));
        let goal = |goal: Option<f64>| goal.map_or(String::new(), |goal| format!("{goal:.0} ms"));
        let (goal50, goal99) = self.goals;
        println!("| {} | {p50:.1} ms | {p99:.1} ms | {} | {} |", self.name, goal(goal50), goal(Some(goal99)));
        goal50.is_none_or(|goal| p50 <= goal) && p99 <= goal99
    }

    /// How long each record took.
    fn run(&self, broker: &Broker, number: usize) -> Vec<Duration> {
        let (input, output) = (format!("ticks{number}"), format!("passed{number}"));
        create_topics(&broker.bootstrap, [input.as_str(), output.as_str()], 1);
        let statements = format!(
            "SET 'auto.offset.reset' = 'earliest';
             CREATE STREAM ticks (at_ns BIGINT, note STRING) WITH (KAFKA_TOPIC = '{input}', VALUE_FORMAT = 'JSON');
             CREATE STREAM passed WITH (KAFKA_TOPIC = '{output}', PARTITIONS = 1) AS
               SELECT at_ns, note FROM ticks WHERE at_ns >= 0 EMIT CHANGES;"
        );
        let setup =
            Setup { service: &format!("latency{number}"), statements: &statements, properties: self.properties };
        let engine = Engine::start(broker, &setup).with_log_shown();
        engine.settle(1);
        let start = Instant::now();
        let bootstrap = broker.bootstrap.clone();
        let producer = std::thread::spawn(move || produce(&bootstrap, &input, start));
        let mut source = Source::new(&broker.bootstrap, [output.as_str()], 1, Isolation::Committed);
        let mut times = Vec::new();
        let mut last = Instant::now();
        while times.len() < RECORDS {
            // A call lasts until its time is over or a whole batch is there.
            let count = source.take(Duration::from_millis(1), |message| {
                let value: serde_json::Value = serde_json::from_slice(message.value).expect("results are JSON");
                let sent = Duration::from_nanos(value["AT_NS"].as_u64().expect("a time"));
                times.push(start.elapsed().saturating_sub(sent));
            });
            if count > 0 {
                last = Instant::now();
            }
            assert!(last.elapsed() < crate::client::PATIENCE, "{} of {RECORDS} records came", times.len());
        }
        producer.join().expect("the producer ends");
        engine.stop_and_forget();
        times.split_off(WARM_UP)
    }
}

/// Sends a record every millisecond, each at once.
fn produce(bootstrap: &str, topic: &str, start: Instant) {
    let sink = Sink::new(bootstrap, topic, "0");
    for row in 0..RECORDS {
        let due = Duration::from_millis(row as u64);
        std::thread::sleep(due.saturating_sub(start.elapsed()));
        let now = start.elapsed().as_nanos();
        let value = format!(r#"{{"at_ns":{now},"note":"tick {row}"}}"#);
        sink.send(0, &[], value.as_bytes(), 1_700_000_000_000 + row as i64);
    }
    sink.flush();
}
