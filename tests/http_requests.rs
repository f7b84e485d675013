//! What `http` sends: every part of a request, through the real door.

use serde_json::{Value, json};

use crate::harness::upstream::{answer, json};
use crate::harness::{Era, Spec, Upstream, dedent};

/// A spec of these tools over an API that says yes to everything.
pub fn over(upstream: &Upstream, tools: &str) -> Spec {
    Spec::new(&over_text(upstream, "", tools))
}

/// The same with more keys for the source, `api`.
pub fn over_text(upstream: &Upstream, source: &str, tools: &str) -> String {
    let source: String = dedent(source).lines().map(|line| format!("    {line}\n")).collect();
    let sources = format!("sources:\n  api:\n    http: {}\n{source}", upstream.url("/v1"));
    format!("{sources}{}", crate::harness::spec::tools(tools))
}

#[tokio::test]
async fn every_method() {
    let upstream = Upstream::start(|asked| match asked.method.as_str() {
        "DELETE" => answer(204, &[], ""),
        "HEAD" => answer(200, &[("content-length", "1000")], ""),
        _ => json("{\"ok\":true}"),
    })
    .await;
    let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "PURGE", "M-SEARCH"];
    let tools: String = methods.map(|m| format!("{m}: {{ http: {{ source: api, request: {m} /x }} }}\n")).concat();
    let spec = over(&upstream, &tools);
    let client = spec.stdio(Era::Modern).await;
    for method in methods {
        let result = client.call(method, json!({})).await;
        assert_eq!(result["isError"], false, "{method}: {result}");
    }
    assert_eq!(upstream.lines(), methods.map(|m| format!("{m} /v1/x")));
}

#[tokio::test]
async fn uri_templates_of_every_level() {
    let upstream = Upstream::ok().await;
    // RFC 6570 section 3.2.1, as far as its values can stand in a path
    let values = json!({
        "var": "value", "hello": "Hello World!", "path": "foo/bar", "x": "1024", "y": "768", "empty": "",
        "list": ["red", "green", "blue"], "keys": { "semi": ";", "dot": ".", "comma": "," }, "v": "6", "undef": null,
    });
    let cases = [
        ("/{var}", "/value"),
        ("/{hello}", "/Hello%20World%21"),
        ("/a/{path}", "/a/foo%2Fbar"),
        ("/{+path}/here", "/foo/bar/here"),
        ("/map{?x,y}", "/map?x=1024&y=768"),
        ("/{x,hello,y}", "/1024,Hello%20World%21,768"),
        ("{/var,x}/here", "/value/1024/here"),
        ("/X{.x,y}", "/X.1024.768"),
        ("/p{;x,y,empty}", "/p;x=1024;y=768;empty"),
        ("/q{?x,y,empty}", "/q?x=1024&y=768&empty="),
        ("/q?fixed=yes{&x,undef}", "/q?fixed=yes&x=1024"),
        ("/{var:3}", "/val"),
        ("{/list*,path:4}", "/red/green/blue/foo%2F"),
        ("/l{?list}", "/l?list=red,green,blue"),
        ("/l{?list*}", "/l?list=red&list=green&list=blue"),
        ("/k{?keys*}", "/k?semi=%3B&dot=.&comma=%2C"),
        ("/k{;keys*}", "/k;semi=%3B;dot=.;comma=%2C"),
        ("/u{?undef}", "/u"),
    ];
    let properties = values.as_object().unwrap().keys().map(|name| (name.clone(), json!({})));
    let schema = json!({ "type": "object", "properties": Value::Object(properties.collect()) });
    let tools = cases.iter().enumerate().map(|(n, (template, _))| {
        format!("t{n}:\n  inputSchema: {schema}\n  http: {{ source: api, request: 'GET {template}' }}\n")
    });
    let spec = over(&upstream, &tools.collect::<String>());
    let client = spec.stdio(Era::Legacy).await;
    for (n, (template, expanded)) in cases.iter().enumerate() {
        client.json(&format!("t{n}"), values.clone()).await;
        assert_eq!(upstream.last().target, format!("/v1{expanded}"), "{template}");
    }
}

