//! Pull queries of which other servers have rows: who is asked for which partition, and what is made of the answers.
//!
//! ```text
//! partition ─▶ candidates: who runs it, then who keeps its state at hand (if that is allowed, alive and near enough)
//!   rounds: the next candidate of each partition, all at once ─▶ rows │ cannot: its next candidate │ refused: the answer of all
//! ```
//!
//! Where nobody is left the servers may be about to place tasks anew: they are looked up once more, a little later.

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::http::header::ACCEPT;
use axum::http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::super::problem::{Code, Problem};
use super::super::request::{ARROW, StatementRequest};
use super::super::{Server, working};
use super::lags::store_name;
use super::members::Member;
use super::wire;
use crate::engine::{EngineError, ResultRows, Role, RoutedPull, StoreOwners};
use crate::http::Ask;

/// How long to wait before the owners are looked up again.
const AGAIN: Duration = Duration::from_millis(100);

/// What is asked in a client's name.
pub struct Forwarded {
    /// The request as it came.
    pub request: StatementRequest,
    /// Who asks, as it was said.
    pub authorization: Option<HeaderValue>,
}

/// Who may be asked for a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Candidate {
    /// This server.
    Own,
    /// Another one.
    Other(Member),
}

/// A partition that has not been answered.
struct Open {
    partition: u32,
    candidates: VecDeque<Candidate>,
    /// Why nobody has answered so far.
    reasons: Vec<String>,
}

/// Why there is no answer.
enum Miss {
    /// Another server may have one.
    Next(String),
    /// All would say the same.
    Final(Box<Problem>),
}

/// The rows of `pull`, from whoever has them.
pub async fn gather(server: &Arc<Server>, pull: RoutedPull, forwarded: Forwarded) -> Result<ResultRows, Problem> {
    let _pulling = server.pull_limits.count();
    let forwarded = Arc::new(forwarded);
    match ask_all(server, &pull, &forwarded).await {
        Ok(parts) => {
            let rows = server.engine.gathered(pull, Some(parts));
            rows.ok_or_else(|| Problem::new(Code::SERVER_ERROR, "the rows of other servers are lost"))
        }
        Err(problem) => {
            server.engine.gathered(pull, None);
            Err(problem)
        }
    }
}

/// The rows of `pull` from whoever has them, a part for each server that was asked.
pub async fn ask_all(
    server: &Arc<Server>,
    pull: &RoutedPull,
    forwarded: &Arc<Forwarded>,
) -> Result<Vec<ResultRows>, Problem> {
    let mut parts = BTreeMap::new();
    let lag_max = server.engine.lag_max(&forwarded.request.session())?;
    let mut open: Vec<Open> = pull.owners.iter().map(|owners| server.open(pull, owners, lag_max)).collect();
    let mut again = true;
    while !open.is_empty() {
        if open.iter().any(|one| one.candidates.is_empty()) {
            if !std::mem::take(&mut again) {
                return Err(nobody_left(pull, &open));
            }
            tokio::time::sleep(AGAIN).await;
            open = looked_up_again(server, pull, forwarded, (open, lag_max)).await?;
            continue;
        }
        open = round(server, pull, forwarded, open, &mut parts).await?;
    }
    Ok(parts.into_values().collect())
}

/// Asks the next candidates of all partitions; those that are still open afterwards.
async fn round(
    server: &Arc<Server>,
    pull: &RoutedPull,
    forwarded: &Arc<Forwarded>,
    open: Vec<Open>,
    parts: &mut BTreeMap<u32, ResultRows>,
) -> Result<Vec<Open>, Problem> {
    let mut groups: Vec<(Candidate, Vec<Open>)> = Vec::new();
    for mut one in open {
        let Some(candidate) = one.candidates.pop_front() else { continue };
        match groups.iter_mut().find(|(known, _)| *known == candidate) {
            Some((_, partitions)) => partitions.push(one),
            None => groups.push((candidate, vec![one])),
        }
    }
    let asked = groups.into_iter().map(|(candidate, group)| async move {
        let partitions: Vec<u32> = group.iter().map(|one| one.partition).collect();
        (candidate.ask(server, pull, forwarded, partitions).await, group)
    });
    let mut left = Vec::new();
    for (answer, group) in futures_util::future::join_all(asked).await {
        match answer {
            // In the order of partitions, as one server would answer.
            Ok(rows) => drop(parts.insert(group.first().map_or(0, |one| one.partition), rows)),
            Err(Miss::Final(problem)) => return Err(*problem),
            Err(Miss::Next(reason)) => left.extend(group.into_iter().map(|mut one| {
                one.reasons.push(reason.clone());
                one
            })),
        }
    }
    Ok(left)
}

