//! The bookshop's HTTP tool, against a server of this machine that answers with the Open Library's shapes.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect};
use axum::routing::get;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::harness::{Era, Spec, everywhere};

/// What `/books/OL7521615M.json` of the Open Library looks like, shortened.
fn edition() -> Value {
    json!({
        "type": { "key": "/type/edition" },
        "title": "Dune",
        "authors": [{ "key": "/authors/OL79034A" }],
        "publish_date": "August 2, 2005",
        "publishers": ["Ace"],
        "number_of_pages": 528,
        "isbn_10": ["0441172717"],
        "isbn_13": ["9780441172719"],
        "covers": [12345],
        "key": "/books/OL7521615M",
        "works": [{ "key": "/works/OL893415W" }],
    })
}

/// The stand-in, and the paths that it was asked for.
struct Library {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Library {
    async fn open() -> Library {
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let seen = asked.clone();
        let note = move |uri: Uri, _: HeaderMap| seen.lock().unwrap().push(uri.to_string());
        let isbn = {
            let note = note.clone();
            async move |uri: Uri, headers: HeaderMap| {
                note(uri.clone(), headers);
                match uri.path() {
                    "/isbn/9780441172719.json" | "/isbn/0-441-17271-7.json" => {
                        Redirect::to("/books/OL7521615M.json").into_response()
                    }
                    "/isbn/9780000000000.json" => Redirect::to("http://elsewhere.invalid/x.json").into_response(),
                    "/isbn/9780000000001.json" => (StatusCode::OK, "<html>busy</html>").into_response(),
                    _ => (StatusCode::NOT_FOUND, axum::Json(json!({ "error": "notfound" }))).into_response(),
                }
            }
        };
        let book = async move |uri: Uri, headers: HeaderMap| {
            note(uri, headers);
            axum::Json(edition())
        };
        let routes = Router::new().route("/books/{key}", get(book)).fallback(get(isbn));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Library { url, asked }
    }

    fn bookshop(&self) -> Spec {
        Spec::bookshop("bookshop.yaml").env("OPENLIBRARY_URL", &self.url)
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

#[tokio::test]
async fn an_isbn_is_looked_up_and_cut_down_to_four_fields() {
    let library = Library::open().await;
    let spec = library.bookshop();
    everywhere(&spec, async |client| {
        let found = json!({ "title": "Dune", "pages": 528, "published": "August 2, 2005", "publishers": ["Ace"] });
        let answer = client.call("lookup_isbn", json!({ "isbn": "9780441172719" })).await;
        assert_eq!((&answer["structuredContent"], &answer["isError"]), (&found, &json!(false)), "{answer}");
        assert_eq!(serde_json::from_str::<Value>(answer["content"][0]["text"].as_str().unwrap()).unwrap(), found);
        assert_eq!(library.asked(), ["/isbn/9780441172719.json", "/books/OL7521615M.json"]);
        assert_eq!(client.json("lookup_isbn", json!({ "isbn": "0-441-17271-7" })).await, found);
        library.asked();
    })
    .await;
}

#[tokio::test]
async fn what_is_no_isbn_is_never_asked_for() {
    let library = Library::open().await;
    let spec = library.bookshop();
    let client = spec.stdio(Era::Legacy).await;
    for isbn in ["dune", "../../../x", "9780441172719/../..", "978044117271%2F", "97804411727190000000", ""] {
        let told = client.fails("lookup_isbn", json!({ "isbn": isbn })).await;
        assert!(told.starts_with("`isbn` must match the pattern"), "{told}");
    }
    assert_eq!(library.asked(), [""; 0]);
}

#[tokio::test]
async fn an_isbn_that_nobody_knows_is_an_error_with_the_status() {
    let library = Library::open().await;
    let spec = library.bookshop();
    let client = spec.stdio(Era::Legacy).await;
    let told = client.fails("lookup_isbn", json!({ "isbn": "9781111111111" })).await;
    assert_eq!(told, r#"GET /isbn/9781111111111.json answered 404 Not Found: {"error":"notfound"}"#);
}

#[tokio::test]
async fn a_redirect_to_another_origin_and_an_answer_that_is_no_json_are_errors() {
    let library = Library::open().await;
    let spec = library.bookshop();
    let client = spec.stdio(Era::Legacy).await;
    let told = client.fails("lookup_isbn", json!({ "isbn": "9780000000000" })).await;
    let start = "GET /isbn/9780000000000.json: it was redirected to http://elsewhere.invalid, which";
    assert!(told.starts_with(start), "{told}");
    let told = client.fails("lookup_isbn", json!({ "isbn": "9780000000001" })).await;
    assert!(told.starts_with("the answer is not of the expected shape: "), "{told}");
}

#[tokio::test]
async fn without_the_network_the_error_says_so_and_all_else_works() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let spec = Spec::bookshop("bookshop.yaml").env("OPENLIBRARY_URL", &format!("http://{address}"));
    everywhere(&spec, async |client| {
        let told = client.fails("lookup_isbn", json!({ "isbn": "9780441172719" })).await;
        let words = "GET /isbn/9780441172719.json: can't reach the source `openlibrary`: connection refused";
        assert_eq!(told, words);
        assert_eq!(client.json("find_books", json!({ "words": "dune" })).await["rowCount"], 3);
    })
    .await;
    let output = spec.run("call", &["lookup_isbn", "isbn=9780441172719"]).await;
    assert_eq!((output.code, output.out.as_str()), (1, ""));
    assert!(output.err.starts_with("error: GET /isbn/9780441172719.json: can't reach"), "{output:?}");
}
