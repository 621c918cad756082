//! The built binary on the broker, as a child whose CPU time the kernel tells.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use crate::broker::Broker;

/// A running `levada run`.
pub struct Engine {
    child: Child,
    data: PathBuf,
    /// What it answers to the statements.
    answers: PathBuf,
}

/// What distinguishes runs on one broker.
pub struct Setup<'a> {
    /// Service id: its queries have groups and internal topics of their own.
    pub service: &'a str,
    /// The statements.
    pub statements: &'a str,
    /// Further properties, `name=value`.
    pub properties: &'a [&'a str],
}

impl Engine {
    /// Starts on `setup`, with the data directory of its service.
    pub fn start(broker: &Broker, setup: &Setup<'_>) -> Self {
        let file = broker.path(&format!("{}.sql", setup.service));
        std::fs::write(&file, setup.statements).expect("a file can be written");
        let data = broker.path(&format!("{}.data", setup.service));
        let mut command = Command::new(env!("CARGO_BIN_EXE_levada"));
        command.arg("run").arg(&file).arg("--data-dir").arg(&data);
        let known = [format!("bootstrap.servers={}", broker.bootstrap), format!("ksql.service.id={}", setup.service)];
        for property in known.iter().map(String::as_str).chain(setup.properties.iter().copied()) {
            command.args(["--property", property]);
        }
        command.env("LEVADA_LOG", "levada=info,warn").stdin(Stdio::null());
        let answers = broker.path(&format!("{}.out", setup.service));
        command.stdout(File::create(&answers).expect("a file can be made"));
        let child = command.stderr(Stdio::piped()).spawn().expect("the binary was built for this run");
        Self { child, data, answers }
    }

    /// CPU time of all its threads so far.
    pub fn cpu(&self) -> Duration {
        let mut clock = 0;
        let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
        // SAFETY: both pointers are valid and outlive the calls; the child is ours and not waited for yet.
        unsafe {
            assert_eq!(
                libc::clock_getcpuclockid(self.child.id() as libc::pid_t, &raw mut clock),
                0,
                "a child has a clock"
            );
            assert_eq!(libc::clock_gettime(clock, &raw mut time), 0, "and it can be read");
        }
        Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
    }

    /// Its log, line by line; to be taken once.
    pub fn log(&mut self) -> impl Iterator<Item = String> + use<> {
        let stderr: ChildStderr = self.child.stderr.take().expect("taken once");
        BufReader::new(stderr).lines().map_while(Result::ok)
    }

    /// Prints what it has to say as it comes, from a thread of its own.
    pub fn with_log_shown(mut self) -> Self {
        let log = self.log();
        std::thread::spawn(move || {
            for line in log.filter(|line| !line.contains(" INFO ")) {
                eprintln!("levada: {line}");
            }
        });
        self
    }

    /// Waits until it has created `queries` queries and uses hardly any CPU time: everything there is has been set up and processed.
    pub fn settle(&self, queries: usize) {
        const LOOK: Duration = Duration::from_millis(500);
        let created = || {
            let answers = std::fs::read_to_string(&self.answers).expect("the file is there");
            answers.matches("Created query").count()
        };
        let start = Instant::now();
        let mut calm = 0;
        while calm < 3 || created() < queries {
            let before = self.cpu();
            std::thread::sleep(LOOK);
            let used = self.cpu().checked_sub(before).unwrap_or_default();
            calm = if used < LOOK / 5 { calm + 1 } else { 0 };
            assert!(start.elapsed() < crate::client::PATIENCE, "levada does not come to rest");
        }
    }

    /// Ends it as Ctrl-C does.
    ///
    /// # Panics
    /// When it fails.
    pub fn stop(mut self) {
        // SAFETY: the child is ours and not waited for yet.
        unsafe { libc::kill(self.child.id() as libc::pid_t, libc::SIGTERM) };
        let status = self.child.wait().expect("the child ends");
        assert!(status.success(), "levada ends with {status}");
    }

    /// Ends it, and removes its data directory.
    pub fn stop_and_forget(self) {
        let data = self.data.clone();
        self.stop();
        std::fs::remove_dir_all(data).expect("a data directory that nobody uses can be removed");
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // Of a run that failed; one that was stopped has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
