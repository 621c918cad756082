//! The client against registries that answer, fail, and ask who we are.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::JoinHandle;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};

use super::RemoteRegistry;
use crate::http::HttpServer;
use crate::registry::server::serve;
use crate::registry::{EmbeddedRegistry, RegistryError, SchemaDocument, SchemaReference, SchemaRegistry, SchemaType};

const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

fn client(properties: &[(&str, &str)]) -> RemoteRegistry {
    let properties = [("max.retries", "1"), ("retries.wait.ms", "1")].iter().chain(properties);
    let properties: BTreeMap<String, String> =
        properties.map(|&(name, value)| (format!("ksql.schema.registry.{name}"), value.to_owned())).collect();
    RemoteRegistry::from_properties(&properties).expect("they can be used").expect("there is an address")
}

fn url(server: &HttpServer) -> String {
    format!("http://{}", server.address())
}

/// An address where nobody listens.
fn nowhere() -> String {
    let listener = TcpListener::bind(ANY_PORT).expect("a free port");
    format!("http://{}", listener.local_addr().expect("it is bound"))
}

fn avro(text: &str) -> SchemaDocument {
    SchemaDocument::new(SchemaType::Avro, text)
}

#[test]
fn a_remote_registry_answers_as_an_embedded_one() {
    let embedded = Arc::new(EmbeddedRegistry::in_memory());
    let server = serve(Arc::clone(&embedded), ANY_PORT).expect("a free port");
    let registry = client(&[("url", &url(&server))]);
    let (subject, part) = ("a/b ä%-value", SchemaDocument::new(SchemaType::Protobuf, "message P { int32 a = 1; }"));
    assert_eq!((registry.latest(subject), registry.version(subject, 1)), (Ok(None), Ok(None)));
    assert_eq!((registry.by_id(1), registry.subjects_of(1)), (Ok(None), Ok(Vec::new())));
    assert_eq!(registry.register(subject, &avro("\"int\"")), Ok(1));
    assert_eq!(registry.register("part", &part), Ok(2));
    let whole = SchemaDocument {
        references: vec![SchemaReference { name: "p.proto".to_owned(), subject: "part".to_owned(), version: 1 }],
        ..SchemaDocument::new(SchemaType::Protobuf, "import \"p.proto\"; message W { P p = 1; }")
    };
    assert_eq!(registry.register("whole", &whole), Ok(3));
    for id in 1..=3 {
        assert_eq!(registry.by_id(id), embedded.by_id(id));
        assert_eq!(registry.subjects_of(id), embedded.subjects_of(id));
    }
    for subject in [subject, "part", "whole"] {
        assert_eq!(registry.latest(subject), embedded.latest(subject));
        assert_eq!(registry.version(subject, 1), embedded.version(subject, 1));
    }
    assert_eq!(registry.subjects(), embedded.subjects());
    let refused = registry.register(subject, &avro("\"string\"")).expect_err("it does not fit");
    assert!(matches!(&refused, RegistryError::Refused { reason, .. } if reason.contains("TYPE_MISMATCH")), "{refused}");
    assert!(matches!(registry.register("x", &avro("{")), Err(RegistryError::Refused { .. })));
    assert!(matches!(registry.delete_subject("part"), Err(RegistryError::NotDeleted { .. })), "it is referred to");
    assert_eq!((registry.delete_subject(subject), registry.delete_subject(subject)), (Ok(true), Ok(false)));
    assert_eq!(registry.latest(subject), Ok(None));
    assert_eq!(registry.by_id(1), Ok(Some(avro("\"int\""))), "records that have it can still be read");
}