/// The open partitions with the candidates there are now.
async fn looked_up_again(
    server: &Arc<Server>,
    pull: &RoutedPull,
    forwarded: &Arc<Forwarded>,
    (open, lag_max): (Vec<Open>, Option<u64>),
) -> Result<Vec<Open>, Problem> {
    let (asked, request) = (Arc::clone(server), Arc::clone(forwarded));
    let owners = working(move || {
        let text = request.request.text()?.to_owned();
        let owners = asked.engine.pull_owners(&request.request.session(), &text).transpose();
        owners.map_err(|error| Problem::of_statement(error, &text, Vec::new()))
    });
    let owners = owners.await??.unwrap_or_default();
    Ok(open
        .into_iter()
        .map(|one| match owners.iter().find(|owners| owners.partition == one.partition) {
            Some(owners) => Open { reasons: one.reasons, ..server.open(pull, owners, lag_max) },
            None => one,
        })
        .collect())
}

fn nobody_left(pull: &RoutedPull, open: &[Open]) -> Problem {
    let mut text = format!("the rows of {} cannot be had at the moment:", pull.query);
    for one in open.iter().filter(|one| one.candidates.is_empty()) {
        let reasons = if one.reasons.is_empty() { "no server has it yet".to_owned() } else { one.reasons.join("; ") };
        let written = write!(text, " partition {}: {reasons}.", one.partition);
        debug_assert!(written.is_ok(), "memory can be written to");
    }
    let hint = "a server takes over in a few seconds; with num.standby.replicas and ksql.query.pull.enable.standby.reads others answer \
                meanwhile";
    Problem { hint: Some(hint.to_owned()), ..Problem::new(Code::NOT_READY, text) }
}

impl Server {
    /// Who may be asked for the partition of `owners`, best first, and why others may not.
    fn open(&self, pull: &RoutedPull, owners: &StoreOwners, lag_max: Option<u64>) -> Open {
        let (engine, cluster) = (&self.engine, &self.cluster);
        let (members, own) = (cluster.members(engine), engine.server_id().unwrap_or_default());
        let mut open = Open { partition: owners.partition, candidates: VecDeque::new(), reasons: Vec::new() };
        let active = owners.active.iter().map(|id| (id, Role::Active));
        let standbys = owners.standbys.iter().map(|id| (id, Role::Standby));
        for (id, role) in active.chain(standbys) {
            if role == Role::Standby && !cluster.standby_reads {
                continue;
            }
            if id == own {
                // Whether it may answer, and why not, it says itself.
                open.candidates.push_back(Candidate::Own);
                continue;
            }
            match members.get(id) {
                None => open.reasons.push(format!("server {id} has not said where it is reached")),
                Some(member) if member.leaves => open.reasons.push(format!("server {} is stopping", member.origin)),
                Some(member) if !cluster.heartbeats.is_alive(&member.origin.authority()) => {
                    open.reasons.push(format!("server {} is silent", member.origin));
                }
                Some(member) => {
                    let limit = lag_max.filter(|_| role == Role::Standby && cluster.lags.is_on);
                    match limit.and_then(|limit| self.too_far(pull, owners.partition, member, limit)) {
                        Some(reason) => open.reasons.push(reason),
                        None => open.candidates.push_back(Candidate::Other(member.clone())),
                    }
                }
            }
        }
        open
    }

    /// Why the copy of `member` may not be read, if it has said so; it looks itself, too.
    fn too_far(&self, pull: &RoutedPull, partition: u32, member: &Member, limit: u64) -> Option<String> {
        let host = member.origin.authority();
        match self.cluster.lags.lag(&host, &store_name(&pull.group, &pull.store), partition) {
            Some(lag) if lag <= limit => None,
            Some(lag) => Some(format!("server {} lacks {lag} records", member.origin)),
            None => Some(format!("server {} has not said how many records it lacks", member.origin)),
        }
    }
}

