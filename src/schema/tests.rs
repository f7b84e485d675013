use super::*;
use serde_json::json;

fn compile(schema: Value) -> Schema {
    Schema::compile(schema.clone()).unwrap_or_else(|e| panic!("{schema}: {e:?}"))
}

/// The faults of a schema as `pointer: message (help)`.
fn schema_faults(schema: Value) -> Vec<String> {
    let faults = Schema::compile(schema).err().unwrap_or_default();
    let show = |f: SchemaFault| {
        format!("{}: {}{}", f.pointer, f.message, f.help.map(|h| format!(" ({h})")).unwrap_or_default())
    };
    faults.into_iter().map(show).collect()
}

fn messages(schema: Value, value: Value) -> Vec<String> {
    compile(schema).faults(&value).into_iter().map(|f| f.message).collect()
}

fn bookshop() -> Value {
    json!({
        "type": "object",
        "properties": {
            "words": {"type": "string", "minLength": 2, "maxLength": 5},
            "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
            "sort": {"enum": ["title", "price"]},
            "tags": {"type": "array", "items": {"type": "string"}, "maxItems": 3, "uniqueItems": true},
            "address": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "zip": {"type": "string", "pattern": "^[0-9]{5}$"}},
                "required": ["city"],
                "additionalProperties": false,
            },
        },
        "required": ["words"],
        "additionalProperties": false,
    })
}

#[test]
fn a_model_is_told_what_to_mend() {
    for (args, expected) in [
        (json!({"words": "abc"}), vec![]),
        (json!({}), vec!["`words` is required"]),
        (json!({"words": "abc", "limit": 500}), vec!["`limit` must be at most 100, got 500"]),
        (json!({"words": "abc", "limit": 0}), vec!["`limit` must be at least 1, got 0"]),
        (json!({"words": "abc", "limit": 5.0}), vec![]),
        (json!({"words": "abc", "limit": 5.5}), vec!["`limit` must be an integer, got 5.5"]),
        (json!({"words": "abc", "limit": "5"}), vec!["`limit` must be an integer, got \"5\""]),
        (json!({"words": "abc", "limit": null}), vec!["`limit` must be an integer, got null"]),
        (json!({"words": "abc", "limit": [1]}), vec!["`limit` must be an integer, got an array of 1 item"]),
        (json!({"words": "a"}), vec!["`words` must have at least 2 characters, got 1"]),
        (json!({"words": "äöüäöü"}), vec!["`words` must have at most 5 characters, got 6"]),
        (json!({"words": "abc", "sort": "size"}), vec!["`sort` must be one of \"title\", \"price\", got \"size\""]),
        (json!({"words": "abc", "wrods": 1}), vec!["`wrods` is not a parameter: did you mean `words`?"]),
        (
            json!({"words": "abc", "xyz": 1}),
            vec!["`xyz` is not a parameter: the parameters are `words`, `limit`, `sort`, `tags`, `address`"],
        ),
        (json!({"words": "abc", "tags": ["a", "b", 3]}), vec!["`tags[2]` must be a string, got 3"]),
        (json!({"words": "abc", "tags": ["a", "b", "c", "d"]}), vec!["`tags` must have at most 3 items, got 4"]),
        (json!({"words": "abc", "tags": ["a", "a"]}), vec!["`tags` must not have the same item twice"]),
        (json!({"words": "abc", "address": {}}), vec!["`address.city` is required"]),
        (json!({"words": "abc", "address": {"city": 5}}), vec!["`address.city` must be a string, got 5"]),
        (
            json!({"words": "abc", "address": {"city": "x", "zpi": "1"}}),
            vec!["`address.zpi` is not a property: did you mean `address.zip`?"],
        ),
        (
            json!({"words": "abc", "address": {"city": "x", "zip": "1"}}),
            vec!["`address.zip` must match the pattern `^[0-9]{5}$`, got \"1\""],
        ),
        (json!([]), vec!["the value must be an object, got an array of 0 items"]),
        (json!("x"), vec!["the value must be an object, got \"x\""]),
        (
            json!({"limit": 0, "wrods": 1}),
            vec![
                "`limit` must be at least 1, got 0",
                "`wrods` is not a parameter: did you mean `words`?",
                "`words` is required",
            ],
        ),
    ] {
        let (mut found, mut expected) = (messages(bookshop(), args.clone()), expected);
        found.sort_unstable();
        expected.sort_unstable();
        assert_eq!(found, expected, "{args}");
        assert_eq!(compile(bookshop()).is_valid(&args), expected.is_empty(), "{args}");
    }
}

