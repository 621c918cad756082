//! Tokens: what an identity provider has signed about who asks (RFC 7519), believed when a key of its set has signed it, its time is
//! right, and it is for this server.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::digest::{SHA256, SHA256_OUTPUT_LEN, digest};
use serde_json::{Map, Value};

use super::Moment;
use super::key_source::KeySource;
use super::keys::{Algorithm, KeySet, Verdict};

const URL: &str = "oauthbearer.jwks.endpoint.url";
const SKEW_SECONDS: u64 = 30;
/// No token is longer.
const TOKEN_MAX: usize = 64 << 10;

/// Tokens whose signature is not verified each time that they are shown.
const VERIFIED_MAX: usize = 1024;

/// How tokens are checked.
#[derive(Debug)]
pub struct Tokens {
    keys: Arc<KeySource>,
    rules: Rules,
    verified: Mutex<Verified>,
}

/// Claims of tokens.
type Claims = Map<String, Value>;

/// Claims that were signed by one of `keys`, by the digest of their token. Whether they hold still, is looked at each time.
#[derive(Debug, Default)]
struct Verified {
    keys: Arc<KeySet>,
    claims: HashMap<[u8; SHA256_OUTPUT_LEN], Arc<Claims>>,
}

impl Verified {
    fn find(&self, keys: &Arc<KeySet>, digest: &[u8]) -> Option<Arc<Claims>> {
        self.claims.get(digest).filter(|_| Arc::ptr_eq(keys, &self.keys)).cloned()
    }

    fn add(&mut self, keys: Arc<KeySet>, digest: &[u8], claims: &Arc<Claims>) {
        if self.claims.len() >= VERIFIED_MAX || !Arc::ptr_eq(&keys, &self.keys) {
            *self = Self { keys, claims: HashMap::new() };
        }
        if let Ok(digest) = digest.try_into() {
            self.claims.insert(digest, Arc::clone(claims));
        }
    }
}

/// What the claims of a token must be.
#[derive(Debug)]
struct Rules {
    issuer: Option<String>,
    /// One of these; empty: anybody.
    audiences: Vec<String>,
    name_claim: String,
    roles_claim: String,
    skew_ms: i64,
}

/// Who a token is about: his name and his roles.
pub type Subject = (String, BTreeSet<String>);

impl Tokens {
    /// What `get` says, by name; nothing where no keys are named.
    ///
    /// # Errors
    /// A property is wrong, or the file of keys is.
    pub fn new(get: &impl Fn(&str) -> Option<String>) -> Result<Option<Self>, String> {
        let Some(place) = get(URL) else { return Ok(None) };
        let number = |name: &str, default: u64| match get(name).map(|value| value.trim().parse()) {
            None => Ok(default),
            Some(Ok(number)) => Ok(number),
            Some(Err(_)) => Err(format!("the value of {name} is no whole number")),
        };
        let audiences = get("oauthbearer.expected.audience").unwrap_or_default();
        let rules = Rules {
            issuer: get("oauthbearer.expected.issuer").map(|issuer| issuer.trim().to_owned()),
            audiences: super::list(&audiences).map(ToOwned::to_owned).collect(),
            name_claim: get("oauthbearer.sub.claim.name").unwrap_or_else(|| "sub".to_owned()),
            roles_claim: get("oauthbearer.groups.claim.name").unwrap_or_else(|| "groups".to_owned()),
            skew_ms: i64::try_from(number("oauthbearer.clock.skew.seconds", SKEW_SECONDS)?)
                .unwrap_or(i64::MAX)
                .saturating_mul(1000),
        };
        let refresh_ms = number("oauthbearer.jwks.endpoint.refresh.ms", 3_600_000)?;
        let keys = Arc::new(KeySource::new(URL, place.trim(), refresh_ms)?);
        Ok(Some(Self { keys, rules, verified: Mutex::default() }))
    }

    /// Who shows `token`; `None` if it is not to be believed. Keys that have come since are fetched for it.
    pub async fn subject(&self, token: &str, now: Moment) -> Option<Subject> {
        let token = Some(token.trim()).filter(|token| token.len() <= TOKEN_MAX)?;
        let digest = digest(&SHA256, token.as_bytes());
        let keys = self.keys.current(now.elapsed);
        let known = self.verified().find(&keys, digest.as_ref());
        let claims = match known {
            Some(claims) => claims,
            None => {
                let (claims, keys) = self.verify(token, keys, now).await?;
                let claims = Arc::new(claims);
                self.verified().add(keys, digest.as_ref(), &claims);
                claims
            }
        };
        let subject = self.rules.subject(&claims, now.now_ms);
        subject.inspect_err(|reason| tracing::debug!("a token is not accepted: {reason}")).ok()
    }