const BODIES: &str = "
    typed:
      params: { n: integer, list: array, gone: { type: string, optional: true } }
      http: { source: api, request: POST /x, json: { n: '{{n}}', list: '{{list}}', gone: '{{gone}}', text: 'n is {{n}}' } }
    form:
      params: { q: string, tags: array, gone: { type: string, optional: true } }
      http: { source: api, request: POST /x, form: { q: '{{q}}', tag: '{{tags}}', gone: '{{gone}}', x-fixed: 'a b' } }
    raw:
      params: { rows: array }
      http: { source: api, request: PUT /x, contentType: text/csv, body: 'n{{#each rows}}|{{this}}{{/each}}' }
    plain: { params: { text: string }, http: { source: api, request: POST /x, body: '{{text}}' } }
    upload:
      params: { name: string }
      http: { source: api, request: 'PUT /files/{name}', body: { file: { path: '{name}', root: ./out, maxBytes: 6MiB } } }
    typed_upload: { http: { source: api, request: PUT /x, contentType: image/x-mine, body: { file: ./out/a.png } } }
    parts:
      params: { title: string, name: string, note: { type: string, optional: true } }
      http:
        source: api
        request: POST /x
        multipart:
          title: '{{title}}'
          note: '{{note}}'
          meta: { text: '{\"a\": 1}', contentType: application/json }
          photo: { file: { path: '{name}', root: ./out }, filename: 'a \"{{title}}\".png' }
          other: { file: ./out/a.png, contentType: image/x-mine }
";

fn bodies(upstream: &Upstream) -> Spec {
    over(upstream, "")
        .file("out/a.png", b"\x89PNG\r\n\0\xff")
        .file("secret.txt", "s")
        .with(&over_text(upstream, "", BODIES))
}

#[tokio::test]
async fn json_forms_and_texts() {
    let upstream = Upstream::ok().await;
    let client = bodies(&upstream).stdio(Era::Modern).await;
    client.json("typed", json!({ "n": 7, "list": [1, "a", null] })).await;
    let asked = upstream.last();
    assert_eq!(asked.header("content-type"), "application/json");
    let body: Value = serde_json::from_slice(&asked.body).unwrap();
    assert_eq!(body, json!({ "n": 7, "list": [1, "a", null], "text": "n is 7" }));
    client.json("form", json!({ "q": "a=b&c ü\r\n", "tags": ["x", "y z"] })).await;
    let asked = upstream.last();
    assert_eq!(asked.header("content-type"), "application/x-www-form-urlencoded");
    assert_eq!(asked.text(), "q=a%3Db%26c+%C3%BC%0D%0A&tag=x&tag=y+z&x-fixed=a+b");
    client.json("raw", json!({ "rows": [1, 2] })).await;
    let asked = upstream.last();
    assert_eq!((asked.header("content-type"), asked.text()), ("text/csv", "n|1|2".to_owned()));
    client.json("plain", json!({ "text": "{{title}} ü" })).await;
    let asked = upstream.last();
    assert_eq!((asked.header("content-type"), asked.text()), ("text/plain; charset=utf-8", "{{title}} ü".to_owned()));
}

#[tokio::test]
async fn a_file_is_sent_while_it_is_read() {
    let upstream = Upstream::ok().await;
    let large: Vec<u8> = (0..5_u32 << 20).map(|n| (n % 251).to_le_bytes()[0]).collect();
    let spec = bodies(&upstream).file("out/large.bin", &large).file("out/too-large.bin", vec![0; 7 << 20]);
    std::os::unix::fs::symlink("../secret.txt", spec.folder().join("out/link")).unwrap();
    let client = spec.stdio(Era::Modern).await;
    client.json("upload", json!({ "name": "large.bin" })).await;
    let asked = upstream.last();
    assert!(asked.body == large, "{} bytes came", asked.body.len());
    assert_eq!(asked.header("content-length"), large.len().to_string());
    assert_eq!(asked.header("content-type"), "application/octet-stream");
    client.json("upload", json!({ "name": "a.png" })).await;
    assert_eq!(upstream.last().header("content-type"), "image/png");
    client.json("typed_upload", json!({})).await;
    assert_eq!(upstream.last().header("content-type"), "image/x-mine");
    let count = upstream.asked().len();
    for (name, words) in [
        ("gone.bin", "there is no file"),
        ("link", "outside"),
        ("too-large.bin", "has 7340032 bytes, more than the 6291456 that may be sent (maxBytes)"),
    ] {
        let said = client.fails("upload", json!({ "name": name })).await;
        assert!(said.contains(words) || words == "there is no file" && said.contains("not found"), "{name}: {said}");
    }
    for name in ["../secret.txt", "..", "/etc/passwd"] {
        client.fails("upload", json!({ "name": name })).await;
    }
    assert_eq!(upstream.asked().len(), count, "nothing was sent");
}

