//! The plan of a query: a tree of steps from its sources to its result.
//!
//! Columns are referred to by index into the row layout of the step below
//! ([`Schema::row_schema`](crate::types::Schema::row_schema)); names matter to people only.

mod joins;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use levada_udf::{Accumulator, Configuration};

use crate::catalog::{Collection, Envelope, HeaderColumn, TimestampColumn, WindowType};
use crate::expr::Expr;
use crate::formats::Serde;
use crate::functions::AggregateBody;
use crate::types::{Column, Schema, SqlType, WindowKind};

use super::passes::Change;

pub use joins::{ForeignKeyJoin, JoinKind, JoinWindow, StreamStreamJoin, StreamTableJoinKind, TableTableJoin};

/// A column that every record has beside its key and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PseudoColumn {
    /// `ROWPARTITION`, INTEGER
    RowPartition,
    /// `ROWOFFSET`, BIGINT
    RowOffset,
    /// Headers, as the source declares a column for them
    Header(HeaderColumn),
}

impl PseudoColumn {
    /// Name and type.
    pub fn column(&self) -> Column {
        match self {
            Self::RowPartition => Column::new("ROWPARTITION", SqlType::Integer),
            Self::RowOffset => Column::new("ROWOFFSET", SqlType::Bigint),
            Self::Header(header) => header.column.clone(),
        }
    }
}

/// A step of a plan. Each says what it emits; all keep the order of their input.
#[derive(Debug, Clone)]
pub enum PlanNode {
    /// Records of a topic, decoded.
    Source(Source),
    /// Rows for which the predicate is true. Over a table: a row that no longer passes becomes a tombstone
    /// (semantics 3.2). Null values of streams are dropped.
    Filter {
        /// Step below.
        input: Box<PlanNode>,
        /// BOOLEAN.
        predicate: Expr,
    },
    /// New value columns; the key stays, its columns may get other names. Null values stay null.
    Project {
        /// Step below.
        input: Box<PlanNode>,
        /// Key columns: those of the input, by the names they have here.
        key: Vec<Column>,
        /// Value columns and what computes them.
        columns: Vec<(Column, Expr)>,
    },
    /// Several rows of each row of a stream.
    FlatMap(FlatMap),
    /// New key columns and new value columns (`PARTITION BY`, `GROUP BY` and join keys).
    Rekey {
        /// Step below.
        input: Box<PlanNode>,
        /// Key columns and what computes them.
        key: Vec<(Column, Expr)>,
        /// Value columns and what computes them.
        columns: Vec<(Column, Expr)>,
        /// What becomes of rows with a null in the key.
        null_keys: NullKeys,
        /// A windowed key keeps its windows (`PARTITION BY`), else the new key has none (`GROUP BY`).
        keeps_window: bool,
    },
    /// The rows of a table, kept: what was there before a change is known, what is there now can be read, and changes may be
    /// held back until the commit (semantics 4.3). For tables that joins make; others are kept where they come to be.
    Materialize {
        /// Step below.
        input: Box<PlanNode>,
    },
    /// Rows by way of an internal topic, so that rows of one key meet in one partition.
    Repartition {
        /// Step below.
        input: Box<PlanNode>,
        /// Name of the topic without the query's prefix: `Aggregate-GroupBy-repartition`.
        topic: String,
        /// Bytes of the key.
        key_serde: Serde,
        /// Bytes of the value.
        value_serde: Serde,
    },
    /// One row per key (and window) with the aggregates so far. The input's key is the group; its value columns are the
    /// carried columns followed by the arguments of the aggregates.
    Aggregate(Aggregate),
    /// Each stream row with the table's current row of its key (semantics 5.3). Value columns: left, then right.
    StreamTableJoin {
        /// Stream side.
        left: Box<PlanNode>,
        /// Table side.
        right: Box<PlanNode>,
        /// INNER drops stream rows without a partner, LEFT fills with nulls.
        kind: StreamTableJoinKind,
    },
    /// Pairs of rows of two streams.
    StreamStreamJoin(StreamStreamJoin),
    /// Rows of two tables with the same primary key.
    TableTableJoin(TableTableJoin),
    /// Rows of a table with those of another to which they refer.
    ForeignKeyJoin(ForeignKeyJoin),
}

