//! The interpreter gives what ksqlDB's rules give in examples that were worked out by hand (semantics 3 to 5).

use super::expression::{Comparison, Expr};
use super::interpreter::{Input, Interpreter, OutputRecord};
use super::query::{
    Call, Column, Function, Grouping, Join, JoinKind, JoinType, Query, Shape, Source, Step, Window, Within,
};
use super::value::{KeyFormat, SqlType, Value};

const COUNT: Function = Function::Count;
const MAX: Function = Function::Max;

/// A source with an INT key; its name says what it is.
fn source(name: &str, value: &[SqlType]) -> Source {
    let column = |name: String, sql_type| Column { name, sql_type };
    let value = value.iter().enumerate().map(|(index, sql_type)| column(format!("V{index}"), *sql_type));
    Source {
        again: None,
        name: name.to_owned(),
        is_table: name.starts_with('T'),
        key: vec![column("K".to_owned(), SqlType::Int)],
        key_format: KeyFormat::Json,
        value: value.collect(),
        window: None,
    }
}

/// A query that aggregates the one value column of the one source by its key.
fn aggregate(function: Function, window: impl Into<Option<Window>>) -> Query {
    let argument = (function != COUNT).then_some(Expr::Column(1));
    group_by(Expr::Column(0), true, Call { function, argument }, window.into())
}

fn group_by(by: Expr, is_own_key: bool, call: Call, window: Option<Window>) -> Query {
    let (by, calls, key_format) = (vec![by], vec![call], KeyFormat::Json);
    let grouping = Grouping { by, calls, window, having: None, is_own_key, key_format };
    query(Vec::new(), Step::GroupBy(grouping), vec![(Expr::Column(1), "A")])
}

fn query(joins: Vec<Join>, step: Step, values: Vec<(Expr, &str)>) -> Query {
    let values = values.into_iter().map(|(value, name)| (value, name.to_owned())).collect();
    let key = vec![("K".to_owned(), "K".to_owned())];
    Query { joins, filter: None, step, key, key_format: KeyFormat::Json, values }
}

/// A query that joins two sources with a text each, by their keys or by the left one's second column.
fn join(join_type: JoinType, kind: JoinKind) -> Query {
    let is_foreign = kind == JoinKind::ForeignKey;
    let left_key = Expr::Column(if is_foreign { 2 } else { 0 });
    let (right_key, repartitions, key_format) = (Expr::Column(0), [false, false], KeyFormat::Json);
    let joins = vec![Join { join_type, kind, left_key, right_key, repartitions, key_format }];
    // A row of a source is its key, its values and its time.
    let right = if is_foreign { 5 } else { 4 };
    query(joins, Step::Keep, vec![(Expr::Column(1), "L"), (Expr::Column(right), "R")])
}

fn window(shape: Shape, grace_ms: Option<i64>, is_final: bool) -> Window {
    Window { shape, retention_ms: None, grace_ms, is_final }
}

fn tumbling(size_ms: i64, grace_ms: Option<i64>, is_final: bool) -> Window {
    window(Shape::Time { size_ms, advance_ms: size_ms }, grace_ms, is_final)
}

fn hopping(size_ms: i64, advance_ms: i64, grace_ms: Option<i64>, is_final: bool) -> Window {
    window(Shape::Time { size_ms, advance_ms }, grace_ms, is_final)
}

fn session(gap_ms: i64, grace_ms: Option<i64>, is_final: bool) -> Window {
    window(Shape::Session { gap_ms }, grace_ms, is_final)
}

fn within(before_ms: i64, after_ms: i64, grace_ms: Option<i64>) -> JoinKind {
    JoinKind::StreamStream(Within { before_ms, after_ms, grace_ms })
}

/// `SOURCE KEY VALUE,… @TIME`; the value `-` is none.
fn input(line: &str, sources: &[Source]) -> Input {
    let mut words = line.split_whitespace();
    let mut word = || words.next().unwrap_or_else(|| panic!("{line} is too short"));
    let name = word();
    let index = sources.iter().position(|source| source.name == name).expect("a source of the example");
    let key = Some(vec![Value::Int(word().parse().expect("a key"))]);
    let value = word();
    let fields = sources[index].value.iter().zip(value.split(','));
    let fields = fields.map(|(column, field)| match column.sql_type {
        _ if field == "null" => Value::Null,
        SqlType::Int => Value::Int(field.parse().expect("a number")),
        _ => Value::Text(field.to_owned()),
    });
    let value = (value != "-").then(|| fields.collect());
    Input { source: index, key, value, time: word()[1..].parse().expect("a time"), headers: Vec::new(), window: None }
}