#[tokio::test]
async fn bytes_are_given_as_base64() {
    let upstream = Upstream::ok().await;
    let tools = "
        put: { params: { b: { type: string, optional: true } }, http: { source: api, request: PUT /x, body: { base64: '{{b}}' }, contentType: image/png } }
        bare: { params: { b: string }, http: { source: api, request: PUT /x, body: { base64: '{{b}}' } } }
        part: { params: { b: { type: string, optional: true }, n: string }, http: { source: api, request: POST /x, multipart: { f: { base64: '{{b}}', filename: '{{n}}' }, t: x } } }
    ";
    let spec = over(&upstream, tools);
    let client = spec.stdio(Era::Modern).await;
    for (given, bytes) in [("AP8=", &b"\0\xff"[..]), ("AP8", b"\0\xff"), ("aGVs\n bG8=\n", b"hello"), ("", b"")] {
        client.json("put", json!({ "b": given })).await;
        let asked = upstream.last();
        assert_eq!((asked.header("content-type"), &asked.body[..]), ("image/png", bytes), "{given:?}");
    }
    client.json("put", json!({})).await;
    assert_eq!(upstream.last().body.len(), 0);
    client.json("bare", json!({ "b": "AA==" })).await;
    assert_eq!(upstream.last().header("content-type"), "application/octet-stream");
    client.json("part", json!({ "b": "AP8=", "n": "a.bin" })).await;
    let body = upstream.last().body;
    let text = String::from_utf8_lossy(&body);
    assert!(
        text.contains("name=\"f\"; filename=\"a.bin\"") && body.windows(6).any(|w| w == b"\r\n\0\xff\r\n"),
        "{text}"
    );
    client.json("part", json!({ "n": "a.bin" })).await;
    assert!(!upstream.last().text().contains("a.bin"));
    let count = upstream.asked().len();
    for given in ["%", "A", "AP8=x", "AP-_", "aé=="] {
        let said = client.fails("put", json!({ "b": given })).await;
        assert_eq!(said, "the body is not base64 (RFC 4648 section 4)", "{given}");
    }
    assert_eq!(
        client.fails("part", json!({ "b": "!", "n": "a" })).await,
        "the part `f` is not base64 (RFC 4648 section 4)"
    );
    assert_eq!(upstream.asked().len(), count, "nothing was sent");
    let explained = spec.run("call", &["put", "b=AP8=", "--explain"]).await;
    assert!(explained.out.contains("<base64: AP8=>") && explained.out.contains("b → body"), "{explained:?}");
}

