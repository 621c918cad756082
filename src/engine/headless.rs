//! A file that says all that is to run: compared with what runs, and made true.
//!
//! ```text
//! the file ─ parse, SET and DEFINE ─▶ statements ──┐
//!                                                  ├─▶ compare, try on a copy of the catalog ─▶ FilePlan ─▶ steps, in order:
//! definitions of what there is ────────────────────┘                                             terminate, drop, create, replace
//! ```
//!
//! Each statement makes one thing, by name: a stream or table, a type, a function; an INSERT INTO has none and is known by its text.
//! What came from a client stays when a file does not have it; what came from a file goes.

use std::collections::BTreeSet;
use std::fmt;

use super::command_log::Origin;
use super::definitions::{Definition, Object};
use super::execute::{self, Author};
use super::file::{Trial, keeps_session, normalized};
use super::prepared::View;
use super::{Core, EngineError, Inner, Response, Session, Shared, connectors, session};
use crate::catalog::Collection;
use crate::sql::ast::Statement;
use crate::sql::{ParsedStatement, Span, parse_statements};

/// What becomes of something when a file is applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is there already, as the file says.
    Unchanged,
    /// It is not there yet.
    Create,
    /// It is defined otherwise, and goes on under the new definition with its positions and state.
    Replace,
    /// It is defined otherwise, and cannot go on under the new definition, for this reason: the file is not applied.
    Rebuild(String),
    /// The file lacks it. It goes with its query; its topic stays.
    Drop,
    /// The file lacks the INSERT INTO.
    Terminate,
    /// The file lacks it, and it cannot go, for this reason: the file is not applied.
    Needed(String),
}

impl ChangeKind {
    /// A word for it.
    pub fn verb(&self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Create => "create",
            Self::Replace => "replace",
            Self::Rebuild(_) => "must be rebuilt",
            Self::Drop => "drop",
            Self::Terminate => "terminate",
            Self::Needed(_) => "cannot be dropped",
        }
    }

    /// Why it is not possible.
    pub fn obstacle(&self) -> Option<&str> {
        match self {
            Self::Rebuild(reason) | Self::Needed(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What becomes of one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// What becomes of it.
    pub kind: ChangeKind,
    /// `STREAM`, `TABLE`, `QUERY`, `TYPE` or `FUNCTION`.
    pub object: &'static str,
    /// Its name; of the query of an INSERT INTO its id, or the stream that it fills.
    pub name: String,
    /// The statement that has made it.
    pub before: Option<String>,
    /// The statement of the file.
    pub after: Option<String>,
    /// Where that stands: line and column, from 1.
    pub place: Option<(usize, usize)>,
}

/// What applying a file changes, in the order in which it is done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilePlan {
    /// All that the file has, and what it lacks.
    pub changes: Vec<FileChange>,
}

impl FilePlan {
    /// Changes that are not possible.
    pub fn obstacles(&self) -> impl Iterator<Item = &FileChange> {
        self.changes.iter().filter(|change| change.kind.obstacle().is_some())
    }

    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.iter().all(|change| change.kind == ChangeKind::Unchanged)
    }
}

impl fmt::Display for FileChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.object, self.name, self.kind.verb())?;
        let Some(reason) = self.kind.obstacle() else { return Ok(()) };
        write!(f, ": {reason}")?;
        for (title, text) in [("it is", &self.before), ("it would be", &self.after)] {
            if let Some(text) = text {
                write!(f, "\n{title}:\n  {}", text.trim().replace('\n', "\n  "))?;
            }
        }
        Ok(())
    }
}

/// Something to be done.
struct Step {
    /// The statement as it stands in the file; `None`: what goes, which no file says.
    written: Option<ParsedStatement>,
    /// What is executed for it.
    executed: ParsedStatement,
    /// What is gone then.
    removes: Option<Object>,
    session: Session,
}

/// What a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FileKind {
    /// To run: it has queries, and nothing that is done once.
    Whole,
    /// To be written yet: it may lack queries, and its INSERT VALUES are passed over.
    Draft,
}

/// What the file would change.
pub(super) fn plan(inner: &Inner, text: &str) -> Result<FilePlan, EngineError> {
    let mut core = inner.lock();
    core.catch_up(&inner.shared)?;
    Ok(Planner::of(&inner.shared, &core, text, FileKind::Whole)?.0)
}

