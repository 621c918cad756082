//! One statement in, one effect out: DDL, persistent queries, push and pull queries.
//!
//! ```text
//! text ─ sql ─▶ statement ─ plan (on the catalog) ─▶ Planned ─▶ effect: topic, command log, catalog, query ─▶ Response
//! ```
//!
//! Everything that must outlive the process is in the command log, which is replayed at open.

mod assert;
mod codecs;
mod command_log;
mod config;
mod definitions;
mod diagnose;
mod error;
mod execute;
mod facts;
mod file;
mod headless;
mod hidden_topics;
mod insert;
mod inserter;
mod known_pulls;
mod libraries;
mod memory_limit;
mod monitoring;
mod peers;
mod prepared;
mod print;
mod processing_log;
mod pull;
mod push;
mod pushes;
mod queries;
mod query_report;
mod read_sources;
mod reads;
mod recording;
mod response;
mod routed_pull;
mod schemas;
mod servers;
mod session;
mod show;
mod show_functions;
mod system_tables;
mod table_scan;
mod taps;
mod topics;
mod upkeep;
mod whole;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::batch::{MemoryPool, SpillFolder};
use crate::catalog::{Catalog, QueryId};
use crate::configuration::{self, Configuration};
use crate::functions::{Now, Registry, plugins};
use crate::http::HttpServer;
use crate::metrics;
use crate::plan::{ASKED_PROPERTIES, FUNCTION_PROPERTIES, Settings};
use crate::registry::SchemaRegistry;
use crate::runtime::clock::{Clock, SystemClock};
use crate::runtime::processing_log::ProcessingLog;
use crate::runtime::{BATCH_ROWS_MAX, Runtime, RuntimeOptions};
use crate::sql::ast::Statement;
use crate::sql::{ParsedStatement, parse_statements};
use crate::topics::{self as topic_store, TopicConsumers, TopicInfo, Topics};
use crate::types::STACK_BYTES;

pub use crate::plan::ColumnRole;
pub use crate::runtime::{PushedRows, QueryShare, Role, RowReceiver, StoreLag, StoreOwners, TaskShare};
use command_log::CommandLog;
use config::Properties;
use definitions::Definitions;
pub use error::EngineError;
use execute::Author;
pub use facts::{ExplainFacts, PartitionProgress, PushOutline, QueryFacts, QueryOutline, TopicProgress};
use file::Applied;
pub use headless::{ChangeKind, FileChange, FilePlan};
pub use inserter::Inserter;
use libraries::Installed;
use monitoring::PullMetrics;
pub use peers::Peers;
use prepared::View;
pub use print::{FormatGuess, PrintEvent, PrintedFormats, PrintedRecord, TopicPrint};
use processing_log::LogWriter;
pub use push::{PushEnd, PushEvent, PushQuery, PushQueue, Waker};
use pushes::{Keeper, Pushes};
pub use queries::QueryStatus;
use queries::{Queries, Watched};
use reads::ReadView;
use recording::{PendingQuery, Plans};
pub use response::{Done, Listing, ListingForm, Response, ResultRows};
pub use routed_pull::{Pulled, RoutedPull};
pub use schemas::{registry_access, schema_registry};
pub use servers::ServerState;
pub use session::Session;
use taps::Taps;
use topics::Known;

/// The engine: catalog, queries and topics of one data directory.
pub struct Engine {
    inner: Arc<Inner>,
    /// Carries out what other servers append to the command log.
    follower: Option<(Arc<AtomicBool>, JoinHandle<()>)>,
    /// Ends push queries that nobody listens to.
    keeper: Option<Keeper>,
    /// Writes the processing log.
    log_writer: Option<LogWriter>,
    /// Serves the registry of the data directory.
    registry_server: Option<HttpServer>,
}

struct Inner {
    core: Mutex<Core>,
    shared: Shared,
}

/// The engine, held. What has changed meanwhile can be read when it is let go.
struct Held<'a> {
    core: MutexGuard<'a, Core>,
    shared: &'a Shared,
}

impl Deref for Held<'_> {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

impl DerefMut for Held<'_> {
    fn deref_mut(&mut self) -> &mut Core {
        &mut self.core
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.shared.publish(&self.core);
    }
}