impl Candidate {
    async fn ask(
        &self,
        server: &Arc<Server>,
        pull: &RoutedPull,
        forwarded: &Arc<Forwarded>,
        partitions: Vec<u32>,
    ) -> Result<ResultRows, Miss> {
        match self {
            Self::Own => own_rows(server, forwarded, partitions).await,
            Self::Other(member) => other_rows(server, pull, forwarded, member, &partitions).await,
        }
    }
}

async fn own_rows(server: &Arc<Server>, forwarded: &Arc<Forwarded>, partitions: Vec<u32>) -> Result<ResultRows, Miss> {
    let (asked, forwarded) = (Arc::clone(server), Arc::clone(forwarded));
    let rows = working(move || {
        let text = forwarded.request.text()?;
        let rows = asked.engine.pull_of(&forwarded.request.session(), text, &partitions);
        let gone = || Err(EngineError::new("the statement is no pull query of a table any more"));
        rows.unwrap_or_else(gone).map_err(|error| Problem::of_statement(error, text, Vec::new()))
    });
    rows.await.and_then(|rows| rows).map_err(|problem| match problem.code {
        Code::NOT_READY => Miss::Next(format!("here: {}", problem.message)),
        _ => Miss::Final(Box::new(problem)),
    })
}

async fn other_rows(
    server: &Server,
    pull: &RoutedPull,
    forwarded: &Forwarded,
    member: &Member,
    partitions: &[u32],
) -> Result<ResultRows, Miss> {
    // It may not have seen the statements that this server has.
    let command = server.engine.next_command().checked_sub(1);
    let body = forwarded.request.forwarded(partitions, command).to_string();
    let mut ask = Ask::json("/query-stream", body, forwarded.authorization.as_ref());
    ask.headers.insert(ACCEPT, HeaderValue::from_static(ARROW));
    let cannot = |reason: &dyn std::fmt::Display| Miss::Next(format!("server {}: {reason}", member.origin));
    let reply = server.cluster.client.post(&member.origin, &ask, server.cluster.forwarding).await;
    let reply = reply.map_err(|error| cannot(&error))?;
    if reply.status != StatusCode::OK {
        return Err(refusal(reply.status, &reply.body, cannot));
    }
    let batches = wire::decode(&reply.body, &pull.columns).map_err(|reason| cannot(&reason))?;
    Ok(ResultRows { columns: pull.columns.clone(), roles: pull.roles.clone(), batches, end: None })
}

/// What the answer of a server means that is no rows.
fn refusal(status: StatusCode, body: &[u8], cannot: impl Fn(&dyn std::fmt::Display) -> Miss) -> Miss {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let message = body.get("message").and_then(Value::as_str).unwrap_or_default();
    if status.is_server_error() {
        return cannot(&if message.is_empty() { status.to_string() } else { message.to_owned() });
    }
    let code =
        body.get("error_code").and_then(Value::as_u64).map_or(u32::from(status.as_u16()) * 100, |code| code as u32);
    let mut problem = Problem::new(Code(code), message);
    problem.hint = body.get("hint").and_then(Value::as_str).map(ToOwned::to_owned);
    if let Some(text) = body.get("statementText").and_then(Value::as_str) {
        problem.statement = Some(Box::new((text.to_owned(), Vec::new())));
    }
    Miss::Final(Box::new(problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(status: u16, body: &str) -> (bool, String) {
        let status = StatusCode::from_u16(status).expect("a status");
        match refusal(status, body.as_bytes(), |reason| Miss::Next(reason.to_string())) {
            Miss::Next(reason) => (true, reason),
            Miss::Final(problem) => (false, format!("{} {}", problem.code.0, problem.message)),
        }
    }

    #[test]
    fn who_cannot_answer_is_passed_over_and_who_refuses_is_heard() {
        assert_eq!(kind(503, r#"{"error_code": 50302, "message": "not here"}"#), (true, "not here".to_owned()));
        assert_eq!(kind(502, "<html>"), (true, "502 Bad Gateway".to_owned()));
        assert_eq!(kind(429, r#"{"error_code": 42900, "message": "slow"}"#), (false, "42900 slow".to_owned()));
        assert_eq!(kind(401, ""), (false, "40100 ".to_owned()));
        assert_eq!(kind(400, r#"{"error_code": 40001, "message": "no"}"#), (false, "40001 no".to_owned()));
    }
}
