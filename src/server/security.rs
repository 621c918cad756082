//! Who asks, and what he may do.
//!
//! ```text
//! Authorization: Basic … ─▶ users file ─▶ Principal: name and roles ─▶ may use the server? ─▶ may read, write, define?
//! ```
//!
//! Users stand in a file of lines `name: password, role, …`, as ksqlDB's JAAS module has them; ksqlDB's own JAAS file that names it is
//! read as well. What each role may do beyond using the server is Levada's own (`levada.authorization.*`).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use axum::http::{HeaderMap, header};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use super::problem::{Code, Problem};
use crate::configuration::java_properties;
use crate::sql::ast::Statement;

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

/// A user's password and roles.
#[derive(Debug, Clone, PartialEq, Eq)]
struct User {
    password: Password,
    roles: BTreeSet<String>,
}

#[derive(Clone, PartialEq, Eq)]
enum Password {
    Plain(String),
    Md5(Vec<u8>),
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

impl Password {
    /// Reads it as it stands in the file: `MD5:` and digits, or as it is.
    fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix("MD5:") {
            Some(digits) => {
                hex(digits).map(Self::Md5).ok_or_else(|| "MD5: is not followed by 32 hexadecimal digits".to_owned())
            }
            None if text.starts_with("OBF:") || text.starts_with("CRYPT:") => {
                Err("passwords in the forms OBF: and CRYPT: are not read: write MD5:… or the password itself"
                    .to_owned())
            }
            None => Ok(Self::Plain(text.to_owned())),
        }
    }

    fn is(&self, given: &str) -> bool {
        match self {
            // Digests have one length, so that the time tells nothing of that of the password.
            Self::Plain(password) => Md5::digest(password).ct_eq(&Md5::digest(given)).into(),
            Self::Md5(digest) => digest.ct_eq(&Md5::digest(given)).into(),
        }
    }
}

fn hex(digits: &str) -> Option<Vec<u8>> {
    let pairs = digits.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    pairs.collect::<Option<Vec<u8>>>().filter(|bytes| bytes.len() == 16)
}

