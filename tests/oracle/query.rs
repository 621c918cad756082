//! Sources and queries as values, and the SQL that says the same.

use std::fmt::Write as _;

use super::expression::{Expr, Scope};
use super::value::{KeyFormat, SqlType};

/// A column.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub sql_type: SqlType,
}

/// A stream or table that is written to from outside.
#[derive(Debug, Clone)]
pub struct Source {
    /// Its name, or its alias where it is another source once more; in lower case that of its topic.
    pub name: String,
    /// Index and name of the source that it is once more: that is joined with itself.
    pub again: Option<(usize, String)>,
    pub is_table: bool,
    pub key: Vec<Column>,
    pub key_format: KeyFormat,
    pub value: Vec<Column>,
    /// The windows of its keys.
    pub window: Option<Shape>,
}

impl Source {
    pub fn topic(&self) -> String {
        self.own_name().to_lowercase()
    }

    /// Its name in the catalog.
    fn own_name(&self) -> &str {
        self.again.as_ref().map_or(&self.name, |(_, name)| name)
    }

    /// As FROM names it.
    fn occurrence(&self) -> String {
        match &self.again {
            Some((_, name)) => format!("{name} {}", self.name),
            None => self.name.clone(),
        }
    }

    /// Its rows: key columns, value columns, ROWTIME, the bounds of windows.
    pub fn scope(&self) -> Scope {
        let columns = self.key.iter().chain(&self.value);
        let mut scope: Scope =
            columns.map(|column| (format!("{}.{}", self.name, column.name), column.sql_type)).collect();
        let bounds = if self.window.is_some() { ["WINDOWSTART", "WINDOWEND"].as_slice() } else { &[] };
        let pseudo = ["ROWTIME"].iter().chain(bounds);
        scope.extend(pseudo.map(|column| (format!("{}.{column}", self.name), SqlType::BigInt)));
        scope
    }

    fn sql(&self) -> String {
        let (kind, role) = if self.is_table { ("TABLE", "PRIMARY KEY") } else { ("STREAM", "KEY") };
        let key = self.key.iter().map(|column| format!("{} {} {role}", column.name, column.sql_type.name()));
        let value = self.value.iter().map(|column| format!("{} {}", column.name, column.sql_type.name()));
        let columns: Vec<String> = key.chain(value).collect();
        let window = match self.window {
            None => String::new(),
            Some(Shape::Session { .. }) => ", WINDOW_TYPE='SESSION'".to_owned(),
            Some(Shape::Time { size_ms, advance_ms }) => {
                let kind = if size_ms == advance_ms { "TUMBLING" } else { "HOPPING" };
                format!(", WINDOW_TYPE='{kind}', WINDOW_SIZE='{size_ms} MILLISECONDS'")
            }
        };
        format!(
            "CREATE {kind} {} ({}) WITH (KAFKA_TOPIC='{}', KEY_FORMAT='{}', VALUE_FORMAT='JSON'{window});\n",
            self.name,
            columns.join(", "),
            self.topic(),
            self.key_format.name()
        )
    }
}

/// Which sides of a join stay without a partner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinType {
    Inner,
    Left,
    Right,
    Full,
}

impl JoinType {
    fn sql(self) -> &'static str {
        match self {
            Self::Inner => "JOIN",
            Self::Left => "LEFT JOIN",
            Self::Right => "RIGHT JOIN",
            Self::Full => "FULL OUTER JOIN",
        }
    }
}

/// What is joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    StreamTable,
    StreamStream(Within),
    TableTable,
    ForeignKey,
}

/// How far apart the records of two streams may be, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::struct_field_names, reason = "the unit belongs to each")]
pub struct Within {
    pub before_ms: i64,
    pub after_ms: i64,
    /// `None`: no GRACE clause.
    pub grace_ms: Option<i64>,
}

