//! Scripts against a backend that echoes.

use std::cell::RefCell;
use std::io::Write;
use std::sync::Arc;

use super::*;
use crate::engine::{PushQuery, PushQueue, Response, RowReceiver as _};
use crate::shell::{Answer, Layout, Palette, Width};

/// Answers each statement with its text in brackets; fails on those that hold `wrong`.
#[derive(Default)]
struct Echo {
    executed: RefCell<Vec<String>>,
}

impl Backend for Echo {
    fn execute(
        &self,
        _: &mut Session,
        text: &str,
        _: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Answer),
    ) -> Result<(), EngineError> {
        self.executed.borrow_mut().push(text.to_owned());
        if let Some(before) = text.find("wrong") {
            let line = text[..before].matches('\n').count() + 1;
            let column = before - text[..before].rfind('\n').map_or(0, |end| end + 1) + 1;
            return Err(EngineError { message: "no".into(), position: Some((line, column)), hint: None, code: None });
        }
        show(Answer::message(format!("[{text}]")));
        Ok(())
    }
}

/// Runs `run` with an interpreter; gives how it went, output and errors.
fn with(run: impl FnOnce(&mut Interpreter<'_>) -> io::Result<Flow>) -> (Flow, String, String) {
    let (backend, interrupt) = (Echo::default(), Interrupt::default());
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let screen = screen(&mut out, &mut err);
    let flow = run(&mut Interpreter::new(&backend, &interrupt, screen)).expect("memory takes every byte");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("answers are UTF-8");
    (flow, text(out), text(err))
}

fn check(text: &str, flow: Flow, out: &str, err: &str) {
    assert_eq!(with(|shell| shell.run_text(None, text)), (flow, out.to_owned(), err.to_owned()), "{text}");
}

/// Answers with rows that never end; somebody presses Ctrl-C meanwhile.
struct Endless<'a> {
    interrupt: &'a Interrupt,
    queue: Arc<PushQueue>,
}

impl Backend for Endless<'_> {
    fn execute(
        &self,
        _: &mut Session,
        _: &str,
        _: &dyn Fn() -> bool,
        show: &mut dyn FnMut(Answer),
    ) -> Result<(), EngineError> {
        show(Response::Push(PushQuery::new("q", Vec::new(), Arc::clone(&self.queue))).into());
        assert!(!self.interrupt.signal(), "a first Ctrl-C does not end the process");
        Ok(())
    }
}

/// A pipe whose reader has gone.
struct ClosedPipe;

