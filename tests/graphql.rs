//! `graphql`: sources and actions, against a server that executes what it is asked.

mod hostile;
mod library;
mod schemas;

use serde_json::{Value, json};

use crate::harness::client::text_of;
use crate::harness::{Client, Era, Reply, Spec, Upstream, everywhere};

/// The library's tools; `LIBRARY` stands for its URL.
const TOOLS: &str = r#"
    sources:
      library:
        graphql: LIBRARY
        auth: { bearer: "${TOKEN}" }
    tools:
      book:
        graphql:
          source: library
          query: |
            query Book($id: ID!, $full: Boolean = false) {
              book(id: $id) { id title year genre author @include(if: $full) { name } }
            }
      books:
        graphql:
          source: library
          query: |
            query ($filter: BookFilter, $first: Int = 5) {
              books(filter: $filter, first: $first) { ...Short }
            }
            fragment Short on Book { title rating published tags }
      find:
        params: { text: { type: string, minLength: 1 } }
        graphql:
          source: library
          file: ./queries/find.graphql
          operationName: Find
          variables: { words: "{{text}}!" }
      add:
        graphql:
          source: library
          query: 'mutation Add($book: NewBook!) { addBook(book: $book) { title } }'
      fails:
        graphql: { source: library, query: 'query ($why: String) { fails(why: $why) book(id: "1") { title } }' }
      titles:
        graphql: { source: library, query: '{ books { title } }' }
        result: { jq: '{titles: [.books[].title]}', text: '{{join titles ", "}}' }
"#;

const FIND: &str = "query Other { __typename }\n\nquery Find($words: String!) {\n  find(words: $words) { __typename ... on Book { title author { name } } ... on Person { name } }\n}\n";

fn spec(url: &str) -> Spec {
    Spec::new(&TOOLS.replace("LIBRARY", url)).env("TOKEN", "token-1234").file("queries/find.graphql", FIND)
}

fn tool<'t>(tools: &'t [Value], name: &str) -> &'t Value {
    tools.iter().find(|tool| tool["name"] == name).unwrap()
}

#[tokio::test]
async fn tools_are_what_their_operations_are() {
    let library = library::start().await;
    let spec = spec(&library.url("/graphql"));
    everywhere(&spec, async |client: &mut Client| {
        let tools = client.list("tools").await;
        let book = tool(&tools, "book");
        let input = json!({
            "type": "object",
            "properties": {
                "id": { "type": "string", "description": "The book's number." },
                "full": { "type": "boolean", "default": false },
            },
            "additionalProperties": false,
            "required": ["id"],
        });
        assert_eq!(book["inputSchema"], input);
        let output = json!({
            "type": "object",
            "properties": { "book": {
                "type": ["object", "null"],
                "properties": {
                    "id": { "type": "string" },
                    "title": { "type": "string" },
                    "year": { "type": ["integer", "null"] },
                    "genre": { "type": "string", "enum": ["FICTION", "SCIENCE", "HISTORY"] },
                    "author": { "type": "object", "properties": { "name": { "type": "string" } }, "required": ["name"] },
                },
                "required": ["id", "title", "year", "genre"],
            } },
            "required": ["book"],
        });
        assert_eq!(book["outputSchema"], output);
        assert_eq!(book["annotations"], json!({ "readOnlyHint": true, "openWorldHint": true }));
        let add = json!({ "readOnlyHint": false, "destructiveHint": true, "openWorldHint": true });
        assert_eq!(tool(&tools, "add")["annotations"], add);
        let filter = &tool(&tools, "books")["inputSchema"]["properties"]["filter"];
        assert_eq!(filter["description"], "Which books.");
        assert_eq!(filter["properties"]["genre"]["enum"], json!(["FICTION", "SCIENCE", "HISTORY"]));
        assert_eq!(filter["properties"]["genre"]["default"], "FICTION");
        assert_eq!(filter["properties"]["not"], json!({ "type": "object", "description": "a `BookFilter`, as told elsewhere" }));
        let first = json!({ "type": "integer", "minimum": i32::MIN, "maximum": i32::MAX, "description": "At most so many.", "default": 5 });
        assert_eq!(tool(&tools, "books")["inputSchema"]["properties"]["first"], first);
        let new = &tool(&tools, "add")["inputSchema"]["properties"]["book"];
        assert_eq!((&new["required"], &new["additionalProperties"]), (&json!(["title", "genre"]), &json!(false)));
        let found = &tool(&tools, "find")["outputSchema"]["properties"]["find"]["items"];
        assert_eq!(found["properties"]["__typename"], json!({ "type": "string", "enum": ["Book", "Person"] }));
        assert_eq!(found["required"], json!(["__typename"]), "what is only in some of a union may be missing");
        assert!(tool(&tools, "titles").get("outputSchema").is_none(), "jq reshapes it");
    })
    .await;
}

