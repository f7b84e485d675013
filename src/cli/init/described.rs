//! A spec made of the description of an API, or of one request to it.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use super::{Made, yaml};
use crate::catalog::import::{describe, unmapped};
use crate::cli::Exit;
use crate::openapi::{Imported, Wanted};

/// A spec and what its author should know.
pub struct Begun {
    /// The sections.
    pub spec: Value,
    /// Comments at its top.
    pub comments: Vec<String>,
    /// Environment variables that it needs.
    pub variables: Vec<String>,
    /// What is not in it.
    pub left: Vec<String>,
}

impl From<Begun> for Made {
    fn from(mut begun: Begun) -> Self {
        if begun.spec.get("tools").is_some_and(yaml::is_changed) {
            begun.left.push("`${` in a text: it is written `$ {`, since a spec can't hold it there".to_owned());
        }
        let tools = begun.spec.get("tools").and_then(Value::as_object).map_or(0, Map::len);
        Made { text: text(&begun), tools, beside: None, hint: credentials(&begun.variables), left: begun.left }
    }
}

/// Begins a spec over the API that a description tells of.
///
/// # Errors
/// If it can't be read, or is none.
pub async fn from_openapi(location: &str) -> Result<Begun, (Exit, String)> {
    let wanted = Wanted { output_schemas: true, ..Wanted::default() };
    let imported = describe(location, wanted).await.map_err(|(reached, why)| {
        let exit = if reached { Exit::AtFault } else { Exit::Unreachable };
        (exit, format!("can't begin from {location}: {why}"))
    })?;
    let left = unmapped(&imported);
    let Imported { title, version, source: (name, keys), variables, tools, .. } = imported;
    let server = crate::openapi::slug(&title, '-');
    let mut spec = Map::new();
    spec.insert("server".to_owned(), json!({ "name": server, "title": title, "version": version }));
    spec.insert("sources".to_owned(), json!({ name: keys }));
    let tools: Map<String, Value> = tools.into_iter().map(|(name, made)| (name, made.value)).collect();
    spec.insert("tools".to_owned(), Value::Object(tools));
    let comments =
        vec![format!("From the description {location}. Take out what is not needed: fewer tools serve better.")];
    Ok(Begun { spec: Value::Object(spec), comments, variables, left })
}

fn text(begun: &Begun) -> String {
    let mut text = String::new();
    for comment in begun.comments.iter().chain(&credentials(&begun.variables)) {
        for line in comment.lines() {
            let _ = writeln!(text, "# {}", line.trim_end());
        }
    }
    if !begun.left.is_empty() {
        text.push_str("#\n# Not mapped:\n");
        for line in &begun.left {
            let clean: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            let _ = writeln!(text, "# - {clean}");
        }
    }
    text.push_str(&yaml::write(&begun.spec));
    text
}

/// Where credentials come from.
fn credentials(variables: &[String]) -> Option<String> {
    (!variables.is_empty()).then(|| format!("Credentials come from the environment: {}.", variables.join(", ")))
}
