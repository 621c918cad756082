//! HTTPS: certificates and keys from the files that a Java server has, for a server that a JVM does not run.
//!
//! | `ssl.keystore.type` | what the file is |
//! |---|---|
//! | `PEM` | certificates and a private key as text |
//! | `PKCS12` | what `keytool` writes today, and `openssl pkcs12 -export` |
//! | `JKS` (ksqlDB's default) | either of them, if that is what it holds; the format that Java has left behind is not read |

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

use rustls::client::{ResolvesClientCert, WebPkiServerVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig, SignatureScheme, SupportedCipherSuite, SupportedProtocolVersion,
};
use tokio_rustls::TlsAcceptor;

use super::own_or_signed::OwnOrSigned;

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

pub(super) const KEY_STORE: &str = "ssl.keystore.location";
pub(super) const KEY: &str = "ssl.key.location";
pub(super) const TRUST_STORE: &str = "ssl.truststore.location";
const CLIENTS: &str = "ssl.client.authentication";
const VERSIONS: &str = "ssl.enabled.protocols";
const SUITES: &str = "ssl.cipher.suites";

/// What TLS does on a server with `properties`, which have ksqlDB's names.
pub fn acceptor(properties: &BTreeMap<String, String>) -> Result<TlsAcceptor, TlsError> {
    let get = |name: &str| properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let file = get(KEY_STORE).ok_or(TlsError::Missing(KEY_STORE, "the file with the server's certificates and key"))?;
    let mut provider = rustls::crypto::ring::default_provider();
    if let Some(names) = get(SUITES) {
        provider.cipher_suites = suites(names, &provider.cipher_suites)?;
    }
    let provider = Arc::new(provider);
    let shown = Arc::new(Reloaded::open(properties, file, &provider)?);
    let unfit = |error: &dyn std::fmt::Display| TlsError::Unfit(file.to_owned(), error.to_string());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider));
    let versions = versions(get(VERSIONS).unwrap_or("TLSv1.2,TLSv1.3"))?;
    let builder = builder.with_protocol_versions(&versions).map_err(|error| unfit(&error))?;
    let builder = match clients(get(CLIENTS).or_else(|| get("ssl.client.auth")))? {
        Clients::Unknown => builder.with_no_client_auth(),
        known => {
            let trusted = trusted(get(TRUST_STORE), get("ssl.truststore.password").unwrap_or_default())?;
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), provider);
            let verifier = if known == Clients::Requested { verifier.allow_unauthenticated() } else { verifier };
            let signed = verifier.build().map_err(|error| unfit(&error))?;
            builder.with_client_cert_verifier(Arc::new(OwnOrSigned { own: Arc::clone(&shown), signed }))
        }
    };
    let mut config = builder.with_cert_resolver(shown);
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// What TLS does with other servers of one's own kind: they are believed if their certificate is this server's own, or if it is signed
/// by who is in the trust store or in this server's own chain. This server shows its certificate where it is asked to. `None` without one.
pub fn connector(properties: &BTreeMap<String, String>) -> Result<Option<Arc<ClientConfig>>, TlsError> {
    let get = |name: &str| properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
    let Some(file) = get(KEY_STORE) else { return Ok(None) };
    let unfit = |error: &dyn std::fmt::Display| TlsError::Unfit(file.to_owned(), error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let shown = Arc::new(Reloaded::open(properties, file, &provider)?);
    let mut roots = match get(TRUST_STORE) {
        Some(trusted_file) => trusted(Some(trusted_file), get("ssl.truststore.password").unwrap_or_default())?,
        None => RootCertStore::empty(),
    };
    for certificate in &shown.shown().cert {
        roots.add(certificate.clone()).map_err(|error| unfit(&error))?;
    }
    let signed = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider));
    let signed = signed.build().map_err(|error| unfit(&error))?;
    let verifier = Arc::new(OwnOrSigned { own: Arc::clone(&shown), signed });
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    // What is believed beyond signatures is this server's very own certificate, whose key it has itself.
    let builder = builder.map_err(|error| unfit(&error))?.dangerous().with_custom_certificate_verifier(verifier);
    let mut config = builder.with_client_cert_resolver(shown);
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok(Some(Arc::new(config)))
}

/// Where somebody's certificates and key are.
#[derive(Debug)]
pub(super) struct Identity {
    file: String,
    password: String,
    /// Where the key is that is not in the file.
    key_file: Option<String>,
    key_password: Option<String>,
}

