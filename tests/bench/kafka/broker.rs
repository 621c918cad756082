//! An Apache Kafka of this run, started and ended by the project's script.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// One broker; it ends, and its data goes, when this is dropped.
pub struct Broker {
    dir: TempDir,
    /// Address of the broker.
    pub bootstrap: String,
}

impl Broker {
    /// Starts a broker on free ports.
    ///
    /// # Panics
    /// Where none can be had: nothing can be measured then.
    pub fn start() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let output = script("start", &dir.path().join("kafka")).output().expect("the script can be run");
        assert!(output.status.success(), "no Kafka: {}", String::from_utf8_lossy(&output.stderr));
        let bootstrap = String::from_utf8(output.stdout).expect("addresses are text").trim().to_owned();
        Self { dir, bootstrap }
    }

    /// A path that goes with the broker.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        // Nothing is left to do about a script that fails here.
        let _ = script("stop", &self.path("kafka")).status();
    }
}

fn script(action: &str, dir: &Path) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tools/kafka/kafka.sh"));
    command.arg(action).arg("--dir").arg(dir).stdin(Stdio::null());
    command
}
