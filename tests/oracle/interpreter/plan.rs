//! The steps of a query, from its sources to its result.

use super::accumulator::Accumulators;
use super::aggregate::Aggregate;
use super::filter::{Filter, TableFilter};
use super::foreign_key_join::ForeignKeyJoin;
use super::hold_back::HoldBack;
use super::project::Project;
use super::rekey::{GroupBy, JoinSide, PartitionBy};
use super::session_aggregate::SessionAggregate;
use super::stream_stream_join::StreamStreamJoin;
use super::stream_table_join::StreamTableJoin;
use super::table_aggregate::TableAggregate;
use super::table_source::TableSource;
use super::table_table_join::TableTableJoin;
use super::window_aggregate::WindowAggregate;
use super::{Interpreter, Operator};
use crate::oracle::expression::{Expr, Scope};
use crate::oracle::query::{Grouping, Join, JoinKind, JoinType, Query, Shape, Source, Step, Window, joined_scope};

/// Whose changes a step takes.
#[derive(Clone, Copy)]
enum Tail {
    Source(usize),
    Step(usize),
}

/// Puts the steps of a query together.
pub struct Builder<'a> {
    query: &'a Query,
    sources: &'a [Source],
    holds_back: bool,
    interpreter: Interpreter,
}

impl<'a> Builder<'a> {
    pub fn new(query: &'a Query, sources: &'a [Source], holds_back: bool) -> Self {
        let interpreter = Interpreter {
            steps: Vec::new(),
            entries: vec![Vec::new(); sources.len()],
            tables: sources.iter().map(|source| source.is_table).collect(),
            result: Vec::new(),
            query: query.clone(),
        };
        Self { query, sources, holds_back, interpreter }
    }

    pub fn build(mut self) -> Interpreter {
        let mut tail = self.source(0);
        for (index, join) in self.query.joins.iter().enumerate() {
            tail = self.join(tail, index + 1, join);
        }
        let is_table = self.sources[0].is_table;
        if let Some(filter) = &self.query.filter {
            tail = self.filter(tail, filter, is_table);
        }
        let scope = joined_scope(self.sources);
        match &self.query.step {
            Step::Keep => {}
            Step::PartitionBy(by) => {
                tail = self.add(&[tail], PartitionBy { by: by.clone(), width: scope.len() });
            }
            Step::GroupBy(grouping) => tail = self.group_by(tail, grouping, &scope, is_table),
        }
        let values = self.query.values.iter().map(|(value, _)| value.clone()).collect();
        let result = self.add(&[tail], Project { values });
        if is_table && !self.query.joins.is_empty() && matches!(self.query.step, Step::Keep) {
            // It is the selected rows of joined tables that are kept (semantics 5.4).
            self.held_back(result);
        }
        self.interpreter
    }

    fn add(&mut self, inputs: &[Tail], operator: impl Operator + 'static) -> Tail {
        let step = self.interpreter.steps.len();
        self.interpreter.steps.push((Box::new(operator), None));
        for (port, input) in inputs.iter().enumerate() {
            match *input {
                Tail::Source(source) => {
                    let written = self.sources[source].again.as_ref().map_or(source, |(first, _)| *first);
                    self.interpreter.entries[written].push((step, port));
                }
                Tail::Step(before) => self.interpreter.steps[before].1 = Some((step, port)),
            }
        }
        Tail::Step(step)
    }

    /// The results of a stored table, at commit only if there is a record cache.
    fn held_back(&mut self, table: Tail) -> Tail {
        if self.holds_back { self.add(&[table], HoldBack::default()) } else { table }
    }

    /// A source; joins look through the cache of a table.
    fn source(&mut self, source: usize) -> Tail {
        if !self.sources[source].is_table {
            return Tail::Source(source);
        }
        let table = self.add(&[Tail::Source(source)], TableSource::default());
        if self.query.joins.is_empty() { self.held_back(table) } else { table }
    }

