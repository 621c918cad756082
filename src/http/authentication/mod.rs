//! Who asks, and what his roles let him do: for all servers of the process that are told to ask.
//!
//! ```text
//! Authorization: Basic …  ─▶ users: a file ───────────┬─▶ Principal: name and roles ─▶ may use the server? ─▶ Rights: may read, write, define?
//!                Bearer … ─▶ tokens ─▶ keys of who signs ┘
//! ```
//!
//! Properties have the names of ksqlDB and of Confluent's Schema Registry, which are the same; what each role may do beyond using the
//! server is Levada's own (`levada.authorization.*`).

mod key_source;
mod keys;
mod rights;
#[cfg(test)]
pub(crate) mod signer;
mod tokens;
mod users;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue, header};

use rights::Roles;
pub use rights::{Right, Rights};
use tokens::Tokens;
use users::Users;

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Anybody: the server asks nobody who he is.
    Anybody,
    /// A user by name.
    User(String, BTreeSet<String>),
}

/// Why somebody is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stranger {
    /// He has not said who he is, or cannot show it.
    #[error("Unauthorized")]
    Unknown,
    /// He is known, and is not among those who may use the server.
    #[error("you may not use this server: none of your roles is among authentication.roles")]
    Excluded,
}

fn list(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty())
}

/// When something is asked.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// By a clock that only goes forward.
    pub elapsed: Duration,
    /// By the clock on the wall, in milliseconds since the epoch.
    pub now_ms: i64,
}

/// Who is let in.
#[derive(Debug)]
pub struct Authentication {
    users: Option<Users>,
    /// With neither these nor users nobody is asked who he is.
    tokens: Option<Tokens>,
    realm: String,
    /// Roles that may use the server at all.
    roles: Roles,
    skipped: Vec<String>,
}

impl Authentication {
    /// What `property` says, by name; `realm` unless it names one.
    ///
    /// # Errors
    /// What is wrong with a property, or with the file of users.
    pub fn new(property: impl Fn(&str) -> Option<String>, realm: &str) -> Result<Self, String> {
        let get = |name: &str| property(name).filter(|value| !value.trim().is_empty());
        let realm = get("authentication.realm").unwrap_or_else(|| realm.to_owned());
        let method = get("authentication.method").unwrap_or_else(|| "NONE".to_owned()).to_ascii_uppercase();
        let users = match method.as_str() {
            "NONE" | "BEARER" => None,
            "BASIC" => Some(Users::new(&get, &realm)?),
            other => {
                return Err(format!("'{other}' is no value of authentication.method: it is NONE, BASIC or BEARER"));
            }
        };
        let tokens = Tokens::new(&get)?;
        if method == "BEARER" && tokens.is_none() {
            let reason = "the keys of who signs tokens, a file or an address";
            return Err(format!(
                "authentication.method=BEARER needs the property oauthbearer.jwks.endpoint.url: {reason}"
            ));
        }
        Ok(Self {
            users,
            tokens,
            realm,
            roles: Roles::parse(get("authentication.roles").as_deref()),
            skipped: list(&get("authentication.skip.paths").unwrap_or_default()).map(ToOwned::to_owned).collect(),
        })
    }

    /// Who asks for `path` with `headers`. A web socket, whose headers a page cannot set, may say it as `shown`.
    ///
    /// # Errors
    /// He is not let in.
    pub async fn principal(
        &self,
        path: &str,
        headers: &HeaderMap,
        shown: Option<&str>,
        now: Moment,
    ) -> Result<Principal, Stranger> {
        let asks_nobody = self.users.is_none() && self.tokens.is_none();
        if asks_nobody || self.skipped.iter().any(|pattern| covers(pattern, path)) {
            return Ok(Principal::Anybody);
        }
        let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let known = match said.and_then(|said| said.split_once(' ')) {
            Some((scheme, user)) if scheme.eq_ignore_ascii_case("basic") => self.user(user),
            Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => self.bearer(token, now).await,
            Some(_) => None,
            None => match shown {
                // There is no dot in base64, and tokens have two.
                Some(token) if token.contains('.') => self.bearer(token, now).await,
                Some(user) => self.user(user),
                None => None,
            },
        };
        let (name, roles) = known.ok_or(Stranger::Unknown)?;
        let principal = Principal::User(name, roles);
        if self.roles.include(&principal) { Ok(principal) } else { Err(Stranger::Excluded) }
    }

