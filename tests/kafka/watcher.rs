//! Watches a sink while it is filled: for how long nothing comes.
#![expect(clippy::disallowed_methods, reason = "how long it takes is what is measured")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::reader::Reader;

/// Reads a topic until it is stopped.
pub struct Watcher {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Duration>,
}

impl Watcher {
    /// Watches `topic`, which may have to be waited for.
    pub fn start(bootstrap: &str, topic: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (flag, bootstrap) = (Arc::clone(&stop), bootstrap.to_owned());
        let watch = move || {
            let mut reader = Reader::new(&bootstrap, topic);
            let (mut last, mut longest) = (Instant::now(), Duration::ZERO);
            while !flag.load(Ordering::Acquire) {
                reader.read(&mut |_| {
                    longest = longest.max(last.elapsed());
                    last = Instant::now();
                });
            }
            longest.max(last.elapsed())
        };
        Self { stop, thread: std::thread::spawn(watch) }
    }

    /// The longest time without a record.
    pub fn stop(self) -> Duration {
        self.stop.store(true, Ordering::Release);
        self.thread.join().expect("the watcher lives")
    }
}
