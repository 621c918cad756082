//! FROM with joins: each step joins what is there so far with one more source, left to right.
//!
//! ```text
//! Source → Project ─┬────────────────────────────┬─▶ StreamTableJoin, StreamStreamJoin, TableTableJoin ─▶ …
//!                   └─▶ [Rekey ─▶] Repartition ─┘        ▲
//!                        Source ─▶ Project [as the left] ─┘
//! ```
//!
//! Only columns that the query uses reach a join. A stream is re-keyed unless it is keyed by the join expression; a table
//! never is: a table whose row refers to the key of another is a join of its own kind, `ForeignKeyJoin`. `condition` reads ON,
//! `kinds` knows what can be joined how, `key` what the key of the result is, `side` prepares what is joined.

mod condition;
mod key;
mod kinds;
mod side;

use crate::formats::{Format, Serde};
use crate::sql::Span;
use crate::sql::ast::{Expression, Relation as From};

use super::error::PlanError;
use super::expression::Typer;
use super::relation::{KeyColumn, Layout, Relation, Tail};
use super::scope::{Clause, Scope, ScopeSource, column, columns_of};
use super::source::{Used, read};
use super::{ForeignKeyJoin, JoinKind, PlanNode, StreamStreamJoin, StreamTableJoinKind, TableTableJoin};
use condition::Condition;
use key::JoinKey;
use key::Serdes;
use kinds::StepKind;

/// A join of FROM, resolved: `left = right`, where `right` is of the source that it adds.
#[derive(Debug, Clone)]
pub(super) struct JoinStep {
    kind: StepKind,
    /// Index of the source that it adds.
    source: usize,
    left: Expression,
    right: Expression,
    /// The key of what it gives.
    key: JoinKey,
    span: Span,
}

/// Checks the joins of `from`.
pub(super) fn resolve(from: &From, scope: &Scope, typer: &Typer) -> Result<Vec<JoinStep>, PlanError> {
    if from.joins.is_empty() {
        return Ok(Vec::new());
    }
    check_number(from)?;
    check_sources(scope, from, typer)?;
    // All references are checked before the first pair of kinds.
    let conditions = from.joins.iter().enumerate().map(|(i, join)| Condition::resolve(join, i + 1, scope));
    let conditions: Vec<Condition> = conditions.collect::<Result<_, _>>()?;
    let mut steps = Vec::new();
    let mut key = JoinKey::of_source(scope, 0);
    for (condition, join) in conditions.into_iter().zip(&from.joins) {
        let step = condition.checked(join, &key, scope, typer)?;
        key = step.key.clone();
        steps.push(step);
    }
    Ok(steps)
}

/// Joins of a query. Steps stand in each other as deep as there are joins: far more would not fit a thread's stack.
const JOINS_MAX: usize = 500;

fn check_number(from: &From) -> Result<(), PlanError> {
    let Some(first_too_many) = from.joins.get(JOINS_MAX) else { return Ok(()) };
    let text = format!("A query can have at most {JOINS_MAX} joins. This one has {}.", from.joins.len());
    let advice = "join some of the sources in a stream or table of its own, and join with that";
    Err(PlanError::refused_with_hint(text, advice, first_too_many.source.span))
}

/// Whether a source may be joined with itself, which ksqlDB refuses.
const SELF_JOINS: &str = "levada.self.joins.enabled";

/// A source that occurs twice has a name of its own in each place, and none has a format that joins cannot carry.
fn check_sources(scope: &Scope, from: &From, typer: &Typer) -> Result<(), PlanError> {
    if !typer.settings.is_on(SELF_JOINS, true) {
        check_occurrences(scope, from)?;
    }
    for (i, source) in scope.sources.iter().enumerate() {
        let is_same = |other: &ScopeSource| other.alias == source.alias && other.data.name == source.data.name;
        if scope.sources[..i].iter().any(is_same) {
            let text = format!("Two sources of the join are called '{}'.", source.alias);
            let hint = format!("give each an alias: {} a JOIN {} b", source.data.name, source.data.name);
            return Err(PlanError::refused_with_hint(text, hint, source.span));
        }
    }
    check_value_formats(scope, "JOIN")
}

