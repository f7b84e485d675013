//! `import` and `init`: descriptions of APIs as tools, through the real door.

mod begin;
mod hostile;

use serde_json::{Value, json};

use crate::harness::upstream::{answer, json as json_answer};
use crate::harness::{Era, Spec, Upstream};

/// A pet shop in OpenAPI 3.0, with every place and style of parameters.
fn petshop(server: &str) -> Value {
    json!({
        "openapi": "3.0.3",
        "info": { "title": "Pet Shop", "version": "2.1" },
        "servers": [{ "url": format!("{server}/{{stage}}"), "variables": { "stage": { "default": "v1" } } }],
        "security": [{ "token": [] }],
        "paths": {
            "/pets/{pet-id}": {
                "parameters": [{ "name": "pet-id", "in": "path", "required": true, "schema": { "type": "integer", "minimum": 1 } }],
                "get": {
                    "operationId": "pets/get", "tags": ["pets"], "summary": "Get a pet", "description": "All of it.",
                    "parameters": [
                        { "$ref": "#/components/parameters/Fields" },
                        { "name": "filter[name]", "in": "query", "schema": { "type": "string" } },
                        { "name": "csv", "in": "query", "explode": false, "schema": { "type": "array", "items": { "type": "string" } } },
                        { "name": "range", "in": "query", "style": "deepObject",
                          "schema": { "type": "object", "properties": { "gte": { "type": "integer" }, "lt": { "type": "integer" } } } },
                        { "name": "piped", "in": "query", "required": true, "style": "pipeDelimited", "explode": false,
                          "schema": { "type": "array", "items": { "type": "string" } } },
                        { "name": "X-Trace", "in": "header", "schema": { "type": "string", "maxLength": 8 } },
                        { "name": "session", "in": "cookie", "schema": { "type": "string" } },
                        { "name": "Authorization", "in": "header", "required": true, "schema": { "type": "string" } }
                    ],
                    "responses": { "200": { "description": "ok", "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Pet" } } } } }
                },
                "put": {
                    "operationId": "putPet", "tags": ["pets", "write"],
                    "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Pet" } } } },
                    "responses": { "204": { "description": "done" } }
                },
                "delete": { "tags": ["write"], "deprecated": true, "responses": { "204": { "description": "done" } } }
            },
            "/form": { "post": {
                "operationId": "sendForm",
                "requestBody": { "required": true, "content": { "application/x-www-form-urlencoded": {
                    "schema": { "type": "object", "required": ["name"], "properties": {
                        "name": { "type": "string" }, "tags": { "type": "array", "items": { "type": "string" } },
                        "address": { "type": "object", "properties": { "city": { "type": "string" } } } } } } } },
                "responses": { "200": { "description": "ok" } }
            } },
            "/upload": { "post": {
                "operationId": "upload",
                "requestBody": { "required": true, "content": { "multipart/form-data": {
                    "schema": { "type": "object", "properties": {
                        "title": { "type": "string" }, "file": { "type": "string", "format": "binary" } } } } } },
                "responses": { "200": { "description": "ok" } }
            } },
            "/tree": { "post": {
                "operationId": "plant",
                "requestBody": { "required": true, "content": { "application/json": { "schema": { "$ref": "#/components/schemas/Tree" } } } },
                "responses": { "200": { "description": "ok" } }
            } },
            "/binary": { "post": {
                "operationId": "binary",
                "requestBody": { "required": true, "content": { "application/octet-stream": { "schema": { "type": "string", "format": "binary" } } } },
                "responses": { "200": { "description": "ok" } }
            } },
            "/elsewhere": { "get": { "operationId": "elsewhere", "servers": [{ "url": "https://other.example" }], "responses": {} } }
        },
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "parameters": { "Fields": { "name": "fields", "in": "query", "description": "What to give.",
                "schema": { "type": "array", "items": { "type": "string", "enum": ["name", "age"] } } } },
            "schemas": {
                "Pet": { "type": "object", "required": ["id", "name"], "properties": {
                    "id": { "type": "integer", "readOnly": true },
                    "name": { "type": "string", "minLength": 1 },
                    "age": { "type": "integer", "minimum": 0, "exclusiveMinimum": true }
                } },
                "Tree": { "type": "object", "required": ["name"], "properties": {
                    "name": { "type": "string", "nullable": true },
                    "children": { "type": "array", "items": { "$ref": "#/components/schemas/Tree" } }
                } }
            }
        }
    })
}

fn importing(description: &Value, more: &str) -> Spec {
    let more: String = crate::harness::dedent(more).lines().map(|line| format!("    {line}\n")).collect();
    Spec::new(&format!("import:\n  - openapi: ./api.json\n{more}"))
        .file("api.json", description.to_string())
        .env("PET_SHOP_TOKEN", "s3cret")
}

