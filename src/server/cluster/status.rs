//! `/clusterStatus`: the servers of the service, who lives, and what each has.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use serde_json::{Map, Value, json};

use super::super::{Endpoint, Server, json_answer, working};
use super::HostLags;
use crate::engine::{QueryShare, TaskShare};

/// Tells of all servers.
pub async fn cluster_status(State(server): State<Arc<Server>>) -> Endpoint {
    let status = working(move || {
        let now_ms = server.engine.now_ms();
        let (cluster, own) = (&server.cluster, server.engine.server_id().unwrap_or_default());
        let members = cluster.members(&server.engine);
        let mut shares = server.engine.shares();
        // Also while the servers have not agreed.
        shares.entry(own.to_owned()).or_default();
        let host = |(id, queries): (String, BTreeMap<Arc<str>, QueryShare>)| {
            let is_own = id == own;
            let member = members.get(&id);
            // Who serves no HTTP cannot be asked.
            let name = if is_own { cluster.host() } else { member?.origin.authority() };
            let heard = cluster.heartbeats.of(&name);
            let is_alive = is_own || (cluster.heartbeats.is_alive(&name) && member.is_some_and(|one| !one.leaves));
            let looked_ms = heard.filter(|_| !is_own).map_or(now_ms, |heard| heard.looked_ms);
            let lags = if cluster.lags.is_on { cluster.lags.of(&name) } else { HostLags::default() };
            Some((name, host_status(is_alive, looked_ms, &queries, &lags)))
        };
        let hosts: Map<String, Value> = shares.into_iter().filter_map(host).collect();
        json!({"clusterStatus": hosts})
    });
    Ok(json_answer("application/json", &status.await?))
}

fn host_status(is_alive: bool, looked_ms: i64, queries: &BTreeMap<Arc<str>, QueryShare>, lags: &HostLags) -> Value {
    let queries: Map<String, Value> = queries.iter().map(|(query, share)| (query.to_string(), placed(share))).collect();
    json!({
        "hostAlive": is_alive,
        "lastStatusUpdateMs": looked_ms,
        "activeStandbyPerQuery": queries,
        "hostStoreLags": lags.to_json(),
    })
}

fn placed(share: &QueryShare) -> Value {
    let partitions = |share: &TaskShare| -> Value {
        let partitions = share.partitions.iter();
        partitions.map(|place| json!({"topic": &*place.topic, "partition": place.partition})).collect()
    };
    json!({
        "activeStores": share.active.stores,
        "activePartitions": partitions(&share.active),
        "standByStores": share.standby.stores,
        "standByPartitions": partitions(&share.standby),
    })
}
