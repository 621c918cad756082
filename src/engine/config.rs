//! Properties that the engine reads, by their ksqlDB names. Their defaults are those of `configuration::table`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::EngineError;
use super::memory_limit::{self, MEMORY_LIMIT, MemoryDivision};
use crate::configuration::{STREAMS_PREFIX, canonical_name, described};
use crate::operators::aggregate::Emission;
use crate::runtime::StartFrom;

/// Properties of the server with those of a session over them.
#[derive(Debug, Clone, Default)]
pub struct Properties {
    values: BTreeMap<String, String>,
    overridden: BTreeMap<String, String>,
}

const CACHE_MAX: [&str; 2] = ["cache.max.bytes.buffering", "statestore.cache.max.bytes"];
const COMMIT_INTERVAL: &str = "commit.interval.ms";
const OFFSET_RESET: &str = "auto.offset.reset";
const THREADS: &str = "num.stream.threads";
const SERVICE_ID: &str = "ksql.service.id";
const STANDBYS: &str = "num.standby.replicas";
const QUERIES_MAX: &str = "ksql.query.persistent.active.limit";
const PUSHES_MAX: &str = "ksql.max.push.queries";
const READ_TIMEOUT: &str = "levada.whole.sql.timeout.ms";
const PUSH_PATIENCE: &str = "levada.push.client.timeout.ms";
const REQUEST_PATIENCE: &str = "levada.request.timeout.ms";
const CLEANUP_DELAY: &str = "state.cleanup.delay.ms";
const SLOW_FUNCTION: &str = "levada.functions.slow.ms";

const STANDBY_READS: &str = "ksql.query.pull.enable.standby.reads";
const LAG_MAX: &str = "ksql.query.pull.max.allowed.offset.lag";

const ASSERT_TOPIC_TIMEOUT: &str = "ksql.assert.topic.default.timeout.ms";
const ASSERT_SCHEMA_TIMEOUT: &str = "ksql.assert.schema.default.timeout.ms";
const HIDDEN_TOPICS: &str = "ksql.hidden.topics";

const FAIL_ON_INVALID_TIME: &str = "ksql.timestamp.throw.on.invalid";
const FAIL_ON_PRODUCTION: &str = "ksql.fail.on.production.error";
const METADATA_AGE: &str = "metadata.max.age.ms";
const PURGE_INTERVAL: &str = "repartition.purge.interval.ms";

/// How often topics are looked after, unless a property asks for more.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(30);
const UPKEEP_INTERVAL_MIN: Duration = Duration::from_millis(100);

impl Properties {
    /// `server` properties with those of a session over them.
    pub fn new(server: &BTreeMap<String, String>, session: &BTreeMap<String, String>) -> Self {
        let mut values = BTreeMap::new();
        for given in [server, session] {
            // Of two names of a property the one with the prefix counts: it comes last.
            for prefixed in [false, true] {
                let named = given.iter().filter(|(name, _)| name.starts_with(STREAMS_PREFIX) == prefixed);
                values.extend(named.map(|(name, value)| (canonical_name(name).to_owned(), value.clone())));
            }
        }
        Self { values, overridden: session.clone() }
    }

    /// All properties by their names without prefix.
    pub fn values(&self) -> &BTreeMap<String, String> {
        &self.values
    }

    /// Those of the session, as it has named them.
    pub fn overridden(&self) -> &BTreeMap<String, String> {
        &self.overridden
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }

    /// The folder of plug-ins.
    pub(super) fn extension_folder(&self) -> &Path {
        Path::new(self.value("ksql.extension.dir").unwrap_or_default())
    }

    /// What the property `name` is set to, or its default.
    fn value(&self, name: &str) -> Option<&str> {
        self.get(name).or_else(|| described(name).and_then(|known| known.default))
    }

