//! Properties that the engine reads, by their ksqlDB names.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use super::EngineError;
use super::memory_limit::{self, MEMORY_LIMIT, MemoryDivision};
use crate::configuration::{RESERVED_TOPICS, STREAMS_PREFIX, canonical_name};
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
/// As in ksqlDB.
const PUSHES_MAX_DEFAULT: usize = 100;
const READ_TIMEOUT: &str = "levada.whole.sql.timeout.ms";
const READ_TIMEOUT_DEFAULT: Duration = Duration::from_mins(10);
const PUSH_PATIENCE: &str = "levada.push.client.timeout.ms";
const PUSH_PATIENCE_DEFAULT: Duration = Duration::from_mins(1);
const REQUEST_PATIENCE: &str = "levada.request.timeout.ms";
const REQUEST_PATIENCE_DEFAULT: Duration = Duration::from_mins(5);
const CLEANUP_DELAY: &str = "state.cleanup.delay.ms";
const SLOW_FUNCTION: &str = "levada.functions.slow.ms";
const SLOW_FUNCTION_DEFAULT: Duration = Duration::from_secs(10);

const STANDBY_READS: &str = "ksql.query.pull.enable.standby.reads";
const LAG_MAX: &str = "ksql.query.pull.max.allowed.offset.lag";

const ASSERT_TOPIC_TIMEOUT: &str = "ksql.assert.topic.default.timeout.ms";
const ASSERT_SCHEMA_TIMEOUT: &str = "ksql.assert.schema.default.timeout.ms";
const HIDDEN_TOPICS: &str = "ksql.hidden.topics";

/// As in ksqlDB.
const ASSERT_TIMEOUT_DEFAULT: Duration = Duration::from_secs(1);

const FAIL_ON_INVALID_TIME: &str = "ksql.timestamp.throw.on.invalid";
const FAIL_ON_PRODUCTION: &str = "ksql.fail.on.production.error";
const METADATA_AGE: &str = "metadata.max.age.ms";
const PURGE_INTERVAL: &str = "repartition.purge.interval.ms";

/// How often topics are looked after, unless a property asks for more.
const UPKEEP_INTERVAL: Duration = Duration::from_secs(30);
const UPKEEP_INTERVAL_MIN: Duration = Duration::from_millis(100);

/// ksqlDB's default commit interval.
const COMMIT_INTERVAL_DEFAULT: Duration = Duration::from_secs(2);

