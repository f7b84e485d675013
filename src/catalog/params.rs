//! `params` → the input schema that clients see and the names that actions may use.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::action::{Arguments, Param};
use crate::schema::{self, Schema, SchemaFault, tight};
use crate::spec::model::Property;
use crate::spec::node::{Entry, Kind, Node, entries_to_json};
use crate::spec::read::{At, FromNode, refuse};
use crate::spec::{Code, Diagnostic, Diagnostics, Named, Span, Spanned};

/// What may be given, and how it is checked.
#[derive(Debug)]
pub struct Params {
    /// The names, in the order written.
    pub all: Vec<Param>,
    /// The schema of all of them together.
    pub schema: Schema,
}

/// Keys of a param that are ours, not JSON Schema's.
const OWN_KEYS: [&str; 2] = ["optional", "secret"];

impl Params {
    /// Compiles a `params` map. `None` after a mistake in the whole; the names are still usable then, as
    /// [`Params::names`] gives them.
    pub fn compile(written: &Named<Property>, sink: &mut Diagnostics) -> Option<Self> {
        let start = Span::new(crate::spec::FileId::default(), 0..0);
        let all = Self::names(written, sink);
        Self::assemble(all, |pointer| place_of(written, pointer, start), sink)
    }

    /// The same where the schema that they make is known to compile.
    pub fn known(written: &Named<Property>, sink: &mut Diagnostics) -> Self {
        let all = Self::names(written, sink);
        let schema = Schema::known(whole(&all));
        Self::hiding(all, schema)
    }

    /// The same of an `inputSchema` that is known to compile.
    pub fn known_schema(written: &Node) -> Self {
        let schema = Schema::known(entries_to_json(written.entries()));
        Params { all: Self::names_of_schema(written), schema }
    }

    fn hiding(all: Vec<Param>, schema: Schema) -> Self {
        let secrets = all.iter().filter(|p| p.secret).map(|p| p.name.value.clone());
        let schema = schema.with_secrets(secrets.collect::<Vec<_>>());
        Params { all, schema }
    }

    /// One schema of all the params; `place` says where a part of it is written.
    pub fn assemble(all: Vec<Param>, place: impl Fn(&str) -> Span, sink: &mut Diagnostics) -> Option<Self> {
        match Schema::compile(Value::Object(whole(&all))) {
            Ok(schema) => Some(Self::hiding(all, schema)),
            Err(faults) => {
                let more = hidden(&all, &faults);
                report(faults, &place, sink);
                report(more, &place, sink);
                None
            }
        }
    }

    /// The names of a `params` map. Mistakes in the two keys of our own are reported, those of the schemas not.
    pub fn names(written: &Named<Property>, sink: &mut Diagnostics) -> Vec<Param> {
        let mut all = Vec::new();
        if let Some(properties) = whole_schema(written) {
            let found =
                Diagnostic::error(Code::BadSchema, properties, "`params` has the schema of each param by its name");
            sink.push(found.label("write these right below `params`, or the whole schema below `inputSchema`"));
            return all;
        }
        for (name, node) in written.all() {
            let Some(node) = node else { continue };
            let (schema, optional, secret) = match &node.kind {
                Kind::String(kind) => (tight(json!({ "type": kind.expose() })), false, false),
                Kind::Map(entries) => {
                    let (own, standard): (Vec<&Entry>, Vec<&Entry>) =
                        entries.iter().partition(|e| OWN_KEYS.contains(&e.key.value.as_str()));
                    let standard: Vec<Entry> =
                        standard.into_iter().filter(|e| !is_required_flag(e, sink)).cloned().collect();
                    let flag = |key: &str, sink: &mut Diagnostics| flag(&own, key, sink);
                    (Value::Object(entries_to_json(&standard)), flag("optional", sink), flag("secret", sink))
                }
                _ => {
                    let label = match (name.value.as_str(), &node.kind) {
                        ("required", Kind::List(_)) => {
                            "leave it out: a param is required unless it says `optional: true`"
                        }
                        _ => "such as `string`, or `{ type: string, minLength: 2 }`",
                    };
                    refuse(node, "a JSON Schema or the name of a type", sink, |found| found.label(label));
                    (json!({}), false, false)
                }
            };
            if name.value == "caller" {
                sink.push(Diagnostic::error(Code::NameClash, name.span, "the name `caller` is reserved"));
            }
            all.push(Param { name: name.clone(), schema: Arc::new(schema), optional, secret });
        }
        all
    }

    /// Compiles an `inputSchema` that is written out.
    pub fn of_schema(written: &Node, sink: &mut Diagnostics) -> Option<Self> {
        let value = written.to_json();
        if value.get("type") != Some(&json!("object")) {
            let found =
                Diagnostic::error(Code::BadSchema, written.at_pointer("/type"), "an input schema describes an object");
            sink.push(found.label("write `type: object`"));
            return None;
        }
        let all = Self::names_of_schema(written);
        let schema = compile_schema(value, |pointer| written.at_pointer(pointer), sink)?;
        Some(Params { all, schema })
    }

    /// The names of an `inputSchema`'s properties.
    pub fn names_of_schema(written: &Node) -> Vec<Param> {
        let properties = written.get("properties").map(|p| p.value.entries()).unwrap_or_default();
        let required = written.get("required").map(|r| r.value.to_json()).unwrap_or_default();
        let required = |name: &str| required.as_array().is_some_and(|r| r.iter().any(|n| n == name));
        let param = |e: &Entry| Param {
            name: e.key.clone(),
            schema: Arc::new(e.value.to_json()),
            optional: !required(&e.key.value),
            secret: false,
        };
        properties.iter().map(param).collect()
    }