impl Write for ClosedPipe {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn screen<'a>(out: &'a mut dyn Write, err: &'a mut dyn Write) -> Screen<'a> {
    Screen::new(out, err, Layout::new(Width::Unlimited, Palette::PLAIN))
}

#[test]
fn ctrl_c_stops_a_query_and_the_session_goes_on() {
    let interrupt = Interrupt::default();
    let backend = Endless { interrupt: &interrupt, queue: Arc::new(PushQueue::new(None)) };
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let mut shell = Interpreter::new(&backend, &interrupt, screen(&mut out, &mut err));
    assert_eq!(shell.run_text(None, "A; B;").expect("memory takes every byte"), Flow::Stopped);
    assert!(backend.queue.is_closed(), "the query was told");
    assert_eq!(shell.run_text(None, "help").expect("memory takes every byte"), Flow::Continue);
    assert!(String::from_utf8_lossy(&out).contains("0 rows, stopped"));
}

#[test]
fn a_closed_pipe_is_an_error_not_a_panic() {
    let (backend, interrupt) = (Echo::default(), Interrupt::default());
    let (mut out, mut err) = (ClosedPipe, Vec::new());
    let mut shell = Interpreter::new(&backend, &interrupt, screen(&mut out, &mut err));
    let error = shell.run_text(None, "A; B;").expect_err("nobody reads");
    assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
    assert_eq!(*backend.executed.borrow(), ["A;"], "the rest is not run for nobody");
}

#[test]
fn statements_run_in_order() {
    check("A; B\n;C", Flow::Continue, "[A;]\n[B\n;]\n[C\n;]\n", "");
}

#[test]
fn the_first_failure_ends_a_script() {
    check("A; B wrong; C;", Flow::Failed, "[A;]\n", "error: no\n1 | B wrong;\n      ^\n");
}

#[test]
fn exit_ends_a_script_without_failure() {
    check("A;\nexit\nB;", Flow::Exit, "[A;]\n", "");
}

#[test]
fn the_form_of_output_can_change_in_between() {
    check("A;\noutput json\nB;", Flow::Continue, "[A;]\n{\"message\":\"[B;]\"}\n", "");
    check("output\n", Flow::Continue, "output is table\n", "");
    check("output xml\nA;", Flow::Failed, "", "error: the command is: output table|expanded|json|json-array|csv\n");
}

#[test]
fn errors_in_files_name_the_place_in_the_file() {
    let folder = tempfile::tempdir().expect("a folder for the script");
    let path = folder.path().join("a.sql");
    std::fs::write(&path, "A;\nB; C\n  wrong;\n").expect("the script is written");
    let (flow, out, err) = with(|shell| shell.run_file(&path));
    assert_eq!((flow, out.as_str()), (Flow::Failed, "[A;]\n[B;]\n"));
    assert_eq!(err, format!("error: {}:3:3: no\n3 |   wrong;\n      ^\n", path.display()));
}

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder for the scripts");
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("it is in the folder")).expect("a folder in the folder");
        std::fs::write(path, text).expect("the script is written");
    }
    folder
}

#[test]
fn scripts_run_scripts_from_their_own_folders() {
    let files = [
        ("a.sql", "A;\nrun script 'parts/b.sql';\nD;\n"),
        ("parts/b.sql", "B;\nRUN SCRIPT 'c.sql'\n"),
        ("parts/c.sql", "C;"),
    ];
    let folder = folder(&files);
    let (flow, out, err) = with(|shell| shell.run_file(&folder.path().join("a.sql")));
    assert_eq!((flow, out.as_str(), err.as_str()), (Flow::Continue, "[A;]\n[B;]\n[C;]\n[D;]\n", ""));
}

#[test]
fn a_failure_in_a_script_names_its_own_file_and_ends_all() {
    let folder = folder(&[("a.sql", "A;\nrun script 'b.sql';\nD;"), ("b.sql", "B;\n\n wrong;\n")]);
    let (flow, out, err) = with(|shell| shell.run_file(&folder.path().join("a.sql")));
    assert_eq!((flow, out.as_str()), (Flow::Failed, "[A;]\n[B;]\n"));
    let place = folder.path().join("b.sql").display().to_string();
    assert_eq!(err, format!("error: {place}:3:2: no\n3 | wrong;\n    ^\n"));
}

#[test]
fn a_script_that_runs_itself_is_refused_where_it_does() {
    let folder = folder(&[("a.sql", "A;\nrun script 'b.sql';"), ("b.sql", "B;\nrun script './a.sql';")]);
    let path = |name: &str| folder.path().join(name).display().to_string();
    let (flow, out, err) = with(|shell| shell.run_file(&folder.path().join("a.sql")));
    assert_eq!((flow, out.as_str()), (Flow::Failed, "[A;]\n[B;]\n"));
    let chain = format!("{} runs {} runs {}", path("a.sql"), path("b.sql"), path("./a.sql"));
    assert_eq!(err, format!("error: {}:2: a script cannot run itself: {chain}\n", path("b.sql")));
}

#[test]
fn run_script_may_span_lines() {
    let folder = folder(&[("a.sql", "A;")]);
    let path = folder.path().join("a.sql").display().to_string();
    let (flow, out, err) = with(|shell| shell.run_text(None, &format!("RUN\n  SCRIPT -- all of it\n '{path}';\nB;")));
    assert_eq!((flow, out.as_str(), err.as_str()), (Flow::Continue, "[A;]\n[B;]\n", ""));
    let (flow, _, err) = with(|shell| shell.run_text(Some("x.sql"), "A;\nRUN\n  'a.sql';"));
    assert_eq!(flow, Flow::Failed);
    assert!(err.starts_with("error: x.sql:3:3: Syntax Error\nExpecting 'SCRIPT'"), "{err}");
}

