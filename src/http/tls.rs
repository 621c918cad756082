//! HTTPS: certificates and keys from the files that a Java server has, for a server that a JVM does not run.
//!
//! | `ssl.keystore.type` | what the file is |
//! |---|---|
//! | `PEM` | certificates and a private key as text |
//! | `PKCS12` | what `keytool` writes today, and `openssl pkcs12 -export` |
//! | `JKS` (ksqlDB's default) | either of them, if that is what it holds; the format that Java has left behind is not read |

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{ClientConfig, DigitallySignedStruct, DistinguishedName, RootCertStore, ServerConfig, SignatureScheme};
use tokio_rustls::TlsAcceptor;

/// Why a server cannot speak TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// A property is missing that HTTPS needs.
    #[error("HTTPS needs the property {0}: {1}")]
    Missing(&'static str, &'static str),
    /// A file cannot be read.
    #[error("cannot read '{file}', which {property} names: {reason}")]
    File {
        /// The property.
        property: &'static str,
        /// The file.
        file: String,
        /// Why not.
        reason: String,
    },
    /// A value of a property makes no sense.
    #[error("'{value}' is no value of {property}: {expected}")]
    Value {
        /// The property.
        property: &'static str,
        /// Its value.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// Certificates and key do not fit each other, or are of a kind that is not spoken.
    #[error("the certificates and the key of '{0}' cannot be used: {1}")]
    Unfit(String, String),
}

const KEY_STORE: &str = "ssl.keystore.location";
const TRUST_STORE: &str = "ssl.truststore.location";
const CLIENTS: &str = "ssl.client.authentication";

/// What TLS does on a server with `properties`, which have ksqlDB's names.
pub fn acceptor(properties: &BTreeMap<String, String>) -> Result<TlsAcceptor, TlsError> {
    let get = |name: &str| properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let file = get(KEY_STORE).ok_or(TlsError::Missing(KEY_STORE, "the file with the server's certificates and key"))?;
    let store = Store::read(KEY_STORE, file, get("ssl.keystore.password").unwrap_or_default())?;
    let none = "it holds no private key, or one that is encrypted".to_owned();
    let key = store.key.ok_or_else(|| TlsError::File { property: KEY_STORE, file: file.to_owned(), reason: none })?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let unfit = |error: &dyn std::fmt::Display| TlsError::Unfit(file.to_owned(), error.to_string());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let builder = builder.with_safe_default_protocol_versions().map_err(|error| unfit(&error))?;
    let builder = match clients(get(CLIENTS).or_else(|| get("ssl.client.auth")))? {
        Clients::Unknown => builder.with_no_client_auth(),
        known => {
            let trusted = trusted(get(TRUST_STORE), get("ssl.truststore.password").unwrap_or_default())?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider);
            let verifier = if known == Clients::Requested { verifier.allow_unauthenticated() } else { verifier };
            let signed = verifier.build().map_err(|error| unfit(&error))?;
            builder.with_client_cert_verifier(Arc::new(OwnOrSignedClient {
                own: store.certificates.first().cloned(),
                signed,
            }))
        }
    };
    let mut config = builder.with_single_cert(store.certificates, key).map_err(|error| unfit(&error))?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What TLS does with other servers of one's own kind: they are believed if their certificate is this server's own, or if it is signed
