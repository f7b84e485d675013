//! `install`: makes a client start the server of a spec, or connect to it.

mod backup;
mod client;
mod edit;
mod project;

use std::path::{Component, Path, PathBuf};

use serde_json::{Map, Value, json};

use super::spec::{self, EnvironmentArguments};
use super::{Exit, complain, note, print, program, replace};
use crate::action::source::Mode;
use crate::catalog::Catalog;
use crate::spec::load::{self, Input};
use crate::spec::read::list_names;
use client::{Client, Home};
use project::Project;

/// Arguments of `install`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mcp-declare install bookshop.yaml --client claude-desktop --env-file bookshop.env\n  \
                  mcp-declare install bookshop.yaml --client vscode --http http://127.0.0.1:8000/mcp --print\n  \
                  mcp-declare install bookshop.yaml --client cursor --project"
)]
pub struct Arguments {
    /// A .yaml, .yml, .toml or .json file, or a folder of such files that are one spec.
    spec: PathBuf,
    /// Whose configuration.
    #[arg(long, value_enum)]
    client: Client,
    /// Write the file of a project, which others share, not the user's; the current folder without a value.
    #[arg(long, value_name = "FOLDER", num_args = 0..=1, require_equals = true, default_missing_value = ".")]
    project: Option<PathBuf>,
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
    let (name, missed) = match known(&arguments).await {
        Ok(known) => known,
        Err(exit) => return exit,
    };
    let project = arguments.project.as_deref().map(|folder| Project::at(folder, arguments.client)).transpose();
    let prepared = project.and_then(|project| entry(&arguments, project.as_ref()).map(|entry| (project, entry)));
    let (project, entry) = match prepared {
        Ok(prepared) => prepared,
        Err(words) => {
            complain(&words);
            return Exit::Usage;
        }
    };
    if arguments.print {
        let (section, entry) = (arguments.client.section(), json!({ name: entry }));
        print(&format!("{:#}\n", json!({ section: entry })));
        note(&warning(&missed, arguments.client));
        return Exit::Done;
    }
    let file = project.map_or_else(|| Home::of_process().map(|home| arguments.client.file(&home)), |p| Ok(p.file()));
    match file.and_then(|file| install(arguments.client, &file, &name, &entry)) {
        Ok(words) => {
            note(&format!("{words}\n{}", warning(&missed, arguments.client)));
            Exit::Done
        }
        Err(words) => {
            complain(&words);
            Exit::AtFault
        }
    }
}

/// What the client's configuration says of the server.
fn entry(arguments: &Arguments, project: Option<&Project>) -> Result<Map<String, Value>, String> {
    match arguments.http.as_deref() {
        Some(url) => url::Url::parse(url)
            .map_err(|_| format!("`{url}` is no URL, such as http://127.0.0.1:8000/mcp"))
            .and_then(|url| arguments.client.remote(url.as_str())),
        None => command(arguments, project).map(|(command, args)| arguments.client.local(&command, &args)),
    }
}

/// The entry's name, once the spec is known to be sound, and the variables that it needs and the client does not get.
async fn known(arguments: &Arguments) -> Result<(String, Vec<String>), Exit> {
    let usage = |words: String| {
        complain(&words);
        Exit::Usage
    };
    let environment = arguments.environment.read().map_err(usage)?;
    let file = arguments.environment.file().map_err(usage)?;
    let input = Input::Path(arguments.spec.clone());
    let trust = arguments.trust_permissions.into();
    let loaded = Catalog::load(&input, &environment, Mode::Offline, trust, None).await;
    note(&spec::diagnostics(&loaded));
    let catalog = loaded.catalog.as_ref().ok_or_else(|| spec::exit(&loaded))?;
    let name = arguments.name.clone().unwrap_or_else(|| catalog.server.name.clone());
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        complain("the entry's name is empty or has a control character; give it another by --name");
        return Err(Exit::Usage);
    }
    let given = |name: &str| file.iter().any(|(known, _)| known == name);
    let needed = loaded.outside.variables.iter().filter(|v| v.default.is_none() && !v.is_everywhere());
    let missed = match arguments.http {
        Some(_) => Vec::new(),
        None => needed.filter(|v| !given(&v.name)).map(|v| v.name.clone()).collect(),
    };
    Ok((name, missed))
}

/// What to say of variables that this shell has and the client may not.
fn warning(missed: &[String], client: Client) -> String {
    let names: Vec<&str> = missed.iter().map(String::as_str).collect();
    match list_names(&names) {
        names if names.is_empty() => names,
        names => format!(
            "warning: {} may not have the environment of this shell, which sets {names}: put NAME=value lines into a \
             file, and name it with --env-file\n",
            client.title()
        ),
    }
}

/// What the client starts: this program, wherever the client is started from.
fn command(arguments: &Arguments, project: Option<&Project>) -> Result<(String, Vec<String>), String> {
    let named = |path: &Path| match project {
        Some(project) => project.path(path),
        None => program::text(&absolute(path)?),
    };
    let mut args = vec!["serve".to_owned(), named(&arguments.spec)?];
    if let Some(file) = &arguments.environment.env_file {
        args.extend(["--env-file".to_owned(), named(file)?]);
    }
    if arguments.trust_permissions {
        args.push("--trust-permissions".to_owned());
    }
    let program = if project.is_some() { program::word()? } else { program::text(&program::path()?)? };
    Ok((program, args))
}

/// Links stay, as whoever has a link to the current version wants that one; but where `..` leads only the system knows.
fn absolute(path: &Path) -> Result<PathBuf, String> {
    let climbs = path.components().any(|part| part == Component::ParentDir);
    let whole = if climbs { path.canonicalize() } else { std::path::absolute(path) };
    whole.map_err(|error| format!("{}: {}", path.display(), load::reason(&error)))
}

/// Writes the entry where it is not there yet, and tells what was done.
fn install(client: Client, path: &Path, name: &str, entry: &Map<String, Value>) -> Result<String, String> {
    let shown = path.display();
    let cant_write = |path: &Path, why: String| format!("can't write {}: {why}", path.display());
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder).map_err(|error| cant_write(folder, replace::reason(&error)))?;
    // Where a file system has no locks, the second look before writing has to do.
    let _turn = turn(folder).ok();
    let was = text_of(path)?;
    let edited = edit::set(was.as_deref().unwrap_or(""), client.section(), name, entry);
    let Some(text) = edited.map_err(|why| format!("{shown}: {why}"))? else {
        return Ok(format!("{shown} has `{name}` already"));
    };
    let kept = match &was {
        Some(was) => format!("; as it was: {}", backup::keep(path, was)?.display()),
        None => String::new(),
    };
    if text_of(path)? != was {
        return Err(format!("{shown} was just changed by somebody else; nothing was written, try again"));
    }
    replace::replace(path, &text).map_err(|why| cant_write(path, why))?;
    Ok(format!("wrote `{name}` into {shown}{kept}\nstart {} anew to have it", client.title()))
}

/// The text of a file; `None` if there is none.
fn text_of(path: &Path) -> Result<Option<String>, String> {
    if path.symlink_metadata().is_err() {
        return Ok(None);
    }
    load::read_text(path).map(Some).map_err(|why| format!("can't read {}: {why}", path.display()))
}

/// Waits until no other `install` writes into the folder; it is our turn as long as this is kept.
fn turn(folder: &Path) -> std::io::Result<std::fs::File> {
    let folder = std::fs::File::open(folder)?;
    folder.lock()?;
    Ok(folder)
}
