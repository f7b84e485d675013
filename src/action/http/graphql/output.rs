//! What an operation answers, as JSON Schema: its selections, with the schema's types.

use apollo_compiler::ast::Type;
use apollo_compiler::executable::{DirectiveList, ExecutableDocument, Field, Operation, Selection, SelectionSet};
use apollo_compiler::schema::ExtendedType;
use apollo_compiler::{Name, Node, Schema};
use indexmap::IndexMap;
use serde_json::{Map, Value, json};

use super::input::nullable;

/// Fields that are described; an operation with more has no schema.
const MAX_FIELDS: usize = 2000;
/// Fragments within fragments, and objects within objects.
const MAX_DEPTH: usize = 32;
/// Names that the `__typename` of something abstract is one of, where they are told.
const MAX_NAMES: usize = 50;

/// The JSON Schema of an operation's `data`; `None` if it would be too large.
pub fn json_schema(schema: &Schema, document: &ExecutableDocument, operation: &Operation) -> Option<Value> {
    let mut outputs = Outputs { schema, document, left: MAX_FIELDS };
    outputs.object(&[(&operation.selection_set, true)], 0)
}

struct Outputs<'d> {
    schema: &'d Schema,
    document: &'d ExecutableDocument,
    left: usize,
}

/// A selection, the type that it stands on, and whether every object of the set has it.
type Selected<'d> = (&'d Node<Field>, &'d Name, bool);

/// A selection set, and whether it is asked of every object.
type Set<'d> = (&'d SelectionSet, bool);

/// All selections of one key of an answer.
#[derive(Default)]
struct Key<'d> {
    fields: Vec<Selected<'d>>,
    /// Whether every object has it.
    always: bool,
}

impl<'d> Outputs<'d> {
    fn object(&mut self, sets: &[Set<'d>], depth: usize) -> Option<Value> {
        let mut keys = IndexMap::new();
        for (set, always) in sets {
            self.collect(set, &set.ty, *always, depth, &mut keys)?;
        }
        let (mut properties, mut required) = (Map::new(), Vec::new());
        for (name, key) in keys {
            self.left = self.left.checked_sub(1)?;
            if key.always {
                required.push(Value::from(name.as_str()));
            }
            properties.insert(name.to_string(), self.key(&key, depth)?);
        }
        let mut object = json!({ "type": "object", "properties": properties });
        if let (Value::Object(object), false) = (&mut object, required.is_empty()) {
            object.insert("required".to_owned(), Value::Array(required));
        }
        Some(object)
    }

    /// Gathers what a selection set answers for objects of the type `of`, fragments among it.
    fn collect(
        &self,
        set: &'d SelectionSet,
        of: &Name,
        always: bool,
        depth: usize,
        keys: &mut IndexMap<&'d Name, Key<'d>>,
    ) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        for selection in &set.selections {
            let always = always && is_certain(selection.directives());
            match selection {
                Selection::Field(field) => {
                    let key = keys.entry(field.response_key()).or_default();
                    key.fields.push((field, &set.ty, always));
                    key.always |= always;
                    if key.fields.len() > MAX_FIELDS {
                        return None;
                    }
                }
                Selection::InlineFragment(fragment) => {
                    let always = always && self.covers(&fragment.selection_set.ty, of);
                    self.collect(&fragment.selection_set, of, always, depth + 1, keys)?;
                }
                Selection::FragmentSpread(spread) => {
                    let fragment = self.document.fragments.get(&spread.fragment_name)?;
                    let always = always && self.covers(fragment.type_condition(), of);
                    self.collect(&fragment.selection_set, of, always, depth + 1, keys)?;
                }
            }
        }
        Some(())
    }

    /// Whether all objects of a type are of the type that a fragment is for.
    fn covers(&self, condition: &Name, of: &Name) -> bool {
        condition == of || self.schema.is_subtype(condition, of)
    }

    fn key(&mut self, key: &Key<'d>, depth: usize) -> Option<Value> {
        let (first, on, _) = key.fields.first()?;
        if first.name == "__typename" {
            return Some(self.typename(on, key.fields.len()));
        }
        // fields of different types may share a key where no object has both
        if key.fields.iter().any(|(field, ..)| field.ty() != first.ty()) {
            return Some(json!({}));
        }
        let alone = key.fields.len() == 1;
        let sets = key.fields.iter().map(|(field, _, always)| (&field.selection_set, alone || *always));
        let sets: Vec<Set<'_>> = sets.collect();
        self.typed(first.ty(), &sets, depth)
    }

    fn typed(&mut self, of: &Type, sets: &[Set<'d>], depth: usize) -> Option<Value> {
        let value = match of {
            Type::List(item) | Type::NonNullList(item) => {
                json!({ "type": "array", "items": self.typed(item, sets, depth)? })
            }
            Type::Named(name) | Type::NonNullNamed(name) => match name.as_str() {
                "Int" => json!({ "type": "integer" }),
                "Float" => json!({ "type": "number" }),
                "String" | "ID" => json!({ "type": "string" }),
                "Boolean" => json!({ "type": "boolean" }),
                name => match self.schema.types.get(name)? {
                    ExtendedType::Enum(one) => {
                        let values: Vec<&str> = one.values.keys().map(|value| value.as_str()).collect();
                        json!({ "type": "string", "enum": values })
                    }
                    ExtendedType::Scalar(_) | ExtendedType::InputObject(_) => json!({}),
                    _ => self.object(sets, depth + 1)?,
                },
            },
        };
        Some(if of.is_non_null() { value } else { nullable(value) })
    }

    /// The names of the types that objects of a type can have.
    fn typename(&self, of: &Name, asked: usize) -> Value {
        let names: Vec<&str> = match self.schema.types.get(of) {
            _ if asked > 1 => Vec::new(),
            Some(ExtendedType::Object(object)) => vec![object.name.as_str()],
            Some(ExtendedType::Union(union)) => union.members.iter().map(|member| member.as_str()).collect(),
            Some(ExtendedType::Interface(interface)) => {
                let objects = self.schema.types.values().filter_map(ExtendedType::as_object);
                let having = objects.filter(|object| object.implements_interfaces.contains(&interface.name));
                having.map(|object| object.name.as_str()).collect()
            }
            _ => Vec::new(),
        };
        match names.is_empty() || names.len() > MAX_NAMES {
            true => json!({ "type": "string" }),
            false => json!({ "type": "string", "enum": names }),
        }
    }
}

/// Whether what is selected is there in any case.
fn is_certain(directives: &DirectiveList) -> bool {
    !["skip", "include", "defer"].iter().any(|name| directives.has(name))
}
