//! `levada datagen`: what it writes is what the statement that it prints reads.

use std::path::Path;
use std::process::{Command, Stdio};

const LEVADA: &str = env!("CARGO_BIN_EXE_levada");

/// Runs `levada ARGUMENTS` in `folder`; its output and notices, and whether it succeeded.
fn levada(folder: &Path, arguments: &[&str]) -> (String, String, bool) {
    let mut command = Command::new(LEVADA);
    let output = command.args(arguments).current_dir(folder).stdin(Stdio::null()).output().expect("levada starts");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&output.stdout), text(&output.stderr), output.status.success())
}

fn succeeded(folder: &Path, arguments: &[&str]) -> String {
    let (out, err, is_success) = levada(folder, arguments);
    assert!(is_success, "{arguments:?}: {err}");
    out
}

#[test]
fn every_format_is_read_by_the_statement_that_is_printed() {
    let folder = tempfile::tempdir().expect("a folder");
    let formats = [
        ("users_", "json"),
        ("users_", "avro"),
        ("users_", "protobuf"),
        ("users_", "json_sr"),
        ("users", "delimited"),
        ("users_", "protobuf_nosr"),
    ];
    for (quickstart, format) in formats {
        let topic = format!("users_{format}");
        let made = [
            "datagen",
            "--quickstart",
            quickstart,
            "--topic",
            &topic,
            "--format",
            format,
            "--count",
            "20",
            "--rate",
            "0",
            "--seed",
            "5",
            "--print-sql",
        ];
        let declared = succeeded(folder.path(), &made);
        let asked = format!(
            "{declared} SET 'auto.offset.reset' = 'earliest'; \
             SELECT COUNT(*) AS n, COUNT(userid) AS users, COUNT(registertime) AS times, COUNT(gender) AS genders \
             FROM {topic} GROUP BY 1 EMIT CHANGES LIMIT 1;"
        );
        let answer = succeeded(folder.path(), &["shell", "--output", "json", "-e", &asked]);
        let row = answer.lines().last().unwrap_or_default();
        assert_eq!(row, r#"{"N":20,"USERS":20,"TIMES":20,"GENDERS":20}"#, "{format}: {answer}");
    }
}

#[test]
fn what_ksql_datagen_is_told_is_understood() {
    let folder = tempfile::tempdir().expect("a folder");
    let told = [
        "datagen",
        "quickstart=pageviews",
        "topic=views",
        "format=delimited",
        "valueDelimiter=;",
        "key=userid",
        "iterations=3",
        "msgRate=1000",
    ];
    succeeded(folder.path(), &[&told[..], &["--seed", "1", "--begin", "2026-01-01T00:00:00Z"]].concat());
    let lines = succeeded(folder.path(), &["topic", "consume", "views"]);
    let cells: Vec<Vec<&str>> = lines.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(
        cells.iter().map(|line| line[0]).collect::<Vec<_>>(),
        ["2026-01-01T00:00:00.000Z", "2026-01-01T00:00:00.001Z", "2026-01-01T00:00:00.002Z"]
    );
    for (line, viewtime) in cells.iter().zip(["1", "11", "21"]) {
        let value: Vec<&str> = line[4].split(';').collect();
        assert_eq!((value[0], value[1]), (viewtime, line[3]), "{line:?}");
    }
}

#[test]
fn a_schema_of_ones_own_gives_keys_and_times() {
    let folder = tempfile::tempdir().expect("a folder");
    let schema = r#"{"type": "record", "name": "reading", "fields": [
        {"name": "sensor", "type": {"type": "int", "arg.properties": {"options": [7]}}},
        {"name": "at", "type": {"type": "string", "arg.properties": {"options": ["2026-02-03T04:05:06Z"]}}},
        {"name": "celsius", "type": {"type": "double", "arg.properties": {"range": {"min": 20, "max": 21}, "distribution": "normal"}}}]}"#;
    std::fs::write(folder.path().join("reading.avsc"), schema).expect("a file");
    let made = [
        "datagen",
        "--schema",
        "reading.avsc",
        "--topic",
        "readings",
        "--key",
        "SENSOR",
        "--timestamp-field",
        "at",
        "--count",
        "1",
        "--print",
    ];
    let row = succeeded(folder.path(), &made);
    assert!(row.starts_with(r#"{"sensor":7,"at":"2026-02-03T04:05:06Z","celsius":20."#), "{row}");
    let read = succeeded(folder.path(), &["topic", "consume", "readings", "--key-format", "kafka:int"]);
    assert_eq!(read.trim_end(), format!("2026-02-03T04:05:06.000Z\t0\t0\t7\t{}", row.trim_end()));
}

#[test]
fn mistakes_say_what_there_is_instead() {
    let folder = tempfile::tempdir().expect("a folder");
    for (arguments, told) in [
        (&[][..], "say --quickstart NAME or --schema FILE"),
        (&["--quickstart", "nothing"], "there is no quickstart nothing; there are clickstream, "),
        (&["--schema", "nowhere.avsc"], "cannot read nowhere.avsc: "),
        (
            &["--quickstart", "users", "--key", "id"],
            "there is no field id; there are registertime, userid, regionid, gender",
        ),
        (&["--quickstart", "orders", "--format", "delimited"], "The 'DELIMITED' format does not support type 'STRUCT'"),
        (&["--quickstart", "users", "--rate", "-1"], "--rate must be a number that is not negative"),
        (&["msgRates=1"], "ksql-datagen has no such argument"),
    ] {
        let (_, err, is_success) = levada(folder.path(), &[&["datagen"], arguments].concat());
        assert!(!is_success && err.contains(told), "{arguments:?}: {err}");
    }
}
