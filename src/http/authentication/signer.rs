//! Who signs the tokens of tests: a private key of each kind.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use openssl::hash::MessageDigest;
use openssl::pkey::{PKey, Private};
use openssl::rsa::{Padding, Rsa};
use openssl::sign::{RsaPssSaltlen, Signer as OpensslSigner};
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
    Ed25519KeyPair, KeyPair as _,
};
use serde_json::{Value, json};

/// A private key and the algorithm that it is used with.
pub struct Signer {
    pub algorithm: &'static str,
    key: PrivateKey,
}

enum PrivateKey {
    Rsa(PKey<Private>),
    Ec(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

/// A key of RSA, which takes long to make.
fn rsa_key(number: usize) -> PKey<Private> {
    static KEYS: OnceLock<[PKey<Private>; 2]> = OnceLock::new();
    let make = || PKey::from_rsa(Rsa::generate(2048).expect("a key")).expect("a key");
    KEYS.get_or_init(|| [make(), make()])[number].clone()
}

fn ec_key(kind: &'static EcdsaSigningAlgorithm) -> PrivateKey {
    let random = SystemRandom::new();
    let document = EcdsaKeyPair::generate_pkcs8(kind, &random).expect("a key");
    PrivateKey::Ec(EcdsaKeyPair::from_pkcs8(kind, document.as_ref(), &random).expect("its own key"))
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A token without signature.
pub fn unsigned(head: &Value, claims: &Value) -> String {
    format!("{}.{}.", encoded(head), encoded(claims))
}

impl Signer {
    /// One for each algorithm that is believed.
    pub fn of_all_kinds() -> Vec<Self> {
        let of_rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
        let mut all: Vec<Self> =
            of_rsa.iter().map(|algorithm| Self { algorithm, key: PrivateKey::Rsa(rsa_key(0)) }).collect();
        all.push(Self { algorithm: "ES256", key: ec_key(&ECDSA_P256_SHA256_FIXED_SIGNING) });
        all.push(Self { algorithm: "ES384", key: ec_key(&ECDSA_P384_SHA384_FIXED_SIGNING) });
        let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).expect("a key");
        let key = Ed25519KeyPair::from_pkcs8(document.as_ref()).expect("its own key");
        all.push(Self { algorithm: "EdDSA", key: PrivateKey::Ed25519(key) });
        all
    }

    /// One that nobody believes.
    pub fn rsa_of_another(algorithm: &'static str) -> Self {
        Self { algorithm, key: PrivateKey::Rsa(rsa_key(1)) }
    }

    /// Its public key, called `id`.
    pub fn jwk(&self, id: &str) -> Value {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.key {
            PrivateKey::Rsa(key) => {
                let key = key.rsa().expect("it is one of RSA");
                json!({"kty": "RSA", "kid": id, "n": text(&key.n().to_vec()), "e": text(&key.e().to_vec())})
            }
            PrivateKey::Ec(key) => {
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                let curve = if self.algorithm == "ES256" { "P-256" } else { "P-384" };
                json!({"kty": "EC", "kid": id, "crv": curve, "x": text(x), "y": text(y)})
            }
            PrivateKey::Ed25519(key) => {
                json!({"kty": "OKP", "kid": id, "crv": "Ed25519", "x": text(key.public_key().as_ref())})
            }
        }
    }

    /// Its signature of `text`.
    pub fn sign(&self, text: &[u8]) -> Vec<u8> {
        match &self.key {
            PrivateKey::Rsa(key) => {
                let digest = match &self.algorithm[2..] {
                    "256" => MessageDigest::sha256(),
                    "384" => MessageDigest::sha384(),
                    _ => MessageDigest::sha512(),
                };
                let mut signer = OpensslSigner::new(digest, key).expect("a signer");
                if self.algorithm.starts_with("PS") {
                    signer.set_rsa_padding(Padding::PKCS1_PSS).expect("it is one of RSA");
                    signer.set_rsa_pss_saltlen(RsaPssSaltlen::DIGEST_LENGTH).expect("it is one of RSA");
                }
                signer.sign_oneshot_to_vec(text).expect("a signature")
            }
            PrivateKey::Ec(key) => key.sign(&SystemRandom::new(), text).expect("a signature").as_ref().to_vec(),
            PrivateKey::Ed25519(key) => key.sign(text).as_ref().to_vec(),
        }
    }

    /// A token with `claims`, signed by the key `id`.
    pub fn token(&self, id: &str, claims: &Value) -> String {
        self.token_with(&json!({"alg": self.algorithm, "kid": id, "typ": "JWT"}), claims)
    }

    /// A token with `head`, whatever that says.
    pub fn token_with(&self, head: &Value, claims: &Value) -> String {
        let signed = format!("{}.{}", encoded(head), encoded(claims));
        let signature = URL_SAFE_NO_PAD.encode(self.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }

    /// A token that is signed with the public key as if that were a secret.
    pub fn hmac_token(&self, head: &Value, claims: &Value) -> String {
        let PrivateKey::Rsa(key) = &self.key else { panic!("a key of RSA is to be taken for a secret") };
        let secret = hmac::Key::new(hmac::HMAC_SHA256, &key.public_key_to_pem().expect("its text"));
        let signed = format!("{}.{}", encoded(head), encoded(claims));
        let signature = URL_SAFE_NO_PAD.encode(hmac::sign(&secret, signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}
