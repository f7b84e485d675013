//! Callers and APIs that mean harm.

use serde_json::{Value, json};

use super::library;
use crate::harness::{Era, Reply, Spec, Upstream};

#[tokio::test]
async fn values_never_become_a_part_of_the_document() {
    let library = library::start().await;
    let document = "query Find($words: String!) { find(words: $words) { __typename } }";
    let text = format!(
        "sources: {{ api: {{ graphql: {} }} }}\ntools:\n  find: {{ graphql: {{ source: api, query: '{document}' }} }}\n",
        library.url("/"),
    );
    let client = Spec::new(&text).stdio(Era::Legacy).await;
    for words in [
        "\") { __typename } } mutation { addBook(book: { title: \"x\", genre: FICTION }) { title } } query { find(words: \"",
        "$words",
        "{{words}}",
        "${TOKEN}",
        "\u{0}\"\\\n}",
        "\"\"\"",
    ] {
        client.json("find", json!({ "words": words })).await;
        let body = library.last().json();
        assert_eq!(body, json!({ "query": document, "variables": { "words": words }, "operationName": "Find" }));
    }
}

/// What `check` says of an API whose introspection is this.
async fn told(introspection: impl Fn() -> Reply + Send + Sync + 'static) -> (i32, String) {
    let upstream = Upstream::start(move |_| introspection()).await;
    let text = format!(
        "sources: {{ api: {{ graphql: {} }} }}\ntools:\n  a: {{ graphql: {{ source: api, query: 'query ($f: A) {{ a(f: $f) }}' }} }}\n",
        upstream.url("/"),
    );
    let output = Spec::new(&text).run("check", &[]).await;
    (output.code, output.out + &output.err)
}

fn introspection(types: Vec<Value>) -> String {
    let schema = json!({ "queryType": { "name": "Query" }, "types": types, "directives": [] });
    json!({ "data": { "__schema": schema } }).to_string()
}

fn named(kind: &str, name: &str) -> Value {
    json!({ "kind": kind, "name": name, "ofType": null })
}

/// A `Query` whose `a` takes an input object `A`.
fn query() -> Value {
    let f = json!({ "name": "f", "type": named("INPUT_OBJECT", "A"), "defaultValue": null });
    let a = json!({ "name": "a", "args": [f], "type": named("SCALAR", "Int") });
    json!({ "kind": "OBJECT", "name": "Query", "fields": [a], "interfaces": [] })
}

fn input(name: &str, field: &str, of: Value) -> Value {
    let field = json!({ "name": field, "type": of, "defaultValue": null });
    json!({ "kind": "INPUT_OBJECT", "name": name, "inputFields": [field] })
}

#[tokio::test]
async fn hostile_introspection_ends_in_words() {
    let required = |name: &str| json!({ "kind": "NON_NULL", "name": null, "ofType": named("INPUT_OBJECT", name) });
    let names: Vec<Value> = (0..100_000).map(|n| named("SCALAR", &format!("S{n}"))).collect();
    for (types, words) in [
        (vec![query(), input("A", "b", named("INPUT_OBJECT", "B")), input("B", "a", named("INPUT_OBJECT", "A"))], ""),
        (vec![query(), input("A", "b", required("B")), input("B", "a", required("A"))], "cannot reference itself"),
        (vec![query(), input("A", "b } type Evil { c", named("SCALAR", "Int"))], "a name in it is no GraphQL name"),
        (vec![query(), input("A", "b", named("INPUT_OBJECT", "Gone"))], "cannot find type `Gone`"),
        (names, "it has 100000 types, more than 20000"),
        (Vec::new(), "the API tells no schema"),
    ] {
        let answer = introspection(types);
        let (code, said) = told(move || Reply::new(200, "application/json", answer.clone())).await;
        match words {
            "" => assert_eq!(code, 0, "{said}"),
            _ => assert!(code == 1 && said.contains(words), "{words}: {said}"),
        }
    }
}

#[tokio::test]
async fn an_introspection_that_is_too_large_or_too_deep_ends_in_words() {
    let (code, said) = told(|| Reply::new(200, "application/json", vec![b' '; 17 << 20])).await;
    assert!(code == 1 && said.contains("larger than 16777216 bytes"), "{said}");
    let deep = format!("{{\"data\":{}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let (code, said) = told(move || Reply::new(200, "application/json", deep.clone())).await;
    assert!(code == 1 && said.contains("is not JSON"), "{said}");
}

#[tokio::test]
async fn a_long_answer_is_cut_and_a_huge_one_refused() {
    let (_upstream, spec) =
        super::one(|| Reply::json(&json!({ "data": { "long": "x".repeat(5000), "book": null } }))).await;
    let client = spec.stdio(Era::Legacy).await;
    let answer = client.call("long", json!({})).await;
    assert_eq!(answer["isError"], false, "{answer}");
    let long = answer["structuredContent"]["long"].as_str().unwrap();
    assert!(long.len() <= 1024 && long.ends_with('…'), "{long}");
    assert!(answer.to_string().contains("cut to 1024 of 5023 bytes (maxBytes)"), "{answer}");

    let (_upstream, spec) = super::one(|| Reply::new(200, "application/json", vec![b' '; 17 << 20])).await;
    let client = spec.stdio(Era::Legacy).await;
    let said = client.fails("long", json!({})).await;
    assert_eq!(said, "query Long: the answer is larger than 16777216 bytes; ask for less");

    let (_upstream, spec) =
        super::one(|| Reply::new(200, "application/json", format!("{{\"data\":{}", "[".repeat(100_000)))).await;
    let client = spec.stdio(Era::Legacy).await;
    let said = client.fails("long", json!({})).await;
    assert!(said.starts_with("query Long: the answer is not JSON"), "{said}");
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect() {
    let thief = Upstream::ok().await;
    let elsewhere = thief.url("/graphql");
    let upstream = Upstream::start(move |_| Reply::new(307, "text/plain", "").header("location", &elsewhere)).await;
    let text = "sources: { api: { graphql: URL, schema: ./s.graphql, auth: { bearer: '${KEY}' } } }\ntools:\n  \
                a: { graphql: { source: api, query: '{ fails }' } }\n";
    let spec = Spec::new(&text.replace("URL", &upstream.url("/"))).file("s.graphql", library::SDL).env("KEY", "abcdef");
    let client = spec.stdio(Era::Legacy).await;
    let said = client.fails("a", json!({})).await;
    assert!(said.contains("which the source's `redirects` does not list"), "{said}");
    assert!(thief.asked().is_empty());
}

#[tokio::test]
async fn fragments_that_multiply_have_no_output_schema_and_no_end_of_time() {
    let mut text = String::from("query { node(id: 1) { ...F0 } } ");
    for n in 0..30 {
        text.push_str(&format!(
            "fragment F{n} on Person {{ books {{ author {{ ...F{} }} a: author {{ ...F{} }} }} }} ",
            n + 1,
            n + 1
        ));
    }
    text.push_str("fragment F30 on Person { name }");
    let spec = Spec::new(
        "sources: { api: { graphql: 'http://127.0.0.1:9/', schema: ./s.graphql } }\ntools:\n  a: { graphql: { source: api, file: ./q.graphql } }\n",
    );
    let spec = spec.file("s.graphql", library::SDL).file("q.graphql", text);
    let listed = spec.run("list", &["--json"]).await;
    assert_eq!(listed.code, 0, "{listed:?}");
    let listed: Value = serde_json::from_str(&listed.out).unwrap();
    assert!(listed["tools"][0].get("outputSchema").is_none());
}
