//! `call`: a tool, through the same path as a client's call.

mod person;

use std::io::{IsTerminal, Read};

use rmcp::model::ContentBlock;
use serde_json::{Map, Value};

use super::spec::{self, SpecArguments};
use super::{Exit, complain, note, paint, print, table, user};
use crate::action::source::Mode;
use crate::action::{Arguments as Given, Param};
use crate::catalog::params::Params;
use crate::catalog::{Answer, Catalog, Resolved, Tool};
use crate::outcome::ErrorKind;
use crate::schema::coerce;
use person::Person;

/// Bytes of arguments that standard input may bring.
const MAX_STDIN: u64 = 64 * 1024 * 1024;

/// Arguments of `call`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  mcp-declare call bookshop.yaml find_books words=dune limit=3\n  mcp-declare call bookshop.yaml find_books --json '{\"words\": \"dune\"}'"
)]
pub struct Arguments {
    #[command(flatten)]
    spec: SpecArguments,
    /// The tool's name.
    tool: String,
    /// Arguments; each is converted by its param's type. Repeat a name, or write a,b, for a list.
    #[arg(value_name = "NAME=VALUE")]
    arguments: Vec<String>,
    /// All arguments as one JSON object; `-` reads it from standard input.
    #[arg(long, value_name = "JSON", conflicts_with = "arguments")]
    json: Option<String>,
    /// How JSON is printed: rows as a table, which is usual on a terminal, or as it is.
    #[arg(long, value_name = "FORMAT", value_enum)]
    format: Option<Format>,
    /// Show what the call would do, secrets masked, and run nothing.
    #[arg(long)]
    explain: bool,
    /// Say yes to what the tool asks its user first.
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, clap::ValueEnum)]
enum Format {
    Table,
    Json,
}

impl Format {
    /// What is usual where standard output leads to.
    fn usual() -> Format {
        if std::io::stdout().is_terminal() { Format::Table } else { Format::Json }
    }
}

/// What is said in place of what a client would be told.
const UNASKED: &str = "this tool asks its user, and there is no terminal to ask at";

/// Columns of a table where no terminal says how wide it is.
const WIDTH: usize = 120;

/// Calls the tool and prints its answer.
pub async fn run(arguments: Arguments) -> Exit {
    let mode = if arguments.explain { Mode::Check } else { Mode::Serve };
    let catalog = match arguments.spec.load(mode).await {
        Ok(catalog) => catalog,
        Err(exit) => return exit,
    };
    let Some(params) = params(&catalog, &arguments.tool) else {
        complain(&spec::unknown("tool", &arguments.tool, catalog.tools().map(|t| t.listed.name.as_ref())));
        return Exit::AtFault;
    };
    let given = match &arguments.json {
        Some(json) => object(json),
        None => pairs(&arguments.arguments, &params.all),
    };
    let given = match given {
        Ok(given) => given,
        Err(words) => {
            complain(&words);
            return Exit::Usage;
        }
    };
    let format = arguments.format.unwrap_or_else(Format::usual);
    match catalog.resolve(&arguments.tool, given) {
        Some(Resolved::Tool(tool, given)) if arguments.explain => explain(tool, given),
        Some(Resolved::Tool(tool, given)) => {
            let tried = if arguments.yes {
                tool.attempt(given, &user::saying_yes()).await
            } else {
                let person = Person::of_process();
                let tried = tool.attempt(given, &person.call).await;
                person.end().await;
                tried
            };
            match tried {
                Ok(answer) => show(&answer, format),
                Err(error) => {
                    let unasked = error.kind == ErrorKind::Lacking && !arguments.yes && tool.asks();
                    let nobody = unasked && !person::answers();
                    let words = if nobody { UNASKED.to_owned() } else { error.message };
                    let exit = show(&Answer::error(words), format);
                    if unasked {
                        note("help: with `--yes` the answer to what the tool asks is yes\n");
                    }
                    exit
                }
            }
        }
        Some(Resolved::Answer(answer)) => show(&answer, format),
        None => Exit::AtFault,
    }
}

