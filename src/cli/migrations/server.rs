//! The server of a project, as the commands ask it.

use std::io::{self, Write as _};

use arrow::array::{Array as _, AsArray as _};
use serde_json::Value;

use super::settings::Settings;
use crate::cli::Failure;
use crate::engine::{EngineError, Response, Session};
use crate::shell::{Advice, Answer, Backend as _, RemoteBackend};
use crate::sql::ast::SourceKind;

/// What to do about a server that does not let us in, by the properties of a project.
const ADVICE: Advice = Advice {
    credentials: "ksql.auth.basic.username and ksql.auth.basic.password say who asks, or bearer.auth.token has a token",
    authorities: "ssl.truststore.location names a file with the certificate that the server's is signed by",
    address: "does it run there? ksql.server.url says where; `levada server` starts one at http://127.0.0.1:8088",
};

/// The server of a project.
pub(super) struct Server {
    backend: RemoteBackend,
}

impl Server {
    /// Prepares to ask the server of `settings`, with `headers` in every request.
    pub(super) fn open(settings: &Settings, headers: &[(String, String)]) -> Result<Self, Failure> {
        let mut access = settings.access(headers)?;
        access.advice = ADVICE;
        Ok(Self { backend: RemoteBackend::new(&settings.url, access, false)? })
    }

    /// Its version and where it is.
    pub(super) fn describe(&self) -> Result<String, Failure> {
        Ok(self.backend.describe(&|| false)?)
    }

    /// The id of its service.
    pub(super) fn service_id(&self) -> Result<String, Failure> {
        let info = self.backend.info(&|| false)?;
        let id = info["ksqlServiceId"].as_str().map(ToOwned::to_owned);
        id.ok_or_else(|| Failure::new("the server does not say the id of its service"))
    }

    /// Executes statements that are no queries, with properties that hold for them; what the server says.
    pub(super) fn run(&self, text: &str, properties: &[(&str, &str)]) -> Result<Vec<Value>, EngineError> {
        let mut session = Session::default();
        for (name, value) in properties {
            session.put(name, value);
        }
        Ok(self.backend.entities(&session, text, &|| false)?.unwrap_or_default())
    }

    /// Executes a statement of a session; what it answers.
    pub(super) fn execute(&self, session: &mut Session, text: &str) -> Result<Vec<Answer>, EngineError> {
        let mut answers = Vec::new();
        self.backend.execute(session, text, &|| false, &mut |answer| answers.push(answer))?;
        Ok(answers)
    }

    /// The rows of a query that ends and whose columns are texts.
    pub(super) fn rows(&self, query: &str) -> Result<Vec<Vec<Option<String>>>, EngineError> {
        let mut rows = Vec::new();
        for answer in self.execute(&mut Session::default(), query)? {
            let Answer::Response(Response::Rows(found)) = answer else { continue };
            for batch in &found.batches {
                let columns = batch.columns().iter().map(|column| column.as_string_opt::<i32>());
                let columns: Option<Vec<_>> = columns.collect();
                let columns = columns.ok_or_else(|| EngineError::new("the metadata has columns that are no texts"))?;
                rows.extend((0..batch.num_rows()).map(|row| {
                    let text = |column: &&arrow::array::StringArray| {
                        column.is_valid(row).then(|| column.value(row).to_owned())
                    };
                    columns.iter().map(text).collect()
                }));
            }
        }
        Ok(rows)
    }

    /// Whether it has the stream or table that SQL writes as `name`.
    pub(super) fn has(&self, kind: SourceKind, name: &str) -> Result<bool, EngineError> {
        let member = match kind {
            SourceKind::Stream => "streams",
            SourceKind::Table => "tables",
        };
        let entities = self.run(&format!("SHOW {};", member.to_uppercase()), &[])?;
        let known = entities.iter().filter_map(|entity| entity[member].as_array()).flatten();
        let wanted = plain_name(name);
        Ok(known.into_iter().any(|source| source["name"] == wanted))
    }

    /// Queries that write into the stream or table that SQL writes as `name`.
    pub(super) fn writers(&self, name: &str) -> Result<Vec<String>, EngineError> {
        let entities = self.run(&format!("DESCRIBE {name};"), &[])?;
        let queries = entities.iter().filter_map(|entity| entity["sourceDescription"]["writeQueries"].as_array());
        Ok(queries.flatten().filter_map(|query| query["id"].as_str()).map(ToOwned::to_owned).collect())
    }
}

/// A name as it is kept: upper case, unless it is quoted.
fn plain_name(written: &str) -> String {
    let quoted = ['`', '"'].into_iter().find_map(|quote| written.strip_prefix(quote)?.strip_suffix(quote));
    quoted.map_or_else(|| written.to_uppercase(), |name| name.replace("``", "`"))
}

/// Writes a line of what a command has done.
pub(super) fn say(line: &str) -> Result<(), Failure> {
    Ok(writeln!(io::stdout(), "{line}")?)
}

#[cfg(test)]
mod tests {
    use super::plain_name;

    #[test]
    fn names_are_kept_as_sql_means_them() {
        assert_eq!(plain_name("migration_events"), "MIGRATION_EVENTS");
        assert_eq!(plain_name("`My``Events`"), "My`Events");
        assert_eq!(plain_name("\"my\""), "my");
    }
}
