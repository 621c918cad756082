//! FROM with joins: each step joins the stream so far with one table, left to right.
//!
//! ```text
//! Source → Project ─┬─────────────────────────┬─▶ StreamTableJoin ─▶ …
//!                   └─▶ Rekey ─▶ Repartition ─┘        ▲
//!            Source(table) ─▶ Project [─▶ Repartition] ─┘
//! ```
//!
//! Only columns that the query uses reach a join. The left side is re-keyed unless it is keyed by the join expression.

use crate::formats::Serde;
use crate::sql::Span;
use crate::sql::ast::{ComparisonOperator, Expression, Join, JoinKind, Relation as From};
use crate::types::{Column, SqlType};

use super::error::PlanError;
use super::expression::{Typer, column_expr};
use super::formats::internal_value_serde;
use super::relation::{KeyColumn, Layout, Relation, Tail};
use super::scope::{Clause, Role, Scope, ScopeColumn, as_column, column, columns_of};
use super::source::{Used, read};
use super::{NullKeys, PlanNode, StreamTableJoinKind};

/// A join of FROM, resolved: `left = right`, where `right` is of the source that it adds.
#[derive(Debug)]
pub(super) struct JoinStep {
    kind: StreamTableJoinKind,
    /// Index of the source that it adds.
    source: usize,
    left: Expression,
    right: Expression,
    span: Span,
}

/// Checks the joins of `from`.
pub(super) fn resolve(from: &From, scope: &Scope, typer: &Typer) -> Result<Vec<JoinStep>, PlanError> {
    if from.joins.is_empty() {
        return Ok(Vec::new());
    }
    check_sources(scope, from)?;
    // All references are checked before the first pair of kinds.
    let conditions = from.joins.iter().enumerate().map(|(i, join)| Condition::resolve(join, i + 1, scope));
    let conditions: Vec<Condition> = conditions.collect::<Result<_, _>>()?;
    conditions.into_iter().zip(&from.joins).map(|(condition, join)| condition.checked(join, scope, typer)).collect()
}

/// No source twice, none with a format that joins cannot carry.
fn check_sources(scope: &Scope, from: &From) -> Result<(), PlanError> {
    for (i, source) in scope.sources.iter().enumerate() {
        if scope.sources[..i].iter().any(|other| other.data.name == source.data.name) {
            let name = &source.data.name;
            let text = if from.joins.len() == 1 {
                format!("Can not join '{name}' to '{name}': self joins are not yet supported.")
            } else {
                format!("N-way joins do not support multiple occurrences of the same source. Source: '{name}'")
            };
            return Err(PlanError::refused(text, source.span));
        }
    }
    check_value_formats(scope, "JOIN")
}

