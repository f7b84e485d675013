//! What an API tells of its schema when it is asked (GraphQL, section 4: introspection), as text in the schema
//! definition language. What comes is not trusted: names are names, values are values, and there are bounds.

use apollo_compiler::ast::{Definition, Document};
use serde_json::Value;

/// The question.
pub const QUERY: &str = "query IntrospectionQuery { __schema { queryType { name } mutationType { name } \
subscriptionType { name } types { ...FullType } directives { name locations args { ...InputValue } } } } \
fragment FullType on __Type { kind name description fields(includeDeprecated: true) { name description \
args { ...InputValue } type { ...TypeRef } } inputFields { ...InputValue } interfaces { ...TypeRef } \
enumValues(includeDeprecated: true) { name description } possibleTypes { ...TypeRef } } \
fragment InputValue on __InputValue { name description type { ...TypeRef } defaultValue } \
fragment TypeRef on __Type { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name \
ofType { kind name ofType { kind name ofType { kind name } } } } } } } }";

/// Types that a schema may have.
const MAX_TYPES: usize = 20_000;
/// Letters of a name.
const MAX_NAME: usize = 200;
/// Lists within lists that a type may be.
const MAX_WRAPS: usize = 16;
/// What every schema has without being told.
const BUILT_IN: [&str; 9] = ["Int", "Float", "String", "Boolean", "ID", "skip", "include", "deprecated", "specifiedBy"];

/// Writes the schema that `data`, the answer to [`QUERY`], tells.
///
/// # Errors
/// In words, why it tells none.
pub fn to_sdl(data: &Value) -> Result<String, String> {
    let schema = data.get("__schema").filter(|schema| schema.is_object()).ok_or("its answer has no `__schema`")?;
    let types = list(schema, "types");
    if types.len() > MAX_TYPES {
        return Err(format!("it has {} types, more than {MAX_TYPES}", types.len()));
    }
    let mut sdl = String::from("schema {\n");
    for (key, operation) in [("queryType", "query"), ("mutationType", "mutation"), ("subscriptionType", "subscription")]
    {
        if let Some(root) = schema.get(key).filter(|root| !root.is_null()) {
            sdl.extend(["  ", operation, ": ", name(root)?, "\n"]);
        }
    }
    sdl.push_str("}\n");
    for directive in list(schema, "directives") {
        write_directive(directive, &mut sdl)?;
    }
    for one in types {
        write_type(one, &mut sdl)?;
    }
    Ok(sdl)
}

fn list<'v>(of: &'v Value, key: &str) -> &'v [Value] {
    of.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The `name` of something, which has to be one (GraphQL, section 2.1.9).
fn name(of: &Value) -> Result<&str, String> {
    let name = of.get("name").and_then(Value::as_str).unwrap_or("");
    match is_name(name) {
        true => Ok(name),
        false => Err("a name in it is no GraphQL name".to_owned()),
    }
}

fn is_name(name: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    name.len() <= MAX_NAME && name.starts_with(|c| letter(c) && !c.is_ascii_digit()) && name.chars().all(letter)
}

fn write_directive(directive: &Value, sdl: &mut String) -> Result<(), String> {
    let own = name(directive)?;
    if BUILT_IN.contains(&own) {
        return Ok(());
    }
    let places: Vec<&str> = list(directive, "locations").iter().filter_map(Value::as_str).collect();
    if places.is_empty() || !places.iter().all(|place| is_name(place)) {
        return Err(format!("the directive `@{own}` stands nowhere"));
    }
    sdl.extend(["directive @", own]);
    write_arguments(directive, sdl)?;
    sdl.extend([" on ", &places.join(" | "), "\n"]);
    Ok(())
}

