//! `levada man`: the manual pages, one a command.

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::CommandFactory as _;

use super::{Cli, Failure};

const EXAMPLES: &str = "\
Examples:
  levada man | man -l -                     read the page of levada
  levada man topic produce | man -l -       that of one command
  levada man --dir /usr/local/share/man/man1  write all of them: levada.1, levada-run.1, …";

/// Arguments of `levada man`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct ManCommand {
    /// Command whose page to show; default: levada itself
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,

    /// Write the pages of all commands into this folder instead, which is made if need be
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    dir: Option<PathBuf>,
}

impl ManCommand {
    /// Writes one page, or all; fails if there is no such command, or a page cannot be written.
    pub fn run(&self) -> Result<(), Failure> {
        if let Some(folder) = &self.dir {
            return write_all(folder);
        }
        let name = [&["levada".to_owned()], self.command.as_slice()].concat().join("-");
        let Some((_, command)) = commands().into_iter().find(|(other, _)| *other == name) else {
            return Err(Failure::Usage(format!("there is no command levada {}", self.command.join(" "))));
        };
        io::stdout().lock().write_all(&page(&name, command)?)?;
        Ok(())
    }
}

fn write_all(folder: &Path) -> Result<(), Failure> {
    fs::create_dir_all(folder).map_err(|error| unwritable(folder, &error))?;
    for (name, command) in commands() {
        let file = folder.join(format!("{name}.1"));
        fs::write(&file, page(&name, command)?).map_err(|error| unwritable(&file, &error))?;
    }
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::new(format!("cannot write {}: {error}", path.display()))
}

/// All commands with the names of their pages: `levada`, `levada-run`, `levada-topic-produce`.
pub(super) fn commands() -> Vec<(String, clap::Command)> {
    // Each command's own `--help` and `--version` are there only when the whole is built.
    let mut root = Cli::command().disable_help_subcommand(true);
    root.build();
    let mut found = Vec::new();
    collect("levada".to_owned(), &root, &mut found);
    found
}

fn collect(name: String, command: &clap::Command, found: &mut Vec<(String, clap::Command)>) {
    for below in command.get_subcommands() {
        collect(format!("{name}-{}", below.get_name()), below, found);
    }
    found.push((name, command.clone()));
}

/// A page in roff.
fn page(name: &str, command: clap::Command) -> io::Result<Vec<u8>> {
    let mut page = Vec::new();
    let manual = concat!("Levada ", env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(command.display_name(name.to_owned()))
        .title(name.to_uppercase())
        .source(manual)
        .manual("Levada's commands")
        .render(&mut page)?;
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::{commands, page};

    #[test]
    fn every_command_has_a_page_with_all_its_options() {
        let commands = commands();
        let names: Vec<&str> = commands.iter().map(|(name, _)| name.as_str()).collect();
        for name in ["levada", "levada-run", "levada-topic", "levada-topic-produce", "levada-udf-check", "levada-man"] {
            assert!(names.contains(&name), "{names:?}");
        }
        for (name, command) in commands {
            let options: Vec<String> =
                command.get_arguments().filter_map(clap::Arg::get_long).map(|long| long.replace('-', "\\-")).collect();
            let page = String::from_utf8(page(&name, command).expect("memory takes every byte")).expect("UTF-8");
            assert!(page.contains(&format!(".TH {}", name.to_uppercase())), "{page}");
            for option in options {
                assert!(page.contains(&format!("\\-\\-{option}")), "{name} --{option}:\n{page}");
            }
        }
    }
}
