//! Random cases, one function per family of queries.

use super::case::{Case, Input, Side};
use crate::crash::Random;

/// Milliseconds per unit of time. Stores of windows are cut into segments of minutes, and a default grace is a day long.
const UNITS_MS: [i64; 4] = [1, 1_000, 60_000, 3_600_000];

/// What the records of a topic are like.
struct Topic {
    side: Side,
    /// As for [`Case::columns`].
    columns: &'static [&'static str],
    keys: &'static [&'static str],
    /// How many of a hundred records have no key.
    keyless: u64,
    /// How many of a hundred records have no value.
    valueless: u64,
    /// The value of record `index`.
    value: fn(&mut Random, usize) -> String,
}

/// How rows get into windows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Window {
    None,
    Tumbling,
    Hopping,
    Session,
}

/// How the rows of two sources are joined.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Join {
    Inner,
    Left,
    Right,
    Outer,
}

impl Join {
    fn setting(self) -> &'static str {
        match self {
            Self::Inner => "inner",
            Self::Left => "left",
            Self::Right => "right",
            Self::Outer => "outer",
        }
    }

    fn sql(self) -> &'static str {
        match self {
            Self::Inner => "INNER JOIN",
            Self::Left => "LEFT JOIN",
            Self::Right => "RIGHT JOIN",
            Self::Outer => "FULL OUTER JOIN",
        }
    }

    /// The key as a column of the result.
    fn key(self) -> &'static str {
        match self {
            Self::Inner | Self::Left => "l.k AS k",
            Self::Right => "r.k AS k",
            Self::Outer => "ROWKEY",
        }
    }
}

impl Topic {
    /// Unique texts, now and then the same again.
    fn texts(side: Side) -> Self {
        let value = |random: &mut Random, index| match random.next(5) {
            0 => "same".to_owned(),
            _ => format!("v{index}"),
        };
        Self { side, columns: &["V"], keys: &["a", "b", "c"], keyless: 0, valueless: 0, value }
    }

    fn texts_of_stream(side: Side) -> Self {
        Self { keyless: 4, valueless: 4, ..Self::texts(side) }
    }

    fn texts_of_table(side: Side) -> Self {
        Self { keyless: 2, valueless: 25, ..Self::texts(side) }
    }

    fn create(&self, source: &str, key: &str) -> String {
        let name = self.side.topic();
        let columns = self.columns.join(" STRING, ");
        format!(
            "CREATE {source} {name} (k STRING {key}, {columns} STRING)\n  \
             WITH (kafka_topic = '{name}', key_format = 'kafka', value_format = 'json');\n"
        )
    }

    fn stream(&self) -> String {
        self.create("STREAM", "KEY")
    }

    fn table(&self) -> String {
        self.create("TABLE", "PRIMARY KEY")
    }
}

/// Whether something happens that happens in `percent` of a hundred cases.
fn chance(random: &mut Random, percent: u64) -> bool {
    random.next(100) < percent
}

/// A number of both bounds and what is between.
fn between(random: &mut Random, least: i64, most: i64) -> i64 {
    least + random.next((most - least + 1) as u64) as i64
}

/// Time goes on in small steps; some records are late, some by much, and now and then it jumps ahead. Half of all times are
/// at or beside a multiple of the unit, where windows begin and end.
struct Times {
    unit: i64,
    now: i64,
}

impl Times {
    fn new(random: &mut Random, unit: i64) -> Self {
        Self { unit, now: [0, 3, 100][random.next(3) as usize] * unit }
    }

    fn next(&mut self, random: &mut Random) -> i64 {
        let units = match random.next(20) {
            0 => between(random, 8, 40),
            1..=12 => between(random, 0, 3),
            _ => 0,
        };
        self.now += units * self.unit;
        let late = match random.next(12) {
            0 => between(random, 5, 60),
            1..=3 => between(random, 0, 12),
            _ => 0,
        };
        let beside = match random.next(4) {
            0 => between(random, -1, 1),
            1 => between(random, 0, self.unit - 1),
            _ => 0,
        };
        (self.now - late * self.unit + beside).max(0)
    }
}

/// How a case is fed.
enum Feed {
    /// Record by record, in any order of time.
    OneByOne,
    /// In rounds of many records. The order is that in which a task merges its inputs: always the one whose next record is
    /// earliest. So that no two are equally early, the times of one topic are even and those of the other odd.
    Rounds,
}