/// What does not change while the engine is open.
struct Shared {
    topics: Arc<dyn Topics>,
    runtime: Runtime,
    clock: Arc<dyn Clock>,
    server: BTreeMap<String, String>,
    sources: BTreeMap<String, configuration::Source>,
    registry: Option<Arc<dyn SchemaRegistry>>,
    batch_rows_max: usize,
    /// What can be read without holding the engine.
    view: RwLock<Arc<ReadView>>,
    pushes: Pushes,
    taps: Taps,
    /// What is counted as it happens, here and in other layers.
    metrics: Arc<metrics::Registry>,
    pulls: PullMetrics,
    /// The persistent queries, for who watches them.
    watched: Watched,
    /// What went wrong with single records.
    log: Arc<ProcessingLog>,
    /// Memory that the process may take, in bytes.
    memory_limit: Option<usize>,
    /// What reads keep: in memory, and in files where that has no room.
    read_memory: Arc<MemoryPool>,
    read_files: Arc<SpillFolder>,
    /// How often topics are looked after, and when that was last done, on the clock's elapsed time.
    upkeep_interval: Duration,
    /// How long a pull query may take, and an ASSERT wait.
    request_patience: Duration,
    maintained_ms: AtomicU64,
    /// Whether the command log could be read when that was last tried.
    follows: AtomicBool,
}

/// What statements change.
#[derive(Default)]
struct Core {
    catalog: Catalog,
    /// Plans of the persistent queries.
    plans: Plans,
    /// Catalog and plans before the last change.
    catalog_before: Catalog,
    plans_before: Plans,
    queries: Queries,
    /// How often the catalog has changed.
    catalog_changes: u64,
    /// Open as long as the engine is.
    log: Option<CommandLog>,
    /// Sequence number of the next command.
    next_command: u64,
    /// Statements of files that were applied.
    applied: Applied,
    /// The statements that have made what there is.
    definitions: Definitions,
    /// Queries that replay has met and not started, by command; and those that were paused.
    pending: BTreeMap<u64, PendingQuery>,
    paused: BTreeSet<String>,
}

/// How an engine on given topics works; tests choose other values than users.
pub struct EngineOptions {
    /// Server properties by their ksqlDB names.
    pub properties: BTreeMap<String, String>,
    /// Where they come from; those that are not in it: from the program.
    pub sources: BTreeMap<String, configuration::Source>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Whether worker threads run the queries; without them [`Engine::settle`] does.
    pub threads: bool,
    /// Rows processed together at most.
    pub batch_rows_max: usize,
    /// The functions that statements may call.
    pub functions: Arc<Registry>,
    /// Where schemas are.
    pub registry: Option<Arc<dyn SchemaRegistry>>,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            properties: BTreeMap::new(),
            sources: BTreeMap::new(),
            clock: Arc::new(SystemClock::new()),
            threads: true,
            batch_rows_max: BATCH_ROWS_MAX,
            functions: Arc::default(),
            registry: None,
        }
    }
}

/// How long to wait for what other servers change at a time, and after a failure.
const FOLLOWING: Duration = Duration::from_millis(100);
const FOLLOWING_AGAIN: Duration = Duration::from_secs(5);

/// `functions` and those in `folder`, which see the server's `properties`.
fn with_plugins(mut functions: Arc<Registry>, folder: &Path, properties: &BTreeMap<String, String>) -> Arc<Registry> {
    if folder.is_dir() {
        for error in plugins::load_folder(folder, properties, Arc::make_mut(&mut functions)) {
            tracing::warn!("{error}");
        }
    }
    functions
}

impl Engine {
    /// Opens the data directory `dir` with the server's properties; persistent queries continue. With
    /// `bootstrap.servers` among them the topics are those of that cluster; without, schemas are in the data directory too,
    /// unless `ksql.schema.registry.url` names a registry. What is odd about the properties is in the log.
    pub fn open(dir: &Path, configuration: impl Into<Configuration>) -> Result<Self, EngineError> {
        let configuration = configuration.into();
        configuration.warnings().iter().for_each(|warning| tracing::warn!("{warning}"));
        let properties = configuration.values();
        let sources = configuration.settings().map(|setting| (setting.name.clone(), setting.source.clone())).collect();
        let topics = topic_store::open(dir, &properties)?;
        let (registry, registry_server) = schemas::open(&*topics, &properties)?;
        let options = EngineOptions { properties, sources, registry, ..EngineOptions::default() };
        let mut engine = Self::with_options(topics, options)?;
        engine.registry_server = registry_server;
        Ok(engine)
    }

