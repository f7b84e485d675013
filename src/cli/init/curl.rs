//! A curl line as a tool: its query and body become params, whose defaults are what the line has; its credentials
//! become variables of the environment.

mod line;
mod words;

use serde_json::{Map, Value, json};
use url::Url;

use super::described::Begun;
use crate::openapi::slug;
use line::{Data, Line};

/// Headers that hold credentials.
const SECRETS: [&str; 6] = ["authorization", "cookie", "x-api-key", "api-key", "x-auth-token", "proxy-authorization"];

/// Reads a line.
///
/// # Errors
/// In words, what is wrong with it.
pub fn read(text: &str) -> Result<Begun, String> {
    let line = Line::read(&words::split(text)?)?;
    let url = &line.url;
    let mut made = Maker {
        params: Map::new(),
        http: Map::new(),
        source: Map::new(),
        variables: Vec::new(),
        left: line.left.clone(),
    };
    let name = slug(url.host_str().unwrap_or("api"), '_');
    let prefix = name.to_ascii_uppercase();
    made.source.insert("http".to_owned(), json!(origin(url)));
    made.http.insert("source".to_owned(), json!(name));
    let query = made.query(url);
    made.http.insert("request".to_owned(), json!(format!("{} {}{query}", line.method, escape_path(url.path()))));
    made.headers(&line, &prefix);
    made.body(&line)?;
    let tool_name = tool_name(&line);
    let mut tool = Map::new();
    tool.insert("description".to_owned(), json!(format!("{} {}", line.method, url.path())));
    if !made.params.is_empty() {
        tool.insert("params".to_owned(), Value::Object(made.params));
    }
    tool.insert("http".to_owned(), Value::Object(made.http));
    let spec = json!({
        "server": { "name": slug(url.host_str().unwrap_or("api"), '-') },
        "sources": { name: made.source },
        "tools": { tool_name: tool },
    });
    let comments = vec!["From a curl line. Say in `description` what the tool is for: models go by it.".to_owned()];
    Ok(Begun { spec, comments, variables: made.variables, left: made.left })
}

fn origin(url: &Url) -> String {
    url.origin().ascii_serialization()
}

/// A path as a template has it: braces are percent-encoded already.
fn escape_path(path: &str) -> String {
    path.replace('{', "%7B").replace('}', "%7D")
}

/// `get_items` of `GET /v1/items/7`.
fn tool_name(line: &Line) -> String {
    let segments = line.url.path_segments().into_iter().flatten();
    let named = segments.rev().find(|s| s.chars().any(char::is_alphabetic)).unwrap_or("request");
    slug(&format!("{} {named}", line.method), '_')
}

struct Maker {
    params: Map<String, Value>,
    http: Map<String, Value>,
    source: Map<String, Value>,
    variables: Vec<String>,
    left: Vec<String>,
}

impl Maker {
    /// A param with the line's value as its default, and its template.
    fn param(&mut self, wire: &str, value: Value) -> String {
        let mut name = slug(wire, '_');
        while self.params.contains_key(&name) {
            name.push_str("_2");
        }
        let kind = match &value {
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
            Value::String(_) | Value::Null => "string",
        };
        let param = match value {
            Value::Null => json!({ "optional": true }),
            value => json!({ "type": kind, "default": value }),
        };
        self.params.insert(name.clone(), param);
        name
    }

    fn query(&mut self, url: &Url) -> String {
        let mut names = Vec::new();
        let pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        for (wire, value) in pairs {
            let name = self.param(&wire, typed(&value));
            match name == wire {
                true => names.push(name),
                false => self.put("query", &wire, &format!("{{{{{name}}}}}")),
            }
        }
        if names.is_empty() { String::new() } else { format!("{{?{}}}", names.join(",")) }
    }

    fn put(&mut self, section: &str, name: &str, value: &str) {
        if let Value::Object(section) = self.http.entry(section).or_insert_with(|| json!({})) {
            section.insert(name.to_owned(), json!(value));
        }
    }

