//! What a terminal shows of queries at work, and for how long there was something to do: a line of totals for `levada run` and for
//! `levada server` until it has caught up, a line per query for `levada dev`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::engine::QueryStatus;
use crate::shell::{LiveLines, time_left};

/// Follows the figures of the queries and shows them.
pub(super) struct Progress {
    lines: LiveLines,
    is_per_query: bool,
    start: Instant,
    /// When the figures last changed.
    active: Instant,
    last: Figures,
    /// Figures of a second ago or so, for the rates shown.
    before: (Instant, Figures),
    /// Figures of each query at that moment, by its id.
    queries_before: HashMap<String, Figures>,
    /// Records a second that came in lately.
    rate_in: u64,
}

/// Totals over all queries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Figures {
    pub rows_in: u64,
    pub rows_out: u64,
    pub rejected: u64,
    pub lag: u64,
    /// Records of changelogs that were read and that are to be, of queries whose state comes back.
    pub restored: u64,
    pub to_restore: u64,
    /// Queries that do not run because of an error.
    pub failed: u64,
}

/// Rates are averages over at least this long: shorter ones flicker.
const RATE_SPAN: Duration = Duration::from_secs(1);

impl Figures {
    pub(super) fn of(queries: &[QueryStatus]) -> Self {
        queries.iter().fold(Self::default(), |sum, query| Self {
            rows_in: sum.rows_in + query.rows_in,
            rows_out: sum.rows_out + query.rows_out,
            rejected: sum.rejected + query.rejected,
            lag: sum.lag + query.lag,
            restored: sum.restored + query.restore.map_or(0, |(done, _)| done),
            to_restore: sum.to_restore + query.restore.map_or(0, |(_, of)| of),
            failed: sum.failed + u64::from(query.failure.is_some()),
        })
    }
}

impl Progress {
    /// Starts the clock; a line of totals will be shown.
    pub(super) fn new() -> Self {
        Self::with(false)
    }

    /// Starts the clock; a line per query will be shown.
    pub(super) fn per_query() -> Self {
        Self::with(true)
    }

    #[expect(clippy::disallowed_methods, reason = "it measures for a person, not for the engine")]
    fn with(is_per_query: bool) -> Self {
        let now = Instant::now();
        let before = (now, Figures::default());
        Self {
            lines: LiveLines::default(),
            is_per_query,
            start: now,
            active: now,
            last: Figures::default(),
            before,
            queries_before: HashMap::new(),
            rate_in: 0,
        }
    }

    /// Takes note of the figures at this moment.
    #[expect(clippy::disallowed_methods, reason = "it measures for a person, not for the engine")]
    pub(super) fn note(&mut self, queries: &[QueryStatus]) {
        let now = Instant::now();
        let figures = Figures::of(queries);
        if figures != self.last {
            self.active = now;
            self.last = figures;
        }
        let (since, before) = self.before;
        self.rate_in = rate(figures.rows_in.saturating_sub(before.rows_in), now - since);
        self.lines.show(&if self.is_per_query {
            describe_each(queries, &self.queries_before, now - since)
        } else {
            describe(queries.len(), figures, before, now - since)
        });
        if now - since >= RATE_SPAN {
            self.before = (now, figures);
            let of = |query: &QueryStatus| (query.id.clone(), Figures::of(std::slice::from_ref(query)));
            self.queries_before = queries.iter().map(of).collect();
        }
    }

    /// Whether more waits than is processed in a second.
    pub(super) fn is_behind(&self) -> bool {
        self.last.lag > self.rate_in
    }

    /// Removes the lines until the figures are noted again: what comes in between may write to the terminal.
    pub(super) fn hide(&mut self) {
        self.lines.clear();
    }

    /// Removes the lines; gives the time from the start to the last change.
    pub(super) fn finish(self) -> Duration {
        self.active - self.start
    }
}

/// Events per second, rounded; 0 for no time at all.
pub(super) fn rate(count: u64, time: Duration) -> u64 {
    if time.is_zero() { 0 } else { (count as f64 / time.as_secs_f64()).round() as u64 }
}

