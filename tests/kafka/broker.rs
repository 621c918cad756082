//! Brokers of a test: started by `tools/kafka/kafka.sh`, stopped at its end.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{Condvar, Mutex, PoisonError};

use tempfile::TempDir;

use super::{LEVADA, ROOT};

/// Tests with clusters that run at once: most of them wait most of the time.
const AT_ONCE: u32 = 2;
/// How many may begin.
static PLACES: Mutex<u32> = Mutex::new(AT_ONCE);
static FREED: Condvar = Condvar::new();

/// Places that a test has, until it ends: sessions end where too many brokers and servers starve each other.
struct Turn(u32);

impl Turn {
    /// Waits for `places` that are free.
    fn take(places: u32) -> Self {
        // A test that has failed leaves nothing behind that matters.
        let free = PLACES.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = FREED.wait_while(free, |free| *free < places).unwrap_or_else(PoisonError::into_inner);
        *free -= places;
        Self(places)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *PLACES.lock().unwrap_or_else(PoisonError::into_inner) += self.0;
        FREED.notify_all();
    }
}

/// A cluster of this test, and a folder for what else it needs.
pub struct Broker {
    _turn: Turn,
    dir: TempDir,
    /// Addresses, as clients want them.
    pub bootstrap: String,
}

impl Broker {
    /// One fresh broker; `None` where there cannot be one.
    pub fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same for a test that needs the whole machine.
    pub fn start_alone() -> Option<Self> {
        Self::start_in(Turn::take(AT_ONCE), &[])
    }

    /// So many fresh brokers, numbered from 1, alone on the machine; `None` where there cannot be any.
    pub fn start_several(count: u32) -> Option<Self> {
        Self::start_in(Turn::take(AT_ONCE), &["--brokers", &count.to_string()])
    }

    /// One fresh broker that can also be reached through a proxy on `port`, alone on the machine; where the proxy finds it.
    pub fn start_behind(port: u16) -> Option<(Self, String)> {
        let broker = Self::start_in(Turn::take(AT_ONCE), &["--proxy", &port.to_string()])?;
        let address = std::fs::read_to_string(broker.path("kafka/behind.proxy")).expect("the script has written it");
        Some((broker, address.trim().to_owned()))
    }

    /// Writes a record per line to `topic`, as `arguments` say.
    pub fn produce(&self, topic: &str, arguments: &[&str], lines: &str) {
        let mut command = self.levada(&["topic", "produce", topic]);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::null());
        let mut child = command.spawn().expect("levada starts");
        child.stdin.take().expect("piped").write_all(lines.as_bytes()).expect("levada reads all lines");
        assert!(child.wait().expect("levada ends").success(), "records are produced to {topic}");
    }

    /// What `kafka.sh start` starts with `options`; `None` where it cannot.
    pub fn start_with(options: &[&str]) -> Option<Self> {
        Self::start_in(Turn::take(1), options)
    }

    fn start_in(turn: Turn, options: &[&str]) -> Option<Self> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let output = script("start", &dir.path().join("kafka"), options);
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr).into_owned();
            let required = std::env::var("LEVADA_KAFKA").is_ok_and(|value| value == "required");
            assert!(!required, "no Kafka: {reason}");
            eprintln!("SKIPPED: no Kafka broker can be started here: {reason}");
            return None;
        }
        let bootstrap = String::from_utf8(output.stdout).expect("addresses are text").trim().to_owned();
        Some(Self { _turn: turn, dir, bootstrap })
    }

    /// A path in the folder of the test.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// The property that names this cluster.
    pub fn property(&self) -> String {
        format!("bootstrap.servers={}", self.bootstrap)
    }

    /// The binary, on this cluster.
    pub fn levada(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(LEVADA);
        command.args(arguments).args(["--property", &self.property()]).stdin(Stdio::null());
        command
    }

    /// Kills a broker with SIGKILL; its data stays.
    pub fn kill(&self, number: u32) {
        self.tell("kill", number);
    }

    /// Starts a broker again that was killed, and waits until the cluster serves: a broker listens before it does.
    pub fn up(&self, number: u32) {
        self.tell("up", number);
        // Each try waits for itself.
        let list = || self.levada(&["topic", "list"]).output().expect("levada starts");
        let served = (0..6).map(|_| list()).find(|output| output.status.success());
        assert!(served.is_some(), "broker {number} is up and does not serve: {list:?}", list = list());
    }

    fn tell(&self, action: &str, number: u32) {
        let output = script(action, &self.path("kafka"), &["-n", &number.to_string()]);
        let err = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{action} broker {number}: {err}");
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Who looks for a fault wants to know what the brokers say about it.
        if let Some(dir) = std::env::var_os("LEVADA_CRASH_LOGS") {
            for number in 1..10 {
                let log = format!("broker-{number}.log");
                let _ = std::fs::copy(self.path("kafka").join(&log), Path::new(&dir).join(&log));
            }
        }
        script("stop", &self.path("kafka"), &[]);
    }
}

fn script(action: &str, dir: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(Path::new(ROOT).join("tools/kafka/kafka.sh"));
    command.arg(action).arg("--dir").arg(dir).args(arguments);
    command.stdin(Stdio::null()).output().expect("the script can be run")
}
