//! Random joins, and the sources that they need.

use super::{KEY_TYPES, source};
use crate::oracle::expression::Expr;
use crate::oracle::kind::Kind;
use crate::oracle::query::{Join, JoinKind, JoinType, Shape, Source, Within, joined_scope};
use crate::oracle::random::Random;
use crate::oracle::value::{KeyFormat, SqlType, Value};

const ALL: [JoinType; 4] = [JoinType::Inner, JoinType::Left, JoinType::Right, JoinType::Full];
const INNER_LEFT: [JoinType; 2] = [JoinType::Inner, JoinType::Left];

/// The sources of a query of `kind`, and its joins.
pub fn sources(kind: Kind, key_format: KeyFormat, random: &mut Random) -> (Vec<Source>, Vec<Join>) {
    use JoinKind::{ForeignKey, StreamStream, StreamTable, TableTable};
    let within = within(random);
    let kinds: &[JoinKind] = match kind {
        Kind::StreamTableJoin | Kind::AggregateOfStreamTableJoin | Kind::WindowedStreamTableJoin => &[StreamTable],
        Kind::StreamStreamJoin | Kind::AggregateOfStreamStreamJoin | Kind::WindowedStreamStreamJoin => {
            &[StreamStream(within)]
        }
        Kind::StreamSelfJoin => &[StreamStream(within)],
        Kind::TableTableJoin | Kind::AggregateOfTableJoin | Kind::TableSelfJoin => &[TableTable],
        Kind::ForeignKeyJoin | Kind::ForeignKeyOvertaken | Kind::AggregateOfForeignKeyJoin => &[ForeignKey],
        Kind::ForeignKeySelfJoin => &[ForeignKey],
        Kind::ForeignKeyTableJoin => &[ForeignKey, TableTable],
        Kind::StreamTableTableJoin => &[StreamTable, StreamTable],
        Kind::StreamStreamTableJoin => &[StreamStream(within), StreamTable],
        Kind::TableTableTableJoin => &[TableTable, TableTable],
        _ => &[],
    };
    let key_type = random.pick(&KEY_TYPES);
    let first_is_table = match kinds.first() {
        Some(first) => matches!(first, TableTable | ForeignKey),
        None => matches!(kind, Kind::TableProjection | Kind::TableFilter | Kind::TableGroupBy),
    };
    // The key of a windowed source is one column, and so is what a foreign key names.
    let is_narrow = kind.has_windowed_sources() || kind.is_self_join();
    let may_be_wide = key_format == KeyFormat::Json && matches!(kinds, [] | [ForeignKey]) && !is_narrow;
    let key = if may_be_wide && random.chance(25) { vec![key_type, random.pick(&KEY_TYPES)] } else { vec![key_type] };
    let shared = (!kinds.is_empty()).then_some(key_type);
    let mut sources = vec![source("S0", first_is_table, &key, key_format, shared, random)];
    let mut joins = Vec::new();
    for (index, &join_kind) in kinds.iter().enumerate() {
        let is_table = !matches!(join_kind, StreamStream(_));
        let name = format!("S{}", index + 1);
        let right = if kind.is_self_join() {
            Source { name, again: Some((0, sources[0].name.clone())), ..sources[0].clone() }
        } else {
            source(&name, is_table, &[key_type], key_format, shared, random)
        };
        // What is re-keyed meets what is not as it happens to be there, be it the same record.
        let is_by_keys = kind.has_windowed_sources() || kind.is_self_join();
        let is_last = index + 1 == kinds.len();
        let current = joins.last().map_or(Expr::Column(0), |join: &Join| join.left_key.clone());
        joins.push(join(join_kind, &sources, &right, (&current, is_last, is_by_keys), random));
        sources.push(right);
    }
    if kind.has_windowed_sources() {
        let window = source_window(random);
        sources.iter_mut().for_each(|source| source.window = Some(window));
    }
    (sources, joins)
}

