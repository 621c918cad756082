//! What a server does for the others now and then: it tells that it lives and how far its copies are, and looks who is silent.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::time::{MissedTickBehavior, interval};

use super::super::{Server, working};
use super::members::Member;
use super::{HostLags, WORD};
use crate::http::Ask;

/// Starts what the properties ask for; nothing where there are no other servers. It ends with what is returned.
pub fn start(server: &Arc<Server>) -> std::io::Result<Option<Runtime>> {
    let cluster = &server.cluster;
    if server.engine.server_id().is_none() || !(cluster.heartbeats.is_on || cluster.lags.is_on) {
        return Ok(None);
    }
    let runtime = Builder::new_multi_thread().worker_threads(1).thread_name("cluster").enable_all().build()?;
    let heartbeats = &cluster.heartbeats;
    if heartbeats.is_on {
        runtime.spawn(every(heartbeats.send, Arc::clone(server), |server| async move { beat(&server).await }));
        runtime.spawn(every(heartbeats.check, Arc::clone(server), |server| async move { look(&server) }));
    }
    if cluster.lags.is_on {
        runtime.spawn(every(cluster.lags.send, Arc::clone(server), |server| async move { report(&server).await }));
    }
    Ok(Some(runtime))
}

/// Does `what` every `period`, and waits for it.
async fn every<F: Future<Output = ()>>(period: Duration, server: Arc<Server>, what: impl Fn(Arc<Server>) -> F) {
    let mut ticks = interval(period.max(Duration::from_millis(1)));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        what(Arc::clone(&server)).await;
    }
}

/// Says to all others that this server lives.
async fn beat(server: &Server) {
    let Some(own) = server.cluster.own.get() else { return };
    let host = json!({"host": own.host, "port": own.port});
    let body = json!({"hostInfo": host, "timestamp": server.engine.now_ms()});
    tell_all(server, "/heartbeat", &body, server.cluster.heartbeats.send.max(Duration::from_millis(100))).await;
}

/// Looks who is silent.
fn look(server: &Server) {
    let others = server.cluster.others(&server.engine);
    let hosts: Vec<String> = others.iter().map(|member| member.origin.authority()).collect();
    server.cluster.heartbeats.look(&hosts, server.engine.elapsed(), server.engine.now_ms());
}

/// Tells all others how far the copies here are.
async fn report(server: &Arc<Server>) {
    let asked = Arc::clone(server);
    let Ok(lags) = working(move || asked.engine.store_lags()).await else { return };
    let lags = HostLags::new(&lags, server.engine.now_ms());
    let Some(own) = server.cluster.own.get() else { return };
    let body = json!({"ksqlHost": {"host": own.host, "port": own.port}, "hostStoreLags": lags.to_json()});
    server.cluster.lags.note(&own.authority(), lags);
    let mut hosts: Vec<String> =
        server.cluster.others(&server.engine).iter().map(|member| member.origin.authority()).collect();
    hosts.push(own.authority());
    server.cluster.lags.keep(&hosts);
    tell_all(server, "/lag", &body, server.cluster.lags.send.max(Duration::from_secs(1))).await;
}

async fn tell_all(server: &Server, path: &'static str, body: &Value, patience: Duration) {
    let text = body.to_string();
    let others = server.cluster.others(&server.engine);
    let told = others.iter().map(|member| tell(server, member, path, &text, patience));
    futures_util::future::join_all(told).await;
}

async fn tell(server: &Server, member: &Member, path: &'static str, body: &str, patience: Duration) {
    let mut ask = Ask::json(path, body.to_owned(), None);
    ask.headers.insert(WORD, member.word.clone());
    match server.cluster.client.post(&member.origin, &ask, patience).await {
        Ok(reply) if reply.status.is_success() => {}
        Ok(reply) => tracing::debug!("server {} does not take {path}: {}", member.origin, reply.status),
        Err(error) => tracing::debug!("server {} cannot be told {path}: {error}", member.origin),
    }
}