fn inputs(random: &mut Random, topics: &[Topic], unit: i64, feed: &Feed) -> Vec<Input> {
    let count = 10 + random.next(40) as usize;
    let mut times = Times::new(random, unit);
    let mut inputs: Vec<Input> = (0..count).map(|index| input(random, topics, &mut times, index)).collect();
    if matches!(feed, Feed::Rounds) {
        if topics.len() > 1 {
            inputs.iter_mut().for_each(|input| input.timestamp = input.timestamp & !1 | input.side as i64);
            inputs = merged(inputs);
        }
        let every = 1 + random.next(20);
        inputs.iter_mut().for_each(|input| input.ends_round = random.next(every) == 0);
    }
    inputs.last_mut().expect("ten records and more").ends_round = true;
    inputs
}

fn input(random: &mut Random, topics: &[Topic], times: &mut Times, index: usize) -> Input {
    let topic = &topics[random.next(topics.len() as u64) as usize];
    let key = topic.keys[random.next(topic.keys.len() as u64) as usize].to_owned();
    let key = (!chance(random, topic.keyless)).then_some(key);
    let value = (topic.value)(random, index);
    let value = (!chance(random, topic.valueless)).then_some(value);
    Input { side: topic.side, timestamp: times.next(random), key, value, ends_round: true }
}

/// The order in which a task takes records that all are there.
fn merged(inputs: Vec<Input>) -> Vec<Input> {
    let (left, right): (Vec<_>, Vec<_>) = inputs.into_iter().partition(|input| input.side == Side::Left);
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    let mut order = Vec::new();
    loop {
        let is_left = match (left.peek(), right.peek()) {
            (Some(one), Some(other)) => one.timestamp < other.timestamp,
            (one, _) => one.is_some(),
        };
        match if is_left { left.next() } else { right.next() } {
            Some(input) => order.push(input),
            None => return order,
        }
    }
}

/// A case of some topics, half of them in rounds.
fn case(random: &mut Random, topics: &[Topic], unit: i64, settings: String, statements: String) -> Case {
    let feed = if chance(random, 50) { Feed::OneByOne } else { Feed::Rounds };
    let mut case = one_by_one(random, topics, unit, settings, statements);
    if matches!(feed, Feed::Rounds) {
        case.inputs = inputs(random, topics, unit, &feed);
        case.batch_rows_max = [1, 3, 4096][random.next(3) as usize];
        case.restarts = chance(random, 30);
    }
    case
}

fn one_by_one(random: &mut Random, topics: &[Topic], unit: i64, settings: String, statements: String) -> Case {
    let mut columns: [&'static [&'static str]; 2] = [&[], &[]];
    topics.iter().for_each(|topic| columns[topic.side as usize] = topic.columns);
    let inputs = inputs(random, topics, unit, &Feed::OneByOne);
    Case { settings, statements, columns, inputs, is_cached: false, batch_rows_max: 1, restarts: false }
}

fn unit(random: &mut Random) -> i64 {
    UNITS_MS[random.next(4) as usize]
}

/// `GROUP BY` over a stream.
pub fn aggregate(random: &mut Random, window: Window, is_final: bool, is_cached: bool) -> Case {
    let unit = unit(random);
    let size = between(random, 1, 10) * unit;
    let advance = between(random, 1, size / unit) * unit;
    let grace = chance(random, 70).then(|| between(random, 0, 15) * unit);
    // In the cache of Kafka Streams, sessions are found however old they are.
    let grace = if is_cached && window == Window::Session { Some(100_000 * unit) } else { grace };
    let grace_sql = grace.map(|grace| format!(", GRACE PERIOD {grace} MILLISECONDS")).unwrap_or_default();
    let (mut settings, clause) = match window {
        Window::None => ("window=none".to_owned(), String::new()),
        Window::Tumbling => {
            (format!("window=tumbling size={size}"), format!("WINDOW TUMBLING (SIZE {size} MILLISECONDS{grace_sql})"))
        }
        Window::Hopping => (
            format!("window=hopping size={size} advance={advance}"),
            format!("WINDOW HOPPING (SIZE {size} MILLISECONDS, ADVANCE BY {advance} MILLISECONDS{grace_sql})"),
        ),
        Window::Session => {
            (format!("window=session gap={size}"), format!("WINDOW SESSION ({size} MILLISECONDS{grace_sql})"))
        }
    };
    if let Some(grace) = grace {
        settings.push_str(&format!(" grace={grace}"));
    }
    if is_final {
        settings.push_str(" emit=final");
    }
    // Large, so that a sum says which records are in it.
    let value = |random: &mut Random, _| random.next(1_000_000).to_string();
    // What becomes of a record without a value is not specified where windows are (semantics 3.1).
    let valueless = if window == Window::None { 4 } else { 0 };
    let topic = Topic { keyless: 4, valueless, value, ..Topic::texts(Side::Left) };
    let emit = if is_final { "FINAL" } else { "CHANGES" };
    let statements = format!(
        "{}CREATE TABLE out AS\n  \
         SELECT k, COUNT(*) AS n, SUM(CAST(v AS BIGINT)) AS s, MIN(CAST(v AS BIGINT)) AS least, MAX(CAST(v AS BIGINT)) AS most\n  \
         FROM l {clause} GROUP BY k EMIT {emit};\n",
        topic.stream()
    );
    let mut case = case(random, &[topic], unit, format!("kind=aggregate {settings}"), statements);
    case.is_cached = is_cached;
    case
}