    fn verified(&self) -> MutexGuard<'_, Verified> {
        self.verified.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The claims of `token` if one of `keys`, or of those that have come since, has signed it; and these keys.
    async fn verify(&self, token: &str, mut keys: Arc<KeySet>, now: Moment) -> Option<(Claims, Arc<KeySet>)> {
        let token = Token::read(token)?;
        let mut verdict = token.verdict(&keys);
        if verdict == Verdict::UnknownKey {
            keys = self.keys.renewed(&keys, now.elapsed).await;
            verdict = token.verdict(&keys);
        }
        token.claims().filter(|_| verdict == Verdict::Signed).map(|claims| (claims, keys))
    }
}

/// A token that nobody has looked at yet.
struct Token<'a> {
    algorithm: Algorithm,
    key_id: Option<String>,
    /// Its head and its claims, as they were signed.
    signed: &'a str,
    claims: &'a str,
    signature: Vec<u8>,
}

impl<'a> Token<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (head, claims) = signed.split_once('.').filter(|(_, claims)| !claims.contains('.'))?;
        let head = object(head)?;
        // What it asks to be understood is not.
        if head.contains_key("crit") {
            return None;
        }
        let key_id = match head.get("kid") {
            None => None,
            Some(id) => Some(id.as_str()?.to_owned()),
        };
        let algorithm = Algorithm::parse(head.get("alg")?.as_str()?)?;
        Some(Self { algorithm, key_id, signed, claims, signature: URL_SAFE_NO_PAD.decode(signature).ok()? })
    }

    fn verdict(&self, keys: &KeySet) -> Verdict {
        keys.verdict(self.key_id.as_deref(), self.algorithm, self.signed, &self.signature)
    }

    fn claims(&self) -> Option<Claims> {
        object(self.claims)
    }
}

fn object(text: &str) -> Option<Claims> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
}

impl Rules {
    fn subject(&self, claims: &Claims, now_ms: i64) -> Result<Subject, &'static str> {
        let time = |name: &str| match claims.get(name) {
            None => Ok(None),
            Some(value) => value.as_f64().map(|seconds| Some(seconds * 1000.0)).ok_or("a time in it is no number"),
        };
        let (now, skew) = (now_ms as f64, self.skew_ms as f64);
        let ends = time("exp")?.ok_or("it says not when it ends")?;
        if now >= ends + skew {
            return Err("its time is over");
        }
        if time("nbf")?.is_some_and(|begins| now < begins - skew) {
            return Err("its time has not begun");
        }
        if self.issuer.as_deref().is_some_and(|issuer| claims.get("iss").and_then(Value::as_str) != Some(issuer)) {
            return Err("another has issued it");
        }
        let audiences: BTreeSet<&str> = claims.get("aud").map(texts).unwrap_or_default();
        if !self.audiences.is_empty() && !self.audiences.iter().any(|one| audiences.contains(one.as_str())) {
            return Err("it is for others");
        }
        let name = claim(claims, &self.name_claim).and_then(Value::as_str).filter(|name| !name.is_empty());
        let name = name.ok_or("it does not say who shows it")?;
        let roles = claim(claims, &self.roles_claim).map(roles).unwrap_or_default();
        Ok((name.to_owned(), roles))
    }
}

/// The claim `name`: by that name, or, where there are dots in it, a member of a member.
fn claim<'a>(claims: &'a Claims, name: &str) -> Option<&'a Value> {
    claims.get(name).or_else(|| {
        let mut parts = name.split('.');
        let first = claims.get(parts.next()?)?;
        parts.try_fold(first, |value, part| value.get(part))
    })
}

