//! Regular expressions as Java's `Pattern` and `Matcher` have them.
//!
//! A pattern is [translated](super::translation) for `fancy_regex`. Where Java's meaning needs look-around only for the sake of
//! rare texts (a line terminator before the end, letters outside of ASCII), there are two translations: a plain one, which
//! usually runs in linear time, and an exact one, compiled when such a text comes.

use std::cell::{OnceCell, RefCell};
use std::ops::Range;
use std::rc::Rc;

use fancy_regex::{Captures, Regex, RegexBuilder};

use super::translation::{Conditions, translate};

/// Steps back that one search may take.
const BACKTRACKS_MAX: usize = 1_000_000;

/// Instructions of a compiled pattern.
const INSTRUCTIONS_MAX: usize = 1 << 18;

/// Patterns that a thread keeps.
const KEPT_MAX: usize = 16;

/// A compiled pattern.
pub(super) struct Pattern {
    plain: Regex,
    /// What a text must be like for `plain` to be right.
    conditions: Conditions,
    exact: OnceCell<Result<Regex, String>>,
    text: String,
    groups: usize,
    names: Vec<(String, usize)>,
}

impl Pattern {
    fn new(text: &str) -> Result<Self, String> {
        let translation = translate(text, false)?;
        Ok(Self {
            plain: compile(text, &translation.text)?,
            conditions: translation.conditions,
            exact: OnceCell::new(),
            text: text.to_owned(),
            groups: translation.groups,
            names: translation.names,
        })
    }

    /// Number of its groups, without the whole match.
    pub(super) fn groups(&self) -> usize {
        self.groups
    }

    /// The group called `name`.
    pub(super) fn group_named(&self, name: &str) -> Option<usize> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, group)| *group)
    }

    /// The first match in `text` from `position` on.
    pub(super) fn find(&self, text: &str, position: usize) -> Result<Option<Range<usize>>, String> {
        let found = self.regex(text)?.find_from_pos(text, position).map_err(|error| self.failed(&error))?;
        Ok(found.map(|found| found.start()..found.end()))
    }

    /// The groups of the first match in `text` from `position` on.
    pub(super) fn captures<'t>(&self, text: &'t str, position: usize) -> Result<Option<Captures<'t, str>>, String> {
        self.regex(text)?.captures_from_pos(text, position).map_err(|error| self.failed(&error))
    }

    fn regex(&self, text: &str) -> Result<&Regex, String> {
        if self.conditions.hold(text) {
            return Ok(&self.plain);
        }
        let exact = || compile(&self.text, &translate(&self.text, true)?.text);
        self.exact.get_or_init(exact).as_ref().map_err(Clone::clone)
    }

    fn failed(&self, error: &fancy_regex::Error) -> String {
        format!("the pattern '{}' cannot be searched for: {error}", self.text)
    }
}

fn compile(pattern: &str, translation: &str) -> Result<Regex, String> {
    RegexBuilder::new(translation)
        .backtrack_limit(BACKTRACKS_MAX)
        .max_prog_size(INSTRUCTIONS_MAX)
        .build()
        .map_err(|error| format!("'{pattern}' is no pattern that can be used: {error}"))
}

/// What `use_it` makes of the pattern `text`. The patterns used last stay compiled.
pub(super) fn with_pattern<T>(text: &str, use_it: impl FnOnce(&Pattern) -> Result<T, String>) -> Result<T, String> {
    match &*pattern(text) {
        Ok(pattern) => use_it(pattern),
        Err(reason) => Err(reason.clone()),
    }
}

type Kept = (String, Rc<Result<Pattern, String>>);

thread_local! {
    /// The one used last comes first.
    static KEPT: RefCell<Vec<Kept>> = const { RefCell::new(Vec::new()) };
}

fn pattern(text: &str) -> Rc<Result<Pattern, String>> {
    KEPT.with_borrow_mut(|kept| {
        match kept.iter().position(|(known, _)| known == text) {
            Some(index) => kept[..=index].rotate_right(1),
            None => {
                kept.truncate(KEPT_MAX - 1);
                kept.insert(0, (text.to_owned(), Rc::new(Pattern::new(text))));
            }
        }
        Rc::clone(&kept[0].1)
    })
}

/// Where the search goes on behind `found`: an empty match is not found twice.
pub(super) fn behind(text: &str, found: &Range<usize>) -> usize {
    if found.is_empty() { found.end + text[found.end..].chars().next().map_or(1, char::len_utf8) } else { found.end }
}