    /// As [`Engine::open`], to look at what there is: queries do not run, and on a cluster it is no server of the service.
    pub fn open_to_look(dir: &Path, configuration: impl Into<Configuration>) -> Result<Self, EngineError> {
        let mut properties = configuration.into().values();
        properties.remove(schemas::LISTENER);
        // Nothing comes into being because somebody has looked.
        let topics = if topic_store::is_cluster(&properties) || dir.is_dir() {
            topic_store::open_without_state(dir, &properties)?
        } else {
            Arc::new(topic_store::MemoryTopics::new())
        };
        let (registry, _) = schemas::open(&*topics, &properties)?;
        Self::with_options(topics, EngineOptions { properties, registry, threads: false, ..EngineOptions::default() })
    }

    /// Where the registry of the data directory is served.
    pub fn registry_url(&self) -> Option<String> {
        self.registry_server.as_ref().map(HttpServer::url)
    }

    /// An engine on `topics`, with server properties `properties`; persistent queries continue.
    pub fn with_topics(topics: Arc<dyn Topics>, properties: BTreeMap<String, String>) -> Result<Self, EngineError> {
        Self::with_options(topics, EngineOptions { properties, ..EngineOptions::default() })
    }

    /// An engine on `topics`; persistent queries continue.
    pub fn with_options(topics: Arc<dyn Topics>, options: EngineOptions) -> Result<Self, EngineError> {
        let properties = Properties::new(&options.properties, &BTreeMap::new());
        properties.check()?;
        let memory = properties.memory()?;
        topics.storage().set_cache_bytes(memory.cache_bytes);
        let metrics: Arc<metrics::Registry> = Arc::default();
        let log_of_records = processing_log::open(&properties, &*topics, &options.clock, &metrics)?;
        let runtime_options = RuntimeOptions {
            workers: if options.threads { properties.workers()? } else { 0 },
            commit_interval: properties.commit_interval()?,
            standbys: properties.standbys()?,
            cleanup_delay: properties.cleanup_delay()?,
            memory: memory.process,
            metrics: Arc::clone(&metrics),
            log: Arc::clone(&log_of_records),
        };
        let runtime = Runtime::new(Arc::clone(&topics), Arc::clone(&options.clock), &runtime_options)?;
        let log = CommandLog::open(&topics)?;
        let registry = match options.registry {
            Some(registry) => Some(registry),
            None => schemas::remote(&options.properties)?,
        };
        let follows = options.threads && matches!(log, CommandLog::Shared(_));
        let queries = Queries::default();
        let memory_limit = Some(memory.process.process_bytes).filter(|bytes| *bytes < usize::MAX);
        let read_files = topics.storage().folder().unwrap_or_else(std::env::temp_dir);
        let shared = Shared {
            topics,
            runtime,
            clock: options.clock,
            server: options.properties,
            sources: options.sources,
            registry,
            batch_rows_max: options.batch_rows_max,
            view: RwLock::default(),
            pushes: Pushes::default(),
            taps: Taps::default(),
            pulls: PullMetrics::new(&metrics),
            watched: queries.watched(),
            metrics,
            log: log_of_records,
            memory_limit,
            read_memory: Arc::new(MemoryPool::new(whole::memory_of(memory_limit))),
            read_files: Arc::new(SpillFolder::new(read_files)),
            upkeep_interval: properties.upkeep_interval()?,
            request_patience: properties.request_patience()?,
            maintained_ms: AtomicU64::new(0),
            follows: AtomicBool::new(true),
        };
        plugins::tell_slower_than(properties.slow_function()?);
        let clock = Arc::clone(&shared.clock);
        let now: Now = Arc::new(move || clock.now_ms());
        let mut functions = Arc::new(Arc::unwrap_or_clone(options.functions).with_clock(&now));
        if properties.loads_functions() {
            functions = with_plugins(functions, properties.extension_folder(), &shared.server);
        }
        let catalog = Catalog::with_functions(functions);
        let core = Core { log: Some(log), catalog, queries, ..Core::default() };
        let inner = Arc::new(Inner { core: Mutex::new(core), shared });
        let mut engine = Self { inner, follower: None, keeper: None, log_writer: None, registry_server: None };
        engine.replay()?;
        engine.create_log_stream()?;
        if options.threads {
            engine.keeper = Keeper::start(&engine.inner);
            engine.log_writer = LogWriter::start(&engine.inner);
        }
        if follows {
            engine.follow();
        }
        Ok(engine)
    }

