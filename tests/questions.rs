//! Questions that stand in the comments of SQL files, with the answers that they promise.

use serde_json::Value;

/// A question, and the rows that answer it.
pub struct Question {
    /// What the shell is given.
    pub statements: String,
    rows: Vec<Value>,
    /// Whether the rows come in that order.
    is_ordered: bool,
}

/// Lines `-- > statements`, or `-- ~ statements` where the order of the rows is open, each followed by one line `-- {…}` per row.
pub fn questions(text: &str) -> Vec<Question> {
    let mut questions: Vec<Question> = Vec::new();
    let question =
        |is_ordered| move |statements: &str| Question { statements: statements.to_owned(), rows: vec![], is_ordered };
    for line in text.lines() {
        let asked = line.strip_prefix("-- > ").map(question(true));
        if let Some(asked) = asked.or_else(|| line.strip_prefix("-- ~ ").map(question(false))) {
            questions.push(asked);
        } else if let (Some(row), Some(question)) = (line.strip_prefix("-- {"), questions.last_mut()) {
            question.rows.push(json(&format!("{{{row}")));
        }
    }
    questions
}

impl Question {
    /// Compares `output`, what the shell says in JSON, with what is promised; messages are left out.
    pub fn check(mut self, file: &str, output: &str) {
        let mut rows: Vec<Value> = output.lines().map(json).filter(|row| row.get("message").is_none()).collect();
        if !self.is_ordered {
            rows.sort_by_key(Value::to_string);
            self.rows.sort_by_key(Value::to_string);
        }
        let texts = |rows: &[Value]| rows.iter().map(|row| format!("-- {row}\n")).collect::<String>();
        assert_eq!(rows, self.rows, "{file}: {}\n{}", self.statements, texts(&rows));
    }
}

/// A line as JSON.
pub fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("not JSON ({error}): {line}"))
}
