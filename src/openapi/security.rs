//! Security schemes as the `auth` of a source. Credentials are never in a description: they are `${NAME}`.

use serde_json::{Map, Value, json};

use super::document::{Document, Version, shown};
use super::left::Left;
use super::operation::Operation;

/// What a source needs to be let in.
#[derive(Debug, Default)]
pub struct Access {
    /// Keys of the source: `auth`, `headers`, `query`, `cookies`.
    pub keys: Map<String, Value>,
    /// The variables that hold the credentials.
    pub variables: Vec<String>,
    /// The requirement that it meets; `None` without one.
    met: Option<Vec<String>>,
}

/// One way to be let in: the names of schemes that are all needed.
type Requirement = Vec<String>;

/// The access that fits most of the operations. `prefix` begins the names of variables.
pub fn of(document: &Document<'_>, operations: &[Operation<'_>], prefix: &str, left: &mut Vec<Left>) -> Access {
    let mut wanted: Vec<(Requirement, usize)> = Vec::new();
    for operation in operations {
        for requirement in requirements(document, operation).into_iter().filter(|r| !r.is_empty()) {
            match wanted.iter_mut().find(|(other, _)| *other == requirement) {
                Some((_, count)) => *count += 1,
                None => wanted.push((requirement, 1)),
            }
        }
    }
    wanted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (requirement, _) in wanted {
        match access(document, &requirement, prefix) {
            Ok(access) => return access,
            Err(why) => left.push(Left::part("", format!("security `{}`", shown(&requirement.join(" + "))), why)),
        }
    }
    Access::default()
}

impl Access {
    /// Notes what an operation wants that the source does not have.
    pub fn check(&self, document: &Document<'_>, operation: &Operation<'_>, left: &mut Vec<Left>) {
        let wanted = requirements(document, operation);
        let met = |requirement: &Requirement| match &self.met {
            Some(met) => requirement.iter().all(|scheme| met.contains(scheme)),
            None => requirement.is_empty(),
        };
        if !wanted.is_empty() && !wanted.iter().any(met) {
            let names: Vec<String> = wanted.iter().map(|r| format!("`{}`", shown(&r.join(" + ")))).collect();
            let why = format!("it wants {}, which the source does not send", names.join(" or "));
            left.push(Left::part(&operation.line(), "its security", why));
        }
    }
}

/// The ways in that an operation has; an empty one is no credentials at all.
fn requirements(document: &Document<'_>, operation: &Operation<'_>) -> Vec<Requirement> {
    let own = operation.fields.get("security").or_else(|| document.get("security"));
    let all = own.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_object);
    all.map(|requirement| requirement.keys().cloned().collect()).collect()
}

fn scheme<'d>(document: &Document<'d>, name: &str) -> Result<&'d Map<String, Value>, String> {
    let path: &[&str] = match document.version {
        Version::V2 => &["securityDefinitions"],
        Version::V30 | Version::V31 => &["components", "securitySchemes"],
    };
    let found = document.section(path).find(|(other, _)| *other == name);
    let (_, node) = found.ok_or_else(|| "it is not defined".to_owned())?;
    document.object(node)
}

fn access(document: &Document<'_>, requirement: &Requirement, prefix: &str) -> Result<Access, String> {
    let mut access = Access { met: Some(requirement.clone()), ..Access::default() };
    for name in requirement {
        let fields = scheme(document, name)?;
        let text = |key: &str| fields.get(key).and_then(Value::as_str);
        let auth = match (text("type"), text("scheme").map(str::to_ascii_lowercase).as_deref()) {
            (Some("http"), Some("bearer")) | (Some("openIdConnect"), _) => access.bearer(prefix),
            (Some("http"), Some("basic")) | (Some("basic"), _) => access.basic(prefix),
            (Some("apiKey"), _) => access.key(prefix, text("in"), text("name"))?,
            (Some("oauth2"), _) => access.oauth2(fields, prefix),
            (Some("http"), scheme) => {
                return Err(format!("HTTP's `{}` is not known here", shown(scheme.unwrap_or(""))));
            }
            (kind, _) => return Err(format!("`{}` is not known here", shown(kind.unwrap_or("")))),
        };
        access.add(auth)?;
    }
    Ok(access)
}

impl Access {
    fn variable(&mut self, name: String) -> String {
        let text = format!("${{{name}}}");
        if !self.variables.contains(&name) {
            self.variables.push(name);
        }
        text
    }

    fn bearer(&mut self, prefix: &str) -> Value {
        json!({ "bearer": self.variable(format!("{prefix}_TOKEN")) })
    }

    fn basic(&mut self, prefix: &str) -> Value {
        let username = self.variable(format!("{prefix}_USERNAME"));
        json!({ "basic": { "username": username, "password": self.variable(format!("{prefix}_PASSWORD")) } })
    }

    fn key(&mut self, prefix: &str, place: Option<&str>, name: Option<&str>) -> Result<Value, String> {
        let name = name.ok_or("its key has no name")?;
        let place = place.filter(|p| ["header", "query", "cookie"].contains(p)).ok_or("its key has no place")?;
        let variable = match self.keys.contains_key("auth") {
            true => format!("{prefix}_{}", super::name::slug(name, '_').to_ascii_uppercase()),
            false => format!("{prefix}_API_KEY"),
        };
        Ok(json!({ "apiKey": { place: literal(name), "value": self.variable(variable) } }))
    }

    /// Client credentials where the API has them; else a token that somebody got elsewhere.
    fn oauth2(&mut self, fields: &Map<String, Value>, prefix: &str) -> Value {
        let flow = match fields.get("flow").and_then(Value::as_str) {
            Some("application") => Some(fields),
            _ => fields.get("flows").and_then(|flows| flows.get("clientCredentials")?.as_object()),
        };
        let url = flow.and_then(|flow| flow.get("tokenUrl")?.as_str()).filter(|url| url.starts_with("http"));
        let Some(url) = url else { return self.bearer(prefix) };
        let scopes = flow.and_then(|flow| flow.get("scopes")?.as_object());
        let scopes: Vec<String> = scopes.into_iter().flat_map(Map::keys).map(|scope| literal(scope)).collect();
        let mut oauth2 = json!({
            "tokenUrl": literal(url),
            "clientId": self.variable(format!("{prefix}_CLIENT_ID")),
            "clientSecret": self.variable(format!("{prefix}_CLIENT_SECRET")),
        });
        if let (Value::Object(oauth2), false) = (&mut oauth2, scopes.is_empty()) {
            oauth2.insert("scopes".to_owned(), json!(scopes));
        }
        json!({ "oauth2": oauth2 })
    }

    /// Adds an `auth`; of several, all but the first have to be keys, which can stand elsewhere in the source.
    fn add(&mut self, auth: Value) -> Result<(), String> {
        if !self.keys.contains_key("auth") {
            self.keys.insert("auth".to_owned(), auth);
            return Ok(());
        }
        let key = auth.get("apiKey").and_then(Value::as_object).ok_or("a source has one `auth`, and it needs two")?;
        let value = key.get("value").cloned().unwrap_or_default();
        for (place, section) in [("header", "headers"), ("query", "query"), ("cookie", "cookies")] {
            if let Some(name) = key.get(place).and_then(Value::as_str)
                && let Value::Object(section) = self.keys.entry(section).or_insert_with(|| json!({}))
            {
                section.insert(name.to_owned(), value.clone());
            }
        }
        Ok(())
    }
}

/// A text of the description as it stands in a source, where `${…}` would be replaced: a description must not choose
/// which variables or files are sent where.
pub fn literal(text: &str) -> String {
    text.replace('$', "$$")
}
