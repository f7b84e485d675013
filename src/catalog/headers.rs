//! `x-mcp-header`: params that HTTP clients repeat in a header `Mcp-Param-…` (MCP 2026-07-28, transports, custom
//! headers). A client drops a tool that breaks the rules, so they are errors of the spec.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::spec::{Code, Diagnostic, Diagnostics, Span};

const KEY: &str = "x-mcp-header";
/// Keywords that hold values and no schemas.
const VALUES: [&str; 4] = ["default", "const", "enum", "examples"];

/// Reports annotations that break the rules: a header's name is an HTTP token, no two are the same whatever their
/// case, and they are on strings, integers and booleans that `properties` alone lead to.
pub fn lint(schema: &Map<String, Value>, place: impl Fn(&str) -> Span, sink: &mut Diagnostics) -> bool {
    let mut lint = Lint { place: &place, sink, seen: HashMap::new(), sound: true };
    lint.schema(schema, "", Level::Root);
    lint.sound
}

/// Whether a schema names headers; true as well where it has the keyword in another place, such as a default.
pub fn are_named(schema: &Map<String, Value>) -> bool {
    schema.iter().any(|(key, value)| key == KEY || in_value(value))
}

fn in_value(value: &Value) -> bool {
    match value {
        Value::Object(members) => are_named(members),
        Value::Array(items) => items.iter().any(in_value),
        _ => false,
    }
}

/// Where a schema stands.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Root,
    Property,
    /// Anywhere else, such as below `items` or `anyOf`.
    Elsewhere,
}

struct Lint<'l> {
    place: &'l dyn Fn(&str) -> Span,
    sink: &'l mut Diagnostics,
    seen: HashMap<String, Span>,
    sound: bool,
}

impl Lint<'_> {
    fn schema(&mut self, schema: &Map<String, Value>, at: &str, level: Level) {
        for (key, value) in schema {
            let below = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
            match (key.as_str(), value) {
                (KEY, header) => self.annotation(schema, header, &below, level),
                ("properties", Value::Object(properties)) => {
                    let level = if level == Level::Elsewhere { level } else { Level::Property };
                    self.each(properties, &below, level);
                }
                (key, _) if VALUES.contains(&key) => {}
                ("$defs" | "definitions" | "dependentSchemas" | "patternProperties", Value::Object(schemas)) => {
                    self.each(schemas, &below, Level::Elsewhere);
                }
                (_, Value::Object(schema)) => self.schema(schema, &below, Level::Elsewhere),
                (_, Value::Array(items)) => {
                    for (i, item) in items.iter().enumerate() {
                        if let Value::Object(schema) = item {
                            self.schema(schema, &format!("{below}/{i}"), Level::Elsewhere);
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn each(&mut self, schemas: &Map<String, Value>, at: &str, level: Level) {
        for (name, schema) in schemas {
            if let Value::Object(schema) = schema {
                self.schema(schema, &format!("{at}/{}", name.replace('~', "~0").replace('/', "~1")), level);
            }
        }
    }

    fn annotation(&mut self, schema: &Map<String, Value>, header: &Value, at: &str, level: Level) {
        let place = (self.place)(at);
        let primitive = matches!(schema.get("type").and_then(Value::as_str), Some("string" | "integer" | "boolean"));
        let token = header.as_str().filter(|name| !name.is_empty() && name.chars().all(is_token));
        let (words, label) = match token {
            _ if level != Level::Property => {
                ("`x-mcp-header` belongs to a param", "only `properties` may lead there from the top")
            }
            None => ("this is no name of a header", "letters, digits and `-`, such as `Region`"),
            Some(_) if !primitive => ("this param can't be a header", "give it the `type` string, integer or boolean"),
            Some(name) => {
                let Some(first) = self.seen.insert(name.to_ascii_lowercase(), place) else { return };
                self.sound = false;
                let words = format!("two params are the header `{name}`");
                let found = Diagnostic::error(Code::NameClash, place, words).label("the second");
                self.sink.push(found.related(first, "the first"));
                return;
            }
        };
        self.sound = false;
        self.sink.push(Diagnostic::error(Code::BadSchema, place, words).label(label));
    }
}

/// A character of a token (RFC 9110, section 5.6.2).
fn is_token(c: char) -> bool {
    c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{FileId, Files};
    use serde_json::json;

    fn faults(schema: Value) -> Vec<String> {
        let mut sink = Diagnostics::default();
        let sound = lint(schema.as_object().unwrap(), |_| Span::new(FileId::default(), 0..0), &mut sink);
        let found: Vec<String> = sink.sorted(&Files::default()).iter().map(|d| d.message.clone()).collect();
        assert_eq!(sound, found.is_empty());
        found
    }

    #[test]
    fn headers_of_primitive_params_are_fine() {
        let nested = json!({ "type": "object", "properties": { "b": { "type": "integer", KEY: "B" } } });
        let schema = json!({ "type": "object", "properties": {
            "a": { "type": "string", KEY: "A-1" }, "n": nested, "c": { "type": "boolean", KEY: "C" },
            "d": { "const": { KEY: "not a schema" } },
        } });
        assert!(faults(schema).is_empty());
    }

    #[test]
    fn what_clients_would_refuse_is_reported() {
        for (property, words) in [
            (json!({ "type": "string", KEY: "" }), "this is no name of a header"),
            (json!({ "type": "string", KEY: "a b" }), "this is no name of a header"),
            (json!({ "type": "string", KEY: "a:b" }), "this is no name of a header"),
            (json!({ "type": "string", KEY: "ä" }), "this is no name of a header"),
            (json!({ "type": "string", KEY: 5 }), "this is no name of a header"),
            (json!({ "type": "object", KEY: "A" }), "this param can't be a header"),
            (json!({ "type": "number", KEY: "A" }), "this param can't be a header"),
            (json!({ "type": ["string", "null"], KEY: "A" }), "this param can't be a header"),
            (json!({ KEY: "A" }), "this param can't be a header"),
            (json!({ "type": "array", "items": { "type": "string", KEY: "A" } }), "`x-mcp-header` belongs to a param"),
            (json!({ "anyOf": [{ "type": "string", KEY: "A" }] }), "`x-mcp-header` belongs to a param"),
        ] {
            assert_eq!(faults(json!({ "properties": { "p": property } })), [words], "{property}");
        }
        assert_eq!(faults(json!({ KEY: "A" })), ["`x-mcp-header` belongs to a param"]);
    }

    #[test]
    fn one_header_is_one_param() {
        let schema = json!({ "properties": {
            "a": { "type": "string", KEY: "Region" }, "b": { "type": "string", KEY: "region" },
        } });
        assert_eq!(faults(schema), ["two params are the header `region`"]);
    }
}