/// Sources with values in KAFKA format can neither be joined nor grouped.
pub(super) fn check_value_formats(scope: &Scope, clause: &str) -> Result<(), PlanError> {
    let kafka = |serde: &Serde| serde.format == crate::formats::Format::Kafka;
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

/// ON, resolved: each side with the index of the one source it is about.
struct Condition {
    left: (Expression, usize),
    right: (Expression, usize),
    /// Index of the source that the join adds.
    added: usize,
    span: Span,
}

impl Condition {
    fn resolve(join: &Join, added: usize, scope: &Scope) -> Result<Self, PlanError> {
        let Expression::Comparison { operator: ComparisonOperator::Equal, left, right, span } = &join.on else {
            return Err(unsupported_condition(&join.on));
        };
        let left = scope.resolve(left, Clause::JoinOn)?;
        let right = scope.resolve(right, Clause::JoinOn)?;
        let sources = [&left, &right].map(|side| sources_of(side, scope));
        for (side, sources) in [&left, &right].iter().zip(&sources) {
            if sources.len() != 1 {
                let text = format!(
                    "Invalid comparison expression '{}' in join '({} = {})'. Each side of the join comparision must \
                     contain references from exactly one source.",
                    scope.qualified(side).plain(),
                    scope.qualified(&left).plain(),
                    scope.qualified(&right).plain()
                );
                return Err(PlanError::refused(text, side.span()));
            }
        }
        let [left_source, right_source] = sources.map(|sources| sources[0]);
        check_references(left_source, right_source, added, scope, *span)?;
        Ok(Self { left: (left, left_source), right: (right, right_source), added, span: *span })
    }

    /// The join, if its types and kinds fit.
    fn checked(self, join: &Join, scope: &Scope, typer: &Typer) -> Result<JoinStep, PlanError> {
        let Self { left, right, added, span } = self;
        let types = [&left.0, &right.0].map(|side| typer.type_of(side, Clause::JoinOn));
        let [left_type, right_type] = types;
        let [left_type, right_type] = [left_type?, right_type?];
        let [left_shown, right_shown] = [&left.0, &right.0].map(|side| scope.qualified(side).plain().to_string());
        if left_type != right_type {
            let type_text = |found: Option<SqlType>| found.map_or("NULL".to_owned(), |found| found.to_string());
            let text = format!(
                "Invalid join condition: types don't match. Got {left_shown}{{{}}} = {right_shown}{{{}}}.",
                type_text(left_type),
                type_text(right_type)
            );
            return Err(PlanError::refused_with_hint(text, "convert one side with CAST", span));
        }
        let shown = format!("{left_shown} = {right_shown}");
        let (left, right) = if right.1 == added { (left, right) } else { (right, left) };
        let kind = check_kinds(join, left.1, added, &right.0, &shown, scope)?;
        Ok(JoinStep { kind, source: added, left: left.0, right: right.0, span })
    }
}

fn unsupported_condition(on: &Expression) -> PlanError {
    let text = match on {
        Expression::Logical { .. } => {
            format!("JOINs on multiple conditions are not yet supported. Got {}.", on.plain())
        }
        _ => format!("Unsupported join expression: {}. Only equality of two expressions is supported.", on.plain()),
    };
    PlanError::refused(text, on.span())
}

/// Indices of the sources whose columns `expression` uses, ascending.
fn sources_of(expression: &Expression, scope: &Scope) -> Vec<usize> {
    let names = columns_of(std::iter::once(expression));
    let mut sources: Vec<usize> =
        names.iter().filter_map(|name| scope.column(name)).map(|column| column.source).collect();
    sources.sort_unstable();
    sources.dedup();
    sources
}

fn check_references(left: usize, right: usize, added: usize, scope: &Scope, span: Span) -> Result<(), PlanError> {
    let alias = |source: usize| &scope.sources[source].alias;
    let text = if left == right {
        format!(
            "Each side of the join must reference exactly one source and not the same source. Left side references \
             `{}` and right references `{}`",
            alias(left),
            alias(right)
        )
    } else if left != added && right != added {
        format!(
            "A join criteria is expected to reference the source (`{}`) in the FROM clause, instead the right source \
             references `{}` and the left source references `{}`",
            alias(added),
            alias(right),
            alias(left)
        )
    } else if left > added || right > added {
        let later = left.max(right);
        format!("Source `{}` is referenced before it is joined.", alias(later))
    } else {
        return Ok(());
    };
    Err(PlanError::refused(text, span))
}

/// Which kinds of collections can be joined how, and on what.
fn check_kinds(
    join: &Join,
    left: usize,
    added: usize,
    right: &Expression,
    shown: &str,
    scope: &Scope,
) -> Result<StreamTableJoinKind, PlanError> {
    let span = join.span;
    // What has been joined so far is a stream exactly when it began with one.
    let left_is_table = scope.sources[0].data.is_table();
    let added_source = &scope.sources[added];
    let is_primary_key = {
        let key = &added_source.data.schema.key;
        let names_key = |found: &ScopeColumn| matches!(found.role, Role::Key(_));
        key.len() == 1 && as_column(right).and_then(|name| scope.column(name)).is_some_and(names_key)
    };
    match (left_is_table, added_source.data.is_table()) {
        (true, false) => {
            let text = format!(
                "Invalid join order: table-stream joins are not supported; only stream-table joins. Got {} {} {}.",
                scope.sources[left].alias,
                kind_words(join.kind),
                added_source.alias
            );
            Err(PlanError::refused_with_hint(text, "put the stream first", span))
        }
        (true, true) if !is_primary_key => Err(PlanError::refused(
            format!(
                "Invalid join condition: table-table joins require to join on the primary key of the right input \
                 table. Got {shown}."
            ),
            span,
        )),
        (false, false) if join.within.is_none() => {
            check_windows(left, added, scope, span)?;
            let text = "Stream-Stream joins must have a WITHIN clause specified. None was provided. To learn about how \
                        to specify a WITHIN clause with a stream-stream join, please visit: https://docs.confluent.io/\
                        current/ksql/docs/syntax-reference.html#create-stream-as-select";
            Err(PlanError::refused(text, span))
        }
        (true, true) => Err(PlanError::not_supported("joins of two tables", span)),
        (false, false) => {
            check_windows(left, added, scope, span)?;
            Err(PlanError::not_supported("joins of two streams", span))
        }
        (false, true) => check_stream_table(join, left, added, is_primary_key, shown, scope),
    }
}

fn check_stream_table(
    join: &Join,
    left: usize,
    added: usize,
    is_primary_key: bool,
    shown: &str,
    scope: &Scope,
) -> Result<StreamTableJoinKind, PlanError> {
    let span = join.span;
    let refused = |text: String| Err(PlanError::refused(text, span));
    if join.within.is_some() {
        return refused(
            "A window definition was provided for a Stream-Table join. These joins are not windowed. Please remove the \
             window definition (ie. the WITHIN clause) and try executing your join again."
                .to_owned(),
        );
    }
    let kind = match join.kind {
        JoinKind::Inner => StreamTableJoinKind::Inner,
        JoinKind::Left => StreamTableJoinKind::Left,
        JoinKind::Right => return refused(format!("Invalid join type encountered: {}", kind_words(join.kind))),
        JoinKind::Outer => {
            return refused(format!(
                "Invalid join type: full-outer join not supported for stream-table join. Got {} {} {}.",
                scope.sources[left].alias,
                kind_words(join.kind),
                scope.sources[added].alias
            ));
        }
    };
    if !is_primary_key {
        return refused(format!(
            "Invalid join condition: stream-table joins require to join on the table's primary key. Got {shown}."
        ));
    }
    check_windows(left, added, scope, span)?;
    if scope.sources[added].data.window.is_some() {
        return Err(PlanError::not_supported("joins with a windowed table", span));
    }
    Ok(kind)
}

/// Windowed keys meet windowed keys only.
fn check_windows(left: usize, right: usize, scope: &Scope, span: Span) -> Result<(), PlanError> {
    let window_of = |source: usize| scope.sources[source].data.window_type;
    if window_of(left).is_some() == window_of(right).is_some() {
        return Ok(());
    }
    let line = |source: usize| {
        let words = window_of(source).map_or("not windowed".to_owned(), |found| format!("{} windowed", found.name()));
        format!("`{}` is {words}", scope.sources[source].alias)
    };
    let text = format!("Can not join windowed source to non-windowed source.\n{}\n{}", line(left), line(right));
    Err(PlanError::refused(text, span))
}

fn kind_words(kind: JoinKind) -> &'static str {
    match kind {
        JoinKind::Inner => "[INNER] JOIN",
        JoinKind::Left => "LEFT [OUTER] JOIN",
        JoinKind::Right => "RIGHT [OUTER] JOIN",
        JoinKind::Outer => "FULL [OUTER] JOIN",
    }
}

