//! `ELT(position, a, b, …)`.

use levada_udf::{Rest, scalar};

/// The text at a position of the list.
#[scalar(name = "elt", example("ELT(2, 'a', 'b')" = "'b'"))]
pub(super) fn elt<'a>(
    /// 1 is the first; NULL where there is none.
    position: i32,
    texts: Rest<&'a str>,
) -> Option<&'a str> {
    texts.get(usize::try_from(position).ok()?.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_start_at_one() {
        let get = |index: usize| [Some("a"), None, Some("c")][index];
        let found = [1, 2, 3, 4, 0, -1].map(|position| elt(position, Rest::new(3, &get)));
        assert_eq!(found, [Some("a"), None, Some("c"), None, None, None]);
    }
}