#[test]
fn paths_are_given_beside_the_sentence() {
    let schema = compile(bookshop());
    let paths = |v: Value| schema.faults(&v).into_iter().map(|f| f.path).collect::<Vec<_>>();
    assert_eq!(paths(json!({"words": "abc", "tags": [1], "address": {}})), ["tags[0]", "address.city"]);
    assert_eq!(paths(json!({"words": "abc", "a.b": 1})), ["[\"a.b\"]"]);
    assert_eq!(paths(json!(1)), [""]);
}

#[test]
fn every_keyword_has_its_words() {
    for (schema, value, expected) in [
        (json!({"exclusiveMinimum": 1}), json!(1), "the value must be more than 1, got 1"),
        (json!({"exclusiveMaximum": 1}), json!(1), "the value must be less than 1, got 1"),
        (json!({"multipleOf": 5}), json!(7), "the value must be a multiple of 5, got 7"),
        (json!({"const": "a"}), json!("b"), "the value must be \"a\", got \"b\""),
        (json!({"enum": ["a"]}), json!("b"), "the value must be \"a\", got \"b\""),
        (json!({"minItems": 1}), json!([]), "the value must have at least 1 item, got 0"),
        (json!({"minProperties": 2}), json!({"a": 1}), "the value must have at least 2 properties, got 1"),
        (json!({"maxProperties": 1}), json!({"a": 1, "b": 2}), "the value must have at most 1 property, got 2"),
        (json!({"format": "date"}), json!("31.1.26"), "the value must be a date such as 2026-01-31, got \"31.1.26\""),
        (
            json!({"format": "uuid"}),
            json!("x"),
            "the value must be a UUID such as 123e4567-e89b-12d3-a456-426614174000, got \"x\"",
        ),
        (
            json!({"format": "email"}),
            json!("x"),
            "the value must be an e-mail address such as name@example.com, got \"x\"",
        ),
        (json!({"type": ["string", "null"]}), json!(1), "the value must be null or a string, got 1"),
        (
            json!({"anyOf": [{"type": "string"}, {"type": "null"}]}),
            json!(1),
            "the value must be a string or null, got 1",
        ),
        (
            json!({"anyOf": [{"type": "string"}, {"minimum": 5}]}),
            json!(1),
            "the value fits none of its forms: it must be a string, got 1; or it must be at least 5, got 1",
        ),
        (
            json!({"properties": {"x": {"oneOf": [{"type": "string"}, {"properties": {"y": {"type": "null"}}}]}}}),
            json!({"x": {"y": 1}}),
            "`x` fits none of its forms: it must be a string, got an object; or `x.y` must be null, got 1",
        ),
        (json!({"oneOf": [{}, {}]}), json!(1), "the value fits several of its forms, but must fit exactly one"),
        (json!({"not": {"type": "string"}}), json!("a"), "the value is of a form that is not allowed, got \"a\""),
        (json!({"properties": {"a": false}}), json!({"a": 1}), "`a` is not allowed"),
        (
            json!({"propertyNames": {"maxLength": 1}}),
            json!({"ab": 1}),
            "the value has a name that is not allowed: it must have at most 1 character, got 2",
        ),
        (json!({"dependentRequired": {"a": ["b"]}}), json!({"a": 1}), "`b` is required"),
        (
            json!({"properties": {"name": {}}, "unevaluatedProperties": false}),
            json!({"naem": 1, "name": 1}),
            "`naem` is not a parameter: did you mean `name`?",
        ),
        (json!({"prefixItems": [{}], "items": false}), json!([1, 2]), "`[1]` is not allowed"),
    ] {
        let found = messages(schema.clone(), value);
        assert!(found.contains(&expected.to_owned()), "{schema}: {found:?}");
    }
}

