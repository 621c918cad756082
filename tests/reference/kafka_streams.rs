//! The reference side: `reference.sh` runs all cases in one Java process.

use std::io::Write as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use super::case::{Case, Output};

/// A run of Kafka Streams over some cases.
pub struct KafkaStreams {
    child: Child,
    /// Cases are read while results are written: both pipes must be served.
    feed: JoinHandle<()>,
}

/// Whether Kafka Streams can be run here; says why not. Fetches and compiles what is missing.
pub fn set_up() -> Result<(), String> {
    let output = script("setup").stdin(Stdio::null()).output().expect("the script can be run");
    if output.status.success() { Ok(()) } else { Err(String::from_utf8_lossy(&output.stderr).into_owned()) }
}

impl KafkaStreams {
    /// Begins to run `cases`.
    pub fn start(cases: &[Case]) -> Self {
        let text: String = cases.iter().enumerate().map(|(name, case)| case.text(name)).collect();
        let mut command = script("run");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the script can be run");
        let mut stdin = child.stdin.take().expect("piped");
        // Who does not read to the end has failed, and says why on its standard error.
        let feed = thread::spawn(move || drop(stdin.write_all(text.as_bytes())));
        Self { child, feed }
    }

    /// The output of each of `cases`, which are those that were started; `None` where Kafka Streams itself has failed.
    pub fn finish(self, cases: &[Case]) -> Vec<Option<Vec<Output>>> {
        let output = self.child.wait_with_output().expect("the script ends");
        self.feed.join().expect("cases are written");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "Kafka Streams has failed: {errors}");
        let text = String::from_utf8(output.stdout).expect("results are text");
        let mut sections = text.split("case ").skip(1);
        let outputs = cases.iter().map(|case| {
            let section = sections.next().unwrap_or_else(|| panic!("results of all cases: {errors}"));
            let lines = section.lines().skip(1);
            lines.map(|line| (line != "fails").then(|| output_of(line, case))).collect()
        });
        outputs.collect()
    }
}

/// `NUMBER TIMESTAMP KEY VALUE`: the number is that of the input record, or of its round where results are held back.
fn output_of(line: &str, case: &Case) -> Output {
    let (number, record) = line.split_once(' ').expect("a number and a record");
    let number: usize = number.parse().expect("a number");
    (if case.is_cached { number } else { case.rounds()[number] }, record.to_owned())
}

fn script(action: &str) -> Command {
    let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/reference.sh"));
    command.arg(action);
    command
}