impl Within {
    fn sql(self) -> String {
        let span = if self.before_ms == self.after_ms {
            format!("{} MILLISECONDS", self.before_ms)
        } else {
            format!("({} MILLISECONDS, {} MILLISECONDS)", self.before_ms, self.after_ms)
        };
        let grace = self.grace_ms.map_or_else(String::new, |grace| format!(" GRACE PERIOD {grace} MILLISECONDS"));
        format!(" WITHIN {span}{grace}")
    }
}

/// A further source.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "`type` is a word of Rust")]
pub struct Join {
    pub join_type: JoinType,
    pub kind: JoinKind,
    /// Over the row so far.
    pub left_key: Expr,
    /// Over the row of the source that is joined.
    pub right_key: Expr,
    /// Whether rows of a side go by way of a topic to get the key of the join.
    pub repartitions: [bool; 2],
    /// The formats that the keys of the join have.
    pub key_format: KeyFormat,
}

/// An aggregate function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    Count,
    Sum,
    Min,
    Max,
    Avg,
}

/// A call of it; without an argument it counts rows.
#[derive(Debug, Clone)]
pub struct Call {
    pub function: Function,
    pub argument: Option<Expr>,
}

impl Call {
    fn sql(&self, scope: &Scope) -> String {
        let name = match self.function {
            Function::Count => "COUNT",
            Function::Sum => "SUM",
            Function::Min => "MIN",
            Function::Max => "MAX",
            Function::Avg => "AVG",
        };
        let argument = self.argument.as_ref().map_or_else(|| "*".to_owned(), |argument| argument.sql(scope));
        format!("{name}({argument})")
    }

    fn sql_type(&self, scope: &Scope) -> SqlType {
        match (self.function, &self.argument) {
            (Function::Avg, _) => SqlType::Double,
            (Function::Sum | Function::Min | Function::Max, Some(argument)) => argument.sql_type(scope),
            _ => SqlType::BigInt,
        }
    }
}

/// The shape of windows, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    Time { size_ms: i64, advance_ms: i64 },
    Session { gap_ms: i64 },
}

/// Windows of an aggregation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    pub shape: Shape,
    pub retention_ms: Option<i64>,
    pub grace_ms: Option<i64>,
    /// EMIT FINAL.
    pub is_final: bool,
}

impl Window {
    fn sql(self) -> String {
        let mut clauses = match self.shape {
            Shape::Time { size_ms, advance_ms } if size_ms == advance_ms => {
                format!("TUMBLING (SIZE {size_ms} MILLISECONDS")
            }
            Shape::Time { size_ms, advance_ms } => {
                format!("HOPPING (SIZE {size_ms} MILLISECONDS, ADVANCE BY {advance_ms} MILLISECONDS")
            }
            Shape::Session { gap_ms } => format!("SESSION ({gap_ms} MILLISECONDS"),
        };
        for (word, time) in [("RETENTION", self.retention_ms), ("GRACE PERIOD", self.grace_ms)] {
            if let Some(time) = time {
                write!(clauses, ", {word} {time} MILLISECONDS").expect("text can be appended to");
            }
        }
        format!(" WINDOW {clauses})")
    }
}

/// GROUP BY.
#[derive(Debug, Clone)]
pub struct Grouping {
    pub by: Vec<Expr>,
    pub calls: Vec<Call>,
    pub window: Option<Window>,
    /// Over the rows of the result.
    pub having: Option<Expr>,
    /// The group is exactly the one key column: no topic in between.
    pub is_own_key: bool,
    /// The format of the group's key where it is kept.
    pub key_format: KeyFormat,
}

impl Grouping {
    /// Rows of the result: the group, the aggregates, the window's bounds.
    pub fn scope(&self, input: &Scope) -> Scope {
        let by = self.by.iter().map(|by| (by.sql(input), by.sql_type(input)));
        let calls = self.calls.iter().map(|call| (call.sql(input), call.sql_type(input)));
        let bounds = ["WINDOWSTART", "WINDOWEND"].map(|name| (name.to_owned(), SqlType::BigInt));
        by.chain(calls).chain(bounds).collect()
    }
}

/// What is done with the rows that WHERE leaves.
#[derive(Debug, Clone)]
pub enum Step {
    Keep,
    PartitionBy(Expr),
    GroupBy(Grouping),
}