    fn filter(&mut self, input: Tail, condition: &Expr, is_table: bool) -> Tail {
        let condition = condition.clone();
        if is_table { self.add(&[input], TableFilter { condition }) } else { self.add(&[input], Filter { condition }) }
    }

    fn join(&mut self, left: Tail, right: usize, join: &Join) -> Tail {
        let left_width = joined_scope(&self.sources[..right]).len();
        let right_width = self.sources[right].scope().len();
        let right_tail = self.source(right);
        if join.kind == JoinKind::ForeignKey {
            return self.add(
                &[left, right_tail],
                ForeignKeyJoin {
                    foreign_key: join.left_key.clone(),
                    keeps_unmatched: join.join_type == JoinType::Left,
                    right_width,
                    key_format: self.sources[0].key_format,
                    left: Vec::new(),
                    right: Vec::new(),
                    told: Vec::new(),
                },
            );
        }
        let keeps_left = matches!(join.join_type, JoinType::Left | JoinType::Full);
        let keeps_right = matches!(join.join_type, JoinType::Right | JoinType::Full);
        let left = self.join_side(left, &join.left_key, left_width, join.repartitions[0], keeps_left);
        let right = self.join_side(right_tail, &join.right_key, right_width, join.repartitions[1], keeps_right);
        let widths = [left_width, right_width];
        match join.kind {
            JoinKind::StreamTable => {
                self.add(&[left, right], StreamTableJoin { keeps_unmatched: keeps_left, right_width, rows: Vec::new() })
            }
            JoinKind::StreamStream(within) => {
                self.add(&[left, right], StreamStreamJoin::new(join.join_type, within, widths, join.key_format))
            }
            JoinKind::TableTable | JoinKind::ForeignKey => {
                let (join_type, sides, told) = (join.join_type, [Vec::new(), Vec::new()], Vec::new());
                self.add(&[left, right], TableTableJoin { join_type, widths, sides, told })
            }
        }
    }

    fn join_side(&mut self, side: Tail, by: &Expr, width: usize, repartitions: bool, keeps_null_keys: bool) -> Tail {
        if !repartitions {
            return side;
        }
        self.add(&[side], JoinSide { by: by.clone(), width, keeps_null_keys })
    }

    fn group_by(&mut self, input: Tail, grouping: &Grouping, scope: &Scope, is_table: bool) -> Tail {
        let initial = Accumulators::new(&grouping.calls, scope);
        let by = grouping.by.clone();
        let mut is_final = false;
        let mut tail = if is_table {
            self.add(&[input], TableAggregate { by, initial, groups: Vec::new() })
        } else {
            let input = if grouping.is_own_key { input } else { self.add(&[input], GroupBy { by }) };
            match grouping.window {
                None => self.add(&[input], Aggregate { initial, groups: Vec::new() }),
                Some(window) => {
                    is_final = window.is_final;
                    self.windowed(input, grouping, window, initial)
                }
            }
        };
        if !is_final {
            tail = self.held_back(tail);
        }
        match &grouping.having {
            Some(having) => self.filter(tail, having, true),
            None => tail,
        }
    }

    fn windowed(&mut self, input: Tail, grouping: &Grouping, window: Window, initial: Accumulators) -> Tail {
        let Window { shape, retention_ms, grace_ms, is_final } = window;
        let key_format = grouping.key_format;
        match shape {
            Shape::Time { size_ms, advance_ms } => self.add(
                &[input],
                WindowAggregate {
                    initial,
                    size_ms,
                    advance_ms,
                    grace_ms,
                    retention_ms,
                    is_final,
                    key_format,
                    windows: Vec::new(),
                    stream_time: -1,
                    newest_start: -1,
                },
            ),
            Shape::Session { gap_ms } => self.add(
                &[input],
                SessionAggregate {
                    initial,
                    gap_ms,
                    grace_ms,
                    retention_ms,
                    is_final,
                    holds_back: self.holds_back,
                    key_format,
                    sessions: Vec::new(),
                    stream_time: -1,
                    newest_end: -1,
                },
            ),
        }
    }
}
