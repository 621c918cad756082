//! The pages of `docs` say what happens.
//!
//! A block that begins with ```` ```sql run ```` is executed, and the ```` ```text ```` block behind it, if there is one, is
//! what the shell shows for it: answers, rows, or the error. The blocks of a page are one session on a server of its
//! own, which reads topics from their beginning. `BLESS=1` writes what is shown into the pages instead of comparing.
//!
//! A line `…` of a `text` block stands for any lines; in a block with such a line, `…` at the end of a line stands for its rest.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use levada::engine::{Engine, EngineError, EngineOptions, Session};
use levada::registry::EmbeddedRegistry;
use levada::runtime::clock::ManualClock;
use levada::shell::{Answer, Backend, Flow, Interpreter, Interrupt, Layout, Palette, Screen, Width};
use levada::topics::MemoryTopics;

/// Executes a statement and then everything that follows from it, so that answers do not depend on time.
struct Settled(Engine);

impl Backend for Settled {
    fn execute(
        &self,
        session: &mut Session,
        text: &str,
        _: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Answer),
    ) -> Result<(), EngineError> {
        self.0.execute(session, text, &mut |response| show(response.into()))?;
        self.0.settle(None)
    }
}

/// What the shell writes, results and errors in their order.
#[derive(Clone, Default)]
struct Shown(Rc<RefCell<Vec<u8>>>);

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.borrow_mut().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Shown {
    /// What was written since the last time, without blanks at the ends of lines and without empty lines at the end.
    fn take(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.borrow_mut());
        let text = String::from_utf8(bytes).expect("answers are UTF-8");
        let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
        format!("{}\n", lines.join("\n"))
    }
}

fn engine() -> Settled {
    let properties = [("auto.offset.reset", "earliest"), ("cache.max.bytes.buffering", "0")];
    let options = EngineOptions {
        properties: properties
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into_iter()
            .collect::<BTreeMap<_, _>>(),
        clock: Arc::new(ManualClock::default()),
        threads: false,
        registry: Some(Arc::new(EmbeddedRegistry::in_memory())),
        ..EngineOptions::default()
    };
    Settled(Engine::with_options(Arc::new(MemoryTopics::new()), options).expect("an empty server starts"))
}

/// The page with what is shown in its `text` blocks, and whether blocks without one succeeded.
fn run(page: &str, path: &Path) -> String {
    let (engine, interrupt, shown) = (engine(), Interrupt::default(), Shown::default());
    let (mut out, mut err) = (shown.clone(), shown.clone());
    let screen = Screen::new(&mut out, &mut err, Layout::new(Width::Unlimited, Palette::PLAIN));
    let mut shell = Interpreter::new(&engine, &interrupt, screen);
    let mut written = String::new();
    let mut lines = page.split_inclusive('\n').peekable();
    while let Some(line) = lines.next() {
        written.push_str(line);
        if line.trim_end() != "```sql run" {
            continue;
        }
        let sql: String = lines.by_ref().take_while(|line| line.trim_end() != "```").collect();
        written.push_str(&sql);
        written.push_str("```\n");
        let flow = shell.run_text(None, &sql).expect("memory takes every byte");
        let answer = shown.take();
        while lines.peek().is_some_and(|line| line.trim().is_empty()) {
            written.extend(lines.next());
        }
        if lines.next_if(|line| line.trim_end() == "```text").is_some() {
            let said: String = lines.by_ref().take_while(|line| line.trim_end() != "```").collect();
            written.push_str("```text\n");
            written.push_str(if is_excerpt(&said, &answer) { &said } else { &answer });
            written.push_str("```\n");
        } else {
            assert!(flow == Flow::Continue, "{}:\n{sql}\n{answer}", path.display());
        }
    }
    written
}

/// Whether `said` leaves lines out, and all others are those of `shown`, in their order.
pub fn is_excerpt(said: &str, shown: &str) -> bool {
    let (said, shown): (Vec<&str>, Vec<&str>) = (said.lines().collect(), shown.lines().collect());
    said.contains(&LEFT_OUT) && agree(&said, &shown)
}

/// What stands in a page for lines, or for the rest of a line.
const LEFT_OUT: &str = "…";

fn agree(said: &[&str], shown: &[&str]) -> bool {
    let Some((line, rest)) = said.split_first() else { return shown.is_empty() };
    if *line == LEFT_OUT {
        return (0..=shown.len()).any(|count| agree(rest, &shown[count..]));
    }
    let is_same = |shown: &str| line.strip_suffix(LEFT_OUT).map_or(*line == shown, |head| shown.starts_with(head));
    shown.split_first().is_some_and(|(first, others)| is_same(first) && agree(rest, others))
}

#[test]
fn lines_may_be_left_out() {
    let shown = "a\nb b\nc\n";
    for said in ["…\n", "a\n…\n", "…\nb …\n…\n", "a\nb b\n…\nc\n"] {
        assert!(is_excerpt(said, shown), "{said}");
    }
    for said in ["a\nb b\nc\n", "a\nb …\nc\n", "…\nb\n…\n", "…\nc\n…\na\n", "a\n…\nb b\n"] {
        assert!(!is_excerpt(said, shown), "{said}");
    }
}

fn pages(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder of pages can be read");
    let mut pages = Vec::new();
    for path in entries.map(|entry| entry.expect("the folder can be read").path()) {
        if path.is_dir() {
            pages.extend(self::pages(&path));
        } else if path.extension().is_some_and(|extension| extension == "md") {
            pages.push(path);
        }
    }
    pages.sort();
    pages
}

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

#[test]
fn every_page_shows_what_happens() {
    let mut faults = Vec::new();
    for path in pages(&docs()) {
        let page = std::fs::read_to_string(&path).expect("pages are UTF-8");
        let written = run(&page, &path);
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &written).expect("the page can be written");
        } else if written != page {
            let (shown, said) = written.lines().zip(page.lines()).find(|(a, b)| a != b).unwrap_or_default();
            faults.push(format!("{}:\n  shown: {shown}\n  page:  {said}", path.display()));
        }
    }
    assert!(faults.is_empty(), "BLESS=1 writes what is shown:\n{}", faults.join("\n"));
}