impl Identity {
    /// Those of the key store `file`, as `get` says of other properties.
    pub(super) fn new<'a>(file: &str, get: impl Fn(&str) -> Option<&'a str>) -> Self {
        Self {
            file: file.to_owned(),
            password: get("ssl.keystore.password").unwrap_or_default().to_owned(),
            key_file: get(KEY).map(ToOwned::to_owned),
            key_password: get("ssl.key.password").map(ToOwned::to_owned),
        }
    }

    fn read(&self, provider: &CryptoProvider) -> Result<Arc<CertifiedKey>, TlsError> {
        let (certificates, key) = self.certificates_and_key()?;
        let unfit = |error: rustls::Error| TlsError::Unfit(self.file.clone(), error.to_string());
        CertifiedKey::from_der(certificates, key, provider).map(Arc::new).map_err(unfit)
    }

    /// What the files hold.
    pub(super) fn certificates_and_key(
        &self,
    ) -> Result<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>), TlsError> {
        let store = Store::read(KEY_STORE, &self.file, &self.password)?;
        let key_password = self.key_password.as_deref();
        let (property, file, found) = match &self.key_file {
            Some(file) => {
                let failed = |reason: String| TlsError::File { property: KEY, file: file.clone(), reason };
                let bytes = fs::read(file).map_err(|error| failed(error.to_string()))?;
                (KEY, file, private_key(&bytes, key_password))
            }
            None => {
                (KEY_STORE, &self.file, store.key.or_else(|| private_key(&fs::read(&self.file).ok()?, key_password)))
            }
        };
        let none = "it holds no private key, or one that ssl.key.password does not open".to_owned();
        let key = found.ok_or_else(|| TlsError::File { property, file: file.clone(), reason: none })?;
        Ok((store.certificates, key))
    }
}

/// The private key that stands in `pem`, which may be encrypted with `password`.
fn private_key(pem: &[u8], password: Option<&str>) -> Option<PrivateKeyDer<'static>> {
    let opened = || {
        let key = openssl::pkey::PKey::private_key_from_pem_passphrase(pem, password?.as_bytes()).ok()?;
        PrivateKeyDer::try_from(key.private_key_to_pkcs8().ok()?).ok()
    };
    PrivateKeyDer::from_pem_slice(pem).ok().or_else(opened)
}

/// Certificates that are read again when a file has changed.
#[derive(Debug)]
pub(super) struct Reloaded {
    identity: Identity,
    /// The file, if one is looked at.
    watched: Option<PathBuf>,
    /// When it had changed last.
    changed: Mutex<Option<SystemTime>>,
    shown: RwLock<Arc<CertifiedKey>>,
}

impl Reloaded {
    /// Those of the key store `file`, as `properties` say.
    fn open(properties: &BTreeMap<String, String>, file: &str, provider: &CryptoProvider) -> Result<Self, TlsError> {
        let get = |name: &str| properties.get(name).map(|value| value.trim()).filter(|value| !value.is_empty());
        let identity = Identity::new(file, get);
        let shown = RwLock::new(identity.read(provider)?);
        let is_reloaded = get("ssl.keystore.reload").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let watched: Option<PathBuf> = is_reloaded.then(|| get("ssl.keystore.watch.location").unwrap_or(file).into());
        let changed = Mutex::new(watched.as_deref().and_then(last_change));
        Ok(Self { identity, watched, changed, shown })
    }

    /// What is shown now.
    fn shown(&self) -> Arc<CertifiedKey> {
        if self.watched.is_some() {
            self.look(&rustls::crypto::ring::default_provider());
        }
        Arc::clone(&self.shown.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Whether `certificate` is this server's own.
    pub(super) fn is_own(&self, certificate: &CertificateDer<'_>) -> bool {
        self.shown().cert.first() == Some(certificate)
    }

    /// Reads the files if they have changed. What cannot be used then is told once, and the former goes on.
    fn look(&self, provider: &CryptoProvider) {
        let Some(now) = self.watched.as_deref().and_then(last_change) else { return };
        let before = self.changed.lock().unwrap_or_else(PoisonError::into_inner).replace(now);
        if before == Some(now) {
            return;
        }
        match self.identity.read(provider) {
            Ok(shown) => {
                *self.shown.write().unwrap_or_else(PoisonError::into_inner) = shown;
                tracing::info!("HTTPS has new certificates");
            }
            Err(error) => tracing::warn!("HTTPS goes on with its former certificates: {error}"),
        }
    }
}

fn last_change(file: &Path) -> Option<SystemTime> {
    fs::metadata(file).and_then(|metadata| metadata.modified()).ok()
}

impl ResolvesServerCert for Reloaded {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.shown())
    }
}