/// Who may do what on a server.
#[derive(Debug, Clone)]
pub struct Security {
    /// `None`: nobody is asked who he is.
    users: Option<BTreeMap<String, User>>,
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
const USERS_FILE: &str = "levada.users.file";
const JAAS_FILE: &str = "java.security.auth.login.config";

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
            "NONE" => None,
            "BASIC" => Some(users(&users_file(&get, &realm)?)?),
            other => return Err(format!("'{other}' is no value of authentication.method: it is NONE or BASIC")),
        };
        let roles_of = |right: Right| (right, Roles::parse(get(right.property()).as_deref()));
        Ok(Self {
            users,
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

    /// Who asks for `path` with `headers`. A web socket, whose headers a page cannot set, may say it as `token`.
    pub fn principal(&self, path: &str, headers: &HeaderMap, token: Option<&str>) -> Result<Principal, Problem> {
        let Some(users) = &self.users else { return Ok(Principal::Anybody) };
        if OPEN_PATHS.contains(&path) || self.skipped.iter().any(|pattern| covers(pattern, path)) {
            return Ok(Principal::Anybody);
        }
        let said = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let basic = said.and_then(|said| said.strip_prefix("Basic ").or_else(|| said.strip_prefix("basic "))).or(token);
        let known =
            basic.and_then(|text| STANDARD.decode(text.trim()).ok()).and_then(|bytes| String::from_utf8(bytes).ok());
        let found = known.as_deref().and_then(|text| text.split_once(':')).and_then(|(name, password)| {
            let user = users.get(name).filter(|user| user.password.is(password))?;
            Some(Principal::User(name.to_owned(), user.roles.clone()))
        });
        let principal = found.ok_or_else(|| Problem::new(Code::UNAUTHORIZED, "Unauthorized"))?;
        if self.roles.include(&principal) {
            return Ok(principal);
        }
        Err(Problem::new(
            Code::FORBIDDEN,
            "you may not use this server: none of your roles is among authentication.roles",
        ))
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

    /// What is asked of who has not said who he is.
    pub fn challenge(&self) -> String {
        format!("Basic realm=\"{}\"", self.realm.replace(['"', '\\'], ""))
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

/// The file of users: named itself, or by the section of a JAAS file that has the name of the realm.
fn users_file(get: &impl Fn(&str) -> Option<String>, realm: &str) -> Result<String, String> {
    if let Some(file) = get(USERS_FILE) {
        return Ok(file);
    }
    let Some(jaas) = get(JAAS_FILE) else {
        return Err(format!(
            "authentication.method=BASIC needs the property {USERS_FILE}: a file of lines 'name: password, role'"
        ));
    };
    let text =
        fs::read_to_string(&jaas).map_err(|error| format!("cannot read '{jaas}', which {JAAS_FILE} names: {error}"))?;
    let section = text.split('}').find_map(|section| {
        let (name, body) = section.split_once('{')?;
        (name.split_whitespace().last() == Some(realm)).then_some(body)
    });
    let file = section.and_then(|body| {
        let (_, rest) = body.split_once("file=\"")?;
        rest.split_once('"').map(|(file, _)| file.to_owned())
    });
    file.ok_or_else(|| format!("'{jaas}' has no section {realm} with file=\"…\""))
}

fn users(file: &str) -> Result<BTreeMap<String, User>, String> {
    let text = fs::read_to_string(file).map_err(|error| format!("cannot read the file of users '{file}': {error}"))?;
    let entries = java_properties::read(&text).map_err(|error| format!("{file}: {error}"))?;
    let mut users = BTreeMap::new();
    for entry in entries {
        let mut fields = entry.value.split(',').map(str::trim);
        let password = fields.next().filter(|password| !password.is_empty());
        let password =
            password.ok_or_else(|| format!("{file}:{}: the user {} has no password", entry.line, entry.name))?;
        let password = Password::parse(password).map_err(|reason| format!("{file}:{}: {reason}", entry.line))?;
        let roles = fields.filter(|role| !role.is_empty()).map(ToOwned::to_owned).collect();
        users.insert(entry.name, User { password, roles });
    }
    Ok(users)
}

#[cfg(test)]
mod tests {
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

    const USERS: &str = "ada: secret, admin, reader\nbob = MD5:5ebe2294ecd0e0f08eab7690d2a6ee69, reader\n";

    #[test]
    fn users_say_who_they_are() {
        let security = security(USERS, &[("authentication.roles", "admin, reader")]).expect("the file is right");
        let asks = |user: &str| security.principal("/ksql", &headers(user), None).map_err(|problem| problem.code);
        assert!(matches!(asks("ada:secret"), Ok(Principal::User(name, roles)) if name == "ada" && roles.len() == 2));
        assert!(asks("bob:secret").is_ok());
        for wrong in ["ada:Secret", "ada:", "eve:secret", "ada", ""] {
            assert_eq!(asks(wrong), Err(Code::UNAUTHORIZED), "{wrong}");
        }
        let nobody = security.principal("/info", &HeaderMap::new(), None);
        assert!(nobody.is_err_and(|problem| problem.status() == 401 && !problem.message.contains("ada")));
        assert!(security.principal("/chc/live", &HeaderMap::new(), None).is_ok());
        assert!(security.principal("/ws/query", &HeaderMap::new(), Some(&STANDARD.encode("ada:secret"))).is_ok());
    }

    #[test]
    fn roles_say_what_they_may_do() {
        let more = [("levada.authorization.define", "admin"), ("levada.authorization.write", "admin, writer")];
        let security = security(USERS, &more).expect("the file is right");
        let may = |user: &str, sql: &str| {
            let principal = security.principal("/ksql", &headers(user), None).expect("he is known");
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
        let is_open = |path: &str| security.principal(path, &HeaderMap::new(), None).is_ok();
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
            property("KsqlServer-Props").expect("it is found").principal("/", &headers("ada:secret"), None).is_ok()
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
}