/// `KEY[START,END) VALUE,… @TIME`.
fn shown(record: &OutputRecord, window: Option<Window>) -> String {
    let key = record.key.as_deref().unwrap_or(b"null");
    let number = |from_end: usize| {
        let at = key.len() - from_end;
        i64::from_be_bytes(key[at..at + 8].try_into().expect("eight bytes"))
    };
    let (length, bounds) = match window.map(|window| window.shape) {
        None => (key.len(), String::new()),
        Some(Shape::Time { size_ms, .. }) => (key.len() - 8, format!("[{},{})", number(8), number(8) + size_ms)),
        Some(Shape::Session { .. }) => (key.len() - 16, format!("[{},{}]", number(8), number(16))),
    };
    let value = record.value.as_deref().map(|value| {
        let object: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(value).expect("an object");
        object.values().map(|field| field.as_str().map_or_else(|| field.to_string(), str::to_owned)).collect::<Vec<_>>()
    });
    let value = value.map_or_else(|| "-".to_owned(), |fields| fields.join(","));
    format!("{}{bounds} {value} @{}", String::from_utf8_lossy(&key[..length]), record.time)
}

/// Takes the lines one after another, each in a round of its own: `IN => OUT; OUT`.
fn check(query: &Query, sources: &[Source], lines: &str) {
    let window = match &query.step {
        Step::GroupBy(grouping) => grouping.window,
        Step::Keep | Step::PartitionBy(_) => None,
    };
    let mut interpreter = Interpreter::new(query, sources, false);
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (given, expected) = line.split_once("=>").expect("a line has both sides");
        let expected: Vec<&str> = expected.split(';').map(str::trim).filter(|text| !text.is_empty()).collect();
        let written = interpreter.round(&[input(given, sources)]);
        let written: Vec<String> = written.iter().map(|record| shown(record, window)).collect();
        assert_eq!(written, expected, "{line}");
    }
}

fn streams() -> Vec<Source> {
    vec![source("S", &[SqlType::Int])]
}

fn pair(left: &str, right: &str) -> Vec<Source> {
    vec![source(left, &[SqlType::Text]), source(right, &[SqlType::Text])]
}

#[test]
fn time_of_an_aggregate_never_goes_back() {
    check(
        &aggregate(COUNT, None),
        &streams(),
        "
        S 1 0 @100 => 1 1 @100
        S 1 0 @50  => 1 2 @100
    ",
    );
}

#[test]
fn late_records_meet_closed_windows() {
    check(
        &aggregate(MAX, tumbling(30_000, Some(60_000), false)),
        &streams(),
        "
        S 0 0 @0     => 0[0,30000) 0 @0
        S 0 1 @89999 => 0[60000,90000) 1 @89999
        S 0 5 @10009 => 0[0,30000) 5 @10009
        S 0 0 @90000 => 0[90000,120000) 0 @90000
        S 0 6 @10010 =>
    ",
    );
}

#[test]
fn hopping_windows_overlap() {
    check(
        &aggregate(COUNT, hopping(5, 2, None, false)),
        &streams(),
        "
        S 0 0 @10 => 0[6,11) 1 @10; 0[8,13) 1 @10; 0[10,15) 1 @10
    ",
    );
}

#[test]
fn having_leaves_tombstones() {
    let mut query = aggregate(Function::Sum, tumbling(30_000, None, false));
    let Step::GroupBy(grouping) = &mut query.step else { panic!("it groups") };
    let limit = Expr::Literal(Value::Int(100));
    grouping.having = Some(Expr::Compare(Comparison::Greater, Box::new(Expr::Column(1)), Box::new(limit)));
    check(
        &query,
        &streams(),
        "
        S 0 0   @0 =>
        S 1 101 @0 => 1[0,30000) 101 @0
        S 1 -5  @0 => 1[0,30000) - @0
    ",
    );
}

#[test]
fn sessions_merge() {
    check(
        &aggregate(MAX, session(30_000, None, false)),
        &streams(),
        "
        S 0 0 @0     => 0[0,0] 0 @0
        S 1 1 @70010 => 1[70010,70010] 1 @70010
        S 0 5 @10009 => 0[0,0] - @0; 0[0,10009] 5 @10009
        S 0 6 @10010 => 0[0,10009] - @10009; 0[0,10010] 6 @10010
    ",
    );
    check(
        &aggregate(COUNT, session(5, None, false)),
        &streams(),
        "
        S 0 0 @0 => 0[0,0] 1 @0
        S 0 0 @4 => 0[0,0] - @0; 0[0,4] 2 @4
        S 0 0 @2 => 0[0,4] - @4; 0[0,4] 3 @4
    ",
    );
}

