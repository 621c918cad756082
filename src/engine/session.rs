//! What a client sets for itself: properties and variables.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::response::Listing;
use super::{EngineError, Peers, Shared};
use crate::configuration::{self, Source, shown_name, shown_value};
use crate::sql::{ParsedStatement, parse_statements, similar_names, substitute_variables};

/// Whether references to variables are replaced.
const SUBSTITUTION: &str = "ksql.variable.substitution.enable";

/// Settings of one client: what `SET` and `DEFINE` change.
#[derive(Debug, Clone, Default)]
pub struct Session {
    /// Properties by their ksqlDB names, `auto.offset.reset` among them.
    pub properties: BTreeMap<String, String>,
    /// Variables of `DEFINE`, by their names in lower case.
    pub variables: BTreeMap<String, String>,
    /// Who asks other servers in the client's name, for reads of tables that they have rows of; without, such a read is an error.
    pub peers: Option<Arc<dyn Peers>>,
}

/// `SET`: checks the value, keeps it, and says so.
pub(super) fn set(shared: &Shared, session: &mut Session, name: &str, value: &str) -> Result<String, EngineError> {
    let checked =
        configuration::check_session(name, value).and_then(|()| configuration::check_override(&shared.server, name));
    checked.map_err(|error| {
        let refused = EngineError::new(error.to_string());
        error.hint().into_iter().fold(refused, EngineError::with_hint)
    })?;
    let mut changed = session.properties.clone();
    changed.insert(name.to_owned(), value.to_owned());
    let checked = shared.properties(&changed).check();
    checked.map_err(|error| EngineError { message: format!("Invalid property '{name}': {error}"), ..error })?;
    Ok(session.put(name, value))
}

impl Session {
    /// Keeps the value of a property, unchecked; says so as ksqlDB does.
    pub fn put(&mut self, name: &str, value: &str) -> String {
        match self.properties.insert(name.to_owned(), value.to_owned()) {
            Some(old) => format!("Successfully changed local property '{name}' from '{old}' to '{value}'."),
            None => format!("Successfully changed local property '{name}' to '{value}'."),
        }
    }

    /// `UNSET`: the server's value holds again.
    pub fn unset(&mut self, name: &str) -> String {
        match self.properties.remove(name) {
            Some(old) => format!("Successfully unset local property '{name}' (value was '{old}')."),
            None => format!("Cannot unset local property '{name}' which was never set in the first place"),
        }
    }

    /// `DEFINE`.
    pub fn define(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_lowercase(), value.to_owned());
    }

    /// `UNDEFINE`; what there is to say.
    pub fn undefine(&mut self, name: &str) -> Option<String> {
        let removed = self.variables.remove(&name.to_lowercase());
        removed.is_none().then(|| format!("Cannot undefine variable '{name}' which was never defined"))
    }
}

/// `parsed` with the values of its variables. Places in its text stay where they are in the script.
pub(super) fn with_variables(
    shared: &Shared,
    parsed: ParsedStatement,
    session: &Session,
) -> Result<ParsedStatement, EngineError> {
    if !parsed.text.contains("${") {
        return Ok(parsed);
    }
    let is_on = shared.properties(&session.properties).is_on(SUBSTITUTION);
    if !is_on && !parsed.has_variables {
        return Ok(parsed);
    }
    let (line, column) = (parsed.span.line.max(1) as usize, parsed.span.column.max(1) as usize);
    let placed = format!("{}{}{}", "\n".repeat(line - 1), " ".repeat(column - 1), parsed.text);
    let none = BTreeMap::new();
    let variables = if is_on { &session.variables } else { &none };
    let text = substitute_variables(&placed, variables).map_err(|error| {
        let position = Some((error.span.line as usize, error.span.column as usize));
        let hint = if is_on { reference_hint(&error.value, variables) } else { format!("{SUBSTITUTION} is false") };
        EngineError { message: error.to_string(), position, hint: Some(hint), code: None }
    })?;
    let mut statements = parse_statements(&text)?;
    statements.pop().ok_or_else(|| EngineError::new("a statement vanished when its variables were replaced"))
}

/// What to do about a reference that has no value, or one that cannot stand where it does.
fn reference_hint(value: &str, variables: &BTreeMap<String, String>) -> String {
    let Some(name) = value.strip_prefix("${").and_then(|rest| rest.strip_suffix('}')) else {
        return "the value of a variable must be one name or one literal".to_owned();
    };
    match similar_names(name, variables.keys().map(String::as_str)).first() {
        Some(known) => format!("did you mean ${{{known}}}?"),
        None => format!("define it first: DEFINE {name} = '…';"),
    }
}

/// `ALTER SYSTEM`: for clusters that share their runtimes among queries, which there are none of here.
pub(super) fn alter_system(name: &str) -> EngineError {
    let text = format!(
        "Cannot alter system property '{name}': ALTER SYSTEM needs 'ksql.runtime.feature.shared.enabled', which is false"
    );
    EngineError::new(text)
        .with_hint(format!("SET '{name}' = …; changes it for a session, the server's properties for all"))
}

/// What is told of a property by SHOW PROPERTIES.
struct Shown {
    /// The level at which it was set: empty, `SERVER` or `SESSION`.
    set_at: &'static str,
    value: String,
    source: Source,
}

/// `SHOW PROPERTIES`: all that are known, and what else was set.
pub(super) fn show_properties(shared: &Shared, session: &Session) -> Listing {
    let mut rows: BTreeMap<String, Shown> = BTreeMap::new();
    for known in configuration::properties() {
        let value = known.default.unwrap_or("NULL").to_owned();
        rows.insert(shown_name(known.name), Shown { set_at: "", value, source: Source::Default });
    }
    for (name, value) in &shared.server {
        let source = shared.sources.get(name).cloned().unwrap_or(Source::Argument);
        rows.insert(shown_name(name), Shown { set_at: "SERVER", value: shown_value(name, value), source });
    }
    for (name, value) in &session.properties {
        let value = shown_value(name, value);
        rows.insert(shown_name(name), Shown { set_at: "SESSION", value, source: Source::Session });
    }
    let rows = rows.into_iter().map(|(name, Shown { set_at, value, source })| {
        let level = configuration::described(&name).map_or("SESSION", |known| known.scope.name());
        vec![name, "KSQL".to_owned(), set_at.to_owned(), value, level.to_owned(), source.to_string()]
    });
    Listing::table("", &["Property", "Scope", "Default override", "Effective Value", "Level", "Source"], rows.collect())
}
