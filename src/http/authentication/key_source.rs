//! Where keys come from: a file, or the address of an identity provider. They are fetched at the start, again when they are old, and
//! when a token names one that is not there, but not for every such token. While nobody answers, those that are known go on.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ureq::tls::{RootCerts, TlsConfig};

use super::super::request_failure;
use super::keys::KeySet;

/// Keys, with what it takes to have newer ones.
#[derive(Debug)]
pub struct KeySource {
    place: Place,
    refresh_ms: u64,
    keys: RwLock<Arc<KeySet>>,
    /// When they are old, by the clock of the process.
    old_at_ms: AtomicU64,
    /// Whoever fetches has this; in it, when an unknown key is a reason to fetch again.
    turn: tokio::sync::Mutex<Duration>,
}

#[derive(Debug, Clone)]
enum Place {
    File(String),
    Url { property: &'static str, agent: ureq::Agent, url: String },
}

/// How long is waited for an identity provider.
const PATIENCE: Duration = Duration::from_secs(10);
/// Unknown keys, and failures, are no reason to fetch more often.
const PAUSE: Duration = Duration::from_secs(10);
/// No set of keys is larger.
const BYTES_MAX: u64 = 1 << 20;

impl KeySource {
    /// The keys at `place`, which `property` names: a file, with or without `file:` in front, or an address of HTTP(S).
    ///
    /// # Errors
    /// It is neither, or the file is wrong. That nobody answers at an address is no error: he may later.
    pub fn new(property: &'static str, place: &str, refresh_ms: u64) -> Result<Self, String> {
        let place = Place::of(property, place)?;
        let (keys, old_at_ms) = match (place.fetch(), &place) {
            (Ok(keys), _) => (keys, refresh_ms),
            (Err(reason), Place::File(_)) => return Err(reason),
            (Err(reason), Place::Url { .. }) => {
                tracing::warn!("no token can be checked: {reason}");
                (KeySet::default(), 0)
            }
        };
        Ok(Self {
            place,
            refresh_ms,
            keys: RwLock::new(Arc::new(keys)),
            old_at_ms: AtomicU64::new(old_at_ms),
            turn: tokio::sync::Mutex::default(),
        })
    }