/// As in Kafka Streams.
const CLEANUP_DELAY_DEFAULT: Duration = Duration::from_mins(10);

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
        Path::new(self.get("ksql.extension.dir").unwrap_or("ext"))
    }

    /// Whether the property `name`, which is on unless it is set, is `false`.
    pub fn is_off(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("false"))
    }

    fn number(&self, name: &str) -> Result<Option<u64>, EngineError> {
        let Some(text) = self.get(name) else { return Ok(None) };
        match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) if text.trim().parse::<i64>().is_ok() => Err(EngineError::new(format!(
                "Invalid value {text} for configuration {name}: Value must be at least 0"
            ))),
            Err(_) => Err(EngineError::new(format!("Invalid value {text} for configuration {name}: Not a number"))),
        }
    }

    /// How many persistent queries there may be.
    pub fn queries_max(&self) -> Result<usize, EngineError> {
        Ok(self.number(QUERIES_MAX)?.map_or(usize::MAX, |limit| limit as usize))
    }

    /// How many push queries there may be.
    pub fn pushes_max(&self) -> Result<usize, EngineError> {
        Ok(self.number(PUSHES_MAX)?.map_or(PUSHES_MAX_DEFAULT, |limit| limit as usize))
    }

    /// How long a push query waits for a client that takes no rows.
    pub fn push_patience(&self) -> Result<Duration, EngineError> {
        Ok(self.number(PUSH_PATIENCE)?.map_or(PUSH_PATIENCE_DEFAULT, Duration::from_millis))
    }

    /// How long a pull query may take, and an ASSERT wait.
    pub fn request_patience(&self) -> Result<Duration, EngineError> {
        Ok(self.number(REQUEST_PATIENCE)?.map_or(REQUEST_PATIENCE_DEFAULT, Duration::from_millis))
    }

    /// How long a read beyond ksqlDB's pull queries may take; `None`: as long as it takes.
    pub fn read_timeout(&self) -> Result<Option<Duration>, EngineError> {
        let limit = self.number(READ_TIMEOUT)?.map_or(READ_TIMEOUT_DEFAULT, Duration::from_millis);
        Ok(Some(limit).filter(|limit| !limit.is_zero()))
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
        Ok(self.number(COMMIT_INTERVAL)?.map_or(COMMIT_INTERVAL_DEFAULT, Duration::from_millis))
    }

    /// How often topics are looked after.
    pub fn upkeep_interval(&self) -> Result<Duration, EngineError> {
        let mut interval = UPKEEP_INTERVAL;
        for name in [METADATA_AGE, PURGE_INTERVAL] {
            interval = self.number(name)?.map_or(interval, |asked| interval.min(Duration::from_millis(asked)));
        }
        Ok(interval.max(UPKEEP_INTERVAL_MIN))
    }

    /// Whether a result that cannot be written ends its query. In ksqlDB it does by default; here nothing that a record
    /// holds ends a query, unless it is asked for.
    pub fn fails_on_production(&self) -> bool {
        self.get(FAIL_ON_PRODUCTION).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    /// Whether a record without a valid event time ends its query, instead of being left out.
    pub fn fails_on_invalid_time(&self) -> bool {
        self.get(FAIL_ON_INVALID_TIME).is_some_and(|value| value.eq_ignore_ascii_case("true"))
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
        self.get(STANDBY_READS).is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// Records that such an answer may lack.
    pub fn lag_max(&self) -> Result<u64, EngineError> {
        Ok(self.number(LAG_MAX)?.filter(|lag| *lag < i64::MAX as u64).unwrap_or(u64::MAX))
    }

    /// How long a call of a function of a user may run before it is told.
    pub fn slow_function(&self) -> Result<Duration, EngineError> {
        Ok(self.number(SLOW_FUNCTION)?.map_or(SLOW_FUNCTION_DEFAULT, Duration::from_millis))
    }

    /// Whether functions of users are loaded.
    pub fn loads_functions(&self) -> bool {
        self.get("ksql.udfs.enabled").is_none_or(|value| !value.trim().eq_ignore_ascii_case("false"))
    }

    /// How memory is divided.
    pub(super) fn memory(&self) -> Result<MemoryDivision, EngineError> {
        memory_limit::plan(self.get(MEMORY_LIMIT))
    }

    /// How long the state of a task is kept that runs on another server.
    pub fn cleanup_delay(&self) -> Result<Duration, EngineError> {
        Ok(self.number(CLEANUP_DELAY)?.map_or(CLEANUP_DELAY_DEFAULT, Duration::from_millis))
    }

    /// How long ASSERT TOPIC waits where it does not say.
    pub fn assert_topic_timeout(&self) -> Result<Duration, EngineError> {
        Ok(self.number(ASSERT_TOPIC_TIMEOUT)?.map_or(ASSERT_TIMEOUT_DEFAULT, Duration::from_millis))
    }

    /// How long ASSERT SCHEMA waits where it does not say.
    pub fn assert_schema_timeout(&self) -> Result<Duration, EngineError> {
        Ok(self.number(ASSERT_SCHEMA_TIMEOUT)?.map_or(ASSERT_TIMEOUT_DEFAULT, Duration::from_millis))
    }

    /// Patterns of topics that only SHOW ALL TOPICS shows, with commas between them.
    pub fn hidden_topics(&self) -> &str {
        self.get(HIDDEN_TOPICS).unwrap_or(RESERVED_TOPICS)
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
        self.get(SERVICE_ID).unwrap_or("default_")
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