#[tokio::test]
async fn operations_are_sent_and_answered() {
    let library = library::start().await;
    let spec = spec(&library.url("/graphql/?v=1").replace("?v=1", ""));
    everywhere(&spec, async |client: &mut Client| {
        let book = client.json("book", json!({ "id": "1" })).await;
        assert_eq!(book, json!({ "book": { "id": "1", "title": "Dune", "year": 1965, "genre": "FICTION" } }));
        let asked = library.last();
        assert_eq!((asked.method.as_str(), asked.target.as_str()), ("POST", "/graphql/"), "the slash stays");
        assert_eq!(asked.header("authorization"), "Bearer token-1234");
        assert_eq!(asked.header("content-type"), "application/json");
        let body = asked.json();
        assert_eq!((&body["operationName"], &body["variables"]), (&json!("Book"), &json!({ "id": "1", "full": false })));
        let full = client.json("book", json!({ "id": "1", "full": true })).await;
        assert_eq!(full["book"]["author"], json!({ "name": "Ann" }));
        assert_eq!(client.json("book", json!({ "id": "9" })).await, json!({ "book": null }));

        let books = client.json("books", json!({ "filter": { "title": "Cos" } })).await;
        let cosmos = json!({ "title": "Cosmos", "rating": 4.5, "published": "2001-02-03", "tags": ["a", "b"] });
        assert_eq!(books, json!({ "books": [cosmos] }));
        let found = client.json("find", json!({ "text": "dune" })).await;
        let all = json!([{ "__typename": "Book", "title": "Dune", "author": { "name": "Ann" } }, { "__typename": "Person", "name": "Ann" }]);
        assert_eq!(found["find"], all);
        let body = library.last().json();
        assert_eq!((&body["operationName"], &body["variables"]), (&json!("Find"), &json!({ "words": "dune!" })));
        let added = client.json("add", json!({ "book": { "title": "New", "genre": "HISTORY" } })).await;
        assert_eq!(added, json!({ "addBook": { "title": "New" } }));
        assert_eq!(client.text("titles", json!({})).await, "Dune, Cosmos");
    })
    .await;
}

#[tokio::test]
async fn arguments_are_checked_before_anything_is_sent() {
    let library = library::start().await;
    let client = spec(&library.url("/")).stdio(Era::Legacy).await;
    let before = library.asked().len();
    for (tool, arguments, words) in [
        ("book", json!({}), "`id`"),
        ("book", json!({ "id": 1 }), "`id`"),
        ("books", json!({ "first": 3_000_000_000_i64 }), "`first`"),
        ("books", json!({ "filter": { "genre": "POETRY" } }), "genre"),
        ("books", json!({ "filter": { "titel": "x" } }), "titel"),
        ("add", json!({ "book": { "title": "x" } }), "genre"),
    ] {
        let said = client.fails(tool, arguments).await;
        assert!(said.contains(words), "{tool}: {said}");
    }
    assert_eq!(library.asked().len(), before);
}

