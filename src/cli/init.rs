//! `init`: a spec to begin with.

mod curl;
mod db;
mod described;
mod interview;
mod template;
mod yaml;

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Exit, complain, note};
use template::Template;

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "On a terminal and without an option it asks.\n\nExamples:\n  mcp-declare init shop.yaml --template sql\n  \
                        mcp-declare init shop.yaml --from-openapi https://api.example.com/openapi.json\n  \
                        mcp-declare init --from-curl \"curl 'https://api.example.com/items?page=1'\"\n  \
                        mcp-declare init shop.yaml --from-db postgres://localhost/shop --tables orders,items\n  \
                        mcp-declare init sales.yaml --from-db sales.db"
)]
#[command(group(clap::ArgGroup::new("from")))]
pub struct Arguments {
    /// The spec to write, a .yaml or .yml file; `-` prints it.
    #[arg(default_value = "mcp-declare.yaml")]
    file: PathBuf,
    /// A small spec that works at once, to change.
    #[arg(long, value_name = "WHAT", value_enum, group = "from")]
    template: Option<Template>,
    /// The server's name in a template; by default the folder's.
    #[arg(long, value_name = "NAME", conflicts_with_all = ["from_openapi", "from_curl", "from_db"])]
    name: Option<String>,
    /// An OpenAPI 3.0, 3.1 or Swagger 2.0 description: a file or URL.
    #[arg(long, value_name = "FILE|URL", group = "from")]
    from_openapi: Option<String>,
    /// A curl line; what it asks becomes a tool.
    #[arg(long, value_name = "LINE", group = "from")]
    from_curl: Option<String>,
    /// A database: its URL, which the spec does not hold, or a SQLite file.
    #[arg(long, value_name = "URL|FILE", group = "from")]
    from_db: Option<String>,
    /// The tables and views to begin with; all by default.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', requires = "from_db")]
    tables: Vec<String>,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
}

/// A spec that was made, and what its author should know.
struct Made {
    /// Its text.
    text: String,
    /// How many tools it has.
    tools: usize,
    /// A second file that it needs.
    beside: Option<Beside>,
    /// What is not in it, and why.
    left: Vec<String>,
    /// What it needs.
    hint: Option<String>,
}

/// A file that is written beside the spec.
struct Beside {
    file: PathBuf,
    text: String,
}

impl Arguments {
    fn name_a_beginning(&self) -> bool {
        self.template.is_some() || self.from_openapi.is_some() || self.from_curl.is_some() || self.from_db.is_some()
    }
}

/// Writes a spec.
pub async fn run(arguments: Arguments) -> Exit {
    let arguments = match decided(arguments) {
        Ok(arguments) => arguments,
        Err(words) => {
            complain(words);
            return Exit::Usage;
        }
    };
    if let Err(words) = check(&arguments.file, arguments.force) {
        complain(&words);
        return Exit::Usage;
    }
    let made = match make(&arguments).await {
        Ok(made) => made,
        Err((exit, words)) => {
            complain(&words);
            return exit;
        }
    };
    if let Some(exit) = write_all(&arguments, &made) {
        return exit;
    }
    note(&told(&made, &arguments.file));
    Exit::Done
}

/// The options, with what they leave open asked where somebody can be asked.
fn decided(arguments: Arguments) -> Result<Arguments, &'static str> {
    if arguments.name_a_beginning() {
        return Ok(arguments);
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err("say what to begin from: --template, --from-openapi, --from-curl or --from-db");
    }
    interview::ask(arguments, &mut std::io::stdin().lock()).ok_or("nothing was written: there was no answer")
}

/// The name of the folder that this runs in.
fn folder_name() -> String {
    let folder = std::env::current_dir().ok();
    let name = folder.as_deref().and_then(Path::file_name).and_then(|name| name.to_str());
    name.map_or_else(|| "my-server".to_owned(), str::to_owned)
}

async fn make(arguments: &Arguments) -> Result<Made, (Exit, String)> {
    if let Some(template) = arguments.template {
        let name = arguments.name.clone().unwrap_or_else(folder_name);
        return template.fill(&name, &arguments.file).map_err(|words| (Exit::Usage, words));
    }
    match (&arguments.from_openapi, &arguments.from_curl, &arguments.from_db) {
        (Some(location), ..) => described::from_openapi(location).await.map(Made::from),
        (_, Some(line), _) => {
            let begun = curl::read(line).map_err(|why| (Exit::AtFault, format!("this curl line: {why}")));
            begun.map(Made::from)
        }
        (.., Some(url)) => db::begin(url, &arguments.tables, &arguments.file).await,
        (None, None, None) => Err((Exit::Usage, "name what to begin from".to_owned())),
    }
}

/// Refuses a file that is there, and one whose ending says that it is not YAML.
fn check(file: &Path, force: bool) -> Result<(), String> {
    if file == Path::new("-") {
        return Ok(());
    }
    let ending = file.extension().map(|e| e.to_string_lossy().to_lowercase());
    if !matches!(ending.as_deref(), Some("yaml" | "yml")) {
        return Err(format!("{} has to end in .yaml or .yml: a spec is begun in YAML", file.display()));
    }
    match file.symlink_metadata().is_ok() && !force {
        true => Err(format!("{} is there already; --force writes over it", file.display())),
        false => Ok(()),
    }
}

/// Writes the spec, and first what it needs; how it ended, if it could not.
fn write_all(arguments: &Arguments, made: &Made) -> Option<Exit> {
    if let Some(beside) = &made.beside
        && let Err(words) = check(&beside.file, arguments.force)
    {
        complain(&words);
        return Some(Exit::Usage);
    }
    let beside = made.beside.iter().map(|beside| (&beside.file, &beside.text));
    for (file, text) in beside.chain([(&arguments.file, &made.text)]) {
        if let Err(why) = write(file, text, arguments.force) {
            complain(&format!("can't write {}: {why}", file.display()));
            return Some(Exit::AtFault);
        }
    }
    None
}

fn write(file: &Path, text: &str, force: bool) -> Result<(), String> {
    if file == Path::new("-") {
        super::print(text);
        return Ok(());
    }
    let mut options = std::fs::OpenOptions::new();
    options.write(true).truncate(force).create(force).create_new(!force);
    let written = options.open(file).and_then(|mut open| open.write_all(text.as_bytes()));
    written.map_err(|error| match file.parent() {
        Some(folder) if error.kind() == std::io::ErrorKind::NotFound => {
            format!("there is no folder {}", folder.display())
        }
        _ => crate::spec::load::reason(&error).to_owned(),
    })
}

fn told(made: &Made, file: &Path) -> String {
    let mut lines: Vec<String> = made.left.iter().map(|line| format!("left out: {line}")).collect();
    lines.extend(made.beside.iter().map(|beside| format!("wrote {}", beside.file.display())));
    if file != Path::new("-") {
        lines.push(format!("wrote {} ({})", file.display(), super::spec::plural(made.tools, "tool")));
    }
    lines.extend(made.hint.clone());
    if file != Path::new("-") {
        lines.push(format!(
            "next: mcp-declare serve {0}, or mcp-declare install {0} --client claude-desktop",
            file.display()
        ));
    }
    lines.into_iter().map(|line| line + "\n").collect()
}
