//! OpenAPI 3.0, 3.1 and Swagger 2.0: a description of an API as tools, resources and a source of a spec.
//!
//! What comes out is JSON in the spec's own language, as if somebody had written it: `import` reads it into the model,
//! `init` writes it as a file. What can't be mapped is [`Left`], with the reason. Nothing is fetched here.

mod answer;
mod body;
mod document;
mod left;
mod media;
mod mend;
mod name;
mod operation;
mod param;
mod parse;
mod request;
mod resource;
mod schema;
mod security;
mod select;
mod server;
mod tool;

use std::collections::HashSet;

use indexmap::IndexMap;
use serde_json::{Map, Value, json};
use url::Url;

use document::Document;
pub use left::{Left, by_reason};
pub use name::slug;
use operation::Operation;
pub use parse::{MAX_BYTES, parse};
pub use select::{Pattern, Selection};

/// What is wanted of a description.
#[derive(Debug, Default)]
pub struct Wanted {
    /// The source that the tools use; one is made without.
    pub source: Option<String>,
    /// Where the description was read from, if by URL.
    pub read_from: Option<Url>,
    /// What an operation has to fit.
    pub include: Selection,
    /// What it may not fit.
    pub exclude: Selection,
    /// Begins the names of all tools.
    pub prefix: String,
    /// `operationId`, or method and path → the tool's name.
    pub rename: IndexMap<String, String>,
    /// Operations that become resources: the same → the URI template; `None` for one that is made.
    pub resources: IndexMap<String, Option<String>>,
    /// Whether tools promise what the description says of answers.
    pub output_schemas: bool,
}

/// What a description came to.
#[derive(Debug)]
pub struct Imported {
    /// What the API calls itself.
    pub title: String,
    /// Its version.
    pub version: String,
    /// The source: its name, and its keys if one was made.
    pub source: (String, Option<Value>),
    /// The environment variables that the source's credentials come from.
    pub variables: Vec<String>,
    /// Name → the tool, in the language of the spec.
    pub tools: IndexMap<String, Made>,
    /// URI or URI template → the resource.
    pub resources: IndexMap<String, Made>,
    /// What is not in them.
    pub left: Vec<Left>,
    /// What `rename` and `asResource` name that no operation is.
    pub unknown: Vec<String>,
    /// The operations, for who looks for the nearest name.
    pub operations: Vec<String>,
}

/// A tool or resource that was made.
#[derive(Debug)]
pub struct Made {
    /// The operation, as a person calls it.
    pub operation: String,
    /// Its keys.
    pub value: Value,
}

/// Operations that one description may have.
const MAX_OPERATIONS: usize = 10_000;

/// Maps a description.
///
/// # Errors
/// In words, why nothing can be made of it.
pub fn import(root: &Value, wanted: &Wanted) -> Result<Imported, String> {
    let document = Document::of(root)?;
    let mut left = Vec::new();
    let all = operation::all(&document, &mut left);
    if all.len() > MAX_OPERATIONS {
        return Err(format!("it has more than {MAX_OPERATIONS} operations"));
    }
    let unknown = unknown(wanted, &all);
    let names = all.iter().map(|o| o.id.map_or_else(|| o.line(), str::to_owned)).collect();
    let all: Vec<Operation<'_>> = all.into_iter().filter(|o| is_wanted(o, wanted)).collect();
    let title = document.text(&["info", "title"]).unwrap_or("API").to_owned();
    let (source, base, access) = source(&document, &all, &title, wanted, &mut left)?;
    let mut imported = Imported {
        title,
        version: document.text(&["info", "version"]).unwrap_or("0.0.0").to_owned(),
        source,
        variables: access.as_ref().map(|access| access.variables.clone()).unwrap_or_default(),
        tools: IndexMap::new(),
        resources: IndexMap::new(),
        left,
        unknown,
        operations: names,
    };
    let mut taken = HashSet::new();
    for operation in &all {
        if let Some(access) = &access {
            access.check(&document, operation, &mut imported.left);
        }
        one(&document, operation, base.as_ref(), wanted, &mut taken, &mut imported);
    }
    Ok(imported)
}

fn is_wanted(operation: &Operation<'_>, wanted: &Wanted) -> bool {
    wanted.include.includes(operation) && !wanted.exclude.excludes(operation)
}

fn unknown(wanted: &Wanted, all: &[Operation<'_>]) -> Vec<String> {
    let named = wanted.rename.keys().chain(wanted.resources.keys());
    named.filter(|name| !all.iter().any(|operation| operation.is(name))).cloned().collect()
}

/// The name and keys of a source, what it leads to, and what it needs to be let in.
type Source = ((String, Option<Value>), Option<Url>, Option<security::Access>);

/// The source that is named, or one of the description's servers and security schemes.
fn source(
    document: &Document<'_>,
    operations: &[Operation<'_>],
    title: &str,
    wanted: &Wanted,
    left: &mut Vec<Left>,
) -> Result<Source, String> {
    if let Some(source) = &wanted.source {
        return Ok(((source.clone(), None), None, None));
    }
    let name = slug(title, '_');
    let base = server::of_document(document, wanted.read_from.as_ref())?;
    let access = security::of(document, operations, &name.to_ascii_uppercase(), left);
    let mut keys = Map::new();
    keys.insert("http".to_owned(), json!(security::literal(&server::written(&base))));
    keys.extend(access.keys.clone());
    Ok(((name, Some(Value::Object(keys))), Some(base), Some(access)))
}

/// Makes a tool or resource of an operation, or tells why not.
fn one(
    document: &Document<'_>,
    operation: &Operation<'_>,
    base: Option<&Url>,
    wanted: &Wanted,
    taken: &mut HashSet<String>,
    imported: &mut Imported,
) {
    let source = imported.source.0.clone();
    let own = operation.inherited("servers");
    let below = server::below(own, base, wanted.read_from.as_ref());
    let as_resource = wanted.resources.iter().find(|(name, _)| operation.is(name)).map(|(_, uri)| uri);
    let made = below.and_then(|below| {
        let place = tool::Place { document, operation, source: &source, base: &below };
        match as_resource {
            Some(uri) => resource::make(&place, uri.as_deref(), &mut imported.left).map(Err),
            None => tool::make(&place, wanted.output_schemas, &mut imported.left).map(Ok),
        }
    });
    let line = operation.line();
    match made {
        Err(why) => {
            imported.left.retain(|left| left.operation != line);
            imported.left.push(Left::operation(&line, why));
        }
        Ok(Ok(value)) => {
            let renamed = wanted.rename.iter().find(|(name, _)| operation.is(name)).map(|(_, to)| to.clone());
            let name = match renamed {
                Some(name) => format!("{}{name}", wanted.prefix),
                None => name::tool(&format!("{}{}", wanted.prefix, name::of_operation(operation))),
            };
            let name = name::unique(name, taken);
            imported.tools.insert(name, Made { operation: line, value });
        }
        Ok(Err((uri, value))) => {
            if imported.resources.contains_key(&uri) {
                imported.left.push(Left::operation(&line, format!("another resource has the URI `{uri}`")));
            } else {
                imported.resources.insert(uri, Made { operation: line, value });
            }
        }
    }
}
