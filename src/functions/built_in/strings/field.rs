//! `FIELD(text, a, b, …)`.

use levada_udf::{Rest, scalar};

/// The position of a text in the list, 0 if it is not there.
#[scalar(name = "field", example("FIELD('b', 'a', 'b')" = "2"))]
pub(super) fn field(text: Option<&str>, texts: Rest<&str>) -> i32 {
    let is_wanted = |candidate| text.is_some() && candidate == text;
    texts.iter().position(is_wanted).map_or(0, |index| index as i32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_never_found() {
        let get = |index: usize| [Some("a"), None, Some("b"), Some("b")][index];
        let found = [Some("a"), Some("b"), Some("c"), None].map(|text| field(text, Rest::new(4, &get)));
        assert_eq!(found, [1, 3, 0, 0]);
    }
}
