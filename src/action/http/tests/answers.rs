//! What comes back.

use super::*;
use crate::outcome::{Content, ErrorKind};

/// `{"squeezed":true}`, gzipped.
const GZIPPED: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 42, 46, 44, 77, 77, 173, 74, 77, 81, 178, 42, 41, 42, 77, 173, 5, 0, 156,
    28, 59, 41, 17, 0, 0, 0,
];

fn by_path(seen: &Seen) -> Response {
    match seen.target.as_str() {
        "/json" => answer(200, "application/vnd.api+json; charset=utf-8", "{\"a\":[1,2.50]}"),
        "/text" => answer(200, "text/plain; charset=iso-8859-1", b"caf\xe9".to_vec()),
        "/image" => answer(200, "image/png", b"\x89PNG".to_vec()),
        "/empty" => Response::builder().status(204).body(Body::empty()).unwrap(),
        "/gzip" => {
            let mut response = answer(200, "application/json", GZIPPED.to_vec());
            response.headers_mut().insert("content-encoding", "gzip".parse().unwrap());
            response
        }
        "/big" => answer(200, "application/json", format!("[{}1]", "1,".repeat(1_000_000))),
        "/huge" => answer(200, "text/plain", "ü".repeat(1_000_000)),
        "/long" => answer(500, "text/html", format!("<p>\n\n  {}", "x".repeat(100_000))),
        "/broken" => answer(500, "application/octet-stream", vec![0xff; 10]),
        "/problem" => answer(422, "application/problem+json", "{\n  \"title\": \"no such\\nbook\"\n}"),
        "/gone" => answer(410, "text/plain", ""),
        "/teapot" => answer(499, "text/plain", "odd"),
        _ => answer(404, "text/plain", "nothing\n  here"),
    }
}

async fn get(path: &str, rest: &str) -> Result<Outcome, ActionError> {
    let server = Server::start(by_path).await;
    let sources = format!("sources: {{ s: {{ http: \"{}\" }} }}", server.url(""));
    sound(&sources, &format!("      source: s\n      request: GET {path}\n{rest}")).await.call(json!({})).await
}

#[tokio::test]
async fn content_by_media_type() {
    let json = get("/json", "").await.unwrap();
    assert_eq!(json.content, Content::Json(json!({ "a": [1, 2.5] })));
    assert_eq!(json.mime_type.as_deref(), Some("application/vnd.api+json"));
    assert_eq!(get("/text", "").await.unwrap().content, Content::Text("café".to_owned()));
    let image = get("/image", "").await.unwrap();
    assert_eq!(image.content, Content::Bytes(b"\x89PNG".to_vec()));
    assert_eq!((image.mime_type.as_deref(), image.truncated), (Some("image/png"), None));
    let empty = get("/empty", "").await.unwrap();
    assert_eq!((empty.content, empty.mime_type), (Content::Text(String::new()), None));
    assert_eq!(get("/gzip", "").await.unwrap().content, Content::Json(json!({ "squeezed": true })));
}

#[tokio::test]
async fn huge_answers_are_cut() {
    let big = get("/big", "      maxBytes: 1KiB").await.unwrap();
    assert_eq!(big.truncated.as_deref(), Some("cut to 1024 of 2000003 bytes (maxBytes)"));
    assert_eq!(big.content, Content::Json(json!(vec![1; 511])), "it is still a list");
    assert!(big.whole.is_some_and(|whole| whole.data.len() == 2_000_003));
    let huge = get("/huge", "      maxBytes: 1001").await.unwrap();
    assert!(matches!(huge.content, Content::Text(text) if text == "ü".repeat(500)));
    let whole = get("/huge", "      maxBytes: 2000000").await.unwrap();
    assert_eq!(whole.truncated, None);
    let squeezed = get("/gzip", "      maxBytes: 5").await.unwrap();
    assert_eq!(squeezed.content, Content::Json(json!({ "squeezed": true })), "nothing can be left out");
    let image = get("/image", "      maxBytes: 3").await.unwrap();
    assert_eq!(image.content, Content::Blocks(Vec::new()));
    assert_eq!(image.truncated.as_deref(), Some("4 bytes of image/png, more than 3 (maxBytes)"));
    assert_eq!(image.whole.unwrap().data, crate::outcome::Data::Bytes(b"\x89PNG".to_vec()));
}

#[tokio::test]
async fn failures_say_status_and_reason() {
    for (path, kind, message) in [
        ("/nowhere", ErrorKind::NotFound, "GET /nowhere answered 404 Not Found: nothing here"),
        ("/gone", ErrorKind::NotFound, "GET /gone answered 410 Gone"),
        (
            "/problem",
            ErrorKind::Failed,
            "GET /problem answered 422 Unprocessable Entity: {\"title\":\"no such\\nbook\"}",
        ),
        ("/broken", ErrorKind::Failed, "GET /broken answered 500 Internal Server Error"),
        ("/teapot", ErrorKind::Failed, "GET /teapot answered 499: odd"),
    ] {
        let error = get(path, "").await.unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (kind, message));
    }
    let long = get("/long", "").await.unwrap_err().message;
    let start = "GET /long answered 500 Internal Server Error: <p> xx";
    assert!(long.starts_with(start) && long.ends_with("xx…") && long.len() < 600, "{long}");
}

#[tokio::test]
async fn failures_are_told_as_the_spec_says() {
    let errors = "      errors: { 404: 'No {{a}}: {{body}}', 4xx: '{{status}} {{reason}}: {{body.title}}{{body.none}}', default: '{{headers.content-type}}' }";
    for (path, message) in [
        ("/nowhere", "No : nothing\n  here"),
        ("/problem", "422 Unprocessable Entity: no such\nbook"),
        ("/teapot", "499 :"),
        ("/broken", "application/octet-stream"),
    ] {
        assert_eq!(get(path, errors).await.unwrap_err().message, message, "{path}");
    }
    let error = get("/nowhere", errors).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotFound);
    assert_eq!(error.detail.as_deref(), Some("GET /nowhere answered 404 Not Found: nothing here"));
    let nothing = get("/gone", "      errors: { default: '{{body}}' }").await.unwrap_err();
    assert_eq!(nothing.message, "GET /gone answered 410 Gone", "words that are none are the usual ones");
}
