//! `expose`: the resources that a database's tables are.

use serde_json::{Map, Value, json};

use super::{MAX_COMPLETED, clash};
use crate::spec::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::spec::model::tables::Expose;
use crate::spec::model::{Document, Resource, Source, Str};
use crate::spec::node::{Kind, Node};
use crate::spec::read::{At, FromNode};
use crate::spec::source::Spanned;

impl Document {
    /// Adds the resources that the tables of sources are.
    pub(super) fn expand_exposed(&mut self, sink: &mut Diagnostics) {
        let exposed = |source: &Source| match source {
            Source::Sql(source) => source.expose.clone(),
            Source::Http(_) | Source::Graphql(_) | Source::Mcp(_) => None,
        };
        let all: Vec<(Str, Expose)> =
            self.sources.iter().filter_map(|(name, source)| Some((name.clone(), exposed(source)?))).collect();
        for (name, expose) in all {
            self.expose(&name, &expose, sink);
        }
    }

    fn expose(&mut self, name: &Str, expose: &Expose, sink: &mut Diagnostics) {
        let schema = expose.schema.as_ref().is_some_and(|schema| schema.value);
        if !schema && expose.tables.as_ref().is_none_or(Vec::is_empty) {
            let found = Diagnostic::error(Code::MissingKey, expose.at, "this exposes nothing");
            sink.push(found.label("give it `schema: true`, or the names of `tables` whose rows may be read"));
            return;
        }
        let Some(base) = base(name, expose, sink) else { return };
        let set = Set { name, expose };
        if schema {
            self.add_exposed(&set, format!("{base}tables"), &set.list(), sink);
            self.add_exposed(&set, format!("{base}tables/{{table}}/schema"), &set.schema(), sink);
        }
        if expose.tables.is_some() {
            self.add_exposed(&set, format!("{base}tables/{{table}}/rows/{{id}}"), &set.row(), sink);
        }
    }

    fn add_exposed(&mut self, set: &Set<'_>, uri: String, written: &Value, sink: &mut Diagnostics) {
        let uri = Spanned::new(uri, set.expose.at);
        let mut node = Node::made(written, set.expose.at);
        for actions in [&["tables"][..], &["list", "tables"], &["complete", "table", "tables"]] {
            node.enter(actions, |action| set.narrow(action));
        }
        let read = Resource::from_node(&node, At { span: set.name.span, name: Some(&set.name.value) }, sink);
        if let Some(other) = self.resources.add(uri.clone(), read) {
            clash(&uri, other, "this source exposes it", sink);
        }
    }
}

/// A source's tables.
struct Set<'a> {
    name: &'a Str,
    expose: &'a Expose,
}

impl Set<'_> {
    fn action(&self, more: Value) -> Value {
        let mut action = Map::from_iter([("source".to_owned(), Value::String(self.name.value.clone()))]);
        if let Value::Object(more) = more {
            action.extend(more);
        }
        Value::Object(action)
    }

    fn list(&self) -> Value {
        json!({
            "name": "tables",
            "title": "Tables",
            "description": format!("The tables and views of `{}`", self.name.value),
            "tables": self.action(json!({})),
        })
    }

    fn schema(&self) -> Value {
        let members = "[.rows[] | {table: .name, name, title: .name, description: (.comment // \"A \" + .kind)}]";
        json!({
            "name": "schema",
            "title": "Schema of a table",
            "description": format!("A table or view of `{}`: its columns, keys and comments", self.name.value),
            "params": { "table": { "type": "string", "description": "Its name" } },
            "tables": self.action(json!({ "returns": "schema", "table": "{{table}}" })),
            "list": { "tables": self.action(json!({})), "result": { "jq": members } },
            "complete": self.names(),
        })
    }

    fn row(&self) -> Value {
        let key = "The value of its primary key; several, divided by commas, where the key has several columns";
        json!({
            "name": "row",
            "title": "Row of a table",
            "description": format!("A row of a table of `{}`, by its primary key", self.name.value),
            "params": {
                "table": { "type": "string", "description": "The table's name" },
                "id": { "type": "string", "description": key },
            },
            "tables": self.action(json!({ "returns": "row", "table": "{{table}}", "key": "{{id}}" })),
            "complete": self.names(),
        })
    }

    fn names(&self) -> Value {
        json!({ "table": { "tables": self.action(json!({ "startsWith": "{{value}}", "maxRows": MAX_COMPLETED })) } })
    }

    /// Gives an action the tables that are meant, each at the place where it is named.
    fn narrow(&self, action: &mut Node) {
        if let Some(tables) = &self.expose.tables {
            let items = tables.iter().map(|name| Node::made(&Value::String(name.value.clone()), name.span));
            action.set("only", Node { span: self.expose.at, kind: Kind::List(items.collect()) });
        }
    }
}

/// What the URIs begin with.
fn base(name: &Str, expose: &Expose, sink: &mut Diagnostics) -> Option<String> {
    let Some(uri) = &expose.uri else {
        let sound = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.');
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(sound) {
            let words = format!("`{}` can't be the scheme of URIs (RFC 3986, section 3.1)", name.value);
            let found = Diagnostic::error(Code::BadUriTemplate, expose.at, words);
            sink.push(found.label("say what they begin with, such as `uri: 'shop://'`"));
            return None;
        }
        return Some(format!("{}://", name.value));
    };
    if uri.value.contains(['{', '}', '?', '#']) || !uri.value.ends_with('/') {
        let found = Diagnostic::error(Code::BadUriTemplate, uri.span, "this is not what URIs of tables begin with");
        sink.push(found.label("such as `shop://`; `tables` comes after it"));
        return None;
    }
    Some(uri.value.clone())
}
