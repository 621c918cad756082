//! Public keys of who signs tokens (RFC 7517), and whether one of them has signed something.
//!
//! What an algorithm is, the key says: a token only names which of those that its key can do was taken. `none`, and signatures with a
//! shared secret (`HS256`), are no algorithms here.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ED25519, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512,
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::Value;

/// Algorithms, by the names of RFC 7518 and RFC 8037.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
}

impl Algorithm {
    /// The algorithm that is called `name`, if it is one that is believed.
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs256,
            "RS384" => Self::Rs384,
            "RS512" => Self::Rs512,
            "PS256" => Self::Ps256,
            "PS384" => Self::Ps384,
            "PS512" => Self::Ps512,
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    id: Option<String>,
    /// The only algorithm that it is for, if it says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

/// What all keys of a set say to a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// One of them has made it.
    Signed,
    /// The key that is named has not.
    Forged,
    /// The key is not among them: there may be newer ones.
    UnknownKey,
}

/// Public keys.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeySet(Vec<Key>);

impl KeySet {
    /// Reads a set of keys. Those that sign nothing, or in ways that are not believed, are left out.
    ///
    /// # Errors
    /// It is no set of keys, or none is left.
    pub fn parse(text: &str) -> Result<Self, String> {
        let set: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        let keys = set.get("keys").and_then(Value::as_array);
        let keys = keys.ok_or("it is no set of keys: it has no array \"keys\"")?;
        let usable: Vec<Key> = keys.iter().filter_map(Key::parse).collect();
        if usable.is_empty() {
            let text = format!(
                "none of its {} keys is of a kind that is believed: RSA, EC (P-256, P-384), Ed25519",
                keys.len()
            );
            return Err(text);
        }
        Ok(Self(usable))
    }