/// No source occurs twice.
fn check_occurrences(scope: &Scope, from: &From) -> Result<(), PlanError> {
    for (i, source) in scope.sources.iter().enumerate() {
        if scope.sources[..i].iter().any(|other| other.data.name == source.data.name) {
            let name = &source.data.name;
            let text = if from.joins.len() == 1 {
                format!("Can not join '{name}' to '{name}': self joins are not yet supported.")
            } else {
                format!("N-way joins do not support multiple occurrences of the same source. Source: '{name}'")
            };
            let copy = format!("make a copy of {name} with CREATE … AS SELECT * FROM {name}, and join with that");
            return Err(PlanError::refused_with_hint(text, copy, source.span));
        }
    }
    Ok(())
}

/// Sources with values in KAFKA format can neither be joined nor grouped.
pub(super) fn check_value_formats(scope: &Scope, clause: &str) -> Result<(), PlanError> {
    let kafka = |serde: &Serde| serde.format == Format::Kafka;
    let sources = scope.sources.iter().filter(|source| kafka(&source.data.value_serde));
    let names: Vec<String> = sources.map(|source| source.data.name.clone()).collect();
    if names.is_empty() {
        return Ok(());
    }
    let text = format!(
        "Source(s) {} are using the 'KAFKA' value format. This format does not yet support {clause}.",
        names.join(", ")
    );
    Err(PlanError::refused(text, scope.sources[0].span))
}

/// Name of the key column that the joins `steps` make up, if their result has no other.
pub(super) fn synthetic_key(steps: &[JoinStep]) -> Option<&str> {
    match steps.last().map(|step| &step.key) {
        Some(JoinKey::Synthetic(name)) => Some(name),
        _ => None,
    }
}

/// Whether the result of `steps` has the key of the left-most table, since the last join follows a foreign key.
pub(super) fn is_foreign_key(steps: &[JoinStep]) -> bool {
    matches!(steps, [.., JoinStep { kind: StepKind::ForeignKey(_), .. }])
}

/// Plans the joins `steps` over the sources of `scope`; `used` are the columns that the rest of the query uses.
pub(super) fn plan(scope: &Scope, steps: &[JoinStep], used: &Used, typer: &Typer) -> Result<Relation, PlanError> {
    let mut left = read(scope, 0, &used_from(steps, used), false);
    for (i, step) in steps.iter().enumerate() {
        check_partitions(step, scope, typer)?;
        let later = used_from(&steps[i + 1..], used);
        let context = StepContext { step, prefix: "L_".repeat(steps.len() - 1 - i), scope, used: &later, typer };
        left = context.plan(left)?;
    }
    Ok(left)
}

/// Columns that `steps` and what follows them use.
fn used_from(steps: &[JoinStep], used: &Used) -> Used {
    let mut all = used.clone();
    all.extend(columns_of(steps.iter().map(|step| &step.left)).into_iter().map(str::to_owned));
    all
}

/// Both sides of a join have as many partitions. References to keys find them in any partition.
fn check_partitions(step: &JoinStep, scope: &Scope, typer: &Typer) -> Result<(), PlanError> {
    if matches!(step.kind, StepKind::ForeignKey(_)) || typer.settings.topics.is_past() {
        return Ok(());
    }
    // For what has been joined already, its right-most source stands.
    let sides = [&scope.sources[step.source - 1], &scope.sources[step.source]];
    let [left, right] = sides.map(|source| typer.settings.topics.partitions(&source.data.topic));
    let (Some(left), Some(right)) = (left, right) else {
        return Ok(());
    };
    if left == right {
        return Ok(());
    }
    let [left_name, right_name] = sides.map(|source| &source.data.name);
    let text = format!(
        "Can't join `{left_name}` with `{right_name}` since the number of partitions don't match. `{left_name}` \
         partitions = {left}; `{right_name}` partitions = {right}. Please repartition either one so that the number of \
         partitions match."
    );
    Err(PlanError::refused(text, step.span))
}

/// A join that is being planned.
struct StepContext<'a> {
    step: &'a JoinStep,
    /// What the names of its topics begin with.
    prefix: String,
    scope: &'a Scope,
    /// Columns that are used after it.
    used: &'a Used,
    typer: &'a Typer<'a>,
}

