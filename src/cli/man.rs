//! `man`: this program's manual pages, for whoever packages it.

use std::path::PathBuf;

use clap::CommandFactory;

use super::{Exit, complain, print, replace};

/// Arguments of `man`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  mcp-declare man | man -l -\n  mcp-declare man /usr/local/share/man/man1")]
pub struct Arguments {
    /// A folder to write a page for every command into; without one the first page is printed.
    folder: Option<PathBuf>,
}

/// Prints a page, or writes all.
pub fn run(arguments: &Arguments) -> Exit {
    // Manuals are laid out by whoever shows them.
    let command = super::Arguments::command().term_width(0);
    let Some(folder) = &arguments.folder else {
        let mut page = Vec::new();
        // Writing to memory does not fail.
        let _ = clap_mangen::Man::new(command).render(&mut page);
        print(&String::from_utf8_lossy(&page));
        return Exit::Done;
    };
    match clap_mangen::generate_to(command, folder) {
        Ok(()) => Exit::Done,
        Err(error) => {
            complain(&format!("can't write into {}: {}", folder.display(), replace::reason(&error)));
            Exit::AtFault
        }
    }
}