/// Plans the joins `steps` over the sources of `scope`; `used` are the columns that the rest of the query uses.
pub(super) fn plan(scope: &Scope, steps: &[JoinStep], used: &Used, typer: &Typer) -> Result<Relation, PlanError> {
    let mut left = read(scope, 0, &used_from(steps, used), false);
    for (i, step) in steps.iter().enumerate() {
        check_partitions(step, scope, typer)?;
        let later = used_from(&steps[i + 1..], used);
        let context = StepContext { step, prefix: "L_".repeat(steps.len() - 1 - i), scope, used: &later, typer };
        left = context.plan(left, i == 0)?;
    }
    Ok(left)
}

/// Columns that `steps` and what follows them use.
fn used_from(steps: &[JoinStep], used: &Used) -> Used {
    let mut all = used.clone();
    all.extend(columns_of(steps.iter().map(|step| &step.left)).into_iter().map(str::to_owned));
    all
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
    fn plan(&self, left: Relation, is_first: bool) -> Result<Relation, PlanError> {
        let is_keyed = left.key.len() == 1 && has_value_of_key(&left, &self.step.left);
        let (left, key_serde) = match (is_keyed, is_first) {
            (true, true) => {
                let key_serde = left_key_serde(&left.node);
                (self.prune(left), key_serde)
            }
            (true, false) => {
                let key_serde = left_key_serde(&left.node);
                (left, key_serde)
            }
            (false, _) => {
                let key_serde = self.scope.sources[self.step.source].data.key_serde.clone();
                (self.rekey(left, &key_serde)?, key_serde)
            }
        };
        let right = self.table_side(&key_serde);
        Ok(joined(left, right, self.step))
    }

    /// The left-most source with its used columns only.
    fn prune(&self, relation: Relation) -> Relation {
        let scope = self.scope;
        let kept = self.carried(&relation, &[]);
        let mut layout = Layout::default();
        let key: Vec<&ScopeColumn> =
            scope.columns.iter().filter(|column| column.source == 0 && matches!(column.role, Role::Key(_))).collect();
        for (i, found) in key.iter().enumerate() {
            layout.add(column(&found.internal, Span::NONE), i, found.sql_type.clone());
        }
        let key_names = key.iter().map(|found| found.internal.clone()).collect();
        let columns = kept
            .iter()
            .map(|found| (Column::new(found.internal.clone(), found.sql_type.clone()), at(&relation, found)))
            .collect();
        for (i, found) in kept.iter().enumerate() {
            layout.add(column(&found.internal, Span::NONE), key.len() + i, found.sql_type.clone());
        }
        let node = PlanNode::Project { input: Box::new(relation.node), key_names, columns };
        add_rowtime(&mut layout, &node, scope);
        Relation { node, layout, key: relation.key }
    }

    /// Used columns that `relation` has and that must travel as values: neither its ROWTIME, which every row has, nor those
    /// that the key holds (`in_key`).
    fn carried(&self, relation: &Relation, in_key: &[&Expression]) -> Vec<&ScopeColumn> {
        let rowtime = Tail::of(&relation.node).rowtime();
        let key_width = relation.node.schema().key.len();
        let kept = self.scope.columns.iter().filter(|found| {
            let reference = column(&found.internal, Span::NONE);
            let place = relation.layout.find(&reference);
            let is_value = |index: usize| index < rowtime && (!in_key.is_empty() || index >= key_width);
            self.used.contains(&found.internal)
                && place.is_some_and(|place| is_value(place.index))
                && !in_key.contains(&&reference)
        });
        kept.collect()
    }

    /// `relation` by way of a topic, keyed by the left expression of the join.
    fn rekey(&self, relation: Relation, key_serde: &Serde) -> Result<Relation, PlanError> {
        let Self { step, scope, .. } = self;
        if relation.node.window().is_some() {
            let text = "Implicit repartitioning of windowed sources is not supported. See \
                    https://github.com/confluentinc/ksql/issues/4385.";
            return Err(PlanError::refused(text, step.span));
        }
        let key_type = scope.sources[step.source].data.schema.key[0].sql_type.clone();
        let name_of = |expression: &Expression| as_column(expression).map(str::to_owned);
        let key_name = name_of(&step.left).or_else(|| name_of(&step.right)).expect("the right side is a column");
        let key_expr = self.typer.typed(&step.left, &relation.layout, Clause::JoinOn)?;
        let kept = self.carried(&relation, &[&step.left]);
        let mut layout = Layout::default();
        layout.add(step.left.clone(), 0, key_type.clone());
        let mut columns = Vec::new();
        for (i, found) in kept.iter().enumerate() {
            columns.push((Column::new(found.internal.clone(), found.sql_type.clone()), at(&relation, found)));
            layout.add(column(&found.internal, Span::NONE), 1 + i, found.sql_type.clone());
        }
        let value: Vec<Column> = columns.iter().map(|(column, _)| column.clone()).collect();
        let node = PlanNode::Repartition {
            input: Box::new(PlanNode::Rekey {
                input: Box::new(relation.node),
                key: vec![(Column::new(key_name, key_type.clone()), key_expr)],
                columns,
                null_keys: match step.kind {
                    StreamTableJoinKind::Inner => NullKeys::Drop,
                    StreamTableJoinKind::Left => NullKeys::Keep,
                },
            }),
            topic: format!("{}Join-repartition", self.prefix),
            key_serde: key_serde.clone(),
            value_serde: internal_value_serde(&scope.sources[0].data.value_serde, &value),
        };
        add_rowtime(&mut layout, &node, scope);
        let key = vec![KeyColumn { expressions: vec![step.left.clone()], sql_type: key_type }];
        Ok(Relation { node, layout, key })
    }

    /// The table of the join with its used columns, keyed in `key_serde`.
    fn table_side(&self, key_serde: &Serde) -> Relation {
        let Self { step, scope, used, .. } = self;
        let relation = read(scope, step.source, used, false);
        let data = &scope.sources[step.source].data;
        let kept: Vec<&ScopeColumn> = scope
            .columns
            .iter()
            .filter(|found| found.source == step.source && used.contains(&found.internal))
            .filter(|found| !(step.kind == StreamTableJoinKind::Inner && matches!(found.role, Role::Key(_))))
            .collect();
        let columns: Vec<(Column, super::Expr)> = kept
            .iter()
            .map(|found| (Column::new(found.internal.clone(), found.sql_type.clone()), at(&relation, found)))
            .collect();
        let mut layout = Layout::default();
        for (i, found) in kept.iter().enumerate() {
            layout.add(column(&found.internal, Span::NONE), i, found.sql_type.clone());
        }
        let value: Vec<Column> = columns.iter().map(|(column, _)| column.clone()).collect();
        let key_name = as_column(&step.right).expect("the right side is a column").to_owned();
        let mut node = PlanNode::Project { input: Box::new(relation.node), key_names: vec![key_name], columns };
        if data.key_serde != *key_serde {
            node = PlanNode::Repartition {
                input: Box::new(node),
                topic: format!("{}RightSourceKeyed-SelectKey-repartition", self.prefix),
                key_serde: key_serde.clone(),
                value_serde: internal_value_serde(&data.value_serde, &value),
            };
        }
        Relation { node, layout, key: relation.key }
    }
}

