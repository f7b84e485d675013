//! A GraphQL server of a test's own: it executes what it is asked, introspection too, over a few books.

use apollo_compiler::resolvers::{Execution, FieldError, ObjectValue, ResolveInfo, ResolvedValue};
use apollo_compiler::response::JsonValue;
use apollo_compiler::validation::Valid;
use apollo_compiler::{ExecutableDocument, Schema};
use serde_json::{Value, json};

use crate::harness::{Asked, Reply, Upstream};

/// Its schema.
pub const SDL: &str = include_str!("library.graphql");

/// One that serves the library.
pub async fn start() -> Upstream {
    let schema = Schema::parse_and_validate(SDL, "library.graphql").unwrap();
    Upstream::start(move |asked| answer(&schema, asked)).await
}

/// Its answer to a request.
pub fn answer(schema: &Valid<Schema>, asked: &Asked) -> Reply {
    let body = asked.json();
    let document = match ExecutableDocument::parse_and_validate(schema, body["query"].as_str().unwrap(), "") {
        Ok(document) => document,
        Err(why) => {
            return Reply::json(
                &json!({ "errors": [{ "message": why.errors.iter().next().unwrap().error.to_string() }] }),
            );
        }
    };
    let variables = JsonValue::from(body.get("variables").cloned().unwrap_or_else(|| json!({})));
    let execution = Execution::new(schema, &document)
        .operation_name(body["operationName"].as_str())
        .unwrap()
        .raw_variable_values(variables.as_object().unwrap())
        .enable_schema_introspection(true);
    let is_mutation = document.operations.get(body["operationName"].as_str()).unwrap().is_mutation();
    let root = if is_mutation { "Mutation" } else { "Query" };
    match execution.execute_sync(&Thing(json!({ "__typename": root }))) {
        Ok(response) => Reply::json(&serde_json::to_value(&response).unwrap()),
        Err(why) => Reply::json(&json!({ "errors": [{ "message": why.message().to_string() }] })),
    }
}

/// An object, as JSON with a `__typename`.
struct Thing(Value);

fn ann() -> Value {
    json!({ "__typename": "Person", "id": "p1", "name": "Ann" })
}

fn books() -> Vec<Value> {
    let book = |id: &str, title: &str, year: Value, genre: &str| {
        json!({ "__typename": "Book", "id": id, "title": title, "year": year, "genre": genre, "rating": 4.5,
            "published": "2001-02-03", "author": ann(), "tags": ["a", "b"] })
    };
    vec![book("1", "Dune", json!(1965), "FICTION"), book("2", "Cosmos", Value::Null, "SCIENCE")]
}

impl ObjectValue for Thing {
    fn type_name(&self) -> &str {
        self.0["__typename"].as_str().unwrap()
    }

    fn resolve_field<'a>(&'a self, info: &'a ResolveInfo<'a>) -> Result<ResolvedValue<'a>, FieldError> {
        let arguments = serde_json::to_value(info.arguments()).unwrap();
        let book = |id: &Value| books().into_iter().find(|book| book["id"] == *id);
        let value = match (self.type_name(), info.field_name()) {
            ("Query", "book") => book(&arguments["id"]).unwrap_or(Value::Null),
            ("Query", "node") => book(&arguments["id"]).unwrap_or_else(ann),
            ("Query", "books") => {
                let title = arguments["filter"]["title"].as_str().unwrap_or("");
                let found = books().into_iter().filter(|book| book["title"].as_str().unwrap().contains(title));
                found.take(arguments["first"].as_u64().unwrap() as usize).collect()
            }
            ("Query", "find") => json!([books()[0], ann()]),
            ("Query", "fails") => {
                return Err(FieldError { message: arguments["why"].as_str().unwrap_or("no").to_owned() });
            }
            ("Query", "long") => Value::from("x".repeat(arguments["bytes"].as_u64().unwrap() as usize)),
            ("Mutation", "addBook") => {
                let mut book = books().remove(0);
                book["title"] = arguments["book"]["title"].clone();
                book
            }
            ("Person", "books") => Value::from(books()),
            (_, field) => self.0[field].clone(),
        };
        Ok(resolved(value))
    }
}

fn resolved<'a>(value: Value) -> ResolvedValue<'a> {
    match value {
        Value::Array(items) => ResolvedValue::List(Box::new(items.into_iter().map(|item| Ok(resolved(item))))),
        Value::Object(object) => ResolvedValue::Object(Box::new(Thing(Value::Object(object)))),
        leaf => ResolvedValue::leaf(JsonValue::from(leaf)),
    }
}
