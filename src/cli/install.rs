//! `install`: makes a client start the server of a spec, or connect to it.

mod client;
mod edit;

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::spec::{self, EnvironmentArguments};
use super::{Exit, complain, note, print, replace};
use crate::action::source::Mode;
use crate::catalog::Catalog;
use crate::spec::load::{self, Input};
use client::{Client, Home};

/// Arguments of `install`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mcp-declare install bookshop.yaml --client claude-desktop --env-file bookshop.env\n  \
                  mcp-declare install bookshop.yaml --client vscode --http http://127.0.0.1:8000/mcp --print"
)]
pub struct Arguments {
    /// A .yaml, .yml, .toml or .json file, or a folder of such files that are one spec.
    spec: PathBuf,
    /// Whose configuration.
    #[arg(long, value_enum)]
    client: Client,
    /// Print the entry, and write nothing.
    #[arg(long)]
    print: bool,
    /// The entry's name; by default the server's.
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// The endpoint of a server that runs already; by default the client starts one.
    #[arg(long, value_name = "URL")]
    http: Option<String>,
    #[command(flatten)]
    environment: EnvironmentArguments,
    /// Take a spec with commands although others may write it; the server is started with it, too.
    #[arg(long)]
    trust_permissions: bool,
}

/// Writes the entry into the client's configuration, or prints it.
pub async fn run(arguments: Arguments) -> Exit {
    let name = match name(&arguments).await {
        Ok(name) => name,
        Err(exit) => return exit,
    };
    let entry = match arguments.http.as_deref() {
        Some(url) => url::Url::parse(url)
            .map_err(|_| format!("`{url}` is no URL, such as http://127.0.0.1:8000/mcp"))
            .and_then(|url| arguments.client.remote(url.as_str())),
        None => command(&arguments).map(|(command, args)| arguments.client.local(&command, &args)),
    };
    let entry = match entry {
        Ok(entry) => entry,
        Err(words) => {
            complain(&words);
            return Exit::Usage;
        }
    };
    if arguments.print {
        let (section, entry) = (arguments.client.section(), json!({ name: entry }));
        print(&format!("{:#}\n", json!({ section: entry })));
        return Exit::Done;
    }
    match install(arguments.client, &name, &entry) {
        Ok(words) => {
            note(&format!("{words}\n"));
            Exit::Done
        }
        Err(words) => {
            complain(&words);
            Exit::AtFault
        }
    }
}

/// The entry's name, once the spec is known to be sound.
async fn name(arguments: &Arguments) -> Result<String, Exit> {
    let environment = arguments.environment.read().map_err(|words| {
        complain(&words);
        Exit::Usage
    })?;
    let input = Input::Path(arguments.spec.clone());
    let trust = arguments.trust_permissions.into();
    let loaded = Catalog::load(&input, &environment, Mode::Offline, trust, None).await;
    note(&spec::diagnostics(&loaded));
    let catalog = loaded.catalog.as_ref().ok_or_else(|| spec::exit(&loaded))?;
    Ok(arguments.name.clone().unwrap_or_else(|| catalog.server.name.clone()))
}

/// What the client starts: this program, wherever the client is started from.
fn command(arguments: &Arguments) -> Result<(String, Vec<String>), String> {
    let program = std::env::current_exe().map_err(|error| format!("can't tell where this program is: {error}"))?;
    let mut args = vec!["serve".to_owned(), absolute(&arguments.spec)?];
    if let Some(file) = &arguments.environment.env_file {
        args.extend(["--env-file".to_owned(), absolute(file)?]);
    }
    if arguments.trust_permissions {
        args.push("--trust-permissions".to_owned());
    }
    Ok((text(&program)?, args))
}

/// Links stay: whoever has a link to the current version wants that one.
fn absolute(path: &Path) -> Result<String, String> {
    let whole = std::path::absolute(path).map_err(|error| format!("{}: {}", path.display(), load::reason(&error)))?;
    text(&whole)
}

fn text(path: &Path) -> Result<String, String> {
    path.to_str().map(str::to_owned).ok_or_else(|| format!("{} is no Unicode, which JSON needs", path.display()))
}

/// Writes the entry where it is not there yet, and tells what was done.
fn install(client: Client, name: &str, entry: &Map<String, Value>) -> Result<String, String> {
    let path = client.file(&Home::of_process()?);
    let shown = path.display();
    let was = match path.symlink_metadata() {
        Ok(_) => load::read_given(&path).map_err(|why| format!("can't read {shown}: {why}"))?,
        Err(_) => String::new(),
    };
    let edited = edit::set(&was, client.section(), name, entry).map_err(|why| format!("{shown}: {why}"))?;
    let Some(text) = edited else { return Ok(format!("{shown} has `{name}` already")) };
    let cant_write = |path: &Path, why: String| format!("can't write {}: {why}", path.display());
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| cant_write(folder, replace::reason(&error)))?;
    }
    let backup = path.symlink_metadata().is_ok().then(|| backup(&path));
    if let Some(backup) = &backup {
        // With the permissions of the file, as it may hold somebody's tokens.
        std::fs::copy(&path, backup).map_err(|error| cant_write(backup, replace::reason(&error)))?;
    }
    replace::replace(&path, &text).map_err(|why| cant_write(&path, why))?;
    let kept = backup.map_or_else(String::new, |backup| format!("; as it was: {}", backup.display()));
    Ok(format!("wrote `{name}` into {shown}{kept}\nstart {} anew to have it", client.title()))
}

fn backup(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".bak");
    path.with_file_name(name)
}