/// Makes the file true.
pub(super) fn apply(
    inner: &Inner,
    text: &str,
    kind: FileKind,
    show: &mut dyn FnMut(Response),
) -> Result<FilePlan, EngineError> {
    let (plan, steps) = {
        let mut core = inner.lock();
        core.catch_up(&inner.shared)?;
        Planner::of(&inner.shared, &core, text, kind)?
    };
    refuse_obstacles(&plan)?;
    for Step { written, executed, removes, mut session } in steps {
        let origin = if written.is_some() { Origin::File } else { Origin::Session };
        let written = written.as_ref().unwrap_or(&executed);
        let author = Author { origin, applied_before: inner.lock().applied.count(&written.text) };
        if let Err(error) = execute::made_of(inner, &mut session, author, written, &executed, show) {
            // Another server that applies the same file may have been faster.
            let is_gone = removes.is_some_and(|object| inner.lock().definitions.get(&object).is_none());
            if !is_gone {
                return Err(error.at(written.span));
            }
        }
    }
    Ok(plan)
}

fn refuse_obstacles(plan: &FilePlan) -> Result<(), EngineError> {
    let told: Vec<String> = plan.obstacles().map(ToString::to_string).collect();
    if told.is_empty() {
        return Ok(());
    }
    let hint = "drop it, or undo the change, or give the new one another name; nothing of the file was applied";
    let error = EngineError::new(told.join("\n")).with_hint(hint);
    Err(match plan.obstacles().find_map(|change| change.place) {
        Some(place) => EngineError { position: Some(place), ..error },
        None => error,
    })
}

/// Something that the file lacks, and what needs it.
struct Needed<'a> {
    object: &'a Object,
    definition: &'a Definition,
    by: String,
}

/// Compares a file with what there is.
struct Planner<'a> {
    shared: &'a Shared,
    core: &'a Core,
    trial: Trial<'a>,
    /// What the file has, so far.
    wanted: BTreeSet<Object>,
    changes: Vec<FileChange>,
    steps: Vec<Step>,
}

impl<'a> Planner<'a> {
    fn of(
        shared: &'a Shared,
        core: &'a Core,
        text: &str,
        kind: FileKind,
    ) -> Result<(FilePlan, Vec<Step>), EngineError> {
        let statements = statements(shared, text, kind)?;
        let mut planner = Self {
            shared,
            core,
            trial: Trial::new(shared, View::of(core)),
            wanted: BTreeSet::new(),
            changes: Vec::new(),
            steps: Vec::new(),
        };
        let kept = planner.kept(&statements)?;
        let needed = planner.remove(planner.lacking())?;
        for ((parsed, session), kept) in statements.into_iter().zip(kept) {
            planner.statement(parsed, session, kept).map_err(|(error, span)| error.at(span))?;
        }
        let needed = needed.into_iter().map(|Needed { object, definition, .. }| (object, definition)).collect();
        for Needed { object, definition, by } in planner.remove(needed)? {
            planner.change(ChangeKind::Needed(by), object, definition);
        }
        Ok((FilePlan { changes: planner.changes }, planner.steps))
    }

    /// What each statement makes, if that is there; it is wanted from now on.
    fn kept(&mut self, statements: &[(ParsedStatement, Session)]) -> Result<Vec<Option<Object>>, EngineError> {
        let mut kept = Vec::with_capacity(statements.len());
        for (parsed, _) in statements {
            let object = match object_of(&parsed.statement) {
                Some(object) => Some(object),
                None => self.made_by(&parsed.text),
            };
            if let Some(object) = &object
                && !self.wanted.insert(object.clone())
            {
                let text = format!("{} is defined twice in this file", name_of(object));
                let hint = "a file that says all that is to run says each thing once";
                return Err(EngineError::new(text).with_hint(hint).at(parsed.span));
            }
            kept.push(object.filter(|object| self.core.definitions.get(object).is_some()));
        }
        // Of a library with several functions a statement names none: those that it has made stay with it.
        let texts: BTreeSet<String> = statements.iter().map(|(parsed, _)| normalized(&parsed.text)).collect();
        let of_libraries = self.core.definitions.newest_first().into_iter().filter(|(object, definition)| {
            matches!(object, Object::Function(_)) && texts.contains(&normalized(&definition.text))
        });
        self.wanted.extend(of_libraries.map(|(object, _)| object.clone()));
        Ok(kept)
    }

