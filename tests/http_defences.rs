//! Attacks on what `http` sends and where it goes; each has to come to nothing.

use serde_json::{Value, json};

use crate::harness::upstream::{answer, json};
use crate::harness::{Asked, Client, Era, Spec, Upstream};
use crate::http_requests::over_text;

const SECRET: &str = "s3cret-t0ken";

/// `/v1/to/STATUS?URL` redirects there.
fn redirecting(asked: &Asked) -> axum::response::Response {
    match asked.target.strip_prefix("/v1/to/").and_then(|rest| rest.split_once('?')) {
        Some((status, to)) => answer(status.parse().unwrap(), &[("location", &to.replace("%5C", "\\"))], ""),
        None => json("{\"ok\":true}"),
    }
}

const TOOLS: &str = "
    to:
      params: { status: { type: integer, default: 302 }, url: string }
      http: { source: api, request: 'GET /to/{status}?{+url}', headers: { X-Mine: mine }, cookies: { mine: yes } }
    send:
      params: { status: integer, url: string }
      http: { source: api, request: 'POST /to/{status}?{+url}', json: { pin: '1234' } }
    path: { params: { a: {}, b: { optional: true } }, http: { source: api, request: 'GET /books/{a}{/b}/pages' } }
    wide: { params: { a: {} }, http: { source: api, request: 'GET /books/{+a}' } }
    list: { params: { a: {} }, http: { source: api, request: 'GET /books{/a*}' } }
    query: { params: { a: {}, b: {} }, http: { source: api, request: 'GET /x{?a}', query: { b: '{{b}}' } } }
    header: { params: { a: string }, http: { source: api, request: GET /x, headers: { X-A: '{{a}}', X-B: 'b {{a}}' } } }
";
const CREDENTIALS: &str = "
    headers: { X-Key: '${TOKEN}' }
    cookies: { session: '${TOKEN}' }
    auth: { bearer: '${TOKEN}' }
";

async fn client(upstream: &Upstream, more: &str) -> Client {
    let source = format!("{}{more}", crate::harness::dedent(CREDENTIALS));

    Spec::new(&over_text(upstream, &source, TOOLS)).env("TOKEN", SECRET).stdio(Era::Modern).await
}

/// Whether anything of the caller's or the source's came along.
fn is_bare(asked: &Asked) -> bool {
    let names = ["authorization", "x-key", "x-mine", "cookie", "referer", "proxy-authorization"];
    names.iter().all(|name| asked.header(name).is_empty()) && !format!("{asked:?}").contains(SECRET)
}