#[tokio::test]
async fn parts_with_files() {
    let upstream = Upstream::ok().await;
    let client = bodies(&upstream).stdio(Era::Legacy).await;
    for title in ["x\r\nEvil: 1", "x\ny", "x\0"] {
        let said = client.fails("parts", json!({ "title": title, "name": "a.png" })).await;
        assert_eq!(said, "the part `photo`: a file's name can't hold a line break or another control character");
    }
    assert!(upstream.asked().is_empty());
    client.json("parts", json!({ "title": "x\"; name=\"y\\", "name": "a.png" })).await;
    let asked = upstream.last();
    let boundary = asked.header("content-type").strip_prefix("multipart/form-data; boundary=").unwrap().to_owned();
    assert_eq!(asked.header("content-length"), asked.body.len().to_string());
    let body = String::from_utf8_lossy(&asked.body).into_owned();
    let parts: Vec<(&str, &str)> = body
        .split(&format!("--{boundary}"))
        .filter_map(|part| part.strip_prefix("\r\n")?.strip_suffix("\r\n")?.split_once("\r\n\r\n"))
        .collect();
    let heads: Vec<&str> = parts.iter().map(|(head, _)| *head).collect();
    assert_eq!(heads.len(), 4, "{body}");
    assert_eq!(heads[0], "Content-Disposition: form-data; name=\"title\"");
    assert_eq!(parts[0].1, "x\"; name=\"y\\");
    assert!(heads[1].ends_with("name=\"meta\"\r\nContent-Type: application/json"), "{}", heads[1]);
    assert!(
        heads[2].contains("name=\"photo\"; filename=\"a ") && heads[2].ends_with("Content-Type: image/png"),
        "{}",
        heads[2]
    );
    assert!(heads[2].contains("a \\\"x\\\"; name=\\\"y"), "quotes do not end a file's name: {}", heads[2]);
    assert!(
        heads[3].contains("filename=\"a.png\"") && heads[3].ends_with("Content-Type: image/x-mine"),
        "{}",
        heads[3]
    );
    assert_eq!(parts[2].1, String::from_utf8_lossy(b"\x89PNG\r\n\0\xff"));
}

#[tokio::test]
async fn cookies_are_one_header() {
    let upstream = Upstream::ok().await;
    let source = "cookies: { lang: de, token: '${TOKEN}' }\nauth: { apiKey: { cookie: key, value: '${TOKEN}' } }";
    let tools = "
        get:
          params: { a: string, b: { type: string, optional: true } }
          http: { source: api, request: GET /x, cookies: { a: '{{a}}', b: '{{b}}', fixed: yes } }
    ";
    let spec = Spec::new(&over_text(&upstream, source, tools)).env("TOKEN", "s3cret-t0ken");
    let client = spec.stdio(Era::Modern).await;
    client.json("get", json!({ "a": "1" })).await;
    assert_eq!(upstream.last().header("cookie"), "lang=de; token=s3cret-t0ken; key=s3cret-t0ken; a=1; fixed=yes");
    for value in ["1; admin=1", "a b", "\"", "a,b", "a\r\nx: y", "ü"] {
        let said = client.fails("get", json!({ "a": value })).await;
        assert_eq!(said, "`a`: a cookie can hold ASCII without spaces, `\"`, `,`, `;` and `\\`", "{value}");
    }
    assert_eq!(upstream.asked().len(), 1);
    let shown = spec.run("call", &["get", "a=1", "--explain"]).await;
    assert!(shown.out.contains("\ncookie: lang=de; token=***; key=***; a=1; fixed=yes\n"), "{shown:?}");
}

#[tokio::test]
async fn explain_shows_where_each_param_goes() {
    let upstream = Upstream::ok().await;
    let source = "headers: { X-Client: me }\nauth: { bearer: '${TOKEN}' }";
    let tools = "
        note:
          params:
            id: integer
            notify: { type: boolean, optional: true }
            why: string
            pin: { type: string, secret: true }
            text: string
          http:
            source: api
            request: POST /books/{id}{?notify}
            headers: { X-Why: '{{why}}', X-Pin: '{{pin}}' }
            query: { by: '{{why}}' }
            form: { text: '{{text}}', pin: '{{pin}}' }
    ";
    let spec = Spec::new(&over_text(&upstream, source, tools)).env("TOKEN", "s3cret-t0ken");
    let given = ["note", "id=7", "why=because", "pin=0000-1111", "text=hi you", "--explain"];
    let shown = spec.run("call", &given).await;
    let expected = format!(
        "POST {}?by=because\nx-client: me\nauthorization: Bearer ***\naccept: application/json, */*;q=0.5\n\
         content-type: application/x-www-form-urlencoded\nx-why: because\nx-pin: ***\n\ntext=hi+you&pin=***\n\n\
         id → path\nnotify → query\nwhy → query `by`, header `x-why`\npin → header `x-pin`, form `pin`\ntext → form `text`\n",
        upstream.url("/v1/books/7")
    );
    assert_eq!((shown.out, shown.err.as_str(), shown.code), (expected, "", 0));
    assert!(upstream.asked().is_empty());
}
