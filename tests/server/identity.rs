//! An identity provider of a test: it signs tokens, and answers with its public keys over HTTP.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use crate::http_server::HttpServer;

/// A private key by its name.
pub struct SigningKey {
    id: &'static str,
    pair: EcdsaKeyPair,
}

impl SigningKey {
    /// A new one.
    pub fn new(id: &'static str) -> Self {
        let (kind, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let document = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
        Self { id, pair: EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).expect("its own key") }
    }

    /// A set with its public key.
    pub fn set(&self) -> String {
        let (x, y) = self.pair.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
        json!({"keys": [{"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id, "x": x, "y": y}]})
            .to_string()
    }

    /// A token with `claims`.
    pub fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({"alg": "ES256", "typ": "JWT", "kid": self.id}), claims)
    }

    /// A token with another head.
    pub fn token_with(&self, head: &Value, claims: &Value) -> String {
        let [head, claims] = [head, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{head}.{claims}");
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes()).expect("a signature");
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// Answers with keys.
pub struct IdentityProvider {
    server: HttpServer,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    keys: Mutex<String>,
    asked: AtomicUsize,
}

impl IdentityProvider {
    /// One that has the key `key`.
    pub fn start(key: &SigningKey) -> Self {
        let shared = Arc::new(Shared { keys: Mutex::new(key.set()), ..Shared::default() });
        let answering = Arc::clone(&shared);
        let server = HttpServer::start(move |asked| {
            assert_eq!((asked.method.as_str(), asked.path.as_str()), ("GET", "/keys"));
            answering.asked.fetch_add(1, Ordering::AcqRel);
            (200, answering.keys.lock().expect("nobody has panicked").clone())
        });
        Self { server, shared }
    }

    /// Where its keys are.
    pub fn url(&self) -> String {
        format!("{}/keys", self.server.url())
    }

    /// Has the key `key` from now on, and no other.
    pub fn rotate(&self, key: &SigningKey) {
        *self.shared.keys.lock().expect("nobody has panicked") = key.set();
    }

    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.shared.asked.load(Ordering::Acquire)
    }
}
