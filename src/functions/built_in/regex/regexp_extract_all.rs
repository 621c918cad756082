//! `REGEXP_EXTRACT_ALL(pattern, text [, group])`.

use levada_udf::scalar;

use super::pattern::{behind, for_each_match, with_pattern};

/// All matches of a pattern, or of one of its groups.
#[scalar(name = "regexp_extract_all", example("REGEXP_EXTRACT_ALL('o.', 'foo bor')" = "ARRAY['oo', 'or']"))]
pub(super) fn whole<'a>(pattern: &str, text: &'a str) -> Result<Vec<&'a str>, String> {
    with_pattern(pattern, |pattern| {
        let mut all = Vec::new();
        for_each_match(pattern, text, |found| all.push(&text[found]))?;
        Ok(all)
    })
}

/// The same of a group; NULL if the pattern has none of that number.
#[scalar(name = "regexp_extract_all", example("REGEXP_EXTRACT_ALL('(.)=(.)', 'a=b, c=d', 2)" = "ARRAY['b', 'd']"))]
pub(super) fn group<'a>(pattern: &str, text: &'a str, group: i32) -> Result<Option<Vec<Option<&'a str>>>, String> {
    with_pattern(pattern, |pattern| {
        let Some(group) = usize::try_from(group).ok().filter(|group| *group <= pattern.groups()) else {
            return Ok(None);
        };
        let mut all = Vec::new();
        let mut position = 0;
        while position <= text.len() {
            let Some(captures) = pattern.captures(text, position)? else { break };
            let Some(found) = captures.get(0) else { break };
            position = behind(text, &(found.start()..found.end()));
            all.push(captures.get(group).map(|group| group.as_str()));
        }
        Ok(Some(all))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matches_may_be_empty_or_lack_the_group() {
        assert_eq!(whole("b*", "abb"), Ok(vec!["", "bb", ""]));
        assert_eq!(whole("x", "abb"), Ok(vec![]));
        assert_eq!(group(r"(\w+) (\w*)", "apurva mehta agavra ", 2), Ok(Some(vec![Some("mehta"), Some("")])));
        assert_eq!(group("a|(b)", "ab", 1), Ok(Some(vec![None, Some("b")])));
        assert_eq!(group("a", "ab", 1), Ok(None));
        assert_eq!(group("a", "ab", -1), Ok(None));
    }
}
