//! Request bodies: JSON, forms, parts, texts and bytes.

mod form;

use serde_json::{Map, Value, json};

use super::document::{Document, shown};
use super::media;
use super::param::{Taken, without};
use super::request::{Input, Request, input};
use super::schema;
pub use form::flatten;

/// A body as all versions have it in the end.
struct Body<'b, 'd> {
    required: bool,
    description: Option<&'b str>,
    media: String,
    schema: Value,
    /// How properties of a form are written (OpenAPI 3).
    encoding: Option<&'d Map<String, Value>>,
}

impl Body<'_, '_> {
    /// Whether a list of the form goes by `name[]`.
    fn is_deep(&self, name: &str) -> bool {
        let style = self.encoding.and_then(|all| all.get(name)?.get("style"));
        style.and_then(Value::as_str) == Some("deepObject")
    }
}

/// The kinds of body that can be written, the best first.
type Kind = (&'static str, fn(&str) -> bool);
const KINDS: [Kind; 8] = [
    ("json", |media| media::essence(media) == "application/json"),
    ("json", |media| media::essence(media) == "application/merge-patch+json"),
    ("json", |media| media::is_json(media)),
    ("form", |media| media::essence(media) == "application/x-www-form-urlencoded"),
    ("multipart", |media| media::essence(media) == "multipart/form-data"),
    ("json", |media| matches!(media::essence(media).as_str(), "*/*" | "application/*")),
    ("body", |media| media::is_text(media)),
    ("base64", |media| media::is_bytes(media)),
];

/// Adds what an operation sends.
///
/// # Errors
/// In words, if it has to send what can't be written.
pub fn add<'d>(document: &Document<'d>, taken: &Taken<'d>, request: &mut Request<'_, 'd>) -> Result<(), String> {
    let Some((kind, body)) = find(document, taken, request)? else { return Ok(()) };
    if !body.required && is_nothing(document, &body.schema) {
        return Ok(());
    }
    if ["GET", "HEAD", "TRACE"].contains(&request.operation.method.as_str()) {
        let why = format!("a {} request has no body", request.operation.method);
        return refuse(request, body.required, &why);
    }
    if body.media.chars().any(|c| !c.is_ascii() || c.is_ascii_control()) {
        return refuse(request, body.required, "its media type is none");
    }
    match kind {
        "json" => json(document, &body, request),
        "form" | "multipart" => form::add(document, kind, &body, request)?,
        "base64" => {
            let name = whole(&body, bytes(&body.media), request);
            request.http.insert("body".to_owned(), json!({ "base64": format!("{{{{{name}}}}}") }));
            request.http.insert("contentType".to_owned(), json!(body.media));
        }
        _ => {
            let name = whole(&body, json!({ "type": "string" }), request);
            request.http.insert("body".to_owned(), json!(format!("{{{{{name}}}}}")));
            request.http.insert("contentType".to_owned(), json!(body.media));
        }
    }
    Ok(())
}

/// Whether a schema tells of nothing that could be sent.
fn is_nothing(document: &Document<'_>, schema: &Value) -> bool {
    let nothing = |fields: &Map<String, Value>| {
        let is = |key: &str, value: Value| fields.get(key) == Some(&value);
        is("properties", json!({})) && is("additionalProperties", json!(false))
    };
    document.object(schema).is_ok_and(nothing)
}

/// Leaves a body, or the operation where it can't do without.
fn refuse(request: &mut Request<'_, '_>, required: bool, why: &str) -> Result<(), String> {
    match required {
        true => Err(format!("its body can't be sent: {why}")),
        false => {
            request.leave("the body", why);
            Ok(())
        }
    }
}

/// The body in the form that is sent.
fn find<'b, 'd: 'b>(
    document: &Document<'d>,
    taken: &'b Taken<'d>,
    request: &mut Request<'_, 'd>,
) -> Result<Option<(&'static str, Body<'b, 'd>)>, String> {
    if !taken.form.is_empty() {
        return Ok(Some(form_data(document, taken, request)));
    }
    if let Some(body) = taken.body {
        return swagger(document, body, request);
    }
    let Some(node) = request.operation.fields.get("requestBody") else { return Ok(None) };
    let fields = document.object(node).map_err(|why| format!("its body can't be read: {why}"))?;
    let required = fields.get("required") == Some(&Value::Bool(true));
    let content = fields.get("content").and_then(Value::as_object);
    let medias = || content.into_iter().flatten();
    if medias().next().is_none() {
        refuse(request, required, "no media type is told")?;
        return Ok(None);
    }
    let found = KINDS.iter().find_map(|(kind, fits)| Some((*kind, medias().find(|(media, _)| fits(media))?)));
    let Some((kind, (media, value))) = found else {
        let names: Vec<String> = medias().map(|(media, _)| format!("`{}`", shown(media))).collect();
        refuse(request, required, &format!("{} can't be made from arguments", names.join(", ")))?;
        return Ok(None);
    };
    for (other, _) in medias().filter(|(other, _)| *other != media) {
        request.leave(format!("the body as `{}`", shown(other)), format!("it is sent as `{}`", shown(media)));
    }
    let body = Body {
        required,
        description: fields.get("description").and_then(Value::as_str),
        media: media.clone(),
        schema: value.get("schema").cloned().unwrap_or_else(|| json!({})),
        encoding: value.get("encoding").and_then(Value::as_object),
    };
    Ok(Some((kind, body)))
}

