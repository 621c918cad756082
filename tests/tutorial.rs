//! What `docs/tutorial.md` tells people to type is typed here, in its order, and gives what stands below it.
//!
//! A block of `sh` is typed into one session of bash. Behind that word stands what it needs:
//!
//! | word | |
//! |---|---|
//! | `kafka` | a broker, whose address takes the place of the one in the page |
//! | `ask` | is asked again until it is answered so: something else has to happen first |
//! | `build`, `docker` | is not typed: it is what has brought the test about, or needs what a test does not have; its files must be there |

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use crate::docs::is_excerpt;
use crate::kafka::Broker;

/// So often is asked before an answer counts as wrong; each time takes a process.
const TRIES: usize = 300;
/// What comes behind the output of a block.
const END: &str = "--- end of block";

/// A block of `sh`, and what it shows.
struct Step<'a> {
    words: Vec<&'a str>,
    script: String,
    answer: Option<String>,
}

impl Step<'_> {
    fn needs(&self, word: &str) -> bool {
        self.words.contains(&word)
    }
}

fn steps(page: &str) -> Vec<Step<'_>> {
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(words) = line.strip_prefix("```") else { continue };
        let text: String = lines.by_ref().take_while(|line| *line != "```").flat_map(|line| [line, "\n"]).collect();
        let mut words = words.split(' ');
        if words.next() == Some("sh") {
            steps.push(Step { words: words.collect(), script: text, answer: None });
        } else {
            let step = steps.last_mut().expect("an answer has a question");
            assert!(step.answer.replace(text).is_none(), "two answers to {}", step.script);
        }
    }
    steps
}

/// Whether that is how `shown` ends, or what is left of it without the lines `…`.
fn is_answer(shown: &str, answer: &str) -> bool {
    shown.ends_with(answer) || is_excerpt(answer, shown)
}

/// A terminal, as far as the page is concerned: one shell from its beginning to its end.
struct Terminal {
    bash: Child,
    keys: ChildStdin,
    shown: BufReader<ChildStdout>,
    home: TempDir,
}

impl Terminal {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("a temporary directory");
        let binary = Path::new(env!("CARGO_BIN_EXE_levada")).parent().expect("a file is in a folder").display();
        let path = format!("{binary}:{}", std::env::var("PATH").unwrap_or_default());
        let errors = std::fs::File::create(home.path().join("errors")).expect("a file in a new folder");
        let mut command = Command::new("bash");
        command.arg("-e").current_dir(home.path()).env("HOME", home.path()).env("PATH", path).env_remove("LEVADA_LOG");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(errors);
        let mut bash = command.spawn().expect("there is bash");
        let keys = bash.stdin.take().expect("piped");
        let shown = BufReader::new(bash.stdout.take().expect("piped"));
        Self { bash, keys, shown, home }
    }

    /// What `script` shows on standard output.
    fn type_in(&mut self, script: &str) -> String {
        // What a block runs must not read what is typed after it.
        writeln!(self.keys, "{{\n{script}}} < /dev/null\necho '{END}'").expect("the shell reads");
        let mut shown = String::new();
        loop {
            let mut line = String::new();
            let length = self.shown.read_line(&mut line).expect("output is UTF-8");
            assert!(
                length > 0,
                "{script}\nhas failed: {}\n{}",
                self.file("errors"),
                self.file("cold-rooms/server.log")
            );
            if line.trim_end() == END {
                return shown;
            }
            shown.push_str(&line);
        }
    }

    /// What `script` shows that may fail, or wait in vain.
    fn ask(&mut self, script: &str) -> String {
        let file = self.home.path().join("ask.sh");
        std::fs::write(&file, script).expect("the folder of the test takes files");
        self.type_in(&format!("timeout 60 bash -e '{}' || true\n", file.display()))
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join(name)).unwrap_or_default()
    }

    /// Follows the steps that `are_meant`.
    fn follow(&mut self, page: &str, are_meant: impl Fn(&Step) -> bool) {
        let mut answers = 0;
        for step in steps(page).iter().filter(|step| are_meant(step)) {
            let answer = step.answer.as_deref().unwrap_or_default();
            let mut shown = if step.needs("ask") { self.ask(&step.script) } else { self.type_in(&step.script) };
            let tries = if step.needs("ask") { TRIES } else { 1 };
            for _ in 1..tries {
                if is_answer(&shown, answer) {
                    break;
                }
                shown = self.ask(&step.script);
            }
            let log = || format!("{}\n{}", self.file("errors"), self.file("cold-rooms/server.log"));
            assert!(is_answer(&shown, answer), "{}\nshows:\n{shown}not:\n{answer}{}", step.script, log());
            answers += usize::from(step.answer.is_some());
        }
        assert!(answers >= 3, "only {answers} answers");
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Whatever a block has left running ends with it; what has ended already is not there any more.
        let _ = writeln!(self.keys, "kill $(jobs -p)");
        let _ = writeln!(self.keys, "exit");
        let _ = self.bash.wait();
    }
}

fn page() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/tutorial.md");
    std::fs::read_to_string(path).expect("the page is there")
}

#[test]
fn a_laptop_shows_what_the_tutorial_says() {
    Terminal::new().follow(&page(), |step| step.words.is_empty());
}

#[test]
fn kafka_shows_what_the_tutorial_says() {
    let Some(broker) = Broker::start() else { return };
    let free = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port");
    let page = page().replace("127.0.0.1:29092", &broker.bootstrap).replace("127.0.0.1:8088", &free.to_string());
    Terminal::new().follow(&page, |step| !step.needs("build") && !step.needs("docker"));
}

/// What is not typed here names files and targets that there are.
#[test]
fn what_only_people_type_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let makefile = std::fs::read_to_string(root.join("Makefile")).expect("the Makefile");
    let page = page();
    let (mut targets, mut files) = (0, 0);
    for (_, rest) in page.match_indices("make ").map(|(at, found)| page[at..].split_at(found.len())) {
        let target: String = rest.chars().take_while(char::is_ascii_lowercase).collect();
        assert!(makefile.contains(&format!("\n{target}: ")), "there is no target {target}");
        targets += 1;
    }
    let words = page.split(|letter: char| letter.is_whitespace() || letter == '`' || letter == ',');
    for word in words.filter(|word| word.starts_with("packaging/") || word.starts_with("docs/")) {
        assert!(root.join(word).exists(), "there is no {word}");
        files += 1;
    }
    assert!(targets >= 3 && files >= 3, "{targets} targets, {files} files");
    let compose = std::fs::read_to_string(root.join("packaging/docker/compose.yaml")).expect("the file");
    for named in ["127.0.0.1:29092:29092", "127.0.0.1:3000:3000", "profiles: [monitoring]"] {
        assert!(compose.contains(named), "{named}");
    }
}
