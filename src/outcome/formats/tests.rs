//! Texts in every format, what is cut, and what is made to hurt.

use std::time::Instant;

use serde_json::{Value, json};

use super::*;

const ROOM: usize = 1 << 20;

fn value(format: &Format, text: &str) -> Value {
    let read = read(format, text, false, ROOM).unwrap();
    assert!(read.whole, "{read:?}");
    read.value
}

/// What a text that was cut still means.
fn rest(format: &Format, text: &str) -> Value {
    let read = read(format, text, true, ROOM).unwrap();
    assert!(!read.whole);
    read.value
}

fn fault(format: &Format, text: &str) -> String {
    read(format, text, false, ROOM).unwrap_err().0
}

#[test]
fn numbers_keep_their_digits() {
    for (written, kept) in [
        ("1", json!(1)),
        ("-0", json!(-0.0)),
        ("1.10", json!(1.1)),
        ("0.1", json!(0.1)),
        ("9007199254740993", json!(9007199254740993_i64)),
        ("18446744073709551615", json!(18446744073709551615_u64)),
        ("18446744073709551616", json!("18446744073709551616")),
        ("123456789012345678901234", json!("123456789012345678901234")),
        ("-9223372036854775809", json!("-9223372036854775809")),
        ("0.12345678901234567890", json!("0.12345678901234567890")),
        ("1234567.8901234567", json!(1234567.8901234567)),
        ("19.990000000000000000", json!(19.99)),
        ("1e400", json!("1e400")),
        ("1e-400", json!("1e-400")),
        ("6.02e23", json!(6.02e23)),
        ("1E2", json!(100.0)),
    ] {
        assert_eq!(value(&Format::Json, written), kept, "{written}");
        assert_eq!(value(&Format::Json, &format!("{{\"n\": [{written}]}}")), json!({ "n": [kept] }));
    }
    let text = r#"{"123456789012345678901234": "123456789012345678901234 \" 99999999999999999999999"}"#;
    assert_eq!(value(&Format::Json, text), serde_json::from_str::<Value>(text).unwrap());
}

#[test]
fn what_is_no_json_is_said() {
    for text in ["{", "[1,]", "nope", "12345678901234567-12345678901234567", "01234567890123456789", "[1] 2", ""] {
        assert!(fault(&Format::Json, text).starts_with("is not JSON"), "{text}");
    }
    assert_eq!(fault(&Format::Json, "{\n\"a\": b}"), "is not JSON (line 2)");
    assert!(read(&Format::Json, &"[".repeat(1_000_000), false, ROOM).is_err());
    assert!(read(&Format::Json, &"[".repeat(1_000_000), true, ROOM).is_err());
    let many = format!("[{}1]", "1,".repeat(MAX_VALUES));
    assert_eq!(fault(&Format::Json, &many), "has more than 2000000 values");
}