    fn user(&self, credentials: &str) -> Option<(String, BTreeSet<String>)> {
        self.users.as_ref()?.known(credentials)
    }

    async fn bearer(&self, token: &str, now: Moment) -> Option<(String, BTreeSet<String>)> {
        self.tokens.as_ref()?.subject(token, now).await
    }

    /// Asks who has not said who he is, in each of the ways in which he may: headers of the answer.
    pub fn challenge(&self, headers: &mut HeaderMap) {
        for challenge in self.challenges().filter_map(|one| HeaderValue::from_str(&one).ok()) {
            headers.append(header::WWW_AUTHENTICATE, challenge);
        }
    }

    fn challenges(&self) -> impl Iterator<Item = String> {
        let realm = self.realm.replace(['"', '\\'], "");
        let schemes = [("Basic", self.users.is_some()), ("Bearer", self.tokens.is_some())];
        schemes.into_iter().filter(|(_, is_on)| *is_on).map(move |(scheme, _)| format!("{scheme} realm=\"{realm}\""))
    }
}

/// Whether `pattern`, in which `*` stands for any text, is the whole of `path`.
fn covers(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((start, rest)) => path
            .strip_prefix(start)
            .is_some_and(|left| (0..=left.len()).any(|at| left.is_char_boundary(at) && covers(rest, &left[at..]))),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::signer::Signer;
    use super::users::{JAAS_FILE, USERS_FILE};
    use super::*;

    fn open(property: impl Fn(&str) -> Option<String>) -> Result<Authentication, String> {
        Authentication::new(property, "levada")
    }

    fn with_users(file: &str, more: &[(&str, &str)]) -> Result<Authentication, String> {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("users");
        fs::write(&path, file).expect("it can be written");
        open(|name| match name {
            "authentication.method" => Some("BASIC".to_owned()),
            USERS_FILE => Some(path.to_string_lossy().into_owned()),
            other => more.iter().find(|(known, _)| *known == other).map(|(_, value)| (*value).to_owned()),
        })
    }

    fn headers(user: &str) -> HeaderMap {
        let value = format!("Basic {}", STANDARD.encode(user)).parse().expect("a header");
        HeaderMap::from_iter([(header::AUTHORIZATION, value)])
    }

    const NOW: Moment = Moment { elapsed: Duration::ZERO, now_ms: 0 };

    /// Who is let in, by the answer of the server.
    fn principal(
        asked: &Authentication,
        path: &str,
        headers: &HeaderMap,
        shown: Option<&str>,
    ) -> Result<Principal, Stranger> {
        futures_executor::block_on(asked.principal(path, headers, shown, NOW))
    }

    const USERS: &str = "ada: secret, admin, reader\nbob = MD5:5ebe2294ecd0e0f08eab7690d2a6ee69, reader\n";

    #[test]
    fn users_say_who_they_are() {
        let asked = with_users(USERS, &[("authentication.roles", "admin, reader")]).expect("the file is right");
        let asks = |user: &str| principal(&asked, "/ksql", &headers(user), None);
        assert!(matches!(asks("ada:secret"), Ok(Principal::User(name, roles)) if name == "ada" && roles.len() == 2));
        assert!(asks("bob:secret").is_ok());
        for wrong in ["ada:Secret", "ada:", "eve:secret", "ada", ""] {
            assert_eq!(asks(wrong), Err(Stranger::Unknown), "{wrong}");
        }
        assert_eq!(principal(&asked, "/info", &HeaderMap::new(), None), Err(Stranger::Unknown));
        let excluding = with_users(USERS, &[("authentication.roles", "admin")]).expect("the file is right");
        assert_eq!(principal(&excluding, "/info", &headers("bob:secret"), None), Err(Stranger::Excluded));
        assert!(principal(&asked, "/ws/query", &HeaderMap::new(), Some(&STANDARD.encode("ada:secret"))).is_ok());
    }

    #[test]
    fn paths_may_be_open() {
        let asked = with_users(USERS, &[("authentication.skip.paths", "/info, /v1/*")]).expect("the file is right");
        let is_open = |path: &str| principal(&asked, path, &HeaderMap::new(), None).is_ok();
        assert!(is_open("/info") && is_open("/v1/metadata/id") && !is_open("/ksql") && !is_open("/information"));
    }

    #[test]
    fn a_jaas_file_leads_to_the_users() {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let users = folder.path().join("users");
        fs::write(&users, USERS).expect("it can be written");
        let jaas = folder.path().join("jaas");
        let text = format!(
            "Other {{ x required file=\"no\"; }};\nKsqlServer-Props {{\n  org.eclipse.jetty.jaas.spi.PropertyFileLoginModule required\n  \
             file=\"{}\"\n  debug=\"false\";\n}};",
            users.display()
        );
        fs::write(&jaas, text).expect("it can be written");
        let property = |realm: &'static str| {
            let jaas = jaas.to_string_lossy().into_owned();
            open(move |name| match name {
                "authentication.method" => Some("basic".to_owned()),
                "authentication.realm" => Some(realm.to_owned()),
                JAAS_FILE => Some(jaas.clone()),
                _ => None,
            })
        };
        assert!(
            principal(&property("KsqlServer-Props").expect("it is found"), "/", &headers("ada:secret"), None).is_ok()
        );
        assert!(property("Nowhere").is_err_and(|reason| reason.contains("no section Nowhere")));
    }

    #[test]
    fn a_wrong_file_is_told_by_line() {
        for (file, expected) in [
            ("ada: secret\nbob:", "users:2: the user bob has no password"),
            ("bob: MD5:12", "users:1: MD5: is not followed by 32 hexadecimal digits"),
            ("bob: OBF:1x", "users:1: passwords in the forms OBF:"),
        ] {
            let reason = with_users(file, &[]).expect_err("it is wrong");
            assert!(reason.contains(expected), "{reason}");
        }
        let none = open(|name| (name == "authentication.method").then(|| "BASIC".to_owned()));
        assert!(none.is_err_and(|reason| reason.contains(USERS_FILE)));
    }

    #[test]
    fn users_and_tokens_may_both_be_known() {
        let signer = Signer::of_all_kinds().pop().expect("there are some");
        let file = tempfile::NamedTempFile::new().expect("a file for the test");
        fs::write(file.path(), json!({"keys": [signer.jwk("a")]}).to_string()).expect("it can be written");
        let keys = ("oauthbearer.jwks.endpoint.url", &*file.path().display().to_string());
        let both = with_users(USERS, &[keys]).expect("the properties are right");
        let token = signer.token("a", &json!({"sub": "tim", "exp": 100, "groups": ["admin"]}));
        let bearer = |scheme: &str, token: &str| {
            let value = format!("{scheme} {token}").parse().expect("a header");
            HeaderMap::from_iter([(header::AUTHORIZATION, value)])
        };
        let tim = principal(&both, "/ksql", &bearer("Bearer", &token), None).expect("he is known");
        assert!(matches!(&tim, Principal::User(name, roles) if name == "tim" && roles.contains("admin")));
        assert_eq!(principal(&both, "/ws/query", &HeaderMap::new(), Some(&token)), Ok(tim));
        assert!(principal(&both, "/ksql", &headers("bob:secret"), None).is_ok());
        for headers in
            [bearer("Basic", &token), bearer("Bearer", &STANDARD.encode("ada:secret")), bearer("Digest", &token)]
        {
            assert!(principal(&both, "/ksql", &headers, None).is_err_and(|stranger| stranger == Stranger::Unknown));
        }
        assert_eq!(both.challenges().collect::<Vec<_>>(), ["Basic realm=\"levada\"", "Bearer realm=\"levada\""]);
        // The keys alone are enough: nobody is let in by a file that asks for tokens in another way.
        let only = open(|name| (name == keys.0).then(|| keys.1.to_owned())).expect("the properties are right");
        assert!(principal(&only, "/ksql", &HeaderMap::new(), None).is_err());
        assert!(principal(&only, "/ksql", &headers("ada:secret"), None).is_err());
        assert!(principal(&only, "/ksql", &bearer("bearer", &token), None).is_ok());
        let none = open(|name| (name == "authentication.method").then(|| "BEARER".to_owned()));
        assert!(none.is_err_and(|reason| reason.contains(keys.0)));
    }
}
