//! A GET as a resource: what it takes are the variables of its URI.

use serde_json::{Map, Value, json};

use super::left::Left;
use super::name::slug;
use super::tool::{Place, described, param};
use crate::uri::UriTemplate;

/// The URI or URI template of a resource, and its keys.
///
/// # Errors
/// In words, why there is none.
pub fn make(place: &Place<'_, '_>, uri: Option<&str>, left: &mut Vec<Left>) -> Result<(String, Value), String> {
    let operation = place.operation;
    if operation.method != "GET" {
        return Err(format!("a {} can't be a resource, only a GET can", operation.method));
    }
    let mut keys = Map::new();
    described(operation, &mut keys);
    let (request, params) = place.request(left)?;
    let uri = match uri {
        Some(uri) => uri.to_owned(),
        None => made(place.source, &request.line()),
    };
    let template =
        UriTemplate::parse(&uri).map_err(|fault| format!("`{uri}` is no URI template: {}", fault.message))?;
    let in_uri = |name: &str| template.variables().any(|variable| variable.name == name);
    let mut http = Map::new();
    http.insert("source".to_owned(), json!(place.source));
    let mut line = request.line();
    let mut variables = Map::new();
    let mut outside = Vec::new();
    for (name, schema, required) in params.each() {
        match (in_uri(name), required) {
            (true, _) => drop(variables.insert(name.clone(), param(schema, true))),
            (false, true) => return Err(format!("its param `{name}` is not in the URI `{uri}`")),
            (false, false) => outside.push(name.clone()),
        }
    }
    for name in &outside {
        line = without(&line, name);
    }
    http.insert("request".to_owned(), json!(line));
    let dropped = |template: &Value| {
        let name = template.as_str().and_then(|t| t.strip_prefix("{{")?.strip_suffix("}}"));
        name.is_some_and(|name| outside.iter().any(|other| other == name))
    };
    for (section, value) in request.http {
        let Value::Object(mut all) = value else { continue };
        all.retain(|_, template| !dropped(template));
        if !all.is_empty() {
            http.insert(section, Value::Object(all));
        }
    }
    let named = operation.id.map_or_else(|| operation.line(), str::to_owned);
    keys.shift_insert(0, "name".to_owned(), json!(named));
    if !variables.is_empty() {
        keys.insert("params".to_owned(), Value::Object(variables));
    }
    keys.insert("http".to_owned(), Value::Object(http));
    for name in outside {
        left.push(Left::part(&operation.line(), format!("parameter `{name}`"), "the resource's URI does not have it"));
    }
    Ok((uri, Value::Object(keys)))
}

/// `petstore://pets/{id}{?limit}` of `GET /pets/{id}{?limit}`.
fn made(source: &str, line: &str) -> String {
    let target = line.split_once(' ').map_or(line, |(_, target)| target);
    format!("{}://{}", slug(source, '-'), target.trim_start_matches('/'))
}

/// A request line without one of the variables of its query.
fn without(line: &str, name: &str) -> String {
    let Some((path, query)) = line.rsplit_once("{?") else { return line.to_owned() };
    let names = query.trim_end_matches('}').split(',');
    let kept: Vec<&str> = names.filter(|other| other.trim_end_matches('*') != name).collect();
    match kept.is_empty() {
        true => path.to_owned(),
        false => format!("{path}{{?{}}}", kept.join(",")),
    }
}
