//! `UUID([bytes])`.

use ::uuid::Uuid;
use levada_udf::{Shown, scalar};

/// A random UUID, or the one that 16 bytes make.
#[scalar(name = "UUID", volatile, example("LEN(UUID())" = "36"))]
pub(super) fn random() -> Shown<Uuid> {
    Shown(Uuid::new_v4())
}

/// The same of bytes.
#[scalar(name = "UUID")]
pub(super) fn of_bytes(bytes: &[u8]) -> Option<Shown<Uuid>> {
    Uuid::from_slice(bytes).ok().map(Shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_bytes_make_one() {
        let shown = |bytes: &[u8]| of_bytes(bytes).map(|shown| shown.0.to_string());
        assert_eq!(shown(b"0123456789abcdef").as_deref(), Some("30313233-3435-3637-3839-616263646566"));
        assert_eq!(shown(b"0123456789abcde"), None);
    }

    #[test]
    fn random_ones_differ() {
        let [one, other] = [random().0, random().0];
        assert_ne!(one, other);
        assert_eq!(one.get_version_num(), 4);
    }
}