#[test]
fn sessions_are_late_after_grace_and_gap() {
    check(
        &aggregate(COUNT, session(30_000, Some(60_000), false)),
        &streams(),
        "
        S 1 0 @100010 => 1[100010,100010] 1 @100010
        S 0 0 @10009  =>
        S 0 0 @10010  => 0[10010,10010] 1 @10010
    ",
    );
}

#[test]
fn finals_are_lost_when_time_jumps() {
    check(
        &aggregate(COUNT, tumbling(2, Some(1), true)),
        &streams(),
        "
        S 0 0 @0 =>
        S 0 0 @1 =>
        S 0 0 @2 =>
        S 0 0 @1 =>
        S 0 0 @0 =>
        S 0 0 @5 => 0[2,4) 1 @2
    ",
    );
    check(
        &aggregate(COUNT, tumbling(2, None, true)),
        &streams(),
        "
        S 0 0 @0 =>
        S 0 0 @1 =>
        S 0 0 @2 => 0[0,2) 2 @1
    ",
    );
    check(
        &aggregate(COUNT, hopping(5, 2, Some(1), true)),
        &streams(),
        "
        S 0 0 @0 =>
        S 0 0 @1 =>
        S 0 0 @2 =>
        S 0 0 @1 =>
        S 0 0 @6 => 0[0,5) 4 @2
        S 0 0 @5 =>
        S 0 0 @10 => 0[4,9) 2 @6
    ",
    );
}

#[test]
fn final_sessions() {
    check(
        &aggregate(COUNT, session(5, Some(6), true)),
        &streams(),
        "
        S 0 0 @0  =>
        S 0 0 @4  =>
        S 0 0 @8  =>
        S 0 0 @12 =>
        S 0 0 @14 =>
        S 0 0 @30 => 0[0,14] 5 @14
        S 0 0 @29 =>
        S 0 0 @17 =>
        S 0 0 @42 => 0[29,30] 2 @30
    ",
    );
}

#[test]
fn rows_of_a_table_move_between_groups() {
    let count = Call { function: COUNT, argument: None };
    check(
        &group_by(Expr::Column(1), false, count, None),
        &[source("T", &[SqlType::Int])],
        "
        T 10 0    @0 => 0 1 @0
        T 1666 0  @1 => 0 2 @1
        T 98 0    @2 => 0 3 @2
        T 98 1    @3 => 0 2 @3; 1 1 @3
        T 98 1    @4 => 1 1 @4
        T 2 null  @5 =>
        T 98 -    @6 => 1 0 @6
    ",
    );
}

#[test]
fn a_record_cache_tells_what_has_become() {
    let inputs = |lines: &[&str]| lines.iter().map(|line| input(line, &streams())).collect::<Vec<_>>();
    let count = aggregate(COUNT, None);
    let mut interpreter = Interpreter::new(&count, &streams(), true);
    let written = interpreter.round(&inputs(&["S 1 0 @1", "S 2 0 @2", "S 1 0 @3", "S 1 0 @4"]));
    assert_eq!(written.iter().map(|record| shown(record, None)).collect::<Vec<_>>(), ["2 1 @2", "1 3 @4"]);
    let sessions = session(5, None, false);
    let mut interpreter = Interpreter::new(&aggregate(COUNT, sessions), &streams(), true);
    let written = interpreter.round(&inputs(&["S 0 0 @0", "S 0 0 @4", "S 0 0 @2"]));
    assert_eq!(written.iter().map(|record| shown(record, Some(sessions))).collect::<Vec<_>>(), ["0[0,4] 3 @4"]);
}

#[test]
fn streams_without_grace_tell_at_once() {
    check(
        &join(JoinType::Left, within(10_000, 10_000, None)),
        &pair("L", "R"),
        "
        L 10 l @0    => 10 l,null @0
        R 10 x @5000 => 10 l,x @5000
    ",
    );
    check(
        &join(JoinType::Inner, within(11_000, 10_000, None)),
        &pair("L", "R"),
        "
        L 0 l   @0     =>
        R 0 r   @11000 =>
        L 0 foo @13000 => 0 foo,r @13000
        R 0 a   @15000 => 0 foo,a @15000
    ",
    );
}