impl StepContext<'_> {
    fn plan(&self, left: Relation) -> Result<Relation, PlanError> {
        if let StepKind::ForeignKey(kind) = self.step.kind {
            return self.foreign_key(left, kind);
        }
        let right = read(self.scope, self.step.source, &self.used_of_right(), false);
        let serdes = Serdes::choose(self, &left)?;
        let has = self.step.kind.certain_sides();
        let left = self.side(left, &self.left_side(&serdes, has.0), &serdes.chosen)?;
        let right = self.side(right, &self.right_side(&serdes, has.1), &serdes.chosen)?;
        Ok(self.joined(left, right))
    }

    /// Columns that the right side must give.
    fn used_of_right(&self) -> Used {
        let mut used = self.used.clone();
        used.extend(columns_of(std::iter::once(&self.step.right)).into_iter().map(str::to_owned));
        used
    }

    fn foreign_key(&self, left: Relation, kind: JoinKind) -> Result<Relation, PlanError> {
        let Self { step, scope, typer, .. } = self;
        let mut used = self.used.clone();
        used.extend(columns_of(std::iter::once(&step.left)).into_iter().map(str::to_owned));
        let wide = StepContext { used: &used, prefix: self.prefix.clone(), ..*self };
        let serdes = Serdes::of_foreign_key(self, &left);
        let left = wide.side(left, &self.left_side(&serdes, true), &serdes.left)?;
        let right = read(scope, step.source, self.used, false);
        let right = self.side(right, &self.right_side(&serdes, false), &serdes.chosen)?;
        let foreign_key = typer.typed(&step.left, &left.layout, Clause::JoinOn)?;
        let layout = layout_of(&left, &right, left.layout.clone());
        let node = PlanNode::ForeignKeyJoin(ForeignKeyJoin {
            left: Box::new(left.node),
            right: Box::new(right.node),
            kind,
            foreign_key,
            left_key_serde: serdes.left,
            right_key_serde: serdes.chosen,
        });
        Ok(Relation { node, layout, key: left.key })
    }

    /// The join of two sides that are keyed alike.
    fn joined(&self, left: Relation, right: Relation) -> Relation {
        let step = self.step;
        let sql_type = left.key[0].sql_type.clone();
        let mut key = left.node.key().swap_remove(0);
        if let JoinKey::Synthetic(name) = &step.key {
            key.name.clone_from(name);
        }
        let (left_tail, right_width) = (Tail::of(&left.node).rowtime(), right.node.schema().value.len());
        let mut layout = layout_of(&left, &right, left.layout.clone().moved(left_tail, left_tail + right_width));
        if let JoinKey::Synthetic(name) = &step.key {
            layout.add(column(name, Span::NONE), 0, sql_type.clone());
        }
        let (left, right) = (Box::new(left.node), Box::new(right.node));
        let node = match step.kind {
            StepKind::StreamTable(kind) => PlanNode::StreamTableJoin { left, right, kind },
            StepKind::StreamStream(kind, window) => {
                PlanNode::StreamStreamJoin(StreamStreamJoin { left, right, kind, window, key })
            }
            StepKind::TableTable(kind) | StepKind::ForeignKey(kind) => {
                PlanNode::TableTableJoin(TableTableJoin { left, right, kind, key })
            }
        };
        Relation { node, layout, key: vec![KeyColumn { expressions: step.key.expressions(), sql_type }] }
    }
}

/// Where the columns of both sides stand in joined rows, those of the left one at `left_layout`. What is in the key of the
/// right side is in the key.
fn layout_of(left: &Relation, right: &Relation, left_layout: Layout) -> Layout {
    let schema = left.node.schema();
    let left_width = schema.key.len() + schema.value.len();
    let key_width = right.node.key().len();
    let mut layout = left_layout;
    let (in_key, values) = right.layout.clone().split_at(key_width);
    layout.append(in_key, 0);
    layout.append(values.moved(key_width, 0), left_width);
    layout
}

/// Whether the key of `relation` is the value of `expression` in every row.
fn has_value_of_key(relation: &Relation, expression: &Expression) -> bool {
    relation.key.len() == 1 && relation.layout.find(expression).is_some_and(|column| column.index == 0)
}

impl StepKind {
    /// Whether each result has a row of the left side, and of the right side.
    fn certain_sides(self) -> (bool, bool) {
        match self {
            Self::StreamTable(StreamTableJoinKind::Inner) => (true, true),
            Self::StreamTable(StreamTableJoinKind::Left) => (true, false),
            Self::StreamStream(kind, _) | Self::TableTable(kind) | Self::ForeignKey(kind) => {
                (kind.has_left(), kind.has_right())
            }
        }
    }
}