    /// Whether the property `name` is `true`.
    pub fn is_on(&self, name: &str) -> bool {
        self.value(name).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    fn number(&self, name: &str) -> Result<Option<u64>, EngineError> {
        let Some(text) = self.value(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) if text.trim().parse::<i64>().is_ok() => Err(EngineError::new(format!(
                "Invalid value {text} for configuration {name}: Value must be at least 0"
            ))),
            Err(_) => Err(EngineError::new(format!("Invalid value {text} for configuration {name}: Not a number"))),
        }
    }

    fn duration(&self, name: &str) -> Result<Duration, EngineError> {
        Ok(self.number(name)?.map_or(Duration::ZERO, Duration::from_millis))
    }

    /// How many persistent queries there may be.
    pub fn queries_max(&self) -> Result<usize, EngineError> {
        Ok(self.number(QUERIES_MAX)?.map_or(usize::MAX, |limit| limit as usize))
    }

    /// How many push queries there may be.
    pub fn pushes_max(&self) -> Result<usize, EngineError> {
        Ok(self.number(PUSHES_MAX)?.map_or(usize::MAX, |limit| limit as usize))
    }

    /// How long a push query waits for a client that takes no rows.
    pub fn push_patience(&self) -> Result<Duration, EngineError> {
        self.duration(PUSH_PATIENCE)
    }

    /// How long a pull query may take, and an ASSERT wait.
    pub fn request_patience(&self) -> Result<Duration, EngineError> {
        self.duration(REQUEST_PATIENCE)
    }

    /// How long a read beyond ksqlDB's pull queries may take; `None`: as long as it takes.
    pub fn read_timeout(&self) -> Result<Option<Duration>, EngineError> {
        Ok(Some(self.duration(READ_TIMEOUT)?).filter(|limit| !limit.is_zero()))
    }

    /// When aggregates emit: every row if the record cache is switched off.
    pub fn emission(&self) -> Result<Emission, EngineError> {
        for name in CACHE_MAX {
            if self.number(name)? == Some(0) {
                return Ok(Emission::EveryRow);
            }
        }
        Ok(Emission::AtCommit)
    }

    /// How long results may be held back.
    pub fn commit_interval(&self) -> Result<Duration, EngineError> {
        self.duration(COMMIT_INTERVAL)
    }

    /// How often topics are looked after.
    pub fn upkeep_interval(&self) -> Result<Duration, EngineError> {
        let asked = self.duration(METADATA_AGE)?.min(self.duration(PURGE_INTERVAL)?);
        Ok(asked.clamp(UPKEEP_INTERVAL_MIN, UPKEEP_INTERVAL))
    }

    /// Whether a result that cannot be written ends its query. In ksqlDB it does by default; here nothing that a record
    /// holds ends a query, unless it is asked for.
    pub fn fails_on_production(&self) -> bool {
        self.is_on(FAIL_ON_PRODUCTION)
    }

    /// Whether a record without a valid event time ends its query, instead of being left out.
    pub fn fails_on_invalid_time(&self) -> bool {
        self.is_on(FAIL_ON_INVALID_TIME)
    }

    /// Where queries start that have no committed position.
    pub fn start_from(&self) -> Result<StartFrom, EngineError> {
        match self.get(OFFSET_RESET).map(str::to_ascii_lowercase).as_deref() {
            None => Ok(StartFrom::Default),
            Some("earliest") => Ok(StartFrom::Earliest),
            Some("latest") => Ok(StartFrom::Latest),
            Some(other) => Err(EngineError::new(format!(
                "Invalid value {other} for configuration {OFFSET_RESET}: expected earliest or latest"
            ))),
        }
    }

    /// Worker threads: one per core unless set.
    pub fn workers(&self) -> Result<usize, EngineError> {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
        Ok(self.number(THREADS)?.map_or(cores, |threads| threads.clamp(1, 1024) as usize))
    }

    /// Servers that keep the state of a task at hand, besides the one that runs it.
    pub fn standbys(&self) -> Result<usize, EngineError> {
        Ok(self.number(STANDBYS)?.unwrap_or(0) as usize)
    }