    /// What the statement `text`, which names nothing that it makes, has made and no other statement of the file wants.
    fn made_by(&self, text: &str) -> Option<Object> {
        let text = normalized(text);
        let all = self.core.definitions.newest_first();
        let mut made = all.into_iter().filter(|(object, definition)| {
            matches!(object, Object::Insert(_) | Object::Function(_))
                && normalized(&definition.text) == text
                && !self.wanted.contains(*object)
        });
        made.next_back().map(|(object, _)| object.clone())
    }

    /// What the file lacks: queries of INSERT INTO first, then everything else, newest first: what was made later may need what was
    /// made before.
    fn lacking(&self) -> Vec<(&'a Object, &'a Definition)> {
        let all = self.core.definitions.newest_first().into_iter();
        let lacking =
            all.filter(|(object, definition)| definition.origin == Origin::File && !self.wanted.contains(*object));
        let (inserts, others): (Vec<_>, Vec<_>) = lacking.partition(|(object, _)| matches!(object, Object::Insert(_)));
        inserts.into_iter().chain(others).collect()
    }

    /// Removes what nothing needs; the rest is for later, when the file has replaced what needs it now.
    fn remove(&mut self, lacking: Vec<(&'a Object, &'a Definition)>) -> Result<Vec<Needed<'a>>, EngineError> {
        let mut needed = Vec::new();
        for (object, definition) in lacking {
            let Some(sql) = self.removal_of(object) else { continue };
            let Some(executed) = parse_statements(&sql)?.pop() else { continue };
            match self.trial.statement(&executed, &Session::default()) {
                Ok(()) if matches!(object, Object::Insert(_)) => self.change(ChangeKind::Terminate, object, definition),
                Ok(()) => self.change(ChangeKind::Drop, object, definition),
                Err(error) => {
                    needed.push(Needed { object, definition, by: error.message });
                    continue;
                }
            }
            let removes = Some(object.clone());
            self.steps.push(Step { written: None, executed, removes, session: Session::default() });
        }
        Ok(needed)
    }

    /// Notes what becomes of something that the file lacks.
    fn change(&mut self, kind: ChangeKind, object: &Object, definition: &Definition) {
        self.changes.push(FileChange {
            kind,
            object: self.noun_of(object),
            name: name_of(object).to_owned(),
            before: Some(definition.text.clone()),
            after: None,
            place: None,
        });
    }

    /// The statement that removes `object`.
    fn removal_of(&self, object: &Object) -> Option<String> {
        let quoted = |name: &str| format!("`{}`", name.replace('`', "``"));
        Some(match object {
            Object::Source(name) => {
                let keyword = self.core.catalog.source(name)?.collection.keyword();
                format!("DROP {keyword} IF EXISTS {};", quoted(name))
            }
            Object::Insert(id) => format!("TERMINATE {id};"),
            Object::Type(name) => format!("DROP TYPE IF EXISTS {};", quoted(name)),
            Object::Function(name) => format!("DROP FUNCTION IF EXISTS {};", quoted(name)),
        })
    }

    fn noun_of(&self, object: &Object) -> &'static str {
        match object {
            Object::Source(name) => {
                self.core.catalog.source(name).map_or("STREAM", |source| source.collection.keyword())
            }
            Object::Insert(_) => "QUERY",
            Object::Type(_) => "TYPE",
            Object::Function(_) => "FUNCTION",
        }
    }

    /// Decides about one statement of the file. `kept` is what it makes, if there is something of that name.
    fn statement(
        &mut self,
        parsed: ParsedStatement,
        session: Session,
        kept: Option<Object>,
    ) -> Result<(), (EngineError, Span)> {
        let span = parsed.span;
        let former = kept.and_then(|object| Some((self.core.definitions.get(&object)?.clone(), object)));
        let (object, name) = described(&parsed.statement, former.as_ref().map(|(_, object)| object));
        let mut executed = parsed.clone();
        let kind = match &former {
            None => {
                self.trial.statement(&parsed, &session).map_err(|error| (error, span))?;
                ChangeKind::Create
            }
            Some((definition, object)) => {
                self.compared(&parsed, &session, definition, object, &mut executed).map_err(|error| (error, span))?
            }
        };
        if matches!(kind, ChangeKind::Create | ChangeKind::Replace) {
            self.steps.push(Step { written: Some(parsed.clone()), executed, removes: None, session });
        }
        self.changes.push(FileChange {
            kind,
            object,
            name,
            before: former.map(|(definition, _)| definition.text),
            after: Some(parsed.text),
            place: Some((span.line as usize, span.column as usize)),
        });
        Ok(())
    }

    /// What becomes of `object`, which `former` has made, when `parsed` is to hold; `executed` is what does that.
    fn compared(
        &mut self,
        parsed: &ParsedStatement,
        session: &Session,
        former: &Definition,
        object: &Object,
        executed: &mut ParsedStatement,
    ) -> Result<ChangeKind, EngineError> {
        let is_same = normalized(&parsed.text) == normalized(&former.text);
        if is_same && self.has_lost_its_query(object) {
            // Somebody has terminated it. The file wants it: another query takes its place.
            *executed = replacing(self.shared, parsed)?;
            self.trial.statement(executed, session)?;
            return Ok(ChangeKind::Create);
        }
        if is_same || says_if_not_exists(&parsed.statement) {
            return Ok(ChangeKind::Unchanged);
        }
        if let Object::Type(_) = object {
            self.fresh(parsed, session, object)?;
            return Ok(ChangeKind::Rebuild(
                "types are not replaced: columns keep what they were declared with".to_owned(),
            ));
        }
        *executed = replacing(self.shared, parsed)?;
        match self.trial.clone_and(executed, session) {
            Ok(trial) => {
                self.trial = trial;
                Ok(ChangeKind::Replace)
            }
            Err(error) => {
                // What is wrong in any case is no reason to rebuild.
                self.fresh(parsed, session, object)?;
                Ok(ChangeKind::Rebuild(error.message))
            }
        }
    }

    /// Goes on as if `object` had been made anew.
    fn fresh(&mut self, parsed: &ParsedStatement, session: &Session, object: &Object) -> Result<(), EngineError> {
        let mut trial = self.trial.clone();
        match object {
            Object::Source(name) => trial.catalog = trial.catalog.without_source(name),
            Object::Type(name) => drop(trial.catalog.remove_type(name)),
            // A function that is replaced is checked as a new one is.
            Object::Function(_) | Object::Insert(_) => return Ok(()),
        }
        trial.statement(parsed, session)?;
        self.trial = trial;
        Ok(())
    }

    fn has_lost_its_query(&self, object: &Object) -> bool {
        let Object::Source(name) = object else { return false };
        let id = self.core.catalog.source(name).and_then(|source| source.created_by_query.as_ref());
        id.is_some_and(|id| self.core.catalog.query(id).is_none())
    }
}

