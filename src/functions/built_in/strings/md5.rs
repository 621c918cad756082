//! `MD5(text)`.

use ::md5::{Digest as _, Md5};
use levada_udf::scalar;

use super::super::encoding::Encoding;

/// The MD5 digest in hexadecimal digits.
#[scalar(name = "md5", example("MD5('')" = "'d41d8cd98f00b204e9800998ecf8427e'"))]
pub(super) fn md5(text: &str) -> String {
    Encoding::Hex.encoded(&Md5::digest(text)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_digest_of_utf8() {
        assert_eq!(md5("r1"), "7c92cf1eee8d99cc85f8355a3d6e4b86");
        assert_eq!(md5("é"), "66ddcd97cfdeabb2f6fb8a999b4bc76f");
    }
}
