//! `REGEXP_SPLIT_TO_ARRAY(text, pattern)`.

use levada_udf::scalar;

use super::pattern::{for_each_match, with_pattern};

/// The parts between matches of a pattern; with an empty pattern, the characters.
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
        Ok(parts)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_parts_are_kept() {
        let cases: [(&str, &str, &[&str]); 7] = [
            ("aabdcda", "(ab|cd)", &["a", "d", "a"]),
            ("zxy", "(ab|cd)", &["zxy"]),
            (",a,,", ",", &["", "a", "", ""]),
            ("", ",", &[""]),
            ("", "", &[""]),
            ("aé😀", "", &["a", "é", "😀"]),
            ("aBcD", "(?=[A-Z])", &["a", "Bc", "D"]),
        ];
        for (text, pattern, expected) in cases {
            assert_eq!(regexp_split_to_array(text, pattern).as_deref(), Ok(expected), "{text} {pattern}");
        }
    }
}
