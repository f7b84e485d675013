//! What becomes of an API's answers.

use serde_json::{Value, json};

use crate::harness::{Asked, Client, Era, Reply, Spec, Upstream};

/// Answers in every kind.
fn kinds(asked: &Asked) -> Reply {
    match asked.path() {
        "/json" => Reply::new(
            200,
            "application/vnd.api+json",
            r#"{"id":9007199254740993,"price":19.90,"big":123456789012345678901234}"#,
        ),
        "/ndjson" => Reply::new(200, "application/x-ndjson", "{\"a\":1}\n{\"a\":2}\n"),
        "/csv" => Reply::new(200, "text/csv; charset=utf-8", "id,name\n1,Dune\n2,\"So, what\"\n"),
        "/xml" => Reply::new(200, "application/rss+xml", "<rss v='2'><item>a</item><item>b</item></rss>"),
        "/latin" => Reply::new(200, "text/plain; charset=iso-8859-1", b"caf\xe9".to_vec()),
        "/html" => Reply::new(200, "text/html", "<h1>Hi</h1><script>no()</script><p>a <a href='/b'>b</a>"),
        "/png" => Reply::new(200, "image/png", b"\x89PNG".to_vec()),
        "/wav" => Reply::new(200, "audio/wav", b"RIFF".to_vec()),
        "/pdf" => Reply::new(200, "application/pdf", b"%PDF-\xff".to_vec()),
        "/wrong" => Reply::new(200, "application/json", "<html>"),
        "/none" => Reply::new(204, "text/plain", ""),
        "/items" => {
            let items: Vec<Value> = (0..500).map(|id| json!({ "id": id, "name": format!("item {id}") })).collect();
            Reply::json(&json!({ "items": items, "total": 500 }))
        }
        "/problem" => Reply::new(422, "application/problem+json", r#"{"title":"no such book","code":7}"#),
        "/busy" => Reply::new(503, "text/plain", "later").header("retry-after", "30"),
        _ => Reply::nothing(),
    }
}

async fn client(tools: &str, era: Era) -> (Client, Upstream) {
    let upstream = Upstream::start(kinds).await;
    let tools: String = crate::harness::dedent(tools).lines().map(|line| format!("  {line}\n")).collect();
    let spec = Spec::new(&format!("sources:\n  api: {{ http: '{}' }}\ntools:\n{tools}", upstream.url("")));
    (spec.stdio(era).await, upstream)
}

#[tokio::test]
async fn the_media_type_says_what_an_answer_is() {
    let tools = "
        get: { params: { path: string }, http: { source: api, request: 'GET /{path}' } }
        ";
    let (client, _api) = client(tools, Era::Modern).await;
    let get = async |path: &str| client.call("get", json!({ "path": path })).await;
    for (path, value) in [
        ("json", json!({ "id": 9007199254740993_i64, "price": 19.9, "big": "123456789012345678901234" })),
        ("ndjson", json!([{ "a": 1 }, { "a": 2 }])),
        ("csv", json!([{ "id": "1", "name": "Dune" }, { "id": "2", "name": "So, what" }])),
        ("xml", json!({ "rss": { "@v": "2", "item": ["a", "b"] } })),
    ] {
        let answer = get(path).await;
        assert_eq!(answer["structuredContent"], value, "{path}");
        assert_eq!(answer["content"], json!([{ "type": "text", "text": value.to_string() }]), "{path}");
    }
    for (path, text) in [
        ("latin", "café"),
        ("wrong", "<html>"),
        ("none", ""),
        ("html", "<h1>Hi</h1><script>no()</script><p>a <a href='/b'>b</a>"),
    ] {
        let answer = get(path).await;
        assert_eq!(
            (&answer["content"], &answer["structuredContent"]),
            (&json!([{ "type": "text", "text": text }]), &Value::Null)
        );
    }
    assert_eq!(get("png").await["content"], json!([{ "type": "image", "data": "iVBORw==", "mimeType": "image/png" }]));
    assert_eq!(get("wav").await["content"], json!([{ "type": "audio", "data": "UklGRg==", "mimeType": "audio/wav" }]));
    let pdf = &get("pdf").await["content"][0];
    assert_eq!((&pdf["type"], &pdf["resource"]["mimeType"]), (&json!("resource"), &json!("application/pdf")));
    assert_eq!(pdf["resource"]["blob"], "JVBERi3/");
}

#[tokio::test]
async fn as_overrules_the_media_type() {
    let tools = "
        page: { http: { source: api, request: GET /html }, result: { as: markdown } }
        raw: { http: { source: api, request: GET /csv }, result: { as: text } }
        lines: { http: { source: api, request: GET /ndjson }, result: { as: lines } }
        pairs: { http: { source: api, request: GET /csv }, result: { as: { columns: '^(?<n>[0-9]+),(?<rest>.*)' }, jq: 'map(.n)' } }
        picture: { http: { source: api, request: GET /png }, result: { as: image } }
        no_picture: { http: { source: api, request: GET /csv }, result: { as: image } }
        told: { http: { source: api, request: GET /xml }, result: { jq: '{items: .rss.item}', text: '{{#each items}}[{{this}}]{{/each}}' } }
        ";
    let (client, _api) = client(tools, Era::Legacy).await;
    assert_eq!(client.text("page", json!({})).await, "# Hi\n\na [b](/b)");
    assert_eq!(client.text("raw", json!({})).await, "id,name\n1,Dune\n2,\"So, what\"\n");
    assert_eq!(client.text("lines", json!({})).await, r#"["{\"a\":1}","{\"a\":2}"]"#);
    assert_eq!(client.text("pairs", json!({})).await, r#"["1","2"]"#);
    assert_eq!(client.call("picture", json!({})).await["content"][0]["type"], "image");
    assert_eq!(client.fails("no_picture", json!({})).await, "the answer is no image of a known kind");
    let told = client.call("told", json!({})).await;
    assert_eq!(
        (&told["content"][0]["text"], &told["structuredContent"]),
        (&json!("[a][b]"), &json!({ "items": ["a", "b"] }))
    );
}

const CUT: &str = "
    items:
      http: { source: api, request: GET /items, maxBytes: 500 }
      outputSchema:
        type: object
        properties: { items: { type: array, items: { type: object, required: [id, name] } }, total: { type: integer } }
        required: [items, total]
    strict:
      http: { source: api, request: GET /items, maxBytes: 500 }
      outputSchema: { type: object, properties: { items: { type: array, minItems: 400 } } }
    image: { http: { source: api, request: GET /png, maxBytes: 3 } }
    ";

/// An answer that is too long keeps its shape, says so, and links to the whole.
#[tokio::test]
async fn long_answers_are_cut_and_kept() {
    for era in [Era::Legacy, Era::Modern] {
        let (client, _api) = client(CUT, era).await;
        let answer = client.call("items", json!({})).await;
        let cut = &answer["structuredContent"];
        assert_eq!(cut["total"], 500);
        let left = cut["items"].as_array().unwrap().len();
        assert!((5..50).contains(&left) && cut.to_string().len() <= 500, "{left}");
        let words = answer["content"][1]["text"].as_str().unwrap();
        assert!(words.starts_with("[cut to 500 of ") && words.ends_with(" bytes (maxBytes)]"), "{words}");
        let link = &answer["content"][2];
        assert_eq!((&link["type"], &link["mimeType"]), (&json!("resource_link"), &json!("application/json")));
        let uri = link["uri"].as_str().unwrap();
        let whole = client.read(uri).await;
        let value: Value = serde_json::from_str(whole["text"].as_str().unwrap()).unwrap();
        assert_eq!(value["items"].as_array().unwrap().len(), 500);
        assert_eq!(link["size"], whole["text"].as_str().unwrap().len());
        assert!(client.list("resources").await.is_empty(), "nobody else finds it");
        let last = if uri.ends_with('0') { '1' } else { '0' };
        client.refused("resources/read", json!({ "uri": format!("{}{last}", &uri[..uri.len() - 1]) })).await;
        client.refused("resources/read", json!({ "uri": "answer://" })).await;
    }
}

#[tokio::test]
async fn what_would_break_the_output_schema_is_an_error_with_a_link() {
    let (client, _api) = client(CUT, Era::Modern).await;
    let answer = client.call("strict", json!({})).await;
    assert_eq!((&answer["isError"], &answer["structuredContent"]), (&json!(true), &Value::Null));
    let words = answer["content"][0]["text"].as_str().unwrap();
    assert!(words.ends_with("what is left is not what this tool's output schema promises"), "{words}");
    assert_eq!(answer["content"][1]["type"], "resource_link");
    let image = client.call("image", json!({})).await;
    assert_eq!(image["content"][0]["text"], "[4 bytes of image/png, more than 3 (maxBytes)]");
    assert_eq!(client.read(image["content"][1]["uri"].as_str().unwrap()).await["blob"], "iVBORw==");
}

#[tokio::test]
async fn failures_are_errors_in_the_words_of_the_spec() {
    let tools = "
        plain: { params: { path: string }, http: { source: api, request: 'GET /{path}' } }
        told:
          params: { path: string }
          http:
            source: api
            request: GET /{path}
            errors:
              404: 'There is nothing at {{path}}.'
              4xx: '{{status}}: {{body.title}} (code {{body.code}})'
              default: 'Try again in {{headers.retry-after}} seconds.'
        ";
    let (client, _api) = client(tools, Era::Legacy).await;
    let plain = async |path: &str| client.fails("plain", json!({ "path": path })).await;
    assert_eq!(plain("nowhere").await, "GET /nowhere answered 404 Not Found");
    assert_eq!(plain("busy").await, "GET /busy answered 503 Service Unavailable: later");
    assert_eq!(
        plain("problem").await,
        r#"GET /problem answered 422 Unprocessable Entity: {"title":"no such book","code":7}"#
    );
    let told = async |path: &str| client.fails("told", json!({ "path": path })).await;
    assert_eq!(told("nowhere").await, "There is nothing at nowhere.");
    assert_eq!(told("problem").await, "422: no such book (code 7)");
    assert_eq!(told("busy").await, "Try again in 30 seconds.");
}