fn describe(queries: usize, figures: Figures, before: Figures, span: Duration) -> String {
    let rate_in = rate(figures.rows_in.saturating_sub(before.rows_in), span);
    let rate_out = rate(figures.rows_out.saturating_sub(before.rows_out), span);
    let Figures { rows_in, rows_out, rejected, lag, restored, to_restore, failed } = figures;
    let plural = if queries == 1 { "query" } else { "queries" };
    // Before the lag: a narrow terminal cuts the end.
    let rejected = if rejected == 0 { String::new() } else { format!(", rejected {rejected}") };
    let failed = if failed == 0 { String::new() } else { format!(" ({failed} in error)") };
    let time = |left, count: u64| {
        let time = time_left(left, rate(count, span) as f64);
        time.map_or_else(String::new, |time| format!(", {time}"))
    };
    let restore = match to_restore {
        0 => String::new(),
        of => {
            let time = time(of.saturating_sub(restored), restored.saturating_sub(before.restored));
            format!("restoring {restored} of {of} ({} %{time}), ", restored * 100 / of)
        }
    };
    // How long it takes until nothing waits: records that come meanwhile are not known.
    let catching_up = time(lag, rows_in.saturating_sub(before.rows_in));
    format!(
        "{queries} {plural}{failed}: {restore}in {rows_in} ({rate_in}/s), out {rows_out} ({rate_out}/s){rejected}, lag {lag}{catching_up}"
    )
}

/// Columns of names, which stand to the left; figures stand to the right.
const NAMES: usize = 3;

/// A line per query under headings: what came in and went out, and how fast.
fn describe_each(queries: &[QueryStatus], before: &HashMap<String, Figures>, span: Duration) -> String {
    let headings = ["query", "sink", "state", "in", "in/s", "out", "out/s", "rejected", "lag"].map(str::to_owned);
    let mut lines = vec![headings];
    for query in queries {
        let earlier = before.get(&query.id).copied().unwrap_or_default();
        let per_second = |now: u64, earlier: u64| rate(now.saturating_sub(earlier), span).to_string();
        let state = match query.restore {
            Some((done, of)) if of > 0 => format!("restoring {} %", done * 100 / of),
            _ => query.state.clone(),
        };
        lines.push([
            query.id.clone(),
            query.sink.clone(),
            state,
            query.rows_in.to_string(),
            per_second(query.rows_in, earlier.rows_in),
            query.rows_out.to_string(),
            per_second(query.rows_out, earlier.rows_out),
            query.rejected.to_string(),
            query.lag.to_string(),
        ]);
    }
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default();
    let widths: [usize; 9] = std::array::from_fn(width);
    let text = |line: &[String; 9]| {
        let cell = |(column, (cell, width)): (usize, (&String, &usize))| match column {
            ..NAMES => format!("{cell:<width$}"),
            _ => format!("{cell:>width$}"),
        };
        line.iter().zip(&widths).enumerate().map(cell).collect::<Vec<_>>().join("  ")
    };
    lines.iter().map(text).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_query_has_a_line_with_its_rates() {
        let query = |id: &str, rows_in, restore| QueryStatus {
            id: id.to_owned(),
            sink: "S".to_owned(),
            state: "RUNNING".to_owned(),
            rows_in,
            rows_out: 7,
            rejected: 0,
            lag: 1,
            restore,
            failure: None,
        };
        let before = HashMap::from([("CSAS_A".to_owned(), Figures { rows_in: 100, ..Figures::default() })]);
        let queries = [query("CSAS_A", 300, None), query("B", 5, Some((1, 4)))];
        let text = describe_each(&queries, &before, Duration::from_secs(2));
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines,
            [
                "query   sink  state            in  in/s  out  out/s  rejected  lag",
                "CSAS_A  S     RUNNING         300   100    7      4         0    1",
                "B       S     restoring 25 %    5     3    7      4         0    1",
            ]
        );
    }

    #[test]
    fn describes_totals_and_rates() {
        let before = Figures { rows_in: 1000, ..Figures::default() };
        let figures = Figures { rows_in: 5000, rows_out: 4000, lag: 7, ..Figures::default() };
        let span = Duration::from_secs(2);
        assert_eq!(describe(1, figures, before, span), "1 query: in 5000 (2000/s), out 4000 (2000/s), lag 7");
        let figures = Figures { rejected: 3, ..figures };
        assert!(describe(2, figures, before, span).ends_with(", rejected 3, lag 7"));
        let figures = Figures { restored: 500, to_restore: 2000, failed: 1, ..Figures::default() };
        assert_eq!(
            describe(2, figures, Figures::default(), span),
            "2 queries (1 in error): restoring 500 of 2000 (25 %, 6 s left), in 0 (0/s), out 0 (0/s), lag 0"
        );
        let back = Figures { restored: 2000, ..figures };
        assert!(describe(2, back, back, span).contains("restoring 2000 of 2000 (100 %), in"));
    }

    #[test]
    fn no_time_has_no_rate() {
        assert_eq!(rate(5, Duration::ZERO), 0);
        assert_eq!(rate(5, Duration::from_millis(500)), 10);
    }
}
