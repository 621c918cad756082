//! Numbers of things, as people write them.

/// `1 record`, `2 records`.
pub(super) fn counted(count: u64, thing: &str) -> String {
    format!("{count} {thing}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_singular() {
        let check = |count: u64, expected: &str| assert_eq!(counted(count, "row"), expected);
        check(0, "0 rows");
        check(1, "1 row");
        check(21, "21 rows");
    }
}
