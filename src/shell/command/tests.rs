//! What is a command, and which.

use super::*;

fn check(line: &str, expected: &Command) {
    assert_eq!(Command::parse(line).as_ref(), Some(expected), "{line}");
}

#[test]
fn reads_commands_in_any_case_with_or_without_semicolon() {
    check("exit", &Command::Exit);
    check("  QUIT ; ", &Command::Exit);
    check("\\q", &Command::Exit);
    check("help", &Command::Help);
    check("output", &Command::Output(None));
    check("OUTPUT TABULAR", &Command::Output(Some(OutputFormat::Table)));
    check("output 'json';", &Command::Output(Some(OutputFormat::Json)));
    check("\\format ndjson", &Command::Output(Some(OutputFormat::Json)));
    check("\\d flights", &Command::Statements("DESCRIBE flights;".into()));
    check("\\d `my flights`", &Command::Statements("DESCRIBE `my flights`;".into()));
    check("\\dq CSAS_A_1", &Command::Statements("EXPLAIN CSAS_A_1;".into()));
    check("\\timing", &Command::Timing(None));
    check("\\x ON", &Command::Expanded(Some(true)));
    check("request_pipelining OFF", &Command::Pipelining(Some(false)));
    check("set CLI wrap off", &Command::Wrap(false));
    check("SET cli COLUMN-WIDTH 10", &Command::ColumnWidth(Some(10)));
    check("\\watch 0.5", &Command::Watch(500));
    check("\\keys VI", &Command::Keys(Keys::Vi));
    check("server http://a:1", &Command::Server(Some("http://a:1".into())));
}

#[test]
fn paths_may_hold_blanks_and_keep_their_case() {
    check("RUN  SCRIPT 'My files/a.sql';", &Command::RunScript("My files/a.sql".into()));
    check("run script a.sql", &Command::RunScript("a.sql".into()));
    check("\\i My files/a.sql", &Command::RunScript("My files/a.sql".into()));
    check("spool 'My session.txt'", &Command::Spool(Some("My session.txt".into())));
    check("spool OFF", &Command::Spool(None));
    check("\\pager less -S", &Command::Pager(Paging::Command("less -S".into())));
}

#[test]
fn a_picture_goes_where_the_last_sign_points_if_that_is_a_picture() {
    let drawn = |what: &str, file: Option<&str>| {
        let what = Some(what).filter(|what| !what.is_empty()).map(Into::into);
        Command::Visualise { what, file: file.map(Into::into) }
    };
    check("\\viz", &drawn("", None));
    check("\\viz > all.svg", &drawn("", Some("all.svg")));
    check("\\viz CSAS_A_1", &drawn("CSAS_A_1", None));
    check("\\viz CSAS_A_1 > a b.svg", &drawn("CSAS_A_1", Some("a b.svg")));
    check("\\viz SELECT a FROM s WHERE b > 1 > 'x.DOT'", &drawn("SELECT a FROM s WHERE b > 1", Some("x.DOT")));
    check("\\viz SELECT a FROM s WHERE b > 1", &drawn("SELECT a FROM s WHERE b > 1", None));
}

#[test]
fn misused_commands_say_what_they_take() {
    check("output xml", &Command::Misused(FORMS));
    check("run script", &Command::Misused("run script 'file.sql'"));
    check("\\nothing", &Command::Unknown);
    check("\\timing maybe", &Command::Misused("\\timing on|off"));
    check("\\watch -1", &Command::Misused("\\watch SECONDS"));
    check("set cli colour red", &Command::Misused("set cli wrap on|off, set cli column-width N"));
}

#[test]
fn statements_are_no_commands() {
    let statements = ["", "SHOW STREAMS;", "SELECT exit FROM s;", "clear the way", "exit early", "SET 'a' = 'b';"];
    for line in statements {
        assert_eq!(Command::parse(line), None, "{line}");
    }
}