#[test]
fn what_never_changes_is_asked_for_once() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    let app = Router::new().fallback(move || {
        count.fetch_add(1, Ordering::Relaxed);
        async { r#"{"subject": "s", "version": 1, "id": 7, "schema": "\"int\""}"# }
    });
    let server = HttpServer::start("test-registry", ANY_PORT, app).expect("a free port");
    let registry = client(&[("url", &url(&server))]);
    for _ in 0..3 {
        assert_eq!(registry.by_id(7), Ok(Some(avro("\"int\""))));
        assert!(registry.version("s", 1).is_ok_and(|found| found.is_some()));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    for _ in 0..3 {
        assert!(registry.latest("s").is_ok_and(|found| found.is_some()));
    }
    assert_eq!(asked.load(Ordering::Relaxed), 5, "what is the latest may change");
}

#[test]
fn the_next_address_is_asked_when_one_is_down_or_fails() {
    let failing = Router::new().fallback(|| async { (StatusCode::SERVICE_UNAVAILABLE, "out of order") });
    let failing = HttpServer::start("test-registry", ANY_PORT, failing).expect("a free port");
    let server = serve(Arc::new(EmbeddedRegistry::in_memory()), ANY_PORT).expect("a free port");
    let registry = client(&[("url", &format!("{},{},{}", nowhere(), url(&failing), url(&server)))]);
    assert_eq!(registry.register("s", &avro("\"int\"")), Ok(1));
    assert_eq!(registry.preferred.load(Ordering::Relaxed), 2, "it is asked first from now on");
    server.stop();
    let error = registry.latest("s").expect_err("nobody is left").to_string();
    for address in [url(&failing), format!("http://{}", "127.0.0.1:")] {
        assert!(error.contains(&address), "{error}");
    }
    assert!(error.contains("status 503"), "{error}");
    assert_eq!(error.matches("the schema registry at").count(), 3, "each is named once: {error}");
}

#[test]
fn a_registry_that_is_back_is_found_again() {
    let registry = Arc::new(EmbeddedRegistry::in_memory());
    let first = serve(Arc::clone(&registry), ANY_PORT).expect("a free port");
    let address = first.address();
    let client = client(&[("url", &url(&first))]);
    assert_eq!(client.subjects(), Ok(Vec::new()));
    first.stop();
    assert!(matches!(client.subjects(), Err(RegistryError::Unavailable { .. })));
    let again = serve(registry, address).expect("the port is free again");
    assert_eq!(client.subjects(), Ok(Vec::new()));
    again.stop();
}

#[test]
fn we_say_who_we_are_and_nobody_else_hears_it() {
    let app = Router::new().fallback(|headers: HeaderMap| async move {
        let known = ["Basic dTpzZWNyZXQ=", "Bearer secret-token"];
        match headers.get("authorization").map(|value| value.to_str()) {
            Some(Ok(value)) if known.contains(&value) => (StatusCode::OK, "[]".to_owned()),
            Some(_) => (StatusCode::FORBIDDEN, r#"{"error_code": 40301, "message": "not you"}"#.to_owned()),
            None => (StatusCode::UNAUTHORIZED, String::new()),
        }
    });
    let server = HttpServer::start("test-registry", ANY_PORT, app).expect("a free port");
    let plain = url(&server);
    let with_user = plain.replace("http://", "http://u:secret@");
    for properties in [
        vec![("url", with_user.as_str())],
        vec![("url", plain.as_str()), ("basic.auth.user.info", "u:secret")],
        vec![("url", plain.as_str()), ("bearer.auth.token", "secret-token")],
    ] {
        assert_eq!(client(&properties).subjects(), Ok(Vec::new()), "{properties:?}");
    }
    for (properties, text) in [
        (vec![("url", plain.as_str())], "does not know us (status 401)"),
        (
            vec![("url", plain.as_str()), ("basic.auth.user.info", "u:wrong")],
            "does not let us do this (status 403, not you)",
        ),
    ] {
        let error = client(&properties).subjects().expect_err("we are not known");
        assert!(matches!(error, RegistryError::Denied { .. }));
        let error = error.to_string();
        assert!(error.contains(text) && !error.contains("wrong") && !error.contains("dTp"), "{error}");
    }
    let down = client(&[("url", &nowhere().replace("http://", "http://u:secret@"))]);
    let error = down.subjects().expect_err("nobody is there").to_string();
    assert!(error.contains("127.0.0.1") && !error.contains("secret"), "{error}");
}

#[test]
fn what_is_no_registry_is_no_answer() {
    let app = Router::new().fallback(|| async { "<html>" });
    let server = HttpServer::start("test-registry", ANY_PORT, app).expect("a free port");
    let error = client(&[("url", &url(&server))]).latest("s").expect_err("a page is no schema").to_string();
    assert!(error.contains("it answers with no JSON") && error.contains(&url(&server)), "{error}");
    let app = Router::new().fallback(|| async { r#"{"schema": 7}"# });
    let server = HttpServer::start("test-registry", ANY_PORT, app).expect("a free port");
    let registry = client(&[("url", &url(&server))]);
    assert!(matches!(registry.latest("s"), Err(RegistryError::Unavailable { .. })));
    assert!(matches!(registry.by_id(1), Err(RegistryError::Unavailable { .. })));
}

/// A certificate authority, and what it has signed.
struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pem: String,
}

/// A certificate and its key, PEM.
struct Identity {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = rcgen::CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = rcgen::KeyPair::generate().expect("a key");
        let pem = params.self_signed(&key).expect("a certificate").pem();
        Self { issuer: rcgen::Issuer::new(params, key), pem }
    }

    fn sign(&self, name: &str) -> Identity {
        let key = rcgen::KeyPair::generate().expect("a key");
        let params = rcgen::CertificateParams::new(vec![name.to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("a certificate");
        Identity { certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// Answers each of `connections` with an empty list, if the client has a certificate of `authority`.
fn https_server(authority: &Authority, identity: &Identity, connections: usize) -> (String, JoinHandle<()>) {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let certificate = |pem: &str| CertificateDer::from_pem_slice(pem.as_bytes()).expect("PEM");
    let mut trusted = rustls::RootCertStore::empty();
    trusted.add(certificate(&authority.pem)).expect("a certificate");
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(Arc::new(trusted), Arc::clone(&provider));
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_client_cert_verifier(verifier.build().expect("a verifier"))
        .with_single_cert(
            vec![certificate(&identity.certificate)],
            PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).expect("PEM"),
        )
        .expect("key and certificate belong together");
    let (config, listener) = (Arc::new(config), TcpListener::bind(ANY_PORT).expect("a free port"));
    let port = listener.local_addr().expect("it is bound").port();
    let serve = move || {
        for _ in 0..connections {
            let (mut socket, _) = listener.accept().expect("somebody comes");
            let mut tls = rustls::ServerConnection::new(Arc::clone(&config)).expect("a connection");
            let mut stream = rustls::Stream::new(&mut tls, &mut socket);
            let mut request = Vec::new();
            let mut byte = [0];
            // Who is refused goes away.
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|read| read > 0) {
                request.push(byte[0]);
            }
            let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n[]");
            let _ = stream.flush();
        }
    };
    (format!("https://localhost:{port}"), std::thread::spawn(serve))
}

#[test]
fn https_with_an_authority_and_a_certificate_of_our_own() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (server, us, stranger) = (authority.sign("localhost"), authority.sign("levada"), other.sign("levada"));
    let dir = tempfile::tempdir().expect("a temporary directory");
    let file = |name: &str, text: &str| {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("it can be written");
        path.display().to_string()
    };
    let (ca, keystore) = (file("ca.pem", &authority.pem), file("us.pem", &format!("{}{}", us.key, us.certificate)));
    let (certificate, key) = (file("certificate.pem", &us.certificate), file("key.pem", &us.key));
    let strange = file("strange.pem", &format!("{}{}", stranger.key, stranger.certificate));
    let other_ca = file("other.pem", &other.pem);
    let ask = |properties: &[(&str, &str)]| {
        let (url, serving) = https_server(&authority, &server, 1);
        let all = [&[("url", url.as_str()), ("max.retries", "0")], properties].concat();
        let answer = client(&all).subjects();
        serving.join().expect("no panic");
        answer.map_err(|error| error.to_string())
    };
    for properties in [
        vec![("ssl.truststore.location", ca.as_str()), ("ssl.keystore.location", &keystore)],
        vec![("ssl.ca.location", &ca), ("ssl.certificate.location", &certificate), ("ssl.key.location", &key)],
        vec![
            ("ssl.truststore.certificates", authority.pem.as_str()),
            ("ssl.keystore.certificate.chain", &us.certificate),
            ("ssl.keystore.key", &us.key),
        ],
    ] {
        assert_eq!(ask(&properties), Ok(Vec::new()));
    }
    for properties in [
        vec![("ssl.ca.location", ca.as_str())],
        vec![("ssl.ca.location", &ca), ("ssl.keystore.location", &strange)],
        vec![("ssl.ca.location", &other_ca), ("ssl.keystore.location", &keystore)],
        vec![("ssl.keystore.location", &keystore)],
    ] {
        let error = ask(&properties).expect_err("one of us does not trust the other");
        assert!(error.contains("https://localhost:") && !error.contains("PRIVATE KEY"), "{error}");
    }
}
