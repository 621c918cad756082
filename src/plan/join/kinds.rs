//! Which kinds of collections can be joined how, and on what.

use crate::catalog::WindowType;
use crate::sql::ast::{self, Expression, Join, TimeSpan, Within};

use super::super::error::PlanError;
use super::super::scope::{Role, Scope, ScopeColumn, as_column};
use super::super::windows::GRACE_DEFAULT_MS;
use super::super::{JoinKind, JoinWindow, StreamTableJoinKind};
use super::key::JoinKey;

/// What is joined how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepKind {
    StreamTable(StreamTableJoinKind),
    StreamStream(JoinKind, JoinWindow),
    TableTable(JoinKind),
    ForeignKey(JoinKind),
}

/// Two sides that are to be joined.
pub(super) struct Pair<'a> {
    pub(super) join: &'a Join,
    /// Its expression, and the index of the source that is about.
    pub(super) left: (&'a Expression, usize),
    /// Its expression, and the index of the source that the join adds.
    pub(super) right: (&'a Expression, usize),
    /// The condition as written.
    pub(super) shown: &'a str,
    /// Key of what has been joined before.
    pub(super) key: &'a JoinKey,
    pub(super) scope: &'a Scope,
}

impl Pair<'_> {
    /// The kind of the join, if there is one.
    pub(super) fn kind(&self) -> Result<StepKind, PlanError> {
        // What has been joined so far is a stream exactly when it began with one.
        let left_is_table = self.scope.sources[0].data.is_table();
        match (left_is_table, self.scope.sources[self.right.1].data.is_table()) {
            (true, false) => self.table_stream(),
            (false, true) => self.stream_table().map(StepKind::StreamTable),
            (false, false) => self.stream_stream(),
            (true, true) => self.table_table(),
        }
    }

    fn refused<T>(&self, text: impl Into<String>) -> Result<T, PlanError> {
        Err(PlanError::refused(text, self.join.span))
    }

    /// `A LEFT [OUTER] JOIN B`.
    fn words(&self) -> String {
        let alias = |source: usize| &self.scope.sources[source].alias;
        format!("{} {} {}", alias(self.left.1), kind_words(self.join.kind), alias(self.right.1))
    }

    /// Whether the right expression is the whole key of its source.
    fn is_on_primary_key(&self) -> bool {
        let key = &self.scope.sources[self.right.1].data.schema.key;
        let names_key = |found: &ScopeColumn| matches!(found.role, Role::Key(_));
        key.len() == 1 && as_column(self.right.0).and_then(|name| self.scope.column(name)).is_some_and(names_key)
    }

    /// As [`Pair::refused`], for a right side that is not on its key.
    fn not_on_primary_key<T>(&self, text: String) -> Result<T, PlanError> {
        let right = &self.scope.sources[self.right.1].data;
        let key: Vec<&str> = right.schema.key.iter().map(|column| column.name.as_str()).collect();
        let hint = match key.as_slice() {
            [only] => format!("the primary key of {} is {only}", right.name),
            several => {
                format!("{} has {} key columns, and can be joined on none of them alone", right.name, several.len())
            }
        };
        Err(PlanError::refused_with_hint(text, hint, self.join.span))
    }

    fn table_stream(&self) -> Result<StepKind, PlanError> {
        let text = format!(
            "Invalid join order: table-stream joins are not supported; only stream-table joins. Got {}.",
            self.words()
        );
        Err(PlanError::refused_with_hint(text, "put the stream first", self.join.span))
    }

    fn stream_table(&self) -> Result<StreamTableJoinKind, PlanError> {
        if self.join.within.is_some() {
            return self.refused(
                "A window definition was provided for a Stream-Table join. These joins are not windowed. Please remove \
                 the window definition (ie. the WITHIN clause) and try executing your join again.",
            );
        }
        let kind = match self.join.kind {
            ast::JoinKind::Inner => StreamTableJoinKind::Inner,
            ast::JoinKind::Left => StreamTableJoinKind::Left,
            ast::JoinKind::Right => {
                return self.refused(format!("Invalid join type encountered: {}", kind_words(self.join.kind)));
            }
            ast::JoinKind::Outer => {
                return self.refused(format!(
                    "Invalid join type: full-outer join not supported for stream-table join. Got {}.",
                    self.words()
                ));
            }
        };
        if !self.is_on_primary_key() {
            return self.not_on_primary_key(format!(
                "Invalid join condition: stream-table joins require to join on the table's primary key. Got {}.",
                self.shown
            ));
        }
        self.check_windows()?;
        Ok(kind)
    }

    fn stream_stream(&self) -> Result<StepKind, PlanError> {
        self.check_windows()?;
        let Some(within) = &self.join.within else {
            let text = "Stream-Stream joins must have a WITHIN clause specified. None was provided. To learn about how to \
                        specify a WITHIN clause with a stream-stream join, please visit: https://docs.confluent.io/\
                        current/ksql/docs/syntax-reference.html#create-stream-as-select";
            let hint = "say how far apart in time the records of a pair may be: JOIN … WITHIN 1 HOUR ON …";
            return Err(PlanError::refused_with_hint(text, hint, self.join.span));
        };
        Ok(StepKind::StreamStream(join_kind(self.join.kind), window(within)?))
    }

    fn table_table(&self) -> Result<StepKind, PlanError> {
        if !self.is_on_primary_key() {
            return self.not_on_primary_key(format!(
                "Invalid join condition: table-table joins require to join on the primary key of the right input \
                 table. Got {}.",
                self.shown
            ));
        }
        let kind = if self.key.has(self.left.0) {
            self.check_windows()?;
            StepKind::TableTable(join_kind(self.join.kind))
        } else {
            StepKind::ForeignKey(self.foreign_key()?)
        };
        if self.join.within.is_some() {
            return self.refused(
                "A window definition was provided for a Table-Table join. These joins are not windowed. Please remove \
                 the window definition (i.e. the WITHIN clause) and try executing your Table-Table join again.",
            );
        }
        Ok(kind)
    }

    /// The left side refers to the key of the right one.
    fn foreign_key(&self) -> Result<JoinKind, PlanError> {
        let shown = self.shown;
        if self.right.1 > 1 {
            let text = format!(
                "Invalid join condition: foreign-key table-table joins are not supported as part of n-way joins. Got \
                 {shown}."
            );
            let hint = "only the first join may follow a foreign key: keep the result of the joins before as a table of its own";
            return Err(PlanError::refused_with_hint(text, hint, self.join.span));
        }
        let kind = join_kind(self.join.kind);
        match kind {
            JoinKind::Full => {
                return self.refused(format!(
                    "Invalid join type: full-outer join not supported for foreign-key table-table join. Got {}.",
                    self.words()
                ));
            }
            JoinKind::Right => {
                return self.refused(format!(
                    "Invalid join type: RIGHT OUTER JOIN on a foreign key is not supported. Got {}.",
                    self.words()
                ));
            }
            JoinKind::Inner | JoinKind::Left => {}
        }
        if [self.left.1, self.right.1].iter().any(|source| self.scope.sources[*source].data.window.is_some()) {
            return self.refused(format!(
                "Invalid join condition: foreign-key table-table joins are not supported on windowed tables. Got {shown}."
            ));
        }
        Ok(kind)
    }

    /// Windowed keys meet windowed keys of the same family only.
    fn check_windows(&self) -> Result<(), PlanError> {
        let window_of = |source: usize| self.scope.sources[source].data.window_type;
        let line = |source: usize| {
            let found = window_of(source);
            let words = found.map_or("not windowed".to_owned(), |found| format!("{} windowed", found.name()));
            format!("`{}` is {words}", self.scope.sources[source].alias)
        };
        let (left, right) = (self.left.1, self.right.1);
        let is_session = |window: WindowType| window == WindowType::Session;
        let problem = match (window_of(left), window_of(right)) {
            (None, None) => return Ok(()),
            (Some(left), Some(right)) if is_session(left) == is_session(right) => return Ok(()),
            (Some(_), Some(_)) => "Incompatible windowed sources.",
            _ => "Can not join windowed source to non-windowed source.",
        };
        let mut text = format!("{problem}\n{}\n{}", line(left), line(right));
        if window_of(left).is_some() && window_of(right).is_some() {
            text.push_str(
                "\nSession windows can only be joined with session windows: both bounds must be equal. Time windows \
                 (HOPPING and TUMBLING) can only be joined with time windows: their starts must be equal.",
            );
        }
        self.refused(text)
    }
}

