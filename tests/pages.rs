//! Pages of an API, joined into one answer.

use serde_json::{Value, json};

use crate::harness::{Asked, Client, Era, Process, Reply, Spec, Upstream, modern};

/// Seven books in pages of three, in whichever way is asked for.
fn books(asked: &Asked) -> Reply {
    let host = asked.header("host");
    let param = |name: &str| asked.param(name).and_then(|text| text.parse::<usize>().ok());
    let books = |from: usize| (from..from + 3).filter(|n| *n < 7).map(|n| json!({ "id": n })).collect::<Vec<_>>();
    match asked.path() {
        "/v1/linked" => {
            let page = param("page").unwrap_or(1);
            let reply = Reply::json(&json!(books((page - 1) * 3)));
            match page {
                3 => reply.header("link", "</v1/linked?page=1>; rel=\"first\""),
                _ => reply.header(
                    "link",
                    format!("<http://{host}/v1/linked?page={}>; rel=\"next\", </v1/linked?page=3>; rel=last", page + 1),
                ),
            }
        }
        "/v1/next" => {
            let from = param("from").unwrap_or(0);
            let next = if from < 6 { json!(format!("/v1/next?from={}", from + 3)) } else { Value::Null };
            Reply::json(&json!({ "data": { "books": books(from) }, "links": { "next": next } }))
        }
        "/v1/cursor" => {
            let from = asked.param("after").map_or(0, |cursor| cursor.trim_start_matches("c=").parse().unwrap());
            let next = if from < 6 { format!("c={}", from + 3) } else { String::new() };
            Reply::json(&json!({ "books": books(from), "cursor": next }))
        }
        "/v1/paged" => Reply::json(&json!(books((param("page").unwrap() - 1) * 3))),
        "/v1/offset" => Reply::json(&json!({ "books": books(param("skip").unwrap_or(0)) })),
        "/v1/stuck" => Reply::json(&json!(books(0))),
        "/v1/circle" => Reply::json(
            &json!({ "books": books(0), "next": format!("/v1/circle?p={}", 1 - param("p").unwrap_or(1).min(1)) }),
        ),
        "/v1/away" => Reply::json(&json!({ "books": books(0), "next": asked.param("to").unwrap() })),
        "/v1/breaks" if param("from").is_some() => Reply::new(500, "text/plain", "oops"),
        "/v1/breaks" => Reply::json(&json!({ "books": books(0), "next": "/v1/breaks?from=3" })),
        "/v1/object" => Reply::json(&json!({ "books": books(0) })),
        _ => Reply::nothing(),
    }
}

async fn spec(tools: &str) -> (Spec, Upstream) {
    let upstream = Upstream::start(books).await;
    let tools: String = crate::harness::dedent(tools).lines().map(|line| format!("  {line}\n")).collect();
    let source =
        format!("api: {{ http: '{}/v1', auth: {{ apiKey: {{ query: key, value: '${{KEY}}' }} }} }}", upstream.url(""));
    (Spec::new(&format!("sources:\n  {source}\ntools:\n{tools}")).env("KEY", "k/1"), upstream)
}

async fn client(tools: &str) -> (Client, Upstream) {
    let (spec, upstream) = spec(tools).await;
    (spec.stdio(Era::Modern).await, upstream)
}

fn ids(answer: &Value) -> Vec<i64> {
    assert_eq!(answer["isError"], false, "{answer}");
    answer["structuredContent"].as_array().unwrap().iter().map(|book| book["id"].as_i64().unwrap()).collect()
}

/// What the answer says of its end.
fn note(answer: &Value) -> &str {
    answer["content"][1]["text"].as_str().unwrap_or("")
}

const ALL: [i64; 7] = [0, 1, 2, 3, 4, 5, 6];

