//! `list`: what clients would see.

use rmcp::model::Tool;
use serde_json::{Value, json};

use super::spec::{self, SpecArguments};
use super::{Exit, paint, print, table};
use crate::action::source::Mode;
use crate::catalog::{Catalog, Listed};

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  mcp-declare list bookshop.yaml")]
pub struct Arguments {
    #[command(flatten)]
    spec: SpecArguments,
    /// Print the lists as MCP has them.
    #[arg(long)]
    json: bool,
}

/// Prints the lists.
pub async fn run(arguments: Arguments) -> Exit {
    match arguments.spec.load(Mode::Check).await {
        Ok(catalog) if arguments.json && paint::is_coloured() => {
            print(&format!("{}\n", paint::json(&as_json(&catalog))))
        }
        Ok(catalog) if arguments.json => print(&format!("{:#}\n", as_json(&catalog))),
        Ok(catalog) => print(&as_text(&catalog)),
        Err(exit) => return exit,
    }
    Exit::Done
}

fn as_json(catalog: &Catalog) -> Value {
    let (mut fixed, mut templates) = (Vec::new(), Vec::new());
    for resource in catalog.resources() {
        match &resource.listed {
            Listed::Resource(resource) => fixed.push(json!(resource)),
            Listed::Template(template) => templates.push(json!(template)),
        }
    }
    let mut lists = json!({
        "tools": catalog.listed_tools(),
        "resources": fixed,
        "resourceTemplates": templates,
        "prompts": catalog.prompts().map(|p| json!(p.listed)).collect::<Vec<_>>(),
    });
    if let (Some(_), Value::Object(lists)) = (catalog.search(), &mut lists) {
        lists.insert("searchedTools".to_owned(), catalog.tools().map(|t| json!(t.listed)).collect());
    }
    lists
}

fn as_text(catalog: &Catalog) -> String {
    let room = terminal_size::terminal_size_of(std::io::stdout()).map(|(width, _)| usize::from(width.0));
    let mut text = format!("{}\n", spec::summary(catalog));
    let tools = catalog.tools().map(|tool| row(&tool.listed)).collect();
    match catalog.search() {
        Some(search) => {
            section(&mut text, "tools that clients see (toolMode: search)", search.listed().map(row).collect(), room);
            section(&mut text, "tools that these find and call", tools, room);
        }
        None => section(&mut text, "tools", tools, room),
    }
    let resources = catalog.resources().map(|resource| match &resource.listed {
        Listed::Resource(r) => (r.uri.clone(), r.description.as_deref().unwrap_or("")),
        Listed::Template(t) => (t.uri_template.clone(), t.description.as_deref().unwrap_or("")),
    });
    section(&mut text, "resources", resources.collect(), room);
    let prompts = catalog.prompts().map(|prompt| {
        let arguments = prompt.listed.arguments.iter().flatten();
        let names = arguments.map(|a| if a.required == Some(true) { a.name.clone() } else { format!("{}?", a.name) });
        let names = names.collect::<Vec<_>>().join(", ");
        (format!("{}({names})", prompt.listed.name), prompt.listed.description.as_deref().unwrap_or(""))
    });
    section(&mut text, "prompts", prompts.collect(), room);
    text
}

/// A tool's name and params, and what it is for.
fn row(tool: &Tool) -> (String, &str) {
    let name = format!("{}({})", tool.name, params(&json!(tool.input_schema)));
    (name, tool.description.as_deref().unwrap_or(""))
}

/// The names of an input schema; optional ones with a question mark.
fn params(schema: &Value) -> String {
    let required = schema.get("required").and_then(Value::as_array);
    let required = |name: &str| required.is_some_and(|all| all.iter().any(|n| n == name));
    let names = schema.get("properties").and_then(Value::as_object).into_iter().flat_map(|all| all.keys());
    names.map(|n| if required(n) { n.clone() } else { format!("{n}?") }).collect::<Vec<_>>().join(", ")
}

/// Columns of the names; a longer one has its description in the next line.
const MAX_NAME: usize = 48;

/// `room` is how many columns a terminal has.
fn section(text: &mut String, title: &str, rows: Vec<(String, &str)>, room: Option<usize>) {
    if rows.is_empty() {
        return;
    }
    text.push_str(&format!("\n\x1b[1m{title}:\x1b[0m\n"));
    let columns = |name: &str| name.chars().count();
    let width = rows.iter().map(|(name, _)| columns(name)).filter(|columns| *columns <= MAX_NAME).max().unwrap_or(4);
    for (name, description) in rows {
        let line = paint::visible(description.lines().next().unwrap_or(""));
        let line = match room {
            Some(room) => table::cut(&line, room.saturating_sub(width + 4).max(MAX_NAME / 2)),
            None => line,
        };
        let gap =
            if columns(&name) > width { format!("\n  {:width$}", "") } else { " ".repeat(width - columns(&name)) };
        text.push_str(&format!("  {}", painted(&name)));
        if !line.is_empty() {
            text.push_str(&format!("{gap}  {line}"));
        }
        text.push('\n');
    }
}

/// A name in colour, and what it takes without.
fn painted(name: &str) -> String {
    let (called, takes) = name.split_at(name.find('(').unwrap_or(name.len()));
    format!("\x1b[36m{called}\x1b[0m{takes}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_has_its_description_in_the_next_line() {
        let mut text = String::new();
        let long = "x".repeat(MAX_NAME + 1);
        let rows = [("short()", "One"), (long.as_str(), "Two\nand more"), (long.as_str(), ""), ("ü(a)", "Three")];
        section(&mut text, "tools", rows.map(|(name, line)| (name.to_owned(), line)).to_vec(), None);
        assert_eq!(
            text.replace("\x1b[36m", "").replace("x\x1b[0m", "x").replace("t\x1b[0m(", "t(").replace("ü\x1b[0m", "ü"),
            format!("\n\x1b[1mtools:\x1b[0m\n  short()  One\n  {long}\n           Two\n  {long}\n  ü(a)     Three\n")
        );
    }
}
