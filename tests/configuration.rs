//! `docs/configuration.md` is made of the table of all properties. `BLESS=1` writes it.

use std::fmt::Write as _;
use std::path::Path;

use levada::configuration::{Property, SECTIONS, Scope, open_prefixes};

/// What is said before the table.
const BEGINNING: &str = include_str!("configuration/beginning.md");

/// The page: a section for each part of what Levada obeys, a line per property.
fn page() -> String {
    let mut page = BEGINNING.to_owned();
    for section in SECTIONS {
        let _ = write!(page, "\n## {}\n\n{}\n\n", section.title, section.introduction);
        page.push_str("| property | default | set by | what it does |\n|---|---|---|---|\n");
        section.properties.iter().for_each(|property| describe(property, &mut page));
    }
    page.push_str("\n## Names of one's own\n\nNames that begin so are taken as they are:\n\n| begins with | what it is |\n|---|---|\n");
    for (prefix, meaning) in open_prefixes() {
        let _ = writeln!(page, "| `{prefix}` | {meaning} |");
    }
    page
}

fn describe(property: &Property, page: &mut String) {
    let unit = property.unit.name();
    let default = match property.default {
        None => String::new(),
        Some("") => "empty".to_owned(),
        Some(value) => format!("`{value}` {unit}"),
    };
    let scope = match property.scope {
        Scope::Session => "server, SET",
        Scope::Server | Scope::ServerTakenBySet => "server",
    };
    let secret = if property.is_secret() { "; shown to nobody" } else { "" };
    let meaning = property.meaning.replace('|', "\\|");
    let _ = writeln!(page, "| `{}` | {} | {scope} | {meaning}{secret} |", property.name, default.trim_end());
}

#[test]
fn the_page_of_properties_says_what_there_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
    let written = page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &written).expect("the page can be written");
    }
    let found = std::fs::read_to_string(&path).expect("the page can be read");
    let differs = found.lines().zip(written.lines()).find(|(found, written)| found != written);
    assert!(found == written, "BLESS=1 writes the page anew; it differs in {differs:?}");
}
