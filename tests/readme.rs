//! The session that README.md shows is what happens.

use std::path::Path;
use std::process::Command;

use crate::server::process::TestServer;

/// A fenced block: its language and its text.
struct Block<'a> {
    language: &'a str,
    text: String,
}

#[test]
fn the_session_with_a_server_is_true() {
    let (dir, server) = (tempfile::tempdir().expect("a temporary directory"), TestServer::start());
    let readme = readme().replace("http://127.0.0.1:8088", &server.url());
    let (mut output, mut answers) = (String::new(), 0);
    for block in blocks(section(&readme, "## As a server")) {
        if block.language == "sh" {
            let (start, asked) = block.text.split_once('\n').expect("a server is started first");
            assert!(start.starts_with("levada server"), "{start}");
            output = shell(asked, dir.path());
        } else {
            assert!(output.ends_with(&block.text), "README shows:\n{}not:\n{output}", block.text);
            answers += 1;
        }
    }
    assert!(answers > 0, "the session shows answers");
}

fn readme() -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(root.join("README.md")).expect("the repository has a README")
}

#[test]
fn the_sixty_second_session_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = readme();
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::os::unix::fs::symlink(root.join("sql-examples"), dir.path().join("sql-examples")).expect("an empty directory");
    let (mut output, mut answers) = (String::new(), 0);
    for block in blocks(section(&readme, "## Sixty seconds")) {
        match block.language {
            // Building is what brought this test about.
            "sh" if block.text.contains("make build") => (),
            "sh" => output = shell(&block.text, dir.path()),
            language => {
                assert!(output.ends_with(&block.text), "README shows, as {language}:\n{}not:\n{output}", block.text);
                answers += 1;
            }
        }
    }
    assert!(answers > 0, "the session shows answers");
}

/// The text from the heading `title` to the next heading of its level.
fn section<'a>(text: &'a str, title: &str) -> &'a str {
    let start = text.find(title).expect("README has the section") + title.len();
    let length = text[start..].find("\n## ").unwrap_or(text.len() - start);
    &text[start..start + length]
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(language) = line.strip_prefix("```") {
            let body = lines.by_ref().take_while(|line| *line != "```");
            blocks.push(Block { language, text: body.flat_map(|line| [line, "\n"]).collect() });
        }
    }
    blocks
}

/// Standard output of `script`, run in `dir` with the built binary on the path.
fn shell(script: &str, dir: &Path) -> String {
    let binary = Path::new(env!("CARGO_BIN_EXE_levada"));
    let folder = binary.parent().expect("a file is in a folder").display();
    let path = format!("{folder}:{}", std::env::var("PATH").unwrap_or_default());
    let output = Command::new("sh").args(["-ec", script]).current_dir(dir).env("PATH", path).output();
    let output = output.expect("every system has sh");
    assert!(output.status.success(), "{script}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("the binary writes UTF-8")
}