    fn headers(&mut self, line: &Line, prefix: &str) {
        if line.user {
            let (name, password) = (format!("{prefix}_USERNAME"), format!("{prefix}_PASSWORD"));
            let basic = json!({ "username": format!("${{{name}}}"), "password": format!("${{{password}}}") });
            self.source.insert("auth".to_owned(), json!({ "basic": basic }));
            self.variables.extend([name, password]);
        }
        for (name, value) in &line.headers {
            let lower = name.to_ascii_lowercase();
            let json_body = matches!(line.data, Data::Json(_) | Data::Form(_) | Data::Multipart(_));
            if ["content-length", "host", "connection", "accept-encoding"].contains(&lower.as_str())
                || (lower == "content-type" && json_body)
            {
                continue;
            }
            if !SECRETS.contains(&lower.as_str()) {
                let value = value.replace("{{", "{ {");
                self.put("headers", name, &value);
                continue;
            }
            self.secret(name, &lower, value, prefix);
        }
    }

    /// A header that holds a credential: the value itself does not go into the spec.
    fn secret(&mut self, name: &str, lower: &str, value: &str, prefix: &str) {
        let bearer = value.split_once(' ').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
        let variable = match lower {
            "authorization" => format!("{prefix}_TOKEN"),
            _ => format!("{prefix}_{}", slug(name, '_').to_ascii_uppercase()),
        };
        let text = format!("${{{variable}}}");
        let free = !self.source.contains_key("auth");
        match lower {
            "authorization" if bearer && free => drop(self.source.insert("auth".to_owned(), json!({ "bearer": text }))),
            _ => {
                let scheme = value.split_once(' ').filter(|_| lower == "authorization").map(|(scheme, _)| scheme);
                let value = scheme.map_or_else(|| text.clone(), |scheme| format!("{scheme} {text}"));
                if let Value::Object(headers) = self.source.entry("headers").or_insert_with(|| json!({})) {
                    headers.insert(name.to_owned(), json!(value));
                }
            }
        }
        if !self.variables.contains(&variable) {
            self.variables.push(variable);
        }
    }

    fn body(&mut self, line: &Line) -> Result<(), String> {
        match &line.data {
            Data::None => {}
            Data::Json(Value::Object(fields)) => {
                let mut body = Map::new();
                for (wire, value) in fields {
                    let name = self.param(wire, value.clone());
                    body.insert(wire.clone(), json!(format!("{{{{{name}}}}}")));
                }
                self.http.insert("json".to_owned(), Value::Object(body));
            }
            Data::Json(value) => {
                let name = self.param("body", value.clone());
                self.http.insert("json".to_owned(), json!(format!("{{{{{name}}}}}")));
            }
            Data::Form(pairs) | Data::Multipart(pairs) => {
                let kind = if matches!(line.data, Data::Form(_)) { "form" } else { "multipart" };
                for (wire, value) in pairs {
                    let name = self.param(wire, typed(value));
                    self.put(kind, wire, &format!("{{{{{name}}}}}"));
                }
            }
            Data::Text(text) => {
                let name = self.param("body", json!(text));
                self.http.insert("body".to_owned(), json!(format!("{{{{{name}}}}}")));
            }
        }
        let bodiless = ["GET", "HEAD"].contains(&line.method.as_str());
        match bodiless && !matches!(line.data, Data::None) {
            true => Err(format!("a {} request has no body; say -G to put the data into the query", line.method)),
            false => Ok(()),
        }
    }
}

/// A text as the number or boolean that it most likely is.
fn typed(text: &str) -> Value {
    // only what is written again as it stands: `007` and `1.50` are texts
    let integer = text.parse::<i64>().ok().filter(|number| number.to_string() == text).map(|number| json!(number));
    let decimal = || text.parse::<f64>().ok().filter(|n| n.is_finite() && n.to_string() == text).map(|n| json!(n));
    match text {
        "true" => json!(true),
        "false" => json!(false),
        _ => integer.or_else(decimal).unwrap_or_else(|| json!(text)),
    }
}

#[cfg(test)]
mod tests;
