//! What changes the registry.

use super::state::{Config, GLOBAL, Step, Version};
use super::{EmbeddedRegistry, Mode, Refusal, SubjectVersion, VersionId};
use crate::registry::SchemaDocument;

/// How a schema is registered.
#[derive(Debug, Clone, Copy, Default)]
pub struct Registration {
    /// Whether it is the same as another one that differs in the order of what has none.
    pub normalize: bool,
    /// The id that it is to have, in mode IMPORT.
    pub id: Option<u32>,
    /// The version that it is to be, in mode IMPORT.
    pub version: Option<u32>,
}

/// Names of subjects that mean something else.
const RESERVED: [&str; 2] = ["__GLOBAL", "__EMPTY"];

impl EmbeddedRegistry {
    /// Makes `schema` the next version of `subject`, unless it is one already.
    pub fn register(
        &self,
        subject: &str,
        schema: &SchemaDocument,
        how: Registration,
    ) -> Result<SubjectVersion, Refusal> {
        check_subject(subject)?;
        let _alone = self.change_lock();
        let mode = self.state().effective_mode(subject);
        if mode.is_read_only() {
            return Err(Refusal::NotPermitted(format!("Subject '{subject}' is in mode {}", mode.name())));
        }
        if (how.id.is_some() || how.version.is_some()) && mode != Mode::Import {
            let text = format!("Subject '{subject}' is in mode {}: ids are given in mode IMPORT only", mode.name());
            return Err(Refusal::NotPermitted(text));
        }
        let (schema, parsed) = self.read(schema, mode != Mode::Import)?;
        let normalize = how.normalize || self.normalizes(subject);
        if let Some((number, version)) = self.same_in(subject, &schema, normalize.then_some(&parsed), false)
            && how.id.is_none_or(|id| id == version.id)
        {
            return self.find(subject, VersionId::Number(number), false);
        }
        if mode != Mode::Import {
            let messages = self.messages(subject, &parsed)?;
            if !messages.is_empty() {
                return Err(Refusal::Incompatible { subject: subject.to_owned(), messages });
            }
        }
        let text = if normalize { parsed.canonical_text(true) } else { schema.text.clone() };
        let schema = SchemaDocument { text, ..schema };
        let (number, steps) = self.registration(subject, &schema, how)?;
        self.apply(steps)?;
        self.find(subject, VersionId::Number(number), false)
    }

    /// What registers `schema`, and as which version.
    fn registration(
        &self,
        subject: &str,
        schema: &SchemaDocument,
        how: Registration,
    ) -> Result<(u32, Vec<Step>), Refusal> {
        let state = self.state();
        let last = state.versions(subject, true).next_back().map_or(0, |(number, _)| number);
        let number = how.version.filter(|number| *number > 0).unwrap_or(last + 1);
        if let Some(other) = state.version(subject, number).filter(|other| !other.deleted && Some(other.id) != how.id) {
            let text = format!("Version {number} of subject '{subject}' has the id {} already", other.id);
            return Err(Refusal::NotPermitted(text));
        }
        let known = state.id_of(schema);
        let mut steps = Vec::new();
        let id = match how.id {
            None => known.unwrap_or(state.next_id),
            Some(id) => {
                if state.schemas.get(&id).is_some_and(|other| other != schema) {
                    return Err(Refusal::NotPermitted(format!("Another schema has the id {id}")));
                }
                id
            }
        };
        if state.next_id <= id {
            steps.push(Step::Next(
                id.checked_add(1)
                    .ok_or_else(|| Refusal::NotPermitted("No id is left: the greatest is taken".to_owned()))?,
            ));
        }
        if !state.schemas.contains_key(&id) {
            steps.push(Step::Schema(id, Some(schema.clone())));
        }
        steps.push(Step::Version(subject.to_owned(), number, Some(Version { id, deleted: false })));
        Ok((number, steps))
    }

    /// Deletes a subject, so that it can come back; or for good, after that. Returns the numbers of its versions.
    pub fn delete_subject(&self, subject: &str, permanently: bool) -> Result<Vec<u32>, Refusal> {
        let _alone = self.change_lock();
        let (versions, has_live) = {
            let state = self.state();
            self.check_deletion(subject)?;
            let versions: Vec<(u32, Version)> = state.versions(subject, true).collect();
            let has_live = versions.iter().any(|(_, version)| !version.deleted);
            (versions, has_live)
        };
        match (versions.is_empty(), permanently) {
            (true, _) => return Err(Refusal::SubjectNotFound(subject.to_owned())),
            (_, false) if !has_live => return Err(Refusal::SubjectSoftDeleted(subject.to_owned())),
            (_, true) if has_live => return Err(Refusal::SubjectNotSoftDeleted(subject.to_owned())),
            _ => {}
        }
        for (number, _) in &versions {
            self.check_references(subject, *number)?;
        }
        let affected = versions.iter().filter(|(_, version)| permanently || !version.deleted);
        let affected: Vec<(u32, Version)> = affected.copied().collect();
        let mut steps = self.deletions(subject, &affected, permanently);
        steps.push(Step::Config(subject.to_owned(), Config::default()));
        steps.push(Step::Mode(subject.to_owned(), None));
        self.apply(steps)?;
        Ok(affected.into_iter().map(|(number, _)| number).collect())
    }

