//! What `levada run` says at its end.

use std::io::{self, Write};
use std::time::Duration;

use super::DataDir;
use super::progress::{Figures, rate};
use crate::engine::{Listing, QueryStatus};
use crate::runtime::dead_letter::TOPIC as DEAD_LETTERS;
use crate::shell::{Layout, Screen};

/// Less work than this has no rate worth telling.
const RATE_ROWS_MIN: u64 = 1000;
const RATE_TIME_MIN: Duration = Duration::from_secs(1);

/// Writes the figures of `queries`, which were at work for `busy`, and where rejected records are.
pub(super) fn write(
    out: &mut dyn Write,
    layout: Layout,
    queries: &[QueryStatus],
    busy: Duration,
    data: &DataDir,
) -> io::Result<()> {
    if queries.is_empty() {
        return writeln!(out, "no queries");
    }
    let listing = Listing { columns: headings(), rows: rows(queries, busy), ..Listing::default() };
    Screen::new(out, &mut io::sink(), layout).listing(&listing)?;
    let rejected = Figures::of(queries).rejected;
    if rejected > 0 {
        let (records, are) = if rejected == 1 { ("record", "is") } else { ("records", "are") };
        writeln!(out, "{rejected} rejected {records} {are} kept in topic {DEAD_LETTERS}; to see them and why:")?;
        writeln!(out, "  levada topic consume {DEAD_LETTERS} --output json{}", data.option())?;
    }
    Ok(())
}

fn headings() -> Vec<String> {
    ["query", "sink", "rows in", "rows out", "rejected", "rows/s"].map(str::to_owned).to_vec()
}

/// A row per query, and the totals where there are several.
fn rows(queries: &[QueryStatus], busy: Duration) -> Vec<Vec<String>> {
    let row = |id: &str, sink: &str, rows_in: u64, rows_out: u64, rejected: u64| {
        let figures = [rows_in, rows_out, rejected].map(|figure| figure.to_string());
        let ends = [id.to_owned(), sink.to_owned()].into_iter();
        ends.chain(figures).chain([rate_text(rows_in, busy)]).collect::<Vec<_>>()
    };
    let mut rows: Vec<_> = queries
        .iter()
        .map(|query| row(&query.id, &query.sink, query.rows_in, query.rows_out, query.rejected))
        .collect();
    if queries.len() > 1 {
        let total = Figures::of(queries);
        rows.push(row("total", "", total.rows_in, total.rows_out, total.rejected));
    }
    rows
}

/// Rows per second; nothing when that would measure the start rather than the work.
fn rate_text(rows: u64, busy: Duration) -> String {
    let measurable = rows >= RATE_ROWS_MIN && busy >= RATE_TIME_MIN;
    if measurable { rate(rows, busy).to_string() } else { String::new() }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::shell::{Palette, Width};

    #[derive(Parser)]
    struct Options {
        #[command(flatten)]
        data: DataDir,
    }

    fn check(queries: &[QueryStatus], arguments: &[&str], expected: &str) {
        let data = Options::parse_from(["test"].iter().chain(arguments)).data;
        let layout = Layout::new(Width::Fixed(80), Palette::PLAIN);
        let mut out = Vec::new();
        write(&mut out, layout, queries, Duration::from_secs(2), &data).expect("memory takes every byte");
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    fn query(id: &str, sink: &str, rejected: u64) -> QueryStatus {
        QueryStatus {
            id: id.into(),
            sink: sink.into(),
            state: "RUNNING".into(),
            rows_in: 1000,
            rows_out: 20,
            rejected,
            lag: 0,
            restore: None,
            failure: None,
        }
    }

    #[test]
    fn shows_each_query_and_the_total() {
        check(
            &[query("CSAS_A_1", "A", 0), query("CTAS_B_2", "B", 0)],
            &[],
            " query    │ sink │ rows in │ rows out │ rejected │ rows/s\n\
             ──────────┼──────┼─────────┼──────────┼──────────┼────────\n \
             CSAS_A_1 │ A    │    1000 │       20 │        0 │    500\n \
             CTAS_B_2 │ B    │    1000 │       20 │        0 │    500\n \
             total    │      │    2000 │       40 │        0 │   1000\n\n",
        );
    }

    #[test]
    fn says_where_rejected_records_are() {
        check(
            &[query("CSAS_A_1", "A", 3)],
            &["--data-dir", "/data"],
            " query    │ sink │ rows in │ rows out │ rejected │ rows/s\n\
             ──────────┼──────┼─────────┼──────────┼──────────┼────────\n \
             CSAS_A_1 │ A    │    1000 │       20 │        3 │    500\n\n\
             3 rejected records are kept in topic levada_dead_letters; to see them and why:\n  \
             levada topic consume levada_dead_letters --output json --data-dir /data\n",
        );
    }

    #[test]
    fn little_work_has_no_rate() {
        assert_eq!(rate_text(2000, Duration::from_secs(2)), "1000");
        assert_eq!(rate_text(999, Duration::from_secs(2)), "");
        assert_eq!(rate_text(2000, Duration::from_millis(999)), "");
    }

    #[test]
    fn says_that_there_is_nothing() {
        check(&[], &[], "no queries\n");
    }
}
