//! Streams and tables that a text names, also one that is half written.

use std::ops::Range;

use crate::sql::{WordKind, words};

/// What stands behind FROM, JOIN and INTO: names as they are stored, and their aliases (the same where there are none).
pub(super) fn named_sources(text: &str) -> Vec<(String, String)> {
    let tokens: Vec<(Range<usize>, WordKind)> =
        words(text).into_iter().filter(|(_, kind)| *kind != WordKind::Comment).collect();
    let name_at = |at: usize| {
        let (range, kind) = tokens.get(at)?;
        let written = &text[range.clone()];
        let quoted = written.strip_prefix('`').and_then(|rest| rest.strip_suffix('`'));
        (*kind == WordKind::Name).then(|| quoted.map_or_else(|| written.to_uppercase(), |name| name.replace("``", "`")))
    };
    let word_at = |at: usize| tokens.get(at).map_or("", |(range, _)| &text[range.clone()]);
    let mut named = Vec::new();
    for at in 0..tokens.len() {
        let leads = ["FROM", "JOIN", "INTO"].iter().any(|word| word_at(at).eq_ignore_ascii_case(word));
        let Some(name) = leads.then(|| name_at(at + 1)).flatten() else { continue };
        let after = if word_at(at + 2).eq_ignore_ascii_case("AS") { at + 3 } else { at + 2 };
        let alias = name_at(after).unwrap_or_else(|| name.clone());
        named.push((name, alias));
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_are_found_wherever_they_stand() {
        let found = named_sources("INSERT INTO a SELECT * FROM b x JOIN `C d` AS y ON x.i = y.i -- FROM e");
        let shown: Vec<String> = found.iter().map(|(name, alias)| format!("{name}={alias}")).collect();
        assert_eq!(shown, ["A=A", "B=X", "C d=Y"]);
        assert!(named_sources("SELECT 'FROM a' FROM").is_empty());
    }
}