/// What [`PlanNode::Rekey`] does with null keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NullKeys {
    /// Keeps the row (`PARTITION BY`, outer sides of joins).
    Keep,
    /// Drops the row and reports it (`GROUP BY`); null values are dropped silently.
    DropAndReport,
    /// Drops the row silently (inner sides of joins).
    Drop,
}

/// A source step: the records of one topic.
#[derive(Debug, Clone)]
pub struct Source {
    /// Name of the stream or table.
    pub name: String,
    /// Topic it reads.
    pub topic: String,
    /// Stream or table.
    pub collection: Collection,
    /// Bytes of the key.
    pub key_serde: Serde,
    /// Bytes of the value.
    pub value_serde: Serde,
    /// All declared columns.
    pub declared: Schema,
    /// Which of the declared value columns the query uses; the others are checked but not built.
    pub needed: Vec<bool>,
    /// What keys and values hold their columns in, besides the format.
    pub envelope: Option<Envelope>,
    /// The key is windowed.
    pub window: Option<WindowKind>,
    /// Event time column.
    pub timestamp: Option<TimestampColumn>,
    /// Appended to the value columns, in this order.
    pub pseudo_columns: Vec<PseudoColumn>,
    /// Tables: the rows are kept in a store, so that old values are known and pull queries can read them.
    pub materialized: bool,
    /// The rows kept have all columns that are needed. Not so after the query was replaced by one that needs more: then what a
    /// change replaces counts as unknown.
    pub old_rows_known: bool,
}

/// A step of table functions: a row for every element of the longest of their arrays, null where others are shorter (semantics
/// 3.1). Null values are dropped. Value columns: the carried ones, then those of the calls.
#[derive(Debug, Clone)]
pub struct FlatMap {
    /// Step below, a stream; its key stays.
    pub input: Box<PlanNode>,
    /// Indices of the input's *value* columns that are repeated in every row.
    pub carried: Vec<usize>,
    /// The table functions.
    pub calls: Vec<TableCall>,
}

/// A call of a table function.
#[derive(Debug, Clone)]
pub struct TableCall {
    /// What its elements are called (`KSQL_SYNTH_0`), and their type.
    pub column: Column,
    /// The call, over the rows of the input: an ARRAY of the column's values.
    pub list: Expr,
    /// Rows for which it may be evaluated at once.
    pub rows_max: usize,
}

/// An aggregation step.
#[derive(Debug, Clone)]
pub struct Aggregate {
    /// Step below; its key is the group key.
    pub input: Box<PlanNode>,
    /// How many of the input's value columns are carried along (newest row wins).
    pub carried: usize,
    /// The aggregates, results in this order after the carried columns.
    pub calls: Vec<AggregateCall>,
    /// Windowing, if any.
    pub window: Option<WindowSpec>,
    /// One row per window, when it has closed (`EMIT FINAL`), instead of one per change.
    pub is_final: bool,
    /// The input is a table: the old row is undone before the new one is added (semantics 4.2).
    pub undo: bool,
}

/// One aggregate function over input columns.
#[derive(Debug, Clone)]
pub struct AggregateCall {
    /// Name of the function, in capitals.
    pub function: String,
    /// What computes it; `None` while nothing does.
    pub body: Option<AggregateBody>,
    /// Indices of the arguments among the input's *value* columns; none for `COUNT(*)`.
    pub arguments: Vec<usize>,
    /// Arguments that are literals because the function is made with them, in order.
    pub literals: Vec<Expr>,
    /// The properties of functions when it was planned.
    pub properties: BTreeMap<String, String>,
    /// Type of the result.
    pub result: SqlType,
    /// Name of the result column (`KSQL_AGG_VARIABLE_0`).
    pub name: String,
}

impl AggregateCall {
    /// The state of the call over arguments of types `arguments`.
    ///
    /// # Errors
    /// Literals or properties that the function cannot do with, or nothing computes it.
    pub fn accumulator(&self, arguments: &[DataType]) -> Result<Box<dyn Accumulator>, String> {
        let body = self.body.as_ref().ok_or("it was planned without a body")?;
        let literals: Vec<ArrayRef> = self.literals.iter().map(Expr::constant).collect::<Result<_, _>>()?;
        let result = self.result.arrow();
        let properties = self.properties.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let configuration = &Configuration::new(&self.function, properties);
        body.accumulator(&levada_udf::AggregateCall { arguments, literals: &literals, result: &result, configuration })
    }
}