/// A join of the rows of `left`, which have the key `current`, with `right`; by nothing but keys if `is_by_keys`.
fn join(
    kind: JoinKind,
    left: &[Source],
    right: &Source,
    (current, is_last, is_by_keys): (&Expr, bool, bool),
    random: &mut Random,
) -> Join {
    let join_type = match kind {
        JoinKind::StreamTable | JoinKind::ForeignKey => random.pick(&INNER_LEFT),
        JoinKind::StreamStream(_) | JoinKind::TableTable if is_last => random.pick(&ALL),
        JoinKind::StreamStream(_) | JoinKind::TableTable => random.pick(&INNER_LEFT),
    };
    let (key_type, key_format) = (right.key[0].sql_type, right.key_format);
    let shared = |source: &Source| source.key.len() + 1;
    let own = [Expr::Column(0), Expr::Column(0)];
    let [left_key, right_key] = match kind {
        JoinKind::ForeignKey => [Expr::Column(shared(&left[0])), Expr::Column(0)],
        JoinKind::TableTable => own,
        _ if is_by_keys => own,
        JoinKind::StreamTable if random.chance(35) => {
            // A value column of the first source, or one of the table that was joined last.
            let at = match left.split_last() {
                Some((last, before)) if !before.is_empty() && random.chance(50) => {
                    joined_scope(before).len() + shared(last)
                }
                _ => shared(&left[0]),
            };
            let left_key = if random.chance(30) { shifted(at, key_type) } else { Expr::Column(at) };
            [left_key, Expr::Column(0)]
        }
        JoinKind::StreamStream(_) if random.chance(35) => {
            let by_value = random.pick(&[[true, false], [false, true], [true, true]]);
            let key = |is_value: bool, source: &Source| Expr::Column(if is_value { shared(source) } else { 0 });
            [key(by_value[0], &left[0]), key(by_value[1], right)]
        }
        JoinKind::StreamTable | JoinKind::StreamStream(_) => own,
    };
    let repartitions = match kind {
        JoinKind::ForeignKey => [false, false],
        _ => [left_key != *current, right_key != Expr::Column(0)],
    };
    Join { join_type, kind, left_key, right_key, repartitions, key_format }
}

/// The column `at` of `sql_type`, and a little more.
fn shifted(at: usize, sql_type: SqlType) -> Expr {
    let more = if sql_type == SqlType::Text { Value::Text(String::new()) } else { Value::Int(1) };
    Expr::Plus(Box::new(Expr::Column(at)), Box::new(Expr::Literal(more)))
}

fn within(random: &mut Random) -> Within {
    let before_ms = random.between(0, 15);
    let after_ms = if random.chance(60) { before_ms } else { random.between(0, 15) };
    Within { before_ms, after_ms, grace_ms: random.pick(&[None, Some(0), Some(4), Some(20)]) }
}

/// Windows of keys; sources with other windows are not joined.
fn source_window(random: &mut Random) -> Shape {
    random.pick(&[
        Shape::Session { gap_ms: 10 },
        Shape::Time { size_ms: 20, advance_ms: 20 },
        Shape::Time { size_ms: 10, advance_ms: 10 },
        Shape::Time { size_ms: 20, advance_ms: 5 },
    ])
}

/// Whether the left side's column is the key of every result.
pub fn keeps_left_key(join: &Join) -> bool {
    matches!(join.left_key, Expr::Column(_)) && matches!(join.join_type, JoinType::Inner | JoinType::Left)
}

/// What is selected for the key of a join: one of its plain columns, or the name of the key that it makes up.
pub fn key_item(join: &Join, left: String, right: String, random: &mut Random) -> String {
    match (join.join_type, &join.left_key) {
        (JoinType::Full, _) => "ROWKEY".to_owned(),
        (_, Expr::Column(_)) if random.chance(60) => left,
        _ => right,
    }
}