    /// Deletes a version, so that it can come back; or for good, after that. Returns its number.
    pub fn delete_version(&self, subject: &str, version: VersionId, permanently: bool) -> Result<u32, Refusal> {
        let _alone = self.change_lock();
        self.check_deletion(subject)?;
        let found = self.find(subject, version, true)?;
        let found = match version {
            VersionId::Latest if !permanently => self.find(subject, version, false)?,
            _ => found,
        };
        match (found.deleted, permanently) {
            (true, false) => return Err(Refusal::VersionSoftDeleted(subject.to_owned(), found.version)),
            (false, true) => return Err(Refusal::VersionNotSoftDeleted(subject.to_owned(), found.version)),
            _ => {}
        }
        self.check_references(subject, found.version)?;
        let version = Version { id: found.id, deleted: found.deleted };
        self.apply(self.deletions(subject, &[(found.version, version)], permanently))?;
        Ok(found.version)
    }

    fn deletions(&self, subject: &str, versions: &[(u32, Version)], permanently: bool) -> Vec<Step> {
        let state = self.state();
        let mut steps = Vec::new();
        for (number, version) in versions {
            let left = (!permanently).then_some(Version { deleted: true, ..*version });
            steps.push(Step::Version(subject.to_owned(), *number, left));
        }
        if permanently {
            let mut ids: Vec<u32> = versions.iter().map(|(_, version)| version.id).collect();
            ids.sort_unstable();
            ids.dedup();
            for id in ids {
                let here = versions.iter().filter(|(_, version)| version.id == id).count();
                if state.uses(id) <= here {
                    steps.push(Step::Schema(id, None));
                    self.parsed.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&id);
                }
            }
        }
        steps
    }

    fn check_deletion(&self, subject: &str) -> Result<(), Refusal> {
        let mode = self.state().effective_mode(subject);
        if mode.is_read_only() {
            return Err(Refusal::NotPermitted(format!("Subject '{subject}' is in mode {}", mode.name())));
        }
        Ok(())
    }

    fn check_references(&self, subject: &str, version: u32) -> Result<(), Refusal> {
        if self.state().referring_to(subject, version).is_empty() {
            return Ok(());
        }
        Err(Refusal::ReferenceExists(subject.to_owned(), version))
    }

    /// Sets what of `config` is given, for a subject or for all.
    pub fn set_config(&self, subject: Option<&str>, config: Config) -> Result<Config, Refusal> {
        subject.map_or(Ok(()), check_subject)?;
        let _alone = self.change_lock();
        let subject = subject.unwrap_or(GLOBAL);
        let old = self.state().config(subject).unwrap_or_default();
        let new = Config {
            compatibility: config.compatibility.or(old.compatibility),
            normalize: config.normalize.or(old.normalize),
        };
        self.apply(vec![Step::Config(subject.to_owned(), new)])?;
        Ok(new)
    }

    /// Removes the settings of a subject, or those of all; returns what they were.
    pub fn remove_config(&self, subject: Option<&str>) -> Result<Config, Refusal> {
        let _alone = self.change_lock();
        let old = self.config(subject, subject.is_some());
        let old = old.ok_or_else(|| Refusal::NoConfig(subject.unwrap_or_default().to_owned()))?;
        self.apply(vec![Step::Config(subject.unwrap_or(GLOBAL).to_owned(), Config::default())])?;
        Ok(old)
    }

    /// Sets the mode of a subject, or of all. Mode IMPORT is for subjects without versions, unless it is forced.
    pub fn set_mode(&self, subject: Option<&str>, mode: Mode, force: bool) -> Result<(), Refusal> {
        subject.map_or(Ok(()), check_subject)?;
        if mode == Mode::ReadOnlyOverride && subject.is_some() {
            return Err(Refusal::InvalidMode(format!("{} for a subject", mode.name())));
        }
        let _alone = self.change_lock();
        let place = subject.unwrap_or(GLOBAL);
        if mode == Mode::Import && !force && self.state().effective_mode(place) != Mode::Import {
            let state = self.state();
            let has_versions = match subject {
                Some(subject) => state.versions(subject, false).next().is_some(),
                None => state.subjects.keys().any(|subject| state.versions(subject, false).next().is_some()),
            };
            if has_versions {
                let text = "Cannot import since there are versions already; force=true imports nevertheless";
                return Err(Refusal::NotPermitted(text.to_owned()));
            }
        }
        self.apply(vec![Step::Mode(place.to_owned(), Some(mode))])
    }

    /// Removes the mode of a subject, or that of all; returns what it was.
    pub fn remove_mode(&self, subject: Option<&str>) -> Result<Mode, Refusal> {
        let _alone = self.change_lock();
        let old = self.mode(subject, subject.is_some());
        let old = old.ok_or_else(|| Refusal::NoMode(subject.unwrap_or_default().to_owned()))?;
        self.apply(vec![Step::Mode(subject.unwrap_or(GLOBAL).to_owned(), None)])?;
        Ok(old)
    }
}

fn check_subject(subject: &str) -> Result<(), Refusal> {
    if subject.is_empty() || subject.chars().any(char::is_control) || RESERVED.contains(&subject) {
        return Err(Refusal::InvalidSubject(subject.to_owned()));
    }
    Ok(())
}