async fn shop() -> Upstream {
    Upstream::start(|asked| match (asked.method.as_str(), asked.path()) {
        ("GET", _) => json_answer("{\"id\":7,\"name\":\"Rex\",\"age\":3}"),
        ("PUT" | "DELETE", _) => answer(204, &[], ""),
        _ => json_answer("{\"ok\":true}"),
    })
    .await
}

fn tool<'l>(listed: &'l [Value], name: &str) -> &'l Value {
    let found = listed.iter().find(|tool| tool["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {:?}", listed.iter().map(|tool| &tool["name"]).collect::<Vec<_>>()))
}

#[tokio::test]
async fn operations_become_tools() {
    let spec = importing(&petshop("https://pets.example"), "");
    let client = spec.stdio(Era::Modern).await;
    let listed = client.list("tools").await;
    let names: Vec<&str> = listed.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["pets_get", "putPet", "delete_pets_pet-id", "sendForm", "upload", "plant", "binary"]);
    let get = tool(&listed, "pets_get");
    assert_eq!(get["title"], "Get a pet");
    assert_eq!(get["description"], "Get a pet\n\nAll of it.");
    assert_eq!(get["annotations"], json!({ "readOnlyHint": true, "openWorldHint": true }));
    let input = &get["inputSchema"];
    assert_eq!(input["properties"]["pet_id"], json!({ "type": "integer", "minimum": 1 }));
    assert_eq!(input["properties"]["fields"]["description"], "What to give.");
    assert_eq!(input["properties"]["fields"]["items"]["enum"], json!(["name", "age"]));
    assert_eq!(input["properties"]["X_Trace"]["maxLength"], 8);
    assert_eq!(input["required"], json!(["pet_id", "piped"]));
    let output = &get["outputSchema"];
    assert_eq!(output["required"], json!(["id", "name"]));
    assert_eq!(output["properties"]["age"], json!({ "type": "integer", "exclusiveMinimum": 0 }));
    let put = tool(&listed, "putPet");
    assert!(put["inputSchema"]["properties"]["id"].is_null(), "{put}");
    assert_eq!(put["inputSchema"]["required"], json!(["pet_id", "name"]));
    assert_eq!(put["annotations"]["idempotentHint"], true);
    assert!(put.get("outputSchema").is_none());
    let delete = tool(&listed, "delete_pets_pet-id");
    assert!(delete["description"].as_str().unwrap().starts_with("Deprecated. "));
    assert_eq!(delete["annotations"]["destructiveHint"], true);
    let plant = &tool(&listed, "plant")["inputSchema"];
    assert_eq!(plant["properties"]["body"], json!({ "$ref": "#/$defs/Tree" }));
    assert_eq!(plant["$defs"]["Tree"]["properties"]["name"]["type"], json!(["string", "null"]));
    assert_eq!(plant["$defs"]["Tree"]["properties"]["children"]["items"], json!({ "$ref": "#/$defs/Tree" }));
}

#[tokio::test]
async fn what_is_sent_is_what_the_description_says() {
    let upstream = shop().await;
    let client = importing(&petshop(&upstream.url("")), "").stdio(Era::Legacy).await;
    let pet = client
        .json(
            "pets_get",
            json!({
                "pet_id": 7, "fields": ["name", "age"], "filter_name": "a b", "csv": ["x", "y"], "range_gte": 3,
                "piped": ["p", "q"], "X_Trace": "t1", "session": "abc",
            }),
        )
        .await;
    assert_eq!(pet["name"], "Rex");
    let asked = upstream.last();
    let (path, query) = asked.target.split_once('?').unwrap();
    assert_eq!(path, "/v1/pets/7");
    let mut pairs: Vec<&str> = query.split('&').collect();
    pairs.sort_unstable();
    let wanted = ["csv=x,y", "fields=age", "fields=name", "filter%5Bname%5D=a%20b", "piped=p%7Cq", "range%5Bgte%5D=3"];
    assert_eq!(pairs, wanted);
    assert_eq!(asked.header("x-trace"), "t1");
    assert_eq!(asked.header("cookie"), "session=abc");
    assert_eq!(asked.header("authorization"), "Bearer s3cret");
    client.call("putPet", json!({ "pet_id": 7, "name": "Rex" })).await;
    assert_eq!(upstream.last().json(), json!({ "name": "Rex" }));
    client.call("sendForm", json!({ "name": "n", "tags": ["a", "b"], "address_city": "Bonn" })).await;
    assert_eq!(upstream.last().text(), "name=n&tags=a&tags=b&address%5Bcity%5D=Bonn");
    client.call("upload", json!({ "title": "T", "file": "aGVsbG8=" })).await;
    let parts = upstream.last().text();
    assert!(parts.contains("name=\"file\"; filename=\"file\"") && parts.contains("\r\n\r\nhello\r\n"), "{parts}");
    client.call("binary", json!({ "body": "AP8=" })).await;
    let asked = upstream.last();
    assert_eq!((asked.header("content-type"), &asked.body[..]), ("application/octet-stream", &[0, 255][..]));
    let refused = client.fails("binary", json!({ "body": "%" })).await;
    assert!(refused.contains("the body is not base64 (RFC 4648 section 4)"), "{refused}");
    client.call("plant", json!({ "body": { "name": null, "children": [{ "name": "leaf" }] } })).await;
    assert_eq!(upstream.last().json(), json!({ "name": null, "children": [{ "name": "leaf" }] }));
    let refused = client.fails("pets_get", json!({ "pet_id": 0, "piped": [] })).await;
    assert!(refused.contains("pet_id"), "{refused}");
    let traversal = client.fails("pets_get", json!({ "pet_id": "../admin", "piped": [] })).await;
    assert!(traversal.contains("pet_id"), "{traversal}");
}