    fn keys(&self) -> Arc<KeySet> {
        Arc::clone(&self.keys.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The keys that are known. If they are old, newer ones are on their way from now on.
    pub fn current(self: &Arc<Self>, now: Duration) -> Arc<KeySet> {
        let (now_ms, old_at_ms) = (now.as_millis() as u64, self.old_at_ms.load(Ordering::Acquire));
        let again_ms = now_ms.saturating_add(PAUSE.as_millis() as u64);
        let is_mine =
            || self.old_at_ms.compare_exchange(old_at_ms, again_ms, Ordering::AcqRel, Ordering::Acquire).is_ok();
        if self.keys().len() > 0 && now_ms >= old_at_ms && is_mine() {
            let source = Arc::clone(self);
            tokio::spawn(async move {
                let _turn = source.turn.lock().await;
                source.fetch(now).await;
            });
        }
        self.keys()
    }

    /// Keys after `known`, among which one is missing: fetched now, unless that was just done.
    pub async fn renewed(self: &Arc<Self>, known: &Arc<KeySet>, now: Duration) -> Arc<KeySet> {
        let mut turn = self.turn.lock().await;
        // Somebody else may have fetched while this one waited.
        if Arc::ptr_eq(known, &self.keys()) && now >= *turn {
            *turn = now.saturating_add(PAUSE);
            self.fetch(now).await;
        }
        self.keys()
    }

    async fn fetch(&self, now: Duration) {
        let place = self.place.clone();
        let fetched = tokio::task::spawn_blocking(move || place.fetch()).await;
        match fetched.unwrap_or_else(|failure| Err(failure.to_string())) {
            Ok(keys) => {
                *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
                let old_at_ms = (now.as_millis() as u64).saturating_add(self.refresh_ms);
                self.old_at_ms.store(old_at_ms, Ordering::Release);
            }
            Err(reason) => tracing::warn!("the keys of tokens stay as they are: {reason}"),
        }
    }
}

impl Place {
    fn of(property: &'static str, place: &str) -> Result<Self, String> {
        if place.starts_with("http://") || place.starts_with("https://") {
            let tls = TlsConfig::builder().root_certs(RootCerts::PlatformVerifier).build();
            let config = ureq::Agent::config_builder().timeout_global(Some(PATIENCE)).max_redirects(3).tls_config(tls);
            return Ok(Self::Url { property, agent: config.build().new_agent(), url: place.to_owned() });
        }
        let file = place.strip_prefix("file://").or_else(|| place.strip_prefix("file:")).unwrap_or(place);
        if file.contains("://") {
            return Err(format!(
                "the value of {property} is neither a file nor an address that begins with http:// or https://"
            ));
        }
        Ok(Self::File(file.to_owned()))
    }

    /// The keys. Addresses are not told: they may hold a password.
    fn fetch(&self) -> Result<KeySet, String> {
        match self {
            Self::File(file) => {
                let failed = |reason: String| format!("cannot read '{file}', which has the keys of tokens: {reason}");
                let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
                KeySet::parse(&text).map_err(failed)
            }
            Self::Url { property, agent, url } => {
                let failed = |reason: String| format!("cannot fetch the keys of tokens from {property}: {reason}");
                let answer = agent.get(url).call().map_err(|error| failed(request_failure(&error)))?;
                let body = answer.into_body().into_with_config().limit(BYTES_MAX).read_to_string();
                KeySet::parse(&body.map_err(|error| failed(request_failure(&error)))?).map_err(failed)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::signer::Signer;
    use super::*;

    fn write(path: &std::path::Path, id: &str) {
        let signer = &Signer::of_all_kinds()[0];
        std::fs::write(path, json!({"keys": [signer.jwk(id)]}).to_string()).expect("it can be written");
    }

    #[tokio::test]
    async fn an_unknown_key_is_looked_for_once_in_a_while() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("keys.json");
        write(&path, "a");
        let source =
            Arc::new(KeySource::new("keys", &format!("file://{}", path.display()), 60_000).expect("it is read"));
        let at = Duration::from_secs;
        let first = source.current(at(1));
        write(&path, "b");
        let second = source.renewed(&first, at(1)).await;
        assert_ne!(first, second);
        // Who has seen the first only is given what others have fetched.
        assert!(Arc::ptr_eq(&second, &source.renewed(&first, at(1)).await));
        write(&path, "c");
        assert!(Arc::ptr_eq(&second, &source.renewed(&second, at(10)).await), "it is too early");
        assert_ne!(second, source.renewed(&second, at(11)).await);
    }

    #[tokio::test]
    async fn old_keys_go_on_until_there_are_new_ones() {
        let at = Duration::from_secs;
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("keys.json");
        write(&path, "a");
        let source = Arc::new(KeySource::new("keys", &path.display().to_string(), 60_000).expect("it is read"));
        let first = source.current(at(59));
        std::fs::write(&path, "damaged").expect("it can be written");
        assert!(Arc::ptr_eq(&first, &source.current(at(60))));
        tokio::task::yield_now().await;
        drop(source.turn.lock().await);
        assert!(Arc::ptr_eq(&first, &source.keys()), "what is damaged replaces nothing");
        write(&path, "b");
        assert!(Arc::ptr_eq(&first, &source.current(at(69))), "it is too early");
        assert!(Arc::ptr_eq(&first, &source.current(at(70))), "nobody waits");
        tokio::task::yield_now().await;
        drop(source.turn.lock().await);
        assert_ne!(first, source.keys());
    }

    #[test]
    fn an_address_that_does_not_answer_is_asked_later() {
        let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = taken.local_addr().expect("it has one");
        drop(taken);
        let source =
            KeySource::new("keys", &format!("http://user:secret@{address}/keys"), 60_000).expect("it may answer later");
        assert_eq!(source.keys().len(), 0);
        let reason = source.place.fetch().expect_err("nobody answers");
        assert!(
            reason.starts_with("cannot fetch the keys of tokens from keys: ") && !reason.contains("secret"),
            "{reason}"
        );
    }
}
