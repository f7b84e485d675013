//! `check`: every mistake of a spec.

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
    /// How diagnostics are printed; json is one array.
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
        let loaded = Catalog::load(&input, &environment, mode, arguments.trust_permissions.into(), None).await;
        match arguments.format {
            Format::Text => print(&text(path, &loaded, arguments.offline)),
            Format::Json => {
                let all = loaded.diagnostics.sorted(&loaded.files);
                found.extend(all.into_iter().map(|d| render::json(d, &loaded.files)));
            }
        }
        exits.push(match &loaded.catalog {
            Some(_) if arguments.deny_warnings && loaded.diagnostics.warnings() > 0 => Exit::AtFault,
            Some(_) => Exit::Done,
            None => spec::exit(&loaded),
        });
    }
    if arguments.format == Format::Json {
        print(&format!("{:#}\n", Value::Array(found)));
    }
    let first = |wanted: Exit| exits.iter().copied().find(|e| *e == wanted);
    first(Exit::AtFault).or(first(Exit::Unreachable)).unwrap_or(Exit::Done)
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
