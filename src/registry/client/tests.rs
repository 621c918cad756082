//! The client against registries that answer, fail, and ask who we are.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::RemoteRegistry;
use crate::http::signer::Signer;
use crate::http::{HttpServer, Listen, Moment};
use crate::registry::server::{Access, serve, serve_to};
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

/// Our own registry with `properties`, by HTTPS if they name a key store; and where `localhost` finds it.
fn served(properties: &[(&str, &str)]) -> (HttpServer, String) {
    let properties: BTreeMap<String, String> =
        properties.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
    let now = || Moment { elapsed: Duration::ZERO, now_ms: 1_000_000 };
    let access = Access::new(&properties, Box::new(now)).expect("the properties are right");
    let listen = Listen { address: ANY_PORT, has_tls: properties.contains_key("ssl.keystore.location") };
    let registry = Arc::new(EmbeddedRegistry::in_memory());
    let server = serve_to(registry, listen, &Arc::new(access)).expect("a free port");
    let url = format!("{}://localhost:{}", listen.scheme(), server.address().port());
    (server, url)
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
    let (_server, url) = served(&[
        ("ssl.keystore.location", &file("server.pem", &format!("{}{}", server.key, server.certificate))),
        ("ssl.truststore.location", &ca),
        ("ssl.client.authentication", "REQUIRED"),
    ]);
    let ask = |properties: &[(&str, &str)]| {
        let all = [&[("url", url.as_str()), ("max.retries", "0")], properties].concat();
        client(&all).subjects().map_err(|error| error.to_string())
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

const USERS: &str = "ada: quince, admin\nbob: plum, producer\neve: pear, reader\nsid: sloe, other\n";

#[test]
fn users_may_read_register_and_delete_as_their_roles_say() {
    let users = tempfile::NamedTempFile::new().expect("a file for the test");
    std::fs::write(users.path(), USERS).expect("it can be written");
    let (_server, url) = served(&[
        ("authentication.method", "BASIC"),
        ("authentication.roles", "admin, producer, reader"),
        ("authentication.skip.paths", "/v1/*"),
        ("levada.users.file", &users.path().display().to_string()),
        ("levada.authorization.write", "admin, producer"),
        ("levada.authorization.define", "admin"),
    ]);
    let of = |user: &str| client(&[("url", &url), ("basic.auth.user.info", user)]);
    let denied = |outcome: Result<String, RegistryError>, expected: &str| {
        let error = outcome.expect_err("he may not");
        assert!(matches!(error, RegistryError::Denied { .. }) && error.to_string().contains(expected), "{error}");
    };
    let (ada, bob, eve) = (of("ada:quince"), of("bob:plum"), of("eve:pear"));
    let register = |who: &RemoteRegistry| who.register("s", &avro("\"int\"")).map(|id| id.to_string());
    denied(register(&eve), "levada.authorization.write says whose roles may");
    assert_eq!(register(&bob), Ok("1".to_owned()));
    assert_eq!(eve.subjects(), Ok(vec!["s".to_owned()]));
    let drop = |who: &RemoteRegistry| who.delete_subject("s").map(|found| found.to_string());
    denied(drop(&bob), "levada.authorization.define says whose roles may");
    assert_eq!(drop(&ada), Ok("true".to_owned()));
    for stranger in ["ada:plum", "nobody:quince"] {
        denied(register(&of(stranger)), "does not know us (status 401, Unauthorized)");
    }
    denied(register(&of("sid:sloe")), "none of your roles is among authentication.roles");
    denied(register(&client(&[("url", &url)])), "does not know us");
    assert!(matches!(ask(&url, "GET", "/v1/metadata/version"), (200, _)));
    let (status, challenge) = ask(&url, "GET", "/subjects");
    assert_eq!((status, challenge.as_deref()), (401, Some("Basic realm=\"SchemaRegistry\"")));
}

#[test]
fn only_new_versions_are_written_and_what_looks_up_reads() {
    let users = tempfile::NamedTempFile::new().expect("a file for the test");
    std::fs::write(users.path(), USERS).expect("it can be written");
    let (_server, url) = served(&[
        ("authentication.method", "BASIC"),
        ("levada.users.file", &users.path().display().to_string()),
        ("levada.authorization.write", "admin"),
        ("levada.authorization.define", "admin"),
    ]);
    let url = url.replace("http://", "http://eve:pear@");
    for (method, path, is_refused) in [
        ("GET", "/config", false),
        ("POST", "/subjects/s", false),
        ("POST", "/subjects/versions", false),
        ("POST", "/compatibility/subjects/s/versions", false),
        ("POST", "/subjects/s/versions", true),
        ("DELETE", "/subjects/s/versions/1", true),
        ("PUT", "/config", true),
        ("PUT", "/mode/s", true),
        ("DELETE", "/nowhere", true),
    ] {
        let (status, _) = ask(&url, method, path);
        assert_eq!(status == 403, is_refused, "{method} {path}: {status}");
    }
}

/// The status of an answer, and what it asks for who has not said who he is.
fn ask(url: &str, method: &str, path: &str) -> (u16, Option<String>) {
    let agent = ureq::Agent::new_with_config(ureq::Agent::config_builder().http_status_as_error(false).build());
    let (scheme, rest) = url.split_once("://").expect("an address");
    let (user, place) = rest.split_once('@').map_or((None, rest), |(user, place)| (Some(user), place));
    let mut request = ureq::http::Request::builder().method(method).uri(format!("{scheme}://{place}{path}"));
    if let Some(user) = user {
        request = request.header("authorization", format!("Basic {}", STANDARD.encode(user)));
    }
    let answer = agent.run(request.body("{}").expect("a request")).expect("it answers");
    let challenge = answer.headers().get("www-authenticate").and_then(|value| value.to_str().ok());
    (answer.status().as_u16(), challenge.map(ToOwned::to_owned))
}

#[test]
fn tokens_are_taken_as_passwords_are() {
    let signer = Signer::of_all_kinds().pop().expect("there are some");
    let keys = tempfile::NamedTempFile::new().expect("a file for the test");
    std::fs::write(keys.path(), json!({"keys": [signer.jwk("a")]}).to_string()).expect("it can be written");
    let (_server, url) = served(&[
        ("oauthbearer.jwks.endpoint.url", &keys.path().display().to_string()),
        ("levada.authorization.write", "producer"),
    ]);
    let of = |token: &str| client(&[("url", &url), ("bearer.auth.token", token)]);
    let token = |roles: &[&str], exp: u64| signer.token("a", &json!({"sub": "tim", "exp": exp, "groups": roles}));
    let register = |token: &str| of(token).register("s", &avro("\"int\""));
    assert_eq!(register(&token(&["producer"], 2_000)), Ok(1));
    assert_eq!(of(&token(&[], 2_000)).subjects(), Ok(vec!["s".to_owned()]));
    for refused in [token(&["reader"], 2_000), token(&["producer"], 900)] {
        assert!(matches!(register(&refused), Err(RegistryError::Denied { .. })));
    }
}