/// `GROUP BY` over a table: rows move between groups.
pub fn table_aggregate(random: &mut Random) -> Case {
    let value =
        |random: &mut Random, _| format!("{},{}", ["x", "y", "z", ""][random.next(4) as usize], random.next(10));
    let topic = Topic { columns: &["G", "V"], value, ..Topic::texts_of_table(Side::Left) };
    let statements = format!(
        "{}CREATE TABLE out AS SELECT g, COUNT(*) AS n, SUM(CAST(v AS BIGINT)) AS s FROM l GROUP BY g;\n",
        topic.table()
    );
    let unit = unit(random);
    case(random, &[topic], unit, "kind=table-aggregate".to_owned(), statements)
}

/// A stream that looks up rows of a table.
pub fn stream_table(random: &mut Random, join: Join) -> Case {
    let (left, right) = (Topic::texts_of_stream(Side::Left), Topic::texts_of_table(Side::Right));
    let statements = format!("{}{}{}", left.stream(), right.table(), select("STREAM", join, ""));
    let unit = unit(random);
    case(random, &[left, right], unit, format!("kind=stream-table join={}", join.setting()), statements)
}

/// Two streams within a time of each other, with a GRACE clause or without.
pub fn stream_stream(random: &mut Random, join: Join, has_grace: bool) -> Case {
    let (left, right) = (Topic::texts_of_stream(Side::Left), Topic::texts_of_stream(Side::Right));
    let unit = unit(random);
    let before = between(random, 1, 8) * unit;
    let after = if chance(random, 50) { before } else { between(random, 0, 8) * unit };
    let mut settings = format!("kind=stream-stream join={} before={before} after={after}", join.setting());
    let mut within = format!("WITHIN ({before} MILLISECONDS, {after} MILLISECONDS) ");
    if has_grace {
        let grace = between(random, 0, 15) * unit;
        settings.push_str(&format!(" grace={grace}"));
        within.push_str(&format!("GRACE PERIOD {grace} MILLISECONDS "));
    }
    let statements = format!("{}{}{}", left.stream(), right.stream(), select("STREAM", join, &within));
    case(random, &[left, right], unit, settings, statements)
}

/// Two tables by their keys.
pub fn table_table(random: &mut Random, join: Join) -> Case {
    let (left, right) = (Topic::texts_of_table(Side::Left), Topic::texts_of_table(Side::Right));
    let statements = format!("{}{}{}", left.table(), right.table(), select("TABLE", join, ""));
    let unit = unit(random);
    case(random, &[left, right], unit, format!("kind=table-table join={}", join.setting()), statements)
}

fn select(result: &str, join: Join, within: &str) -> String {
    let (key, join) = (join.key(), join.sql());
    format!("CREATE {result} out AS SELECT {key}, l.v AS a, r.v AS b FROM l {join} r {within}ON l.k = r.k;\n")
}

/// Two tables, of which the left one names keys of the right one. Record by record: results that cross each other on their
/// way through internal topics may come in any order.
pub fn foreign_key(random: &mut Random, join: Join) -> Case {
    let value = |random: &mut Random, index| match random.next(6) {
        0 => format!(",v{index}"),
        1 => "x,same".to_owned(),
        key => format!("{},v{index}", ["x", "x", "x", "y", "z", "none"][key as usize]),
    };
    let left = Topic { columns: &["FK", "V"], value, ..Topic::texts_of_table(Side::Left) };
    let right = Topic { keys: &["x", "y", "z"], ..Topic::texts_of_table(Side::Right) };
    let statements = format!(
        "{}{}CREATE TABLE out AS SELECT l.k AS k, l.fk AS fk, l.v AS a, r.v AS b FROM l {} r ON l.fk = r.k;\n",
        left.table(),
        right.table(),
        join.sql()
    );
    let unit = unit(random);
    one_by_one(random, &[left, right], unit, format!("kind=foreign-key join={}", join.setting()), statements)
}