/// by who is in the trust store or in this server's own chain. This server shows its certificate where it is asked to. `None` without one.
pub fn connector(properties: &BTreeMap<String, String>) -> Result<Option<Arc<ClientConfig>>, TlsError> {
    let get = |name: &str| properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let Some(file) = get(KEY_STORE) else { return Ok(None) };
    let store = Store::read(KEY_STORE, file, get("ssl.keystore.password").unwrap_or_default())?;
    let unfit = |error: &dyn std::fmt::Display| TlsError::Unfit(file.to_owned(), error.to_string());
    let mut roots = match get(TRUST_STORE) {
        Some(trusted_file) => trusted(Some(trusted_file), get("ssl.truststore.password").unwrap_or_default())?,
        None => RootCertStore::empty(),
    };
    for certificate in &store.certificates {
        roots.add(certificate.clone()).map_err(|error| unfit(&error))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let signed = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let signed = signed.build().map_err(|error| unfit(&error))?;
    let verifier = Arc::new(OwnOrSigned { own: store.certificates.first().cloned(), signed });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    // What is believed beyond signatures is this server's very own certificate, whose key it has itself.
    let builder = builder.map_err(|error| unfit(&error))?.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = match store.key {
        Some(key) => builder.with_client_auth_cert(store.certificates, key).map_err(|error| unfit(&error))?,
        None => builder.with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Some(Arc::new(config)))
}

/// Believes who shows the certificate that this server has itself: one for all servers, perhaps without a name of any. All others as
/// signatures and names say.
#[derive(Debug)]
struct OwnOrSigned {
    own: Option<CertificateDer<'static>>,
    signed: Arc<WebPkiServerVerifier>,
}

impl ServerCertVerifier for OwnOrSigned {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if self.own.as_ref() == Some(shown) {
            return Ok(ServerCertVerified::assertion());
        }
        self.signed.verify_server_cert(shown, between, name, ocsp, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed.verify_tls12_signature(message, shown, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed.verify_tls13_signature(message, shown, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}

/// The same of who connects: another server may have the very certificate of this one.
#[derive(Debug)]
struct OwnOrSignedClient {
    own: Option<CertificateDer<'static>>,
    signed: Arc<dyn ClientCertVerifier>,
}

impl ClientCertVerifier for OwnOrSignedClient {
    fn offer_client_auth(&self) -> bool {
        self.signed.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.signed.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.signed.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        shown: &CertificateDer<'_>,
        between: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        if self.own.as_ref() == Some(shown) {
            return Ok(ClientCertVerified::assertion());
        }
        self.signed.verify_client_cert(shown, between, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed.verify_tls12_signature(message, shown, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        shown: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.signed.verify_tls13_signature(message, shown, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.signed.supported_verify_schemes()
    }
}

/// Whether clients show who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clients {
    Unknown,
    Requested,
    Required,
}

fn clients(value: Option<&str>) -> Result<Clients, TlsError> {
    match value.unwrap_or("NONE").to_ascii_uppercase().as_str() {
        "NONE" | "FALSE" => Ok(Clients::Unknown),
        "REQUESTED" => Ok(Clients::Requested),
        "REQUIRED" | "TRUE" => Ok(Clients::Required),
        other => Err(TlsError::Value {
            property: CLIENTS,
            value: other.to_owned(),
            expected: "it is NONE, REQUESTED or REQUIRED",
        }),
    }
}

/// Whose certificates are believed.
fn trusted(file: Option<&str>, password: &str) -> Result<RootCertStore, TlsError> {
    let reason = "the file with the certificates of who may sign those of clients";
    let file = file.ok_or(TlsError::Missing(TRUST_STORE, reason))?;
    let store = Store::read(TRUST_STORE, file, password)?;
    let mut roots = RootCertStore::empty();
    for certificate in store.certificates {
        roots.add(certificate).map_err(|error| TlsError::Unfit(file.to_owned(), error.to_string()))?;
    }
    Ok(roots)
}

/// Certificates and a key.
struct Store {
    certificates: Vec<CertificateDer<'static>>,
    key: Option<PrivateKeyDer<'static>>,
}

/// How a key store of Java begins that is neither PEM nor PKCS#12.
const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];

impl Store {
    /// Reads a file of either kind, whatever the property says it is: Java does so, too.
    fn read(property: &'static str, file: &str, password: &str) -> Result<Self, TlsError> {
        let failed = |reason: String| TlsError::File { property, file: file.to_owned(), reason };
        let bytes = fs::read(file).map_err(|error| failed(error.to_string()))?;
        let store = if bytes.starts_with(&JKS) {
            let advice = "it is a key store in Java's old format: `keytool -importkeystore -deststoretype PKCS12` makes one that can be read";
            return Err(failed(advice.to_owned()));
        } else if bytes.windows(10).any(|window| window == b"-----BEGIN") {
            Self::pem(&bytes)
        } else {
            Self::pkcs12(&bytes, password)
        };
        let store = store.map_err(failed)?;
        if store.certificates.is_empty() { Err(failed("it holds no certificate".to_owned())) } else { Ok(store) }
    }

    fn pem(bytes: &[u8]) -> Result<Self, String> {
        let certificates = CertificateDer::pem_slice_iter(bytes).collect::<Result<_, _>>();
        let certificates = certificates.map_err(|error| format!("a certificate is damaged: {error}"))?;
        Ok(Self { certificates, key: PrivateKeyDer::from_pem_slice(bytes).ok() })
    }

    fn pkcs12(bytes: &[u8], password: &str) -> Result<Self, String> {
        let parsed =
            openssl::pkcs12::Pkcs12::from_der(bytes).map_err(|_| "it is neither PEM nor PKCS#12".to_owned())?;
        let parsed = parsed.parse2(password).map_err(|error| {
            format!("it cannot be opened; the password may be wrong, or its encryption too old: {error}")
        })?;
        let der = |error: openssl::error::ErrorStack| error.to_string();
        let mut certificates = Vec::new();
        if let Some(certificate) = &parsed.cert {
            certificates.push(CertificateDer::from(certificate.to_der().map_err(der)?));
        }
        for certificate in parsed.ca.iter().flatten() {
            certificates.push(CertificateDer::from(certificate.to_der().map_err(der)?));
        }
        let key = match parsed.pkey {
            Some(key) => Some(PrivateKeyDer::try_from(key.private_key_to_pkcs8().map_err(der)?)?),
            None => None,
        };
        Ok(Self { certificates, key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
        entries.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// A certificate and its key as PEM.
    fn own_certificate() -> (String, String) {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).expect("a certificate");
        (own.cert.pem(), own.signing_key.serialize_pem())
    }

    fn refusal(entries: &[(&str, &str)]) -> String {
        acceptor(&properties(entries)).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn certificates_and_key_stand_in_pem_or_pkcs12() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (certificate, key) = own_certificate();
        let pem = folder.path().join("server.pem");
        fs::write(&pem, format!("{certificate}{key}")).expect("it can be written");
        let pem = pem.to_string_lossy().into_owned();
        assert_eq!(refusal(&[(KEY_STORE, &pem), ("ssl.keystore.type", "PEM")]), "");
        assert_eq!(refusal(&[(KEY_STORE, &pem), (CLIENTS, "REQUIRED"), (TRUST_STORE, &pem)]), "");

        let x509 = openssl::x509::X509::from_pem(certificate.as_bytes()).expect("its own certificate");
        let private = openssl::pkey::PKey::private_key_from_pem(key.as_bytes()).expect("its own key");
        let store = openssl::pkcs12::Pkcs12::builder().cert(&x509).pkey(&private).build2("secret").expect("a store");
        let path = folder.path().join("server.p12");
        fs::write(&path, store.to_der().expect("its bytes")).expect("it can be written");
        let path = path.to_string_lossy().into_owned();
        assert_eq!(refusal(&[(KEY_STORE, &path), ("ssl.keystore.password", "secret")]), "");
        assert!(refusal(&[(KEY_STORE, &path), ("ssl.keystore.password", "wrong")]).contains("password may be wrong"));
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = |name: &str, bytes: &[u8]| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).expect("it can be written");
            path.to_string_lossy().into_owned()
        };
        let (certificate, key) = own_certificate();
        let only_certificate = file("c.pem", certificate.as_bytes());
        let whole = file("w.pem", format!("{certificate}{key}").as_bytes());
        for (entries, expected) in [
            (vec![], "HTTPS needs the property ssl.keystore.location"),
            (vec![(KEY_STORE, "/nowhere.pem")], "cannot read '/nowhere.pem'"),
            (vec![(KEY_STORE, only_certificate.as_str())], "it holds no private key"),
            (vec![(KEY_STORE, &file("old.jks", &[0xfe, 0xed, 0xfe, 0xed, 0, 0]))], "keytool -importkeystore"),
            (vec![(KEY_STORE, &file("x", b"what"))], "neither PEM nor PKCS#12"),
            (vec![(KEY_STORE, &whole), (CLIENTS, "PERHAPS")], "it is NONE, REQUESTED or REQUIRED"),
            (vec![(KEY_STORE, &whole), (CLIENTS, "REQUIRED")], "HTTPS needs the property ssl.truststore.location"),
        ] {
            let refusal = refusal(&entries);
            assert!(refusal.contains(expected), "{refusal}");
        }
    }
}
