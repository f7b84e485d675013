use serde_json::json;

use super::read;

#[test]
fn a_line_becomes_a_tool() {
    let begun = read(
        "curl -sS -X PATCH 'https://api.example.com/v1/items/7?dry_run=true&page[size]=5' \\\n -H 'Authorization: Bearer s3cret' \
         -H \"X-Trace: a b\" --compressed -H 'Content-Type: application/json' -d '{\"name\": \"it'\\''s\", \"count\": 3, \"note\": null}'",
    );
    let begun = begun.unwrap();
    let tool = &begun.spec["tools"]["patch_items"];
    assert_eq!(tool["http"]["request"], "PATCH /v1/items/7{?dry_run}");
    assert_eq!(tool["http"]["query"], json!({ "page[size]": "{{page_size}}" }));
    assert_eq!(tool["http"]["headers"], json!({ "X-Trace": "a b" }));
    assert_eq!(tool["http"]["json"], json!({ "name": "{{name}}", "count": "{{count}}", "note": "{{note}}" }));
    assert_eq!(tool["params"]["name"], json!({ "type": "string", "default": "it's" }));
    assert_eq!(tool["params"]["dry_run"], json!({ "type": "boolean", "default": true }));
    assert_eq!(tool["params"]["note"], json!({ "optional": true }));
    let source = &begun.spec["sources"]["api_example_com"];
    assert_eq!(source["http"], "https://api.example.com");
    assert_eq!(source["auth"], json!({ "bearer": "${API_EXAMPLE_COM_TOKEN}" }));
    assert!(!begun.spec.to_string().contains("s3cret"));
}

#[test]
fn texts_that_are_numbers_are_numbers() {
    let begun = read("curl 'http://h/x?a=52.52&b=-3&c=007&d=1.50&e=1e3&f=NaN'").unwrap();
    let params = &begun.spec["tools"]["get_x"]["params"];
    assert_eq!(params["a"], json!({ "type": "number", "default": 52.52 }));
    assert_eq!(params["b"], json!({ "type": "integer", "default": -3 }));
    for (name, text) in [("c", "007"), ("d", "1.50"), ("e", "1e3"), ("f", "NaN")] {
        assert_eq!(params[name], json!({ "type": "string", "default": text }));
    }
}

#[test]
fn forms_users_and_get() {
    let begun = read("curl http://h/x -u me:pw -d a=1 --data-urlencode 'b=x&y'").unwrap();
    let tool = &begun.spec["tools"]["post_x"];
    assert_eq!(tool["http"]["form"], json!({ "a": "{{a}}", "b": "{{b}}" }));
    assert_eq!(tool["params"]["b"]["default"], "x&y");
    assert!(!begun.spec.to_string().contains("pw\""), "{}", begun.spec);
    let begun = read("curl -G http://h/x -d q=rust -k").unwrap();
    assert_eq!(begun.spec["tools"]["get_x"]["http"]["request"], "GET /x{?q}");
    assert_eq!(begun.left.len(), 1);
    let begun = read("curl h/up -F title=Dune -F 'cover=@dune.png'").unwrap();
    assert_eq!(
        begun.spec["tools"]["post_up"]["http"]["multipart"],
        json!({ "title": "{{title}}", "cover": "{{cover}}" })
    );
}

#[test]
fn lines_that_are_none_are_refused_in_words() {
    for (line, why) in [
        ("wget http://h", "it does not begin with `curl`"),
        ("curl", "it asks no URL"),
        ("curl 'http://h", "a quote has no end"),
        ("curl http://h http://i", "it asks two URLs"),
        ("curl --frobnicate http://h", "`--frobnicate` is not known here; take it out if the request does without"),
        ("curl http://h -d @secret.txt", "`-d @secret.txt` sends a file; write what is in it"),
        ("curl ftp://h/x", "it speaks ftp, not HTTP"),
        ("curl http://h -X GET -d a=1", "a GET request has no body; say -G to put the data into the query"),
        ("curl -X", "`-X` has no value"),
    ] {
        assert_eq!(read(line).map(|_| ()).unwrap_err(), why, "{line}");
    }
}
