//! Advice in TOML's own words: mistakes are found in a tree that knows neither brackets nor equals signs.

use serde_json::{Map, Value};

use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::source::{Files, Span};

/// Codes whose advice has pieces of a spec in it.
const WITH_PIECES: [Code; 5] = [Code::WrongType, Code::UnknownKey, Code::MissingKey, Code::NoAction, Code::BadSchema];

/// Rewrites what is said of places in TOML files.
pub fn speak(sink: &mut Diagnostics, files: &Files) {
    for found in sink.since(0).filter(|found| WITH_PIECES.contains(&found.code)) {
        let Some(span) = found.place.as_ref().map(|place| place.span) else { continue };
        let toml =
            files.path(span.file).and_then(|path| path.extension()).is_some_and(|e| e.eq_ignore_ascii_case("toml"));
        if !toml {
            continue;
        }
        match header(span, files).and_then(|header| brackets(found, header)) {
            Some(label) => found.label = label,
            None => found.label = in_toml(&found.label),
        }
        found.help = found.help.iter().map(|help| in_toml(help)).collect();
    }
}

/// The header of a table, such as `[[tools]]`, if that is what a place is.
fn header(span: Span, files: &Files) -> Option<&str> {
    let text = files.text(span.file);
    let written = text.get(span.range())?;
    let before = text.get(..span.range().start)?.rsplit('\n').next()?;
    (before.trim().is_empty() && written.starts_with('[') && !written.contains('\n')).then_some(written)
}

/// How the header is written where something else than it begins was expected.
fn brackets(found: &Diagnostic, header: &str) -> Option<String> {
    if found.code != Code::WrongType {
        return None;
    }
    let several = header.strip_prefix("[[").and_then(|rest| rest.strip_suffix("]]"));
    let one = header.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match (several, one) {
        (Some(name), _) if found.message.starts_with("expected a map from names") => {
            Some(format!("write a table for each: `[{name}.NAME]`"))
        }
        (Some(name), _) => Some(format!("write `[{name}]`, in single brackets")),
        (None, Some(name)) if found.message.starts_with("expected a list") => {
            Some(format!("write `[[{name}]]`, in double brackets, which begins an item of a list"))
        }
        _ => None,
    }
}

/// Words with the pieces of YAML in their backquotes as TOML.
fn in_toml(words: &str) -> String {
    let parts = words.split('`').enumerate();
    let said = parts.map(|(at, part)| match at % 2 {
        1 => piece(part).unwrap_or_else(|| part.to_owned()),
        _ => part.to_owned(),
    });
    said.collect::<Vec<_>>().join("`")
}

/// A piece of a spec as TOML; `None` if it is none.
fn piece(yaml: &str) -> Option<String> {
    let mut files = Files::default();
    let file = files.add("piece", "piece", yaml.to_owned());
    let value = crate::spec::yaml::parse(file, &files, &mut Diagnostics::default())?.to_json();
    match &value {
        Value::Object(fields) if !yaml.starts_with('{') && !yaml.starts_with("{{") => Some(entries(fields)),
        Value::Object(fields) if yaml.contains(": ") => Some(format!("{{ {} }}", entries(fields))),
        Value::Array(_) if yaml.starts_with('[') => Some(inline(&value)),
        _ => None,
    }
}

fn entries(fields: &Map<String, Value>) -> String {
    fields.iter().map(|(key, value)| format!("{key} = {}", inline(value))).collect::<Vec<_>>().join(", ")
}

fn inline(value: &Value) -> String {
    match value {
        // What is left open has no value.
        Value::Object(fields) if fields.is_empty() => "{ … }".to_owned(),
        Value::Object(fields) => format!("{{ {} }}", entries(fields)),
        Value::Array(items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::String(text) if text == "…" => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::in_toml;

    #[test]
    fn pieces_of_yaml_are_toml() {
        let said = [
            ("write `cache: { ttl: 60s }`", "write `cache = { ttl = \"60s\" }`"),
            ("write `{ call: tool, with: { … } }`", "write `{ call = \"tool\", with = { … } }`"),
            ("a list is written `[a, b]`", "a list is written `[\"a\", \"b\"]`"),
            (
                "such as `string`, or `{ type: string, minLength: 2 }`",
                "such as `string`, or `{ type = \"string\", minLength = 2 }`",
            ),
            ("did you mean `text`?", "did you mean `text`?"),
            ("write `{{name}}` or `{{#if name}}`", "write `{{name}}` or `{{#if name}}`"),
            ("write `query: …`", "write `query = …`"),
        ];
        for (yaml, toml) in said {
            assert_eq!(in_toml(yaml), toml);
        }
    }
}