impl Trial<'_> {
    /// The trial after `parsed`.
    fn clone_and(&self, parsed: &ParsedStatement, session: &Session) -> Result<Self, EngineError> {
        let mut after = self.clone();
        after.statement(parsed, session)?;
        Ok(after)
    }
}

/// The statements of `text` that make something, each with what was set before it.
fn statements(shared: &Shared, text: &str, kind: FileKind) -> Result<Vec<(ParsedStatement, Session)>, EngineError> {
    let mut session = Session::default();
    let mut statements = Vec::new();
    for parsed in parse_statements(text)? {
        let parsed = session::with_variables(shared, parsed, &session)?;
        let span = parsed.span;
        if keeps_session(shared, &parsed.statement, &mut session).map_err(|error| error.at(span))? {
            continue;
        }
        if kind == FileKind::Draft && matches!(parsed.statement, Statement::InsertValues(_)) {
            continue;
        }
        if connectors::asks(&parsed.statement) {
            return Err(connectors::refused_in_file().at(span));
        }
        if !may_stand(&parsed.statement) {
            return Err(unsupported().at(span));
        }
        statements.push((parsed, session.clone()));
    }
    let has_query = |(parsed, _): &(ParsedStatement, Session)| {
        matches!(parsed.statement, Statement::CreateAsSelect(_) | Statement::InsertSelect(_))
    };
    if kind == FileKind::Whole && !statements.iter().any(has_query) {
        let text = "The file contains no persistent query: nothing would run.";
        let hint = "write CREATE STREAM … AS SELECT, CREATE TABLE … AS SELECT or INSERT INTO … SELECT";
        return Err(EngineError::new(text).with_hint(hint));
    }
    Ok(statements)
}

fn may_stand(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::CreateSource(_)
            | Statement::CreateAsSelect(_)
            | Statement::InsertSelect(_)
            | Statement::CreateType(_)
            | Statement::CreateFunction(_)
            | Statement::CreateFunctions(_)
    )
}

