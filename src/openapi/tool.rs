//! One operation as a tool.

use serde_json::{Map, Value, json};

use super::answer;
use super::document::Document;
use super::left::Left;
use super::mend::mend;
use super::operation::Operation;
use super::param;
use super::request::{Input, Request};
use super::schema::{self, Converted, Way};

/// Characters of the longest description that is taken whole.
const MAX_DESCRIPTION: usize = 4_000;

/// An operation and where it is.
#[derive(Debug, Clone, Copy)]
pub struct Place<'p, 'd> {
    /// The whole.
    pub document: &'p Document<'d>,
    /// The operation.
    pub operation: &'p Operation<'d>,
    /// The source that is asked.
    pub source: &'p str,
    /// What stands before its path.
    pub base: &'p str,
}

impl<'d> Place<'_, 'd> {
    /// The request, and the schemas of its params.
    ///
    /// # Errors
    /// In words, why there is none.
    pub fn request<'o>(&'o self, left: &'o mut Vec<Left>) -> Result<(Request<'o, 'd>, Params), String> {
        let taken = param::all(self.document, self.operation, left)?;
        let mut request = Request::of(self.document, self.operation, &taken, self.base, left)?;
        let params = Params::of(self.document, &mut request)?;
        Ok((request, params))
    }
}

/// The keys of a tool.
///
/// # Errors
/// In words, why there is none.
pub fn make(place: &Place<'_, '_>, output: bool, left: &mut Vec<Left>) -> Result<Value, String> {
    let operation = place.operation;
    let mut tool = Map::new();
    described(operation, &mut tool);
    let (request, params) = place.request(left)?;
    params.write(&mut tool);
    let mut http = Map::new();
    http.insert("source".to_owned(), json!(place.source));
    http.insert("request".to_owned(), json!(request.line()));
    http.extend(request.http);
    if let Some(schema) = answer::schema(place.document, operation, left).filter(|_| output)
        && let Some(schema) = promised(operation, schema, left)
    {
        tool.insert("outputSchema".to_owned(), schema);
    }
    tool.insert("annotations".to_owned(), annotations(&operation.method));
    tool.insert("http".to_owned(), Value::Object(http));
    Ok(Value::Object(tool))
}

/// An output schema that compiles.
fn promised(operation: &Operation<'_>, mut schema: Value, left: &mut Vec<Left>) -> Option<Value> {
    let line = operation.line();
    let mut notes = Vec::new();
    let mended = mend(&mut schema, |part, why| notes.push(Left::part(&line, part, why)));
    left.extend(notes);
    match mended {
        Ok(()) => Some(schema),
        Err(why) => {
            left.push(Left::part(&line, "its `outputSchema`", why));
            None
        }
    }
}

/// `title` and `description`.
pub fn described(operation: &Operation<'_>, tool: &mut Map<String, Value>) {
    let (summary, description) = (operation.text("summary"), operation.text("description"));
    if let Some(summary) = summary.filter(|summary| !summary.contains('\n')) {
        tool.insert("title".to_owned(), json!(summary));
    }
    let words = match (summary, description) {
        (Some(summary), Some(description)) if description.starts_with(summary) => description.to_owned(),
        (Some(summary), Some(description)) => format!("{summary}\n\n{description}"),
        (Some(words), None) | (None, Some(words)) => words.to_owned(),
        (None, None) => operation.line(),
    };
    let deprecated = operation.fields.get("deprecated") == Some(&Value::Bool(true));
    let words = if deprecated { format!("Deprecated. {words}") } else { words };
    tool.insert("description".to_owned(), Value::String(cut(words)));
}

fn cut(words: String) -> String {
    match words.char_indices().nth(MAX_DESCRIPTION) {
        None => words,
        Some((end, _)) => format!("{}… (cut)", words.get(..end).unwrap_or_default()),
    }
}

/// What a method says of what a call does (RFC 9110 section 9.2).
fn annotations(method: &str) -> Value {
    match method {
        "GET" | "HEAD" | "OPTIONS" | "TRACE" => json!({ "readOnlyHint": true }),
        "PUT" | "DELETE" => json!({ "readOnlyHint": false, "destructiveHint": true, "idempotentHint": true }),
        "POST" => json!({ "readOnlyHint": false, "idempotentHint": false }),
        _ => json!({ "readOnlyHint": false }),
    }
}

/// The params of a tool with their schemas.
#[derive(Debug)]
pub struct Params {
    /// An object of them all.
    schema: Value,
}

impl Params {
    fn of(document: &Document<'_>, request: &mut Request<'_, '_>) -> Result<Params, String> {
        let inputs = std::mem::take(&mut request.inputs);
        let schemas: Vec<&Value> = inputs.iter().map(|input| &input.schema).collect();
        let Converted { schemas, definitions } = schema::convert(document, &schemas, Way::Sent)?;
        let mut properties = Map::new();
        for (input, mut schema) in inputs.iter().zip(schemas) {
            describe(&mut schema, input);
            properties.insert(input.name.clone(), schema);
        }
        let required: Vec<&str> = inputs.iter().filter(|i| i.required).map(|i| i.name.as_str()).collect();
        let mut whole = json!({ "type": "object", "properties": properties, "additionalProperties": false });
        if let Value::Object(whole) = &mut whole {
            if !required.is_empty() {
                whole.insert("required".to_owned(), json!(required));
            }
            if !definitions.is_empty() {
                whole.insert("$defs".to_owned(), Value::Object(definitions));
            }
        }
        let mut notes = Vec::new();
        mend(&mut whole, |part, why| notes.push((part, why)))?;
        notes.into_iter().for_each(|(part, why)| request.leave(part, why));
        request.inputs = inputs;
        Ok(Params { schema: whole })
    }

    /// The properties, and which of them have to be given.
    pub fn each(&self) -> impl Iterator<Item = (&String, &Value, bool)> {
        let required = self.schema.get("required").and_then(Value::as_array);
        let all = self.schema.get("properties").and_then(Value::as_object).into_iter().flatten();
        all.map(move |(name, schema)| (name, schema, required.is_some_and(|all| all.iter().any(|one| one == name))))
    }

    /// As `params`, or as `inputSchema` where something in it is referred to.
    pub fn write(&self, tool: &mut Map<String, Value>) {
        if self.schema.get("$defs").is_some() {
            tool.insert("inputSchema".to_owned(), self.schema.clone());
            return;
        }
        let mut params = Map::new();
        for (name, schema, required) in self.each() {
            params.insert(name.clone(), param(schema, required));
        }
        if !params.is_empty() {
            tool.insert("params".to_owned(), Value::Object(params));
        }
    }
}

/// A param as the spec has it.
pub fn param(schema: &Value, required: bool) -> Value {
    let mut param = schema.as_object().cloned().unwrap_or_default();
    if !required && !param.contains_key("default") {
        param.insert("optional".to_owned(), json!(true));
    }
    Value::Object(param)
}

/// Gives a param the words of its parameter where its schema has none of its own.
fn describe(schema: &mut Value, input: &Input) {
    if let (Value::Object(schema), Some(words)) = (schema, &input.description) {
        schema.insert("description".to_owned(), json!(words.trim()));
    }
}
