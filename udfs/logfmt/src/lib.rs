//! An example of a plug-in: a table function, which makes several rows of one. The README says how to build and to call it.

use levada_udf::{Struct, plugin, table};

plugin![logfmt];

/// A field of a line.
#[derive(Debug, Clone, PartialEq, Eq, Struct)]
struct Pair {
    name: String,
    value: Option<String>,
}

/// A row for every field of a line such as `level=info msg="disk full" retry`.
#[table(
    category = "LOGS",
    example(
        "logfmt('level=info retry')" = "ARRAY[STRUCT(name := 'level', value := 'info'), STRUCT(name := 'retry', value := CAST(NULL AS STRING))]"
    )
)]
fn logfmt(
    /// Fields with blanks between them; values with blanks are in double quotes, in which a backslash takes the next letter as it is.
    line: &str,
) -> Result<Vec<Pair>, String> {
    let mut rest = line.trim_start();
    let mut fields = Vec::new();
    while !rest.is_empty() {
        let (pair, after) = field(rest)?;
        fields.push(pair);
        rest = after.trim_start();
    }
    Ok(fields)
}

/// The first field of `text`, which does not begin with a blank, and what comes after it.
fn field(text: &str) -> Result<(Pair, &str), String> {
    let end = text.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() {
        return Err(format!("a name is missing before '{text}'"));
    }
    let name = name.to_owned();
    let Some(rest) = rest.strip_prefix('=') else { return Ok((Pair { name, value: None }, rest)) };
    let (value, rest) = match rest.strip_prefix('"') {
        Some(quoted) => quoted_value(quoted).ok_or_else(|| format!("the quote after {name}= does not end"))?,
        None => {
            let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
            (rest[..end].to_owned(), &rest[end..])
        }
    };
    Ok((Pair { name, value: Some(value) }, rest))
}

/// What stands before the closing quote, and what comes after it.
fn quoted_value(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(letters.next()?.1),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(line: &str) -> Result<Vec<String>, String> {
        let pair = |pair: Pair| pair.value.map_or(pair.name.clone(), |value| format!("{}: {value}", pair.name));
        logfmt(line).map(|pairs| pairs.into_iter().map(pair).collect())
    }

    #[test]
    fn a_line_is_taken_apart() {
        let line = r#"  level=info msg="disk \"C\" full, ü" empty= retry  n=1=2"#;
        let expected = ["level: info", "msg: disk \"C\" full, ü", "empty: ", "retry", "n: 1=2"];
        assert_eq!(shown(line), Ok(expected.map(str::to_owned).to_vec()));
        assert_eq!(shown("  "), Ok(vec![]));
    }

    #[test]
    fn a_line_that_is_none_is_an_error() {
        assert_eq!(shown("a=1 =2"), Err("a name is missing before '=2'".to_owned()));
        assert_eq!(shown("msg=\"never ends"), Err("the quote after msg= does not end".to_owned()));
        assert_eq!(shown("msg=\"never ends\\"), Err("the quote after msg= does not end".to_owned()));
    }
}