#[test]
fn streams_with_grace_tell_when_none_can_come() {
    check(
        &join(JoinType::Left, within(60_000, 60_000, Some(60_000))),
        &pair("L", "R"),
        "
        L 0 A @0      =>
        R 0 a @60000  => 0 A,a @60000
        L 1 B @330000 =>
        L 2 C @90000  => 2 C,null @90000
        R 2 c @90000  =>
    ",
    );
    check(
        &join(JoinType::Left, within(10_000, 10_000, Some(5_000))),
        &pair("L", "R"),
        "
        L 0 a @0     =>
        R 1 x @15000 =>
        R 1 x @15001 => 0 a,null @0
    ",
    );
    check(
        &join(JoinType::Right, within(60_000, 60_000, Some(60_000))),
        &pair("L", "R"),
        "
        L 0 A @0      =>
        R 0 a @60000  => 0 A,a @60000
        L 1 B @330000 =>
        R 3 d @90000  => 3 null,d @90000
        L 3 D @90000  => 3 D,d @90000
    ",
    );
    check(
        &join(JoinType::Full, within(60_000, 60_000, Some(60_000))),
        &pair("L", "R"),
        "
        L 0 A @0      =>
        R 0 a @60000  => 0 A,a @60000
        R 1 b @330000 =>
        R 2 c @90000  => 2 null,c @90000
        L 2 C @90000  => 2 C,null @90000
        R 3 d @60000  => 3 null,d @60000
        L 3 D @60000  => 3 D,null @60000
    ",
    );
}

#[test]
fn a_stream_meets_the_table_as_it_is() {
    let lines = "
        T 10 hello @0  =>
        L 10 a     @5  => 10 a,hello @5
        T 10 bye   @9  =>
    ";
    check(&join(JoinType::Inner, JoinKind::StreamTable), &pair("L", "T"), &format!("{lines} L 11 b @12 =>"));
    check(
        &join(JoinType::Left, JoinKind::StreamTable),
        &pair("L", "T"),
        &format!("{lines} L 11 b @12 => 11 b,null @12"),
    );
}

#[test]
fn tables_meet_by_key() {
    check(
        &join(JoinType::Full, JoinKind::TableTable),
        &pair("TL", "TR"),
        "
        TL 0  zero @0     => 0 zero,null @0
        TR 0  blah @10000 => 0 zero,blah @10000
        TR 15 c    @15500 => 15 null,c @15500
        TL 0  bar  @9000  => 0 bar,blah @10000
        TL 0  -    @16000 => 0 null,blah @16000
        TR 0  -    @17000 => 0 - @17000
        TR 0  -    @18000 =>
    ",
    );
    check(
        &join(JoinType::Inner, JoinKind::TableTable),
        &pair("TL", "TR"),
        "
        TR 0 blah @0 =>
        TL 0 -    @1 => 0 - @1
        TR 0 -    @2 =>
    ",
    );
    check(
        &join(JoinType::Left, JoinKind::TableTable),
        &pair("TL", "TR"),
        "
        TL 0 zero @0 => 0 zero,null @0
        TR 0 blah @1 => 0 zero,blah @1
        TR 0 -    @2 => 0 zero,null @2
        TL 0 -    @3 => 0 - @3
        TR 0 foo  @4 =>
        TL 0 goo  @5 => 0 goo,foo @5
    ",
    );
}

#[test]
fn rows_name_rows_of_another_table() {
    let tables = [source("TL", &[SqlType::Text, SqlType::Int]), source("TR", &[SqlType::Text])];
    check(
        &join(JoinType::Inner, JoinKind::ForeignKey),
        &tables,
        "
        TR 0  blah    @0     =>
        TL 1  zero,0  @10000 => 1 zero,blah @10000
        TL 0  foo,100 @13000 =>
        TR 0  a       @15000 => 1 zero,a @15000
        TL 10 bar,0   @16000 => 10 bar,a @16000
        TR 0  -       @17000 => 1 - @17000; 10 - @17000
        TL 1  -       @18000 => 1 - @18000
    ",
    );
    check(
        &join(JoinType::Left, JoinKind::ForeignKey),
        &tables,
        "
        TL 1 zero,0 @0     => 1 zero,null @0
        TR 0 blah   @10000 => 1 zero,blah @10000
        TR 0 -      @17000 => 1 zero,null @17000
        TL 1 -      @18000 => 1 - @18000
    ",
    );
}