/// A persistent query. Its result is in topic `RESULT`.
#[derive(Debug, Clone)]
pub struct Query {
    /// The first source is the one in FROM; each other has its join.
    pub joins: Vec<Join>,
    pub filter: Option<Expr>,
    pub step: Step,
    /// The key columns of the result: what is selected for them, and their names.
    pub key: Vec<(String, String)>,
    pub key_format: KeyFormat,
    /// The value columns of the result, over the last scope.
    pub values: Vec<(Expr, String)>,
}

/// The rows after the joins: the rows of the sources side by side.
pub fn joined_scope(sources: &[Source]) -> Scope {
    sources.iter().flat_map(Source::scope).collect()
}

impl Query {
    pub fn has_foreign_key(&self) -> bool {
        self.joins.iter().any(|join| join.kind == JoinKind::ForeignKey)
    }

    /// Whether the result is a table.
    pub fn is_table(&self, sources: &[Source]) -> bool {
        sources[0].is_table || matches!(self.step, Step::GroupBy(_))
    }

    /// All statements.
    pub fn sql(&self, sources: &[Source]) -> String {
        let scope = joined_scope(sources);
        let mut text: String = sources.iter().filter(|source| source.again.is_none()).map(Source::sql).collect();
        let last = match &self.step {
            Step::GroupBy(grouping) => grouping.scope(&scope),
            Step::Keep | Step::PartitionBy(_) => scope.clone(),
        };
        let key = self.key.iter().map(|(selected, name)| format!("{selected} AS {name}"));
        let values = self.values.iter().map(|(value, name)| format!("{} AS {name}", value.sql(&last)));
        let items: Vec<String> = key.chain(values).collect();
        let kind = if self.is_table(sources) { "TABLE" } else { "STREAM" };
        write!(
            text,
            "CREATE {kind} RESULT WITH (KEY_FORMAT='{}') AS SELECT {} FROM {}",
            self.key_format.name(),
            items.join(", "),
            sources[0].name
        )
        .expect("text can be appended to");
        for (join, (source, at)) in self.joins.iter().zip(sources.iter().zip(offsets(sources)).skip(1)) {
            text.push_str(&join_sql(join, source, &scope[..at].to_vec()));
        }
        if let Step::GroupBy(Grouping { window: Some(window), .. }) = &self.step {
            text.push_str(&window.sql());
        }
        if let Some(filter) = &self.filter {
            text.push_str(&format!(" WHERE {}", filter.sql(&scope)));
        }
        match &self.step {
            Step::Keep => {}
            Step::PartitionBy(by) => text.push_str(&format!(" PARTITION BY {}", by.sql(&scope))),
            Step::GroupBy(grouping) => {
                let by: Vec<String> = grouping.by.iter().map(|by| by.sql(&scope)).collect();
                text.push_str(&format!(" GROUP BY {}", by.join(", ")));
                if let Some(having) = &grouping.having {
                    text.push_str(&format!(" HAVING {}", having.sql(&last)));
                }
                if grouping.window.is_some_and(|window| window.is_final) {
                    text.push_str(" EMIT FINAL");
                }
            }
        }
        text.push_str(";\n");
        text
    }
}

/// Where the columns of each source begin in a joined row.
pub fn offsets(sources: &[Source]) -> Vec<usize> {
    let widths = sources.iter().map(|source| source.scope().len());
    widths
        .scan(0, |next, width| {
            let at = *next;
            *next += width;
            Some(at)
        })
        .collect()
}

fn join_sql(join: &Join, source: &Source, left: &Scope) -> String {
    let within = match join.kind {
        JoinKind::StreamStream(within) => within.sql(),
        JoinKind::StreamTable | JoinKind::TableTable | JoinKind::ForeignKey => String::new(),
    };
    let on = format!("{} = {}", join.left_key.sql(left), join.right_key.sql(&source.scope()));
    format!(" {} {}{within} ON {on}", join.join_type.sql(), source.occurrence())
}
