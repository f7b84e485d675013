use serde_json::{Value, json};

use super::*;
use crate::spec::load::{Input, load};
use crate::spec::model::Document;
use crate::spec::{Environment, Files};

/// A spec with one tool `t`, whose `params` are written out.
fn spec(params: &str) -> (Document, Files, Diagnostics) {
    let text = format!("server: {{ name: x }}\ntools:\n  t:\n    text: x\n    params: {params}\n");
    let loaded = load(&Input::Text(text), &Environment::default());
    (loaded.document.unwrap(), loaded.files, loaded.diagnostics)
}

fn compiled(params: &str) -> Params {
    let (document, _, mut sink) = spec(params);
    let (_, tool) = document.tools.iter().next().unwrap();
    let compiled = Params::compile(&tool.params, &mut sink);
    assert!(sink.is_empty(), "{params}: {sink:?}");
    compiled.unwrap()
}

/// What is found, as `written: message`, where `written` is what the diagnostic points to.
fn faults(params: &str) -> Vec<String> {
    let (document, files, mut sink) = spec(params);
    let (_, tool) = document.tools.iter().next().unwrap();
    let compiled = Params::compile(&tool.params, &mut sink);
    assert!(compiled.is_none() || sink.has_errors());
    let words = |d: &&Diagnostic| {
        let place = d.place.as_ref().unwrap();
        format!("{}: {}", &files.text(place.span.file)[files.locate(place)], d.message)
    };
    sink.sorted(&files).iter().map(words).collect()
}

fn object(value: Value) -> Arguments {
    value.as_object().unwrap().clone()
}

#[test]
fn makes_one_schema_of_all_params() {
    let params = compiled("{ a: string, b: { type: integer, default: 3 }, c: { type: boolean, optional: true } }");
    assert_eq!(
        Value::Object(params.schema.json().as_ref().clone()),
        json!({
            "type": "object",
            "properties": {
                "a": { "type": "string" },
                "b": { "type": "integer", "default": 3 },
                "c": { "type": "boolean" },
            },
            "additionalProperties": false,
            "required": ["a"],
        })
    );
    let optional: Vec<bool> = params.all.iter().map(|p| p.optional).collect();
    assert_eq!(optional, [false, false, true]);
}

#[test]
fn has_no_required_list_when_nothing_is() {
    assert_eq!(compiled("{ a: { type: string, optional: true } }").schema.json().get("required"), None);
    assert_eq!(compiled("{}").schema.json().get("properties"), Some(&json!({})));
}

#[test]
fn fills_defaults_and_names_each_wrong_argument() {
    let params =
        compiled("{ a: string, b: { type: integer, default: 3 }, c: { type: integer, maximum: 5, default: 1 } }");
    assert_eq!(params.check(object(json!({ "a": "x" }))), Ok(object(json!({ "a": "x", "b": 3, "c": 1 }))));
    let found = params.check(object(json!({ "b": "x", "c": 9, "d": 1 }))).unwrap_err();
    assert_eq!(found.len(), 4, "{found:?}");
    for name in ["a", "b", "c", "d"] {
        assert!(found.iter().any(|words| words.contains(&format!("`{name}`"))), "{name}: {found:?}");
    }
}

#[test]
fn converts_texts_by_type() {
    let params = compiled("{ n: integer, s: string, l: { type: array, items: { type: number } } }");
    let given = object(json!({ "n": "5", "s": "5", "l": ["1.5", "x"], "other": "1" }));
    assert_eq!(params.coerce(given), object(json!({ "n": 5, "s": "5", "l": [1.5, "x"], "other": "1" })));
}

#[test]
fn reports_each_fault_at_its_place() {
    assert_eq!(
        faults("{ a: int, b: { type: string, minLenght: 2 }, c: { items: { type: strng } } }"),
        ["int: unknown type `int`", "minLenght: unknown keyword `minLenght`", "type: unknown type `strng`"]
    );
    assert_eq!(faults("{ a/b: { ~c: 1, type: wrong } }"), ["type: unknown type `wrong`"]);
}

#[test]
fn a_fault_hides_no_other() {
    let found = faults("{ a: int, b: { type: integer, minimum: 1, default: 0 }, c: { type: string, default: 5 } }");
    assert_eq!(found.len(), 3, "{found:?}");
    assert!(found[1].starts_with("default: the default does not fit"), "{found:?}");
    assert!(found[2].starts_with("default: the default does not fit"), "{found:?}");
}

#[test]
fn reports_what_is_no_schema_and_goes_on() {
    let found = faults("{ a: 5, b: [string], c: { type: string, optional: maybe }, caller: string, d: int }");
    assert_eq!(found.len(), 5, "{found:?}");
    assert!(found[0].starts_with("5: expected a JSON Schema"), "{found:?}");
    assert!(found[2].starts_with("maybe: expected a boolean"), "{found:?}");
    assert!(found[3].starts_with("caller: the name `caller` is reserved"), "{found:?}");
}

#[test]
fn reads_an_input_schema_that_is_written_out() {
    let read = |schema: &str| {
        let text = format!("server: {{ name: x }}\ntools: {{ t: {{ text: x, inputSchema: {schema} }} }}\n");
        let loaded = load(&Input::Text(text), &Environment::default());
        let document = loaded.document.unwrap();
        let (_, tool) = document.tools.iter().next().unwrap();
        let mut sink = loaded.diagnostics;
        (Params::of_schema(tool.input_schema.as_ref().unwrap(), &mut sink), sink)
    };
    let (params, sink) = read("{ type: object, properties: { a: { type: string }, b: {} }, required: [a] }");
    assert!(sink.is_empty(), "{sink:?}");
    let names: Vec<(String, bool)> = params.unwrap().all.into_iter().map(|p| (p.name.value, p.optional)).collect();
    assert_eq!(names, [("a".to_owned(), false), ("b".to_owned(), true)]);
    for wrong in ["{}", "{ type: string }", "[a]", "text", "{ type: object, properties: { a: { type: int } } }"] {
        let (params, sink) = read(wrong);
        assert!(params.is_none() && sink.errors() == 1, "{wrong}: {sink:?}");
    }
}
