//! Random cases: sources, a query, and the records that arrive in each round.

mod joins;
mod records;

use super::expression::{Comparison, Expr, Scope};
use super::interpreter::Input;
use super::kind::Kind;
use super::query::{
    Call, Column, Function, Grouping, Join, JoinKind, Query, Shape, Source, Step, Window, joined_scope,
};
use super::random::Random;
use super::value::{KeyFormat, SqlType, Value};

/// A query and what it reads.
#[derive(Debug, Clone)]
pub struct Case {
    pub kind: Kind,
    pub sources: Vec<Source>,
    pub query: Query,
    /// What is there when the query goes on; it commits after each.
    pub rounds: Vec<Vec<Input>>,
    pub agreement: Agreement,
}

/// What all modes have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Agreement {
    /// Every record of the result.
    EveryRecord,
    /// The rows that the result has after each round: what is overtaken on its way need not be told (semantics 5.5).
    RowsAfterRound,
}

const KEY_TYPES: [SqlType; 3] = [SqlType::Int, SqlType::BigInt, SqlType::Text];
const VALUE_TYPES: [SqlType; 5] = [SqlType::Int, SqlType::BigInt, SqlType::Double, SqlType::Text, SqlType::Boolean];

/// The case of `seed`.
pub fn case(seed: u64, kinds: &[Kind]) -> Case {
    let mut random = Random::new(seed);
    let kind = random.pick(kinds);
    case_of(kind, &mut random)
}

/// A case of `kind`.
pub fn case_of(kind: Kind, random: &mut Random) -> Case {
    let key_format = random.pick(&[KeyFormat::Kafka, KeyFormat::Json]);
    let (sources, joins) = joins::sources(kind, key_format, random);
    let query = Generator { kind, random, sources: &sources, scope: joined_scope(&sources) }.query(joins);
    let agreement = match kind {
        Kind::ForeignKeyOvertaken | Kind::ForeignKeySelfJoin => Agreement::RowsAfterRound,
        _ => Agreement::EveryRecord,
    };
    let rounds = records::rounds(agreement, &sources, &query, random);
    Case { kind, sources, query, rounds, agreement }
}

/// A source with value columns of random types, a whole number among them. `shared` is the type of a column that other
/// sources' keys have too.
fn source(
    name: &str,
    is_table: bool,
    key: &[SqlType],
    format: KeyFormat,
    shared: Option<SqlType>,
    random: &mut Random,
) -> Source {
    let mut types = vec![random.pick(&[SqlType::Int, SqlType::BigInt])];
    types.extend(shared);
    types.extend((0..random.between(1, 3)).map(|_| random.pick(&VALUE_TYPES)));
    let columns = |prefix: &str, types: &[SqlType]| -> Vec<Column> {
        let named = types.iter().enumerate();
        named.map(|(index, sql_type)| Column { name: format!("{prefix}{index}"), sql_type: *sql_type }).collect()
    };
    Source {
        name: name.to_owned(),
        again: None,
        is_table,
        key: columns("K", key),
        key_format: format,
        value: columns("V", &types),
        window: None,
    }
}

struct Generator<'a> {
    kind: Kind,
    random: &'a mut Random,
    sources: &'a [Source],
    scope: Scope,
}