fn join_kind(written: ast::JoinKind) -> JoinKind {
    match written {
        ast::JoinKind::Inner => JoinKind::Inner,
        ast::JoinKind::Left => JoinKind::Left,
        ast::JoinKind::Right => JoinKind::Right,
        ast::JoinKind::Outer => JoinKind::Full,
    }
}

fn kind_words(kind: ast::JoinKind) -> &'static str {
    match kind {
        ast::JoinKind::Inner => "[INNER] JOIN",
        ast::JoinKind::Left => "LEFT [OUTER] JOIN",
        ast::JoinKind::Right => "RIGHT [OUTER] JOIN",
        ast::JoinKind::Outer => "FULL [OUTER] JOIN",
    }
}

fn window(within: &Within) -> Result<JoinWindow, PlanError> {
    let refused = |text: &str| Err(PlanError::refused(text, within.span));
    let (before_ms, after_ms) = (within.before.as_millis(), within.after.as_millis());
    if before_ms < 0 || after_ms < 0 {
        return refused("The sizes of a WITHIN clause must not be negative.");
    }
    let by_default = || (GRACE_DEFAULT_MS - before_ms.saturating_mul(2)).max(0);
    let grace_ms = within.grace.map_or_else(by_default, TimeSpan::as_millis);
    if grace_ms < 0 {
        return refused("Grace period must not be negative.");
    }
    Ok(JoinWindow { before_ms, after_ms, grace_ms, is_eager: within.grace.is_none() })
}
