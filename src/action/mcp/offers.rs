//! What a server offers: its lists, read to the end, within bounds.

use std::collections::HashSet;
use std::time::Duration;

use rmcp::model::{ClientRequest, ServerResult};
use serde_json::{Map, Value, json};

use super::session::Session;

/// Entries of one list that are taken.
const MOST_ENTRIES: usize = 1000;
/// Pages of one list that are asked for.
const MOST_PAGES: usize = 200;
/// Bytes of JSON that one entry may have.
const MAX_ENTRY: usize = 256 * 1024;
/// Levels of JSON that one entry may have.
const MAX_DEPTH: usize = 64;

/// What a server offers, each entry as it is in MCP's lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Offers {
    /// `tools/list`
    pub tools: Vec<Map<String, Value>>,
    /// `resources/list`
    pub resources: Vec<Map<String, Value>>,
    /// `resources/templates/list`
    pub templates: Vec<Map<String, Value>>,
    /// `prompts/list`
    pub prompts: Vec<Map<String, Value>>,
    /// Whether it completes arguments.
    pub completions: bool,
    /// Whether it tells of changes of a resource.
    pub subscribe: bool,
    /// Which lists it tells of changes of: tools, resources, prompts.
    pub tells: [bool; 3],
    /// What of it was not taken, and why: an entry's name, and words.
    pub left: Vec<(String, String)>,
}

impl Offers {
    /// Its tool of this name.
    pub fn tool(&self, name: &str) -> Option<&Map<String, Value>> {
        self.tools.iter().find(|tool| text(tool, "name") == Some(name))
    }

    /// The names of its tools.
    pub fn tool_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.tools.iter().filter_map(|tool| text(tool, "name"))
    }

    /// Its prompt of this name.
    pub fn prompt(&self, name: &str) -> Option<&Map<String, Value>> {
        self.prompts.iter().find(|prompt| text(prompt, "name") == Some(name))
    }

    /// The names of its prompts.
    pub fn prompt_names(&self) -> impl Iterator<Item = &str> + Clone {
        self.prompts.iter().filter_map(|prompt| text(prompt, "name"))
    }

    /// The URIs of its resources and templates.
    pub fn uris(&self) -> impl Iterator<Item = &str> + Clone {
        let resources = self.resources.iter().filter_map(|resource| text(resource, "uri"));
        resources.chain(self.templates.iter().filter_map(|template| text(template, "uriTemplate")))
    }

    /// Asks for all of it.
    ///
    /// # Errors
    /// In words, why there is nothing.
    pub async fn ask(session: &Session, within: Duration) -> Result<Offers, String> {
        let all = json!(session.info.capabilities);
        let has = |path: &str| all.pointer(path).is_some_and(|value| value.as_bool().unwrap_or(true));
        let mut offers = Offers {
            completions: has("/completions"),
            subscribe: has("/resources/subscribe"),
            tells: ["/tools/listChanged", "/resources/listChanged", "/prompts/listChanged"].map(has),
            ..Offers::default()
        };
        let mut reader = Reader { session, within, left: Vec::new() };
        if has("/tools") {
            offers.tools = reader.list("tools/list", "tools", "name").await?;
        }
        if has("/resources") {
            offers.resources = reader.list("resources/list", "resources", "uri").await?;
            offers.templates = reader.list("resources/templates/list", "resourceTemplates", "uriTemplate").await?;
        }
        if has("/prompts") {
            offers.prompts = reader.list("prompts/list", "prompts", "name").await?;
        }
        offers.left = reader.left;
        Ok(offers)
    }
}

/// A text of an entry.
pub fn text<'m>(entry: &'m Map<String, Value>, key: &str) -> Option<&'m str> {
    entry.get(key).and_then(Value::as_str)
}

struct Reader<'s> {
    session: &'s Session,
    within: Duration,
    left: Vec<(String, String)>,
}

