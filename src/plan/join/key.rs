//! The key of a join: which columns have its value, and in which format both sides have it.

use crate::formats::{Format, Serde};
use crate::sql::Span;
use crate::sql::ast::Expression;
use crate::types::{Column, SqlType};

use super::super::PlanNode;
use super::super::error::PlanError;
use super::super::formats::internal_key_serde;
use super::super::names::first_free;
use super::super::relation::Relation;
use super::super::scope::{Role, Scope, ScopeSource, as_column, column};
use super::kinds::StepKind;
use super::{StepContext, has_value_of_key};

/// What a made-up key column is called, if no source has such a column.
const ROWKEY: &str = "ROWKEY";

/// The key of joined rows.
#[derive(Debug, Clone)]
pub(super) enum JoinKey {
    /// For each key column, the columns of the sources that stand for it, the preferred one first.
    Columns(Vec<Vec<Alternative>>),
    /// No column of a source has the value of the key in every row: it is a column of its own, with this name.
    Synthetic(String),
}

/// A column that stands for a key column.
#[derive(Debug, Clone)]
pub(super) struct Alternative {
    expression: Expression,
    /// It has the value of the key in every row; else it may be null.
    is_exact: bool,
}

impl JoinKey {
    /// The key of the source at index `source`.
    pub(super) fn of_source(scope: &Scope, source: usize) -> Self {
        let key = scope.declared(source).filter(|found| matches!(found.role, Role::Key(_)));
        let alternatives = key.map(|found| {
            let expression = column(&found.internal, Span::NONE);
            vec![Alternative { expression, is_exact: true }]
        });
        Self::Columns(alternatives.collect())
    }

    /// Whether `expression` stands for the whole key.
    pub(super) fn has(&self, expression: &Expression) -> bool {
        match self {
            Self::Columns(columns) => match columns.as_slice() {
                [only] => only.iter().any(|alternative| alternative.expression == *expression),
                _ => false,
            },
            Self::Synthetic(_) => false,
        }
    }

    /// The key after a join of `kind` on `left = right`.
    pub(super) fn after(&self, kind: StepKind, left: &Expression, right: &Expression, scope: &Scope) -> Self {
        if matches!(kind, StepKind::ForeignKey(_)) {
            return self.clone();
        }
        let (has_left, has_right) = kind.certain_sides();
        let mut alternatives = match self {
            Self::Columns(columns) if self.stays(kind, left) => columns[0].clone(),
            _ => vec![Alternative { expression: left.clone(), is_exact: true }],
        };
        for alternative in &mut alternatives {
            alternative.is_exact &= has_left;
        }
        alternatives.push(Alternative { expression: right.clone(), is_exact: has_right });
        alternatives.retain(|alternative| as_column(&alternative.expression).is_some());
        if alternatives.is_empty() || !(has_left || has_right) {
            let taken = |name: &str| scope.columns.iter().any(|found| found.name == name || found.internal == name);
            return Self::Synthetic(first_free(ROWKEY, taken));
        }
        Self::Columns(vec![alternatives])
    }

    /// Whether a join on `left` leaves the left side keyed as it is. Tables cannot be keyed anew, so for them a column that is
    /// null in some rows stands for the key as well.
    fn stays(&self, kind: StepKind, left: &Expression) -> bool {
        let Self::Columns(columns) = self else { return false };
        let [only] = columns.as_slice() else { return false };
        let may_be_null = matches!(kind, StepKind::TableTable(_));
        only.iter().any(|alternative| alternative.expression == *left && (alternative.is_exact || may_be_null))
    }

    /// What may be selected as the key column.
    pub(super) fn expressions(&self) -> Vec<Expression> {
        match self {
            Self::Columns(columns) => {
                columns.iter().flatten().map(|alternative| alternative.expression.clone()).collect()
            }
            Self::Synthetic(name) => vec![column(name, Span::NONE)],
        }
    }
}

/// The key formats of a join, and what its sides need to have them.
#[derive(Debug)]
pub(super) struct Serdes {
    /// How the key is laid out on both sides; for foreign keys, how the right side's is.
    pub(super) chosen: Serde,
    /// How the left side's key was laid out.
    pub(super) left: Serde,
    /// Whether both sides get another layout, since theirs holds ids of schemas.
    is_rewritten: bool,
    /// What happens to the left side.
    pub(super) left_change: KeyChange,
    /// What happens to the right side.
    pub(super) right_change: KeyChange,
}

/// What happens to a side before it is joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyChange {
    /// Nothing.
    None,
    /// It goes through a topic with the same key in another layout.
    Layout,
    /// It goes through a topic with another key.
    Value,
}

impl KeyChange {
    fn new(is_keyed: bool, has_layout: bool) -> Self {
        match (is_keyed, has_layout) {
            (false, _) => Self::Value,
            (true, false) => Self::Layout,
            (true, true) => Self::None,
        }
    }
}