    /// Executes the command log: the catalog and the queries are as they were.
    fn replay(&self) -> Result<(), EngineError> {
        let mut core = self.lock();
        for (number, command) in core.log()?.read()? {
            core.note(number, &command);
            if command.replayed {
                recording::replay(&self.inner.shared, &mut core, number, &command).map_err(|error| {
                    EngineError::new(format!("cannot restore '{}': {error}", show::one_line(&command.statement)))
                })?;
            }
        }
        core.load_libraries(&self.inner.shared);
        core.start_queries(&self.inner.shared)?;
        let queries = &core.queries;
        Ok(self.inner.shared.runtime.remove_unknown_state(&|id| queries.get(id).is_some())?)
    }

    /// Starts the thread that carries out what other servers append to the command log.
    fn follow(&mut self) {
        let (stop, inner) = (Arc::new(AtomicBool::new(false)), Arc::clone(&self.inner));
        let flag = Arc::clone(&stop);
        let follow = move || {
            while !flag.load(Ordering::Acquire) {
                let followed = inner.follow();
                inner.shared.follows.store(followed.is_ok(), Ordering::Relaxed);
                if let Err(error) = followed {
                    tracing::error!("what other servers have changed cannot be learnt, trying again: {error}");
                    inner.shared.pause(FOLLOWING_AGAIN);
                }
                std::thread::park_timeout(FOLLOWING);
            }
        };
        let thread = std::thread::Builder::new().name("command-log".to_owned()).stack_size(STACK_BYTES).spawn(follow);
        self.follower = Some((stop, thread.expect("the system can start a thread")));
    }

    /// Executes the statements of `text` in order. Stops at the first that fails; the responses so far are given to
    /// `show` as they come. The whole text is parsed before anything is executed.
    pub fn execute(
        &self,
        session: &mut Session,
        text: &str,
        show: &mut dyn FnMut(Response),
    ) -> Result<(), EngineError> {
        let statements = parse_statements(text)?;
        self.inner.shared.sweep_pushes();
        statements.iter().try_for_each(|parsed| self.execute_parsed(session, parsed, show))
    }

    /// Executes one statement that was parsed before. Its errors have a place: their own, or where it begins.
    pub fn execute_parsed(
        &self,
        session: &mut Session,
        parsed: &ParsedStatement,
        show: &mut dyn FnMut(Response),
    ) -> Result<(), EngineError> {
        self.executed(session, parsed, show).map_err(|error| error.at(parsed.span))
    }

    fn executed(
        &self,
        session: &mut Session,
        parsed: &ParsedStatement,
        show: &mut dyn FnMut(Response),
    ) -> Result<(), EngineError> {
        let shared = &self.inner.shared;
        let parsed = session::with_variables(shared, parsed.clone(), session)?;
        if let Statement::Query(_) | Statement::Read(_) = parsed.statement {
            show(reads::query(shared, session, &parsed)?);
            return Ok(());
        }
        execute::parsed(&self.inner, session, Author::CLIENT, &parsed, show)
    }