/// Windows of an aggregation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowSpec {
    /// Which rows share a window.
    pub shape: WindowShape,
    /// How late a row may be.
    pub grace_ms: i64,
    /// How long a window can be read.
    pub retention_ms: i64,
}

/// Which rows share a window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WindowShape {
    /// Those in the same stretch of time.
    Time {
        /// Length of a window.
        size_ms: i64,
        /// Distance of two starts; equals the size for tumbling windows.
        advance_ms: i64,
    },
    /// Those that follow each other without a longer pause.
    Session {
        /// The longest pause.
        gap_ms: i64,
    },
}

impl WindowSpec {
    /// What they are called.
    pub fn window_type(&self) -> WindowType {
        match self.shape {
            WindowShape::Time { size_ms, advance_ms } if size_ms == advance_ms => WindowType::Tumbling,
            WindowShape::Time { .. } => WindowType::Hopping,
            WindowShape::Session { .. } => WindowType::Session,
        }
    }

    /// The windows of keys.
    pub fn kind(&self) -> WindowKind {
        match self.shape {
            WindowShape::Time { size_ms, .. } => WindowKind::Time { size_ms },
            WindowShape::Session { .. } => WindowKind::Session,
        }
    }
}

/// Where a persistent query writes.
#[derive(Debug, Clone)]
pub struct Sink {
    /// Name of the stream or table.
    pub name: String,
    /// Topic it writes.
    pub topic: String,
    /// Bytes of the key.
    pub key_serde: Serde,
    /// Bytes of the value.
    pub value_serde: Serde,
    /// Partitions of the topic when it must be created; `None` = as the leftmost source.
    pub partitions: Option<u32>,
    /// Time of the written records, from a column of the result.
    pub timestamp: Option<TimestampColumn>,
}

/// A whole query.
#[derive(Debug, Clone)]
pub struct QueryPlan {
    /// Last step; its schema is the result's.
    pub root: PlanNode,
    /// Where results go; `None` for push queries.
    pub sink: Option<Sink>,
    /// Rows after which a push query ends.
    pub limit: Option<u64>,
    /// What the passes have made of it.
    pub changes: Vec<Change>,
}

impl PlanNode {
    /// Key and value columns of the rows emitted.
    pub fn schema(&self) -> Schema {
        match self {
            Self::Source(source) => source.schema(),
            Self::Filter { input, .. } | Self::Repartition { input, .. } | Self::Materialize { input } => {
                input.schema()
            }
            Self::Project { key, columns, .. } => {
                Schema { key: key.clone(), value: columns.iter().map(|(column, _)| column.clone()).collect() }
            }
            Self::Rekey { key, columns, .. } => Schema {
                key: key.iter().map(|(column, _)| column.clone()).collect(),
                value: columns.iter().map(|(column, _)| column.clone()).collect(),
            },
            Self::FlatMap(flat_map) => flat_map.schema(),
            Self::Aggregate(aggregate) => aggregate.schema(),
            Self::StreamTableJoin { left, right, .. } => {
                let mut schema = left.schema();
                schema.value.extend(right.schema().value);
                schema
            }
            Self::StreamStreamJoin(join) => join.schema(),
            Self::TableTableJoin(join) => join.schema(),
            Self::ForeignKeyJoin(join) => join.schema(),
        }
    }

    /// A [`PlanNode::Project`] whose key columns are called `key_names`.
    pub(super) fn projection(input: Self, key_names: Vec<String>, columns: Vec<(Column, Expr)>) -> Self {
        let named = input.key().into_iter().zip(key_names);
        let key = named.map(|(column, name)| Column::new(name, column.sql_type)).collect();
        Self::Project { input: Box::new(input), key, columns }
    }