impl Serdes {
    /// Chooses the layout of the key for the join of `left` and the next source.
    pub(super) fn choose(context: &StepContext, left: &Relation) -> Result<Self, PlanError> {
        let StepContext { step, scope, typer, .. } = context;
        let added = &scope.sources[step.source];
        let is_table = matches!(step.kind, StepKind::TableTable(_));
        let left_is_keyed = is_table || has_value_of_key(left, &step.left);
        let right_is_keyed = JoinKey::of_source(scope, step.source).has(&step.right);
        let (left_serde, right_serde) = (key_serde_of(&left.node), added.data.key_serde.clone());
        let chosen = match (left_is_keyed, right_is_keyed) {
            (true, _) => left_serde.clone(),
            (false, true) => right_serde.clone(),
            (false, false) => {
                let formats = scope.sources[..=step.source].iter().map(|source| &source.data.key_serde.format);
                let mut formats = formats.filter(|format| **format != Format::None);
                let format = formats.next().unwrap_or(&Format::None);
                let sql_type = typer.type_of(&step.right, super::Clause::JoinOn)?.unwrap_or(SqlType::String);
                internal_key_serde(format.clone(), &[Column::new(ROWKEY, sql_type)], typer.settings)?
            }
        };
        // Ids of schemas stand in such keys, and would be another key for each topic.
        let is_rewritten = names_schemas(&chosen.format);
        let chosen = if is_rewritten { without_ids(chosen) } else { chosen };
        let left_change = KeyChange::new(left_is_keyed, !is_rewritten && left_serde == chosen);
        let right_change = KeyChange::new(right_is_keyed, !is_rewritten && right_serde == chosen);
        let serdes = Self { chosen, left: left_serde, is_rewritten, left_change, right_change };
        serdes.check_windows(&scope.sources[0], added, context.step.span)?;
        Ok(serdes)
    }

    /// The formats of a join on a foreign key: each side keeps its own.
    pub(super) fn of_foreign_key(context: &StepContext, left: &Relation) -> Self {
        let StepContext { step, scope, .. } = context;
        let right = &scope.sources[step.source].data;
        // The schema of what stands alone is the same for each topic; that of a record has names in it.
        let is_struct = matches!(right.schema.key.as_slice(), [Column { sql_type: SqlType::Struct(_), .. }]);
        let is_record = is_struct || right.key_serde.wrap_single;
        let has_layout = !(is_record && names_schemas(&right.key_serde.format));
        let (chosen, left_serde) = (right.key_serde.clone(), key_serde_of(&left.node));
        Self {
            chosen: if has_layout { chosen } else { without_ids(chosen) },
            left: Serde { format: left_serde.format.derived(), ..left_serde },
            is_rewritten: false,
            left_change: KeyChange::None,
            right_change: KeyChange::new(true, has_layout),
        }
    }

    /// Windowed keys go through no topic, unless their layout alone asks for it.
    fn check_windows(&self, left: &ScopeSource, right: &ScopeSource, span: Span) -> Result<(), PlanError> {
        if right.data.window.is_none() {
            return Ok(());
        }
        let changes = [self.left_change, self.right_change];
        let same_windows = (left.data.window, left.data.window_type) == (right.data.window, right.data.window_type);
        let needs_topic = changes.contains(&KeyChange::Value)
            || (!self.is_rewritten && (changes.contains(&KeyChange::Layout) || !same_windows));
        if !needs_topic {
            return Ok(());
        }
        let text = "Implicit repartitioning of windowed sources is not supported. See \
                    https://github.com/confluentinc/ksql/issues/4385.";
        let hint = if same_windows || changes.contains(&KeyChange::Value) {
            "join windowed sources on their keys, in the same key format"
        } else {
            "both sides need windows of the same type and size"
        };
        Err(PlanError::refused_with_hint(text, hint, span))
    }
}

/// Whether keys in `format` hold the id of a schema in the registry.
fn names_schemas(format: &Format) -> bool {
    matches!(format.name(), "AVRO" | "JSON_SR" | "PROTOBUF")
}

/// The layout of keys that are the same bytes in several topics: no id of a schema, which is another one for each.
fn without_ids(serde: Serde) -> Serde {
    let format = match serde.format.derived() {
        Format::Protobuf(settings) => Format::ProtobufNoSr(settings),
        _ => Format::Json,
    };
    Serde { format, ..serde }
}

/// How the key of `node` is laid out.
pub(super) fn key_serde_of(node: &PlanNode) -> Serde {
    match node {
        PlanNode::Source(source) => source.key_serde.clone(),
        PlanNode::Repartition { key_serde, .. } => key_serde.clone(),
        other => key_serde_of(other.inputs()[0]),
    }
}
