//! A side of a join: its used columns, keyed by its expression.

use crate::formats::Serde;
use crate::sql::Span;
use crate::sql::ast::Expression;
use crate::types::Column;

use super::super::error::PlanError;
use super::super::expression::column_expr;
use super::super::formats::internal_value_serde;
use super::super::project::project;
use super::super::relation::{KeyColumn, Layout, Relation, Tail};
use super::super::scope::{Clause, as_column, column};
use super::super::{Collection, Expr, NullKeys, PlanNode};
use super::StepContext;
use super::key::{JoinKey, KeyChange, Serdes};
use super::kinds::StepKind;

/// What becomes of a side before it is joined.
pub(super) struct Side<'a> {
    /// Its side of the condition.
    by: &'a Expression,
    change: KeyChange,
    /// Every result has a row of it: columns in its key need no copy in its value.
    is_certain: bool,
    /// Results have its times and windows, so that those need no copy either.
    gives_time: bool,
    /// The word for the side in names of topics.
    word: &'static str,
    /// Index of the source whose format its values travel in.
    source: usize,
}

impl<'a> StepContext<'a> {
    /// The left side of the join.
    pub(super) fn left_side(&self, serdes: &Serdes, is_certain: bool) -> Side<'a> {
        let gives_time = matches!(self.step.kind, StepKind::StreamTable(_));
        Side { by: &self.step.left, change: serdes.left_change, is_certain, gives_time, word: "left", source: 0 }
    }

    /// The right side of the join.
    pub(super) fn right_side(&self, serdes: &Serdes, is_certain: bool) -> Side<'a> {
        let source = self.step.source;
        let change = serdes.right_change;
        Side { by: &self.step.right, change, is_certain, gives_time: false, word: "right", source }
    }

    /// `relation` as `side`, with keys in `key_serde`.
    pub(super) fn side(&self, relation: Relation, side: &Side, key_serde: &Serde) -> Result<Relation, PlanError> {
        let key = match side.change {
            KeyChange::Value => vec![self.new_key(&relation, side)?],
            KeyChange::None | KeyChange::Layout => kept_key(&relation),
        };
        let mut layout = key_layout(&relation, side, &key);
        let columns = self.carried(&relation, side, key.len(), &mut layout);
        let (old_tail, topic) = (Tail::of(&relation.node).rowtime(), self.topic(&relation, side));
        let key_columns = match side.change {
            KeyChange::Value => {
                vec![KeyColumn { expressions: vec![side.by.clone()], sql_type: key[0].0.sql_type.clone() }]
            }
            KeyChange::None | KeyChange::Layout => relation.key,
        };
        let value: Vec<Column> = columns.iter().map(|(column, _)| column.clone()).collect();
        let mut node = match side.change {
            KeyChange::Value => PlanNode::Rekey {
                input: Box::new(relation.node),
                key,
                columns,
                null_keys: if self.keeps_null_keys(side) { NullKeys::Keep } else { NullKeys::Drop },
                keeps_window: true,
            },
            KeyChange::None | KeyChange::Layout => {
                project(relation.node, key.into_iter().map(|(column, _)| column.name).collect(), columns)
            }
        };
        if side.change != KeyChange::None {
            let source = &self.scope.sources[side.source].data;
            node = PlanNode::Repartition {
                input: Box::new(node),
                topic,
                key_serde: key_serde.clone(),
                value_serde: internal_value_serde(&source.value_serde, &value),
            };
        }
        if side.gives_time {
            let (_, tail) = relation.layout.split_at(old_tail);
            layout.append(tail.moved(old_tail, 0), Tail::of(&node).rowtime());
        }
        Ok(Relation { node, layout, key: key_columns })
    }

    /// Rows without a key come out where rows without a partner do.
    fn keeps_null_keys(&self, side: &Side) -> bool {
        let (has_left, has_right) = self.step.kind.certain_sides();
        if side.word == "left" { !has_right } else { !has_left }
    }

    fn new_key(&self, relation: &Relation, side: &Side) -> Result<(Column, Expr), PlanError> {
        let (expr, sql_type) = self.typer.typed_with_type(side.by, &relation.layout, Clause::JoinOn)?;
        let other = if side.word == "left" { &self.step.right } else { &self.step.left };
        let name = match (&self.step.key, as_column(side.by).or_else(|| as_column(other))) {
            (_, Some(name)) => name.to_owned(),
            (JoinKey::Synthetic(name), None) => name.clone(),
            (JoinKey::Columns(_), None) => "ROWKEY".to_owned(),
        };
        Ok((Column::new(name, sql_type), expr))
    }

    /// Used columns that must travel as values: those that are neither in the key nor among the times that results have.
    fn carried(&self, relation: &Relation, side: &Side, width: usize, layout: &mut Layout) -> Vec<(Column, Expr)> {
        let tail = Tail::of(&relation.node).rowtime();
        let mut columns = Vec::new();
        for found in self.scope.columns.iter().filter(|found| self.used.contains(&found.internal)) {
            let reference = column(&found.internal, Span::NONE);
            let Some(place) = relation.layout.find(&reference) else { continue };
            if layout.find(&reference).is_some() || (side.gives_time && place.index >= tail) {
                continue;
            }
            layout.add(reference, width + columns.len(), found.sql_type.clone());
            let carried = Column::new(found.internal.clone(), found.sql_type.clone());
            columns.push((carried, column_expr(place.index, &found.sql_type)));
        }
        columns
    }

    /// Name of the topic that the side goes through, if it does.
    fn topic(&self, relation: &Relation, side: &Side) -> String {
        let prefix = &self.prefix;
        if relation.node.collection() == Collection::Table {
            let word = if side.word == "left" { "Left" } else { "Right" };
            return format!("{prefix}{word}SourceKeyed-SelectKey-repartition");
        }
        match self.step.kind {
            StepKind::StreamTable(_) => format!("{prefix}Join-repartition"),
            _ => format!("{prefix}Join-{}-repartition", side.word),
        }
    }
}

/// The key of `relation`, with the names that the query knows.
fn kept_key(relation: &Relation) -> Vec<(Column, Expr)> {
    let schema = relation.node.schema();
    let columns = schema.key.into_iter().zip(&relation.key).enumerate();
    let named = columns.map(|(i, (old, part))| {
        let name = part.expressions.first().and_then(as_column).unwrap_or(&old.name).to_owned();
        (Column::new(name, old.sql_type.clone()), column_expr(i, &old.sql_type))
    });
    named.collect()
}

/// What stands in the key of the side, where results have it too.
fn key_layout(relation: &Relation, side: &Side, key: &[(Column, Expr)]) -> Layout {
    let mut layout = Layout::default();
    if !side.is_certain {
        return layout;
    }
    match side.change {
        KeyChange::Value => layout.add(side.by.clone(), 0, key[0].0.sql_type.clone()),
        KeyChange::None | KeyChange::Layout => layout.append(relation.layout.clone().split_at(key.len()).0, 0),
    }
    layout
}