#[tokio::test]
async fn every_way_gives_all_items() {
    let tools = "
        linked: { http: { source: api, request: GET /linked, paginate: { link: true } } }
        next: { http: { source: api, request: GET /next, paginate: { next: .links.next, items: .data.books } } }
        cursor: { http: { source: api, request: 'GET /cursor?size=3', paginate: { cursor: { from: .cursor, param: after }, items: '.books[]' } } }
        paged: { http: { source: api, request: GET /paged, paginate: { page: { param: page } } } }
        offset: { http: { source: api, request: GET /offset, paginate: { offset: { param: skip, step: 3 }, items: .books } } }
        strides: { http: { source: api, request: GET /offset, paginate: { offset: { param: skip }, items: .books } } }
        ";
    let (client, api) = client(tools).await;
    let mut asked = 0;
    for (tool, requests) in [
        ("linked", vec!["/v1/linked?key=k%2F1", "/v1/linked?page=2&key=k%2F1", "/v1/linked?page=3&key=k%2F1"]),
        ("next", vec!["/v1/next?key=k%2F1", "/v1/next?from=3&key=k%2F1", "/v1/next?from=6&key=k%2F1"]),
        (
            "cursor",
            vec![
                "/v1/cursor?size=3&key=k%2F1",
                "/v1/cursor?size=3&key=k%2F1&after=c%3D3",
                "/v1/cursor?size=3&key=k%2F1&after=c%3D6",
            ],
        ),
        (
            "paged",
            vec![
                "/v1/paged?key=k%2F1&page=1",
                "/v1/paged?key=k%2F1&page=2",
                "/v1/paged?key=k%2F1&page=3",
                "/v1/paged?key=k%2F1&page=4",
            ],
        ),
        ("offset", vec!["/v1/offset?key=k%2F1&skip=0", "/v1/offset?key=k%2F1&skip=3", "/v1/offset?key=k%2F1&skip=6"]),
        (
            "strides",
            vec![
                "/v1/offset?key=k%2F1&skip=0",
                "/v1/offset?key=k%2F1&skip=3",
                "/v1/offset?key=k%2F1&skip=6",
                "/v1/offset?key=k%2F1&skip=7",
            ],
        ),
    ] {
        let answer = client.call(tool, json!({})).await;
        assert_eq!(ids(&answer), ALL, "{tool}");
        assert_eq!(note(&answer), "", "{tool}");
        assert_eq!(api.targets()[asked..], requests, "{tool}");
        asked += requests.len();
    }
}

#[tokio::test]
async fn bounds_are_said() {
    let tools = "
        pages: { http: { source: api, request: GET /linked, paginate: { link: true, maxPages: 2 } } }
        items: { http: { source: api, request: GET /linked, paginate: { link: true, maxItems: 4 } } }
        bytes: { http: { source: api, request: GET /linked, maxBytes: 45, paginate: { link: true } } }
        exact: { http: { source: api, request: GET /linked, paginate: { link: true, maxPages: 3, maxItems: 7 } } }
        stuck: { http: { source: api, request: GET /stuck, paginate: { page: { param: p, start: 0 } } } }
        circle: { http: { source: api, request: GET /circle, paginate: { next: .next, items: .books } } }
        shaped: { http: { source: api, request: GET /linked, paginate: { link: true, maxPages: 1 } }, result: { jq: '{books: .}' } }
        ";
    let (client, api) = client(tools).await;
    for (tool, count, words) in [
        ("pages", 6, "[6 items, and then cut: after 2 pages (maxPages)]"),
        ("items", 4, "[4 items, and then cut: after 4 items (maxItems)]"),
        ("bytes", 4, "[4 items, and then cut: after 45 bytes (maxBytes)]"),
        ("exact", 7, ""),
        ("stuck", 3, "[3 items, and then cut: page 2 is the one before it again]"),
        ("circle", 9, "[9 items, and then cut: page 3 leads back to one that was there already]"),
    ] {
        let answer = client.call(tool, json!({})).await;
        assert_eq!((ids(&answer).len(), note(&answer)), (count, words), "{tool}");
    }
    let shaped = client.call("shaped", json!({})).await;
    assert_eq!(shaped["structuredContent"]["books"].as_array().unwrap().len(), 3);
    assert_eq!(note(&shaped), "[3 items, and then cut: after 1 page (maxPages)]");
    assert!(api.targets().iter().filter(|target| target.contains("circle")).count() <= 3);
}

