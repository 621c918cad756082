//! The steps of a read: rows in, rows out, until there are no more.

use crate::types::{Column, SqlType};

use super::super::pull::PullPlan;
use super::super::{AggregateCall, Expr, PushPlan};

/// A read as it is to be carried out.
#[derive(Debug, Clone)]
pub struct ReadPlan {
    /// The last step, whose rows are the answer.
    pub root: ReadNode,
}

/// A step of a read.
#[derive(Debug, Clone)]
pub enum ReadNode {
    /// Rows of a table that a query keeps, or of a system table.
    Table {
        /// Which of them, and what of each.
        plan: Box<PullPlan>,
        /// The same as a statement, for servers that have some of them.
        text: String,
    },
    /// Records of a topic, from its beginning to where it ends now.
    Topic {
        /// What is read, and what of each record.
        plan: Box<PushPlan>,
        /// Of a table: how many of the first columns are its key, of which the last record counts.
        latest_by: Option<usize>,
    },
    /// Rows for which a condition is true.
    Filter {
        /// Where they come from.
        input: Box<ReadNode>,
        /// The condition.
        predicate: Expr,
    },
    /// A row of results for each row.
    Project {
        /// Where they come from.
        input: Box<ReadNode>,
        /// The results.
        columns: Vec<(Column, Expr)>,
    },
    /// A row for each group: its key, then a result for each call.
    Aggregate {
        /// Rows of key and arguments.
        input: Box<ReadNode>,
        /// How many of the first columns are the key. Without key everything is one group, which is there even without rows.
        keys: usize,
        /// The aggregates, over the columns behind the key.
        calls: Vec<AggregateCall>,
    },
    /// Rows without repetition.
    Distinct {
        /// Where they come from.
        input: Box<ReadNode>,
    },
    /// Pairs of rows.
    Join(Box<ReadJoin>),
    /// Each row with what a query inside an expression says of it.
    Subquery {
        /// The rows.
        input: Box<ReadNode>,
        /// The query.
        query: Box<ReadNode>,
        /// What is asked of its rows.
        asks: SubqueryAsks,
    },
    /// Rows in order.
    Sort {
        /// Where they come from.
        input: Box<ReadNode>,
        /// What they are compared by.
        keys: Vec<SortKey>,
        /// How many of the first rows are wanted.
        fetch: Option<u64>,
    },
    /// Some of the rows.
    Limit {
        /// Where they come from.
        input: Box<ReadNode>,
        /// How many are left out at first.
        offset: u64,
        /// How many there are then at most.
        limit: Option<u64>,
    },
    /// The rows of one after those of another; all have the same columns.
    Union {
        /// Where they come from.
        inputs: Vec<ReadNode>,
    },
}

/// Pairs of rows of two inputs: columns of the left one, then of the right one.
#[derive(Debug, Clone)]
pub struct ReadJoin {
    /// The left input.
    pub left: ReadNode,
    /// The right input, which is held in memory.
    pub right: ReadNode,
    /// Rows of the left input without partner stay.
    pub keeps_left: bool,
    /// Rows of the right input without partner stay.
    pub keeps_right: bool,
    /// Values that are equal, each over the rows of its own input.
    pub keys: Vec<(Expr, Expr)>,
    /// What is true of pairs besides.
    pub condition: Option<Expr>,
}

/// What is asked of the rows of a query inside an expression.
#[derive(Debug, Clone)]
pub enum SubqueryAsks {
    /// The one value of the one row that there may be.
    Value,
    /// Whether there is a row.
    Exists,
    /// Whether a row has the value: of the outer row, and of the row.
    Contains(Box<Expr>, Box<Expr>),
}

/// What rows are compared by.
#[derive(Debug, Clone)]
pub struct SortKey {
    /// Index of the column.
    pub column: usize,
    /// From the greatest on.
    pub descending: bool,
    /// Whether NULL comes before all values.
    pub nulls_first: bool,
}

impl ReadNode {
    /// Columns of its rows.
    pub fn columns(&self) -> Vec<Column> {
        match self {
            Self::Table { plan, .. } => plan.columns.iter().map(|(column, _)| column.clone()).collect(),
            Self::Topic { plan, .. } => plan.columns.iter().map(|result| result.column.clone()).collect(),
            Self::Project { columns, .. } => columns.iter().map(|(column, _)| column.clone()).collect(),
            Self::Aggregate { input, keys, calls } => {
                let mut columns = input.columns();
                columns.truncate(*keys);
                columns.extend(calls.iter().map(|call| Column::new(call.name.clone(), call.result.clone())));
                columns
            }
            Self::Join(join) => [join.left.columns(), join.right.columns()].concat(),
            Self::Subquery { input, query, asks } => {
                let mut columns = input.columns();
                let sql_type = match asks {
                    SubqueryAsks::Value => query.columns().first().map(|column| column.sql_type.clone()),
                    SubqueryAsks::Exists | SubqueryAsks::Contains(..) => None,
                };
                let name = format!("SUBQUERY_{}", columns.len());
                columns.push(Column::new(name, sql_type.unwrap_or(SqlType::Boolean)));
                columns
            }
            Self::Filter { input, .. }
            | Self::Distinct { input }
            | Self::Sort { input, .. }
            | Self::Limit { input, .. } => input.columns(),
            Self::Union { inputs } => inputs.first().map(Self::columns).unwrap_or_default(),
        }
    }

    /// What it takes rows from.
    pub fn inputs(&self) -> Vec<&ReadNode> {
        match self {
            Self::Table { .. } | Self::Topic { .. } => Vec::new(),
            Self::Join(join) => vec![&join.left, &join.right],
            Self::Subquery { input, query, .. } => vec![input, query],
            Self::Union { inputs } => inputs.iter().collect(),
            Self::Filter { input, .. }
            | Self::Project { input, .. }
            | Self::Aggregate { input, .. }
            | Self::Distinct { input }
            | Self::Sort { input, .. }
            | Self::Limit { input, .. } => vec![input],
        }
    }

    /// How many sources it reads, each as often as it is read.
    pub fn sources(&self) -> usize {
        match self {
            Self::Table { .. } | Self::Topic { .. } => 1,
            other => other.inputs().into_iter().map(Self::sources).sum(),
        }
    }

    /// The reads of topics in it.
    pub fn topics(&self) -> Vec<&PushPlan> {
        match self {
            Self::Topic { plan, .. } => vec![plan],
            other => other.inputs().into_iter().flat_map(Self::topics).collect(),
        }
    }
}
