//! A source of FROM as the first step of a plan.

use std::collections::BTreeSet;

use crate::catalog::DataSource;
use crate::sql::Span;
use crate::types::Schema;

use super::formats::effective_key_serde;
use super::relation::{KeyColumn, Layout, Relation, Tail};
use super::scope::{Role, Scope, ScopeColumn, column};
use super::{PlanNode, PseudoColumn, Source};

/// Internal names of the columns that a query uses.
pub(super) type Used = BTreeSet<String>;

/// Reads the source at index `index` of `scope`, of which the query uses `used`.
pub(super) fn read(scope: &Scope, index: usize, used: &Used, materialized: bool) -> Relation {
    let data = &scope.sources[index].data;
    let columns: Vec<&ScopeColumn> = scope.columns.iter().filter(|column| column.source == index).collect();
    let is_used = |role: Role| columns.iter().any(|column| column.role == role && used.contains(&column.internal));
    let needed: Vec<bool> = (0..data.schema.value.len()).map(|i| is_used(Role::Value(i))).collect();
    let mut pseudo_columns = Vec::new();
    let mut roles = Vec::new();
    let positions = [(Role::RowPartition, PseudoColumn::RowPartition), (Role::RowOffset, PseudoColumn::RowOffset)];
    let headers = data.headers.iter().enumerate();
    let headers = headers.map(|(i, header)| (Role::Header(i), PseudoColumn::Header(header.clone())));
    for (role, pseudo) in positions.into_iter().chain(headers).filter(|(role, _)| is_used(*role)) {
        roles.push(role);
        pseudo_columns.push(pseudo);
    }
    let node = PlanNode::Source(source(data, needed, pseudo_columns, materialized));
    let tail = Tail::of(&node);
    let mut layout = Layout::default();
    for found in &columns {
        let after_value = data.schema.key.len() + data.schema.value.len();
        let pseudo = |wanted| roles.iter().position(|role| *role == wanted).map(|i| after_value + i);
        let index = match found.role {
            Role::Key(i) => Some(i),
            Role::Value(i) => Some(data.schema.key.len() + i),
            Role::RowPartition | Role::RowOffset | Role::Header(_) => pseudo(found.role),
            Role::RowTime => Some(tail.rowtime()),
            Role::WindowStart => Some(tail.window_start()),
            Role::WindowEnd => Some(tail.window_end()),
        };
        if let Some(index) = index {
            layout.add(column(&found.internal, Span::NONE), index, found.sql_type.clone());
        }
    }
    let key = columns.iter().filter(|column| matches!(column.role, Role::Key(_))).map(|found| KeyColumn {
        expressions: vec![column(&found.internal, Span::NONE)],
        sql_type: found.sql_type.clone(),
    });
    Relation { node, layout, key: key.collect() }
}

/// The step that reads `data`.
pub(super) fn source(
    data: &DataSource,
    needed: Vec<bool>,
    pseudo_columns: Vec<PseudoColumn>,
    materialized: bool,
) -> Source {
    Source {
        name: data.name.clone(),
        topic: data.topic.clone(),
        collection: data.collection,
        key_serde: effective_key_serde(&data.key_serde, &data.schema.key),
        value_serde: data.value_serde.clone(),
        declared: Schema { key: data.schema.key.clone(), value: data.schema.value.clone() },
        needed,
        envelope: data.envelope,
        window: data.window,
        timestamp: data.timestamp.clone(),
        pseudo_columns,
        materialized,
        old_rows_known: true,
    }
}
