//! `REGEXP_SPLIT_TO_ARRAY(text, pattern)`.

use levada_udf::scalar;

use super::pattern::{for_each_match, with_pattern};

/// The parts between matches of a pattern; with an empty pattern, the characters. A pattern that matches the empty text leaves no
/// empty parts at the end.
#[scalar(
    name = "regexp_split_to_array",
    example("REGEXP_SPLIT_TO_ARRAY('aabcda', '(ab|cd)')" = "ARRAY['a', '', 'a']")
)]
pub(super) fn regexp_split_to_array<'a>(text: &'a str, pattern: &str) -> Result<Vec<&'a str>, String> {
    if pattern.is_empty() && !text.is_empty() {
        return Ok(text.split("").filter(|part| !part.is_empty()).collect());
    }
    with_pattern(pattern, |pattern| {
        let mut parts = Vec::new();
        let mut start = 0;
        for_each_match(pattern, text, |found| {
            // An empty match at the beginning splits nothing off.
            if found.end > 0 {
                parts.push(&text[start..found.start]);
                start = found.end;
            }
        })?;
        parts.push(&text[start..]);
        // Java's own split cuts these off; ksqlDB uses it where Guava's refuses the pattern.
        if parts.len() > 1 && pattern.find("", 0)?.is_some() {
            let kept = parts.iter().rposition(|part| !part.is_empty()).map_or(0, |last| last + 1);
            parts.truncate(kept);
        }
        Ok(parts)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parts_are_kept() {
        let cases: [(&str, &str, &[&str]); 9] = [
            ("aabdcda", "(ab|cd)", &["a", "d", "a"]),
            ("zxy", "(ab|cd)", &["zxy"]),
            (",a,,", ",", &["", "a", "", ""]),
            ("", ",", &[""]),
            ("", "", &[""]),
            ("aé😀", "", &["a", "é", "😀"]),
            ("a1b", "1*", &["a", "", "b"]),
            ("1", "1*", &[]),
            ("aBcD", "(?=[A-Z])", &["a", "Bc", "D"]),
        ];
        for (text, pattern, expected) in cases {
            assert_eq!(regexp_split_to_array(text, pattern).as_deref(), Ok(expected), "{text} {pattern}");
        }
    }
}