impl ResolvesClientCert for Reloaded {
    fn resolve(&self, _: &[&[u8]], _: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        Some(self.shown())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// The versions of TLS that are called `names`. Files of Java name old ones beside those that are spoken.
fn versions(names: &str) -> Result<Vec<&'static SupportedProtocolVersion>, TlsError> {
    let known = [("TLSv1.2", &TLS12), ("TLSv1.3", &TLS13)];
    let listed = |name: &str| names.split(',').any(|one| one.trim().eq_ignore_ascii_case(name));
    let found: Vec<_> = known.into_iter().filter(|(name, _)| listed(name)).map(|(_, version)| version).collect();
    let expected = "TLSv1.2, TLSv1.3, or both with a comma between them";
    if found.is_empty() {
        return Err(TlsError::Value { property: VERSIONS, value: names.to_owned(), expected });
    }
    Ok(found)
}

/// The cipher suites that are called `names`, of `known`.
fn suites(names: &str, known: &[SupportedCipherSuite]) -> Result<Vec<SupportedCipherSuite>, TlsError> {
    let expected = "names of TLS with commas between them, such as TLS_AES_256_GCM_SHA384";
    let listed = names.split(',').map(str::trim).filter(|name| !name.is_empty());
    let found = listed.map(|name| {
        // The library has the version in the names of those of 1.3.
        let is_it = |suite: &&SupportedCipherSuite| {
            format!("{:?}", suite.suite()).replace("TLS13_", "TLS_").eq_ignore_ascii_case(name)
        };
        let suite = known.iter().find(is_it).copied();
        suite.ok_or_else(|| TlsError::Value { property: SUITES, value: name.to_owned(), expected })
    });
    found.collect()
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
pub(super) struct Store {
    pub(super) certificates: Vec<CertificateDer<'static>>,
    key: Option<PrivateKeyDer<'static>>,
}

/// How a key store of Java begins that is neither PEM nor PKCS#12.
const JKS: [u8; 4] = [0xfe, 0xed, 0xfe, 0xed];

impl Store {
    /// Reads a file of either kind, whatever the property says it is: Java does so, too.
    pub(super) fn read(property: &'static str, file: &str, password: &str) -> Result<Self, TlsError> {
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
        let suites = "TLS_AES_256_GCM_SHA384,TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384";
        assert_eq!(refusal(&[(KEY_STORE, &pem), (VERSIONS, "TLSv1.1, TLSv1.3"), (SUITES, suites)]), "");

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
    fn a_key_may_be_elsewhere_and_encrypted() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let (certificate, key) = own_certificate();
        let write = |name: &str, text: &[u8]| {
            fs::write(folder.path().join(name), text).expect("it can be written");
            folder.path().join(name).to_string_lossy().into_owned()
        };
        let private = openssl::pkey::PKey::private_key_from_pem(key.as_bytes()).expect("its own key");
        let cipher = openssl::symm::Cipher::aes_256_cbc();
        let encrypted = private.private_key_to_pem_pkcs8_passphrase(cipher, b"secret").expect("an encrypted key");
        let (chain, plain) = (write("chain.pem", certificate.as_bytes()), write("key.pem", key.as_bytes()));
        let locked = write("locked.pem", &encrypted);
        let both = write("both.pem", &[certificate.as_bytes(), &encrypted].concat());
        assert_eq!(refusal(&[(KEY_STORE, &chain), (KEY, &plain)]), "");
        assert_eq!(refusal(&[(KEY_STORE, &chain), (KEY, &locked), ("ssl.key.password", "secret")]), "");
        assert_eq!(refusal(&[(KEY_STORE, &both), ("ssl.key.password", "secret")]), "");
        for wrong in
            [vec![(KEY, &*locked)], vec![(KEY, &locked), ("ssl.key.password", "wrong")], vec![(KEY, "/nowhere.pem")]]
        {
            let refusal = refusal(&[&[(KEY_STORE, &*chain)], &wrong[..]].concat());
            assert!(refusal.contains(KEY) && !refusal.contains("wrong"), "{refusal}");
        }
    }

    #[test]
    fn certificates_are_read_again_when_their_file_has_changed() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let file = folder.path().join("server.pem");
        let write = |text: &str, second: u64| {
            fs::write(&file, text).expect("it can be written");
            let opened = fs::File::options().append(true).open(&file).expect("it is there");
            opened.set_modified(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(second)).expect("it is ours");
        };
        let own = || {
            let (certificate, key) = own_certificate();
            certificate + &key
        };
        let provider = rustls::crypto::ring::default_provider();
        write(&own(), 1);
        let place = file.to_string_lossy().into_owned();
        let asked = properties(&[("ssl.keystore.reload", "true")]);
        let reloaded = Reloaded::open(&asked, &place, &provider).expect("it can be used");
        let shown = || reloaded.shown();
        let first = shown();
        assert!(Arc::ptr_eq(&first, &shown()));
        write("damaged", 2);
        assert!(Arc::ptr_eq(&first, &shown()));
        write(&own(), 3);
        let second = shown();
        assert!(second.cert != first.cert && Arc::ptr_eq(&second, &shown()));
        fs::remove_file(&file).expect("it is there");
        assert!(Arc::ptr_eq(&second, &shown()));
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
            (vec![(KEY_STORE, &whole), (VERSIONS, "TLSv1.1,SSLv3")], "TLSv1.2, TLSv1.3, or both"),
            (vec![(KEY_STORE, &whole), (SUITES, "TLS_AES_256_GCM_SHA384, TLS_RSA")], "'TLS_RSA' is no value"),
            (vec![(KEY_STORE, &whole), (VERSIONS, "TLSv1.2"), (SUITES, "TLS_AES_256_GCM_SHA384")], "cannot be used"),
            (vec![(KEY_STORE, &whole), (CLIENTS, "REQUIRED")], "HTTPS needs the property ssl.truststore.location"),
        ] {
            let refusal = refusal(&entries);
            assert!(refusal.contains(expected), "{refusal}");
        }
    }
}
