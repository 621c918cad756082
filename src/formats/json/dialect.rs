//! What Connect writes otherwise than ksqlDB's JSON.

/// How values are written that JSON has several forms for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::formats) struct Dialect {
    /// Maps may be arrays of objects with a `key` and a `value`.
    pub(in crate::formats) entries: bool,
    /// Texts of decimals are their digits as bytes, in base64.
    pub(in crate::formats) base64_decimals: bool,
    /// Structs of `connect_union_field_0` and so on hold one value of several types, which stands there by itself.
    pub(in crate::formats) unions: bool,
}

/// Begins the names of fields that hold one of several types.
pub(in crate::formats) const UNION_FIELD: &str = "connect_union_field_";

/// Whether a field of this name holds one of several types.
pub(in crate::formats) fn is_union_field(name: &str) -> bool {
    name.get(..UNION_FIELD.len()).is_some_and(|start| start.eq_ignore_ascii_case(UNION_FIELD))
}