#[tokio::test]
async fn what_can_not_be_mapped_is_listed_with_the_reason() {
    let checked = importing(&petshop("https://pets.example"), "").run("check", &[]).await;
    assert_eq!(checked.code, 0, "{}", checked.out);
    for line in [
        "warning[bad-import]: 1 operation of `./api.json` can't be a tool",
        "its server is `https://other.example`, not the source's `https://pets.example/v1` (GET /elsewhere)",
        "parameter `Authorization`: is a header that the request or `auth` sets",
    ] {
        assert!(checked.out.contains(line), "{line}\n{}", checked.out);
    }
}

#[tokio::test]
async fn choosing_naming_and_changing() {
    let upstream = shop().await;
    let more = "
        source: pets
        include: { tags: [pets, write] }
        exclude: { methods: [put] }
        prefix: shop_
        rename: { \"DELETE /pets/{pet-id}\": remove }
        override:
          shop_remove:
            description: Give a pet away.
            annotations: { destructiveHint: false }
            params: { pet_id: { maximum: 99 } }
        asResource: { pets/get: 'pets://{pet_id}{?piped*}' }
    ";
    let spec = importing(&petshop("https://never.example"), more);
    let text = format!("sources:\n  pets: {{ http: {} }}\n{}", upstream.url("/api"), spec.get("spec.yaml"));
    let client = spec.with(&text).stdio(Era::Modern).await;
    let listed = client.list("tools").await;
    assert_eq!(listed.len(), 1, "{listed:?}");
    let remove = tool(&listed, "shop_remove");
    assert_eq!(remove["description"], "Give a pet away.");
    assert_eq!(remove["annotations"]["destructiveHint"], false);
    assert_eq!(
        remove["inputSchema"]["properties"]["pet_id"],
        json!({ "type": "integer", "minimum": 1, "maximum": 99 })
    );
    client.call("shop_remove", json!({ "pet_id": 3 })).await;
    assert_eq!(upstream.lines(), ["DELETE /api/pets/3"]);
    let read = client.read("pets://7?piped=a&piped=b").await;
    assert!(read.to_string().contains("Rex"), "{read}");
    assert!(upstream.last().target.starts_with("/api/pets/7?"), "{}", upstream.last().target);
}

#[tokio::test]
async fn swagger_from_a_url() {
    let description = json!({
        "swagger": "2.0", "info": { "title": "Old", "version": "1" }, "basePath": "/base",
        "consumes": ["application/json"], "produces": ["application/json"],
        "securityDefinitions": { "key": { "type": "apiKey", "in": "query", "name": "api_key" } },
        "security": [{ "key": [] }],
        "paths": {
            "/items": {
                "get": { "operationId": "items", "parameters": [
                    { "name": "ids", "in": "query", "type": "array", "items": { "type": "integer" }, "collectionFormat": "csv" },
                    { "name": "multi", "in": "query", "type": "array", "items": { "type": "string" }, "collectionFormat": "multi" },
                    { "name": "page", "in": "query", "type": "integer", "default": 1, "maximum": 10, "exclusiveMaximum": true }
                ], "responses": { "200": { "description": "ok", "schema": { "type": "object", "properties": {
                    "ok": { "type": "boolean", "x-nullable": true } } } } } },
                "post": { "operationId": "add", "parameters": [
                    { "name": "item", "in": "body", "required": true, "schema": { "$ref": "#/definitions/Item" } }
                ], "responses": { "201": { "description": "made" } } }
            },
            "/form": { "post": { "operationId": "form", "consumes": ["application/x-www-form-urlencoded"], "parameters": [
                { "name": "a", "in": "formData", "type": "string", "required": true }
            ], "responses": { "200": { "description": "ok" } } } }
        },
        "definitions": {
            "Base": { "type": "object", "required": ["name"], "properties": { "name": { "type": "string" } } },
            "Item": { "allOf": [{ "$ref": "#/definitions/Base" }, { "properties": { "size": { "type": "number" } } }] }
        }
    });
    let upstream = Upstream::start(move |asked| match asked.path() {
        "/docs/swagger.json" => json_answer(description.to_string()),
        _ => json_answer("{\"ok\":null}"),
    })
    .await;
    let spec =
        Spec::new(&format!("import:\n  - openapi: {}\n", upstream.url("/docs/swagger.json"))).env("OLD_API_KEY", "k3y");
    let client = spec.stdio(Era::Modern).await;
    let listed = client.list("tools").await;
    assert_eq!(
        tool(&listed, "items")["inputSchema"]["properties"]["page"],
        json!({ "type": "integer", "default": 1, "exclusiveMaximum": 10 })
    );
    assert_eq!(client.json("items", json!({ "ids": [1, 2], "multi": ["a", "b"] })).await, json!({ "ok": null }));
    let target = upstream.last().target;
    assert!(target.starts_with("/base/items?"), "{target}");
    for part in ["ids=1,2", "multi=a&multi=b", "page=1", "api_key=k3y"] {
        assert!(target.contains(part), "{part} in {target}");
    }
    client.json("add", json!({ "name": "x", "size": 1.5 })).await;
    assert_eq!(upstream.last().json(), json!({ "name": "x", "size": 1.5 }));
    client.json("form", json!({ "a": "1&2" })).await;
    assert_eq!(upstream.last().text(), "a=1%262");
    let offline = spec.run("check", &["--offline"]).await;
    assert!(offline.out.contains("is not fetched (--offline)"), "{}", offline.out);
}

#[tokio::test]
async fn openapi_3_1_in_yaml() {
    let upstream = Upstream::ok().await;
    let spec = Spec::new("import:\n  - { openapi: ./api.yaml, outputSchemas: false }\n").file(
        "api.yaml",
        format!(
            "openapi: 3.1.0
info: {{ title: New, version: '1' }}
servers: [{{ url: '{}' }}]
paths:
  /x/{{id}}:
    get:
      operationId: x
      parameters:
        - {{ name: id, in: path, required: true, style: label, schema: {{ type: [string, 'null'], examples: [a] }} }}
        - name: q
          in: query
          schema: {{ $ref: '#/components/schemas/Q', description: beside }}
        - name: where
          in: query
          content: {{ application/json: {{ schema: {{ type: object }} }} }}
      responses: {{ '200': {{ description: ok, content: {{ application/json: {{ schema: {{ type: object }} }} }} }} }}
webhooks: {{ changed: {{ post: {{}} }} }}
components: {{ schemas: {{ Q: {{ anyOf: [{{ type: integer }}, {{ const: all }}] }} }} }}
",
            upstream.url("")
        ),
    );
    let client = spec.stdio(Era::Modern).await;
    let listed = client.list("tools").await;
    let x = tool(&listed, "x");
    assert!(x.get("outputSchema").is_none());
    assert_eq!(x["inputSchema"]["properties"]["q"]["description"], "beside");
    client.json("x", json!({ "id": "a", "q": "all", "where": "{\"a\":1}" })).await;
    let target = upstream.last().target;
    assert!(target.starts_with("/x/.a?") && target.contains("q=all"), "{target}");
    assert!(target.contains("where=%7B%22a%22%3A1%7D"), "{target}");
    let checked = spec.run("check", &[]).await;
    assert!(checked.out.contains("a webhook is sent by the API, not to it (webhook changed)"), "{}", checked.out);
}

#[tokio::test]
async fn an_edit_of_the_description_reloads() {
    let spec = importing(&petshop("https://pets.example"), "include: { operations: [plant, grow] }");
    let mut client = spec.stdio(Era::Legacy).await;
    assert_eq!(client.list("tools").await.len(), 1);
    let edited = petshop("https://pets.example").to_string().replace("\"plant\"", "\"grow\"");
    spec.put("api.json", edited);
    assert_eq!(client.hears().await, "tools");
    assert_eq!(client.list("tools").await[0]["name"], "grow");
}