fn write_type(one: &Value, sdl: &mut String) -> Result<(), String> {
    let own = name(one)?;
    if own.starts_with("__") || BUILT_IN.contains(&own) {
        return Ok(());
    }
    write_description(one, "", sdl);
    let keyword = match one.get("kind").and_then(Value::as_str).unwrap_or("") {
        "SCALAR" => "scalar",
        "OBJECT" => "type",
        "INTERFACE" => "interface",
        "UNION" => "union",
        "ENUM" => "enum",
        "INPUT_OBJECT" => "input",
        _ => return Err(format!("`{own}` is of no kind that there is")),
    };
    sdl.extend([keyword, " ", own]);
    let names = |key: &str, between: &str| -> Result<String, String> {
        Ok(list(one, key).iter().map(name).collect::<Result<Vec<_>, _>>()?.join(between))
    };
    match keyword {
        "union" => sdl.extend([" = ", &names("possibleTypes", " | ")?]),
        "type" | "interface" if !list(one, "interfaces").is_empty() => {
            sdl.extend([" implements ", &names("interfaces", " & ")?]);
        }
        _ => {}
    }
    match keyword {
        "type" | "interface" => write_block(list(one, "fields"), sdl, write_field)?,
        "enum" => write_block(list(one, "enumValues"), sdl, |value, sdl| {
            sdl.push_str(name(value)?);
            Ok(())
        })?,
        "input" => write_block(list(one, "inputFields"), sdl, write_input)?,
        _ => {}
    }
    sdl.push('\n');
    Ok(())
}

/// `{ … }`, a line for each member; nothing where there is none.
fn write_block(
    members: &[Value],
    sdl: &mut String,
    write: impl Fn(&Value, &mut String) -> Result<(), String>,
) -> Result<(), String> {
    if members.is_empty() {
        return Ok(());
    }
    sdl.push_str(" {\n");
    for member in members {
        write_description(member, "  ", sdl);
        sdl.push_str("  ");
        write(member, sdl)?;
        sdl.push('\n');
    }
    sdl.push('}');
    Ok(())
}

fn write_field(field: &Value, sdl: &mut String) -> Result<(), String> {
    sdl.push_str(name(field)?);
    write_arguments(field, sdl)?;
    sdl.push_str(": ");
    write_reference(field.get("type").unwrap_or(&Value::Null), sdl, 0)
}

fn write_arguments(of: &Value, sdl: &mut String) -> Result<(), String> {
    let arguments = list(of, "args");
    if arguments.is_empty() {
        return Ok(());
    }
    sdl.push('(');
    for argument in arguments {
        write_description(argument, " ", sdl);
        sdl.push(' ');
        write_input(argument, sdl)?;
    }
    sdl.push_str(" )");
    Ok(())
}

fn write_input(input: &Value, sdl: &mut String) -> Result<(), String> {
    sdl.extend([name(input)?, ": "]);
    write_reference(input.get("type").unwrap_or(&Value::Null), sdl, 0)?;
    if let Some(text) = input.get("defaultValue").and_then(Value::as_str) {
        let value =
            default(text).ok_or_else(|| format!("the default of `{}` is no value", name(input).unwrap_or("")))?;
        sdl.extend([" = ", &value]);
    }
    Ok(())
}

fn write_reference(reference: &Value, sdl: &mut String, depth: usize) -> Result<(), String> {
    if depth > MAX_WRAPS {
        return Err("a type in it is nested too deeply".to_owned());
    }
    let inner = reference.get("ofType").unwrap_or(&Value::Null);
    match reference.get("kind").and_then(Value::as_str).unwrap_or("") {
        "NON_NULL" => {
            write_reference(inner, sdl, depth + 1)?;
            sdl.push('!');
        }
        "LIST" => {
            sdl.push('[');
            write_reference(inner, sdl, depth + 1)?;
            sdl.push(']');
        }
        _ => sdl.push_str(name(reference)?),
    }
    Ok(())
}

/// A description as a string literal: JSON's escapes are GraphQL's too.
fn write_description(of: &Value, indent: &str, sdl: &mut String) {
    if let Some(text @ Value::String(words)) = of.get("description")
        && !words.trim().is_empty()
    {
        sdl.extend([indent, &text.to_string(), "\n"]);
    }
}