#[tokio::test]
async fn errors_are_told_with_path_code_and_what_came() {
    let library = library::start().await;
    everywhere(&spec(&library.url("/")), async |client: &mut Client| {
        let answer = client.call("fails", json!({ "why": "the shelf\n is empty" })).await;
        assert_eq!(answer["isError"], true);
        assert_eq!(text_of(&answer), "query: resolver error: the shelf is empty (at fails)");
        let beside = r#"what came beside that: {"fails":null,"book":{"title":"Dune"}}"#;
        assert_eq!(answer["content"][1]["text"], beside);
        assert!(answer.get("structuredContent").is_none(), "{answer}");
    })
    .await;
}

/// A tool of an API that gives this answer; its schema is in a file.
async fn one(reply: impl Fn() -> Reply + Send + Sync + 'static) -> (Upstream, Spec) {
    let upstream = Upstream::start(move |_| reply()).await;
    let text = "sources: { api: { graphql: URL, schema: ./library.graphql, query: { key: '${KEY}' } } }\ntools:\n  \
                long: { graphql: { source: api, query: 'query Long { long(bytes: 1) book(id: 1) { title } }', maxBytes: 1KiB } }\n";
    let spec = Spec::new(&text.replace("URL", &upstream.url("/graphql"))).file("library.graphql", library::SDL);
    (upstream, spec.env("KEY", "very-secret"))
}

