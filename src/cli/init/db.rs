//! `init --from-db`: a spec over the tables of a database.

mod names;
mod tools;

use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::Made;
use crate::action::source::{Ground, Mode, Sources};
use crate::action::sql::SqlSource;
use crate::action::sql::catalog::Schema;
use crate::action::sql::lexer::Dialect;
use crate::action::sql::types::{ColumnKind, SqlFault};
use crate::action::{Limits, Trust};
use crate::cli::{Exit, spec};
use crate::spec::load::{self, Input};
use crate::spec::{Diagnostic, Environment, Spanned};
use names::{Names, usable};
use tools::Subject;

/// Tables that a spec is begun with, unless they are named.
const MAX_TABLES: usize = 50;
/// What a database is opened by.
const OPENED: &str = "server: { name: database }\nsources: { db: { sql: '${DATABASE_URL}', readOnly: true } }\n\
                      tools: { none: { text: none } }\n";

/// A command's exit, and the words for it.
type Fault = (Exit, String);

/// Begins a spec, to be written as `file`, over a database's tables. A URL without a scheme is the path of a SQLite file.
///
/// # Errors
/// If the database can't be reached, or has no such table. No words hold the URL.
pub async fn begin(url: &str, wanted: &[String], file: &Path) -> Result<Made, Fault> {
    let url = if url.contains(':') { url } else { &format!("sqlite:{url}") };
    if let Some(path) = sqlite(url)
        && path != ":memory:"
        && !Path::new(path).exists()
    {
        return Err((Exit::AtFault, format!("there is no file {path}")));
    }
    let source = open(url).await?;
    let dialect = source.driver.dialect();
    let cancel = CancellationToken::new();
    let catalog = source.catalog(Limits::default(), &cancel);
    let all = catalog.tables().await.map_err(|fault| refused(&fault))?;
    let mut left = Vec::new();
    let mut chosen = Vec::new();
    for name in wanted.iter().map(|name| name.trim()).filter(|name| !name.is_empty()) {
        let known = || all.iter().map(|table| table.name.as_str());
        let table = all.iter().find(|table| table.name == name);
        chosen.push(table.cloned().ok_or_else(|| (Exit::AtFault, spec::unknown("table", name, known())))?);
    }
    if chosen.is_empty() {
        chosen = all.to_vec();
        for table in chosen.iter().skip(MAX_TABLES) {
            left.push(format!("table `{}`: there are more than {MAX_TABLES}; name it in --tables", table.name));
        }
        chosen.truncate(MAX_TABLES);
    }
    let mut schemas = Vec::new();
    for table in chosen {
        if !usable(&table.name) {
            left.push(format!("table `{}`: its name can't stand in a spec's statement", table.name.escape_debug()));
            continue;
        }
        schemas.push(catalog.schema_of(table).await.map_err(|fault| refused(&fault))?);
    }
    if schemas.is_empty() {
        return Err((Exit::AtFault, "this database has no tables that can be read".to_owned()));
    }
    let mut names = Names::default();
    let mut tools = String::new();
    for schema in &schemas {
        let kinds = kinds(&source, schema, dialect).await?;
        let subject = Subject::new(schema, &kinds, dialect, &mut names, &mut left);
        tools.push_str(&subject.write());
    }
    let place = Place::of(url, file)?;
    let hint = matches!(place, Place::Environment).then(|| "It reads DATABASE_URL from the environment.".to_owned());
    Ok(Made { text: text(&place, &schemas, &tools), tools: names.count(), beside: None, left, hint })
}

/// Where the spec has its database from.
enum Place {
    /// A URL of SQLite, which holds no secret.
    Written(String),
    /// `DATABASE_URL`.
    Environment,
}

impl Place {
    /// A path in a spec starts at the spec's folder, one on the command line at the current one.
    fn of(url: &str, file: &Path) -> Result<Place, Fault> {
        let Some(path) = sqlite(url) else { return Ok(Place::Environment) };
        let beside = file.parent().is_none_or(|folder| folder.as_os_str().is_empty() || folder == Path::new("."));
        if beside {
            return Ok(Place::Written(format!("sqlite:{path}")));
        }
        let whole =
            std::path::absolute(path).map_err(|error| (Exit::AtFault, format!("{path}: {}", load::reason(&error))))?;
        Ok(Place::Written(format!("sqlite:{}", whole.display())))
    }
}