    /// Whether `signature` is that of `text`, made with `algorithm` by the key `id`, or by any where none is named.
    pub fn verdict(&self, id: Option<&str>, algorithm: Algorithm, text: &str, signature: &[u8]) -> Verdict {
        let is_named = |key: &&Key| id.is_none() || key.id.is_none() || key.id.as_deref() == id;
        if self.0.iter().filter(is_named).any(|key| key.has_signed(algorithm, text.as_bytes(), signature)) {
            return Verdict::Signed;
        }
        let is_there = id.is_some_and(|id| self.0.iter().any(|key| key.id.as_deref() == Some(id)));
        if is_there { Verdict::Forged } else { Verdict::UnknownKey }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl Key {
    fn parse(key: &Value) -> Option<Self> {
        let text = |name: &str| key.get(name).and_then(Value::as_str);
        let bytes = |name: &str| URL_SAFE_NO_PAD.decode(text(name)?).ok();
        let has_other_use = text("use").is_some_and(|purpose| purpose != "sig");
        let operations = key.get("key_ops").and_then(Value::as_array);
        if has_other_use || operations.is_some_and(|all| !all.iter().any(|one| one.as_str() == Some("verify"))) {
            return None;
        }
        let point = |length| {
            let (x, y) = (bytes("x")?, bytes("y")?);
            (x.len() == length && y.len() == length).then(|| [&[4][..], &x, &y].concat())
        };
        let material = match (text("kty")?, text("crv")) {
            ("RSA", _) => Material::Rsa { modulus: bytes("n")?, exponent: bytes("e")? },
            ("EC", Some("P-256")) => Material::P256(point(32)?),
            ("EC", Some("P-384")) => Material::P384(point(48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes("x")?),
            _ => return None,
        };
        let algorithm = match text("alg") {
            None => None,
            Some(name) => Some(Algorithm::parse(name)?),
        };
        Some(Self { id: text("kid").map(ToOwned::to_owned), algorithm, material })
    }

    fn has_signed(&self, algorithm: Algorithm, text: &[u8], signature: &[u8]) -> bool {
        if self.algorithm.is_some_and(|only| only != algorithm) {
            return false;
        }
        let verify = |kind: &'static dyn VerificationAlgorithm, key: &[u8]| {
            UnparsedPublicKey::new(kind, key).verify(text, signature).is_ok()
        };
        match (&self.material, algorithm) {
            (Material::Rsa { modulus, exponent }, _) => rsa(algorithm).is_some_and(|kind| {
                RsaPublicKeyComponents { n: modulus, e: exponent }.verify(kind, text, signature).is_ok()
            }),
            (Material::P256(point), Algorithm::Es256) => verify(&ECDSA_P256_SHA256_FIXED, point),
            (Material::P384(point), Algorithm::Es384) => verify(&ECDSA_P384_SHA384_FIXED, point),
            (Material::Ed25519(point), Algorithm::EdDsa) => verify(&ED25519, point),
            _ => false,
        }
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static RsaParameters> {
    match algorithm {
        Algorithm::Rs256 => Some(&RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => Some(&RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => Some(&RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => Some(&RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => Some(&RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => Some(&RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::signer::Signer;
    use super::*;

    const TEXT: &str = "what is signed";

    fn set(keys: &[Value]) -> Result<KeySet, String> {
        KeySet::parse(&serde_json::json!({"keys": keys}).to_string())
    }

    #[test]
    fn every_algorithm_is_verified_by_its_own_kind_of_key_only() {
        let signers = Signer::of_all_kinds();
        for (number, signer) in signers.iter().enumerate() {
            let name = signer.algorithm;
            let algorithm = Algorithm::parse(name).expect("it is known");
            let keys = set(&[signer.jwk("a")]).expect("a set");
            let signature = signer.sign(TEXT.as_bytes());
            assert_eq!(keys.verdict(Some("a"), algorithm, TEXT, &signature), Verdict::Signed, "{name}");
            assert_eq!(keys.verdict(None, algorithm, TEXT, &signature), Verdict::Signed, "{name}");
            assert_eq!(keys.verdict(Some("a"), algorithm, "another text", &signature), Verdict::Forged, "{name}");
            assert_eq!(keys.verdict(Some("b"), algorithm, TEXT, &signature), Verdict::UnknownKey, "{name}");
            for other in signers.iter().enumerate().filter(|(other, _)| *other != number).map(|(_, other)| other) {
                let algorithm = Algorithm::parse(other.algorithm).expect("it is known");
                assert_eq!(
                    keys.verdict(Some("a"), algorithm, TEXT, &signature),
                    Verdict::Forged,
                    "{name} as {}",
                    other.algorithm
                );
            }
        }
    }

    #[test]
    fn a_key_that_names_an_algorithm_is_for_no_other() {
        let signer =
            Signer::of_all_kinds().into_iter().find(|signer| signer.algorithm == "RS256").expect("there is one");
        let signature = signer.sign(TEXT.as_bytes());
        let verdict = |algorithm: &str| {
            let mut key = signer.jwk("a");
            key["alg"] = algorithm.into();
            set(&[key]).map(|keys| keys.verdict(Some("a"), Algorithm::Rs256, TEXT, &signature))
        };
        assert_eq!(verdict("RS256"), Ok(Verdict::Signed));
        assert_eq!(verdict("PS256"), Ok(Verdict::Forged));
        assert!(verdict("HS256").is_err());
    }

    #[test]
    fn keys_for_anything_else_are_left_out() {
        let signer = Signer::of_all_kinds().remove(0);
        let with = |name: &str, value: Value| {
            let mut key = signer.jwk("a");
            key[name] = value;
            set(&[key]).map(|keys| keys.len())
        };
        assert_eq!(with("use", "sig".into()), Ok(1));
        assert_eq!(with("key_ops", serde_json::json!(["verify"])), Ok(1));
        for (name, value) in
            [("use", "enc".into()), ("kty", "oct".into()), ("key_ops", serde_json::json!(["sign"])), ("n", "!".into())]
        {
            let reason = with(name, value).expect_err("no key is left");
            assert!(reason.contains("none of its 1 keys"), "{reason}");
        }
        assert!(KeySet::parse("{}").is_err_and(|reason| reason.contains("no array \"keys\"")));
        assert!(KeySet::parse("<html>").is_err_and(|reason| reason.contains("no JSON")));
        for name in ["none", "None", "HS256", "HS512", "ES512", "rs256", ""] {
            assert_eq!(Algorithm::parse(name), None, "{name}");
        }
    }
}
