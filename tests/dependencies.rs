//! Every dependency that `Cargo.toml` names is used, and a line above it says what for.

use std::fs;
use std::path::{Path, PathBuf};

/// All Rust below `folder`, in one text.
fn sources(folder: &Path) -> String {
    let entries = fs::read_dir(folder).expect("the folder can be read");
    let paths: Vec<PathBuf> = entries.map(|entry| entry.expect("the folder can be read").path()).collect();
    let texts = paths.into_iter().map(|path| match path.extension() {
        _ if path.is_dir() => sources(&path),
        Some(extension) if extension == "rs" => fs::read_to_string(&path).expect("sources are UTF-8"),
        _ => String::new(),
    });
    texts.collect()
}

/// The name by which code calls a crate, where that is another one.
const RENAMED: [(&str, &str); 1] = [("md-5", "md5")];

#[test]
fn each_dependency_is_used_and_says_what_for() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = fs::read_to_string(root.join("Cargo.toml")).expect("the manifest");
    let of_build = sources(&root.join("src"));
    // Unit tests stand in `src`.
    let of_tests = sources(&root.join("tests")) + &of_build;
    let (mut section, mut is_explained, mut count) = ("", false, 0);
    for line in manifest.lines() {
        if line.starts_with('[') {
            section = line;
        }
        if line.starts_with('#') || line.is_empty() {
            // One comment may stand above several.
            is_explained = line.starts_with('#');
            continue;
        }
        let code = match section {
            "[dependencies]" => &of_build,
            "[dev-dependencies]" => &of_tests,
            _ => continue,
        };
        let Some((name, _)) = line.split_once(" = ") else { continue };
        let crate_name =
            RENAMED.iter().find(|(other, _)| *other == name).map_or(name, |(_, code)| code).replace('-', "_");
        assert!(is_explained, "Cargo.toml does not say what {name} is for");
        assert!(code.contains(&format!("{crate_name}::")), "nothing uses {name}");
        count += 1;
    }
    assert!(count > 40, "only {count} dependencies");
}
