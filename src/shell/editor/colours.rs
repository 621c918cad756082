//! A statement in colours, while it is typed.

use crate::shell::Vocabulary;
use crate::sql::{WordKind, words};

const KEYWORD: &str = "1;34";
const TEXT: &str = "32";
const NUMBER: &str = "36";
const COMMENT: &str = "2";
const FUNCTION: &str = "35";
const SOURCE: &str = "33";

/// `text` with colours for a terminal; as wide as it was.
pub(super) fn coloured(text: &str, known: &Vocabulary) -> String {
    if text.trim_start().starts_with('\\') {
        return text.to_owned();
    }
    let (mut out, mut end) = (String::with_capacity(text.len() * 2), 0);
    for (range, kind) in words(text) {
        out.push_str(&text[end..range.start]);
        let word = &text[range.clone()];
        match colour(word, kind, &text[range.end..], known) {
            Some(code) => out.push_str(&format!("\x1b[{code}m{word}\x1b[0m")),
            None => out.push_str(word),
        }
        end = range.end;
    }
    out.push_str(&text[end..]);
    out
}

fn colour(word: &str, kind: WordKind, after: &str, known: &Vocabulary) -> Option<&'static str> {
    let is_call = after.trim_start().starts_with('(');
    match kind {
        WordKind::Keyword | WordKind::Name if is_call && is_function(word, known) => Some(FUNCTION),
        WordKind::Keyword => Some(KEYWORD),
        WordKind::Text | WordKind::Variable => Some(TEXT),
        WordKind::Number => Some(NUMBER),
        WordKind::Comment => Some(COMMENT),
        WordKind::Name if is_source(word, known) => Some(SOURCE),
        WordKind::Name | WordKind::Sign => None,
    }
}

fn is_function(word: &str, known: &Vocabulary) -> bool {
    known.functions.iter().any(|function| function.name.eq_ignore_ascii_case(word))
}

fn is_source(word: &str, known: &Vocabulary) -> bool {
    match word.strip_prefix('`').and_then(|rest| rest.strip_suffix('`')) {
        Some(name) => known.sources.iter().any(|source| source.name == name),
        None => known.sources.iter().any(|source| source.name.eq_ignore_ascii_case(word)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shell::{KnownFunction, KnownSource};

    #[test]
    fn colours_change_nothing_but_the_look() {
        let known = Vocabulary {
            functions: vec![KnownFunction { name: "UCASE".into(), about: String::new() }],
            sources: vec![KnownSource { name: "S".into(), kind: "stream", columns: Vec::new() }],
            ..Vocabulary::default()
        };
        let text = "SELECT ucase(a), 1, 'é' -- x\n  FROM s";
        let shown = coloured(text, &known);
        let expected = "\x1b[1;34mSELECT\x1b[0m \x1b[35mucase\x1b[0m(a), \x1b[36m1\x1b[0m, \x1b[32m'é'\x1b[0m \
                        \x1b[2m-- x\x1b[0m\n  \x1b[1;34mFROM\x1b[0m \x1b[33ms\x1b[0m";
        assert_eq!(shown, expected);
        assert_eq!(coloured("\\d select", &known), "\\d select", "commands are no SQL");
    }
}