/// Whether the key of `relation` is the value of `expression` in every row. The first expression of a key column is.
fn has_value_of_key(relation: &Relation, expression: &Expression) -> bool {
    relation.layout.find(expression).is_some_and(|column| column.index == 0)
}

fn left_key_serde(node: &PlanNode) -> Serde {
    match node {
        PlanNode::Source(source) => source.key_serde.clone(),
        PlanNode::Repartition { key_serde, .. } => key_serde.clone(),
        other => left_key_serde(other.inputs()[0]),
    }
}

fn at(relation: &Relation, found: &ScopeColumn) -> super::Expr {
    let place = relation.layout.find(&column(&found.internal, Span::NONE)).expect("the relation has the column");
    column_expr(place.index, &found.sql_type)
}

/// The time of a joined row is the time of the stream's row.
fn add_rowtime(layout: &mut Layout, node: &PlanNode, scope: &Scope) {
    let rowtime = scope.columns.iter().find(|found| found.source == 0 && found.role == Role::RowTime);
    let rowtime = rowtime.expect("every source has a ROWTIME");
    layout.add(column(&rowtime.internal, Span::NONE), Tail::of(node).rowtime(), SqlType::Bigint);
}

/// The join of two sides that are keyed alike.
fn joined(left: Relation, right: Relation, step: &JoinStep) -> Relation {
    let left_width = left.node.schema().value.len();
    let left_tail = Tail::of(&left.node);
    let key_type = left.key[0].sql_type.clone();
    let right_columns = right.layout;
    let node = PlanNode::StreamTableJoin { left: Box::new(left.node), right: Box::new(right.node), kind: step.kind };
    let mut layout = left.layout.moved(left_tail.rowtime(), Tail::of(&node).rowtime());
    layout.append(right_columns, 1 + left_width);
    if step.kind == StreamTableJoinKind::Inner {
        layout.add(step.right.clone(), 0, key_type.clone());
    }
    // A key that was joined before is still the key, so its other names still are.
    let mut expressions = left.key[0].expressions.clone();
    if as_column(&expressions[0]).is_none() {
        expressions.clear();
    }
    expressions.push(step.right.clone());
    Relation { node, layout, key: vec![KeyColumn { expressions, sql_type: key_type }] }
}

/// Both sides of a join have as many partitions.
fn check_partitions(step: &JoinStep, scope: &Scope, typer: &Typer) -> Result<(), PlanError> {
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