#[tokio::test]
async fn every_kind_of_answer_has_its_words() {
    let error = |n: usize| json!({ "message": format!("wrong {n}"), "path": ["book", n, "title"], "extensions": { "code": "BAD" } });
    let many: Vec<Value> = (0..12).map(error).collect();
    for (reply, words) in [
        (Reply::json(&json!({ "errors": [error(1)] })), "query Long: wrong 1 (at book.1.title, code BAD)"),
        (
            Reply::new(400, "application/graphql-response+json", json!({ "errors": [error(1)] }).to_string()),
            "query Long: wrong 1 (at book.1.title, code BAD)",
        ),
        (
            Reply::json(&json!({ "data": null, "errors": [{ "message": "very-secret", "type": "NOT_FOUND" }] })),
            "query Long: *** (code NOT_FOUND)",
        ),
        (Reply::json(&json!({ "errors": [{}] })), "query Long: an error without words"),
        (Reply::json(&json!({ "data": null })), "query Long: the API gave neither data nor errors"),
        (Reply::json(&json!([1])), "query Long: the answer is none of GraphQL"),
        (Reply::new(200, "text/html", "<h1>Hello</h1>"), "query Long: the answer is not JSON (line 1)"),
        (
            Reply::new(502, "text/html", "<h1>Bad very-secret</h1>"),
            "query Long answered 502 Bad Gateway: <h1>Bad ***</h1>",
        ),
        (
            Reply::new(401, "application/json", r#"{"message":"who are you"}"#),
            "query Long answered 401 Unauthorized: {\"message\":\"who are you\"}",
        ),
    ] {
        let reply = std::sync::Mutex::new(Some(reply));
        let (_upstream, spec) = one(move || reply.lock().unwrap().take().unwrap()).await;
        let said = spec.run("call", &["long"]).await;
        assert_eq!(said.code, 1, "{said:?}");
        assert!(said.err.contains(words), "{words}: {said:?}");
    }
    let (_upstream, spec) = one(move || Reply::json(&json!({ "errors": many }))).await;
    let said = spec.run("call", &["long"]).await.err;
    assert!(said.contains("query Long: 12 errors:\n- wrong 0 (at") && said.contains("\nand 2 more"), "{said}");
}

#[tokio::test]
async fn a_query_is_tried_again_and_a_mutation_is_not() {
    let text = "sources: { api: { graphql: URL, schema: ./library.graphql, retry: { attempts: 3, delay: 1ms } } }\ntools:\n  \
                ask: { graphql: { source: api, query: '{ book(id: 1) { title } }' } }\n  \
                add: { graphql: { source: api, query: 'mutation { addBook(book: { title: \"x\", genre: FICTION }) { title } }' } }\n";
    let upstream = Upstream::start(|_| Reply::new(503, "text/plain", "busy")).await;
    let spec = Spec::new(&text.replace("URL", &upstream.url("/"))).file("library.graphql", library::SDL);
    let client = spec.stdio(Era::Modern).await;
    assert!(client.fails("ask", json!({})).await.contains("503"));
    assert_eq!(upstream.asked().len(), 3);
    assert!(client.fails("add", json!({})).await.contains("503"));
    assert_eq!(upstream.asked().len(), 4);
}

#[tokio::test]
async fn resources_prompts_completions_and_steps_ask_too() {
    let library = library::start().await;
    let text = r#"
        sources: { library: { graphql: LIBRARY } }
        tools:
          pair:
            params: { one: string, other: string }
            steps:
              - graphql: { source: library, query: 'query ($id: ID!) { book(id: $id) { title } }', variables: { id: '{{one}}' } }
                as: first
              - graphql: { source: library, query: 'query ($other: ID!) { book(id: $other) { title } }' }
                as: second
            result: { text: '{{first.book.title}} and {{second.book.title}}' }
        resources:
          book://{id}:
            graphql: { source: library, query: 'query ($id: ID!) { book(id: $id) { title } }' }
            complete:
              id:
                graphql: { source: library, query: '{ books { id } }' }
                result: { jq: '[.books[].id]' }
        prompts:
          review:
            arguments: { id: { required: true } }
            data:
              it: { graphql: { source: library, query: 'query ($id: ID!) { book(id: $id) { title } }' } }
            template: 'Review {{it.book.title}}'
    "#;
    let spec = Spec::new(&text.replace("LIBRARY", &library.url("/")));
    everywhere(&spec, async |client: &mut Client| {
        assert_eq!(client.text("pair", json!({ "one": "1", "other": "2" })).await, "Dune and Cosmos");
        let read = client.read("book://2").await;
        assert_eq!(
            (read["text"].as_str(), read["mimeType"].as_str()),
            (Some(r#"{"book":{"title":"Cosmos"}}"#), Some("application/json"))
        );
        assert_eq!(client.complete("book://{id}", "id", "").await["values"], json!(["1", "2"]));
        let messages = client.prompt("review", json!({ "id": "1" })).await;
        assert_eq!(messages[0]["content"]["text"], "Review Dune");
    })
    .await;
}

#[tokio::test]
async fn explain_shows_document_and_variables_and_no_secret() {
    let library = library::start().await;
    let text = TOOLS.replace("LIBRARY", &library.url("/graphql")).replace(
        "params: { text: { type: string, minLength: 1 } }",
        "params: { text: { type: string, secret: true } }",
    );
    let spec = Spec::new(&text).env("TOKEN", "token-1234").file("queries/find.graphql", FIND);
    let before = library.asked().len();
    let shown = spec.run("call", &["find", "--explain", "text=hush"]).await;
    let asked: Vec<_> = library.asked().split_off(before);
    assert!(asked.iter().all(|asked| asked.text().contains("IntrospectionQuery")), "nothing else was asked");
    let expected = format!(
        "POST {}\nauthorization: Bearer ***\naccept: application/graphql-response+json, application/json;q=0.9\ncontent-type: application/json\n\n{}\n\n$words = \"***!\"\n",
        library.url("/graphql"),
        FIND.trim_end(),
    );
    assert_eq!((shown.out, shown.code), (expected, 0), "{}", shown.err);
}

#[tokio::test]
async fn a_recording_has_the_schema_once_however_many_tests_there_are() {
    let library = library::start().await;
    let test = "{ call: titles, jq: '.titles | length > 0' }";
    let text = format!("{TOOLS}    tests: {{ one: {test}, two: {test}, three: {test} }}\n");
    let url = library.url("/graphql");
    let spec = Spec::new(&text.replace("LIBRARY", &url)).env("TOKEN", "token-1234").file("queries/find.graphql", FIND);
    let run = spec.run("test", &["--record"]).await;
    assert_eq!((run.code, run.err.as_str()), (0, "recorded 4 answers\n"), "{}", run.out);
    let asked = library.asked().len();
    assert_eq!(asked, 4, "for the schema once, and for each test");
    let run = spec.env("TOKEN", "another").run("test", &[]).await;
    assert_eq!(run.code, 0, "{run:?}");
    assert_eq!(library.asked().len(), asked);
}
