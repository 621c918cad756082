//! Where what was typed is kept between sessions.

use std::io;
use std::path::{Path, PathBuf};

/// Environment variable with the path of the history file; empty for no file.
const HISTORY_VARIABLE: &str = "LEVADA_HISTORY";

/// `LEVADA_HISTORY`, or `levada/history` below the directory for state.
pub(super) fn path() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os(HISTORY_VARIABLE) {
        return (!path.is_empty()).then(|| PathBuf::from(path));
    }
    let state = std::env::var_os("XDG_STATE_HOME").filter(|path| !path.is_empty()).map(PathBuf::from);
    let state = state.or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(state.join("levada").join("history"))
}

/// Makes the folder of `path`.
pub(super) fn create_parent(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => std::fs::create_dir_all(parent),
        _ => Ok(()),
    }
}

/// Whether `inputrc`, the text of the file in which people set their keys for all programs, asks for those of vi.
pub(super) fn wants_vi(inputrc: &str) -> bool {
    let settings = inputrc.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let mut modes = settings.filter_map(|words| match words.as_slice() {
        ["set", "editing-mode", mode] => Some(*mode == "vi"),
        _ => None,
    });
    modes.next_back().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::wants_vi;

    #[test]
    fn the_last_line_about_keys_counts() {
        assert!(wants_vi("# keys\nset editing-mode vi\nset bell-style none\n"));
        assert!(!wants_vi("set editing-mode vi\nset editing-mode emacs\n"));
        assert!(!wants_vi("# set editing-mode vi\n"));
    }
}