/// Where an API says that its next page is elsewhere, nothing is sent there.
#[tokio::test]
async fn next_pages_stay_where_the_source_is() {
    let tools = "
        away: { params: { to: string }, http: { source: api, request: 'GET /away{?to}', paginate: { next: .next, items: .books } } }
        ";
    let elsewhere = Upstream::start(|_| Reply::json(&json!({ "books": [] }))).await;
    let (client, api) = client(tools).await;
    let outside = "the next page is said to be outside of the API's own address";
    let port = api.port;
    for (to, words) in [
        (elsewhere.url("").as_str(), outside),
        (&format!("{}/v1/next", elsewhere.url("")), outside),
        (&format!("//{}/v1", elsewhere.url("").trim_start_matches("http://")), outside),
        ("/v2/next", outside),
        ("../v2", outside),
        ("/v1/../v2", outside),
        ("/v1/%2e%2e/v2", outside),
        ("/v1/..%2fv2", "the next page has an address that leads out of its path"),
        ("/v1/a%5c..%5cb", "the next page has an address that leads out of its path"),
        (&format!("http://me:pw@127.0.0.1:{port}/v1/next"), outside),
        (&format!("https://127.0.0.1:{port}/v1/next"), outside),
        (&format!("http://localhost:{port}/v1/next"), outside),
        ("file:///etc/passwd", outside),
        ("http://[", "the next page has an address that is no URL"),
    ] {
        assert_eq!(client.fails("away", json!({ "to": to })).await, words, "{to}");
    }
    assert!(elsewhere.asked().is_empty());
    assert!(api.asked().iter().all(|asked| asked.path() == "/v1/away"));
}

#[tokio::test]
async fn what_fails_later_fails_the_call() {
    let tools = "
        breaks: { http: { source: api, request: GET /breaks, paginate: { next: .next, items: .books } } }
        object: { http: { source: api, request: GET /object, paginate: { link: true } } }
        lost: { http: { source: api, request: GET /object, paginate: { next: .books, items: .books } } }
        program: { http: { source: api, request: GET /object, paginate: { link: true, items: '.books.x' } } }
        ";
    let (client, _api) = client(tools).await;
    let fails = async |tool: &str| client.fails(tool, json!({})).await;
    assert_eq!(fails("breaks").await, "GET /v1/breaks answered 500 Internal Server Error: oops".replace("/v1", ""));
    assert_eq!(
        fails("object").await,
        "GET /object: a page is no list, and `paginate` does not say where its items are (`items`)"
    );
    assert_eq!(fails("lost").await, "the next page can't be found: what leads to it is no text or number");
    assert!(fails("program").await.starts_with("GET /object: a page is not of the expected shape: "));
}

#[tokio::test]
async fn progress_is_told_while_it_runs() {
    let (spec, _api) = spec("linked: { http: { source: api, request: GET /linked, paginate: { link: true } } }").await;
    let mut process = Process::serve(&spec, &[]);
    let mut call = modern(1, "tools/call", json!({ "name": "linked", "arguments": {} }));
    call["params"]["_meta"]["progressToken"] = json!("p");
    process.send(&call).await;
    let mut told = Vec::new();
    loop {
        let message = process.next().await.unwrap();
        if message["method"] == "notifications/progress" {
            told.push((message["params"]["progress"].as_f64().unwrap(), message["params"]["message"].clone()));
        } else if message["id"] == 1 {
            break;
        }
    }
    let words = ["3 items from 1 page", "6 items from 2 pages", "7 items from 3 pages"];
    assert_eq!(told, [(1.0, json!(words[0])), (2.0, json!(words[1])), (3.0, json!(words[2]))]);
}
