//! Properties files as Java reads them (`java.util.Properties`).
//!
//! ```text
//! # a comment; so is a line that begins with !
//! name = value        name: value        name value
//! long = begins here, \
//!        goes on here
//! odd\ name = a\tb \u00e9
//! ```
//!
//! Blanks at the beginning of a line and around the sign are dropped, those at the end of a value are not. The last of several values of
//! a name holds.

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The name, without escapes.
    pub name: String,
    /// The value, without escapes.
    pub value: String,
    /// The line it begins at, from 1.
    pub line: usize,
}

/// What cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct SyntaxError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub reason: String,
}

/// The bytes of a file as text: UTF-8, or else Latin-1, which older versions of Java want.
pub fn text_of(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes)
        .unwrap_or_else(|error| error.into_bytes().iter().map(|byte| char::from(*byte)).collect())
        .trim_start_matches('\u{FEFF}')
        .to_owned()
}

/// The entries of `text`, in order.
///
/// # Errors
/// A `\u` that no four hexadecimal digits follow.
pub fn read(text: &str) -> Result<Vec<Entry>, SyntaxError> {
    logical_lines(text).into_iter().map(|(line, text)| entry(line, &text)).collect()
}

/// Lines that are neither empty nor comments, each with those that continue it.
fn logical_lines(text: &str) -> Vec<(usize, String)> {
    let mut lines: Vec<(usize, String)> = Vec::new();
    let mut continues = false;
    for (index, line) in natural_lines(text).enumerate() {
        let line = line.trim_start_matches(is_blank);
        if !continues && (line.is_empty() || line.starts_with(['#', '!'])) {
            continue;
        }
        let backslashes = line.len() - line.trim_end_matches('\\').len();
        let goes_on = backslashes % 2 == 1;
        let line = if goes_on { &line[..line.len() - 1] } else { line };
        match lines.last_mut().filter(|_| continues) {
            Some((_, begun)) => begun.push_str(line),
            None => lines.push((index + 1, line.to_owned())),
        }
        continues = goes_on;
    }
    lines
}

/// Lines as Java counts them: `\n`, `\r` and `\r\n` end one.
fn natural_lines(text: &str) -> impl Iterator<Item = &str> {
    text.split('\n').flat_map(|line| line.strip_suffix('\r').unwrap_or(line).split('\r'))
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\x0C')
}

fn entry(line: usize, text: &str) -> Result<Entry, SyntaxError> {
    let end = end_of_name(text);
    let rest = text[end..].trim_start_matches(is_blank);
    let value = rest.strip_prefix(['=', ':']).map_or(rest, |value| value.trim_start_matches(is_blank));
    let unescaped = |text| unescaped(text).map_err(|reason| SyntaxError { line, reason });
    Ok(Entry { name: unescaped(&text[..end])?, value: unescaped(value)?, line })
}

/// Where the name ends: at the first blank or sign that no backslash precedes.
fn end_of_name(text: &str) -> usize {
    let mut is_escaped = false;
    for (index, c) in text.char_indices() {
        if !is_escaped && (is_blank(c) || matches!(c, '=' | ':')) {
            return index;
        }
        is_escaped = !is_escaped && c == '\\';
    }
    text.len()
}

fn unescaped(text: &str) -> Result<String, String> {
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    let mut buffer = [0; 2];
    while let Some(c) = chars.next() {
        let meant = match (c, if c == '\\' { chars.next() } else { None }) {
            ('\\', Some('t')) => '\t',
            ('\\', Some('n')) => '\n',
            ('\\', Some('r')) => '\r',
            ('\\', Some('f')) => '\x0C',
            ('\\', Some('u')) => {
                let digits: String = chars.by_ref().take(4).collect();
                let is_unit = digits.len() == 4 && digits.chars().all(|c| c.is_ascii_hexdigit());
                let unit = u16::from_str_radix(&digits, 16).ok().filter(|_| is_unit);
                units.push(
                    unit.ok_or_else(|| format!("\\u{digits} is no character: four hexadecimal digits follow \\u"))?,
                );
                continue;
            }
            ('\\', Some(other)) => other,
            ('\\', None) => continue,
            (other, _) => other,
        };
        units.extend_from_slice(meant.encode_utf16(&mut buffer));
    }
    Ok(String::from_utf16_lossy(&units))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        read(text).expect("valid").into_iter().map(|entry| (entry.name, entry.value)).collect()
    }

    fn check(text: &str, name: &str, value: &str) {
        assert_eq!(pairs(text), [(name.to_owned(), value.to_owned())], "{text:?}");
    }

    #[test]
    fn names_end_at_a_sign_or_a_blank() {
        check("a.b=c", "a.b", "c");
        check("  a.b  =  c d ", "a.b", "c d ");
        check("a.b: c", "a.b", "c");
        check("a.b\tc=d", "a.b", "c=d");
        check("a.b = = c", "a.b", "= c");
        check("a.b", "a.b", "");
        check("listeners=http://0.0.0.0:8088", "listeners", "http://0.0.0.0:8088");
    }

    #[test]
    fn comments_and_empty_lines_say_nothing() {
        assert_eq!(pairs("# a=b\n  ! c=d \\\n\n\t\n"), []);
        check("a=b # not a comment", "a", "b # not a comment");
        check("# goes on? no \\\na=b", "a", "b");
    }

    #[test]
    fn a_backslash_at_the_end_continues_a_line() {
        check("a=one,\\\n    two,\\\r\n    three", "a", "one,two,three");
        assert_eq!(pairs("a=two\\\\\nb=c"), [("a".to_owned(), "two\\".to_owned()), ("b".to_owned(), "c".to_owned())]);
        check("a=b\\", "a", "b");
        check("a=b\\\n# not a comment", "a", "b# not a comment");
    }

    #[test]
    fn escapes_stand_for_characters() {
        check(r"a\ b\=c\:d = e\tf\\g\qh", "a b=c:d", "e\tf\\gqh");
        check(r"a = \u00e9\uD83D\uDE00", "a", "é😀");
        let wrong = read("a=b\nc = \\u12").expect_err("two digits");
        assert_eq!(wrong.to_string(), "line 2: \\u12 is no character: four hexadecimal digits follow \\u");
        assert!(read("a=\\u+123").is_err());
    }

    #[test]
    fn lines_are_counted_as_in_an_editor() {
        let lines: Vec<usize> =
            read("# one\na=\\\n1\n\nb=2\r\nc=3").expect("valid").iter().map(|entry| entry.line).collect();
        assert_eq!(lines, [2, 5, 6]);
    }

    #[test]
    fn files_that_are_not_utf8_are_latin_1() {
        assert_eq!(text_of(b"a=\xE9".to_vec()), "a=é");
        assert_eq!(text_of("\u{FEFF}a=é".as_bytes().to_vec()), "a=é");
    }
}
