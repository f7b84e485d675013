//! `completions`: a shell's script that completes this program's command line.

use clap::CommandFactory;
use clap_complete::Shell;

use super::{Exit, print};

/// Arguments of `completions`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mcp-declare completions bash > ~/.local/share/bash-completion/completions/mcp-declare\n  \
                  mcp-declare completions fish > ~/.config/fish/completions/mcp-declare.fish"
)]
pub struct Arguments {
    /// The shell.
    shell: Shell,
}

/// Prints the script.
pub fn run(arguments: &Arguments) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut super::Arguments::command(), "mcp-declare", &mut script);
    let script = String::from_utf8_lossy(&script);
    // clap_complete 4.6 asks for the commands of a program with a hyphen by another name than it gives them.
    print(&script.replace("mcp__subcmd__declare", "mcp__declare"));
    Exit::Done
}
