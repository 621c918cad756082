//! Rewrites what a spec expects: what came out, in the place of what was expected.

use super::line::Line;
use super::parse::Spec;
use super::run::RoundResult;

/// `text` with the results of its rounds as expectations. Lines that say what came out stay as they are, with their
/// comments.
pub fn rewrite(text: &str, spec: &Spec, results: &[RoundResult]) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut written: Vec<String> = Vec::with_capacity(lines.len());
    let mut at = 0;
    for (round, result) in spec.rounds.iter().zip(results) {
        written.extend(lines[at..round.expected_at - 1].iter().map(|line| (*line).to_owned()));
        at = round.expected_end - 1;
        if super::by_topic(&result.expected) == super::by_topic(&result.got) {
            written.extend(lines[round.expected_at - 1..at].iter().map(|line| (*line).to_owned()));
            continue;
        }
        let numbers = round.expected.iter().map(|line| line.number);
        let mut kept: Vec<(String, &str)> =
            result.expected.iter().map(Line::canonical).zip(numbers.map(|number| lines[number - 1])).collect();
        for (line, aligned) in result.got.iter().zip(align(&result.got)) {
            match kept.iter().position(|(canonical, _)| *canonical == line.canonical()) {
                Some(index) => written.push(kept.remove(index).1.to_owned()),
                None => written.push(aligned),
            }
        }
    }
    written.extend(lines[at..].iter().map(|line| (*line).to_owned()));
    written.join("\n") + "\n"
}

/// Cells of lines of one kind below each other, two blanks between them.
fn align(lines: &[Line]) -> Vec<String> {
    let width = |kind: &str, column: usize| {
        let alike = lines.iter().filter(|line| line.cells.first().is_some_and(|cell| cell == kind));
        alike.filter_map(|line| line.cells.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let aligned = |line: &Line| {
        let kind = line.cells.first().map_or("", String::as_str);
        let blanks = |column: usize, cell: &str| match column {
            last if last + 1 == line.cells.len() => 0,
            0 => 1,
            column => width(kind, column) - cell.chars().count() + 2,
        };
        let cells = line.cells.iter().enumerate();
        cells.map(|(column, cell)| format!("{cell}{}", " ".repeat(blanks(column, cell)))).collect::<Vec<_>>().concat()
    };
    lines.iter().map(aligned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_still_holds_keeps_its_comment() {
        let text = "in t @1 k v\n----\nout x @1s  k 1    -- first\nout x @2s  k 2\n\nin t @2 k v\n----\n";
        let spec = Spec::parse(text).expect("a spec");
        let line = |time: &str, value: &str| Line::new(["out", "x", time, "k", value]);
        let first = RoundResult {
            expected: vec![line("@1s", "1"), line("@2s", "2")],
            got: vec![line("@1s", "1"), line("@12s", "3")],
        };
        let second = RoundResult { expected: vec![], got: vec![Line::new(["error", "no"])] };
        let expected =
            "in t @1 k v\n----\nout x @1s  k 1    -- first\nout x  @12s  k  3\n\nin t @2 k v\n----\nerror no\n";
        assert_eq!(rewrite(text, &spec, &[first, second]), expected);
    }
}