    /// Key columns of the emitted rows. Of the value columns below nothing is read: there are many under a row of joins.
    pub fn key(&self) -> Vec<Column> {
        match self {
            Self::Source(source) => source.declared.key.clone(),
            Self::Filter { input, .. } | Self::Repartition { input, .. } | Self::Materialize { input } => input.key(),
            Self::Project { key, .. } => key.clone(),
            Self::Rekey { key, .. } => key.iter().map(|(column, _)| column.clone()).collect(),
            Self::FlatMap(FlatMap { input, .. }) | Self::Aggregate(Aggregate { input, .. }) => input.key(),
            Self::StreamTableJoin { left, .. } | Self::ForeignKeyJoin(ForeignKeyJoin { left, .. }) => left.key(),
            Self::StreamStreamJoin(StreamStreamJoin { key, .. }) | Self::TableTableJoin(TableTableJoin { key, .. }) => {
                vec![key.clone()]
            }
        }
    }

    /// The windows that its innermost aggregation makes.
    pub fn window_type(&self) -> Option<WindowType> {
        let of_inputs = || self.inputs().into_iter().find_map(PlanNode::window_type);
        match self {
            Self::Aggregate(aggregate) => aggregate.window.as_ref().map(WindowSpec::window_type).or_else(of_inputs),
            _ => of_inputs(),
        }
    }

    /// Windows of the emitted keys.
    pub fn window(&self) -> Option<WindowKind> {
        match self {
            Self::Source(source) => source.window,
            Self::Aggregate(aggregate) => aggregate.window.as_ref().map(WindowSpec::kind),
            Self::Filter { input, .. }
            | Self::Repartition { input, .. }
            | Self::Materialize { input }
            | Self::FlatMap(FlatMap { input, .. })
            | Self::Project { input, .. } => input.window(),
            Self::Rekey { input, keeps_window, .. } => input.window().filter(|_| *keeps_window),
            Self::StreamTableJoin { left, .. }
            | Self::StreamStreamJoin(StreamStreamJoin { left, .. })
            | Self::TableTableJoin(TableTableJoin { left, .. })
            | Self::ForeignKeyJoin(ForeignKeyJoin { left, .. }) => left.window(),
        }
    }

    /// Whether the rows form a stream or a table.
    pub fn collection(&self) -> Collection {
        match self {
            Self::Source(source) => source.collection,
            Self::Aggregate(_) | Self::TableTableJoin(_) | Self::ForeignKeyJoin(_) => Collection::Table,
            Self::Filter { input, .. }
            | Self::Repartition { input, .. }
            | Self::Materialize { input }
            | Self::Project { input, .. }
            | Self::FlatMap(FlatMap { input, .. })
            | Self::Rekey { input, .. } => input.collection(),
            Self::StreamTableJoin { .. } | Self::StreamStreamJoin(_) => Collection::Stream,
        }
    }

    /// The steps directly below, left to right.
    pub fn inputs(&self) -> Vec<&PlanNode> {
        match self {
            Self::Source(_) => vec![],
            Self::Filter { input, .. }
            | Self::Repartition { input, .. }
            | Self::Materialize { input }
            | Self::Project { input, .. }
            | Self::FlatMap(FlatMap { input, .. })
            | Self::Rekey { input, .. } => vec![input],
            Self::Aggregate(aggregate) => vec![&aggregate.input],
            Self::StreamTableJoin { left, right, .. }
            | Self::StreamStreamJoin(StreamStreamJoin { left, right, .. })
            | Self::TableTableJoin(TableTableJoin { left, right, .. })
            | Self::ForeignKeyJoin(ForeignKeyJoin { left, right, .. }) => vec![left, right],
        }
    }

    /// The steps directly below, left to right.
    pub(super) fn inputs_mut(&mut self) -> Vec<&mut PlanNode> {
        match self {
            Self::Source(_) => vec![],
            Self::Filter { input, .. }
            | Self::Repartition { input, .. }
            | Self::Materialize { input }
            | Self::Project { input, .. }
            | Self::FlatMap(FlatMap { input, .. })
            | Self::Rekey { input, .. } => vec![input],
            Self::Aggregate(aggregate) => vec![&mut aggregate.input],
            Self::StreamTableJoin { left, right, .. }
            | Self::StreamStreamJoin(StreamStreamJoin { left, right, .. })
            | Self::TableTableJoin(TableTableJoin { left, right, .. })
            | Self::ForeignKeyJoin(ForeignKeyJoin { left, right, .. }) => vec![left, right],
        }
    }