/// A default value, written anew from what it was read as: nothing else can hide in it.
fn default(text: &str) -> Option<String> {
    let document = Document::parser().recursion_limit(MAX_WRAPS).parse_ast(format!("input A {{ a: B = {text} }}"), "");
    match document.ok()?.definitions.as_slice() {
        [Definition::InputObjectTypeDefinition(input)] => match input.fields.as_slice() {
            [field] if field.directives.is_empty() => field.default_value.as_ref().map(ToString::to_string),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn schema(types: Value) -> Value {
        json!({ "__schema": { "queryType": { "name": "Query" }, "mutationType": null, "types": types, "directives": [] } })
    }

    fn field(name: &str, default: Value) -> Value {
        let of = json!({ "kind": "NON_NULL", "name": null, "ofType": { "kind": "SCALAR", "name": "Int" } });
        let arg = json!({ "name": "n", "description": "How \"many\"\nthere are.", "type": { "kind": "SCALAR", "name": "Int" }, "defaultValue": default });
        json!({ "name": name, "args": [arg], "type": { "kind": "LIST", "ofType": of } })
    }

    #[tokio::test]
    async fn what_is_told_is_a_schema() {
        let types = json!([
            { "kind": "OBJECT", "name": "Query", "fields": [field("a", json!("3"))], "interfaces": [] },
            { "kind": "ENUM", "name": "Color", "enumValues": [{ "name": "RED" }] },
            { "kind": "UNION", "name": "Any", "possibleTypes": [{ "kind": "OBJECT", "name": "Query" }] },
            { "kind": "SCALAR", "name": "Int" },
            { "kind": "OBJECT", "name": "__Type", "fields": [] },
        ]);
        let sdl = to_sdl(&schema(types)).unwrap();
        let wanted = "schema {\n  query: Query\n}\ntype Query {\n  a( \"How \\\"many\\\"\\nthere are.\"\n n: Int = 3 ): [Int!]\n}\nenum Color {\n  RED\n}\nunion Any = Query\n";
        assert_eq!(sdl, wanted);
        assert!(super::super::schema::read(sdl.into()).await.is_ok());
    }

    #[test]
    fn what_is_no_name_and_no_value_is_refused() {
        for name in ["", "a b", "9a", "a}type B{c:Int", "\"", "é", &"a".repeat(201)] {
            let types = json!([{ "kind": "OBJECT", "name": "Query", "fields": [field(name, Value::Null)] }]);
            assert!(to_sdl(&schema(types)).is_err(), "{name}");
        }
        for text in ["3 } type Evil { a: Int", "3 @deprecated", "3 b: Int", "", "$a", "1 2", "[[[[[[[[[[[[[[[[[[[[[[[1"]
        {
            assert_eq!(default(text), None, "{text}");
        }
        for text in ["3", "-1.5", "null", "RED", "\"a\\\"b\"", "[1, 2]", "{a: {b: [RED]}}"] {
            assert!(default(text).is_some(), "{text}");
        }
    }

    #[test]
    fn hostile_schemas_end_at_a_bound() {
        let many: Vec<Value> = (0..100_000).map(|n| json!({ "kind": "SCALAR", "name": format!("S{n}") })).collect();
        assert_eq!(to_sdl(&schema(json!(many))).unwrap_err(), "it has 100000 types, more than 20000");
        let mut deep = json!({ "kind": "SCALAR", "name": "Int" });
        for _ in 0..50 {
            deep = json!({ "kind": "LIST", "ofType": deep });
        }
        let types = json!([{ "kind": "OBJECT", "name": "Query", "fields": [{ "name": "a", "type": deep }] }]);
        assert_eq!(to_sdl(&schema(types)).unwrap_err(), "a type in it is nested too deeply");
        for odd in [json!(null), json!({}), json!({ "__schema": 3 }), json!([])] {
            assert!(to_sdl(&odd).is_err(), "{odd}");
        }
    }
}
