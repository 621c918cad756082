//! The pages of `docs` are a book: it is built, lists all of them, and no link in it or in the other pages of the repository leads nowhere.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use regex::Regex;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Files below `folder` whose name ends with `.extension`, in order.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let mut found = Vec::new();
    for path in entries.map(|entry| entry.expect("the folder can be read").path()) {
        if path.is_dir() {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|other| other == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// All pages of the repository that people read.
fn pages() -> Vec<PathBuf> {
    let folders = ["docs", "sql-examples", "udfs", "tools", "packaging"];
    let mut pages: Vec<PathBuf> = folders.iter().flat_map(|folder| files(&root().join(folder), "md")).collect();
    pages.extend(["README.md", "ARCHITECTURE.md", "BENCHMARKS.md", "CHANGELOG.md"].map(|name| root().join(name)));
    pages
}

/// Lines of a page that are text: not those of fenced blocks, and without what is `code` in a line.
fn prose(page: &str) -> impl Iterator<Item = String> {
    let code = Regex::new("`[^`]*`").expect("a pattern");
    let mut fenced = false;
    let lines = page.lines().filter(move |line| {
        let is_fence = line.trim_start().starts_with("```");
        fenced ^= is_fence;
        !fenced && !is_fence
    });
    lines.map(move |line| code.replace_all(line, "`").into_owned())
}

/// What addresses of the repository's files begin with: the book has no link to what is not in it.
const REPOSITORY: &str = "https://github.com/levada/levada/";

/// Targets of `](…)` that lie in the repository: a file, which is empty for the page itself, and an anchor.
fn links(page: &str) -> Vec<(String, Option<String>)> {
    let pattern = Regex::new(r"\]\(([^)\s]+)\)").expect("a pattern");
    let text: Vec<String> = prose(page).collect();
    let targets = text.iter().flat_map(|line| pattern.captures_iter(line)).map(|found| found[1].to_owned());
    let own = targets.map(|target| in_repository(&target).unwrap_or(target));
    let local = own.filter(|target| !target.contains("://"));
    let split = local.map(|target| match target.split_once('#') {
        Some((file, anchor)) => (file.to_owned(), Some(anchor.to_owned())),
        None => (target, None),
    });
    split.collect()
}

/// The path of a file that is named by its address.
fn in_repository(address: &str) -> Option<String> {
    let rest = address.strip_prefix(REPOSITORY)?;
    let path = rest.strip_prefix("blob/main/").or_else(|| rest.strip_prefix("tree/main/"))?;
    Some(root().join(path).display().to_string())
}

/// Anchors of the headings of a page, as GitHub and mdBook make them of their text.
fn anchors(page: &str) -> BTreeSet<String> {
    let link = Regex::new(r"\[([^\]]*)\]\([^)]*\)").expect("a pattern");
    let mut fenced = false;
    let mut anchors = BTreeSet::new();
    for line in page.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let title = line.trim_start_matches('#');
        if fenced || title.len() == line.len() || !title.starts_with(' ') {
            continue;
        }
        let title = link.replace_all(title.trim(), "$1").to_lowercase();
        let kept = title.chars().filter(|character| character.is_alphanumeric() || " -_".contains(*character));
        let anchor = kept.collect::<String>().replace(' ', "-");
        let taken = (1..).map(|number| format!("{anchor}-{number}"));
        let free = std::iter::once(anchor.clone()).chain(taken).find(|name| !anchors.contains(name));
        anchors.extend(free);
    }
    anchors
}

#[test]
fn links_and_anchors_are_found_where_they_are() {
    let page = "# A `b` c_d\n## [Ways](x.md), e.g. two\n## a b c_d\n```sh\n# not one\n[no](z.md)\n```\n[a](b.md#c) `[n](o)` [p](#q) [r](s)\n";
    let expected = ["a-b-c_d", "a-b-c_d-1", "ways-eg-two"];
    assert_eq!(anchors(page).into_iter().collect::<Vec<_>>(), expected);
    let found: Vec<String> = links(page).into_iter().map(|(file, anchor)| format!("{file} {anchor:?}")).collect();
    assert_eq!(found, ["x.md None", "b.md Some(\"c\")", " Some(\"q\")", "s None"]);
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let (mut faults, mut count) = (Vec::new(), 0);
    for path in pages() {
        let page = read(&path);
        let folder = path.parent().expect("a page lies in a folder");
        for (file, anchor) in links(&page) {
            count += 1;
            let target = if file.is_empty() { path.clone() } else { folder.join(&file) };
            let is_there = target.exists();
            let is_page = target.extension().is_some_and(|extension| extension == "md");
            let is_heading =
                anchor.as_ref().is_none_or(|anchor| is_there && is_page && anchors(&read(&target)).contains(anchor));
            if !is_there || !is_heading {
                faults.push(format!(
                    "{}: {file}{}",
                    path.display(),
                    anchor.map(|name| format!("#{name}")).unwrap_or_default()
                ));
            }
        }
    }
    assert!(count > 300, "only {count} links");
    assert!(faults.is_empty(), "links that lead nowhere:\n{}", faults.join("\n"));
}

/// Pages of the book below `docs`, without the one that lists them.
fn chapters() -> BTreeSet<PathBuf> {
    let docs = root().join("docs");
    let all = files(&docs, "md").into_iter().map(|path| path.strip_prefix(&docs).expect("it is below").to_owned());
    all.filter(|path| path != Path::new("SUMMARY.md")).collect()
}

/// The book has every page, and so has the page it begins with, which is what is read without a book.
#[test]
fn every_page_is_listed() {
    let docs = root().join("docs");
    for list in ["SUMMARY.md", "README.md"] {
        let linked: Vec<PathBuf> = links(&read(&docs.join(list))).into_iter().map(|(file, _)| file.into()).collect();
        let missing: Vec<PathBuf> =
            chapters().into_iter().filter(|page| !linked.contains(page) && page != Path::new("README.md")).collect();
        assert!(missing.is_empty(), "docs/{list} does not have {missing:?}");
    }
}

fn script(arguments: &[&str]) -> Output {
    let mut command = Command::new(root().join("tests/clients/python.sh"));
    command.args(arguments).stdin(Stdio::null()).output().expect("the script can be run")
}

/// The program that builds books, from a package; `None` where it cannot be had, which is told.
fn mdbook(arguments: &[&str]) -> Option<Output> {
    let setup = script(&["setup", "mdbook"]);
    if setup.status.success() {
        return Some(script(&[&["mdbook", "mdbook"], arguments].concat()));
    }
    let reason = String::from_utf8_lossy(&setup.stderr).into_owned();
    let is_required = std::env::var("LEVADA_KAFKA").is_ok_and(|value| value == "required");
    assert!(!is_required, "no mdBook: {reason}");
    // Without a standard error there is nobody to tell.
    drop(writeln!(io::stderr(), "book: SKIPPED: mdBook cannot be had here: {reason}"));
    None
}

#[test]
fn the_book_is_built_and_no_link_in_it_is_broken() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let folder = folder.path();
    let (book, docs) = (folder.display().to_string(), root().join("docs").display().to_string());
    let Some(output) = mdbook(&["build", "--dest-dir", &book, &docs]) else { return };
    let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !said.contains("WARN") && !said.contains("ERROR"), "{said}");

    let built = files(folder, "html");
    for chapter in chapters() {
        let name = if chapter == Path::new("README.md") {
            PathBuf::from("index.html")
        } else {
            chapter.with_extension("html")
        };
        assert!(built.contains(&folder.join(&name)), "the book has no {}", name.display());
    }
    let target = Regex::new(r#"(?:href|src)="([^"]*)""#).expect("a pattern");
    let (mut faults, mut count) = (Vec::new(), 0);
    for path in &built {
        // It is shown in place of any page that is not there, so what it links to is not relative to it.
        if path.ends_with("404.html") {
            continue;
        }
        for link in target.captures_iter(&read(path)).map(|found| found[1].to_owned()) {
            count += 1;
            if !link.contains("://") && !leads_somewhere(path, &link) {
                faults.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(count > 1_000, "only {count} links");
    assert!(faults.is_empty(), "links that lead nowhere:\n{}", faults.join("\n"));
}

/// Whether what `link` says is in the built page at `path` there: a file, and in it an element of that name.
fn leads_somewhere(path: &Path, link: &str) -> bool {
    let (file, anchor) = link.split_once('#').map_or((link, None), |(file, anchor)| (file, Some(anchor)));
    let target = if file.is_empty() { path.to_owned() } else { path.parent().expect("it lies in a folder").join(file) };
    let has = |name: &str| name.is_empty() || read(&target).contains(&format!("id=\"{name}\""));
    target.is_file() && anchor.is_none_or(has)
}
