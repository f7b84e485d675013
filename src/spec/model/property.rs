//! A param as written: a property of JSON Schema and two keys of ours, or a type's name.

use std::ops::Deref;

use serde_json::{Value, json};

use crate::spec::describe::{self, Book, Record};
use crate::spec::diagnostic::Diagnostics;
use crate::spec::node::Node;
use crate::spec::read::{At, FromNode};

/// The types of JSON Schema that a param may have.
const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

/// What `params` says of one param.
#[derive(Debug, Clone)]
pub struct Property(Node);

impl Deref for Property {
    type Target = Node;
    fn deref(&self) -> &Node {
        &self.0
    }
}

impl FromNode for Property {
    fn from_node(node: &Node, at: At<'_>, sink: &mut Diagnostics) -> Option<Self> {
        Node::from_node(node, at, sink).map(Property)
    }

    fn schema(book: &mut Book) -> Value {
        book.define("Property", |_| {
            let short = describe::words(TYPES.into_iter());
            let mut written = Record::new("A property of JSON Schema (2020-12); what stands here are its usual words.");
            for (key, comment, schema) in words() {
                written.property(key, comment, schema);
            }
            describe::any_of([short, written.finish_open()])
        })
    }
}

/// The words of JSON Schema that params are usually made of, and ours.
fn words() -> Vec<(&'static str, &'static str, Value)> {
    let number = json!({ "type": "number" });
    let count = json!({ "type": "integer", "minimum": 0 });
    let text = json!({ "type": "string" });
    let truth = json!({ "type": "boolean" });
    let any = json!({});
    let type_name = describe::words(TYPES.into_iter().chain(["null"]));
    let types = json!({ "anyOf": [type_name.clone(), { "type": "array", "items": type_name }] });
    vec![
        ("type", "What a value is. Example: `integer`", types),
        ("description", "What the model reads about it. Example: `Words of the title`", text.clone()),
        ("title", "Its name for people. Example: `Words`", text.clone()),
        ("optional", "May be left out; a `default` implies it. Example: `true`", truth.clone()),
        ("secret", "Masked in logs. Example: `true`", truth.clone()),
        ("default", "What it is where it was left out. Example: `20`", any.clone()),
        (
            "enum",
            "The values that it may have; they complete themselves. Example: `[title, price]`",
            json!({ "type": "array" }),
        ),
        ("const", "The one value that it may have. Example: `1`", any.clone()),
        ("examples", "Values that it could have. Example: `[Dune]`", json!({ "type": "array" })),
        ("minLength", "The fewest characters. Example: `2`", count.clone()),
        ("maxLength", "The most characters. Example: `100`", count.clone()),
        ("pattern", "A regular expression that the text fits. Example: `'^[0-9]{13}$'`", text.clone()),
        ("format", "What kind of text it is. Example: `date`", text),
        ("minimum", "The least number. Example: `1`", number.clone()),
        ("maximum", "The greatest number. Example: `100`", number.clone()),
        ("exclusiveMinimum", "A number that it is above. Example: `0`", number.clone()),
        ("exclusiveMaximum", "A number that it is below. Example: `1`", number.clone()),
        ("multipleOf", "A number that divides it. Example: `5`", number),
        ("items", "What the elements of an array are. Example: `{ type: string }`", any.clone()),
        ("minItems", "The fewest elements. Example: `1`", count.clone()),
        ("maxItems", "The most elements. Example: `50`", count),
        ("uniqueItems", "Whether no element comes twice. Example: `true`", truth),
        ("properties", "What an object has. Example: `{ city: { type: string } }`", json!({ "type": "object" })),
        ("required", "Which of `properties` have to be there. Example: `[city]`", json!({ "type": "array" })),
        ("additionalProperties", "What other properties may be. Example: `false`", any),
    ]
}
