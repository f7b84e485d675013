//! A lock: digests of what clients see of a catalog, by which a later one is known to show the same.

use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::changes::{self, fields};
use super::{Catalog, Changes};

/// The version of the file that is written and read.
const VERSION: u64 = 1;
/// Bytes of a SHA-256 that are kept: enough that nobody finds another text with them.
const KEPT: usize = 16;
/// The lists of a lock, each with the word for one of its entries.
pub(super) const LISTS: [(&str, &str); 4] =
    [("tool", "tools"), ("prompt", "prompts"), ("resource", "resources"), ("template", "templates")];

/// What a server's clients see: names as they are, of every field a digest. It holds no text of the spec, so no
/// secret either.
#[derive(Debug, Clone, PartialEq)]
pub struct Lock(Map<String, Value>);

impl Lock {
    /// What clients see of this catalog. Which members templates have is not of it: files may come and go.
    pub fn of(catalog: &Catalog) -> Lock {
        let mut lock = Map::new();
        lock.insert("lock".to_owned(), json!(VERSION));
        lock.insert("server".to_owned(), server(catalog));
        let lists = [
            entries(Catalog::tools(catalog).map(|tool| (tool.listed.name.as_ref(), json!(tool.listed)))),
            entries(Catalog::prompts(catalog).map(|prompt| (prompt.listed.name.as_str(), json!(prompt.listed)))),
            entries(changes::resources(catalog).map(|(uri, listed)| (uri, json!(listed)))),
            entries(changes::templates(catalog).map(|(uri, template)| (uri, json!(template.listed)))),
        ];
        lock.extend(LISTS.iter().zip(lists).map(|((_, list), all)| ((*list).to_owned(), all)));
        Lock(lock)
    }

    /// Reads what [`Lock::text`] wrote.
    ///
    /// # Errors
    /// Words, if it is something else.
    pub fn parse(text: &str) -> Result<Lock, String> {
        let Ok(Value::Object(lock)) = serde_json::from_str(text) else {
            return Err("it is not what `mcp-declare lock` writes".to_owned());
        };
        match lock.get("lock").and_then(Value::as_u64) {
            Some(VERSION) => Ok(Lock(lock)),
            Some(other) => Err(format!("it is a lock of version {other}, this program knows version {VERSION}")),
            None => Err("it is not what `mcp-declare lock` writes".to_owned()),
        }
    }

    /// The lock as JSON with a line for each field, in the order of the spec.
    pub fn text(&self) -> String {
        format!("{:#}\n", Value::Object(self.0.clone()))
    }

    /// What this catalog shows otherwise than the lock has it, in the words of `diff`.
    pub fn drift(&self, catalog: &Catalog) -> Changes {
        Changes::of_locks(self, &Lock::of(catalog))
    }

    pub(super) fn server(&self) -> &Value {
        self.0.get("server").unwrap_or(&Value::Null)
    }

    pub(super) fn list(&self, list: &str) -> impl Iterator<Item = (&str, &Value)> {
        let all = self.0.get(list).and_then(Value::as_object);
        all.into_iter().flatten().map(|(name, entry)| (name.as_str(), entry))
    }
}

/// Who the server is: its name and version can be read, the rest are digests.
fn server(catalog: &Catalog) -> Value {
    let mut all = digest(&changes::server(catalog));
    if let Value::Object(all) = &mut all {
        all.insert("name".to_owned(), json!(catalog.server.name));
        all.insert("version".to_owned(), json!(catalog.server.version));
        if catalog.search().is_some() {
            all.insert("toolMode".to_owned(), json!("search"));
        }
    }
    all
}

fn entries<'c>(all: impl Iterator<Item = (&'c str, Value)>) -> Value {
    Value::Object(all.map(|(name, listed)| (name.to_owned(), digest(&listed))).collect())
}

/// The same fields with digests for values. Lists whose entries have names keep these, as `diff` knows them by it.
fn digest(value: &Value) -> Value {
    match value {
        Value::Object(all) => {
            let mut digests: Map<String, Value> = all.iter().map(|(key, value)| (key.clone(), digest(value))).collect();
            digests.sort_keys();
            Value::Object(digests)
        }
        Value::Array(list) if !list.is_empty() && fields::by_name(value).is_some() => {
            list.iter().map(named).collect::<Vec<_>>().into()
        }
        leaf => hash(leaf.clone()).into(),
    }
}

fn named(entry: &Value) -> Value {
    let mut digests = digest(entry);
    if let (Value::Object(digests), Some(name)) = (&mut digests, entry.get("name")) {
        digests.insert("name".to_owned(), name.clone());
    }
    digests
}

/// The beginning of the SHA-256 of a value's JSON, its keys sorted and without spaces.
fn hash(mut value: Value) -> String {
    value.sort_all_objects();
    let digest = Sha256::digest(value.to_string());
    digest.iter().take(KEPT).map(|byte| format!("{byte:02x}")).collect()
}