#[test]
fn the_name_of_a_script_may_hold_variables() {
    let folder = folder(&[("a.sql", "A;")]);
    let (flow, out, err) = with(|shell| {
        shell.session.variables.insert("folder".to_owned(), folder.path().display().to_string());
        shell.run_text(None, "RUN SCRIPT '${folder}/a.sql';")
    });
    assert_eq!((flow, out.as_str(), err.as_str()), (Flow::Continue, "[A;]\n", ""));
}

#[test]
fn missing_files_are_named() {
    let (flow, _, err) = with(|shell| shell.run_file(Path::new("no/such.sql")));
    assert_eq!(flow, Flow::Failed);
    assert!(err.starts_with("error: cannot read no/such.sql: "), "{err}");
}

#[test]
fn standard_input_is_run_statement_by_statement() {
    let (flow, out, err) = with(|shell| shell.run_reader(&mut "A;\nB;\nC wrong;\nD;".as_bytes()));
    assert_eq!((flow, out.as_str()), (Flow::Failed, "[A;]\n[B;]\n"));
    assert_eq!(err, "error: <stdin>:3:3: no\n3 | C wrong;\n      ^\n");
}

#[test]
fn bytes_that_are_no_text_are_refused_by_the_name_of_their_source() {
    let (flow, out, err) = with(|shell| shell.run_reader(&mut b"A;\n\xff;\n".as_slice()));
    assert_eq!((flow, out.as_str()), (Flow::Failed, "[A;]\n"));
    assert_eq!(err, "error: standard input is not UTF-8 text\n");
}

#[test]
fn commands_that_need_a_server_say_so() {
    let no_server =
        "error: this shell has its engine in its own process\nhint: `levada shell --server URL` asks a server\n";
    check("server http://x\nA;", Flow::Failed, "", no_server);
    check("server\n", Flow::Continue, "the engine of this process\n", "");
    check("request-pipelining off\n", Flow::Continue, "request-pipelining is off\n", "");
    let waits = "error: statements of an engine in this process wait for each other\n";
    check("request-pipelining on\n", Flow::Failed, "", waits);
}

#[test]
fn settings_of_the_session_are_told() {
    check("\\x\n\\x off\noutput\n", Flow::Continue, "output is expanded\noutput is table\noutput is table\n", "");
    check("\\pager off\n", Flow::Continue, "there is no pager\n", "");
    check("\\watch\n", Flow::Failed, "", "error: there is no statement to run again\n");
    let (flow, out, _) = with(|shell| shell.run_text(None, "\\timing\nA;\n\\timing off\nB;"));
    let lines: Vec<&str> = out.lines().collect();
    assert_eq!((flow, lines.len()), (Flow::Continue, 5), "{out}");
    assert!(lines[2].starts_with("Time: ") && lines[2].ends_with(" ms"), "{out}");
}

#[test]
fn a_session_is_copied_until_it_is_not() {
    let folder = folder(&[]);
    let path = folder.path().join("session.txt").display().to_string();
    let (backend, interrupt, spool) = (Echo::default(), Interrupt::default(), crate::shell::Spool::default());
    let (mut out, mut err) = (spool.copying(Vec::new()), spool.copying(Vec::new()));
    let mut screen = screen(&mut out, &mut err);
    screen.spool = spool.clone();
    let mut shell = Interpreter::new(&backend, &interrupt, screen);
    let text = format!("A;\nspool '{path}'\nB;\nspool off\nspool off\nC wrong;");
    assert_eq!(shell.run_text(None, &text).expect("memory takes every byte"), Flow::Failed);
    let kept = std::fs::read_to_string(&path).expect("the file is there");
    assert_eq!(kept, format!("the session is copied into {path}\n[B;]\n"));
}
