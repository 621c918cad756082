//! What a statement costs before anything runs: read, planned, entered into the catalog, ten thousand times over.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use levada::catalog::{Catalog, QueryId};
use levada::plan::{self, NoLibraries, Planned, Settings, SharedPlan, TopicFacts};
use levada::sql::parse_statements;

use crate::cpu::CpuTimer;

const STATEMENTS: usize = 10_000;
const GROUP: usize = 1_000;

/// All of them take no longer.
const GOAL: Duration = Duration::from_secs(5);
/// The last group takes no longer than so often the first.
const GROWTH_MAX: f64 = 1.5;

const SOURCE: &str = "
CREATE STREAM events (account STRING KEY, id BIGINT, region STRING, kind STRING, quantity INT, price BIGINT)
  WITH (KAFKA_TOPIC = 'events', PARTITIONS = 4, VALUE_FORMAT = 'JSON');
";

/// What exists so far.
#[derive(Default)]
struct World {
    catalog: Catalog,
    topics: HashMap<String, TopicFacts>,
    plans: HashMap<QueryId, SharedPlan>,
    properties: BTreeMap<String, String>,
    statements: u64,
}

impl plan::PlanLookup for World {
    fn plan(&self, id: &QueryId) -> Option<SharedPlan> {
        self.plans.get(id).cloned()
    }
}

impl World {
    /// Plans the statements of `text` and enters them into the catalog, on a copy as the engine does.
    fn execute(&mut self, text: &str) {
        for parsed in parse_statements(text).expect("the statements are well-formed") {
            let topics = |topic: &str| self.topics.get(topic).copied();
            let settings = Settings {
                properties: &self.properties,
                topics: &topics,
                plans: self,
                libraries: &NoLibraries,
                query_number: self.statements,
            };
            let planned = plan::analyze(&parsed, &self.catalog, &settings).expect("the statements are correct");
            let mut catalog = self.catalog.clone();
            match planned {
                Planned::CreateSource(create) => {
                    self.topics.insert(create.source.topic.clone(), TopicFacts::with_partitions(4));
                    catalog.add_source(create.source, false).expect("the name is new");
                }
                Planned::CreateAs(create) => {
                    self.topics.insert(create.topic.name.clone(), TopicFacts::with_partitions(4));
                    self.plans.insert(create.query_info.id.clone(), create.query.into());
                    catalog.add_source(create.source, false).expect("the name is new");
                    catalog.add_query(create.query_info);
                }
                other => unreachable!("there are no other statements: {other:?}"),
            }
            self.catalog = catalog;
            self.statements += 1;
        }
    }
}

/// The `number`-th statement: most read the one stream, every tenth the result of another.
fn statement(number: usize) -> String {
    let from = if number % 10 == 9 { format!("filtered_{}", number - 1) } else { "events".to_owned() };
    format!(
        "CREATE STREAM filtered_{number} AS SELECT account, id, region, price * quantity AS price, quantity \
         FROM {from} WHERE quantity >= {} AND region <> 'none' EMIT CHANGES;",
        number % 50
    )
}

/// Prints the times; whether the goals are met.
pub fn report() -> bool {
    let mut world = World::default();
    world.execute(SOURCE);
    let texts: Vec<String> = (0..STATEMENTS).map(statement).collect();
    let groups: Vec<Duration> = texts
        .chunks(GROUP)
        .map(|texts| {
            let timer = CpuTimer::start();
            texts.iter().for_each(|text| world.execute(text));
            timer.elapsed()
        })
        .collect();
    let all: Duration = groups.iter().sum();
    let (first, last) = (groups[0], groups[groups.len() - 1]);
    let growth = last.as_secs_f64() / first.as_secs_f64();
    println!("\n{STATEMENTS} CREATE STREAM … AS SELECT, read and planned; CPU time\n");
    println!("| statements | time | goal |\n|---|--:|--:|");
    println!("| all | {:.2} s | {} s |", all.as_secs_f64(), GOAL.as_secs());
    println!("| the first {GROUP} | {:.0} ms | |", first.as_secs_f64() * 1e3);
    println!("| the last {GROUP} | {:.0} ms, {growth:.2} × the first | {GROWTH_MAX:.2} × |", last.as_secs_f64() * 1e3);
    all <= GOAL && growth <= GROWTH_MAX
}
