//! What is refused before anything is served, and where the caret points.

use super::*;

const SOURCE: &str = "sources: { s: { http: \"https://example.org/v1\" } }";

async fn request(line: &str) -> Vec<String> {
    compile(SOURCE, &format!("      source: s\n      request: {line}")).await.mistakes
}

async fn bare(line: &str) -> Vec<String> {
    compile("", &format!("      request: {line}")).await.mistakes
}

async fn source(source: &str) -> Vec<String> {
    let sources = format!("sources:\n  s:\n{source}");
    compile(&sources, "      source: s\n      request: GET /").await.mistakes
}

/// Line 12 is `      request: …`, whose value starts at column 16.
#[tokio::test]
async fn request_lines_below_a_source() {
    for line in ["GET /", "GET /x/{a}?y=1{&b}", "POST {/a}", "GET {?a,b}", "PURGE /x", "GET   /x", "GET /a;v=1/x..y"] {
        assert_eq!(request(line).await, [""; 0], "{line}");
    }
    for (line, mistake) in [
        ("get /x", "12:16: `get` is no method | did you mean `GET`?"),
        ("GTE /x", "12:16: `GTE` is no method | did you mean `GET`?"),
        ("CONNECT /x", "12:16: `CONNECT` can't be sent | one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("TRACE /x", "12:16: `TRACE` can't be sent | one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
        ("/x", "12:16: the method is missing | such as `GET /x`"),
        ("GET", "12:16: the request has no target | expected `METHOD /path`"),
        ("GET x", "12:20: the target begins with a `/` | such as `GET /books/{id}`"),
        ("GET {a}/x", "12:20: the target begins with a `/` | such as `GET /books/{id}`"),
        ("GET {+a}", "12:20: the target begins with a `/` | such as `GET /books/{id}`"),
        ("GET //evil.org/x", "12:20: `//` would name another host | begin with one `/`"),
        (
            "GET https://evil.org/",
            "12:20: with a `source`, a request has no scheme and host | leave them out, or leave out `source`",
        ),
        ("\"GET /x#y\"", "12:23: a request has no fragment (`#…`) | leave it out"),
        ("\"GET /x{#a}\"", "12:24: a request has no fragment (`#…`) | leave it out"),
        ("GET /x/../y", "12:23: a path has no `.` and `..` | write the path that is meant"),
        ("GET /x/..;/y", "12:23: a path has no `.` and `..` | write the path that is meant"),
        ("GET /x/{c}", "12:24: `c` is not defined in tool `t` | known here: `a`, `b`, `list`, `pin`"),
    ] {
        assert_eq!(request(line).await, [mistake], "{line}");
    }
    assert_eq!(request("GET /x/{a").await.len(), 1);
    assert_eq!(request("got /../{c}").await.len(), 2);
}

#[tokio::test]
async fn request_lines_without_a_source() {
    for line in [
        "GET https://example.org/x/{a}",
        "GET https://example.org",
        "GET http://example.org:8080{?a}",
        "GET https://example.org{/a}",
    ] {
        assert_eq!(bare(line).await, [""; 0], "{line}");
    }
    for (line, mistake) in [
        (
            "GET /x",
            "11:20: a request without a `source` needs a whole URL | give it a `source`, or write `https://host/path`",
        ),
        ("GET https://{a}/x", "no values can stand in scheme and host"),
        ("GET https://{a}.example.org/x", "no values can stand in scheme and host"),
        ("GET https://example.org{a}/x", "11:39: no values can stand in scheme and host"),
        ("GET https://example.org:{a}/x", "no values can stand in scheme and host"),
        ("GET https://example.org{+a}", "no values can stand in scheme and host"),
        ("GET {a}://example.org/x", "11:20: no values can stand in scheme and host"),
        ("GET {+a}", "needs a whole URL"),
        ("GET ftp://example.org/x", "expected a URL that begins with `http://` or `https://`"),
        ("GET https://me:pw@example.org/x", "no user and password can stand in a URL"),
        ("GET https:///x", "expected a URL with a host"),
        ("\"GET https://example.org/x#y\"", "a request has no fragment"),
        ("GET https://example.org/a/../b", "11:42: a path has no `.` and `..`"),
        ("GET https://example.org/{c}", "11:41: `c` is not defined"),
    ] {
        let found = bare(line).await;
        assert_eq!(found.len(), 1, "{line}: {found:?}");
        assert!(found[0].contains(mistake), "{line}: {found:?}");
    }
}

#[tokio::test]
async fn headers_queries_and_bodies() {
    for (rest, mistake) in [
        ("headers: { Host: evil.org }", "13:18: `Host` can't be set | the connection sets it"),
        ("headers: { content-length: \"3\" }", "`content-length` can't be set"),
        ("headers: { Transfer-Encoding: chunked }", "`Transfer-Encoding` can't be set"),
        ("headers: { Connection: close }", "`Connection` can't be set"),
        ("headers: { \"a b\": x }", "`a b` is no name of a header"),
        ("headers: { \"a\\r\\nb\": x }", "is no name of a header"),
        ("headers: { x: \"a\\nb\" }", "a header can't hold line breaks or control characters"),
        ("headers: { x: \"{{c}}\" }", "13:24: `c` is not defined"),
        ("headers: { X-A: a, X-a: b }", "13:26: the header `X-a` is set twice | case does not count"),
        ("query: { x: \"{{c}}\" }", "`c` is not defined"),
        ("json: { x: 1 }", "13:13: a GET request has no body"),
    ] {
        let action = format!("      source: s\n      request: GET /x\n      {rest}");
        let found = compile(SOURCE, &action).await;
        assert!(found.http.is_none());
        assert_eq!(found.mistakes.len(), 1, "{rest}: {:?}", found.mistakes);
        assert!(found.mistakes[0].contains(mistake), "{rest}: {:?}", found.mistakes);
    }
    let body = "      source: s\n      request: POST /x\n      json: { x: [\"{{c}}\", \"{{d}}\"], y: \"{{#if}}\" }";
    assert_eq!(compile(SOURCE, body).await.mistakes.len(), 3);
    let head = "      source: s\n      request: HEAD /x\n      json: []";
    assert_eq!(compile(SOURCE, head).await.mistakes.len(), 1);
}

#[tokio::test]
async fn sources_at_fault() {
    for (text, mistake) in [
        ("    http: example.org", "4:11: expected a URL that begins with `http://` or `https://`"),
        (
            "    http: https://me:${TOKEN}@example.org",
            "no user and password can stand in a URL | give the source `auth",
        ),
        ("    http: https://example.org?a=b", "a base URL has no query | put it into the source's `query`"),
        ("    http: \"https://example.org#a\"", "a request has no fragment"),
        ("    http: \"https://example.org/{a}\"", "no values can stand in a base URL"),
        (
            "    http: https://e.org\n    auth: {}",
            "5:5: `auth` is exactly one thing | one of `bearer`, `basic`, `apiKey`",
        ),
        (
            "    http: https://e.org\n    auth: { bearer: a, apiKey: { header: b, value: c } }",
            "`auth` is exactly one thing",
        ),
        ("    http: https://e.org\n    auth: { bearer: [] }", "expected a string"),
        ("    http: https://e.org\n    auth: { bearer: \"\" }", "it is empty"),
        ("    http: https://e.org\n    auth: { bearer: \"${SPLIT}\" }", "it holds a line break"),
        (
            "    http: https://e.org\n    auth: { basic: { username: \"a:b\", password: c } }",
            "a user name can't hold a `:`",
        ),
        ("    http: https://e.org\n    auth: { apiKey: { value: c } }", "an `apiKey` goes to exactly one place"),
        (
            "    http: https://e.org\n    auth: { apiKey: { header: a, query: b, value: c } }",
            "an `apiKey` goes to exactly one",
        ),
        ("    http: https://e.org\n    auth: { apiKey: { header: Host, value: c } }", "`Host` can't be set"),
        ("    http: https://e.org\n    auth: { apiKey: { query: \"\", value: c } }", "the name is empty"),
        ("    http: https://e.org\n    headers: { x: \"${SPLIT}\" }", "5:19: a header can't hold line breaks"),
        ("    http: https://e.org\n    headers: { Host: x }", "`Host` can't be set"),
        (
            "    http: https://e.org\n    headers: { Authorization: x }\n    auth: { bearer: y }",
            "`authorization` is set by `headers`",
        ),
        ("    http: https://e.org\n    redirects: [\"*\"]", "5:17: expected a URL that begins with"),
        ("    http: https://e.org\n    redirects: [\"https://c.org/x\"]", "an origin has no path"),
    ] {
        let found = source(text).await;
        assert_eq!(found.len(), 1, "{text}: {found:?}");
        assert!(found[0].contains(mistake), "{text}: {found:?}");
        assert!(!found[0].contains(TOKEN), "{found:?}");
    }
}

#[tokio::test]
async fn unknown_sources_and_other_mistakes_are_reported_together() {
    let action = "      source: t\n      request: get /x\n      headers: { x: \"{{c}}\" }\n      json: \"{{d}}\"";
    let found = compile(SOURCE, action).await;
    assert!(found.http.is_none());
    assert_eq!(found.mistakes.len(), 4, "{:?}", found.mistakes);
}
