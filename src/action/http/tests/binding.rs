//! The ways of values into a request, and the attacks on them.

use super::*;

#[tokio::test]
async fn values_reach_path_and_query_encoded() {
    let server = Server::ok().await;
    let http = on(&server.url("/v1/"), "GET /books/{a}.json{?b,list*}").await;
    assert!(http.read_only());
    http.call(json!({ "a": "a b/ü&?#", "b": "x=y&z", "list": ["1", 2] })).await.unwrap();
    let seen = server.only();
    assert_eq!(seen.target, "/v1/books/a%20b%2F%C3%BC%26%3F%23.json?b=x%3Dy%26z&list=1&list=2");
    assert_eq!(seen.header("accept"), Some("application/json, */*;q=0.5"));
    assert!(seen.header("user-agent").unwrap().starts_with("mcp-declare/"));
    assert!(seen.header("accept-encoding").unwrap().contains("gzip"));
    assert_eq!((seen.header("content-type"), seen.body.as_str()), (None, ""));
}

#[tokio::test]
async fn what_was_not_given_is_left_out() {
    let server = Server::ok().await;
    let action = "      source: s\n      request: POST /x{/a}{?b}\n      headers: { X-A: \"{{a}}\", X-B: \"b{{b}}\" }\n      \
                  query: { c: \"{{b}}\", d: \"-{{b}}\", list: \"{{list}}\" }\n      json: { a: \"{{a}}\", b: [\"{{b}}\", 1], c: null }";
    let http = sound(&format!("sources: {{ s: {{ http: \"{}\" }} }}", server.url("")), action).await;
    http.call(json!({ "a": null, "list": [] })).await.unwrap();
    let seen = server.only();
    assert_eq!(seen.target, "/x?d=-");
    assert_eq!((seen.header("x-a"), seen.header("x-b")), (None, Some("b")));
    assert_eq!(seen.body, "{\"b\":[1],\"c\":null}");
    assert!(!http.read_only());
}

#[tokio::test]
async fn bodies_keep_types_and_never_become_structure() {
    let server = Server::ok().await;
    let action = "      source: s\n      request: PUT /x?fixed=1\n      headers: { X-A: \"<{{a}}>\" }\n      \
                  query: { q: \"{{a}}\", list: \"{{list}}\" }\n      json: { a: \"{{a}}\", l: \"{{list}}\", t: \"is {{b}}\", n: [1.5, true] }";
    let http = sound(&format!("sources: {{ s: {{ http: \"{}\" }} }}", server.url("")), action).await;
    http.call(json!({ "a": "\",\"admin\":true,\"", "b": 7, "list": [1, "ü&x", null] })).await.unwrap();
    let seen = server.only();
    assert_eq!(seen.method, Method::PUT);
    assert_eq!(seen.target, "/x?fixed=1&q=%22%2C%22admin%22%3Atrue%2C%22&list=1&list=%C3%BC%26x");
    assert_eq!(seen.header("content-type"), Some("application/json"));
    let body: Value = serde_json::from_str(&seen.body).unwrap();
    let wanted = json!({ "a": "\",\"admin\":true,\"", "l": [1, "ü&x", null], "t": "is 7", "n": [1.5, true] });
    assert_eq!(body, wanted);
}

#[tokio::test]
async fn a_body_that_is_one_value() {
    let server = Server::ok().await;
    let sources = format!("sources: {{ s: {{ http: \"{}\" }} }}", server.url(""));
    let http = sound(&sources, "      source: s\n      request: POST /x\n      json: \"{{a}}\"").await;
    http.call(json!({ "a": { "b": [1] } })).await.unwrap();
    http.call(json!({})).await.unwrap();
    let bodies: Vec<String> = server.seen().into_iter().map(|seen| seen.body).collect();
    assert_eq!(bodies, ["{\"b\":[1]}", ""]);
}

#[tokio::test]
async fn no_value_leads_out_of_the_path() {
    let server = Server::ok().await;
    let http = on(&server.url("/v1"), "DELETE /users/{a}/notes").await;
    for value in [
        "..",
        ".",
        "%2e%2e",
        "%2E.",
        "%252e%252e",
        "../admin",
        "..%2fadmin",
        "%2e%2e%2fadmin",
        "x/../../admin",
        "..;x",
        "..\\admin",
        "a\\b",
        "a\0",
        "a\r\nHost: evil",
        "\u{7f}",
        "",
    ] {
        let error = http.call(json!({ "a": value })).await.unwrap_err();
        assert_eq!(error.kind, crate::outcome::ErrorKind::Invalid, "{value:?}");
        assert!(error.message.starts_with("`a` "), "{value:?}: {}", error.message);
    }
    for (value, path) in [
        ("//evil.org", "/v1/users/%2F%2Fevil.org/notes"),
        ("http://169.254.169.254/", "/v1/users/http%3A%2F%2F169.254.169.254%2F/notes"),
        ("user@evil.org", "/v1/users/user%40evil.org/notes"),
        ("a..b", "/v1/users/a..b/notes"),
        ("100%", "/v1/users/100%25/notes"),
        ("?x#y", "/v1/users/%3Fx%23y/notes"),
    ] {
        http.call(json!({ "a": value })).await.unwrap();
        assert_eq!(server.seen().last().unwrap().target, path);
    }
    assert_eq!(server.seen().len(), 6);
}