    /// Whether pull queries may be answered by who keeps state at hand.
    pub fn standby_reads(&self) -> bool {
        self.is_on(STANDBY_READS)
    }

    /// Records that such an answer may lack.
    pub fn lag_max(&self) -> Result<u64, EngineError> {
        Ok(self.number(LAG_MAX)?.filter(|lag| *lag < i64::MAX as u64).unwrap_or(u64::MAX))
    }

    /// How long a call of a function of a user may run before it is told.
    pub fn slow_function(&self) -> Result<Duration, EngineError> {
        self.duration(SLOW_FUNCTION)
    }

    /// Whether functions of users are loaded.
    pub fn loads_functions(&self) -> bool {
        self.is_on("ksql.udfs.enabled")
    }

    /// How memory is divided.
    pub(super) fn memory(&self) -> Result<MemoryDivision, EngineError> {
        memory_limit::plan(self.get(MEMORY_LIMIT))
    }

    /// How long the state of a task is kept that runs on another server.
    pub fn cleanup_delay(&self) -> Result<Duration, EngineError> {
        self.duration(CLEANUP_DELAY)
    }

    /// How long ASSERT TOPIC waits where it does not say.
    pub fn assert_topic_timeout(&self) -> Result<Duration, EngineError> {
        self.duration(ASSERT_TOPIC_TIMEOUT)
    }

    /// How long ASSERT SCHEMA waits where it does not say.
    pub fn assert_schema_timeout(&self) -> Result<Duration, EngineError> {
        self.duration(ASSERT_SCHEMA_TIMEOUT)
    }

    /// Patterns of topics that only SHOW ALL TOPICS shows, with commas between them.
    pub fn hidden_topics(&self) -> &str {
        self.value(HIDDEN_TOPICS).unwrap_or_default()
    }

    /// Whether all values have meaning.
    pub fn check(&self) -> Result<(), EngineError> {
        self.emission()?;
        self.commit_interval()?;
        self.start_from()?;
        self.workers()?;
        self.standbys()?;
        self.cleanup_delay()?;
        self.slow_function()?;
        self.pushes_max()?;
        self.push_patience()?;
        self.lag_max()?;
        self.read_timeout()?;
        Ok(())
    }

    /// Prefix of consumer groups and internal topics.
    pub fn service_id(&self) -> &str {
        self.value(SERVICE_ID).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn properties(entries: &[(&str, &str)]) -> Properties {
        let entries = entries.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        Properties::new(&BTreeMap::new(), &entries)
    }

    #[test]
    fn the_streams_prefix_is_optional() {
        let set = properties(&[("ksql.streams.auto.offset.reset", "earliest")]);
        assert_eq!(set.start_from().expect("valid"), StartFrom::Earliest);
        let set = properties(&[("cache.max.bytes.buffering", "0")]);
        assert_eq!(set.emission().expect("valid"), Emission::EveryRow);
    }

    #[test]
    fn the_name_with_the_prefix_counts_more_and_a_session_most() {
        let set = properties(&[("ksql.streams.num.stream.threads", "3"), ("num.stream.threads", "5")]);
        assert_eq!(set.workers().expect("valid"), 3);
        let server = [("ksql.streams.num.stream.threads".to_owned(), "3".to_owned())].into();
        let session = [("num.stream.threads".to_owned(), "5".to_owned())].into();
        assert_eq!(Properties::new(&server, &session).workers().expect("valid"), 5);
    }

    #[test]
    fn wrong_values_are_named() {
        let error = properties(&[("auto.offset.reset", "sometimes")]).start_from().expect_err("no such value");
        assert!(error.message.contains("sometimes"), "{error}");
        let error = properties(&[("commit.interval.ms", "soon")]).commit_interval().expect_err("no number");
        assert!(error.message.contains("commit.interval.ms"), "{error}");
    }
}