/// The media types that a Swagger 2.0 operation takes.
fn consumes<'d>(document: &Document<'d>, request: &Request<'_, 'd>) -> Vec<&'d str> {
    let own = request.operation.fields.get("consumes").or_else(|| document.get("consumes"));
    own.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Swagger 2.0: `in: body`.
fn swagger<'b, 'd: 'b>(
    document: &Document<'d>,
    body: &'d Map<String, Value>,
    request: &mut Request<'_, 'd>,
) -> Result<Option<(&'static str, Body<'b, 'd>)>, String> {
    let required = body.get("required") == Some(&Value::Bool(true));
    let mut medias = consumes(document, request);
    if medias.is_empty() {
        medias.push("application/json");
    }
    let found = KINDS.iter().find_map(|(kind, fits)| Some((*kind, *medias.iter().find(|media| fits(media))?)));
    let Some((kind, media)) = found else {
        let names: Vec<String> = medias.iter().map(|media| format!("`{}`", shown(media))).collect();
        refuse(request, required, &format!("{} can't be made from arguments", names.join(", ")))?;
        return Ok(None);
    };
    let schema = body.get("schema").cloned().unwrap_or_else(|| json!({}));
    let description = body.get("description").and_then(Value::as_str);
    Ok(Some((kind, Body { required, description, media: media.to_owned(), schema, encoding: None })))
}

/// Swagger 2.0: `in: formData`.
fn form_data<'b, 'd>(
    document: &Document<'d>,
    taken: &Taken<'d>,
    request: &Request<'_, 'd>,
) -> (&'static str, Body<'b, 'd>) {
    let file = taken.form.iter().any(|field| field.get("type") == Some(&json!("file")));
    let multipart = consumes(document, request).iter().any(|media| media::essence(media) == "multipart/form-data");
    let (mut properties, mut required) = (Map::new(), Vec::new());
    for field in &taken.form {
        let Some(name) = field.get("name").and_then(Value::as_str) else { continue };
        let mut schema = without(field, &["name", "in", "required"]);
        if schema.get("type") == Some(&json!("file")) {
            schema = json!({ "type": "string", "format": "binary", "description": field.get("description") });
        }
        properties.insert(name.to_owned(), schema);
        if field.get("required") == Some(&Value::Bool(true)) {
            required.push(name);
        }
    }
    let kind = if file || multipart { "multipart" } else { "form" };
    let schema = json!({ "type": "object", "properties": properties, "required": required });
    (kind, Body { required: !required.is_empty(), description: None, media: String::new(), schema, encoding: None })
}

/// A JSON body: a param for each property where nothing is lost by that, else one for all of it.
fn json<'d>(document: &Document<'d>, body: &Body<'_, 'd>, request: &mut Request<'_, 'd>) {
    let object = schema::object(document, &body.schema).filter(|object| {
        let nullable = |schema: &Value| document.resolve(schema).is_ok_and(schema::is_nullable);
        // An argument that is null counts as not given, so a body that tells null from nothing is taken whole.
        let loses_null = object.properties.iter().any(|(_, schema)| nullable(schema));
        let all_or_nothing = !body.required && !object.required.is_empty();
        !object.open && !loses_null && !all_or_nothing
    });
    let media = media::essence(&body.media);
    if media != "application/json" && !media.contains('*') {
        let headers = request.http.entry("headers").or_insert_with(|| json!({}));
        if let Value::Object(headers) = headers {
            headers.insert("Content-Type".to_owned(), json!(body.media));
        }
    }
    let Some(object) = object else {
        let name = whole(body, body.schema.clone(), request);
        request.http.insert("json".to_owned(), json!(format!("{{{{{name}}}}}")));
        return;
    };
    let mut fields = Map::new();
    for (wire, schema) in &object.properties {
        let name = request.input(wire, "body", input((*schema).clone(), object.requires(wire), None));
        fields.insert((*wire).clone(), json!(format!("{{{{{name}}}}}")));
    }
    request.http.insert("json".to_owned(), Value::Object(fields));
}

/// The schema of bytes, which an argument holds as base64 (JSON Schema 2020-12, Validation, section 8).
fn bytes(media: &str) -> Value {
    json!({ "type": "string", "contentEncoding": "base64", "contentMediaType": media })
}

/// A param that is the whole body.
fn whole(body: &Body<'_, '_>, schema: Value, request: &mut Request<'_, '_>) -> String {
    let description = body.description.map(str::to_owned);
    request.input("body", "request", input(schema, body.required, description))
}

/// What a property of a form becomes: its name on the wire, and the param.
pub type Pair = (String, Input);
