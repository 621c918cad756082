//! A file of statements, headless: checked as a whole, applied once, continued when it is run again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::command_log::Origin;
use super::execute::{self, Author};
use super::libraries::Installed;
use super::prepared::View;
use super::queries;
use super::recording::{self, Plans};
use super::topics::{self, Known};
use super::{Core, EngineError, Inner, Response, Session, Shared, codecs, connectors, schemas, session};
use crate::catalog::Catalog;
use crate::plan::{self, NO_REGISTRY, Planned, Settings, TopicFacts, TopicLookup as _};
use crate::registry::SchemaRegistry;
use crate::sql::ast::Statement;
use crate::sql::{ParsedStatement, parse_statements};

/// Applies the statements of `text`. The engine is held for one statement at a time, and not while they are checked.
pub(super) fn apply(inner: &Inner, text: &str, show: &mut dyn FnMut(Response)) -> Result<(), EngineError> {
    apply_statements(inner, parse_statements(text)?, show)
}

/// Applies the INSERT VALUES of `text`, with what is set and defined before them.
pub(super) fn apply_records(inner: &Inner, text: &str, show: &mut dyn FnMut(Response)) -> Result<(), EngineError> {
    let mut statements = parse_statements(text)?;
    let is_of_session = |statement: &Statement| {
        use Statement::{DefineVariable, SetProperty, UndefineVariable, UnsetProperty};
        matches!(statement, SetProperty { .. } | UnsetProperty { .. } | DefineVariable { .. } | UndefineVariable { .. })
    };
    statements
        .retain(|parsed| matches!(parsed.statement, Statement::InsertValues(_)) || is_of_session(&parsed.statement));
    apply_statements(inner, statements, show)
}

fn apply_statements(
    inner: &Inner,
    statements: Vec<ParsedStatement>,
    show: &mut dyn FnMut(Response),
) -> Result<(), EngineError> {
    let mut core = inner.lock();
    core.catch_up(&inner.shared)?;
    let ended = ended(&core, &statements);
    let (applied, view) = (core.applied.clone(), View::of(&core));
    drop(core);
    for id in ended {
        let again = format!("{id} was terminated and does not go on; drop what it fills to create it again");
        show(Response::Message(again));
    }
    let todo = check(&inner.shared, applied, view, statements)?;
    let mut session = Session::default();
    for (parsed, applied_before) in todo {
        let author = Author { origin: Origin::File, applied_before };
        execute::parsed(inner, &mut session, author, &parsed, show).map_err(|error| error.at(parsed.span))?;
    }
    Ok(())
}

/// Streams and tables that a statement of the file filled before, and that nothing fills now.
fn ended(core: &Core, statements: &[ParsedStatement]) -> Vec<String> {
    let mut applied = core.applied.clone();
    let sinks = statements.iter().filter_map(|parsed| match &parsed.statement {
        Statement::CreateAsSelect(create) if applied.take(&parsed.text) => Some(create.name.as_str().to_owned()),
        _ => None,
    });
    let is_ended = |sink: &String| core.catalog.source(sink).is_some() && !core.queries.fills(sink);
    let words = |sink: String| format!("the query of {sink}");
    sinks.filter(is_ended).map(words).collect()
}

/// Tries all statements that are not applied yet on a copy of the catalog; returns them in order, each with how often it is
/// known to be applied.
fn check(
    shared: &Shared,
    mut applied: Applied,
    view: View,
    statements: Vec<ParsedStatement>,
) -> Result<Vec<(ParsedStatement, usize)>, EngineError> {
    let mut seen = Applied::default();
    let mut trial = Trial::new(shared, view);
    let mut session = Session::default();
    let mut todo = Vec::new();
    for parsed in statements {
        let parsed = session::with_variables(shared, parsed, &session)?;
        let kept = keeps_session(shared, &parsed.statement, &mut session);
        if kept.map_err(|error| error.at(parsed.span))? {
            todo.push((parsed, 0));
            continue;
        }
        if !applied.take(&parsed.text) {
            trial.statement(&parsed, &session)?;
            let before = seen.count(&parsed.text);
            seen.add(&parsed.text);
            todo.push((parsed, before));
            continue;
        }
        seen.add(&parsed.text);
    }
    Ok(todo)
}

/// Tries statements of a client on a copy of the catalog, in order.
pub(super) fn check_session(
    shared: &Shared,
    view: View,
    session: &Session,
    statements: &[ParsedStatement],
) -> Result<(), EngineError> {
    let mut trial = Trial::new(shared, view);
    let mut session = session.clone();
    for parsed in statements {
        let parsed = session::with_variables(shared, parsed.clone(), &session)?;
        let kept = keeps_session(shared, &parsed.statement, &mut session);
        if kept.map_err(|error| error.at(parsed.span))? {
            continue;
        }
        if connectors::asks(&parsed.statement) {
            connectors::check(shared, &parsed.statement).map_err(|error| error.at(parsed.span))?;
        } else {
            trial.statement(&parsed, &session).map_err(|error| error.at(parsed.span))?;
        }
    }
    Ok(())
}

/// Carries out SET and DEFINE on `session`; they are not kept in the data directory and so always executed.
pub(super) fn keeps_session(
    shared: &Shared,
    statement: &Statement,
    session: &mut Session,
) -> Result<bool, EngineError> {
    match statement {
        Statement::SetProperty { name, value } => drop(session::set(shared, session, name, value)?),
        Statement::UnsetProperty { name } => drop(session.unset(name)),
        Statement::DefineVariable { name, value } => session.define(name, value),
        Statement::UndefineVariable { name } => drop(session.undefine(name)),
        _ => return Ok(false),
    }
    Ok(true)
}

