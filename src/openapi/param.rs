//! The parameters of an operation, in one form for all versions.

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::document::{Document, Version, shown};
use super::left::Left;
use super::operation::Operation;

/// Where a parameter's value goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Into the path.
    Path,
    /// Into the query.
    Query,
    /// A header.
    Header,
    /// A cookie.
    Cookie,
}

impl Place {
    /// As OpenAPI calls it.
    pub fn name(self) -> &'static str {
        match self {
            Place::Path => "path",
            Place::Query => "query",
            Place::Header => "header",
            Place::Cookie => "cookie",
        }
    }
}

/// How a value that is not one word is written (OpenAPI 3.1, section 4.8.12.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// `a,b`
    Simple,
    /// `.a.b`
    Label,
    /// `;x=a;x=b`
    Matrix,
    /// `x=a&x=b`, or `x=a,b`
    Form,
    /// Values with a character of their own between them.
    Joined(&'static str),
    /// `x[key]=a`
    Deep,
    /// A text of JSON.
    Json,
}

/// A parameter.
#[derive(Debug, Clone)]
pub struct Param<'d> {
    /// Its name on the wire.
    pub name: &'d str,
    /// Where it goes.
    pub place: Place,
    /// Whether it has to be given.
    pub required: bool,
    /// What it is.
    pub schema: Cow<'d, Value>,
    /// How it is written.
    pub style: Style,
    /// Whether each of several values is written by itself.
    pub explode: bool,
    /// Whether slashes in it stay: GitHub's `x-multi-segment`.
    pub many_segments: bool,
    /// What it means.
    pub description: Option<&'d str>,
}

/// Headers that are the request's own: OpenAPI ignores parameters of their names.
const IGNORED: [&str; 3] = ["accept", "content-type", "authorization"];
/// Headers that no caller may set.
const FORBIDDEN: [&str; 6] = ["host", "content-length", "transfer-encoding", "connection", "upgrade", "te"];

/// What an operation takes.
#[derive(Debug, Default)]
pub struct Taken<'d> {
    /// Parameters of requests.
    pub params: Vec<Param<'d>>,
    /// Swagger 2.0: `in: body`.
    pub body: Option<&'d Map<String, Value>>,
    /// Swagger 2.0: `in: formData`.
    pub form: Vec<&'d Map<String, Value>>,
}

/// All that an operation and its path declare.
///
/// # Errors
/// In words, why the operation can't be called without what is wrong.
pub fn all<'d>(document: &Document<'d>, operation: &Operation<'d>, left: &mut Vec<Left>) -> Result<Taken<'d>, String> {
    let mut declared: Vec<&'d Map<String, Value>> = Vec::new();
    let lists = [operation.shared.get("parameters"), operation.fields.get("parameters")];
    for node in lists.into_iter().flatten().filter_map(Value::as_array).flatten() {
        let fields = document.object(node).map_err(|why| format!("a parameter can't be read: {why}"))?;
        let key = |fields: &Map<String, Value>| (fields.get("name").cloned(), fields.get("in").cloned());
        declared.retain(|other| key(other) != key(fields));
        declared.push(fields);
    }
    let mut taken = Taken::default();
    for fields in declared {
        let place = match fields.get("in").and_then(Value::as_str) {
            Some("path") => Place::Path,
            Some("query") => Place::Query,
            Some("header") => Place::Header,
            Some("cookie") => Place::Cookie,
            Some("body") => {
                taken.body = Some(fields);
                continue;
            }
            Some("formData") => {
                taken.form.push(fields);
                continue;
            }
            _ => return Err("a parameter stands in no place that is known".to_owned()),
        };
        let Some(name) = fields.get("name").and_then(Value::as_str).filter(|name| !name.is_empty()) else {
            return Err("a parameter has no name".to_owned());
        };
        match param(document, name, place, fields) {
            Ok(param) => taken.params.push(param),
            Err(why) if is_required(fields) => return Err(format!("its parameter `{}` {why}", shown(name))),
            Err(why) => left.push(Left::part(&operation.line(), format!("parameter `{}`", shown(name)), why)),
        }
    }
    Ok(taken)
}

fn is_required(fields: &Map<String, Value>) -> bool {
    let ignored = fields.get("name").and_then(Value::as_str).is_some_and(|name| {
        fields.get("in") == Some(&json!("header")) && IGNORED.contains(&name.to_ascii_lowercase().as_str())
    });
    !ignored && (fields.get("required") == Some(&Value::Bool(true)) || fields.get("in") == Some(&json!("path")))
}