/// A text, or those of an array.
fn texts(value: &Value) -> BTreeSet<&str> {
    match value {
        Value::Array(items) => items.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

/// Roles: an array, or a text with spaces or commas between them, as `scope` is written.
fn roles(value: &Value) -> BTreeSet<String> {
    let split = |text: &str| text.split([' ', ',']).filter(|role| !role.is_empty()).map(ToOwned::to_owned).collect();
    match value {
        Value::String(text) => split(text),
        other => texts(other).into_iter().map(ToOwned::to_owned).collect(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::super::signer::{Signer, unsigned};
    use super::*;

    const NOW: Moment = Moment { elapsed: Duration::from_secs(1), now_ms: 1_000_000_000 };

    fn signer(algorithm: &str) -> Signer {
        Signer::of_all_kinds().into_iter().find(|signer| signer.algorithm == algorithm).expect("there is one")
    }

    /// Tokens that are checked against the key `a` of `signer`.
    fn tokens(signer: &Signer, more: &[(&str, &str)]) -> Tokens {
        let file = tempfile::NamedTempFile::new().expect("a file for the test");
        std::fs::write(file.path(), json!({"keys": [signer.jwk("a")]}).to_string()).expect("it can be written");
        let get = |name: &str| match name {
            URL => Some(file.path().display().to_string()),
            other => more.iter().find(|(known, _)| *known == other).map(|(_, value)| (*value).to_owned()),
        };
        Tokens::new(&get).expect("the properties are right").expect("there are keys")
    }

    fn claims(more: &Value) -> Value {
        let mut claims = json!({"sub": "ada", "exp": 1_000_100, "groups": ["admin", "reader"]});
        for (name, value) in more.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        claims
    }

    #[tokio::test]
    async fn who_shows_a_token_has_its_name_and_roles() {
        for signer in Signer::of_all_kinds() {
            let tokens = tokens(&signer, &[]);
            let (name, roles) =
                tokens.subject(&signer.token("a", &claims(&json!({}))), NOW).await.expect("it is believed");
            assert_eq!((name.as_str(), roles.len()), ("ada", 2), "{}", signer.algorithm);
        }
    }

    #[tokio::test]
    async fn claims_have_the_names_of_the_identity_provider() {
        let signer = signer("ES256");
        let names = [
            ("oauthbearer.sub.claim.name", "preferred_username"),
            ("oauthbearer.groups.claim.name", "realm_access.roles"),
        ];
        let tokens = tokens(&signer, &names);
        let token = signer.token("a", &claims(&json!({"preferred_username": "eva", "realm_access": {"roles": ["x"]}})));
        assert_eq!(tokens.subject(&token, NOW).await, Some(("eva".to_owned(), BTreeSet::from(["x".to_owned()]))));
        let scopes = roles(&json!("read write,define"));
        assert_eq!(scopes.into_iter().collect::<Vec<_>>(), ["define", "read", "write"]);
        let literal = json!({"https://a.b/roles": ["y"]});
        let found = literal.as_object().and_then(|claims| claim(claims, "https://a.b/roles"));
        assert_eq!(found, Some(&json!(["y"])));
    }

    #[tokio::test]
    async fn what_is_not_for_here_and_now_is_not_believed() {
        let signer = signer("EdDSA");
        let expected =
            [("oauthbearer.expected.issuer", "https://id"), ("oauthbearer.expected.audience", "levada, ksqldb")];
        let tokens = tokens(&signer, &expected);
        let right = json!({"iss": "https://id", "aud": "levada"});
        let believed = async |changes: Value| {
            let mut claims = claims(&right);
            for (name, value) in changes.as_object().expect("an object") {
                match value {
                    Value::Null => drop(claims.as_object_mut().expect("an object").remove(name)),
                    value => claims[name] = value.clone(),
                }
            }
            tokens.subject(&signer.token("a", &claims), NOW).await.is_some()
        };
        // 30 seconds of difference between clocks do no harm.
        for changes in [
            json!({}),
            json!({"aud": ["other", "ksqldb"]}),
            json!({"exp": 999_971}),
            json!({"exp": 999_971.5}),
            json!({"nbf": 1_000_029}),
            json!({"groups": null}),
            json!({"groups": 7}),
        ] {
            assert!(believed(changes.clone()).await, "{changes}");
        }
        for changes in [
            json!({"exp": 999_970}),
            json!({"exp": null}),
            json!({"exp": "1000100"}),
            json!({"nbf": 1_000_031}),
            json!({"nbf": "0"}),
            json!({"iss": null}),
            json!({"iss": "https://id/"}),
            json!({"iss": ["https://id"]}),
            json!({"aud": null}),
            json!({"aud": "other"}),
            json!({"aud": []}),
            json!({"sub": null}),
            json!({"sub": ""}),
            json!({"sub": 7}),
        ] {
            assert!(!believed(changes.clone()).await, "{changes}");
        }
    }

    #[tokio::test]
    async fn a_token_that_was_believed_ends_all_the_same() {
        let signer = signer("PS256");
        let tokens = tokens(&signer, &[]);
        let token = signer.token("a", &claims(&json!({})));
        let at = |seconds: i64| Moment { now_ms: seconds * 1000, ..NOW };
        assert!(tokens.subject(&token, at(1_000_000)).await.is_some());
        assert!(tokens.subject(&format!(" {token} "), at(1_000_129)).await.is_some());
        assert_eq!(tokens.verified().claims.len(), 1);
        assert!(tokens.subject(&token, at(1_000_130)).await.is_none());
        for number in 0..VERIFIED_MAX {
            let claims = Arc::default();
            tokens.verified().add(tokens.keys.current(NOW.elapsed), &[number as u8; 32], &claims);
            tokens.verified().add(
                tokens.keys.current(NOW.elapsed),
                digest(&SHA256, &number.to_le_bytes()).as_ref(),
                &claims,
            );
        }
        assert!(tokens.verified().claims.len() <= VERIFIED_MAX);
        tokens.verified().add(Arc::default(), &[0; 32], &Arc::default());
        assert_eq!(tokens.verified().claims.len(), 1, "other keys have signed nothing yet");
    }

    #[tokio::test]
    async fn nobody_makes_a_token_with_what_is_public() {
        let signer = signer("RS256");
        let tokens = tokens(&signer, &[]);
        let claims = claims(&json!({}));
        let whole = signer.token("a", &claims);
        let (signed, _) = whole.rsplit_once('.').expect("it has a signature");
        let (_, payload) = signed.split_once('.').expect("it has claims");
        let other = Signer::rsa_of_another("RS256");
        let forged = [
            String::new(),
            "a.b.c".to_owned(),
            signed.to_owned(),
            format!("{signed}."),
            format!("{whole}.x"),
            format!("{whole}A"),
            unsigned(&json!({"alg": "none", "kid": "a"}), &claims),
            unsigned(&json!({"alg": "None"}), &claims),
            unsigned(&json!({"kid": "a"}), &claims),
            // The public key taken for a secret.
            signer.hmac_token(&json!({"alg": "HS256", "kid": "a"}), &claims),
            signer.hmac_token(&json!({"alg": "RS256", "kid": "a"}), &claims),
            other.token("a", &claims),
            // A signature of something else.
            whole.replace(payload, &URL_SAFE_NO_PAD.encode(r#"{"sub":"eve","exp":1000100}"#)),
            signer.token_with(&json!({"alg": "RS256", "kid": "a", "crit": ["x"], "x": 1}), &claims),
            signer.token_with(&json!({"alg": "RS512", "kid": "a"}), &claims),
            signer.token_with(&json!({"alg": "RS256", "kid": 7}), &claims),
            signer
                .token_with(&json!({"alg": "RS256", "kid": "a", "jwk": other.jwk("a")}), &claims)
                .replace(payload, "e30"),
        ];
        for token in forged {
            assert_eq!(tokens.subject(&token, NOW).await, None, "{token}");
        }
        assert!(tokens.subject(&whole, NOW).await.is_some());
        assert!(tokens.subject(&signer.token_with(&json!({"alg": "RS256"}), &claims), NOW).await.is_some());
    }

    #[test]
    fn a_wrong_property_is_told() {
        for (name, value, expected) in [
            (URL, "/nowhere/keys.json", "cannot read '/nowhere/keys.json'"),
            (URL, "ftp://keys", "http"),
            ("oauthbearer.clock.skew.seconds", "soon", "oauthbearer.clock.skew.seconds is no whole number"),
        ] {
            let get = |asked: &str| match asked {
                _ if asked == name => Some(value.to_owned()),
                URL => Some("https://localhost/keys".to_owned()),
                _ => None,
            };
            let reason = Tokens::new(&get).err().unwrap_or_default();
            assert!(reason.contains(expected), "{reason}");
        }
        assert!(Tokens::new(&|_| None).is_ok_and(|tokens| tokens.is_none()));
    }
}
