//! The HTTP recipes of `docs/cookbook.md`, each against an API that answers as the recipe expects.

use serde_json::{Value, json};

use crate::harness::{Asked, Client, Era, Reply, Spec, Upstream};

/// The recipe with this name, as it stands on the page.
fn recipe(name: &str) -> String {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cookbook.md")).unwrap();
    let first = format!("server: {{ name: {name} }}");
    let mut blocks = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next());
    blocks.find(|block| block.starts_with(&first)).unwrap_or_else(|| panic!("no recipe {name}")).to_owned()
}

/// What the recipes' APIs answer.
fn api(asked: &Asked) -> Reply {
    let host = asked.header("host");
    match (asked.method.as_str(), asked.path()) {
        ("GET", "/isbn/0-441-17271-7.json") => Reply::json(
            &json!({ "title": "Dune", "number_of_pages": 412, "publish_date": "1984", "key": "/books/OL1M" }),
        ),
        ("GET", "/v1/forecast") => {
            Reply::json(&json!({ "current": { "time": "2026-01-01T12:00", "temperature_2m": 2.4 } }))
        }
        ("POST", "/tickets") => {
            assert_eq!(asked.json(), json!({ "ticket": { "title": "No light", "priority": 3, "tags": ["lamp"] } }));
            Reply::new(201, "application/json", r#"{"id": 7, "created": true}"#)
        }
        ("GET", "/repos/o/r/releases") if asked.param("page").is_none() => {
            Reply::json(&json!([{ "name": "Two", "tag_name": "v2", "published_at": "2026-01-02" }]))
                .header("link", format!("<http://{host}/repos/o/r/releases?page=2>; rel=\"next\""))
        }
        ("GET", "/repos/o/r/releases") => {
            Reply::json(&json!([{ "name": "One", "tag_name": "v1", "published_at": "2026-01-01" }]))
        }
        ("GET", "/conversations.list") => match asked.param("cursor").as_deref() {
            None => Reply::json(
                &json!({ "channels": [{ "name": "general", "num_members": 4 }], "response_metadata": { "next_cursor": "dGVhbTpD" } }),
            ),
            Some("dGVhbTpD") => Reply::json(
                &json!({ "channels": [{ "name": "random", "num_members": 2 }], "response_metadata": { "next_cursor": "" } }),
            ),
            Some(other) => panic!("no such cursor: {other}"),
        },
        ("GET", "/rfc/rfc6570.html") => {
            Reply::new(200, "text/html; charset=utf-8", "<h1>URI Template</h1><p>A <em>template</em>.</p>")
        }
        ("GET", "/rates.csv") => {
            Reply::new(200, "application/octet-stream", "Date,USD,\n2026-01-02,1.10,\n2026-01-01,1.09,\n")
        }
        ("GET", "/feed.xml") => Reply::new(
            200,
            "application/xml",
            "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title type='html'>One</title><link href='/1'/><updated>2026</updated></entry></feed>",
        ),
        ("GET", "/3/4/2.png") => Reply::new(200, "image/png", b"\x89PNG\r\n\x1a\n".to_vec()),
        ("GET", "/books/8") => Reply::new(429, "application/json", "{}").header("retry-after", "30"),
        ("GET", "/books/9") => Reply::new(500, "application/json", r#"{"detail":"closed today"}"#),
        ("GET", "/books/1") => Reply::json(&json!({ "id": "1", "title": "Dune" })),
        ("GET", "/books") => Reply::json(&json!({ "books": [{ "id": "1", "title": "Dune" }] })),
        ("GET", "/stock/1") => Reply::json(&json!({ "left": 3 })),
        ("GET", "/events") => {
            let events: Vec<Value> = (0..300).map(|n| json!({ "n": n, "what": "something happened" })).collect();
            Reply::json(&json!({ "events": events, "total": 300 }))
        }
        _ => Reply::nothing(),
    }
}

async fn cook(name: &str) -> (Client, Upstream) {
    let upstream = Upstream::start(api).await;
    let spec = Spec::new(&recipe(name)).env("API_URL", &upstream.url(""));
    (spec.stdio(Era::Modern).await, upstream)
}

/// Recipes whose one tool gives JSON.
#[tokio::test]
async fn recipes_that_give_json() {
    for (name, tool, given, value) in [
        (
            "recipe-part",
            "lookup_isbn",
            json!({ "isbn": "0-441-17271-7" }),
            json!({ "title": "Dune", "pages": 412, "published": "1984" }),
        ),
        ("recipe-sentence", "temperature", json!({ "latitude": 52.5, "longitude": 13.4 }), json!({ "degrees": 2.4 })),
        (
            "recipe-link",
            "releases",
            json!({ "owner": "o", "repo": "r" }),
            json!({ "releases": [
            { "name": "Two", "tag": "v2", "date": "2026-01-02" }, { "name": "One", "tag": "v1", "date": "2026-01-01" }] }),
        ),
        (
            "recipe-cursor",
            "channels",
            json!({}),
            json!({ "channels": [{ "name": "general", "members": 4 }, { "name": "random", "members": 2 }] }),
        ),
        (
            "recipe-csv",
            "rates",
            json!({}),
            json!({ "rates": [{ "date": "2026-01-02", "usd": 1.1 }, { "date": "2026-01-01", "usd": 1.09 }] }),
        ),
        ("recipe-feed", "news", json!({}), json!({ "entries": [{ "title": "One", "link": "/1", "updated": "2026" }] })),
        ("recipe-two", "offer", json!({ "id": 1 }), json!({ "title": "Dune", "left": 3 })),
    ] {
        let (client, _api) = cook(name).await;
        assert_eq!(client.json(tool, given).await, value, "{name}");
    }
}

#[tokio::test]
async fn recipes_that_give_something_else() {
    let (client, _api) = cook("recipe-sentence").await;
    assert_eq!(client.text("temperature", json!({ "latitude": 1, "longitude": 2 })).await, "It is 2.4 °C.");
    let (client, _api) = cook("recipe-page").await;
    assert_eq!(client.text("read_rfc", json!({ "number": 6570 })).await, "# URI Template\n\nA *template*.");
    let (client, _api) = cook("recipe-picture").await;
    let tile = client.call("map_tile", json!({ "z": 3, "x": 4, "y": 2 })).await;
    assert_eq!((&tile["content"][0]["type"], &tile["content"][0]["mimeType"]), (&json!("image"), &json!("image/png")));
    let (client, _api) = cook("recipe-errors").await;
    for (id, words) in [
        (7, "There is no book 7. Numbers come from the list of books."),
        (8, "Too fast: wait 30 seconds."),
        (9, "The shop says: closed today"),
    ] {
        assert_eq!(client.fails("book", json!({ "id": id })).await, words);
    }
    let (client, _api) = cook("recipe-big").await;
    let big = client.call("events", json!({})).await;
    assert_eq!((&big["isError"], &big["structuredContent"]["total"]), (&json!(false), &json!(300)));
    assert_eq!(big["content"][2]["type"], "resource_link");
    let (client, _api) = cook("recipe-resource").await;
    assert_eq!(client.list("resources").await[0]["uri"], "books://1");
    assert_eq!(client.read("books://1").await["text"], r#"{"id":"1","title":"Dune"}"#);
    assert_eq!(client.complete("books://{id}", "id", "1").await["values"], json!(["1"]));
}

#[tokio::test]
async fn the_recipe_that_keeps_answers() {
    let (client, api) = cook("recipe-kept").await;
    for _ in 0..2 {
        assert_eq!(client.json("get_stock", json!({ "id": 1 })).await, json!({ "left": 3 }));
    }
    assert_eq!(api.targets(), ["/stock/1"]);
}

/// Each recipe has tests of its own, which the tests of the docs run, or is cooked here.
#[test]
fn every_recipe_is_tested() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/cookbook.md")).unwrap();
    let blocks = page.split("\n```").skip(1).step_by(2).filter_map(|block| block.split_once('\n'));
    let recipes: Vec<&str> =
        blocks.filter(|(fence, _)| ["yaml", "toml"].contains(fence)).map(|(_, text)| text).collect();
    assert!(recipes.len() >= 30, "{} recipes", recipes.len());
    for recipe in recipes {
        let tested = recipe.contains("\ntests:") || recipe.contains("\n[tests.");
        let cooked = recipe.strip_prefix("server: { name: ").and_then(|rest| rest.split(' ').next());
        assert!(
            tested || cooked.is_some_and(|name| include_str!("cookbook.rs").contains(&format!("\"{name}\""))),
            "{recipe}"
        );
    }
}

/// The body of the recipe that posts; `confirm` is left out, as nobody is there to say yes.
#[tokio::test]
async fn the_recipe_that_posts() {
    let upstream = Upstream::start(api).await;
    let text: String =
        recipe("recipe-post").lines().filter(|l| !l.contains("confirm:")).map(|l| format!("{l}\n")).collect();
    let client = Spec::new(&text).env("API_URL", &upstream.url("")).stdio(Era::Modern).await;
    assert_eq!(
        client.json("create_ticket", json!({ "title": "No light", "tags": ["lamp"] })).await,
        json!({ "id": 7 })
    );
}
