//! Certificates and keys of HTTP clients, out of PEM.

use ureq::tls::{Certificate, PemItem, PrivateKey, parse_pem};

/// A file that does not hold what it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// There is no such thing in it.
    #[error(
        "it holds no PEM; `keytool -importkeystore -deststoretype PKCS12` and `openssl pkcs12 -nodes` make PEM of \
         a Java key store"
    )]
    Missing,
    /// The key has a password.
    #[error("the key is encrypted; `openssl pkey` writes it without a password")]
    Encrypted,
}

/// All certificates in `pem`; there is at least one.
pub fn certificates(pem: &[u8]) -> Result<Vec<Certificate<'static>>, PemError> {
    let items = parse_pem(pem).filter_map(Result::ok);
    let certificates: Vec<Certificate<'static>> = items
        .filter_map(|item| match item {
            PemItem::Certificate(certificate) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() { Err(PemError::Missing) } else { Ok(certificates) }
}

/// The first private key in `pem`.
pub fn private_key(pem: &[u8]) -> Result<PrivateKey<'static>, PemError> {
    if pem.windows(9).any(|word| word == b"ENCRYPTED") {
        return Err(PemError::Encrypted);
    }
    let key = parse_pem(pem).filter_map(Result::ok).find_map(|item| match item {
        PemItem::PrivateKey(key) => Some(key),
        _ => None,
    });
    key.ok_or(PemError::Missing)
}
