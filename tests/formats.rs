//! `result.as`: what bytes are read as, whatever they come from.

use serde_json::{Value, json};

use crate::harness::{Era, Spec};

/// A tool `t` that prints a file, read as `form`.
async fn printed(form: &str, text: &str) -> Value {
    let tool = format!("t: {{ exec: {{ command: [cat, data] }}, result: {{ as: {form} }} }}");
    let spec = Spec::tools(&tool).file("data", text);
    spec.stdio(Era::Modern).await.call("t", json!({})).await
}

#[tokio::test]
async fn what_a_command_prints_becomes_json() {
    for (form, text, value) in [
        ("json", "{\"n\": 12345678901234567890123}", json!({ "n": "12345678901234567890123" })),
        ("ndjson", "{\"a\":1}\n{\"a\":2}\n", json!([{ "a": 1 }, { "a": 2 }])),
        ("lines", "a\nb\n", json!(["a", "b"])),
        ("csv", "a,b\n1,\"x,y\"\n", json!([{ "a": "1", "b": "x,y" }])),
        ("tsv", "a\tb\n1\t2\n", json!([{ "a": "1", "b": "2" }])),
        ("table", "NAME   AGE\nweb    3d\n", json!([{ "NAME": "web", "AGE": "3d" }])),
        ("xml", "<a id='1'><b>x</b></a>", json!({ "a": { "@id": "1", "b": "x" } })),
        (
            r"{ columns: '^(?<who>\w+)=(?<what>.*)$' }",
            "a=1\n# no\nb=2\n",
            json!([{ "who": "a", "what": "1" }, { "who": "b", "what": "2" }]),
        ),
    ] {
        let answer = printed(form, text).await;
        assert_eq!(answer["isError"], false, "{form}: {answer}");
        assert_eq!(answer["structuredContent"], value, "{form}");
    }
    let page = printed("markdown", "<h1>Title</h1><p>One <b>two</b>").await;
    assert_eq!(page["content"][0]["text"], "# Title\n\nOne **two**");
    assert_eq!(page["structuredContent"], Value::Null);
}

#[tokio::test]
async fn what_is_of_another_format_is_said() {
    for (form, text, words) in [
        ("json", "{\"a\":\n nope}", "the answer is not JSON (line 2)"),
        ("ndjson", "1\n{", "the answer is not JSON (line 2)"),
        ("xml", "<a>\n</b>", "the answer is not XML (line 2)"),
        ("csv", &format!("{}\n{}", ",".repeat(2000), ",".repeat(2000)), "the answer has more than 1000 columns"),
        ("image", "text", "the answer is no image of a known kind"),
    ] {
        let answer = printed(form, text).await;
        assert_eq!((&answer["isError"], &answer["content"][0]["text"]), (&json!(true), &json!(words)), "{form}");
    }
}

/// A bound that bites leaves rows that are whole, and says so.
#[tokio::test]
async fn what_is_too_long_is_cut_between_rows() {
    let spec = Spec::tools(
        "
        t: { exec: { command: [cat, data], maxBytes: 24 }, result: { as: csv } }
        j: { exec: { command: [cat, json], maxBytes: 20 }, result: { as: json } }
        ",
    );
    let spec =
        spec.file("data", "a,b\n1,2\n33,44\n555,666\n7777,8888\n").file("json", "{\"a\": [1, 2, {\"b\": \"long\"}]}");
    let client = spec.stdio(Era::Modern).await;
    let answer = client.call("t", json!({})).await;
    assert_eq!(answer["structuredContent"], json!([{ "a": "1", "b": "2" }]));
    assert_eq!(answer["content"][1]["text"], "[cut after 24 bytes (maxBytes)]");
    assert_eq!(client.call("j", json!({})).await["structuredContent"], json!({ "a": [1, 2, {}] }));
}
