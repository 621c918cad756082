//! A wrong statement: the message, the line it is in, a caret below the place, advice.

use std::io::{self, Write};

use super::Palette;
use crate::engine::EngineError;

/// Lines longer than this, or than the terminal is wide, are cut around the caret.
const EXCERPT_MAX: usize = 100;
/// A terminal narrower than this wraps.
const EXCERPT_MIN: usize = 10;

/// A text with statements, and where it stands in the whole input.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// File name; `None` for what was typed.
    pub file: Option<&'a str>,
    /// The text.
    pub text: &'a str,
    /// Line of its first character, from 1.
    pub line: usize,
    /// Column of its first character, from 1.
    pub column: usize,
}

impl<'a> Source<'a> {
    /// A text that is the whole input.
    pub fn whole(file: Option<&'a str>, text: &'a str) -> Self {
        Self { file, text, line: 1, column: 1 }
    }
}

/// Writes `error`, whose position is within the text of `source`, in lines of `width` characters where that is known.
pub(super) fn write_problem(
    out: &mut dyn Write,
    palette: Palette,
    width: Option<u16>,
    source: Source<'_>,
    error: &EngineError,
) -> io::Result<()> {
    write!(out, "{}: ", palette.bad("error"))?;
    match (source.file, error.position) {
        (Some(file), Some((line, column))) => {
            let column = if line == 1 { source.column + column - 1 } else { column };
            write!(out, "{file}:{}:{column}: ", source.line + line - 1)?;
        }
        (Some(file), None) => write!(out, "{file}:{}: ", source.line)?,
        (None, _) => {}
    }
    writeln!(out, "{}", without_place(error))?;
    if let Some(position) = error.position {
        write_excerpt(out, palette, width, source, position)?;
    }
    match &error.hint {
        Some(hint) => writeln!(out, "{}: {hint}", palette.strong("hint")),
        None => Ok(()),
    }
}

/// The message; syntax errors begin with their place, which is shown in another way.
fn without_place(error: &EngineError) -> &str {
    let Some((line, column)) = error.position else { return &error.message };
    error.message.strip_prefix(&format!("line {line}:{column}: ")).unwrap_or(&error.message).trim_end()
}

/// Writes a line of `source` and a caret below one of its characters, line and column from 1; nothing if there is no
/// such line.
fn write_excerpt(
    out: &mut dyn Write,
    palette: Palette,
    width: Option<u16>,
    source: Source<'_>,
    (line, column): (usize, usize),
) -> io::Result<()> {
    let Some(shown) = source.text.lines().nth(line.saturating_sub(1)) else { return Ok(()) };
    let margin = format!("{} | ", source.line + line.saturating_sub(1));
    // One place more than the text has: the caret may stand behind its end.
    let room = width.map_or(EXCERPT_MAX, |width| usize::from(width).saturating_sub(margin.len() + 1));
    let (excerpt, before) = cut(shown.trim_end(), column.saturating_sub(1), room.clamp(EXCERPT_MIN, EXCERPT_MAX));
    writeln!(out, "{}{excerpt}", palette.faint(&margin))?;
    let blanks = margin.len() + before;
    writeln!(out, "{:blanks$}{}", "", palette.bad("^"))
}

/// At most `room` characters of `line` with the one that has `before` others in front of it, and how many are in front
/// of it then.
fn cut(line: &str, before: usize, room: usize) -> (String, usize) {
    let length = line.chars().count();
    let start = before.saturating_sub(room / 2).min(length.saturating_sub(room));
    let mut excerpt: Vec<char> = line.chars().skip(start).take(room).map(plain).collect();
    if start > 0 {
        excerpt[0] = '…';
    }
    if start + room < length {
        excerpt[room - 1] = '…';
    }
    (excerpt.into_iter().collect(), before - start)
}

/// Tabs and other control characters as one blank, so that the caret stands where it should.
fn plain(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: Option<&str>, text: &str, position: Option<(usize, usize)>, expected: &str) {
        let error = EngineError { message: "no such column".into(), position, hint: Some("use X".into()), code: None };
        let mut out = Vec::new();
        write_problem(&mut out, Palette::PLAIN, None, Source::whole(file, text), &error)
            .expect("memory takes every byte");
        assert_eq!(String::from_utf8(out).expect("texts are UTF-8"), expected);
    }

    #[test]
    fn shows_file_place_line_and_caret() {
        check(
            Some("a.sql"),
            "SELECT 1;\nSELECT\ty FROM s;\n",
            Some((2, 8)),
            "error: a.sql:2:8: no such column\n2 | SELECT y FROM s;\n           ^\nhint: use X\n",
        );
    }

    #[test]
    fn shows_what_there_is() {
        check(None, "SELECT y;", Some((1, 8)), "error: no such column\n1 | SELECT y;\n           ^\nhint: use X\n");
        check(None, "SELECT y;", None, "error: no such column\nhint: use X\n");
        check(Some("a.sql"), "", Some((9, 1)), "error: a.sql:9:1: no such column\nhint: use X\n");
    }

    #[test]
    fn does_not_say_the_place_twice() {
        let error =
            EngineError { message: "line 1:3: Syntax Error".into(), position: Some((1, 3)), hint: None, code: None };
        let mut out = Vec::new();
        write_problem(&mut out, Palette::PLAIN, None, Source::whole(None, "A x;"), &error)
            .expect("memory takes every byte");
        assert_eq!(String::from_utf8_lossy(&out), "error: Syntax Error\n1 | A x;\n      ^\n");
    }

    #[test]
    fn places_count_from_the_start_of_the_file() {
        let error = EngineError { message: "no".into(), position: Some((1, 3)), hint: None, code: None };
        let mut out = Vec::new();
        let source = Source { file: Some("a.sql"), text: "A x;", line: 7, column: 5 };
        write_problem(&mut out, Palette::PLAIN, None, source, &error).expect("memory takes every byte");
        assert_eq!(String::from_utf8_lossy(&out), "error: a.sql:7:7: no\n7 | A x;\n      ^\n");
    }

    #[test]
    fn cuts_long_lines_around_the_caret() {
        let text = format!("{}Y{}", "x".repeat(200), "z".repeat(200));
        let line = format!("1 | …{}Y{}…", "x".repeat(49), "z".repeat(48));
        let caret = format!("{}^", " ".repeat(4 + 50));
        check(None, &text, Some((1, 201)), &format!("error: no such column\n{line}\n{caret}\nhint: use X\n"));
    }

    #[test]
    fn a_narrow_terminal_does_not_wrap_the_line() {
        let check = |before: usize, room: usize, expected: (&str, usize)| {
            let (excerpt, found) = cut("0123456789abcdef", before, room);
            assert_eq!((excerpt.as_str(), found), expected, "{before} before in {room}");
        };
        check(3, 16, ("0123456789abcdef", 3));
        check(3, 10, ("012345678…", 3));
        check(8, 10, ("…456789ab…", 5));
        check(14, 10, ("…789abcdef", 8));
        check(16, 10, ("…789abcdef", 10));
    }
}
