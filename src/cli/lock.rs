//! `lock`: writes down what clients see, for `serve --locked` to hold the spec to it.

use std::path::{Path, PathBuf};

use super::spec::{self, SpecArguments};
use super::{Exit, complain, note, print, replace};
use crate::action::source::Mode;
use crate::catalog::{Catalog, Changes, Lock};
use crate::spec::load;

/// Arguments of `lock`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mcp-declare lock bookshop.yaml\n  mcp-declare serve bookshop.yaml --locked\n  mcp-declare lock bookshop.yaml --check"
)]
pub struct Arguments {
    #[command(flatten)]
    spec: SpecArguments,
    /// Write nothing: exit with 1 if clients see something else than the lock says.
    #[arg(long)]
    check: bool,
}

/// Writes the lock beside the spec, and prints what is not as it was locked before.
pub async fn run(arguments: Arguments) -> Exit {
    let path = beside(&arguments.spec.spec);
    let catalog = match arguments.spec.load(Mode::Check).await {
        Ok(catalog) => catalog,
        Err(exit) => return exit,
    };
    let before = load::read_text(&path).and_then(|text| Lock::parse(&text));
    let drift = before.map(|lock| lock.drift(&catalog));
    if let Ok(changes) = &drift {
        print(&changes.iter().map(|change| format!("{change}\n")).collect::<String>());
    }
    match (arguments.check, drift) {
        (true, drift) => verdict(drift, &path),
        (false, Ok(changes)) if changes.is_empty() => said(&format!("{} is up to date", path.display())),
        (false, _) => write(&path, &catalog),
    }
}

fn verdict(drift: Result<Changes, String>, path: &Path) -> Exit {
    match drift {
        Ok(changes) if changes.is_empty() => return Exit::Done,
        Ok(_) => complain("clients would see what is not locked; if they shall, run `mcp-declare lock`"),
        Err(why) => complain(&format!("can't read {}: {why}; `mcp-declare lock` writes it", path.display())),
    }
    Exit::AtFault
}

fn write(path: &Path, catalog: &Catalog) -> Exit {
    match replace::replace(path, &Lock::of(catalog).text()) {
        Ok(()) => said(&format!("wrote {}: {}", path.display(), spec::summary(catalog))),
        Err(why) => {
            complain(&format!("can't write {}: {why}", path.display()));
            Exit::AtFault
        }
    }
}

fn said(words: &str) -> Exit {
    note(&format!("{words}\n"));
    Exit::Done
}

/// Where the lock of a spec is: `shop.lock` for `shop.yaml`, and for a folder `shop`, beside it.
pub fn beside(spec: &Path) -> PathBuf {
    if !spec.is_dir() {
        return spec.with_extension("lock");
    }
    // `.` and `..` have no name of their own.
    let whole = spec.canonicalize().unwrap_or_else(|_| spec.to_owned());
    let mut name = whole.file_name().unwrap_or_default().to_owned();
    name.push(".lock");
    whole.with_file_name(name)
}
