//! Who asks, and what he may do.
//!
//! ```text
//! Authorization: Basic …  ─▶ users: a file ───────────┬─▶ Principal: name and roles ─▶ may use the server? ─▶ may read, write, define?
//!                Bearer … ─▶ tokens ─▶ keys of who signs ┘
//! ```
//!
//! What each role may do beyond using the server is Levada's own (`levada.authorization.*`).

mod key_source;
mod keys;
#[cfg(test)]
mod signer;
mod tokens;
mod users;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::{HeaderMap, header};

use super::problem::{Code, Problem};
use crate::sql::ast::Statement;
use tokens::Tokens;
use users::Users;

/// What a statement does, as far as rights go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// Rows and facts are read.
    Read,
    /// Records are written.
    Write,
    /// Streams, tables, queries and the like are made, changed, ended.
    Define,
}

impl Right {
    /// What `statement` needs. What a session sets for itself needs no more than reading does.
    pub fn of(statement: &Statement) -> Self {
        match statement {
            Statement::InsertValues(_) => Self::Write,
            Statement::Query(_)
            | Statement::Read(_)
            | Statement::PrintTopic(_)
            | Statement::ShowProperties
            | Statement::ShowTopics { .. }
            | Statement::ShowSources { .. }
            | Statement::ShowFunctions
            | Statement::ShowConnectors(_)
            | Statement::ShowConnectorPlugins
            | Statement::ShowTypes
            | Statement::ShowVariables
            | Statement::ShowQueries { .. }
            | Statement::DescribeSource { .. }
            | Statement::DescribeSources { .. }
            | Statement::DescribeFunction { .. }
            | Statement::DescribeConnector { .. }
            | Statement::Explain(_)
            | Statement::Diagnose(_)
            | Statement::AssertTopic(_)
            | Statement::AssertSchema(_)
            | Statement::SetProperty { .. }
            | Statement::UnsetProperty { .. }
            | Statement::DefineVariable { .. }
            | Statement::UndefineVariable { .. } => Self::Read,
            _ => Self::Define,
        }
    }

    fn property(self) -> &'static str {
        match self {
            Self::Read => "levada.authorization.read",
            Self::Write => "levada.authorization.write",
            Self::Define => "levada.authorization.define",
        }
    }

    fn doing(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write records",
            Self::Define => "create, change or end streams, tables and queries",
        }
    }
}

/// Who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    /// Anybody: the server asks nobody who he is.
    Anybody,
    /// A user by name.
    User(String, BTreeSet<String>),
}

/// A set of roles, as properties list them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Roles {
    any: bool,
    names: BTreeSet<String>,
}

impl Roles {
    fn parse(text: Option<&str>) -> Self {
        let names: BTreeSet<String> = list(text.unwrap_or("*")).map(ToOwned::to_owned).collect();
        Self { any: names.contains("*"), names }
    }

    fn include(&self, principal: &Principal) -> bool {
        match principal {
            Principal::Anybody => true,
            Principal::User(_, roles) => self.any || roles.iter().any(|role| self.names.contains(role)),
        }
    }
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

/// Who may do what on a server.
#[derive(Debug)]
pub struct Security {
    users: Option<Users>,
    /// With neither these nor users nobody is asked who he is.
    tokens: Option<Tokens>,
    realm: String,
    /// Roles that may use the server at all.
    roles: Roles,
    skipped: Vec<String>,
    rights: [(Right, Roles); 3],
    /// The file that says all that runs here: nobody else does.
    file: Option<String>,
}

/// Paths that say no more than that the server is there: what starts and stops it asks them.
const OPEN_PATHS: [&str; 2] = ["/chc/live", "/chc/ready"];

impl Security {
    /// What `property` says, by name.
    ///
    /// # Errors
    /// What is wrong with a property, or with the file of users.
    pub fn new(property: impl Fn(&str) -> Option<String>) -> Result<Self, String> {
        let get = |name: &str| property(name).filter(|value| !value.trim().is_empty());
        let realm = get("authentication.realm").unwrap_or_else(|| "ksqlDB".to_owned());
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
        let roles_of = |right: Right| (right, Roles::parse(get(right.property()).as_deref()));
        Ok(Self {
            users,
            tokens,
            realm,
            roles: Roles::parse(get("authentication.roles").as_deref()),
            skipped: list(&get("authentication.skip.paths").unwrap_or_default()).map(ToOwned::to_owned).collect(),
            rights: [Right::Read, Right::Write, Right::Define].map(roles_of),
            file: None,
        })
    }

