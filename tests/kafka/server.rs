//! Servers of a test: `levada run FILE` with a data directory each, killed and started again.

use std::fs::{File, OpenOptions};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use super::Broker;

/// A server.
pub struct Server {
    /// Names its data directory and its log.
    pub name: String,
    arguments: Vec<String>,
    log: PathBuf,
    child: Child,
    /// Whether a broker went since it was started: it may say so and end if it had not begun yet, and its queries may rest.
    excused: bool,
}

impl Server {
    /// Starts a server that runs the statements in `file`, with further properties. Its log goes to the folder
    /// `LEVADA_CRASH_LOGS`, or to that of the test.
    pub fn start(broker: &Broker, name: &str, file: &str, properties: &[&str]) -> Self {
        let data = broker.path(name);
        let mut arguments = vec!["run".to_owned(), file.to_owned(), "--data-dir".to_owned()];
        arguments.push(data.to_str().expect("temporary names are text").to_owned());
        for property in std::iter::once(broker.property().as_str()).chain(properties.iter().copied()) {
            arguments.extend(["--property".to_owned(), property.to_owned()]);
        }
        let file = format!("{name}.log");
        let log = std::env::var_os("LEVADA_CRASH_LOGS").map(|dir| PathBuf::from(dir).join(&file));
        let log = log.unwrap_or_else(|| broker.path(&file));
        let child = spawn(&arguments, &log);
        Self { name: name.to_owned(), arguments, log, child, excused: false }
    }

    /// Kills it with SIGKILL, so that nothing of its own can tidy up.
    pub fn kill(&mut self) {
        self.child.kill().expect("the process is ours");
        self.child.wait().expect("the process ends");
    }

    /// Starts it again, on the same data directory.
    pub fn restart(&mut self) {
        self.child = spawn(&self.arguments, &self.log);
        self.excused = false;
    }

    /// A broker goes: a server that is about to start may not succeed.
    pub fn excuse(&mut self) {
        self.excused = true;
    }

    /// Starts it again if it could not start without a broker, as what watches over a server would; whether that was so.
    ///
    /// # Panics
    /// If it has ended for another reason.
    pub fn revive(&mut self) -> bool {
        let Some(status) = self.child.try_wait().expect("the process is ours") else { return false };
        let may = self.excused && status.code() == Some(1);
        assert!(may, "{} has ended by itself ({status}):\n{}", self.name, self.log_tail());
        eprintln!("{}: {}", self.name, self.log_tail().lines().last().unwrap_or_default());
        self.restart();
        true
    }

    /// Asks it to stop, and waits until it has. Since a broker went a query may still rest after its failure, for a minute at most:
    /// the server says so then, and what other servers have done meanwhile is for the caller to look at.
    ///
    /// # Panics
    /// If it says that something else is wrong.
    pub fn stop(&mut self) {
        let told = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(told.expect("kill can be run").success(), "{} has ended by itself:\n{}", self.name, self.log_tail());
        let status = self.child.wait().expect("the process ends");
        let rests = self.excused && status.code() == Some(1) && self.log_tail().contains("does not run:");
        assert!(status.success() || rests, "{} ended with {status}:\n{}", self.name, self.log_tail());
    }

    /// The last lines that it has logged.
    pub fn log_tail(&self) -> String {
        let text = std::fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(25)..].join("\n")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(arguments: &[String], log: &PathBuf) -> Child {
    let log: File = OpenOptions::new().create(true).append(true).open(log).expect("the log can be written");
    let mut command = Command::new(super::LEVADA);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(log);
    command.spawn().expect("levada starts")
}