#[tokio::test]
async fn dots_that_several_values_make_together() {
    let server = Server::ok().await;
    for (line, arguments) in [
        ("GET /x/{a}{b}/y", json!({ "a": ".", "b": "." })),
        ("GET /x/{a}{b}/y", json!({ "a": "%2", "b": "e." })),
        ("GET /x/.{a}/y", json!({ "a": "." })),
        ("GET /x/{.a}/y", json!({ "a": "." })),
        ("GET {/list*}", json!({ "list": ["x", "..", "y"] })),
        ("GET {/list*}", json!({ "list": ["x", "", "y"] })),
        ("GET /{+a}", json!({ "a": "x/../y" })),
        ("GET /{+a}", json!({ "a": "x/%2e%2e/y" })),
        ("GET /{+a}", json!({ "a": "x/%2E%2e%2fy" })),
        ("GET /{a}/y", json!({ "b": "x" })),
    ] {
        let error = on(&server.url("/v1"), line).await.call(arguments.clone()).await.unwrap_err();
        assert!(error.message.starts_with('`'), "{line} {arguments}: {}", error.message);
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn reserved_expansion_stays_in_its_place() {
    let server = Server::ok().await;
    let base = server.url("");
    let http = on(&base, "GET {/b}{+a}").await;
    for value in
        ["@evil.org/", ".evil.org/", ":80@evil.org/", "//evil.org/x", "/x?admin=1", "/x#y", "\\evil.org", "evil.org"]
    {
        assert!(http.call(json!({ "a": value })).await.is_err(), "{value}");
    }
    let http = on(&base, "GET /{+a}?mode=read").await;
    for value in ["/evil.org/x", "x?mode=write&y=", "x#", "a//b"] {
        assert!(http.message(json!({ "a": value })).await.starts_with("`a` "), "{value}");
    }
    http.call(json!({ "a": "x/y;v=1" })).await.unwrap();
    assert_eq!(server.only().target, "/x/y;v=1?mode=read");
    let http = on(&base, "GET /go?to={+a}").await;
    http.call(json!({ "a": "https://example.org/?x" })).await.unwrap();
    assert_eq!(server.seen()[1].target, "/go?to=https://example.org/?x");
    assert!(http.message(json!({ "a": "x#y" })).await.contains("`a` can't hold a `#`"));
}

#[tokio::test]
async fn header_values_can_not_end_their_line() {
    let server = Server::ok().await;
    let action =
        "      source: s\n      request: GET /x\n      headers: { X-A: \"{{b}}-{{a}}\", Authorization: \"{{b}}\" }";
    let http = sound(&format!("sources: {{ s: {{ http: \"{}\" }} }}", server.url("")), action).await;
    for value in ["x\r\nX-Admin: 1", "x\ny", "x\ry", "x\0", "\u{1b}[0m"] {
        let message = http.message(json!({ "a": value, "b": "b" })).await;
        assert_eq!(message, "`a` can't hold a line break or another control character in a header");
    }
    assert!(server.seen().is_empty());
    http.call(json!({ "a": "grün", "b": "mine" })).await.unwrap();
    let seen = server.only();
    assert_eq!(seen.headers["x-a"].as_bytes(), "mine-grün".as_bytes());
    assert_eq!(seen.header("authorization"), Some("mine"));
}

#[tokio::test]
async fn headers_that_begin_with_x_are_sent() {
    let server = Server::ok().await;
    let source =
        format!("sources: {{ s: {{ http: \"{}\", headers: {{ x-key: k }}, query: {{ x-q: q }} }} }}", server.url(""));
    let http = sound(&source, "      source: s\n      request: GET /x\n      headers: { x-a: \"{{a}}\" }").await;
    http.call(json!({ "a": "1" })).await.unwrap();
    let seen = server.only();
    assert_eq!((seen.header("x-key"), seen.header("x-a")), (Some("k"), Some("1")));
    assert_eq!(seen.target, "/x?x-q=q");
}

#[tokio::test]
async fn actions_without_a_source_have_a_fixed_host() {
    let server = Server::ok().await;
    let http = sound("", &format!("      request: GET {}/x/{{a}}{{?b}}", server.url(""))).await;
    http.call(json!({ "a": "@evil.org", "b": "c" })).await.unwrap();
    assert_eq!(server.only().target, "/x/%40evil.org?b=c");
    let http = sound("", &format!("      request: GET {}{{/a}}", server.url(""))).await;
    http.call(json!({})).await.unwrap();
    assert_eq!(server.seen()[1].target, "/");
    let http = sound("", &format!("      request: GET {}", server.url(""))).await;
    http.call(json!({})).await.unwrap();
    assert_eq!(server.seen()[2].target, "/");
}

#[tokio::test]
async fn explains_without_sending() {
    let action = "      source: s\n      request: POST /isbn/{a}.json{?pin}\n      headers: { X-Pin: \"{{pin}}\" }\n      \
                  json: { a: \"{{a}}\" }";
    let sources = "sources: { s: { http: \"https://openlibrary.org\", auth: { apiKey: { query: key, value: \"${TOKEN}\" } }, \
                   headers: { X-Token: \"${TOKEN}\", X-Plain: p }, query: { lang: de } } }";
    let http = sound(sources, action).await;
    let text = http.shown(json!({ "a": "123", "pin": "0000" })).unwrap();
    assert_eq!(
        text,
        "POST https://openlibrary.org/isbn/123.json?pin=***&lang=de&key=***\nx-token: ***\nx-plain: p\n\
         accept: application/json, */*;q=0.5\ncontent-type: application/json\nx-pin: ***\n\n{\n  \"a\": \"123\"\n}\n\n\
         a → path, json\npin → query, header `x-pin`"
    );
    assert!(http.shown(json!({ "a": ".." })).is_ok(), "`...json` is a name like any other");
    let http = on("https://openlibrary.org", "GET /isbn/{a}").await;
    assert_eq!(
        http.shown(json!({ "a": "1" })).unwrap(),
        "GET https://openlibrary.org/isbn/1\naccept: application/json, */*;q=0.5\n\na → path"
    );
    assert!(http.shown(json!({ "a": ".." })).is_err());
}