    /// Asks `analyze` about the catalog as it is now, with the settings that a client of `session` works under.
    pub fn analyze<T>(&self, session: &Session, analyze: impl FnOnce(&Catalog, &Settings<'_>) -> T) -> T {
        let core = self.lock();
        let properties = self.inner.shared.properties(&session.properties);
        let topics = Known::new(&*self.inner.shared.topics);
        let query_number = core.next_command;
        analyze(
            &core.catalog,
            &Settings {
                properties: properties.values(),
                topics: &topics,
                query_number,
                plans: &core.plans,
                libraries: &Installed(&self.inner.shared.server),
            },
        )
    }

    /// Persistent queries with the topics of their sources, each once, in order of creation.
    pub fn query_topics(&self) -> Vec<(String, Vec<String>)> {
        self.lock().queries.source_topics()
    }

    /// Applies a file of statements headless: all are checked before the first takes effect; statements that this data
    /// directory has applied from a file before are not applied twice.
    pub fn apply_file(&self, text: &str, show: &mut dyn FnMut(Response)) -> Result<(), EngineError> {
        file::apply(&self.inner, text, show)
    }

    /// What `text`, a file that says all that is to run, would change against what runs: nothing is done.
    ///
    /// # Errors
    /// A statement that is wrong, or that cannot stand in such a file. A change that is not possible is none: the plan says so.
    pub fn plan_file(&self, text: &str) -> Result<FilePlan, EngineError> {
        headless::plan(&self.inner, text)
    }

    /// Makes what runs what `text` says, a file that says all that is to run: what is new is created, what has changed is replaced
    /// in place, what a former version of the file has made and this one lacks is dropped, its topic kept. All is checked before
    /// the first change, and nothing is done if one of them is not possible.
    ///
    /// # Errors
    /// As [`Engine::plan_file`]; a change that is not possible, with both definitions.
    pub fn apply_whole_file(&self, text: &str, show: &mut dyn FnMut(Response)) -> Result<FilePlan, EngineError> {
        headless::apply(&self.inner, text, headless::FileKind::Whole, show)
    }

    /// As [`Engine::apply_whole_file`], for a file that is still being written: it may have no queries yet, and INSERT VALUES, which
    /// [`Engine::apply_records`] does.
    pub fn apply_draft(&self, text: &str, show: &mut dyn FnMut(Response)) -> Result<FilePlan, EngineError> {
        headless::apply(&self.inner, text, headless::FileKind::Draft, show)
    }

    /// Does the INSERT VALUES of `text` that were not done yet, and nothing else of it.
    pub fn apply_records(&self, text: &str, show: &mut dyn FnMut(Response)) -> Result<(), EngineError> {
        file::apply_records(&self.inner, text, show)
    }

    /// Figures of all persistent queries, in order of creation.
    pub fn queries(&self) -> Vec<QueryStatus> {
        self.lock().queries.status(&*self.inner.shared.topics)
    }

    /// The persistent queries in order of creation with their states, and the push queries of this server.
    pub fn outlines(&self) -> (Vec<QueryOutline>, Vec<PushOutline>) {
        facts::outlines(&self.inner.shared, &self.lock())
    }

    /// All that is known of those of the queries `ids` that there are.
    pub fn query_facts(&self, session: &Session, ids: &[QueryId]) -> Vec<QueryFacts> {
        facts::queries(&self.inner.shared, &self.lock(), session, ids)
    }

    /// What is known of the query of `parsed`, if it has one that can be planned as things are; nothing is started.
    pub fn explain_facts(&self, session: &Session, parsed: &ParsedStatement) -> Option<ExplainFacts> {
        let shared = &self.inner.shared;
        facts::explained(shared, session, &session::with_variables(shared, parsed.clone(), session).ok()?)
    }

    /// Topics by name; those that are hidden (`ksql.hidden.topics`) only if `all` are asked for.
    pub fn topics(&self, session: &Session, all: bool) -> Result<Vec<TopicInfo>, EngineError> {
        facts::topics(&self.inner.shared, session, all)
    }

    /// The topic `name`, if it is there.
    pub fn topic(&self, name: &str) -> Result<Option<TopicInfo>, EngineError> {
        Ok(self.inner.shared.topics.describe(name)?)
    }

    /// Who reads topics: the queries of this server and, on a cluster, all consumer groups.
    pub fn consumers(&self) -> Result<Vec<TopicConsumers>, EngineError> {
        let here = self.lock().queries.consumers();
        facts::consumers(&self.inner.shared, here)
    }

    /// Whether the statements could be executed in this order, as far as that can be known before.
    pub fn check(&self, session: &Session, statements: &[ParsedStatement]) -> Result<(), EngineError> {
        let view = View::of(&self.lock());
        file::check_session(&self.inner.shared, view, session, statements)
    }

    /// Sequence number of the next command: all before it were carried out here.
    pub fn next_command(&self) -> u64 {
        self.lock().next_command
    }

    /// A property of the server by its name without prefix.
    pub fn property(&self, name: &str) -> Option<String> {
        self.inner.shared.properties(&BTreeMap::new()).values().get(name).cloned()
    }

    /// The properties of the server by their names without prefix.
    pub fn properties(&self) -> BTreeMap<String, String> {
        self.inner.shared.properties(&BTreeMap::new()).values().clone()
    }

    /// What the server and its consumer groups are called by: `ksql.service.id`.
    pub fn service_id(&self) -> String {
        self.inner.shared.properties(&BTreeMap::new()).service_id().to_owned()
    }

    /// Id of the cluster that has the topics.
    pub fn cluster_id(&self) -> String {
        self.inner.shared.topics.cluster_id()
    }

    /// Whether topics can be asked for.
    pub fn check_topics(&self) -> Result<(), EngineError> {
        Ok(self.inner.shared.topics.list().map(drop)?)
    }

    /// Whether what other servers change was learnt when it was last asked for; always so where there are none.
    pub fn follows_commands(&self) -> bool {
        self.inner.shared.follows.load(Ordering::Relaxed)
    }

    /// Whether a session may set the property `name`.
    pub fn check_property(&self, name: &str) -> Result<(), EngineError> {
        let server = &self.inner.shared.server;
        let checked = configuration::check_name(name).and_then(|()| configuration::check_override(server, name));
        checked.map_err(|error| EngineError::new(error.to_string()))
    }

    /// Whether `session` may set what it sets. Properties that nobody knows change nothing.
    pub fn check_overrides(&self, session: &Session) -> Result<(), EngineError> {
        let server = &self.inner.shared.server;
        let refused = session.properties.keys().find_map(|name| configuration::check_override(server, name).err());
        refused.map_or(Ok(()), |error| Err(EngineError::new(error.to_string())))
    }

    /// Ends the push query `id`; whether there was one.
    pub fn close_push(&self, id: &str) -> bool {
        let found = self.inner.shared.pushes.find(id);
        found.map(|push| push.queue.end(PushEnd::Stopped)).is_some()
    }

    /// How long the engine's clock has run.
    pub fn elapsed(&self) -> Duration {
        self.inner.shared.clock.elapsed()
    }

    /// The clock of the engine, in milliseconds since the epoch.
    pub fn now_ms(&self) -> i64 {
        self.inner.shared.clock.now_ms()
    }

    /// The catalog as it is now.
    pub fn catalog(&self) -> Catalog {
        self.inner.shared.view().catalog.clone()
    }

    /// Processes everything there is and returns when nothing has arrived for `idle`, or `interrupted` says stop.
    /// `progress` is called about ten times a second.
    pub fn run_until_idle(
        &self,
        idle: Duration,
        interrupted: &dyn Fn() -> bool,
        progress: &mut dyn FnMut(&[QueryStatus]),
    ) {
        const PROGRESS_INTERVAL: Duration = Duration::from_millis(100);
        let shared = &self.inner.shared;
        shared.runtime.set_eager(true);
        let mut version = shared.topics.version();
        let mut idle_since = shared.clock.elapsed();
        let mut shown = Duration::ZERO;
        while !interrupted() {
            let now = shared.clock.elapsed();
            let current = shared.topics.version();
            if current != version || !shared.runtime.is_idle() {
                version = current;
                idle_since = now;
            } else if now.saturating_sub(idle_since) >= idle {
                break;
            }
            if now.saturating_sub(shown) >= PROGRESS_INTERVAL {
                shown = now;
                progress(&self.queries());
                self.maintain();
            }
            shared.topics.wait(current, idle.clamp(Duration::from_millis(1), Duration::from_millis(10)));
        }
        progress(&self.queries());
        shared.runtime.set_eager(false);
    }

    /// Runs the tasks of `query`, or of all queries, on this thread until nothing is left. Only without threads.
    pub fn settle(&self, query: Option<&str>) -> Result<(), EngineError> {
        self.inner.shared.sweep_pushes();
        loop {
            self.inner.shared.runtime.settle(query)?;
            // A query may read the log.
            if !self.inner.write_log() {
                return Ok(());
            }
        }
    }

    /// Hands records to the tasks of `query` that read `topic`, instead of letting them fetch it. Only without threads.
    pub fn feed(&self, query: &str, topic: &str, chunk: &crate::types::RecordChunk) {
        self.inner.shared.runtime.feed(query, topic, chunk);
    }

    /// Removes old records, looks after topics that change under queries and tries queries again that could not start: now and
    /// then, however often it is called.
    pub fn maintain(&self) {
        if self.inner.shared.upkeep_is_due() {
            upkeep::run(&self.inner);
        }
    }

    /// Names for completion and hints: streams, tables, functions of users, topics.
    pub fn names(&self) -> Vec<String> {
        let catalog = self.catalog();
        let mut names: Vec<String> = catalog.sources().map(|source| source.name.clone()).collect();
        names.extend(catalog.defined_functions().map(|function| function.name.clone()));
        if let Ok(topics) = self.inner.shared.topics.list() {
            names.extend(topics.into_iter().map(|topic| topic.name));
        }
        names
    }

    /// Commits what is processed and stops all queries; they continue at the next open.
    pub fn shutdown(self) {
        drop(self);
    }

    fn lock(&self) -> Held<'_> {
        self.inner.lock()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if let Some((stop, thread)) = self.follower.take() {
            stop.store(true, Ordering::Release);
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the thread that follows the command log has died");
            }
        }
        // As long as there are workers: they end the tasks of what nobody listens to any more.
        match self.keeper.take() {
            Some(keeper) => keeper.close(&self.inner.shared.pushes),
            None => self.inner.shared.sweep_pushes(),
        }
        self.inner.shared.runtime.shutdown();
        if let Some(writer) = self.log_writer.take() {
            writer.stop();
        }
        self.inner.write_log();
    }
}