/// The path of a SQLite database.
fn sqlite(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite:")?;
    Some(path.strip_prefix("//").unwrap_or(path))
}

/// Opens a database to read.
async fn open(url: &str) -> Result<Arc<SqlSource>, Fault> {
    let mut environment = Environment::default();
    environment.add("DATABASE_URL".to_owned(), url.to_owned());
    let load::Loaded { mut files, mut inputs, document, mut diagnostics, .. } =
        load::load(&Input::Text(OPENED.to_owned()), &environment);
    let mut source = None;
    if let Some(document) = document {
        let name = document.sources.names().next().cloned();
        let mut ground = Ground {
            files: &mut files,
            mode: Mode::Check,
            trust: Trust::Owner,
            sandbox: None,
            sink: &mut diagnostics,
            inputs: &mut inputs,
        };
        let sources = Sources::open(&document.sources, &mut ground, None).await;
        source = name.and_then(|name: Spanned<String>| sources.sql(&name, &mut diagnostics));
    }
    let words: Vec<String> = diagnostics.sorted(&files).into_iter().map(words).collect();
    let exit = if diagnostics.only_unreachable() { Exit::Unreachable } else { Exit::AtFault };
    source.filter(|_| !diagnostics.has_errors()).ok_or_else(|| (exit, words.join("; ")))
}

/// A diagnostic in one line.
fn words(found: &Diagnostic) -> String {
    match found.label.as_str() {
        "" => found.message.clone(),
        label => format!("{}: {label}", found.message),
    }
}

/// What each column holds, as the database describes a statement over it.
async fn kinds(source: &SqlSource, schema: &Schema, dialect: Dialect) -> Result<Vec<ColumnKind>, Fault> {
    let statement =
        format!("SELECT {} FROM {}", tools::columns(&schema.columns, dialect), schema.table.quoted(dialect));
    match source.driver.describe(&statement).await {
        Some(Ok(described)) => Ok(described.columns.iter().map(|column| column.kind).collect()),
        Some(Err(fault)) => Err(refused(&fault)),
        None => Ok(Vec::new()),
    }
}

fn refused(fault: &SqlFault) -> Fault {
    (Exit::AtFault, format!("the database does not tell what it holds: {fault}"))
}

/// The whole spec.
fn text(place: &Place, schemas: &[Schema], tools: &str) -> String {
    let mut text = String::from(
        "# A spec over a database. Take out what is not needed: fewer tools serve better.\n\
         #\n",
    );
    let url = match place {
        // `$$` is a dollar sign
        Place::Written(url) => tools::scalar(&url.replace('$', "$$")),
        Place::Environment => {
            text.push_str("#   export DATABASE_URL=…\n");
            "${DATABASE_URL} # the URL is not in this file".to_owned()
        }
    };
    let _ = write!(
        text,
        "#   mcp-declare check THIS_FILE && mcp-declare serve THIS_FILE\n\
         mcpDeclare: 1\n\
         server:\n  name: database\n\
         \n\
         sources:\n  db:\n\
         \x20   sql: {url}\n",
    );
    text.push_str(
        "    readOnly: true # the database itself refuses every write\n\
         \x20   expose: # as resources: db://tables, and of each table its schema and its rows\n\
         \x20     schema: true\n      tables:\n",
    );
    for schema in schemas {
        let _ = writeln!(text, "        - {}", tools::scalar(&schema.table.name));
    }
    let _ = write!(text, "\ntools:{tools}");
    text.push_str(
        "\n# What a user picks: the tables are in the message that the model gets.\n\
         prompts:\n  ask_database:\n    title: Ask the database\n\
         \x20   description: Answer a question from the tables of the database.\n\
         \x20   arguments:\n      question: { description: What to find out, required: true }\n\
         \x20   data:\n      known: { tables: { source: db",
    );
    let names: Vec<String> = schemas.iter().map(|schema| tools::scalar(&schema.table.name)).collect();
    let _ = write!(text, ", only: [{}]", names.join(", "));
    text.push_str(
        " } }\n    template: |\n      Answer this question from the database, by its tools: {{question}}\n\n      \
         The tables are:\n      {{#each known}}\n      - {{name}} ({{kind}}){{#if comment}}: {{comment}}{{/if}}\n      \
         {{/each}}\n",
    );
    text
}