#[test]
fn faults_are_capped_and_quotes_cut() {
    let many: Vec<_> = (0..100).collect();
    let found = messages(json!({"items": {"type": "string"}}), json!(many));
    assert_eq!(found.len(), 20);
    assert_eq!(found[19], "and 81 more faults");
    assert_eq!(messages(json!({"items": {"type": "string"}}), json!(many[..20])).len(), 20);
    assert_eq!(
        messages(json!({"items": {"type": "string"}}), json!(many[..20]))[19],
        "`[19]` must be a string, got 19"
    );
    for long in [json!("ü".repeat(10_000)), json!("\"".repeat(10_000)), json!({"k".repeat(10_000): 1})] {
        for schema in [
            json!({"type": "null"}),
            json!({"additionalProperties": false}),
            json!({"maxProperties": 0, "maxLength": 0}),
        ] {
            for message in messages(schema, long.clone()) {
                assert!(message.chars().count() < 200, "{message}");
            }
        }
    }
    let long_enum: Vec<_> = (0..1000).map(|i| i.to_string()).collect();
    let found = messages(json!({"enum": long_enum}), json!("x"));
    assert!(found[0].ends_with("\"19\" and 980 more, got \"x\""), "{found:?}");
}

#[test]
fn secrets_are_never_quoted() {
    let schema = json!({
        "properties": {
            "token": {"type": "string", "secret": true, "minLength": 9, "pattern": "^a", "format": "uuid", "enum": ["x"]},
            "login": {"properties": {"password": {"secret": true, "type": ["integer", "null"]}}, "required": ["name"]},
            "either": {"anyOf": [{"properties": {"password": {"type": "null"}}, "required": ["password"]}, {"type": "string"}]},
            "key": {"type": "integer"},
        },
        "not": {"required": ["token"]},
        "maxProperties": 2,
    });
    let value = json!({
        "token": "hunter2", "login": {"password": "hunter2"}, "either": {"password": "hunter2"}, "key": "hunter2"
    });
    let schema = compile(schema).with_secrets(["key".to_owned()]);
    let found = schema.faults(&value);
    assert!(found.len() >= 9, "{found:?}");
    assert!(!format!("{found:?}").contains("hunter2"), "{found:#?}");
    assert!(found.iter().any(|f| f.message == "`key` must be an integer"), "{found:#?}");
    assert!(found.iter().any(|f| f.message == "`token` must have at least 9 characters"), "{found:#?}");
    let default =
        schema_faults(json!({"properties": {"key": {"type": "integer", "secret": true, "default": "hunter2"}}}));
    assert_eq!(default, ["/properties/key/default: the default does not fit: it must be an integer"]);
}