    /// The expressions of the step itself, over the rows of the steps below.
    pub(super) fn expressions_mut(&mut self) -> Vec<&mut Expr> {
        match self {
            Self::Filter { predicate, .. } => vec![predicate],
            Self::Project { columns, .. } => columns.iter_mut().map(|(_, expr)| expr).collect(),
            Self::Rekey { key, columns, .. } => key.iter_mut().chain(columns).map(|(_, expr)| expr).collect(),
            Self::FlatMap(flat_map) => flat_map.calls.iter_mut().map(|call| &mut call.list).collect(),
            Self::ForeignKeyJoin(join) => vec![&mut join.foreign_key],
            Self::Source(_)
            | Self::Repartition { .. }
            | Self::Materialize { .. }
            | Self::Aggregate(_)
            | Self::StreamTableJoin { .. }
            | Self::StreamStreamJoin(_)
            | Self::TableTableJoin(_) => vec![],
        }
    }

    /// How many value columns the emitted rows have, beside [`PlanNode::key`].
    pub(super) fn value_width(&self) -> usize {
        match self {
            Self::Source(source) => source.declared.value.len() + source.pseudo_columns.len(),
            Self::Filter { input, .. } | Self::Repartition { input, .. } | Self::Materialize { input } => {
                input.value_width()
            }
            Self::Project { columns, .. } | Self::Rekey { columns, .. } => columns.len(),
            Self::FlatMap(flat_map) => flat_map.carried.len() + flat_map.calls.len(),
            Self::Aggregate(aggregate) => aggregate.carried + aggregate.calls.len(),
            Self::StreamTableJoin { left, right, .. }
            | Self::StreamStreamJoin(StreamStreamJoin { left, right, .. })
            | Self::TableTableJoin(TableTableJoin { left, right, .. })
            | Self::ForeignKeyJoin(ForeignKeyJoin { left, right, .. }) => left.value_width() + right.value_width(),
        }
    }

    /// Whether rows go by way of internal topics.
    pub fn has_internal_topics(&self) -> bool {
        let has_own = matches!(self, Self::Repartition { .. } | Self::ForeignKeyJoin(_));
        has_own || self.inputs().into_iter().any(PlanNode::has_internal_topics)
    }

    /// The source, if above it each row is only looked at by itself: filtered and projected.
    pub fn tapped_source(&self) -> Option<&Source> {
        match self {
            Self::Source(source) => Some(source),
            Self::Filter { input, .. } | Self::Project { input, .. } => input.tapped_source(),
            _ => None,
        }
    }

    /// All sources of the plan, left to right.
    pub fn sources(&self) -> Vec<&Source> {
        match self {
            Self::Source(source) => vec![source],
            other => other.inputs().into_iter().flat_map(PlanNode::sources).collect(),
        }
    }
}

impl Source {
    /// Whether its rows are kept in a store of its own.
    pub fn is_stored(&self) -> bool {
        self.collection == Collection::Table && self.materialized
    }

    /// Everything that decides how bytes become rows, but which columns are built.
    pub fn way_of_reading(&self) -> String {
        let Self { key_serde, value_serde, declared, envelope, window, timestamp, pseudo_columns, .. } = self;
        format!("{key_serde:?} {value_serde:?} {declared:?} {envelope:?} {window:?} {timestamp:?} {pseudo_columns:?}")
    }

    /// Declared columns, then pseudo columns.
    pub fn schema(&self) -> Schema {
        let mut schema = self.declared.clone();
        schema.value.extend(self.pseudo_columns.iter().map(PseudoColumn::column));
        schema
    }
}

impl FlatMap {
    /// The input's key; carried columns, then those of the calls.
    pub fn schema(&self) -> Schema {
        let Schema { key, value } = self.input.schema();
        let carried = self.carried.iter().map(|index| value[*index].clone());
        Schema { key, value: carried.chain(self.calls.iter().map(|call| call.column.clone())).collect() }
    }
}

impl Aggregate {
    /// Group key; carried columns, then results.
    pub fn schema(&self) -> Schema {
        let input = self.input.schema();
        let mut value: Vec<Column> = input.value[..self.carried].to_vec();
        value.extend(self.calls.iter().map(|call| Column::new(call.name.clone(), call.result.clone())));
        Schema { key: input.key, value }
    }
}

/// A plan shared by the tasks that run it.
pub type SharedPlan = Arc<QueryPlan>;
