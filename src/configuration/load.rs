//! Properties from files, the environment and the command line, with where each comes from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use super::known::{PropertyError, check_value, described, is_known, similar};
use super::property::Kind;
use super::{canonical_name, environment, java_properties};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Nobody has set it.
    Default,
    /// A line of a properties file.
    File {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A variable of the environment.
    Environment {
        /// Its name.
        variable: String,
    },
    /// The command line, or the program that has opened the engine.
    Argument,
    /// SET.
    Session,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Environment { variable } => write!(f, "environment variable {variable}"),
            Self::Argument => f.write_str("argument"),
            Self::Session => f.write_str("SET"),
        }
    }
}

/// A property that somebody has set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name, as it was written.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Who has.
    pub source: Source,
}

/// Why the properties cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigurationError {
    /// A file cannot be read.
    #[error("cannot read the properties file {}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A value that makes no sense.
    #[error("{error} ({source})", source = at)]
    Value {
        /// What is wrong with it.
        error: PropertyError,
        /// Where it stands.
        at: Source,
    },
}

/// The properties of a server, with their sources.
#[derive(Debug, Clone, Default)]
pub struct Configuration {
    /// What holds, by the name without `ksql.streams.`; several names of one property only if they come from the same place.
    settings: BTreeMap<String, Vec<Setting>>,
    warnings: Vec<String>,
}

/// Reads `files` in order, then the variables of `environment`, then `arguments`: what comes later counts more.
///
/// # Errors
/// A file that cannot be read, or the value of a known property that makes no sense. An unknown property is none: it is among the
/// [warnings](Configuration::warnings).
pub fn load(
    files: &[PathBuf],
    environment: impl IntoIterator<Item = (String, String)>,
    arguments: &[(String, String)],
) -> Result<Configuration, ConfigurationError> {
    let mut loaded = Configuration::default();
    for path in files {
        for entry in read_file(path)? {
            let source = Source::File { path: path.clone(), line: entry.line };
            loaded.set(Setting { name: entry.name, value: entry.value, source }, same_file)?;
        }
    }
    let (variables, warnings) = environment::read(environment);
    loaded.warnings.extend(warnings);
    for environment::Variable { source, name, value } in variables {
        loaded.set(Setting { name, value, source: Source::Environment { variable: source } }, same_variable)?;
    }
    for (name, value) in arguments {
        let setting = Setting { name: name.clone(), value: value.clone(), source: Source::Argument };
        loaded.set(setting, |source, _| *source == Source::Argument)?;
    }
    Ok(loaded)
}

fn read_file(path: &Path) -> Result<Vec<java_properties::Entry>, ConfigurationError> {
    let failure = |reason: String| ConfigurationError::File { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|error| failure(error.to_string()))?;
    java_properties::read(&java_properties::text_of(bytes)).map_err(|error| failure(error.to_string()))
}

fn same_file(one: &Source, other: &Source) -> bool {
    matches!((one, other), (Source::File { path: one, .. }, Source::File { path: other, .. }) if one == other)
}

fn same_variable(one: &Source, other: &Source) -> bool {
    let prefix = |source: &Source| match source {
        Source::Environment { variable } if variable == "KSQL_OPTS" => Some("KSQL_OPTS".to_owned()),
        Source::Environment { variable } => variable.split('_').next().map(str::to_owned),
        _ => None,
    };
    prefix(one).is_some() && prefix(one) == prefix(other)
}

impl Configuration {
    /// Sets a property, over what was set from elsewhere. `is_same` says what counts the same: there, a name with the prefix of
    /// ksqlDB stands beside one without.
    fn set(
        &mut self,
        mut setting: Setting,
        is_same: impl Fn(&Source, &Source) -> bool,
    ) -> Result<(), ConfigurationError> {
        check_value(&setting.name, &setting.value)
            .map_err(|error| ConfigurationError::Value { error, at: setting.source.clone() })?;
        if described(&setting.name).is_some_and(|known| known.kind != Kind::Text) {
            setting.value = String::from(setting.value.trim());
        }
        if !is_known(&setting.name) {
            self.warnings.push(unknown(&setting));
        }
        let known = self.settings.entry(canonical_name(&setting.name).to_owned()).or_default();
        known.retain(|other| other.name != setting.name && is_same(&other.source, &setting.source));
        known.push(setting);
        Ok(())
    }

    /// All properties that somebody has set, by the names that they were given.
    pub fn values(&self) -> BTreeMap<String, String> {
        self.settings().map(|setting| (setting.name.clone(), setting.value.clone())).collect()
    }

    /// The same with their sources, by name without the prefix of ksqlDB.
    pub fn settings(&self) -> impl Iterator<Item = &Setting> {
        self.settings.values().flatten()
    }

    /// What somebody has set the property `name` to, with or without the prefix of ksqlDB.
    pub fn setting(&self, name: &str) -> Option<&Setting> {
        let known = self.settings.get(canonical_name(name))?;
        // As in ksqlDB, the name with the prefix counts more.
        known.iter().max_by_key(|setting| setting.name.len())
    }

    /// The value of the property `name`: what it was set to, or its default.
    pub fn value(&self, name: &str) -> Option<&str> {
        let set = self.setting(name).map(|setting| setting.value.as_str());
        set.or_else(|| described(name).and_then(|known| known.default))
    }