#[test]
fn schema_faults_point_at_their_place() {
    for (schema, expected) in [
        (json!({"requred": ["a"]}), "/requred: unknown keyword `requred` (did you mean `required`?)"),
        (
            json!({"properties": {"a/b": {"minlength": 1}}}),
            "/properties/a~1b/minlength: unknown keyword `minlength` (did you mean `minLength`?)",
        ),
        (
            json!({"$defs": {"~": {"anyOf": [{}, {"items": {"maximun": 1}}]}}}),
            "/$defs/~0/anyOf/1/items/maximun: unknown keyword `maximun` (did you mean `maximum`?)",
        ),
        (json!({"type": "int"}), "/type: unknown type `int` (did you mean `integer`?)"),
        (json!({"type": ["string", "bool"]}), "/type/1: unknown type `bool` (did you mean `boolean`?)"),
        (
            json!({"type": "colour"}),
            "/type: unknown type `colour` (the types are `string`, `integer`, `number`, `boolean`, `array`, `object`, `null`)",
        ),
        (json!({"enum": []}), "/enum: an `enum` must list at least one value"),
        (json!({"minimum": 10, "maximum": 5.5}), "/minimum: `minimum` 10 is above `maximum` 5.5"),
        (json!({"minLength": 3, "maxLength": 2}), "/minLength: `minLength` 3 is above `maxLength` 2"),
        (json!({"items": {"minItems": 3, "maxItems": 2}}), "/items/minItems: `minItems` 3 is above `maxItems` 2"),
        (
            json!({"properties": {"words": {}}, "required": ["wrods"], "additionalProperties": false}),
            "/required/0: `wrods` is required, but not in `properties`, and others are not allowed (did you mean `words`?)",
        ),
        (json!({"pattern": "(a"}), "/pattern: `(a` is not a regular expression, or is too large"),
        (
            json!({"patternProperties": {"(?=a)/": {}}}),
            "/patternProperties/(?=a)~1: `(?=a)/` needs look-around or back-references (patterns must run in linear time: write it without them)",
        ),
        (
            json!({"properties": {"n": {"type": "integer", "default": "5"}}}),
            "/properties/n/default: the default does not fit: it must be an integer, got \"5\"",
        ),
        (
            json!({"properties": {"n": {"items": {"type": "integer"}, "default": [1, "x"]}}}),
            "/properties/n/default: the default does not fit: `[1]` must be an integer, got \"x\"",
        ),
        (
            json!({"properties": {"n": {"$ref": "#/$defs/a%20b", "default": 1}}, "$defs": {"a b": {"type": "string"}}}),
            "/properties/n/default: the default does not fit: it must be a string, got 1",
        ),
        (
            json!({"$ref": "https://example.com/s.json"}),
            "/$ref: `https://example.com/s.json` is outside this schema, and references are never fetched (put it under `$defs` and refer to it as `#/$defs/name`)",
        ),
        (
            json!({"items": {"$ref": "file:///etc/passwd"}}),
            "/items/$ref: `file:///etc/passwd` is outside this schema, and references are never fetched (put it under `$defs` and refer to it as `#/$defs/name`)",
        ),
        (
            json!({"items": {"$ref": "#/$defs/adress"}, "$defs": {"address": {}}}),
            "/items/$ref: `#/$defs/adress` does not exist in this schema (did you mean `#/$defs/address`?)",
        ),
        (
            json!({"$ref": "#/$defs/a b", "$defs": {"a b": {}}}),
            "/$ref: `#/$defs/a b` is not a URI reference (write what a URI cannot hold as `%` and two digits, a space as `%20`)",
        ),
        (json!({"$ref": "#anchor"}), "/$ref: `#anchor` does not exist in this schema"),
        (json!({"minLength": "3"}), "/minLength: `minLength` must be an integer, got \"3\" (write it without quotes)"),
        (json!({"minLength": -1}), "/minLength: `minLength` must be at least 0, got -1"),
        (json!({"required": true}), "/required: `required` must be an array, got true"),
        (json!({"properties": {"a": 5}}), "/properties/a: `a` must be a boolean or an object, got 5"),
        (
            json!({"$schema": "https://nowhere.example/"}),
            "/$schema: unknown dialect of JSON Schema (leave `$schema` out)",
        ),
        (json!(5), ": a schema must be an object"),
        (json!(true), ": a schema must be an object"),
    ] {
        assert_eq!(schema_faults(schema.clone()), [expected], "{schema}");
    }
}

#[test]
fn all_the_faults_come_at_once() {
    let schema = json!({
        "type": "objekt",
        "requird": [],
        "properties": {
            "a": {"type": "strin", "minLenght": 2},
            "b": {"pattern": "[", "enum": [], "minimum": 3, "maximum": 2},
            "c": {"$ref": "#/$defs/x"},
            "d": {"type": "integer", "minimum": "1"},
        },
    });
    let mut pointers: Vec<_> = Schema::compile(schema).unwrap_err().into_iter().map(|f| f.pointer).collect();
    pointers.sort_unstable();
    let expected = [
        "/properties/a/minLenght",
        "/properties/a/type",
        "/properties/b/enum",
        "/properties/b/minimum",
        "/properties/b/pattern",
        "/properties/c/$ref",
        "/properties/d/minimum",
        "/requird",
        "/type",
    ];
    assert_eq!(pointers, expected);
    let both = json!({"properties": {"a": {"type": "integer", "default": "x", "minimun": 1}}});
    assert_eq!(schema_faults(both).len(), 2);
}

