//! The key stores that a client's properties name, as PEM, which our HTTP clients take.

use std::collections::BTreeMap;

use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::x509::X509;
use rustls::pki_types::CertificateDer;

use super::tls::{Identity, KEY_STORE, Store, TRUST_STORE, TlsError};

/// A certificate chain and its key, each as PEM.
pub type OwnPem = (Vec<u8>, Vec<u8>);

/// Whom a client trusts and who it is, as PEM.
#[derive(Default)]
pub struct ClientStores {
    /// Authorities whose servers are trusted, if a trust store is named.
    pub authorities: Option<Vec<u8>>,
    /// The client's certificate and its key, if a key store is named.
    pub own: Option<OwnPem>,
}

impl ClientStores {
    /// What `properties` name by `ssl.truststore.location`, `ssl.keystore.location` and their like: PEM or PKCS#12.
    pub fn read(properties: &BTreeMap<String, String>) -> Result<Self, TlsError> {
        let get = |name: &str| properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        Ok(Self { authorities: authorities(get)?, own: own(get)? })
    }
}

/// [`ClientStores::authorities`], of properties that `get` knows.
pub(super) fn authorities<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Option<Vec<u8>>, TlsError> {
    let Some(file) = get(TRUST_STORE) else { return Ok(None) };
    let password = get("ssl.truststore.password").unwrap_or_default();
    certificates(file, &Store::read(TRUST_STORE, file, password)?.certificates).map(Some)
}

/// [`ClientStores::own`], of properties that `get` knows.
pub(super) fn own<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Result<Option<OwnPem>, TlsError> {
    let Some(file) = get(KEY_STORE) else { return Ok(None) };
    let identity = Identity::new(file, get);
    let (chain, key) = identity.certificates_and_key()?;
    let pem = PKey::private_key_from_der(key.secret_der()).and_then(|key| key.private_key_to_pem_pkcs8());
    Ok(Some((certificates(file, &chain)?, pem.map_err(|error| unfit(file, &error))?)))
}

fn certificates(file: &str, chain: &[CertificateDer<'_>]) -> Result<Vec<u8>, TlsError> {
    let pem =
        |certificate: &CertificateDer<'_>| X509::from_der(certificate).and_then(|certificate| certificate.to_pem());
    let chain: Result<Vec<Vec<u8>>, ErrorStack> = chain.iter().map(pem).collect();
    chain.map(|chain| chain.concat()).map_err(|error| unfit(file, &error))
}

fn unfit(file: &str, error: &ErrorStack) -> TlsError {
    TlsError::Unfit(file.to_owned(), error.to_string())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::http::pem as read_back;

    fn read(entries: &[(&str, &str)]) -> Result<ClientStores, String> {
        let entries = entries.iter().map(|&(name, value)| (name.to_owned(), value.to_owned()));
        ClientStores::read(&entries.collect()).map_err(|error| error.to_string())
    }

    #[test]
    fn stores_of_java_and_pem_give_the_same() {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        let (certificate, key) = (own.cert.pem(), own.signing_key.serialize_pem());
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).expect("it can be written");
            path.to_string_lossy().into_owned()
        };
        let pem = file("client.pem", format!("{certificate}{key}").as_bytes());
        let x509 = openssl::x509::X509::from_pem(certificate.as_bytes()).expect("its own certificate");
        let private = openssl::pkey::PKey::private_key_from_pem(key.as_bytes()).expect("its own key");
        let store = openssl::pkcs12::Pkcs12::builder().cert(&x509).pkey(&private).build2("secret").expect("a store");
        let pkcs12 = file("client.p12", &store.to_der().expect("it is written"));
        let of_pem = read(&[(TRUST_STORE, &pem), (KEY_STORE, &pem)]).expect("both are there");
        let password = [("ssl.truststore.password", "secret"), ("ssl.keystore.password", "secret")];
        let stores = [(TRUST_STORE, pkcs12.as_str()), (KEY_STORE, pkcs12.as_str())];
        let of_pkcs12 = read(&[stores, password].concat()).expect("both are there");
        let authorities = |stores: &ClientStores| {
            let pem = stores.authorities.clone().expect("a trust store is named");
            read_back::certificates(&pem)
                .expect("it holds one")
                .iter()
                .map(|one| one.der().to_vec())
                .collect::<Vec<_>>()
        };
        assert_eq!(authorities(&of_pem), authorities(&of_pkcs12));
        assert_eq!(authorities(&of_pem), [own.cert.der().to_vec()]);
        for stores in [of_pem, of_pkcs12] {
            let (chain, key) = stores.own.expect("a key store is named");
            assert!(read_back::certificates(&chain).is_ok() && read_back::private_key(&key).is_ok());
        }
        let wrong = read(&[(KEY_STORE, &pkcs12), ("ssl.keystore.password", "other")]).err().unwrap_or_default();
        assert!(wrong.contains("the password may be wrong"), "{wrong}");
        let nothing = read(&[]).expect("nothing is named");
        assert!(nothing.authorities.is_none() && nothing.own.is_none());
    }
}
