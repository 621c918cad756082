//! Outcomes in the XML that JUnit's Ant task writes, which tools for continuous integration read.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::outcome::{Outcome, Status, Tally};

/// Writes all outcomes as one suite. A case has the part of its id before the last `/` as its class.
pub fn write_junit(out: &mut dyn Write, outcomes: &[Outcome]) -> io::Result<()> {
    let Tally { failed, skipped, .. } = Tally::of(outcomes);
    let tests = outcomes.len();
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuite name="levada" tests="{tests}" failures="{failed}" errors="0" skipped="{skipped}">"#)?;
    for outcome in outcomes {
        let (class, name) = outcome.id.rsplit_once('/').unwrap_or(("levada", &outcome.id));
        write!(out, r#"  <testcase classname="{}" name="{}""#, escaped(class), escaped(name))?;
        let first = escaped(outcome.reason.lines().next().unwrap_or_default());
        match outcome.status {
            Status::Passed => writeln!(out, "/>")?,
            Status::Failed => {
                let reason = escaped(&outcome.reason);
                writeln!(out, "><failure message=\"{first}\">{reason}</failure></testcase>")?;
            }
            Status::Skipped => writeln!(out, "><skipped message=\"{first}\"/></testcase>")?,
        }
    }
    writeln!(out, "</testsuite>")
}

/// `text` as XML 1.0 can have it, between quotes and between tags.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(char),
            // XML has no way to write these.
            '\0'..' ' | '\u{fffe}' | '\u{ffff}' => {
                let _ = write!(escaped, "\\u{{{:x}}}", u32::from(char));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_outcome_is_a_case() {
        let outcomes = [
            Outcome::of("joins/inner", Ok(())),
            Outcome::of("joins/left: a < b", Err("expected \"x\" & got\n\0".to_owned())),
            Outcome::skipped("alone", "not here"),
        ];
        let mut out = Vec::new();
        write_junit(&mut out, &outcomes).expect("memory takes all");
        assert_eq!(
            String::from_utf8(out).expect("text"),
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
             <testsuite name=\"levada\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\">\n\
             \x20 <testcase classname=\"joins\" name=\"inner\"/>\n\
             \x20 <testcase classname=\"joins\" name=\"left: a &lt; b\"><failure message=\"expected &quot;x&quot; &amp; got\">\
             expected &quot;x&quot; &amp; got\n\\u{0}</failure></testcase>\n\
             \x20 <testcase classname=\"levada\" name=\"alone\"><skipped message=\"not here\"/></testcase>\n\
             </testsuite>\n"
        );
    }
}
