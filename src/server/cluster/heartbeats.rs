//! Who of the other servers lives, as heard: `ksql.heartbeat.*`.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What was heard of other servers, and how often is told and looked.
#[derive(Debug)]
pub struct Heartbeats {
    /// Whether servers tell each other that they live; else all do that belong to the service.
    pub is_on: bool,
    /// How often this server says that it lives.
    pub send: Duration,
    /// How often is looked who is silent.
    pub check: Duration,
    /// What was heard longer ago does not count.
    pub window: Duration,
    /// So many heartbeats in a row may be missing.
    pub missed: u32,
    /// By `host:port`.
    pub heard: Mutex<BTreeMap<String, Heard>>,
}

/// What was heard of one server, on the clock's elapsed time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Heard {
    since: Duration,
    last: Option<Duration>,
    /// Whether it lives.
    pub is_alive: bool,
    /// When that was last looked at, in milliseconds since the epoch.
    pub looked_ms: i64,
}

impl Heartbeats {
    /// `host` has said at `now` that it lives.
    pub fn note(&self, host: &str, now: Duration) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        let new = Heard { since: now, last: None, is_alive: true, looked_ms: 0 };
        heard.entry(host.to_owned()).or_insert(new).last = Some(now);
    }

    /// Looks who of `hosts`, the servers there should be, is silent; others are forgotten.
    pub fn look(&self, hosts: &[String], now: Duration, now_ms: i64) {
        let mut heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.retain(|host, _| hosts.contains(host));
        for host in hosts {
            let new = Heard { since: now, last: None, is_alive: true, looked_ms: now_ms };
            let known = heard.entry(host.clone()).or_insert(new);
            // One that is new gets the whole window to be heard at all.
            let patience = if known.last.is_some() { (self.send * self.missed).min(self.window) } else { self.window };
            let was_alive = known.is_alive;
            known.is_alive = now.saturating_sub(known.last.unwrap_or(known.since)) < patience;
            known.looked_ms = now_ms;
            if was_alive != known.is_alive {
                let word = if was_alive { "is silent" } else { "is heard again" };
                tracing::info!("server {host} {word}");
            }
        }
    }

    /// Whether `host` lives, as far as is known.
    pub fn is_alive(&self, host: &str) -> bool {
        !self.is_on || self.of(host).is_none_or(|heard| heard.is_alive)
    }

    /// What is known of `host`.
    pub fn of(&self, host: &str) -> Option<Heard> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(host).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(milliseconds: u64) -> Duration {
        Duration::from_millis(milliseconds)
    }

    #[test]
    fn a_server_is_dead_after_so_many_missed_heartbeats_and_alive_when_it_is_heard() {
        let (send, check, window) = (ms(100), ms(200), ms(2000));
        let heartbeats = Heartbeats { is_on: true, send, check, window, missed: 3, heard: Mutex::default() };
        let hosts = ["a:1".to_owned(), "b:1".to_owned()];
        let look = |at: u64| {
            heartbeats.look(&hosts, ms(at), at as i64);
            ["a:1", "b:1"].map(|host| heartbeats.is_alive(host))
        };
        assert_eq!(look(0), [true, true], "nobody was heard yet");
        heartbeats.note("a:1", ms(1500));
        assert_eq!(look(1799), [true, true]);
        assert_eq!(look(1800), [false, true], "three are missing; the other one has the whole window");
        assert_eq!(look(2000), [false, false]);
        heartbeats.note("a:1", ms(2050));
        assert_eq!(look(2100), [true, false]);
        heartbeats.look(&hosts[..1], ms(2200), 2200);
        assert_eq!(heartbeats.of("b:1"), None, "it does not belong to the service any more");
    }
}