#[tokio::test]
async fn redirects_to_another_origin_are_refused() {
    let (upstream, other) = (Upstream::start(redirecting).await, Upstream::ok().await);
    let client = client(&upstream, "").await;
    let port = other.port;
    for to in [
        other.url("/x"),
        format!("//127.0.0.1:{port}/x"),
        format!("http://user:pw@127.0.0.1:{port}/"),
        format!("http://127.0.0.1:{}@127.0.0.1:{port}/", upstream.port),
        format!("http://localhost:{}/v1/x", upstream.port),
        format!("https://127.0.0.1:{}/v1/x", upstream.port),
        format!("http:\\\\127.0.0.1:{port}/x"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "http://2852039166/".to_owned(),
        "http://0251.0376.0251.0376/".to_owned(),
        "http://[::ffff:169.254.169.254]/".to_owned(),
    ] {
        for status in [301, 302, 303, 307, 308] {
            let said = client.fails("to", json!({ "status": status, "url": to })).await;
            assert!(said.contains("redirected to http") && said.contains("`redirects` does not list"), "{to}: {said}");
            assert!(!said.contains("pw") && !said.contains(SECRET), "{said}");
        }
        client.fails("send", json!({ "status": 307, "url": to })).await;
    }
    for (to, words) in
        [("ftp://127.0.0.1/", "a `ftp:` URL"), ("file:///etc/passwd", "a `file:` URL"), ("http://", "no URL")]
    {
        let said = client.fails("to", json!({ "url": to })).await;
        assert!(said.contains(words), "{to}: {said}");
    }
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_redirect_does_not_take_credentials_out_of_the_base_path() {
    let upstream = Upstream::start(redirecting).await;
    let client = client(&upstream, "").await;
    for to in ["/admin", "/v1/../admin", "/v1/%2e%2e/admin", "/v10", "../../admin", "/", &upstream.url("/admin")] {
        for tool in ["to", "send"] {
            let said = client.fails(tool, json!({ "status": 307, "url": to })).await;
            let words = "it was redirected out of the source's own path, and its `redirects` does not list its origin";
            assert!(said.ends_with(words), "{to}: {said}");
        }
    }
    assert!(upstream.lines().iter().all(|line| line.contains(" /v1/to/")), "{:?}", upstream.lines());
    client.json("to", json!({ "url": "/v1/inside" })).await;
    assert_eq!(upstream.last().header("authorization"), format!("Bearer {SECRET}"));

    // its own origin is listed: then it is followed, and nothing goes along
    let listed = self::client(&upstream, &format!("redirects: ['{}']\nallowPrivate: true", upstream.url("/"))).await;
    listed.json("to", json!({ "url": "/admin" })).await;
    assert_eq!(upstream.last().target, "/admin");
    assert!(is_bare(&upstream.last()), "{:?}", upstream.last());
    // and what comes back from there stays bare
    let outside = Upstream::start(|asked| match asked.target.as_str() {
        target if target.starts_with("/v1/to/") => redirecting(asked),
        "/admin" => answer(302, &[("location", "/v1/inside")], ""),
        _ => json("{\"ok\":true}"),
    })
    .await;
    let listed = self::client(&outside, &format!("redirects: ['{}']\nallowPrivate: true", outside.url("/"))).await;
    listed.json("to", json!({ "url": "/admin" })).await;
    assert_eq!(outside.last().target, "/v1/inside");
    assert!(is_bare(&outside.last()));
}

#[tokio::test]
async fn a_listed_origin_gets_no_credentials_and_no_private_address() {
    let (upstream, other) = (Upstream::start(redirecting).await, Upstream::ok().await);
    let port = other.port;
    let hosts = [
        "127.0.0.1",
        "localhost",
        "2130706433",
        "017700000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "[::1]",
        "[::ffff:7f00:1]",
    ];
    let origins = hosts.map(|host| format!("'http://{host}:{port}'")).join(", ");
    let client = client(&upstream, &format!("redirects: [{origins}]")).await;
    for host in hosts {
        let said = client.fails("to", json!({ "url": format!("http://{host}:{port}/x") })).await;
        assert!(said.contains("on a private network"), "{host}: {said}");
    }
    assert!(other.asked().is_empty());
    // the same once private addresses are allowed, by a name: it is looked up, and nothing goes along
    let allowed = self::client(&upstream, &format!("redirects: ['http://localhost:{port}']\nallowPrivate: true")).await;
    allowed.json("to", json!({ "url": format!("http://localhost:{port}/x") })).await;
    assert!(is_bare(&other.last()) && other.last().target == "/x", "{:?}", other.last());
    allowed.json("send", json!({ "status": 307, "url": format!("http://localhost:{port}/x") })).await;
    assert!(is_bare(&other.last()), "{:?}", other.last());
}

#[tokio::test]
async fn a_redirect_does_not_carry_a_key_of_the_query_away() {
    let other = Upstream::ok().await;
    let away = other.url("/collect?");
    // an open redirect that hands the whole query on
    let upstream = Upstream::start(move |asked| {
        let query = asked.target.split_once('?').unwrap().1;
        answer(302, &[("location", &format!("{away}{query}"))], "")
    })
    .await;
    let source = format!("query: {{ key: 'a b/${{TOKEN}}' }}\nredirects: ['{}']\nallowPrivate: true", other.url(""));
    let tools = "get: { http: { source: api, request: GET /x } }";
    let spec = Spec::new(&over_text(&upstream, &source, tools)).env("TOKEN", SECRET);
    let said = spec.stdio(Era::Modern).await.fails("get", json!({})).await;
    assert_eq!(said, "GET /x: it was redirected elsewhere with a secret of the source in the URL");
    assert!(other.asked().is_empty());
}

#[tokio::test]
async fn a_value_does_not_step_out_of_its_place_in_the_path() {
    let upstream = Upstream::ok().await;
    let client = client(&upstream, "").await;
    for value in [
        "..",
        ".",
        "%2e%2e",
        ".%2E",
        "%252e%252e",
        "../admin",
        "..%2fadmin",
        "%2e%2e%2f",
        "%2e%2e%2fadmin",
        "..\\admin",
        "..%5cadmin",
        "..;/admin",
        "..;x",
        "a/../../admin",
        "/../..",
        "a\0b",
        "a\r\nb",
        "%00",
        "..%00",
        "%c0%ae%c0%ae",
        "",
        "/",
        "//evil.example",
        "..%252f..%252fadmin",
    ] {
        for tool in ["path", "wide", "list"] {
            let result = client.call(tool, json!({ "a": value })).await;
            let sent = upstream.asked().pop();
            let safe = |asked: &Asked| {
                let path = asked.target.split('?').next().unwrap();
                path.starts_with("/v1/books/")
                    && !path.contains("//")
                    && !path.to_ascii_lowercase().contains("%2e%2e")
                    && path.split('/').all(|part| part != ".." && part != ".")
                    && !path.contains('\\')
            };
            assert!(result["isError"] == true || sent.as_ref().is_some_and(safe), "{tool} {value:?}: {sent:?}");
        }
        client.fails("wide", json!({ "a": format!("x/{value}/y") })).await;
    }
    for list in [json!(["..", "admin"]), json!(["a", ".."]), json!(["", "x"]), json!([".", "x"])] {
        client.fails("list", json!({ "a": list })).await;
    }
    assert_eq!(client.fails("path", json!({ "a": ".." })).await, "`a` can't make a part of the path `.` or `..`");
    assert_eq!(client.fails("wide", json!({ "a": "x?admin=1" })).await, "`a` can't hold a `?`");
    assert_eq!(client.fails("wide", json!({ "a": "x#y" })).await, "`a` can't hold a `#`");
    client.json("path", json!({ "a": "a/b?c#d&e=f@g:h" })).await;
    assert_eq!(upstream.last().target, "/v1/books/a%2Fb%3Fc%23d%26e%3Df%40g%3Ah/pages");
}

#[tokio::test]
async fn a_value_does_not_step_out_of_its_place_in_the_query() {
    let upstream = Upstream::ok().await;
    let client = client(&upstream, "").await;
    client.json("query", json!({ "a": "1&key=x#", "b": "2&key=y;z=1 \r\n" })).await;
    let target = "/v1/x?a=1%26key%3Dx%23&b=2%26key%3Dy%3Bz%3D1%20%0D%0A";
    assert_eq!(upstream.last().target, target);
    client.json("query", json!({ "a": { "k=1&key": "v" }, "b": ["x&key=y"] })).await;
    assert_eq!(upstream.last().target, "/v1/x?a=k%3D1%26key,v&b=x%26key%3Dy");
}

#[tokio::test]
async fn a_value_does_not_end_its_header() {
    let upstream = Upstream::ok().await;
    let client = client(&upstream, "").await;
    for value in ["a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "\u{7f}", "a\r\n\r\nGET /admin HTTP/1.1\r\n\r\n"] {
        let said = client.fails("header", json!({ "a": value })).await;
        assert_eq!(said, "`a` can't hold a line break or another control character in a header");
    }
    assert!(upstream.asked().is_empty());
    client.json("header", json!({ "a": "Grüße" })).await;
    assert_eq!(upstream.last().headers["x-a"].as_bytes(), "Grüße".as_bytes());
}

/// The diagnostics of a spec that must not start.
async fn refused(text: &str) -> String {
    let checked = Spec::new(text).run("check", &[]).await;
    assert_ne!(checked.code, 0, "{text} passes");
    checked.err + &checked.out
}

#[tokio::test]
async fn what_is_dangerous_in_a_spec_is_refused() {
    for (request, words) in [
        ("'GET https://{a}/x'", "no values can stand in scheme and host"),
        ("'GET https://api.example.org{a}/x'", "no values can stand in scheme and host"),
        ("'GET https://api.example.org:{a}/x'", "no values can stand in scheme and host"),
        ("'GET {+a}'", ""),
        ("'GET https://user:pw@example.org/x'", "no user and password can stand in a URL"),
        ("'GET https://example.org@evil.example/x'", "no user and password can stand in a URL"),
        ("'GET https://example.org/../x'", "a path has no `.` and `..`"),
        ("'GET https:\\\\example.org/x'", ""),
    ] {
        let text = format!("tools:\n  t: {{ params: {{ a: string }}, http: {{ request: {request} }} }}\n");
        let said = refused(&text).await;
        assert!(said.contains(words), "{request}: {said}");
    }
    for name in
        ["Host", "Content-Length", "transfer-encoding", "Connection", "Cookie", "Proxy-Authorization", "TE", "Upgrade"]
    {
        let text = "sources: { api: { http: 'https://example.org', auth: { bearer: x } } }\ntools:\n  t: { params: { a: string }, \
                    http: { source: api, request: GET /x, headers: { NAME: '{{a}}' } } }\n";
        let said = refused(&text.replace("NAME", name)).await;
        assert!(said.contains(&format!("`{name}` can't be set")), "{said}");
        if name == "Host" {
            let said = refused(&text.replace("NAME", "Authorization")).await;
            assert!(said.contains("`authorization` is set by the source's `auth`"), "{said}");
        }
    }
    let proxied = "sources: { api: { http: 'https://example.org', proxy: 'http://p:1', redirects: ['https://cdn.example.org'] } }\n\
                   tools: { t: { http: { source: api, request: GET /x } } }\n";
    assert!(refused(proxied).await.contains("behind a proxy it can't be seen to which addresses `redirects` lead"));
}

#[tokio::test]
async fn cookies_of_an_api_are_not_kept() {
    let upstream = Upstream::start(|_| {
        answer(200, &[("set-cookie", "session=of-the-first-caller"), ("content-type", "application/json")], "{}")
    })
    .await;
    let tools = "get: { http: { source: api, request: GET /x } }";
    let client = Spec::new(&over_text(&upstream, "timeout: 1m", tools)).stdio(Era::Modern).await;
    for _ in 0..2 {
        let _: Value = client.json("get", json!({})).await;
        assert_eq!(upstream.last().header("cookie"), "");
    }
}