fn unsupported() -> EngineError {
    // The first line is ksqlDB's.
    let text = "Unsupported statement. Only the following statements are supporting in standalone mode:\n\
                SET, UNSET, DEFINE, UNDEFINE, CREATE STREAM, CREATE TABLE, CREATE STREAM AS SELECT, CREATE TABLE AS SELECT, \
                INSERT INTO … SELECT, CREATE TYPE, CREATE FUNCTION, CREATE FUNCTIONS";
    EngineError::new(text).with_hint("the file says what is to be there; what is not in it goes by itself")
}

/// What a statement makes, where it says its name.
fn object_of(statement: &Statement) -> Option<Object> {
    match statement {
        Statement::CreateSource(create) => Some(Object::Source(create.name.as_str().to_owned())),
        Statement::CreateAsSelect(create) => Some(Object::Source(create.name.as_str().to_owned())),
        Statement::CreateType(create) => Some(Object::Type(create.name.as_str().to_owned())),
        Statement::CreateFunction(create) => Some(Object::Function(create.name.as_str().to_uppercase())),
        _ => None,
    }
}

/// What kind of thing a statement makes, and its name.
fn described(statement: &Statement, known: Option<&Object>) -> (&'static str, String) {
    let kind = |kind: crate::sql::ast::SourceKind| match kind {
        crate::sql::ast::SourceKind::Stream => Collection::Stream.keyword(),
        crate::sql::ast::SourceKind::Table => Collection::Table.keyword(),
    };
    match statement {
        Statement::CreateSource(create) => (kind(create.kind), create.name.as_str().to_owned()),
        Statement::CreateAsSelect(create) => (kind(create.kind), create.name.as_str().to_owned()),
        Statement::InsertSelect(insert) => (
            "QUERY",
            known.map_or_else(|| format!("INSERT INTO {}", insert.target.as_str()), |known| name_of(known).to_owned()),
        ),
        Statement::CreateType(create) => ("TYPE", create.name.as_str().to_owned()),
        Statement::CreateFunction(create) => ("FUNCTION", create.name.as_str().to_uppercase()),
        Statement::CreateFunctions(create) => ("FUNCTION", create.library.path.clone()),
        _ => ("STATEMENT", String::new()),
    }
}

fn name_of(object: &Object) -> &str {
    match object {
        Object::Source(name) | Object::Insert(name) | Object::Type(name) | Object::Function(name) => name,
    }
}

fn says_if_not_exists(statement: &Statement) -> bool {
    match statement {
        Statement::CreateSource(create) => create.if_not_exists,
        Statement::CreateAsSelect(create) => create.if_not_exists,
        Statement::CreateFunction(create) => create.if_not_exists,
        Statement::CreateFunctions(create) => create.if_not_exists,
        Statement::CreateType(create) => create.if_not_exists,
        _ => false,
    }
}