fn param<'d>(
    document: &Document<'d>,
    name: &'d str,
    place: Place,
    fields: &'d Map<String, Value>,
) -> Result<Param<'d>, String> {
    let lower = name.to_ascii_lowercase();
    if place == Place::Header && IGNORED.contains(&lower.as_str()) {
        return Err("is a header that the request or `auth` sets, which OpenAPI ignores as a parameter".to_owned());
    }
    if place == Place::Header && FORBIDDEN.contains(&lower.as_str()) {
        return Err("is a header that no caller may set".to_owned());
    }
    if place != Place::Path && name.chars().any(char::is_control) {
        return Err("has a control character in its name".to_owned());
    }
    let (schema, json) = schema(document, fields)?;
    let (style, explode) = match json {
        true => (Style::Json, false),
        false => style(document, place, fields)?,
    };
    Ok(Param {
        name,
        place,
        required: is_required(fields),
        schema,
        style,
        explode,
        many_segments: place == Place::Path && fields.get("x-multi-segment") == Some(&Value::Bool(true)),
        description: fields.get("description").and_then(Value::as_str),
    })
}

/// The schema of a parameter, and whether its value is a text of JSON.
fn schema<'d>(document: &Document<'d>, fields: &'d Map<String, Value>) -> Result<(Cow<'d, Value>, bool), String> {
    if document.version == Version::V2 {
        return Ok((
            Cow::Owned(without(fields, &["name", "in", "required", "description", "collectionFormat"])),
            false,
        ));
    }
    if let Some(schema) = fields.get("schema") {
        return Ok((Cow::Borrowed(schema), false));
    }
    let Some(content) = fields.get("content").and_then(Value::as_object) else {
        return Ok((Cow::Owned(json!({ "type": "string" })), false));
    };
    let json = content.iter().find(|(media, _)| super::media::is_json(media));
    match json {
        Some((_, media)) => {
            let schema = media.get("schema").map_or_else(|| Cow::Owned(json!({})), Cow::Borrowed);
            Ok((schema, true))
        }
        None => {
            let media = content.keys().next().map_or_else(String::new, |media| shown(media));
            Err(format!("is written as `{media}`, which is not JSON"))
        }
    }
}

/// A map without some of its keys.
pub fn without(fields: &Map<String, Value>, keys: &[&str]) -> Value {
    let kept = fields.iter().filter(|(key, _)| !keys.contains(&key.as_str()));
    Value::Object(kept.map(|(key, value)| (key.clone(), value.clone())).collect())
}

fn style(document: &Document<'_>, place: Place, fields: &Map<String, Value>) -> Result<(Style, bool), String> {
    if document.version == Version::V2 {
        return collection(place, fields);
    }
    let named = fields.get("style").and_then(Value::as_str);
    let style = match (named, place) {
        (Some("simple"), Place::Path | Place::Header) | (None, Place::Path | Place::Header) => Style::Simple,
        (Some("label"), Place::Path) => Style::Label,
        (Some("matrix"), Place::Path) => Style::Matrix,
        (Some("form"), Place::Query | Place::Cookie) | (None, Place::Query | Place::Cookie) => Style::Form,
        (Some("spaceDelimited"), Place::Query) => Style::Joined(" "),
        (Some("pipeDelimited"), Place::Query) => Style::Joined("|"),
        (Some("deepObject"), Place::Query) => Style::Deep,
        (Some(other), place) => return Err(format!("has the style `{}`, which no {} has", shown(other), place.name())),
    };
    let explode = fields.get("explode").and_then(Value::as_bool).unwrap_or(style == Style::Form);
    let style = match style {
        Style::Joined(_) if explode => Style::Form,
        other => other,
    };
    Ok((style, explode))
}

/// Swagger 2.0's `collectionFormat`.
fn collection(place: Place, fields: &Map<String, Value>) -> Result<(Style, bool), String> {
    let plain = if place == Place::Query || place == Place::Cookie { Style::Form } else { Style::Simple };
    match fields.get("collectionFormat").and_then(Value::as_str) {
        None | Some("csv") => Ok((plain, false)),
        Some("multi") if place == Place::Query => Ok((Style::Form, true)),
        Some("ssv") => Ok((Style::Joined(" "), false)),
        Some("tsv") => Ok((Style::Joined("\t"), false)),
        Some("pipes") => Ok((Style::Joined("|"), false)),
        Some(other) => Err(format!("has the collectionFormat `{}`, which is not known here", shown(other))),
    }
}
