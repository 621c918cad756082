//! A file of tests, cut at its directives.
//!
//! ```text
//! --@test: totals follow the orders        a test begins, up to the next one
//! --@expected.error: a Java class          it must fail,
//! --@expected.message: some text           with this in the text of the error
//! ```

/// One test of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TestCase {
    /// Its name.
    pub name: String,
    /// Its statements, each where it stands in the file: empty lines are in place of what is before.
    pub text: String,
    /// How it must fail, if it must.
    pub expected: Option<ExpectedFailure>,
}

/// How a test must fail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExpectedFailure {
    /// A Java class.
    pub class: Option<String>,
    /// Fragment of the text.
    pub message: Option<String>,
}

/// What begins the line of a directive.
const DIRECTIVE: &str = "--@";

/// The tests of a file; none if it has no `--@test`.
pub fn cases(text: &str) -> Result<Vec<TestCase>, String> {
    let mut cases: Vec<TestCase> = Vec::new();
    let mut before = String::new();
    for (line, number) in text.lines().zip(1..) {
        let directive = directive(line);
        match (directive, cases.last_mut()) {
            (Some(("test", name)), _) => {
                let case = begin(name, number, &cases)?;
                cases.push(case);
            }
            (Some((name, value)), case) => note(name, value, number, case)?,
            (None, Some(case)) => {
                case.text.push_str(line);
                case.text.push('\n');
            }
            (None, None) => {
                before.push_str(line);
                before.push('\n');
            }
        }
    }
    let has_statements = !crate::sql::split_statements(&before).is_empty();
    if has_statements && !cases.is_empty() {
        return Err("there are statements before the first --@test: each test stands for itself".to_owned());
    }
    Ok(cases)
}

/// Name and value of the directive in `line`.
fn directive(line: &str) -> Option<(&str, &str)> {
    let (name, value) = line.trim().strip_prefix(DIRECTIVE)?.split_once(':')?;
    Some((name.trim(), value.trim()))
}

fn begin(name: &str, line: usize, others: &[TestCase]) -> Result<TestCase, String> {
    if name.is_empty() {
        return Err(format!("line {line}: a test needs a name: --@test: name"));
    }
    if others.iter().any(|other| other.name == name) {
        return Err(format!("line {line}: there is a test '{name}' already"));
    }
    Ok(TestCase { name: name.to_owned(), text: "\n".repeat(line), expected: None })
}

fn note(name: &str, value: &str, line: usize, case: Option<&mut TestCase>) -> Result<(), String> {
    let Some(case) = case else { return Err(format!("line {line}: --@{name} stands before the first --@test")) };
    case.text.push('\n');
    let expected = case.expected.get_or_insert_default();
    let place = match name {
        "expected.error" => &mut expected.class,
        "expected.message" => &mut expected.message,
        other => {
            let known = "known are --@test, --@expected.error and --@expected.message";
            return Err(format!("line {line}: there is no directive --@{other}; {known}"));
        }
    };
    if place.replace(value.to_owned()).is_some() {
        return Err(format!("line {line}: --@{name} stands twice"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_keep_their_lines() {
        let text = "-- a licence\n--@test: one\nA;\n\n  --@test:  two \n--@expected.error: x.Y\n--@expected.message: not: so\nB;\nC;";
        let cases = cases(text).expect("two tests");
        let [one, two] = cases.as_slice() else { panic!("{cases:?}") };
        assert_eq!((one.name.as_str(), one.text.as_str()), ("one", "\n\nA;\n\n"));
        assert_eq!((two.name.as_str(), two.text.lines().position(|line| line == "B;")), ("two", Some(7)));
        let expected = ExpectedFailure { class: Some("x.Y".to_owned()), message: Some("not: so".to_owned()) };
        assert_eq!((one.expected.clone(), two.expected.clone()), (None, Some(expected)));
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        for (text, fault) in [
            ("A;\n--@test: x\nB;", "there are statements before the first --@test"),
            ("--@test: x\n--@test: x\n", "line 2: there is a test 'x' already"),
            ("--@test:\n", "line 1: a test needs a name"),
            ("--@expected.error: x\n", "line 1: --@expected.error stands before the first --@test"),
            ("--@test: x\n--@expect.error: x\n", "line 2: there is no directive --@expect.error"),
            ("--@test: x\n--@expected.error: x\n--@expected.error: y\n", "line 3: --@expected.error stands twice"),
        ] {
            let error = cases(text).expect_err(text);
            assert!(error.starts_with(fault), "{error}");
        }
        assert_eq!(cases("SHOW STREAMS;\n-- plain\n"), Ok(Vec::new()), "a script is no test");
    }
}