impl Inner {
    fn lock(&self) -> Held<'_> {
        Held { core: self.core.lock().unwrap_or_else(PoisonError::into_inner), shared: &self.shared }
    }

    /// Carries out what other servers have appended to the command log.
    fn follow(&self) -> Result<(), EngineError> {
        let mut core = self.lock();
        if core.log()?.has_more()? {
            core.catch_up(&self.shared)?;
        }
        Ok(())
    }
}

impl Shared {
    fn upkeep_is_due(&self) -> bool {
        let now = self.clock.elapsed().as_millis() as u64;
        let last = self.maintained_ms.load(Ordering::Relaxed);
        let is_due = now.saturating_sub(last) >= self.upkeep_interval.as_millis() as u64;
        if is_due {
            self.maintained_ms.store(now, Ordering::Relaxed);
        }
        is_due
    }

    fn properties(&self, session: &BTreeMap<String, String>) -> Properties {
        Properties::new(&self.server, session)
    }

    /// The server's own properties that analysis asks for.
    fn asked_properties(&self) -> BTreeMap<String, String> {
        let asked = |(name, _): &(&String, &String)| {
            let is_asked = ASKED_PROPERTIES.contains(&name.as_str()) || name.starts_with(FUNCTION_PROPERTIES);
            is_asked && !configuration::is_secret(name)
        };
        self.server.iter().filter(asked).map(|(name, value)| (name.clone(), value.clone())).collect()
    }

    /// Without threads: ends push queries that nobody reads any more, and removes what they have left.
    fn sweep_pushes(&self) {
        pushes::sweep(self);
    }

    /// Waits for other servers.
    fn pause(&self, duration: Duration) {
        std::thread::park_timeout(duration);
    }
}

impl Core {
    fn log(&mut self) -> Result<&mut CommandLog, EngineError> {
        self.log.as_mut().ok_or_else(|| EngineError::new("the command log is closed"))
    }

    /// How often what can be read has changed.
    fn changes(&self) -> u64 {
        self.catalog_changes + self.queries.changes()
    }
}

#[cfg(test)]
mod key_hash_tests;
#[cfg(test)]
mod read_tests;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod whole_tests;