/// Calls `each` with all matches in `text`, one behind the other.
pub(super) fn for_each_match(pattern: &Pattern, text: &str, mut each: impl FnMut(Range<usize>)) -> Result<(), String> {
    let mut position = 0;
    while position <= text.len() {
        let Some(found) = pattern.find(text, position)? else { break };
        position = behind(text, &found);
        each(found);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All matches of `pattern` in `text`.
    fn matches<'t>(pattern: &str, text: &'t str) -> Vec<&'t str> {
        let mut found = Vec::new();
        let searched = with_pattern(pattern, |pattern| for_each_match(pattern, text, |at| found.push(&text[at])));
        assert_eq!(searched, Ok(()), "{pattern}");
        found
    }

    #[test]
    fn syntax_means_what_it_means_in_java() {
        let cases: &[(&str, &str, &[&str])] = &[
            ("a*", "aab", &["aa", "", ""]),
            ("a*+a", "aaa", &[]),
            ("[ab]{1,3}+b", "abb", &[]),
            (r"\Qa.b\E+", "a.bb axb", &["a.bb"]),
            (r"\Qa.*", "a.* ab", &["a.*"]),
            (r"(?<first>\w)\k<first>", "abba", &["bb"]),
            (r"(a)\11", "aa1", &["aa1"]),
            (r"\d\w\s", "१xय 1x ", &["1x "]),
            (r"(?U)\d", "1१", &["1", "१"]),
            (r"\h\R", "a\u{a0}\r\n", &["\u{a0}\r\n"]),
            (r"\v\H", "\u{b}a", &["\u{b}a"]),
            (".+", "ab\u{85}cd\r\nef", &["ab", "cd", "ef"]),
            ("(?s).+", "ab\ncd", &["ab\ncd"]),
            ("(?d).+", "ab\rcd\nef", &["ab\rcd", "ef"]),
            ("b$", "ab\nab\n", &["b"]),
            ("b$", "ab\nab", &["b"]),
            (r"b\Z", "ab\r\n", &["b"]),
            (r"b\z", "ab\n", &[]),
            ("(?m)^.", "a\nb\r\nc\u{2028}d", &["a", "b", "c", "d"]),
            ("(?m)^", "a\nb\n", &["", ""]),
            ("(?m)^", "", &[]),
            ("(?m).$", "ab\r\ncd", &["b", "d"]),
            ("(?m).$", "ab\ncd", &["b", "d"]),
            ("a(?:){2}(?:(?=b))+", "ab", &["a"]),
            ("{2}a", "ba", &["a"]),
            ("(?x)a{1} +b", "ab", &["ab"]),
            (r"\bb", "b éb ab -b", &["b", "b"]),
            (r"(?U)\bb", "b éb ab", &["b"]),
            (r"a\Bb", "ab", &["ab"]),
            ("[a-z&&[^bc]]+", "abcd", &["a", "d"]),
            ("[a-c[x-z]]+", "abxz-", &["abxz"]),
            ("[^a-c&&b]+", "abc", &["a", "c"]),
            (r"[\w&&[^\d]]+", "ab12", &["ab"]),
            (r"[]a]+", "a]b", &["a]"]),
            (r"[a\-z&]+", "a-z&b", &["a-z&"]),
            (r"[\Q[]\E]+", "[]", &["[]"]),
            ("[a-]+", "a-b", &["a-"]),
            ("(?i)stRasse[A-C]", "STRASSEb straſſea", &["STRASSEb"]),
            ("(?i)é", "É é", &["é"]),
            ("(?iu)é", "É é", &["É", "é"]),
            ("(?i:a)b", "Ab AB", &["Ab"]),
            ("((?i)a)b", "Ab AB", &["Ab"]),
            ("(?i)(?-i:a)b", "aB AB", &["aB"]),
            ("(?x) a b # both\n c", "abc a b c", &["abc"]),
            (r"\u0041\x42\x{43}\0104\t", "ABCD\t", &["ABCD\t"]),
            (r"\uD83D\uDE00", "a😀", &["😀"]),
            (r"\cA\a\e", "\u{1}\u{7}\u{1b}", &["\u{1}\u{7}\u{1b}"]),
            (r"\p{Lu}\p{Alpha}\pL\P{L}", "Äaé1", &["Äaé1"]),
            (r"\p{IsGreek}+\p{javaLowerCase}", "αβγé", &["αβγé"]),
            (r"[\p{L}&&[^\p{Lu}]]+", "aBé", &["a", "é"]),
            (r"[^\P{L}x]", "1xa", &["a"]),
            ("a(?=b)|(?<!a)b(?!c)", "ab bc b", &["a", "b"]),
            ("(?>a|ab)c", "abc", &[]),
            (r"\Ga", "aab", &["a", "a"]),
            ("a{2}{3}", "aaaaaa", &["aa", "aa", "aa"]),
            ("x|", "xa", &["x", "", ""]),
            ("😀?", "😀", &["😀", ""]),
            ("}]", "}]", &["}]"]),
        ];
        let found = cases.iter().map(|(pattern, text, _)| (*pattern, matches(pattern, text)));
        let wrong: Vec<_> = found.zip(cases).filter(|((_, found), (_, _, expected))| found != expected).collect();
        assert!(wrong.is_empty(), "{wrong:?}");
    }

    #[test]
    fn patterns_that_are_none_are_refused() {
        for wrong in [
            "(",
            ")",
            "[",
            "[a",
            "*",
            "a**",
            "a{2,1}",
            "a{,2}",
            "{",
            r"\",
            r"\y",
            r"\k<x>",
            "(?<1>a)",
            "(?<a>.)(?<a>.)",
            r"\p{Nope}",
            "[z-a]",
            "(?z)",
            r"\x4",
            r"(a\1?){2}",
        ] {
            assert!(with_pattern(wrong, |_| Ok(())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_search_that_would_not_end_fails() {
        let text = "a".repeat(64) + "cb";
        let found = with_pattern(r"^(?:(a|aa)+)\1?b$", |pattern| pattern.find(&text, 0));
        assert!(found.is_err_and(|reason| reason.contains("cannot be searched for")));
        assert!(with_pattern("(((x{900}){900}){900}){900}", |_| Ok(())).is_err());
    }

    #[test]
    fn patterns_are_kept_but_not_all() {
        let first = pattern("first of the kept");
        assert!(Rc::ptr_eq(&first, &pattern("first of the kept")));
        (0..KEPT_MAX).for_each(|n| drop(pattern(&format!("pattern {n}"))));
        assert_eq!(KEPT.with_borrow(Vec::len), KEPT_MAX);
        assert!(!Rc::ptr_eq(&first, &pattern("first of the kept")));
    }
}
