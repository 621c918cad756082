//! `REGEXP_EXTRACT(pattern, text [, group])`.

use levada_udf::scalar;

use super::pattern::with_pattern;

/// The first match of a pattern, or of one of its groups.
#[scalar(name = "regexp_extract", example("REGEXP_EXTRACT('.o', 'foo bar')" = "'fo'"))]
pub(super) fn whole<'a>(pattern: &str, text: &'a str) -> Result<Option<&'a str>, String> {
    with_pattern(pattern, |pattern| Ok(pattern.find(text, 0)?.map(|found| &text[found])))
}

/// The same of a group; NULL if the pattern has none of that number.
#[scalar(name = "regexp_extract", example("REGEXP_EXTRACT('(.*) (.*)', 'hello there', 2)" = "'there'"))]
pub(super) fn group<'a>(pattern: &str, text: &'a str, group: i32) -> Result<Option<&'a str>, String> {
    with_pattern(pattern, |pattern| match usize::try_from(group) {
        Ok(0) => Ok(pattern.find(text, 0)?.map(|found| &text[found])),
        Ok(group) if group <= pattern.groups() => {
            let captures = pattern.captures(text, 0)?;
            Ok(captures.and_then(|captures| captures.get(group)).map(|group| group.as_str()))
        }
        _ => Ok(None),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_may_be_missing() {
        assert_eq!(whole("b+", "abbc"), Ok(Some("bb")));
        assert_eq!(whole("x", "abbc"), Ok(None));
        for (number, expected) in [(0, Some("ac")), (1, Some("a")), (2, None), (3, Some("c")), (4, None), (-1, None)] {
            assert_eq!(group("(a)(b)?(c)", "xac", number), Ok(expected), "{number}");
        }
        assert!(whole("(", "abbc").is_err());
    }
}