    /// Fills in defaults and checks the arguments of a call.
    ///
    /// # Errors
    /// One sentence for each argument that is wrong.
    pub fn check(&self, mut given: Arguments) -> Result<Arguments, Vec<String>> {
        self.schema.fill_defaults(&mut given);
        let given = Value::Object(given);
        if self.schema.is_valid(&given) {
            return match given {
                Value::Object(given) => Ok(given),
                _ => Ok(Map::new()),
            };
        }
        Err(self.schema.faults(&given).into_iter().map(|fault| fault.message).collect())
    }

    /// Converts texts (URI variables, prompt arguments) by the params' types.
    pub fn coerce(&self, given: Map<String, Value>) -> Arguments {
        let by_type = |(name, value): (String, Value)| {
            let Some(param) = self.all.iter().find(|p| p.name.value == name) else { return (name, value) };
            let items = param.schema.get("items").unwrap_or(&Value::Null);
            let value = match value {
                Value::String(text) => schema::coerce(&param.schema, &text),
                Value::Array(texts) => texts
                    .into_iter()
                    .map(|text| match text {
                        Value::String(text) => schema::coerce(items, &text),
                        other => other,
                    })
                    .collect(),
                other => other,
            };
            (name, value)
        };
        given.into_iter().map(by_type).collect()
    }
}

/// Where the properties are, if what should be params is one JSON Schema of an object.
fn whole_schema(written: &Named<Property>) -> Option<Span> {
    let of = |wanted: &str| written.iter().find(|(name, _)| name.value == wanted);
    let object = matches!(&of("type")?.1.kind, Kind::String(kind) if kind.expose() == "object");
    let (name, properties) = of("properties")?;
    let typed = matches!(properties.get("type").map(|entry| &entry.value.kind), Some(Kind::String(_)));
    (object && !typed && matches!(properties.kind, Kind::Map(_))).then_some(name.span)
}

/// One object of all the params.
fn whole(all: &[Param]) -> Map<String, Value> {
    let properties: Map<String, Value> =
        all.iter().map(|p| (p.name.value.clone(), p.schema.as_ref().clone())).collect();
    let required = all.iter().filter(|p| !p.optional && p.schema.get("default").is_none());
    let required: Vec<&str> = required.map(|p| p.name.value.as_str()).collect();
    let mut object = Map::new();
    object.insert("type".to_owned(), json!("object"));
    object.insert("properties".to_owned(), Value::Object(properties));
    object.insert("additionalProperties".to_owned(), json!(false));
    if !required.is_empty() {
        object.insert("required".to_owned(), json!(required));
    }
    object
}

/// Whether this is `required: true` or `false`, which a param does not have; reported.
fn is_required_flag(entry: &Entry, sink: &mut Diagnostics) -> bool {
    let Kind::Bool(required) = entry.value.kind else { return false };
    if entry.key.value != "required" {
        return false;
    }
    let words = "a param is required unless it says `optional: true`";
    let label = if required { "leave it out" } else { "write `optional: true`" };
    sink.push(Diagnostic::error(Code::BadSchema, entry.key.span, words).label(label));
    true
}

fn flag(own: &[&Entry], key: &str, sink: &mut Diagnostics) -> bool {
    let entry = own.iter().find(|e| e.key.value == key);
    entry.and_then(|e| Spanned::<bool>::from_node(&e.value, At::key(e), sink)).is_some_and(|b| b.value)
}

/// Compiles a schema and reports its faults at their places.
pub fn compile_schema(value: Value, place: impl Fn(&str) -> Span, sink: &mut Diagnostics) -> Option<Schema> {
    match Schema::compile(value) {
        Ok(schema) => Some(schema),
        Err(faults) => {
            report(faults, place, sink);
            None
        }
    }
}

fn report(faults: Vec<SchemaFault>, place: impl Fn(&str) -> Span, sink: &mut Diagnostics) {
    for fault in faults {
        let found = Diagnostic::error(Code::BadSchema, place(&fault.pointer), fault.message);
        sink.push(match fault.help {
            Some(help) => found.label(help),
            None => found,
        });
    }
}

/// What is wrong with params that `faults` say nothing of: a default is held against a schema only where the
/// whole of it compiles, so those at fault would hide the others.
fn hidden(all: &[Param], faults: &[SchemaFault]) -> Vec<SchemaFault> {
    let blamed = |name: &str| faults.iter().any(|f| steps(&f.pointer).is_some_and(|(blamed, _)| blamed == name));
    let others = all.iter().filter(|p| !blamed(&p.name.value));
    let others: Map<String, Value> = others.map(|p| (p.name.value.clone(), p.schema.as_ref().clone())).collect();
    Schema::compile(json!({ "type": "object", "properties": others })).err().unwrap_or_default()
}

/// A pointer `/properties/NAME/…` as the name and what comes after it.
pub fn steps(pointer: &str) -> Option<(String, Option<String>)> {
    let mut steps = pointer.strip_prefix("/properties/")?.splitn(2, '/');
    let name = steps.next()?.replace("~1", "/").replace("~0", "~");
    Some((name, steps.next().map(|rest| format!("/{rest}"))))
}

/// Where the part `/properties/NAME/…` of the schema that a `params` map makes is written; `otherwise` for
/// what is not written there.
pub fn place_of(written: &Named<Property>, pointer: &str, otherwise: Span) -> Span {
    let Some((name, rest)) = steps(pointer) else { return otherwise };
    match (written.iter().find(|(n, _)| n.value == name), rest) {
        (Some((_, node)), Some(rest)) => node.at_pointer(&rest),
        (Some((name, _)), None) => name.span,
        (None, _) => otherwise,
    }
}

#[cfg(test)]
mod tests;
