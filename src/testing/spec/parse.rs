//! Spec files: text to [`Spec`].

/// A spec.
#[derive(Debug, Default)]
pub struct Spec {
    /// `set NAME VALUE`.
    pub properties: Vec<(String, String)>,
    /// `topic NAME [PARTITIONS]`.
    pub topics: Vec<(String, u32)>,
    /// `ignore NAME`: topics that are not looked at.
    pub ignored: Vec<String>,
    /// `local`: it is not run on a cluster, where nothing can have time 0.
    pub is_local: bool,
    /// What happens, in order.
    pub rounds: Vec<Round>,
}

/// Statements, records in, and what must come out.
#[derive(Debug, Default)]
pub struct Round {
    /// `clock @TIME`: what the clock is moved to before anything else, in milliseconds since the epoch.
    pub clock: Option<i64>,
    /// The statements, each on the line of the file where it stands.
    pub script: String,
    /// `in` lines.
    pub inputs: Vec<Text>,
    /// `ask` lines: a SELECT each, asked when the records are processed.
    pub asks: Vec<Text>,
    /// `out`, `row`, `dead`, `fails`, `error`, `hint` and `|` lines.
    pub expected: Vec<Text>,
    /// Line of the file after `----`, from 1.
    pub expected_at: usize,
    /// Line of the file after the last expected one, from 1.
    pub expected_end: usize,
}

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    /// Its number, from 1.
    pub number: usize,
    /// What it says, without its comment.
    pub content: String,
}

impl Text {
    /// A fault of this line.
    pub fn fault(&self, what: &str) -> String {
        format!("line {}: {what}: {}", self.number, self.content)
    }
}

/// Between what happens and what comes out.
const SEPARATOR: &str = "----";

impl Spec {
    /// Reads a spec; the error names the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut spec = Self::default();
        let mut round = Round::default();
        let mut in_expected = false;
        for (index, raw) in text.lines().enumerate() {
            let line = Text { number: index + 1, content: without_comment(raw).to_owned() };
            let word = line.content.split_whitespace().next().unwrap_or("");
            let is_expected = matches!(word, "out" | "row" | "dead" | "fails" | "error" | "hint" | "|");
            if in_expected && is_expected {
                round.expected_end = line.number + 1;
                round.expected.push(line);
                continue;
            }
            if in_expected && !line.content.is_empty() {
                spec.rounds.push(std::mem::take(&mut round));
                in_expected = false;
            }
            if in_expected {
                continue;
            }
            match word {
                SEPARATOR => {
                    in_expected = true;
                    round.expected_at = line.number + 1;
                    round.expected_end = line.number + 1;
                }
                "in" if raw.starts_with("in ") => round.inputs.push(line),
                "ask" if raw.starts_with("ask ") => round.asks.push(line),
                "clock" if raw.starts_with("clock ") => {
                    let time = line.content.split_whitespace().nth(1).and_then(|word| word.strip_prefix('@'));
                    let time = time.and_then(super::time::parse);
                    round.clock = Some(time.ok_or_else(|| line.fault("expected `clock @TIME`"))?);
                }
                "set" | "topic" | "ignore" | "local" if raw.starts_with(word) => spec.directive(&line)?,
                _ if is_expected && raw.starts_with(word) => return Err(line.fault("there is no ---- before")),
                _ => {
                    pad(&mut round.script, line.number);
                    round.script.push_str(raw);
                    round.script.push('\n');
                }
            }
        }
        if !in_expected
            && (!round.inputs.is_empty()
                || !round.asks.is_empty()
                || !round.script.trim().is_empty()
                || spec.rounds.is_empty())
        {
            return Err("the last round has no ----".to_owned());
        }
        if in_expected {
            spec.rounds.push(round);
        }
        Ok(spec)
    }

    fn directive(&mut self, line: &Text) -> Result<(), String> {
        let words: Vec<&str> = line.content.split_whitespace().collect();
        match words.as_slice() {
            ["set", name, value] => self.properties.push(((*name).to_owned(), (*value).to_owned())),
            ["topic", name] => self.topics.push(((*name).to_owned(), 1)),
            ["topic", name, partitions] => {
                let partitions = partitions.parse().map_err(|_| line.fault("not a number of partitions"))?;
                self.topics.push(((*name).to_owned(), partitions));
            }
            ["ignore", name] => self.ignored.push((*name).to_owned()),
            ["local"] => self.is_local = true,
            _ => {
                return Err(
                    line.fault("expected `set NAME VALUE`, `topic NAME [PARTITIONS]`, `ignore NAME` or `local`")
                );
            }
        }
        Ok(())
    }
}

/// Empty lines, so that what follows stands on line `number`.
fn pad(script: &mut String, number: usize) {
    let lines = script.lines().count();
    script.extend(std::iter::repeat_n('\n', (number - 1).saturating_sub(lines)));
}

/// A line up to ` -- `, or nothing if it is a comment as a whole. A `--` inside of double quotes is not one.
fn without_comment(raw: &str) -> &str {
    let mut quoted = false;
    let mut escaped = false;
    let mut blank = true;
    for (at, character) in raw.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '-' if blank && !quoted && is_comment(&raw[at..]) => return raw[..at].trim(),
            _ => {}
        }
        blank = character.is_whitespace();
    }
    raw.trim()
}

/// Two dashes, then a blank or nothing: the separator has more, and so may a value.
fn is_comment(rest: &str) -> bool {
    rest.strip_prefix("--").is_some_and(|rest| rest.is_empty() || rest.starts_with(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_hold_statements_inputs_and_expectations() {
        let text = "-- A title.\nset a.b 1\ntopic t 3\nCREATE STREAM x;\n\nin t @1 k {\"a\": \"-- \"} -- why\n----\n\
                    -- told\nout x @1 k v\n\nin t @2 k v\n----\n";
        let spec = Spec::parse(text).expect("a spec");
        assert_eq!(spec.properties, [("a.b".to_owned(), "1".to_owned())]);
        assert_eq!(spec.topics, [("t".to_owned(), 3)]);
        let [first, second] = spec.rounds.as_slice() else { panic!("two rounds: {spec:?}") };
        assert_eq!(first.script.lines().nth(3), Some("CREATE STREAM x;"));
        assert_eq!(first.inputs[0].content, "in t @1 k {\"a\": \"-- \"}");
        assert_eq!((first.expected_at, first.expected_end), (8, 10));
        assert_eq!(first.expected, [Text { number: 9, content: "out x @1 k v".to_owned() }]);
        assert_eq!((second.inputs.len(), second.expected.len()), (1, 0));
    }

    #[test]
    fn faults_name_the_line() {
        assert!(Spec::parse("set x\n----\n").expect_err("no value").starts_with("line 1"));
        assert!(Spec::parse("SELECT 1;\n").is_err());
        assert!(Spec::parse("out x @1 k v\n").expect_err("nothing before").contains("no ----"));
    }
}