#[test]
fn what_is_meant_well_compiles() {
    for schema in [
        json!({}),
        json!({"x-order": 1, "note": "n", "unit": "kg", "title": "T", "deprecated": true, "readOnly": true, "format": "color"}),
        json!({"enum": [{"requred": 1}], "default": {"requred": 1}, "examples": [{"typ": 1}], "const": {"requred": 1}}),
        json!({"properties": {"requred": {}, "minlength": {"type": "integer"}, "type": {"type": "string"}}}),
        json!({"$defs": {"requred": {}}, "patternProperties": {"^maximun$": {}}, "dependentSchemas": {"typ": {}}}),
        json!({"required": ["a"], "additionalProperties": true}),
        json!({"required": ["ab"], "patternProperties": {"^a": {}}, "additionalProperties": false}),
        json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}),
        json!({"$schema": "http://json-schema.org/draft-07/schema#", "items": [{"type": "integer"}], "definitions": {"a": {}}}),
        json!({"$id": "https://example.com/root", "$defs": {"a": {"$id": "https://example.com/a"}}, "$ref": "a"}),
        json!({"$anchor": "here", "properties": {"child": {"$ref": "#here"}, "again": {"$ref": "#"}}}),
        json!({"$ref": "#/$defs/a%20b", "$defs": {"a b": {}}}),
        json!({"minimum": 1, "maximum": 1, "minLength": 0}),
        json!({"properties": {"a": {"type": "string", "secret": true, "optional": true}}}),
        json!({"anyOf": [{"type": "integer"}, {"type": "null"}], "default": null}),
        json!({"$ref": "https://json-schema.org/draft/2020-12/schema"}),
        json!({"items": true, "additionalProperties": false, "properties": {"a": false}}),
    ] {
        assert_eq!(schema_faults(schema.clone()), [""; 0], "{schema}");
    }
}

#[test]
fn references_that_go_in_circles_end() {
    for schema in [
        json!({"$ref": "#"}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}}),
        json!({"anyOf": [{"$ref": "#"}, {"type": "string"}]}),
        json!({"not": {"$ref": "#"}}),
    ] {
        let schema = compile(schema);
        let _ = (schema.is_valid(&json!({"a": 1})), schema.faults(&json!({"a": 1})));
    }
    let tree = json!({"type": "object", "properties": {"kids": {"items": {"$ref": "#"}}}});
    let mut value = json!(5);
    for _ in 0..60 {
        value = json!({"kids": [value]});
    }
    assert_eq!(messages(tree, value).len(), 1);
}

#[test]
fn deep_schemas_are_refused() {
    let nested = |n: usize| (0..n).fold(json!({}), |inner, _| json!({"properties": {"a": inner}}));
    compile(nested(64));
    let faults = Schema::compile(nested(65)).unwrap_err();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].message, "schemas are nested deeper than 64");
    assert_eq!(faults[0].pointer, "/properties/a".repeat(65));
    let deep = (0..300).fold(json!(1), |inner, _| json!([inner]));
    let faults = Schema::compile(json!({"default": deep})).unwrap_err();
    assert_eq!(faults[0].message, "nested deeper than 256");
    assert!(Schema::compile((0..500).fold(json!({}), |inner, _| json!({"not": inner}))).is_err());
}

#[test]
fn defaults_are_filled_in_and_the_schema_kept() {
    let schema = compile(bookshop());
    let mut args = json!({"words": "abc"});
    schema.fill_defaults(args.as_object_mut().unwrap());
    assert_eq!(args, json!({"words": "abc", "limit": 10}));
    assert_eq!(Value::Object((**schema.json()).clone()), bookshop());
}

#[test]
fn is_shared_between_threads() {
    fn check<T: Send + Sync>() {}
    check::<Schema>();
}
