//! `diff`: what an edit would change for clients. A reload says the same lines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::spec::{self, EnvironmentArguments};
use super::{Exit, complain, note, print};
use crate::action::source::Mode;
use crate::catalog::{Catalog, Changes};
use crate::spec::Environment;

/// Arguments of `diff`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 clients see the same, 1 they see a difference, 2 a spec or the command line is at fault,\n\
                  3 a database could not be reached.\n\n\
                  Example:\n  git show HEAD:bookshop.yaml | mcp-declare diff - bookshop.yaml"
)]
pub struct Arguments {
    /// The spec as it was: a file, a folder, or `-` for standard input.
    #[arg(value_name = "OLD")]
    old: PathBuf,
    /// The spec as it is; `-` if it is standard input that is new.
    #[arg(value_name = "NEW")]
    new: PathBuf,
    /// Connect to nothing: databases need not be there.
    #[arg(long)]
    offline: bool,
    #[command(flatten)]
    environment: EnvironmentArguments,
    /// Take specs with commands although others may write them.
    #[arg(long)]
    trust_permissions: bool,
}

/// Prints the changes. As with `diff`, 1 says that there are any, so a spec at fault gives 2.
pub async fn run(arguments: Arguments) -> Exit {
    match changes(&arguments).await {
        Ok(changes) if changes.is_empty() => Exit::Done,
        Ok(changes) => {
            print(&changes.iter().map(|change| format!("{change}\n")).collect::<String>());
            Exit::AtFault
        }
        Err(exit) => exit,
    }
}

async fn changes(arguments: &Arguments) -> Result<Changes, Exit> {
    let wrong = |words: &str| {
        complain(words);
        Exit::Usage
    };
    if [&arguments.old, &arguments.new].map(|path| path == Path::new("-")) == [true, true] {
        return Err(wrong("only one of the two can be standard input"));
    }
    let environment = arguments.environment.read().map_err(|words| wrong(&words))?;
    // Both are looked at before either is refused: all mistakes are told at once.
    let old = load(&arguments.old, arguments, &environment).await;
    let new = load(&arguments.new, arguments, &environment).await;
    match (old, new) {
        (Ok(old), Ok(new)) => Ok(Changes::between(&old, &new)),
        (Err(Exit::Usage), _) | (_, Err(Exit::Usage)) => Err(Exit::Usage),
        (Err(exit), _) | (_, Err(exit)) => Err(exit),
    }
}

async fn load(path: &Path, arguments: &Arguments, environment: &Environment) -> Result<Arc<Catalog>, Exit> {
    let input = spec::input(path).map_err(|words| {
        complain(&words);
        Exit::Usage
    })?;
    let mode = if arguments.offline { Mode::Offline } else { Mode::Check };
    let loaded = Catalog::load(&input, environment, mode, arguments.trust_permissions.into(), None).await;
    note(&spec::diagnostics(&loaded));
    loaded.catalog.clone().ok_or_else(|| match spec::exit(&loaded) {
        Exit::Unreachable => Exit::Unreachable,
        _ => Exit::Usage,
    })
}