impl Reader<'_> {
    /// All pages of a list.
    async fn list(&mut self, method: &str, key: &str, id: &str) -> Result<Vec<Map<String, Value>>, String> {
        let mut all = Vec::new();
        let (mut seen, mut cursors) = (HashSet::new(), HashSet::new());
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let params = cursor.as_ref().map_or_else(|| json!({}), |cursor| json!({ "cursor": cursor }));
            let request = serde_json::from_value::<ClientRequest>(json!({ "method": method, "params": params }));
            let request = request.map_err(|_| format!("`{method}` can't be asked"))?;
            let mut page = match self.session.ask(request, None, self.within.into()).await {
                Ok(result) => value(result),
                // Some servers promise resources and don't know the list of templates.
                Err(_) if method == "resources/templates/list" => return Ok(all),
                Err(error) => return Err(format!("`{method}`: {}", error.message)),
            };
            let Some(Value::Array(entries)) = page.get_mut(key).map(Value::take) else {
                return Err(format!("`{method}` gave no list"));
            };
            for entry in entries {
                if all.len() >= MOST_ENTRIES {
                    self.left.push((key.to_owned(), format!("only the first {MOST_ENTRIES} are taken")));
                    return Ok(all);
                }
                if let Some(entry) = self.entry(entry, key, id)
                    && seen.insert(entry.get(id).map(Value::to_string))
                {
                    all.push(entry);
                }
            }
            cursor = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
            match &cursor {
                None => return Ok(all),
                Some(next) if !cursors.insert(next.clone()) => break,
                Some(_) => {}
            }
        }
        self.left.push((key.to_owned(), "its pages have no end; what came until then is taken".to_owned()));
        Ok(all)
    }

    /// An entry that can be taken.
    fn entry(&mut self, entry: Value, key: &str, id: &str) -> Option<Map<String, Value>> {
        let Value::Object(mut entry) = entry else {
            self.left.push((key.to_owned(), "an entry is no object".to_owned()));
            return None;
        };
        let Some(name) = text(&entry, id).map(short) else {
            self.left.push((key.to_owned(), format!("an entry has no `{id}`")));
            return None;
        };
        if text(&entry, id).is_some_and(|name| hidden(name) > 0 || name.chars().any(char::is_control)) {
            self.left.push((key.to_owned(), format!("an entry has characters in its `{id}` that nobody sees")));
            return None;
        }
        if entry.values().map(depth).max().unwrap_or(0) >= MAX_DEPTH {
            self.left.push((name, format!("it is nested more than {MAX_DEPTH} levels deep")));
            return None;
        }
        if Value::Object(entry.clone()).to_string().len() > MAX_ENTRY {
            self.left.push((name, format!("it is larger than {MAX_ENTRY} bytes")));
            return None;
        }
        let taken_out: usize = entry.iter_mut().map(|(key, value)| show(key, value)).sum();
        if taken_out > 0 {
            let words = format!("{taken_out} characters that nobody sees were taken out of its descriptions");
            self.left.push((name, words));
        }
        Some(entry)
    }
}

/// The result as JSON, whichever of rmcp's types it was read into.
pub fn value(result: ServerResult) -> Value {
    serde_json::to_value(result).unwrap_or_default()
}

fn short(name: &str) -> String {
    name.chars().take(100).collect()
}

fn depth(value: &Value) -> usize {
    // Iterative, as somebody else chooses how deep it is.
    let mut level: Vec<&Value> = vec![value];
    let mut depth = 0;
    while !level.is_empty() {
        depth += 1;
        let below = level.into_iter().flat_map(|value| match value {
            Value::Array(items) => items.iter().collect::<Vec<_>>(),
            Value::Object(map) => map.values().collect(),
            _ => Vec::new(),
        });
        level = below.collect();
    }
    depth
}

/// Takes out of titles and descriptions what a person does not see, and a model does; how much that was.
fn show(key: &str, value: &mut Value) -> usize {
    match value {
        Value::String(text) if matches!(key, "title" | "description") => {
            let count = hidden(text);
            if count > 0 {
                text.retain(|c| !is_hidden(c));
            }
            count
        }
        Value::Object(map) => map.iter_mut().map(|(key, value)| show(key, value)).sum(),
        Value::Array(items) => items.iter_mut().map(|value| show(key, value)).sum(),
        _ => 0,
    }
}

fn hidden(text: &str) -> usize {
    text.chars().filter(|c| is_hidden(*c)).count()
}

/// Characters without a picture: controls, marks of direction, spaces of no width, tags. Joiners stay, for scripts and
/// pictures that need them.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t' | '\r'))
        || matches!(c, '\u{ad}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_sees_is_taken_out() {
        let mut tool = json!({
            "description": "Adds\u{200b} two\u{e0041} numbers\u{202e}.\n\tWell.",
            "inputSchema": { "properties": { "a": { "description": "x\u{feff}", "default": "\u{feff}" } } },
        });
        assert_eq!(show("", &mut tool), 4);
        assert_eq!(tool["description"], "Adds two numbers.\n\tWell.");
        let a = &tool["inputSchema"]["properties"]["a"];
        assert_eq!((&a["description"], &a["default"]), (&json!("x"), &json!("\u{feff}")));
        assert_eq!(hidden("👩\u{200d}🔬 می\u{200c}خواهم"), 0);
    }

    #[test]
    fn depth_counts_levels() {
        assert_eq!(depth(&json!(1)), 1);
        assert_eq!(depth(&json!({ "a": [{ "b": 1 }] })), 4);
        let mut deep = json!(1);
        (0..100_000).for_each(|_| deep = Value::Array(vec![std::mem::take(&mut deep)]));
        assert_eq!(depth(&deep), 100_001);
        // Dropping it level by level, as serde_json would recurse.
        while let Value::Array(mut items) = deep {
            deep = items.pop().unwrap_or_default();
        }
    }
}