impl Generator<'_> {
    fn query(mut self, joins: Vec<Join>) -> Query {
        let always = matches!(self.kind, Kind::Filter | Kind::TableFilter);
        let filter = (always || self.random.chance(25)).then(|| self.condition(2));
        let step = self.step(&joins);
        let key_format = self.sources[0].key_format;
        let (key, key_format) = match &step {
            Step::Keep => (self.kept_key(&joins), key_format),
            Step::PartitionBy(by) => {
                let name = vec![(by.sql(&self.scope), "P".to_owned())];
                (name, holding(key_format, &[by.sql_type(&self.scope)]))
            }
            Step::GroupBy(grouping) => {
                let key = grouping.by.iter().enumerate();
                let key = key.map(|(index, by)| (by.sql(&self.scope), format!("G{index}"))).collect();
                (key, grouping.key_format)
            }
        };
        let values = match &step {
            Step::GroupBy(grouping) => self.aggregates(grouping),
            Step::Keep | Step::PartitionBy(_) => self.selected(&key, &joins),
        };
        Query { joins, filter, step, key, key_format, values }
    }

    fn step(&mut self, joins: &[Join]) -> Step {
        match self.kind {
            Kind::PartitionBy => Step::PartitionBy(self.partition_key()),
            Kind::WindowedStream if self.random.chance(30) => Step::PartitionBy(self.partition_key()),
            Kind::GroupBy
            | Kind::TableGroupBy
            | Kind::AggregateOfTableJoin
            | Kind::AggregateOfForeignKeyJoin
            | Kind::GroupByOfWindowed => Step::GroupBy(self.grouping(joins, None)),
            Kind::Tumbling | Kind::Hopping | Kind::Session => {
                let window = self.window(false);
                Step::GroupBy(self.grouping(joins, Some(window)))
            }
            Kind::TumblingFinal | Kind::HoppingFinal | Kind::SessionFinal => {
                let window = self.window(true);
                Step::GroupBy(self.grouping(joins, Some(window)))
            }
            Kind::AggregateOfStreamTableJoin | Kind::AggregateOfStreamStreamJoin => {
                let window = self.random.chance(50).then(|| self.window(false));
                Step::GroupBy(self.grouping(joins, window))
            }
            _ => Step::Keep,
        }
    }

    /// Columns whose values, as keys, are neither windows nor times.
    fn plain_columns(&self) -> Vec<usize> {
        let is_pseudo =
            |name: &str| ["ROWTIME", "WINDOWSTART", "WINDOWEND"].iter().any(|pseudo| name.ends_with(pseudo));
        (0..self.scope.len()).filter(|&at| !is_pseudo(&self.scope[at].0)).collect()
    }

    fn value_columns(&self) -> Vec<usize> {
        let columns = self.plain_columns();
        columns.into_iter().filter(|&at| self.scope[at].0.contains(".V")).collect()
    }

    fn partition_key(&mut self) -> Expr {
        let column = Expr::Column(self.random.pick(&self.value_columns()));
        if self.random.chance(30) { self.shifted(column) } else { column }
    }

    /// Something computed from `expr`, if that can be added to.
    fn shifted(&mut self, expr: Expr) -> Expr {
        let more = match expr.sql_type(&self.scope) {
            SqlType::Int | SqlType::BigInt => Value::Int(self.random.between(1, 3) as i32),
            SqlType::Double => Value::Double(0.5),
            SqlType::Text => Value::Text("x".to_owned()),
            SqlType::Boolean => return expr,
        };
        Expr::Plus(Box::new(expr), Box::new(Expr::Literal(more)))
    }

    /// What is selected for the key of rows that keep theirs.
    fn kept_key(&mut self, joins: &[Join]) -> Vec<(String, String)> {
        let source_key = |source: &Source| {
            let columns = source.key.iter();
            columns.map(|column| (format!("{}.{}", source.name, column.name), column.name.clone())).collect()
        };
        match joins.last() {
            None => source_key(&self.sources[0]),
            Some(join) if join.kind == JoinKind::ForeignKey => source_key(&self.sources[0]),
            Some(join) => {
                let right = &self.sources[joins.len()];
                let (left, right) = (join.left_key.sql(&self.scope), join.right_key.sql(&right.scope()));
                let chosen = joins::key_item(join, left, right, self.random);
                vec![(chosen, "K".to_owned())]
            }
        }
    }

    /// Value columns of the result, none of which is the key.
    fn selected(&mut self, key: &[(String, String)], joins: &[Join]) -> Vec<(Expr, String)> {
        let mut names: Vec<String> = key.iter().map(|(selected, _)| selected.clone()).collect();
        for (join, source) in joins.iter().zip(&self.sources[1..]) {
            names.push(join.left_key.sql(&self.scope));
            names.push(join.right_key.sql(&source.scope()));
        }
        if joins.iter().all(|join| join.kind == JoinKind::ForeignKey) {
            names.truncate(key.len());
        }
        let free: Vec<usize> = (0..self.scope.len()).filter(|&at| !names.contains(&self.scope[at].0)).collect();
        let is_key_of = |at: &usize| joins.is_empty() && self.scope[*at].0.contains(".K");
        let free: Vec<usize> = free.into_iter().filter(|at| !is_key_of(at)).collect();
        let mut selected = Vec::new();
        for index in 0..self.random.between(1, 4) {
            let column = Expr::Column(self.random.pick(&free));
            let value = if self.random.chance(20) { self.shifted(column) } else { column };
            if !names.contains(&value.sql(&self.scope)) {
                selected.push((value, format!("X{index}")));
            }
        }
        if selected.is_empty() {
            selected.push((Expr::Column(free[0]), "X".to_owned()));
        }
        selected
    }

    fn aggregates(&mut self, grouping: &Grouping) -> Vec<(Expr, String)> {
        let first = grouping.by.len();
        let calls = (0..grouping.calls.len()).map(|index| (Expr::Column(first + index), format!("A{index}")));
        let mut values: Vec<_> = calls.collect();
        // Bounds cannot be named where sources are joined.
        if grouping.window.is_some() && self.sources.len() == 1 && self.random.chance(40) {
            let bounds = first + grouping.calls.len();
            values.push((Expr::Column(bounds), "OPENED".to_owned()));
            values.push((Expr::Column(bounds + 1), "CLOSED".to_owned()));
        }
        values
    }

    fn grouping(&mut self, joins: &[Join], window: Option<Window>) -> Grouping {
        let (by, is_own_key) = self.group(joins);
        let types: Vec<SqlType> = by.iter().map(|by| by.sql_type(&self.scope)).collect();
        let calls: Vec<Call> = (0..self.random.between(1, 3)).map(|_| self.call()).collect();
        let key_format = holding(self.sources[0].key_format, &types);
        let mut grouping = Grouping { by, calls, window, having: None, is_own_key, key_format };
        grouping.having = self.having(&grouping);
        grouping
    }

    /// The group, and whether it is the key that the rows have.
    fn group(&mut self, joins: &[Join]) -> (Vec<Expr>, bool) {
        let table = self.sources[0].is_table;
        let own = match joins.last() {
            None if self.sources[0].key.len() == 1 => Some(Expr::Column(0)),
            Some(join) if join.kind != JoinKind::ForeignKey && joins::keeps_left_key(join) => {
                Some(join.left_key.clone())
            }
            _ => None,
        };
        match (self.random.between(1, 4), own) {
            (1, Some(own)) => (vec![own], !table && self.sources[0].window.is_none()),
            (2, _) => {
                let columns = self.plain_columns();
                let first = self.random.index(columns.len());
                let second = (first + 1 + self.random.index(columns.len() - 1)) % columns.len();
                (vec![Expr::Column(columns[first]), Expr::Column(columns[second])], false)
            }
            (3, _) => {
                let column = Expr::Column(self.random.pick(&self.value_columns()));
                (vec![self.shifted(column)], false)
            }
            _ => (vec![Expr::Column(self.random.pick(&self.value_columns()))], false),
        }
    }

    fn call(&mut self) -> Call {
        let all = [Function::Count, Function::Sum, Function::Avg, Function::Min, Function::Max];
        let function = self.random.pick(if self.sources[0].is_table { &all[..3] } else { &all });
        if function == Function::Count && self.random.chance(50) {
            return Call { function, argument: None };
        }
        let fits = |sql_type: SqlType| match function {
            Function::Count => true,
            Function::Sum | Function::Avg => sql_type.is_number(),
            Function::Min | Function::Max => sql_type != SqlType::Boolean,
        };
        let columns: Vec<usize> = self.plain_columns().into_iter().filter(|&at| fits(self.scope[at].1)).collect();
        Call { function, argument: Some(Expr::Column(self.random.pick(&columns))) }
    }

    fn having(&mut self, grouping: &Grouping) -> Option<Expr> {
        let scope = grouping.scope(&self.scope);
        let calls = grouping.by.len()..grouping.by.len() + grouping.calls.len();
        let numbers: Vec<usize> = calls.filter(|&at| scope[at].1.is_number()).collect();
        if numbers.is_empty() || !self.random.chance(30) {
            return None;
        }
        let at = self.random.pick(&numbers);
        let comparison = self.random.pick(&Comparison::ALL);
        let limit = Expr::Literal(Value::Int(self.random.between(0, 4) as i32));
        Some(Expr::Compare(comparison, Box::new(Expr::Column(at)), Box::new(limit)))
    }

    fn window(&mut self, is_final: bool) -> Window {
        let size_ms = self.random.between(4, 20);
        let grace_ms = self.random.pick(&[None, Some(0), Some(3), Some(10), Some(30)]);
        let shape = match self.kind {
            Kind::Session | Kind::SessionFinal => Shape::Session { gap_ms: size_ms },
            Kind::Hopping | Kind::HoppingFinal => {
                Shape::Time { size_ms, advance_ms: self.random.between((size_ms / 4).max(1), size_ms - 1) }
            }
            _ => Shape::Time { size_ms, advance_ms: size_ms },
        };
        let least = if is_final { Some(grace_ms.unwrap_or(0)) } else { grace_ms };
        let retention_ms =
            least.filter(|_| self.random.chance(25)).map(|grace| size_ms + grace + self.random.between(0, 20));
        Window { shape, retention_ms, grace_ms, is_final }
    }

    fn condition(&mut self, depth: usize) -> Expr {
        let boxed = |this: &mut Self| Box::new(this.condition(depth - 1));
        match self.random.between(1, 10) {
            1 | 2 if depth > 0 => Expr::And(boxed(self), boxed(self)),
            3 | 4 if depth > 0 => Expr::Or(boxed(self), boxed(self)),
            5 if depth > 0 => Expr::Not(boxed(self)),
            6 => Expr::IsNull(Box::new(Expr::Column(self.random.pick(&self.plain_columns())))),
            _ => {
                let at = self.random.pick(&self.plain_columns());
                let literal = match records::value(self.scope[at].1, self.random) {
                    Value::BigInt(number) => Value::Int(number as i32),
                    literal => literal,
                };
                let comparison = match literal {
                    Value::Boolean(_) => self.random.pick(&[Comparison::Equal, Comparison::NotEqual]),
                    _ => self.random.pick(&Comparison::ALL),
                };
                Expr::Compare(comparison, Box::new(Expr::Column(at)), Box::new(Expr::Literal(literal)))
            }
        }
    }
}

/// `format` if it holds a key of `types`, else JSON.
fn holding(format: KeyFormat, types: &[SqlType]) -> KeyFormat {
    match types {
        [SqlType::Boolean] => KeyFormat::Json,
        [_] => format,
        _ => KeyFormat::Json,
    }
}