/// The params of a tool, or of one of those that stand before the tools.
fn params<'c>(catalog: &'c Catalog, name: &str) -> Option<&'c Params> {
    let own = || catalog.search().and_then(|search| search.parameters(name));
    catalog.tool(name).map(Tool::parameters).or_else(own)
}

fn explain(tool: &Tool, given: Given) -> Exit {
    match tool.explain(given) {
        Ok(text) => {
            print(&format!("{text}\n"));
            Exit::Done
        }
        Err(words) => {
            complain(&words);
            Exit::AtFault
        }
    }
}

fn show(answer: &Answer, format: Format) -> Exit {
    let mut parts = parts(answer);
    if answer.is_error {
        complain(&join(&parts));
        return Exit::AtFault;
    }
    // JSON on stdout is for programs; what is said of it, such as that it was cut, is not of it.
    let said = if parts.first().is_some_and(|p| p.json) { parts.split_off(1) } else { Vec::new() };
    let rows = answer.structured.as_ref().filter(|_| format == Format::Table && parts.iter().any(|part| part.json));
    let table = rows.and_then(|rows| table::of_answer(rows, width()));
    let coloured = || answer.structured.as_ref().filter(|_| parts.iter().any(|part| part.json) && paint::is_coloured());
    match table.or_else(|| coloured().map(|value| format!("{}\n", paint::json(value)))) {
        Some(shown) => print(&shown),
        None => paint::data(&format!("{}\n", join(&parts).trim_end_matches('\n'))),
    }
    if !said.is_empty() {
        note(&format!("{}\n", join(&said)));
    }
    Exit::Done
}

fn width() -> usize {
    terminal_size::terminal_size_of(std::io::stdout()).map_or(WIDTH, |(width, _)| usize::from(width.0))
}

/// A content block as text.
struct Part {
    text: String,
    /// Whether it is the structured answer.
    json: bool,
}

fn join(parts: &[Part]) -> String {
    parts.iter().map(|part| part.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// The blocks of an answer; JSON is laid out over several lines.
fn parts(answer: &Answer) -> Vec<Part> {
    let words = |text: String| Part { text, json: false };
    let part = |block: &ContentBlock| match block {
        ContentBlock::Text(text) => match &answer.structured {
            Some(value) if serde_json::from_str(&text.text).is_ok_and(|said: Value| said == *value) => {
                Part { text: format!("{value:#}"), json: true }
            }
            _ => words(text.text.clone()),
        },
        ContentBlock::Image(image) => words(format!("[{}, {} bytes of base64]", image.mime_type, image.data.len())),
        ContentBlock::Audio(audio) => words(format!("[{}, {} bytes of base64]", audio.mime_type, audio.data.len())),
        _ => words("[an embedded resource]".to_owned()),
    };
    answer.content.iter().map(part).collect()
}

/// The object of `--json`.
fn object(json: &str) -> Result<Given, String> {
    let mut text = json.to_owned();
    if json == "-" {
        text.clear();
        let read = std::io::stdin().lock().take(MAX_STDIN).read_to_string(&mut text);
        read.map_err(|_| "standard input is not UTF-8 text".to_owned())?;
    }
    match serde_json::from_str(&text) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(_) => Err("--json takes an object, such as '{\"words\": \"dune\"}'".to_owned()),
        Err(error) => Err(format!("--json is not JSON: {error}")),
    }
}

/// `name=value` pairs, converted by the params' schemas.
fn pairs(given: &[String], params: &[Param]) -> Result<Given, String> {
    let mut arguments: Given = Map::new();
    for pair in given {
        let (name, text) =
            pair.split_once('=').ok_or_else(|| format!("`{pair}` is not NAME=VALUE, such as `words=dune`"))?;
        let schema = params.iter().find(|p| p.name.value == name).map_or(&Value::Null, |p| p.schema.as_ref());
        let value = coerce(schema, text);
        match arguments.get_mut(name) {
            None => {
                arguments.insert(name.to_owned(), value);
            }
            Some(Value::Array(list)) => match value {
                Value::Array(more) => list.extend(more),
                one => list.push(one),
            },
            Some(_) => {
                note(&format!("warning: `{name}` is given twice; the last one counts\n"));
                arguments.insert(name.to_owned(), value);
            }
        }
    }
    Ok(arguments)
}
