//! Who may do what on this server: what [`crate::http::Authentication`] tells about who asks, and what statements need.

use axum::http::HeaderMap;

use super::problem::{Code, Problem};
use crate::http::{Authentication, Rights, Stranger};
pub use crate::http::{Moment, Principal, Right};
use crate::sql::ast::Statement;

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

    fn doing(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write records",
            Self::Define => "create, change or end streams, tables and queries",
        }
    }
}

/// Who may do what on a server.
#[derive(Debug)]
pub struct Security {
    authentication: Authentication,
    rights: Rights,
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
        Ok(Self {
            authentication: Authentication::new(&property, "ksqlDB")?,
            rights: Rights::new(&property),
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
        if OPEN_PATHS.contains(&path) {
            return Ok(Principal::Anybody);
        }
        let code = |stranger| match stranger {
            Stranger::Unknown => Code::UNAUTHORIZED,
            Stranger::Excluded => Code::FORBIDDEN,
        };
        let known = self.authentication.principal(path, headers, shown, now).await;
        known.map_err(|stranger| Problem::new(code(stranger), stranger.to_string()))
    }

    /// Whether `principal` may do what needs `right`.
    pub fn check(&self, principal: &Principal, right: Right) -> Result<(), Problem> {
        if let (Right::Define, Some(file)) = (right, &self.file) {
            let text = format!("this server runs what the file {file} says, and nothing else: change the file");
            return Err(Problem::new(Code::FORBIDDEN, text));
        }
        if self.rights.allow(principal, right) {
            return Ok(());
        }
        let text = format!("you may not {} on this server: {} says whose roles may", right.doing(), right.property());
        Err(Problem::new(Code::FORBIDDEN, text))
    }

    /// Asks who has not said who he is, in headers of the answer.
    pub fn challenge(&self, headers: &mut HeaderMap) {
        self.authentication.challenge(headers);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::time::Duration;

    use super::*;
    use crate::sql::parse_statements;

    fn user(role: &str) -> Principal {
        Principal::User("somebody".to_owned(), BTreeSet::from([role.to_owned()]))
    }

    #[test]
    fn roles_say_what_they_may_do() {
        let security = Security::new(|name| match name {
            "levada.authorization.define" => Some("admin".to_owned()),
            "levada.authorization.write" => Some("admin, writer".to_owned()),
            _ => None,
        });
        let security = security.expect("nobody is asked who he is");
        let may = |role: &str, sql: &str| {
            let statement = parse_statements(sql).expect("a statement").remove(0).statement;
            security.check(&user(role), Right::of(&statement)).is_ok()
        };
        for sql in ["SHOW STREAMS;", "SELECT * FROM s EMIT CHANGES;", "PRINT t;", "EXPLAIN q;", "SET 'a' = 'b';"] {
            assert!(may("admin", sql) && may("reader", sql), "{sql}");
        }
        assert!(may("writer", "INSERT INTO s VALUES (1);") && !may("writer", "DROP STREAM s;"));
        for sql in
            ["INSERT INTO s VALUES (1);", "DROP STREAM s;", "TERMINATE ALL;", "CREATE TYPE a AS INT;", "PAUSE q;"]
        {
            assert!(may("admin", sql) && !may("reader", sql), "{sql}");
        }
    }

    #[test]
    fn who_starts_and_stops_a_server_may_always_ask_whether_it_is_there() {
        let users = tempfile::NamedTempFile::new().expect("a file for the test");
        std::fs::write(users.path(), "ada: secret, admin\n").expect("it can be written");
        let security = Security::new(|name| match name {
            "authentication.method" => Some("BASIC".to_owned()),
            "levada.users.file" => Some(users.path().display().to_string()),
            _ => None,
        });
        let security = security.expect("the properties are right");
        let asked = |path: &str| {
            let now = Moment { elapsed: Duration::ZERO, now_ms: 0 };
            futures_executor::block_on(security.principal(path, &HeaderMap::new(), None, now))
        };
        assert!(asked("/chc/live").is_ok() && asked("/chc/ready").is_ok());
        assert!(asked("/info").is_err_and(|problem| problem.status() == 401));
    }
}