/// How often each statement was applied from a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Applied {
    counts: HashMap<String, usize>,
}

impl Applied {
    /// Counts a statement.
    pub(super) fn add(&mut self, text: &str) {
        *self.counts.entry(normalized(text)).or_default() += 1;
    }

    /// Counts a statement no more, once.
    pub(super) fn remove(&mut self, text: &str) {
        self.take(text);
    }

    /// How often `text` was applied.
    pub(super) fn count(&self, text: &str) -> usize {
        self.counts.get(&normalized(text)).copied().unwrap_or(0)
    }

    /// Whether `text` was applied once more than was taken so far.
    fn take(&mut self, text: &str) -> bool {
        match self.counts.get_mut(&normalized(text)) {
            Some(count) if *count > 0 => {
                *count -= 1;
                true
            }
            _ => false,
        }
    }
}

/// White space between words does not make another statement; within quotes it does.
pub(super) fn normalized(text: &str) -> String {
    let text = text.trim_end_matches(';').trim();
    let mut normal = String::with_capacity(text.len());
    let (mut quote, mut in_comment, mut before) = (None, false, ' ');
    for c in text.chars() {
        let last = std::mem::replace(&mut before, c);
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if c.is_whitespace() => {
                in_comment &= c != '\n';
                if !normal.ends_with(' ') {
                    normal.push(' ');
                }
                continue;
            }
            None if c == '-' && last == '-' => in_comment = true,
            // A quote in a comment opens nothing.
            None if matches!(c, '\'' | '"' | '`') && !in_comment => quote = Some(c),
            None => {}
        }
        normal.push(c);
    }
    normal
}

/// The future as far as it is known: nothing outside changes.
#[derive(Clone)]
pub(super) struct Trial<'a> {
    shared: &'a Shared,
    pub(super) catalog: Catalog,
    plans: Plans,
    /// Topics that would have been created; `None` for those that would have been deleted.
    topics: BTreeMap<String, Option<TopicFacts>>,
    /// With the schemas that would have been registered.
    registry: Option<Arc<dyn SchemaRegistry>>,
    number: u64,
}

impl<'a> Trial<'a> {
    /// The present.
    pub(super) fn new(shared: &'a Shared, View { catalog, plans, number }: View) -> Self {
        Self { shared, catalog, plans, topics: BTreeMap::new(), registry: shared.trial_registry(), number }
    }

    pub(super) fn statement(&mut self, parsed: &ParsedStatement, session: &Session) -> Result<(), EngineError> {
        if connectors::asks(&parsed.statement) {
            return Err(connectors::refused_in_file().at(parsed.span));
        }
        let properties = self.shared.properties(&session.properties);
        properties.check()?;
        let known = Known::new(&*self.shared.topics);
        let topics = |topic: &str| self.topics.get(topic).copied().unwrap_or_else(|| known.find(topic));
        let settings = Settings {
            properties: properties.values(),
            topics: &topics,
            plans: &self.plans,
            libraries: &Installed(&self.shared.server),
            query_number: self.number,
        };
        let registry = self.registry.as_deref().ok_or(NO_REGISTRY);
        let planned = schemas::completed(parsed, &self.catalog, &settings, registry).and_then(|completed| {
            let planned = plan::analyze(&completed, &self.catalog, &settings)?;
            plan::check_named_schemas(&completed, &planned, registry)?;
            Ok(planned)
        });
        known.check()?;
        let planned = planned?;
        if let Statement::PrintTopic(_) = parsed.statement {
            let message = "PRINT never ends: it cannot stand in a file that runs headless";
            return Err(EngineError::new(message).with_hint("ask in the shell").at(parsed.span));
        }
        queries::check_limit(&planned, &self.catalog, &properties, parsed)?;
        match &planned {
            Planned::Push(_) => {
                let message = "a SELECT with EMIT CHANGES never ends: it cannot stand in a file that runs headless";
                let hint = "write CREATE STREAM … AS SELECT …, or ask in the shell";
                return Err(EngineError::new(message).with_hint(hint).at(parsed.span));
            }
            planned => {
                codecs::check(self.shared, planned, &self.catalog).map_err(|error| error.at(parsed.span))?;
                topics::check(planned).map_err(|error| error.at(parsed.span))?;
                if let Some((name, config)) = topics::created(planned) {
                    self.topics.insert(name.to_owned(), Some(topics::facts(&config)));
                }
                if let Planned::Drop { name, delete_topic: Some(topic), .. } = planned {
                    self.topics.insert(topic.clone(), None);
                    if let (Some(registry), Some(source)) = (&self.registry, self.catalog.source(name)) {
                        schemas::delete_schemas(&**registry, source).map_err(|error| error.at(parsed.span))?;
                    }
                }
                if let Some(registry) = &self.registry {
                    schemas::register(registry, planned).map_err(|error| error.at(parsed.span))?;
                }
            }
        }
        recording::record(&mut self.catalog, &mut self.plans, &planned)?;
        self.number += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_between_words_do_not_make_another_statement() {
        let same = |a: &str, b: &str| normalized(a) == normalized(b);
        assert!(same("SELECT  a\n FROM s;", "SELECT a FROM s"));
        assert!(same("SELECT 'x' -- it's\n  ,  b", "SELECT 'x' -- it's\n, b"));
        assert!(!same("SELECT 'a  b'", "SELECT 'a b'"));
        assert!(!same("SELECT `a\nb`", "SELECT `a b`"));
    }
}