/// `parsed` with OR REPLACE.
fn replacing(shared: &Shared, parsed: &ParsedStatement) -> Result<ParsedStatement, EngineError> {
    let replaces = match &parsed.statement {
        Statement::CreateSource(create) => create.or_replace,
        Statement::CreateAsSelect(create) => create.or_replace,
        Statement::CreateFunction(create) => create.or_replace,
        Statement::CreateFunctions(create) => create.or_replace,
        _ => true,
    };
    let create = parsed.text.find(|c: char| c.is_whitespace()).filter(|_| !replaces);
    let Some(end) = create else { return Ok(parsed.clone()) };
    let text = format!("{} OR REPLACE{}", &parsed.text[..end], &parsed.text[end..]);
    let mut statements = parse_statements(&text)?;
    let replacing = statements.pop().ok_or_else(|| EngineError::new("a statement vanished when it was to replace"))?;
    session::with_variables(shared, ParsedStatement { span: parsed.span, ..replacing }, &Session::default())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::engine::{Engine, EngineOptions};
    use crate::topics::{MemoryTopics, Topics};

    const SOURCE: &str = "CREATE STREAM orders (id INT KEY, region STRING, amount INT)
        WITH (kafka_topic='orders', partitions=1, value_format='json');";

    fn open(topics: &Arc<dyn Topics>) -> Engine {
        let options = EngineOptions { threads: false, ..EngineOptions::default() };
        Engine::with_options(Arc::clone(topics), options).expect("memory opens")
    }

    fn engine() -> Engine {
        open(&(Arc::new(MemoryTopics::new()) as Arc<dyn Topics>))
    }

    /// `change kind name`, a line each.
    fn shown(plan: &FilePlan) -> Vec<String> {
        let line = |change: &FileChange| format!("{} {} {}", change.kind.verb(), change.object, change.name);
        plan.changes.iter().map(line).collect()
    }

    fn planned(engine: &Engine, file: &str) -> Vec<String> {
        shown(&engine.plan_file(&format!("{SOURCE}\n{file}")).expect(file))
    }

    fn applied(engine: &Engine, file: &str) -> Vec<String> {
        shown(&engine.apply_whole_file(&format!("{SOURCE}\n{file}"), &mut |_| ()).expect(file))
    }

    fn refused(engine: &Engine, file: &str) -> String {
        engine.apply_whole_file(&format!("{SOURCE}\n{file}"), &mut |_| ()).expect_err(file).to_string()
    }

    fn execute(engine: &Engine, sql: &str) {
        engine.execute(&mut Session::default(), sql, &mut |_| ()).expect(sql);
    }

    fn queries(engine: &Engine) -> Vec<String> {
        engine.queries().into_iter().map(|query| query.id).collect()
    }

    const FIRST: &str = "CREATE STREAM large AS SELECT * FROM orders WHERE amount > 100;
        CREATE TABLE counts AS SELECT region, COUNT(*) AS n FROM orders GROUP BY region;
        INSERT INTO large SELECT * FROM orders WHERE region = 'x';";

    #[test]
    fn a_new_version_changes_just_what_differs() {
        let topics: Arc<dyn Topics> = Arc::new(MemoryTopics::new());
        let mut engine = open(&topics);
        let created =
            ["create STREAM ORDERS", "create STREAM LARGE", "create TABLE COUNTS", "create QUERY INSERT INTO LARGE"];
        assert_eq!(planned(&engine, FIRST), created);
        assert!(queries(&engine).is_empty(), "a plan does nothing");
        assert_eq!(applied(&engine, FIRST), created);
        let before = queries(&engine);
        let unchanged = [
            "unchanged STREAM ORDERS",
            "unchanged STREAM LARGE",
            "unchanged TABLE COUNTS",
            "unchanged QUERY INSERTQUERY_3",
        ];
        for _ in 0..2 {
            assert_eq!(applied(&engine, FIRST), unchanged);
            assert_eq!(queries(&engine), before);
            engine.shutdown();
            engine = open(&topics);
        }
        let second = "CREATE STREAM large AS
              SELECT * FROM orders WHERE amount > 500;
            CREATE STREAM small AS SELECT * FROM orders WHERE amount < 10;";
        let changes = [
            "terminate QUERY INSERTQUERY_3",
            "drop TABLE COUNTS",
            "unchanged STREAM ORDERS",
            "replace STREAM LARGE",
            "create STREAM SMALL",
        ];
        assert_eq!(planned(&engine, second), changes);
        assert_eq!(queries(&engine), before);
        assert_eq!(applied(&engine, second), changes);
        assert_eq!(queries(&engine), ["CSAS_LARGE_1", "CSAS_SMALL_7"]);
        assert!(topics.describe("COUNTS").expect("memory answers").is_some(), "topics stay");
        engine.shutdown();
        engine = open(&topics);
        assert!(engine.plan_file(&format!("{SOURCE}{second}")).expect("the same file").is_empty());
        // What was dropped comes back with the version that has it.
        let back = applied(&engine, FIRST);
        assert!(
            back.contains(&"create TABLE COUNTS".to_owned()) && back.contains(&"drop STREAM SMALL".to_owned()),
            "{back:?}"
        );
    }

    #[test]
    fn what_cannot_go_on_refuses_the_whole_file_with_both_definitions() {
        let engine = engine();
        applied(&engine, FIRST);
        let before = queries(&engine);
        let other = FIRST
            .replace("region, COUNT(*) AS n FROM orders GROUP BY region", "id, COUNT(*) AS n FROM orders GROUP BY id");
        let file = format!("{other} CREATE STREAM more AS SELECT * FROM orders;");
        let plan = planned(&engine, &file);
        assert!(plan.contains(&"must be rebuilt TABLE COUNTS".to_owned()), "{plan:?}");
        let error = refused(&engine, &file);
        for part in ["TABLE COUNTS must be rebuilt: ", "it is:\n", "GROUP BY region;", "it would be:\n", "GROUP BY id;"]
        {
            assert!(error.contains(part), "{part} in {error}");
        }
        assert_eq!(queries(&engine), before);
    }

    #[test]
    fn what_is_wrong_in_any_case_is_an_error_of_the_statement() {
        let engine = engine();
        applied(&engine, FIRST);
        let file = format!("{SOURCE}\nCREATE STREAM large AS SELECT nothing FROM orders;");
        let error = engine.plan_file(&file).expect_err("no such column");
        assert!(error.message.contains("NOTHING"), "{error}");
        assert_eq!(error.position.map(|(line, _)| line), Some(3));
    }

    #[test]
    fn what_clients_have_made_stays_and_keeps_what_it_needs() {
        let engine = engine();
        applied(&engine, FIRST);
        execute(&engine, "CREATE STREAM own AS SELECT * FROM large;");
        let second = "CREATE TABLE counts AS SELECT region, COUNT(*) AS n FROM orders GROUP BY region;";
        let plan = planned(&engine, second);
        assert!(plan.contains(&"cannot be dropped STREAM LARGE".to_owned()), "{plan:?}");
        assert!(refused(&engine, second).contains("OWN"));
        execute(&engine, "DROP STREAM own; CREATE STREAM other AS SELECT * FROM orders;");
        applied(&engine, second);
        assert_eq!(queries(&engine), ["CTAS_COUNTS_2", "CSAS_OTHER_6"]);
    }

    #[test]
    fn what_somebody_has_ended_begins_anew() {
        let engine = engine();
        applied(&engine, FIRST);
        execute(&engine, "TERMINATE CTAS_COUNTS_2; TERMINATE INSERTQUERY_3;");
        let changes = [
            "unchanged STREAM ORDERS",
            "unchanged STREAM LARGE",
            "create TABLE COUNTS",
            "create QUERY INSERT INTO LARGE",
        ];
        assert_eq!(applied(&engine, FIRST), changes);
        assert_eq!(queries(&engine).len(), 3);
        execute(&engine, "DROP TABLE counts;");
        assert_eq!(applied(&engine, FIRST)[2], "create TABLE COUNTS");
    }

    #[test]
    fn types_and_functions_follow_the_file() {
        let engine = engine();
        let first = "CREATE TYPE place AS STRUCT<x INT>;
            CREATE FUNCTION fee(a INT) RETURNS INT AS a + 1;
            CREATE STREAM fees AS SELECT id, fee(amount) AS f FROM orders;";
        applied(&engine, first);
        assert!(engine.plan_file(&format!("{SOURCE}{first}")).expect("the same").is_empty());
        let second = first.replace("a + 1", "a + 2");
        assert_eq!(applied(&engine, &second)[2], "replace FUNCTION FEE");
        assert!(
            refused(&engine, &second.replace("x INT", "y INT"))
                .contains("TYPE PLACE must be rebuilt: types are not replaced")
        );
        let last = "CREATE STREAM fees AS SELECT id, amount AS f FROM orders;";
        assert_eq!(
            applied(&engine, last),
            ["drop TYPE PLACE", "unchanged STREAM ORDERS", "replace STREAM FEES", "drop FUNCTION FEE"]
        );
    }

    #[test]
    fn only_what_says_what_is_to_be_there_may_stand_in_such_a_file() {
        let engine = engine();
        let query = "CREATE STREAM large AS SELECT * FROM orders;";
        for statement in
            ["DROP STREAM orders;", "INSERT INTO orders VALUES (1, 'a', 2);", "SHOW STREAMS;", "SELECT * FROM orders;"]
        {
            let error = refused(&engine, &format!("{query} {statement}"));
            assert!(error.starts_with(
                "Unsupported statement. Only the following statements are supporting in standalone mode:"
            ));
        }
        assert!(refused(&engine, "").contains("no persistent query"));
        let twice = refused(&engine, &format!("{query} {query}"));
        assert_eq!(twice, "LARGE is defined twice in this file");
        let set = "SET 'auto.offset.reset' = 'earliest'; DEFINE least = '5';
            CREATE STREAM large AS SELECT * FROM orders WHERE amount > ${least};";
        applied(&engine, set);
        assert_eq!(applied(&engine, &set.replace("'5'", "'6'"))[1], "replace STREAM LARGE");
    }
}
