//! What every command does with its spec: read it, check it, and show the diagnostics.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Exit, complain, note};
use crate::action::source::Mode;
use crate::catalog::{Catalog, Loaded};
use crate::spec::load::{self, Input};
use crate::spec::{Environment, render};

/// Lines that a quoted value of an environment file is looked for in, to find the one at fault.
const MAX_LINES: usize = 200;

/// A spec on the command line.
#[derive(Debug, clap::Args)]
pub struct SpecArguments {
    /// A .yaml, .yml, .toml or .json file, or a folder of such files that are one spec.
    pub spec: PathBuf,
    #[command(flatten)]
    pub environment: EnvironmentArguments,
    /// Take a spec with commands although others may write it.
    #[arg(long)]
    pub trust_permissions: bool,
}

/// Where values for `${…}` come from.
#[derive(Debug, clap::Args)]
pub struct EnvironmentArguments {
    /// A file of NAME=value lines, for variables that the environment does not have.
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
}

impl EnvironmentArguments {
    /// The process's environment and the file's.
    ///
    /// # Errors
    /// Words, if the file can't be read.
    pub fn read(&self) -> Result<Environment, String> {
        let mut environment = Environment::of_process();
        for (name, value) in self.file()? {
            environment.add(name, value);
        }
        Ok(environment)
    }

    /// What the file alone says; nothing if none is named.
    ///
    /// # Errors
    /// Words, if the file can't be read.
    pub fn file(&self) -> Result<Vec<(String, String)>, String> {
        let Some(path) = &self.env_file else { return Ok(Vec::new()) };
        let text = load::read_given(path).map_err(|why| format!("can't read {}: {why}", path.display()))?;
        let pairs = dotenvy::from_read_iter(text.as_bytes());
        pairs.collect::<Result<_, _>>().map_err(|_| {
            format!("{}, line {}: expected NAME=value, quoted if it has spaces", path.display(), faulty_line(&text))
        })
    }
}

/// The number of the first line of an environment file that is at fault; its text may be a secret.
fn faulty_line(text: &str) -> usize {
    let (mut begin, mut value) = (1, String::new());
    for (number, line) in (1..).zip(text.lines()) {
        value.push_str(line);
        value.push('\n');
        if dotenvy::from_read_iter(value.as_bytes()).all(|pair| pair.is_ok()) {
            begin = number + 1;
            value.clear();
        } else if number > begin + MAX_LINES {
            break;
        }
    }
    begin
}

impl SpecArguments {
    /// Loads the spec, and shows what was found on stderr.
    ///
    /// # Errors
    /// The command's exit, after the words for it.
    pub async fn load(&self, mode: Mode) -> Result<Arc<Catalog>, Exit> {
        let environment = self.environment.read().map_err(|words| {
            complain(&words);
            Exit::Usage
        })?;
        let loaded =
            Catalog::load(&Input::Path(self.spec.clone()), &environment, mode, self.trust_permissions.into(), None)
                .await;
        note(&diagnostics(&loaded));
        loaded.catalog.clone().ok_or_else(|| exit(&loaded))
    }
}

/// `-` is standard input, bounded like a file.
///
/// # Errors
/// Words, if that can't be read.
pub fn input(path: &Path) -> Result<Input, String> {
    if path != Path::new("-") {
        return Ok(Input::Path(path.to_owned()));
    }
    let mut text = String::new();
    let bound = 16 * 1024 * 1024;
    match std::io::stdin().lock().take(bound + 1).read_to_string(&mut text) {
        Ok(read) if read as u64 > bound => Err("standard input is larger than 16 MiB".to_owned()),
        Ok(_) => Ok(Input::Text(text)),
        Err(_) => Err("standard input is not UTF-8 text".to_owned()),
    }
}

/// The exit of a spec that can't be served.
pub fn exit(loaded: &Loaded) -> Exit {
    if loaded.diagnostics.only_unreachable() { Exit::Unreachable } else { Exit::AtFault }
}

/// All the diagnostics as text, styled for a terminal.
pub fn diagnostics(loaded: &Loaded) -> String {
    loaded.diagnostics.sorted(&loaded.files).into_iter().map(|d| render::text(d, &loaded.files, true)).collect()
}

/// "2 errors and 1 warning"; empty if there is none.
pub fn count(loaded: &Loaded) -> String {
    match (loaded.diagnostics.errors(), loaded.diagnostics.warnings()) {
        (0, 0) => String::new(),
        (errors, 0) => plural(errors, "error"),
        (0, warnings) => plural(warnings, "warning"),
        (errors, warnings) => format!("{} and {}", plural(errors, "error"), plural(warnings, "warning")),
    }
}

/// Words for a name that a catalog does not have: the nearest one, or all of them.
pub fn unknown<'n>(what: &str, name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let known: Vec<&str> = known.collect();
    match crate::spec::nearest(name, known.iter().copied()) {
        Some(near) => format!("there is no {what} `{name}`; did you mean `{near}`?"),
        None if known.is_empty() => format!("there is no {what} `{name}`; this spec has none"),
        None => format!("there is no {what} `{name}`; there are {}", crate::spec::read::list_names(&known)),
    }
}

/// "1 tool", "3 tools".
pub fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") }
}

/// "bookshop 1.0.0 (3 tools, 2 resources, 1 prompt)".
pub fn summary(catalog: &Catalog) -> String {
    let counts = [
        plural(catalog.tools().count(), "tool"),
        plural(catalog.resources().count(), "resource"),
        plural(catalog.prompts().count(), "prompt"),
    ];
    format!("{} {} ({})", catalog.server.name, catalog.server.version, counts.join(", "))
}
