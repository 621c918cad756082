//! How much may be asked: pull queries at once, in a second and in an hour, and statements that change something.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::problem::{Code, Problem};

/// The property with the number of statements that change something.
pub const COMMANDS_PER_SECOND: &str = "ksql.server.command.topic.rate.limit";
const CONCURRENT: &str = "ksql.query.pull.max.concurrent.requests";
const PER_SECOND: &str = "ksql.query.pull.max.qps";
const HOURLY: &str = "ksql.query.pull.max.hourly.bandwidth.megabytes";
/// ksqlDB's word for no bound of bandwidth.
const HOURLY_NONE: u64 = 2_147_483_647;

fn too_many(what: &str, name: &str) -> Problem {
    Problem::new(Code::TOO_MANY_REQUESTS, format!("there are more {what} than {name} allows: try again"))
}

/// How many there may be in a second.
#[derive(Debug)]
pub struct Rate {
    name: &'static str,
    per_second: f64,
    /// When the second began, and how many there were in it.
    second: Mutex<(Duration, u64)>,
}

impl Rate {
    /// What `property` says by the name `name`.
    pub fn new(name: &'static str, property: impl Fn(&str) -> Option<String>) -> Self {
        let per_second = property(name).and_then(|value| value.trim().parse().ok()).unwrap_or(f64::INFINITY);
        Self { name, per_second, second: Mutex::default() }
    }

    /// A place for `count` more of `what`, by a clock that has run for `now`.
    pub fn take(&self, count: usize, what: &str, now: Duration) -> Result<(), Problem> {
        if self.per_second.is_infinite() || count == 0 {
            return Ok(());
        }
        let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
        if now.saturating_sub(second.0) >= Duration::from_secs(1) {
            *second = (now, 0);
        }
        second.1 += count as u64;
        if second.1 as f64 > self.per_second { Err(too_many(what, self.name)) } else { Ok(()) }
    }
}

/// How many pull queries there may be at once, in a second, and how much of their rows in an hour.
#[derive(Debug)]
pub struct PullLimits {
    concurrent: usize,
    running: AtomicUsize,
    rate: Rate,
    hour: Option<Hour>,
}

/// What was answered within the last hour, minute by minute.
#[derive(Debug)]
struct Hour {
    bytes_max: u64,
    minutes: Mutex<VecDeque<(u64, u64)>>,
}

impl Hour {
    fn bytes(&self, now: Duration, more: u64) -> u64 {
        let minute = now.as_secs() / 60;
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        while minutes.front().is_some_and(|(begun, _)| begun + 60 <= minute) {
            minutes.pop_front();
        }
        match minutes.back_mut() {
            Some((begun, bytes)) if *begun == minute => *bytes += more,
            _ if more > 0 => minutes.push_back((minute, more)),
            _ => {}
        }
        minutes.iter().map(|(_, bytes)| bytes).sum()
    }
}

/// A pull query that counts as long as this lives.
pub struct Pulling(Arc<PullLimits>);

impl Drop for Pulling {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::AcqRel);
    }
}

impl PullLimits {
    /// What `property` says, by name.
    pub fn new(property: impl Fn(&str) -> Option<String>) -> Self {
        let number = |name: &str| property(name).and_then(|value| value.trim().parse::<u64>().ok());
        let concurrent = number(CONCURRENT).and_then(|number| usize::try_from(number).ok()).unwrap_or(usize::MAX);
        let hour = number(HOURLY).filter(|megabytes| *megabytes < HOURLY_NONE);
        let hour = hour.map(|megabytes| Hour { bytes_max: megabytes << 20, minutes: Mutex::default() });
        Self { concurrent, running: AtomicUsize::new(0), rate: Rate::new(PER_SECOND, &property), hour }
    }

    /// Counts one that goes on, having begun elsewhere.
    pub fn count(self: &Arc<Self>) -> Pulling {
        self.running.fetch_add(1, Ordering::AcqRel);
        Pulling(Arc::clone(self))
    }

    /// A place for one more, by a clock that has run for `now`.
    pub fn begin(self: &Arc<Self>, now: Duration) -> Result<Pulling, Problem> {
        if self.running.fetch_add(1, Ordering::AcqRel) >= self.concurrent {
            self.running.fetch_sub(1, Ordering::AcqRel);
            return Err(too_many("pull queries", CONCURRENT));
        }
        let pulling = Pulling(Arc::clone(self));
        if self.hour.as_ref().is_some_and(|hour| hour.bytes(now, 0) >= hour.bytes_max) {
            return Err(too_many("rows of pull queries", HOURLY));
        }
        self.rate.take(1, "pull queries", now)?;
        Ok(pulling)
    }

    /// Notes that `bytes` of rows are answered.
    pub fn answered(&self, bytes: usize, now: Duration) {
        if let Some(hour) = &self.hour {
            hour.bytes(now, bytes as u64);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property<'a>(entries: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + 'a {
        |name| entries.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
    }

    #[test]
    fn only_so_many_pull_queries_run_at_once() {
        let limits = Arc::new(PullLimits::new(property(&[(CONCURRENT, "1")])));
        let first = limits.begin(Duration::ZERO);
        assert!(first.is_ok());
        assert!(limits.begin(Duration::ZERO).is_err_and(|problem| problem.code == Code::TOO_MANY_REQUESTS));
        drop(first);
        assert!(limits.begin(Duration::ZERO).is_ok());
    }

    #[test]
    fn only_so_many_pull_queries_begin_in_a_second() {
        let limits = Arc::new(PullLimits::new(property(&[(PER_SECOND, "2")])));
        let outcomes: Vec<bool> = (0..3).map(|_| limits.begin(Duration::ZERO).is_ok()).collect();
        assert_eq!(outcomes, [true, true, false]);
        assert!(limits.begin(Duration::from_secs(1)).is_ok());
    }

    #[test]
    fn only_so_much_is_answered_in_an_hour() {
        let limits = Arc::new(PullLimits::new(property(&[(HOURLY, "1")])));
        let minutes = Duration::from_mins;
        limits.answered(1 << 19, minutes(0));
        limits.answered(1 << 19, minutes(30));
        assert!(limits.begin(minutes(59)).is_err_and(|problem| problem.code == Code::TOO_MANY_REQUESTS));
        assert!(limits.begin(minutes(60)).is_ok());
    }

    #[test]
    fn statements_that_change_something_have_a_rate() {
        let rate = Rate::new(COMMANDS_PER_SECOND, property(&[(COMMANDS_PER_SECOND, "2.5")]));
        assert!(
            rate.take(2, "statements", Duration::ZERO).is_ok() && rate.take(1, "statements", Duration::ZERO).is_err()
        );
        assert!(Rate::new(COMMANDS_PER_SECOND, |_| None).take(1_000, "statements", Duration::ZERO).is_ok());
    }
}