    /// The same on a server that runs what `file` says, if one does: only that may define.
    #[must_use]
    pub fn headless(self, file: Option<&str>) -> Self {
        Self { file: file.map(ToOwned::to_owned), ..self }
    }

    /// Who asks for `path` with `headers`. A web socket, whose headers a page cannot set, may say it as `shown`.
    pub async fn principal(
        &self,
        path: &str,
        headers: &HeaderMap,
        shown: Option<&str>,
        now: Moment,
    ) -> Result<Principal, Problem> {
        let asks_nobody = self.users.is_none() && self.tokens.is_none();
        if asks_nobody || OPEN_PATHS.contains(&path) || self.skipped.iter().any(|pattern| covers(pattern, path)) {
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
        let (name, roles) = known.ok_or_else(|| Problem::new(Code::UNAUTHORIZED, "Unauthorized"))?;
        let principal = Principal::User(name, roles);
        if self.roles.include(&principal) {
            return Ok(principal);
        }
        Err(Problem::new(
            Code::FORBIDDEN,
            "you may not use this server: none of your roles is among authentication.roles",
        ))
    }

    fn user(&self, credentials: &str) -> Option<(String, BTreeSet<String>)> {
        self.users.as_ref()?.known(credentials)
    }

    async fn bearer(&self, token: &str, now: Moment) -> Option<(String, BTreeSet<String>)> {
        self.tokens.as_ref()?.subject(token, now).await
    }

    /// Whether `principal` may do what needs `right`.
    pub fn check(&self, principal: &Principal, right: Right) -> Result<(), Problem> {
        if let (Right::Define, Some(file)) = (right, &self.file) {
            let text = format!("this server runs what the file {file} says, and nothing else: change the file");
            return Err(Problem::new(Code::FORBIDDEN, text));
        }
        let is_allowed = self.rights.iter().any(|(known, roles)| *known == right && roles.include(principal));
        if is_allowed {
            return Ok(());
        }
        let text = format!("you may not {} on this server: {} says whose roles may", right.doing(), right.property());
        Err(Problem::new(Code::FORBIDDEN, text))
    }

    /// What is asked of who has not said who he is, in each of the ways in which he may.
    pub fn challenges(&self) -> impl Iterator<Item = String> {
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

    use axum::http::header;
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde_json::json;

    use super::signer::Signer;
    use super::users::{JAAS_FILE, USERS_FILE};
    use super::*;
    use crate::sql::parse_statements;

    fn security(file: &str, more: &[(&str, &str)]) -> Result<Security, String> {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let path = folder.path().join("users");
        fs::write(&path, file).expect("it can be written");
        Security::new(|name| match name {
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
        security: &Security,
        path: &str,
        headers: &HeaderMap,
        shown: Option<&str>,
    ) -> Result<Principal, Problem> {
        futures_executor::block_on(security.principal(path, headers, shown, NOW))
    }

    const USERS: &str = "ada: secret, admin, reader\nbob = MD5:5ebe2294ecd0e0f08eab7690d2a6ee69, reader\n";

    #[test]
    fn users_say_who_they_are() {
        let security = security(USERS, &[("authentication.roles", "admin, reader")]).expect("the file is right");
        let asks = |user: &str| principal(&security, "/ksql", &headers(user), None).map_err(|problem| problem.code);
        assert!(matches!(asks("ada:secret"), Ok(Principal::User(name, roles)) if name == "ada" && roles.len() == 2));
        assert!(asks("bob:secret").is_ok());
        for wrong in ["ada:Secret", "ada:", "eve:secret", "ada", ""] {
            assert_eq!(asks(wrong), Err(Code::UNAUTHORIZED), "{wrong}");
        }
        let nobody = principal(&security, "/info", &HeaderMap::new(), None);
        assert!(nobody.is_err_and(|problem| problem.status() == 401 && !problem.message.contains("ada")));
        assert!(principal(&security, "/chc/live", &HeaderMap::new(), None).is_ok());
        assert!(principal(&security, "/ws/query", &HeaderMap::new(), Some(&STANDARD.encode("ada:secret"))).is_ok());
    }

    #[test]
    fn roles_say_what_they_may_do() {
        let more = [("levada.authorization.define", "admin"), ("levada.authorization.write", "admin, writer")];
        let security = security(USERS, &more).expect("the file is right");
        let may = |user: &str, sql: &str| {
            let principal = principal(&security, "/ksql", &headers(user), None).expect("he is known");
            let statement = parse_statements(sql).expect("a statement").remove(0).statement;
            security.check(&principal, Right::of(&statement)).is_ok()
        };
        for sql in ["SHOW STREAMS;", "SELECT * FROM s EMIT CHANGES;", "PRINT t;", "EXPLAIN q;", "SET 'a' = 'b';"] {
            assert!(may("ada:secret", sql) && may("bob:secret", sql), "{sql}");
        }
        for sql in
            ["INSERT INTO s VALUES (1);", "DROP STREAM s;", "TERMINATE ALL;", "CREATE TYPE a AS INT;", "PAUSE q;"]
        {
            assert!(may("ada:secret", sql) && !may("bob:secret", sql), "{sql}");
        }
    }

    #[test]
    fn paths_may_be_open() {
        let security = security(USERS, &[("authentication.skip.paths", "/info, /v1/*")]).expect("the file is right");
        let is_open = |path: &str| principal(&security, path, &HeaderMap::new(), None).is_ok();
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
            Security::new(move |name| match name {
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
            let reason = security(file, &[]).expect_err("it is wrong");
            assert!(reason.contains(expected), "{reason}");
        }
        let none = Security::new(|name| (name == "authentication.method").then(|| "BASIC".to_owned()));
        assert!(none.is_err_and(|reason| reason.contains(USERS_FILE)));
    }

    #[test]
    fn users_and_tokens_may_both_be_known() {
        let signer = Signer::of_all_kinds().pop().expect("there are some");
        let file = tempfile::NamedTempFile::new().expect("a file for the test");
        fs::write(file.path(), json!({"keys": [signer.jwk("a")]}).to_string()).expect("it can be written");
        let keys = ("oauthbearer.jwks.endpoint.url", &*file.path().display().to_string());
        let both =
            security(USERS, &[keys, ("levada.authorization.define", "admin")]).expect("the properties are right");
        let token = signer.token("a", &json!({"sub": "tim", "exp": 100, "groups": ["admin"]}));
        let bearer = |scheme: &str, token: &str| {
            let value = format!("{scheme} {token}").parse().expect("a header");
            HeaderMap::from_iter([(header::AUTHORIZATION, value)])
        };
        let tim = principal(&both, "/ksql", &bearer("Bearer", &token), None).expect("he is known");
        assert!(matches!(&tim, Principal::User(name, _) if name == "tim") && both.check(&tim, Right::Define).is_ok());
        assert_eq!(principal(&both, "/ws/query", &HeaderMap::new(), Some(&token)), Ok(tim));
        let bob = principal(&both, "/ksql", &headers("bob:secret"), None).expect("he is known");
        assert!(both.check(&bob, Right::Define).is_err());
        for headers in
            [bearer("Basic", &token), bearer("Bearer", &STANDARD.encode("ada:secret")), bearer("Digest", &token)]
        {
            assert!(principal(&both, "/ksql", &headers, None).is_err_and(|problem| problem.message == "Unauthorized"));
        }
        assert_eq!(both.challenges().collect::<Vec<_>>(), ["Basic realm=\"ksqlDB\"", "Bearer realm=\"ksqlDB\""]);
        // The keys alone are enough: nobody is let in by a file that asks for tokens in another way.
        let only = Security::new(|name| (name == keys.0).then(|| keys.1.to_owned())).expect("the properties are right");
        assert!(principal(&only, "/ksql", &HeaderMap::new(), None).is_err());
        assert!(principal(&only, "/ksql", &headers("ada:secret"), None).is_err());
        assert!(principal(&only, "/ksql", &bearer("bearer", &token), None).is_ok());
        let none = Security::new(|name| (name == "authentication.method").then(|| "BEARER".to_owned()));
        assert!(none.is_err_and(|reason| reason.contains(keys.0)));
    }
}
