//! The manifest of a bundle: MCPB's `manifest.json`, version 0.3.

use serde_json::{Map, Value, json};

use super::contents::Contents;
use super::{PROGRAM, SPEC};
use crate::catalog::Catalog;
use crate::spec::outside::Variable;

/// The manifest. A client replaces `${__dirname}` by where it unpacked the bundle, and `${user_config.…}` by what the
/// user gave.
pub fn of(catalog: &Catalog, contents: &Contents, author: Option<&str>, platform: &str) -> Value {
    let server = &catalog.server;
    let title = server.title.as_deref().unwrap_or(&server.name);
    let spec = if contents.spec.is_empty() { SPEC.to_owned() } else { format!("{SPEC}/{}", contents.spec) };
    let variables = &contents.variables;
    let env = variables.iter().map(|v| (v.name.clone(), json!(format!("${{user_config.{}}}", v.name))));
    let tools = catalog.tools().map(|tool| {
        let description = tool.listed.description.as_deref().unwrap_or("");
        json!({ "name": tool.listed.name, "description": description })
    });
    let mut manifest = json!({
        "manifest_version": "0.3",
        "name": server.name,
        "display_name": title,
        "version": server.version,
        "description": server.description.as_deref().unwrap_or(title),
        "author": { "name": author.unwrap_or(title) },
        "server": {
            "type": "binary",
            "entry_point": PROGRAM,
            "mcp_config": {
                "command": format!("${{__dirname}}/{PROGRAM}"),
                "args": ["serve", format!("${{__dirname}}/{spec}"), "--no-watch"],
                "env": env.collect::<Map<_, _>>(),
            },
        },
        "tools": tools.collect::<Vec<_>>(),
        "prompts_generated": catalog.prompts().next().is_some(),
        "compatibility": { "platforms": [platform] },
    });
    if let (Value::Object(manifest), false) = (&mut manifest, variables.is_empty()) {
        let asked = variables.iter().map(|variable| (variable.name.clone(), question(variable)));
        manifest.insert("user_config".to_owned(), Value::Object(asked.collect()));
    }
    manifest
}

/// Whether a value may be a secret: of those with a default, the ones whose name says so.
fn is_secret(variable: &Variable) -> bool {
    let name = variable.name.to_ascii_uppercase();
    let ends = ["TOKEN", "KEY", "SECRET", "PASSWORD", "PASS", "PWD", "AUTH", "CREDENTIALS"];
    variable.default.is_none() || ends.iter().any(|end| name.ends_with(end))
}

fn question(variable: &Variable) -> Value {
    let mut question = json!({
        "type": "string",
        "title": variable.name,
        "description": variable.message.as_deref().unwrap_or("A value that the server reads from its environment."),
        "required": variable.default.is_none(),
        "sensitive": is_secret(variable),
    });
    let default = variable.default.as_ref().filter(|_| !is_secret(variable));
    if let (Value::Object(question), Some(default)) = (&mut question, default) {
        question.insert("default".to_owned(), json!(default));
    }
    question
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_that_may_be_a_secret_is_not_told() {
        let variable = |name: &str, default: Option<&str>| Variable {
            name: name.to_owned(),
            default: default.map(str::to_owned),
            message: None,
        };
        let token = question(&variable("API_TOKEN", Some("x")));
        assert_eq!((&token["sensitive"], token.get("default")), (&json!(true), None));
        let url = question(&variable("API_URL", Some("http://localhost")));
        assert_eq!((&url["sensitive"], &url["default"]), (&json!(false), &json!("http://localhost")));
        assert_eq!(question(&variable("API_URL", None))["sensitive"], json!(true));
    }
}
