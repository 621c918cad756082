//! `levada completions`: what a shell needs to complete the command line.

use std::io::{self, Write as _};

use clap::CommandFactory as _;

use super::{Cli, Failure};

const EXAMPLES: &str = "\
Where each shell looks for them:
  levada completions bash > ~/.local/share/bash-completion/completions/levada
  levada completions zsh  > ~/.zfunc/_levada       (a folder of $fpath)
  levada completions fish > ~/.config/fish/completions/levada.fish

For this session alone: source <(levada completions bash)";

/// Arguments of `levada completions`.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct CompletionsCommand {
    /// Shell that is to complete
    #[arg(value_enum, value_name = "SHELL")]
    shell: clap_complete::Shell,
}

impl CompletionsCommand {
    /// Writes the script.
    pub fn run(&self) -> Result<(), Failure> {
        io::stdout().lock().write_all(&script(self.shell))?;
        Ok(())
    }
}

/// The whole script: the generator takes no for an answer of nobody, so it does not write where a reader may go.
fn script(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "levada", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use clap::ValueEnum as _;
    use clap_complete::Shell;

    use super::script;
    use crate::cli::man::commands;

    #[test]
    fn every_shell_knows_every_command() {
        for shell in Shell::value_variants() {
            let script = String::from_utf8(script(*shell)).expect("scripts are UTF-8");
            for (name, command) in commands() {
                let word = command.get_name();
                assert!(script.contains(word), "{shell} does not complete {name}");
                for option in command.get_arguments().filter_map(clap::Arg::get_long) {
                    assert!(script.contains(option), "{shell} does not complete {name} --{option}");
                }
            }
        }
    }
}
