//! Random regular expressions of Java's syntax, and texts that they may match.

use super::random::{once_in, pick};
use crate::crash::Random;

const CHARACTERS: [&str; 12] = ["a", "b", "A", "B", "1", " ", "\n", "-", "é", "😀", "_", "É"];

/// A text of the characters that patterns name.
pub fn text(random: &mut Random) -> String {
    let length = random.next(11);
    (0..length).map(|_| pick(random, &CHARACTERS)).collect()
}

/// A pattern.
pub fn pattern(random: &mut Random) -> String {
    let mut writer = Writer { random, out: String::new(), groups: 0, closed: Vec::new(), is_negated: false };
    if once_in(writer.random, 8) {
        writer.out.push_str(pick(writer.random, &["(?i)", "(?s)", "(?m)", "(?iu)", "(?x)", "(?d)"]));
    }
    writer.alternatives(3);
    writer.out
}

/// What stands for a match in REGEXP_REPLACE; groups that are not there are errors.
pub fn replacement(random: &mut Random) -> String {
    let parts = random.next(4);
    (0..parts).map(|_| pick(random, &["x", "$0", "$1", "[$0]", "\\$", "\\\\", "é", "$2", "$", "😀"])).collect()
}

struct Writer<'r> {
    random: &'r mut Random,
    out: String,
    /// Groups so far.
    groups: u64,
    /// Those of them that are closed.
    closed: Vec<u64>,
    /// Within what must not follow, where Java's groups keep what they have found in vain.
    is_negated: bool,
}

impl Writer<'_> {
    fn alternatives(&mut self, depth: u64) {
        self.sequence(depth);
        while once_in(self.random, 4) {
            self.out.push('|');
            self.sequence(depth);
        }
    }

    fn sequence(&mut self, depth: u64) {
        let length = self.random.next(4);
        for _ in 0..length {
            self.item(depth);
        }
    }

    fn item(&mut self, depth: u64) {
        let is_atom = match self.random.next(if depth == 0 { 6 } else { 10 }) {
            0..=2 => self.write(&["a", "b", "1", "é", "-", " ", "😀", "\\n", "A", "\\x61", "\\u00e9", "\\Qa-\\E"]),
            3 => self.write(&[".", "\\d", "\\w", "\\s", "\\D", "\\W", "\\S", "\\h", "\\R", "\\v"]),
            4 => self.write(&[
                "[ab]",
                "[^a]",
                "[a-z]",
                "[a-z&&[^b]]",
                "[\\d\\s]",
                "[^\\w]",
                "[é😀]",
                "[a[1-3]]",
                "\\p{L}",
                "\\p{Lu}",
                "\\p{Punct}",
                "\\P{Alpha}",
                "\\p{javaLowerCase}",
                "[-a]",
                "[\\p{L}&&[^a]]",
                "\\p{IsLatin}",
            ]),
            5 => {
                self.write(&["^", "$", "\\b", "\\B", "\\A", "\\z", "\\Z"]);
                false
            }
            6 if !self.is_negated && once_in(self.random, 2) => {
                self.write(&["([ab1])", "(a|bé)", "(\\w)"]);
                self.groups += 1;
                self.closed.push(self.groups);
                true
            }
            6 if !self.is_negated => {
                self.group("(", depth, true);
                false
            }
            6 | 7 => {
                let open = pick(self.random, &["(?:", "(?i:", "(?>", "(?-i:"]);
                self.group(open, depth, false);
                true
            }
            8 => {
                let (open, around) = (pick(self.random, &["(?=", "(?!"]), self.is_negated);
                self.is_negated |= open == "(?!";
                self.group(open, depth, false);
                self.is_negated = around;
                false
            }
            _ if !self.closed.is_empty() && once_in(self.random, 2) => {
                let number = pick(self.random, &self.closed);
                self.out.push_str(&format!("\\{number}"));
                true
            }
            _ => {
                self.write(&["(?<=a)", "(?<!b)", "(?<=[a1])", "(?<!a|é)", "(?<=\\s)"]);
                false
            }
        };
        if is_atom && once_in(self.random, 3) {
            self.write(&["*", "+", "?", "{2}", "{1,2}", "{0,3}"]);
            self.write(&["", "", "?", "+"]);
        }
    }

    fn group(&mut self, open: &str, depth: u64, counts: bool) {
        self.out.push_str(open);
        self.groups += u64::from(counts);
        let number = self.groups;
        self.alternatives(depth - 1);
        self.out.push(')');
        if counts {
            self.closed.push(number);
        }
    }

    fn write(&mut self, choices: &[&str]) -> bool {
        self.out.push_str(pick(self.random, choices));
        true
    }
}
