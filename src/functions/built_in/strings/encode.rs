//! `ENCODE(text, from, to)`.

use levada_udf::scalar;

use super::encoding::Encoding;

/// A text in another encoding: hex, utf8, ascii or base64.
#[scalar(name = "encode", example("ENCODE('4b6579', 'hex', 'utf8')" = "'Key'"))]
pub(super) fn encode(text: &str, from: &str, to: &str) -> Result<String, String> {
    let (from, to) = (Encoding::named(from)?, Encoding::named(to)?);
    Ok(to.text(&from.bytes(text)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_encoding_can_be_written() {
        let to = ["hex", "utf8", "ascii", "base64"].map(|to| encode("w5xi", "base64", to).expect("it is base64"));
        assert_eq!(to, ["c39c62", "Üb", "\u{FFFD}\u{FFFD}b", "w5xi"]);
        assert!(encode("a", "null", "utf8").is_err());
    }
}
