//! The reference page, made of the schema: one section for each record, one row for each key.

use std::fmt::Write;

use serde_json::{Map, Value};

const HEAD: &str = "# Reference\n\n\
    For looking up a key: every key of the language, with an example. This page is made of the language's own JSON Schema\n\
    (`mcp-declare schema`); [the spec](spec.md) explains how the keys work together. Types are written as in JSON Schema:\n\
    `list of string`, `map of integer`; a link leads to a record with keys of its own. **Bold** keys have to be there.\n\
    A number or boolean may be `${…}` where [values from outside](spec.md#values-from-outside) are allowed. Any `x-…`\n\
    key is ignored.\n\n";

/// Characters of a line of the page's list of records.
const WIDTH: usize = 120;

/// The keys that name an action: said once, not in each record that has an action.
const ACTIONS: [&str; 2] = ["Tool", "Step"];

/// The whole page.
pub fn markdown(schema: &Value) -> String {
    let definitions = schema["definitions"].as_object().unwrap();
    let mut page = HEAD.to_owned();
    page.push_str(&contents(definitions.keys()));
    for (name, definition) in definitions {
        section(&mut page, name, definition, definitions);
    }
    page
}

/// Links to all records, in lines of a bearable length.
fn contents<'n>(names: impl Iterator<Item = &'n String>) -> String {
    let mut lines = vec![String::new()];
    for name in names {
        let link = format!("[{}](#{})", heading(name), anchor(name));
        let last = lines.last_mut().unwrap();
        match last.len() {
            0 => *last = link,
            length if length + link.len() + 3 <= WIDTH => *last += &format!(" · {link}"),
            _ => lines.push(format!("· {link}")),
        }
    }
    lines.join("\n") + "\n"
}

fn section(page: &mut String, name: &str, definition: &Value, definitions: &Map<String, Value>) {
    let record = match &definition["anyOf"] {
        Value::Array(forms) => forms.iter().find(|form| form["properties"].is_object()).unwrap(),
        _ => definition,
    };
    writeln!(page, "\n## {}\n\n{}\n", heading(name), record["description"].as_str().unwrap()).unwrap();
    page.push_str("| key | value | meaning | example |\n|---|---|---|---|\n");
    let required: Vec<&str> = strings(&record["required"]);
    let acts = record["properties"].get("isError").is_some();
    for (key, written) in record["properties"].as_object().unwrap() {
        if acts && !ACTIONS.contains(&name) && is_action(key, definitions) {
            continue;
        }
        let shown = if required.contains(&key.as_str()) { format!("**`{key}`**") } else { format!("`{key}`") };
        let example = written["examples"].get(0).map_or(String::new(), flow);
        let meaning = written["description"].as_str().unwrap();
        let row = [shown, value(written), cell(meaning), format!("`` {} ``", cell(&example))];
        writeln!(page, "| {} |", row.join(" | ")).unwrap();
    }
    if acts && !ACTIONS.contains(&name) {
        writeln!(page, "\nAnd an action, by one of the keys that a [tool](#{}) has for it.", anchor("Tool")).unwrap();
    }
}

fn is_action(key: &str, definitions: &Map<String, Value>) -> bool {
    let tool = &definitions["Tool"];
    key == "isError" || tool["oneOf"].as_array().unwrap().iter().any(|form| strings(&form["required"]).contains(&key))
}

fn strings(list: &Value) -> Vec<&str> {
    list.as_array().map_or_else(Vec::new, |all| all.iter().filter_map(Value::as_str).collect())
}

/// What a value may be, in a few words.
fn value(schema: &Value) -> String {
    let reference = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str());
    if let Some(name) = reference.and_then(|r| r.strip_prefix("#/definitions/")) {
        return format!("[{}](#{})", heading(name), anchor(name));
    }
    if let Some(forms) = schema["anyOf"].as_array() {
        return forms.iter().map(value).collect::<Vec<_>>().join(" or ");
    }
    let words = strings(&schema["enum"]);
    if !words.is_empty() {
        return words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    }
    let kinds = match &schema["type"] {
        Value::String(kind) => kind.clone(),
        // A number or boolean may be written as `${…}`, which the page says once in words.
        Value::Array(kinds) => kinds[0].as_str().unwrap().to_owned(),
        _ => return "any".to_owned(),
    };
    match kinds.as_str() {
        "array" if schema["items"].is_object() => format!("list of {}", value(&schema["items"])),
        "object" if schema["additionalProperties"].is_object() => {
            format!("map of {}", value(&schema["additionalProperties"]))
        }
        "array" => "list".to_owned(),
        _ => kinds,
    }
}

/// An example as YAML would have it in one line.
fn flow(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        Value::Array(items) => format!("[{}]", items.iter().map(flow).collect::<Vec<_>>().join(", ")),
        Value::Object(fields) if fields.is_empty() => "{}".to_owned(),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, value)| format!("{}: {}", plain(key), flow(value)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        _ => value.to_string(),
    }
}

/// A string, quoted where YAML would read it as something else.
fn plain(text: &str) -> String {
    let safe = |c: char| c.is_alphanumeric() || " _-./:".contains(c);
    let needs = text.is_empty()
        || !text.chars().all(safe)
        || text.contains(": ")
        || text.ends_with(':')
        || text.starts_with(['-', ' ', ':'])
        || text.parse::<f64>().is_ok();
    if needs { format!("'{}'", text.replace('\'', "''")) } else { text.to_owned() }
}

/// Without what would end a table's cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

/// `SqlAction` as words: `sql action`.
fn heading(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !words.is_empty() {
            words.push(' ');
        }
        words.extend(c.to_lowercase());
    }
    words.replace("o auth2", "oauth2")
}

fn anchor(name: &str) -> String {
    heading(name).replace(' ', "-")
}