#[test]
fn cut_json_is_closed() {
    for (cut, closed) in [
        (r#"{"a": [1, 2, 3"#, json!({ "a": [1, 2] })),
        (r#"{"a": [1, 2], "b": {"c": "d, e]"#, json!({ "a": [1, 2], "b": {} })),
        (r#"[{"id": 1}, {"id": 2, "x": tr"#, json!([{ "id": 1 }, { "id": 2 }])),
        (r#"[{"id": 1}, {"id": 2, "na"#, json!([{ "id": 1 }, { "id": 2 }])),
        (r#"["a\"#, json!([])),
        ("[", json!([])),
    ] {
        assert_eq!(rest(&Format::Json, cut), closed, "{cut}");
    }
    assert!(read(&Format::Json, "12", true, ROOM).is_err());
}

#[test]
fn large_json_keeps_its_shape() {
    let items: Vec<Value> = (0..1000).map(|n| json!({ "id": n, "name": format!("book {n}") })).collect();
    let text = json!({ "items": items, "total": 1000, "next": "x".repeat(100) }).to_string();
    let short = read(&Format::Json, &text, false, 1000).unwrap();
    assert!(!short.whole);
    assert!(short.value.to_string().len() <= 1000);
    assert_eq!(short.value["total"], 1000);
    assert_eq!(short.value["next"], "x".repeat(100));
    let left = short.value["items"].as_array().unwrap();
    assert!(left.len() > 20 && left[0] == json!({ "id": 0, "name": "book 0" }), "{}", left.len());
    let long = json!([{ "body": "ü\n".repeat(5000), "id": 7 }]).to_string();
    let short = read(&Format::Json, &long, false, 500).unwrap().value;
    assert!(short.to_string().len() <= 500 && short.to_string().len() > 450);
    assert_eq!(short[0]["id"], 7);
    assert!(short[0]["body"].as_str().unwrap().ends_with('…'));
}

#[test]
fn lines_and_lines_of_json() {
    assert_eq!(value(&Format::Lines, "a\r\nb\n\nc"), json!(["a", "b", "", "c"]));
    assert_eq!(value(&Format::Ndjson, "{\"a\":1}\n\n[2]\r\n"), json!([{ "a": 1 }, [2]]));
    assert_eq!(rest(&Format::Ndjson, "{\"a\":1}\n{\"a\":"), json!([{ "a": 1 }]));
    assert_eq!(fault(&Format::Ndjson, "1\n{"), "is not JSON (line 2)");
    let few = read(&Format::Lines, &"abc\n".repeat(100), false, 60).unwrap();
    assert_eq!((few.value.as_array().unwrap().len(), few.whole), (10, false));
}

#[test]
fn separated_values() {
    let csv = "id,name,,id\r\n1,\"Dune, Part \"\"One\"\"\",x,2\n3,\"two\nlines\"\n4,a,b,c,d\n";
    let rows = json!([
        { "id": "1", "name": "Dune, Part \"One\"", "column3": "x", "id_2": "2" },
        { "id": "3", "name": "two\nlines" },
        { "id": "4", "name": "a", "column3": "b", "id_2": "c", "column5": "d" },
    ]);
    assert_eq!(value(&Format::Csv, csv), rows);
    assert_eq!(value(&Format::Tsv, "a\tb\n1\t\"2\n"), json!([{ "a": "1", "b": "\"2" }]));
    assert_eq!(value(&Format::Csv, ""), json!([]));
    assert_eq!(rest(&Format::Csv, "a,b\n1,2\n3,"), json!([{ "a": "1", "b": "2" }]));
}

#[test]
fn aligned_columns() {
    let df = "Filesystem     Size  Used Avail Use% Mounted on\n\
              /dev/sda1       30G   12G   17G  42% /\n\
              tmpfs          7.9G     0  7.9G   0% /dev/shm\n";
    assert_eq!(
        value(&Format::Table, df)[1],
        json!({ "Filesystem": "tmpfs", "Size": "7.9G", "Used": "0", "Avail": "7.9G", "Use%": "0%", "Mounted on": "/dev/shm" })
    );
    let docker = "CONTAINER ID   STATUS       PORTS     NAMES\n\
                  4c01db0b339c   Up 2 hours             web\n\
                  d7886598dbe2   Up 3 days              db\n";
    assert_eq!(
        value(&Format::Table, docker)[0],
        json!({ "CONTAINER ID": "4c01db0b339c", "STATUS": "Up 2 hours", "PORTS": "", "NAMES": "web" })
    );
    assert_eq!(value(&Format::Table, "\n"), json!([]));
    assert_eq!(value(&Format::Table, "  PID CMD\n    1 ïnit é\n"), json!([{ "PID": "1", "CMD": "ïnit é" }]));
}

#[test]
fn columns_by_pattern() {
    let columns = Columns::new(r"^(?<mode>[-d]\S+)\s+\d+ (?<size>\d+)?\s*(?<name>.+)$").unwrap();
    assert_eq!(
        value(&Format::Columns(columns), "total 8\n-rw-r 1 12 a b\ndrwx 2 c\n"),
        json!([{ "mode": "-rw-r", "size": "12", "name": "a b" }, { "mode": "drwx", "size": null, "name": "c" }])
    );
    assert_eq!(Columns::new(r"(\d+)").unwrap_err(), "it has no named group: `(?<name>…)` makes a column");
    assert_eq!(Columns::new("(").unwrap_err(), "unclosed group");
}

#[test]
fn xml_documents() {
    let xml = r#"<?xml version="1.0"?><!-- x --><!DOCTYPE feed [<!ENTITY x "boom">]>
        <feed xmlns:m="urn:m" n="&lt;1&#233;"><title>A &amp; B &x;</title>
        <entry id="1"><m:tag>a</m:tag></entry><entry>two <![CDATA[<b>]]></entry><entry/><mixed>a<i>b</i>c</mixed></feed>"#;
    let feed = json!({ "feed": {
        "@xmlns:m": "urn:m", "@n": "<1é", "title": "A & B &x;",
        "entry": [{ "@id": "1", "m:tag": "a" }, "two <b>", ""],
        "mixed": { "i": "b", "#text": "ac" },
    } });
    assert_eq!(value(&Format::Xml, xml), feed);
    assert_eq!(rest(&Format::Xml, "<a><b>1</b><c><d>2"), json!({ "a": { "b": "1", "c": { "d": "2" } } }));
    assert_eq!(fault(&Format::Xml, "<a>\n</b>"), "is not XML (line 2)");
    assert_eq!(fault(&Format::Xml, "<a><b>"), "is not XML: no element is whole");
    assert_eq!(fault(&Format::Xml, "{}"), "is not XML: no element is whole");
    assert_eq!(fault(&Format::Xml, &"<a>".repeat(200)), "is nested deeper than 128");
    let cut = read(&Format::Xml, &format!("<a>{}</a>", "<b>x</b>".repeat(1000)), false, 500).unwrap();
    assert!(!cut.whole && cut.value["a"]["b"].as_array().unwrap().len() > 50);
}

#[test]
fn pages() {
    for (html, markdown) in [
        ("<h1>A <b>bold</b>\n title</h1><p>One &amp; two.<p>Three", "# A **bold** title\n\nOne & two.\n\nThree"),
        ("<p>a<br>b</p>", "a  \nb"),
        ("<a href='/x y'>link</a>, <a href='javascript:x'>none</a> <a name=x></a>", "[link](/x%20y), none"),
        ("see<em> this </em>now<i></i>", "see *this* now"),
        ("<img src=a.png alt='A [cat]'> <img src=b.png>", "![A cat](a.png)"),
        (
            "<ul><li>a<li>b<ol start=3><li>c</li><li><p>d</p><p>e</p></ol></ul>f",
            "- a\n- b\n  3. c\n\n  4. d\n\n     e\n\nf",
        ),
        ("<blockquote><p>q<p>r</blockquote>s", "> q\n>\n> r\n\ns"),
        ("<pre><code class='x language-rust'>fn a() {\n  `b`\n}\n</code></pre>", "```rust\nfn a() {\n  `b`\n}\n```"),
        ("use <code>a*b</code>", "use `a*b`"),
        (
            "<table><tr><th>a<th>b</tr><tr><td>1|2<td><p>3</p><p>4</p></table>x",
            "| a | b |\n| --- | --- |\n| 1\\|2 | 3 4 |\n\nx",
        ),
        ("<table><thead><tr><td></td><td>b</td></tr></thead></table>", "| | b |\n| --- | --- |"),
        ("<script>if (a < b) { '<p>' }</script><style>p{}</style>a<svg><text>no</text></svg>b", "ab"),
        ("<p>*not* [a] _b_ <p># no <p>- no", "\\*not\\* \\[a\\] _b_\n\n\\# no\n\n\\- no"),
        ("<hr><div>a</div><div>b</div>", "---\n\na\nb"),
        ("a<!-- c -->b</p></ul></li></b>", "ab"),
        ("", ""),
    ] {
        assert_eq!(value(&Format::Markdown, html), markdown, "{html}");
    }
}

/// Everything is linear: a few megabytes of the worst take well under the time that a quadratic way would.
#[test]
fn bombs_are_harmless() {
    let columns = Columns::new(r"(?<a>(x+)+y)").unwrap();
    let header = format!("{}\n{}", "n".repeat(100_000), "1\n".repeat(100_000));
    for (format, text) in [
        (Format::Markdown, "<div><b><p>".repeat(200_000)),
        (Format::Markdown, "<ul><li><blockquote>a".repeat(50_000)),
        (Format::Markdown, "<table><tr><td>".repeat(100_000)),
        (Format::Markdown, "<a href=x>".repeat(200_000)),
        (Format::Xml, format!("<a {}>", "b='' ".repeat(200_000))),
        (Format::Xml, "<!ENTITY".repeat(200_000)),
        (Format::Json, format!("[{}", "\"\\\\\",".repeat(200_000))),
        (Format::Csv, header.clone()),
        (Format::Csv, format!("a{}", "\"".repeat(1_000_000))),
        (Format::Table, header),
        (Format::Columns(columns), "x".repeat(1_000_000)),
    ] {
        let began = Instant::now();
        if let Ok(read) = read(&format, &text, false, ROOM) {
            assert!(shorten::size(&read.value) <= 2 * ROOM, "{format:?}");
        }
        assert!(began.elapsed().as_secs() < 120, "{format:?} took {:?}", began.elapsed());
    }
}

#[test]
fn bytes_become_text() {
    for (bytes, charset, text) in [
        (b"caf\xc3\xa9".as_slice(), None, "café"),
        (b"caf\xe9 \x80", Some("iso-8859-1"), "café €"),
        (b"\xef\xbb\xbfa", Some("utf-8"), "a"),
        (b"\xff\xfea\0", None, "a"),
        (b"\x83\x65\x83\x58\x83\x67", Some("Shift_JIS"), "テスト"),
        (b"\xf0\xd2\xc9", Some("koi8-r"), "При"),
        (b"caf\xe9", Some("nonsense"), "caf\u{fffd}"),
        (
            b"<?xml version='1.0' encoding='ISO-8859-1'?><a>\xe9</a>",
            None,
            "<?xml version='1.0' encoding='ISO-8859-1'?><a>é</a>",
        ),
        (b"<html><META charset=latin1><p>\xe9", None, "<html><META charset=latin1><p>é"),
    ] {
        assert_eq!(text::decode(bytes.to_vec(), charset, false), text);
    }
    assert_eq!(text::decode(b"caf\xc3".to_vec(), None, true), "caf");
}

#[test]
fn formats_go_by_the_media_type() {
    let named = |header: &str| match MediaType::parse(header).kind() {
        media_type::Kind::Text(format) => format!("{format:?}"),
        media_type::Kind::Bytes => "bytes".to_owned(),
    };
    for (header, format) in [
        ("application/json", "Json"),
        ("Application/Problem+JSON; charset=utf-8", "Json"),
        ("application/x-ndjson", "Ndjson"),
        ("application/jsonl", "Ndjson"),
        ("text/csv; header=present", "Csv"),
        ("text/tab-separated-values", "Tsv"),
        ("application/atom+xml", "Xml"),
        ("text/xml", "Xml"),
        ("text/html", "Text"),
        ("application/xhtml+xml", "Text"),
        ("application/yaml", "Text"),
        ("image/svg+xml", "bytes"),
        ("image/png", "bytes"),
        ("application/octet-stream", "bytes"),
        ("", "bytes"),
    ] {
        assert_eq!(named(header), format, "{header}");
    }
    assert_eq!(MediaType::parse("text/plain; Charset=\"UTF-8\"").charset.as_deref(), Some("utf-8"));
}