    /// What a person should know: names that nobody knows, with those they are nearly.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The same properties, `name` being `value` unless somebody has set it.
    #[must_use]
    pub fn or(mut self, name: &str, value: &str) -> Self {
        let known = self.settings.entry(canonical_name(name).to_owned()).or_default();
        if known.is_empty() {
            known.push(Setting { name: name.to_owned(), value: value.to_owned(), source: Source::Argument });
        }
        self
    }
}

/// Properties that a program gives.
impl From<BTreeMap<String, String>> for Configuration {
    fn from(values: BTreeMap<String, String>) -> Self {
        let mut settings: BTreeMap<String, Vec<Setting>> = BTreeMap::new();
        for (name, value) in values {
            let known = settings.entry(canonical_name(&name).to_owned()).or_default();
            known.push(Setting { name, value, source: Source::Argument });
        }
        Self { settings, warnings: Vec::new() }
    }
}

fn unknown(setting: &Setting) -> String {
    let hint = similar(&setting.name).map_or_else(String::new, |known| format!("; did you mean {known}?"));
    format!("unknown property '{}' ({}){hint}", setting.name, setting.source)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(dir: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
        let path = dir.path().join(name);
        std::fs::write(&path, text).expect("the file can be written");
        path
    }

    fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn arguments_count_more_than_the_environment_and_that_more_than_files() {
        let dir = tempfile::tempdir().expect("a folder");
        let one = file(&dir, "one.properties", "a.a=file\nksql.service.id=one\nlisteners=http://h:1\n");
        let two =
            file(&dir, "two.properties", "ksql.service.id=two\nksql.streams.auto.offset.reset=earliest\nport=1\n");
        let environment = owned(&[("KSQL_LISTENERS", "http://h:2"), ("KSQL_AUTO_OFFSET_RESET", "latest")]);
        let arguments = owned(&[("listeners", "http://h:3")]);
        let loaded = load(&[one.clone(), two.clone()], environment, &arguments).expect("valid");
        let found = |name: &str| loaded.setting(name).map(|setting| (setting.value.clone(), setting.source.clone()));
        let variable = "KSQL_AUTO_OFFSET_RESET".to_owned();
        for (name, value, source) in [
            ("a.a", "file", Source::File { path: one, line: 1 }),
            ("ksql.service.id", "two", Source::File { path: two, line: 1 }),
            ("ksql.streams.auto.offset.reset", "latest", Source::Environment { variable }),
            ("listeners", "http://h:3", Source::Argument),
        ] {
            assert_eq!(found(name), Some((value.to_owned(), source)), "{name}");
        }
        let names: Vec<String> = loaded.values().into_keys().collect();
        assert_eq!(names, ["a.a", "auto.offset.reset", "ksql.service.id", "listeners", "port"]);
        assert_eq!(loaded.value("ksql.max.push.queries"), Some("100"));
    }

    #[test]
    fn in_one_place_the_name_with_the_prefix_counts_more() {
        for reversed in [false, true] {
            let mut arguments = owned(&[("ksql.streams.commit.interval.ms", "1"), ("commit.interval.ms", "2")]);
            if reversed {
                arguments.reverse();
            }
            let loaded = load(&[], [], &arguments).expect("valid");
            assert_eq!((loaded.value("commit.interval.ms"), loaded.values().len()), (Some("1"), 2));
        }
        let options = owned(&[("KSQL_OPTS", "-Dcommit.interval.ms=3"), ("KSQL_KSQL_STREAMS_COMMIT_INTERVAL_MS", "4")]);
        assert_eq!(load(&[], options, &[]).expect("valid").value("commit.interval.ms"), Some("3"));
    }

    #[test]
    fn unknown_properties_are_told_and_taken() {
        let dir = tempfile::tempdir().expect("a folder");
        let text = "ksql.servce.id=x\nlingr.ms=1\nmax.poll.records=5\nconsumer.max.poll.records=5\nconfluent.x=y\nssl.provider=z\n";
        let path = file(&dir, "server.properties", text);
        let loaded = load(std::slice::from_ref(&path), [], &[]).expect("valid");
        let place = path.display();
        let expected = [
            format!("unknown property 'ksql.servce.id' ({place}:1); did you mean ksql.service.id?"),
            format!("unknown property 'lingr.ms' ({place}:2); did you mean linger.ms?"),
        ];
        assert_eq!((loaded.warnings(), loaded.values().len()), (&expected[..], 6));
    }

    #[test]
    fn values_that_make_no_sense_say_where_they_stand() {
        let dir = tempfile::tempdir().expect("a folder");
        let path = file(&dir, "server.properties", "\nksql.streams.commit.interval.ms=soon\n");
        let error = load(std::slice::from_ref(&path), [], &[]).expect_err("no number").to_string();
        let expected = format!(
            "Invalid property 'ksql.streams.commit.interval.ms': Invalid value soon for configuration \
             ksql.streams.commit.interval.ms: Not a number ({}:2)",
            path.display()
        );
        assert_eq!(error, expected);
        let error = load(&[dir.path().join("none")], [], &[]).expect_err("no file").to_string();
        assert!(error.starts_with("cannot read the properties file"), "{error}");
        let path = file(&dir, "blanks.properties", "ksql.suppress.enabled=true  \nmemory.limit=1GB ");
        let loaded = load(&[path], [], &[]).expect("valid");
        assert_eq!((loaded.value("ksql.suppress.enabled"), loaded.value("memory.limit")), (Some("true"), Some("1GB ")));
    }
}
