//! `check`: every mistake of a spec, and what lints find in a sound one.

mod sarif;

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::spec::{self, EnvironmentArguments};
use super::{Exit, complain, print};
use crate::action::source::Mode;
use crate::catalog::{Catalog, Loaded};
use crate::spec::render;

/// Arguments of `check`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mcp-declare check bookshop.yaml")]
pub struct Arguments {
    /// Spec files or folders; `-` reads standard input.
    #[arg(required = true)]
    specs: Vec<PathBuf>,
    /// Connect to nothing: statements are not prepared.
    #[arg(long)]
    offline: bool,
    /// How diagnostics are printed; json is one array, sarif is SARIF 2.1.0.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Fail on warnings too.
    #[arg(long)]
    deny_warnings: bool,
    #[command(flatten)]
    environment: EnvironmentArguments,
    /// Take a spec with commands although others may write it.
    #[arg(long)]
    trust_permissions: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
    Sarif,
}

/// Checks each spec and prints what was found.
pub async fn run(arguments: Arguments) -> Exit {
    let environment = match arguments.environment.read() {
        Ok(environment) => environment,
        Err(words) => {
            complain(&words);
            return Exit::Usage;
        }
    };
    let mode = if arguments.offline { Mode::Offline } else { Mode::Check };
    let mut exits = Vec::new();
    let mut found: Vec<Value> = Vec::new();
    for path in &arguments.specs {
        let input = match spec::input(path) {
            Ok(input) => input,
            Err(words) => {
                complain(&words);
                return Exit::Usage;
            }
        };
        let mut loaded = Catalog::load(&input, &environment, mode, arguments.trust_permissions.into(), None).await;
        loaded.lint();
        found.extend(told(path, &loaded, &arguments));
        exits.push(match &loaded.catalog {
            Some(_) if arguments.deny_warnings && loaded.diagnostics.warnings() > 0 => Exit::AtFault,
            Some(_) => Exit::Done,
            None => spec::exit(&loaded),
        });
    }
    match arguments.format {
        Format::Text => {}
        Format::Json => print(&format!("{:#}\n", Value::Array(found))),
        Format::Sarif => print(&format!("{:#}\n", sarif::log(found))),
    }
    let first = |wanted: Exit| exits.iter().copied().find(|e| *e == wanted);
    first(Exit::AtFault).or(first(Exit::Unreachable)).unwrap_or(Exit::Done)
}

/// Prints what was found as text, or gives it for the one value that is printed at the end.
fn told(path: &Path, loaded: &Loaded, arguments: &Arguments) -> Vec<Value> {
    let files = &loaded.files;
    match arguments.format {
        Format::Text => {
            print(&text(path, loaded, arguments.offline));
            Vec::new()
        }
        Format::Json => loaded.diagnostics.sorted(files).into_iter().map(|found| render::json(found, files)).collect(),
        Format::Sarif => sarif::results(path, loaded),
    }
}

fn text(path: &Path, loaded: &Loaded, offline: bool) -> String {
    let name = if path == Path::new("-") { "<stdin>".to_owned() } else { path.display().to_string() };
    let count = spec::count(loaded);
    let verdict = match &loaded.catalog {
        None => count,
        Some(catalog) => {
            let notes = if count.is_empty() { String::new() } else { format!(", {count}") };
            let unchecked = if offline { "; statements were not prepared (--offline)" } else { "" };
            format!("ok, {}{notes}{unchecked}", spec::summary(catalog))
        }
    };
    format!("{}{name}: {verdict}\n", spec::diagnostics(loaded))
}
